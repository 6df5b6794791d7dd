//! What lies at DigitalOcean: database clusters, machines, volumes, clusters of Kubernetes and Spaces, with their copies.

use std::collections::BTreeMap;

use deadstop_core::fact::{Fact, Gap, Listed};
use deadstop_core::id::{NodeId, PrincipalId};
use deadstop_core::model::{Basis, Class, CopyKind, End, Lift};
use deadstop_core::time::{Span, Time};
use serde::Deserialize;

use super::{ASSOCIATED, BACKUPS, CLUSTERS, DATABASES, DROPLETS, Projects, RESOURCES, SNAPSHOTS, VOLUMES, pages};
use crate::provider::facts::{Facts, Fault};
use crate::provider::platform::{self, Container, Kept, can, listed, names};
use crate::provider::same::ANY_DIGITALOCEAN;
use crate::provider::token::{Client, Got, is_id, shown};

/// The lists of all that a token is shown.
pub(super) struct Seen {
    databases: Got<Database>,
    droplets: Got<Droplet>,
    /// Machines with graphics processors are in a list of their own.
    gpus: Got<Droplet>,
    volumes: Got<Volume>,
    snapshots: Got<Snapshot>,
    clusters: Got<Cluster>,
}

#[derive(Deserialize)]
struct Database {
    id: String,
    name: String,
    engine: String,
    region: String,
    project_id: Option<String>,
    db_names: Option<Vec<String>>,
    connection: Option<Connection>,
    private_connection: Option<Connection>,
}

#[derive(Deserialize)]
struct Connection {
    host: Option<String>,
    /// Whether it was in the answer.
    password: Option<bool>,
}

#[derive(Deserialize)]
struct Backup {
    created_at: Time,
}

#[derive(Deserialize)]
struct Droplet {
    id: u64,
    name: String,
    features: Vec<String>,
}

#[derive(Deserialize)]
struct Volume {
    id: String,
    name: String,
    size_gigabytes: u64,
    droplet_ids: Option<Vec<u64>>,
}

#[derive(Deserialize)]
struct Snapshot {
    id: String,
    name: String,
    created_at: Time,
    resource_id: String,
    resource_type: String,
}

#[derive(Deserialize)]
struct Cluster {
    id: String,
    name: String,
}

#[derive(Deserialize)]
struct Associated {
    volumes: Option<Vec<Id>>,
}

#[derive(Deserialize)]
struct Id {
    id: String,
}

/// What all that is listed has alike.
struct Desk<'a, 'b> {
    client: &'a Client<'b>,
    root: &'a NodeId,
    projects: &'a Projects,
    snapshots: &'a [Snapshot],
    /// Why not all snapshots are known.
    unkept: Option<Gap>,
}

impl Seen {
    pub(super) fn of(client: &Client<'_>) -> Self {
        Self {
            databases: client.get_list(DATABASES, &[], "databases"),
            droplets: pages(client, DROPLETS, &[], &[], "droplets"),
            gpus: pages(client, DROPLETS, &[], &[("type", "gpus")], "droplets"),
            volumes: pages(client, VOLUMES, &[], &[], "volumes"),
            snapshots: pages(client, SNAPSHOTS, &[], &[], "snapshots"),
            clusters: pages(client, CLUSTERS, &[], &[], "kubernetes_clusters"),
        }
    }

    /// Whether no question at all had an answer.
    pub(super) const fn nothing_answered(&self) -> bool {
        self.databases.fault.is_some()
            && self.droplets.fault.is_some()
            && self.gpus.fault.is_some()
            && self.volumes.fault.is_some()
            && self.snapshots.fault.is_some()
            && self.clusters.fault.is_some()
    }

