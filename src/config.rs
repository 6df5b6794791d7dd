//! `deadstop.yaml`: what was typed, and what it means.
//!
//! A file that the user names with `--config` may describe and excuse. One that merely lies in the current folder may
//! have been written by whoever wrote the repository: it may describe, not excuse.

mod raw;

use std::fs;
use std::path::{Path, PathBuf};

use deadstop_core::fact::{Fact, Gap, GapReason};
use deadstop_core::model::{Basis, Drill};
use deadstop_core::policy::{Assigned, Declared, Engagement, Environment, Policy, Waiver};
use deadstop_core::time::{Span, Time};
use deadstop_core::verdict::Rank;

use crate::exit::{FailOn, Threshold};
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
    /// Sessions that it declares: name, environment.
    pub sessions: Vec<raw::Session>,
    /// The threshold that it sets.
    pub fail_on: Option<Threshold>,
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
    let raw = raw::parse(&text).map_err(|message| ConfigError::Wrong(format!("{}:{message}", path.display())))?;
    understand(raw, path, trusted)
}

fn understand(raw: Raw, path: &Path, trusted: bool) -> Result<Config, ConfigError> {
    let mut wrong: Vec<String> = Vec::new();
    let mut notes = Vec::new();
    let mut policy = Policy { trusted, ..Policy::default() };
    policy.engagement = Engagement {
        client: raw.engagement.client.clone(),
        assessor: raw.engagement.assessor.clone(),
        period: raw.engagement.period.clone(),
        handling: raw.engagement.handling.clone(),
    };
    policy.environments = raw.environments.iter().map(|(name, env)| environment(name, env)).collect();
    policy.environments.sort_by(|a, b| (a.name != "production", &a.name).cmp(&(b.name != "production", &b.name)));
    for asset in &raw.assets {
        let mut span = |text: &Option<String>, what: &str| {
            let parsed = text.as_ref().map(|text| text.parse::<Span>());
            parsed.and_then(|parsed| {
                parsed.map_err(|error| wrong.push(format!("assets, `{}`, {what}: {error}", asset.key))).ok()
            })
        };
        let declared = Declared {
            criticality: asset.criticality.clone(),
            rpo: span(&asset.rpo, "rpo"),
            rto: span(&asset.rto, "rto"),
            owner: asset.owner.clone(),
        };
        policy.assets.insert(asset.key.clone(), declared);
    }
    for fix in &raw.fixes {
        policy.fixes.insert(fix.fix.clone(), Assigned { owner: fix.owner.clone(), due: fix.due.clone() });
    }
    let mut fail_on = None;
    if trusted {
        fail_on = excuse(&raw, &mut policy, &mut wrong);
    } else if raw.excuses() {
        notes.push(format!(
            "{} was not given by --config, so its waivers, ignore, policy, restore_tests and providers are left out",
            path.display()
        ));
    }
    if wrong.is_empty() {
        Ok(Config { policy, sessions: raw.sessions, fail_on, notes, path: Some(path.to_owned()) })
    } else {
        let lines: Vec<String> = wrong.iter().map(|line| format!("{}: {line}", path.display())).collect();
        Err(ConfigError::Wrong(lines.join("\n")))
    }
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
fn excuse(raw: &Raw, policy: &mut Policy, wrong: &mut Vec<String>) -> Option<Threshold> {
    let mut fail_on = None;
    let span = |text: &Option<String>, what: &str, wrong: &mut Vec<String>| {
        let parsed = text.as_ref().map(|text| text.parse::<Span>());
        parsed.and_then(|parsed| parsed.map_err(|error| wrong.push(format!("policy, {what}: {error}"))).ok())
    };
    let decided = &raw.policy;
    policy.time_to_notice = span(&decided.time_to_notice, "time_to_notice", wrong);
    if let Some(age) = span(&decided.restore_test_max_age, "restore_test_max_age", wrong) {
        policy.drill_max_age = age;
    }
    if let Some(age) = span(&decided.fact_max_age, "fact_max_age", wrong) {
        policy.fact_max_age = age;
    }
    match decided.fix_target.as_deref().map(target) {
        Some(Ok(rank)) => policy.target = rank,
        Some(Err(message)) => wrong.push(format!("policy, fix_target: {message}")),
        None => {}
    }
    for word in &decided.fail_on {
        match word.parse::<FailOn>() {
            Ok(FailOn::Answer(threshold)) => fail_on = Some(threshold),
            Ok(FailOn::Severity) => {}
            Err(message) => wrong.push(format!("policy, fail_on: {message}")),
        }
    }
    for test in &raw.restore_tests {
        match drill(test) {
            Ok(drill) => policy.drills.push(drill),
            Err(message) => wrong.push(format!("restore_tests, `{}`: {message}", test.asset)),
        }
    }
    for waiver in &raw.waivers {
        match waiver.expires.parse::<Time>() {
            Ok(expires) => policy.waivers.push(Waiver {
                check: waiver.check.clone(),
                subject: waiver.subject.clone(),
                reason: waiver.reason.clone(),
                approved_by: waiver.approved_by.clone(),
                expires,
            }),
            Err(error) => wrong.push(format!("waivers, `{}`, expires: {error}", waiver.subject)),
        }
    }
    for ignored in &raw.ignore {
        if let Err(error) = ignored.expires.parse::<Time>() {
            wrong.push(format!("ignore, `{}`, expires: {error}", ignored.location));
        }
    }
    fail_on
}

/// The rank that a word of `--target` or `fix_target` means.
///
/// # Errors
/// If it is none.
pub fn target(word: &str) -> Result<Rank, String> {
    match word {
        "stopped" => Ok(Rank::Stopped),
        "slowed-tested" => Ok(Rank::SlowedTested),
        "slowed" | "slowed-untested" => Ok(Rank::SlowedUntested),
        "recoverable-tested" => Ok(Rank::RecoverableTested),
        "recoverable" | "recoverable-untested" => Ok(Rank::RecoverableUntested),
        _ => Err(format!("`{word}` is no target: stopped, slowed-tested, slowed, recoverable-tested or recoverable")),
    }
}

fn drill(test: &raw::RestoreTest) -> Result<Drill, String> {
    let took = match &test.took {
        Some(text) => Fact::Known(text.parse::<Span>().map_err(|error| error.to_string())?),
        None => Fact::Unknown(Gap { source: "deadstop.yaml".into(), reason: GapReason::NotAsked }),
    };
    Ok(Drill {
        asset: test.asset.as_str().into(),
        copy: test.copy.as_str().into(),
        tested_at: test.tested_at.parse::<Time>().map_err(|error| error.to_string())?,
        took,
        worked: true,
        by: test.by.clone(),
        evidence: test.evidence.clone(),
        basis: Basis::Declared,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, trusted: bool) -> Result<Config, ConfigError> {
        let raw = raw::parse(text).map_err(ConfigError::Wrong)?;
        understand(raw, Path::new("deadstop.yaml"), trusted)
    }

    const EXCUSES: &str = "schema: deadstop.config/1\npolicy: {time_to_notice: 1d}\nrestore_tests: [{asset: a, copy: c, tested_at: 2026-10-02, took: 38m}]\nwaivers: [{check: asset-would-survive-a-delete, subject: a, reason: r, approved_by: p, expires: 2027-01-31}]\n";

    #[test]
    fn a_file_that_was_not_named_does_not_excuse() {
        let config = read(EXCUSES, false).unwrap();
        assert!(config.policy.waivers.is_empty() && config.policy.drills.is_empty());
        assert_eq!(config.policy.time_to_notice, None);
        assert_eq!(config.notes.len(), 1);
        let named = read(EXCUSES, true).unwrap();
        assert_eq!((named.policy.waivers.len(), named.policy.drills.len()), (1, 1));
    }

    #[test]
    fn mistakes_have_a_place_and_a_suggestion() {
        for (text, wanted) in [
            ("schema: deadstop.config/1\nwaiver: []\n", "waivers"),
            ("schema: deadstop.config/1\nwaivers: [{check: c, subject: s}]\n", "reason"),
            ("schema: deadstop.config/1\nschema: x\n", "2:"),
            ("schema: deadstop.config/2\n", "deadstop.config/1"),
            ("schema: deadstop.config/1\npolicy: {time_to_notice: soon}\n", "soon"),
        ] {
            let error = read(text, true).unwrap_err().to_string();
            assert!(error.contains(wanted), "{error}");
        }
    }
}
