//! What lies on Railway, and what brings it back: workspaces, projects, environments, services, volumes, backups, buckets
//! (docs.railway.com, `volumes/reference`, `volumes/backups`, `storage-buckets`).

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::fact::{Fact, Gap, Listed};
use deadstop_core::id::NodeId;
use deadstop_core::model::{Asset, Basis, Class, Copy, CopyKind, End};
use deadstop_core::time::{Span, Time};
use serde::Deserialize;

use super::documents as ask;
use crate::provider::facts::{Facts, Fault};
use crate::provider::platform::{Container, can, listed, untried};
use crate::provider::same::ANY_RAILWAY;
use crate::provider::token::{Client, is_id, shown, variables};

/// How long a deleted volume, and a project that is scheduled for deletion, can be had back (docs, `volumes/reference`;
/// schema, `projectScheduleDelete`).
const GRACE: Span = Span(48 * 3_600);

/// What is written down, and with which token it is read.
pub(super) struct Desk<'a> {
    pub(super) client: &'a Client<'a>,
    pub(super) facts: &'a mut Facts,
    /// The environment that the token does not leave. What it is shown of others may be less than there is.
    pub(super) own: Option<NodeId>,
    /// The volumes of each environment that was listed to its end.
    pub(super) volumes: BTreeMap<NodeId, BTreeSet<String>>,
}

/// Why what a project token is shown of its project is not taken for all there is.
const NARROW: &str = "whether a project token is shown all of its project is not documented";

/// Where a volume lies.
#[derive(Clone, Copy)]
struct Place<'a> {
    project: &'a str,
    environment: &'a NodeId,
    scope: &'a str,
    /// The environment by name.
    belongs: &'a str,
    elsewhere: Option<&'a Gap>,
}

/// A thing with an id and a name.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Named {
    pub(super) id: String,
    pub(super) name: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Environment {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) is_ephemeral: bool,
    /// Whether the token may look into it; not told where it is the token's own.
    #[serde(default = "yes")]
    pub(super) can_access: bool,
}

