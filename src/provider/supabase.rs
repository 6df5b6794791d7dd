//! Supabase: whose each token is, what it may delete, and what lies there.
//!
//! <https://supabase.com/docs/reference/api/introduction>, `guides/platform/backups`; the fields are those of its OpenAPI
//! description. No field protects a project, nothing tells a token's scope, and a deleted project takes its backups along.

use deadstop_core::fact::{Fact, Gap, GapReason, Listed};
use deadstop_core::id::{NodeId, PrincipalId};
use deadstop_core::model::{Asset, Basis, Class, Copy, CopyKind, End};
use deadstop_core::time::{Span, Time};
use serde::Deserialize;

use super::Learnt;
use super::facts::{About, Facts, Fault, Told};
use super::platform::{Container, May, anything, listed, untried};
use super::token::{Client, Shown, is_id, shown};
use crate::collector::Token;
use crate::readonly::{Read, ReadOnly, Reads};

pub(super) const HOST: &str = "api.supabase.com";
/// Kinds of credential that are asked about. Keys of a project are for its data alone.
pub(super) const KINDS: [&str; 1] = ["access_token"];

const ABOUT: About = About {
    provider: "supabase",
    scope: "Supabase",
    allow: "to the token: a classic access token of an owner reads everything",
};

const PROFILE: &str = "GET /profile";
const ORGANIZATIONS: &str = "GET /organizations";
const MEMBERS: &str = "GET /organizations/{}/members";
const PROJECTS: &str = "GET /projects";
const BRANCHES: &str = "GET /projects/{}/branches";
const BACKUPS: &str = "GET /projects/{}/database/backups";
const BUCKETS: &str = "GET /projects/{}/storage/buckets";

/// The only calls that are ever sent.
pub(super) static READS: Reads = Reads {
    provider: "supabase",
    own_host: |host| host == HOST,
    throttled: |answer| answer.status == 429,
    list: &[
        Read::rest(PROFILE, "/v1/profile", &[]),
        Read::rest(ORGANIZATIONS, "/v1/organizations", &[]),
        Read::rest(MEMBERS, "/v1/organizations/{}/members", &[]),
        Read::rest(PROJECTS, "/v1/projects", &[]),
        Read::rest(BRANCHES, "/v1/projects/{}/branches", &[]),
        Read::rest(BACKUPS, "/v1/projects/{}/database/backups", &[]),
        Read::rest(BUCKETS, "/v1/projects/{}/storage/buckets", &[]),
    ],
};

/// Asks Supabase about these tokens.
pub(super) fn ask(door: &ReadOnly, tokens: &[Token], at: Time) -> Learnt {
    Learnt::of_each(ABOUT, tokens, at, |token| one(door, token, at))
}

#[derive(Deserialize)]
struct Profile {
    gotrue_id: String,
}

#[derive(Deserialize)]
struct Organization {
    slug: String,
    name: String,
}

#[derive(Deserialize)]
struct Member {
    user_id: String,
    role_name: String,
}

#[derive(Deserialize)]
struct Project {
    #[serde(rename = "ref")]
    id: String,
    organization_slug: String,
    name: String,
    region: String,
}

#[derive(Deserialize)]
struct Branch {
    id: String,
    name: String,
    is_default: bool,
    persistent: bool,
}

#[derive(Deserialize)]
struct Backups {
    pitr_enabled: bool,
    backups: Vec<Backup>,
    physical_backup_data: Physical,
}

#[derive(Deserialize)]
struct Backup {
    status: String,
    inserted_at: Time,
}

#[derive(Deserialize)]
struct Physical {
    earliest_physical_backup_date_unix: Option<i64>,
    latest_physical_backup_date_unix: Option<i64>,
}

#[derive(Deserialize)]
struct Bucket {
    id: String,
    name: String,
}

/// Whether a token is a classic one, which acts on everything that its user does. Others begin otherwise and are granted
/// less.
fn is_classic(token: &Token) -> bool {
    let narrower: [&[u8]; 2] = [b"sbp_oauth_", b"sbp_fc"];
    let secret = token.secret.expose();
    secret.starts_with(b"sbp_") && !narrower.iter().any(|start| secret.starts_with(start))
}

