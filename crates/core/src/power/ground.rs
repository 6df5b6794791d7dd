//! From facts to rules: every way in which one thing in a session's power leads to another (floor 2).
//!
//! The rules are the same for all sessions; each session starts from the one atom that says who it is. Rights are not
//! spread over assets: a right is attached to the node it was given for and flows down the provider's tree.

mod assets;
mod groups;
pub mod sessions;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::{AtomNo, Ready, Rules, When};
use crate::fact::{Fact, Gap};
use crate::id::{CredentialId, NodeId, PrincipalId, ProtectionId, SessionId, StepId, WayId};
use crate::model::{Action, Asset, Atom, Class, Copy, Drill, Grant, Protection, Way};
use crate::pattern;
use crate::world::groups::GroupNo;
use crate::world::{ANY_DELETE, World};
use groups::{Family, heads_over};

/// One thing that a session may have.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Key {
    /// It is this session.
    Session(SessionId),
    /// The way is there for it: it has what the way needs.
    WayReady(WayId),
    /// The way's gate lets a call pass unasked.
    WayGate(WayId),
    /// It can use the way.
    Way(WayId),
    /// The way's gate and sandbox let a call out to the network, whoever stands at its beginning.
    WayOut(WayId),
    /// It can call out to the network by the way.
    WayNet(WayId),
    /// Some way of its own carries this `provider/action` to the network.
    Route(String),
    /// It holds the credential's secret.
    Hold(CredentialId),
    /// The credential still works.
    Alive(CredentialId),
    /// It holds a credential of this identity, alive or not, or has become it.
    Held(PrincipalId),
    /// It can authenticate as this identity.
    Be(PrincipalId),
    /// It, or someone who acts on its word, can act as this identity.
    As(PrincipalId),
    /// It holds something that may be any identity of this provider.
    Anyone(String),
    /// It can issue this `provider/action` as this identity.
    Act(PrincipalId, String),
    /// A step gave this identity this right.
    Right(PrincipalId, String, NodeId),
    /// Some identity in its power has the right to perform the action on the node itself or all of it.
    Can(String, NodeId),
    /// The same, through the node or what lies above it.
    CanAt(String, NodeId),
    /// Some identity in its power has the right to perform the action on all of a group, or on all of one that was made from it.
    CanAny(String, NodeId),
    /// It can have the action performed: rights, approvals and protections are all passed.
    Do(String, NodeId),
    /// It is past this protection.
    Lifted(ProtectionId),
    /// It can destroy the node.
    Destroyed(NodeId),
}

/// One operation by which an asset can be lost.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deed {
    /// The operation.
    pub action: String,
    /// The node that it is called on: the asset or one above it.
    pub on: NodeId,
    /// Its number in the world's catalogue; `None` where the kind is not in it.
    pub entry: Option<usize>,
}

/// The facts as rules, with the lists that the layers are read by.
#[derive(Debug)]
pub struct Ground<'w> {
    /// The facts.
    pub world: &'w World,
    /// The rules.
    pub ready: Ready<Key>,
    /// How each asset can be lost.
    pub deeds: BTreeMap<NodeId, Vec<Deed>>,
    /// Grants by their target.
    pub grants_at: BTreeMap<NodeId, Vec<&'w Grant>>,
    /// Grants for groups, by whose they are.
    pub grants_for_groups: BTreeMap<PrincipalId, Vec<(GroupNo, &'w Grant)>>,
    /// Protections by what they are on.
    pub protections_on: BTreeMap<NodeId, Vec<&'w Protection>>,
    /// Stand-ins for credentials that are not identified, and for those that were not read.
    pub stand_ins: BTreeMap<PrincipalId, StandIn>,
    /// Credentials by the identity that each authenticates as, stand-ins included.
    pub credentials_of: BTreeMap<PrincipalId, Vec<CredentialId>>,
    /// Deputies by the identity that each acts as.
    pub deputies_of: BTreeMap<PrincipalId, Vec<&'w Way>>,
    /// Who acts in what steps can have done: what to call it, and its provider.
    pub actors: BTreeMap<PrincipalId, (String, String)>,
    /// Copies by what they are copies of.
    pub copies_of: BTreeMap<&'w NodeId, Vec<&'w Copy>>,
    /// Restores that were tried, by copy.
    pub drills_of: BTreeMap<&'w NodeId, Vec<&'w Drill>>,
    /// Every identity, by number; the order of the numbers is that of the names.
    identities: Vec<PrincipalId>,
    /// What is asked of them over and over, by number.
    briefs: Vec<Brief>,
    /// Identities that may have rights nobody listed anywhere at their provider.
    pub unlisted: BTreeMap<String, Vec<IdentityNo>>,
    /// The same, for those that do not leave a part of the tree, by its node.
    pub unlisted_within: BTreeMap<NodeId, Vec<IdentityNo>>,
    /// What steps can have done, by node.
    pub step_deeds_at: BTreeMap<NodeId, Vec<(IdentityNo, String)>>,
    /// Rights that steps can give, by node: to whom, the action pattern, and the atom of having been given it.
    pub step_rights_at: BTreeMap<NodeId, Vec<(IdentityNo, String, AtomNo)>>,
    /// The same to groups, by whom they are given.
    pub step_rights_to_groups: BTreeMap<IdentityNo, Vec<(GroupNo, String, AtomNo)>>,
}

