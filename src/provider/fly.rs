//! Fly.io: whose each token is, and which volumes, clusters and extensions lie in its organizations.
//!
//! <https://fly.io/docs/machines/api/>, `volumes/snapshots`, `volumes/volume-manage`, `security/org-roles-permissions`; GraphQL
//! documents are of the published schema (`superfly/fly-go`, `schema.graphql`), and clusters of Managed Postgres are listed as
//! its own command-line client lists them (`superfly/flyctl`, `internal/uiex/mpg/v1`). What a macaroon allows stands in its
//! caveats, which are not read: it stays unknown. An older token of a user may do all that the user may.

use deadstop_core::fact::{Fact, Gap};
use deadstop_core::id::{NodeId, PrincipalId};
use deadstop_core::model::{Class, CopyKind, End};
use deadstop_core::time::{Span, Time};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Learnt;
use super::facts::{About, Facts, Fault, Told};
use super::platform::{Container, Guard, Kept, May, Seen, anything, can, listed, names};
use super::same::{ANY_FLY, ANY_SUPABASE, ANY_UPSTASH};
use super::token::{Client, Shown, is_id, shown, variables};
use crate::collector::Token;
use crate::readonly::{Read, ReadOnly, Reads, Shape};
use crate::secret::Secret;

/// The hosts, in words.
pub(super) const HOSTS: &str = "api.fly.io/ and https://api.machines.dev";
const HOST: &str = "api.fly.io";
/// Where apps and volumes are asked about.
const MACHINES: &str = "api.machines.dev";
/// Kinds of credential that are asked about.
pub(super) const KINDS: [&str; 3] = ["macaroon", "token", "user_token"];

const ABOUT: About = About {
    provider: "fly",
    scope: "Fly.io",
    allow: "to the token: fly tokens create readonly makes one that reads all of an organization",
};

const VIEWER: &str = "query viewer";
const ORGANIZATIONS: &str = "query organizations";
const EXTENSIONS: &str = "query organization.addOns";
const APPS: &str = "GET /apps";
const VOLUMES: &str = "GET /apps/{}/volumes";
const SNAPSHOTS: &str = "GET /apps/{}/volumes/{}/snapshots";
const CLUSTERS: &str = "GET /organizations/{}/postgres";

const fn query(operation: &'static str, text: &'static str) -> Read {
    Read { operation, shape: Shape::Document { path: "/graphql", text } }
}

/// The only calls that are ever sent.
pub(super) static READS: Reads = Reads {
    provider: "fly",
    own_host: |host| [HOST, MACHINES].contains(&host),
    throttled: |answer| answer.status == 429,
    list: &[
        query(VIEWER, "query Viewer { viewer { __typename ... on User { id } } }"),
        query(
            ORGANIZATIONS,
            "query Organizations($after: String) { organizations(first: 50, after: $after) { pageInfo { hasNextPage \
             endCursor } edges { node { id slug rawSlug viewerRole } } } }",
        ),
        query(
            EXTENSIONS,
            "query Extensions($slug: String!, $after: String) { organization(slug: $slug) { addOns(first: 50, after: \
             $after) { pageInfo { hasNextPage endCursor } edges { node { id name addOnProvider { name } } } } } }",
        ),
        Read::rest(APPS, "/v1/apps", &["org_slug"]),
        Read::rest(VOLUMES, "/v1/apps/{}/volumes", &[]),
        Read::rest(SNAPSHOTS, "/v1/apps/{}/volumes/{}/snapshots", &[]),
        Read::rest(CLUSTERS, "/api/v1/organizations/{}/postgres", &[]),
    ],
};

/// Where answers hold secrets.
const SECRETS: &[&str] = &["credentials", "environment", "password", "pgbouncer_uri"];

/// What a member may do, who is no administrator: everything but to change "anything about the org itself"
/// (`security/org-roles-permissions`).
const MEMBER: [&str; 11] = [
    "createMachine",
    "deleteAddOn",
    "deleteApp",
    "deleteMachine",
    "deletePostgres",
    "deleteVolume",
    "execMachine",
    "getPostgresCredentials",
    "moveApp",
    "resetAddOnPassword",
    "updateMachine",
];

