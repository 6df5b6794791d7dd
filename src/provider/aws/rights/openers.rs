//! Calls that change the policy of a resource, by which an identity may let itself in.

use std::collections::BTreeMap;

use deadstop_core::fact::Fact;
use deadstop_core::id::{NodeId, PrincipalId, StepId};
use deadstop_core::model::{Atom, Step};
use fixedbitset::FixedBitSet;

use super::answers::{Answers, Questions};
use super::together::may;
use super::{Accounts, Ask, Effect, ORGANISATION, On, REFUSED, ResourcePolicy, Who};
use crate::provider::facts::Facts;

/// A call that changes the policy of a resource.
#[derive(Clone, Debug)]
pub(in crate::provider::aws) struct Opener {
    pub(in crate::provider::aws) node: NodeId,
    pub(in crate::provider::aws) action: &'static str,
    pub(in crate::provider::aws) opens: Opens,
}

/// What a change of a resource's policy brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::provider::aws) enum Opens {
    /// Whatever its own policies do not refuse.
    Gives,
    /// What its own policies allow, and the policy of the resource refuses.
    Frees,
    /// What anybody may do, if the resource can be made public.
    Public,
}

impl<'a> Accounts<'a> {
    /// Calls by which an identity changes what the policy of a resource says of it. In an account such a policy is enough,
    /// whatever its own do not say; what they refuse, it cannot give.
    pub(super) fn openers(&self, who: &Who<'a>, questions: &Questions<'a>, answers: &Answers, facts: &mut Facts) {
        let open = self.open(questions, answers);
        if open.is_empty() {
            return;
        }
        let bare = self.bare(who, questions);
        for (opener, effect) in open {
            let Some(effect) = answers.effect(effect) else { continue };
            let gained = self.gained(opener, questions, &bare).filter_map(|at| self.asks.get(at));
            let gains = gained.map(|ask| right(&who.id, &ask.action, &ask.node)).collect();
            self.opening(who, (opener.action, opener.opens, &opener.node), effect, gains, facts);
        }
    }

    /// Those that may be made, with the number of the effect.
    fn open(&self, questions: &Questions<'a>, answers: &Answers) -> Vec<(&'a Opener, usize)> {
        let of = |opener: &'a Opener| {
            // INVARIANT: the call itself is asked for with whatever it opens.
            let mut asked = questions.of_node(opener.node.as_str()).iter();
            let call = asked.find(|at| self.asks.get(**at).is_some_and(|ask| is_call(ask, opener)))?;
            may(answers.get(*call)).then(|| (opener, answers.number_of(*call)))
        };
        self.openers.iter().filter_map(of).collect()
    }

    /// What its own policies leave to be given, to the last refusal.
    fn bare(&self, who: &Who<'a>, questions: &Questions<'a>) -> Answers {
        questions.answer_all(who, self.asks, |ask| {
            self.decide_on(who, &ask.action, &ask.on, &ask.owner, &ResourcePolicy::None)
        })
    }

    /// What a call gives, by the number of what is asked.
    fn gained<'s>(
        &'s self,
        opener: &'s Opener,
        questions: &'s Questions<'a>,
        bare: &'s Answers,
    ) -> impl Iterator<Item = usize> + 's {
        questions.of_node(opener.node.as_str()).iter().copied().filter(|at| {
            self.asks.get(*at).is_some_and(|ask| ask.action != opener.action)
                && match bare.get(*at) {
                    Effect::No(why) => opener.opens != Opens::Frees && *why != REFUSED && *why != ORGANISATION,
                    Effect::Yes | Effect::Maybe(_) => true,
                }
        })
    }

    /// The same, stated of groups of nodes: `may` says on which nodes somebody may do what.
    pub(super) fn openers_together(
        &self,
        who: &Who<'a>,
        questions: &Questions<'a>,
        answers: &Answers,
        may: &BTreeMap<(usize, &'a str), FixedBitSet>,
        facts: &mut Facts,
    ) {
        let open = self.open(questions, answers);
        if open.is_empty() {
            return;
        }
        let sets = questions.sets();
        let bare = self.bare(who, questions);
        // By the call and what may be done with it: the nodes at which each action is gained.
        let mut all: BTreeMap<(&str, usize, Opens), BTreeMap<&str, FixedBitSet>> = BTreeMap::new();
        for (opener, effect) in open {
            let gains = all.entry((opener.action, effect, opener.opens)).or_default();
            for at in self.gained(opener, questions, &bare) {
                let (Some(ask), Some(node)) = (self.asks.get(at), sets.node_of(at)) else { continue };
                gains.entry(&ask.action).or_insert_with(|| sets.none()).insert(node);
            }
        }
        for ((action, effect, opens), gained) in all {
            let (Some(calls), Some(effect)) = (may.get(&(effect, action)), answers.effect(effect)) else { continue };
            let calls = sets.target(calls, action, facts);
            let mut gains = Vec::new();
            for (gained, nodes) in gained {
                let target = sets.target(&nodes, gained, facts);
                gains.extend(target.nodes().iter().map(|node| right(&who.id, gained, node)));
            }
            // INVARIANT: the right to the call is stated of this very group, or of each of these nodes.
            for on in calls.nodes() {
                self.opening(who, (action, opens, on), effect, gains.clone(), facts);
            }
        }
    }

    fn opening(
        &self,
        who: &Who<'a>,
        (action, opens, node): (&str, Opens, &NodeId),
        effect: &Effect,
        gains: Vec<Atom>,
        facts: &mut Facts,
    ) {
        if gains.is_empty() {
            return;
        }
        let doubt = match opens {
            Opens::Gives if who.held.boundary.is_none() => None,
            Opens::Gives => Some("what it gives ends at a permissions boundary, unless that can be lifted"),
            Opens::Frees => Some("what is left once the policy of a resource is gone was not worked out"),
            Opens::Public => Some("whether a resource can be made public was not worked out"),
        };
        let possible = match (effect, doubt) {
            (Effect::Yes, None) => Fact::Known(true),
            (Effect::Maybe(why), _) => Fact::Unknown(facts.doubt(who.number, why)),
            (Effect::Yes | Effect::No(_), Some(why)) => Fact::Unknown(facts.doubt(who.number, why)),
            (Effect::No(_), None) => return,
        };
        let can = Atom::Can { action: action.to_owned(), target: node.clone() };
        let sources = vec![facts.source(who.told_by(), who.number)];
        facts.steps.push(Step {
            id: StepId(format!("aws:{}:{action}:{node}", who.arn)),
            session: None,
            needs: vec![Atom::Principal(who.id.clone()), can],
            gains,
            changes: true,
            possible,
            because: format!("change who may do what with {action}"),
            sources,
        });
    }
}

/// Whether this is the call itself.
fn is_call(ask: &Ask, opener: &Opener) -> bool {
    let on_itself = matches!(&ask.on, On::This(arn) if arn == ask.node.as_str());
    ask.action == opener.action && ask.node == opener.node && on_itself
}

pub(super) fn right(who: &PrincipalId, action: &str, node: &NodeId) -> Atom {
    Atom::Right { principal: who.clone(), action: action.to_owned(), target: node.clone() }
}