/// What there is to know of an identity before a call.
#[derive(Clone, Copy, Debug, Default)]
pub struct Brief {
    /// The number of its provider, that of no other.
    pub provider: usize,
    /// Whether it stands for who acts in what a step can have done.
    pub actor: bool,
    /// Whether it is somebody that nobody knows.
    pub nobody: bool,
}

/// The number of an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IdentityNo(u32);

impl IdentityNo {
    /// As an index.
    #[must_use]
    pub fn index(self) -> usize {
        super::index(self.0)
    }
}

/// What the action of a step begins with; no provider's does.
pub const STEP: &str = "step ";

/// The action that stands for a step which destroys by itself.
#[must_use]
pub fn step_action(step: &StepId) -> String {
    format!("{STEP}{step}")
}

/// An identity that nobody knows.
#[derive(Clone, Debug)]
pub struct StandIn {
    /// What to call it.
    pub name: String,
    /// The provider it belongs to.
    pub provider: String,
    /// The part of the tree that it does not leave; everything, if not known.
    pub within: Option<NodeId>,
    /// Why it is not known.
    pub gap: Gap,
    /// The session whose reach it stands for, if it is no credential that was found.
    pub unread_by: Option<SessionId>,
}

/// The node that stands for everything of a provider.
#[must_use]
pub fn root(provider: &str) -> NodeId {
    format!("*:{provider}").into()
}

/// The roots that something of a provider may lie under: its own, or any, where the provider is not known.
#[must_use]
pub fn roots_of(world: &World, provider: &str) -> Vec<NodeId> {
    if provider != "unknown" {
        return vec![root(provider)];
    }
    let mut all: BTreeSet<&str> = world.principals.values().map(|p| p.provider.as_str()).collect();
    all.extend(world.credentials.values().map(|c| c.provider.as_str()));
    all.extend(world.assets.values().map(|a| a.provider.as_str()));
    all.into_iter().map(root).collect()
}

/// The stand-in for a credential that is not identified.
#[must_use]
pub fn stand_in(credential: &CredentialId) -> PrincipalId {
    format!("?{credential}").into()
}

const fn destroyed_node(atom: &Atom) -> Option<&NodeId> {
    match atom {
        Atom::Destroyed(node) => Some(node),
        Atom::Principal(_)
        | Atom::Credential(_)
        | Atom::Way(_)
        | Atom::Lifted(_)
        | Atom::Can { .. }
        | Atom::Right { .. } => None,
    }
}

struct Builder<'w> {
    world: &'w World,
    rules: Rules<Key>,
    /// The actions that matter at a node or below it, each with the provider of the node that it is called on.
    relevant: BTreeMap<NodeId, BTreeSet<(String, Option<&'w str>)>>,
    /// The actions that matter at a node itself.
    at: BTreeMap<NodeId, BTreeSet<String>>,
    known_as: BTreeSet<PrincipalId>,
    /// The entries of the catalogue, by provider and kind.
    catalogue: BTreeMap<(&'w str, &'w str), Vec<usize>>,
    /// The ways of each session.
    ways_of: BTreeMap<&'w SessionId, Vec<&'w Way>>,
    /// Who may do what to the groups of a family, each looked up once.
    families: BTreeMap<(String, GroupNo), Rc<Family>>,
    out: Lists<'w>,
}

#[derive(Default)]
struct Lists<'w> {
    /// The keys that an asset cannot be read without.
    keys_of: BTreeMap<NodeId, Vec<NodeId>>,
    deeds: BTreeMap<NodeId, Vec<Deed>>,
    grants_at: BTreeMap<NodeId, Vec<&'w Grant>>,
    protections_on: BTreeMap<NodeId, Vec<&'w Protection>>,
    stand_ins: BTreeMap<PrincipalId, StandIn>,
    credentials_of: BTreeMap<PrincipalId, Vec<CredentialId>>,
    deputies_of: BTreeMap<PrincipalId, Vec<&'w Way>>,
    /// Rights that steps can give: identity, action pattern, node.
    step_rights: Vec<(PrincipalId, String, NodeId)>,
    /// What steps can have done, whoever does it: the stand-in for that, the action, the node.
    step_deeds: Vec<(PrincipalId, String, NodeId)>,
    /// Who acts in those steps.
    actors: BTreeMap<PrincipalId, (String, String)>,
}

