//! What is described of one project, and what every kind of resource there has alike.

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::fact::{Fact, Gap, Listed};
use deadstop_core::id::{NodeId, PrincipalId};
use deadstop_core::model::{Basis, Class, CopyKind};
use deadstop_core::time::Span;
use serde::Deserialize;

use super::NAME;
use crate::provider::facts::{Facts, Fault};
use crate::provider::platform::{self, Asked, Kept};
use crate::provider::token::{is_id, shown};

/// Labels of a resource.
pub(super) type Labels = BTreeMap<String, String>;
/// Which permissions somebody has on something; nothing, if it was not asked because the project says enough.
pub(super) type Held = Option<Result<BTreeSet<&'static str>, Fault>>;

/// Deletes a project with all in it.
pub(super) const DELETE_PROJECT: &str = "resourcemanager.projects.delete";

/// Labels that say which environment something is of.
const ENVIRONMENT: [&str; 2] = ["environment", "env"];

/// The environment that labels name; nothing, if they name none. Two that differ are one of their own, which nothing takes for
/// another than production.
pub(super) fn labelled(labels: Option<&Labels>) -> String {
    let named = ENVIRONMENT.iter().filter_map(|name| labels?.get(*name));
    let named: BTreeSet<String> = named.map(|label| shown(&label.to_ascii_lowercase())).collect();
    named.into_iter().collect::<Vec<_>>().join(" or ")
}

/// A key of the customer's own, by which something is encrypted.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Encryption {
    kms_key_name: Option<String>,
}

/// Where one project is described.
pub(super) struct Desk<'a> {
    pub(super) facts: &'a mut Facts,
    pub(super) who: &'a PrincipalId,
    /// The token is of too narrow a scope for what its holder may do.
    limited: bool,
    pub(super) project: NodeId,
    pub(super) id: &'a str,
    /// What is encrypted by each key.
    encrypted: BTreeMap<NodeId, Vec<NodeId>>,
    /// What the token's holder may do in the whole project.
    pub(super) may: BTreeSet<&'static str>,
}

/// A resource that holds data.
pub(super) struct Resource<'a> {
    pub(super) id: NodeId,
    pub(super) kind: &'a str,
    pub(super) class: Class,
    pub(super) name: &'a str,
    pub(super) parent: Option<&'a NodeId>,
    pub(super) labels: Option<&'a Labels>,
    /// Whether what lies in it is listed, where other assets do.
    pub(super) contents: Option<Fact<Listed>>,
    pub(super) copies: Fact<Listed>,
    pub(super) holds: Option<String>,
    pub(super) key: Option<&'a NodeId>,
}

