//! Neon: whose each key is, what it may delete, and what lies there.
//!
//! <https://neon.com/docs/manage/api-keys>, `guides/protected-branches`, `reference/api`; the fields are those of its OpenAPI
//! description. Personal keys act on all that their user does, keys of an organization as its administrator, keys of one
//! project as a member of it.

use deadstop_core::fact::{Fact, Gap, GapReason, Listed};
use deadstop_core::id::{NodeId, PrincipalId, ProtectionId};
use deadstop_core::model::{Asset, Basis, Class, Copy, CopyKind, End, Protection, Side};
use deadstop_core::time::{Span, Time};
use serde::Deserialize;
use serde_json::Value;

use super::Learnt;
use super::answered::NAME_ONE;
use super::facts::{About, Facts, Fault, Told};
use super::platform::{Container, May, anything, can, listed, untried};
use super::same::{ANY_NEON, neon_host};
use super::token::{Client, Got, Shown, is_id, shown};
use crate::collector::Token;
use crate::readonly::{Read, ReadOnly, Reads};

pub(super) const HOST: &str = "console.neon.tech";
/// Kinds of credential that are asked about.
pub(super) const KINDS: [&str; 2] = ["api_key", "oauth_token"];

const ABOUT: About = About {
    provider: "neon",
    scope: "Neon",
    allow: "to one of the keys found: one of an organization reads everything in it",
};

const AUTH: &str = "GET /auth";
const ORGANIZATIONS: &str = "GET /users/me/organizations";
const MEMBERS: &str = "GET /organizations/{}/members";
const PROJECTS: &str = "GET /projects";
const SHARED: &str = "GET /projects/shared";
const BRANCHES: &str = "GET /projects/{}/branches";
const DATABASES: &str = "GET /projects/{}/branches/{}/databases";
const SNAPSHOTS: &str = "GET /projects/{}/snapshots";
const COMPUTES: &str = "GET /projects/{}/endpoints";

/// The only calls that are ever sent.
pub(super) static READS: Reads = Reads {
    provider: "neon",
    own_host: |host| host == HOST,
    throttled: |answer| answer.status == 429,
    list: &[
        Read::rest(AUTH, "/api/v2/auth", &[]),
        Read::rest(ORGANIZATIONS, "/api/v2/users/me/organizations", &[]),
        Read::rest(MEMBERS, "/api/v2/organizations/{}/members", &[]),
        Read::rest(PROJECTS, "/api/v2/projects", &["org_id", "limit", "cursor"]),
        Read::rest(SHARED, "/api/v2/projects/shared", &["limit", "cursor"]),
        Read::rest(BRANCHES, "/api/v2/projects/{}/branches", &["limit", "cursor"]),
        Read::rest(DATABASES, "/api/v2/projects/{}/branches/{}/databases", &[]),
        Read::rest(SNAPSHOTS, "/api/v2/projects/{}/snapshots", &[]),
        Read::rest(COMPUTES, "/api/v2/projects/{}/endpoints", &[]),
    ],
};

/// How long a deleted project can be had back (docs, `reference/api`: projects).
const GRACE: Span = Span::days(7);
/// What a member of a project may do there; deleting the project is not among it.
const OF_A_MEMBER: [&str; 5] = [
    "deleteProjectBranch",
    "deleteProjectBranchDatabase",
    "restoreProjectBranch",
    "updateProjectBranch",
    "deleteSnapshot",
];

/// Asks Neon about these keys.
pub(super) fn ask(door: &ReadOnly, tokens: &[Token], at: Time) -> Learnt {
    Learnt::of_each(ABOUT, tokens, at, |token| one(door, token, at))
}

#[derive(Deserialize)]
struct Auth {
    account_id: String,
    auth_method: String,
}

