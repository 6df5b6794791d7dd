//! What rights lead to: other identities, and rights that one gives oneself.
//!
//! <https://cloud.google.com/iam/docs/service-account-permissions>, <https://cloud.google.com/iam/docs/best-practices-service-accounts>.
//! Nobody is told what a service account may do but the account itself. No token of one is asked for by way of another.

use std::collections::BTreeSet;

use deadstop_core::fact::{Fact, Gap};
use deadstop_core::id::{NodeId, PrincipalId, StepId};
use deadstop_core::model::{Atom, Step};
use serde::Deserialize;

use super::client::Client;
use super::desk::{Desk, Held};
use super::reads::{ACCOUNTS, MAY, ON_ACCOUNT};
use super::rights::{AS_ANOTHER, ON_ACCOUNTS, RUNS, beside};
use super::{NAME, is_mail};
use crate::provider::platform::{May, anything};
use crate::provider::token::{Got, is_id};

/// How many service accounts of one project are asked about one by one.
const MOST: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Account {
    email: String,
    unique_id: String,
    #[serde(default)]
    disabled: bool,
}

/// The service accounts of a project, and what somebody may do to each.
pub(super) struct Seen {
    accounts: Got<Account>,
    held: Vec<Held>,
}

impl Seen {
    pub(super) fn of(client: &Client<'_>, project: &str, known: &BTreeSet<&'static str>) -> Self {
        let accounts = client.list::<Account>(ACCOUNTS, &[project], &[], ("accounts", None));
        let asked = beside(&ON_ACCOUNTS, known);
        let one = |account: &Account| {
            let asks = !asked.is_empty() && is_id(&account.unique_id);
            asks.then(|| client.holds(ON_ACCOUNT, &[project, &account.unique_id], &asked))
        };
        let held = accounts.items.iter().take(MOST).map(one).collect();
        Self { accounts, held }
    }

    pub(super) fn describe(self, desk: &mut Desk<'_>) -> Option<Gap> {
        let gap = desk.listed(ACCOUNTS, self.accounts.fault);
        if self.accounts.items.len() > MOST {
            let why = "not every service account was asked about";
            desk.facts.not_asked(desk.id, why, "merge facts of it (--merge)");
        }
        let held = self.held.into_iter().chain(std::iter::repeat_with(|| None));
        for (account, held) in self.accounts.items.iter().zip(held) {
            if is_mail(&account.email) {
                become_one(desk, account, held);
            }
        }
        gap
    }
}

/// How somebody may act as a service account.
fn become_one(desk: &mut Desk<'_>, account: &Account, held: Held) {
    let who = PrincipalId(format!("{NAME}:serviceAccount:{}", account.email));
    let node = desk.node(&format!("serviceAccount/{}", account.email));
    let asked = (ON_ACCOUNT, account.email.as_str());
    let mut held = match held {
        None => BTreeSet::new(),
        Some(Ok(held)) => {
            desk.facts.source(asked.0, asked.1);
            held
        }
        Some(Err(fault)) => {
            desk.facts.refused(asked.0, asked.1, &fault);
            BTreeSet::new()
        }
    };
    held.extend(&desk.may);
    if who == *desk.who || desk.limited() {
        return;
    }
    let ways: Vec<_> = AS_ANOTHER.iter().filter(|(action, ..)| held.contains(action)).collect();
    let runs = held.contains("iam.serviceAccounts.actAs") && RUNS.iter().any(|run| desk.may.contains(run));
    if ways.is_empty() && !runs {
        return;
    }
    desk.facts.principal(&who, &account.email, None, asked);
    let gap = desk.facts.doubt(&account.email, "what a service account may do is told to nobody but itself");
    desk.facts.grant(Some(&who), anything(), NodeId("*".to_owned()), &May::NotKnown(gap), asked);
    let gains = || vec![Atom::Principal(who.clone())];
    // Nothing is issued to one that is disabled, until somebody enables it.
    let able = if account.disabled {
        desk.unread(&account.email, "whether a service account that is disabled may be enabled was not asked")
    } else {
        Fact::Known(true)
    };
    for (action, changes, because) in ways {
        step(desk, (&node, action), gains(), (*changes, able.clone(), because));
    }
    if runs {
        let why = "what else it takes to run a program as a service account was not asked";
        let possible = desk.unread(&account.email, why);
        step(desk, (&node, "runs"), gains(), (true, possible, "run a program as a service account"));
    }
}

/// Rights that somebody may give to himself in a project.
pub(super) fn of_project(desk: &mut Desk<'_>) {
    if desk.limited() {
        return;
    }
    let (node, who) = (desk.project.clone(), desk.who.clone());
    let everything =
        |target: &NodeId| vec![Atom::Right { principal: who.clone(), action: "*".to_owned(), target: target.clone() }];
    if desk.may.contains("resourcemanager.projects.setIamPolicy") {
        let how = (true, Fact::Known(true), "give itself every right to the project");
        step(desk, (&node, "setIamPolicy"), everything(&node), how);
    }
    if desk.may.contains("iam.roles.update") {
        let why = "whether a role that it has is one of the project's own was not asked";
        let possible = desk.unread(desk.id, why);
        step(
            desk,
            (&node, "roles.update"),
            everything(&node),
            (true, possible, "write more rights into a role of its own"),
        );
    }
}

/// The right to give rights to something: whoever may, may give himself all of them.
pub(super) fn gives(desk: &mut Desk<'_>, node: &NodeId, permission: &str, held: &Held) {
    let here = matches!(held, Some(Ok(held)) if held.contains(permission));
    if desk.limited() || !(here || desk.may.contains(permission)) {
        return;
    }
    let gains = vec![Atom::Right { principal: desk.who.clone(), action: "*".to_owned(), target: node.clone() }];
    step(desk, (node, permission), gains, (true, Fact::Known(true), "give itself every right to it"));
}

fn step(
    desk: &mut Desk<'_>,
    (node, name): (&NodeId, &str),
    gains: Vec<Atom>,
    (changes, possible, because): (bool, Fact<bool>, &str),
) {
    let source = desk.facts.source(MAY, desk.id);
    let who = desk.who.clone();
    desk.facts.steps.push(Step {
        id: StepId(format!("{node}#{who} {name}")),
        session: None,
        needs: vec![Atom::Principal(who)],
        gains,
        changes,
        possible,
        because: format!("{because} ({name})"),
        sources: vec![source],
    });
}