fn one(door: &ReadOnly, token: &Token, at: Time) -> Learnt {
    let mut learnt = Learnt::new(Facts::new(ABOUT, at));
    let client = Client::new(door, &READS, HOST, token, Shown::Bearer);
    let credential = token.credential.as_str();
    let asked = (PROJECTS, credential);
    let me = client.get_object::<Profile>(PROFILE, &[]).and_then(|profile| {
        if is_id(&profile.gotrue_id) { Ok(profile.gotrue_id) } else { Err(Fault::of(GapReason::Malformed)) }
    });
    let organizations = client.get_list::<Organization>(ORGANIZATIONS, &[], "");
    let projects = client.get_list::<Project>(PROJECTS, &[], "");
    if let (Err(fault), Some(_), Some(_)) = (&me, &organizations.fault, &projects.fault) {
        learnt.refuse(PROFILE, token, fault);
        return learnt;
    }
    let facts = &mut learnt.facts;
    // A token that is not told whose it is still is someone: itself.
    let (who, name) = match &me {
        Ok(me) if is_classic(token) => (format!("supabase:user/{me}"), format!("Supabase user {me}")),
        Ok(me) => {
            (format!("supabase:user/{me}#{credential}"), format!("Supabase user {me}, by a token of less than all"))
        }
        Err(_) => (format!("supabase:token/{credential}"), "a Supabase token that is not told whose it is".to_owned()),
    };
    let who = PrincipalId(who);
    facts.principal(&who, &name, None, asked);
    let nobody = me.as_ref().err().map(|fault| facts.refused(PROFILE, credential, fault));
    if !is_classic(token) {
        let gap = facts.doubt(credential, "what a scoped token or a login was granted is not told");
        facts.everywhere(Some(&who), &gap, asked);
    }
    let mut unlisted = facts.outcome(ORGANIZATIONS, credential, organizations.fault);
    unlisted = unlisted.or(facts.outcome(PROJECTS, credential, projects.fault));
    let mut names = Vec::new();
    for organization in organizations.items.iter().filter(|one| is_id(&one.slug)) {
        let name = shown(&organization.name);
        let may = may(&client, token, organization, (me.as_ref().ok(), nobody.as_ref()), facts);
        let node = organization_node(&organization.slug);
        facts.grant(Some(&who), anything(), node.clone(), &may, asked);
        let owner = matches!(may, May::Everything(_));
        let gap = unlisted.clone().or_else(|| {
            (!owner).then(|| facts.doubt(&name, "a token of less than an owner may not be shown every project"))
        });
        let title = format!("Supabase organization {name}");
        facts.container(
            Container { kind: "organization", name: &title, contents: listed(gap), ..Container::of(node) },
            asked,
        );
        names.push(name);
    }
    for project in projects.items.iter().filter(|project| is_id(&project.id)) {
        let within = organizations.items.iter().any(|one| one.slug == project.organization_slug && is_id(&one.slug));
        if !within {
            let gap = facts.doubt(
                &shown(&project.name),
                "which rights a token has in a project of an organization that it is not told of was not asked",
            );
            facts.grant(Some(&who), anything(), project_node(&project.id), &May::NotKnown(gap), asked);
        }
        let parent = organization_node(&project.organization_slug);
        project_of(&client, project, is_id(&project.organization_slug).then_some(&parent), facts);
    }
    let all = organizations.items.iter().all(|one| is_id(&one.slug)) && projects.items.iter().all(|one| is_id(&one.id));
    if !all {
        unlisted = Some(facts.refused(PROJECTS, credential, &Fault::of(GapReason::Malformed)));
    }
    if organizations.items.is_empty() && projects.items.is_empty() {
        unlisted = unlisted
            .or_else(|| Some(facts.doubt(credential, "a token works and names neither organization nor project")));
    }
    if let Some(gap) = unlisted {
        let may = May::Everything("a token may do all that its user may");
        facts.beyond(&token.credential, Some(&who), (&gap, &may), PROJECTS);
    }
    let scope = if is_classic(token) {
        "all that its user may do"
    } else {
        "a part of what its user may do, which is not told"
    };
    let scope = if names.is_empty() { scope.to_owned() } else { format!("{scope}, in {}", names.join(", ")) };
    facts.told.insert(token.credential.clone(), Told { kind: None, scope, environment: None });
    learnt.accept(token, who);
    learnt
}

/// What a token may do in an organization: what its user may, where it is a classic one.
fn may(
    client: &Client<'_>,
    token: &Token,
    organization: &Organization,
    (me, nobody): (Option<&String>, Option<&Gap>),
    facts: &mut Facts,
) -> May {
    let name = shown(&organization.name);
    if !is_classic(token) {
        return May::NotKnown(facts.doubt(&name, "what a scoped token or a login was granted is not told"));
    }
    let members = client.get_list::<Member>(MEMBERS, &[&organization.slug], "");
    let role = members.items.iter().find(|member| Some(&member.user_id) == me).map(|member| member.role_name.as_str());
    let refused = facts.outcome(MEMBERS, &name, members.fault).or(nobody.cloned());
    match role {
        Some("Owner" | "Administrator") => {
            May::Everything("a classic token may do all that its user may, who is an owner or an administrator here")
        }
        _ => {
            let why = "which ways of deleting are closed to the user's role was not read";
            May::NotKnown(refused.unwrap_or_else(|| facts.doubt(&name, why)))
        }
    }
}

fn organization_node(slug: &str) -> NodeId {
    NodeId(format!("supabase:organization/{slug}"))
}

fn project_node(id: &str) -> NodeId {
    NodeId(format!("supabase:{id}"))
}

