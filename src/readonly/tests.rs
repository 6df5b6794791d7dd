use super::*;

const READS: Reads = Reads {
    provider: "aws",
    own_host: |host| host == "rds.eu-west-1.amazonaws.com",
    list: &[
        Read {
            operation: "rds:DescribeDBInstances",
            shape: Shape::Form { action: "DescribeDBInstances", version: "2014-10-31" },
        },
        Read { operation: "dynamodb:ListTables", shape: Shape::Target("DynamoDB_20120810.ListTables") },
        Read { operation: "s3:GetBucketVersioning", shape: Shape::Get { path: "/{}", query: "versioning" } },
        Read {
            operation: "backup:ListRecoveryPointsByResource",
            shape: Shape::Get { path: "/resources/{}/recovery-points", query: "" },
        },
    ],
    throttled: |answer| answer.status == 429,
};

fn door(endpoint: Option<&str>) -> ReadOnly {
    let endpoints = endpoint.map(|url| ("aws".to_owned(), url.parse().unwrap())).into_iter().collect();
    ReadOnly::new(endpoints, Duration::from_secs(5), Arc::default())
}

fn request(method: &str, url: &str, headers: &[(&str, &str)], body: &str) -> Request<Vec<u8>> {
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(body.as_bytes().to_vec()).unwrap()
}

fn admitted(door: &ReadOnly, request: &Request<Vec<u8>>) -> Option<&'static str> {
    READS.list.iter().find(|read| door.admits(&READS, read, request, "")).map(|read| read.operation)
}

const HOST: &str = "https://rds.eu-west-1.amazonaws.com";

#[test]
fn what_is_on_the_list_passes() {
    let door = door(None);
    let form =
        request("POST", &format!("{HOST}/"), &[], "Action=DescribeDBInstances&Version=2014-10-31&MaxRecords=100");
    assert_eq!(admitted(&door, &form), Some("rds:DescribeDBInstances"));
    let target = request("POST", &format!("{HOST}/"), &[("X-Amz-Target", "DynamoDB_20120810.ListTables")], "{}");
    assert_eq!(admitted(&door, &target), Some("dynamodb:ListTables"));
    let get = request("GET", &format!("{HOST}/a-bucket?versioning"), &[], "");
    assert_eq!(admitted(&door, &get), Some("s3:GetBucketVersioning"));
    let inner = request("GET", &format!("{HOST}/resources/arn%3Aaws%3Ards/recovery-points"), &[], "");
    assert_eq!(admitted(&door, &inner), Some("backup:ListRecoveryPointsByResource"));
}

#[test]
fn everything_else_does_not() {
    let door = door(None);
    let list = "DynamoDB_20120810.ListTables";
    for (method, url, headers, body) in [
        ("POST", "/", vec![], "Action=DeleteDBInstance&Version=2014-10-31"),
        ("POST", "/", vec![], "Action=DescribeDBInstances&Version=2014-10-31&Action=DeleteDBInstance"),
        ("POST", "/", vec![], "Action=DescribeDBInstances&Version=2012-01-01"),
        ("POST", "/", vec![], "action=DescribeDBInstances&Version=2014-10-31"),
        ("POST", "/?Action=DeleteDBInstance", vec![], "Action=DescribeDBInstances&Version=2014-10-31"),
        (
            "POST",
            "/",
            vec![("X-Amz-Target", "DynamoDB_20120810.DeleteTable")],
            "Action=DescribeDBInstances&Version=2014-10-31",
        ),
        ("POST", "/", vec![("X-Amz-Target", list), ("X-Amz-Target", "DynamoDB_20120810.DeleteTable")], "{}"),
        ("DELETE", "/a-bucket?versioning", vec![], ""),
        ("PUT", "/a-bucket?versioning", vec![], ""),
        ("GET", "/a-bucket", vec![], ""),
        ("GET", "/a-bucket/an-object?versioning", vec![], ""),
        ("GET", "/a-bucket?versioning", vec![], "a body"),
        ("GET", "/resources/x/restore", vec![], ""),
    ] {
        let request = request(method, &format!("{HOST}{url}"), &headers, body);
        assert_eq!(admitted(&door, &request), None, "{method} {url} {headers:?} {body}");
        assert_eq!(door.send(&READS, "c", &request), Err(GapReason::Unsupported), "{method} {url}");
    }
    assert!(door.calls().is_empty(), "nothing was sent");
}