    /// Adds it all.
    pub(super) fn list(
        self,
        client: &Client<'_>,
        who: &PrincipalId,
        (root, place): (&NodeId, &str),
        projects: &Projects,
        facts: &mut Facts,
    ) {
        let mut gap = facts.outcome(DATABASES, "all", self.databases.fault);
        let mut machines = facts.outcome(DROPLETS, "all", self.droplets.fault);
        machines = machines.or(facts.outcome(DROPLETS, "type=gpus", self.gpus.fault));
        let volumes = facts.outcome(VOLUMES, "all", self.volumes.fault);
        let unkept = facts.outcome(SNAPSHOTS, "all", self.snapshots.fault);
        gap = gap.or(facts.outcome(CLUSTERS, "all", self.clusters.fault));
        gap = gap.or(machines).or_else(|| volumes.clone()).or_else(|| projects.gap.clone());
        let snapshots = &self.snapshots.items;
        let desk = Desk { client, root, projects, snapshots, unkept };
        for database in &self.databases.items {
            if is_id(&database.id) {
                desk.database(database, who, facts);
            } else {
                gap = Some(facts.refused(DATABASES, "all", &Fault::malformed()));
            }
        }
        // Which of them a volume goes with.
        let mut above: BTreeMap<String, NodeId> = BTreeMap::new();
        for cluster in &self.clusters.items {
            if is_id(&cluster.id) {
                desk.cluster(cluster, &mut above, volumes.as_ref(), facts);
            } else {
                gap = Some(facts.refused(CLUSTERS, "all", &Fault::malformed()));
            }
        }
        for droplet in self.droplets.items.iter().chain(&self.gpus.items) {
            desk.droplet(droplet, volumes.as_ref(), facts);
        }
        let machines: Vec<u64> = self.droplets.items.iter().chain(&self.gpus.items).map(|droplet| droplet.id).collect();
        for volume in &self.volumes.items {
            if is_id(&volume.id) {
                let attached = volume.droplet_ids.iter().flatten().find(|id| machines.contains(id));
                let parent = above.get(&volume.id).cloned().or_else(|| attached.map(|id| droplet_node(*id)));
                desk.volume(volume, parent.as_ref(), facts);
            } else {
                gap = Some(facts.refused(VOLUMES, "all", &Fault::malformed()));
            }
        }
        let spaces = projects.resources.keys().filter_map(|urn| Some((urn, urn.strip_prefix("do:space:")?)));
        for (urn, name) in spaces.filter(|(_, name)| is_id(name)) {
            desk.space(urn, name, facts);
        }
        let hidden = "Spaces are listed by projects, which leave out what a token may not see";
        let gap = gap.unwrap_or_else(|| facts.doubt(place, hidden));
        let whole = Container { name: place, kind: "team", ..Container::of(root.clone()) };
        facts.container(Container { contents: Fact::Unknown(gap), ..whole }, (RESOURCES, place));
    }
}

impl Desk<'_, '_> {
    fn database(&self, database: &Database, who: &PrincipalId, facts: &mut Facts) {
        let node = NodeId(format!("digitalocean:dbaas/{}", database.id));
        let (name, engine) = (shown(&database.name), shown(&database.engine));
        let urn = format!("do:dbaas:{}", database.id);
        let environment = self.projects.environment(database.project_id.as_deref(), &urn, facts);
        // "Backups are not supported for Caching or Valkey clusters" (API reference, List Backups for a Database Cluster).
        let kept = (!["redis", "valkey"].contains(&engine.as_str()))
            .then(|| self.client.get_list::<Backup>(BACKUPS, &[&database.id], "backups"));
        let mut unkept = None;
        if let Some(kept) = kept {
            unkept = facts.outcome(BACKUPS, &name, kept.fault);
            if let Some(newest) = kept.items.iter().map(|backup| backup.created_at).max() {
                self.backup(&node, &name, newest, facts);
            }
        }
        let inside: Vec<String> = database.db_names.iter().flatten().map(|name| shown(name)).collect();
        let inside = if inside.is_empty() { String::new() } else { format!("; databases {}", inside.join(", ")) };
        let class = match engine.as_str() {
            "redis" | "valkey" | "kafka" => Class::Store,
            "opensearch" => Class::Index,
            _ => Class::Database,
        };
        facts.seen(
            platform::Seen {
                id: node.clone(),
                kind: "db_cluster",
                class,
                name: name.clone(),
                parent: Some(self.root),
                environment,
                contents: None,
                copies: listed(unkept),
                holds: Some(format!("{engine} in {}{inside}", shown(&database.region))),
            },
            (DATABASES, "all"),
        );
        let connections = || database.connection.iter().chain(&database.private_connection);
        // The password is in the answer for those who have the scope (API reference, `database_connection`).
        if connections().any(|connection| connection.password == Some(true)) {
            let may = names(&["database:view_credentials"]);
            let because = "the password of its first user is in the answer, so that the token has that scope";
            facts.granted(who, may, node.clone(), (Basis::Observed, because), (DATABASES, "all"));
        }
        let engine = match engine.as_str() {
            "pg" | "advanced_pg" => "postgres",
            "mysql" | "advanced_mysql" => "mysql",
            "redis" | "valkey" => "redis",
            "mongodb" => "mongodb",
            _ => return,
        };
        let mut hosts = connections().filter_map(|connection| connection.host.as_deref()).peekable();
        if hosts.peek().is_none() {
            facts.endpoint(&node, engine, Some(ANY_DIGITALOCEAN));
        }
        hosts.for_each(|host| facts.endpoint(&node, engine, Some(host)));
    }