/// A project, which is one database, with its branches and buckets.
fn project_of(client: &Client<'_>, project: &Project, parent: Option<&NodeId>, facts: &mut Facts) {
    let (node, name) = (project_node(&project.id), shown(&project.name));
    let backups = client.get_object::<Backups>(BACKUPS, &[&project.id]);
    let branches = client.get_list::<Branch>(BRANCHES, &[&project.id], "");
    let buckets = client.get_list::<Bucket>(BUCKETS, &[&project.id], "");
    let mut gap = facts.outcome(BRANCHES, &name, branches.fault);
    gap = gap.or(facts.outcome(BUCKETS, &name, buckets.fault));
    let source = facts.source(PROJECTS, &name);
    let environment = Fact::Unknown(facts.doubt(&name, "nothing says which environment a project belongs to"));
    let copies = match &backups {
        Ok(_) => Fact::Known(Listed::Complete),
        Err(fault) => Fact::Unknown(facts.refused(BACKUPS, &name, fault)),
    };
    let asset = |id: NodeId, kind: &str, class, name: String, above: Option<NodeId>, environment| Asset {
        id,
        provider: "supabase".to_owned(),
        kind: kind.to_owned(),
        class,
        name,
        parent: above,
        environment,
        contents: None,
        protections: Fact::Known(Listed::Complete),
        copies: Fact::Known(Listed::Complete),
        behind: Vec::new(),
        holds: None,
        sources: vec![source.clone()],
    };
    for branch in branches.items.iter().filter(|branch| !branch.is_default) {
        if !is_id(&branch.id) {
            gap = Some(facts.refused(BRANCHES, &name, &Fault::of(GapReason::Malformed)));
            continue;
        }
        let title = shown(&branch.name);
        // What is not persistent is a preview, made for a change and gone with it.
        let belongs = if branch.persistent { title.clone() } else { format!("preview {title}") };
        let id = NodeId(format!("{node}/branch/{}", branch.id));
        let kept = facts.doubt(&name, "what is kept of a branch was not asked");
        facts.assets.push(Asset {
            copies: Fact::Unknown(kept),
            ..asset(id, "branch", Class::Database, format!("{name}/{title}"), Some(node.clone()), Fact::Known(belongs))
        });
    }
    for bucket in &buckets.items {
        let id = NodeId(format!("{node}/bucket/{}", shown(&bucket.id)));
        let title = format!("{name}/{}", shown(&bucket.name));
        facts.assets.push(asset(id, "bucket", Class::Bucket, title, Some(node.clone()), environment.clone()));
    }
    facts.assets.push(Asset {
        contents: Some(listed(gap)),
        copies,
        holds: Some(format!("a database in {}", shown(&project.region))),
        ..asset(node.clone(), "project", Class::Database, name.clone(), parent.cloned(), environment)
    });
    // "db.PROJECT.supabase.co" (Supabase documentation, "Connect to your database").
    facts.endpoint(&node, "postgres", Some(&format!("db.{}.supabase.co", project.id)));
    if let Ok(backups) = backups {
        kept_of(facts, &node, &name, &backups);
    }
}

/// Backups, which are deleted with the project (docs, `guides/platform/backups`).
fn kept_of(facts: &mut Facts, node: &NodeId, name: &str, backups: &Backups) {
    let source = facts.source(BACKUPS, name);
    let gone = Fact::Known(vec!["deleteProject".to_owned()]);
    let who = facts.doubt(name, "who may switch backups off was not read");
    let copy = |id: &str, kind, title: String, lag: Fact<Span>, ends: Fact<End>| Copy {
        id: NodeId(format!("{node}/{id}")),
        of: node.clone(),
        kind,
        name: title,
        place: None,
        lag,
        ends,
        dies_with: gone.clone(),
        destroyed_by: Fact::Unknown(who.clone()),
        needs: Vec::new(),
        drills: untried(),
        basis: Basis::Observed,
        because: "a deleted project takes its backups along".to_owned(),
        sources: vec![source.clone()],
    };
    let plan = facts.doubt(name, "how long backups are kept depends on the plan, which was not read");
    if backups.pitr_enabled {
        let physical = &backups.physical_backup_data;
        let window = match (physical.earliest_physical_backup_date_unix, physical.latest_physical_backup_date_unix) {
            (Some(first), Some(last)) if last > first => {
                Fact::Known(End::After(Time::from_unix(last).since(Time::from_unix(first))))
            }
            _ => Fact::Unknown(plan.clone()),
        };
        let title = format!("point-in-time recovery of {name}");
        let lag = Fact::Unknown(facts.doubt(name, "how far behind point-in-time recovery is was not in the answer"));
        facts.copies.push(copy("point-in-time-recovery", CopyKind::Pitr, title, lag, window));
    }
    let done = backups.backups.iter().filter(|backup| backup.status == "COMPLETED");
    if let Some(newest) = done.max_by_key(|backup| backup.inserted_at) {
        let age = facts.at().since(newest.inserted_at);
        let title = format!("daily backup of {name}");
        let lag = Fact::Known(age.max(Span::days(1)));
        facts.copies.push(copy("backup", CopyKind::AutomatedBackup, title, lag, Fact::Unknown(plan)));
    }
}
