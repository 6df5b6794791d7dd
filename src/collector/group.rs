//! Which finds are one credential (floor 5): one id, or one secret, in however many places.

use std::collections::BTreeMap;

use deadstop_core::id::CredentialId;
use deadstop_core::model::Credential;

use super::find::{Find, Finds};
use super::hosts;
use super::{AwsKey, ClusterLogin, Login, Token};
use crate::config::with_tokens;
use crate::secret::Secret;

/// A secret of fewer bytes may well be two passwords by chance.
pub(super) const TELLING: usize = 8;

/// The different secrets that lie beside one AWS key id. More than a few are guesses of an attacker.
pub(super) fn keys(credential: &CredentialId, found: &[&Find]) -> Vec<AwsKey> {
    const MOST: usize = 3;
    let mut keys: Vec<AwsKey> = Vec::new();
    for find in found.iter().filter(|find| find.provider == "aws") {
        let (Some(id), Some(secret)) = (&find.public_id, &find.secret) else { continue };
        if keys.len() < MOST && !keys.iter().any(|key| key.secret == *secret && key.token == find.token) {
            let (id, secret, token) = (id.clone(), secret.clone(), find.token.clone());
            keys.push(AwsKey { credential: credential.clone(), id, secret, token, renewable: find.renewable });
        }
    }
    keys
}

/// The token that a credential is, if its provider is asked with it.
pub(super) fn token(credential: &CredentialId, provider: &str, kind: &str, found: &[&Find]) -> Option<Token> {
    // At another server it would be told to a provider that it is nothing to.
    if found.iter().any(|find| hosts::is_elsewhere(find)) {
        return None;
    }
    let secret =
        found.iter().find_map(|find| find.secret.as_ref()).filter(|_| provider == "aws" || with_tokens(provider))?;
    let public_id = found.iter().find_map(|find| find.public_id.clone());
    // Of AWS, what a sign-in left; keys are [`keys`], and what renews is sent nowhere.
    if provider == "aws" && kind != "sso_token" {
        return None;
    }
    let region = found.iter().find_map(|find| find.region.clone());
    // Files that give different keys one id are not to be believed, whichever is looked at first.
    let whole: Vec<&&Find> = found.iter().filter(|find| find.parsed).collect();
    let disagree = provider == "google"
        && whole.windows(2).any(|two| match two {
            [one, other] => one.account != other.account || one.secret != other.secret,
            _ => false,
        });
    let account = found.iter().find_map(|find| find.account.clone()).filter(|_| !disagree);
    let (credential, secret) = (credential.clone(), secret.clone());
    Some(Token { credential, provider: provider.to_owned(), kind: kind.to_owned(), public_id, region, account, secret })
}

/// The logins at databases that a credential is: one for each database and password that its places name. More than a few
/// are guesses of an attacker.
pub(super) fn logins(credential: &Credential, found: &[&Find]) -> Vec<Login> {
    const MOST: usize = 8;
    let mut logins: Vec<Login> = Vec::new();
    let (Some(principal), Some(server)) = (credential.identity.known(), &credential.within) else { return logins };
    for find in found {
        let Some(at) = find.database.as_ref().filter(|at| at.server() == server.as_str()) else { continue };
        let login = Login {
            credential: credential.id.clone(),
            provider: at.provider.to_owned(),
            user: at.user.clone(),
            host: at.host.clone(),
            database: at.database.clone(),
            source: at.source.clone(),
            tls: at.tls,
            secret: find.secret.clone(),
            principal: principal.clone(),
            server: server.clone(),
        };
        if logins.len() < MOST && !logins.contains(&login) {
            logins.push(login);
        }
    }
    logins
}

/// The logins at clusters that a credential is: one for each place that says how to reach it. More than a few are guesses of
/// an attacker.
pub(super) fn clusters(credential: &Credential, found: &[&Find]) -> Vec<ClusterLogin> {
    const MOST: usize = 8;
    let mut all: Vec<ClusterLogin> = Vec::new();
    let Some(server) = &credential.within else { return all };
    for find in found {
        let Some(entry) = find.cluster.as_deref() else { continue };
        let login = ClusterLogin {
            credential: credential.id.clone(),
            principal: credential.identity.known().cloned(),
            server: server.clone(),
            file: (find.spot.kind == "file").then(|| find.spot.path.clone()),
            entry: entry.clone(),
        };
        if !all.contains(&login) {
            all.push(login);
        }
    }
    // One too many is kept, so that whoever asks sees that there are.
    all.truncate(MOST + 1);
    all
}

/// Sorts the finds, and leaves out what was found twice because a file was read twice.
pub(super) fn once(all: &mut Finds) {
    fn secret(find: &Find) -> Option<&[u8]> {
        find.secret.as_ref().map(Secret::expose)
    }
    all.chains.sort();
    all.chains.dedup();
    all.profiles.sort();
    all.profiles.dedup();
    let finds = &mut all.finds;
    finds.sort_by(|a, b| {
        (a.public_id.is_none(), &a.provider, &a.public_id, std::cmp::Reverse(a.strength), &a.kind, &a.spot)
            .cmp(&(b.public_id.is_none(), &b.provider, &b.public_id, std::cmp::Reverse(b.strength), &b.kind, &b.spot))
            .then_with(|| secret(a).cmp(&secret(b)))
    });
    finds.dedup_by(|a, b| {
        (&a.provider, &a.kind, &a.spot, &a.public_id, &a.secret)
            == (&b.provider, &b.kind, &b.spot, &b.public_id, &b.secret)
    });
}

/// Which finds are one credential: those with one public id, and those with one secret. The finds are sorted.
pub(super) fn group(finds: &[Find]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut by_id: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut by_secret: BTreeMap<&[u8], usize> = BTreeMap::new();
    for (at, find) in finds.iter().enumerate() {
        let secret = find.secret.as_ref().map(Secret::expose);
        let telling = secret.filter(|secret| secret.len() >= TELLING);
        let known = match &find.public_id {
            Some(id) => by_id.get(&(find.provider.as_str(), id.as_str())),
            None => telling.and_then(|secret| by_secret.get(secret)),
        };
        let group = known.copied().unwrap_or(groups.len());
        if let Some(members) = groups.get_mut(group) {
            members.push(at);
        } else {
            groups.push(vec![at]);
        }
        if let Some(id) = &find.public_id {
            by_id.entry((find.provider.as_str(), id.as_str())).or_insert(group);
        }
        if let Some(secret) = telling {
            by_secret.entry(secret).or_insert(group);
        }
    }
    groups
}
