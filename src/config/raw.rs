//! `deadstop.yaml` as it is typed: the one description of its keys, for reading, for `deadstop schema config`, and for
//! naming mistakes.

use deadstop_core::quote;
use deadstop_core::time::{Span, Time};
use deadstop_core::yaml::{self, mistakes::mistakes};
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::exit::{FailOn, Target};

/// A configuration as typed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Raw {
    /// `deadstop.config/1`.
    pub schema: Schema,
    /// Who the report is for and by.
    #[serde(default)]
    pub engagement: Engagement,
    /// Sessions beyond those that are found, or what is known of these.
    #[serde(default)]
    pub sessions: Vec<Session>,
    /// Which accounts, projects and names belong to which environment.
    #[serde(default)]
    pub environments: BTreeMap<String, Environment>,
    /// How providers are asked, once they are: by reference to a credential, never by the credential.
    #[serde(default)]
    pub providers: BTreeMap<String, Provider>,
    /// What is declared of assets.
    #[serde(default)]
    pub assets: Vec<Asset>,
    /// Restores that were tried and worked.
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

/// The version of the configuration.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
pub enum Schema {
    /// The first.
    #[serde(rename = "deadstop.config/1")]
    First,
}

/// The name of an environment variable.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub struct Variable(pub String);

impl JsonSchema for Variable {
    fn schema_name() -> Cow<'static, str> {
        "Variable".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$" })
    }
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
    pub intended: Vec<BTreeMap<String, String>>,
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

/// How a provider is asked.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provider {
    /// The profile of the auditor's own credentials.
    pub profile: Option<String>,
    /// The variable that holds the auditor's own token.
    pub token_env: Option<Variable>,
    /// The regions to read.
    #[serde(default)]
    pub regions: Vec<String>,
    /// Roles to take on for reading.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Hosts that may be contacted with connection URLs found.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// The server that looks up the members of a service, in the place of this machine's own.
    pub resolver: Option<String>,
    /// An emulator, a mock or a self-hosted instance.
    pub endpoint: Option<String>,
}

/// What is declared of an asset.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Asset {
    /// Its key.
    pub key: String,
    /// How bad its loss is.
    pub criticality: Option<Criticality>,
    /// How much data may be lost: `1h`.
    pub rpo: Option<Span>,
    /// How long it may be gone: `4h`.
    pub rto: Option<Span>,
    /// Who owns it.
    pub owner: Option<String>,
}

/// How bad a loss is.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Criticality {
    /// The company stops.
    Critical,
    /// Customers notice.
    High,
    /// Work stops.
    Medium,
    /// A nuisance.
    Low,
}

impl Criticality {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
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
    pub tested_at: Time,
    /// How long it took: `38m`.
    pub took: Option<Span>,
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
    pub expires: Time,
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
    pub expires: Time,
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
    pub due: Option<Time>,
}

/// Decisions.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decided {
    /// What fails: an answer, a severity.
    #[serde(default)]
    pub fail_on: Vec<FailOn>,
    /// How old a restore drill may be.
    pub restore_test_max_age: Option<Span>,
    /// How long until a loss is noticed.
    pub time_to_notice: Option<Span>,
    /// How much older than the newest reading a fact may be.
    pub fact_max_age: Option<Span>,
    /// The answer that the fix plan reaches.
    pub fix_target: Option<Target>,
}

impl Raw {
    /// What it says that only a file named by the user may say.
    #[must_use]
    pub fn excuses(&self) -> Vec<&'static str> {
        let decided = &self.policy;
        let spans = [decided.restore_test_max_age, decided.time_to_notice, decided.fact_max_age];
        let decides = !decided.fail_on.is_empty() || decided.fix_target.is_some() || spans.iter().any(Option::is_some);
        let said = [
            (!self.waivers.is_empty(), "waivers"),
            (!self.ignore.is_empty(), "ignore"),
            (decides, "policy"),
            (!self.restore_tests.is_empty(), "restore_tests"),
            (!self.providers.is_empty(), "providers"),
        ];
        said.into_iter().filter(|(is, _)| *is).map(|(_, name)| name).collect()
    }
}

/// Reads YAML text. An error holds every mistake, each beginning with `line:column: `.
///
/// # Errors
/// If it is not YAML or not a configuration.
pub(super) fn parse(text: &str) -> Result<Raw, Vec<String>> {
    let told = |error: serde_yaml::Error| {
        let place = error.location().map_or_else(|| "1:1".to_owned(), |at| format!("{}:{}", at.line(), at.column()));
        let message = error.to_string();
        let end = message.rfind(" at line ").unwrap_or(message.len());
        vec![format!("{place}: {}", quote::message(message.get(..end).unwrap_or(&message)))]
    };
    // INVARIANT: first, as it gives up on what is nested too deeply; the other reader takes minutes over that.
    let root =
        yaml::parse(text).map_err(|(at, why)| vec![format!("{}:{}: {}", at.line, at.column, quote::message(&why))])?;
    let root = root.ok_or_else(|| vec!["1:1: it is empty; write `schema: deadstop.config/1`".to_owned()])?;
    let found = mistakes(&root, schema_for!(Raw).as_value(), "the configuration");
    if !found.is_empty() {
        return Err(found.iter().map(|it| format!("{}:{}: {}", it.at.line, it.at.column, it.message)).collect());
    }
    // The untyped value refuses what repeats itself without end.
    serde_yaml::from_str::<serde_yaml::Value>(text).map_err(told)?;
    serde_yaml::from_str(text).map_err(told)
}
