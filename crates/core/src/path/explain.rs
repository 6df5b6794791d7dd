//! Why each layer does what it does, in words, with the facts it rests on (floor 2).

use std::collections::BTreeSet;

use super::case::Case;
use super::layers::Judge;
use super::recovery::{Fate, NOTICE_ASSUMED};
use super::{Path, Route, Walker, state_of};
use crate::fact::{Fact, Gap};
use crate::id::{CredentialId, NodeId, PrincipalId, SourceId, WayId};
use crate::model::{Agent, Basis, Credential, Decision, End, Grant, Location, Protection, Side, Way};
use crate::pattern;
use crate::power::ground::sessions::{carries, generic};
use crate::power::ground::{Key, STEP};
use crate::power::{AtomNo, Hold, Sight};
use crate::verdict::{LayerName, LayerState};
use crate::world::groups::{GroupNo, MemberNo};

/// One layer, told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Why, in a few words.
    pub because: String,
    /// How well it is founded.
    pub basis: Option<Basis>,
    /// The step that changes something and gets past it.
    pub bypass: Option<String>,
    /// The gaps it depends on.
    pub gaps: BTreeSet<Gap>,
    /// The sources it rests on.
    pub sources: BTreeSet<SourceId>,
    /// Whether it rests on an agent's own gate or sandbox.
    pub agents_own: bool,
}

/// A path, told layer by layer.
#[derive(Clone, Debug)]
pub struct Story {
    /// The six layers, in order.
    pub layers: Vec<(LayerName, LayerState, Told)>,
    /// The credential that the chain begins with.
    pub credential: Option<CredentialId>,
    /// The identities, the acting one last.
    pub principals: Vec<String>,
    /// The chain in words.
    pub chain: Vec<String>,
    /// The way by which the call is issued.
    pub way: Option<WayId>,
}

/// Tells a path.
#[must_use]
pub fn story(walker: &Walker<'_, '_>, path: &Path) -> Story {
    let case = Case::new(walker.ground, &path.asset, &path.deed);
    let judge = Judge::new(walker, &case);
    let teller = Teller { walker, judge: &judge, path };
    let way = teller.way();
    let mut layers = Vec::new();
    for ((name, worst), best) in LayerName::ALL.into_iter().zip(path.worst.layers).zip(path.best.layers) {
        let state = state_of(worst, best);
        let mut told = match name {
            LayerName::Reach => teller.reach(state),
            LayerName::Confirm => teller.confirm(state, way),
            LayerName::Permit => teller.permit(state),
            LayerName::Protect => teller.protect(state),
            LayerName::Survive => teller.survive(state),
            LayerName::Restore => teller.restore(state),
        };
        if state == LayerState::Unknown {
            told.basis = Some(Basis::None);
        } else {
            told.gaps.clear();
        }
        layers.push((name, state, told));
    }
    let (credential, principals, chain) = teller.chain(way);
    Story { layers, credential, principals, chain, way: way.map(|way| way.id.clone()) }
}

struct Teller<'a, 'g, 'w> {
    walker: &'a Walker<'g, 'w>,
    judge: &'a Judge<'a, 'g, 'w>,
    path: &'a Path,
}

impl<'w> Teller<'_, '_, 'w> {
    fn find(&self, key: &Key) -> Option<AtomNo> {
        self.walker.ground.find(key)
    }

    fn principal(&self, id: &PrincipalId) -> String {
        let ground = self.walker.ground;
        let known = ground.world.principals.get(id).map(|p| p.name.clone());
        let stand_in = || ground.stand_ins.get(id).map(|s| s.name.clone());
        known
            .or_else(stand_in)
            .or_else(|| ground.actors.get(id).map(|(name, _)| name.clone()))
            .unwrap_or_else(|| id.0.clone())
    }

    fn node(&self, id: &NodeId) -> String {
        let world = self.walker.ground.world;
        let asset = world.assets.get(id).map(|asset| asset.name.clone());
        asset.or_else(|| world.copies.get(id).map(|copy| copy.name.clone())).unwrap_or_else(|| id.0.clone())
    }

