//! What of a deed does not depend on who does it: prepared once for every session (floor 2).

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use fixedbitset::FixedBitSet;

use super::layers::Both;
use crate::fact::Fact;
use crate::id::NodeId;
use crate::model::{Copy, Drill, Grant, Protection, Side};
use crate::pattern;
use crate::power::ground::{Deed, Ground, IdentityNo, Key, roots_of};
use crate::power::{AtomNo, Hold};
use crate::world::ANY_DELETE;
use crate::world::groups::{GroupNo, Groups, MemberNo};

/// What may be, and may not.
const MAYBE: Both = Both { worst: Hold::Free, best: Hold::Never };

/// One deed on one asset: the locks and copies that it meets.
#[derive(Debug)]
pub struct Case<'g, 'w> {
    /// The asset.
    pub asset: &'g NodeId,
    /// The deed.
    pub deed: &'g Deed,
    /// The protections that the call meets, those that hold the parent among them.
    pub protections: Vec<&'w Protection>,
    pub(super) protect: Vec<AtomNo>,
    pub(super) approve: Vec<AtomNo>,
    /// Whether it was not read to its end what guards the node.
    pub(super) unlisted: bool,
    pub(super) copies: Vec<CopyCase<'w>>,
}

/// A copy of the asset.
#[derive(Debug)]
pub(super) struct CopyCase<'w> {
    pub(super) copy: &'w Copy,
    pub(super) destroyed: Option<AtomNo>,
    /// Whether it goes with the very call.
    pub(super) along: Both,
    /// The last drill of this very copy that worked, else the last one.
    pub(super) drill: Option<&'w Drill>,
}

impl<'g, 'w> Case<'g, 'w> {
    /// Prepares a deed.
    #[must_use]
    pub fn new(ground: &'g Ground<'w>, asset: &'g NodeId, deed: &'g Deed) -> Self {
        let mut protections = ground.protections(&deed.action, &deed.on);
        for node in ground.world.below(asset, &deed.on) {
            let holding = ground.protections_on.get(&node).into_iter().flatten();
            protections.extend(holding.filter(|p| p.holds_parent && pattern::any(&p.covers, &deed.action)));
        }
        let side = |side: Side| {
            let on_side = protections.iter().filter(|p| p.side == side);
            on_side.filter_map(|p| ground.find(&Key::Lifted(p.id.clone()))).collect()
        };
        let copies = ground.copies_of.get(asset).into_iter().flatten().map(|copy| CopyCase::new(ground, copy, deed));
        Self {
            asset,
            deed,
            protect: side(Side::Protect),
            approve: side(Side::Confirm),
            protections,
            unlisted: ground.world.assets.get(&deed.on).is_some_and(|on| on.protections.gap().is_some()),
            copies: copies.collect(),
        }
    }
}

impl<'w> CopyCase<'w> {
    fn new(ground: &Ground<'w>, copy: &'w Copy, deed: &Deed) -> Self {
        let along = match &copy.dies_with {
            Fact::Known(actions) if pattern::any(actions, &deed.action) => Both::same(Hold::Free),
            Fact::Known(_) => Both::same(Hold::Never),
            Fact::Unknown(_) => MAYBE,
        };
        let drills = ground.drills_of.get(&copy.id).into_iter().flatten().copied();
        let drill = drills.filter(|drill| drill.asset == copy.of).max_by_key(|drill| (drill.worked, drill.tested_at));
        Self { copy, destroyed: ground.find(&Key::Destroyed(copy.id.clone())), along, drill }
    }
}

/// Who may have the right to a deed, whoever is asked.
#[derive(Debug, Default)]
pub struct Rights {
    /// Identities with what is known of their right, by number.
    pub(crate) held: Vec<(IdentityNo, Both)>,
    /// Identities to which a step can give it, with the atom of that.
    pub(crate) given: Vec<(IdentityNo, AtomNo)>,
    /// Every identity that some grant at the node or above it names.
    pub(super) named: Vec<IdentityNo>,
    /// Those of them that are known to have it.
    pub(super) allowed: Vec<IdentityNo>,
    /// The providers that the node may belong to; none: any.
    pub(super) providers: Vec<String>,
    /// The number of what is the same for many deeds, unlike any other of the registry.
    pub(crate) shared: Option<usize>,
}

impl Rights {
    /// Whether they say the same, whatever the order is in which they were found.
    fn is_same(&self, other: &Self) -> bool {
        let set = |list: &[IdentityNo]| list.iter().copied().collect::<BTreeSet<_>>();
        let given = |rights: &Self| rights.given.iter().copied().collect::<BTreeSet<_>>();
        self.held == other.held
            && given(self) == given(other)
            && set(&self.named) == set(&other.named)
            && set(&self.allowed) == set(&other.allowed)
            && self.providers == other.providers
    }
}

