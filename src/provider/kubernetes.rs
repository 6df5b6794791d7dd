//! Kubernetes: whose each login of a kubeconfig is, what it may do, and which data lies in the cluster.
//!
//! <https://kubernetes.io/docs/reference/kubernetes-api/>. A server is asked only if the configuration that the user named with
//! `--config` names its host, as databases are; plugins are never run. Who somebody is and what he may do is asked by reviews,
//! which are answered and not stored. No secret is read.

mod admission;
mod assets;
mod client;
mod clouds;
mod copies;
mod identity;
mod login;
mod objects;
mod owners;
mod reads;
mod rights;
mod rules;
mod steps;

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::bundle::Bundle;
use deadstop_core::fact::{Gap, GapReason};
use deadstop_core::id::{CredentialId, NodeId, PrincipalId};
use deadstop_core::model::{Basis, Source};
use deadstop_core::time::Time;

use super::databases::say;
use super::facts::{About, Facts, Fault};
use super::platform::{May, anything};
use super::token::shown;
use super::{Learnt, join, pool};
use crate::collector::{ClusterLogin, Clusters};
use crate::readonly::ReadOnly;
use crate::readonly::socket::Place;
use client::Client;
use identity::{Identity, conclude, identify};
pub use login::Own;
use objects::{Claim, Listed, Namespace, Volume};
use reads::{
    BACKUPS, BACKUPS_IN, BINDINGS, CLAIMS, CLAIMS_IN, CONTENTS, MAY, MUTATING, NAMESPACES, OPTIONAL, POLICIES, READS,
    RULES, SNAPSHOTS, SNAPSHOTS_IN, VALIDATING, VOLUMES, WHO,
};
pub use reads::{lists, operations};
use rights::Rights;

/// Its name as a provider.
pub const NAME: &str = "kubernetes";
/// Its name in prose.
pub const TITLE: &str = "Kubernetes";

const ABOUT: About = About {
    provider: NAME,
    scope: TITLE,
    allow: "to one of the logins found (deadstop permissions kubernetes prints what it takes)",
};

/// How many servers are asked at once.
const AT_ONCE: usize = 4;
/// How many logins of one server are asked with. More in one place are guesses of whoever put them there.
const MOST: usize = 50;
/// How many namespaces somebody is asked about at once, and at most.
const NAMESPACES_AT_ONCE: usize = 8;
const MOST_NAMESPACES: usize = 500;

/// One server, and everybody that is found for it.
struct Server<'a> {
    node: NodeId,
    place: Place,
    logins: Vec<&'a ClusterLogin>,
    /// The providers of which some credential was found.
    found: &'a BTreeSet<String>,
}

/// What is told of a server beside facts.
struct Beside {
    node: NodeId,
    host: String,
    disks: Vec<clouds::Disk>,
    /// What no other cluster has: the number of its first namespace.
    mark: Option<String>,
    /// Who it may be asked as.
    identities: BTreeSet<PrincipalId>,
}

/// What was seen of a cluster.
struct Seen {
    node: NodeId,
    namespaces: Listed<Namespace>,
    /// The namespaces that are listed, and those that something names.
    known: BTreeSet<String>,
    claims: Listed<Claim>,
    volumes: Listed<Volume>,
    admission: admission::Admission,
    copies: copies::Copies,
    /// The clouds of its disks of which some credential was found.
    clouds: BTreeSet<&'static str>,
}

impl Seen {
    fn namespace(&self, name: &str) -> NodeId {
        NodeId(format!("{}/namespace/{name}", self.node))
    }

    fn claim(&self, namespace: &str, name: &str) -> NodeId {
        NodeId(format!("{}/pvc/{name}", self.namespace(namespace)))
    }

    fn volume(&self, name: &str) -> NodeId {
        NodeId(format!("{}/pv/{name}", self.node))
    }

