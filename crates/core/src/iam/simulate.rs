//! `deadstop iam simulate`: requests as JSON in, decisions as JSON out.

use serde::Serialize;
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

use super::context::Context;
use super::decide::{Cited, Layer, Outcome, Policies, Request, explain};
use super::policy::{Kind, Policy, scalars};
use super::principal::Caller;
use super::strict::Strict;

/// What is wrong with the input.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SimulateError {
    /// It is no JSON.
    #[error("the input is no JSON: {0}")]
    Json(String),
    /// A field of a request is wrong.
    #[error("request {request}: {field}: {what}")]
    Field {
        /// Which request, from 1.
        request: usize,
        /// Which field of it.
        field: String,
        /// In a sentence.
        what: String,
    },
}

/// A decision as it is printed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answered {
    /// `Allowed`, `ExplicitlyDenied`, `ImplicitlyDenied` or `Depends`.
    pub decision: &'static str,
    /// The statements that it rests on.
    pub decided_by: Vec<By>,
    /// The keys that it depends on.
    pub depends_on: Vec<String>,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct By {
    /// The name of the policy.
    pub policy: String,
    /// The statement in it, from 0.
    pub statement: usize,
}

/// What came out: one decision for one request, a list for a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Output {
    /// For one request.
    One(Answered),
    /// For a list, in its order.
    Many(Vec<Answered>),
}

impl Output {
    /// Whether every decision was made.
    #[must_use]
    pub fn decided(&self) -> bool {
        let all = match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Many(many) => many.as_slice(),
        };
        all.iter().all(|one| one.decision != word(Outcome::Depends))
    }
}

/// Decides the requests of a JSON text.
///
/// # Errors
/// The first thing that is wrong, with the request and the field.
pub fn simulate(text: &str) -> Result<Output, SimulateError> {
    let Strict(input) = serde_json::from_str(text).map_err(|error| SimulateError::Json(error.to_string()))?;
    let mut desk = Desk::default();
    if let Value::Array(list) = input {
        let each = list.iter().enumerate().map(|(at, value)| desk.answer(value, at + 1));
        Ok(Output::Many(each.collect::<Result<_, _>>()?))
    } else {
        Ok(Output::One(desk.answer(&input, 1)?))
    }
}

const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Allowed => "Allowed",
        Outcome::ExplicitlyDenied => "ExplicitlyDenied",
        Outcome::ImplicitlyDenied => "ImplicitlyDenied",
        Outcome::Depends => "Depends",
    }
}

/// Policies that were compiled before, by kind and text.
#[derive(Default)]
struct Desk {
    compiled: BTreeMap<(u8, String), Arc<Policy>>,
}

/// A policy with the name that it goes by.
type Named = (String, Arc<Policy>);

/// Where in the input something stands.
struct Place<'a> {
    request: usize,
    object: &'a Map<String, Value>,
}

impl Place<'_> {
    fn wrong(&self, field: impl Into<String>, what: impl Into<String>) -> SimulateError {
        SimulateError::Field { request: self.request, field: field.into(), what: what.into() }
    }

    fn present(&self, field: &str) -> Option<&Value> {
        self.object.get(field).filter(|value| !value.is_null())
    }

    fn list(&self, field: &str) -> Result<Option<&Vec<Value>>, SimulateError> {
        match self.present(field) {
            None => Ok(None),
            Some(Value::Array(list)) => Ok(Some(list)),
            Some(_) => Err(self.wrong(field, "it is a list")),
        }
    }
}

const FIELDS: [&str; 9] = [
    "request",
    "identityPolicies",
    "permissionBoundaries",
    "sessionPolicy",
    "serviceControlPolicies",
    "resourceControlPolicies",
    "resourcePolicy",
    "contextComplete",
    "name",
];