/// All that rights to a deed follow from, where nothing of it speaks of one node alone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct From {
    action: String,
    called: Option<String>,
    /// Nodes of which something speaks.
    nodes: Vec<NodeId>,
    /// Families of which each group holds the node, or what it lies in.
    families: Vec<GroupNo>,
}

/// What grants at one node say of an action.
#[derive(Debug, Default)]
struct AtNode {
    held: Vec<(IdentityNo, Both)>,
    named: Vec<IdentityNo>,
    allowed: Vec<IdentityNo>,
}

/// What grants and steps say of an action on the groups of a family.
#[derive(Debug, Default)]
struct Family {
    held: Vec<(GroupNo, IdentityNo, Both)>,
    named: Vec<(GroupNo, IdentityNo)>,
    allowed: Vec<(GroupNo, IdentityNo)>,
    given: Vec<(GroupNo, IdentityNo, AtomNo)>,
    /// What some of the groups that something was said of do not hold, by the number of the member.
    apart: FixedBitSet,
}

impl Family {
    /// How much was said.
    const fn said(&self) -> usize {
        self.held.len() + self.named.len() + self.allowed.len() + self.given.len()
    }

    /// Adds what they say of one node that the head holds.
    fn tell(&self, groups: &Groups, member: MemberNo, rights: &mut Rights) {
        // Those of one group follow each other.
        let mut last: Option<(GroupNo, bool)> = None;
        let mut in_it = |group: GroupNo| match last {
            Some((known, holds)) if known == group => holds,
            Some(_) | None => last.insert((group, groups.holds(group, member))).1,
        };
        rights.held.extend(self.held.iter().filter(|(group, ..)| in_it(*group)).map(|(_, who, right)| (*who, *right)));
        rights.named.extend(self.named.iter().filter(|(group, _)| in_it(*group)).map(|(_, who)| *who));
        rights.allowed.extend(self.allowed.iter().filter(|(group, _)| in_it(*group)).map(|(_, who)| *who));
        rights.given.extend(self.given.iter().filter(|(group, ..)| in_it(*group)).map(|(_, who, atom)| (*who, *atom)));
    }
}

/// The grants at one node, by what they speak of.
#[derive(Debug, Default)]
struct Indexed<'w> {
    /// Whom any of them names.
    named: Vec<IdentityNo>,
    by_action: BTreeMap<&'w str, Vec<(IdentityNo, &'w Grant)>>,
    /// Those with patterns, or with nothing.
    others: Vec<(IdentityNo, &'w Grant)>,
}

/// Finds out who has which right, each node asked once for each action.
pub struct Registry<'g, 'w> {
    ground: &'g Ground<'w>,
    /// The grants at nodes that lie above many.
    indexed: RefCell<BTreeMap<NodeId, Rc<Indexed<'w>>>>,
    /// What steps can give there.
    #[expect(clippy::type_complexity, reason = "one key, used here only")]
    given: RefCell<BTreeMap<(NodeId, String), Rc<Vec<(IdentityNo, AtomNo)>>>>,
    #[expect(clippy::type_complexity, reason = "one key, used here only")]
    known: RefCell<BTreeMap<(NodeId, String, Option<String>), Rc<AtNode>>>,
    #[expect(clippy::type_complexity, reason = "one key, used here only")]
    families: RefCell<BTreeMap<(GroupNo, String, Option<String>), Rc<Family>>>,
    shared: RefCell<BTreeMap<From, Rc<Rights>>>,
}

impl<'g, 'w> Registry<'g, 'w> {
    /// Nothing asked yet.
    #[must_use]
    pub fn new(ground: &'g Ground<'w>) -> Self {
        Self {
            ground,
            indexed: RefCell::default(),
            given: RefCell::default(),
            known: RefCell::default(),
            families: RefCell::default(),
            shared: RefCell::default(),
        }
    }

    /// Who may have the right to a deed: by a grant, by a step, or because nobody listed what they may.
    #[must_use]
    pub fn rights(&self, deed: &Deed) -> Rc<Rights> {
        let world = self.ground.world;
        let called = world.provider_of(&deed.on);
        let mut chain: Vec<NodeId> = world.chain(&deed.on).into_iter().cloned().collect();
        chain.extend(roots_of(world, called.unwrap_or("unknown")));
        let Some(from) = self.shared_by(deed, called, &chain) else {
            return Rc::new(self.worked_out(deed, called, &chain));
        };
        if let Some(known) = self.shared.borrow().get(&from) {
            debug_assert!(
                known.is_same(&self.worked_out(deed, called, &chain)),
                "rights that follow from the same are not the same"
            );
            return Rc::clone(known);
        }
        let number = self.shared.borrow().len();
        let rights = Rc::new(Rights { shared: Some(number), ..self.worked_out(deed, called, &chain) });
        self.shared.borrow_mut().insert(from, Rc::clone(&rights));
        rights
    }

