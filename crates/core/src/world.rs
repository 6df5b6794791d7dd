//! One reading of every fact: which of several readings counts (floor 2).
//!
//! Of two readings of a fact the later counts, of two at once the worse; a known reading beats a gap. Only a later
//! complete listing makes an item gone. A fact much older than the newest is a gap.

pub mod groups;
mod resolve;

use std::collections::{BTreeMap, BTreeSet};

use crate::bundle::Bundle;
use crate::fact::{Fact, Gap, GapReason, Listed};
use crate::id::{CredentialId, NodeId, PrincipalId, SessionId, SourceId, WayId};
use crate::model::reach::{Answered, Outcome};
use crate::model::{
    Action, Agent, Asset, Atom, Basis, Copy, Credential, Drill, Grant, Principal, Protection, Session, Source, Step,
    Way,
};
use crate::pattern;
use crate::policy::Policy;
use crate::time::Time;
use groups::Groups;

/// The facts as the evaluators see them: one reading of each, gaps spread to what they touch.
#[derive(Clone, Debug)]
pub struct World {
    /// The newest reading.
    pub newest: Time,
    /// Every question asked.
    pub sources: BTreeMap<SourceId, Source>,
    /// Actors. Never empty: where none was assessed, one that stands for all of them.
    pub sessions: BTreeMap<SessionId, Session>,
    /// Whether any real session was assessed.
    pub any_session: bool,
    /// How sessions may issue calls.
    pub ways: BTreeMap<WayId, Way>,
    /// What providers accept.
    pub credentials: BTreeMap<CredentialId, Credential>,
    /// Identities.
    pub principals: BTreeMap<PrincipalId, Principal>,
    /// Rights, by identity.
    pub grants: Vec<Grant>,
    /// What rights speak of together.
    pub groups: Groups,
    /// What widens power.
    pub steps: Vec<Step>,
    /// What can be lost, with one more for every container that was not listed to its end.
    pub assets: BTreeMap<NodeId, Asset>,
    /// What guards it.
    pub protections: Vec<Protection>,
    /// What brings it back.
    pub copies: BTreeMap<NodeId, Copy>,
    /// Restores that were tried.
    pub drills: Vec<Drill>,
    /// Destroying operations: the catalogue and what the bundle adds.
    pub actions: Vec<Action>,
    /// The gap of steps that are not listed.
    pub unlisted_steps: Option<Gap>,
    /// The gap of what is named in the facts and not described there.
    pub missing: Option<Gap>,
    /// The gap of a right that may or may not cover the delete of a kind that the catalogue does not know.
    pub any_delete: Option<Gap>,
}

/// The operation that stands for any delete of a kind that the catalogue does not know.
pub const ANY_DELETE: &str = "any delete";

/// Up to how many nodes a chain is searched as a list.
const SHORT: usize = 16;

/// The kind of the asset that stands for what a container holds and nobody listed.
pub const REST: &str = "rest";

impl World {
    /// Resolves a bundle. `catalogue` is the built-in list of destroying operations.
    #[must_use]
    pub fn new(bundle: &Bundle, policy: &Policy, catalogue: &[Action]) -> Self {
        let mut world = resolve::readings(bundle, policy);
        world.actions.extend(catalogue.iter().cloned());
        world.actions.sort();
        world.actions.dedup();
        world.drills.extend(policy.drills.iter().cloned());
        world.unlisted_steps = bundle.steps.gaps.first().cloned();
        world.spread_gaps(bundle);
        world.add_missing_principals(bundle);
        world.add_rests(bundle);
        world.add_session_if_none(bundle);
        world.missing = Some(world.note(
            "read what the facts name and do not describe",
            GapReason::NotAsked,
            "merge the facts of its provider",
        ));
        world.widen_grants();
        world.provide_groups();
        let settle = "name the operations that destroy it in the bundle's `actions`";
        world.any_delete =
            Some(world.note("know which operations destroy this kind of asset", GapReason::Unsupported, settle));
        world
    }

    /// Whether a right can hold for what is called at a provider. One that was given for a part of its own provider's
    /// tree does not reach what another provider runs below that: an administrator of the account issues no SQL.
    #[must_use]
    pub fn speaks_of(&self, grant: &Grant, called: Option<&str>) -> bool {
        let own = self.principals.get(&grant.principal).map(|principal| principal.provider.as_str());
        let at = if grant.target.as_str() == "*" { own } else { self.provider_of(&grant.target) };
        match (own, at, called) {
            (Some(own), Some(at), Some(called)) => called == own || at != own || [own, called].contains(&"unknown"),
            _ => true,
        }
    }

