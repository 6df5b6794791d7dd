//! What an account has, what guards it and what brings it back.

pub(super) mod dynamodb;
pub(super) mod kms;
pub(super) mod rds;

use std::collections::BTreeMap;

use deadstop_core::catalogue;
use deadstop_core::fact::{Fact, Gap, Listed};
use deadstop_core::id::{NodeId, ProtectionId};
use deadstop_core::model::{Asset, Atom, Basis, Class, Lift, Protection, Side};

use super::client::Client;
use super::rights::{Ask, ResourcePolicy};
use crate::provider::facts::Facts;

/// AWS keeps no record of whether a restore was any good. Those that count are the ones that somebody wrote down
/// (`restore_tests`), so a copy of which none is written down is untested, not unknown.
const DRILLS: Fact<Listed> = Fact::Known(Listed::Complete);

/// What rights will be asked about.
#[derive(Debug, Default)]
pub(super) struct Holdings {
    pub(super) asks: Vec<Ask>,
    /// The policies of the resources themselves.
    pub(super) policies: BTreeMap<NodeId, ResourcePolicy>,
}

/// What is collected on the way.
pub(super) struct Desk<'a> {
    pub(super) account: &'a str,
    pub(super) parent: NodeId,
    pub(super) region: &'a str,
    /// The keys that may read, the auditor's first.
    pub(super) clients: &'a [Client<'a>],
    pub(super) facts: &'a mut Facts,
    pub(super) holdings: &'a mut Holdings,
    /// What is encrypted with each key that was named, by ARN.
    pub(super) keys: BTreeMap<String, Vec<NodeId>>,
    /// Kinds that could not be listed.
    pub(super) unlisted: &'a mut Vec<Gap>,
}

impl Desk<'_> {
    pub(super) fn scope(&self) -> String {
        format!("{}/{}", self.account, self.region)
    }

    /// Asks as one key after the other, until one is answered.
    pub(super) fn ask<T>(
        &mut self,
        operation: &str,
        of: Option<&str>,
        call: impl Fn(&Client<'_>) -> Result<T, super::client::Fault>,
    ) -> Result<T, Gap> {
        let scope = of.map_or_else(|| self.scope(), |of| format!("{}/{of}", self.scope()));
        let mut last = None;
        for client in self.clients {
            match call(client) {
                Ok(answer) => {
                    self.facts.source(operation, &scope);
                    return Ok(answer);
                }
                Err(fault) => last = Some(fault),
            }
        }
        let fault = last.unwrap_or(super::client::Fault { reason: deadstop_core::fact::GapReason::Denied, code: None });
        Err(self.facts.refused(operation, &scope, &fault))
    }

    /// Adds an asset, with the operations of the catalogue that destroy its kind.
    pub(super) fn asset(&mut self, seen: Seen<'_>) -> NodeId {
        let id = NodeId(seen.arn.to_owned());
        let environment = environment(seen.tags);
        let source = self.facts.source(seen.operation, &self.scope());
        let environment = environment.map_or_else(
            || Fact::Unknown(self.facts.doubt(self.account, "no tag says which environment it belongs to")),
            Fact::Known,
        );
        self.destroyers(&id, seen.kind);
        self.facts.assets.push(Asset {
            id: id.clone(),
            provider: "aws".to_owned(),
            kind: seen.kind.to_owned(),
            class: seen.class,
            name: seen.name.to_owned(),
            parent: Some(self.parent.clone()),
            environment,
            contents: None,
            protections: Fact::Known(Listed::Complete),
            copies: seen.copies,
            behind: Vec::new(),
            holds: seen.holds,
            sources: vec![source],
        });
        self.holdings.policies.insert(id.clone(), seen.policy);
        if let Some(key) = seen.key {
            self.keys.entry(key.to_owned()).or_default().push(id.clone());
        }
        id
    }

    /// Adds deletion protection, which one more call takes off.
    pub(super) fn protection(&mut self, on: &NodeId, covers: &str, enabled: Fact<bool>, lift: &str, operation: &str) {
        self.also(on, lift, on.as_str());
        let source = self.facts.source(operation, &self.scope());
        let said = match &enabled {
            Fact::Known(true) => "deletion protection is on",
            Fact::Known(false) => "deletion protection is off",
            Fact::Unknown(_) => "whether deletion protection is on was not read",
        };
        self.facts.protections.push(Protection {
            id: ProtectionId(format!("{on}#deletion-protection")),
            on: on.clone(),
            side: Side::Protect,
            kind: "deletion protection".to_owned(),
            covers: vec![covers.to_owned()],
            enabled,
            whole: Fact::Known(true),
            holds_parent: false,
            only_ways: Vec::new(),
            lifts: Fact::Known(vec![one_call(lift, on, "switch deletion protection off")]),
            basis: Basis::Observed,
            because: said.to_owned(),
            sources: vec![source],
        });
    }

    /// Asks for the operations of the catalogue that destroy this kind of resource.
    fn destroyers(&mut self, node: &NodeId, kind: &str) {
        let actions = catalogue::actions();
        for action in actions.iter().filter(|action| action.provider == "aws" && action.kind == kind) {
            self.also(node, &action.action, node.as_str());
        }
    }

    /// Asks for a right on a resource; its ARN says whose it is.
    pub(super) fn also(&mut self, node: &NodeId, action: &str, resource: &str) {
        let owner = resource.split(':').nth(4).filter(|owner| !owner.is_empty()).unwrap_or(self.account).to_owned();
        self.holdings.asks.push(Ask {
            node: node.clone(),
            owner,
            action: action.to_owned(),
            resource: resource.to_owned(),
        });
    }
}

/// An asset as it was seen.
pub(super) struct Seen<'a> {
    pub(super) arn: &'a str,
    pub(super) kind: &'a str,
    pub(super) class: Class,
    pub(super) name: &'a str,
    pub(super) tags: &'a BTreeMap<String, String>,
    pub(super) copies: Fact<Listed>,
    pub(super) holds: Option<String>,
    pub(super) operation: &'a str,
    /// The key that its data is encrypted with, by ARN.
    pub(super) key: Option<&'a str>,
    pub(super) policy: ResourcePolicy,
}

/// A lift that takes one call.
pub(super) fn one_call(action: &str, on: &NodeId, because: &str) -> Lift {
    let can = Atom::Can { action: action.to_owned(), target: on.clone() };
    Lift { needs: vec![can], changes: true, because: format!("{because} ({action})") }
}

/// The environment that tags name, in the ways that are common.
fn environment(tags: &BTreeMap<String, String>) -> Option<String> {
    const KEYS: [&str; 4] = ["environment", "env", "stage", "deployment-environment"];
    let named = |key: &str| tags.iter().find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, value)| value);
    KEYS.iter()
        .find_map(|key| named(key))
        .filter(|value| !value.trim().is_empty())
        .map(|value| value.trim().to_lowercase())
}