    /// What the rights follow from; nothing, if something speaks of the node itself, or of it and not of others of a family.
    fn shared_by(&self, deed: &Deed, called: Option<&str>, chain: &[NodeId]) -> Option<From> {
        let (ground, groups) = (self.ground, &self.ground.world.groups);
        let speaks = |node: &&NodeId| {
            ground.grants_at.contains_key(*node)
                || ground.step_deeds_at.contains_key(*node)
                || ground.step_rights_at.contains_key(*node)
                || ground.unlisted_within.contains_key(*node)
        };
        // What is called on a container is a deed of each asset in it.
        let alone = !ground.world.assets.get(&deed.on).is_some_and(|on| on.class.is_container());
        if alone && chain.first().as_ref().is_some_and(speaks) {
            return None;
        }
        let mut families = Vec::new();
        for member in chain.iter().filter_map(|node| groups.member(node)) {
            for head in groups.heads_of(member) {
                if self.family(*head, &deed.action, called).apart.contains(member.index()) {
                    return None;
                }
                families.push(*head);
            }
        }
        let nodes = chain.iter().filter(speaks).cloned().collect();
        Some(From { action: deed.action.clone(), called: called.map(str::to_owned), nodes, families })
    }

    fn worked_out(&self, deed: &Deed, called: Option<&str>, chain: &[NodeId]) -> Rights {
        let ground = self.ground;
        let world = ground.world;
        let mut rights = Rights { providers: providers(called), ..Rights::default() };
        for (depth, node) in chain.iter().enumerate() {
            if ground.grants_at.contains_key(node) {
                let at = self.at_node(node, &deed.action, called, depth > 0);
                rights.held.extend(&at.held);
                rights.named.extend(&at.named);
                rights.allowed.extend(&at.allowed);
            }
            let deeds = ground.step_deeds_at.get(node).into_iter().flatten();
            let done = deeds.filter(|(_, action)| *action == deed.action);
            rights.held.extend(done.map(|(actor, _)| (*actor, Both::same(Hold::Free))));
            if ground.step_rights_at.contains_key(node) {
                rights.given.extend(self.given_at(node, &deed.action, depth > 0).iter());
            }
            if let Some(member) = world.groups.member(node) {
                for head in world.groups.heads_of(member) {
                    self.family(*head, &deed.action, called).tell(&world.groups, member, &mut rights);
                }
            }
            let within = ground.unlisted_within.get(node).into_iter().flatten();
            rights.held.extend(within.filter(|who| fits(&rights.providers, ground, **who)).map(|who| (*who, MAYBE)));
        }
        if rights.providers.is_empty() {
            rights.held.extend(ground.unlisted.values().flatten().map(|who| (*who, MAYBE)));
        } else {
            let of = rights.providers.iter().filter_map(|provider| ground.unlisted.get(provider)).flatten();
            rights.held.extend(of.map(|who| (*who, MAYBE)));
        }
        join(&mut rights.held);
        rights
    }

    /// What grants and steps say of the groups of a family, each asked once for each action.
    fn family(&self, head: GroupNo, action: &str, called: Option<&str>) -> Rc<Family> {
        let key = (head, action.to_owned(), called.map(str::to_owned));
        if let Some(known) = self.families.borrow().get(&key) {
            return Rc::clone(known);
        }
        let (ground, groups) = (self.ground, &self.ground.world.groups);
        let mut family = Family::default();
        for (group, node) in groups.family(head).filter_map(|group| Some((group, groups.id(group)?))) {
            let before = family.said();
            if ground.grants_at.contains_key(node) {
                let at = self.at_node(node, action, called, true);
                family.held.extend(at.held.iter().map(|(who, right)| (group, *who, *right)));
                family.named.extend(at.named.iter().map(|who| (group, *who)));
                family.allowed.extend(at.allowed.iter().map(|who| (group, *who)));
            }
            let deeds = ground.step_deeds_at.get(node).into_iter().flatten();
            let done = deeds.filter(|(_, done)| *done == action);
            family.held.extend(done.map(|(actor, _)| (group, *actor, Both::same(Hold::Free))));
            if ground.step_rights_at.contains_key(node) {
                let given = self.given_at(node, action, false);
                family.given.extend(given.iter().map(|(who, atom)| (group, *who, *atom)));
            }
            if family.said() > before {
                groups.left_out(group, &mut family.apart);
            }
        }
        let family = Rc::new(family);
        self.families.borrow_mut().insert(key, Rc::clone(&family));
        family
    }