impl<'w> Ground<'w> {
    /// Turns facts into rules.
    #[must_use]
    pub fn new(world: &'w World) -> Self {
        let mut build = Builder {
            world,
            rules: Rules::new(),
            relevant: BTreeMap::new(),
            at: BTreeMap::new(),
            known_as: BTreeSet::new(),
            catalogue: BTreeMap::new(),
            ways_of: BTreeMap::new(),
            families: BTreeMap::new(),
            out: Lists::default(),
        };
        for (at, Action { provider, kind, .. }) in world.actions.iter().enumerate() {
            build.catalogue.entry((provider, kind)).or_default().push(at);
        }
        for way in world.ways.values() {
            way.session.iter().for_each(|session| build.ways_of.entry(session).or_default().push(way));
        }
        build.index();
        build.sessions();
        build.steps();
        build.rights();
        build.assets();
        build.actions();
        let Builder { rules, out, .. } = build;
        let mut ground = Self {
            copies_of: BTreeMap::new(),
            drills_of: BTreeMap::new(),
            identities: Vec::new(),
            briefs: Vec::new(),
            unlisted: BTreeMap::new(),
            unlisted_within: BTreeMap::new(),
            step_deeds_at: BTreeMap::new(),
            step_rights_at: BTreeMap::new(),
            step_rights_to_groups: BTreeMap::new(),
            world,
            ready: rules.ready(),
            deeds: out.deeds,
            grants_at: out.grants_at,
            grants_for_groups: BTreeMap::new(),
            protections_on: out.protections_on,
            stand_ins: out.stand_ins,
            credentials_of: out.credentials_of,
            deputies_of: out.deputies_of,
            actors: out.actors,
        };
        ground.index(out.step_rights, out.step_deeds);
        ground
    }

    /// The lists by which cases are prepared.
    fn index(&mut self, rights: Vec<(PrincipalId, String, NodeId)>, deeds: Vec<(PrincipalId, String, NodeId)>) {
        let world = self.world;
        for copy in world.copies.values() {
            self.copies_of.entry(&copy.of).or_default().push(copy);
        }
        for grant in &world.grants {
            let group = world.groups.number(&grant.target);
            let list = group.map(|group| (group, self.grants_for_groups.entry(grant.principal.clone()).or_default()));
            list.into_iter().for_each(|(group, list)| list.push((group, grant)));
        }
        for drill in &world.drills {
            self.drills_of.entry(&drill.copy).or_default().push(drill);
        }
        let all = world.principals.keys().chain(self.stand_ins.keys()).chain(self.actors.keys());
        let all: BTreeSet<&PrincipalId> = all.chain(world.grants.iter().map(|grant| &grant.principal)).collect();
        self.identities = all.into_iter().cloned().collect();
        for number in self.numbers() {
            let Some(id) = self.identity(number).cloned() else { continue };
            let provider = self.provider_of(&id).to_owned();
            let unlisted = world.principals.get(&id).is_some_and(|principal| principal.grants.gap().is_some());
            match self.stand_ins.get(&id).map(|stand_in| stand_in.within.clone()) {
                Some(Some(node)) if !unlisted => self.unlisted_within.entry(node).or_default().push(number),
                None if !unlisted => {}
                Some(_) | None => self.unlisted.entry(provider).or_default().push(number),
            }
        }
        let mut providers: BTreeMap<String, usize> = BTreeMap::new();
        for id in &self.identities {
            let next = providers.len();
            let provider = *providers.entry(self.provider_of(id).to_owned()).or_insert(next);
            let (actor, nobody) = (self.actors.contains_key(id), id.as_str().starts_with('?'));
            self.briefs.push(Brief { provider, actor, nobody });
        }
        for (actor, action, node) in deeds {
            let Some(number) = self.number_of(&actor) else { continue };
            self.step_deeds_at.entry(node).or_default().push((number, action));
        }
        for (principal, wanted, node) in rights {
            let atom = self.find(&Key::Right(principal.clone(), wanted.clone(), node.clone()));
            let (Some(number), Some(atom)) = (self.number_of(&principal), atom) else { continue };
            if let Some(group) = world.groups.number(&node) {
                self.step_rights_to_groups.entry(number).or_default().push((group, wanted.clone(), atom));
            }
            self.step_rights_at.entry(node).or_default().push((number, wanted, atom));
        }
    }

