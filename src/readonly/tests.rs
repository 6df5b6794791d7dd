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
    READS.list.iter().find(|read| door.admits(&READS, read, request)).map(|read| read.operation)
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
