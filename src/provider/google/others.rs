//! Secret Manager and Kubernetes Engine: secrets, and clusters.
//!
//! <https://cloud.google.com/secret-manager/docs/delete-secret>, <https://cloud.google.com/kubernetes-engine/docs/how-to/deleting-a-cluster>.
//! What is in a secret is not read. What lies in a cluster its own server is asked about (Kubernetes).

use std::collections::BTreeSet;

use deadstop_core::fact::{Fact, Gap, Listed};
use deadstop_core::model::Class;
use serde::Deserialize;

use super::client::Client;
use super::desk::{Desk, Held, Labels, Resource, last};
use super::reads::{CLUSTERS, ON_SECRET, SECRETS};
use super::rights::{ON_SECRETS, beside};
use super::steps;
use crate::provider::token::{Got, is_id};

/// How many secrets of one project are asked about one by one.
const MOST: usize = 200;

#[derive(Deserialize)]
struct Secret {
    name: String,
    labels: Option<Labels>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Cluster {
    name: String,
    location: String,
    resource_labels: Option<Labels>,
}

/// The secrets and clusters of a project.
pub(super) struct Seen {
    secrets: Got<Secret>,
    on_secrets: Vec<Held>,
    clusters: Got<Cluster>,
}

impl Seen {
    pub(super) fn of(client: &Client<'_>, project: &str, known: &BTreeSet<&'static str>) -> Self {
        let secrets = client.list::<Secret>(SECRETS, &[project], &[], ("secrets", None));
        let asked = beside(&ON_SECRETS, known);
        let one = |secret: &Secret| {
            (!asked.is_empty()).then(|| client.holds(ON_SECRET, &[project, last(&secret.name)], &asked))
        };
        let on_secrets = secrets.items.iter().take(MOST).map(one).collect();
        let clusters = client.list(CLUSTERS, &[project, "-"], &[], ("clusters", None));
        Self { secrets, on_secrets, clusters }
    }

    pub(super) fn describe(self, desk: &mut Desk<'_>) -> Option<Gap> {
        let mut gap = desk.listed(SECRETS, self.secrets.fault);
        gap = gap.or(desk.listed(CLUSTERS, self.clusters.fault));
        if self.secrets.items.len() > MOST {
            desk.facts.not_asked(desk.id, "not every secret was asked about", "merge facts of it (--merge)");
        }
        let held = self.on_secrets.into_iter().chain(std::iter::repeat_with(|| None));
        for (secret, held) in self.secrets.items.iter().zip(held) {
            if is_id(last(&secret.name)) {
                of_secret(desk, secret, held);
            } else {
                gap = Some(desk.strange(SECRETS));
            }
        }
        for cluster in &self.clusters.items {
            if is_id(&cluster.name) && is_id(&cluster.location) {
                of_cluster(desk, cluster);
            } else {
                gap = Some(desk.strange(CLUSTERS));
            }
        }
        gap
    }
}

/// A secret is deleted at once, with all its versions.
fn of_secret(desk: &mut Desk<'_>, secret: &Secret, held: Held) {
    let name = last(&secret.name);
    let node = desk.node(&format!("secret/{name}"));
    desk.resource(
        Resource {
            id: node.clone(),
            kind: "secret",
            class: Class::Key,
            name,
            parent: None,
            labels: secret.labels.as_ref(),
            contents: None,
            copies: Fact::Known(Listed::Complete),
            holds: None,
            key: None,
        },
        (SECRETS, desk.id),
    );
    desk.holds(&node, (ON_SECRET, name), held.as_ref());
    steps::gives(desk, &node, "secretmanager.secrets.setIamPolicy", &held);
}

fn of_cluster(desk: &mut Desk<'_>, cluster: &Cluster) {
    let node = desk.node(&format!("location/{}/cluster/{}", cluster.location, cluster.name));
    let copies = desk.unread(&cluster.name, "what Backup for GKE keeps of a cluster was not read");
    desk.resource(
        Resource {
            id: node,
            kind: "cluster",
            class: Class::Cluster,
            name: &cluster.name,
            parent: None,
            labels: cluster.resource_labels.as_ref(),
            contents: None,
            copies,
            holds: Some(format!("in {}", cluster.location)),
            key: None,
        },
        (CLUSTERS, desk.id),
    );
}
