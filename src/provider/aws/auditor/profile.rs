//! A profile of the user's own, read from `~/.aws` as the command-line client reads it (AWS SDKs and Tools Reference
//! Guide, "Shared config and credentials files"). Nothing that it names is run, and nothing is renewed or written.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use deadstop_core::time::Time;
use serde_json::Value;
use zeroize::Zeroizing;

use crate::secret::Secret;
use crate::surroundings::Surroundings;

/// The largest file that is read.
const LARGEST: u64 = 1 << 20;
/// The most files of a cache that are looked at.
const MOST: usize = 200;

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ProfileError {
    /// It is in neither file.
    #[error("the profile `{0}` is in neither {1} nor {2}")]
    Missing(String, String, String),
    /// It leads back to itself.
    #[error("the profile `{0}` starts from itself, by way of other profiles")]
    Loop(String),
    /// What it has cannot be used.
    #[error("the profile `{0}`: {1}")]
    Unusable(String, String),
}

/// What a profile comes to: what is there to begin with, and the roles that are taken on from there, in order.
#[derive(Clone)]
pub(super) struct Profile {
    pub(super) base: Base,
    pub(super) hops: Vec<Hop>,
}

/// What a chain of roles begins with.
#[derive(Clone)]
pub(super) enum Base {
    /// A key.
    Key { id: String, secret: Secret, token: Option<Secret> },
    /// A token of an identity provider, which a role takes.
    WebIdentity { role: String, session: Option<String>, token: Secret },
    /// A sign-in that is still valid, and what it is used for.
    SingleSignOn { region: String, account: String, role: String, token: Secret },
}

/// A role that is taken on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hop {
    pub(super) role: String,
    pub(super) external: Option<String>,
    pub(super) session: Option<String>,
}

type Settings = BTreeMap<String, Zeroizing<String>>;

/// Both files, by profile; and sections of sessions, by name.
struct Files<'a> {
    around: &'a Surroundings,
    config: PathBuf,
    credentials: PathBuf,
    profiles: BTreeMap<String, Settings>,
    sessions: BTreeMap<String, Settings>,
}

impl Profile {
    /// Reads a profile by its name.
    pub(super) fn read(name: &str, around: &Surroundings) -> Result<Self, ProfileError> {
        Files::read(around).resolve(name, &mut Vec::new())
    }
}

