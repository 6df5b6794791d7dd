//! Who a login is, as the cluster says.

use std::collections::BTreeSet;

use deadstop_core::bundle::short_hash;
use deadstop_core::fact::{Fact, Gap};
use deadstop_core::id::{CredentialId, PrincipalId};
use deadstop_core::model::Status;
use serde::Deserialize;

use super::client::Client;
use super::{Server, WHO};
use crate::collector::ClusterLogin;
use crate::provider::facts::{Facts, Fault};
use crate::provider::token::shown;

/// Somebody that a cluster knows.
pub(super) struct Identity {
    pub(super) who: PrincipalId,
    pub(super) name: String,
    pub(super) masters: bool,
}

/// What is concluded of a credential from all the ways in which it is written: who it is, if all say the same.
pub(super) fn conclude(
    credential: &CredentialId,
    found: &[Result<Option<PrincipalId>, Gap>],
    facts: &mut Facts,
) -> (Fact<PrincipalId>, Fact<Status>) {
    let live = found.iter().any(Result::is_ok);
    let gap = found.iter().find_map(|one| one.as_ref().err().cloned());
    let status = match (live, gap.clone()) {
        (true, _) | (false, None) => Fact::Known(Status::Live),
        (false, Some(gap)) => Fact::Unknown(gap),
    };
    let all: BTreeSet<&PrincipalId> = found.iter().filter_map(|one| one.as_ref().ok()?.as_ref()).collect();
    let who = match (gap, all.len(), all.first()) {
        (None, 1, Some(who)) if found.iter().all(|one| matches!(one, Ok(Some(_)))) => Fact::Known((*who).clone()),
        (Some(gap), ..) => Fact::Unknown(gap),
        (None, ..) => {
            Fact::Unknown(facts.doubt(credential.as_str(), "it is several identities, or nobody in particular"))
        }
    };
    (who, status)
}

#[derive(Deserialize)]
struct UserInfo {
    username: Option<String>,
    #[serde(default)]
    groups: Option<Vec<String>>,
}

/// Whom a cluster takes a login for; nothing, where it lets everybody in.
pub(super) fn identify(
    client: &Client<'_>,
    login: &ClusterLogin,
    server: &Server<'_>,
    facts: &mut Facts,
) -> Result<Option<Identity>, Gap> {
    let scope = login.credential.as_str();
    let user = match client.who() {
        Ok(user) => user,
        // Clusters before 1.28 have no such review. What the kubeconfig calls it is a name as good as any: its rights are
        // asked in its own name.
        Err(fault) if fault.says(&["403", "404"]) => {
            facts.refused(WHO, scope, &fault);
            let who = login.principal.clone();
            return Ok(who.map(|who| Identity { name: who.0.clone(), who, masters: false }));
        }
        Err(fault) => return Err(facts.refused(WHO, scope, &fault)),
    };
    let user: Result<UserInfo, _> = serde_json::from_value(user);
    let Some((name, groups)) = user.ok().and_then(|user| Some((user.username?, user.groups))) else {
        return Err(facts.refused(WHO, scope, &Fault::malformed()));
    };
    if name.is_empty() || name == "system:anonymous" {
        return Err(facts.doubt(scope, "the cluster takes it for nobody, and so does not know it"));
    }
    facts.source(WHO, scope);
    let groups = groups.unwrap_or_default();
    // What is not shown of a name still tells it from others.
    let name = match shown(&name) {
        whole if whole == name => whole,
        part => format!("{part}~{}", short_hash(&name)),
    };
    // Two logins of one name in other groups are not the same.
    let mut sorted = groups.clone();
    sorted.retain(|group| group != "system:authenticated");
    sorted.sort();
    let within = if sorted.is_empty() { String::new() } else { format!("~{}", short_hash(&sorted.join("\n"))) };
    let who = PrincipalId(format!("{}#{name}{within}", server.node));
    // "Allows anyone in it everything, whatever the roles say" (RBAC good practices, system:masters).
    let masters = groups.iter().any(|group| group == "system:masters");
    Ok(Some(Identity { who, name, masters }))
}
