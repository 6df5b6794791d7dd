//! A policy document, checked and compiled (IAM User Guide, `reference_policies_grammar`).

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::arn;
use super::condition::{self, Condition};
use super::context::Context;
use super::glob::{Glob, Matched, Wild};
use super::principal::{Caller, Who, parse_who};
use super::tri::Tri;

/// What a policy is attached to, which says what may stand in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// To a user, group or role; or a permissions boundary, or a session policy.
    Identity,
    /// To an organisation's root, unit or account, for principals.
    ServiceControl,
    /// The same, for resources.
    ResourceControl,
    /// To a resource: a bucket policy, a key policy, a role's trust policy.
    Resource,
}

/// What is wrong with a document, and where in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {what}")]
pub struct PolicyError {
    /// Such as `Statement[2].Action`.
    pub at: String,
    /// In a sentence.
    pub what: String,
}

/// A policy, compiled.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policy {
    pub(super) statements: Vec<Statement>,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    pub(super) allow: bool,
    pub(super) who: Option<(Vec<Who>, bool)>,
    /// Patterns in lower case, and whether they are those that are left out.
    pub(super) actions: (Vec<Glob>, bool),
    /// The same patterns as they are written, in lower case.
    named: Vec<String>,
    pub(super) resources: Option<(Vec<Glob>, bool)>,
    pub(super) conditions: Vec<Condition>,
}

impl Statement {
    /// Whether it speaks of an action, in lower case.
    pub(super) fn speaks_of(&self, action: &str) -> bool {
        let (patterns, left_out) = &self.actions;
        let context = Context::partial();
        patterns.iter().any(|pattern| pattern.matches(action, &context) == Matched::Is(true)) != *left_out
    }
}

impl Policy {
    /// Checks and compiles a document. One without statements says nothing.
    ///
    /// # Errors
    /// If IAM would refuse it: an element that is missing, unknown, of another type, or not for this kind of policy.
    pub fn new(document: &Value, kind: Kind) -> Result<Self, PolicyError> {
        let object = object(document, "")?;
        known(object, &["Version", "Id", "Statement"], "")?;
        let variables = match object.get("Version") {
            None => false,
            Some(Value::String(version)) if version == "2012-10-17" => true,
            Some(Value::String(version)) if version == "2008-10-17" => false,
            Some(_) => return Err(error("Version", "it is `2012-10-17` or `2008-10-17`")),
        };
        if object.get("Id").is_some_and(|id| !id.is_string()) {
            return Err(error("Id", "it is a text"));
        }
        let one;
        let list = match object.get("Statement") {
            Some(Value::Array(list)) => list.as_slice(),
            Some(Value::Object(_)) => {
                one = object.get("Statement").cloned().into_iter().collect::<Vec<_>>();
                one.as_slice()
            }
            Some(_) => return Err(error("Statement", "it is a statement or a list of statements")),
            None => return Err(error("Statement", "it is missing")),
        };
        let statements = list.iter().enumerate();
        let statements = statements.map(|(at, value)| statement(value, &format!("Statement[{at}]"), kind, variables));
        Ok(Self { statements: statements.collect::<Result<_, _>>()? })
    }

    /// Whether a statement allows the action on something, whatever its resources and conditions are. Where this is
    /// `false` for all policies of an identity, no resource can be named on which they allow it.
    #[must_use]
    pub fn names(&self, action: &str) -> bool {
        let action = action.to_lowercase();
        self.statements.iter().any(|statement| statement.allow && statement.speaks_of(&action))
    }

    /// Whether a statement allows the action on this resource, or, `below`, on something whose name begins so and goes on;
    /// whatever its conditions are, and whomever it names.
    #[must_use]
    pub fn names_at(&self, action: &str, resource: &str, below: bool) -> bool {
        let action = action.to_lowercase();
        let context = Context::partial();
        let naming = |statement: &&Statement| statement.allow && statement.speaks_of(&action);
        self.statements.iter().filter(naming).any(|statement| {
            let covers = |pattern: &Glob| {
                if below {
                    pattern.covers_below(resource, &context) != Ok(Tri::No)
                } else {
                    pattern.matches(resource, &context) != Matched::Is(false)
                }
            };
            statement.resources.as_ref().is_none_or(|(list, left_out)| *left_out || list.iter().any(covers))
        })
    }