#[derive(Clone, Deserialize)]
struct Organization {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct Membership {
    member: Member,
}

#[derive(Deserialize)]
struct Member {
    user_id: String,
    role: String,
}

#[derive(Clone, Deserialize)]
struct Project {
    id: String,
    name: String,
    org_id: Option<String>,
    owner_id: Option<String>,
    history_retention_seconds: Option<u64>,
}

#[derive(Deserialize)]
struct Branch {
    id: String,
    name: String,
    protected: bool,
    logical_size: Option<u64>,
}

#[derive(Deserialize)]
struct Database {
    name: String,
}

#[derive(Deserialize)]
struct Snapshot {
    id: String,
    name: String,
    source_branch_id: Option<String>,
    created_at: Time,
    expires_at: Option<Time>,
}

/// What a branch is reached by. Its id is the first label of its host.
#[derive(Deserialize)]
struct Compute {
    id: String,
    branch_id: String,
}

fn one(door: &ReadOnly, token: &Token, at: Time) -> Learnt {
    let mut learnt = Learnt::new(Facts::new(ABOUT, at));
    let client = Client::new(door, &READS, HOST, token, Shown::Bearer);
    match client.get_object::<Auth>(AUTH, &[]) {
        Ok(auth) if is_id(&auth.account_id) => match auth.auth_method.as_str() {
            "api_key_org" => of_organization(&client, token, &auth.account_id, &mut learnt),
            "api_key_user" | "oauth" | "keycloak" | "session_cookie" => {
                of_user(&client, token, &auth.account_id, &mut learnt);
            }
            _ => {
                let gap = learnt.facts.refused(AUTH, token.credential.as_str(), &Fault::of(GapReason::Unsupported));
                learnt.unnamed(token, gap);
            }
        },
        Ok(_) => learnt.refuse(AUTH, token, &Fault::of(GapReason::Malformed)),
        Err(fault) => learnt.refuse(AUTH, token, &fault),
    }
    learnt
}

/// A key of an organization, or of one of its projects: these are not told apart by `/auth`.
fn of_organization(client: &Client<'_>, token: &Token, id: &str, learnt: &mut Learnt) {
    let credential = &token.credential;
    let facts = &mut learnt.facts;
    let members = client.get_list::<Membership>(MEMBERS, &[id], "members");
    let mut got = projects(client, PROJECTS, &[]);
    let unlisted = facts.outcome(PROJECTS, id, got.fault.take());
    // A key of one project is refused what concerns the organization, and sees that project (inferred: no field says so).
    let only = match (&members.fault, got.items.as_slice()) {
        (Some(fault), [project]) if fault.says(&["403"]) && unlisted.is_none() => Some(project.clone()),
        _ => None,
    };
    let whole = members.fault.is_none();
    let refused = facts.outcome(MEMBERS, id, members.fault);
    let node = organization_node(id);
    let who = PrincipalId(match &only {
        Some(project) => format!("neon:{}#project-key", project.id),
        None => format!("neon:organization/{id}#key"),
    });
    let name = match &only {
        Some(project) => format!("Neon key of project {}", shown(&project.name)),
        None => format!("Neon key of organization {id}"),
    };
    facts.principal(&who, &name, None, (AUTH, id));
    let asked = (AUTH, credential.as_str());
    match (&only, refused) {
        (Some(project), _) => {
            let because = "a key of a project acts as a member of it";
            let actions = OF_A_MEMBER.map(str::to_owned).to_vec();
            let project = project_node(&project.id);
            facts.grant(Some(&who), actions, project.clone(), &May::Everything(because), asked);
            let gap = facts.doubt(id, "that this key is one of a project alone is inferred from what it is refused");
            for target in [node.clone(), project] {
                facts.grant(Some(&who), anything(), target, &May::NotKnown(gap.clone()), asked);
            }
        }
        (None, Some(gap)) => {
            facts.grant(Some(&who), anything(), node.clone(), &May::NotKnown(gap), asked);
        }
        (None, None) => {
            let because = "a key of an organization acts as its administrator";
            facts.grant(Some(&who), anything(), node.clone(), &May::Everything(because), asked);
        }
    }
    let hidden =
        (!whole).then(|| facts.doubt(id, "a key that is not the organization's own is not shown all projects"));
    organization(facts, id, id, unlisted.or(hidden));
    for project in &got.items {
        list(client, project, Some(&node), facts);
    }
    let scope =
        only.map_or_else(|| format!("organization {id}"), |project| format!("project {}", shown(&project.name)));
    facts.told.insert(credential.clone(), Told { kind: None, scope, environment: None });
    learnt.accept(token, who);
}

/// A personal key, or a login: it acts on all that its user does.
fn of_user(client: &Client<'_>, token: &Token, me: &str, learnt: &mut Learnt) {
    let credential = &token.credential;
    let facts = &mut learnt.facts;
    let login = if token.kind == "oauth_token" { "#oauth" } else { "" };
    let who = PrincipalId(format!("neon:user/{me}{login}"));
    facts.principal(&who, &format!("Neon user {me}"), None, (AUTH, me));
    let asked = (AUTH, credential.as_str());
    let organizations = client.get_list::<Organization>(ORGANIZATIONS, &[], "organizations");
    let mut unlisted = facts.outcome(ORGANIZATIONS, me, organizations.fault);
    let mut names = Vec::new();
    for one in &organizations.items {
        if !is_id(&one.id) {
            unlisted = Some(facts.refused(ORGANIZATIONS, me, &Fault::of(GapReason::Malformed)));
            continue;
        }
        let name = shown(&one.name);
        let members = client.get_list::<Membership>(MEMBERS, &[&one.id], "members");
        let role = members.items.iter().find(|one| one.member.user_id == me).map(|one| one.member.role.as_str());
        let administrator = role == Some("admin");
        let refused = facts.outcome(MEMBERS, &name, members.fault);
        let may = if administrator {
            May::Everything("a personal key may do all that its user may, who is an administrator here")
        } else {
            let why = "what a user who is no administrator of an organization may delete is not documented in full";
            May::NotKnown(refused.unwrap_or_else(|| facts.doubt(&name, why)))
        };
        let node = organization_node(&one.id);
        facts.grant(Some(&who), anything(), node.clone(), &may, asked);
        let mut got = projects(client, PROJECTS, &[("org_id", &one.id)]);
        let mut gap = facts.outcome(PROJECTS, &name, got.fault.take());
        if !administrator {
            gap =
                gap.or_else(|| Some(facts.doubt(&name, "one who is no administrator may not be shown every project")));
        }
        organization(facts, &one.id, &name, gap);
        for project in &got.items {
            list(client, project, Some(&node), facts);
        }
        names.push(name);
    }
    let mut own = projects(client, PROJECTS, &[]);
    // Whoever has organizations is told to name one.
    if own.fault.as_ref().is_some_and(|fault| fault.says(&[NAME_ONE])) && !organizations.items.is_empty() {
        own.fault = None;
    }
    unlisted = unlisted.or(facts.outcome(PROJECTS, me, own.fault));
    let shared = projects(client, SHARED, &[]);
    unlisted = unlisted.or(facts.outcome(SHARED, me, shared.fault));
    let told = |project: &&Project| organizations.items.iter().any(|one| Some(&one.id) == project.org_id.as_ref());
    for project in own.items.iter().chain(&shared.items).filter(|project| !told(project)) {
        let may = if project.owner_id.as_deref() == Some(me) {
            May::Everything("a personal key may do all that its user may, whose project it is")
        } else {
            May::NotKnown(
                facts.doubt(&shown(&project.name), "what one with whom a project is shared may delete was not asked"),
            )
        };
        facts.grant(Some(&who), anything(), project_node(&project.id), &may, asked);
        // A project lies in its organization, whoever is told of that.
        let parent = project.org_id.as_deref().filter(|id| is_id(id)).map(organization_node);
        list(client, project, parent.as_ref(), facts);
    }
    if organizations.items.is_empty() && own.items.is_empty() && shared.items.is_empty() {
        unlisted = unlisted.or_else(|| Some(facts.doubt(me, "a key works and names neither organization nor project")));
    }
    if let Some(gap) = unlisted {
        let may = May::Everything("a personal key may do all that its user may");
        facts.beyond(credential, Some(&who), (&gap, &may), AUTH);
    }
    let scope = if names.is_empty() {
        "all projects of its user".to_owned()
    } else {
        format!("all projects of its user, in {}", names.join(", "))
    };
    facts.told.insert(credential.clone(), Told { kind: None, scope, environment: None });
    learnt.accept(token, who);
}

fn organization(facts: &mut Facts, id: &str, name: &str, gap: Option<Gap>) {
    let title = format!("Neon organization {name}");
    facts.container(
        Container { kind: "organization", name: &title, contents: listed(gap), ..Container::of(organization_node(id)) },
        (PROJECTS, name),
    );
}

fn organization_node(id: &str) -> NodeId {
    NodeId(format!("neon:organization/{id}"))
}

fn project_node(id: &str) -> NodeId {
    NodeId(format!("neon:{id}"))
}

fn projects(client: &Client<'_>, operation: &str, query: &[(&str, &str)]) -> Got<Project> {
    let query = [query, &[("limit", "100")]].concat();
    let mut got = client.get_pages::<Project>(operation, &[], &query, "projects", ("cursor", next_project));
    if !got.items.iter().all(|project| is_id(&project.id)) {
        got.items.retain(|project| is_id(&project.id));
        got.fault = Some(Fault::of(GapReason::Malformed));
    }
    got
}

/// The cursor is that of the last project, so that the page after the last one is empty. Projects that could not be read
/// in time are told by their ids.
fn next_project(page: &Value) -> Result<Option<String>, Fault> {
    let missing = page.get("unavailable_project_ids").and_then(Value::as_array);
    if missing.is_some_and(|missing| !missing.is_empty()) {
        return Err(Fault::of(GapReason::TimedOut));
    }
    let empty = page.get("projects").and_then(Value::as_array).is_some_and(Vec::is_empty);
    let cursor = page.pointer("/pagination/cursor").and_then(Value::as_str).filter(|cursor| !cursor.is_empty());
    Ok(cursor.filter(|_| !empty).map(str::to_owned))
}

fn next_branch(page: &Value) -> Result<Option<String>, Fault> {
    let next = page.pointer("/pagination/next").and_then(Value::as_str);
    Ok(next.filter(|next| !next.is_empty()).map(str::to_owned))
}

/// A project with its branches.
fn list(client: &Client<'_>, project: &Project, parent: Option<&NodeId>, facts: &mut Facts) {
    let (node, name) = (project_node(&project.id), shown(&project.name));
    let query = [("limit", "100")];
    let branches = client.get_pages::<Branch>(BRANCHES, &[&project.id], &query, "branches", ("cursor", next_branch));
    let mut gap = facts.outcome(BRANCHES, &name, branches.fault);
    if !branches.items.iter().all(|branch| is_id(&branch.id)) {
        gap = Some(facts.refused(BRANCHES, &name, &Fault::of(GapReason::Malformed)));
    }
    let snapshots = client.get_list::<Snapshot>(SNAPSHOTS, &[&project.id], "snapshots");
    let unkept = facts.outcome(SNAPSHOTS, &name, snapshots.fault);
    let computes = client.get_list::<Compute>(COMPUTES, &[&project.id], "endpoints");
    let all_told = facts.outcome(COMPUTES, &name, computes.fault).is_none();
    for branch in branches.items.iter().filter(|branch| is_id(&branch.id)) {
        let databases = client.get_list::<Database>(DATABASES, &[&project.id, &branch.id], "databases");
        facts.outcome(DATABASES, &format!("{name}/{}", shown(&branch.name)), databases.fault);
        branch_of(facts, project, branch, &databases.items, unkept.as_ref());
        let node = branch_node(project, branch);
        for compute in computes.items.iter().filter(|compute| compute.branch_id == branch.id) {
            facts.endpoint(&node, "postgres", Some(&neon_host(&compute.id)));
        }
        if !all_told {
            facts.endpoint(&node, "postgres", Some(ANY_NEON));
        }
        let of = |snapshot: &&Snapshot| snapshot.source_branch_id.as_deref() == Some(branch.id.as_str());
        for snapshot in snapshots.items.iter().filter(of).filter(|snapshot| is_id(&snapshot.id)) {
            snapshot_of(facts, project, branch, snapshot);
        }
    }
    let title = format!("Neon project {name}");
    facts.container(
        Container { kind: "project", name: &title, parent, contents: listed(gap), ..Container::of(node) },
        (PROJECTS, &name),
    );
}

fn branch_of(facts: &mut Facts, project: &Project, branch: &Branch, databases: &[Database], unkept: Option<&Gap>) {
    let node = branch_node(project, branch);
    let (name, title) = (shown(&project.name), shown(&branch.name));
    let source = facts.source(BRANCHES, &name);
    let mut copies = unkept.cloned();
    if project.history_retention_seconds.is_none() {
        copies = Some(facts.doubt(&name, "how long a project keeps its history was not in the answer"));
    }
    let names: Vec<String> = databases.iter().map(|database| shown(&database.name)).collect();
    let size = branch.logical_size.map(|bytes| format!("{} MB", bytes / 1_000_000));
    let holds: Vec<String> =
        size.into_iter().chain((!names.is_empty()).then(|| format!("databases {}", names.join(", ")))).collect();
    facts.assets.push(Asset {
        id: node.clone(),
        provider: "neon".to_owned(),
        kind: "branch".to_owned(),
        class: Class::Database,
        name: format!("{name}/{title}"),
        parent: Some(project_node(&project.id)),
        environment: Fact::Known(title),
        contents: None,
        protections: Fact::Known(Listed::Complete),
        copies: listed(copies),
        behind: Vec::new(),
        holds: (!holds.is_empty()).then(|| holds.join("; ")),
        sources: vec![source.clone()],
    });
    facts.protections.push(Protection {
        id: ProtectionId(format!("{node}#protected")),
        on: node.clone(),
        side: Side::Protect,
        kind: "protected branch".to_owned(),
        covers: vec!["deleteProjectBranch".to_owned(), "deleteProject".to_owned()],
        enabled: Fact::Known(branch.protected),
        whole: Fact::Known(true),
        // "The project cannot be deleted" while it has one (docs, `guides/protected-branches`).
        holds_parent: true,
        only_ways: Vec::new(),
        lifts: Fact::Known(vec![can("updateProjectBranch", &node, "take the protection off the branch")]),
        basis: Basis::Observed,
        because: if branch.protected { "the branch is protected" } else { "the branch is not protected" }.to_owned(),
        sources: vec![source.clone()],
    });
    let everything = ["deleteProjectBranch", "deleteProject", "deleteOrganization"].map(str::to_owned);
    if let Some(seconds) = project.history_retention_seconds.filter(|seconds| *seconds > 0) {
        facts.copies.push(Copy {
            id: NodeId(format!("{node}/history")),
            of: node.clone(),
            kind: CopyKind::Pitr,
            name: format!("the history of {name}"),
            place: None,
            lag: Fact::Known(Span(0)),
            ends: Fact::Known(End::After(Span(seconds))),
            dies_with: Fact::Known(everything.to_vec()),
            destroyed_by: Fact::Known(vec![can(
                "updateProject",
                &project_node(&project.id),
                "let the project keep no history",
            )]),
            needs: Vec::new(),
            drills: untried(),
            basis: Basis::Observed,
            because: "any moment of the project's history, which goes with the branch and the project".to_owned(),
            sources: vec![source.clone()],
        });
    }
    let mut dies_with = everything.to_vec();
    dies_with.retain(|action| action != "deleteProject");
    dies_with.extend(["deleteProjectBranchDatabase", "restoreProjectBranch"].map(str::to_owned));
    facts.copies.push(Copy {
        id: NodeId(format!("{node}/grace")),
        of: node,
        kind: CopyKind::GracePeriod,
        name: format!("the 7 days in which project {name} can be recovered"),
        place: None,
        lag: Fact::Known(Span(0)),
        ends: Fact::Known(End::After(GRACE)),
        dies_with: Fact::Known(dies_with),
        destroyed_by: Fact::Known(Vec::new()),
        needs: Vec::new(),
        drills: untried(),
        basis: Basis::Inferred,
        because: "a deleted project can be recovered for 7 days; a branch that is deleted with hard_delete cannot"
            .to_owned(),
        sources: vec![source],
    });
}

fn snapshot_of(facts: &mut Facts, project: &Project, branch: &Branch, snapshot: &Snapshot) {
    let (node, name) = (branch_node(project, branch), shown(&project.name));
    let gap = facts.doubt(&name, "whether a snapshot outlives its branch is not documented");
    let source = facts.source(SNAPSHOTS, &name);
    let age = facts.at().since(snapshot.created_at);
    facts.copies.push(Copy {
        id: NodeId(format!("{node}/snapshot/{}", snapshot.id)),
        of: node,
        kind: CopyKind::Snapshot,
        name: format!("snapshot {} of {name}", shown(&snapshot.name)),
        // It is the project's, and goes with it.
        place: Some(project_node(&project.id)),
        lag: Fact::Known(age),
        ends: Fact::Known(snapshot.expires_at.map_or(End::Never, End::At)),
        dies_with: Fact::Unknown(gap),
        destroyed_by: Fact::Known(vec![can("deleteSnapshot", &project_node(&project.id), "delete the snapshot")]),
        needs: Vec::new(),
        drills: untried(),
        basis: Basis::Observed,
        because: "a snapshot, which lies in the project".to_owned(),
        sources: vec![source],
    });
}

fn branch_node(project: &Project, branch: &Branch) -> NodeId {
    NodeId(format!("neon:{}/{}", project.id, branch.id))
}
