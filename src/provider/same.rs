//! Databases that are reached by a URL and belong to an asset of a platform: one asset, and several ways in.
//!
//! They are joined by the host that the platform says its database has. A host that may be another name for the same one, as
//! a proxy, a tunnel or a name of one's own, leaves it open; one that is known to belong to another platform does not.

use std::collections::BTreeSet;

use deadstop_core::bundle::Bundle;
use deadstop_core::catalogue;
use deadstop_core::fact::{Fact, Gap, GapReason};
use deadstop_core::id::{CredentialId, NodeId, StepId};
use deadstop_core::model::{Asset, Atom, Source, Step};
use deadstop_core::time::Time;

use crate::collector::{Login, Logins};
use crate::readonly::socket::Place;

/// The host at which an asset's database is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) host: String,
    /// The provider of logins at it.
    pub(crate) engine: &'static str,
    pub(crate) asset: NodeId,
}

/// Joins the servers of these logins to the assets whose databases they are.
pub(crate) fn join(bundle: &mut Bundle, logins: &Logins, endpoints: &[Endpoint], at: Time) {
    let mut servers: Vec<(&NodeId, &str, String)> =
        logins.0.iter().map(|login| (&login.server, login.provider.as_str(), host(login))).collect();
    servers.sort();
    servers.dedup();
    for (server, engine, host) in servers {
        let of_engine = || endpoints.iter().filter(|end| end.engine == engine);
        let same: BTreeSet<&NodeId> =
            of_engine().filter(|end| end.host.eq_ignore_ascii_case(&host)).map(|end| &end.asset).collect();
        for end in of_engine().filter(|end| end.host.eq_ignore_ascii_case(&host)) {
            one(bundle, server, end, &Fact::Known(true));
        }
        // Another platform may sell the same database under a name of its own, and tell only at whose hosts it is.
        let sold = |end: &Endpoint| end.host.starts_with('.') && same.iter().all(|one| of(one) != of(&end.asset));
        let may_be = |end: &&Endpoint| {
            (same.is_empty() || sold(end))
                && !same.contains(&end.asset)
                && may_be(&host, &end.host.to_ascii_lowercase())
        };
        for end in of_engine().filter(may_be) {
            let possible = doubt(bundle, &host, at);
            one(bundle, server, end, &possible);
        }
    }
    nowhere(bundle, endpoints, at);
}

/// The provider of an asset, which its id begins with.
fn of(asset: &NodeId) -> &str {
    asset.as_str().split(':').next().unwrap_or_default()
}

/// Why it is not known whether a host is that of a database.
fn doubt(bundle: &mut Bundle, host: &str, at: Time) -> Fact<bool> {
    let operation = format!("say which database {host} is");
    let settle = format!("write the database's own host in the place of {host}");
    let source = Source::unanswered(format!("same:{host}").into(), &operation, GapReason::Unsupported, &settle, at);
    let gap = Gap { source: source.id.clone(), reason: GapReason::Unsupported };
    bundle.sources.push(source);
    Fact::Unknown(gap)
}

/// A login of which no server is told, or several are, may be for any database of its kind.
fn nowhere(bundle: &mut Bundle, endpoints: &[Endpoint], at: Time) {
    let lost = bundle.credentials.items.iter().filter(|one| one.within.is_none());
    let lost: Vec<(CredentialId, String)> = lost.map(|one| (one.id.clone(), one.provider.clone())).collect();
    for (credential, engine) in lost {
        for end in endpoints.iter().filter(|end| end.engine == engine) {
            let possible = doubt(bundle, "the server of a login", at);
            bundle.steps.items.push(Step {
                id: StepId(format!("same:{}:{credential}", end.asset)),
                session: None,
                needs: vec![Atom::Credential(credential.clone())],
                gains: vec![Atom::Destroyed(end.asset.clone())],
                changes: false,
                possible,
                because: "sign in to it with a login whose server is not told".to_owned(),
                sources: Vec::new(),
            });
        }
    }
}

