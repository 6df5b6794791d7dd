//! `deadstop permissions`: the calls that `--live` may make, as a policy to grant.

use serde_json::json;

use crate::cli::{Asked, PermissionsArgs};
use crate::output;
use crate::provider::{aws, railway};

pub(super) fn run(args: &PermissionsArgs) -> anyhow::Result<u8> {
    let text = match args.asked {
        Asked::Aws => aws_policy()?,
        Asked::Railway => railway_queries(),
    };
    output::stdout(&text)?;
    Ok(0)
}

/// The reads of AWS as an IAM policy.
fn aws_policy() -> anyhow::Result<String> {
    // Whoever may call at all may ask who it is: that takes no permission (AWS STS API reference).
    let actions: Vec<&str> = aws::operations().filter(|operation| *operation != "sts:GetCallerIdentity").collect();
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Sid": "DeadstopReads", "Effect": "Allow", "Action": actions, "Resource": "*" }],
    });
    Ok(format!("{}\n", serde_json::to_string_pretty(&policy)?))
}

/// The reads of Railway, which has no policy that a token could be granted.
fn railway_queries() -> String {
    let mut text = String::from(
        "# Railway has no token for reading alone, so there is nothing to grant: a token of a workspace or an account may\n\
         # delete what it may read. A project token of one environment reaches the least. These are the queries that are\n\
         # sent, to the letter; nothing else passes.\n",
    );
    for (_, document) in railway::operations() {
        text.push_str(document);
        text.push('\n');
    }
    text
}
