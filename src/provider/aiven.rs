//! Aiven: whose each token is, what its user may do in each project, and which services lie there.
//!
//! <https://aiven.io/docs/platform/concepts/permissions>, `concepts/service_backups`, `tools/cli/service-cli`; the fields are those of
//! its own client (`aiven/aiven-go-client`). A token may do all that its user may. Answers about services hold passwords, URLs
//! and certificates, of which nothing is kept.

use std::collections::BTreeMap;

use deadstop_core::fact::{Fact, Gap, Listed};
use deadstop_core::id::{NodeId, PrincipalId};
use deadstop_core::model::{Class, CopyKind, End};
use deadstop_core::time::{Span, Time};
use serde::Deserialize;

use super::Learnt;
use super::facts::{About, Facts, Fault, Told};
use super::platform::{Container, Guard, Kept, May, Seen, anything, can};
use super::same::ANY_AIVEN;
use super::token::{Client, Shown, is_id, shown};
use crate::collector::Token;
use crate::readonly::{Read, ReadOnly, Reads};

pub(super) const HOST: &str = "api.aiven.io";
/// Kinds of credential that are asked about.
pub(super) const KINDS: [&str; 1] = ["token"];

const ABOUT: About = About {
    provider: "aiven",
    scope: "Aiven",
    allow: "to the user of the token: the role read_only reads all of this",
};

const ME: &str = "GET /me";
const PROJECTS: &str = "GET /project";
const SERVICES: &str = "GET /project/{}/service";

/// The only calls that are ever sent.
pub(super) static READS: Reads = Reads {
    provider: "aiven",
    own_host: |host| host == HOST,
    throttled: |answer| answer.status == 429,
    list: &[
        Read::rest(ME, "/v1/me", &[]),
        Read::rest(PROJECTS, "/v1/project", &[]),
        Read::rest(SERVICES, "/v1/project/{}/service", &[]),
    ],
};

/// Where answers hold secrets.
const SECRETS: &[&str] = &[
    "acl",
    "card_info",
    "connection_info",
    "connection_pools",
    "intercom",
    "metadata",
    "schema_registry_acl",
    "service_uri",
    "service_uri_params",
    "user_config",
    "users",
];

/// How long backups stay once their service is deleted (`concepts/service_backups`).
const KEPT: Span = Span::days(30);

/// Asks Aiven about these tokens.
pub(super) fn ask(door: &ReadOnly, tokens: &[Token], at: Time) -> Learnt {
    Learnt::of_each(ABOUT, tokens, at, |token| one(door, token, at))
}

#[derive(Deserialize)]
struct Me {
    user: User,
}