impl Desk {
    fn answer(&mut self, value: &Value, number: usize) -> Result<Answered, SimulateError> {
        let Some(object) = value.as_object() else {
            let what = "it is no object".to_owned();
            return Err(SimulateError::Field { request: number, field: "request".to_owned(), what });
        };
        let place = Place { request: number, object };
        if let Some(key) = object.keys().find(|key| !FIELDS.contains(&key.as_str())) {
            return Err(
                place.wrong(key.escape_debug().to_string(), format!("no such field; there are {}", FIELDS.join(", ")))
            );
        }
        let request = request(&place)?;
        let identity = self.named(&place, "identityPolicies", Kind::Identity)?.unwrap_or_default();
        let boundary = self.named(&place, "permissionBoundaries", Kind::Identity)?;
        let session = self.single(&place, "sessionPolicy", Kind::Identity)?;
        let scps = self.levels(&place, "serviceControlPolicies", Kind::ServiceControl)?;
        let rcps = self.levels(&place, "resourceControlPolicies", Kind::ResourceControl)?;
        let resource = self.single(&place, "resourcePolicy", Kind::Resource)?;
        let policies = Policies {
            identity: borrowed(&identity),
            boundary: boundary.as_deref().map(borrowed),
            session: session.as_deref().map(borrowed),
            service_control: scps.iter().map(|level| borrowed(level)).collect(),
            resource_control: rcps.iter().map(|level| borrowed(level)).collect(),
            resource: resource.as_deref().and_then(<[Named]>::first).map(|(_, policy)| policy.as_ref()),
        };
        let decided = explain(&request, &policies);
        let name = |cited: &Cited| {
            let of =
                |list: Option<&[Named]>| list.and_then(|list| list.get(cited.policy)).map(|(name, _)| name.clone());
            let found = match cited.layer {
                Layer::Identity => of(Some(&identity)),
                Layer::Boundary => of(boundary.as_deref()),
                Layer::Session => of(session.as_deref()),
                Layer::ServiceControl => of(scps.get(cited.level).map(Vec::as_slice)),
                Layer::ResourceControl => of(rcps.get(cited.level).map(Vec::as_slice)),
                Layer::Resource => of(resource.as_deref()),
            };
            By { policy: found.unwrap_or_default(), statement: cited.statement }
        };
        Ok(Answered {
            decision: word(decided.outcome),
            decided_by: decided.by.iter().map(name).collect(),
            depends_on: decided.depends_on.into_iter().collect(),
        })
    }