/// Platforms whose hosts are those of their own databases and of nothing else: where any program may run, as at Railway, it
/// may be a proxy that stands before a database elsewhere.
const ELSEWHERE: [&str; 15] = [
    ".neon.tech",
    ".supabase.co",
    ".supabase.com",
    ".psdb.cloud",
    ".render.com",
    ".ondigitalocean.com",
    ".aivencloud.com",
    ".database.azure.com",
    ".cosmos.azure.com",
    ".cockroachlabs.cloud",
    ".tsdb.cloud.timescale.com",
    ".crunchybridge.com",
    ".mongodb.net",
    ".upstash.io",
    ".flympg.net",
];

/// The host of a database of Neon that was not told.
pub(crate) const ANY_NEON: &str = ".neon.tech";

/// The host of a service of Aiven that was not told.
pub(crate) const ANY_AIVEN: &str = ".aivencloud.com";

/// The host of a database of DigitalOcean that was not told.
pub(crate) const ANY_DIGITALOCEAN: &str = ".ondigitalocean.com";

/// The host of a cluster of MongoDB Atlas that was not told.
pub(crate) const ANY_ATLAS: &str = ".mongodb.net";

/// The host of a cluster of Fly.io that was not told.
pub(crate) const ANY_FLY: &str = ".flympg.net";

/// The host of a database of Upstash that was not told.
pub(crate) const ANY_UPSTASH: &str = ".upstash.io";

/// The hosts of a project of Supabase that was not told: its own, and those of its poolers.
pub(crate) const ANY_SUPABASE: [&str; 2] = [".supabase.co", ".supabase.com"];

/// The host of a database of Render that was not told.
pub(crate) const ANY_RENDER: &str = ".render.com";

/// The host of a service of Railway, which is not told: a port of a proxy that services share, or a name within an environment
/// (docs.railway.com, `networking/tcp-proxy`, `networking/private-networking`).
pub(crate) const ANY_RAILWAY: &str = ".rlwy.net";
const WITHIN_RAILWAY: &str = ".railway.internal";

/// The host of a branch of PlanetScale, which its databases share (PlanetScale documentation, "Connection strings").
pub(crate) const ANY_PLANETSCALE: &str = ".psdb.cloud";

/// How the host of a compute of Neon is compared: by its id, which it begins with, whichever Region or cluster is named
/// behind it (Neon documentation, `connect/connect-from-any-app`).
pub(crate) fn neon_host(compute: &str) -> String {
    format!("{compute}{ANY_NEON}")
}

/// Whether a host may be another name for the host of a database.
fn may_be(host: &str, own: &str) -> bool {
    if host.ends_with(ANY_NEON) && own.ends_with(ANY_NEON) {
        // A host without a compute's id leaves it to what is said when signing in (`connect/connection-errors`).
        return !host.starts_with("ep-") || own == ANY_NEON;
    }
    // Any host of a platform is that of a database whose host was not told.
    if own.starts_with('.') && host.ends_with(own) {
        return true;
    }
    let elsewhere = ELSEWHERE.iter().any(|end| host.ends_with(end) && !own.ends_with(end));
    match (shared(host), shared(own)) {
        _ if elsewhere => false,
        // One of another account or Region.
        (Some(one), Some(other)) => one == other,
        // Each of these is a database of its own.
        (None, None) => ELSEWHERE.iter().all(|end| !(host.ends_with(end) && own.ends_with(end))),
        (None, Some(_)) | (Some(_), None) => {
            [".supabase.co", ANY_NEON, ANY_RAILWAY, ANY_PLANETSCALE].iter().all(|end| !own.ends_with(end))
        }
    }
}

