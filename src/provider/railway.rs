//! Railway: who each token is, what it may delete, and what lies there.
//!
//! Its tokens carry no narrower right than a workspace or an environment, and none is for reading alone
//! (`ApiTokenCreateInput` and `ProjectTokenCreateInput` of the schema); so what a token reaches, it may delete.

mod documents;
mod inventory;

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::fact::{Fact, Gap, GapReason};
use deadstop_core::id::{NodeId, PrincipalId};
use deadstop_core::model::{Basis, Grant};
use deadstop_core::time::Time;
use deadstop_core::world::ANY_DELETE;
use serde::Deserialize;
use serde_json::json;

use super::answered::NOT_AUTHORIZED;
use super::facts::{About, Facts, Fault, Told};
use super::platform::{May, anything};
use super::pool::at_once;
use super::token::{Client, Shown, is_id, shown};
use super::{AT_ONCE, Learnt};
use crate::collector::Token;
use crate::readonly::ReadOnly;
use documents as ask;
pub(super) use documents::{HOST, READS};
use inventory::{Desk, Environment, Named, environment_node, project_node, workspace_node};

const ABOUT: About = About {
    provider: "railway",
    scope: "Railway",
    allow: "to one of the tokens found: one of a workspace's administrator reads everything in it",
};

/// Kinds of credential that are asked about. A refresh token is not one: it is never redeemed.
pub(super) const KINDS: [&str; 4] = ["project_token", "account_token", "session_token", "oauth_token"];

/// What is asked of Railway: each operation, and its document.
pub fn operations() -> impl Iterator<Item = (&'static str, &'static str)> {
    READS.list.iter().filter_map(|read| Some((read.operation, read.document()?.1)))
}

/// A token that works for one environment alone.
struct Bound {
    who: PrincipalId,
    project: String,
    environment: NodeId,
    /// The volumes there; nothing, if they were not listed to their end.
    volumes: Option<BTreeSet<String>>,
    gap: Gap,
}

struct Seen {
    learnt: Learnt,
    bound: Option<Bound>,
}

/// Asks Railway about these tokens.
#[must_use]
pub(super) fn ask(door: &ReadOnly, tokens: &[Token], at: Time) -> Learnt {
    let seen = at_once(AT_ONCE, tokens, |token| one(door, token, at));
    let mut learnt = Learnt::new(Facts::new(ABOUT, at));
    let mut bound = Vec::new();
    for seen in seen {
        learnt.absorb(seen.learnt);
        bound.extend(seen.bound);
    }
    // A workspace that no token describes is nowhere.
    let nodes: BTreeSet<NodeId> = learnt.facts.assets.iter().map(|asset| asset.id.clone()).collect();
    for asset in &mut learnt.facts.assets {
        asset.parent = asset.parent.take().filter(|parent| nodes.contains(parent));
    }
    for one in &bound {
        beyond(one, &mut learnt.facts);
    }
    learnt
}

