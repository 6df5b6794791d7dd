//! What the kinds of resources are described with: pages of a listing, protections, copies and policies.

use std::collections::BTreeMap;

use deadstop_core::fact::{Fact, Gap};
use deadstop_core::iam::{Kind, Policy};
use deadstop_core::id::{NodeId, ProtectionId, StepId};
use deadstop_core::model::{Atom, Basis, Copy, CopyKind, End, Lift, Protection, Side, Step};
use deadstop_core::time::{Span, Time};
use roxmltree::{Document, Node};
use serde_json::{Value, json};

use super::{DRILLS, Desk};
use crate::provider::aws::client::{Client, Fault};
use crate::provider::aws::pages::{paged, pages};
use crate::provider::aws::rights::ResourcePolicy;
use crate::provider::aws::xml;

/// What a new password of a database's main user lets whoever has set it do (`MasterUserPassword` of `ModifyDBInstance`,
/// `ModifyDBCluster` and `ModifyCluster`).
pub(super) const NEW_PASSWORD: &str = "set a new password, sign in and drop its tables";

/// A listing of the JSON protocol, page by page.
#[derive(Clone, Copy)]
pub(super) struct Listing {
    pub(super) service: &'static str,
    pub(super) target: &'static str,
    /// The member with the items.
    pub(super) items: &'static str,
    /// What the place of the next page is called in a request and in an answer.
    pub(super) next: (&'static str, &'static str),
}

impl Listing {
    /// Every page. One item that cannot be understood spoils the whole: it may be the one that counts.
    pub(super) fn read<T>(
        self,
        client: &Client<'_>,
        body: &Value,
        read: fn(&Value) -> Option<T>,
    ) -> Result<Vec<T>, Fault> {
        paged(self.items, self.next.1, read, |token| {
            let mut body = body.clone();
            if let (Some(token), Some(body)) = (token, body.as_object_mut()) {
                body.insert(self.next.0.to_owned(), json!(token));
            }
            client.target(self.service, self.target, "1.1", &body)
        })
    }
}

/// A listing of the query protocol, page by page.
#[derive(Clone, Copy)]
pub(super) struct Query {
    pub(super) service: &'static str,
    pub(super) version: &'static str,
    pub(super) action: &'static str,
    /// The element with the items.
    pub(super) items: &'static str,
    /// What the place of the next page is called.
    pub(super) next: &'static str,
    /// What is said beside.
    pub(super) fields: &'static [(&'static str, &'static str)],
}

impl Query {
    /// Every page. One item that cannot be understood spoils the whole: it may be the one that counts.
    pub(super) fn read<T>(self, client: &Client<'_>, read: fn(Node<'_, '_>) -> Option<T>) -> Result<Vec<T>, Fault> {
        pages(|place| {
            let mut fields = self.fields.to_vec();
            fields.extend(place.map(|place| (self.next, place)));
            let answer = client.form(self.service, self.action, self.version, &fields)?;
            let document = Document::parse(&answer).map_err(|_| Fault::malformed())?;
            let result = xml::result(&document).ok_or_else(Fault::malformed)?;
            xml::child(result, self.items).ok_or_else(Fault::malformed)?;
            let all = xml::list(result, self.items).map(read).collect::<Option<_>>().ok_or_else(Fault::malformed)?;
            Ok((all, xml::text(result, self.next).map(str::to_owned)))
        })
    }
}

/// The tags of an element of the query protocol.
pub(super) fn xml_tags(node: Node<'_, '_>, list: &str) -> BTreeMap<String, String> {
    let pair = |tag| Some((xml::text(tag, "Key")?.to_owned(), xml::text(tag, "Value").unwrap_or_default().to_owned()));
    xml::list(node, list).filter_map(pair).collect()
}

pub(super) fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned)
}

/// An ARN, and nothing else.
pub(super) fn arn(value: &Value, key: &str) -> Option<String> {
    text(value, key).filter(|arn| arn.starts_with("arn:"))
}

/// A time: seconds since 1970, with a part of one.
pub(super) fn time(value: Option<&Value>) -> Option<Time> {
    let seconds = value.and_then(Value::as_f64)?;
    #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970 fit, and parts of one do not matter")]
    Some(Time::from_unix(seconds as i64))
}

/// Tags, as a list of pairs under these names.
pub(super) fn tags(list: Option<&Value>, key: &str, value: &str) -> BTreeMap<String, String> {
    let pairs = list.and_then(Value::as_array).into_iter().flatten();
    pairs.filter_map(|tag| Some((text(tag, key)?, text(tag, value).unwrap_or_default()))).collect()
}

/// The policy of a resource from its text; nothing, if it has none.
pub(super) fn own_policy(document: &Result<Option<String>, Gap>, what: &'static str) -> ResourcePolicy {
    let Ok(document) = document else { return ResourcePolicy::NotKnown(what) };
    let Some(document) = document else { return ResourcePolicy::None };
    let document = serde_json::from_str::<Value>(document).ok();
    let policy = document.and_then(|document| Policy::new(&document, Kind::Resource).ok());
    policy.map_or(ResourcePolicy::NotKnown(what), ResourcePolicy::Read)
}

