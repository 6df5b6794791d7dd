//! Google Cloud: whose each token is, what it may do in each project that it is shown, and which data lies there.
//!
//! <https://cloud.google.com/apis/docs/overview>; methods and fields are those of the discovery documents of each service. Who may do
//! what is asked as `testIamPermissions`, of a project and of whatever in it has rights of its own. What it denies is never held
//! against what somebody may become or is granted elsewhere: nothing is ever said to be stopped because of rights here.

mod bigquery;
mod client;
mod compute;
mod desk;
mod firestore;
mod login;
mod others;
mod reads;
mod rights;
mod spanner;
mod sql;
mod steps;
mod storage;

use std::collections::BTreeSet;

use deadstop_core::fact::Fact;
use deadstop_core::id::{NodeId, PrincipalId, StepId};
use deadstop_core::model::{Atom, Step};
use deadstop_core::time::Time;
use serde::Deserialize;

use super::facts::{About, Facts, Fault, Told};
use super::platform::{Container, Guard, May, can};
use super::token::{Got, is_id, shown};
use super::{Learnt, pool};
use crate::collector::Token;
use crate::readonly::ReadOnly;
use client::Client;
use desk::{DELETE_PROJECT, Desk, Labels, labelled};
use login::Unused;
pub(super) use reads::{HOSTS, READS};
use reads::{LIENS, MAY, PROJECTS, TOKEN, WHO};

/// Its name as a provider.
pub(super) const NAME: &str = "google";

/// Kinds of credential that are asked with. What renews a login is sent nowhere.
pub(super) const KINDS: [&str; 2] = ["access_token", "service_account_key"];

const ABOUT: About = About {
    provider: NAME,
    scope: "Google Cloud",
    allow: "to the identity of one of the credentials found (deadstop permissions google lists what it takes)",
};

/// How many projects are looked into at once, and at most with one token.
const AT_ONCE: usize = 8;
const MOST: usize = 200;

/// Asks Google Cloud about these tokens.
pub(super) fn ask(door: &ReadOnly, tokens: &[Token], at: Time) -> Learnt {
    Learnt::of_each(ABOUT, tokens, at, |token| one(door, token, at))
}

#[derive(Deserialize)]
struct User {
    email: String,
}

/// A project as it is listed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Project {
    name: String,
    project_id: String,
    display_name: Option<String>,
    state: Option<String>,
    labels: Option<Labels>,
}

impl Project {
    fn number(&self) -> Option<&str> {
        self.name.strip_prefix("projects/").filter(|number| is_id(number))
    }

    fn node(&self) -> NodeId {
        NodeId(format!("{NAME}:project/{}", self.project_id))
    }
}

#[derive(Deserialize)]
struct Lien {
    name: String,
    restrictions: Vec<String>,
}

/// What was answered about one project.
struct Look<'a> {
    project: &'a Project,
    held: Result<BTreeSet<&'static str>, Fault>,
    liens: Got<Lien>,
    accounts: steps::Seen,
    sql: sql::Seen,
    buckets: storage::Seen,
    compute: compute::Seen,
    datasets: bigquery::Seen,
    spanner: spanner::Seen,
    firestore: firestore::Seen,
    others: others::Seen,
}

impl<'a> Look<'a> {
    fn of(client: &Client<'_>, project: &'a Project) -> Self {
        let id = project.project_id.as_str();
        let held = client.holds(MAY, &[id], &rights::ON_PROJECT);
        let known = held.clone().unwrap_or_default();
        let parent = format!("projects/{}", project.number().unwrap_or_default());
        Self {
            project,
            liens: client.list(LIENS, &[], &[("parent", &parent)], ("liens", None)),
            accounts: steps::Seen::of(client, id, &known),
            sql: sql::Seen::of(client, id),
            buckets: storage::Seen::of(client, id, &known),
            compute: compute::Seen::of(client, id, &known),
            datasets: bigquery::Seen::of(client, id, &known),
            spanner: spanner::Seen::of(client, id, &known),
            firestore: firestore::Seen::of(client, id),
            others: others::Seen::of(client, id, &known),
            held,
        }
    }
}

/// Whom a token is of, as far as that is told.
struct Identity {
    who: PrincipalId,
    name: String,
}