    /// Whether a statement refuses, on everything and whatever the circumstances, every action but some, of which this
    /// holds. It is asked of each pattern that the statement leaves out, in lower case.
    #[must_use]
    pub fn refuses_all_but(&self, spared: fn(&str) -> bool) -> bool {
        self.statements.iter().filter(|statement| !statement.allow && statement.conditions.is_empty()).any(
            |statement| {
                let everything = statement.resources.as_ref().is_some_and(|(list, left_out)| {
                    !left_out && list.iter().any(|resource| *resource == Glob::new("*", Wild::Arn, false))
                });
                let (_, left_out) = &statement.actions;
                let named = &statement.named;
                let all = if *left_out {
                    named.iter().all(|name| spared(name))
                } else {
                    named.iter().any(|name| name == "*")
                };
                everything && all && statement.who.is_none()
            },
        )
    }

    /// Whether a statement allows something to everyone, be it by leaving some out. Its conditions are not looked at.
    #[must_use]
    pub fn lets_in_everyone(&self) -> bool {
        self.lets_in(|who| *who == Who::Anyone)
    }

    /// Whether a statement may allow something to somebody of this account, who need not be there yet, or to whomever an
    /// identity provider vouches for. Its conditions are not looked at.
    #[must_use]
    pub fn may_let_in(&self, account: &str) -> bool {
        self.lets_in(|who| match who {
            Who::Anyone | Who::Provider => true,
            Who::Account(of) => of == account,
            Who::Arn(arn) => arn::account(arn) == Some(account),
            Who::Unique(_) | Who::Other(_) => false,
        })
    }

    /// Whether a statement may allow something to a service whose principal begins so (`rds` of `rds.amazonaws.com`). Its
    /// conditions are not looked at.
    #[must_use]
    pub fn may_let_in_service(&self, service: &str) -> bool {
        self.lets_in(|who| match who {
            Who::Anyone => true,
            Who::Other(name) => name.starts_with(service),
            Who::Account(_) | Who::Arn(_) | Who::Unique(_) | Who::Provider => false,
        })
    }

    /// Whether a statement may allow something to somebody of an account that is none of these, who need not be there yet.
    /// Of conditions, those that ask for the caller's account are looked at.
    #[must_use]
    pub fn lets_in_others_than(&self, accounts: impl Fn(&str) -> bool) -> bool {
        let other = |who: &Who| match who {
            Who::Anyone => true,
            Who::Account(of) => !accounts(of),
            Who::Arn(arn) => arn::account(arn).is_some_and(|of| !accounts(of)),
            Who::Provider | Who::Unique(_) | Who::Other(_) => false,
        };
        let open = |statement: &&Statement| {
            statement.allow && !statement.conditions.iter().any(|condition| condition.keeps_to(&accounts))
        };
        let mut named = self.statements.iter().filter(open).filter_map(|statement| statement.who.as_ref());
        named.any(|(list, left_out)| *left_out || list.iter().any(other))
    }

    /// The accounts that statements which allow something name, or whose users, roles and sessions they do.
    pub fn accounts(&self) -> impl Iterator<Item = &str> {
        let allowing = self.statements.iter().filter(|statement| statement.allow);
        allowing.filter_map(|statement| statement.who.as_ref()).flat_map(|(list, _)| list).filter_map(|who| match who {
            Who::Account(account) => Some(account.as_str()),
            Who::Arn(arn) => arn::account(arn),
            Who::Anyone | Who::Provider | Who::Unique(_) | Who::Other(_) => None,
        })
    }