/// The host of a login, in lower case. The pooler of a compute of Neon has its name with `-pooler` behind it. A pooler of
/// Supabase is shared, and told by the name of the user which project is meant (Supabase documentation, "Connect to your
/// database": `postgres.PROJECT`).
fn host(login: &Login) -> String {
    let host = Place::read(&login.host, 0).map_or_else(|| login.host.to_ascii_lowercase(), |place| place.host);
    let project = login.user.as_deref().and_then(|user| user.rsplit_once('.')).map(|(_, project)| project);
    match project {
        Some(project) if host.ends_with(".pooler.supabase.com") => format!("db.{project}.supabase.co"),
        Some(_) | None if host.starts_with("ep-") && host.ends_with(ANY_NEON) => {
            let compute = host.split('.').next().unwrap_or(&host);
            neon_host(compute.strip_suffix("-pooler").unwrap_or(compute))
        }
        Some(_) | None => match host.strip_suffix(WITHIN_RAILWAY) {
            Some(service) => format!("{service}{ANY_RAILWAY}"),
            None => host,
        },
    }
}

/// What hosts of one account and Region at RDS and Redshift share: `HASH.REGION.rds.amazonaws.com`. An instance is
/// `NAME.HASH…`, a cluster `NAME.cluster-HASH…`, a reader, a custom endpoint or a proxy has another word before the hash
/// (RDS User Guide, `Aurora.Endpoints.Cluster`, `rds-proxy`).
fn shared(host: &str) -> Option<String> {
    let (_, rest) = host.split_once('.')?;
    let of_aws = [".rds.amazonaws.com", ".redshift.amazonaws.com", ".docdb.amazonaws.com", ".neptune.amazonaws.com"];
    let (label, place) = rest.split_once('.').filter(|_| of_aws.iter().any(|end| rest.ends_with(end)))?;
    // A writer of a global database may be in any Region.
    if label.starts_with("global-") {
        return None;
    }
    let hash = label.rsplit('-').next().unwrap_or(label);
    Some(format!("{hash}.{place}"))
}

