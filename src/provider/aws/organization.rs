//! What the policies of an organisation leave of an account's rights, read level by level from the account up to the
//! root. They only take away, so that one which was not read leaves an answer in doubt and makes none better.
//!
//! "SCPs don't affect users or roles in the management account", nor do resource control policies affect its resources
//! (Organizations User Guide). They are told to the management account and to delegated administrators alone.

mod members;

use std::collections::BTreeMap;

use deadstop_core::fact::GapReason;
use deadstop_core::iam::{Kind, Policy};
use serde_json::{Value, json};

use super::client::{Client, Fault};
use super::pages::paged;
use crate::provider::facts::Facts;
pub(super) use members::{CLOSE, closing};

/// What limits an account from above.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Limits {
    /// Nothing does.
    Nothing,
    /// Policies that were not read.
    #[default]
    NotRead,
    /// These policies, one list for each level from the root to the account.
    Read(Vec<Vec<Policy>>),
}

impl Limits {
    /// The levels, as the evaluation takes them.
    pub(super) fn levels(&self) -> Vec<Vec<&Policy>> {
        match self {
            Self::Nothing | Self::NotRead => Vec::new(),
            Self::Read(levels) => levels.iter().map(|level| level.iter().collect()).collect(),
        }
    }
}

/// The policies that stand above an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Above {
    /// What limits its identities.
    pub(super) identities: Limits,
    /// What limits its resources.
    pub(super) resources: Limits,
    /// The account that manages the organisation, if nobody else can change these.
    pub(super) sole_manager: Option<String>,
}

impl Above {
    /// Of an account of no organisation, or that manages its own.
    const NOTHING: Self = Self { identities: Limits::Nothing, resources: Limits::Nothing, sole_manager: None };
}

const DESCRIBE: &str = "organizations:DescribeOrganization";
const PARENTS: &str = "organizations:ListParents";
const ROOTS: &str = "organizations:ListRoots";
const ATTACHED: &str = "organizations:ListPoliciesForTarget";
const POLICY: &str = "organizations:DescribePolicy";

/// The most levels between a root and an account: five units may lie in one another (Organizations User Guide, quotas).
const DEEPEST: usize = 10;

/// Reads what stands above accounts, with whoever of these may read it.
pub(super) struct Organizations<'a> {
    readers: Vec<Reader<'a>>,
    /// Who reads accounts that manage their organisation.
    managing: Vec<(Client<'a>, String)>,
    /// Who manages the organisation of each account that is of one, or may be; nothing: it was not read.
    managers: BTreeMap<String, Option<String>>,
    /// Policies by kind and id; nothing: it cannot be understood.
    known: BTreeMap<(u8, String), Option<Policy>>,
}

struct Reader<'a> {
    client: Client<'a>,
    /// The account that manages its organisation, and whether that is delegated to nobody.
    manager: Option<(String, bool)>,
}

impl<'a> Organizations<'a> {
    /// Asks each of these of which organisation it is.
    pub(super) fn new(clients: Vec<Client<'a>>) -> Self {
        Self {
            readers: clients.into_iter().map(|client| Reader { client, manager: None }).collect(),
            managing: Vec::new(),
            managers: BTreeMap::new(),
            known: BTreeMap::new(),
        }
    }