#[test]
fn only_the_providers_own_hosts_are_asked() {
    let body = "Action=DescribeDBInstances&Version=2014-10-31";
    let elsewhere = [
        "http://rds.eu-west-1.amazonaws.com/",
        "https://rds.eu-west-1.amazonaws.com:8443/",
        "https://rds.eu-west-1.amazonaws.com.evil.example/",
        "https://user@rds.eu-west-1.amazonaws.com/",
        "https://evil.example/",
    ];
    for url in elsewhere {
        let Ok(request) = Request::builder().method("POST").uri(url).body(body.as_bytes().to_vec()) else { continue };
        assert_eq!(admitted(&door(None), &request), None, "{url}");
    }
    let local = request("POST", "http://127.0.0.1:5055/", &[], body);
    assert_eq!(admitted(&door(None), &local), None);
    assert_eq!(admitted(&door(Some("http://127.0.0.1:5055")), &local), Some("rds:DescribeDBInstances"));
    let own = request("POST", &format!("{HOST}/"), &[], body);
    assert_eq!(
        admitted(&door(Some("http://127.0.0.1:5055")), &own),
        None,
        "an endpoint stands in the place of all hosts"
    );
}

const DOCUMENT: &str = "query Volumes($id: String!) { environment(id: $id) { name } }";
const PLATFORM: Reads = Reads {
    provider: "railway",
    own_host: |host| host == "backboard.railway.com",
    list: &[
        Read { operation: "query Volumes", shape: Shape::Document { path: "/graphql/v2", text: DOCUMENT } },
        Read {
            operation: "GET /projects/{}/branches",
            shape: Shape::Rest { path: "/api/v2/projects/{}/branches", keys: &["limit", "cursor"] },
        },
    ],
    throttled: |answer| answer.status == 429,
};
const JSON: (&str, &str) = ("content-type", "application/json");

fn passes(request: &Request<Vec<u8>>) -> bool {
    let door = door(None);
    let passes = PLATFORM.list.iter().any(|read| door.admits(&PLATFORM, read, request, ""));
    if !passes {
        assert_eq!(door.send(&PLATFORM, "c", request), Err(GapReason::Unsupported));
        assert!(door.calls().is_empty(), "nothing was sent");
    }
    passes
}

fn asked(query: &str) -> String {
    serde_json::json!({ "query": query, "variables": { "id": "mutation { volumeDelete }" } }).to_string()
}

