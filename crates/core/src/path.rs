//! Delete paths: session → identity → action → asset, with what each of the six layers does (floor 2).
//!
//! A path is a witness, not the search space: whether a session can do something is read from its power. Paths are
//! made for every identity in its power that may have the right, and one stands for all the rest.

pub mod explain;
pub mod layers;
pub mod recovery;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use crate::fact::Fact;
use crate::id::{NodeId, PrincipalId, SessionId, WayId};
use crate::model::{Grant, Session};
use crate::pattern;
use crate::policy::Policy;
use crate::power::ground::{Deed, Ground, Key, roots_of};
use crate::power::{Hold, Power};
use crate::verdict::{LayerState, Prevention, Rank, Recovery};
use layers::{Both, Judge};

/// How a call is issued.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Route {
    /// The session holds the credential, or became the identity, and calls by a way of its own.
    Own,
    /// Someone who holds the credential acts on its word.
    Deputy(WayId),
}

/// What a reading of the six layers amounts to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The best of layers 1 to 4.
    pub prevention: Prevention,
    /// That of the best single copy.
    pub recovery: Recovery,
    /// Whether what comes back lies outside the declared RPO or RTO.
    pub outside: bool,
}

impl Outcome {
    /// What it is called.
    #[must_use]
    pub const fn rank(self) -> Rank {
        Rank::of(self.prevention, self.recovery)
    }

    /// How it is rated: what comes back outside RPO or RTO is rated as if nothing did.
    #[must_use]
    pub const fn rated(self) -> Rank {
        Rank::of(self.prevention, if self.outside { Recovery::None } else { self.recovery })
    }

    /// Worst first.
    #[must_use]
    pub const fn order(self) -> (Rank, Rank) {
        (self.rated(), self.rank())
    }
}

/// The six layers under one reading, and what they amount to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The layers, in order: passed freely, passed with a change, or not passed.
    pub layers: [Hold; 6],
    /// What they amount to.
    pub outcome: Outcome,
}

/// One delete path, judged.
#[derive(Clone, Debug)]
pub struct Path {
    /// The identity that acts.
    pub principal: PrincipalId,
    /// How the call is issued.
    pub route: Route,
    /// The operation, and what it is called on.
    pub deed: Deed,
    /// The asset.
    pub asset: NodeId,
    /// With every gap at its worst.
    pub worst: Reading,
    /// With every gap at its best.
    pub best: Reading,
}

impl Path {
    /// The states that are shown: a layer whose two readings differ is unknown.
    #[must_use]
    pub fn states(&self) -> [LayerState; 6] {
        let mut states = [LayerState::Unknown; 6];
        for ((state, worst), best) in states.iter_mut().zip(self.worst.layers).zip(self.best.layers) {
            *state = state_of(worst, best);
        }
        states
    }

    /// Worst first; of two equally bad ones the one that is less in doubt, then the one that is simpler to tell.
    #[must_use]
    pub fn order(&self) -> impl Ord + '_ {
        let unknown = self.states().iter().filter(|state| **state == LayerState::Unknown).count();
        let nobody = self.principal.as_str().starts_with('?');
        let bounds = (self.worst.outcome.order(), self.best.outcome.order());
        let above = self.deed.on != self.asset;
        (bounds, unknown, nobody, self.worst.layers, above, &self.principal, &self.deed, &self.route)
    }
}

/// What a layer's two readings show.
#[must_use]
pub fn state_of(worst: Hold, best: Hold) -> LayerState {
    match (worst, best) {
        (Hold::Free, Hold::Free) => LayerState::Open,
        (Hold::Full, Hold::Full) => LayerState::Slows,
        (Hold::Never, Hold::Never) => LayerState::Stops,
        (Hold::Free | Hold::Full | Hold::Never, _) => LayerState::Unknown,
    }
}

/// The paths of one session to one asset.
#[derive(Clone, Debug)]
pub struct Paths {
    /// The worst path for each distinct vector of six states, worst first.
    pub shown: Vec<Path>,
    /// How many there are in all.
    pub total: usize,
    /// The worst that any of them may be.
    pub worst: Outcome,
    /// The best that the worst of them may be.
    pub best: Outcome,
    /// Whether prevention is known to be open.
    pub open: bool,
}

/// Paths as they are found: one kept for each vector of states.
#[derive(Default)]
struct Found {
    kept: BTreeMap<[LayerState; 6], Path>,
    total: usize,
    bounds: Option<(Outcome, Outcome)>,
    open: bool,
}

