//! Roles that profiles in reach take on, held against who may take them on.

use std::collections::BTreeMap;

use deadstop_core::fact::Fact;
use deadstop_core::id::{CredentialId, PrincipalId, StepId};
use deadstop_core::model::{Atom, Step};

use super::{Accounts, Effect};
use crate::provider::facts::Facts;

impl Accounts<'_> {
    /// Whether each of these steps is possible, as far as both ends of it were read. A profile that names a role is a way
    /// to become it for whoever the role lets in, and for nobody else.
    pub(in crate::provider::aws) fn chains(
        &self,
        steps: &[Step],
        who: &BTreeMap<CredentialId, PrincipalId>,
        facts: &mut Facts,
    ) -> BTreeMap<StepId, Fact<bool>> {
        let mut settled = BTreeMap::new();
        for step in steps {
            let ([need], [Atom::Principal(role)]) = (step.needs.as_slice(), step.gains.as_slice()) else { continue };
            let from = match need {
                Atom::Credential(credential) => who.get(credential),
                Atom::Principal(principal) => Some(principal),
                Atom::Way(_) | Atom::Lifted(_) | Atom::Can { .. } | Atom::Right { .. } | Atom::Destroyed(_) => None,
            };
            let Some(from) = from.and_then(|from| self.who(from.as_str())) else { continue };
            let Some(number) = role.as_str().split(':').nth(4) else { continue };
            let Some(directory) = self.all.get(number).and_then(|account| account.directory.as_ref()) else { continue };
            let there = self.trusts().of(role.as_str());
            // One that is not among those that were read may still be there.
            if there.is_none() && directory.unlisted().is_some() {
                continue;
            }
            let effect = there.map_or(Effect::No("there is no such role"), |one| self.trusts_in(&from, one));
            let possible = match effect {
                Effect::Yes => Fact::Known(true),
                Effect::No(_) => Fact::Known(false),
                Effect::Maybe(why) => Fact::Unknown(facts.doubt(number, &why)),
            };
            settled.insert(step.id.clone(), possible);
        }
        settled
    }
}
