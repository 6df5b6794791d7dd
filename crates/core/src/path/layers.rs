//! What each layer does to one call, under both readings (floor 2).

use super::case::Case;
use super::recovery::{self, Copies};
use super::{Acting, Outcome, Path, Reading, Route, Walker};
use crate::id::{PrincipalId, WayId};
use crate::power::ground::Key;
use crate::power::ground::sessions::{carries, identity_or_stand_in};
use crate::power::{AtomNo, Hold, Sight};
use crate::verdict::Prevention;

/// Both readings of one layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Both {
    /// With every gap at its worst.
    pub worst: Hold,
    /// With every gap at its best.
    pub best: Hold,
}

impl Both {
    /// The same under both readings.
    #[must_use]
    pub const fn same(hold: Hold) -> Self {
        Self { worst: hold, best: hold }
    }

    /// What gets past both of two things.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { worst: self.worst.max(other.worst), best: self.best.max(other.best) }
    }

    /// What gets past either of two things.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { worst: self.worst.min(other.worst), best: self.best.min(other.best) }
    }
}

/// One deed on one asset by one session: what does not depend on who does it is judged once.
pub struct Judge<'a, 'g, 'w> {
    /// The session.
    pub walker: &'a Walker<'g, 'w>,
    /// The deed and what it meets.
    pub case: &'a Case<'a, 'w>,
    /// The copies and what becomes of them.
    pub copies: Copies<'w>,
    protect: Both,
    approve: Both,
}

impl<'a, 'g, 'w> Judge<'a, 'g, 'w> {
    /// Judges what does not depend on the identity.
    #[must_use]
    pub fn new(walker: &'a Walker<'g, 'w>, case: &'a Case<'a, 'w>) -> Self {
        let mut protect = walker.both(&case.protect);
        let mut approve = walker.both(&case.approve);
        if case.unlisted {
            protect.best = Hold::Never;
            approve.best = Hold::Never;
        }
        Self { walker, case, copies: recovery::copies(walker, case), protect, approve }
    }

    /// The path of an identity, given how the session comes to act as it and what right it has.
    #[must_use]
    pub fn path_of(&self, principal: &PrincipalId, acting: &Acting, right: Both) -> Path {
        let confirm = self.confirm(principal, &acting.route);
        self.path(principal, &acting.route, acting.reach, confirm, right.and(acting.alive))
    }

    /// The path of an identity, given its first three layers.
    #[must_use]
    pub fn path(&self, principal: &PrincipalId, route: &Route, reach: Both, confirm: Both, permit: Both) -> Path {
        let reading = |sight: Sight| {
            let of = |both: Both| if sight == Sight::Worst { both.worst } else { both.best };
            let found = if sight == Sight::Worst { &self.copies.worst } else { &self.copies.best };
            let layers = [of(reach), of(confirm), of(permit), of(self.protect), found.survive, found.restore];
            let before = layers.iter().take(4).max().copied().unwrap_or(Hold::Free);
            let prevention = match before {
                Hold::Free => Prevention::Open,
                Hold::Full => Prevention::Slowed,
                Hold::Never => Prevention::Stopped,
            };
            let outcome = Outcome { prevention, recovery: found.recovery, outside: found.outside };
            Reading { layers, outcome }
        };
        Path {
            principal: principal.clone(),
            route: route.clone(),
            deed: self.case.deed.clone(),
            asset: self.case.asset.clone(),
            worst: reading(Sight::Worst),
            best: reading(Sight::Best),
        }
    }

    /// Layer 2: must a person say yes? As good as the way that meets least, and every approval at the provider.
    #[must_use]
    pub fn confirm(&self, principal: &PrincipalId, route: &Route) -> Both {
        let gate = match route {
            // What a step has done needs no call of the session's own beyond the step.
            Route::Own if self.walker.ground.actors.contains_key(principal) => Both::same(Hold::Free),
            Route::Own => self.walker.both_of(&self.walker.way_out(self.call(principal))),
            Route::Deputy(way) if self.carries(way, principal) => self.walker.both_of(&Key::WayOut(way.clone())),
            Route::Deputy(_) => Both::same(Hold::Never),
        };
        gate.and(self.approve)
    }

    /// The call as gates see it.
    #[must_use]
    pub fn call(&self, principal: &PrincipalId) -> String {
        format!("{}/{}", self.walker.ground.provider_of(principal), self.case.deed.action)
    }

    fn carries(&self, way: &WayId, principal: &PrincipalId) -> bool {
        let way = self.walker.ground.world.ways.get(way);
        way.is_some_and(|way| carries(way, &self.call(principal)))
    }
}

impl Walker<'_, '_> {
    /// Whether the credential still works, as far as getting hold of it does not already say so.
    pub(super) fn alive(&self, principal: &PrincipalId, route: &Route) -> Both {
        match route {
            Route::Own => {
                let held = self.both_of(&Key::Held(principal.clone()));
                let be = self.both_of(&Key::Be(principal.clone()));
                let beyond = |be: Hold, held: Hold| if be > held { be } else { Hold::Free };
                Both { worst: beyond(be.worst, held.worst), best: beyond(be.best, held.best) }
            }
            Route::Deputy(way) => {
                let world = self.ground.world;
                let Some(way) = world.ways.get(way) else { return Both::same(Hold::Never) };
                if way.acts_as.contains(principal) {
                    return Both::same(Hold::Free);
                }
                let held = way.holds.iter().filter_map(|id| world.credentials.get(id));
                let fitting = held.filter(|c| identity_or_stand_in(c) == *principal);
                let alive = fitting.map(|c| self.both_of(&Key::Alive(c.id.clone())));
                alive.fold(Both::same(Hold::Never), Both::or)
            }
        }
    }

    /// Both readings of having all of these.
    #[must_use]
    pub fn both(&self, atoms: &[AtomNo]) -> Both {
        Both { worst: self.power.hold(Sight::Worst, atoms), best: self.power.hold(Sight::Best, atoms) }
    }

    /// Both readings of having this; never, if no rule speaks of it.
    #[must_use]
    pub fn both_of(&self, key: &Key) -> Both {
        self.ground.find(key).map_or(Both::same(Hold::Never), |atom| self.both(&[atom]))
    }
}