/// Extensions that are databases, by a word of their provider's name, with what signs in to them and the hosts of their
/// platform (`superfly/flyctl`, `internal/command/extensions`).
const DATABASES: [(&str, &str, &[&str]); 3] =
    [("redis", "redis", &[ANY_UPSTASH]), ("supabase", "postgres", &ANY_SUPABASE), ("mysql", "mysql", &[])];

/// Extensions that are none.
const OTHERS: [&str; 8] = ["arcjet", "enveloop", "kafka", "kubernetes", "sentry", "tigris", "vector", "wafris"];

/// States of volumes that are gone or going (`superfly/fly-go`, `flaps/flaps_volumes.go`).
const GONE: [&str; 6] =
    ["destroyed", "destroying", "fork_cleanup", "pending_destroy", "scheduling_destroy", "waiting_for_detach"];

/// Asks Fly.io about these tokens.
pub(super) fn ask(door: &ReadOnly, tokens: &[Token], at: Time) -> Learnt {
    Learnt::of_each(ABOUT, tokens, at, |token| one(door, token, at))
}

#[derive(Deserialize)]
struct Viewer {
    #[serde(rename = "__typename")]
    kind: String,
    id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Organization {
    id: String,
    slug: String,
    raw_slug: String,
    viewer_role: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Extension {
    id: String,
    name: Option<String>,
    add_on_provider: Option<Named>,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

#[derive(Deserialize)]
struct Volume {
    id: String,
    name: String,
    state: String,
    size_gb: u64,
    attached_machine_id: Option<String>,
    attached_alloc_id: Option<String>,
}

#[derive(Deserialize)]
struct Snapshot {
    created_at: Option<Time>,
    status: Option<String>,
    retention_days: Option<u32>,
}

#[derive(Deserialize)]
struct Cluster {
    id: String,
    name: String,
}

/// The parts of a token: macaroons, with which Machines are asked alone, and others (`superfly/fly-go`, `tokens/tokens.go`:
/// only GraphQL takes both in one request).
struct Parts {
    macaroons: Option<Token>,
    whole: Token,
}

impl Parts {
    fn of(token: &Token) -> Self {
        let text = token.secret.expose();
        let text = text.strip_prefix(b"FlyV1 ").or_else(|| text.strip_prefix(b"Bearer ")).unwrap_or(text);
        let with = |secret: &[u8]| Token { secret: Secret::new(secret), ..token.clone() };
        let starts =
            |part: &&[u8]| [b"fm2_".as_slice(), b"fm1r_", b"fm1a_"].iter().any(|start| part.starts_with(start));
        let macaroons: Vec<&[u8]> = text.split(|byte| *byte == b',').map(<[u8]>::trim_ascii).filter(starts).collect();
        let only = zeroize::Zeroizing::new(macaroons.join(&b','));
        Self { macaroons: (!macaroons.is_empty()).then(|| with(&only)), whole: with(text) }
    }

    const fn shown(&self) -> Shown {
        if self.macaroons.is_some() { Shown::Scheme("FlyV1 ") } else { Shown::Bearer }
    }
}

/// The places that are asked.
struct Clients<'a> {
    graph: Client<'a>,
    machines: Client<'a>,
    clusters: Client<'a>,
}

fn one(door: &ReadOnly, token: &Token, at: Time) -> Learnt {
    let mut learnt = Learnt::new(Facts::new(ABOUT, at));
    let parts = Parts::of(token);
    let at_machines = parts.macaroons.as_ref().unwrap_or(&parts.whole);
    let clients = Clients {
        graph: Client::new(door, &READS, HOST, &parts.whole, parts.shown()).hiding(SECRETS),
        machines: Client::new(door, &READS, MACHINES, at_machines, parts.shown()).hiding(SECRETS),
        clusters: Client::new(door, &READS, HOST, &parts.whole, Shown::Bearer).hiding(SECRETS),
    };
    let credential = token.credential.as_str();
    let viewer = clients.graph.object::<Viewer>(VIEWER, &json!({}), &["viewer"]);
    let organizations = clients.graph.connection::<Organization>(ORGANIZATIONS, &json!({}), &["organizations"]);
    if let (Err(fault), Some(_)) = (&viewer, &organizations.fault) {
        learnt.refuse(VIEWER, token, fault);
        return learnt;
    }
    let facts = &mut learnt.facts;
    let user = viewer.map(|viewer| viewer.id.filter(|id| viewer.kind == "User" && is_id(id)));
    let user = user.unwrap_or_else(|fault| {
        facts.refused(VIEWER, credential, &fault);
        None
    });
    let (who, name) = match &user {
        Some(id) if parts.macaroons.is_none() => (format!("fly:user/{id}"), format!("Fly.io user {id}")),
        Some(id) => (format!("fly:user/{id}#{credential}"), format!("Fly.io user {id}, by one token")),
        None => (format!("fly:token/{credential}"), "a Fly.io token".to_owned()),
    };
    let who = PrincipalId(who);
    facts.principal(&who, &name, None, (ORGANIZATIONS, credential));
    let untold = (user.is_none() || parts.macaroons.is_some())
        .then(|| facts.doubt(credential, "what a token allows stands in its caveats, which were not read"));
    if let Some(gap) = &untold {
        facts.everywhere(Some(&who), gap, (ORGANIZATIONS, credential));
    }
    let mut unlisted = facts.outcome(ORGANIZATIONS, credential, organizations.fault);
    let mut titles = Vec::new();
    for organization in &organizations.items {
        if [&organization.id, &organization.slug, &organization.raw_slug].into_iter().all(|id| is_id(id)) {
            list(&clients, organization, (&who, untold.as_ref()), facts);
            titles.push(shown(&organization.raw_slug));
        } else {
            unlisted = Some(facts.refused(ORGANIZATIONS, credential, &Fault::malformed()));
        }
    }
    let none = titles.is_empty().then(|| facts.doubt(credential, "a token works and names no organization"));
    if let Some(gap) = unlisted.or(none) {
        facts.beyond(&token.credential, Some(&who), (&gap, &May::NotKnown(gap.clone())), ORGANIZATIONS);
    }
    let scope = match &untold {
        None => format!("all that its user may do, in organizations {}", titles.join(", ")),
        Some(_) => format!("organizations {}, as far as its caveats go, which were not read", titles.join(", ")),
    };
    facts.told.insert(token.credential.clone(), Told { kind: None, scope, environment: None });
    learnt.accept(token, who);
    learnt
}

/// An organization with its apps, clusters and extensions.
fn list(
    clients: &Clients<'_>,
    organization: &Organization,
    (who, untold): (&PrincipalId, Option<&Gap>),
    facts: &mut Facts,
) {
    let (slug, name) = (organization.slug.as_str(), shown(&organization.raw_slug));
    let node = NodeId(format!("fly:organization/{}", organization.id));
    let (asked, because) = ((ORGANIZATIONS, name.as_str()), "a token of a user may do all that the user may");
    let (actions, may) = match (untold, organization.viewer_role.as_str()) {
        (Some(gap), _) => (anything(), May::NotKnown(gap.clone())),
        (None, "admin") => (anything(), May::Everything(because)),
        (None, "member") => (names(&MEMBER), May::Everything(because)),
        (None, _) => {
            let gap = facts.doubt(&name, "the user's role in an organization is none that this version knows");
            (anything(), May::NotKnown(gap))
        }
    };
    facts.grant(Some(who), actions, node.clone(), &may, asked);
    let apps = clients.machines.get_pages::<Named>(APPS, &[], &[("org_slug", slug)], "apps", ("", whole));
    let clusters = clients.clusters.get_list::<Cluster>(CLUSTERS, &[&organization.raw_slug], "data");
    let extensions =
        clients.graph.connection::<Extension>(EXTENSIONS, &variables(&[("slug", slug)]), &["organization", "addOns"]);
    let gaps = [(APPS, apps.fault), (CLUSTERS, clusters.fault), (EXTENSIONS, extensions.fault)]
        .map(|(operation, fault)| facts.outcome(operation, &name, fault));
    let ids = apps.items.iter().map(|one| &one.name).chain(clusters.items.iter().map(|one| &one.id));
    let strange = !ids.chain(extensions.items.iter().map(|one| &one.id)).all(|id| is_id(id));
    let strange = strange.then(|| facts.refused(APPS, &name, &Fault::malformed()));
    for app in apps.items.iter().filter(|one| is_id(&one.name)) {
        app_of(&clients.machines, &node, &app.name, facts);
    }
    for cluster in clusters.items.iter().filter(|one| is_id(&one.id)) {
        let id = NodeId(format!("fly:postgres/{}", cluster.id));
        let why = "whether backups of a cluster outlive it is not documented";
        let seen = kept_by(id.clone(), ("postgres", Class::Database), shown(&cluster.name), (&node, why), facts);
        facts.seen(seen, (CLUSTERS, &name));
        facts.endpoint(&id, "postgres", Some(ANY_FLY));
    }
    for extension in extensions.items.iter().filter(|one| is_id(&one.id)) {
        let title = shown(extension.name.as_deref().unwrap_or(&extension.id));
        let id = NodeId(format!("fly:extension/{}", extension.id));
        let why = "what a partner keeps of an extension is told by the partner alone";
        let seen = kept_by(id.clone(), ("extension", Class::Store), title, (&node, why), facts);
        let holds = extension.add_on_provider.as_ref().map(|provider| shown(&provider.name));
        facts.seen(Seen { holds, ..seen }, (EXTENSIONS, &name));
        endpoints(&id, extension.add_on_provider.as_ref().map(|provider| provider.name.as_str()), facts);
    }
    let gap = strange.or_else(|| gaps.into_iter().flatten().next());
    let why = "a token may not be shown every app of an organization, and images were not listed";
    let contents = Fact::Unknown(gap.unwrap_or_else(|| facts.doubt(&name, why)));
    let title = format!("Fly.io organization {name}");
    facts.container(Container { kind: "organization", name: &title, contents, ..Container::of(node.clone()) }, asked);
}

/// Where an extension may be signed in to, which is not told: at a host of its platform, or by a name of one's own. One of
/// which it is not known what it is may be any database.
fn endpoints(id: &NodeId, provider: Option<&str>, facts: &mut Facts) {
    let provider = provider.unwrap_or_default().to_ascii_lowercase();
    if OTHERS.iter().any(|other| provider.contains(other)) {
        return;
    }
    let known = DATABASES.iter().any(|(product, ..)| provider.contains(product));
    for (product, engine, hosts) in DATABASES {
        if !known || provider.contains(product) {
            facts.endpoint(id, engine, None);
            hosts.iter().for_each(|host| facts.endpoint(id, engine, Some(host)));
        }
    }
}

/// Whether all apps are in the answer, which tells how many there are.
fn whole(page: &Value) -> Result<Option<String>, Fault> {
    let here = page.get("apps").and_then(Value::as_array).map(|all| all.len() as u64);
    match page.get("total_apps").map(Value::as_u64) {
        None => Ok(None),
        Some(Some(total)) if here == Some(total) => Ok(None),
        Some(_) => Err(Fault::malformed()),
    }
}

/// An asset of which it is not known what brings it back.
fn kept_by<'a>(
    id: NodeId,
    (kind, class): (&'a str, Class),
    name: String,
    (parent, why): (&'a NodeId, &str),
    facts: &mut Facts,
) -> Seen<'a> {
    let copies = Fact::Unknown(facts.doubt(&name, why));
    let environment = unnamed(&name, facts);
    Seen { id, kind, class, name, parent: Some(parent), environment, contents: None, copies, holds: None }
}

fn unnamed(name: &str, facts: &mut Facts) -> Fact<String> {
    Fact::Unknown(facts.doubt(name, "nothing at Fly.io says which environment something belongs to"))
}

/// An app with its volumes.
fn app_of(client: &Client<'_>, organization: &NodeId, app: &str, facts: &mut Facts) {
    let name = shown(app);
    let node = NodeId(format!("fly:{app}"));
    let volumes = client.get_list::<Volume>(VOLUMES, &[app], "");
    let mut gap = facts.outcome(VOLUMES, &name, volumes.fault);
    for volume in volumes.items.iter().filter(|one| !GONE.contains(&one.state.as_str())) {
        if is_id(&volume.id) {
            volume_of(client, (app, &node), volume, facts);
        } else {
            gap = Some(facts.refused(VOLUMES, &name, &Fault::malformed()));
        }
    }
    let title = format!("Fly.io app {name}");
    let contents = listed(gap);
    let seen = Container { kind: "app", name: &title, parent: Some(organization), contents, ..Container::of(node) };
    facts.container(seen, (APPS, &name));
}

fn volume_of(client: &Client<'_>, (app, parent): (&str, &NodeId), volume: &Volume, facts: &mut Facts) {
    let name = format!("{}/{}", shown(app), shown(&volume.name));
    let node = NodeId(format!("{parent}/{}", volume.id));
    let snapshots = client.get_list::<Snapshot>(SNAPSHOTS, &[app, &volume.id], "");
    let copies = listed(facts.outcome(SNAPSHOTS, &name, snapshots.fault));
    let environment = unnamed(&name, facts);
    facts.seen(
        Seen {
            id: node.clone(),
            kind: "volume",
            class: Class::Volume,
            name: name.clone(),
            parent: Some(parent),
            environment,
            contents: None,
            copies,
            holds: Some(format!("{} GB", volume.size_gb)),
        },
        (VOLUMES, &name),
    );
    // What is on it may be any database's, as Fly Postgres is an app with volumes; by which name it is reached is not told.
    for engine in ["postgres", "mysql", "redis", "mongodb"] {
        facts.endpoint(&node, engine, None);
    }
    // "Volumes attached to Machines can't be destroyed … First, stop and destroy the Machine".
    let on = volume.attached_machine_id.is_some() || volume.attached_alloc_id.is_some();
    facts.guarded(
        Guard {
            on: &node,
            kind: "being attached",
            covers: &["deleteVolume"],
            enabled: Fact::Known(on),
            holds_parent: false,
            lifts: Fact::Known(vec![can("deleteMachine", parent, "destroy the machine first")]),
            because: if on { "it is attached to a machine" } else { "it is attached to no machine" },
        },
        (VOLUMES, &name),
    );
    let made = |one: &Snapshot| one.status.as_deref().is_none_or(|status| status == "created");
    let all = snapshots.items.iter().filter(|one| made(one));
    let newest = all.filter_map(|one| Some((one.created_at?, one.retention_days))).max();
    if let Some((newest, days)) = newest {
        snapshot_of(&node, &name, (newest, days), facts);
    }
}

/// The newest snapshot. It can be restored once its volume is destroyed, until its retention ends; no call deletes one (the
/// published schema, and the Machines API).
fn snapshot_of(node: &NodeId, name: &str, (newest, days): (Time, Option<u32>), facts: &mut Facts) {
    let ends = match days {
        Some(days) => Fact::Known(End::At(newest.plus(Span::days(u64::from(days))))),
        None => Fact::Unknown(facts.doubt(name, "how long a snapshot is kept was not in the answer")),
    };
    let why = "whether snapshots of a volume outlive its app is not documented";
    let dies_with = Fact::Unknown(facts.doubt(name, why));
    let age = facts.at().since(newest);
    facts.kept(
        Kept {
            id: "snapshot",
            of: node,
            kind: CopyKind::AutomatedBackup,
            name: format!("daily snapshot of {name}"),
            place: None,
            lag: Fact::Known(age.max(Span::days(1))),
            ends,
            dies_with,
            destroyed_by: Fact::Known(Vec::new()),
            because: "snapshots outlive their volume; who has not its id can find them for a day",
        },
        (SNAPSHOTS, name),
    );
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use deadstop_core::catalogue;

    use super::*;

    #[test]
    fn a_member_may_do_everything_but_delete_the_organization() {
        let actions = catalogue::actions();
        let all: BTreeSet<&str> = actions
            .iter()
            .filter(|call| call.provider == "fly" && call.action != "deleteOrganization")
            .map(|call| call.action.as_str())
            .collect();
        let member: BTreeSet<&str> = MEMBER.into_iter().filter(|action| *action != "deleteMachine").collect();
        assert_eq!(all, member);
    }

    #[test]
    fn machines_are_asked_with_macaroons_alone() {
        let token = |text: &str| Token {
            credential: "c".into(),
            provider: "fly".to_owned(),
            kind: "token".to_owned(),
            public_id: None,
            region: None,
            account: None,
            secret: Secret::new(text.as_bytes()),
        };
        let parts = Parts::of(&token("FlyV1 fm2_a,fo1_b, fm1r_c"));
        assert_eq!(parts.whole.secret.expose(), b"fm2_a,fo1_b, fm1r_c");
        assert_eq!(parts.macaroons.as_ref().unwrap().secret.expose(), b"fm2_a,fm1r_c");
        assert_eq!(parts.shown(), Shown::Scheme("FlyV1 "));
        let parts = Parts::of(&token("fo1_b"));
        assert!(parts.macaroons.is_none());
        assert_eq!((parts.whole.secret.expose(), parts.shown()), (b"fo1_b".as_slice(), Shown::Bearer));
    }
}
