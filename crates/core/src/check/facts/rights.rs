//! What an identity has the right to destroy, or any identity that it can become, whatever else stands before it
//! (floor 2).

use std::collections::{BTreeMap, BTreeSet};

use fixedbitset::FixedBitSet;

use super::{Given, Maybe, any};
use crate::fact::{Fact, Gap};
use crate::id::PrincipalId;
use crate::model::{Atom, Status, Step};
use crate::path::Walker;
use crate::path::case::Registry;
use crate::path::layers::Both;
use crate::power::Hold;
use crate::power::ground::sessions::identity_or_stand_in;
use crate::power::ground::{Ground, IdentityNo};
use crate::world::World;

/// What one identity, and any that it can become, has the right to destroy.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    /// How many assets it surely may destroy.
    pub(crate) assets: usize,
    /// The environments of these that are known.
    pub(crate) environments: BTreeSet<String>,
    /// Whether the environment of each of these is known.
    placed: bool,
    /// Whether the headline counts one of these.
    production: bool,
    /// Whether there can be no more.
    whole: bool,
    /// Why there may be more.
    gaps: BTreeSet<Gap>,
}

impl Held {
    /// Whether it may destroy something.
    pub(crate) fn destroys(&self) -> Maybe {
        self.sure(self.assets > 0, self.whole)
    }

    /// Whether it may destroy something that the headline counts.
    pub(crate) fn production(&self) -> Maybe {
        self.sure(self.production, self.whole)
    }

    /// Whether it may destroy in two environments.
    pub(crate) fn crosses(&self) -> Maybe {
        self.sure(self.environments.len() > 1, self.placed && self.whole)
    }

    /// Whether it may destroy in an environment and in another one.
    pub(crate) fn shares(&self, environment: &str) -> Maybe {
        self.sure(self.environments.contains(environment) && self.environments.len() > 1, self.placed && self.whole)
    }

    /// Whether what is known of it is all.
    pub(crate) fn listed(&self) -> Result<(), BTreeSet<Gap>> {
        if self.whole { Ok(()) } else { Err(self.gaps.clone()) }
    }

    /// Its environments, where each is known.
    pub(crate) fn in_environments(&self) -> Option<&BTreeSet<String>> {
        self.placed.then_some(&self.environments)
    }

    fn sure(&self, found: bool, whole: bool) -> Maybe {
        if found || whole { Ok(found) } else { Err(self.gaps.clone()) }
    }
}

/// The rights of every identity.
pub(crate) struct Rights {
    held: BTreeMap<PrincipalId, Held>,
    nobody: Held,
}

/// What grants say of one identity.
#[derive(Clone, Debug, Default)]
struct Own {
    /// Places in the list of answers.
    sure: FixedBitSet,
    gaps: BTreeSet<Gap>,
    /// Whether there may be more.
    more: bool,
}

/// An identity that another one can become; in doubt, if that takes more than being the other.
#[derive(Clone, Debug)]
struct Edge {
    to: IdentityNo,
    doubt: Option<BTreeSet<Gap>>,
}

impl Rights {
    pub(crate) fn new(given: &Given<'_, '_>) -> Self {
        let (ground, world) = (given.ground, given.ground.world);
        let mut own = own(given);
        let edges = edges(ground, &mut own);
        let mut everywhere = unlisted_assets(world);
        everywhere.extend(world.unlisted_steps.clone());
        let sum = |sure: &FixedBitSet, mut gaps: BTreeSet<Gap>, more: bool| {
            let judged = || sure.ones().filter_map(|at| given.judged.get(at));
            let environments = judged().filter_map(|judged| judged.standing.environment.clone());
            let whole = !more && gaps.is_empty() && everywhere.is_empty();
            gaps.extend(everywhere.iter().cloned());
            Held {
                assets: sure.count_ones(..),
                environments: environments.collect(),
                placed: judged().all(|judged| judged.standing.environment.is_some()),
                production: judged().any(|judged| judged.standing.in_headline),
                whole,
                gaps,
            }
        };
        let mut held = BTreeMap::new();
        for number in ground.numbers() {
            let (mut sure, mut gaps, mut more) = (FixedBitSet::new(), BTreeSet::new(), false);
            let mut stack = vec![number];
            let mut seen = BTreeSet::from([number]);
            while let Some(at) = stack.pop() {
                if let Some(own) = own.get(at.index()) {
                    sure.union_with(&own.sure);
                    gaps.extend(own.gaps.iter().cloned());
                    more |= own.more;
                }
                for edge in edges.get(&at).into_iter().flatten() {
                    match &edge.doubt {
                        None if seen.insert(edge.to) => stack.push(edge.to),
                        None => {}
                        Some(why) => {
                            more = true;
                            gaps.extend(why.iter().cloned());
                        }
                    }
                }
            }
            held.extend(ground.identity(number).map(|id| (id.clone(), sum(&sure, gaps, more))));
        }
        Self { held, nobody: sum(&FixedBitSet::new(), BTreeSet::new(), false) }
    }

    /// What an identity may destroy.
    pub(crate) fn of(&self, principal: &PrincipalId) -> &Held {
        self.held.get(principal).unwrap_or(&self.nobody)
    }
}

