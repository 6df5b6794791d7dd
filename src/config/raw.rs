//! `deadstop.yaml` as it is typed.

use schemars::JsonSchema;
use serde::Deserialize;
use std::collections::BTreeMap;

/// The schema name that every configuration carries.
pub(super) const SCHEMA: &str = "deadstop.config/1";

/// A configuration as typed.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Raw {
    /// `deadstop.config/1`.
    pub schema: String,
    /// Who the report is for and by.
    #[serde(default)]
    pub engagement: Engagement,
    /// Sessions beyond those that are found, or what is known of these.
    #[serde(default)]
    pub sessions: Vec<Session>,
    /// Which accounts, projects and names belong to which environment.
    #[serde(default)]
    pub environments: BTreeMap<String, Environment>,
    /// How providers are asked.
    #[serde(default)]
    pub providers: BTreeMap<String, serde_json::Value>,
    /// What is declared of assets.
    #[serde(default)]
    pub assets: Vec<Asset>,
    /// Restores that were tried.
    #[serde(default)]
    pub restore_tests: Vec<RestoreTest>,
    /// Answers that someone accepted until a day.
    #[serde(default)]
    pub waivers: Vec<Waiver>,
    /// Places whose credentials are no credentials.
    #[serde(default)]
    pub ignore: Vec<Ignore>,
    /// Who does which fix by when.
    #[serde(default)]
    pub fixes: Vec<Fix>,
    /// Decisions.
    #[serde(default)]
    pub policy: Decided,
}

/// Who the report is for and by.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Engagement {
    /// The organisation assessed.
    pub client: Option<String>,
    /// The assessor.
    pub assessor: Option<String>,
    /// The period.
    pub period: Option<String>,
    /// A picture for the report's head.
    pub logo: Option<String>,
    /// How the report may be handed on.
    pub handling: Option<String>,
}

/// A session that was declared.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Session {
    /// Its name.
    pub name: String,
    /// Which agent.
    pub agent: String,
    /// What it is meant to touch.
    pub environment: Option<String>,
    /// The folders it reads.
    #[serde(default)]
    pub roots: Vec<String>,
    /// The resources it is meant to touch.
    #[serde(default)]
    pub intended: Vec<serde_json::Value>,
}

/// What belongs to an environment.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// AWS account ids.
    #[serde(default)]
    pub aws_accounts: Vec<String>,
    /// Railway projects and environments.
    #[serde(default)]
    pub railway: Vec<Railway>,
    /// Exact asset keys.
    #[serde(default)]
    pub ids: Vec<String>,
    /// Name patterns, with `*` for any run of characters.
    #[serde(default)]
    pub r#match: Vec<String>,
}

/// A part of Railway.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Railway {
    /// The project.
    pub project: String,
    /// One of its environments.
    pub environment: Option<String>,
}

/// What is declared of an asset.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Asset {
    /// Its key.
    pub key: String,
    /// `critical`, `high`, …
    pub criticality: Option<String>,
    /// How much data may be lost: `1h`.
    pub rpo: Option<String>,
    /// How long it may be gone: `4h`.
    pub rto: Option<String>,
    /// Who owns it.
    pub owner: Option<String>,
}

/// A restore that was tried and worked.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RestoreTest {
    /// The asset's key.
    pub asset: String,
    /// The very copy that was restored.
    pub copy: String,
    /// The day.
    pub tested_at: String,
    /// How long it took: `38m`.
    pub took: Option<String>,
    /// The record of it.
    pub evidence: Option<String>,
    /// Who did it.
    pub by: Option<String>,
}

/// An answer that someone accepted until a day.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Waiver {
    /// The check.
    pub check: String,
    /// The subject's key.
    pub subject: String,
    /// Why.
    pub reason: String,
    /// Who.
    pub approved_by: String,
    /// Until when.
    pub expires: String,
}

/// Places whose credentials are no credentials.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Ignore {
    /// A path pattern.
    pub location: String,
    /// Why.
    pub reason: String,
    /// Until when.
    pub expires: String,
}

/// Who does a fix, and by when.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Fix {
    /// The fix's key.
    pub fix: String,
    /// Who.
    pub owner: Option<String>,
    /// By when.
    pub due: Option<String>,
}

/// Decisions.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decided {
    /// What fails: an answer, a severity.
    #[serde(default)]
    pub fail_on: Vec<String>,
    /// How old a restore drill may be.
    pub restore_test_max_age: Option<String>,
    /// How long until a loss is noticed.
    pub time_to_notice: Option<String>,
    /// How much older than the newest reading a fact may be.
    pub fact_max_age: Option<String>,
    /// The answer that the fix plan reaches.
    pub fix_target: Option<String>,
}

impl Raw {
    /// Whether it says anything that only a file named by the user may say.
    #[must_use]
    pub fn excuses(&self) -> bool {
        let decided = &self.policy;
        let decides = !decided.fail_on.is_empty()
            || [&decided.restore_test_max_age, &decided.time_to_notice, &decided.fact_max_age, &decided.fix_target]
                .into_iter()
                .any(Option::is_some);
        decides
            || !self.waivers.is_empty()
            || !self.ignore.is_empty()
            || !self.restore_tests.is_empty()
            || !self.providers.is_empty()
    }
}

/// Reads YAML text. The message of an error begins with `line:column: `.
///
/// # Errors
/// If it is not YAML, not a configuration, or one of another version.
pub(super) fn parse(text: &str) -> Result<Raw, String> {
    let place = |error: &serde_yaml::Error| {
        error.location().map_or_else(|| " ".to_owned(), |at| format!("{}:{}: ", at.line(), at.column()))
    };
    let told = |error: serde_yaml::Error| format!("{}{error}", place(&error));
    // The untyped value refuses duplicate keys; the typed one says which key is unknown and which were meant.
    serde_yaml::from_str::<serde_yaml::Value>(text).map_err(told)?;
    let raw: Raw = serde_yaml::from_str(text).map_err(told)?;
    if raw.schema == SCHEMA {
        Ok(raw)
    } else {
        Err(format!("1:1: the schema is `{}`, and this version reads `{SCHEMA}`", raw.schema))
    }
}
