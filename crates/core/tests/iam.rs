//! The IAM evaluator against AWS's documentation (`tests/iam/cases.yaml`), and what must hold of any policies.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

use deadstop_core::iam::simulate::simulate;
use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    page: String,
    #[serde(default = "alice")]
    principal: String,
    action: String,
    on: String,
    owner: Option<String>,
    #[serde(default)]
    context: Value,
    #[serde(default)]
    partial: bool,
    #[serde(default = "newest")]
    version: String,
    identity: Option<Value>,
    boundary: Option<Value>,
    session: Option<Value>,
    scps: Option<Vec<Value>>,
    rcps: Option<Vec<Value>>,
    resource: Option<Value>,
    expect: String,
    by: Option<Vec<usize>>,
    keys: Option<Vec<String>>,
}

fn alice() -> String {
    "arn:aws:iam::111122223333:user/alice".to_owned()
}

fn newest() -> String {
    "2012-10-17".to_owned()
}

fn input(case: &Case) -> Value {
    let policy =
        |statements: &Value| json!({"name": "p", "policy": {"Version": case.version, "Statement": statements}});
    let list = |statements: &Option<Value>| statements.as_ref().map(|statements| json!([policy(statements)]));
    let levels = |levels: &Option<Vec<Value>>| {
        let level = |statements: &Value| {
            let empty = statements.as_array().is_some_and(Vec::is_empty);
            json!({"orgIdentifier": "ou", "policies": if empty { json!([]) } else { json!([policy(statements)]) }})
        };
        levels.as_ref().map(|levels| levels.iter().map(level).collect::<Vec<_>>())
    };
    let mut input = json!({
        "request": {"principal": case.principal, "action": case.action, "context": case.context,
                    "resource": {"resource": case.on, "accountId": case.owner}},
        "identityPolicies": list(&case.identity).unwrap_or_else(|| json!([])),
        "sessionPolicy": case.session.as_ref().map(policy),
        "serviceControlPolicies": levels(&case.scps),
        "resourceControlPolicies": levels(&case.rcps),
        "resourcePolicy": case.resource.as_ref().map(policy),
        "contextComplete": !case.partial,
    });
    if let Some(boundary) = list(&case.boundary) {
        input["permissionBoundaries"] = boundary;
    }
    input
}