    /// The numbers of all identities.
    pub fn numbers(&self) -> impl Iterator<Item = IdentityNo> + use<> {
        (0..super::number(self.identities.len())).map(IdentityNo)
    }

    /// The number of an identity.
    #[must_use]
    pub fn number_of(&self, id: &PrincipalId) -> Option<IdentityNo> {
        self.identities.binary_search(id).ok().map(|at| IdentityNo(super::number(at)))
    }

    /// The identity behind a number.
    #[must_use]
    pub fn identity(&self, number: IdentityNo) -> Option<&PrincipalId> {
        self.identities.get(number.index())
    }

    /// What there is to know of an identity before a call.
    #[must_use]
    pub fn brief(&self, number: IdentityNo) -> Brief {
        self.briefs.get(number.index()).copied().unwrap_or_default()
    }

    /// The number of an atom, if any rule speaks of it.
    #[must_use]
    pub fn find(&self, key: &Key) -> Option<AtomNo> {
        self.ready.rules.find(key)
    }

    /// The provider of an identity.
    #[must_use]
    pub fn provider_of(&self, principal: &PrincipalId) -> &str {
        if let Some(stand_in) = self.stand_ins.get(principal) {
            return &stand_in.provider;
        }
        if let Some((_, provider)) = self.actors.get(principal) {
            return provider;
        }
        self.world.principals.get(principal).map_or("unknown", |p| p.provider.as_str())
    }

    /// The protections that an action on a node meets, those on the place of a copy among them.
    pub fn protections(&self, action: &str, node: &NodeId) -> Vec<&'w Protection> {
        let place = self.world.copies.get(node).and_then(|copy| copy.place.as_ref());
        let lists = [Some(node), place].into_iter().flatten().filter_map(|id| self.protections_on.get(id));
        lists.flatten().copied().filter(|protection| pattern::any(&protection.covers, action)).collect()
    }
}

impl<'w> Builder<'w> {
    /// The lists that both the rules and the layers are read by.
    fn index(&mut self) {
        let world = self.world;
        for protection in &world.protections {
            self.out.protections_on.entry(protection.on.clone()).or_default().push(protection);
        }
        for grant in &world.grants {
            let targets = if grant.target.as_str() == "*" {
                roots_of(world, world.principals.get(&grant.principal).map_or("unknown", |p| p.provider.as_str()))
            } else {
                vec![grant.target.clone()]
            };
            for target in targets {
                self.out.grants_at.entry(target).or_default().push(grant);
            }
        }
        for key in world.assets.values().filter(|asset| asset.class == Class::Key) {
            for asset in &key.behind {
                self.out.keys_of.entry(asset.clone()).or_default().push(key.id.clone());
            }
        }
        let mut steps: BTreeMap<&NodeId, Vec<&StepId>> = BTreeMap::new();
        for step in &world.steps {
            let destroyed: BTreeSet<&NodeId> = step.gains.iter().filter_map(destroyed_node).collect();
            destroyed.into_iter().for_each(|node| steps.entry(node).or_default().push(&step.id));
        }
        for asset in world.assets.values() {
            let deeds = self.deeds_of(&asset.id, &steps);
            for deed in &deeds {
                self.matters(&deed.action, &deed.on);
            }
            self.out.deeds.insert(asset.id.clone(), deeds);
        }
        for atom in world.needed() {
            if let Atom::Can { action, target } = atom {
                self.matters(action, target);
            }
        }
        for copy in world.copies.values() {
            let named = copy.dies_with.known().into_iter().flatten().filter(|action| !action.contains('*'));
            for action in named {
                let on = world.chain(&copy.of).into_iter().find(|id| self.takes(action, id)).unwrap_or(&copy.of);
                self.matters(action, &on.clone());
            }
        }
    }

    /// Whether the catalogue has this action for the node's kind.
    fn takes(&self, action: &str, node: &NodeId) -> bool {
        let Some(asset) = self.world.assets.get(node) else { return false };
        let list = self.catalogue.get(&(asset.provider.as_str(), asset.kind.as_str())).into_iter().flatten();
        list.filter_map(|at| self.world.actions.get(*at)).any(|known| known.action == action)
    }

    /// The entries of the catalogue for the kind of an asset.
    fn of_kind(&self, held: &Asset) -> Vec<(usize, &'w Action)> {
        let list = self.catalogue.get(&(held.provider.as_str(), held.kind.as_str())).into_iter().flatten();
        list.filter_map(|at| self.world.actions.get(*at).map(|action| (*at, action))).collect()
    }