fn one(door: &ReadOnly, token: &Token, at: Time) -> Learnt {
    let mut learnt = Learnt::new(Facts::new(ABOUT, at));
    let credential = token.credential.as_str();
    let held = match login::of(door, token) {
        Ok(held) => held,
        Err(Unused::NotSent(why, settle)) => {
            let gap = learnt.facts.not_asked(credential, why, settle);
            learnt.identities.insert(token.credential.clone(), (Fact::Unknown(gap.clone()), Fact::Unknown(gap)));
            return learnt;
        }
        Err(Unused::Refused(fault)) => {
            learnt.refuse(TOKEN, token, &fault);
            return learnt;
        }
    };
    let client = Client::new(door, held.bearer, token.credential.clone());
    let projects = client.list::<Project>(PROJECTS, &[], &[], ("projects", None));
    let identity = match identify(&client, held.mail, token, &projects, &mut learnt.facts) {
        Ok(identity) => identity,
        Err(fault) => {
            learnt.refuse(WHO, token, &fault);
            return learnt;
        }
    };
    let facts = &mut learnt.facts;
    let asked = (PROJECTS, credential);
    facts.principal(&identity.who, &identity.name, None, asked);
    facts.outcome(PROJECTS, credential, projects.fault);
    let good = |project: &&Project| is_id(&project.project_id) && project.number().is_some();
    let left_out = projects.items.iter().filter(|project| !good(project)).count();
    let mut shown: Vec<&Project> = projects.items.iter().filter(good).collect();
    shown.sort_by(|a, b| a.project_id.cmp(&b.project_id));
    shown.dedup_by(|a, b| a.project_id == b.project_id);
    if left_out > 0 || shown.len() > MOST {
        facts.not_asked(credential, "not every project that is listed was looked into", "merge facts of it (--merge)");
    }
    shown.truncate(MOST);
    // A project that is being deleted answers nothing of what was in it.
    let (alive, ending): (Vec<&Project>, Vec<&Project>) =
        shown.into_iter().partition(|project| project.state.as_deref().is_none_or(|state| state == "ACTIVE"));
    let looks = pool::at_once(AT_ONCE, &alive, |project| Look::of(&client, project));
    for project in ending {
        closing(project, facts);
    }
    let limited = client.limited();
    for look in looks {
        describe(look, (&identity.who, limited), facts);
    }
    let why =
        "what it is granted elsewhere and whom else it may act as is not shown: folders, organisations, other projects";
    let gap = facts.doubt(&identity.name, why);
    facts.beyond(&token.credential, Some(&identity.who), (&gap, &May::NotKnown(gap.clone())), PROJECTS);
    by_others(facts);
    let scope = format!("{} projects that it is shown, and what it is granted elsewhere", alive.len());
    facts.told.insert(token.credential.clone(), Told { kind: None, scope, environment: None });
    learnt.accept(token, identity.who);
    learnt
}

/// Whoever holds none of the credentials that were asked may hold one of a form that is not known here, or get there by what a
/// machine, a cluster or another service does: nothing is ever said to be stopped at Google Cloud.
fn by_others(facts: &mut Facts) {
    let why = "logins of other forms, and ways by machines, clusters and other services, are not followed";
    let possible = Fact::Unknown(facts.doubt(NAME, why));
    let held = facts.assets.iter().filter(|asset| !asset.class.is_container());
    let gains: Vec<Atom> = held.map(|asset| Atom::Destroyed(asset.id.clone())).collect();
    if gains.is_empty() {
        return;
    }
    let sources = vec![facts.source(PROJECTS, NAME)];
    facts.steps.push(Step {
        id: StepId(format!("{NAME}:by-others")),
        session: None,
        needs: Vec::new(),
        gains,
        changes: false,
        possible,
        because: "come to it by ways that are not followed".to_owned(),
        sources,
    });
}

