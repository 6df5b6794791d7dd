//! The auditor: credentials of the user's own, which read accounts so that the keys that were found need not.
//!
//! They are no credentials in reach for being used here: one that a session can read is found like any other.

mod profile;

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::fact::{Gap, GapReason};
use deadstop_core::iam::Caller;
use deadstop_core::id::CredentialId;
use roxmltree::Document;
use serde_json::Value;

use super::client::{Client, Fault};
use super::identify::{caller, homes, partition};
use super::reads::{SINGLE_SIGN_ON, STS, WEB_IDENTITY};
use super::{IDENTITY, xml};
use crate::collector::AwsKey;
use crate::provider::facts::Facts;
use crate::provider::pool::at_once;
use crate::readonly::ReadOnly;
use crate::secret::Secret;
use crate::surroundings::Surroundings;
pub use profile::ProfileError;
use profile::{Base, Hop, Profile};

/// Takes on a role.
pub(super) const ASSUME: &str = "sts:AssumeRole";
/// What a session of the auditor's is called where its profile does not say, so that CloudTrail tells it apart.
const SESSION: &str = "deadstop";

/// The auditor.
#[derive(Clone)]
pub struct Auditor {
    name: String,
    profile: Profile,
    roles: Vec<String>,
}

impl std::fmt::Debug for Auditor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the auditor of profile {} with {} roles", self.name, self.roles.len())
    }
}

impl Auditor {
    /// Reads the profile of this name from the user's own files, for these roles.
    ///
    /// # Errors
    /// If there is no such profile, or nothing in it that can be used without running a program or asking a person.
    pub fn read(name: &str, roles: &[String], around: &Surroundings) -> Result<Self, ProfileError> {
        Ok(Self { name: name.to_owned(), profile: Profile::read(name, around)?, roles: roles.to_vec() })
    }

    /// Its profile's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The roles that its profile and the configuration name, in the order in which they are taken on.
    pub fn roles(&self) -> impl Iterator<Item = &str> {
        self.profile.hops.iter().map(|hop| hop.role.as_str()).chain(self.roles.iter().map(String::as_str))
    }

    /// Everything whose credentials may be asked for in its name.
    #[must_use]
    pub fn lends(&self) -> BTreeSet<String> {
        let base = match &self.profile.base {
            Base::Key { .. } => None,
            Base::WebIdentity { role, .. } => Some(role.clone()),
            Base::SingleSignOn { account, role, .. } => Some(format!("{account}/{role}")),
        };
        self.roles().map(str::to_owned).chain(base).collect()
    }

    /// Who reads which account: a role that is named for it; else, if none is named or a key of it was found, the
    /// profile itself.
    pub(super) fn readers(
        &self,
        door: &ReadOnly,
        regions: &[String],
        found: &BTreeSet<String>,
        facts: &mut Facts,
    ) -> Readers {
        let mut readers = Readers::default();
        let desk = Desk { door, regions };
        let own = desk.own(&self.name, &self.profile).and_then(|key| {
            let mut last = Fault::of(GapReason::NotAsked);
            for region in homes(regions) {
                match caller(&Client { door, key: &key, region }) {
                    Ok((account, _)) => return Ok((account, key)),
                    Err(fault) => last = fault,
                }
            }
            Err((IDENTITY, last))
        });
        let (account, own) = match own {
            Ok((account, key)) => (account, key),
            Err((operation, fault)) => {
                let gap = facts.refused(operation, &format!("profile {}", self.name), &fault);
                let accounts = self.roles.iter().filter_map(|role| account_of(role));
                readers.gaps = accounts.map(|account| (account, gap.clone())).collect();
                readers.refused = Some(gap);
                return readers;
            }
        };
        let taken = at_once(super::AT_ONCE, &self.roles, |role| {
            let hop = Hop { role: role.clone(), external: None, session: None };
            let key = desk.assume(&own, &hop)?;
            let (there, _) = caller(&Client { door, key: &key, region: desk.home(role) })?;
            if account_of(role).as_ref() == Some(&there) { Ok(key) } else { Err(Fault::malformed()) }
        });
        for (role, taken) in self.roles.iter().zip(taken) {
            let Some(account) = account_of(role) else { continue };
            match taken {
                Ok(key) => {
                    facts.source(ASSUME, role);
                    readers.keys.entry(account).or_default().push(key);
                }
                Err(fault) => {
                    let gap = facts.refused(ASSUME, role, &fault);
                    readers.gaps.entry(account).or_insert(gap);
                }
            }
        }
        if self.roles.is_empty() || found.contains(&account) {
            readers.keys.entry(account).or_default().push(own);
        } else {
            readers.own = Some(own);
        }
        readers
    }
}

/// The account in an ARN.
fn account_of(arn: &str) -> Option<String> {
    Caller::new(arn).map(|caller| caller.account().to_owned())
}

