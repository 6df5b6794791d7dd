//! Ways that stay within one service: calls that may come to assets of it, and to nothing else, and calls that put data
//! under another key.

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::iam::{Leading, Policy, Way, lead_on};
use deadstop_core::id::NodeId;

use super::onward::{Perhaps, perhaps_at};
use super::{Accounts, Effect, On, ResourcePolicy, Who};
use crate::provider::facts::Facts;

/// What puts data under a key asks for this right to the key (API references: `UpdateObjectEncryption` of S3, by which the
/// key is one of the bucket's account; DynamoDB Developer Guide, `encryption.usagenotes`).
const TO_KEY: [&str; 2] = ["kms:ReEncryptTo", "kms:CreateGrant"];
/// Whoever makes a key writes its policy.
const MAKE_KEY: &str = "kms:CreateKey";

/// A resource whose own policy allows somebody calls that lead to it.
#[derive(Debug)]
pub(in crate::provider::aws) struct Spoken<'a> {
    node: &'a NodeId,
    owner: &'a str,
    held: &'a ResourcePolicy,
    /// Those that its policy names, or may name, if it was not read.
    named: Vec<&'static Leading>,
    /// What the calls may be made on.
    places: Vec<On>,
}

impl<'a> Accounts<'a> {
    /// States that somebody may come to assets of a service by calls that are not followed.
    pub(super) fn beside(&self, who: &Who<'a>, facts: &mut Facts) {
        let mut stated = BTreeSet::new();
        let keyed = self.may_use_keys(who);
        for (action, way) in who.leading(|way| matches!(way, Way::At(_)) || way == Way::Keyed && keyed) {
            let service = match way {
                Way::At(service) => service,
                Way::Keyed => action.split(':').next().unwrap_or_default(),
                Way::Nowhere | Way::Anywhere | Way::Objects | Way::Sql => continue,
            };
            if stated.insert(service) {
                perhaps_at(who, by(service, self.of_service(who, service), action), facts);
            }
        }
        let stays = |way: Way| matches!(way, Way::At(_)) || way == Way::Keyed && keyed;
        for own in self.spoken.get_or_init(|| self.spoken()) {
            if let Some(first) = self.let_in(who, own, stays) {
                perhaps_at(who, by(own.node.as_str(), vec![own.node], first), facts);
            }
        }
    }

