//! Locks, copies and what is lost (floor 2).

use std::collections::BTreeSet;

use super::super::{AtomNo, When, Why};
use super::sessions::{carries, generic};
use super::{Builder, Key};
use crate::fact::{Fact, Gap};
use crate::id::NodeId;
use crate::model::{Basis, Copy, Lift, Protection};
use crate::pattern;

impl Builder<'_> {
    pub(super) fn assets(&mut self) {
        let world = self.world;
        for protection in &world.protections {
            self.protection(protection);
        }
        let deeds: Vec<_> = self.out.deeds.iter().map(|(id, deeds)| (id.clone(), deeds.clone())).collect();
        for (asset, deeds) in deeds {
            let destroyed = self.atom(Key::Destroyed(asset.clone()));
            for deed in deeds {
                let mut needs = vec![self.atom(Key::Do(deed.action.clone(), deed.on.clone()))];
                needs.extend(self.holding_parent(&asset, &deed.on, &deed.action));
                let why = Why { text: format!("call {} on {}", deed.action, self.name(&deed.on)), sources: Vec::new() };
                self.rules.add_change(destroyed, needs, When::Holds, why);
            }
        }
        for copy in world.copies.values() {
            self.copy(copy);
        }
    }

    fn name(&self, node: &NodeId) -> String {
        self.world.assets.get(node).map_or_else(|| node.0.clone(), |asset| asset.name.clone())
    }

    fn protection(&mut self, protection: &Protection) {
        let lifted = self.atom(Key::Lifted(protection.id.clone()));
        let nothing = Vec::new;
        if protection.basis == Basis::Declared {
            self.rules.add(lifted, nothing(), When::Holds);
            return;
        }
        self.add_if(lifted, nothing(), &protection.enabled, |on| !on);
        self.add_if(lifted, nothing(), &protection.whole, |whole| !whole);
        match &protection.lifts {
            Fact::Unknown(gap) => self.rules.add(lifted, nothing(), When::Maybe(gap.clone())),
            Fact::Known(lifts) => self.lifts(lifted, lifts),
        }
        if !protection.only_ways.is_empty() {
            self.around_the_client(lifted, protection);
        }
    }

    /// A protection that only one client knows of is passed by every other way that carries the call.
    fn around_the_client(&mut self, lifted: AtomNo, protection: &Protection) {
        let world = self.world;
        let provider = world.provider_of(&protection.on).unwrap_or("unknown").to_owned();
        let relevant = self.relevant.get(&protection.on).into_iter().flatten();
        let actions: Vec<String> = relevant.map(|(action, _)| action.clone()).collect();
        let calls: Vec<String> = actions
            .iter()
            .filter(|action| pattern::any(&protection.covers, action))
            .map(|action| format!("{provider}/{action}"))
            .collect();
        for way in world.ways.values().filter(|way| !protection.only_ways.contains(&way.kind)) {
            let relevant = !generic(way) || calls.iter().any(|call| carries(way, call));
            if relevant {
                let net = self.atom(Key::WayNet(way.id.clone()));
                self.rules.add(lifted, vec![net], When::Holds);
            }
        }
        for session in world.sessions.values().filter(|session| session.ways.gap().is_some()) {
            let net = self.atom(Key::WayNet(super::sessions::unlisted_way(session)));
            self.rules.add(lifted, vec![net], When::Holds);
        }
    }

    fn lifts(&mut self, head: AtomNo, lifts: &[Lift]) {
        for lift in lifts {
            let needs = self.needed_all(&lift.needs);
            let why = Why { text: lift.because.clone(), sources: Vec::new() };
            if lift.changes {
                self.rules.add_change(head, needs, When::Holds, why);
            } else {
                self.rules.add_told(head, needs, When::Holds, why);
            }
        }
    }

    /// The protections of an asset, and of what lies between, that also keep what it lies in.
    fn holding_parent(&mut self, asset: &NodeId, on: &NodeId, action: &str) -> Vec<AtomNo> {
        let chain = self.world.below(asset, on);
        let mut needs = Vec::new();
        for node in chain {
            let holding: Vec<&Protection> = self.out.protections_on.get(&node).cloned().unwrap_or_default();
            for protection in holding.into_iter().filter(|p| p.holds_parent && pattern::any(&p.covers, action)) {
                needs.push(self.atom(Key::Lifted(protection.id.clone())));
            }
        }
        needs
    }

    fn copy(&mut self, copy: &Copy) {
        let world = self.world;
        let destroyed = self.atom(Key::Destroyed(copy.id.clone()));
        match &copy.destroyed_by {
            Fact::Unknown(gap) => self.rules.add(destroyed, Vec::new(), When::Maybe(gap.clone())),
            Fact::Known(lifts) => self.lifts(destroyed, lifts),
        }
        let place = copy.place.iter().filter(|place| **place != copy.of);
        for need in copy.needs.iter().chain(place) {
            let gone = self.atom(Key::Destroyed(need.clone()));
            let why = Why { text: format!("destroy {}", self.name(need)), sources: Vec::new() };
            let described = world.assets.contains_key(need) || world.copies.contains_key(need);
            if let (false, Some(gap)) = (described, &world.missing) {
                self.rules.add(destroyed, Vec::new(), When::Maybe(gap.clone()));
            }
            self.rules.add_change(destroyed, vec![gone], When::Holds, why);
        }
        let above: Vec<NodeId> = world.chain(&copy.of).into_iter().cloned().collect();
        let mut pairs: Vec<(String, NodeId)> = Vec::new();
        for node in &above {
            pairs.extend(self.at.get(node).into_iter().flatten().map(|action| (action.clone(), node.clone())));
        }
        for (action, node) in pairs {
            let done = self.atom(Key::Do(action.clone(), node.clone()));
            let why = Why { text: format!("call {action} on {}", self.name(&node)), sources: Vec::new() };
            match &copy.dies_with {
                Fact::Known(patterns) if pattern::any(patterns, &action) => {
                    self.rules.add_change(destroyed, vec![done], When::Holds, why);
                }
                Fact::Known(_) => {}
                Fact::Unknown(gap) => self.rules.add_change(destroyed, vec![done], When::Maybe(gap.clone()), why),
            }
        }
    }

    /// What can be done at a node: by a right to it or to anything above it, past every approval and protection.
    pub(super) fn actions(&mut self) {
        let all = self.at.iter().flat_map(|(node, actions)| actions.iter().map(|a| (a.clone(), node.clone())));
        let pairs: Vec<(String, NodeId)> = all.collect();
        let mut linked = BTreeSet::new();
        for (action, node) in pairs {
            self.link(&action, &node, &mut linked);
            if let Some(provider) = self.world.provider_of(&node) {
                self.route(&format!("{provider}/{action}"));
            }
            let done = self.atom(Key::Do(action.clone(), node.clone()));
            let mut needs = vec![self.atom(Key::CanAt(action.clone(), node.clone()))];
            needs.extend(self.meets(&action, &node));
            // Where it was not read to its end what guards a node, something that nobody listed may refuse.
            let when = self.unlisted(&node).map_or(When::Holds, When::Maybe);
            self.rules.add(done, needs, when);
        }
    }

    /// Why it is not known whether all that guards a node, or the place of a copy, is listed.
    fn unlisted(&self, node: &NodeId) -> Option<Gap> {
        let place = self.world.copies.get(node).and_then(|copy| copy.place.as_ref());
        let held = [Some(node), place].into_iter().flatten().filter_map(|id| self.world.assets.get(id));
        held.filter_map(|asset| asset.protections.gap().cloned()).next()
    }

    /// Lets a right flow down from every node above, each link once.
    fn link(&mut self, action: &str, node: &NodeId, linked: &mut BTreeSet<(String, NodeId)>) {
        let mut below: Option<AtomNo> = None;
        for at in self.chain(node) {
            let is_root = at.as_str().starts_with("*:");
            let can_at = self.atom(Key::CanAt(action.to_owned(), at.clone()));
            if let Some(below) = below {
                self.rules.add(below, vec![can_at], When::Holds);
            }
            let first = linked.insert((action.to_owned(), at.clone()));
            if first {
                let can = self.atom(Key::Can(action.to_owned(), at.clone()));
                self.rules.add(can_at, vec![can], When::Holds);
                self.link_groups(action, &at, can_at);
            }
            if !is_root {
                if !first {
                    return;
                }
                below = Some(can_at);
            }
        }
    }

    /// The protections that an action on a node meets, those on the place of a copy among them.
    fn meets(&mut self, action: &str, node: &NodeId) -> Vec<AtomNo> {
        let place = self.world.copies.get(node).and_then(|copy| copy.place.as_ref());
        let lists = [Some(node), place].into_iter().flatten();
        let met: Vec<&Protection> = lists
            .filter_map(|id| self.out.protections_on.get(id))
            .flatten()
            .copied()
            .filter(|protection| pattern::any(&protection.covers, action))
            .collect();
        met.into_iter().map(|protection| self.atom(Key::Lifted(protection.id.clone()))).collect()
    }
}