    /// Whom a step can give the right at a node, with the atom of that. What lies above many nodes is kept.
    fn given_at(&self, node: &NodeId, action: &str, shared: bool) -> Rc<Vec<(IdentityNo, AtomNo)>> {
        let key = || (node.clone(), action.to_owned());
        if shared && let Some(known) = self.given.borrow().get(&key()) {
            return Rc::clone(known);
        }
        let given = self.ground.step_rights_at.get(node).into_iter().flatten();
        let fitting = given.filter(|(_, wanted, _)| pattern::matches(wanted, action));
        let fitting = Rc::new(fitting.map(|(who, _, atom)| (*who, *atom)).collect());
        if shared {
            self.given.borrow_mut().insert(key(), Rc::clone(&fitting));
        }
        fitting
    }

    fn indexed(&self, node: &NodeId) -> Rc<Indexed<'w>> {
        if let Some(known) = self.indexed.borrow().get(node) {
            return Rc::clone(known);
        }
        let mut all = Indexed::default();
        for grant in self.ground.grants_at.get(node).into_iter().flatten() {
            let Some(who) = self.ground.number_of(&grant.principal) else { continue };
            all.named.push(who);
            if grant.actions.is_empty() || grant.actions.iter().any(|action| action.contains('*')) {
                all.others.push((who, grant));
                continue;
            }
            let actions: BTreeSet<&str> = grant.actions.iter().map(String::as_str).collect();
            actions.into_iter().for_each(|action| all.by_action.entry(action).or_default().push((who, grant)));
        }
        all.named.sort_unstable();
        all.named.dedup();
        let all = Rc::new(all);
        self.indexed.borrow_mut().insert(node.clone(), Rc::clone(&all));
        all
    }

    /// What the grants at a node say. What lies above many nodes is kept.
    fn at_node(&self, node: &NodeId, action: &str, called: Option<&str>, shared: bool) -> Rc<AtNode> {
        let ground = self.ground;
        let key = || (node.clone(), action.to_owned(), called.map(str::to_owned));
        if shared && let Some(known) = self.known.borrow().get(&key()) {
            return Rc::clone(known);
        }
        let (mut at, mut named) = (AtNode::default(), Vec::new());
        let mut add = |who: IdentityNo, grant: &Grant| {
            let speaks = ground.world.speaks_of(grant, called);
            match ground.world.right(grant, action) {
                Some(Fact::Known(true)) => {
                    at.allowed.push(who);
                    if speaks {
                        at.held.push((who, Both::same(Hold::Free)));
                    }
                }
                Some(Fact::Unknown(_)) if speaks => at.held.push((who, MAYBE)),
                Some(_) | None => {}
            }
        };
        if shared {
            let indexed = self.indexed(node);
            if action == ANY_DELETE {
                // Whatever is given may be a right to delete.
                indexed.by_action.values().flatten().for_each(|(who, grant)| add(*who, grant));
            } else {
                indexed.by_action.get(action).into_iter().flatten().for_each(|(who, grant)| add(*who, grant));
            }
            indexed.others.iter().for_each(|(who, grant)| add(*who, grant));
            named.clone_from(&indexed.named);
        } else {
            for grant in ground.grants_at.get(node).into_iter().flatten() {
                if let Some(who) = ground.number_of(&grant.principal) {
                    add(who, grant);
                    named.push(who);
                }
            }
        }
        at.named = named;
        join(&mut at.held);
        let at = Rc::new(at);
        if shared {
            self.known.borrow_mut().insert(key(), Rc::clone(&at));
        }
        at
    }
}

/// The providers that a node may belong to; none: any.
fn providers(called: Option<&str>) -> Vec<String> {
    match called.unwrap_or("unknown") {
        "unknown" => Vec::new(),
        known => vec![known.to_owned(), "unknown".to_owned()],
    }
}

fn fits(providers: &[String], ground: &Ground<'_>, who: IdentityNo) -> bool {
    let provider = ground.identity(who).map_or("unknown", |id| ground.provider_of(id));
    providers.is_empty() || providers.iter().any(|known| known == provider)
}

/// One entry for each identity: what gets past any of its rights.
pub(super) fn join(held: &mut Vec<(IdentityNo, Both)>) {
    // A sort that makes use of lists which are in order already.
    held.sort_by_key(|(who, _)| *who);
    held.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 = kept.1.or(next.1);
        }
        same
    });
}