    fn deeds_of(&self, asset: &NodeId, steps: &BTreeMap<&NodeId, Vec<&StepId>>) -> Vec<Deed> {
        let world = self.world;
        let mut deeds = Vec::new();
        for (depth, node) in world.chain(asset).into_iter().enumerate() {
            let Some(held) = world.assets.get(node) else { continue };
            let entries = self.of_kind(held).into_iter().filter(|(_, a)| depth == 0 || a.takes_children);
            deeds.extend(entries.map(|(at, a)| Deed { action: a.action.clone(), on: node.clone(), entry: Some(at) }));
            if depth == 0 && deeds.is_empty() && !held.class.is_container() {
                deeds.push(Deed { action: ANY_DELETE.to_owned(), on: node.clone(), entry: None });
            }
        }
        for key in self.out.keys_of.get(asset).cloned().unwrap_or_default() {
            let Some(held) = world.assets.get(&key) else { continue };
            let fits = self.of_kind(held).into_iter();
            deeds.extend(fits.map(|(at, a)| Deed { action: a.action.clone(), on: key.clone(), entry: Some(at) }));
        }
        let by_step = steps.get(asset).into_iter().flatten();
        deeds.extend(by_step.map(|step| Deed { action: step_action(step), on: asset.clone(), entry: None }));
        deeds
    }

    /// Notes that an action on a node decides something, so that rights to it are looked at all the way up.
    fn matters(&mut self, action: &str, node: &NodeId) {
        if !self.at.entry(node.clone()).or_default().insert(action.to_owned()) {
            return;
        }
        let mut chain: Vec<NodeId> = self.chain(node);
        chain.extend(heads_over(self.world, node).into_iter().filter_map(|head| self.world.groups.id(head).cloned()));
        let provider = self.world.provider_of(node);
        for at in chain {
            self.relevant.entry(at).or_default().insert((action.to_owned(), provider));
        }
    }

    /// A node, what lies above it, and the roots of the providers that it may belong to.
    fn chain(&self, node: &NodeId) -> Vec<NodeId> {
        let mut chain: Vec<NodeId> = self.world.chain(node).into_iter().cloned().collect();
        match self.world.provider_of(node) {
            Some(provider) => chain.extend(roots_of(self.world, provider)),
            None => chain.extend(roots_of(self.world, "unknown")),
        }
        chain
    }

    fn atom(&mut self, key: Key) -> AtomNo {
        self.rules.atom(key)
    }

    /// The atom for acting as an identity, by oneself or through a deputy.
    fn acting_as(&mut self, principal: &PrincipalId) -> AtomNo {
        let acts = self.atom(Key::As(principal.clone()));
        if self.known_as.insert(principal.clone()) {
            let be = self.atom(Key::Be(principal.clone()));
            self.rules.add(acts, vec![be], When::Holds);
        }
        acts
    }

    /// The atom that a fact means where it is needed.
    fn needed(&mut self, atom: &Atom) -> AtomNo {
        let key = match atom {
            Atom::Principal(id) => return self.acting_as(id),
            Atom::Credential(id) => Key::Hold(id.clone()),
            Atom::Way(id) => Key::Way(id.clone()),
            Atom::Lifted(id) => Key::Lifted(id.clone()),
            Atom::Can { action, target } => Key::Do(action.clone(), target.clone()),
            Atom::Right { principal, action, target } => Key::Right(principal.clone(), action.clone(), target.clone()),
            Atom::Destroyed(node) => Key::Destroyed(node.clone()),
        };
        self.atom(key)
    }

    fn needed_all(&mut self, atoms: &[Atom]) -> Vec<AtomNo> {
        let mut all = Vec::with_capacity(atoms.len());
        for atom in atoms {
            all.push(self.needed(atom));
            // A credential that no longer works opens nothing; whether one that is not described does is not known.
            if let Atom::Credential(id) = atom {
                all.push(self.atom(Key::Alive(id.clone())));
            }
        }
        all
    }

    /// Adds a rule for each value of a fact that lets it apply: `yes` says whether a known value does.
    fn add_if<T>(&mut self, head: AtomNo, needs: Vec<AtomNo>, fact: &Fact<T>, yes: impl Fn(&T) -> bool) {
        match fact {
            Fact::Known(value) if yes(value) => self.rules.add(head, needs, When::Holds),
            Fact::Known(_) => {}
            Fact::Unknown(gap) => self.rules.add(head, needs, When::Maybe(gap.clone())),
        }
    }
}