impl Found {
    fn add(&mut self, path: Path) {
        self.total += 1;
        let (worst, best) = (path.worst.outcome, path.best.outcome);
        self.open |= best.prevention == Prevention::Open;
        let worse = |a: Outcome, b: Outcome| if a.order() < b.order() { a } else { b };
        self.bounds = Some(self.bounds.map_or((worst, best), |(w, b)| (worse(worst, w), worse(best, b))));
        match self.kept.entry(path.states()) {
            Entry::Vacant(slot) => {
                slot.insert(path);
            }
            Entry::Occupied(mut slot) => {
                if path.order() < slot.get().order() {
                    slot.insert(path);
                }
            }
        }
    }

    fn finish(self) -> Option<Paths> {
        let (worst, best) = self.bounds?;
        let mut shown: Vec<Path> = self.kept.into_values().collect();
        shown.sort_by(|a, b| a.order().cmp(&b.order()));
        Some(Paths { shown, total: self.total, worst, best, open: self.open })
    }
}

/// One session at work on the assets.
pub struct Walker<'g, 'w> {
    /// The rules and lists.
    pub ground: &'g Ground<'w>,
    /// What was decided.
    pub policy: &'g Policy,
    /// The session.
    pub session: &'w Session,
    /// Its four powers.
    pub power: Power<'g, Key>,
    /// Identities in its power at the worst reading, by provider.
    in_power: BTreeMap<String, BTreeSet<PrincipalId>>,
    /// How the session comes to act as each of them.
    acting: BTreeMap<PrincipalId, Vec<Acting>>,
    /// Grants of identities in its power, by their target.
    grants: BTreeMap<&'g NodeId, Vec<&'w Grant>>,
}

/// One way in which a session comes to act as an identity: what does not depend on the call.
#[derive(Clone, Debug)]
pub struct Acting {
    /// How.
    pub route: Route,
    /// Layer 1.
    pub reach: Both,
    /// Whether the credential still works.
    pub alive: Both,
}

impl<'g, 'w> Walker<'g, 'w> {
    /// Computes a session's power.
    #[must_use]
    pub fn new(ground: &'g Ground<'w>, policy: &'g Policy, session: &'w Session) -> Self {
        let start: Vec<_> = ground.find(&Key::Session(session.id.clone())).into_iter().collect();
        let power = ground.ready.power(&start);
        let mut walker = Self {
            ground,
            policy,
            session,
            power,
            in_power: BTreeMap::new(),
            acting: BTreeMap::new(),
            grants: BTreeMap::new(),
        };
        let world = ground.world;
        for id in world.principals.keys().chain(ground.stand_ins.keys()).chain(ground.actors.keys()) {
            let routes = walker.routes(id);
            if !routes.is_empty() {
                let provider = ground.provider_of(id).to_owned();
                walker.in_power.entry(provider).or_default().insert(id.clone());
                walker.acting.insert(id.clone(), routes);
            }
        }
        for (node, list) in &ground.grants_at {
            let held: Vec<&Grant> = list.iter().copied().filter(|g| walker.acting.contains_key(&g.principal)).collect();
            if !held.is_empty() {
                walker.grants.insert(node, held);
            }
        }
        walker
    }

    /// Every way in which the session may come to act as an identity.
    fn routes(&self, principal: &PrincipalId) -> Vec<Acting> {
        let mut routes = Vec::new();
        let reach = self.both_of(&Key::Held(principal.clone()));
        if reach.worst != Hold::Never {
            routes.push(Acting { route: Route::Own, reach, alive: self.alive(principal, &Route::Own) });
        }
        for way in self.ground.deputies_of.get(principal).into_iter().flatten() {
            let lost = |id: &SessionId| !self.ground.world.sessions.contains_key(id);
            let ours = way.session.as_ref().is_none_or(|session| *session == self.session.id || lost(session));
            let reach = self.both_of(&Key::WayReady(way.id.clone()));
            if ours && reach.worst != Hold::Never {
                let route = Route::Deputy(way.id.clone());
                let alive = self.alive(principal, &route);
                routes.push(Acting { route, reach, alive });
            }
        }
        routes
    }

    /// Whether an identity is in the session's power at the worst reading.
    #[must_use]
    pub fn holds(&self, principal: &PrincipalId) -> bool {
        self.acting.contains_key(principal)
    }

