//! `deadstop.yaml`: what was typed, and what it means.
//!
//! A file that the user names with `--config` may describe and excuse. One that merely lies in the current folder may
//! have been written by whoever wrote the repository: it may describe, not excuse.

pub mod raw;
pub mod starting;

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use deadstop_core::fact::{Fact, Gap, GapReason};
use deadstop_core::model::{Basis, Drill};
use deadstop_core::policy::{Assigned, Declared, Engagement, Environment, Intended, Policy, Waiver};
use deadstop_core::quote;
use deadstop_core::render::{LARGEST_LOGO, Logo};
use deadstop_core::time::Time;

use crate::exit::Threshold;
pub use raw::Raw;

/// The file that is read where no other is named.
pub const DEFAULT: &str = "deadstop.yaml";

/// The largest configuration that is read.
const LARGEST: u64 = 4 << 20;

/// A configuration that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("cannot read `{path}`: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Something in it is wrong: every mistake with its place.
    #[error("{0}")]
    Wrong(String),
}

/// A configuration, read and understood.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// What it decides.
    pub policy: Policy,
    /// Sessions that it declares.
    pub sessions: Vec<raw::Session>,
    /// The threshold that it sets.
    pub fail_on: Option<Threshold>,
    /// Path patterns of places without credentials, each until a day.
    pub ignore: Vec<(String, Time)>,
    /// How providers are asked.
    pub providers: BTreeMap<String, raw::Provider>,
    /// What was left out, in sentences.
    pub notes: Vec<String>,
    /// The picture at the report's head.
    pub logo: Option<Logo>,
    /// Why a picture that is named is not shown, in a sentence.
    pub logo_note: Option<String>,
    /// The file.
    pub path: Option<PathBuf>,
}

impl Config {
    /// Reads the picture `name`, which lies beside the configuration or below its folder.
    fn set_logo(&mut self, name: &str, path: &Path, trusted: bool) {
        let shown = quote::guarded(name);
        let read = if trusted {
            logo(name, path)
        } else {
            Err(format!("it is read only for a configuration that --config names: --config {}", path.display()))
        };
        match read {
            Ok(logo) => self.logo = Some(logo),
            Err(why) => {
                self.logo_note = Some(format!("the picture `{shown}` of `engagement.logo` is not shown: {why}"))
            }
        }
    }
}

