//! Rights to many resources, stated of groups of them: facts would grow with identities times resources otherwise.

use std::cell::RefCell;
use std::collections::BTreeMap;

use deadstop_core::fact::Fact;
use deadstop_core::id::NodeId;
use deadstop_core::model::{Basis, Grant, Holds};
use fixedbitset::FixedBitSet;
use indexmap::{IndexMap, IndexSet};

use super::answers::{Answers, Questions};
use super::{Accounts, Ask, Effect, Who};
use crate::provider::facts::{FEW, Facts};

/// A group is told by what it leaves out of another one, where that is so many times less.
const LESS: usize = 4;

/// How rights are stated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stated {
    /// Of each resource by itself.
    Each,
    /// Of groups of them.
    Together,
}

/// Sets of the nodes that are asked for.
#[derive(Debug)]
pub(super) struct Sets<'a> {
    nodes: IndexSet<&'a NodeId>,
    /// By the number of what is asked.
    of_ask: Vec<usize>,
    /// What is asked for an action, by number.
    asked: BTreeMap<&'a str, Vec<usize>>,
    /// Where each action is asked for.
    bases: BTreeMap<&'a str, FixedBitSet>,
    /// The groups that were named.
    named: RefCell<IndexMap<FixedBitSet, NodeId>>,
}

/// What a right is stated of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// Each of these.
    Each(Vec<NodeId>),
    /// All of a group.
    All(NodeId),
}

impl Target {
    /// The nodes that it is stated of.
    pub(super) fn nodes(&self) -> &[NodeId] {
        match self {
            Self::Each(nodes) => nodes,
            Self::All(group) => std::slice::from_ref(group),
        }
    }
}

impl<'a> Sets<'a> {
    pub(super) fn new(asks: &'a [Ask]) -> Self {
        let nodes: IndexSet<&NodeId> = asks.iter().map(|ask| &ask.node).collect();
        let of_ask: Vec<usize> = asks.iter().filter_map(|ask| nodes.get_index_of(&ask.node)).collect();
        let mut asked: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut bases: BTreeMap<&str, FixedBitSet> = BTreeMap::new();
        for (at, (ask, node)) in asks.iter().zip(&of_ask).enumerate() {
            asked.entry(&ask.action).or_default().push(at);
            let base = bases.entry(&ask.action).or_insert_with(|| FixedBitSet::with_capacity(nodes.len()));
            base.insert(*node);
        }
        Self { nodes, of_ask, asked, bases, named: RefCell::default() }
    }

    /// No node.
    pub(super) fn none(&self) -> FixedBitSet {
        FixedBitSet::with_capacity(self.nodes.len())
    }

    /// The number of the node of what is asked.
    pub(super) fn node_of(&self, ask: usize) -> Option<usize> {
        self.of_ask.get(ask).copied()
    }

    /// What somebody may do: for each effect, by its number, and each action the nodes. What no policy allows is left out.
    pub(super) fn by_action(&self, answers: &Answers) -> BTreeMap<(usize, &'a str), FixedBitSet> {
        let mut all = BTreeMap::new();
        for (action, asks) in &self.asked {
            let mut of: BTreeMap<usize, FixedBitSet> = BTreeMap::new();
            for at in asks {
                let effect = answers.number_of(*at);
                if let (false, Some(node)) = (answers.is_nothing(effect), self.node_of(*at)) {
                    of.entry(effect).or_insert_with(|| self.none()).insert(node);
                }
            }
            all.extend(of.into_iter().map(|(effect, nodes)| ((effect, *action), nodes)));
        }
        all
    }