#[test]
fn one_document_passes_to_the_letter() {
    let url = "https://backboard.railway.com/graphql/v2";
    let bearer = ("authorization", "Bearer x");
    assert!(passes(&request("POST", url, &[JSON, bearer], &asked(DOCUMENT))));
    assert!(passes(&request("POST", url, &[JSON, ("Project-Access-Token", "x")], &asked(DOCUMENT))));
    let text = serde_json::to_string(DOCUMENT).unwrap();
    let mutation = "mutation Volumes($id: String!) { volumeDelete(volumeId: $id) }";
    for body in [
        asked(mutation),
        asked(&format!("{DOCUMENT} {mutation}")),
        asked("query Volumes($id: String!) { environment(id: $id) { id } }"),
        asked("{ environment(id: 1) { name } }"),
        format!(r#"{{"query": {text}, "variables": {{}}, "extensions": {{"persistedQuery": {{"sha256Hash": "0"}}}}}}"#),
        format!(r#"{{"query": {text}, "variables": {{}}, "operationName": "Other"}}"#),
        format!(r#"{{"query": "mutation {{ a }}", "query": {text}, "variables": {{}}}}"#),
        format!(r#"{{"query": {text}, "query": "mutation {{ a }}", "variables": {{}}}}"#),
        format!(r#"[{{"query": {text}, "variables": {{}}}}, {{"query": "mutation {{ a }}", "variables": {{}}}}]"#),
        format!(r#"{{"query": {text}, "variables": {{}}}} {{"query": "mutation {{ a }}"}}"#),
        text.clone(),
        DOCUMENT.to_owned(),
        String::new(),
    ] {
        assert!(!passes(&request("POST", url, &[JSON], &body)), "{body}");
    }
}

#[test]
fn a_document_passes_by_no_other_way() {
    let (url, body) = ("https://backboard.railway.com/graphql/v2", asked(DOCUMENT));
    for (method, url) in [
        ("GET", url),
        ("PUT", url),
        ("DELETE", url),
        ("PATCH", url),
        ("POST", "https://backboard.railway.com/graphql/v2?query=mutation%7Ba%7D"),
        ("POST", "https://backboard.railway.com/graphql/internal"),
        ("POST", "https://backboard.railway.com/graphql/v2/"),
        ("POST", "https://backboard.railway.com/x/../graphql/v2"),
        ("POST", "https://backboard.railway.com.evil.example/graphql/v2"),
        ("POST", "https://backboard.railway.app/graphql/v2"),
        ("POST", "https://evil.example/graphql/v2"),
        ("POST", "http://backboard.railway.com/graphql/v2"),
        ("POST", "https://backboard.railway.com:444/graphql/v2"),
    ] {
        assert!(!passes(&request(method, url, &[JSON], &body)), "{method} {url}");
    }
    for headers in [
        vec![],
        vec![("content-type", "application/graphql")],
        vec![("content-type", "application/x-www-form-urlencoded")],
        vec![JSON, ("content-type", "application/graphql")],
        vec![JSON, ("x-http-method-override", "DELETE")],
        vec![JSON, ("host", "evil.example")],
        vec![JSON, ("authorization", "Bearer a"), ("authorization", "Bearer b")],
    ] {
        assert!(!passes(&request("POST", url, &headers, &body)), "{headers:?}");
    }
    // A list on which a mutation stood would still send none.
    let wrong = Read {
        operation: "mutation",
        shape: Shape::Document { path: "/graphql/v2", text: "mutation { volumeDelete(volumeId: 1) }" },
    };
    let mutation = request("POST", url, &[JSON], &asked("mutation { volumeDelete(volumeId: 1) }"));
    assert!(!door(None).admits(&PLATFORM, &wrong, &mutation, ""));
}

#[test]
fn a_path_of_the_list_is_read_and_nothing_else_is_done_to_it() {
    let base = "https://backboard.railway.com/api/v2";
    assert!(passes(&request("GET", &format!("{base}/projects/a-b_1/branches?limit=100&cursor=x"), &[], "")));
    assert!(passes(&request("GET", &format!("{base}/projects/a/branches"), &[("authorization", "Bearer x")], "")));
    for (method, path, body) in [
        ("DELETE", "/projects/a/branches", ""),
        ("POST", "/projects/a/branches", ""),
        ("PATCH", "/projects/a/branches", ""),
        ("HEAD", "/projects/a/branches", ""),
        ("GET", "/projects/a/branches", "a body"),
        ("GET", "/projects/a/branches?hard_delete=true", ""),
        ("GET", "/projects/a/branches?limit=1&_method=DELETE", ""),
        ("GET", "/projects/a/branches/b", ""),
        ("GET", "/projects//branches", ""),
        ("GET", "/projects/../branches", ""),
        ("GET", "/projects/x/../a/branches", ""),
        ("GET", "/projects/%2e%2e/branches", ""),
        ("GET", "/projects/a%2Fb/branches", ""),
        ("GET", "/projects/a;b/branches", ""),
        ("GET", "/projects/a/endpoints", ""),
    ] {
        assert!(!passes(&request(method, &format!("{base}{path}"), &[], body)), "{method} {path} {body}");
    }
}

/// A server on this machine that answers each request with the next of these, and then no more; and its address.
fn answering(answers: Vec<&'static str>) -> (String, std::thread::JoinHandle<Vec<Instant>>) {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let served = std::thread::spawn(move || {
        let mut seen = Vec::new();
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            seen.push(Instant::now());
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).unwrap();
            let text = format!("HTTP/1.1 {answer}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}");
            stream.write_all(text.as_bytes()).unwrap();
        }
        seen
    });
    (address, served)
}

fn branches(base: &str) -> Request<Vec<u8>> {
    request("GET", &format!("{base}/api/v2/projects/a/branches"), &[], "")
}

fn door_to(base: &str) -> ReadOnly {
    let endpoints = [("railway".to_owned(), base.parse().unwrap())].into_iter().collect();
    ReadOnly::new(endpoints, Duration::from_secs(20), Arc::default())
}

#[test]
fn who_asks_to_wait_is_waited_for() {
    let (base, served) = answering(vec!["429 Too Many Requests\r\nRetry-After: 1", "200 OK"]);
    let door = door_to(&base);
    assert_eq!(door.send(&PLATFORM, "c", &branches(&base)).unwrap().status, 200);
    let seen = served.join().unwrap();
    assert!(seen[1] - seen[0] >= Duration::from_secs(1), "{seen:?}");
    assert_eq!(door.calls()[0].attempts, 2);
}

#[test]
fn who_asks_for_too_long_a_wait_is_asked_no_more() {
    let (base, served) = answering(vec!["429 Too Many Requests\r\nRetry-After: 86400"]);
    let door = door_to(&base);
    for _ in 0..3 {
        assert_eq!(door.send(&PLATFORM, "c", &branches(&base)), Err(GapReason::Throttled));
    }
    assert_eq!(served.join().unwrap().len(), 1);
    assert_eq!(door.calls().len(), 1, "what was not sent is no call");
}

#[test]
fn a_wait_ends_when_the_run_does() {
    let (base, _served) = answering(vec!["429 Too Many Requests\r\nRetry-After: 20"]);
    let stop = Arc::new(AtomicBool::new(false));
    let endpoints = [("railway".to_owned(), base.parse().unwrap())].into_iter().collect();
    let door = ReadOnly::new(endpoints, Duration::from_secs(60), Arc::clone(&stop));
    let started = Instant::now();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(300));
            stop.store(true, Ordering::SeqCst);
        });
        assert_eq!(door.send(&PLATFORM, "c", &branches(&base)), Err(GapReason::TimedOut));
    });
    assert!(started.elapsed() < Duration::from_secs(2));
}

