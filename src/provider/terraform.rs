//! HCP Terraform: whose each token is, and what it may do to each workspace and the state in it.
//!
//! <https://developer.hashicorp.com/terraform/cloud-docs/api-docs>; the fields are those of its OpenAPI description
//! (`hashicorp/go-tfe`, `v2/openapi`). Each workspace and each organization says what the token that asks may do to it.

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::fact::{Fact, Gap, Listed};
use deadstop_core::id::{NodeId, PrincipalId};
use deadstop_core::model::{Basis, Class, CopyKind, End};
use deadstop_core::time::{Span, Time};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Learnt;
use super::facts::{About, Facts, Fault, Told};
use super::platform::{Container, Guard, Kept, May, Seen, anything, can, listed, names};
use super::token::{Client, Got, Shown, is_id, shown};
use crate::collector::Token;
use crate::readonly::{Read, ReadOnly, Reads};

pub(super) const HOST: &str = "app.terraform.io";
/// Kinds of credential that are asked about.
pub(super) const KINDS: [&str; 1] = ["token"];

const ABOUT: About = About {
    provider: "terraform",
    scope: "HCP Terraform",
    allow: "to the token: one of a team that may read every workspace",
};

const ACCOUNT: &str = "GET /account/details";
const ORGANIZATIONS: &str = "GET /organizations";
const PROJECTS: &str = "GET /organizations/{}/projects";
const WORKSPACES: &str = "GET /organizations/{}/workspaces";

const PAGE: &[&str] = &["page[number]", "page[size]"];

/// The only calls that are ever sent.
pub(super) static READS: Reads = Reads {
    provider: "terraform",
    own_host: |host| host == HOST,
    throttled: |answer| answer.status == 429,
    list: &[
        Read::rest(ACCOUNT, "/api/v2/account/details", &[]),
        Read::rest(ORGANIZATIONS, "/api/v2/organizations", PAGE),
        Read::rest(PROJECTS, "/api/v2/organizations/{}/projects", PAGE),
        Read::rest(WORKSPACES, "/api/v2/organizations/{}/workspaces", PAGE),
    ],
};

const PURGE: &str = "permanentlyDeleteRecoverableItem";

/// Asks HCP Terraform about these tokens.
pub(super) fn ask(door: &ReadOnly, tokens: &[Token], at: Time) -> Learnt {
    Learnt::of_each(ABOUT, tokens, at, |token| one(door, token, at))
}

/// A resource of JSON:API.
#[derive(Deserialize)]
struct Resource<T, R = Value> {
    id: String,
    attributes: T,
    relationships: Option<R>,
}