#[derive(Deserialize)]
struct User {
    user_id: String,
    /// By the name of the project.
    project_membership: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Project {
    project_name: String,
    tags: Option<BTreeMap<String, String>>,
}

#[derive(Deserialize)]
struct Service {
    service_name: String,
    service_type: String,
    plan: String,
    termination_protection: bool,
    backups: Option<Vec<Backup>>,
    components: Option<Vec<Component>>,
}

#[derive(Deserialize)]
struct Backup {
    backup_time: Time,
}

#[derive(Deserialize)]
struct Component {
    host: String,
}

fn one(door: &ReadOnly, token: &Token, at: Time) -> Learnt {
    let mut learnt = Learnt::new(Facts::new(ABOUT, at));
    let client = Client::new(door, &READS, HOST, token, Shown::Scheme("aivenv1 ")).hiding(SECRETS);
    let credential = token.credential.as_str();
    let me = client.get_object::<Me>(ME, &[]).map(|answer| answer.user);
    let user = match me {
        Ok(user) if is_id(&user.user_id) => user,
        Ok(_) => {
            learnt.refuse(ME, token, &Fault::malformed());
            return learnt;
        }
        Err(fault) => {
            learnt.refuse(ME, token, &fault);
            return learnt;
        }
    };
    let facts = &mut learnt.facts;
    let who = PrincipalId(format!("aiven:user/{}", user.user_id));
    facts.principal(&who, &format!("Aiven user {}", user.user_id), None, (ME, credential));
    let projects = client.get_list::<Project>(PROJECTS, &[], "projects");
    let mut unlisted = facts.outcome(PROJECTS, credential, projects.fault);
    let mut titles = Vec::new();
    for project in &projects.items {
        let name = project.project_name.as_str();
        if !is_id(name) {
            unlisted = Some(facts.refused(PROJECTS, credential, &Fault::malformed()));
            continue;
        }
        let may = match user.project_membership.get(name).map(String::as_str) {
            Some("admin" | "operator") => {
                May::Everything("a token may do all that its user may, who is an administrator or an operator here")
            }
            _ => {
                let why = "which rights a user has by groups, by units, or by a role of an organization was not read";
                May::NotKnown(facts.doubt(name, why))
            }
        };
        facts.grant(Some(&who), anything(), project_node(name), &may, (ME, name));
        list(&client, project, facts);
        titles.push(shown(name));
    }
    let none = titles.is_empty().then(|| facts.doubt(credential, "a token works and names no project"));
    if let Some(gap) = unlisted.or(none) {
        facts.beyond(&token.credential, Some(&who), (&gap, &May::NotKnown(gap.clone())), PROJECTS);
    }
    let scope = format!("all that its user may do, in projects {}", titles.join(", "));
    facts.told.insert(token.credential.clone(), Told { kind: None, scope, environment: None });
    learnt.accept(token, who);
    learnt
}

fn project_node(name: &str) -> NodeId {
    NodeId(format!("aiven:{name}"))
}

/// A project with its services. It is deleted once it has none (`howto/manage-project`).
fn list(client: &Client<'_>, project: &Project, facts: &mut Facts) {
    let name = project.project_name.as_str();
    let node = project_node(name);
    let services = client.get_list::<Service>(SERVICES, &[name], "services");
    let mut gap = facts.outcome(SERVICES, name, services.fault);
    let tag = |key: &str| project.tags.as_ref()?.get(key).map(|value| shown(value));
    let environment = match tag("environment").or_else(|| tag("env")) {
        Some(tag) => Fact::Known(tag),
        None => Fact::Unknown(facts.doubt(name, "no tag of a project says which environment it belongs to")),
    };
    for service in &services.items {
        if is_id(&service.service_name) {
            service_of(facts, (name, &node), &environment, service);
        } else {
            gap = Some(facts.refused(SERVICES, name, &Fault::malformed()));
        }
    }
    let hidden = "a user may not be shown every service of a project";
    let gap = gap.unwrap_or_else(|| facts.doubt(name, hidden));
    let title = format!("Aiven project {name}");
    let seen = Container { kind: "project", name: &title, contents: Fact::Unknown(gap), ..Container::of(node) };
    facts.container(Container { environment, ..seen }, (PROJECTS, name));
}

fn service_of(facts: &mut Facts, (project, parent): (&str, &NodeId), environment: &Fact<String>, service: &Service) {
    let (name, kind) = (shown(&service.service_name), shown(&service.service_type));
    let node = NodeId(format!("{parent}/{}", service.service_name));
    let asked = (SERVICES, project);
    let class = match kind.as_str() {
        "cassandra" | "clickhouse" | "influxdb" | "m3db" | "mysql" | "pg" => Class::Database,
        "elasticsearch" | "opensearch" => Class::Index,
        _ => Class::Store,
    };
    let newest = service.backups.as_ref().map(|all| all.iter().map(|backup| backup.backup_time).max());
    let copies = match newest {
        Some(_) => Fact::Known(Listed::Complete),
        None => Fact::Unknown(facts.doubt(&name, "backups of a service were not in the answer")),
    };
    facts.seen(
        Seen {
            id: node.clone(),
            kind: "service",
            class,
            name: name.clone(),
            parent: Some(parent),
            environment: environment.clone(),
            contents: None,
            copies,
            holds: Some(format!("{kind}, plan {}", shown(&service.plan))),
        },
        asked,
    );
    let on = service.termination_protection;
    facts.guarded(
        Guard {
            on: &node,
            kind: "termination protection",
            // It refuses to power off, and not to be switched off itself.
            covers: &["ServiceDelete", "ServicePowerOff"],
            enabled: Fact::Known(on),
            holds_parent: false,
            lifts: Fact::Known(vec![can("ServiceUpdate", &node, "switch termination protection off")]),
            because: if on { "termination protection is on" } else { "termination protection is off" },
        },
        asked,
    );
    if let Some(newest) = newest.flatten() {
        backup_of(facts, &node, &name, newest, asked);
    }
    let engine = match kind.as_str() {
        "pg" => "postgres",
        "mysql" => "mysql",
        "dragonfly" | "redis" | "valkey" => "redis",
        _ => return,
    };
    let hosts: Vec<&str> = service.components.iter().flatten().map(|one| one.host.as_str()).collect();
    if hosts.is_empty() {
        facts.endpoint(&node, engine, Some(ANY_AIVEN));
    }
    hosts.iter().for_each(|host| facts.endpoint(&node, engine, Some(host)));
}

/// The newest backup. "Backups are automatically deleted 30 days after the service's deletion date", and until then Aiven's
/// support recovers the service (`concepts/service_backups`).
fn backup_of(facts: &mut Facts, node: &NodeId, name: &str, newest: Time, asked: (&str, &str)) {
    let why = "whether a change of the settings of backups lets earlier ones end is not documented";
    let gap: Gap = facts.doubt(name, why);
    let age = facts.at().since(newest);
    facts.kept(
        Kept {
            id: "backup",
            of: node,
            kind: CopyKind::AutomatedBackup,
            name: format!("backup of {name}, which Aiven's support restores"),
            place: None,
            lag: Fact::Known(age.max(Span::days(1))),
            ends: Fact::Known(End::After(KEPT)),
            dies_with: Fact::Known(Vec::new()),
            destroyed_by: Fact::Unknown(gap),
            because: "backups stay for 30 days once their service is deleted",
        },
        asked,
    );
}
