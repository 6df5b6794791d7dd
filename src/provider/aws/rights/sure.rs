//! What was decided for sure, and what of it others than the resource decide.

use deadstop_core::id::NodeId;

use super::{Accounts, Effect, ORGANISATION, On, ResourcePolicy};

/// Whether somebody is allowed an action on a resource of his own account that has no policy of its own.
pub(in crate::provider::aws) struct Sure<'a> {
    pub(in crate::provider::aws) node: &'a str,
    pub(in crate::provider::aws) action: &'a str,
    pub(in crate::provider::aws) arn: &'a str,
    pub(in crate::provider::aws) allowed: bool,
}

impl<'a> Accounts<'a> {
    /// What was decided of an identity. What an organisation's policies refuse is left out: of an
    /// account, not everyone may see these.
    pub(in crate::provider::aws) fn sure(&self, arn: &str) -> Option<Vec<Sure<'a>>> {
        let who = self.who(arn)?;
        let own = self.asks.iter().filter(|ask| ask.owner == who.number);
        let sure = own.filter_map(|ask| {
            let On::This(arn) = &ask.on else { return None };
            if arn.contains(['*', '?']) || !matches!(self.policy_of(ask), ResourcePolicy::None) {
                return None;
            }
            let allowed = match self.asked(&who, ask) {
                Effect::Yes => true,
                Effect::No(why) if why != ORGANISATION => false,
                Effect::No(_) | Effect::Maybe(_) => return None,
            };
            Some(Sure { node: ask.node.as_str(), action: &ask.action, arn, allowed })
        });
        Some(sure.collect())
    }

    /// What is asked for of these actions in an account: on which node, and on which ARN.
    pub(in crate::provider::aws) fn asked_for(
        &self,
        number: &str,
        actions: &[&str],
    ) -> impl Iterator<Item = (&'a NodeId, &'a str, &'a str)> {
        let own = self.asks.iter().filter(move |ask| ask.owner == number && actions.contains(&ask.action.as_str()));
        own.filter_map(|ask| match &ask.on {
            On::This(arn) if !arn.contains(['*', '?']) => Some((&ask.node, ask.action.as_str(), arn.as_str())),
            On::This(_) | On::Below(_) => None,
        })
    }
}