/// The picture `name` below the folder of the configuration.
fn logo(name: &str, path: &Path) -> Result<Logo, String> {
    let below = Path::new(name).components().all(|part| matches!(part, std::path::Component::Normal(_)));
    if !below || name.is_empty() {
        return Err("it is to lie in the folder of the configuration, and be named from there".to_owned());
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let unread = |error: std::io::Error| format!("it cannot be read: {error}");
    let file = folder.join(name).canonicalize().map_err(unread)?;
    // A link may lead anywhere, and a device may never end.
    let inside = folder.canonicalize().is_ok_and(|folder| file.starts_with(folder));
    if !inside || !fs::metadata(&file).map_err(unread)?.is_file() {
        return Err("it is no file in the folder of the configuration".to_owned());
    }
    let mut bytes = Vec::new();
    let most = u64::try_from(LARGEST_LOGO).unwrap_or(u64::MAX);
    let opened = fs::File::open(&file).map_err(unread)?;
    opened.take(most + 1).read_to_end(&mut bytes).map_err(unread)?;
    Logo::of(&bytes).map_err(|error| error.to_string())
}

/// Reads the configuration that was named, else the current folder's, else none.
///
/// # Errors
/// If the file cannot be read or is wrong.
pub fn load(named: Option<&Path>) -> Result<Config, ConfigError> {
    let default = Path::new(DEFAULT);
    let (path, trusted) = match named {
        Some(path) => (path, true),
        None if fs::symlink_metadata(default).is_ok_and(|meta| meta.is_file()) => (default, false),
        None => return Ok(Config::default()),
    };
    let unreadable = |source| ConfigError::Read { path: path.to_owned(), source };
    let size = fs::metadata(path).map_err(unreadable)?.len();
    if size > LARGEST {
        return Err(ConfigError::Wrong(format!("{}: it is larger than {} MiB", path.display(), LARGEST >> 20)));
    }
    let text = fs::read_to_string(path).map_err(unreadable)?;
    read(&text, path, trusted)
}

/// Holds a text to the rules of a configuration, without taking it over.
///
/// # Errors
/// Every mistake in it, each with its place.
pub fn check(text: &str, path: &Path) -> Result<(), ConfigError> {
    read(text, path, true).map(drop)
}

fn read(text: &str, path: &Path, trusted: bool) -> Result<Config, ConfigError> {
    let wrong = |mistakes: Vec<String>| {
        let lines: Vec<String> = mistakes.iter().map(|mistake| format!("{}:{mistake}", path.display())).collect();
        ConfigError::Wrong(lines.join("\n"))
    };
    raw::parse(text).map(|raw| understand(raw, path, trusted)).map_err(wrong)
}

fn understand(raw: Raw, path: &Path, trusted: bool) -> Config {
    let mut config = Config { path: Some(path.to_owned()), ..Config::default() };
    config.policy.trusted = trusted;
    config.policy.engagement = Engagement {
        client: raw.engagement.client.clone(),
        assessor: raw.engagement.assessor.clone(),
        period: raw.engagement.period.clone(),
        handling: raw.engagement.handling.clone(),
    };
    let environments = &mut config.policy.environments;
    *environments = raw.environments.iter().map(|(name, env)| environment(name, env)).collect();
    environments.sort_by(|a, b| (a.name != "production", &a.name).cmp(&(b.name != "production", &b.name)));
    for asset in &raw.assets {
        let declared = Declared {
            criticality: asset.criticality.map(|how| how.word().to_owned()),
            rpo: asset.rpo,
            rto: asset.rto,
            owner: asset.owner.clone(),
        };
        config.policy.assets.insert(asset.key.clone(), declared);
    }
    for fix in &raw.fixes {
        let due = fix.due.map(Time::day);
        config.policy.fixes.insert(fix.fix.clone(), Assigned { owner: fix.owner.clone(), due });
    }
    // A setting that is taken and does nothing would mislead.
    if let Some(logo) = &raw.engagement.logo {
        config.set_logo(logo, path, trusted);
    }
    for session in raw.sessions.iter().filter(|session| !session.intended.is_empty()) {
        let places: Vec<Option<Intended>> = session.intended.iter().map(intended).collect();
        if places.contains(&None) {
            config.notes.push(INTENDED.to_owned());
        }
        let key = format!("{}:{}", session.agent, session.name);
        config.policy.intended.insert(key, places.into_iter().flatten().collect());
    }
    let left_out = raw.excuses();
    if trusted {
        excuse(&raw, &mut config);
    } else if !left_out.is_empty() {
        let (path, said) = (path.display(), left_out.join(", "));
        config.notes.push(format!(
            "{path} was not named by --config, so it may describe but not excuse: left out its {said}; --config {path} takes them in"
        ));
    }
    config.sessions = raw.sessions;
    config
}

/// What is said of a place in `intended` that is not understood: nothing is meant by it, so that all else goes beyond.
const INTENDED: &str = "a place in `sessions[].intended` is not understood and counts for nothing: it has `provider` alone, or with `project` and `environment` of Railway, or with `account` of AWS, or the `key` of an asset or of what stands above it";

/// What a place in `intended` stands for.
fn intended(place: &BTreeMap<String, String>) -> Option<Intended> {
    let get = |name: &str| place.get(name).map(String::as_str);
    let known = ["provider", "project", "environment", "account", "key"];
    if place.is_empty() || place.keys().any(|name| !known.contains(&name.as_str())) {
        return None;
    }
    let id = match (get("provider"), get("project"), get("environment"), get("account"), get("key")) {
        (_, None, None, None, Some(key)) => Some(key.to_owned()),
        (Some("railway"), Some(project), None, None, None) => Some(format!("railway:{project}")),
        (Some("railway"), Some(project), Some(part), None, None) => Some(format!("railway:{project}/{part}")),
        (Some("aws"), None, None, Some(account), None) => Some(format!("aws:account/{account}")),
        (Some(_), None, None, None, None) => None,
        _ => return None,
    };
    Some(Intended { provider: get("provider").map(str::to_owned), id })
}

fn environment(name: &str, raw: &raw::Environment) -> Environment {
    let mut ids: Vec<String> = raw.ids.clone();
    ids.extend(raw.aws_accounts.iter().map(|account| format!("aws:account/{account}")));
    for place in &raw.railway {
        let mut id = format!("railway:{}", place.project);
        if let Some(environment) = &place.environment {
            id = format!("{id}/{environment}");
        }
        ids.push(id);
    }
    Environment { name: name.to_owned(), ids, patterns: raw.r#match.clone() }
}

/// Takes over what only a configuration that the user names may say.
fn excuse(raw: &Raw, config: &mut Config) {
    let (decided, policy) = (&raw.policy, &mut config.policy);
    policy.time_to_notice = decided.time_to_notice;
    policy.drill_max_age = decided.restore_test_max_age.unwrap_or(policy.drill_max_age);
    policy.fact_max_age = decided.fact_max_age.unwrap_or(policy.fact_max_age);
    policy.target = decided.fix_target.map_or(policy.target, |target| target.0);
    policy.drills = raw.restore_tests.iter().map(drill).collect();
    for word in &decided.fail_on {
        config.fail_on = Some(config.fail_on.unwrap_or_default().with(*word));
    }
    for waiver in &raw.waivers {
        policy.waivers.push(Waiver {
            check: waiver.check.clone(),
            subject: waiver.subject.clone(),
            reason: waiver.reason.clone(),
            approved_by: waiver.approved_by.clone(),
            expires: waiver.expires,
        });
    }
    config.providers.clone_from(&raw.providers);
    config.notes.extend(unused(&raw.providers));
    config.ignore = raw.ignore.iter().map(|ignored| (ignored.location.clone(), ignored.expires)).collect();
}

/// Providers that are asked with the tokens that are found, and what they are called in prose.
pub(crate) const WITH_TOKENS: [(&str, &str); 17] = [
    ("aiven", "Aiven"),
    ("cloudflare", "Cloudflare"),
    ("digitalocean", "DigitalOcean"),
    ("fly", "Fly.io"),
    ("github", "GitHub"),
    ("google", "Google Cloud"),
    ("heroku", "Heroku"),
    ("mongodb_atlas", "MongoDB Atlas"),
    ("neon", "Neon"),
    ("planetscale", "PlanetScale"),
    ("railway", "Railway"),
    ("render", "Render"),
    ("supabase", "Supabase"),
    ("terraform", "HCP Terraform"),
    ("turso", "Turso"),
    ("upstash", "Upstash"),
    ("vercel", "Vercel"),
];

/// Whether a provider is asked with the tokens that are found.
pub(crate) fn with_tokens(name: &str) -> bool {
    WITH_TOKENS.iter().any(|(one, _)| *one == name)
}

/// All that are asked, in prose.
fn asked() -> String {
    let mut all = vec!["AWS", "Kubernetes", "MongoDB", "MySQL", "PostgreSQL", "Redis"];
    all.extend(WITH_TOKENS.map(|(_, title)| title));
    all.sort_by_key(|title| title.to_ascii_lowercase());
    let last = all.pop().unwrap_or_default();
    format!("{} and {last}", all.join(", "))
}

/// The settings of providers that this version takes and does not use.
fn unused(providers: &BTreeMap<String, raw::Provider>) -> Vec<String> {
    let mut notes = Vec::new();
    for (name, provider) in providers {
        let why = match name.as_str() {
            "aws" => {
                "an account is read by the auditor of `providers.aws.profile`, or with those of the keys found that may read it"
            }
            name if with_tokens(name) => "it is read with the tokens found",
            "kubernetes" | "mongodb" | "mysql" | "postgres" | "redis" => "it is read with the logins found",
            _ => {
                notes.push(format!("`providers.{name}` is not used: this version asks {}", asked()));
                continue;
            }
        };
        let database = ["kubernetes", "mongodb", "mysql", "postgres", "redis"].contains(&name.as_str());
        let unused = [
            (name != "aws" && provider.profile.is_some(), "profile"),
            (provider.token_env.is_some(), "token_env"),
            (name != "aws" && !provider.regions.is_empty(), "regions"),
            (!provider.roles.is_empty() && (name != "aws" || provider.profile.is_none()), "roles"),
            (!database && !provider.hosts.is_empty(), "hosts"),
            (name != "mongodb" && provider.resolver.is_some(), "resolver"),
            (database && provider.endpoint.is_some(), "endpoint"),
        ];
        for (_, setting) in unused.into_iter().filter(|(set, _)| *set) {
            notes.push(format!("`providers.{name}.{setting}` is not used yet: {why}"));
        }
    }
    notes
}

fn drill(test: &raw::RestoreTest) -> Drill {
    let not_said = || Fact::Unknown(Gap { source: "deadstop.yaml".into(), reason: GapReason::NotAsked });
    Drill {
        asset: test.asset.as_str().into(),
        copy: test.copy.as_str().into(),
        tested_at: test.tested_at,
        took: test.took.map_or_else(not_said, Fact::Known),
        worked: true,
        by: test.by.clone(),
        evidence: test.evidence.clone(),
        basis: Basis::Declared,
    }
}

#[cfg(test)]
mod tests;