    fn gap_words(&self, gap: &Gap) -> String {
        let world = self.walker.ground.world;
        let operation = world.sources.get(&gap.source).map_or("it", |source| source.operation.as_str());
        format!("`{operation}`: {}", gap.reason.words())
    }

    fn unknown(&self, gaps: BTreeSet<Gap>, what: &str) -> Told {
        let words = gaps.iter().next().map_or_else(String::new, |gap| format!(" ({})", self.gap_words(gap)));
        Told { because: format!("{what}{words}"), gaps, ..Told::default() }
    }

    /// The change that leads to all of `keys`, with the identity that makes it.
    fn bypass(&self, atoms: &[AtomNo]) -> Option<String> {
        let power = &self.walker.power;
        let mut changes = power.changes(Sight::Best, atoms);
        if changes.is_empty() {
            changes = power.changes(Sight::Worst, atoms);
        }
        let told: Vec<String> = changes
            .iter()
            .take(2)
            .map(|(head, why)| match self.other_actor(*head) {
                Some(name) => format!("{}, as {name}", why.text),
                None => why.text.clone(),
            })
            .collect();
        (!told.is_empty()).then(|| told.join(", then "))
    }

    /// The identity that a step is taken as, if it is not the path's own.
    fn other_actor(&self, head: AtomNo) -> Option<String> {
        let power = &self.walker.power;
        let actors = power.witness(head).into_iter().filter_map(|(atom, _)| match power.key(atom) {
            Some(Key::Act(principal, _)) => Some(principal.clone()),
            _ => None,
        });
        let actor = actors.into_iter().next()?;
        (actor != self.path.principal).then(|| self.principal(&actor))
    }