const LENDING: Reads = Reads {
    list: &[
        Read {
            operation: "sts:AssumeRole",
            shape: Shape::Assume {
                action: "AssumeRole",
                version: "2011-06-15",
                fields: &["RoleArn", "RoleSessionName", "ExternalId"],
            },
        },
        Read {
            operation: "sso:GetRoleCredentials",
            shape: Shape::Issue { path: "/federation/credentials", keys: &["account_id", "role_name"] },
        },
    ],
    ..READS
};

#[test]
fn credentials_are_asked_for_of_what_was_named_alone() {
    let named = ["arn:aws:iam::123456789012:role/audit".to_owned(), "123456789012/Audit".to_owned()];
    let door = door(None).lending(named.into_iter().collect());
    let closed = super::tests::door(None);
    let passes = |door: &ReadOnly, request: &Request<Vec<u8>>| {
        LENDING.list.iter().any(|read| door.admits(&LENDING, read, request, ""))
    };
    let form = |fields: &str| {
        request("POST", &format!("{HOST}/"), &[], &format!("Action=AssumeRole&Version=2011-06-15&{fields}"))
    };
    let role = "RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Faudit";
    assert!(passes(&door, &form(&format!("{role}&RoleSessionName=x&ExternalId=y"))));
    assert!(!passes(&closed, &form(&format!("{role}&RoleSessionName=x"))));
    for fields in [
        "RoleSessionName=x".to_owned(),
        "RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fadmin".to_owned(),
        "RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Faudit2".to_owned(),
        format!("{role}&RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fadmin"),
        format!("RoleArn=arn%3Aaws%3Aiam%3A%3A123456789012%3Arole%2Fadmin&{role}"),
        format!("{role}&Policy=x"),
    ] {
        assert!(!passes(&door, &form(&fields)), "{fields}");
    }
    let portal = |query: &str| request("GET", &format!("{HOST}/federation/credentials?{query}"), &[], "");
    assert!(passes(&door, &portal("account_id=123456789012&role_name=Audit")));
    for query in [
        "account_id=123456789012&role_name=Admin",
        "role_name=Audit&account_id=123456789012",
        "account_id=123456789012&role_name=Audit&role_name=Admin",
        "account_id=210987654321&role_name=Audit",
        "account_id=123456789012%2FAudit&role_name=",
        "",
    ] {
        assert!(!passes(&door, &portal(query)), "{query}");
    }
}

