//! Calls that change the policy of a resource, by which an identity may let itself in.

use std::collections::BTreeMap;

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
    pub(in crate::provider::aws) owner: String,
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

/// One call of a kind, or all of an account that are decided the same.
struct Opening<'o> {
    call: &'o Opener,
    /// What it is made on: the resource, or the account.
    on: &'o NodeId,
    effect: &'o Effect,
    gains: Vec<Atom>,
}

impl<'a> Accounts<'a> {
    /// Calls by which an identity changes what the policy of a resource says of it. In an account such a policy is enough,
    /// whatever its own do not say; what they refuse, it cannot give.
    pub(super) fn openers(&self, who: &Who<'a>, questions: &Questions<'a>, answers: &Answers, facts: &mut Facts) {
        let mut open: BTreeMap<(&str, &str, Opens, usize), Vec<&Opener>> = BTreeMap::new();
        for opener in self.openers {
            let asked = questions.of_node(opener.node.as_str()).iter();
            // INVARIANT: the call itself is asked for with whatever it opens.
            let call = asked.copied().find(|at| self.asks.get(*at).is_some_and(|ask| is_call(ask, opener)));
            if let Some(at) = call.filter(|at| !matches!(answers.get(*at), Effect::No(_))) {
                let kind = (opener.action, opener.owner.as_str(), opener.opens, answers.number_of(at));
                open.entry(kind).or_default().push(opener);
            }
        }
        if open.is_empty() {
            return;
        }
        // What its own policies leave to be given, to the last refusal.
        let bare = questions.answer_all(who, self.asks, |ask| {
            self.decide_on(who, &ask.action, &ask.on, &ask.owner, &ResourcePolicy::None)
        });
        for ((action, owner, _, effect), list) in open {
            let Some(effect) = answers.effect(effect) else { continue };
            let all = self.openers.iter().filter(|one| one.action == action && one.owner == owner).count();
            let gained = |opener: &Opener| self.gained(opener, questions, &bare);
            let account = self.all.get(owner).map(|account| &account.node);
            match account.filter(|_| list.len() == all && all > 1) {
                Some(account) if list.iter().all(|one| questions.lies_below(&one.node)) => {
                    let of_all: Vec<usize> = list.iter().flat_map(|one| gained(one)).collect();
                    let gains = questions.rights(&who.id, self.asks, (owner, account), &of_all);
                    let Some(call) = list.first().copied() else { continue };
                    self.state_opening(who, Opening { call, on: account, effect, gains }, facts);
                }
                Some(_) | None => {
                    for call in list {
                        let asks = gained(call).into_iter().filter_map(|at| self.asks.get(at));
                        let gains = asks.map(|ask| right(&who.id, &ask.action, &ask.node)).collect();
                        let on = &call.node;
                        self.state_opening(who, Opening { call, on, effect, gains }, facts);
                    }
                }
            }
        }
    }

    /// What such a call gives, by number.
    fn gained(&self, opener: &Opener, questions: &Questions<'a>, bare: &Answers) -> Vec<usize> {
        let on = questions.of_node(opener.node.as_str()).iter().copied();
        let gained = on.filter(|at| {
            let other = self.asks.get(*at).is_some_and(|ask| ask.action != opener.action);
            other
                && match bare.get(*at) {
                    Effect::No(why) => opener.opens != Opens::Frees && *why != REFUSED && *why != ORGANISATION,
                    Effect::Yes | Effect::Maybe(_) => true,
                }
        });
        gained.collect()
    }

    fn state_opening(&self, who: &Who<'a>, opening: Opening<'_>, facts: &mut Facts) {
        let Opening { call: Opener { action, opens, .. }, on, effect, gains } = opening;
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
        let can = Atom::Can { action: (*action).to_owned(), target: on.clone() };
        let sources = vec![facts.source(who.told_by(), who.number)];
        facts.steps.push(Step {
            id: StepId(format!("aws:{}:{action}:{on}", who.arn)),
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
