//! Calls that change the policy of a resource, by which an identity may let itself in.

use deadstop_core::fact::Fact;
use deadstop_core::id::{NodeId, PrincipalId, StepId};
use deadstop_core::model::{Atom, Step};

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
    pub(super) fn openers(&self, who: &Who<'a>, facts: &mut Facts) {
        for opener in self.openers {
            let (node, owner) = (&opener.node, opener.owner.as_str());
            let policy = self.policies.get(node).unwrap_or(&ResourcePolicy::None);
            let call = self.decide(who, opener.action, node.as_str(), owner, policy);
            if matches!(call, Effect::No(_)) {
                continue;
            }
            // A replica's policy speaks of calls on it, by which its table is reached.
            let on = |ask: &&Ask| ask.node == *node || matches!(&ask.on, On::This(arn) if arn == node.as_str());
            let gained = self.asks.iter().filter(on).filter(|ask| ask.action != opener.action).filter(|ask| match self
                .decide_on(who, &ask.action, &ask.on, owner, &ResourcePolicy::None)
            {
                Effect::No(why) => opener.opens != Opens::Frees && why != REFUSED && why != ORGANISATION,
                Effect::Yes | Effect::Maybe(_) => true,
            });
            let gains: Vec<Atom> = gained.map(|ask| right(&who.id, &ask.action, &ask.node)).collect();
            if gains.is_empty() {
                continue;
            }
            let doubt = match opener.opens {
                Opens::Gives if who.held.boundary.is_none() => None,
                Opens::Gives => Some("what it gives ends at a permissions boundary, unless that can be lifted"),
                Opens::Frees => Some("what is left once the policy of a resource is gone was not worked out"),
                Opens::Public => Some("whether a resource can be made public was not worked out"),
            };
            let possible = match (call, doubt) {
                (Effect::Yes, None) => Fact::Known(true),
                (Effect::Maybe(why), _) => Fact::Unknown(facts.doubt(who.number, &why)),
                (Effect::Yes | Effect::No(_), Some(why)) => Fact::Unknown(facts.doubt(who.number, why)),
                (Effect::No(_), None) => continue,
            };
            let can = Atom::Can { action: opener.action.to_owned(), target: node.clone() };
            let sources = vec![facts.source(who.told_by(), who.number)];
            facts.steps.push(Step {
                id: StepId(format!("aws:{}:{}:{node}", who.arn, opener.action)),
                session: None,
                needs: vec![Atom::Principal(who.id.clone()), can],
                gains,
                changes: true,
                possible,
                because: format!("change who may do what with {}", opener.action),
                sources,
            });
        }
    }
}

pub(super) fn right(who: &PrincipalId, action: &str, node: &NodeId) -> Atom {
    Atom::Right { principal: who.clone(), action: action.to_owned(), target: node.clone() }
}
