//! What is left to whoever comes to all rights of an account that the policies of an organisation limit: less than
//! everything, and the same whichever way it was come by, unless those policies can be lifted.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use deadstop_core::fact::{Fact, Listed};
use deadstop_core::iam::{Caller, Kind, Policy};
use deadstop_core::id::NodeId;
use deadstop_core::model::{Atom, Principal};
use serde_json::json;

use super::super::iam::{Directory, Held};
use super::super::organization::Limits;
use super::answers::Questions;
use super::{Account, Accounts, Effect, ORGANISATION, On, ResourcePolicy, Who};
use crate::provider::facts::Facts;

/// Everything that policies of one's own can give.
pub(super) static EVERYTHING: LazyLock<Policy> = LazyLock::new(|| {
    let statement = json!({ "Effect": "Allow", "Action": "*", "Resource": "*" });
    let document = json!({ "Version": "2012-10-17", "Statement": [statement] });
    Policy::new(&document, Kind::Identity).unwrap_or_default()
});
static NOBODY: LazyLock<Directory> = LazyLock::new(Directory::empty);

/// Calls that take an account out of the policies above it, or change them (Service Authorization Reference, AWS
/// Organizations).
pub(super) const LIFTS: [&str; 12] = [
    LEAVE,
    ACCEPT,
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
/// Those of them that an account may call that neither manages its organisation nor has that delegated to it: it leaves,
/// or goes over to another one that has invited it (`AcceptHandshake`).
const LEAVE: &str = "organizations:LeaveOrganization";
const ACCEPT: &str = "organizations:AcceptHandshake";

/// What roles do that services are linked to (those of Auto Scaling, Spot and AWS Backup), on the word of whoever may tell
/// these services to: "SCPs don't affect any service-linked role" (Organizations User Guide).
const LINKED: [&str; 8] = [
    "ec2:",
    "backup:",
    "rds:DeleteDBSnapshot",
    "rds:DeleteDBClusterSnapshot",
    "rds:DeleteDBInstanceAutomatedBackup",
    "dynamodb:DeleteBackup",
    "fsx:DeleteBackup",
    "redshift:DeleteClusterSnapshot",
];

/// How far the policies above each account hold.
#[derive(Debug, Default)]
pub(super) struct Limited {
    /// Accounts whose identities are refused something, whatever they are given.
    accounts: BTreeSet<String>,
    /// Those of them from which that cannot be lifted.
    tight: BTreeSet<String>,
    /// Whether a role of them, or a secret, may let in somebody of an account that was not read.
    pub(super) open: bool,
}

impl<'a> Accounts<'a> {
    /// Works out which accounts are limited.
    pub(super) fn limited(&self) -> Limited {
        let mut limited = Limited { open: self.open_to_others(), ..Limited::default() };
        for (number, account) in self.all {
            let Some(anyone) = self.anyone(number, account) else { continue };
            let refused = |effect: Effect| effect == Effect::No(ORGANISATION);
            if !self.asks.iter().any(|ask| refused(self.of_anyone(&anyone, ask))) {
                continue;
            }
            limited.accounts.insert(number.clone());
            let stays = [LEAVE, ACCEPT].iter().all(|action| {
                let anywhere = On::Below("arn:".to_owned());
                refused(self.decide_on(&anyone, action, &anywhere, number, &ResourcePolicy::None))
            });
            let manager = account.above.sole_manager.as_deref();
            if stays && manager.is_some_and(|manager| !self.leads(number, manager)) {
                limited.tight.insert(number.clone());
            }
        }
        limited
    }

    /// The trust policies of every role of accounts of which all were listed; nothing for one that cannot be understood.
    fn trust_policies(&self) -> impl Iterator<Item = Option<&Policy>> {
        let directories = self.all.values().filter_map(Account::listed);
        let roles = directories.flat_map(|directory| directory.roles.values());
        roles.map(|role| role.trust.as_ref().and_then(|trust| trust.as_ref().ok()))
    }

    /// Whether a policy lets somebody in of an account that was not read.
    fn names_unread(&self, policy: &Policy) -> bool {
        policy.accounts().any(|account| self.all.get(account).is_none_or(|account| account.listed().is_none()))
    }

    /// Whether a policy may let somebody in of such an account, be it by letting in everyone.
    pub(super) fn lets_in_unread(&self, policy: &Policy) -> bool {
        let read = |account: &str| self.all.get(account).is_some_and(|account| account.listed().is_some());
        policy.lets_in_others_than(read)
    }

    /// Whether a role may let in somebody of an account that was not read, or a secret, which may hold anybody's key, or
    /// what gives calls that lead on.
    fn open_to_others(&self) -> bool {
        self.trust_policies().any(|trust| trust.is_none_or(|trust| self.lets_in_unread(trust)))
            || self.resources_open_to_others(|_| false).any(|node| node.as_str().contains(":secretsmanager:"))
            || self.leads_others_on()
    }

    /// Resources whose policy may let in somebody of an account that was not read, to more than calls that are harmless.
    pub(super) fn resources_open_to_others(&self, harmless: fn(&str) -> bool) -> impl Iterator<Item = &'a NodeId> {
        let open = self.policies.iter().filter(move |(_, policy)| match policy {
            ResourcePolicy::None => false,
            ResourcePolicy::Read(policy) | ResourcePolicy::OneOf(policy, _) => {
                self.lets_in_unread(policy) && !policy.allows_nothing_but(harmless)
            }
            ResourcePolicy::NotKnown(_) | ResourcePolicy::Abroad(_, _) => true,
        });
        open.map(|(node, _)| node)
    }

    /// Whether somebody of one account may come into another, by way of those that were read. One that was not read may
    /// let in anybody.
    fn leads(&self, from: &str, to: &str) -> bool {
        // Whoever may take on roles at all may take on one of an account that nobody has read.
        if self.trust_policies().any(|trust| trust.is_none_or(|trust| self.names_unread(trust))) {
            return true;
        }
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
        let named = match self.policy_of(ask) {
            ResourcePolicy::None => ResourcePolicy::None,
            ResourcePolicy::Read(_)
            | ResourcePolicy::NotKnown(_)
            | ResourcePolicy::Abroad(_, _)
            | ResourcePolicy::OneOf(_, _) => ResourcePolicy::NotKnown("policy of the resource, for whoever it may be,"),
        };
        match self.decide_on(who, &ask.action, &ask.on, &ask.owner, &named) {
            Effect::No(ORGANISATION) if LINKED.iter().any(|service| ask.action.starts_with(service)) => {
                Effect::Maybe("a role that a service is linked to, which nothing above limits, may do it".to_owned())
            }
            effect @ (Effect::Yes | Effect::No(_) | Effect::Maybe(_)) => effect,
        }
    }

    /// Whether somebody of one account, who need not be there yet, may come to be a role of another. Whom an identity
    /// provider vouches for may be anybody.
    fn lets_in(&self, from: &str, into: &str) -> bool {
        let Some(roles) = self.all.get(into).and_then(Account::listed) else { return true };
        roles.roles.values().any(|role| match &role.trust {
            Some(Ok(trust)) => trust.may_let_in(from),
            Some(Err(())) | None => true,
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
    pub(super) fn state_limited(&self, limited: &Limited, questions: &Questions<'a>, facts: &mut Facts) {
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
            let answers = questions.answer(&who, self.asks, |ask| self.of_anyone(&who, ask));
            self.grants(&who, &answers, facts);
            self.rest(&who, facts);
            self.beside(&who, facts);
            let refused = questions.answer(&who, self.asks, |ask| self.asked(&who, ask));
            self.by_access_points(&who, &refused, facts);
            self.by_statements(&who, &answers, facts);
        }
    }
}