    /// The users, roles and accounts that its statements may let in: each by its account, with its name, if it is no account
    /// as a whole. Nothing, if they may let in others, too. Services and identity providers are not told.
    #[must_use]
    pub fn lets_in_by_name(&self) -> Option<BTreeSet<(String, Option<String>)>> {
        let mut named = BTreeSet::new();
        for (list, left_out) in self.statements.iter().filter(|one| one.allow).filter_map(|one| one.who.as_ref()) {
            if *left_out {
                return None;
            }
            for who in list {
                match who {
                    Who::Anyone | Who::Unique(_) => return None,
                    Who::Account(account) => {
                        named.insert((account.clone(), None));
                    }
                    // One that is no user, role or session names none of them.
                    Who::Arn(arn) => {
                        named.extend(Caller::new(arn).map(|it| (it.account().to_owned(), Some(it.name().to_owned()))))
                    }
                    Who::Provider | Who::Other(_) => {}
                }
            }
        }
        Some(named)
    }

    fn lets_in(&self, one: impl Fn(&Who) -> bool) -> bool {
        let allowing = self.statements.iter().filter(|statement| statement.allow);
        allowing
            .filter_map(|statement| statement.who.as_ref())
            .any(|(list, left_out)| *left_out || list.iter().any(&one))
    }

    /// The patterns of actions, in lower case, that its statements allow, whatever their resources and conditions are; `*`
    /// for one that leaves some out.
    pub fn allowed(&self) -> impl Iterator<Item = &str> {
        let allowing = self.statements.iter().filter(|statement| statement.allow);
        allowing.flat_map(|statement| {
            let every = statement.actions.1.then_some("*");
            let named = statement.named.iter().filter(|_| !statement.actions.1).map(String::as_str);
            every.into_iter().chain(named)
        })
    }

    /// Whether each action that it allows, under whatever conditions, is one of which this holds. It is asked of each
    /// pattern, in lower case.
    #[must_use]
    pub fn allows_nothing_but(&self, held: fn(&str) -> bool) -> bool {
        let mut allowing = self.statements.iter().filter(|statement| statement.allow);
        allowing.all(|statement| !statement.actions.1 && statement.named.iter().all(|name| held(name)))
    }
}

fn statement(value: &Value, at: &str, kind: Kind, variables: bool) -> Result<Statement, PolicyError> {
    let object = object(value, at)?;
    let elements =
        ["Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition"];
    known(object, &elements, at)?;
    if object.get("Sid").is_some_and(|sid| !sid.is_string()) {
        return Err(error(&format!("{at}.Sid"), "it is a text"));
    }
    let allow = match object.get("Effect").and_then(Value::as_str) {
        Some("Allow") => true,
        Some("Deny") => false,
        _ => return Err(error(&format!("{at}.Effect"), "it is `Allow` or `Deny`")),
    };
    let actions = either(object, "Action", at)?.ok_or_else(|| error(at, "it has neither Action nor NotAction"))?;
    for action in &actions.0 {
        if action != "*" && !action.contains(':') {
            let place = format!("{at}.{}", if actions.1 { "NotAction" } else { "Action" });
            return Err(error(&place, "an action is `service:Name`, or `*`"));
        }
    }
    let resources = either(object, "Resource", at)?;
    if resources.is_none() && kind != Kind::Resource {
        return Err(error(at, "it has neither Resource nor NotResource"));
    }
    let who = who(object, at, kind)?;
    let conditions = match object.get("Condition") {
        None => Vec::new(),
        Some(value) => conditions(value, &format!("{at}.Condition"), variables)?,
    };
    let action = |text: String| Glob::new(&text.to_lowercase(), Wild::Text, false);
    let resource = |text: String| Glob::new(&text, Wild::Arn, variables);
    Ok(Statement {
        allow,
        who,
        named: actions.0.iter().map(|name| name.to_lowercase()).collect(),
        actions: (actions.0.into_iter().map(action).collect(), actions.1),
        resources: resources.map(|(list, not)| (list.into_iter().map(resource).collect(), not)),
        conditions,
    })
}