const fn yes() -> bool {
    true
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Volume {
    id: String,
    volume_id: String,
    service_id: Option<String>,
    mount_path: String,
    #[serde(rename = "currentSizeMB")]
    megabytes: f64,
    state: Option<String>,
    is_pending_deletion: bool,
    volume: Title,
}

#[derive(Debug, Deserialize)]
struct Title {
    name: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Service {
    service_id: String,
    service_name: String,
    source: Option<Source>,
}

#[derive(Debug, Deserialize)]
struct Source {
    image: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Backup {
    id: String,
    name: Option<String>,
    created_at: Time,
    // INVARIANT: a key that is missing is no end that is none.
    #[serde(deserialize_with = "Option::deserialize")]
    expires_at: Option<Time>,
    #[serde(deserialize_with = "Option::deserialize")]
    schedule_id: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Schedule {
    id: String,
    kind: String,
}

pub(super) fn workspace_node(id: &str) -> NodeId {
    NodeId(format!("railway:workspace/{id}"))
}

pub(super) fn project_node(id: &str) -> NodeId {
    NodeId(format!("railway:{id}"))
}

pub(super) fn environment_node(project: &str, id: &str) -> NodeId {
    NodeId(format!("railway:{project}/{id}"))
}

impl Desk<'_> {
    /// A workspace with all that the token sees in it. `all` is why that may not be all there is.
    pub(super) fn workspace(&mut self, workspace: &Named, all: Option<Gap>) {
        let node = workspace_node(&workspace.id);
        let got = self.client.connection::<Named>(
            ask::PROJECTS,
            &variables(&[("workspaceId", &workspace.id)]),
            &["projects"],
        );
        let scope = format!("workspace {}", shown(&workspace.name));
        let mut gap = all.or(self.facts.outcome(ask::PROJECTS, &scope, got.fault));
        for project in &got.items {
            if is_id(&project.id) {
                self.project(project, Some(&node));
            } else {
                gap = Some(self.malformed(ask::PROJECTS, &scope));
            }
        }
        let seen = Container { kind: "workspace", name: &scope, contents: listed(gap), ..Container::of(node) };
        self.facts.container(seen, (ask::PROJECTS, &scope));
    }

    /// A project with all that the token sees in it.
    pub(super) fn project(&mut self, project: &Named, parent: Option<&NodeId>) {
        let node = project_node(&project.id);
        let of = variables(&[("projectId", &project.id)]);
        let scope = format!("project {}", shown(&project.name));
        let buckets = self.client.connection::<Named>(ask::BUCKETS, &of, &["project", "buckets"]);
        let mut gap = self.facts.outcome(ask::BUCKETS, &scope, buckets.fault);
        for bucket in &buckets.items {
            if is_id(&bucket.id) {
                self.bucket(project, bucket);
            } else {
                gap = Some(self.malformed(ask::BUCKETS, &scope));
            }
        }
        // Point-in-time recovery keeps what it needs in a bucket of that name; of which volume it is is not told (docs,
        // `volumes/point-in-time-recovery`).
        let elsewhere = if buckets.items.iter().any(|bucket| bucket.name.contains("PITR")) {
            let why = "which volumes the bucket for point-in-time recovery belongs to was not asked";
            Some(self.facts.doubt(&scope, why))
        } else {
            gap.clone()
        };
        let environments = self.client.connection::<Environment>(ask::ENVIRONMENTS, &of, &["environments"]);
        gap = gap.or(self.facts.outcome(ask::ENVIRONMENTS, &scope, environments.fault));
        for environment in &environments.items {
            if is_id(&environment.id) {
                self.environment(project, environment, elsewhere.as_ref());
            } else {
                gap = Some(self.malformed(ask::ENVIRONMENTS, &scope));
            }
        }
        if self.own.is_some() {
            gap = gap.or_else(|| Some(self.facts.doubt(&scope, NARROW)));
        }
        let seen = Container { kind: "project", name: &scope, parent, contents: listed(gap), ..Container::of(node) };
        self.facts.container(seen, (ask::ENVIRONMENTS, &scope));
    }

    /// An environment with its services and volumes. `elsewhere` is why a volume may have copies that its backups are not.
    pub(super) fn environment(&mut self, project: &Named, environment: &Environment, elsewhere: Option<&Gap>) {
        let node = environment_node(&project.id, &environment.id);
        let parent = project_node(&project.id);
        let name = shown(&environment.name);
        let scope = format!("{}, {name}", shown(&project.name));
        // What Railway makes for a pull request and takes away with it is no production, whatever its name.
        let belongs = if environment.is_ephemeral { format!("preview {name}") } else { name };
        let of = variables(&[("environmentId", &environment.id), ("projectId", &project.id)]);
        let gap = if environment.can_access {
            let services = self.client.connection::<Service>(ask::SERVICES, &of, &["environment", "serviceInstances"]);
            self.facts.outcome(ask::SERVICES, &scope, services.fault);
            let volumes = self.client.connection::<Volume>(ask::VOLUMES, &of, &["environment", "volumeInstances"]);
            let mut gap = self.facts.outcome(ask::VOLUMES, &scope, volumes.fault);
            let services: BTreeMap<&str, &Service> =
                services.items.iter().map(|service| (service.service_id.as_str(), service)).collect();
            let mut ids = BTreeSet::new();
            for volume in &volumes.items {
                if is_id(&volume.volume_id) && is_id(&volume.id) {
                    ids.insert(volume.volume_id.clone());
                    let service = volume.service_id.as_deref().and_then(|id| services.get(id)).copied();
                    let place =
                        Place { project: &project.id, environment: &node, scope: &scope, belongs: &belongs, elsewhere };
                    self.volume(&place, volume, service);
                } else {
                    gap = Some(self.malformed(ask::VOLUMES, &scope));
                }
            }
            if gap.is_none() {
                self.volumes.insert(node.clone(), ids);
            }
            if self.own.as_ref().is_some_and(|own| *own != node) {
                gap = gap.or_else(|| Some(self.facts.doubt(&scope, NARROW)));
            }
            gap
        } else {
            let why = "Railway says that this token may not look into it";
            Some(self.facts.doubt(&scope, why))
        };
        let seen = Container {
            kind: "environment",
            name: &scope,
            parent: Some(&parent),
            environment: Fact::Known(belongs),
            contents: listed(gap),
            ..Container::of(node)
        };
        self.facts.container(seen, (ask::ENVIRONMENTS, &scope));
    }

    fn volume(&mut self, place: &Place<'_>, volume: &Volume, service: Option<&Service>) {
        let Place { project, environment, scope, belongs, elsewhere } = *place;
        if volume.state.as_deref() == Some("DELETED") {
            return;
        }
        let id = NodeId(format!("{environment}/{}", volume.volume_id));
        let name = shown(&volume.volume.name);
        let of = variables(&[("volumeInstanceId", &volume.id)]);
        let at = format!("{scope}, volume {name}");
        let backups = self.client.list::<Backup>(ask::BACKUPS, &of, &["volumeInstanceBackupList"]);
        let schedules = self.client.list::<Schedule>(ask::SCHEDULES, &of, &["volumeInstanceBackupScheduleList"]);
        let mut copies = self.facts.outcome(ask::BACKUPS, &at, backups.fault).or(elsewhere.cloned());
        if !backups.items.iter().all(|backup| is_id(&backup.id)) {
            copies = Some(self.malformed(ask::BACKUPS, &at));
        }
        let unscheduled = self.facts.outcome(ask::SCHEDULES, &at, schedules.fault);
        let source = self.facts.source(ask::VOLUMES, scope);
        let image = service.and_then(|service| service.source.as_ref()?.image.as_deref());
        let database = image.is_some_and(is_database);
        let mut holds = format!("{} MB at {}", volume.megabytes.round(), shown(&volume.mount_path));
        if let Some(service) = service {
            holds = format!("{holds} of service {}", shown(&service.service_name));
        }
        if let Some(image) = image {
            holds = format!("{holds} ({})", shown(image));
        }
        if volume.is_pending_deletion {
            holds.push_str("; queued for deletion");
        }
        self.facts.assets.push(Asset {
            id: id.clone(),
            provider: "railway".to_owned(),
            kind: "volume".to_owned(),
            class: if database { Class::Database } else { Class::Volume },
            name: name.clone(),
            parent: Some(environment.clone()),
            environment: Fact::Known(belongs.to_owned()),
            contents: None,
            // Railway has nothing that protects a volume from deletion: no field of the schema, no policy of a workspace.
            protections: Fact::Known(Listed::Complete),
            copies: listed(copies),
            behind: Vec::new(),
            holds: Some(holds),
            sources: vec![source],
        });
        // A volume that hangs at no service is reached by no login.
        if service.is_some() || volume.service_id.is_some() {
            engines(image).iter().for_each(|engine| self.facts.endpoint(&id, engine, Some(ANY_RAILWAY)));
        }
        let every: BTreeMap<&str, &Schedule> =
            schedules.items.iter().map(|schedule| (schedule.id.as_str(), schedule)).collect();
        for backup in backups.items.iter().filter(|backup| is_id(&backup.id)) {
            let schedule = backup.schedule_id.as_deref().and_then(|id| every.get(id)).copied();
            self.backup(&id, &name, &at, backup, schedule, unscheduled.as_ref());
        }
        self.grace(&id, project, &format!("volume {name}"), (ask::VOLUMES, scope));
    }

    /// A backup. It belongs to the volume, and no deletion is known to leave it (docs, `volumes/backups`: wiping a volume
    /// deletes all backups, a backup is restored into the same project and environment alone, and what is newer than the
    /// one restored is removed).
    fn backup(
        &mut self,
        volume: &NodeId,
        name: &str,
        scope: &str,
        backup: &Backup,
        schedule: Option<&Schedule>,
        unscheduled: Option<&Gap>,
    ) {
        let age = self.facts.at().since(backup.created_at);
        let every = schedule.and_then(|schedule| match schedule.kind.as_str() {
            "DAILY" => Some(Span::days(1)),
            "WEEKLY" => Some(Span::days(7)),
            "MONTHLY" => Some(Span::days(31)),
            _ => None,
        });
        let lag = match (&backup.schedule_id, every, unscheduled) {
            (Some(_), None, Some(gap)) => Fact::Unknown(gap.clone()),
            (_, every, _) => Fact::Known(every.map_or(age, |every| every.max(age))),
        };
        let title = backup.name.as_deref().map(shown).filter(|title| !title.is_empty());
        let source = self.facts.source(ask::BACKUPS, scope);
        self.facts.copies.push(Copy {
            id: NodeId(format!("{volume}/backup/{}", backup.id)),
            of: volume.clone(),
            kind: if backup.schedule_id.is_some() { CopyKind::AutomatedBackup } else { CopyKind::Snapshot },
            name: format!("backup {} of {name}", title.unwrap_or_else(|| backup.created_at.day())),
            place: None,
            lag,
            ends: Fact::Known(backup.expires_at.map_or(End::Never, End::At)),
            dies_with: Fact::Known(vec!["*".to_owned()]),
            destroyed_by: Fact::Known(vec![can("volumeInstanceBackupDelete", volume, "delete the backup")]),
            needs: Vec::new(),
            drills: untried(),
            basis: Basis::Observed,
            because: "a volume's backups are kept with the volume and are deleted with it".to_owned(),
            sources: vec![source],
        });
    }

    /// What is left of a volume or a bucket for 48 hours. Documented for `volumeDelete`, for `projectScheduleDelete` and for
    /// a bucket that a patch deletes; of the other ways nothing says so. No call undoes it.
    fn grace(&mut self, of: &NodeId, project: &str, name: &str, (operation, scope): (&str, &str)) {
        let why = "which deletions wait for 48 hours is documented for some ways of deleting alone";
        let gap = self.facts.doubt(scope, why);
        let source = self.facts.source(operation, scope);
        let force =
            can("projectScheduleDeleteForce", &project_node(project), "end the 48 hours of the project at once");
        self.facts.copies.push(Copy {
            id: NodeId(format!("{of}/grace")),
            of: of.clone(),
            kind: CopyKind::GracePeriod,
            name: format!("the 48 hours in which a link sent by mail restores {name}"),
            place: None,
            lag: Fact::Known(Span(0)),
            ends: Fact::Known(End::After(GRACE)),
            dies_with: Fact::Unknown(gap),
            destroyed_by: Fact::Known(vec![force]),
            needs: Vec::new(),
            drills: untried(),
            basis: Basis::Inferred,
            because: "a deletion is queued for 48 hours, in which a link sent by mail undoes it; no call does"
                .to_owned(),
            sources: vec![source],
        });
    }

    /// A bucket. It belongs to the project; in which of its environments it stands is told with its settings alone.
    fn bucket(&mut self, project: &Named, bucket: &Named) {
        let scope = format!("project {}", shown(&project.name));
        let source = self.facts.source(ask::BUCKETS, &scope);
        let id = bucket_node(&project.id, &bucket.id);
        let gap = self
            .facts
            .doubt(&scope, "in which environment a bucket stands was not asked, as its settings hold secrets");
        self.facts.assets.push(Asset {
            id: id.clone(),
            provider: "railway".to_owned(),
            kind: "bucket".to_owned(),
            class: Class::Bucket,
            name: shown(&bucket.name),
            parent: Some(project_node(&project.id)),
            environment: Fact::Unknown(gap),
            contents: None,
            protections: Fact::Known(Listed::Complete),
            copies: Fact::Known(Listed::Complete),
            behind: Vec::new(),
            holds: None,
            sources: vec![source],
        });
        self.grace(&id, &project.id, &format!("bucket {}", shown(&bucket.name)), (ask::BUCKETS, &scope));
    }

    fn malformed(&mut self, operation: &str, scope: &str) -> Gap {
        self.facts.refused(operation, scope, &Fault::of(deadstop_core::fact::GapReason::Malformed))
    }
}

pub(super) fn bucket_node(project: &str, id: &str) -> NodeId {
    NodeId(format!("railway:{project}/bucket/{id}"))
}

/// The servers that an image may be, by the provider of logins at them; any, where it does not say.
fn engines(image: Option<&str>) -> &'static [&'static str] {
    let name = image.map_or("", |image| image.rsplit('/').next().unwrap_or(image));
    let is = |names: &[&str]| names.iter().any(|known| name.contains(known));
    if is(&["postgres", "pgvector", "timescale"]) {
        &["postgres"]
    } else if is(&["mysql", "mariadb"]) {
        &["mysql"]
    } else if is(&["redis", "valkey"]) {
        &["redis"]
    } else {
        &["postgres", "mysql", "redis"]
    }
}

/// Whether an image is that of a database.
fn is_database(image: &str) -> bool {
    const NAMES: [&str; 10] = [
        "postgres",
        "pgvector",
        "mysql",
        "mariadb",
        "mongo",
        "redis",
        "valkey",
        "clickhouse",
        "timescale",
        "cockroach",
    ];
    let name = image.rsplit('/').next().unwrap_or(image);
    NAMES.iter().any(|known| name.contains(known))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_are_known_by_their_image() {
        for image in
            ["ghcr.io/railwayapp-templates/postgres-ssl:16", "mysql:9", "bitnami/redis:7.2", "pgvector/pgvector:pg17"]
        {
            assert!(is_database(image), "{image}");
        }
        assert!(!is_database("postgres.example/app:1"), "a host is no name");
    }

    #[test]
    fn an_end_that_is_missing_is_not_no_end() {
        let backup = |text: &str| serde_json::from_str::<Backup>(text);
        let whole =
            r#"{"id": "b", "name": null, "createdAt": "2026-11-01T02:00:00Z", "expiresAt": null, "scheduleId": null}"#;
        assert!(backup(whole).is_ok());
        assert!(
            backup(r#"{"id": "b", "name": null, "createdAt": "2026-11-01T02:00:00Z", "scheduleId": null}"#).is_err()
        );
        assert!(
            backup(r#"{"id": "b", "name": null, "createdAt": "2026-11-01T02:00:00Z", "expiresAt": null}"#).is_err()
        );
    }
}