#[test]
fn decides_as_the_documentation_says() {
    let text = include_str!("../../../tests/iam/cases.yaml");
    let cases: Vec<Case> = serde_yaml::from_str(text).unwrap();
    assert!(cases.len() > 100);
    let mut wrong = Vec::new();
    for case in &cases {
        assert!(!case.page.is_empty());
        let answer = match simulate(&input(case).to_string()) {
            Ok(answer) => serde_json::to_value(answer).unwrap(),
            Err(error) => panic!("{}: {error}", case.name),
        };
        let by = answer["decided_by"].as_array().unwrap().iter().map(|by| by["statement"].as_u64().unwrap() as usize);
        let by: Vec<usize> = by.collect();
        if answer["decision"] != case.expect.as_str()
            || case.by.as_ref().is_some_and(|wanted| *wanted != by)
            || case.keys.as_ref().is_some_and(|keys| json!(keys) != answer["depends_on"])
        {
            wrong.push(format!("{}: {answer}, not {}", case.name, case.expect));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn decision(input: &Value) -> String {
    let answer = serde_json::to_value(simulate(&input.to_string()).unwrap()).unwrap();
    answer["decision"].as_str().unwrap().to_owned()
}

prop_compose! {
    fn statement(principal: bool)(
        allow in any::<bool>(),
        actions in prop::collection::vec(prop::sample::select(vec!["*", "s3:*", "s3:Delete*", "s3:DeleteBucket", "ec2:*", "s3:?eleteBucket"]), 1..3),
        not_action in prop::bool::weighted(0.2),
        resources in prop::collection::vec(prop::sample::select(vec!["*", "arn:aws:s3:::prod", "arn:aws:s3:::p*", "arn:aws:s3:::${aws:username}", "arn:aws:s3:::dev"]), 1..3),
        not_resource in prop::bool::weighted(0.2),
        condition in prop::option::of((
            prop::sample::select(vec!["StringEquals", "StringNotEquals", "StringLike", "StringEqualsIfExists", "ForAllValues:StringLike", "ForAnyValue:StringNotEquals", "Null", "Bool"]),
            prop::sample::select(vec!["k:a", "k:b", "aws:username"]),
            prop::sample::select(vec!["x", "y", "true", "false", "*", "${k:a}"]),
        )),
        who in prop::sample::select(vec!["*", "arn:aws:iam::111122223333:user/alice", "111122223333", "arn:aws:iam::111122223333:user/bob"]),
    ) -> Value {
        let mut statement = json!({"Effect": if allow { "Allow" } else { "Deny" }});
        statement[if not_action { "NotAction" } else { "Action" }] = json!(actions);
        statement[if not_resource { "NotResource" } else { "Resource" }] = json!(resources);
        if let Some((operator, key, value)) = condition {
            statement["Condition"] = json!({operator: {key: value}});
        }
        if principal {
            statement["Principal"] = if who == "*" { json!("*") } else { json!({"AWS": who}) };
        }
        statement
    }
}

fn policy(statements: Vec<Value>) -> Value {
    json!({"name": "p", "policy": {"Version": "2012-10-17", "Statement": statements}})
}

prop_compose! {
    fn request()(
        identity in prop::collection::vec(statement(false), 0..4),
        boundary in prop::option::of(prop::collection::vec(statement(false), 0..3)),
        scp in prop::option::of(prop::collection::vec(statement(false), 0..3)),
        resource in prop::option::of(prop::collection::vec(statement(true), 0..3)),
        a in prop::option::of(prop::sample::select(vec![json!("x"), json!("y"), json!(["x", "y"]), json!(true)])),
        b in prop::option::of(prop::sample::select(vec![json!("x"), json!("true")])),
        owner in prop::sample::select(vec!["111122223333", "444455556666"]),
    ) -> Value {
        let mut context = json!({});
        if let Some(a) = a { context["k:a"] = a; }
        if let Some(b) = b { context["k:b"] = b; }
        let mut input = json!({
            "request": {"principal": "arn:aws:iam::111122223333:user/alice", "action": "s3:DeleteBucket",
                        "resource": {"resource": "arn:aws:s3:::prod", "accountId": owner}, "context": context},
            "identityPolicies": [policy(identity)],
            "resourcePolicy": resource.map(policy),
        });
        if let Some(boundary) = boundary { input["permissionBoundaries"] = json!([policy(boundary)]); }
        if let Some(scp) = scp { input["serviceControlPolicies"] = json!([{"orgIdentifier": "r", "policies": [policy(scp)]}]); }
        input
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn a_deny_more_never_allows(input in request(), mut extra in statement(false)) {
        let before = decision(&input);
        extra["Effect"] = json!("Deny");
        let mut after = input;
        after["identityPolicies"].as_array_mut().unwrap().push(policy(vec![extra]));
        let after = decision(&after);
        prop_assert!(after != "Allowed" || before == "Allowed", "{before} became {after}");
    }

    #[test]
    fn a_level_more_never_allows(input in request(), extra in prop::collection::vec(statement(false), 0..3)) {
        let before = decision(&input);
        let mut after = input;
        let mut levels = after["serviceControlPolicies"].as_array().cloned().unwrap_or_default();
        levels.push(json!({"orgIdentifier": "ou", "policies": [policy(extra)]}));
        after["serviceControlPolicies"] = json!(levels);
        let after = decision(&after);
        prop_assert!(after != "Allowed" || before == "Allowed", "{before} became {after}");
    }

    #[test]
    fn an_erased_key_gives_the_same_or_depends(input in request(), erase in prop::sample::select(vec!["k:a", "k:b"])) {
        let before = decision(&input);
        let mut after = input;
        // The other keys stay as they are: absent ones are said to be absent by an empty list.
        for key in ["k:a", "k:b"] {
            let context = after["request"]["context"].as_object_mut().unwrap();
            if key == erase {
                context.remove(key);
            } else {
                context.entry(key).or_insert_with(|| json!([]));
            }
        }
        after["contextComplete"] = json!(false);
        let after = decision(&after);
        prop_assert!(after == before || after == "Depends", "{before} became {after}");
    }

    #[test]
    fn a_wildcard_covers_its_instances(text in "[a-z:/]{0,12}", cut in 0usize..12, at in 0usize..12) {
        let head: String = text.chars().take(cut).collect();
        let tail: String = text.chars().skip(cut.max(at)).collect();
        let name = format!("{head}middle{tail}");
        let input = json!({
            "request": {"principal": "arn:aws:iam::111122223333:user/alice", "action": "s3:DeleteObject",
                        "resource": {"resource": format!("arn:aws:s3:::{name}"), "accountId": "111122223333"}},
            "identityPolicies": [policy(vec![json!({"Effect": "Allow", "Action": "s3:*", "Resource": format!("arn:aws:s3:::{head}*{tail}")})])],
        });
        prop_assert_eq!(decision(&input), "Allowed");
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}") {
        let _ = simulate(&text);
    }

    #[test]
    fn no_value_in_a_policy_makes_it_panic(
        element in prop::sample::select(vec!["Version", "Statement", "Id", "Effect", "Action", "Resource", "Condition", "Principal", "Sid", "Nope"]),
        value in prop::sample::select(vec![json!(null), json!(1), json!([]), json!({}), json!("x"), json!([[]]), json!({"a": {"b": [null]}}), json!("${"), json!("${a, 'b"), json!(["*", 1])]),
        inside in any::<bool>(),
    ) {
        let mut document = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
        if inside { document["Statement"][0][element] = value; } else { document[element] = value; }
        let input = json!({"request": {"principal": "arn:aws:iam::111122223333:user/alice", "action": "s3:DeleteObject", "resource": {"resource": "*"}},
                           "identityPolicies": [{"name": "p", "policy": document}]});
        let _ = simulate(&input.to_string());
    }
}

#[test]
fn stars_cost_no_more_than_their_product() {
    // Backtracking over every star would not come back in a lifetime.
    let input = json!({
        "request": {"principal": "arn:aws:iam::111122223333:user/alice", "action": "s3:DeleteObject",
                    "resource": {"resource": format!("arn:aws:s3:::{}", "a".repeat(2000)), "accountId": "111122223333"}},
        "identityPolicies": [policy(vec![json!({"Effect": "Allow", "Action": "s3:*",
            "Resource": [format!("arn:aws:s3:::{}b", "*".repeat(2000)), format!("arn:aws:s3:::{}b", "a*".repeat(900)), format!("arn:a*ws:s3:::{}b", "a*".repeat(900))]})])],
    });
    assert_eq!(decision(&input), "ImplicitlyDenied");
}

#[test]
fn what_is_wrong_is_named_by_request_and_field() {
    let good = json!({"request": {"principal": "arn:aws:iam::111122223333:user/alice", "action": "s3:DeleteObject", "resource": {"resource": "*"}},
                      "identityPolicies": [{"name": "p", "policy": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}}]});
    let change = |pointer: &str, value: Value| {
        let mut changed = good.clone();
        match changed.pointer_mut(pointer) {
            Some(place) => *place = value,
            None => {
                let (parent, key) = pointer.rsplit_once('/').unwrap();
                changed.pointer_mut(parent).unwrap()[key] = value;
            }
        }
        changed
    };
    for (pointer, value, field) in [
        ("/request/principal", json!("alice"), "request.principal"),
        ("/request/action", json!("*"), "request.action"),
        ("/request/resource/resource", json!("prod"), "request.resource.resource"),
        ("/request/resource/accountId", json!(5), "request.resource.accountId"),
        ("/request/context", json!([]), "request.context"),
        ("/request/contxt", json!({}), "request.contxt"),
        ("/contextComplete", json!("no"), "contextComplete"),
        ("/identityPolicies", json!({}), "identityPolicies"),
        ("/identityPolicies/0/policy/Version", json!("2020"), "identityPolicies[0].policy.Version"),
        (
            "/identityPolicies/0/policy/Statement/0/Effect",
            json!("allow"),
            "identityPolicies[0].policy.Statement[0].Effect",
        ),
        (
            "/identityPolicies/0/policy/Statement/0/Action",
            json!("DeleteBucket"),
            "identityPolicies[0].policy.Statement[0].Action",
        ),
        (
            "/identityPolicies/0/policy/Statement/0/Principal",
            json!("*"),
            "identityPolicies[0].policy.Statement[0].Principal",
        ),
        (
            "/identityPolicies/0/policy/Statement/0/Condition",
            json!({"StringEqual": {"a": "b"}}),
            "identityPolicies[0].policy.Statement[0].Condition.StringEqual",
        ),
        ("/identityPolicies/0/policy/Statement/0/Ressource", json!("*"), "identityPolicies[0].policy.Statement[0]"),
        ("/serviceControlPolicies", json!([{}]), "serviceControlPolicies[0].policies"),
    ] {
        let error = simulate(&json!([good, change(pointer, value)]).to_string()).unwrap_err().to_string();
        assert!(error.starts_with(&format!("request 2: {field}:")), "{pointer}: {error}");
    }
    let twice = r#"{"request": {"principal": "a", "principal": "b"}}"#;
    assert!(simulate(twice).unwrap_err().to_string().contains("`principal` stands twice"));
}

/// A request for some object of a bucket: yes if there is a name on which it is allowed, no only if there is none.
#[test]
fn some_object_of_a_bucket() {
    use deadstop_core::iam::{Caller, Context, Kind, Outcome, Policies, Policy, Request, explain_below};
    let decide = |statements: Value| {
        let policy = Policy::new(&policy(statements.as_array().unwrap().clone())["policy"], Kind::Identity).unwrap();
        let caller = Caller::new(&alice()).unwrap();
        let prefix = "arn:aws:s3:::media/";
        let request = Request::below(caller, "s3:DeleteObject", prefix, Some("111122223333"), Context::partial());
        explain_below(&request, &Policies { identity: vec![&policy], ..Policies::default() }).outcome
    };
    let allow = |on: &str| json!({"Effect": "Allow", "Action": "s3:*", "Resource": on});
    let deny = |on: &str| json!({"Effect": "Deny", "Action": "s3:Delete*", "Resource": on});
    let deny_but = |on: &str| json!({"Effect": "Deny", "Action": "s3:Delete*", "NotResource": on});
    for whole in ["*", "arn:aws:s3:::*", "arn:aws:s3:::media/*", "arn:aws:s3:::med*", "arn:aws:s3:::*/*"] {
        assert_eq!(decide(json!([allow(whole)])), Outcome::Allowed, "{whole}");
        assert_eq!(decide(json!([allow("*"), deny(whole)])), Outcome::ExplicitlyDenied, "{whole}");
    }
    for none in ["arn:aws:s3:::media", "arn:aws:s3:::other/*", "arn:aws:s3:::media2/*", "arn:aws:s3:::media/"] {
        assert_eq!(decide(json!([allow(none)])), Outcome::ImplicitlyDenied, "{none}");
        assert_eq!(decide(json!([allow("*"), deny(none)])), Outcome::Allowed, "{none}");
    }
    // To lose a part is to lose.
    for part in [
        "arn:aws:s3:::media/logs/*",
        "arn:aws:s3:::media/a",
        "arn:aws:s3:::*/tmp/*",
        "arn:aws:s3:::media/${aws:username}/*",
    ] {
        assert_eq!(decide(json!([allow(part)])), Outcome::Allowed, "{part}");
        assert_eq!(decide(json!([allow("*"), deny(part)])), Outcome::Allowed, "{part}");
    }
    // An exception to a denial is found; one that cannot be named stays in doubt, never denied.
    assert_eq!(decide(json!([allow("*"), deny_but("arn:aws:s3:::media/tmp/*")])), Outcome::Allowed);
    assert_eq!(decide(json!([allow("*"), deny("arn:aws:s3:::media/?*")])), Outcome::Depends);
    let crossed = json!([allow("arn:aws:s3:::media/*.gz"), deny_but("arn:aws:s3:::media/tmp/*")]);
    assert_eq!(decide(crossed), Outcome::Depends);
    let tagged = json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"StringEquals": {"s3:ExistingObjectTag/a": "b"}}}]);
    assert_eq!(decide(tagged), Outcome::Depends);
}