    /// What a grant says of an action; nothing, if it does not speak of it.
    #[must_use]
    pub fn right(&self, grant: &Grant, action: &str) -> Option<Fact<bool>> {
        if pattern::any(&grant.actions, action) {
            return Some(grant.allowed.clone());
        }
        match (&self.any_delete, &grant.allowed) {
            (Some(gap), Fact::Known(true) | Fact::Unknown(_)) if action == ANY_DELETE => {
                Some(Fact::Unknown(gap.clone()))
            }
            (Some(_) | None, _) => None,
        }
    }

    /// Whether the headline counts a session: every agent, or any other program where no agent was found. An agent program
    /// does what its tools do and no more, so that one alone says nothing of what an agent would do here.
    #[must_use]
    pub fn counts(&self, session: &Session) -> bool {
        let narrow = |other: &Session| matches!(other.agent, Agent::Plain | Agent::Program);
        session.agent != Agent::Plain || self.sessions.values().all(narrow)
    }

    /// A node and everything above it, nearest first. A copy lies in its place, else in what it is a copy of.
    #[must_use]
    pub fn chain<'a>(&'a self, node: &'a NodeId) -> Vec<&'a NodeId> {
        let mut chain = vec![node];
        // A set for the rare long chain; a short one is searched faster as a list.
        let mut seen: Option<BTreeSet<&NodeId>> = None;
        let mut at = node;
        while let Some(above) = self.above(at) {
            if chain.len() == SHORT {
                seen = Some(chain.iter().copied().collect());
            }
            let fresh = seen.as_mut().map_or_else(|| !chain.contains(&above), |seen| seen.insert(above));
            if !fresh {
                break;
            }
            chain.push(above);
            at = above;
        }
        chain
    }

    /// An asset and what lies between it and a node above it; nothing, if the node is not above it.
    #[must_use]
    pub fn below(&self, asset: &NodeId, on: &NodeId) -> Vec<NodeId> {
        let chain = self.chain(asset);
        if !chain.contains(&on) {
            return Vec::new();
        }
        chain.into_iter().take_while(|node| *node != on).cloned().collect()
    }

    /// The node right above a node.
    #[must_use]
    pub fn above(&self, node: &NodeId) -> Option<&NodeId> {
        if let Some(asset) = self.assets.get(node) {
            return asset.parent.as_ref();
        }
        self.copies.get(node).map(|copy| copy.place.as_ref().unwrap_or(&copy.of))
    }

    /// The provider of a node, if the node is known.
    #[must_use]
    pub fn provider_of(&self, node: &NodeId) -> Option<&str> {
        // Most nodes are assets themselves; the chain above is looked at for the others only.
        if let Some(asset) = self.assets.get(node) {
            return Some(&asset.provider);
        }
        if let Some(group) = self.groups.number(node) {
            return self.groups.provider(group);
        }
        self.chain(node).into_iter().find_map(|id| self.assets.get(id)).map(|asset| asset.provider.as_str())
    }

    /// A source made up here, for a gap that no source of the bundle stands for.
    fn note(&mut self, operation: &str, reason: GapReason, settle: &str) -> Gap {
        let id: SourceId = format!("s-{}", crate::bundle::short_hash(operation)).into();
        let source = Source::unanswered(id.clone(), operation, reason, settle, self.newest);
        self.sources.entry(id.clone()).or_insert(source);
        Gap { source: id, reason }
    }