    /// The paths to an asset, or `None` if there is none, not even one that stops at its first layer.
    #[must_use]
    pub fn paths(&self, asset: &NodeId) -> Option<Paths> {
        let deeds = self.ground.deeds.get(asset)?;
        let mut found = Found::default();
        for deed in deeds {
            let judge = Judge::new(self, asset, deed);
            for (principal, right) in self.rights(deed) {
                for acting in self.acting.get(principal).into_iter().flatten() {
                    found.add(judge.path_of(principal, acting, right));
                }
            }
        }
        if found.total == 0
            && let Some(path) = self.representative(asset, deeds)
        {
            found.add(path);
        }
        found.finish()
    }

    /// Identities in power that may have the right to a deed.
    #[must_use]
    pub fn may_act(&self, deed: &Deed) -> BTreeSet<PrincipalId> {
        self.rights(deed).into_keys().cloned().collect()
    }

    /// Identities in power that may have the right to a deed, with what is known of it.
    fn rights(&self, deed: &Deed) -> BTreeMap<&PrincipalId, Both> {
        let ground = self.ground;
        let world = ground.world;
        let maybe = Both { worst: Hold::Free, best: Hold::Never };
        let mut found: BTreeMap<&PrincipalId, Both> = BTreeMap::new();
        let mut add = |id, right: Both| {
            found.entry(id).and_modify(|held| *held = held.or(right)).or_insert(right);
        };
        let (chain, providers) = self.above(&deed.on);
        let called = world.provider_of(&deed.on);
        let grants = chain.iter().filter_map(|node| self.grants.get(node)).flatten();
        for grant in grants.filter(|grant| world.speaks_of(grant, called)) {
            match world.right(grant, &deed.action) {
                Some(Fact::Known(true)) => add(&grant.principal, Both::same(Hold::Free)),
                Some(Fact::Unknown(_)) => add(&grant.principal, maybe),
                Some(Fact::Known(false)) | None => {}
            }
        }
        for (actor, action, node) in &ground.step_deeds {
            if chain.contains(node) && *action == deed.action && self.holds(actor) {
                add(actor, Both::same(Hold::Free));
            }
        }
        for (principal, wanted, node) in &ground.step_rights {
            if chain.contains(node) && pattern::matches(wanted, &deed.action) && self.holds(principal) {
                let right = self.both_of(&Key::Right(principal.clone(), wanted.clone(), node.clone()));
                add(principal, right);
            }
        }
        for id in providers.iter().filter_map(|provider| self.in_power.get(provider)).flatten() {
            let unlisted = world.principals.get(id).is_some_and(|p| p.grants.gap().is_some());
            let unknown = ground.stand_ins.get(id).is_some_and(|s| s.within.as_ref().is_none_or(|n| chain.contains(n)));
            if unlisted || unknown {
                add(id, maybe);
            }
        }
        found
    }

    /// A node with all above it up to the roots, and the providers that it may belong to.
    #[must_use]
    pub fn above(&self, node: &NodeId) -> (Vec<NodeId>, Vec<String>) {
        let world = self.ground.world;
        let mut chain: Vec<NodeId> = world.chain(node).into_iter().cloned().collect();
        let provider = world.provider_of(node).unwrap_or("unknown");
        chain.extend(roots_of(world, provider));
        let providers: Vec<String> = match provider {
            "unknown" => self.in_power.keys().cloned().collect(),
            known => vec![known.to_owned(), "unknown".to_owned()],
        };
        (chain, providers)
    }

    /// Where no identity in power may do it: one that may not, or one with the right that is out of reach.
    fn representative(&self, asset: &NodeId, deeds: &[Deed]) -> Option<Path> {
        let deed = deeds.first()?;
        let judge = Judge::new(self, asset, deed);
        let (chain, providers) = self.above(&deed.on);
        let grants: Vec<_> = chain.iter().filter_map(|node| self.ground.grants_at.get(node)).flatten().collect();
        let denied = grants.iter().map(|grant| &grant.principal).filter(|id| self.holds(id)).min();
        let any = || providers.iter().filter_map(|provider| self.in_power.get(provider)).flatten().min();
        if let Some(principal) = denied.or_else(any) {
            let acting = self.acting.get(principal)?.first()?;
            return Some(judge.path_of(principal, acting, Both::same(Hold::Never)));
        }
        let speaks =
            |grant: &&&&Grant| self.ground.world.right(grant, &deed.action).is_some_and(|a| a == Fact::Known(true));
        let out_of_reach = grants.iter().filter(speaks).map(|grant| &grant.principal).min()?;
        let acting = Acting { route: Route::Own, reach: Both::same(Hold::Never), alive: Both::same(Hold::Free) };
        Some(judge.path_of(out_of_reach, &acting, Both::same(Hold::Free)))
    }
}
