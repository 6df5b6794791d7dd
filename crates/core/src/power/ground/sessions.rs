//! What a session reads, which ways it has, and who it becomes (floor 2).

use std::collections::BTreeSet;

use super::super::{AtomNo, When, Why};
use super::{Builder, Key, StandIn, roots_of, stand_in, step_action};
use crate::fact::{Fact, Gap};
use crate::id::{CredentialId, NodeId, PrincipalId, SessionId};
use crate::model::{Atom, Credential, Decision, Location, Override, Session, Status, Step, Way};
use crate::pattern;
use crate::world::ANY_DELETE;

impl<'w> Builder<'w> {
    pub(super) fn sessions(&mut self) {
        let world = self.world;
        for way in world.ways.values() {
            self.way(way);
        }
        for session in world.sessions.values() {
            self.unlisted_ways(session);
            self.unread(session);
        }
        for credential in world.credentials.values() {
            self.credential(credential);
        }
        self.lost_sessions();
    }

    /// A session that was not assessed may be any that the facts name and do not describe.
    fn lost_sessions(&mut self) {
        let world = self.world;
        let Some(unassessed) = world.sessions.get(&SessionId::from("?")) else { return };
        let Some(gap) = unassessed.reach.gap() else { return };
        let ways = world.ways.values().filter_map(|way| way.session.as_ref());
        let steps = world.steps.iter().filter_map(|step| step.session.as_ref());
        let places = world.credentials.values().flat_map(|c| &c.locations).flat_map(|location| &location.sessions);
        let named: BTreeSet<&SessionId> = ways.chain(steps).chain(places).collect();
        let start = self.atom(Key::Session(unassessed.id.clone()));
        for id in named.into_iter().filter(|id| !world.sessions.contains_key(id)) {
            let lost = self.atom(Key::Session(id.clone()));
            self.rules.add(lost, vec![start], When::Maybe(gap.clone()));
        }
    }

    fn way(&mut self, way: &'w Way) {
        let id = || way.id.clone();
        let ready = self.atom(Key::WayReady(id()));
        let mut needs = self.needed_all(&way.needs);
        if let Some(session) = &way.session {
            needs.push(self.atom(Key::Session(session.clone())));
        }
        self.rules.add(ready, needs, When::Holds);
        let gate = self.atom(Key::WayGate(id()));
        let free = |decision: &Decision| matches!(decision, Decision::Allow | Decision::Reviewed);
        self.add_if(gate, Vec::new(), &way.decision, free);
        if !way.decision.known().is_some_and(free) {
            self.overrides(gate, &[], &way.overrides);
        }
        let usable = self.atom(Key::Way(id()));
        self.rules.add(usable, vec![ready, gate], When::Holds);
        let out = self.atom(Key::WayOut(id()));
        self.add_if(out, vec![gate], &way.contained, |contained| !contained);
        if way.contained != Fact::Known(false) {
            self.overrides(out, &[gate], &way.escapes);
        }
        let net = self.atom(Key::WayNet(id()));
        self.rules.add(net, vec![ready, out], When::Holds);
        for credential in way.holds.iter().filter_map(|id| self.world.credentials.get(id)) {
            if let (Fact::Unknown(gap), None) = (&credential.identity, &credential.within) {
                let anyone = self.atom(Key::Anyone(credential.provider.clone()));
                let alive = self.atom(Key::Alive(credential.id.clone()));
                self.rules.add(anyone, vec![net, alive], When::Maybe(gap.clone()));
            }
        }
        for principal in self.acted_as(way) {
            let acts = self.acting_as(&principal);
            for alive in self.alive_for(way, &principal) {
                let needs = [Some(net), alive].into_iter().flatten().collect();
                self.rules.add(acts, needs, When::Holds);
            }
            self.out.deputies_of.entry(principal).or_default().push(way);
        }
    }

    /// The identities that a deputy acts as.
    fn acted_as(&self, way: &Way) -> BTreeSet<PrincipalId> {
        let held = way.holds.iter().filter_map(|id| self.world.credentials.get(id));
        way.acts_as.iter().cloned().chain(held.map(identity_or_stand_in)).collect()
    }

    fn overrides(&mut self, head: AtomNo, needs: &[AtomNo], overrides: &[Override]) {
        for item in overrides {
            let mut all = self.needed_all(&item.needs);
            all.extend(needs);
            let why = Why { text: item.because.clone(), sources: item.sources.clone() };
            self.rules.add_change(head, all, When::Holds, why);
        }
    }