    /// What stands above an account. `own` belong to it.
    pub(super) fn above(&mut self, number: &str, own: &[Client<'a>], facts: &mut Facts) -> Above {
        for client in own {
            match call(client, "DescribeOrganization", &json!({})) {
                Err(fault) if fault.says(&["AWSOrganizationsNotInUseException"]) => {
                    facts.source(DESCRIBE, number);
                    return Above::NOTHING;
                }
                Ok(answer) if manager(&answer).as_deref() == Some(number) => {
                    facts.source(DESCRIBE, number);
                    self.managing.push((*client, number.to_owned()));
                    self.managers.insert(number.to_owned(), Some(number.to_owned()));
                    return Above::NOTHING;
                }
                Ok(answer) => {
                    facts.source(DESCRIBE, number);
                    self.managers.insert(number.to_owned(), manager(&answer));
                    break;
                }
                Err(_) => {}
            }
        }
        self.managers.entry(number.to_owned()).or_default();
        let mut refused = None;
        let mut at = 0;
        while let Some(reader) = self.readers.get_mut(at) {
            match chain(reader, number) {
                Ok(None) => {
                    self.managers.insert(number.to_owned(), Some(number.to_owned()));
                    return Above::NOTHING;
                }
                Ok(Some((targets, root))) => {
                    facts.source(PARENTS, number);
                    let client = reader.client;
                    let manager = reader.manager.as_ref().map(|(manager, _)| manager.clone());
                    self.managers.insert(number.to_owned(), manager);
                    let sole_manager = reader.manager.clone().filter(|(_, alone)| *alone).map(|(manager, _)| manager);
                    let above = self.levels(&client, number, &targets, &root, facts);
                    return Above { sole_manager, ..above };
                }
                // Of another organisation, or of none: it may know other accounts.
                Err(fault) if fault.says(&["ChildNotFoundException"]) => at += 1,
                Err(fault) => {
                    refused = Some(fault);
                    self.readers.remove(at);
                }
            }
        }
        let fault = refused.unwrap_or(Fault::of(GapReason::Denied));
        facts.refused(PARENTS, number, &fault);
        Above::default()
    }

    fn levels(
        &mut self,
        client: &Client<'_>,
        number: &str,
        targets: &[String],
        root: &str,
        facts: &mut Facts,
    ) -> Above {
        let enabled = match enabled(client, root) {
            Ok(enabled) => enabled,
            Err(fault) => {
                facts.refused(ROOTS, number, &fault);
                return Above::default();
            }
        };
        facts.source(ROOTS, number);
        let mut read = |kind: Kind, name: &str| match enabled.get(name).map(String::as_str) {
            None => Limits::Nothing,
            Some("ENABLED") => {
                let levels = targets.iter().map(|target| self.level(client, target, kind, name));
                match levels.collect::<Result<Vec<_>, _>>() {
                    Ok(levels) => {
                        facts.source(ATTACHED, &format!("{number} {name}"));
                        Limits::Read(levels)
                    }
                    Err((operation, fault)) => {
                        facts.refused(operation, &format!("{number} {name}"), &fault);
                        Limits::NotRead
                    }
                }
            }
            // On its way in or out.
            Some(_) => Limits::NotRead,
        };
        Above {
            identities: read(Kind::ServiceControl, "SERVICE_CONTROL_POLICY"),
            resources: read(Kind::ResourceControl, "RESOURCE_CONTROL_POLICY"),
            sole_manager: None,
        }
    }

    /// The policies at one level.
    fn level(
        &mut self,
        client: &Client<'_>,
        target: &str,
        kind: Kind,
        name: &str,
    ) -> Result<Vec<Policy>, (&'static str, Fault)> {
        let listed = list(client, "ListPoliciesForTarget", "Policies", &json!({ "TargetId": target, "Filter": name }))
            .map_err(|fault| (ATTACHED, fault))?;
        // One at least is attached to everything while service control policies are enabled: none is no answer.
        if listed.is_empty() && kind == Kind::ServiceControl {
            return Err((ATTACHED, Fault::malformed()));
        }
        let mut policies = Vec::new();
        for one in listed {
            let id = one.get("Id").and_then(Value::as_str).ok_or((ATTACHED, Fault::malformed()))?;
            let key = (kind as u8, id.to_owned());
            if !self.known.contains_key(&key) {
                let answer =
                    call(client, "DescribePolicy", &json!({ "PolicyId": id })).map_err(|fault| (POLICY, fault))?;
                let same = answer.pointer("/Policy/PolicySummary/Type").and_then(Value::as_str) == Some(name);
                let content = answer.pointer("/Policy/Content").and_then(Value::as_str).filter(|_| same);
                let document = content.and_then(|text| serde_json::from_str(text).ok());
                self.known.insert(key.clone(), document.and_then(|value| Policy::new(&value, kind).ok()));
            }
            let policy = self.known.get(&key).cloned().flatten();
            policies.push(policy.ok_or((POLICY, Fault::malformed()))?);
        }
        Ok(policies)
    }
}

/// The targets from the root down to an account, and the root; nothing, if the account manages the organisation.
fn chain(reader: &mut Reader<'_>, number: &str) -> Result<Option<(Vec<String>, String)>, Fault> {
    let mut targets = vec![number.to_owned()];
    loop {
        let child = targets.last().map_or(number, String::as_str);
        let mut parents = list(&reader.client, "ListParents", "Parents", &json!({ "ChildId": child }))?.into_iter();
        let (Some(parent), None) = (parents.next(), parents.next()) else { return Err(Fault::malformed()) };
        let said = |key: &str| parent.get(key).and_then(Value::as_str);
        let (Some(id), Some(kind)) = (said("Id"), said("Type")) else { return Err(Fault::malformed()) };
        if targets.iter().any(|before| before == id) || targets.len() > DEEPEST {
            return Err(Fault::malformed());
        }
        targets.push(id.to_owned());
        match kind {
            "ROOT" => break,
            "ORGANIZATIONAL_UNIT" => {}
            _ => return Err(Fault::malformed()),
        }
    }
    // INVARIANT: who manages the organisation is known before a policy of it limits anybody, as it limits none there.
    if reader.manager.is_none() {
        let answer = call(&reader.client, "DescribeOrganization", &json!({}))?;
        let manager = manager(&answer).ok_or_else(Fault::malformed)?;
        // A policy of the organisation itself is how others are let at its policies.
        let delegated = call(&reader.client, "DescribeResourcePolicy", &json!({}));
        let alone = delegated.is_err_and(|fault| fault.says(&["ResourcePolicyNotFoundException"]));
        reader.manager = Some((manager, alone));
    }
    if reader.manager.as_ref().is_some_and(|(manager, _)| manager == number) {
        return Ok(None);
    }
    targets.reverse();
    let root = targets.first().cloned().unwrap_or_default();
    Ok(Some((targets, root)))
}

fn manager(answer: &Value) -> Option<String> {
    let id = answer.pointer("/Organization/MasterAccountId").and_then(Value::as_str)?;
    (id.len() == 12 && id.bytes().all(|digit| digit.is_ascii_digit())).then(|| id.to_owned())
}

/// The kinds of policy that a root knows of, each with how far it is enabled.
fn enabled(client: &Client<'_>, root: &str) -> Result<BTreeMap<String, String>, Fault> {
    let roots = list(client, "ListRoots", "Roots", &json!({}))?;
    let root = roots.iter().find(|one| one.get("Id").and_then(Value::as_str) == Some(root));
    let types = root.and_then(|root| root.get("PolicyTypes")?.as_array()).ok_or_else(Fault::malformed)?;
    let one = |kind: &Value| {
        let said = |key: &str| kind.get(key).and_then(Value::as_str).map(str::to_owned);
        Some((said("Type")?, said("Status")?))
    };
    types.iter().map(one).collect::<Option<_>>().ok_or_else(Fault::malformed)
}

fn call(client: &Client<'_>, operation: &str, body: &Value) -> Result<Value, Fault> {
    client.target("organizations", &format!("AWSOrganizationsV20161128.{operation}"), "1.1", body)
}

/// All of a list.
fn list(client: &Client<'_>, operation: &str, name: &str, body: &Value) -> Result<Vec<Value>, Fault> {
    let whole = |one: &Value| Some(one.clone());
    paged(name, "NextToken", whole, |place| {
        let mut body = body.clone();
        if let (Some(place), Some(body)) = (place, body.as_object_mut()) {
            body.insert("NextToken".to_owned(), place.into());
        }
        call(client, operation, &body)
    })
}