/// Whoever destroys what is on the server destroys the asset; the server lies in it.
fn one(bundle: &mut Bundle, server: &NodeId, end: &Endpoint, possible: &Fact<bool>) {
    let Some(asset) = bundle.assets.items.iter().find(|asset| asset.id == end.asset) else { return };
    let environment = asset.environment.clone();
    let within = |one: &Asset| one.id == *server || one.parent.as_ref() == Some(server);
    let sure = possible.known() == Some(&true);
    for one in bundle.assets.items.iter_mut().filter(|one| within(one)) {
        let actions = catalogue::actions();
        let calls: BTreeSet<&str> =
            actions.iter().filter(|call| call.provider == one.provider).map(|call| call.action.as_str()).collect();
        for call in calls {
            bundle.steps.items.push(Step {
                id: StepId(format!("same:{}:{}:{call}", end.asset, one.id)),
                session: None,
                needs: vec![Atom::Can { action: call.to_owned(), target: one.id.clone() }],
                gains: vec![Atom::Destroyed(end.asset.clone())],
                changes: false,
                possible: possible.clone(),
                because: format!("destroy the data of {} with {call}", one.name),
                sources: Vec::new(),
            });
        }
        if sure && one.environment.known().is_none() {
            one.environment.clone_from(&environment);
        }
        if sure && one.id == *server && one.parent.is_none() {
            one.parent = Some(end.asset.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_one_account_and_region() {
        let known = shared("prod.c1a2b3.eu-west-1.rds.amazonaws.com");
        assert_eq!(known.as_deref(), Some("c1a2b3.eu-west-1.rds.amazonaws.com"));
        for same in [
            "prod.cluster-c1a2b3.eu-west-1.rds.amazonaws.com",
            "prod.cluster-ro-c1a2b3.eu-west-1.rds.amazonaws.com",
            "any.cluster-custom-c1a2b3.eu-west-1.rds.amazonaws.com",
            "any.proxy-c1a2b3.eu-west-1.rds.amazonaws.com",
        ] {
            assert_eq!(shared(same), known, "{same}");
        }
        for other in
            ["prod.zzzz.eu-west-1.rds.amazonaws.com", "prod.c1a2b3.us-east-1.rds.amazonaws.com", "db.example.com"]
        {
            assert_ne!(shared(other), known, "{other}");
        }
        assert_eq!(shared("localhost"), None);
        assert!(may_be("localhost", "prod.c1a2b3.eu-west-1.rds.amazonaws.com"));
        assert!(may_be("db.internal.example.com", "prod.c1a2b3.eu-west-1.rds.amazonaws.com"));
        assert!(may_be("any.global-abc.global.rds.amazonaws.com", "prod.c1a2b3.eu-west-1.rds.amazonaws.com"));
        assert!(!may_be("other.zzzz.eu-west-1.rds.amazonaws.com", "prod.c1a2b3.eu-west-1.rds.amazonaws.com"));
        assert!(!may_be("ep-1.eu-central-1.aws.neon.tech", "prod.c1a2b3.eu-west-1.rds.amazonaws.com"));
        assert!(!may_be("db.one.supabase.co", "db.other.supabase.co"));
        assert!(may_be("localhost", "db.other.supabase.co"));
        assert!(may_be("localhost", &neon_host("ep-a-1")));
        assert!(may_be("pg.neon.tech", &neon_host("ep-a-1")));
        assert!(may_be(&neon_host("ep-a-1"), ANY_NEON));
        assert!(!may_be(&neon_host("ep-a-1"), &neon_host("ep-b-2")));
        assert!(!may_be("prod.c1a2b3.eu-west-1.rds.amazonaws.com", ANY_NEON));
        assert!(may_be("shop-do-user-1.db.ondigitalocean.com", ANY_DIGITALOCEAN));
        assert!(!may_be("shop-do-user-1.db.ondigitalocean.com", "other-do-user-1.db.ondigitalocean.com"));
        assert!(!may_be("db.one.supabase.co", ANY_DIGITALOCEAN));
        assert!(may_be("localhost", ANY_DIGITALOCEAN));
        // Each cluster of Atlas has several hosts, and further ones for private endpoints and federated databases.
        assert!(!may_be("ac-1-shard-00-00.ab1cd.mongodb.net", "trial.ab1cd.mongodb.net"));
        assert!(may_be("ac-1-shard-00-00.ab1cd.mongodb.net", ANY_ATLAS));
        assert!(may_be("trial-pl-0.ab1cd.mongodb.net", ANY_ATLAS));
        assert!(!may_be("us1-calm-1.upstash.io", "calm-1.upstash.io"));
        assert!(may_be("us1-calm-1.upstash.io", ANY_UPSTASH));
        assert!(may_be("db.abcdefghijklmnopqrst.supabase.co", ANY_SUPABASE[0]));
        assert!(may_be("aws-0-eu-central-1.pooler.supabase.com", ANY_SUPABASE[1]));
        // A name of one's own, or of a machine, may be that of a database whose host was not told at all.
        assert!(may_be("db.internal", ""));
        assert!(!may_be(&neon_host("ep-a-1"), ""));
        assert!(may_be("shuttle.proxy.rlwy.net", ANY_RAILWAY));
        assert!(may_be("aws.connect.psdb.cloud", ANY_PLANETSCALE));
        assert!(!may_be("aws.connect.psdb.cloud", ANY_RAILWAY));
        assert!(!may_be("prod.c1a2b3.eu-west-1.rds.amazonaws.com", ANY_RAILWAY));
        // What runs at Railway, or on a machine, may be a proxy that stands before it.
        assert!(may_be("pgdog.rlwy.net", "prod.c1a2b3.eu-west-1.rds.amazonaws.com"));
        assert!(may_be("proxy.westeurope.cloudapp.azure.com", "prod.c1a2b3.eu-west-1.rds.amazonaws.com"));
        assert_eq!(shared("evil.c1a2b3.eu-west-1.rds.amazonaws.com.example.com"), None);
    }
}
