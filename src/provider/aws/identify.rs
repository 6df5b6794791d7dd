//! Who a key is, as AWS says of it.

use std::collections::BTreeMap;

use deadstop_core::fact::{Fact, Gap, GapReason};
use deadstop_core::model::Status;
use roxmltree::Document;

use super::client::{Client, Fault};
use super::{IDENTITY, REGION, reads, xml};
use crate::collector::AwsKey;
use crate::provider::facts::Facts;
use crate::readonly::ReadOnly;

/// A key that AWS accepts.
pub(super) struct Accepted<'a> {
    pub(super) key: &'a AwsKey,
    /// As AWS names it.
    pub(super) arn: String,
}

/// Who a credential is: the first of its secrets that AWS accepts.
pub(super) fn identify<'a>(
    door: &ReadOnly,
    keys: &[&'a AwsKey],
    regions: &[String],
    facts: &mut Facts,
) -> Result<(String, Accepted<'a>), (Gap, Fact<Status>)> {
    let credential = keys.first().map_or("", |key| key.credential.as_str());
    let mut faults = Vec::new();
    for key in keys {
        for region in homes(regions) {
            match caller(&Client { door, key, region }) {
                Ok((account, arn)) => return Ok((account, Accepted { key, arn })),
                Err(fault) => faults.push(fault),
            }
        }
    }
    let fault = faults.last().cloned().unwrap_or(Fault::of(GapReason::NotAsked));
    let gap = facts.refused(IDENTITY, credential, &fault);
    // A temporary key without its own token, and a key of another partition, are as unknown to AWS as one that is gone.
    let lasting = keys.len() == 1 && keys.iter().all(|key| is_lasting(key)) && !regions.is_empty();
    let gone = lasting && !faults.is_empty() && faults.iter().all(|fault| fault.says(&["InvalidClientTokenId"]));
    let status = if gone { Fact::Known(Status::Revoked) } else { Fact::Unknown(gap.clone()) };
    Err((gap, status))
}

/// Whether a key works by itself, for as long as it is there (IAM User Guide, `reference_identifiers`).
fn is_lasting(key: &AwsKey) -> bool {
    key.id.starts_with("AKIA") && key.token.is_none() && !key.renewable
}

/// One region of each partition that the user works in: a key is known in its own partition alone.
pub(super) fn homes(regions: &[String]) -> Vec<&str> {
    let regions: Vec<&str> = regions.iter().map(String::as_str).collect();
    if regions.is_empty() { vec![REGION] } else { homes_of(&regions) }
}

pub(super) fn homes_of<'a>(regions: &[&'a str]) -> Vec<&'a str> {
    let mut homes: BTreeMap<&str, &'a str> = BTreeMap::new();
    for region in regions {
        homes.entry(partition(region)).or_insert(region);
    }
    homes.into_values().collect()
}

pub(super) fn partition(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "aws-cn"
    } else if region.starts_with("us-gov-") {
        "aws-us-gov"
    } else {
        "aws"
    }
}

/// The account and the ARN of whoever calls.
pub(super) fn caller(client: &Client<'_>) -> Result<(String, String), Fault> {
    let answer = client.form("sts", "GetCallerIdentity", reads::STS, &[])?;
    let document = Document::parse(&answer).map_err(|_| Fault::malformed())?;
    let result = xml::result(&document).ok_or_else(Fault::malformed)?;
    let (account, arn) = (
        xml::text(result, "Account").ok_or_else(Fault::malformed)?,
        xml::text(result, "Arn").ok_or_else(Fault::malformed)?,
    );
    let numbered = account.len() == 12 && account.bytes().all(|digit| digit.is_ascii_digit());
    if numbered && deadstop_core::iam::Caller::new(arn).is_some_and(|caller| caller.account() == account) {
        Ok((account.to_owned(), arn.to_owned()))
    } else {
        Err(Fault::malformed())
    }
}
