//! Whether a key may delete, by AWS's own word: the call itself, as a dry run, in the name of the key (EC2 API Reference,
//! `DryRun`: "checks whether you have the required permissions for the action, without actually making the request").
//!
//! Only where the user asks for it, as CloudTrail shows each as the call that it is a dry run of. What is said holds for the
//! moment: a refusal may come of where the call was made from, so that it stops nothing here.

use deadstop_core::fact::Fact;
use deadstop_core::id::{NodeId, PrincipalId};
use deadstop_core::model::{Basis, Grant};

use super::client::{Client, Fault};
use super::reads::EC2;
use super::rights::{Accounts, spell_out};
use crate::collector::AwsKey;
use crate::provider::facts::Facts;
use crate::readonly::ReadOnly;

/// What can be made as a dry run, each with the field that names the resource.
const CALLS: [(&str, &str); 3] = [
    ("ec2:DeleteVolume", "VolumeId"),
    ("ec2:DeleteSnapshot", "SnapshotId"),
    ("ec2:TerminateInstances", "InstanceId.1"),
];
/// How many are made in the name of one key at most.
const MOST: usize = 50;

/// Asks in the name of each of these keys what it may delete in its account, if the user wants that. What is asked instead of
/// AWS's own hosts is asked only if it takes a read as a dry run, with one of these keys or of `others`.
pub(super) fn prove<'k>(
    accounts: &Accounts<'_>,
    (door, region): (&ReadOnly, &str),
    keys: impl Iterator<Item = (&'k AwsKey, Option<&'k PrincipalId>)> + Clone,
    others: impl Iterator<Item = &'k AwsKey>,
    facts: &mut Facts,
) {
    let mut all = keys.clone().map(|(key, _)| key).chain(others);
    let takes = |key: &AwsKey| {
        let answer = Client { door, key, region }.form("ec2", "DescribeInstances", EC2, &[("DryRun", "true")]);
        answer.is_err_and(|fault| fault.says(&["DryRunOperation"]))
    };
    if !door.proves() || !door.own_hosts(facts.provider()) && !all.any(takes) {
        return;
    }
    for (key, identity) in keys.filter_map(|(key, identity)| Some((key, identity?))) {
        if !of_key(accounts, door, key, identity, facts) {
            return;
        }
    }
}

/// The same of one key. Gives whether to go on with others: a server that lets such a call through takes no dry runs, and may
/// have deleted.
fn of_key(accounts: &Accounts<'_>, door: &ReadOnly, key: &AwsKey, identity: &PrincipalId, facts: &mut Facts) -> bool {
    let number = identity.as_str().split(':').nth(4).unwrap_or_default();
    for (node, action, arn) in accounts.asked_for(number, &CALLS.map(|(action, _)| action)).take(MOST) {
        let Some((_, field)) = CALLS.iter().find(|(named, _)| *named == action) else { continue };
        let (Some(region), Some((_, id))) = (arn.split(':').nth(3), arn.rsplit_once('/')) else { continue };
        let call = action.split(':').nth(1).unwrap_or_default();
        let answer = Client { door, key, region }.form("ec2", call, EC2, &[(field, id), ("DryRun", "true")]);
        match answer {
            Err(fault) if fault.says(&["DryRunOperation"]) => {
                let odd = matches!(take(facts, identity, node, action), Some(was) if was.allowed == Fact::Known(false));
                let because = if odd { AGAINST } else { THROUGH };
                state(identity, number, (node, action), (Basis::Observed, because.to_owned()), facts);
            }
            Err(fault) if fault.says(&["UnauthorizedOperation", "AccessDenied"]) => {
                if let Some(was) = take(facts, identity, node, action) {
                    if was.allowed == Fact::Known(true) {
                        let because = format!("{}, though AWS refused it as a dry run", was.because);
                        state(identity, number, (node, action), (was.basis, because), facts);
                    } else {
                        facts.grants.push(was);
                    }
                }
            }
            Ok(_) => {
                facts.refused(&format!("{action} (a dry run, which went through)"), number, &Fault::malformed());
                return false;
            }
            Err(_) => {}
        }
    }
    true
}

const THROUGH: &str = "AWS permits it (a dry run)";
const AGAINST: &str = "AWS permits it (a dry run), though its policies were taken to refuse it";

/// What is known of an action, by itself, which is no longer stated then.
fn take(facts: &mut Facts, identity: &PrincipalId, node: &NodeId, action: &str) -> Option<Grant> {
    spell_out(identity.as_str(), std::iter::once((node.as_str(), action)), facts);
    let speaks = |grant: &&mut Grant| {
        grant.principal == *identity && grant.target == *node && grant.actions.iter().any(|one| one == action)
    };
    let grant = facts.grants.iter_mut().find(speaks)?;
    let own = Grant { actions: vec![action.to_owned()], ..grant.clone() };
    grant.actions.retain(|one| one != action);
    facts.grants.retain(|grant| !grant.actions.is_empty());
    Some(own)
}

/// States that an action is allowed.
fn state(
    identity: &PrincipalId,
    number: &str,
    (node, action): (&NodeId, &str),
    (basis, because): (Basis, String),
    facts: &mut Facts,
) {
    let sources = vec![facts.source(&format!("{action} (a dry run)"), number)];
    facts.grants.push(Grant {
        principal: identity.clone(),
        actions: vec![action.to_owned()],
        target: node.clone(),
        allowed: Fact::Known(true),
        basis,
        because,
        sources,
    });
}