const PROVING: Reads = Reads {
    list: &[Read {
        operation: "ec2:DeleteVolume",
        shape: Shape::DryRun { action: "DeleteVolume", version: "2016-11-15", field: "VolumeId" },
    }],
    ..READS
};

#[test]
fn deletes_pass_as_dry_runs_alone_and_where_they_were_asked_for() {
    let passes = |door: &ReadOnly, fields: &str| {
        let sent =
            request("POST", &format!("{HOST}/"), &[], &format!("Action=DeleteVolume&Version=2016-11-15{fields}"));
        PROVING.list.iter().any(|read| door.admits(&PROVING, read, &sent, ""))
    };
    let (open, closed) = (door(None).proving(true), door(None));
    assert!(passes(&open, "&VolumeId=vol-1&DryRun=true"));
    assert!(!passes(&closed, "&VolumeId=vol-1&DryRun=true"));
    for fields in [
        "&VolumeId=vol-1",
        "&VolumeId=vol-1&DryRun=false",
        "&VolumeId=vol-1&DryRun=",
        "&VolumeId=vol-1&DryRun=True",
        "&VolumeId=vol-1&dryrun=true",
        "&VolumeId=vol-1&DryRun=true&DryRun=false",
        "&VolumeId=vol-1&DryRun=false&DryRun=true",
        "&VolumeId=vol-1&DryRun=true&VolumeId=vol-2",
        "&VolumeId=vol-1&DryRun=true&Force=true",
        "&DryRun=true&DryRun=true",
        "&DryRun=true",
    ] {
        assert!(!passes(&open, fields), "{fields}");
    }
}

/// Questions about permissions, tokens for signed statements, and paths with a verb, as Google Cloud has them.
mod verbs {
    use super::*;

    const READS: Reads = Reads {
        provider: "google",
        own_host: |host| host == "iam.googleapis.com",
        list: &[
            Read { operation: "token", shape: Shape::Signed { path: "/token" } },
            Read::rest("search", "/v3/projects:search", &["pageToken"]),
            Read { operation: "may", shape: Shape::Permissions { path: "/v1/projects/{}:testIamPermissions" } },
            Read { operation: "disk", shape: Shape::Permissions { path: "/compute/{}/testIamPermissions" } },
        ],
        throttled: |answer| answer.status == 429,
    };
    const JSON: (&str, &str) = ("Content-Type", "application/json");
    const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
    const KIND: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";