fn who(object: &Map<String, Value>, at: &str, kind: Kind) -> Result<Option<(Vec<Who>, bool)>, PolicyError> {
    let (name, not) = match (object.get("Principal"), object.get("NotPrincipal")) {
        (Some(_), Some(_)) => return Err(error(at, "it has both Principal and NotPrincipal")),
        (Some(_), None) => ("Principal", false),
        (None, Some(_)) => ("NotPrincipal", true),
        (None, None) if matches!(kind, Kind::Resource | Kind::ResourceControl) => {
            return Err(error(at, "it has no Principal"));
        }
        (None, None) => return Ok(None),
    };
    let place = format!("{at}.{name}");
    if matches!(kind, Kind::Identity | Kind::ServiceControl) {
        return Err(error(&place, "this kind of policy has no principal: it speaks of those it is attached to"));
    }
    let list = parse_who(object.get(name).unwrap_or(&Value::Null))
        .ok_or_else(|| error(&place, "it is `*`, or names such as {\"AWS\": …}, {\"Service\": …}"))?;
    if kind == Kind::ResourceControl && (not || list != [Who::Anyone]) {
        return Err(error(&place, "in a resource control policy it is `*`"));
    }
    Ok(Some((list, not)))
}

fn conditions(value: &Value, at: &str, variables: bool) -> Result<Vec<Condition>, PolicyError> {
    let mut all = Vec::new();
    for (operator, keys) in object(value, at)? {
        let place = format!("{at}.{operator}");
        for (key, wanted) in object(keys, &place)? {
            let place = format!("{place}.{key}");
            let values =
                scalars(wanted).ok_or_else(|| error(&place, "it is a text, number or bool, or a list of these"))?;
            let one = condition::compile(operator, key, &values, variables);
            all.push(one.ok_or_else(|| error(&format!("{at}.{operator}"), "there is no such condition operator"))?);
        }
    }
    Ok(all)
}

/// `NAME` or `NotNAME`: the texts, and whether it is the second.
fn either(object: &Map<String, Value>, name: &str, at: &str) -> Result<Option<(Vec<String>, bool)>, PolicyError> {
    let not = format!("Not{name}");
    let (value, name, left_out) = match (object.get(name), object.get(&not)) {
        (Some(_), Some(_)) => return Err(error(at, &format!("it has both {name} and {not}"))),
        (Some(value), None) => (value, name, false),
        (None, Some(value)) => (value, not.as_str(), true),
        (None, None) => return Ok(None),
    };
    let wrong = || error(&format!("{at}.{name}"), "it is a text or a list of texts");
    let list = match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(list) => {
            let texts = list.iter().map(|one| one.as_str().map(str::to_owned).ok_or_else(wrong));
            texts.collect::<Result<_, _>>()?
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => return Err(wrong()),
    };
    Ok(Some((list, left_out)))
}

/// A text, number or bool, or a list of these, as texts.
pub(super) fn scalars(value: &Value) -> Option<Vec<String>> {
    let one = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    };
    if let Value::Array(list) = value { list.iter().map(one).collect() } else { one(value).map(|text| vec![text]) }
}

fn object<'a>(value: &'a Value, at: &str) -> Result<&'a Map<String, Value>, PolicyError> {
    value.as_object().ok_or_else(|| error(at, "it is no object"))
}

fn known(object: &Map<String, Value>, names: &[&str], at: &str) -> Result<(), PolicyError> {
    match object.keys().find(|key| !names.contains(&key.as_str())) {
        Some(key) => Err(error(at, &format!("`{}` is no element; there are {}", key.escape_debug(), names.join(", ")))),
        None => Ok(()),
    }
}

fn error(at: &str, what: &str) -> PolicyError {
    PolicyError { at: if at.is_empty() { "document".to_owned() } else { at.to_owned() }, what: what.to_owned() }
}