    /// A session whose ways are not all listed may have one that nothing stands before.
    fn unlisted_ways(&mut self, session: &Session) {
        let Fact::Unknown(gap) = &session.ways else { return };
        let id = unlisted_way(session);
        let start = self.atom(Key::Session(session.id.clone()));
        for key in [Key::WayReady(id.clone()), Key::WayGate(id.clone()), Key::Way(id.clone())] {
            let head = self.atom(key);
            self.rules.add(head, vec![start], When::Maybe(gap.clone()));
        }
        for key in [Key::WayOut(id.clone()), Key::WayNet(id)] {
            let head = self.atom(key);
            self.rules.add(head, vec![start], When::Maybe(gap.clone()));
        }
    }

    /// A session whose reach was not read to its end may hold a credential of anyone; one whose ways are not all listed
    /// may have a deputy that acts as anyone.
    fn unread(&mut self, session: &'w Session) {
        let Some(gap) = session.reach.gap().or(session.ways.gap()) else { return };
        let start = self.atom(Key::Session(session.id.clone()));
        let world = self.world;
        let mut providers: BTreeSet<&str> = world.assets.values().map(|asset| asset.provider.as_str()).collect();
        providers.extend(world.principals.values().map(|p| p.provider.as_str()));
        for provider in providers {
            let id: PrincipalId = format!("?{}/{provider}", session.id).into();
            let name = "whoever a credential that was not read belongs to".to_owned();
            self.stand_in_for(&id, name, provider, None, gap, Some(session));
            for key in [Key::Held(id.clone()), Key::Be(id.clone()), Key::Anyone(provider.to_owned())] {
                let head = self.atom(key);
                self.rules.add(head, vec![start], When::Maybe(gap.clone()));
            }
        }
        let needed: BTreeSet<&CredentialId> = world.needed().filter_map(credential_atom).collect();
        for id in needed {
            let head = self.atom(Key::Hold(id.clone()));
            self.rules.add(head, vec![start], When::Maybe(gap.clone()));
        }
    }

    fn stand_in_for(
        &mut self,
        id: &PrincipalId,
        name: String,
        provider: &str,
        within: Option<NodeId>,
        gap: &Gap,
        unread_by: Option<&Session>,
    ) {
        let unread_by = unread_by.map(|session| session.id.clone());
        let stand_in = StandIn { name, provider: provider.to_owned(), within, gap: gap.clone(), unread_by };
        self.out.stand_ins.insert(id.clone(), stand_in);
    }

    fn credential(&mut self, credential: &'w Credential) {
        let who = identity_or_stand_in(credential);
        if let Fact::Unknown(gap) = &credential.identity {
            let name = format!("whoever {} {} is", credential.provider, credential.kind.replace('_', " "));
            self.stand_in_for(&who, name, &credential.provider, credential.within.clone(), gap, None);
        }
        if credential.status == Fact::Known(Status::Revoked) {
            return;
        }
        self.out.credentials_of.entry(who.clone()).or_default().push(credential.id.clone());
        let hold = self.atom(Key::Hold(credential.id.clone()));
        for location in &credential.locations {
            self.location(hold, location);
        }
        let alive = self.atom(Key::Alive(credential.id.clone()));
        self.add_if(alive, Vec::new(), &credential.status, |status| *status == Status::Live);
        let held = self.atom(Key::Held(who.clone()));
        self.rules.add(held, vec![hold], When::Holds);
        let be = self.atom(Key::Be(who));
        self.rules.add(be, vec![hold, alive], When::Holds);
        if let (Fact::Unknown(gap), None) = (&credential.identity, &credential.within) {
            let anyone = self.atom(Key::Anyone(credential.provider.clone()));
            self.rules.add(anyone, vec![hold, alive], When::Maybe(gap.clone()));
        }
    }

    /// A place is read by every way of its sessions that reads and is not refused it.
    fn location(&mut self, hold: AtomNo, location: &Location) {
        let by_network = location.kind == "network";
        let world = self.world;
        for session in &location.sessions {
            let ways = self.ways_of.get(session).cloned().unwrap_or_default().into_iter();
            for way in ways.filter(|way| if by_network { generic(way) } else { way.reads }) {
                let key = if by_network { Key::WayNet(way.id.clone()) } else { Key::Way(way.id.clone()) };
                let reading = self.atom(key);
                match location.refused.iter().find(|refusal| refusal.way == way.id) {
                    None => self.rules.add(hold, vec![reading], When::Holds),
                    Some(refusal) => self.overrides(hold, &[reading], &refusal.overrides),
                }
            }
            let unlisted = world.sessions.get(session).filter(|session| session.ways.gap().is_some());
            if let Some(session) = unlisted {
                let reading = self.atom(Key::Way(unlisted_way(session)));
                self.rules.add(hold, vec![reading], When::Holds);
            }
        }
    }