/// Whose a token is. The key of a service account is by now known to be its own: a token was issued for it.
fn identify(
    client: &Client<'_>,
    mail: Option<String>,
    token: &Token,
    projects: &Got<Project>,
    facts: &mut Facts,
) -> Result<Identity, Fault> {
    let credential = token.credential.as_str();
    let mail = match mail {
        Some(mail) => {
            facts.source(TOKEN, credential);
            Ok(mail)
        }
        None => client.object::<User>(WHO, &[]).map(|user| user.email),
    };
    match mail {
        Ok(mail) if is_mail(&mail) => {
            let kind = if mail.ends_with(".gserviceaccount.com") { "serviceAccount" } else { "user" };
            // What a token is for may be less than all that its holder may do.
            let part =
                if token.kind == "access_token" && client.limited() { format!("#{credential}") } else { String::new() };
            Ok(Identity { who: PrincipalId(format!("{NAME}:{kind}:{mail}{part}")), name: mail })
        }
        Ok(_) => Err(Fault::malformed()),
        // Nothing at all was answered to it.
        Err(fault) if projects.fault.is_some() => Err(fault),
        Err(fault) => {
            facts.refused(WHO, credential, &fault);
            let name = "a token of Google Cloud that is not told whose it is".to_owned();
            Ok(Identity { who: PrincipalId(format!("{NAME}:token/{credential}")), name })
        }
    }
}

fn is_mail(text: &str) -> bool {
    const LONGEST: usize = 200;
    let plain = |b: u8| b.is_ascii_alphanumeric() || b".-_+@%'".contains(&b);
    text.len() <= LONGEST && text.bytes().all(plain) && text.split('@').filter(|part| !part.is_empty()).count() == 2
}

/// A project that is being deleted: what was in it may still come back, and nothing in it can be read.
fn closing(project: &Project, facts: &mut Facts) {
    let id = &project.project_id;
    let gap = facts.doubt(id, "the project is being deleted, and what is in it can no longer be listed");
    let container = Container {
        kind: "project",
        name: id,
        environment: Fact::Known(labelled(project.labels.as_ref())),
        contents: Fact::Unknown(gap),
        ..Container::of(project.node())
    };
    facts.container(container, (PROJECTS, id));
}

fn describe(look: Look<'_>, (who, limited): (&PrincipalId, bool), facts: &mut Facts) {
    let Look { project, held, liens, accounts, sql, buckets, compute, datasets, spanner, firestore, others } = look;
    let (node, id) = (project.node(), project.project_id.as_str());
    let mut desk = Desk::new(facts, who, limited, (node.clone(), id));
    desk.holds(&node, (MAY, id), Some(&held));
    let mut gap = held.err().map(|fault| desk.facts.refused(MAY, id, &fault));
    for kind in [
        accounts.describe(&mut desk),
        sql.describe(&mut desk),
        buckets.describe(&mut desk),
        compute.describe(&mut desk),
        datasets.describe(&mut desk),
        spanner.describe(&mut desk),
        firestore.describe(&mut desk),
        others.describe(&mut desk),
    ] {
        gap = gap.or(kind);
    }
    desk.keys();
    steps::of_project(&mut desk);
    let facts = desk.facts;
    let name = match project.display_name.as_deref().map(shown).filter(|name| !name.is_empty() && name != id) {
        Some(name) => format!("{id} ({name})"),
        None => id.to_owned(),
    };
    let unlisted = facts.doubt(id, "a project may hold kinds of resources that are not listed here");
    let container = Container {
        kind: "project",
        name: &name,
        environment: Fact::Known(labelled(project.labels.as_ref())),
        contents: Fact::Unknown(gap.unwrap_or(unlisted)),
        ..Container::of(node.clone())
    };
    facts.container(container, (PROJECTS, id));
    bound(liens, &node, id, facts);
}

/// Liens, which keep a project from being deleted (<https://cloud.google.com/resource-manager/docs/project-liens>).
fn bound(liens: Got<Lien>, node: &NodeId, id: &str, facts: &mut Facts) {
    let unread = facts.outcome(LIENS, id, liens.fault);
    let lien = liens.items.iter().find(|lien| lien.restrictions.iter().any(|one| one == DELETE_PROJECT));
    let (enabled, because) = match (lien, unread) {
        (Some(lien), _) => (Fact::Known(true), format!("{} keeps the project from being deleted", shown(&lien.name))),
        (None, None) => (Fact::Known(false), "no lien keeps the project from being deleted".to_owned()),
        (None, Some(gap)) => (Fact::Unknown(gap), "its liens were not read".to_owned()),
    };
    facts.guarded(
        Guard {
            on: node,
            kind: "lien",
            covers: &[DELETE_PROJECT],
            enabled,
            holds_parent: false,
            lifts: Fact::Known(vec![can("resourcemanager.projects.updateLiens", node, "take the lien away")]),
            because: &because,
        },
        (LIENS, id),
    );
}
