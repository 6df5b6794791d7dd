//! What a profile that assumes a role starts from (floor 5). Files made to hold very many profiles must not cost more
//! than reading them does, so everything is looked up by name.

use std::collections::BTreeMap;

use deadstop_core::id::{CredentialId, PrincipalId};
use deadstop_core::model::Atom;

use super::find::{Chain, Finds};
use super::mask::Mask;

/// The most starts of one role that are told apart. Beyond it, anything here may be one: no need stands before the step.
const MOST: usize = 64;

/// Profiles by name: the credentials they hold and the roles they act as.
pub(crate) struct Starts<'a> {
    holders: BTreeMap<&'a str, Vec<&'a CredentialId>>,
    roles: BTreeMap<&'a str, Vec<&'a str>>,
}

impl<'a> Starts<'a> {
    pub(crate) fn of(finds: &'a Finds, ids: &'a [(CredentialId, Vec<usize>)]) -> Self {
        let mut by_key: BTreeMap<&str, Vec<&CredentialId>> = BTreeMap::new();
        for (credential, members) in ids {
            for key in members.iter().filter_map(|at| finds.finds.get(*at)?.public_id.as_deref()) {
                let known = by_key.entry(key).or_default();
                if known.last() != Some(&credential) {
                    known.push(credential);
                }
            }
        }
        let mut holders: BTreeMap<&str, Vec<&CredentialId>> = BTreeMap::new();
        for (profile, key) in &finds.profiles {
            let held = by_key.get(key.as_str()).into_iter().flatten().take(MOST + 1);
            let known = holders.entry(profile).or_default();
            known.extend(held.take((MOST + 1).saturating_sub(known.len())));
        }
        let mut roles: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for chain in &finds.chains {
            let known = roles.entry(&chain.profile).or_default();
            // One more than counts, as the role itself is no start of its own.
            if known.len() <= MOST + 1 && !known.contains(&chain.role.as_str()) {
                known.push(&chain.role);
            }
        }
        Self { holders, roles }
    }

    /// Each set of needs from which the chain's role can be assumed.
    pub(crate) fn before(&self, chain: &Chain, mask: &Mask) -> Vec<Vec<Atom>> {
        let source = chain.source.as_str();
        let held = self.holders.get(source).into_iter().flatten();
        let mut from: Vec<Vec<Atom>> = held.map(|held| vec![Atom::Credential((*held).clone())]).collect();
        let roles = self.roles.get(source).into_iter().flatten().filter(|role| **role != chain.role);
        from.extend(roles.map(|role| vec![Atom::Principal(PrincipalId(mask.hide(role)))]));
        if from.is_empty() || from.len() > MOST {
            // What the profile starts from was not found, or cannot be told apart: anything here may be it.
            return vec![Vec::new()];
        }
        from
    }
}

#[cfg(test)]
mod tests {
    use super::super::find::Spot;
    use super::*;

    fn chain(profile: &str, role: &str, source: &str) -> Chain {
        let spot = Spot { kind: "file", path: "~/.aws/config".to_owned(), line: Some(1), key: None };
        Chain { profile: profile.to_owned(), role: role.to_owned(), source: source.to_owned(), spot }
    }

    #[test]
    fn a_role_starts_from_the_roles_of_its_source_profile() {
        let finds = Finds { chains: vec![chain("a", "r1", "b"), chain("b", "r2", "a")], ..Finds::default() };
        let starts = Starts::of(&finds, &[]);
        let mask = Mask::of(&[]);
        assert_eq!(starts.before(&finds.chains[0], &mask), [vec![Atom::Principal(PrincipalId("r2".to_owned()))]]);
        assert_eq!(starts.before(&chain("c", "r3", "missing"), &mask), [Vec::new()]);
    }

    #[test]
    fn very_many_starts_are_taken_for_anything() {
        let chains = (0..20_000).map(|at| chain("a", &format!("r{at}"), "a")).collect();
        let finds = Finds { chains, ..Finds::default() };
        let starts = Starts::of(&finds, &[]);
        let mask = Mask::of(&[]);
        assert!(finds.chains.iter().all(|chain| starts.before(chain, &mask) == [Vec::new()]));
    }
}
