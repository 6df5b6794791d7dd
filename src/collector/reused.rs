//! Logins at several servers that have one password (floor 5): whoever holds one of them holds the others, wherever they
//! lie. Passwords are compared in memory, and nothing of them is kept. What is alike by chance is alike all the same.

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::fact::{Fact, Gap, GapReason};
use deadstop_core::id::{CredentialId, SourceId, StepId};
use deadstop_core::model::{Atom, Credential, Source, Step};
use deadstop_core::time::Time;

use super::find::Find;
use crate::secret::Secret;

/// Logins with their passwords, all of them: a few of one credential are asked, but any may be the right one.
#[derive(Default)]
pub(super) struct Passwords<'a>(BTreeMap<&'a [u8], Alike<'a>>);

/// Those of one password, by the engine and the name of their user.
type Alike<'a> = BTreeMap<(&'a str, Option<&'a str>), BTreeSet<CredentialId>>;

impl<'a> Passwords<'a> {
    /// Adds the passwords of a login that names its server.
    pub(super) fn add(&mut self, credential: &Credential, found: &[&'a Find]) {
        let Some(server) = &credential.within else { return };
        for find in found {
            let (Some(at), Some(secret)) = (&find.database, &find.secret) else { continue };
            if at.server() == server.as_str() && credential.identity.known().is_some() {
                // A login at Redis that names nobody is that of `default` (Redis documentation, `AUTH`).
                let user = at.user.as_deref().or_else(|| (at.provider == "redis").then_some("default"));
                let alike = self.0.entry(Secret::expose(secret)).or_default();
                alike.entry((at.provider, user)).or_default().insert(credential.id.clone());
            }
        }
    }
}

/// The steps by which one login leads to others, and why some of them are in doubt.
pub(super) fn steps(passwords: &Passwords<'_>, credentials: &[Credential], now: Time) -> (Vec<Step>, Option<Source>) {
    let sources: BTreeMap<&CredentialId, &[SourceId]> =
        credentials.iter().map(|credential| (&credential.id, credential.sources.as_slice())).collect();
    let settle = "give each login a password of its own";
    let source = Source::unanswered(
        "login:names".into(),
        "tell whether the name of a user is known to whoever has its password from elsewhere",
        GapReason::Unsupported,
        settle,
        now,
    );
    let doubt = Gap { source: source.id.clone(), reason: GapReason::Unsupported };
    let step = |from: &CredentialId, to: &CredentialId, possible: Fact<bool>, because: &str| Step {
        id: StepId(format!("login:{from}>{to}")),
        session: None,
        needs: vec![Atom::Credential(from.clone())],
        gains: vec![Atom::Credential(to.clone())],
        changes: false,
        possible,
        because: because.to_owned(),
        sources: sources.get(from).copied().unwrap_or_default().to_vec(),
    };
    let mut steps = Vec::new();
    for alike in passwords.0.values() {
        // Each leads to the next, and the last to the first: so each leads to all.
        for of_user in alike.values().filter(|of_user| of_user.len() > 1) {
            let because = "sign in elsewhere with the same name and password";
            steps.extend(ring(of_user).map(|(from, to)| step(from, to, Fact::Known(true), because)));
        }
        let firsts: BTreeSet<CredentialId> = alike.values().filter_map(BTreeSet::first).cloned().collect();
        if firsts.len() > 1 {
            let because = "sign in elsewhere with the same password";
            steps.extend(ring(&firsts).map(|(from, to)| step(from, to, Fact::Unknown(doubt.clone()), because)));
        }
    }
    steps.sort();
    let doubted = steps.iter().any(|step| step.possible.gap().is_some());
    (steps, doubted.then_some(source))
}

fn ring(of: &BTreeSet<CredentialId>) -> impl Iterator<Item = (&CredentialId, &CredentialId)> {
    of.iter().zip(of.iter().cycle().skip(1))
}