/// Who reads which account, by number.
#[derive(Default)]
pub(super) struct Readers {
    pub(super) keys: BTreeMap<String, Vec<AwsKey>>,
    /// The profile's own, where its account is not read.
    pub(super) own: Option<AwsKey>,
    /// Why nobody reads an account that somebody was meant to read.
    pub(super) gaps: BTreeMap<String, Gap>,
    /// Why there is no auditor at all.
    pub(super) refused: Option<Gap>,
}

struct Desk<'a> {
    door: &'a ReadOnly,
    regions: &'a [String],
}

impl Desk<'_> {
    /// The Region in which a role is taken on: one of its partition.
    fn home(&self, arn: &str) -> &str {
        let wanted = arn.split(':').nth(1).unwrap_or("aws");
        let homes = homes(self.regions);
        homes.iter().find(|region| partition(region) == wanted).or(homes.first()).copied().unwrap_or(super::REGION)
    }

    /// The key that a profile comes to; else which call did not answer, and why.
    fn own(&self, name: &str, profile: &Profile) -> Result<AwsKey, (&'static str, Fault)> {
        let credential = CredentialId(format!("auditor:{name}"));
        let made = |id: &str, secret: Secret, token| AwsKey {
            credential: credential.clone(),
            id: id.to_owned(),
            secret,
            token,
            renewable: false,
        };
        let nobody = made("", Secret::new(b""), None);
        let mut key = match &profile.base {
            Base::Key { id, secret, token } => made(id, secret.clone(), token.clone()),
            Base::WebIdentity { role, session, token } => {
                let client = Client { door: self.door, key: &nobody, region: self.home(role) };
                let token = std::str::from_utf8(token.expose()).map_err(|_| (WEB_IDENTITY, Fault::malformed()))?;
                let session = session.as_deref().unwrap_or(SESSION);
                let fields = [("RoleArn", role.as_str()), ("RoleSessionName", session), ("WebIdentityToken", token)];
                let answer = client.unsigned("sts", "AssumeRoleWithWebIdentity", STS, &fields);
                answer.and_then(|answer| issued(&answer, &credential)).map_err(|fault| (WEB_IDENTITY, fault))?
            }
            Base::SingleSignOn { region, account, role, token } => {
                let client = Client { door: self.door, key: &nobody, region };
                let query = url::form_urlencoded::Serializer::new(String::new())
                    .append_pair("account_id", account)
                    .append_pair("role_name", role)
                    .finish();
                let answer = client.portal(&format!("/federation/credentials?{query}"), token);
                let key = answer.and_then(|answer| signed_in(&answer, &credential));
                key.map_err(|fault| (SINGLE_SIGN_ON, fault))?
            }
        };
        for hop in &profile.hops {
            key = self.assume(&key, hop).map_err(|fault| (ASSUME, fault))?;
        }
        Ok(AwsKey { credential, ..key })
    }

    /// The key of a role that this one takes on.
    fn assume(&self, key: &AwsKey, hop: &Hop) -> Result<AwsKey, Fault> {
        let client = Client { door: self.door, key, region: self.home(&hop.role) };
        let session = hop.session.as_deref().unwrap_or(SESSION);
        let mut fields = vec![("RoleArn", hop.role.as_str()), ("RoleSessionName", session)];
        fields.extend(hop.external.as_deref().map(|external| ("ExternalId", external)));
        let answer = client.form("sts", "AssumeRole", STS, &fields)?;
        issued(&answer, &CredentialId(format!("auditor:{}", hop.role)))
    }
}

/// The key in an answer of STS.
fn issued(answer: &str, credential: &CredentialId) -> Result<AwsKey, Fault> {
    let document = Document::parse(answer).map_err(|_| Fault::malformed())?;
    let credentials = xml::result(&document).and_then(|result| xml::child(result, "Credentials"));
    let said = |name: &str| credentials.and_then(|node| xml::text(node, name)).ok_or_else(Fault::malformed);
    Ok(key_of(said("AccessKeyId")?, said("SecretAccessKey")?, said("SessionToken")?, credential))
}

/// The key in an answer of the portal of single sign-on.
fn signed_in(answer: &Value, credential: &CredentialId) -> Result<AwsKey, Fault> {
    let given = answer.get("roleCredentials");
    let said = |name: &str| given.and_then(|given| given.get(name)?.as_str()).ok_or_else(Fault::malformed);
    Ok(key_of(said("accessKeyId")?, said("secretAccessKey")?, said("sessionToken")?, credential))
}

fn key_of(id: &str, secret: &str, token: &str, credential: &CredentialId) -> AwsKey {
    AwsKey {
        credential: credential.clone(),
        id: id.to_owned(),
        secret: Secret::new(secret.as_bytes()),
        token: Some(Secret::new(token.as_bytes())),
        renewable: false,
    }
}