    /// The best-placed credential for an identity in the session's power.
    fn credential_of(&self, id: &PrincipalId) -> Option<&'w Credential> {
        let ground = self.walker.ground;
        let list = ground.credentials_of.get(id)?;
        let reached = list.iter().filter_map(|c| {
            let both = self.walker.both_of(&Key::Hold(c.clone()));
            ground.world.credentials.get(c).map(|credential| ((both.best, both.worst), credential))
        });
        let reached = reached.filter(|((_, worst), _)| *worst != Hold::Never);
        reached.min_by_key(|(both, credential)| (*both, &credential.id)).map(|(_, credential)| credential)
    }

    /// The place where this session reads a credential.
    fn location<'c>(&self, credential: &'c Credential) -> Option<&'c Location> {
        let ours = credential.locations.iter().filter(|l| l.sessions.contains(&self.walker.session.id));
        ours.clone().find(|l| l.refused.is_empty()).or_else(|| ours.clone().next())
    }

    fn label(&self, credential: &Credential) -> String {
        let location = self.location(credential).or_else(|| credential.locations.first());
        let name = location.and_then(|l| l.key.clone()).unwrap_or_else(|| {
            let kind = credential.kind.replace('_', " ");
            credential
                .public_id
                .as_ref()
                .map_or_else(|| format!("{} {kind}", credential.provider), |id| format!("{kind} {id}"))
        });
        match location {
            Some(l) if l.kind == "environment" => format!("{name} is in the session's environment"),
            Some(l) if l.kind == "network" => format!("{} asks for no credential", l.path),
            Some(l) => format!("{name} is in {}{}", l.path, l.line.map_or_else(String::new, |line| format!(":{line}"))),
            None => format!("{name} is held for the session"),
        }
    }

    fn reach(&self, state: LayerState) -> Told {
        let principal = &self.path.principal;
        let ground = self.walker.ground;
        let mut told = Told { basis: Some(Basis::Observed), ..Told::default() };
        if let Route::Deputy(way) = &self.path.route {
            let way = ground.world.ways.get(way);
            let name = way.map_or("a deputy", |way| way.name.as_str());
            told.because = format!("{name} acts as {} on the session's word", self.principal(principal));
            told.sources.extend(way.into_iter().flat_map(|way| way.sources.iter().cloned()));
        } else if let Some(credential) = self.credential_of(principal).filter(|_| state != LayerState::Stops) {
            told.because = self.label(credential);
            told.sources.extend(credential.sources.iter().cloned());
            if let Some(refusal) = self.location(credential).and_then(|l| l.refused.first())
                && state == LayerState::Slows
            {
                told.because = format!("{}; {}", told.because, refusal.because);
                told.agents_own = true;
            }
        } else if state == LayerState::Stops {
            told.because = format!("no credential for {} in its power", self.principal(principal));
            return told;
        } else {
            let atom = self.find(&Key::Held(principal.clone()));
            let steps = atom.map(|atom| self.walker.power.witness(atom)).unwrap_or_default();
            let step = steps.iter().find_map(|(_, why)| why.map(|why| (why.text.clone(), why.sources.clone())));
            let (text, sources) =
                step.unwrap_or_else(|| ("a credential that was not read may lie there".to_owned(), Vec::new()));
            told.because = if ground.stand_ins.contains_key(principal) { text } else { format!("it may {text}") };
            told.sources.extend(sources);
        }
        let key = match &self.path.route {
            Route::Own => Key::Held(principal.clone()),
            Route::Deputy(way) => Key::WayReady(way.clone()),
        };
        let atoms: Vec<AtomNo> = self.find(&key).into_iter().collect();
        self.depend(&mut told, state, &atoms);
        told
    }

    /// Adds the bypass of a layer that slows and the gaps of one that is unknown.
    fn depend(&self, told: &mut Told, state: LayerState, atoms: &[AtomNo]) {
        match state {
            LayerState::Slows => told.bypass = self.bypass(atoms),
            LayerState::Unknown => told.gaps.extend(self.walker.power.gaps(atoms)),
            LayerState::Open | LayerState::Stops => {}
        }
    }

    /// The way that meets least.
    fn way(&self) -> Option<&'w Way> {
        let world = self.walker.ground.world;
        if let Route::Deputy(id) = &self.path.route {
            return world.ways.get(id);
        }
        if let Some(id) = &self.walker.through {
            return world.ways.get(id);
        }
        let call = self.judge.call(&self.path.principal);
        let session = &self.walker.session.id;
        let fitting = world
            .ways
            .values()
            .filter(|way| way.session.as_ref() == Some(session) && generic(way) && carries(way, &call));
        fitting.min_by_key(|way| {
            let both = self.walker.both_of(&Key::WayNet(way.id.clone()));
            (both.best, both.worst, &way.id)
        })
    }

    fn approvals(&self) -> Vec<&'w Protection> {
        self.judge.case.protections.iter().copied().filter(|p| p.side == Side::Confirm).collect()
    }

    fn confirm(&self, state: LayerState, way: Option<&'w Way>) -> Told {
        let mut told = Told { basis: Some(Basis::Observed), ..Told::default() };
        let approvals = self.approvals();
        let standing = approvals.iter().find(|p| {
            let both = self.walker.both_of(&Key::Lifted(p.id.clone()));
            state_of(both.worst, both.best) == state && state != LayerState::Open
        });
        if let Some(approval) = standing {
            told.because = approval.because.clone();
            told.basis = Some(approval.basis);
            told.sources.extend(approval.sources.iter().cloned());
            let atoms: Vec<AtomNo> = self.find(&Key::Lifted(approval.id.clone())).into_iter().collect();
            self.depend(&mut told, state, &atoms);
            return told;
        }
        let Some(way) = way else {
            let atoms: Vec<AtomNo> =
                self.find(&Key::Route(self.judge.call(&self.path.principal))).into_iter().collect();
            told.because = match state {
                LayerState::Stops => "it has no way to issue this call".to_owned(),
                LayerState::Open | LayerState::Slows | LayerState::Unknown => "its ways are not all known".to_owned(),
            };
            self.depend(&mut told, state, &atoms);
            self.approval_unread(&mut told, state);
            return told;
        };
        told.sources.extend(way.sources.iter().cloned());
        told.agents_own = !way.managed && self.walker.session.agent != Agent::Plain && state != LayerState::Open;
        told.because = match (state, &way.decision) {
            (LayerState::Open, _) if self.walker.session.agent == Agent::Plain => {
                "no approval step on this call".to_owned()
            }
            (LayerState::Stops, Fact::Known(Decision::Allow | Decision::Reviewed))
                if way.contained == Fact::Known(true) =>
            {
                format!("{} runs in a sandbox without network", way.name)
            }
            _ => format!("{}: {}", way.name, way.because),
        };
        if state == LayerState::Open
            && let Some(given) = approvals.first()
        {
            told.because = format!("{}; something in reach can give that", given.because);
        }
        let key = match &self.path.route {
            Route::Own => self.walker.way_out(self.judge.call(&self.path.principal)),
            Route::Deputy(id) => Key::WayOut(id.clone()),
        };
        let atoms: Vec<AtomNo> = self.find(&key).into_iter().collect();
        self.depend(&mut told, state, &atoms);
        self.approval_unread(&mut told, state);
        told
    }

    /// Where it was not read what guards a node, it is not known either whether its provider asks a person.
    fn approval_unread(&self, told: &mut Told, state: LayerState) {
        let on = self.walker.ground.world.assets.get(&self.path.deed.on);
        if state == LayerState::Unknown
            && let Some(gap) = on.and_then(|asset| asset.protections.gap())
        {
            told.gaps.insert(gap.clone());
            told.because = format!("{}; whether the provider asks a person is not known", told.because);
        }
    }

    /// The grants of the acting identity that speak of the call, strongest first.
    fn grants(&self) -> Vec<&'w Grant> {
        let ground = self.walker.ground;
        let chain = self.walker.above(&self.path.deed.on);
        let own = |at: &'_ Vec<&'w Grant>| {
            // INVARIANT: the grants of the world, and so those at a node, stand in the order of their identities.
            let from = at.partition_point(|grant| grant.principal < self.path.principal);
            let own = at.iter().skip(from).take_while(|grant| grant.principal == self.path.principal);
            own.copied().collect::<Vec<_>>()
        };
        let at = chain.iter().filter_map(|node| ground.grants_at.get(node)).flat_map(own);
        let holds = self.groups_over(&chain);
        let of_groups = ground.grants_for_groups.get(&self.path.principal).into_iter().flatten();
        let of_groups = of_groups.filter(|(group, _)| holds(*group)).map(|(_, grant)| *grant);
        let mut found: Vec<&Grant> = at
            .chain(of_groups)
            .filter(|grant| ground.world.right(grant, &self.path.deed.action).is_some())
            .filter(|grant| ground.world.speaks_of(grant, ground.world.provider_of(&self.path.deed.on)))
            .collect();
        found.sort_by_key(|grant| match grant.allowed {
            Fact::Known(true) => 0,
            Fact::Unknown(_) => 1,
            Fact::Known(false) => 2,
        });
        found
    }

    /// Whether a group holds one of these nodes.
    fn groups_over(&self, chain: &[NodeId]) -> impl Fn(GroupNo) -> bool + 'w {
        let groups = &self.walker.ground.world.groups;
        let members: Vec<MemberNo> = chain.iter().filter_map(|node| groups.member(node)).collect();
        move |group| members.iter().any(|member| groups.holds(group, *member))
    }

    fn permit(&self, state: LayerState) -> Told {
        let ground = self.walker.ground;
        let id = &self.path.principal;
        let grants = self.grants();
        let best = grants.first().copied();
        let mut told = Told { basis: Some(best.map_or(Basis::Observed, |grant| grant.basis)), ..Told::default() };
        told.sources.extend(best.into_iter().flat_map(|grant| grant.sources.iter().cloned()));
        let name = self.principal(id);
        match state {
            LayerState::Open => {
                let step = || "it is done with rights that are not the session's own".to_owned();
                told.because = best.map_or_else(step, |grant| grant.because.clone());
            }
            LayerState::Stops => {
                told.because = best.map_or_else(
                    || format!("{name} has no right to {}", self.path.deed.action),
                    |grant| grant.because.clone(),
                );
                let own = ground.world.principals.get(id);
                told.sources.extend(own.into_iter().flat_map(|p| p.sources.iter().cloned()));
            }
            LayerState::Slows => {
                told.because = format!("{name} has no right to {}, but may be given it", self.path.deed.action);
                let atoms = self.right_atoms();
                told.bypass = self.bypass(&atoms);
            }
            LayerState::Unknown => {
                let mut gaps: BTreeSet<Gap> = best.and_then(|grant| grant.allowed.gap().cloned()).into_iter().collect();
                gaps.extend(ground.world.principals.get(id).and_then(|p| p.grants.gap().cloned()));
                gaps.extend(ground.stand_ins.get(id).map(|s| s.gap.clone()));
                if gaps.is_empty() || best.is_some_and(|grant| grant.allowed == Fact::Known(true)) {
                    let be: Vec<AtomNo> = self.find(&Key::Be(id.clone())).into_iter().collect();
                    gaps.extend(self.walker.power.gaps(&be));
                    gaps.extend(ground.world.any_delete.clone().filter(|_| self.path.deed.entry.is_none()));
                }
                gaps.extend(self.walker.power.gaps(&self.right_atoms()));
                return self.unknown(gaps, &format!("what {name} may do is not known"));
            }
        }
        told
    }

    fn right_atoms(&self) -> Vec<AtomNo> {
        let ground = self.walker.ground;
        let Some(own) = ground.number_of(&self.path.principal) else { return Vec::new() };
        let chain = self.walker.above(&self.path.deed.on);
        let at = chain.iter().filter_map(|node| ground.step_rights_at.get(node)).flatten();
        let at = at.filter(|(id, ..)| *id == own).map(|(_, wanted, atom)| (wanted, *atom));
        let groups = self.groups_over(&chain);
        let of_groups = ground.step_rights_to_groups.get(&own).into_iter().flatten();
        let of_groups = of_groups.filter(|(group, ..)| groups(*group)).map(|(_, wanted, atom)| (wanted, *atom));
        let fitting = at.chain(of_groups).filter(|(wanted, _)| pattern::matches(wanted, &self.path.deed.action));
        fitting.map(|(_, atom)| atom).take(1).collect()
    }

    fn protect(&self, state: LayerState) -> Told {
        let guards: Vec<&Protection> =
            self.judge.case.protections.iter().copied().filter(|p| p.side == Side::Protect).collect();
        let state_of_one = |p: &Protection| {
            let both = self.walker.both_of(&Key::Lifted(p.id.clone()));
            state_of(both.worst, both.best)
        };
        let on = self.walker.ground.world.assets.get(&self.path.deed.on);
        let unread = on.and_then(|asset| asset.protections.gap());
        let deciding = guards.iter().find(|p| state_of_one(p) == state);
        let mut told = Told { basis: Some(deciding.map_or(Basis::Observed, |p| p.basis)), ..Told::default() };
        told.sources.extend(deciding.into_iter().flat_map(|p| p.sources.iter().cloned()));
        if deciding.is_none() {
            told.sources.extend(on.into_iter().flat_map(|asset| asset.sources.iter().cloned()));
        }
        let name = self.node(&self.path.deed.on);
        match (state, deciding) {
            (LayerState::Open, Some(p)) => told.because = p.because.clone(),
            (LayerState::Open, None) => {
                // The action of a step has no name of its own.
                let action = &self.path.deed.action;
                let what = if action.starts_with(STEP) { "it" } else { action };
                told.because = format!("nothing on {name} refuses {what}");
            }
            (LayerState::Slows | LayerState::Stops, Some(p)) => {
                told.because = p.because.clone();
                let atoms: Vec<AtomNo> = self.find(&Key::Lifted(p.id.clone())).into_iter().collect();
                self.depend(&mut told, state, &atoms);
            }
            (LayerState::Slows | LayerState::Stops, None) => told.because = "protected".to_owned(),
            (LayerState::Unknown, _) => {
                let atoms: Vec<AtomNo> = guards.iter().filter_map(|p| self.find(&Key::Lifted(p.id.clone()))).collect();
                let mut gaps = self.walker.power.gaps(&atoms);
                gaps.extend(unread.cloned());
                let told = self.unknown(gaps, &format!("what protects {name} is not known"));
                return told;
            }
        }
        told
    }

    fn shown(&self) -> Option<&Fate<'w>> {
        self.judge.copies.shown.and_then(|at| self.judge.copies.fates.get(at))
    }

    fn copies_gap(&self) -> Option<Gap> {
        self.walker.ground.world.assets.get(&self.path.asset).and_then(|asset| asset.copies.gap().cloned())
    }

    fn survive(&self, state: LayerState) -> Told {
        let asset = self.walker.ground.world.assets.get(&self.path.asset);
        let fate = self.shown();
        let mut told = Told { basis: Some(fate.map_or(Basis::Observed, |f| f.copy.basis)), ..Told::default() };
        told.sources.extend(fate.into_iter().flat_map(|f| f.copy.sources.iter().cloned()));
        if fate.is_none() {
            told.sources.extend(asset.into_iter().flat_map(|asset| asset.sources.iter().cloned()));
        }
        if state == LayerState::Unknown {
            let mut gaps: BTreeSet<Gap> = self.copies_gap().into_iter().collect();
            for fate in &self.judge.copies.fates {
                gaps.extend(fate.copy.dies_with.gap().cloned());
                gaps.extend(fate.copy.ends.gap().cloned());
                let atoms: Vec<AtomNo> = self.find(&Key::Destroyed(fate.copy.id.clone())).into_iter().collect();
                gaps.extend(self.walker.power.gaps(&atoms));
            }
            return self.unknown(gaps, "whether a copy outlives it is not known");
        }
        let Some(fate) = fate else {
            told.because = "there is no copy".to_owned();
            return told;
        };
        let copy = fate.copy;
        told.because = match state {
            LayerState::Open if fate.ends_early => {
                let notice = self.walker.policy.time_to_notice.unwrap_or(NOTICE_ASSUMED).human();
                format!("{} ends before the {notice} in which a loss is noticed", copy.name)
            }
            LayerState::Open => format!("{} goes with it: {}", copy.name, copy.because),
            LayerState::Stops => format!("{}: {}{}", copy.name, copy.because, ends_words(&copy.ends)),
            LayerState::Slows | LayerState::Unknown => format!("{}: {}", copy.name, copy.because),
        };
        let atoms: Vec<AtomNo> = self.find(&Key::Destroyed(copy.id.clone())).into_iter().collect();
        self.depend(&mut told, state, &atoms);
        told
    }

    fn restore(&self, state: LayerState) -> Told {
        let mut told = Told { basis: Some(Basis::Observed), ..Told::default() };
        let Some(fate) = self.shown().filter(|_| state != LayerState::Open) else {
            told.because = "nothing to restore from".to_owned();
            if state == LayerState::Unknown {
                return self
                    .unknown(self.copies_gap().into_iter().collect(), "whether anything can be restored is not known");
            }
            return told;
        };
        told.sources.extend(fate.copy.sources.iter().cloned());
        if state == LayerState::Unknown {
            let drill = fate.drill.and_then(|drill| drill.took.gap().cloned());
            let all = [self.copies_gap(), fate.copy.drills.gap().cloned(), fate.copy.lag.gap().cloned(), drill];
            let mut gaps: BTreeSet<Gap> = all.into_iter().flatten().collect();
            gaps.extend(fate.copy.ends.gap().cloned());
            gaps.extend(fate.copy.dies_with.gap().cloned());
            return self.unknown(gaps, "whether it was ever restored is not known");
        }
        told.basis = Some(fate.drill.map_or(Basis::Observed, |drill| drill.basis));
        told.because = self.drill_words(fate, state);
        told
    }

    fn drill_words(&self, fate: &Fate<'_>, state: LayerState) -> String {
        let declared = self.walker.policy.assets.get(self.path.asset.as_str());
        let lag = fate.copy.lag.known().map_or_else(String::new, |lag| format!("up to {} of data lost", lag.human()));
        let rpo = declared.and_then(|d| d.rpo).map_or_else(String::new, |rpo| format!(", RPO {}", rpo.human()));
        let rto = declared.and_then(|d| d.rto).map_or_else(String::new, |rto| format!(", RTO {}", rto.human()));
        let drill = match fate.drill {
            None => "never restored".to_owned(),
            Some(drill) => {
                let took = drill.took.known().map_or_else(String::new, |took| format!(" in {}", took.human()));
                let word = if drill.worked { "restored" } else { "a restore failed" };
                format!("{word} on {}{took}{rto}", drill.tested_at.day())
            }
        };
        if fate.worst.outside {
            return format!("outside RPO/RTO: {lag}{rpo}; {drill}");
        }
        match (state, fate.drill) {
            (LayerState::Slows, Some(held)) if held.worked => format!("{drill}; too long ago, or not timed"),
            (LayerState::Slows | LayerState::Stops | LayerState::Open | LayerState::Unknown, _) if lag.is_empty() => {
                drill
            }
            (LayerState::Slows | LayerState::Stops | LayerState::Open | LayerState::Unknown, _) => {
                format!("{drill}; {lag}{rpo}")
            }
        }
    }

    /// The chain: the credential it begins with, the identities, and the whole in words.
    fn chain(&self, way: Option<&Way>) -> (Option<CredentialId>, Vec<String>, Vec<String>) {
        let ground = self.walker.ground;
        let acting = &self.path.principal;
        let mut words = vec![format!("{} is at work", self.walker.session.name)];
        let mut principals = Vec::new();
        let mut credential = None;
        let held = self.find(&Key::Held(acting.clone())).filter(|_| self.path.route == Route::Own);
        let direct = self.credential_of(acting).filter(|_| self.path.route == Route::Own);
        if let Some(found) = direct {
            credential = Some(found.id.clone());
            words.push(self.label(found));
            words.push(format!("that is {}", self.principal(acting)));
        } else if let Some(atom) = held {
            for (at, why) in self.walker.power.witness(atom).into_iter().rev() {
                match self.walker.power.key(at) {
                    Some(Key::Hold(id)) if credential.is_none() => {
                        credential = Some(id.clone());
                        words.extend(ground.world.credentials.get(id).map(|c| self.label(c)));
                    }
                    Some(Key::Held(id)) => {
                        let name = self.principal(id);
                        let by = why.map_or_else(String::new, |why| format!(": it may {}", why.text));
                        words.push(format!("that is {name}{by}"));
                        principals.push(name);
                    }
                    _ => {}
                }
            }
        }
        if principals.is_empty() {
            principals.push(self.principal(acting));
        }
        if let Some(way) = way {
            words.push(format!("it calls through {}", way.name));
        }
        let on = self.node(&self.path.deed.on);
        words.push(format!("{} on {on}", self.path.deed.action));
        (credential, principals, words)
    }
}

fn ends_words(ends: &Fact<End>) -> String {
    match ends {
        Fact::Known(End::After(span)) => format!("; it ends {} after the delete", span.human()),
        Fact::Known(End::At(at)) => format!("; it ends on {}", at.day()),
        Fact::Known(End::Never) | Fact::Unknown(_) => String::new(),
    }
}