    fn admitted(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Option<&'static str> {
        let request = request(method, &format!("https://iam.googleapis.com{path}"), headers, body);
        READS.list.iter().find(|read| door(None).admits(&READS, read, &request, "")).map(|read| read.operation)
    }

    #[test]
    fn what_asks_passes() {
        assert_eq!(admitted("GET", "/v3/projects:search?pageToken=a%3D", &[], ""), Some("search"));
        let asked = r#"{"permissions": ["storage.buckets.delete"]}"#;
        assert_eq!(admitted("POST", "/v1/projects/p-1:testIamPermissions", &[JSON], asked), Some("may"));
        assert_eq!(admitted("POST", "/compute/d/testIamPermissions", &[JSON], asked), Some("disk"));
        assert_eq!(admitted("POST", "/token", &[FORM], &format!("{KIND}&assertion=eyJ.e30.c_-2")), Some("token"));
    }

    #[test]
    fn what_changes_something_does_not() {
        let asked = r#"{"permissions": ["storage.buckets.delete"]}"#;
        for (method, path, headers, body) in [
            ("POST", "/v1/projects/p:setIamPolicy", vec![JSON], asked),
            ("POST", "/v1/projects/p:undelete", vec![JSON], asked),
            ("POST", "/v1/projects/p:delete:testIamPermissions", vec![JSON], asked),
            ("POST", "/v1/projects/p/x:testIamPermissions", vec![JSON], asked),
            ("POST", "/v1/projects/:testIamPermissions", vec![JSON], asked),
            ("POST", "/v1/projects/..:testIamPermissions", vec![JSON], asked),
            ("POST", "/v1/projects/p%3Ax:testIamPermissions", vec![JSON], asked),
            ("POST", "/v1/projects/p:testIamPermissions?alt=media", vec![JSON], asked),
            ("POST", "/v1/projects/p:testIamPermissions", vec![FORM], asked),
            ("POST", "/v1/projects/p:testIamPermissions", vec![JSON, ("X-HTTP-Method-Override", "DELETE")], asked),
            ("POST", "/v1/projects/p:testIamPermissions", vec![JSON], r#"{"permissions": [], "policy": {}}"#),
            ("POST", "/v1/projects/p:testIamPermissions", vec![JSON], r#"{"permissions": []}"#),
            ("POST", "/v1/projects/p:testIamPermissions", vec![JSON], r#"{"permissions": ["a b"]}"#),
            ("POST", "/v1/projects/p:testIamPermissions", vec![JSON], r#"{"policy": {}}"#),
            ("DELETE", "/v1/projects/p:testIamPermissions", vec![JSON], asked),
            ("GET", "/v3/projects", vec![], ""),
            ("GET", "/v3/projects:search:search", vec![], ""),
            ("GET", "/v3/projects:search?key=x", vec![], ""),
            ("POST", "/v3/projects:search", vec![JSON], "{}"),
            ("POST", "/token", vec![FORM], KIND),
            ("POST", "/token", vec![FORM], "grant_type=refresh_token&refresh_token=a.b.c"),
            ("POST", "/token", vec![FORM], "grant_type=refresh_token&assertion=a.b.c"),
            ("POST", "/token", vec![JSON], "grant_type=x&assertion=a.b.c"),
        ] {
            assert_eq!(admitted(method, path, &headers, body), None, "{method} {path} {headers:?} {body}");
        }
        let twice = format!("{KIND}&assertion=a.b.c&scope=x");
        assert_eq!(admitted("POST", "/token", &[FORM], &twice), None);
        assert_eq!(admitted("POST", "/token", &[FORM, ("Authorization", "Bearer x")], &twice), None);
        assert_eq!(admitted("POST", "/token", &[FORM], &format!("{KIND}&assertion=a.b")), None);
    }
}
