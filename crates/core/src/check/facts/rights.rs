//! Who has the right to destroy what, whatever else stands before it (floor 2).

use std::collections::{BTreeMap, BTreeSet};

use super::{Given, Maybe, any};
use crate::fact::{Fact, Gap};
use crate::id::{NodeId, PrincipalId};
use crate::path::Walker;
use crate::world::World;

/// What one identity has the right to destroy.
#[derive(Clone, Debug, Default)]
pub(crate) struct Held {
    /// Assets that it surely may destroy.
    pub(crate) sure: BTreeSet<NodeId>,
    /// Why there may be more.
    pub(crate) gaps: BTreeSet<Gap>,
}

/// The rights of every identity, and the environments of the assets.
pub(crate) struct Rights {
    held: BTreeMap<PrincipalId, Held>,
    /// Each asset's environment and whether the headline counts it.
    pub(crate) standing: BTreeMap<NodeId, (Option<String>, bool)>,
    nobody: Held,
}

impl Rights {
    pub(crate) fn new(given: &Given<'_, '_>) -> Self {
        let world = given.ground.world;
        let mut held: BTreeMap<PrincipalId, Held> = BTreeMap::new();
        for principal in world.principals.values() {
            let entry = held.entry(principal.id.clone()).or_default();
            entry.gaps.extend(principal.grants.gap().cloned());
        }
        for judged in given.judged {
            for deed in given.ground.deeds.get(&judged.asset).into_iter().flatten() {
                let called = world.provider_of(&deed.on);
                let mut chain: Vec<NodeId> = world.chain(&deed.on).into_iter().cloned().collect();
                chain.extend(crate::power::ground::roots_of(world, called.unwrap_or("unknown")));
                let grants = chain.iter().filter_map(|node| given.ground.grants_at.get(node)).flatten();
                for grant in grants.filter(|grant| world.speaks_of(grant, called)) {
                    let entry = held.entry(grant.principal.clone()).or_default();
                    match world.right(grant, &deed.action) {
                        Some(Fact::Known(true)) => drop(entry.sure.insert(judged.asset.clone())),
                        Some(Fact::Unknown(gap)) => drop(entry.gaps.insert(gap)),
                        Some(Fact::Known(false)) | None => {}
                    }
                }
            }
        }
        let standing = given.judged.iter();
        let standing = standing.map(|j| (j.asset.clone(), (j.standing.environment.clone(), j.standing.in_headline)));
        let listings = unlisted_assets(world);
        held.values_mut().for_each(|one| one.gaps.extend(listings.iter().cloned()));
        let nobody = Held { sure: BTreeSet::new(), gaps: listings };
        Self { held, standing: standing.collect(), nobody }
    }

    /// What an identity may destroy.
    pub(crate) fn of(&self, principal: &PrincipalId) -> &Held {
        self.held.get(principal).unwrap_or(&self.nobody)
    }

    /// Whether it may destroy an asset that fits.
    pub(crate) fn destroys(&self, held: &Held, fits: impl Fn(&Option<String>, bool) -> Maybe) -> Maybe {
        let sure = held.sure.iter().filter_map(|asset| self.standing.get(asset));
        let found = any(sure.map(|(environment, headline)| fits(environment, *headline)));
        match (found, held.gaps.is_empty()) {
            (Ok(true), _) => Ok(true),
            (Ok(false), true) => Ok(false),
            (Ok(false), false) => Err(held.gaps.clone()),
            (Err(gaps), _) => Err(gaps.into_iter().chain(held.gaps.iter().cloned()).collect()),
        }
    }

    /// The environments of what it surely may destroy; nothing, if one of them is not known.
    pub(crate) fn environments(&self, held: &Held) -> (BTreeSet<String>, bool) {
        let all = held.sure.iter().filter_map(|asset| self.standing.get(asset));
        let known: BTreeSet<String> = all.clone().filter_map(|(environment, _)| environment.clone()).collect();
        (known, all.clone().all(|(environment, _)| environment.is_some()))
    }

    /// Whether it may destroy in two environments.
    pub(crate) fn crosses(&self, held: &Held) -> Maybe {
        let (known, whole) = self.environments(held);
        match (known.len() > 1, whole && held.gaps.is_empty()) {
            (true, _) => Ok(true),
            (false, true) => Ok(false),
            (false, false) => Err(held.gaps.clone()),
        }
    }
}

/// Why there may be assets that nobody listed.
fn unlisted_assets(world: &World) -> BTreeSet<Gap> {
    let contents = world.assets.values().filter_map(|asset| asset.contents.as_ref());
    let mut gaps: BTreeSet<Gap> = contents.filter_map(|contents| contents.gap().cloned()).collect();
    let rests = world.assets.values().filter(|asset| asset.kind == crate::world::REST);
    gaps.extend(rests.filter_map(|rest| rest.protections.gap().cloned()));
    gaps
}

/// Whether some session that the walkers stand for has a thing in its power.
pub(crate) fn in_reach<'a, 'w: 'a>(
    walkers: impl IntoIterator<Item = &'a Walker<'a, 'w>>,
    key: &crate::power::ground::Key,
) -> Maybe {
    any(walkers.into_iter().map(|walker| super::has(walker, key)))
}