    /// What a right to these nodes, in which this action is asked for, is stated of.
    pub(super) fn target(&self, nodes: &FixedBitSet, action: &str, facts: &mut Facts) -> Target {
        let count = nodes.count_ones(..);
        if count <= FEW {
            return Target::Each(self.told(nodes));
        }
        if let Some(known) = self.named.borrow().get(nodes) {
            return Target::All(known.clone());
        }
        let base = self.bases.get(action).filter(|base| nodes.is_subset(base));
        let mut except = base.cloned().unwrap_or_else(|| self.none());
        except.difference_with(nodes);
        let left_out = except.count_ones(..);
        let holds = match base {
            Some(base) if left_out > 0 && left_out * LESS < count => {
                let of = self.group(base, Holds::Nodes(self.told(base)), facts);
                Holds::Rest { of, except: self.told(&except) }
            }
            Some(_) | None => Holds::Nodes(self.told(nodes)),
        };
        Target::All(self.group(nodes, holds, facts))
    }

    fn told(&self, nodes: &FixedBitSet) -> Vec<NodeId> {
        let mut told: Vec<NodeId> =
            nodes.ones().filter_map(|at| self.nodes.get_index(at)).map(|node| (*node).clone()).collect();
        told.sort();
        told
    }

    fn group(&self, nodes: &FixedBitSet, holds: Holds, facts: &mut Facts) -> NodeId {
        if let Some(known) = self.named.borrow().get(nodes) {
            return known.clone();
        }
        let id = facts.group(holds);
        self.named.borrow_mut().insert(nodes.clone(), id.clone());
        id
    }
}

/// Rights by what they are stated of: the effect's number, the nodes, and the actions.
type ByEffect<'a> = IndexMap<(usize, FixedBitSet), Vec<&'a str>>;

/// Puts actions together that have the same effect on the same nodes.
fn together<'a>(by_action: &BTreeMap<(usize, &'a str), FixedBitSet>) -> ByEffect<'a> {
    let mut all = ByEffect::new();
    for ((effect, action), nodes) in by_action {
        all.entry((*effect, nodes.clone())).or_default().push(action);
    }
    all
}

/// Whether an effect lets a call through, or may.
pub(super) const fn may(effect: &Effect) -> bool {
    !matches!(effect, Effect::No(_))
}

impl<'a> Accounts<'a> {
    /// States what somebody may do with what is asked for. What none of its policies allows is stated once.
    pub(super) fn grants(&self, who: &Who<'a>, answers: &Answers, facts: &mut Facts) {
        for ((effect, node), actions) in answers.together(self.asks) {
            let Some(effect) = answers.effect(effect) else { continue };
            let actions = actions.into_iter().map(str::to_owned).collect();
            state_effect(who, effect, actions, node, facts);
        }
    }

    /// The same, and what it may open for itself, stated of groups of nodes.
    pub(super) fn rights_together(
        &self,
        who: &Who<'a>,
        questions: &Questions<'a>,
        answers: &Answers,
        facts: &mut Facts,
    ) {
        let sets = questions.sets();
        let by_action = sets.by_action(answers);
        for ((effect, nodes), actions) in together(&by_action) {
            let (Some(effect), Some(first)) = (answers.effect(effect), actions.first()) else { continue };
            for node in sets.target(&nodes, first, facts).nodes() {
                state_effect(who, effect, actions.iter().map(|&action| action.to_owned()).collect(), node, facts);
            }
        }
        self.openers_together(who, questions, answers, &by_action, facts);
    }
}

/// States what AWS does with actions on a node.
fn state_effect(who: &Who<'_>, effect: &Effect, actions: Vec<String>, node: &NodeId, facts: &mut Facts) {
    let (allowed, because) = match effect {
        Effect::Yes => (Fact::Known(true), "its policies allow it"),
        Effect::Maybe(why) => (Fact::Unknown(facts.doubt(who.number, why)), why.as_str()),
        Effect::No(why) => (Fact::Known(false), *why),
    };
    grant(who, actions, node, allowed, because, facts);
}

/// States one right.
pub(super) fn grant(
    who: &Who<'_>,
    actions: Vec<String>,
    node: &NodeId,
    allowed: Fact<bool>,
    because: &str,
    facts: &mut Facts,
) {
    let sources = vec![facts.source(who.told_by(), who.number)];
    facts.grants.push(Grant {
        principal: who.id.clone(),
        actions,
        target: node.clone(),
        allowed,
        basis: Basis::Evaluated,
        because: because.to_owned(),
        sources,
    });
}