#[derive(Deserialize)]
struct Whole<T> {
    data: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct User {
    username: String,
    is_service_account: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Organization {
    permissions: Rights,
    /// Whether deleted workspaces can be had back; a feature that not every organization is told of.
    recoverable_items_enabled: Option<bool>,
    /// Whether there can be stacks.
    stacks_enabled: Option<bool>,
}

/// What an item says that the token that asks may do to it, by name.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
struct Rights(BTreeMap<String, Option<bool>>);

impl Rights {
    /// What is said of a right; nothing, if it is not among those that are told.
    fn told(&self, name: &str) -> Option<bool> {
        self.0.get(name).copied().flatten()
    }

    fn has(&self, name: &str) -> bool {
        self.told(name) == Some(true)
    }

    /// Whether there may be one that leads to more rights: all of `denied` are told not to be there, and none is but what
    /// reads and what is known.
    fn may_widen(&self, denied: &[&str], known: &[&str]) -> bool {
        let harmless = |name: &str| name.starts_with("can-read") || known.contains(&name);
        denied.iter().any(|name| self.told(name) != Some(false))
            || self.0.iter().any(|(name, told)| *told != Some(false) && !harmless(name))
    }

    /// Adds what each of these rights lets its holder do; one that is not told may be there.
    fn grant(
        &self,
        facts: &mut Facts,
        all: &[(&str, &str)],
        (who, node): (&PrincipalId, &NodeId),
        asked: (&str, &str),
    ) {
        let of = |wanted| all.iter().filter(move |(right, _)| self.told(right) == wanted).map(|(_, action)| *action);
        let may: Vec<&str> = of(Some(true)).collect();
        if !may.is_empty() {
            let because = "it says so of the token that asks";
            facts.granted(who, names(&may), node.clone(), (Basis::Observed, because), asked);
        }
        let untold: Vec<&str> = of(None).collect();
        if !untold.is_empty() {
            let gap = facts.doubt(asked.1, "whether a token has a right was not in the answer");
            facts.grant(Some(who), names(&untold), node.clone(), &May::NotKnown(gap), asked);
        }
    }
}

/// Rights to an organization that lead to more: by a team, by a token of another, by what runs in every workspace.
const WIDENING: [&str; 5] =
    ["can-update", "can-create-team", "can-manage-users", "can-update-authentication-token", "can-update-api-token"];
/// Rights to an organization that give none to a workspace that is there (OpenAPI description, "Organization").
const CALM: [&str; 11] = [
    "can-access-via-teams",
    "can-create-project",
    "can-create-workspace",
    "can-destroy",
    "can-manage-assessments",
    "can-manage-recoverable-items",
    "can-manage-subscription",
    "can-start-trial",
    "can-traverse",
    "can-use-new-pnp-activation-ui",
    "can-view-explorer",
];
/// Those to a project; of deleting it more is said below.
const CALM_IN_PROJECT: [&str; 2] = ["can-create-workspace", "can-destroy"];
/// Those to a workspace; of the first ones more is said below.
const CALM_IN_WORKSPACE: [&str; 11] = [
    "can-create-state-versions",
    "can-destroy",
    "can-force-delete",
    "can-queue-apply",
    "can-queue-destroy",
    "can-queue-run",
    "can-force-unlock",
    "can-lock",
    "can-manage-assessments",
    "can-unlock",
    "can-update-change-requests",
];

#[derive(Deserialize)]
struct Project {
    name: String,
    permissions: Rights,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Workspace {
    name: String,
    allow_destroy_plan: bool,
    auto_apply: bool,
    resource_count: u64,
    permissions: Rights,
}

#[derive(Deserialize)]
struct Related {
    project: Option<Link>,
}

#[derive(Deserialize)]
struct Link {
    data: Option<Id>,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

fn one(door: &ReadOnly, token: &Token, at: Time) -> Learnt {
    let mut learnt = Learnt::new(Facts::new(ABOUT, at));
    let client = Client::new(door, &READS, HOST, token, Shown::Bearer).accepting("application/vnd.api+json");
    let credential = token.credential.as_str();
    let account = client.get_object::<Whole<Resource<User>>>(ACCOUNT, &[]).map(|answer| answer.data);
    let account = match account {
        Ok(account) if is_id(&account.id) => account,
        Ok(_) => {
            learnt.refuse(ACCOUNT, token, &Fault::malformed());
            return learnt;
        }
        Err(fault) => {
            learnt.refuse(ACCOUNT, token, &fault);
            return learnt;
        }
    };
    let facts = &mut learnt.facts;
    let who = PrincipalId(format!("terraform:user/{}#{credential}", account.id));
    let kind = if account.attributes.is_service_account { "service account" } else { "user" };
    let name = format!("HCP Terraform {kind} {}, by one token", shown(&account.attributes.username));
    facts.principal(&who, &name, None, (ACCOUNT, credential));
    let mut got = pages::<Resource<Organization>>(&client, ORGANIZATIONS, &[]);
    if !got.items.iter().all(|one| is_id(&one.id)) {
        got.items.retain(|one| is_id(&one.id));
        got.fault = Some(Fault::malformed());
    }
    let unlisted = facts.outcome(ORGANIZATIONS, credential, got.fault);
    for organization in &got.items {
        organization_of(&client, organization, &who, facts);
    }
    let unlisted = unlisted
        .or_else(|| got.items.is_empty().then(|| facts.doubt(credential, "a token works and names no organization")));
    if let Some(gap) = unlisted {
        facts.beyond(&token.credential, Some(&who), (&gap, &May::NotKnown(gap.clone())), ORGANIZATIONS);
    }
    let all: Vec<String> = got.items.iter().map(|one| shown(&one.id)).collect();
    let scope = format!("organizations {}, as far as each workspace says", all.join(", "));
    facts.told.insert(token.credential.clone(), Told { kind: None, scope, environment: None });
    learnt.accept(token, who);
    learnt
}

fn pages<T: DeserializeOwned>(client: &Client<'_>, operation: &str, segments: &[&str]) -> Got<T> {
    client.get_pages(operation, segments, &[("page[size]", "100")], "data", ("page[number]", next))
}

fn next(page: &Value) -> Result<Option<String>, Fault> {
    match page.pointer("/meta/pagination/next-page") {
        Some(Value::Null) => Ok(None),
        Some(Value::Number(next)) => Ok(Some(next.to_string())),
        _ => Err(Fault::malformed()),
    }
}

fn organization_of(client: &Client<'_>, organization: &Resource<Organization>, who: &PrincipalId, facts: &mut Facts) {
    let name = organization.id.as_str();
    let node = NodeId(format!("terraform:{name}"));
    let rights = &organization.attributes.permissions;
    let all = [("can-destroy", "deleteOrganization"), ("can-manage-recoverable-items", PURGE)];
    rights.grant(facts, &all, (who, &node), (ORGANIZATIONS, name));
    let gives =
        "who may change an organization, its teams or their tokens may give himself rights, which was not followed";
    if rights.may_widen(&WIDENING, &CALM) {
        let may = May::NotKnown(facts.doubt(name, gives));
        facts.grant(Some(who), anything(), node.clone(), &may, (ORGANIZATIONS, name));
    }
    let projects = pages::<Resource<Project>>(client, PROJECTS, &[name]);
    let mut gap = facts.outcome(PROJECTS, name, projects.fault);
    let workspaces = pages::<Resource<Workspace, Related>>(client, WORKSPACES, &[name]);
    gap = gap.or(facts.outcome(WORKSPACES, name, workspaces.fault));
    let ids = projects.items.iter().map(|one| &one.id).chain(workspaces.items.iter().map(|one| &one.id));
    if !ids.into_iter().all(|id| is_id(id)) {
        gap = Some(facts.refused(WORKSPACES, name, &Fault::malformed()));
    }
    for project in projects.items.iter().filter(|one| is_id(&one.id)) {
        let title = format!("HCP Terraform project {}", shown(&project.attributes.name));
        let below = NodeId(format!("terraform:{}", project.id));
        let may = &project.attributes.permissions;
        if may.may_widen(&["can-update", "can-manage-teams"], &CALM_IN_PROJECT) {
            let may = May::NotKnown(facts.doubt(&title, gives));
            facts.grant(Some(who), anything(), below.clone(), &may, (PROJECTS, name));
        }
        if may.told("can-destroy") != Some(false) {
            let why = "whether a project that holds workspaces is deleted is not documented";
            let may = May::NotKnown(facts.doubt(&title, why));
            facts.grant(Some(who), names(&["deleteProject"]), below.clone(), &may, (PROJECTS, name));
        }
        if let Some(gap) = &gap {
            let may = May::NotKnown(gap.clone());
            facts.grant(Some(who), anything(), NodeId(format!("{below}/?")), &may, (WORKSPACES, name));
        }
        let contents = listed(gap.clone());
        let seen = Container { kind: "project", name: &title, parent: Some(&node), contents, ..Container::of(below) };
        facts.container(seen, (PROJECTS, name));
    }
    let listed_too: BTreeSet<&str> = projects.items.iter().map(|one| one.id.as_str()).collect();
    let mut unnamed = BTreeSet::new();
    for workspace in workspaces.items.iter().filter(|one| is_id(&one.id)) {
        // A workspace lies in its project, whoever is shown that: others may have rights to the project.
        let project = workspace.relationships.as_ref().and_then(|related| related.project.as_ref()?.data.as_ref());
        let project = project.filter(|project| is_id(&project.id));
        unnamed.extend(project.map(|project| project.id.as_str()).filter(|id| !listed_too.contains(id)));
        let parent = project.map_or_else(|| node.clone(), |project| NodeId(format!("terraform:{}", project.id)));
        workspace_of(facts, (who, &node), (organization, &parent), workspace);
    }
    for project in unnamed {
        let contents = Fact::Unknown(facts.doubt(name, "a workspace is in a project that is not listed"));
        let below = NodeId(format!("terraform:{project}"));
        let seen = Container { kind: "project", name: project, parent: Some(&node), contents, ..Container::of(below) };
        facts.container(seen, (WORKSPACES, name));
    }
    if let Some(gap) = &gap {
        // What is not listed says of nobody what he may do to it, and another token may list it.
        facts.grant(Some(who), anything(), node.clone(), &May::NotKnown(gap.clone()), (WORKSPACES, name));
    }
    let title = format!("HCP Terraform organization {name}");
    let hidden = "a token is not shown workspaces that it has no access to";
    let stacks = organization.attributes.stacks_enabled != Some(false);
    if stacks {
        let may = May::NotKnown(facts.doubt(name, "what a token may do to stacks was not asked"));
        facts.grant(Some(who), anything(), NodeId(format!("{node}/?")), &may, (ORGANIZATIONS, name));
    }
    let gap = gap.or_else(|| (!rights.has("can-destroy")).then(|| facts.doubt(name, hidden)));
    let gap = gap.or_else(|| stacks.then(|| facts.doubt(name, "stacks, which keep state too, were not asked")));
    facts.container(
        Container { kind: "organization", name: &title, contents: listed(gap), ..Container::of(node) },
        (ORGANIZATIONS, name),
    );
}

/// What a token may do to a workspace, as the workspace itself says of it.
fn grants(facts: &mut Facts, who: &PrincipalId, node: &NodeId, workspace: &Workspace) {
    let (rights, asked) = (&workspace.permissions, (WORKSPACES, workspace.name.as_str()));
    let all = [
        ("can-force-delete", "deleteWorkspace"),
        ("can-queue-destroy", "queueDestroy"),
        ("can-queue-apply", "applyRun"),
        ("can-create-state-versions", "createStateVersion"),
        ("can-update", "updateWorkspace"),
    ];
    rights.grant(facts, &all, (who, node), asked);
    // A configuration without resources destroys them by an ordinary run.
    if rights.has("can-queue-run") && (workspace.auto_apply || rights.has("can-update")) {
        let because = "the workspace says that it may queue runs, and they are applied by themselves or may be";
        facts.granted(who, names(&["applyRun"]), node.clone(), (Basis::Observed, because), asked);
    } else if rights.told("can-queue-run").is_none() {
        let may = May::NotKnown(facts.doubt(&workspace.name, "whether a token may queue runs was not in the answer"));
        facts.grant(Some(who), names(&["applyRun"]), node.clone(), &may, asked);
    }
    if rights.has("can-queue-run") {
        let why =
            "a plan runs whatever a configuration says with the credentials of the workspace, which was not followed";
        let may = May::NotKnown(facts.doubt(&workspace.name, why));
        facts.grant(Some(who), names(&["applyRun", "createStateVersion"]), node.clone(), &may, asked);
    }
    // A variable says how many there are of a resource, where the provider is, and which options a run has.
    if rights.may_widen(&["can-update", "can-update-variable"], &CALM_IN_WORKSPACE) {
        let why =
            "who may change a workspace, its variables or what runs in it may have it destroy, which was not followed";
        let may = May::NotKnown(facts.doubt(&workspace.name, why));
        facts.grant(Some(who), anything(), node.clone(), &may, asked);
    }
    if rights.told("can-destroy") != Some(false) && !rights.has("can-force-delete") {
        let why = "whether a workspace with resources may be deleted by one who may not force it is not documented";
        let may = May::NotKnown(facts.doubt(&workspace.name, why));
        facts.grant(Some(who), names(&["deleteWorkspace"]), node.clone(), &may, asked);
    }
}

fn workspace_of(
    facts: &mut Facts,
    (who, top): (&PrincipalId, &NodeId),
    (organization, parent): (&Resource<Organization>, &NodeId),
    workspace: &Resource<Workspace, Related>,
) {
    let told = &workspace.attributes;
    let name = format!("{}/{}", organization.id, shown(&told.name));
    let node = NodeId(format!("terraform:{}/{}", organization.id, workspace.id));
    let asked = (WORKSPACES, organization.id.as_str());
    let environment = Fact::Unknown(facts.doubt(&name, "nothing says which environment a workspace belongs to"));
    facts.seen(
        Seen {
            id: node.clone(),
            kind: "workspace",
            class: Class::State,
            name: name.clone(),
            parent: Some(parent),
            environment,
            contents: None,
            copies: Fact::Known(Listed::Complete),
            holds: Some(format!("the state of {} resources", told.resource_count)),
        },
        asked,
    );
    grants(facts, who, &node, told);
    facts.guarded(
        Guard {
            on: &node,
            kind: "no destroy plans",
            covers: &["queueDestroy"],
            enabled: Fact::Known(!told.allow_destroy_plan),
            holds_parent: false,
            lifts: Fact::Known(vec![can("updateWorkspace", &node, "allow destroy plans")]),
            because: if told.allow_destroy_plan {
                "destroy plans are allowed"
            } else {
                "destroy plans are not allowed"
            },
        },
        asked,
    );
    // "Permanently removes the workspace and all its associated data including runs, state versions" (OpenAPI description).
    let ends = ["applyRun", "deleteOrganization", "deleteProject", "deleteWorkspace", "queueDestroy"];
    facts.kept(
        Kept {
            id: "versions",
            of: &node,
            kind: CopyKind::Versions,
            name: format!("earlier states of {name}"),
            place: None,
            lag: Fact::Known(Span(0)),
            ends: Fact::Known(End::Never),
            // A state brings back no resource that was destroyed.
            dies_with: Fact::Known(names(&ends)),
            destroyed_by: Fact::Known(vec![can(
                "updateWorkspace",
                &node,
                "let earlier states be deleted by their age",
            )]),
            because: "a workspace keeps its states, and takes them along",
        },
        asked,
    );
    if organization.attributes.recoverable_items_enabled == Some(true) {
        let ends = Fact::Unknown(grace(facts, &name));
        facts.kept(
            Kept {
                id: "grace",
                of: &node,
                kind: CopyKind::GracePeriod,
                name: format!("the time in which {name} can be recovered"),
                place: Some(top),
                lag: Fact::Known(Span(0)),
                ends,
                dies_with: Fact::Known(names(&[
                    "applyRun",
                    "createStateVersion",
                    "deleteOrganization",
                    "deleteProject",
                    "queueDestroy",
                ])),
                destroyed_by: Fact::Known(vec![can(PURGE, top, "delete the recoverable item for good")]),
                because: "deleted workspaces of the organization can be recovered",
            },
            (ORGANIZATIONS, organization.id.as_str()),
        );
    }
}

fn grace(facts: &mut Facts, name: &str) -> Gap {
    facts.doubt(name, "how long a deleted workspace can be recovered is not documented")
}