    /// Daily backups of a database cluster: "Destroying a database cluster destroys the backups" (`databases/how-to/destroy`).
    /// No call deletes one by itself.
    fn backup(&self, node: &NodeId, name: &str, newest: Time, facts: &mut Facts) {
        let why = "how long backups of a database cluster are kept was not in the answer";
        let ends = Fact::Unknown(facts.doubt(name, why));
        let age = facts.at().since(newest);
        facts.kept(
            Kept {
                id: "backup",
                of: node,
                kind: CopyKind::AutomatedBackup,
                name: format!("daily backup of {name}"),
                place: None,
                lag: Fact::Known(age.max(Span::days(1))),
                ends,
                dies_with: Fact::Known(names(&["database:delete"])),
                destroyed_by: Fact::Known(Vec::new()),
                because: "a destroyed cluster takes its backups along",
            },
            (BACKUPS, name),
        );
    }

    fn cluster(
        &self,
        cluster: &Cluster,
        above: &mut BTreeMap<String, NodeId>,
        volumes: Option<&Gap>,
        facts: &mut Facts,
    ) {
        let node = NodeId(format!("digitalocean:kubernetes/{}", cluster.id));
        let name = shown(&cluster.name);
        let mut gap = volumes.cloned();
        match self.client.get_object::<Associated>(ASSOCIATED, &[&cluster.id]) {
            Ok(Associated { volumes: Some(volumes) }) => {
                facts.source(ASSOCIATED, &name);
                above.extend(volumes.into_iter().map(|volume| (volume.id, node.clone())));
            }
            Ok(Associated { volumes: None }) => gap = Some(facts.refused(ASSOCIATED, &name, &Fault::malformed())),
            Err(fault) => gap = Some(facts.refused(ASSOCIATED, &name, &fault)),
        }
        let environment = self.projects.environment(None, &format!("do:kubernetes:{}", cluster.id), facts);
        facts.seen(
            platform::Seen {
                id: node,
                kind: "cluster",
                class: Class::Cluster,
                name,
                parent: Some(self.root),
                environment,
                contents: Some(listed(gap)),
                copies: Fact::Known(Listed::Complete),
                holds: None,
            },
            (CLUSTERS, "all"),
        );
    }

