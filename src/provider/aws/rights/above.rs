//! What is left to whoever comes to all rights of an account that the policies of an organisation limit: less than
//! everything, and the same whichever way it was come by, unless those policies can be lifted.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use deadstop_core::fact::{Fact, Listed};
use deadstop_core::iam::{Caller, Kind, Policy};
use deadstop_core::model::{Atom, Principal};
use serde_json::json;

use super::super::iam::{Directory, Held};
use super::super::organization::Limits;
use super::{Account, Accounts, Effect, ORGANISATION, ResourcePolicy, Who};
use crate::provider::facts::Facts;

/// Everything that policies of one's own can give.
static EVERYTHING: LazyLock<Policy> = LazyLock::new(|| {
    let statement = json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
    let document = json!({ "Version": "2012-10-17", "Statement": [statement] });
    Policy::new(&document, Kind::Identity).unwrap_or_default()
});
static NOBODY: LazyLock<Directory> = LazyLock::new(Directory::default);

/// Calls that take an account out of the policies above it, or change them (Service Authorization Reference, AWS
/// Organizations).
pub(super) const LIFTS: [&str; 11] = [
    LEAVE,
    "organizations:DetachPolicy",
    "organizations:AttachPolicy",
    "organizations:UpdatePolicy",
    "organizations:DeletePolicy",
    "organizations:DisablePolicyType",
    "organizations:MoveAccount",
    "organizations:RemoveAccountFromOrganization",
    "organizations:DeleteOrganization",
    "organizations:PutResourcePolicy",
    "organizations:RegisterDelegatedAdministrator",
];
/// The one of them that an account may call that neither manages its organisation nor has that delegated to it.
const LEAVE: &str = "organizations:LeaveOrganization";

/// What roles do that services are linked to (those of Auto Scaling, Spot and AWS Backup), on the word of whoever may tell
/// these services to: "SCPs don't affect any service-linked role" (Organizations User Guide).
const LINKED: [&str; 3] = ["ec2:", "backup:", "rds:DeleteDBSnapshot"];

/// How far the policies above each account hold.
#[derive(Debug, Default)]
pub(super) struct Limited {
    /// Accounts whose identities are refused something, whatever they are given.
    accounts: BTreeSet<String>,
    /// Those of them from which that cannot be lifted.
    tight: BTreeSet<String>,
}

impl<'a> Accounts<'a> {
    /// Works out which accounts are limited.
    pub(super) fn limited(&self) -> Limited {
        let mut limited = Limited::default();
        for (number, account) in self.all {
            let Some(anyone) = self.anyone(number, account) else { continue };
            let refused = |effect: Effect| effect == Effect::No(ORGANISATION);
            if !self.asks.iter().any(|ask| refused(self.of_anyone(&anyone, ask))) {
                continue;
            }
            limited.accounts.insert(number.clone());
            let own = format!("arn:aws:organizations::{number}:account/o-0/{number}");
            let stays = refused(self.decide(&anyone, LEAVE, &own, number, &ResourcePolicy::None));
            let manager = account.above.sole_manager.as_deref();
            if stays && manager.is_some_and(|manager| !self.leads(number, manager)) {
                limited.tight.insert(number.clone());
            }
        }
        limited
    }

    /// Whether somebody of one account may come into another, by way of those that were read. One that was not read may
    /// let in anybody.
    fn leads(&self, from: &str, to: &str) -> bool {
        let (mut seen, mut open) = (BTreeSet::from([from]), vec![from]);
        while let Some(here) = open.pop() {
            let others = self.all.keys().map(String::as_str).chain([to]).filter(|there| *there != here);
            let more: Vec<&str> = others.filter(|there| !seen.contains(there) && self.lets_in(here, there)).collect();
            if more.contains(&to) {
                return true;
            }
            seen.extend(&more);
            open.extend(more);
        }
        false
    }

    /// Somebody of an account with all rights that can be given there, if policies above it were read.
    fn anyone(&self, number: &'a str, account: &'a Account) -> Option<Who<'a>> {
        matches!(account.above.identities, Limits::Read(_)).then(|| Who {
            id: account.anyone.as_str().into(),
            arn: &account.anyone,
            number,
            account,
            directory: &NOBODY,
            caller: Caller::someone(number),
            held: Held { identity: vec![&EVERYTHING], ..Held::default() },
        })
    }

    /// What somebody of an account may do. Policies of resources name others than it, so that they settle nothing.
    fn of_anyone(&self, who: &Who<'a>, ask: &super::Ask) -> Effect {
        let named = match self.policies.get(&ask.node) {
            None | Some(ResourcePolicy::None) => ResourcePolicy::None,
            Some(_) => ResourcePolicy::NotKnown("policy of the resource, for whoever it may be,"),
        };
        match self.decide_on(who, &ask.action, &ask.on, &ask.owner, &named) {
            Effect::No(ORGANISATION) if LINKED.iter().any(|service| ask.action.starts_with(service)) => {
                Effect::Maybe("a role that a service is linked to, which nothing above limits, may do it".to_owned())
            }
            effect @ (Effect::Yes | Effect::No(_) | Effect::Maybe(_)) => effect,
        }
    }

    /// Whether an identity of one account, whatever it is given, may come to be a role of another.
    fn lets_in(&self, from: &str, into: &str) -> bool {
        let (Some((from, here)), Some(there)) = (self.all.get_key_value(from), self.all.get(into)) else { return true };
        let (Some(directory), Some(roles)) = (here.directory.as_ref(), there.directory.as_ref()) else { return true };
        let all = directory.identities().filter_map(|identity| {
            let caller = Caller::new(&identity.arn)?;
            let held = Held { identity: vec![&EVERYTHING], ..Held::default() };
            let id = identity.arn.as_str().into();
            Some(Who { id, arn: &identity.arn, number: from, account: here, directory, caller, held })
        });
        let all: Vec<Who<'_>> = all.collect();
        roles.roles.values().any(|role| {
            let Some(Ok(trust)) = &role.trust else { return true };
            let trust = ResourcePolicy::Read(trust.clone());
            all.iter().any(|who| !matches!(self.decide(who, "sts:AssumeRole", &role.arn, into, &trust), Effect::No(_)))
        })
    }

    /// What somebody gains who comes to all rights of an account: everything, or what the policies above leave.
    pub(super) fn all_of(&self, limited: &Limited, number: &str, everything: Vec<Atom>) -> Vec<Atom> {
        match self.all.get(number).filter(|_| limited.accounts.contains(number)) {
            Some(account) => vec![Atom::Principal(account.anyone.as_str().into())],
            None => everything,
        }
    }

    /// The same by ways that are not followed, of somebody of the account `from`.
    pub(super) fn perhaps_all_of(&self, limited: &Limited, from: &str, number: &str, everything: Atom) -> Vec<Atom> {
        if limited.tight.contains(from) { self.all_of(limited, number, vec![everything]) } else { vec![everything] }
    }

    /// States what is left in accounts that are limited.
    pub(super) fn state_limited(&self, limited: &Limited, facts: &mut Facts) {
        for (number, account) in self.all.iter().filter(|(number, _)| limited.accounts.contains(*number)) {
            let Some(who) = self.anyone(number, account) else { continue };
            let sources = vec![facts.source(super::super::DETAILS, number)];
            facts.principals.push(Principal {
                id: who.id.clone(),
                provider: "aws".to_owned(),
                name: format!("whoever has all rights that {number} may give"),
                environment: None,
                grants: Fact::Known(Listed::Complete),
                sources,
            });
            self.grants(&who, |ask| self.of_anyone(&who, ask), facts);
            self.rest(&who, facts);
        }
    }
}
