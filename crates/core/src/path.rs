//! Delete paths: session → identity → action → asset, with what each of the six layers does (floor 2).
//!
//! A path is a witness, not the search space: whether a session can do something is read from its power. Paths are
//! made for every identity in its power that may have the right, and one stands for all the rest.

pub mod case;
pub mod explain;
pub mod layers;
pub mod recovery;

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::rc::Rc;

use crate::id::{NodeId, PrincipalId, SessionId, WayId};
use crate::model::Session;
use crate::policy::Policy;
use crate::power::ground::sessions::generic;
use crate::power::ground::{Deed, Ground, IdentityNo, Key, roots_of};
use crate::power::{Hold, Power};
use crate::verdict::{LayerState, Prevention, Rank, Recovery};
use case::{Case, Rights};
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
    fn add(&mut self, path: Path, count: usize) {
        self.total += count;
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
    /// The one way by which the call goes, if that is known.
    pub through: Option<WayId>,
    /// How the session comes to act as each identity, by number; nothing for one out of its power.
    acting: Vec<Vec<Acting>>,
    /// The first identity in its power, by provider.
    first_of: BTreeMap<&'g str, IdentityNo>,
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
        let mut walker =
            Self { ground, policy, session, power, through: None, acting: Vec::new(), first_of: BTreeMap::new() };
        for (number, id) in ground.numbers().filter_map(|number| Some((number, ground.identity(number)?))) {
            let routes = walker.routes(id);
            if !routes.is_empty() {
                walker.first_of.entry(ground.provider_of(id)).or_insert(number);
            }
            walker.acting.push(routes);
        }
        walker
    }

    /// The same for a call that goes by one way and no other.
    #[must_use]
    pub fn through(mut self, way: WayId) -> Self {
        self.through = Some(way);
        self
    }

    /// What has to be passed for a call of the session's own.
    #[must_use]
    pub fn way_out(&self, call: String) -> Key {
        self.through.clone().map_or_else(|| Key::Route(call), Key::WayNet)
    }

    /// Whether a call goes by this route at all.
    fn goes(&self, principal: &PrincipalId, route: &Route) -> bool {
        let Some(through) = &self.through else { return true };
        let deputy = self.ground.world.ways.get(through).is_some_and(|way| !generic(way));
        match route {
            Route::Own => !deputy && !self.ground.actors.contains_key(principal),
            Route::Deputy(way) => way == through,
        }
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
        self.ground.number_of(principal).is_some_and(|number| !self.routes_of(number).is_empty())
    }

    fn routes_of(&self, number: IdentityNo) -> &[Acting] {
        self.acting.get(number.index()).map_or(&[], Vec::as_slice)
    }

    /// The paths to an asset, or `None` if there is none, not even one that stops at its first layer. `able` keeps who may act
    /// from one asset to the next of the same registry.
    #[must_use]
    pub fn paths(&self, cases: &[(Case<'_, 'w>, Rc<Rights>)], able: &mut AbleBy) -> Option<Paths> {
        let mut found = Found::default();
        for (case, rights) in cases {
            let judge = Judge::new(self, case);
            let able = able.of(self, rights);
            for ((reach, confirm, permit, _), (count, number, route)) in self.groups(&judge, &able) {
                if let Some(id) = self.ground.identity(number) {
                    found.add(judge.path(id, route, reach, confirm, permit), count);
                }
            }
        }
        if found.total == 0
            && let Some((case, rights)) = cases.first()
            && let Some(path) = self.representative(case, rights)
        {
            found.add(path, 1);
        }
        found.finish()
    }

    /// Those who may act, as far as their layers differ: how many, and the one of them that is simplest to tell.
    fn groups<'s>(
        &'s self,
        judge: &Judge<'_, '_, '_>,
        able: &'s [Able],
    ) -> BTreeMap<Group, (usize, IdentityNo, &'s Route)> {
        let mut groups: BTreeMap<Group, (usize, IdentityNo, &Route)> = BTreeMap::new();
        let mut gates: BTreeMap<usize, Both> = BTreeMap::new();
        for one in able {
            let Some(id) = self.ground.identity(one.number) else { continue };
            let confirm = match one.kind.gate {
                Gate::Own(provider) => *gates.entry(provider).or_insert_with(|| judge.confirm(id, &one.route)),
                Gate::Other(..) => judge.confirm(id, &one.route),
            };
            let group = (one.kind.reach, confirm, one.kind.permit, one.kind.nobody);
            let here = (one.number, &one.route);
            let slot = groups.entry(group).or_insert((0, one.number, &one.route));
            slot.0 += one.count;
            if here < (slot.1, slot.2) {
                (slot.1, slot.2) = here;
            }
        }
        groups
    }

    /// Those who may act, as far as layers 1 and 3 and how they call differ.
    fn able(&self, rights: &Rights) -> Vec<Able> {
        let mut kinds: BTreeMap<AbleKind, Able> = BTreeMap::new();
        let (mut last, mut same): (Option<AbleKind>, usize) = (None, 0);
        let flush = |kinds: &mut BTreeMap<AbleKind, Able>, kind: Option<AbleKind>, count: usize| {
            let one = kind.and_then(|kind| kinds.get_mut(&kind));
            one.into_iter().for_each(|one| one.count += count);
        };
        for (number, right) in self.held(rights) {
            let Some(id) = self.ground.identity(number) else { continue };
            let brief = self.ground.brief(number);
            for (at, acting) in self.routes_of(number).iter().enumerate() {
                if !self.goes(id, &acting.route) {
                    continue;
                }
                let own = acting.route == Route::Own && !brief.actor;
                let gate = if own { Gate::Own(brief.provider) } else { Gate::Other(number, at) };
                let permit = right.and(acting.alive);
                let kind = AbleKind { reach: acting.reach, permit, nobody: brief.nobody, gate };
                if last == Some(kind) {
                    same += 1;
                    continue;
                }
                // INVARIANT: identities come in the order of their numbers, so that the first of a kind is the one to tell.
                flush(&mut kinds, last, same);
                (last, same) = (Some(kind), 1);
                kinds.entry(kind).or_insert_with(|| Able { kind, count: 0, number, route: acting.route.clone() });
            }
        }
        flush(&mut kinds, last, same);
        kinds.into_values().collect()
    }

    /// Identities in power that may have a right, with what is known of it, in the order of their numbers.
    fn held(&self, rights: &Rights) -> Vec<(IdentityNo, Both)> {
        let in_power = |number: IdentityNo| !self.routes_of(number).is_empty();
        let mut held: Vec<(IdentityNo, Both)> =
            rights.held.iter().copied().filter(|(number, _)| in_power(*number)).collect();
        let given = rights.given.iter().filter(|(number, _)| in_power(*number));
        held.extend(given.map(|(number, atom)| (*number, self.both(&[*atom]))));
        case::join(&mut held);
        held
    }

    /// Identities in power that may have a right.
    pub fn may_act(&self, rights: &Rights) -> Vec<IdentityNo> {
        self.held(rights).into_iter().map(|(number, _)| number).collect()
    }

    /// A node with all above it up to the roots.
    #[must_use]
    pub fn above(&self, node: &NodeId) -> Vec<NodeId> {
        let world = self.ground.world;
        let mut chain: Vec<NodeId> = world.chain(node).into_iter().cloned().collect();
        chain.extend(roots_of(world, world.provider_of(node).unwrap_or("unknown")));
        chain
    }

    /// Where no identity in power may do it: one that may not, or one with the right that is out of reach.
    fn representative(&self, case: &Case<'_, 'w>, rights: &Rights) -> Option<Path> {
        let judge = Judge::new(self, case);
        let ground = self.ground;
        let denied = rights.named.iter().copied().filter(|number| !self.routes_of(*number).is_empty()).min();
        let any = || {
            if rights.providers.is_empty() {
                self.first_of.values().copied().min()
            } else {
                rights.providers.iter().filter_map(|provider| self.first_of.get(provider.as_str())).copied().min()
            }
        };
        if let Some(number) = denied.or_else(any) {
            let acting = self.routes_of(number).first()?;
            return Some(judge.path_of(ground.identity(number)?, acting, Both::same(Hold::Never)));
        }
        let out_of_reach = ground.identity(rights.allowed.iter().copied().min()?)?;
        let acting = Acting { route: Route::Own, reach: Both::same(Hold::Never), alive: Both::same(Hold::Free) };
        Some(judge.path_of(out_of_reach, &acting, Both::same(Hold::Free)))
    }
}

/// What tells those who may act apart: layers 1 to 3, and whether it is somebody.
type Group = (Both, Both, Both, bool);

/// What of that does not depend on the deed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct AbleKind {
    reach: Both,
    permit: Both,
    nobody: bool,
    gate: Gate,
}

/// What the second layer hangs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Gate {
    /// A call of the session's own to a provider, by its number.
    Own(usize),
    /// This identity, and this of the ways to act as it.
    Other(IdentityNo, usize),
}

/// Those of one kind: how many, and the first of them.
#[derive(Clone, Debug)]
struct Able {
    kind: AbleKind,
    count: usize,
    number: IdentityNo,
    route: Route,
}

/// Who may act, by the number of rights that are the same for many deeds: of one session, and one registry.
#[derive(Debug, Default)]
pub struct AbleBy(BTreeMap<usize, Rc<Vec<Able>>>);

impl AbleBy {
    fn of(&mut self, walker: &Walker<'_, '_>, rights: &Rights) -> Rc<Vec<Able>> {
        let Some(number) = rights.shared else { return Rc::new(walker.able(rights)) };
        Rc::clone(self.0.entry(number).or_insert_with(|| Rc::new(walker.able(rights))))
    }
}
