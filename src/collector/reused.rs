//! Logins at several servers that have one password (floor 5): whoever holds one of them holds the others, wherever they
//! lie. Passwords are compared in memory, and nothing of them is kept.

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::fact::{Fact, Gap, GapReason};
use deadstop_core::id::{CredentialId, SourceId, StepId};
use deadstop_core::model::{Atom, Credential, Source, Step};
use deadstop_core::time::Time;

use super::Login;
use super::group::TELLING;

/// Those of one password, by the name of their user. A short word may well be two passwords by chance.
type Alike<'a> = BTreeMap<Option<&'a str>, BTreeSet<&'a CredentialId>>;

/// The steps by which one login leads to others, and why some of them are in doubt.
pub(super) fn steps(logins: &[Login], credentials: &[Credential], now: Time) -> (Vec<Step>, Option<Source>) {
    let mut by_password: BTreeMap<(&str, &[u8]), Alike<'_>> = BTreeMap::new();
    for login in logins {
        let secret = login.secret.as_ref().map(crate::secret::Secret::expose).filter(|secret| secret.len() >= TELLING);
        if let Some(secret) = secret {
            let alike = by_password.entry((&login.provider, secret)).or_default();
            alike.entry(login.user.as_deref()).or_default().insert(&login.credential);
        }
    }
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
    for alike in by_password.values() {
        // Each leads to the next, and the last to the first: so each leads to all.
        for of_user in alike.values().filter(|of_user| of_user.len() > 1) {
            let because = "sign in elsewhere with the same name and password";
            steps.extend(ring(of_user).map(|(from, to)| step(from, to, Fact::Known(true), because)));
        }
        let firsts: BTreeSet<&CredentialId> = alike.values().filter_map(BTreeSet::first).copied().collect();
        if firsts.len() > 1 {
            let because = "sign in elsewhere with the same password";
            steps.extend(ring(&firsts).map(|(from, to)| step(from, to, Fact::Unknown(doubt.clone()), because)));
        }
    }
    steps.sort();
    let doubted = steps.iter().any(|step| step.possible.gap().is_some());
    (steps, doubted.then_some(source))
}

fn ring<'a>(of: &BTreeSet<&'a CredentialId>) -> impl Iterator<Item = (&'a CredentialId, &'a CredentialId)> {
    of.iter().copied().zip(of.iter().copied().cycle().skip(1))
}