fn one(door: &ReadOnly, token: &Token, at: Time) -> Seen {
    let mut seen = Seen { learnt: Learnt::new(Facts::new(ABOUT, at)), bound: None };
    let client = |shown| Client::new(door, &READS, HOST, token, shown);
    let (bearer, project) = (client(Shown::Bearer), client(Shown::Project));
    // A name says little of what it holds: a token that is not of the kind that it is called is tried as the other.
    let first = token.kind == "project_token";
    let mut faults = Vec::new();
    for as_project in [first, !first] {
        let tried =
            if as_project { by_project(&project, token, &mut seen) } else { by_bearer(&bearer, token, &mut seen) };
        match tried {
            Ok(()) => return seen,
            Err(fault) => faults.push(fault),
        }
    }
    // What was not refused says more than what was.
    let fault = faults.iter().find(|fault| fault.reason != GapReason::Denied).or(faults.first());
    let fault = fault.cloned().unwrap_or(Fault::of(GapReason::NotAsked));
    let operation = if first { ask::PROJECT_TOKEN } else { ask::API_TOKEN };
    // Railway says the same of a token that is gone and of one that may not: it is not taken for gone.
    seen.learnt.refuse(operation, token, &fault);
    seen
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ProjectToken {
    project: Project,
    environment: Environment,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Project {
    id: String,
    name: String,
    workspace_id: Option<String>,
}

/// A project token: it "can only be used to authenticate requests to that environment" (docs, `integrations/api`).
fn by_project(client: &Client<'_>, token: &Token, seen: &mut Seen) -> Result<(), Fault> {
    let found: ProjectToken = client.object(ask::PROJECT_TOKEN, &json!({}), &["projectToken"])?;
    let (project, environment) = (found.project, found.environment);
    let workspace = project.workspace_id.as_deref();
    if !is_id(&project.id) || !is_id(&environment.id) || !workspace.is_none_or(is_id) {
        return Err(Fault::of(GapReason::Malformed));
    }
    let place = format!("{}, {}", shown(&project.name), shown(&environment.name));
    let node = environment_node(&project.id, &environment.id);
    let who = PrincipalId(format!("{node}#project-token"));
    let facts = &mut seen.learnt.facts;
    let source = facts.source(ask::PROJECT_TOKEN, &place);
    let name = format!("project token of {place}");
    facts.principal(&who, &name, Some(shown(&environment.name)), (ask::PROJECT_TOKEN, &place));
    let because = format!("a project token may do everything in its environment, {place}, and nothing elsewhere");
    for (target, allowed) in [(node.clone(), true), (project_node(&project.id), false)] {
        facts.grants.push(Grant {
            principal: who.clone(),
            actions: vec!["*".to_owned()],
            target,
            allowed: Fact::Known(allowed),
            basis: Basis::Inferred,
            because: because.clone(),
            sources: vec![source.clone()],
        });
    }
    let told = Told {
        kind: Some("project_token"),
        scope: format!("environment {place}"),
        environment: Some(shown(&environment.name)),
    };
    facts.told.insert(token.credential.clone(), told);
    let gap = facts
        .doubt(&place, "whether its token may delete what its volumes are in other environments is not documented");
    let mut desk = Desk { client, facts, own: Some(node.clone()), volumes: BTreeMap::new() };
    let named = Named { id: project.id.clone(), name: project.name };
    let parent = workspace.map(workspace_node);
    desk.project(&named, parent.as_ref());
    // The token's own environment is there, whether or not the project was listed.
    if !desk.facts.assets.iter().any(|asset| asset.id == node) {
        desk.environment(&named, &environment, None);
    }
    let volumes = desk.volumes.remove(&node);
    let learnt = &mut seen.learnt;
    learnt.accept(token, who.clone());
    seen.bound = Some(Bound { who, project: project.id, environment: node, volumes, gap });
    Ok(())
}

/// One volume has an instance in each environment, and `volumeDelete` takes all of them.
fn beyond(bound: &Bound, facts: &mut Facts) {
    let project = project_node(&bound.project);
    let mut targets: Vec<NodeId> = Vec::new();
    match &bound.volumes {
        Some(volumes) => {
            let same = |id: &NodeId| {
                let (above, volume) = id.as_str().rsplit_once('/')?;
                let elsewhere = above != bound.environment.as_str() && above.starts_with(&format!("{project}/"));
                (elsewhere && volumes.contains(volume)).then(|| id.clone())
            };
            let volumes = facts.assets.iter().filter(|asset| asset.kind == "volume");
            targets.extend(volumes.filter_map(|asset| same(&asset.id)));
        }
        // Which volumes it has is not known: it may be any of the project.
        None => targets.push(project.clone()),
    }
    // A bucket belongs to the project, and stands in an environment that is not told.
    let buckets = format!("{project}/bucket/");
    targets.extend(facts.assets.iter().map(|asset| &asset.id).filter(|id| id.as_str().starts_with(&buckets)).cloned());
    targets.sort();
    targets.dedup();
    let mut maybe = |action: &str, target: NodeId| {
        facts.grants.push(Grant {
            principal: bound.who.clone(),
            actions: vec![action.to_owned()],
            target,
            allowed: Fact::Unknown(bound.gap.clone()),
            basis: Basis::None,
            because: "a volume is one in all environments".to_owned(),
            sources: Vec::new(),
        });
    };
    for target in targets {
        maybe(if target.as_str().starts_with(&buckets) { "*" } else { "volumeDelete" }, target);
    }
    // Nor is it known of what was not listed.
    maybe(ANY_DELETE, project);
}

#[derive(Deserialize)]
struct User {
    id: String,
}

#[derive(Deserialize)]
struct Member {
    id: String,
    role: String,
}

#[derive(Deserialize)]
struct Workspace {
    id: String,
    name: String,
    #[serde(rename = "redactedDueTo2FAPending")]
    redacted: bool,
    members: Vec<Member>,
}

#[derive(Deserialize)]
struct External {
    id: String,
    name: String,
    projects: Vec<Named>,
}

/// Who speaks with a bearer token.
enum Subject {
    /// A user: an account token, the login of the command-line client, an application's.
    User(String),
    /// Nobody: a token of workspaces.
    Workspaces,
    /// It works, and whose it is was not told.
    NotTold(Gap),
}

/// What a bearer token says of itself.
struct Holder {
    subject: Subject,
    workspaces: BTreeMap<String, Named>,
    /// By workspace: the user's role there, and whether Railway hides what is in it.
    roles: BTreeMap<String, (Option<String>, bool)>,
    /// Why the roles are not known.
    roleless: Option<Gap>,
    /// Workspaces that the user does not belong to, with projects to which it was invited.
    external: Vec<External>,
    /// Why that may not be all.
    unlisted: Option<Gap>,
}

impl Holder {
    /// Asks who it is and what it acts on.
    fn ask(client: &Client<'_>, token: &Token, facts: &mut Facts) -> Result<Self, Fault> {
        let credential = token.credential.as_str();
        let login = ["session_token", "oauth_token"].contains(&token.kind.as_str());
        let listing = client.list::<Named>(ask::API_TOKEN, &json!({}), &["apiToken", "workspaces"]);
        let me = client
            .object::<User>(ask::ME, &json!({}), &["me"])
            .and_then(|user| if is_id(&user.id) { Ok(user.id) } else { Err(Fault::of(GapReason::Malformed)) });
        let subject = match (&listing.fault, me) {
            (_, Ok(id)) => Subject::User(id),
            // "This query cannot be used with a workspace or project token" (docs, `integrations/api`).
            (None, Err(fault)) if fault.says(&[NOT_AUTHORIZED]) && !login => Subject::Workspaces,
            (None, Err(fault)) => Subject::NotTold(facts.refused(ask::ME, credential, &fault)),
            (Some(listing), Err(me)) => {
                return Err(if listing.reason == GapReason::Denied { me } else { listing.clone() });
            }
        };
        let mut holder = Self {
            subject,
            workspaces: listing.items.into_iter().map(|one| (one.id.clone(), one)).collect(),
            roles: BTreeMap::new(),
            roleless: None,
            external: Vec::new(),
            unlisted: listing.fault.map(|fault| facts.refused(ask::API_TOKEN, credential, &fault)),
        };
        if let Subject::User(me) = &holder.subject {
            let got = client.list::<Workspace>(ask::ROLES, &json!({}), &["me", "workspaces"]);
            holder.roleless = got.fault.map(|fault| facts.refused(ask::ROLES, credential, &fault));
            for one in got.items {
                let role = one.members.iter().find(|member| member.id == *me).map(|member| member.role.clone());
                holder.roles.insert(one.id.clone(), (role, one.redacted));
                holder.workspaces.entry(one.id.clone()).or_insert(Named { id: one.id, name: one.name });
            }
        }
        // A workspace token may be refused this; nothing else answers what a user was invited to.
        let external = client.list::<External>(ask::EXTERNAL, &json!({}), &["externalWorkspaces"]);
        holder.external = external.items;
        if let Some(fault) = external.fault
            && !(fault.says(&[NOT_AUTHORIZED]) && matches!(holder.subject, Subject::Workspaces))
        {
            holder.unlisted = holder.unlisted.or(Some(facts.refused(ask::EXTERNAL, credential, &fault)));
        }
        let projects = holder.external.iter().flat_map(|workspace| &workspace.projects);
        if !holder.workspaces.keys().chain(projects.map(|project| &project.id)).all(|id| is_id(id)) {
            holder.workspaces.retain(|id, _| is_id(id));
            holder.unlisted = Some(facts.refused(ask::API_TOKEN, credential, &Fault::of(GapReason::Malformed)));
        }
        if holder.workspaces.is_empty() && holder.external.is_empty() {
            let why = "a token works and names no workspace";
            holder.unlisted = holder.unlisted.or(Some(facts.doubt(credential, why)));
        }
        Ok(holder)
    }

    fn is_administrator(&self, workspace: &str) -> bool {
        matches!(self.roles.get(workspace), Some((Some(role), _)) if role == "ADMIN")
    }

    /// What it may do in a workspace that is its own.
    fn may(&self, workspace: &Named, facts: &mut Facts) -> May {
        if matches!(self.subject, Subject::Workspaces) {
            return May::Everything("a workspace token has access to all of the workspace's resources");
        }
        if self.is_administrator(&workspace.id) {
            return May::Everything("the token may do all that its user may, who is an administrator here");
        }
        let why = "which ways of deleting are closed to one who is no administrator is not documented";
        May::NotKnown(self.roleless.clone().unwrap_or_else(|| facts.doubt(&shown(&workspace.name), why)))
    }

    /// Why a workspace may hold more than the token is shown.
    fn hidden(&self, workspace: &Named, facts: &mut Facts) -> Option<Gap> {
        let redacted = matches!(self.roles.get(&workspace.id), Some((_, true)));
        let whole = matches!(self.subject, Subject::Workspaces) || (self.is_administrator(&workspace.id) && !redacted);
        let why = "one who is no administrator, or has yet to set up a second factor, may not be shown every project";
        (!whole).then(|| facts.doubt(&shown(&workspace.name), why))
    }

    /// What kind of token it is, and what it acts on in words.
    fn told(&self, called: &str) -> Told {
        let kind = match self.subject {
            Subject::Workspaces => Some("workspace_token"),
            Subject::User(_) if called == "project_token" => Some("account_token"),
            Subject::User(_) | Subject::NotTold(_) => None,
        };
        Told { kind, scope: self.scope(), environment: None }
    }

    fn scope(&self) -> String {
        let names: Vec<String> = self.workspaces.values().map(|workspace| shown(&workspace.name)).collect();
        let names = if names.is_empty() { "none of its own".to_owned() } else { names.join(", ") };
        match self.subject {
            Subject::User(_) => format!("all that its user may do, in every workspace ({names})"),
            Subject::Workspaces | Subject::NotTold(_) => format!("everything in a workspace ({names})"),
        }
    }
}

/// A token of an account or a workspace, or a login.
fn by_bearer(client: &Client<'_>, token: &Token, seen: &mut Seen) -> Result<(), Fault> {
    let credential = token.credential.as_str();
    let facts = &mut seen.learnt.facts;
    let holder = Holder::ask(client, token, facts)?;
    let who = identity(&holder.subject, &holder.workspaces, token, facts);
    facts.told.insert(token.credential.clone(), holder.told(&token.kind));
    let mut desk = Desk { client, facts, own: None, volumes: BTreeMap::new() };
    for (id, workspace) in &holder.workspaces {
        let may = holder.may(workspace, desk.facts);
        desk.facts.grant(who.as_ref(), anything(), workspace_node(id), &may, (ask::API_TOKEN, credential));
        let hidden = holder.hidden(workspace, desk.facts);
        desk.workspace(workspace, hidden);
    }
    for workspace in &holder.external {
        let why = "what one who is invited to a project may delete was not asked";
        let may = May::NotKnown(desk.facts.doubt(&shown(&workspace.name), why));
        for project in workspace.projects.iter().filter(|project| is_id(&project.id)) {
            desk.project(project, Some(&workspace_node(&workspace.id)));
            desk.facts.grant(who.as_ref(), anything(), project_node(&project.id), &may, (ask::EXTERNAL, credential));
        }
    }
    if let Some(gap) = &holder.unlisted {
        let may = May::Everything("a token may do all that its user may");
        desk.facts.beyond(&token.credential, who.as_ref(), (gap, &may), ask::API_TOKEN);
    }
    match (who, holder.subject) {
        (Some(who), _) => seen.learnt.accept(token, who),
        (None, Subject::NotTold(gap)) => seen.learnt.unnamed(token, gap),
        (None, Subject::User(_) | Subject::Workspaces) => {}
    }
    Ok(())
}

/// Adds the identity that a bearer token is.
fn identity(
    subject: &Subject,
    workspaces: &BTreeMap<String, Named>,
    token: &Token,
    facts: &mut Facts,
) -> Option<PrincipalId> {
    let (id, name, operation) = match subject {
        // An application is granted less than its user has.
        Subject::User(id) if token.kind == "oauth_token" => {
            (format!("railway:user/{id}#oauth"), format!("Railway user {id}, by a login of an application"), ask::ME)
        }
        Subject::User(id) => (format!("railway:user/{id}"), format!("Railway user {id}"), ask::ME),
        Subject::Workspaces => {
            let ids: Vec<&str> = workspaces.keys().map(String::as_str).collect();
            let names: Vec<String> = workspaces.values().map(|workspace| shown(&workspace.name)).collect();
            let name = format!("workspace token of {}", names.join(", "));
            (format!("railway:workspace/{}#token", ids.join("+")), name, ask::API_TOKEN)
        }
        Subject::NotTold(_) => return None,
    };
    let who = PrincipalId(id);
    facts.principal(&who, &name, None, (operation, token.credential.as_str()));
    Some(who)
}
