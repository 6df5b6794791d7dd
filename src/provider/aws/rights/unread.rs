//! Identities of which it is not known what they may do, or whether they are there: where an account was not read whole,
//! whoever may come to be one of them is in doubt of having everything.

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::fact::{Fact, Gap};
use deadstop_core::id::StepId;
use deadstop_core::model::{Atom, Step};

use super::super::iam::Rights;
use super::above::Limited;
use super::trusts::{ASSUME, LET_IN};
use super::{Account, Accounts, BECOME_USER, Effect, Who};
use crate::provider::facts::Facts;

/// A way to somebody who was not read.
struct Unread<'t> {
    what: String,
    gains: Vec<Atom>,
    changes: bool,
    gap: Gap,
    because: &'t str,
}

impl Who<'_> {
    /// The call that tells of it.
    pub(super) fn told_by(&self) -> &'static str {
        self.directory.told_by(self.arn)
    }
}

impl<'a> Accounts<'a> {
    /// The call that tells of the rights of an identity, if it was read.
    pub(super) fn told_by(&self, arn: &str) -> Option<&'static str> {
        let directory = self.all.get(arn.split(':').nth(4)?)?.directory.as_ref()?;
        directory.identity(arn).map(|_| directory.told_by(arn))
    }

    /// The roles of which it is known that they are there and not what they may do, as far as these identities, or any
    /// whom they can become, may take them on: by account.
    pub(in crate::provider::aws) fn not_asked(&self, starts: &BTreeSet<String>) -> BTreeMap<String, BTreeSet<String>> {
        let mut wanted: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let listed = |account: &Account| {
            let mut roles = account.directory.iter().flat_map(|directory| directory.roles.values());
            roles.any(|role| matches!(role.rights, Rights::NotAsked))
        };
        if !self.all.values().any(listed) {
            return wanted;
        }
        let mut known: BTreeSet<&str> = BTreeSet::new();
        let mut open: Vec<&str> = starts.iter().map(String::as_str).collect();
        while let Some(arn) = open.pop() {
            let Some((number, _, of)) = self.identity(arn).filter(|(_, _, of)| known.insert(&of.arn)) else {
                continue;
            };
            if matches!(of.rights, Rights::NotAsked) {
                wanted.entry(number.to_owned()).or_default().insert(of.name.clone());
            }
            let Some(who) = self.who(arn) else { continue };
            let taken =
                self.trusts().may_let_in(&who).filter(|one| !matches!(self.trusts_in(&who, one), Effect::No(_)));
            open.extend(taken.map(|one| one.role.arn.as_str()));
        }
        wanted
    }

    /// States that somebody may come to be whoever was not read.
    pub(super) fn by_unread(&self, who: &Who<'a>, limited: &Limited, facts: &mut Facts) {
        let right = |account: &Account| Atom::Right {
            principal: who.id.clone(),
            action: "*".to_owned(),
            target: account.node.clone(),
        };
        let everywhere = || -> Vec<Atom> {
            let all = self.all.iter();
            all.flat_map(|(number, account)| self.perhaps_all_of(limited, who.number, number, right(account))).collect()
        };
        // A role of one's own account that names an identity lets it in, whether or not its own policies say so (IAM User
        // Guide, `reference_policies_evaluation-logic`).
        if let Some(gap) = who.directory.unlisted().filter(|_| !who.is_refused(ASSUME)) {
            let because = "assume a role of its account, of which not all are known";
            let way =
                Unread { what: "own-roles".to_owned(), gains: everywhere(), changes: false, gap: gap.clone(), because };
            state(who, way, facts);
        }
        // What gives rights to others, or takes some off, is in doubt in any account (`onward`).
        let acts_as = || BECOME_USER.iter().chain([&LET_IN]).find(|action| who.may_call(action));
        if let Some(action) = (!who.directory.is_whole()).then(acts_as).flatten() {
            let gap = facts.doubt(who.number, "the other users and roles of the account were not all read");
            let because = &format!("act as somebody of its account who was not read with {action}");
            let way = Unread { what: "others".to_owned(), gains: everywhere(), changes: true, gap, because };
            state(who, way, facts);
        }
        let others = self.all.iter().filter(|(number, account)| *number != who.number && account.listed().is_none());
        for (number, account) in others.filter(|_| who.may_call(ASSUME)) {
            let gap = account.directory.as_ref().and_then(|directory| directory.unlisted().cloned());
            let gap = gap.unwrap_or_else(|| facts.doubt(number, "whom its roles let in was not read"));
            let gains = self.perhaps_all_of(limited, who.number, number, right(account));
            let because = &format!("assume a role of account {number}, of which not all are known");
            let way = Unread { what: format!("roles-of:{number}"), gains, changes: false, gap, because };
            state(who, way, facts);
        }
    }
}

fn state(who: &Who<'_>, way: Unread<'_>, facts: &mut Facts) {
    let sources = vec![facts.source(who.told_by(), who.number)];
    facts.steps.push(Step {
        id: StepId(format!("aws:{}:not-read:{}", who.arn, way.what)),
        session: None,
        needs: vec![Atom::Principal(who.id.clone())],
        gains: way.gains,
        changes: way.changes,
        possible: Fact::Unknown(way.gap),
        because: way.because.to_owned(),
        sources,
    });
}

#[cfg(test)]
mod tests {
    use deadstop_core::iam::{Way, lead_on};

    use super::super::{WIDEN_GROUP, WIDEN_POLICY, WIDEN_ROLE, WIDEN_USER};

    /// What gives rights to others is followed by nobody where these were not read, so that it has to be in doubt anyway.
    #[test]
    fn what_gives_rights_to_others_leads_on() {
        let all = WIDEN_USER.into_iter().chain(WIDEN_ROLE).chain(WIDEN_GROUP).chain(WIDEN_POLICY);
        for action in all.chain(["iam:AddUserToGroup"]) {
            assert!(lead_on(&action.to_lowercase()).any(|leading| leading.way == Way::Anywhere), "{action}");
        }
    }
}