    pub(super) fn steps(&mut self) {
        let world = self.world;
        for step in &world.steps {
            let mut needs = self.needed_all(&step.needs);
            if let Some(session) = &step.session {
                needs.push(self.atom(Key::Session(session.clone())));
            }
            let when = match &step.possible {
                Fact::Known(true) => When::Holds,
                Fact::Known(false) => continue,
                Fact::Unknown(gap) => When::Maybe(gap.clone()),
            };
            for gain in &step.gains {
                for head in self.gained(gain, step) {
                    let why = Why { text: step.because.clone(), sources: step.sources.clone() };
                    if step.changes {
                        self.rules.add_change(head, needs.clone(), when.clone(), why);
                    } else {
                        self.rules.add_told(head, needs.clone(), when.clone(), why);
                    }
                }
            }
        }
        self.anyone();
        self.missing();
        self.unlisted_steps();
    }

    /// A step that is not listed may do anything at all.
    fn unlisted_steps(&mut self) {
        let world = self.world;
        let Some(gap) = &world.unlisted_steps else { return };
        let actor = PrincipalId::from("step:?");
        let held = self.atom(Key::Held(actor.clone()));
        self.rules.add(held, Vec::new(), When::Maybe(gap.clone()));
        let be = self.atom(Key::Be(actor.clone()));
        self.rules.add(be, vec![held], When::Holds);
        let pairs: Vec<(String, NodeId)> =
            self.at.iter().flat_map(|(node, actions)| actions.iter().map(|a| (a.clone(), node.clone()))).collect();
        let mut heads: Vec<Key> = pairs.iter().map(|(action, node)| Key::Can(action.clone(), node.clone())).collect();
        heads.extend(world.protections.iter().map(|protection| Key::Lifted(protection.id.clone())));
        heads.extend(world.copies.keys().map(|copy| Key::Destroyed(copy.clone())));
        for key in heads {
            let head = self.atom(key);
            self.rules.add(head, vec![be], When::Holds);
        }
        self.out.actors.insert(actor.clone(), ("a step that is not listed".to_owned(), "unknown".to_owned()));
        self.out.step_deeds.extend(pairs.into_iter().map(|(action, node)| (actor.clone(), action, node)));
    }

    /// What is needed and not described may be had.
    fn missing(&mut self) {
        let world = self.world;
        let Some(gap) = &world.missing else { return };
        let locks: BTreeSet<_> = world.protections.iter().map(|p| &p.id).collect();
        let described = |atom: &Atom| match atom {
            Atom::Credential(id) => world.credentials.contains_key(id),
            Atom::Way(id) => world.ways.contains_key(id),
            Atom::Lifted(id) => locks.contains(id),
            Atom::Destroyed(id) => world.assets.contains_key(id) || world.copies.contains_key(id),
            Atom::Principal(_) | Atom::Can { .. } | Atom::Right { .. } => true,
        };
        let missing: BTreeSet<&Atom> = world.needed().filter(|atom| !described(atom)).collect();
        for atom in missing {
            let mut heads = vec![self.needed(atom)];
            if let Atom::Credential(id) = atom {
                heads.push(self.atom(Key::Alive(id.clone())));
            }
            for head in heads {
                self.rules.add(head, Vec::new(), When::Maybe(gap.clone()));
            }
        }
    }

    /// The atoms that a fact means where it is gained.
    fn gained(&mut self, gain: &Atom, step: &Step) -> Vec<AtomNo> {
        match gain {
            Atom::Principal(id) => vec![self.atom(Key::Held(id.clone())), self.atom(Key::Be(id.clone()))],
            Atom::Right { principal, action, target } => {
                self.out.step_rights.push((principal.clone(), action.clone(), target.clone()));
                vec![self.needed(gain)]
            }
            Atom::Can { action, target } => vec![self.step_deed(step, action, target)],
            Atom::Destroyed(node) => vec![self.needed(gain), self.step_deed(step, &step_action(&step.id), node)],
            Atom::Credential(_) | Atom::Way(_) | Atom::Lifted(_) => vec![self.needed(gain)],
        }
    }