    /// A list of `{"name": …, "policy": …}`. `None`: the field is not there.
    fn named(&mut self, place: &Place<'_>, field: &str, kind: Kind) -> Result<Option<Vec<Named>>, SimulateError> {
        let Some(list) = place.list(field)? else { return Ok(None) };
        let each = list.iter().enumerate();
        each.map(|(at, value)| self.policy(place, value, &format!("{field}[{at}]"), kind))
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// A policy, or `{"name": …, "policy": …}`.
    fn single(&mut self, place: &Place<'_>, field: &str, kind: Kind) -> Result<Option<Vec<Named>>, SimulateError> {
        match place.present(field) {
            None => Ok(None),
            Some(value) => Ok(Some(vec![self.policy(place, value, field, kind)?])),
        }
    }

    /// A list of levels, each with its policies.
    fn levels(&mut self, place: &Place<'_>, field: &str, kind: Kind) -> Result<Vec<Vec<Named>>, SimulateError> {
        let mut levels = Vec::new();
        for (at, level) in place.list(field)?.into_iter().flatten().enumerate() {
            let at = format!("{field}[{at}]");
            let list = level.get("policies").and_then(Value::as_array);
            let list = list.ok_or_else(|| place.wrong(format!("{at}.policies"), "it is a list of policies"))?;
            let each = list.iter().enumerate();
            let each = each.map(|(n, value)| self.policy(place, value, &format!("{at}.policies[{n}]"), kind));
            levels.push(each.collect::<Result<_, _>>()?);
        }
        Ok(levels)
    }

    fn policy(&mut self, place: &Place<'_>, value: &Value, at: &str, kind: Kind) -> Result<Named, SimulateError> {
        let object = value.as_object().ok_or_else(|| place.wrong(at, "it is no object"))?;
        let last = at.split('[').next().unwrap_or(at);
        let (name, document, at) = match object.get("policy") {
            Some(document) => {
                let name = match object.get("name") {
                    None | Some(Value::Null) => last.to_owned(),
                    Some(Value::String(name)) => name.clone(),
                    Some(_) => return Err(place.wrong(format!("{at}.name"), "it is a text")),
                };
                (name, document, format!("{at}.policy"))
            }
            None => (last.to_owned(), value, at.to_owned()),
        };
        let key = (kind as u8, document.to_string());
        if let Some(known) = self.compiled.get(&key) {
            return Ok((name, Arc::clone(known)));
        }
        let policy =
            Policy::new(document, kind).map_err(|error| place.wrong(format!("{at}.{}", error.at), error.what))?;
        let policy = Arc::new(policy);
        self.compiled.insert(key, Arc::clone(&policy));
        Ok((name, policy))
    }
}

fn borrowed(list: &[Named]) -> Vec<&Policy> {
    list.iter().map(|(_, policy)| policy.as_ref()).collect()
}

fn request(place: &Place<'_>) -> Result<Request, SimulateError> {
    let request = place.present("request").and_then(Value::as_object);
    let request = request.ok_or_else(|| place.wrong("request", "it is missing, or no object"))?;
    let known = ["principal", "action", "resource", "context", "contextComplete"];
    if let Some(key) = request.keys().find(|key| !known.contains(&key.as_str())) {
        return Err(place.wrong(
            format!("request.{}", key.escape_debug()),
            format!("no such field; there are {}", known.join(", ")),
        ));
    }
    let text = |field: &str| {
        let value = request.get(field).and_then(Value::as_str);
        value.ok_or_else(|| place.wrong(format!("request.{field}"), "it is missing, or no text"))
    };
    let caller = Caller::new(text("principal")?).ok_or_else(|| {
        place.wrong("request.principal", "it is not the ARN of a user, a role or an assumed-role session")
    })?;
    let action = text("action")?;
    let is_action = |action: &str| {
        let (service, name) = action.split_once(':')?;
        (!service.is_empty() && !name.is_empty() && !action.contains(['*', '?', ' '])).then_some(())
    };
    is_action(action).ok_or_else(|| place.wrong("request.action", "it is one action, as `service:Name`"))?;
    let (resource, owner) = resource(place, request)?;
    let context = context(place, request)?;
    Ok(Request::new(caller, action, resource, owner, context))
}

fn resource<'a>(
    place: &Place<'_>,
    request: &'a Map<String, Value>,
) -> Result<(&'a str, Option<&'a str>), SimulateError> {
    let value = request.get("resource").unwrap_or(&Value::Null);
    let (name, owner) = match value {
        Value::String(name) => (Some(name.as_str()), None),
        Value::Object(object) => {
            if let Some(key) = object.keys().find(|key| !matches!(key.as_str(), "resource" | "accountId")) {
                let field = format!("request.resource.{}", key.escape_debug());
                return Err(place.wrong(field, "no such field; there are resource, accountId"));
            }
            (object.get("resource").and_then(Value::as_str), object.get("accountId").filter(|owner| !owner.is_null()))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => (None, None),
    };
    let name = name.ok_or_else(|| place.wrong("request.resource.resource", "it is missing, or no text"))?;
    if name != "*" && !name.starts_with("arn:") {
        return Err(place.wrong("request.resource.resource", "it is an ARN, or `*`"));
    }
    let owner = match owner {
        None => None,
        Some(Value::String(owner)) if super::arn::is_account(owner) => Some(owner.as_str()),
        Some(_) => {
            return Err(place.wrong("request.resource.accountId", "it is an account id, twelve digits in a text"));
        }
    };
    Ok((name, owner))
}

fn context(place: &Place<'_>, request: &Map<String, Value>) -> Result<Context, SimulateError> {
    let flag = place.present("contextComplete").or_else(|| request.get("contextComplete"));
    let complete = match flag {
        None | Some(Value::Null) => true,
        Some(Value::Bool(complete)) => *complete,
        Some(_) => return Err(place.wrong("contextComplete", "it is true or false")),
    };
    let mut context = if complete { Context::complete() } else { Context::partial() };
    match request.get("context") {
        None | Some(Value::Null) => {}
        Some(Value::Object(keys)) => {
            for (key, value) in keys {
                let field = format!("request.context.{}", key.escape_debug());
                let values = scalars(value)
                    .ok_or_else(|| place.wrong(field, "it is a text, number or bool, or a list of these"))?;
                context.set(key, values);
            }
        }
        Some(_) => return Err(place.wrong("request.context", "it is no object")),
    }
    Ok(context)
}