    /// A listing that is not whole leaves everything that it might have spoken of unknown.
    fn spread_gaps(&mut self, bundle: &Bundle) {
        fn spread<'a>(gap: Option<&Gap>, facts: impl Iterator<Item = &'a mut Fact<Listed>>) {
            let Some(gap) = gap else { return };
            facts.filter(|fact| fact.known().is_some()).for_each(|fact| *fact = Fact::Unknown(gap.clone()));
        }
        let reach = [&bundle.credentials.gaps, &bundle.steps.gaps].into_iter().flatten().next();
        spread(reach, self.sessions.values_mut().map(|session| &mut session.reach));
        spread(bundle.ways.gaps.first(), self.sessions.values_mut().map(|session| &mut session.ways));
        let rights = [&bundle.principals.gaps, &bundle.grants.gaps].into_iter().flatten().next();
        spread(rights, self.principals.values_mut().map(|principal| &mut principal.grants));
        spread(bundle.protections.gaps.first(), self.assets.values_mut().map(|asset| &mut asset.protections));
        spread(bundle.recovery_points.gaps.first(), self.assets.values_mut().map(|asset| &mut asset.copies));
        spread(bundle.drills.gaps.first(), self.copies.values_mut().map(|copy| &mut copy.drills));
    }

    /// A principal that is named and not described has rights that nobody listed.
    fn add_missing_principals(&mut self, bundle: &Bundle) {
        let mut named: Vec<PrincipalId> = self.grants.iter().map(|grant| grant.principal.clone()).collect();
        named.extend(self.credentials.values().filter_map(|c| c.identity.known().cloned()));
        named.extend(self.ways.values().flat_map(|way| way.acts_as.iter().cloned()));
        named.extend(self.needed().filter_map(|atom| match atom {
            Atom::Principal(id) | Atom::Right { principal: id, .. } => Some(id.clone()),
            Atom::Credential(_) | Atom::Way(_) | Atom::Lifted(_) | Atom::Can { .. } | Atom::Destroyed(_) => None,
        }));
        named.retain(|id| !self.principals.contains_key(id));
        if named.is_empty() {
            return;
        }
        let gap = bundle.principals.gaps.first().cloned().unwrap_or_else(|| {
            self.note(
                "read the rights of an identity",
                GapReason::NotAsked,
                "run with --live, or merge its provider's facts (--merge)",
            )
        });
        let mut by_credential: BTreeMap<PrincipalId, String> = BTreeMap::new();
        for credential in self.credentials.values() {
            if let Some(id) = credential.identity.known() {
                by_credential.entry(id.clone()).or_insert_with(|| credential.provider.clone());
            }
        }
        for id in named {
            let provider = by_credential.get(&id).cloned().unwrap_or_else(|| provider_in(id.as_str()));
            let name = id.0.clone();
            let grants = Fact::Unknown(gap.clone());
            let principal =
                Principal { id: id.clone(), provider, name, environment: None, grants, sources: Vec::new() };
            self.principals.entry(id).or_insert(principal);
        }
    }

    fn provide_groups(&mut self) {
        let mut groups = std::mem::take(&mut self.groups);
        groups.find_providers(&self.assets, |node| self.provider_of(node).map(str::to_owned));
        self.groups = groups;
    }

    /// What a right is given for: the members of a group, or else the node itself.
    fn targets<'a>(&'a self, target: &'a NodeId) -> Box<dyn Iterator<Item = &'a NodeId> + 'a> {
        match self.groups.number(target) {
            // Whoever has given an asset's name to a group may have meant either.
            Some(group) => {
                let asset = Some(target).filter(|id| self.assets.contains_key(*id));
                Box::new(self.groups.members(group).chain(asset))
            }
            None => Box::new(std::iter::once(target)),
        }
    }

    /// A right to what nobody described may be one to anything of that provider; and an asset that lies in something
    /// nobody described may lie in any container there.
    fn widen_grants(&mut self) {
        let Some(gap) = self.missing.clone() else { return };
        let maybe = |grant: &Grant, target: NodeId| Grant {
            target,
            allowed: Fact::Unknown(gap.clone()),
            basis: Basis::None,
            ..grant.clone()
        };
        let may = |grant: &&Grant| grant.allowed != Fact::Known(false);
        let mut more = Vec::new();
        let acted_on: BTreeSet<&NodeId> = self.needed().filter_map(acted_on).flat_map(|id| self.targets(id)).collect();
        // Described is an asset, a copy, and what some step acts on.
        let plain = |node: &NodeId| {
            node.as_str() == "*"
                || self.assets.contains_key(node)
                || self.copies.contains_key(node)
                || acted_on.contains(node)
        };
        let mut groups: BTreeMap<&NodeId, bool> = BTreeMap::new();
        for target in self.grants.iter().map(|grant| &grant.target) {
            if let Some(group) = self.groups.number(target)
                && !groups.contains_key(target)
            {
                groups.insert(target, self.groups.is_whole(group) && self.groups.members(group).all(plain));
            }
        }
        let described = |node: &NodeId| groups.get(node).copied().unwrap_or_else(|| plain(node));
        for grant in self.grants.iter().filter(may).filter(|grant| !described(&grant.target)) {
            more.push(maybe(grant, "*".into()));
        }
        let lost = |asset: &&Asset| asset.parent.as_ref().is_some_and(|parent| !self.assets.contains_key(parent));
        for asset in self.assets.values().filter(lost) {
            let chain = self.chain(&asset.id);
            let around = |node: &NodeId| {
                let held = self.assets.get(node);
                held.is_some_and(|held| held.class.is_container() && held.provider == asset.provider)
            };
            for grant in self.grants.iter().filter(may) {
                if self.targets(&grant.target).any(|node| around(node) && !chain.contains(&node)) {
                    more.push(maybe(grant, asset.id.clone()));
                }
            }
        }
        self.grants.extend(more);
        self.grants.sort_by(|one, other| one.principal.cmp(&other.principal));
    }

    /// Every atom that some step, way, override, refusal, protection or copy speaks of.
    pub fn needed(&self) -> impl Iterator<Item = &Atom> {
        let ways = self.ways.values().flat_map(|way| {
            let overrides = way.overrides.iter().chain(&way.escapes).flat_map(|item| &item.needs);
            way.needs.iter().chain(overrides)
        });
        let refusals = self.credentials.values().flat_map(|c| &c.locations).flat_map(|location| &location.refused);
        let refusals = refusals.flat_map(|refusal| &refusal.overrides).flat_map(|item| &item.needs);
        let lifts = self.protections.iter().map(|p| &p.lifts).chain(self.copies.values().map(|c| &c.destroyed_by));
        let lifts = lifts.filter_map(Fact::known).flatten().flat_map(|lift| &lift.needs);
        let steps = self.steps.iter().flat_map(|step| step.needs.iter().chain(&step.gains));
        ways.chain(refusals).chain(lifts).chain(steps)
    }

    /// A container that was not listed to its end holds one asset more.
    fn add_rests(&mut self, bundle: &Bundle) {
        let mut rests = Vec::new();
        for asset in self.assets.values() {
            if let Some(Fact::Unknown(gap)) = &asset.contents {
                rests.push(rest_of(Some(asset), gap));
            }
        }
        rests.extend(bundle.assets.gaps.first().map(|gap| rest_of(None, gap)));
        self.assets.extend(rests.into_iter().map(|rest| (rest.id.clone(), rest)));
    }

    /// Where no session was assessed, one that nothing is known of stands for all.
    fn add_session_if_none(&mut self, bundle: &Bundle) {
        self.any_session = !self.sessions.is_empty();
        if self.any_session && bundle.sessions.gaps.is_empty() {
            return;
        }
        let gap = bundle.sessions.gaps.first().cloned().unwrap_or_else(|| {
            self.note(
                "find the sessions that act here",
                GapReason::NotAsked,
                "run `deadstop collect` where agents run, and merge its bundle",
            )
        });
        let session = Session {
            id: "?".into(),
            key: "?".to_owned(),
            name: "a session that was not assessed".to_owned(),
            agent: Agent::Other,
            machine: None,
            environment: None,
            roots: Vec::new(),
            reach: Fact::Unknown(gap.clone()),
            ways: Fact::Unknown(gap),
            tally: None,
            sources: Vec::new(),
        };
        self.sessions.insert(session.id.clone(), session);
    }
}