/// KMS's policy of a key that a service keeps names everyone, and asks for the caller's account (KMS Developer Guide,
/// `key-policy-overview`; `conditions-kms`).
#[test]
fn accounts_that_are_let_in() {
    use deadstop_core::iam::{Kind, Policy};
    let read = |account: &str| account == "111122223333";
    let open = |principal: Value, condition: Value| {
        let statement = json!({ "Effect": "Allow", "Principal": principal, "Action": "kms:Decrypt", "Resource": "*", "Condition": condition });
        Policy::new(&policy(vec![statement])["policy"], Kind::Resource).unwrap().lets_in_others_than(read)
    };
    let everyone = || json!({ "AWS": "*" });
    assert!(open(everyone(), json!({})));
    assert!(open(
        json!({ "AWS": ["arn:aws:iam::111122223333:root", "arn:aws:iam::444455556666:role/any"] }),
        json!({})
    ));
    assert!(!open(json!({ "AWS": "111122223333" }), json!({})));
    assert!(!open(json!({ "Service": "rds.amazonaws.com" }), json!({})));
    let via = json!({ "kms:CallerAccount": "111122223333", "kms:ViaService": "rds.eu-west-1.amazonaws.com" });
    assert!(!open(everyone(), json!({ "StringEquals": via })));
    assert!(!open(everyone(), json!({ "StringEquals": { "aws:PrincipalAccount": ["111122223333"] } })));
    for condition in [
        json!({ "StringEquals": { "kms:ViaService": "rds.eu-west-1.amazonaws.com" } }),
        json!({ "StringEquals": { "kms:CallerAccount": ["111122223333", "444455556666"] } }),
        json!({ "StringEquals": { "kms:CallerAccount": "${aws:PrincipalAccount}" } }),
        json!({ "StringEquals": { "kms:CallerAccount": "${aws:PrincipalTag/of, '111122223333'}" } }),
        json!({ "StringLike": { "kms:CallerAccount": "1111*" } }),
        json!({ "StringNotEquals": { "kms:CallerAccount": "111122223333" } }),
        json!({ "StringEqualsIfExists": { "kms:CallerAccount": "111122223333" } }),
        json!({ "ForAllValues:StringEquals": { "kms:CallerAccount": "111122223333" } }),
    ] {
        assert!(open(everyone(), condition.clone()), "{condition}");
    }
}