/// What grants give each identity, by number.
fn own(given: &Given<'_, '_>) -> Vec<Own> {
    let (ground, world) = (given.ground, given.ground.world);
    let mut all: Vec<Own> = vec![Own::default(); ground.numbers().count()];
    let registry = Registry::new(ground);
    for (at, judged) in given.judged.iter().enumerate() {
        for deed in ground.deeds.get(&judged.asset).into_iter().flatten() {
            let rights = registry.rights(deed);
            for (number, right) in &rights.held {
                let Some(own) = all.get_mut(number.index()) else { continue };
                if *right != Both::same(Hold::Free) {
                    own.more = true;
                } else {
                    own.sure.grow_and_insert(at);
                }
            }
            // A right that a step can give may come on top.
            for (number, _) in &rights.given {
                all.get_mut(number.index()).into_iter().for_each(|own| own.more = true);
            }
        }
    }
    let mut doubt = |id: &PrincipalId, gap: Option<&Gap>| {
        let own = ground.number_of(id).and_then(|number| all.get_mut(number.index()));
        own.into_iter().for_each(|own| own.gaps.extend(gap.cloned()));
    };
    world.principals.values().for_each(|principal| doubt(&principal.id, principal.grants.gap()));
    world.grants.iter().for_each(|grant| doubt(&grant.principal, grant.allowed.gap()));
    for own in all.iter_mut().filter(|own| own.more && own.gaps.is_empty()) {
        own.gaps.extend(world.any_delete.clone());
    }
    all
}

/// Who can become whom. What a step gives beside an identity leaves open what whoever takes it may do.
fn edges(ground: &Ground<'_>, own: &mut [Own]) -> BTreeMap<IdentityNo, Vec<Edge>> {
    let world = ground.world;
    let mut edges: BTreeMap<IdentityNo, Vec<Edge>> = BTreeMap::new();
    for step in world.steps.iter().filter(|step| step.possible != Fact::Known(false)) {
        anyone(ground, step, own);
        for from in step.needs.iter().filter_map(|need| taken_by(world, need)) {
            let Some(number) = ground.number_of(&from) else { continue };
            for gain in &step.gains {
                match becomes(world, gain) {
                    Some((to, doubt)) if to != from => {
                        let doubt = doubtful(step, doubt);
                        edges.entry(number).or_default().extend(ground.number_of(&to).map(|to| Edge { to, doubt }));
                    }
                    Some(_) => {}
                    None => {
                        if let Some(own) = own.get_mut(number.index()) {
                            own.more = true;
                            own.gaps.extend(step.possible.gap().cloned());
                        }
                    }
                }
            }
        }
    }
    edges
}

/// A step that is taken with a credential of which nobody knows whose it is may be open to any identity of its provider.
fn anyone(ground: &Ground<'_>, step: &Step, own: &mut [Own]) {
    let world = ground.world;
    let credentials = step.needs.iter().filter_map(|need| match need {
        Atom::Credential(id) => world.credentials.get(id),
        Atom::Principal(_)
        | Atom::Way(_)
        | Atom::Lifted(_)
        | Atom::Can { .. }
        | Atom::Right { .. }
        | Atom::Destroyed(_) => None,
    });
    for credential in credentials {
        let Some(gap) = credential.identity.gap() else { continue };
        for principal in world.principals.values().filter(|principal| principal.provider == credential.provider) {
            let own = ground.number_of(&principal.id).and_then(|number| own.get_mut(number.index()));
            own.into_iter().for_each(|own| {
                own.more = true;
                own.gaps.insert(gap.clone());
            });
        }
    }
}

/// The identity that a step is taken as, if this need says so.
fn taken_by(world: &World, need: &Atom) -> Option<PrincipalId> {
    match need {
        Atom::Principal(id) => Some(id.clone()),
        Atom::Credential(id) => world.credentials.get(id).map(identity_or_stand_in),
        Atom::Way(_) | Atom::Lifted(_) | Atom::Can { .. } | Atom::Right { .. } | Atom::Destroyed(_) => None,
    }
}

/// The identity that a gain is, with why that is not sure.
fn becomes(world: &World, gain: &Atom) -> Option<(PrincipalId, BTreeSet<Gap>)> {
    match gain {
        Atom::Principal(id) => Some((id.clone(), BTreeSet::new())),
        Atom::Credential(id) => {
            let credential = world.credentials.get(id)?;
            let gaps = [credential.identity.gap(), credential.status.gap()].into_iter().flatten().cloned().collect();
            (credential.status != Fact::Known(Status::Revoked)).then(|| (identity_or_stand_in(credential), gaps))
        }
        Atom::Way(_) | Atom::Lifted(_) | Atom::Can { .. } | Atom::Right { .. } | Atom::Destroyed(_) => None,
    }
}

/// Why a step may not be open to whoever is the identity that it is taken as; nothing, if it surely is.
fn doubtful(step: &Step, mut gaps: BTreeSet<Gap>) -> Option<BTreeSet<Gap>> {
    gaps.extend(step.possible.gap().cloned());
    let alone = step.needs.len() == 1 && step.session.is_none();
    (!alone || !gaps.is_empty()).then_some(gaps)
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