    /// The disks of its volumes, each with what it is of.
    fn disks(&self) -> Vec<clouds::Disk> {
        let disk = |((_, name), volume): (&(String, String), &Volume)| {
            let csi = volume.spec.csi.as_ref()?;
            let claim = self.claimant(name).map(|(namespace, claim)| self.claim(namespace, claim));
            let of = claim.unwrap_or_else(|| self.volume(name));
            Some(clouds::Disk { driver: csi.driver.clone(), handle: csi.volume_handle.clone(), of })
        };
        self.volumes.items.iter().filter_map(disk).collect()
    }

    /// The volumes that a new claim may be bound to: those that are not, or no longer, of one claim and no other.
    fn free(&self) -> Vec<NodeId> {
        let of =
            |volume: &Volume| volume.spec.claim_ref.as_ref().and_then(|claim| claim.uid.clone()).unwrap_or_default();
        let free = self
            .volumes
            .items
            .iter()
            .filter(|((_, name), volume)| of(volume).is_empty() && self.claimant(name).is_none());
        free.map(|((_, name), _)| self.volume(name)).collect()
    }

    /// The claim that is bound to a volume.
    fn claimant(&self, volume: &str) -> Option<&(String, String)> {
        self.claims
            .items
            .iter()
            .find(|(_, claim)| claim.spec.volume_name.as_deref() == Some(volume))
            .map(|(key, _)| key)
    }
}

/// Asks the servers that the user named, and says of the others how to name them.
pub fn ask(
    door: &ReadOnly,
    clusters: &Clusters,
    own: &Own<'_>,
    wanted: &dyn Fn(&str) -> bool,
    at: Time,
    bundle: &mut Bundle,
) {
    if !wanted(NAME) {
        return;
    }
    let mut servers: BTreeMap<&NodeId, Vec<&ClusterLogin>> = BTreeMap::new();
    for login in &clusters.0 {
        servers.entry(&login.server).or_default().push(login);
    }
    let found: BTreeSet<String> = bundle.credentials.items.iter().map(|one| one.provider.clone()).collect();
    let (mut asked, mut open) = (Vec::new(), Vec::new());
    for (node, logins) in servers {
        let place = logins.first().and_then(|login| {
            let url = &login.entry.server;
            Place::read(&format!("{}:{}", url.host_str()?, url.port_or_known_default()?), 443)
        });
        match place {
            Some(place) if door.names(NAME, &place) => {
                asked.push(Server { node: node.clone(), place, logins, found: &found });
            }
            place => open.push((node.clone(), not_named(node, place.as_ref(), at))),
        }
    }
    if !asked.is_empty() {
        let mut learnt = Learnt::new(Facts::new(ABOUT, at));
        let each = pool::at_once(AT_ONCE, &asked, |server| one(door, server, own, at));
        let mut beside = Vec::new();
        for (seen, more) in each {
            learnt.absorb(seen);
            beside.extend(more);
        }
        by_other_names(&beside, &asked, &mut learnt.facts);
        let unread = std::mem::take(&mut learnt.open);
        learnt.described.extend(learnt.facts.assets.iter().map(|asset| asset.id.clone()));
        join(bundle, learnt);
        for one in &beside {
            clouds::join(bundle, (&one.node, &one.host), &one.disks, at);
        }
        for (node, gap) in unread {
            say(bundle, NAME, &node, &gap);
        }
    }
    for (node, source) in open {
        let gap = Gap { source: source.id.clone(), reason: GapReason::NotAsked };
        bundle.sources.push(source);
        say(bundle, NAME, &node, &gap);
    }
}

/// The source of what is not known of a server that the user's configuration does not name.
fn not_named(node: &NodeId, place: Option<&Place>, at: Time) -> Source {
    let settle = place.map_or_else(
        || "merge facts of it (--merge): its address is none that is connected to".to_owned(),
        |place| {
            format!(
                "name it in the file of --config, as providers: {{kubernetes: {{hosts: [\"{place}\"]}}}}, and run with --live; or merge facts of it (--merge)"
            )
        },
    );
    let operation = format!("ask Kubernetes at {node}");
    let source =
        Source::unanswered(format!("kubernetes:hosts:{node}").into(), &operation, GapReason::NotAsked, &settle, at);
    Source { provider: Some(NAME.to_owned()), ..source }
}

