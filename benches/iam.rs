//! How many requests the IAM evaluator decides in a second on one core, on policies of ten statements.
//!
//! `cargo bench --bench iam`. With an argument it writes the same requests as JSON instead, for another program.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a measurement that cannot go on ends")]

use deadstop_core::iam::{Caller, Context, Kind, Policies, Policy, Request, decide};
use serde_json::{Value, json};
use std::io::Write as _;
use std::time::Instant;

/// Ten statements: wildcards, lists, a variable, conditions, denials.
fn policy(number: usize) -> Value {
    let bucket = format!("arn:aws:s3:::team-{number}");
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": "*"},
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": [format!("{bucket}/*"), "arn:aws:s3:::shared/*"]},
        {"Effect": "Allow", "Action": "s3:DeleteObject", "Resource": "arn:aws:s3:::home/${aws:username}/*"},
        {"Effect": "Allow", "Action": ["rds:Describe*", "rds:CreateDBSnapshot"], "Resource": "*"},
        {"Effect": "Allow", "Action": "rds:DeleteDBInstance", "Resource": "arn:aws:rds:*:111122223333:db:dev-*"},
        {"Effect": "Allow", "Action": "ec2:*", "Resource": "*", "Condition": {"StringEquals": {"aws:RequestedRegion": ["eu-west-1", "eu-central-1"]}}},
        {"Effect": "Allow", "Action": "dynamodb:*", "Resource": format!("arn:aws:dynamodb:*:*:table/team-{number}*")},
        {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"NotIpAddress": {"aws:SourceIp": ["192.0.2.0/24", "203.0.113.0/24"]}}},
        {"Effect": "Deny", "NotAction": ["iam:Get*", "s3:*", "rds:*", "ec2:*", "dynamodb:*"], "Resource": "*"},
        {"Effect": "Deny", "Action": ["s3:DeleteBucket", "rds:DeleteDBCluster"], "Resource": "*", "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}}},
    ]})
}

const CALLS: [(&str, &str); 8] = [
    ("s3:GetObject", "arn:aws:s3:::prod/a/b"),
    ("s3:DeleteObject", "arn:aws:s3:::home/ci/x"),
    ("s3:DeleteBucket", "arn:aws:s3:::prod"),
    ("rds:DeleteDBInstance", "arn:aws:rds:eu-west-1:111122223333:db:dev-7"),
    ("rds:DeleteDBInstance", "arn:aws:rds:eu-west-1:111122223333:db:orders-prod"),
    ("ec2:TerminateInstances", "arn:aws:ec2:eu-west-1:111122223333:instance/i-0abc"),
    ("dynamodb:DeleteTable", "arn:aws:dynamodb:eu-west-1:111122223333:table/team-3-orders"),
    ("kms:ScheduleKeyDeletion", "arn:aws:kms:eu-west-1:111122223333:alias/x"),
];

const USER: &str = "arn:aws:iam::111122223333:user/ci";

fn main() {
    let keys = [
        ("aws:SourceIp", "203.0.113.9"),
        ("aws:RequestedRegion", "eu-west-1"),
        ("aws:MultiFactorAuthPresent", "false"),
    ];
    let documents: Vec<Value> = (0..50).map(policy).collect();
    if let Some(file) = std::env::args().nth(1).filter(|argument| argument != "--bench") {
        let context: Value =
            keys.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect::<serde_json::Map<_, _>>().into();
        let requests = documents.iter().flat_map(|document| {
            let context = &context;
            CALLS.iter().map(move |(action, resource)| {
                json!({
                    "request": {"principal": USER, "action": action, "context": context,
                                "resource": {"resource": resource, "accountId": "111122223333"}},
                    "identityPolicies": [{"name": "p", "policy": document}],
                })
            })
        });
        std::fs::write(file, Value::Array(requests.collect()).to_string()).unwrap();
        return;
    }
    let policies: Vec<Policy> =
        documents.iter().map(|document| Policy::new(document, Kind::Identity).unwrap()).collect();
    let mut context = Context::complete();
    for (key, value) in keys {
        context.set(key, vec![value.to_owned()]);
    }
    let request = |(action, resource): &(&str, &str)| {
        Request::new(Caller::new(USER).unwrap(), action, resource, Some("111122223333"), context.clone())
    };
    let requests: Vec<Request> = CALLS.iter().map(request).collect();
    let sets: Vec<Policies<'_>> =
        policies.iter().map(|policy| Policies { identity: vec![policy], ..Policies::default() }).collect();
    let mut rates = Vec::new();
    for _ in 0..7 {
        let started = Instant::now();
        let mut allowed = 0;
        for _ in 0..500 {
            for set in &sets {
                allowed += requests
                    .iter()
                    .filter(|request| decide(request, set) == deadstop_core::iam::Outcome::Allowed)
                    .count();
            }
        }
        let count = 500 * sets.len() * requests.len();
        rates.push(count as f64 / started.elapsed().as_secs_f64());
        assert!(allowed > 0 && allowed < count);
    }
    rates.sort_by(f64::total_cmp);
    let mut out = std::io::stdout().lock();
    writeln!(out, "{:.0} decisions a second (median of 7 runs)", rates[3]).unwrap();
}
