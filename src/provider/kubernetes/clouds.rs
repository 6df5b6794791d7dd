//! What lies below a cluster: the disks of its volumes, which whoever may delete them in their cloud deletes with no word of
//! the cluster's, and the cloud's own way into a cluster that it runs.

use std::collections::BTreeSet;

use deadstop_core::bundle::Bundle;
use deadstop_core::fact::{Fact, Gap, GapReason};
use deadstop_core::id::{CredentialId, NodeId, StepId};
use deadstop_core::model::{Atom, Source, Step};
use deadstop_core::time::Time;

/// A disk of a volume.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Disk {
    /// The driver of its kind, which is named for its cloud.
    pub(super) driver: String,
    /// What the cloud calls it.
    pub(super) handle: String,
    /// The claim or the volume that it is of.
    pub(super) of: NodeId,
}

/// Drivers of disks by what their names end with, and hosts of clusters by the same, with the provider of the cloud.
///
/// <https://kubernetes-csi.github.io/docs/drivers.html>
const DRIVERS: [(&str, &str); 17] = [
    ("ebs.csi.aws.com", "aws"),
    ("efs.csi.aws.com", "aws"),
    (".csi.aws.com", "aws"),
    ("pd.csi.storage.gke.io", "google"),
    (".csi.storage.gke.io", "google"),
    ("disk.csi.azure.com", "azure"),
    (".csi.azure.com", "azure"),
    ("dobs.csi.digitalocean.com", "digitalocean"),
    ("csi.hetzner.cloud", "hetzner"),
    ("linodebs.csi.linode.com", "linode"),
    ("csi.vultr.com", "vultr"),
    ("csi.scaleway.com", "scaleway"),
    ("csi.civo.com", "civo"),
    ("csi.exoscale.com", "exoscale"),
    ("cinder.csi.openstack.org", "openstack"),
    ("csi.oraclecloud.com", "oci"),
    ("vpc.block.csi.ibm.io", "ibm"),
];
const HOSTS: [(&str, &str); 6] = [
    (".eks.amazonaws.com", "aws"),
    (".azmk8s.io", "azure"),
    (".k8s.ondigitalocean.com", "digitalocean"),
    (".k8s.civo.com", "civo"),
    (".linodelke.net", "linode"),
    (".gke.goog", "google"),
];

fn of(name: &str, list: &[(&str, &'static str)]) -> Option<&'static str> {
    let name = name.to_ascii_lowercase();
    list.iter().find(|(end, _)| name.ends_with(end)).map(|(_, provider)| *provider)
}

/// The clouds of a cluster and its disks of which some credential was found.
pub(super) fn of_cluster(host: &str, disks: &[Disk], found: &BTreeSet<String>) -> BTreeSet<&'static str> {
    let clouds = disks.iter().filter_map(|disk| of(&disk.driver, &DRIVERS)).chain(of(host, &HOSTS));
    clouds.filter(|cloud| found.contains(*cloud)).collect()
}

/// Joins what lies in a cluster to its cloud, as far as that is known here.
pub(super) fn join(bundle: &mut Bundle, (node, host): (&NodeId, &str), disks: &[Disk], at: Time) {
    let mut clouds: Vec<&str> = disks.iter().filter_map(|disk| of(&disk.driver, &DRIVERS)).collect();
    clouds.extend(of(host, &HOSTS));
    clouds.sort_unstable();
    clouds.dedup();
    let keys: Vec<(CredentialId, String)> = bundle
        .credentials
        .items
        .iter()
        .filter(|one| clouds.contains(&one.provider.as_str()))
        .map(|one| (one.id.clone(), one.provider.clone()))
        .collect();
    for disk in disks {
        let Some(cloud) = of(&disk.driver, &DRIVERS) else { continue };
        let same = bundle.assets.items.iter().find(|asset| {
            let rest = asset.id.as_str().strip_suffix(disk.handle.as_str());
            asset.provider == cloud && rest.is_some_and(|rest| rest.ends_with(['/', ':']))
        });
        if let Some(asset) = same.map(|asset| asset.id.clone()) {
            let because = "destroy its disk in the cloud";
            let (needs, gains) = (vec![Atom::Destroyed(asset)], vec![Atom::Destroyed(disk.of.clone())]);
            bundle.steps.items.push(step(&format!("{}#disk", disk.of), needs, gains, Fact::Known(true), because));
            continue;
        }
        for (credential, provider) in keys.iter().filter(|(_, provider)| provider == cloud) {
            let possible = Fact::Unknown(doubt(bundle, provider, node, at));
            let because = "delete its disk in the cloud";
            let (needs, gains) = (vec![Atom::Credential(credential.clone())], vec![Atom::Destroyed(disk.of.clone())]);
            bundle.steps.items.push(step(&format!("{}#disk:{credential}", disk.of), needs, gains, possible, because));
        }
    }
    // Whoever runs the cluster lets people into it.
    let other = Atom::Principal(super::steps::others_at(node));
    for (credential, provider) in keys {
        let possible = Fact::Unknown(doubt(bundle, &provider, node, at));
        let because = "be let into the cluster by the cloud that it is of";
        let needs = vec![Atom::Credential(credential.clone())];
        bundle.steps.items.push(step(
            &format!("{node}#cloud:{credential}"),
            needs,
            vec![other.clone()],
            possible,
            because,
        ));
    }
}

fn step(id: &str, needs: Vec<Atom>, gains: Vec<Atom>, possible: Fact<bool>, because: &str) -> Step {
    Step {
        id: StepId(id.to_owned()),
        session: None,
        needs,
        gains,
        changes: false,
        possible,
        because: because.to_owned(),
        sources: Vec::new(),
    }
}

fn doubt(bundle: &mut Bundle, provider: &str, node: &NodeId, at: Time) -> Gap {
    let id = format!("kubernetes:cloud/{provider}:{node}");
    let operation = format!("say what a credential of {provider} may do to the cluster and the disks of {node}");
    let settle = format!("merge facts of {provider} (--merge) that list these disks");
    let source = Source::unanswered(id.into(), &operation, GapReason::Unsupported, &settle, at);
    let gap = Gap { source: source.id.clone(), reason: GapReason::Unsupported };
    if !bundle.sources.iter().any(|known| known.id == source.id) {
        bundle.sources.push(source);
    }
    gap
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_and_hosts_are_of_clouds() {
        assert_eq!(of("ebs.csi.aws.com", &DRIVERS), Some("aws"));
        assert_eq!(of("hostpath.csi.k8s.io", &DRIVERS), None);
        assert_eq!(of("ABCDEF.gr7.eu-west-1.eks.amazonaws.com", &HOSTS), Some("aws"));
        assert_eq!(of("10.0.0.1", &HOSTS), None);
    }
}