/// What a policy of a resource allows on the resource itself, and on what is in it.
#[test]
fn resources_that_are_named() {
    use deadstop_core::iam::{Kind, Policy};
    let names = |on: Value, resource: &str, below: bool| {
        let mut statement = json!({ "Effect": "Allow", "Principal": "*", "Action": "s3:*" });
        statement.as_object_mut().unwrap().extend(on.as_object().unwrap().clone());
        let policy = Policy::new(&policy(vec![statement])["policy"], Kind::Resource).unwrap();
        assert!(!policy.names_at("sqs:SendMessage", resource, below));
        policy.names_at("s3:PutObjectAcl", resource, below)
    };
    let (bucket, objects) = ("arn:aws:s3:::media", "arn:aws:s3:::media/");
    for (on, itself, inside) in [
        (json!({ "Resource": "arn:aws:s3:::media/*" }), false, true),
        (json!({ "Resource": "arn:aws:s3:::media" }), true, false),
        (json!({ "Resource": "arn:aws:s3:::media*" }), true, true),
        (json!({ "Resource": "arn:aws:s3:::media/old/*" }), false, true),
        (json!({ "Resource": "arn:aws:s3:::other/*" }), false, false),
        (json!({ "NotResource": "arn:aws:s3:::media" }), true, true),
    ] {
        assert_eq!((names(on.clone(), bucket, false), names(on.clone(), objects, true)), (itself, inside), "{on}");
    }
}
