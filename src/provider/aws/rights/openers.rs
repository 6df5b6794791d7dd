//! Calls that change the policy of a resource, by which an identity may let itself in.

use deadstop_core::fact::Fact;
use deadstop_core::id::{NodeId, PrincipalId, StepId};
use deadstop_core::model::{Atom, Step};

use super::answers::{Answers, Questions};
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
        let mut open: Vec<(&Opener, &Effect)> = Vec::new();
        for opener in self.openers {
            // INVARIANT: the call itself is asked for with whatever it opens.
            let mut asked = questions.of_node(opener.node.as_str()).iter();
            let call = asked.find(|at| self.asks.get(**at).is_some_and(|ask| is_call(ask, opener)));
            let effect = call.map(|at| answers.get(*at)).filter(|effect| !matches!(effect, Effect::No(_)));
            open.extend(effect.map(|effect| (opener, effect)));
        }
        if open.is_empty() {
            return;
        }
        // What its own policies leave to be given, to the last refusal.
        let bare = questions.answer_all(who, self.asks, |ask| {
            self.decide_on(who, &ask.action, &ask.on, &ask.owner, &ResourcePolicy::None)
        });
        for (opener, effect) in open {
            self.opening(who, (opener, effect), self.gained(opener, questions, &bare), facts);
        }
    }

    /// What a call gives.
    fn gained(&self, opener: &Opener, questions: &Questions<'a>, bare: &Answers) -> Vec<&'a Ask> {
        let on = questions.of_node(opener.node.as_str()).iter().copied();
        let asked = on.filter_map(|at| Some((at, self.asks.get(at)?)));
        let gained = asked.filter(|(at, ask)| {
            ask.action != opener.action
                && match bare.get(*at) {
                    Effect::No(why) => opener.opens != Opens::Frees && *why != REFUSED && *why != ORGANISATION,
                    Effect::Yes | Effect::Maybe(_) => true,
                }
        });
        gained.map(|(_, ask)| ask).collect()
    }

    fn opening(&self, who: &Who<'a>, (opener, effect): (&Opener, &Effect), gained: Vec<&Ask>, facts: &mut Facts) {
        let Opener { node, action, opens, .. } = opener;
        let gains: Vec<Atom> = gained.into_iter().map(|ask| right(&who.id, &ask.action, &ask.node)).collect();
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
        let can = Atom::Can { action: (*action).to_owned(), target: node.clone() };
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
