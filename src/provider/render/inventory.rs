//! What lies at Render: databases, key-value stores and disks, with their environments and copies.

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::fact::{Fact, Gap, Listed};
use deadstop_core::id::NodeId;
use deadstop_core::model::{Class, CopyKind, End};
use deadstop_core::time::{Span, Time};
use serde::Deserialize;

use super::{
    DISKS, ENVIRONMENTS, KEY_VALUE, Named, POSTGRES, PROJECTS, RECOVERY, SERVICES, SNAPSHOTS, items, owner_node,
};
use crate::provider::facts::{Facts, Fault};
use crate::provider::platform::{Container, Guard, Kept, Seen, listed};
use crate::provider::same::ANY_RENDER;
use crate::provider::token::{Client, Got, is_id, shown};

/// What an environment that is protected keeps from all but administrators.
const GUARDED: [&str; 5] = ["deleteDisk", "deleteEnvironment", "deleteKeyValue", "deletePostgres", "deleteService"];

#[derive(Deserialize)]
struct Project {
    id: String,
    name: String,
    owner: Named,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Environment {
    id: String,
    name: String,
    protected_status: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Postgres {
    id: String,
    name: String,
    environment_id: Option<String>,
    owner: Named,
    role: String,
    database_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyValue {
    id: String,
    name: String,
    environment_id: Option<String>,
    owner: Named,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Service {
    id: String,
    name: String,
    environment_id: Option<String>,
    owner_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Disk {
    id: String,
    name: String,
    service_id: Option<String>,
    #[serde(rename = "sizeGB")]
    size: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Recovery {
    recovery_status: String,
    starts_at: Option<Time>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Snapshot {
    created_at: Option<Time>,
}

/// An environment as it was read.
struct Place {
    name: Fact<String>,
    protected: Fact<bool>,
}

/// What was not read.
pub(super) struct Unread {
    pub(super) contents: Option<Gap>,
    /// Whether there are disks of services that were not listed.
    pub(super) orphans: bool,
}

/// The lists of all that a key is shown.
pub(super) struct Shelf {
    projects: Got<Project>,
    postgres: Got<Postgres>,
    stores: Got<KeyValue>,
    services: Got<Service>,
    disks: Got<Disk>,
}

impl Shelf {
    pub(super) fn of(client: &Client<'_>) -> Self {
        Self {
            projects: items(client, PROJECTS, &[]),
            postgres: items(client, POSTGRES, &[]),
            stores: items(client, KEY_VALUE, &[]),
            services: items(client, SERVICES, &[]),
            disks: items(client, DISKS, &[]),
        }
    }

    pub(super) const fn nothing_answered(&self) -> bool {
        self.projects.fault.is_some()
            && self.postgres.fault.is_some()
            && self.stores.fault.is_some()
            && self.services.fault.is_some()
            && self.disks.fault.is_some()
    }

    /// The workspaces that lie in no list of their own.
    pub(super) fn owners(&self) -> BTreeMap<String, String> {
        let named = |owner: &Named| (owner.id.clone(), owner.name.clone());
        let projects = self.projects.items.iter().map(|one| named(&one.owner));
        let stores = self.stores.items.iter().map(|one| named(&one.owner));
        let databases = self.postgres.items.iter().map(|one| named(&one.owner));
        let services = self.services.items.iter().map(|one| (one.owner_id.clone(), one.owner_id.clone()));
        services.chain(projects).chain(stores).chain(databases).collect()
    }

    /// Adds it all; gives why not everything was read. A disk whose service was not listed lies in `lost`.
    pub(super) fn list(self, client: &Client<'_>, lost: &NodeId, facts: &mut Facts) -> Unread {
        let mut gap = facts.outcome(POSTGRES, "all", self.postgres.fault);
        gap = gap.or(facts.outcome(KEY_VALUE, "all", self.stores.fault));
        gap = gap.or(facts.outcome(DISKS, "all", self.disks.fault));
        let unseen = facts.outcome(SERVICES, "all", self.services.fault);
        gap = gap.or_else(|| unseen.clone());
        let mut places: BTreeMap<String, Place> = BTreeMap::new();
        let mut unread = facts.outcome(PROJECTS, "all", self.projects.fault);
        for project in self.projects.items.iter().filter(|one| is_id(&one.id) && is_id(&one.owner.id)) {
            let name = shown(&project.name);
            let node = NodeId(format!("render:{}", project.id));
            let got = items::<Environment>(client, ENVIRONMENTS, &[("projectId", &project.id)]);
            let missing = facts.outcome(ENVIRONMENTS, &name, got.fault);
            unread = unread.or_else(|| missing.clone());
            for environment in got.items.iter().filter(|one| is_id(&one.id)) {
                let place = environment_of(facts, &node, environment, gap.as_ref());
                places.insert(environment.id.clone(), place);
            }
            let title = format!("Render project {name}");
            let parent = owner_node(&project.owner.id);
            let contents = listed(missing.or_else(|| gap.clone()));
            let seen =
                Container { kind: "project", name: &title, parent: Some(&parent), contents, ..Container::of(node) };
            facts.container(seen, (PROJECTS, "all"));
        }
        let desk = Desk { client, places: &places, unread: unread.as_ref() };
        let mut strange = !self.projects.items.iter().all(|one| is_id(&one.id) && is_id(&one.owner.id));
        for database in self.postgres.items.iter().filter(|one| one.role != "replica") {
            if is_id(&database.id) && is_id(&database.owner.id) {
                desk.postgres(database, facts);
            } else {
                strange = true;
            }
        }
        for store in &self.stores.items {
            if is_id(&store.id) && is_id(&store.owner.id) {
                desk.key_value(store, facts);
            } else {
                strange = true;
            }
        }
        let with_disk: BTreeSet<&str> = self.disks.items.iter().filter_map(|one| one.service_id.as_deref()).collect();
        let named = |one: &&Service| is_id(&one.id) && is_id(&one.owner_id);
        for service in self.services.items.iter().filter(named).filter(|one| with_disk.contains(one.id.as_str())) {
            desk.service(service, facts);
        }
        let mut orphans = false;
        for disk in &self.disks.items {
            let service =
                self.services.items.iter().filter(named).find(|one| Some(&one.id) == disk.service_id.as_ref());
            orphans |= service.is_none();
            if is_id(&disk.id) {
                desk.disk(disk, service, (lost, unseen.as_ref()), facts);
            } else {
                strange = true;
            }
        }
        let gap = gap.or_else(|| strange.then(|| facts.refused(POSTGRES, "all", &Fault::malformed())));
        Unread { contents: gap.or(unread), orphans }
    }
}

/// An environment of a project.
fn environment_of(facts: &mut Facts, project: &NodeId, environment: &Environment, gap: Option<&Gap>) -> Place {
    let name = shown(&environment.name);
    let node = NodeId(format!("render:{}", environment.id));
    let protected = match environment.protected_status.as_str() {
        "protected" => Fact::Known(true),
        "unprotected" => Fact::Known(false),
        _ => Fact::Unknown(
            facts.doubt(&name, "whether an environment is protected was not told in a word that is known"),
        ),
    };
    let title = format!("Render environment {name}");
    let seen = Container { kind: "environment", name: &title, parent: Some(project), ..Container::of(node.clone()) };
    let seen = Container { contents: listed(gap.cloned()), environment: Fact::Known(name.clone()), ..seen };
    facts.container(seen, (ENVIRONMENTS, "all"));
    guard(facts, &node, &protected);
    Place { name: Fact::Known(name), protected }
}

/// Only administrators change what is in a protected environment (`docs/projects`). Whether a key's user is one is not told.
fn guard(facts: &mut Facts, on: &NodeId, protected: &Fact<bool>) {
    let why = "whether the user of a key is an administrator, whom a protected environment does not stop, is not told";
    let lifts = Fact::Unknown(facts.doubt(on.as_str(), why));
    facts.guarded(
        Guard {
            on,
            kind: "protected environment",
            covers: &GUARDED,
            enabled: protected.clone(),
            holds_parent: false,
            lifts,
            because: match protected {
                Fact::Known(true) => "the environment is protected",
                Fact::Known(false) => "the environment is not protected",
                Fact::Unknown(_) => "whether the environment is protected was not read",
            },
        },
        (ENVIRONMENTS, "all"),
    );
}

/// What all that is listed has alike.
struct Desk<'a, 'b> {
    client: &'a Client<'b>,
    places: &'a BTreeMap<String, Place>,
    /// Why not all environments were read.
    unread: Option<&'a Gap>,
}

impl Desk<'_, '_> {
    /// What something lies in, its environment, and whether that is protected.
    fn place(
        &self,
        id: Option<&str>,
        owner: &str,
        name: &str,
        facts: &mut Facts,
    ) -> (NodeId, Fact<String>, Fact<bool>) {
        let Some(id) = id else {
            let why = "it lies in no environment";
            return (owner_node(owner), Fact::Unknown(facts.doubt(name, why)), Fact::Known(false));
        };
        if let Some(place) = self.places.get(id) {
            return (NodeId(format!("render:{id}")), place.name.clone(), place.protected.clone());
        }
        let why = "the environment that it lies in was not listed";
        let gap = self.unread.cloned().unwrap_or_else(|| facts.doubt(name, why));
        (owner_node(owner), Fact::Unknown(gap.clone()), Fact::Unknown(gap))
    }

    fn postgres(&self, database: &Postgres, facts: &mut Facts) {
        let (node, name) = (NodeId(format!("render:{}", database.id)), shown(&database.name));
        let (parent, environment, protected) =
            self.place(database.environment_id.as_deref(), &database.owner.id, &name, facts);
        let mut copies =
            facts.doubt(&name, "exports of a database are not asked, as their list comes with links to download them");
        match self.client.get_object::<Recovery>(RECOVERY, &[&database.id]) {
            Ok(Recovery { recovery_status, starts_at: Some(starts) }) if recovery_status == "AVAILABLE" => {
                recovery_of(facts, &node, &name, starts);
            }
            Ok(_) => {
                facts.source(RECOVERY, &name);
            }
            Err(fault) => copies = facts.refused(RECOVERY, &name, &fault),
        }
        facts.seen(
            Seen {
                id: node.clone(),
                kind: "postgres",
                class: Class::Database,
                name,
                parent: Some(&parent),
                environment,
                contents: None,
                copies: Fact::Unknown(copies),
                holds: Some(format!("database {}", shown(&database.database_name))),
            },
            (POSTGRES, "all"),
        );
        guard(facts, &node, &protected);
        facts.endpoint(&node, "postgres", Some(ANY_RENDER));
    }

    fn key_value(&self, store: &KeyValue, facts: &mut Facts) {
        let (node, name) = (NodeId(format!("render:{}", store.id)), shown(&store.name));
        let (parent, environment, protected) =
            self.place(store.environment_id.as_deref(), &store.owner.id, &name, facts);
        facts.seen(
            Seen {
                id: node.clone(),
                kind: "key_value",
                class: Class::Store,
                name,
                parent: Some(&parent),
                environment,
                contents: None,
                copies: Fact::Known(Listed::Complete),
                holds: None,
            },
            (KEY_VALUE, "all"),
        );
        guard(facts, &node, &protected);
        facts.endpoint(&node, "redis", Some(ANY_RENDER));
    }

    /// A service that has a disk, which goes with it.
    fn service(&self, service: &Service, facts: &mut Facts) {
        let (node, name) = (NodeId(format!("render:{}", service.id)), shown(&service.name));
        let (parent, environment, protected) =
            self.place(service.environment_id.as_deref(), &service.owner_id, &name, facts);
        let title = format!("Render service {name}");
        let seen = Container { kind: "service", name: &title, parent: Some(&parent), ..Container::of(node.clone()) };
        facts.container(Container { environment, ..seen }, (SERVICES, "all"));
        guard(facts, &node, &protected);
    }

    fn disk(&self, disk: &Disk, service: Option<&Service>, (lost, unseen): (&NodeId, Option<&Gap>), facts: &mut Facts) {
        let (node, name) = (NodeId(format!("render:{}", disk.id)), shown(&disk.name));
        let (parent, environment, protected) = match service {
            Some(service) => {
                let (_, environment, protected) =
                    self.place(service.environment_id.as_deref(), &service.owner_id, &name, facts);
                (NodeId(format!("render:{}", service.id)), environment, protected)
            }
            None => {
                let why = "the service that a disk is of was not listed";
                let gap = unseen.cloned().unwrap_or_else(|| facts.doubt(&name, why));
                (lost.clone(), Fact::Unknown(gap.clone()), Fact::Unknown(gap))
            }
        };
        let snapshots = self.client.get_list::<Snapshot>(SNAPSHOTS, &[&disk.id], "");
        let unkept = facts.outcome(SNAPSHOTS, &name, snapshots.fault);
        facts.seen(
            Seen {
                id: node.clone(),
                kind: "disk",
                class: Class::Volume,
                name: name.clone(),
                parent: Some(&parent),
                environment,
                contents: None,
                copies: listed(unkept),
                holds: Some(format!("{} GB", disk.size)),
            },
            (DISKS, "all"),
        );
        guard(facts, &node, &protected);
        if let Some(newest) = snapshots.items.iter().filter_map(|snapshot| snapshot.created_at).max() {
            let lag = facts.at().since(newest).max(Span::days(1));
            let because = "the newest snapshot of the disk";
            copy_of(
                facts,
                ("snapshot", &node),
                (CopyKind::AutomatedBackup, format!("snapshot of {name}")),
                lag,
                because,
            );
        }
    }
}

/// Point-in-time recovery of a database, from this moment on.
fn recovery_of(facts: &mut Facts, node: &NodeId, name: &str, starts: Time) {
    let because = "any moment since recovery begins";
    let title = format!("point-in-time recovery of {name}, since {}", starts.day());
    copy_of(facts, ("recovery", node), (CopyKind::Pitr, title), Span(0), because);
}

/// A copy that Render makes. Whether it outlives what it is of, and for how long, is not documented.
fn copy_of(facts: &mut Facts, (id, of): (&str, &NodeId), (kind, name): (CopyKind, String), lag: Span, because: &str) {
    let ends: Fact<End> =
        Fact::Unknown(facts.doubt(of.as_str(), "for how long a copy is kept depends on the plan, which was not read"));
    let dies = facts.doubt(of.as_str(), "whether a copy outlives what it is of is not documented");
    let (operation, source) = if kind == CopyKind::Pitr { (RECOVERY, "one") } else { (SNAPSHOTS, "one") };
    let kept = Kept {
        id,
        of,
        kind,
        name,
        place: None,
        lag: Fact::Known(lag),
        ends,
        dies_with: Fact::Unknown(dies),
        destroyed_by: Fact::Known(Vec::new()),
        because,
    };
    facts.kept(kept, (operation, source));
}
