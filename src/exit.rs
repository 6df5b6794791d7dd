//! The exit code: a pure function of the assessment and the thresholds, the same whatever the format.

use deadstop_core::assessment::{Assessment, AssetAnswer};
use deadstop_core::policy::{Policy, Waiver};
use deadstop_core::quote;
use deadstop_core::render::Limits;
use deadstop_core::verdict::{Answer, Prevention, Rank};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error as _};
use std::borrow::Cow;
use std::str::FromStr;

/// The check whose waiver accepts an answer.
pub const SURVIVES: &str = "asset-would-survive-a-delete";

/// The worst answer that is let pass is the one just better than this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold {
    word: &'static str,
    limit: Rank,
}

/// The answers that `--fail-on` takes, and the best rank that each includes.
const ANSWERS: [Threshold; 5] = [
    Threshold { word: "nothing", limit: Rank::Nothing },
    Threshold { word: "slowed-no-recovery", limit: Rank::SlowedNoRecovery },
    Threshold { word: "recoverable-untested", limit: Rank::RecoverableUntested },
    Threshold { word: "recoverable", limit: Rank::RecoverableTested },
    Threshold { word: "slowed", limit: Rank::SlowedTested },
];

/// The severities that `--fail-on` takes, worst first.
const SEVERITIES: [&str; 4] = ["critical", "high", "medium", "low"];

/// The answers that a fix plan may aim at, and what each means.
const TARGETS: [(&str, Rank); 7] = [
    ("stopped", Rank::Stopped),
    ("slowed-tested", Rank::SlowedTested),
    ("slowed", Rank::SlowedUntested),
    ("slowed-untested", Rank::SlowedUntested),
    ("recoverable-tested", Rank::RecoverableTested),
    ("recoverable", Rank::RecoverableUntested),
    ("recoverable-untested", Rank::RecoverableUntested),
];

/// A word that `--fail-on` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailOn {
    /// An answer.
    Answer(Threshold),
    /// A severity of checks, by its name.
    Severity(&'static str),
}

/// The answer that the fix plan brings every production asset to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target(pub Rank);

impl FromStr for FailOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let answer = ANSWERS.into_iter().find(|answer| answer.word == text).map(Self::Answer);
        let severity = || SEVERITIES.into_iter().find(|severity| *severity == text).map(Self::Severity);
        answer.or_else(severity).ok_or_else(|| {
            let answers = ANSWERS.map(|answer| answer.word).join(", ");
            format!("{} is neither an answer ({answers}) nor a severity ({})", quote::word(text), SEVERITIES.join(", "))
        })
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = TARGETS.into_iter().find(|(word, _)| *word == text);
        found.map(|(_, rank)| Self(rank)).ok_or_else(|| {
            let words = TARGETS.map(|(word, _)| word).join(", ");
            format!("{} is no target; there are {words}", quote::word(text))
        })
    }
}

impl<'de> Deserialize<'de> for FailOn {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Target {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for FailOn {
    fn schema_name() -> Cow<'static, str> {
        "FailOn".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words: Vec<&str> = ANSWERS.map(|answer| answer.word).into_iter().chain(SEVERITIES).collect();
        json_schema!({ "type": "string", "enum": words })
    }
}

impl JsonSchema for Target {
    fn schema_name() -> Cow<'static, str> {
        "Target".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": TARGETS.map(|(word, _)| word) })
    }
}

impl Default for Threshold {
    fn default() -> Self {
        Self { word: "slowed-no-recovery", limit: Rank::SlowedNoRecovery }
    }
}

impl Threshold {
    /// Whether a rank is at the threshold or worse.
    #[must_use]
    pub fn reached(self, rank: Rank) -> bool {
        rank <= self.limit
    }

    /// What a format counts as a failure. Severities are those of the default.
    #[must_use]
    pub fn limits(self) -> Limits {
        Limits { answer: self.limit, ..Limits::default() }
    }

    /// The word that sets it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        self.word
    }
}

/// The code and its reason, in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    /// 0, 1 or 3.
    pub code: u8,
    /// Why.
    pub reason: String,
}

/// What the answers amount to: 1 if an asset of the headline is at the threshold or worse, even at its best where its
/// answer is not known; else 3 if one is not known, or there is none; else 0. A waiver takes its asset out of the count.
#[must_use]
pub fn exit(assessment: &Assessment, threshold: Threshold, policy: &Policy) -> Exit {
    let headline: Vec<&AssetAnswer> = assessment.assets.iter().filter(|asset| asset.in_headline).collect();
    let of = headline.len();
    let counted: Vec<&AssetAnswer> = headline.into_iter().filter(|asset| !waived(asset, assessment, policy)).collect();
    let failing = counted.iter().filter(|asset| threshold.reached(at_best(asset))).count();
    let unknown = counted.iter().filter(|asset| asset.answer == Answer::Unknown).count();
    let word = threshold.word();
    let (code, reason) = if failing > 0 {
        let are = if failing == 1 { "is" } else { "are" };
        (1, format!("{failing} of {of} production assets {are} at `{word}` or worse"))
    } else if of == 0 {
        (3, "no production asset was found, so nothing could be assessed".to_owned())
    } else if unknown == 1 {
        (3, format!("the answer for 1 of {of} production assets depends on what could not be read"))
    } else if unknown > 0 {
        (3, format!("the answers for {unknown} of {of} production assets depend on what could not be read"))
    } else {
        (0, format!("every production asset has an answer, and none is at `{word}` or worse"))
    };
    let accepted = of - counted.len();
    let waivers = if accepted > 0 { format!("; {accepted} accepted by a waiver") } else { String::new() };
    Exit { code, reason: format!("{reason}{waivers}") }
}

/// How an asset is rated; at its best, where its answer is not known.
fn at_best(asset: &AssetAnswer) -> Rank {
    let [_, best] = asset.bounds;
    if asset.answer == Answer::Unknown { best } else { asset.rated }
}

fn waived(asset: &AssetAnswer, assessment: &Assessment, policy: &Policy) -> bool {
    let covers = |waiver: &Waiver| {
        waiver.check == SURVIVES && waiver.subject == asset.key && waiver.expires > assessment.assessed_at
    };
    asset.prevention != Prevention::Stopped && policy.waivers.iter().any(covers)
}

#[cfg(test)]
mod tests;