    /// What a step has done, whoever does it: an actor of its own stands for that, and what it meets at the node counts.
    fn step_deed(&mut self, step: &Step, action: &str, target: &NodeId) -> AtomNo {
        let actor: PrincipalId = format!("step:{}", step.id).into();
        let provider = self.world.provider_of(target).unwrap_or("unknown").to_owned();
        self.out.actors.insert(actor.clone(), (format!("what follows once it may {}", step.because), provider));
        self.out.step_deeds.push((actor.clone(), action.to_owned(), target.clone()));
        let held = self.atom(Key::Held(actor.clone()));
        let be = self.atom(Key::Be(actor));
        self.rules.add(be, vec![held], When::Holds);
        let can = self.atom(Key::Can(action.to_owned(), target.clone()));
        self.rules.add(can, vec![be], When::Holds);
        held
    }

    /// An unidentified credential may be any identity that matters beyond its own rights.
    fn anyone(&mut self) {
        let world = self.world;
        let mut named: BTreeSet<&PrincipalId> = BTreeSet::new();
        for atom in world.needed() {
            if let Atom::Principal(id) | Atom::Right { principal: id, .. } = atom {
                named.insert(id);
            }
        }
        for grant in &world.grants {
            let own = world.principals.get(&grant.principal).map(|p| p.provider.as_str());
            if grant.target.as_str() != "*" && world.provider_of(&grant.target).is_some_and(|p| Some(p) != own) {
                named.insert(&grant.principal);
            }
        }
        for id in named {
            let Some(principal) = world.principals.get(id) else { continue };
            for root in roots_of(world, &principal.provider) {
                let provider = root.as_str().trim_start_matches("*:").to_owned();
                let anyone = self.atom(Key::Anyone(provider));
                for key in [Key::Held(id.clone()), Key::Be(id.clone())] {
                    let head = self.atom(key);
                    self.rules.add(head, vec![anyone], When::Holds);
                }
            }
        }
    }

    /// Rights become things that can be done, at the node that they were given for.
    pub(super) fn rights(&mut self) {
        let grants: Vec<_> = self.out.grants_at.iter().map(|(node, list)| (node.clone(), list.clone())).collect();
        for (node, list) in grants {
            let Some(actions) = self.relevant_at(&node) else { continue };
            // What refuses gives nothing.
            for grant in list.into_iter().filter(|grant| grant.allowed != Fact::Known(false)) {
                for (action, called) in spoken_of(&actions, &grant.actions) {
                    let Some(allowed) = self.world.right(grant, action) else { continue };
                    if !self.world.speaks_of(grant, *called) {
                        continue;
                    }
                    let act = self.act(&grant.principal, action);
                    let can = self.atom(Key::Can(action.clone(), node.clone()));
                    self.add_if(can, vec![act], &allowed, |allowed| *allowed);
                }
            }
        }
        let unlisted: Vec<(PrincipalId, NodeId, Gap)> = self.unlisted_rights();
        for (principal, node, gap) in unlisted {
            let Some(actions) = self.relevant_at(&node) else { continue };
            for (action, _) in actions {
                let act = self.act(&principal, &action);
                let can = self.atom(Key::Can(action, node.clone()));
                self.rules.add(can, vec![act], When::Maybe(gap.clone()));
            }
        }
        let given: Vec<_> = self.out.step_rights.clone();
        for (principal, wanted, node) in given {
            let Some(actions) = self.relevant_at(&node) else { continue };
            let right = self.atom(Key::Right(principal.clone(), wanted.clone(), node.clone()));
            for (action, _) in actions.iter().filter(|(action, _)| pattern::matches(&wanted, action)) {
                let act = self.act(&principal, action);
                let can = self.atom(Key::Can(action.clone(), node.clone()));
                self.rules.add(can, vec![act, right], When::Holds);
            }
        }
    }

    /// Identities that may have rights nobody listed, with the node these would be given for.
    fn unlisted_rights(&self) -> Vec<(PrincipalId, NodeId, Gap)> {
        let mut list = Vec::new();
        for principal in self.world.principals.values() {
            if let Fact::Unknown(gap) = &principal.grants {
                let roots = roots_of(self.world, &principal.provider);
                list.extend(roots.into_iter().map(|root| (principal.id.clone(), root, gap.clone())));
            }
        }
        for (id, stand_in) in &self.out.stand_ins {
            let whole = || roots_of(self.world, &stand_in.provider);
            let nodes = stand_in.within.clone().map_or_else(whole, |node| vec![node]);
            list.extend(nodes.into_iter().map(|node| (id.clone(), node, stand_in.gap.clone())));
        }
        list
    }