/// Leaves in doubt what somebody may do at a server that may be his own under another name: by its mark, or where that was not
/// read, by who signs its certificate.
fn by_other_names(beside: &[Beside], asked: &[Server<'_>], facts: &mut Facts) {
    let signed = |node: &NodeId| {
        let server = asked.iter().find(|server| server.node == *node);
        server.and_then(|server| server.logins.first()).map(|login| &login.entry.authority)
    };
    for one in beside {
        for other in beside.iter().filter(|other| other.node != one.node) {
            let same = match (&one.mark, &other.mark) {
                (Some(mark), Some(known)) => mark == known,
                (None, _) | (_, None) => signed(&one.node) == signed(&other.node),
            };
            if !same {
                continue;
            }
            let why = format!("it may be the same cluster as {}, whose users were not asked here", other.node);
            let gap = facts.doubt(one.node.as_str(), &why);
            for who in &other.identities {
                facts.grant(
                    Some(who),
                    anything(),
                    one.node.clone(),
                    &May::NotKnown(gap.clone()),
                    (MAY, one.node.as_str()),
                );
            }
        }
    }
}

/// Asks one server with everybody that is found for it.
fn one(door: &ReadOnly, server: &Server<'_>, own: &Own<'_>, at: Time) -> (Learnt, Option<Beside>) {
    let mut learnt = Learnt::new(Facts::new(ABOUT, at));
    let (mut clients, mut identities) = (Vec::new(), Vec::new());
    let mut told: BTreeMap<CredentialId, Vec<Result<Option<PrincipalId>, Gap>>> = BTreeMap::new();
    for (number, login) in server.logins.iter().enumerate() {
        let scope = login.credential.as_str();
        let client = if number < MOST { Some(login::client(door, login, own)) } else { None };
        let found = match client {
            None => {
                Err(learnt.facts.not_asked(scope, "there are too many logins for one server", "name fewer folders"))
            }
            Some(Err(unused)) => Err(learnt.facts.not_asked(scope, unused.why, unused.settle)),
            Some(Ok(client)) => match identify(&client, login, server, &mut learnt.facts) {
                Ok(identity) => {
                    let who = identity.as_ref().map(|identity| identity.who.clone());
                    identities.extend(identity.map(|identity| (clients.len(), identity)));
                    clients.push(client);
                    Ok(who)
                }
                Err(gap) => Err(gap),
            },
        };
        told.entry(login.credential.clone()).or_default().push(found);
    }
    for (credential, found) in told {
        learnt.identities.insert(credential.clone(), conclude(&credential, &found, &mut learnt.facts));
    }
    if clients.is_empty() {
        let gap = learnt.identities.values().find_map(|(who, _)| who.gap().cloned());
        learnt.open.extend(gap.map(|gap| (server.node.clone(), gap)));
        return (learnt, None);
    }
    let seen = look(&clients, &identities, server, &mut learnt.facts);
    assets::describe(&seen, server, &mut learnt.facts);
    steps::of(&seen, &mut learnt.facts);
    let mut done = BTreeSet::new();
    for (at, identity) in &identities {
        // Two logins of one name may come with rights of their own.
        if let Some(client) = clients.get(*at) {
            rights_of(client, identity, &seen, &mut learnt.facts);
        }
        if done.insert(identity.who.clone()) {
            more(identity, &seen, &mut learnt.facts);
        }
    }
    let stranger = server.logins.iter().find_map(|login| login::stranger(door, login, own));
    if let Some(stranger) = stranger {
        anybody(&stranger, &seen, &mut learnt.facts);
    }
    let beside = Beside {
        node: server.node.clone(),
        host: server.place.host.clone(),
        disks: seen.disks(),
        mark: seen
            .namespaces
            .items
            .get(&(String::new(), "kube-system".to_owned()))
            .and_then(|one| one.metadata.uid.clone()),
        identities: done,
    };
    (learnt, Some(beside))
}

/// Whatever else an identity may come to do. What controllers make of what may be written there, who else is behind a name, and
/// which other disk is the same one, is in no answer: nothing is ever said to be stopped at a cluster.
fn more(identity: &Identity, seen: &Seen, facts: &mut Facts) {
    let gap = facts.doubt(&identity.name, "what a cluster makes of what may be read or written in it is not followed");
    let asked = (MAY, identity.name.as_str());
    facts.grant(Some(&identity.who), anything(), seen.node.clone(), &May::NotKnown(gap), asked);
}

/// Whom the cluster lets in without a credential: nobody; somebody who may ask what he may do; or somebody who may not ask, of
/// whom it is seen whether he is shown anything ("Authenticating", anonymous requests).
fn anybody(client: &Client<'_>, seen: &Seen, facts: &mut Facts) {
    let scope = "anybody, without a credential";
    let who = PrincipalId(format!("{}#anybody", seen.node));
    let refused = |fault: &Fault| fault.says(&["401", "403"]);
    let asked = (MAY, scope);
    match rights::everything(client) {
        client::May::Open(fault) if fault.says(&["401"]) => {
            facts.source(MAY, scope);
            return;
        }
        client::May::Open(fault) if refused(&fault) => {
            let namespaces = client.list::<Namespace>(NAMESPACES, None).fault;
            let claims = client.list::<Claim>(CLAIMS, None).fault;
            if namespaces.as_ref().is_some_and(refused) && claims.as_ref().is_some_and(refused) {
                facts.source(NAMESPACES, scope);
                return;
            }
            let gap = facts.doubt(scope, "it is shown what lies in the cluster, and may not ask what else it may do");
            facts.principal(&who, scope, None, asked);
            facts.grant(Some(&who), anything(), seen.node.clone(), &May::NotKnown(gap), asked);
        }
        client::May::Open(_) | client::May::Yes | client::May::No => {
            let name = scope.to_owned();
            rights_of(client, &Identity { who: who.clone(), name, masters: false }, seen, facts);
        }
    }
    steps::for_anybody(&seen.node, who, facts);
}

/// Lists what lies in the cluster, with whoever may.
fn look(clients: &[Client<'_>], identities: &[(usize, Identity)], server: &Server<'_>, facts: &mut Facts) -> Seen {
    let none = BTreeSet::new();
    let namespaces: Listed<Namespace> = objects::list(clients, (NAMESPACES, None), &none, facts);
    let mut known: BTreeSet<String> = namespaces.items.keys().map(|(_, name)| name.clone()).collect();
    if namespaces.gap.is_some() {
        let contexts = server.logins.iter().filter_map(|login| login.entry.namespace.clone());
        // An account of a program is one of a namespace ("Authenticating", service account tokens).
        let account = |name: &str| name.strip_prefix("system:serviceaccount:")?.split(':').next().map(str::to_owned);
        let accounts = identities.iter().filter_map(|(_, identity)| account(&identity.name));
        known.extend(contexts.chain(accounts).chain(["default".to_owned()]).filter(|name| objects::is_name(name)));
    }
    let claims = objects::list(clients, (CLAIMS, Some(CLAIMS_IN)), &known, facts);
    known.extend(claims.items.keys().map(|(namespace, _): &(String, String)| namespace.clone()));
    let volumes = objects::list(clients, (VOLUMES, None), &none, facts);
    let admission = admission::look(clients, facts);
    let copies = copies::look(clients, &known, facts);
    let clouds = BTreeSet::new();
    let mut seen = Seen { node: server.node.clone(), namespaces, known, claims, volumes, admission, copies, clouds };
    seen.clouds = clouds::of_cluster(&server.place.host, &seen.disks(), server.found);
    seen
}

/// Asks what somebody may do, and states it.
fn rights_of(client: &Client<'_>, identity: &Identity, seen: &Seen, facts: &mut Facts) {
    let (who, scope) = (&identity.who, identity.name.as_str());
    facts.principal(who, &identity.name, None, (WHO, client.credential.as_str()));
    let cluster = seen.node.clone();
    if identity.masters {
        let because = "it is in the group system:masters, which is allowed everything";
        facts.granted(who, anything(), cluster, (Basis::Observed, because), (WHO, scope));
        return;
    }
    match rights::everything(client) {
        client::May::Yes => {
            let because = "the cluster says that it may do everything";
            facts.granted(who, anything(), cluster, (Basis::Simulated, because), (MAY, scope));
            return;
        }
        client::May::No => {}
        client::May::Open(fault) => {
            let gap = facts.refused(MAY, &format!("{scope}: everything"), &fault);
            facts.grant(Some(who), anything(), cluster.clone(), &May::NotKnown(gap), (MAY, scope));
        }
    }
    let first = seen.known.first().map_or("default", String::as_str);
    let rules = rights::rules_of(client, first).ok();
    let volumes = |resource: &str| match resource {
        "persistentvolumes" => seen.volumes.items.keys().map(|(_, name)| name.clone()).collect(),
        _ => Vec::new(),
    };
    let known = rights::in_cluster(client, rules.as_ref(), &volumes, (scope, facts));
    state((&known, &known), identity, None, seen, facts);
    if seen.known.len() > MOST_NAMESPACES {
        let gap = facts.refused(RULES, scope, &Fault::of(GapReason::TooLarge));
        facts.grant(Some(who), anything(), cluster.clone(), &May::NotKnown(gap), (RULES, scope));
    }
    let all: Vec<&String> = seen.known.iter().take(MOST_NAMESPACES).collect();
    let each = pool::at_once(NAMESPACES_AT_ONCE, &all, |namespace| {
        let mut facts = Facts::new(ABOUT, facts.at());
        let names = |resource: &str| assets::names(seen, namespace, resource);
        let rights = rights::in_namespace(client, (namespace, &known), &names, (scope, &mut facts));
        (facts, rights)
    });
    for (namespace, (more, rights)) in all.into_iter().zip(each) {
        facts.absorb(more);
        state((&rights, &known), identity, Some(namespace), seen, facts);
    }
    owners_of(client, identity, seen, facts);
    if let Some(gap) = &seen.namespaces.gap {
        let rest = NodeId(format!("{cluster}/?"));
        facts.grant(Some(who), anything(), rest, &May::NotKnown(gap.clone()), (NAMESPACES, scope));
    }
}

/// Asks what somebody may delete of what owns claims. Sets of pods are asked with everything else of a namespace.
fn owners_of(client: &Client<'_>, identity: &Identity, seen: &Seen, facts: &mut Facts) {
    let (who, scope) = (&identity.who, identity.name.as_str());
    for (node, kind) in seen.owners() {
        let Some((namespace, name)) = assets::owner_name(seen, &node) else { continue };
        let Some(kind) = kind else {
            let gap = facts.doubt(scope, "what owns a claim is of a kind that is not known here");
            let one = vec![owners::DELETE_OTHER.to_owned()];
            facts.grant(Some(who), one, node, &May::NotKnown(gap), (MAY, scope));
            continue;
        };
        if kind.action == rights::DELETE_SET {
            continue;
        }
        for verb in ["delete", "deletecollection"] {
            let (group, resource) = (kind.group, kind.plural);
            let name = if verb == "delete" { name.as_str() } else { "" };
            let one = || vec![kind.action.to_owned()];
            match client.may(client::About { verb, group, resource, namespace: &namespace, name }) {
                client::May::Yes => {
                    let because = (Basis::Simulated, "the cluster says that it may");
                    facts.granted(who, one(), node.clone(), because, (MAY, scope));
                }
                client::May::No => {}
                client::May::Open(fault) => {
                    let gap = facts.refused(MAY, &format!("{scope}: {verb} {resource} in {namespace}"), &fault);
                    facts.grant(Some(who), one(), node.clone(), &May::NotKnown(gap), (MAY, scope));
                }
            }
        }
    }
}

/// States what somebody may do in one namespace, or in the cluster as a whole.
fn state(
    (rights, known): (&Rights, &Rights),
    identity: &Identity,
    namespace: Option<&str>,
    seen: &Seen,
    facts: &mut Facts,
) {
    steps::grant(rights, (&identity.who, &identity.name), namespace, seen, facts);
    steps::own((rights, known), &identity.who, namespace, seen, facts);
}

/// A text of the cluster as it may be shown.
fn name_of(text: &str) -> String {
    shown(text)
}