const fn acted_on(atom: &Atom) -> Option<&NodeId> {
    match atom {
        Atom::Can { target, .. } => Some(target),
        Atom::Principal(_)
        | Atom::Credential(_)
        | Atom::Way(_)
        | Atom::Lifted(_)
        | Atom::Right { .. }
        | Atom::Destroyed(_) => None,
    }
}

/// The provider that an id names before its first `:`.
fn provider_in(id: &str) -> String {
    let mut parts = id.split(':');
    match (parts.next(), parts.next(), parts.next()) {
        (Some("arn"), Some(partition), Some(_)) => partition.to_owned(),
        (Some(first), Some(_), _) => first.to_owned(),
        _ => "unknown".to_owned(),
    }
}

fn rest_of(container: Option<&Asset>, gap: &Gap) -> Asset {
    let gap = || gap.clone();
    let (id, provider, name, environment) = container.map_or_else(
        || ("?/rest".to_owned(), "unknown".to_owned(), "what else there is".to_owned(), Fact::Unknown(gap())),
        |c| (format!("{}/?", c.id), c.provider.clone(), format!("what else is in {}", c.name), c.environment.clone()),
    );
    Asset {
        id: id.into(),
        provider,
        kind: REST.to_owned(),
        class: crate::model::Class::Database,
        name,
        parent: container.map(|c| c.id.clone()),
        environment,
        contents: None,
        protections: Fact::Unknown(gap()),
        copies: Fact::Unknown(gap()),
        behind: Vec::new(),
        holds: Some("not listed".to_owned()),
        sources: Vec::new(),
    }
}

impl Source {
    /// Whether it answered in full.
    #[must_use]
    pub const fn answered(&self) -> bool {
        match self.outcome {
            Outcome::Answered(Answered::Answered) => true,
            Outcome::Not(_) => false,
        }
    }
}