impl<'a> Desk<'a> {
    pub(super) fn new(
        facts: &'a mut Facts,
        who: &'a PrincipalId,
        limited: bool,
        (project, id): (NodeId, &'a str),
    ) -> Self {
        Self { facts, who, limited, project, id, encrypted: BTreeMap::new(), may: BTreeSet::new() }
    }

    /// Whether the token is of too narrow a scope for what its holder may do.
    pub(super) const fn limited(&self) -> bool {
        self.limited
    }

    /// The node of something in the project.
    pub(super) fn node(&self, path: &str) -> NodeId {
        NodeId(format!("{}/{path}", self.project))
    }

    /// States what the token's holder is told to be allowed. What it is not told counts for nothing.
    pub(super) fn holds(
        &mut self,
        on: &NodeId,
        asked: Asked<'_>,
        held: Option<&Result<BTreeSet<&'static str>, Fault>>,
    ) {
        let held = match held {
            None => return,
            Some(Err(fault)) => {
                self.facts.refused(asked.0, asked.1, fault);
                return;
            }
            Some(Ok(held)) => held,
        };
        self.facts.source(asked.0, asked.1);
        // The services may refuse to the token what they say that its holder may do.
        if self.limited || held.is_empty() {
            return;
        }
        if *on == self.project {
            self.may.clone_from(held);
        }
        let actions = held.iter().map(|one| (*one).to_owned()).collect();
        self.facts.granted(self.who, actions, on.clone(), (Basis::Simulated, "Google Cloud says that it may"), asked);
    }

    /// Adds a resource.
    pub(super) fn resource(&mut self, resource: Resource<'_>, asked: Asked<'_>) {
        let id = resource.id.clone();
        let project = self.project.clone();
        self.facts.seen(
            platform::Seen {
                id: id.clone(),
                kind: resource.kind,
                class: resource.class,
                name: shown(resource.name),
                parent: resource.parent.or(Some(&project)),
                environment: Fact::Known(labelled(resource.labels)),
                contents: resource.contents,
                copies: resource.copies,
                holds: resource.holds.filter(|holds| !holds.is_empty()),
            },
            asked,
        );
        if let Some(key) = resource.key {
            self.encrypted.entry(key.clone()).or_default().push(id.clone());
        }
        if self.may.contains(DELETE_PROJECT) {
            self.undelete(&id, resource.name);
        }
    }

    /// A project that was shut down can be had back for 30 days with what is still in it then
    /// (<https://cloud.google.com/resource-manager/docs/delete-restore-projects>): "some services … delete resources much sooner".
    fn undelete(&mut self, of: &NodeId, name: &str) {
        const SERVICES: [&str; 9] = [
            "bigquery.*",
            "cloudkms.*",
            "cloudsql.*",
            "compute.*",
            "container.*",
            "datastore.*",
            "secretmanager.*",
            "spanner.*",
            "storage.*",
        ];
        let ends =
            self.unread(self.id, "how soon each service deletes what is in a project that was shut down is not told");
        let kept = Kept {
            id: "project-undelete",
            of,
            kind: CopyKind::GracePeriod,
            name: format!("{} in the project, had back", shown(name)),
            place: None,
            lag: Fact::Known(Span(0)),
            ends,
            dies_with: Fact::Known(platform::names(&SERVICES)),
            destroyed_by: Fact::Known(Vec::new()),
            because: "a project that was shut down can be had back for a while",
        };
        self.facts.kept(kept, (super::PROJECTS, self.id));
    }

    /// Adds a copy, which cannot be read without the key that the original is encrypted by.
    pub(super) fn copy(&mut self, kept: Kept<'_>, key: Option<&NodeId>, asked: Asked<'_>) {
        self.facts.kept(kept, asked);
        if let Some(copy) = self.facts.copies.last_mut() {
            copy.needs.extend(key.cloned());
        }
    }

    /// The node of a key: `projects/P/locations/L/keyRings/R/cryptoKeys/K`, with a version behind it or not.
    pub(super) fn key_named(name: Option<&str>) -> Option<NodeId> {
        let parts: Vec<&str> = name?.split('/').collect();
        let ["projects", project, "locations", place, "keyRings", ring, "cryptoKeys", key, ..] = parts.as_slice()
        else {
            return None;
        };
        let good = [project, place, ring, key].iter().all(|part| is_id(part));
        good.then(|| NodeId(format!("{NAME}:project/{project}/location/{place}/keyRing/{ring}/key/{key}")))
    }

    /// The node of the key that something is encrypted by.
    pub(super) fn key(encryption: Option<&Encryption>) -> Option<NodeId> {
        Self::key_named(encryption?.kms_key_name.as_deref())
    }

    /// Adds the keys that something is encrypted by. How long a version that is to be destroyed can be kept after all is not
    /// read (<https://cloud.google.com/kms/docs/destroy-restore>).
    pub(super) fn keys(&mut self) {
        for (key, behind) in std::mem::take(&mut self.encrypted) {
            let name = key.as_str().rsplit('/').next().unwrap_or_default().to_owned();
            let above = key.as_str().split("/location/").next().unwrap_or_default();
            let parent = NodeId(above.to_owned());
            let copies = self.unread(&name, "for how long the versions of a key can be restored was not read");
            let place = (super::PROJECTS, self.id);
            let resource = Resource {
                id: key,
                kind: "key",
                class: Class::Key,
                name: &name,
                parent: Some(&parent),
                labels: None,
                contents: None,
                copies,
                holds: Some(format!("what encrypts {} of the resources seen", behind.len())),
                key: None,
            };
            self.resource(resource, place);
            let environment = self.unread(&name, "the labels of a key were not read");
            if let Some(asset) = self.facts.assets.last_mut() {
                asset.behind = behind;
                asset.environment = environment;
            }
        }
    }

    /// A fact that was not read, and why.
    pub(super) fn unread<T>(&mut self, scope: &str, why: &str) -> Fact<T> {
        Fact::Unknown(self.facts.doubt(scope, why))
    }

    /// Notes a listing that was answered, or the gap of one that was not.
    pub(super) fn listed(&mut self, operation: &str, fault: Option<Fault>) -> Option<Gap> {
        self.facts.outcome(operation, self.id, fault)
    }

    /// The same, of a list in which something has a name that is none.
    pub(super) fn strange(&mut self, operation: &str) -> Gap {
        self.facts.refused(operation, self.id, &Fault::malformed())
    }
}

/// The last part of a name or of a URL.
pub(super) fn last(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}
