//! What lies in a cluster, as its lists tell it.
//!
//! <https://kubernetes.io/docs/reference/kubernetes-api/>: fields are those of the published OpenAPI description.

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::fact::Gap;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::OPTIONAL;
use super::client::Client;
use crate::provider::facts::{Facts, Fault};
use crate::provider::token::Got;

/// What every object says of itself.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Meta {
    pub(super) name: String,
    #[serde(default)]
    pub(super) namespace: Option<String>,
    #[serde(default)]
    pub(super) uid: Option<String>,
    #[serde(default)]
    pub(super) labels: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(super) owner_references: Option<Vec<Owner>>,
}

/// What an object goes with.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(rename_all = "camelCase")]
pub(super) struct Owner {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) name: String,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Namespace {
    pub(super) metadata: Meta,
}

/// A claim of a volume.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Claim {
    pub(super) metadata: Meta,
    pub(super) spec: ClaimSpec,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClaimSpec {
    #[serde(default)]
    pub(super) volume_name: Option<String>,
    #[serde(default)]
    pub(super) storage_class_name: Option<String>,
    #[serde(default)]
    pub(super) resources: Option<Resources>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct Resources {
    #[serde(default)]
    pub(super) requests: Option<BTreeMap<String, String>>,
}

/// A volume.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Volume {
    pub(super) metadata: Meta,
    pub(super) spec: VolumeSpec,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct VolumeSpec {
    #[serde(default)]
    pub(super) persistent_volume_reclaim_policy: Option<String>,
    #[serde(default)]
    pub(super) claim_ref: Option<ClaimRef>,
    #[serde(default)]
    pub(super) storage_class_name: Option<String>,
    #[serde(default)]
    pub(super) csi: Option<Csi>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct ClaimRef {
    #[serde(default)]
    pub(super) namespace: Option<String>,
    #[serde(default)]
    pub(super) uid: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Csi {
    pub(super) driver: String,
    pub(super) volume_handle: String,
}

/// Whether a text is a name of Kubernetes: lower-case, as in a DNS name ("Object Names and IDs").
pub(super) fn is_name(text: &str) -> bool {
    (1..=253).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'.')
        && text.bytes().any(|b| b.is_ascii_alphanumeric())
}

/// Something that is listed.
pub(super) trait Object: DeserializeOwned + Clone {
    /// What it says of itself.
    fn meta(&self) -> &Meta;
}

macro_rules! objects {
    ($($name:ident),*) => {$(impl Object for $name {
        fn meta(&self) -> &Meta {
            &self.metadata
        }
    })*};
}
pub(super) use objects;
objects!(Namespace, Claim, Volume);

/// A listing: what was seen, and what of it was not.
#[derive(Clone, Debug)]
pub(super) struct Listed<T> {
    /// By namespace (empty where there is none) and name.
    pub(super) items: BTreeMap<(String, String), T>,
    /// Why not everything was seen; nothing, if it was.
    pub(super) gap: Option<Gap>,
    /// The namespaces of which everything was seen.
    pub(super) seen: BTreeSet<String>,
}

impl<T> Listed<T> {
    /// Why not all of a namespace was seen.
    pub(super) fn gap_in(&self, namespace: &str) -> Option<Gap> {
        self.gap.clone().filter(|_| !self.seen.contains(namespace))
    }
}

/// Lists something with whoever is allowed to, in all namespaces at once, or else in each.
pub(super) fn list<T: Object>(
    clients: &[Client<'_>],
    (whole, each): (&'static str, Option<&'static str>),
    namespaces: &BTreeSet<String>,
    facts: &mut Facts,
) -> Listed<T> {
    let mut listed = Listed { items: BTreeMap::new(), gap: None, seen: BTreeSet::new() };
    let mut gap = None;
    for client in clients {
        let fault = take(client.list(whole, None), None, &mut listed.items);
        // What is not installed is not there. Whoever may not list it is refused before.
        let fault = fault.filter(|fault| !(OPTIONAL.contains(&whole) && fault.says(&["404"])));
        match facts.outcome(whole, client.credential.as_str(), fault) {
            None => return listed,
            Some(why) => gap = gap.or(Some(why)),
        }
    }
    listed.gap = gap.or_else(|| Some(facts.doubt(whole, "nobody could be asked with")));
    let Some(each) = each else { return listed };
    for namespace in namespaces {
        for client in clients {
            let fault = take(client.list(each, Some(namespace)), Some(namespace), &mut listed.items);
            if facts.outcome(each, &format!("{} in {namespace}", client.credential), fault).is_none() {
                listed.seen.insert(namespace.clone());
                break;
            }
        }
    }
    listed
}

fn take<T: Object>(got: Got<T>, within: Option<&str>, items: &mut BTreeMap<(String, String), T>) -> Option<Fault> {
    let mut fault = got.fault;
    for one in got.items {
        let meta = one.meta();
        let namespace = meta.namespace.clone().unwrap_or_default();
        let known = is_name(&meta.name) && (namespace.is_empty() || is_name(&namespace));
        // What a namespace lists lies in it.
        if known && within.is_none_or(|within| within == namespace) {
            items.insert((namespace, meta.name.clone()), one);
        } else {
            fault = Some(Fault::malformed());
        }
    }
    fault
}