    fn droplet(&self, droplet: &Droplet, volumes: Option<&Gap>, facts: &mut Facts) {
        let (node, name) = (droplet_node(droplet.id), shown(&droplet.name));
        let environment = self.projects.environment(None, &format!("do:droplet:{}", droplet.id), facts);
        facts.seen(
            platform::Seen {
                id: node.clone(),
                kind: "droplet",
                class: Class::Volume,
                name: name.clone(),
                parent: Some(self.root),
                environment,
                contents: Some(listed(volumes.cloned())),
                copies: listed(self.unkept.clone()),
                holds: Some("the disk of a machine".to_owned()),
            },
            (DROPLETS, "all"),
        );
        self.snapshots_of(&node, &name, ("droplet", &droplet.id.to_string()), facts);
        if droplet.features.iter().any(|feature| feature == "backups") {
            let doubt = |facts: &mut Facts, why: &str| facts.doubt(&name, why);
            let lag = Fact::Unknown(doubt(facts, "how often backups of a machine are made was not asked"));
            let ends = Fact::Unknown(doubt(facts, "how long backups of a machine are kept was not asked"));
            let dies = Fact::Unknown(doubt(facts, "whether backups outlive their machine is not documented"));
            // "Disabling backups … deletes any existing backup images" (`backups/how-to/disable`).
            let off = can("droplet:update", &node, "switch backups off, which deletes them");
            facts.kept(
                Kept {
                    id: "backups",
                    of: &node,
                    kind: CopyKind::AutomatedBackup,
                    name: format!("backups of {name}"),
                    place: None,
                    lag,
                    ends,
                    dies_with: dies,
                    destroyed_by: Fact::Known(vec![off]),
                    because: "backups of the machine are on",
                },
                (DROPLETS, "all"),
            );
        }
    }

    fn volume(&self, volume: &Volume, parent: Option<&NodeId>, facts: &mut Facts) {
        let (node, name) = (NodeId(format!("digitalocean:volume/{}", volume.id)), shown(&volume.name));
        let environment = self.projects.environment(None, &format!("do:volume:{}", volume.id), facts);
        facts.seen(
            platform::Seen {
                id: node.clone(),
                kind: "volume",
                class: Class::Volume,
                name: name.clone(),
                parent: parent.or(Some(self.root)),
                environment,
                contents: None,
                copies: listed(self.unkept.clone()),
                holds: Some(format!("{} GB", volume.size_gigabytes)),
            },
            (VOLUMES, "all"),
        );
        self.snapshots_of(&node, &name, ("volume", &volume.id), facts);
    }

    /// The newest snapshot. Snapshots remain until somebody deletes them (`snapshots/how-to/delete`), which whoever destroys
    /// a machine or a cluster "with all associated resources" does.
    fn snapshots_of(&self, node: &NodeId, name: &str, (kind, id): (&str, &str), facts: &mut Facts) {
        let of = |snapshot: &&Snapshot| snapshot.resource_type == kind && snapshot.resource_id == id;
        let there = self.snapshots.iter().filter(of).filter(|snapshot| is_id(&snapshot.id));
        let Some(newest) = there.max_by_key(|snapshot| (snapshot.created_at, snapshot.id.clone())) else { return };
        let (scope, operation) = if kind == "volume" {
            ("block_storage_snapshot:delete", "delete the snapshot")
        } else {
            ("image:delete", "delete the snapshot")
        };
        let lifts: Vec<Lift> =
            [scope, "snapshot:delete"].iter().map(|scope| can(scope, self.root, operation)).collect();
        let age = facts.at().since(newest.created_at);
        facts.kept(
            Kept {
                id: &format!("snapshot/{}", newest.id),
                of: node,
                kind: CopyKind::Snapshot,
                name: format!("snapshot {} of {name}", shown(&newest.name)),
                place: Some(self.root),
                lag: Fact::Known(age),
                ends: Fact::Known(End::Never),
                dies_with: Fact::Known(names(&["droplet:delete", "kubernetes:delete"])),
                destroyed_by: Fact::Known(lifts),
                because: "the newest snapshot, which stays until it is deleted",
            },
            (SNAPSHOTS, "all"),
        );
    }

    fn space(&self, urn: &str, name: &str, facts: &mut Facts) {
        let environment = self.projects.environment(None, urn, facts);
        let versions =
            facts.doubt(name, "whether a Space keeps versions is told by its S3 interface, which is not asked");
        facts.seen(
            platform::Seen {
                id: NodeId(format!("digitalocean:space/{name}")),
                kind: "bucket",
                class: Class::Bucket,
                name: shown(name),
                parent: Some(self.root),
                environment,
                contents: None,
                copies: Fact::Unknown(versions),
                holds: None,
            },
            (RESOURCES, "all"),
        );
    }
}

fn droplet_node(id: u64) -> NodeId {
    NodeId(format!("digitalocean:droplet/{id}"))
}