impl<'a> Files<'a> {
    fn read(around: &'a Surroundings) -> Self {
        let home = around.home.clone().unwrap_or_default().join(".aws");
        let place = |variable: &str, name: &str| around.var(variable).map_or_else(|| home.join(name), PathBuf::from);
        let mut files = Self {
            config: place("AWS_CONFIG_FILE", "config"),
            credentials: place("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
            around,
            profiles: BTreeMap::new(),
            sessions: BTreeMap::new(),
        };
        for (section, settings) in sections(&text(&files.config).unwrap_or_default()) {
            let (kind, name) = section.split_once(char::is_whitespace).unwrap_or(("", &section));
            let name = name.trim().trim_matches(['"', '\'']).to_owned();
            let into = match kind {
                "sso-session" => &mut files.sessions,
                "profile" => &mut files.profiles,
                "" if name == "default" => &mut files.profiles,
                _ => continue,
            };
            into.entry(name).or_default().extend(settings);
        }
        // "If there are credentials in both files for a profile, those in the credentials file take precedence."
        for (name, settings) in sections(&text(&files.credentials).unwrap_or_default()) {
            files.profiles.entry(name).or_default().extend(settings);
        }
        files
    }

    fn resolve(&self, name: &str, seen: &mut Vec<String>) -> Result<Profile, ProfileError> {
        let Some(settings) = self.profiles.get(name) else {
            let show = |path: &Path| path.display().to_string();
            return Err(ProfileError::Missing(name.to_owned(), show(&self.config), show(&self.credentials)));
        };
        let unusable = |why: &str| ProfileError::Unusable(name.to_owned(), why.to_owned());
        let get = |key: &str| settings.get(key).map(|value| value.as_str()).filter(|value| !value.is_empty());
        let own = || match (get("aws_access_key_id"), get("aws_secret_access_key")) {
            (Some(id), Some(secret)) => Some(Base::Key {
                id: id.to_owned(),
                secret: Secret::new(secret.as_bytes()),
                token: get("aws_session_token").map(|token| Secret::new(token.as_bytes())),
            }),
            _ => None,
        };
        if seen.iter().any(|before| before == name) {
            return Err(ProfileError::Loop(name.to_owned()));
        }
        seen.push(name.to_owned());
        let simple = |base| Profile { base, hops: Vec::new() };
        if let Some(role) = get("role_arn") {
            if get("mfa_serial").is_some() {
                let why = "its role asks for a code of a device (mfa_serial): put the keys of a session that you signed in to into a profile of their own";
                return Err(unusable(why));
            }
            let session = get("role_session_name").map(str::to_owned);
            let mut before = match (get("source_profile"), get("credential_source"), get("web_identity_token_file")) {
                (Some(source), None, _) if source == name => {
                    own().map(simple).ok_or_else(|| unusable("it starts from itself and has no keys"))?
                }
                (Some(source), None, _) => self.resolve(source, seen)?,
                (None, Some("Environment"), _) => simple(self.environment().ok_or_else(|| {
                    unusable("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, which it starts from, are not both set")
                })?),
                (None, Some(_), _) => {
                    return Err(unusable(
                        "no metadata service is asked for credentials: only `credential_source = Environment` is read",
                    ));
                }
                (None, None, Some(file)) => {
                    let token = text(Path::new(file)).map(|text| Secret::new(text.trim().as_bytes()));
                    let token = token.filter(|token| !token.is_empty());
                    let token = token.ok_or_else(|| unusable("its web_identity_token_file cannot be read"))?;
                    return Ok(simple(Base::WebIdentity { role: role.to_owned(), session, token }));
                }
                (Some(_), Some(_), _) => {
                    return Err(unusable("it has both source_profile and credential_source"));
                }
                (None, None, None) => return Err(unusable("it names a role and nothing to take it on from")),
            };
            let external = get("external_id").map(str::to_owned);
            before.hops.push(Hop { role: role.to_owned(), external, session });
            return Ok(before);
        }
        if get("sso_session").is_some() || get("sso_start_url").is_some() {
            return self.single_sign_on(name, settings).map(simple);
        }
        if let Some(own) = own() {
            return Ok(simple(own));
        }
        let why = if get("credential_process").is_some() {
            "its credential_process is not run: put keys that it gives into a profile of their own, or into the environment for one with `credential_source = Environment`"
        } else if get("login_session").is_some() {
            "sessions of `aws login` are not read: put keys into a profile of their own"
        } else {
            "it has no credentials"
        };
        Err(unusable(why))
    }

    fn environment(&self) -> Option<Base> {
        let secret = |name: &str| self.around.var(name).map(|value| Secret::new(value.as_bytes()));
        Some(Base::Key {
            id: self.around.var("AWS_ACCESS_KEY_ID")?.to_owned(),
            secret: secret("AWS_SECRET_ACCESS_KEY")?,
            token: secret("AWS_SESSION_TOKEN"),
        })
    }

    /// The sign-in that the command-line client keeps, if it has not ended.
    fn single_sign_on(&self, name: &str, settings: &Settings) -> Result<Base, ProfileError> {
        let unusable = |why: &str| ProfileError::Unusable(name.to_owned(), why.to_owned());
        let session = match settings.get("sso_session") {
            Some(session) => {
                self.sessions.get(session.as_str()).ok_or_else(|| unusable("its sso_session is not there"))?
            }
            None => settings,
        };
        let get = |from: &Settings, key: &str| {
            from.get(key)
                .map(|value| value.to_string())
                .ok_or_else(|| unusable(&format!("it signs in, and has no {key}")))
        };
        let (start, region) = (get(session, "sso_start_url")?, get(session, "sso_region")?);
        let (account, role) = (get(settings, "sso_account_id")?, get(settings, "sso_role_name")?);
        let folder = self.around.home.clone().unwrap_or_default().join(".aws/sso/cache");
        let tokens = fs::read_dir(folder).into_iter().flatten().take(MOST).filter_map(|file| {
            let kept: Value = serde_json::from_str(&text(&file.ok()?.path())?).ok()?;
            let said = |key: &str| kept.get(key).and_then(Value::as_str);
            let ends: Time = said("expiresAt")?.parse().ok()?;
            let same = |a: &str| a.trim_end_matches('/') == start.trim_end_matches('/');
            let fits = said("startUrl").is_some_and(same) && said("region").is_none_or(|there| there == region);
            let token = said("accessToken").filter(|token| fits && !token.is_empty())?;
            Some((ends, Secret::new(token.as_bytes())))
        });
        let (_, token) =
            tokens.filter(|(ends, _)| *ends > self.around.now).max_by_key(|(ends, _)| *ends).ok_or_else(|| {
                unusable(&format!("it is not signed in, or no longer: run `aws sso login --profile {name}` first"))
            })?;
        Ok(Base::SingleSignOn { region, account, role, token })
    }
}

fn text(path: &Path) -> Option<Zeroizing<String>> {
    fs::metadata(path).ok().filter(|about| about.is_file() && about.len() <= LARGEST)?;
    fs::read_to_string(path).ok().map(Zeroizing::new)
}

/// The sections of such a file. What is indented belongs to the setting above it, and is none by itself.
fn sections(text: &str) -> Vec<(String, Settings)> {
    let mut all: Vec<(String, Settings)> = Vec::new();
    for line in text.lines() {
        if line.starts_with(['#', ';']) || line.starts_with(char::is_whitespace) {
            continue;
        }
        if let Some((name, _)) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            all.push((name.trim().to_owned(), Settings::new()));
        } else if let (Some((key, value)), Some((_, settings))) = (line.split_once('='), all.last_mut()) {
            // A comment in a line of a setting stands after a space.
            let end = [" #", " ;", "\t#", "\t;"].iter().filter_map(|mark| value.find(mark)).min();
            let value = end.and_then(|end| value.get(..end)).unwrap_or(value).trim();
            settings.insert(key.trim().to_ascii_lowercase(), Zeroizing::new(value.to_owned()));
        }
    }
    all
}

#[cfg(test)]
mod tests;