/// What of a policy allows. It is taken where it is not certain for which calls the policy of such a resource refuses.
pub(super) fn allowing(document: &Result<Option<String>, Gap>, what: &'static str) -> ResourcePolicy {
    let stripped = document.as_ref().map(|text| text.as_ref().map(|text| without_refusals(text).unwrap_or_default()));
    own_policy(&stripped.map_err(Clone::clone), what)
}

fn without_refusals(text: &str) -> Option<String> {
    let mut document: Value = serde_json::from_str(text).ok()?;
    let statements = match document.get_mut("Statement")?.take() {
        Value::Array(statements) => statements,
        one @ Value::Object(_) => vec![one],
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => return None,
    };
    let kept: Vec<Value> = statements.into_iter().filter(|one| one.get("Effect") != Some(&json!("Deny"))).collect();
    document.as_object_mut()?.insert("Statement".to_owned(), Value::Array(kept));
    Some(document.to_string())
}

/// What refuses a call.
pub(super) struct Guard {
    /// After `#` in its id.
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) covers: &'static [&'static str],
    pub(super) enabled: Fact<bool>,
    pub(super) lifts: Vec<Lift>,
    pub(super) basis: Basis,
    pub(super) because: String,
    pub(super) operation: &'static str,
}

/// A copy of an asset.
pub(super) struct Kept {
    pub(super) id: NodeId,
    pub(super) kind: CopyKind,
    pub(super) name: String,
    pub(super) lag: Fact<Span>,
    pub(super) ends: Fact<End>,
    pub(super) dies_with: &'static [&'static str],
    pub(super) destroyed_by: Fact<Vec<Lift>>,
    pub(super) needs: Vec<NodeId>,
    pub(super) because: String,
    pub(super) operation: &'static str,
}

impl Desk<'_> {
    /// Notes that databases of a service, or stacks, were not listed.
    pub(super) fn hidden(&mut self, service: &'static str, gap: Gap) {
        self.unlisted.push(gap);
        self.holdings.hidden.insert(service);
    }

    /// Adds what refuses a call.
    pub(super) fn guard(&mut self, on: &NodeId, guard: Guard) {
        let source = self.facts.source(guard.operation, &self.scope());
        self.facts.protections.push(Protection {
            id: ProtectionId(format!("{on}#{}", guard.name)),
            on: on.clone(),
            side: Side::Protect,
            kind: guard.kind.to_owned(),
            covers: guard.covers.iter().map(|action| (*action).to_owned()).collect(),
            enabled: guard.enabled,
            whole: Fact::Known(true),
            holds_parent: false,
            only_ways: Vec::new(),
            lifts: Fact::Known(guard.lifts),
            basis: guard.basis,
            because: guard.because,
            sources: vec![source],
        });
    }

    /// Adds a copy that lies in the account.
    pub(super) fn keep(&mut self, of: &NodeId, kept: Kept) {
        let source = self.facts.source(kept.operation, &self.scope());
        self.facts.copies.push(Copy {
            id: kept.id,
            of: of.clone(),
            kind: kept.kind,
            name: kept.name,
            place: Some(self.parent.clone()),
            lag: kept.lag,
            ends: kept.ends,
            dies_with: Fact::Known(kept.dies_with.iter().map(|action| (*action).to_owned()).collect()),
            destroyed_by: kept.destroyed_by,
            needs: kept.needs,
            drills: DRILLS,
            basis: Basis::Observed,
            because: kept.because,
            sources: vec![source],
        });
    }

    /// The age of a copy, by its time.
    pub(super) fn age(&mut self, at: Option<Time>, what: &str) -> Fact<Span> {
        match at {
            Some(at) => Fact::Known(self.facts.at().since(at)),
            None => self.unread(what),
        }
    }

    /// Adds that the data may be lost by what AWS does not decide by policies of identities, whoever comes by it.
    pub(super) fn beside(&mut self, node: &NodeId, because: &str, doubt: &str) {
        let possible = self.unread(doubt);
        self.facts.steps.push(Step {
            id: StepId(format!("{node}#beside")),
            session: None,
            needs: Vec::new(),
            gains: vec![Atom::Destroyed(node.clone())],
            changes: false,
            possible,
            because: because.to_owned(),
            sources: Vec::new(),
        });
    }

    /// Adds a call by which the data may be lost, if something lets it that AWS does not decide by policies.
    pub(super) fn perhaps(&mut self, node: &NodeId, action: &str, because: &str, doubt: &str) {
        self.perhaps_by(node, (action, false), because, doubt);
    }

    /// The same of a call that changes something first.
    pub(super) fn perhaps_after(&mut self, node: &NodeId, action: &str, because: &str, doubt: &str) {
        self.perhaps_by(node, (action, true), because, doubt);
    }

    fn perhaps_by(&mut self, node: &NodeId, (action, changes): (&str, bool), because: &str, doubt: &str) {
        let source = self.facts.source(action, &self.scope());
        let possible = self.unread(doubt);
        self.facts.steps.push(Step {
            id: StepId(format!("{node}#{action}")),
            session: None,
            needs: vec![Atom::Can { action: action.to_owned(), target: node.clone() }],
            gains: vec![Atom::Destroyed(node.clone())],
            changes,
            possible,
            because: because.to_owned(),
            sources: vec![source],
        });
    }
}
