//! `deadstop.yaml`: what was typed, and what it means.
//!
//! A file that the user names with `--config` may describe and excuse. One that merely lies in the current folder may
//! have been written by whoever wrote the repository: it may describe, not excuse.

pub mod raw;
pub mod starting;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use deadstop_core::fact::{Fact, Gap, GapReason};
use deadstop_core::model::{Basis, Drill};
use deadstop_core::policy::{Assigned, Declared, Engagement, Environment, Policy, Waiver};
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
    /// The file.
    pub path: Option<PathBuf>,
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
    if raw.engagement.logo.is_some() {
        config.notes.push("`engagement.logo` is not used: this version shows no logo".to_owned());
    }
    if raw.sessions.iter().any(|session| !session.intended.is_empty()) {
        config.notes.push("`sessions[].intended` is not used: no check compares it yet".to_owned());
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

/// The settings of providers that this version takes and does not use.
fn unused(providers: &BTreeMap<String, raw::Provider>) -> Vec<String> {
    let mut notes = Vec::new();
    for (name, provider) in providers {
        if name != "aws" {
            notes.push(format!("`providers.{name}` is not used: this version asks AWS alone"));
            continue;
        }
        let unused = [
            (provider.profile.is_some(), "profile"),
            (provider.token_env.is_some(), "token_env"),
            (!provider.roles.is_empty(), "roles"),
            (!provider.hosts.is_empty(), "hosts"),
        ];
        for (_, setting) in unused.into_iter().filter(|(set, _)| *set) {
            notes.push(format!(
                "`providers.aws.{setting}` is not used yet: an account is read with those of the keys found that may read it"
            ));
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