    /// The resources whose own policies allow somebody such calls.
    fn spoken(&self) -> Vec<Spoken<'a>> {
        let owners: BTreeMap<&NodeId, &str> = self.asks.iter().map(|ask| (&ask.node, ask.owner.as_str())).collect();
        let all = self.policies.iter().filter_map(|(node, held)| {
            let service = node.as_str().split(':').nth(2)?;
            let wanted = |way: Way| match way {
                Way::Anywhere | Way::Keyed => true,
                Way::At(other) => other == service,
                Way::Nowhere | Way::Objects | Way::Sql => false,
            };
            let names = |leading: &&Leading| match held.policy() {
                Some(policy) => policy.names(&leading.action),
                // What stays at the resource is in doubt with every right to it.
                None => leading.way == Way::Anywhere && matches!(held, ResourcePolicy::NotKnown(_)),
            };
            let ways = lead_on(&format!("{service}:*")).filter(|leading| wanted(leading.way));
            let named: Vec<&Leading> = ways.filter(names).collect();
            // Of buckets, some calls are made on objects; of search domains, on what lies below them (OpenSearch Service
            // Developer Guide, `ac`).
            let objects = ["s3", "es"].contains(&service).then(|| On::Below(format!("{node}/")));
            let whole = match node.as_str() {
                // Functions that were not listed.
                some if some.ends_with(':') => On::Below(some.to_owned()),
                one => On::This(one.to_owned()),
            };
            // A function's policy may speak of its versions and aliases, too.
            let versions =
                (service == "lambda" && !node.as_str().ends_with(':')).then(|| On::Below(format!("{node}:")));
            let places = [whole].into_iter().chain(objects).chain(versions).collect();
            let told = node.as_str().split(':').nth(4).filter(|owner| !owner.is_empty());
            let owner = owners.get(node).copied().or(told).filter(|_| !named.is_empty())?;
            Some(Spoken { node, owner, held, named, places })
        });
        all.collect()
    }

    /// A call by which the policy of a resource may let somebody come to other rights: a signature by a key, a restore
    /// from a vault.
    pub(super) fn by_a_policy(&self, who: &Who<'a>) -> Option<&'static str> {
        self.spoken.get_or_init(|| self.spoken()).iter().find_map(|own| {
            // In another account it takes policies of one's own as well, which are looked at by themselves.
            let near = own.owner == who.number || own.held.policy().is_some();
            near.then(|| self.let_in(who, own, |way| way == Way::Anywhere)).flatten()
        })
    }

    /// Whether a resource lets in somebody of an account that was not read, by a policy that gives calls which lead on.
    pub(super) fn leads_others_on(&self) -> bool {
        let leads = |own: &Spoken<'a>, policy: &Policy| {
            let mut named = own.named.iter().filter(|leading| leading.way == Way::Anywhere);
            named.any(|leading| {
                let at = |on: &On| match on {
                    On::This(arn) => policy.names_at(&leading.action, arn, false),
                    On::Below(prefix) => policy.names_at(&leading.action, prefix, true),
                };
                own.places.iter().filter(|on| fits(on, &leading.action)).any(at)
            })
        };
        self.spoken
            .get_or_init(|| self.spoken())
            .iter()
            .any(|own| own.held.policy().is_some_and(|policy| self.lets_in_unread(policy) && leads(own, policy)))
    }

    /// A call of this kind that the policy of the resource itself may let somebody make.
    fn let_in(&self, who: &Who<'a>, own: &Spoken<'a>, wanted: impl Fn(Way) -> bool) -> Option<&'static str> {
        let may = |action: &str| {
            let refused = |on: &On| matches!(self.decide_on(who, action, on, own.owner, own.held), Effect::No(_));
            own.places.iter().filter(|on| fits(on, action)).any(|on| !refused(on))
        };
        let named = own.named.iter().filter(|leading| wanted(leading.way));
        named.map(|leading| leading.action.as_str()).find(|action| may(action))
    }

    /// Whether somebody may put data under a key of his choice.
    fn may_use_keys(&self, who: &Who<'a>) -> bool {
        let mut keys = self.policies.keys().filter(|node| node.as_str().contains(":kms:")).peekable();
        let named = || TO_KEY.iter().chain([&MAKE_KEY]).any(|action| who.may_call(action));
        keys.peek().is_none()
            || named()
            || keys.any(|key| {
                let owner = key.as_str().split(':').nth(4).unwrap_or_default();
                let policy = self.policies.get(key).unwrap_or(&ResourcePolicy::None);
                let may =
                    |action: &&str| !matches!(self.decide(who, action, key.as_str(), owner, policy), Effect::No(_));
                TO_KEY.iter().any(may)
            })
    }

    /// Whatever of one's own account is asked for an action of the service, and what has policies of its own elsewhere.
    fn of_service(&self, who: &Who<'a>, service: &str) -> Vec<&'a NodeId> {
        // Shares of data and policies of namespaces are those of Redshift (Service Authorization Reference, Amazon Redshift),
        // of clusters as of what is serverless.
        let of = |action: &str| {
            let prefix = action.split(':').next();
            prefix == Some(service) || service == "redshift" && prefix == Some("redshift-serverless")
        };
        let near = self.asks.iter().filter(|ask| ask.owner == who.number || self.speaks(&ask.node));
        let nodes: BTreeSet<&NodeId> = near.filter(|ask| of(&ask.action)).map(|ask| &ask.node).collect();
        nodes.into_iter().collect()
    }
}

/// Whether such a call may be made there.
fn fits(on: &On, action: &str) -> bool {
    let of_what_is_below =
        action.contains("Object") || ["es:ESHttp", "lambda:"].iter().any(|of| action.starts_with(of));
    matches!(on, On::This(_)) || of_what_is_below
}

/// What somebody gains by such a call.
fn by<'n>(what: &str, nodes: Vec<&'n NodeId>, first: &str) -> Perhaps<'n> {
    Perhaps {
        what: format!("beside:{what}"),
        nodes,
        why: "ways to assets of a service by what it does itself are not followed",
        because: format!("come to what {what} keeps by way of {first}"),
        changes: true,
    }
}
