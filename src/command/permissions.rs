//! `deadstop permissions`: the calls that `--live` may make, as a policy to grant.

use serde_json::json;

use crate::cli::PermissionsArgs;
use crate::output;
use crate::provider::aws;

pub(super) fn run(args: &PermissionsArgs) -> anyhow::Result<u8> {
    let crate::cli::Asked::Aws = args.provider;
    // Whoever may call at all may ask who it is: that takes no permission (AWS STS API reference).
    let actions: Vec<&str> = aws::operations().filter(|operation| *operation != "sts:GetCallerIdentity").collect();
    let policy = json!({
        "Version": "2012-10-17",
        "Statement": [{ "Sid": "DeadstopReads", "Effect": "Allow", "Action": actions, "Resource": "*" }],
    });
    output::stdout(&format!("{}\n", serde_json::to_string_pretty(&policy)?))?;
    Ok(0)
}