    /// The atom for issuing an action as an identity, with the rules for it.
    fn act(&mut self, principal: &PrincipalId, action: &str) -> AtomNo {
        let provider = match self.out.stand_ins.get(principal) {
            Some(stand_in) => stand_in.provider.clone(),
            None => self.world.principals.get(principal).map_or_else(|| "unknown".to_owned(), |p| p.provider.clone()),
        };
        let call = format!("{provider}/{action}");
        let key = Key::Act(principal.clone(), call.clone());
        if let Some(found) = self.rules.find(&key) {
            return found;
        }
        let act = self.atom(key);
        let be = self.atom(Key::Be(principal.clone()));
        let route = self.route(&call);
        self.rules.add(act, vec![be, route], When::Holds);
        for way in self.out.deputies_of.get(principal).cloned().unwrap_or_default() {
            if carries(way, &call) {
                let net = self.atom(Key::WayNet(way.id.clone()));
                for alive in self.alive_for(way, principal) {
                    let needs = [Some(net), alive].into_iter().flatten().collect();
                    self.rules.add(act, needs, When::Holds);
                }
            }
        }
        act
    }

    /// What keeps a deputy's credential alive; nothing, where it acts without one that we know of.
    fn alive_for(&mut self, way: &Way, principal: &PrincipalId) -> Vec<Option<AtomNo>> {
        if way.acts_as.contains(principal) {
            return vec![None];
        }
        let world = self.world;
        let held = way.holds.iter().filter_map(|id| world.credentials.get(id));
        let of_principal: Vec<&Credential> = held.filter(|c| identity_or_stand_in(c) == *principal).collect();
        of_principal.into_iter().map(|c| Some(self.atom(Key::Alive(c.id.clone())))).collect()
    }

    /// The atom for carrying a call out, with the rules for it.
    pub(super) fn route(&mut self, call: &str) -> AtomNo {
        let key = Key::Route(call.to_owned());
        if let Some(found) = self.rules.find(&key) {
            return found;
        }
        let route = self.atom(key);
        let world = self.world;
        for way in world.ways.values().filter(|way| generic(way) && carries(way, call)) {
            let net = self.atom(Key::WayNet(way.id.clone()));
            self.rules.add(route, vec![net], When::Holds);
        }
        for session in world.sessions.values().filter(|session| session.ways.gap().is_some()) {
            let net = self.atom(Key::WayNet(unlisted_way(session)));
            self.rules.add(route, vec![net], When::Holds);
        }
        route
    }
}

/// The way that stands for those of a session that are not listed.
#[must_use]
pub fn unlisted_way(session: &Session) -> crate::id::WayId {
    format!("?{}", session.id).into()
}

/// Whether a way carries calls for whatever the session holds itself.
#[must_use]
pub const fn generic(way: &Way) -> bool {
    way.holds.is_empty() && way.acts_as.is_empty()
}

/// Whether a way can carry a `provider/action`. What nobody listed may go by any call of its provider.
#[must_use]
pub fn carries(way: &Way, call: &str) -> bool {
    let of = |provider: &str| {
        way.carries.iter().filter_map(|carried| carried.split_once('/')).any(|(own, _)| pattern::matches(own, provider))
    };
    let provider = call.split_once('/').filter(|(_, action)| *action == ANY_DELETE).map(|(provider, _)| provider);
    pattern::any(&way.carries, call) || provider.is_some_and(of)
}

/// Who a credential authenticates as, or the stand-in for whoever that is.
#[must_use]
pub fn identity_or_stand_in(credential: &Credential) -> PrincipalId {
    match &credential.identity {
        Fact::Known(principal) => principal.clone(),
        Fact::Unknown(_) => stand_in(&credential.id),
    }
}

/// Those of the actions that a grant with these patterns may speak of.
fn spoken_of<'a, 'w>(
    actions: &'a BTreeSet<(String, Option<&'w str>)>,
    patterns: &[String],
) -> Vec<&'a (String, Option<&'w str>)> {
    if patterns.iter().any(|pattern| pattern.contains('*')) {
        return actions.iter().collect();
    }
    let named: BTreeSet<&str> = patterns.iter().map(String::as_str).chain([ANY_DELETE]).collect();
    let of = |name: &'_ str| {
        let from = (name.to_owned(), None);
        actions.range(from.clone()..).take_while(move |(action, _)| *action == from.0)
    };
    named.into_iter().flat_map(of).collect()
}

const fn credential_atom(atom: &Atom) -> Option<&CredentialId> {
    match atom {
        Atom::Credential(id) => Some(id),
        Atom::Principal(_)
        | Atom::Way(_)
        | Atom::Lifted(_)
        | Atom::Can { .. }
        | Atom::Right { .. }
        | Atom::Destroyed(_) => None,
    }
}
