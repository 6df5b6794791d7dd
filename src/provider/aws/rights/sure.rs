//! What was decided for sure, and what of it others than the resource decide.

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::id::NodeId;
use deadstop_core::model::Grant;

use super::{Accounts, Effect, Facts, ORGANISATION, On, ResourcePolicy};

/// Whether somebody is allowed an action on a resource of his own account that has no policy of its own.
pub(in crate::provider::aws) struct Sure<'a> {
    pub(in crate::provider::aws) node: &'a str,
    pub(in crate::provider::aws) action: &'a str,
    pub(in crate::provider::aws) arn: &'a str,
    pub(in crate::provider::aws) allowed: bool,
}

/// States of each node by itself what was stated once for all: whoever says otherwise says it of nodes.
pub(in crate::provider::aws) fn spell_out<'p>(
    identity: &str,
    pairs: impl Iterator<Item = (&'p str, &'p str)>,
    facts: &mut Facts,
) {
    let own: Vec<&Grant> = facts.grants.iter().filter(|grant| grant.principal.as_str() == identity).collect();
    let Some(of_all) = own.iter().find(|grant| grant.target.as_str() == "*").copied() else { return };
    let stated = own.iter().filter(|grant| grant.target.as_str() != "*");
    let stated: BTreeSet<(&str, &str)> =
        stated.flat_map(|grant| grant.actions.iter().map(|action| (grant.target.as_str(), action.as_str()))).collect();
    let mut spelt: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (node, action) in pairs.filter(|pair| !stated.contains(pair)) {
        spelt.entry(node).or_default().insert(action);
    }
    let spelt = spelt.into_iter().map(|(node, actions)| {
        let actions = actions.into_iter().map(str::to_owned).collect();
        Grant { target: node.into(), actions, ..of_all.clone() }
    });
    let spelt: Vec<Grant> = spelt.collect();
    facts.grants.extend(spelt);
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
