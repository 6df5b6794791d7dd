//! Whom roles let in.

use std::collections::BTreeMap;

use super::super::iam::Identity;
use super::{Accounts, Effect, ResourcePolicy, Who};

/// What takes on a role.
pub(super) const ASSUME: &str = "sts:AssumeRole";
/// What lets somebody act as another role of his account.
pub(super) const LET_IN: &str = "iam:UpdateAssumeRolePolicy";

/// A role that was read, and whom it lets in.
#[derive(Debug)]
pub(super) struct Trust<'a> {
    pub(super) role: &'a Identity,
    /// Its account.
    pub(super) owner: &'a str,
    policy: ResourcePolicy,
}

/// All roles, by whom they may let in.
#[derive(Debug, Default)]
pub(super) struct Trusts<'a> {
    all: Vec<Trust<'a>>,
    /// By account, and by name where they name one user or role.
    named: BTreeMap<(String, Option<String>), Vec<usize>>,
    /// Those that may let in anybody.
    open: Vec<usize>,
    by_arn: BTreeMap<&'a str, usize>,
}

impl<'a> Trusts<'a> {
    fn new(accounts: &Accounts<'a>) -> Self {
        let mut trusts = Self::default();
        let read = accounts.all.iter().filter_map(|(number, account)| Some((number, account.directory.as_ref()?)));
        for (owner, role) in read.flat_map(|(number, of)| of.roles.values().map(move |role| (number, role))) {
            let at = trusts.all.len();
            let (policy, named) = match &role.trust {
                Some(Ok(policy)) => (ResourcePolicy::Read(policy.clone()), policy.lets_in_by_name()),
                Some(Err(())) | None => (ResourcePolicy::NotKnown("trust policy of a role"), None),
            };
            match named {
                Some(named) => named.into_iter().for_each(|who| trusts.named.entry(who).or_default().push(at)),
                None => trusts.open.push(at),
            }
            trusts.by_arn.insert(&role.arn, at);
            trusts.all.push(Trust { role, owner, policy });
        }
        trusts
    }

    /// The roles that somebody may perhaps take on. One that lets in an account leaves it to the account's own policies who
    /// of it may.
    pub(super) fn may_let_in(&self, who: &Who<'_>) -> impl Iterator<Item = &Trust<'a>> {
        let of = |name: Option<&str>| self.named.get(&(who.number.to_owned(), name.map(str::to_owned)));
        let by_account = of(None).filter(|_| who.is_named(ASSUME));
        let mut all: Vec<usize> = [of(Some(who.caller.name())), by_account, Some(&self.open)]
            .into_iter()
            .flatten()
            .flatten()
            .copied()
            .collect();
        all.sort_unstable();
        all.dedup();
        all.into_iter().filter_map(|at| self.all.get(at))
    }

    /// One by its ARN.
    pub(super) fn of(&self, arn: &str) -> Option<&Trust<'a>> {
        self.all.get(*self.by_arn.get(arn)?)
    }
}

impl<'a> Accounts<'a> {
    /// Whom all roles let in.
    pub(super) fn trusts(&self) -> &Trusts<'a> {
        self.trusts.get_or_init(|| Trusts::new(self))
    }

    /// Whether one may take on a role.
    pub(super) fn trusts_in(&self, who: &Who<'a>, trust: &Trust<'a>) -> Effect {
        self.decide(who, ASSUME, &trust.role.arn, trust.owner, &trust.policy)
    }
}
