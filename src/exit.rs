//! The exit code: a pure function of the assessment and the thresholds, the same whatever the format.

use deadstop_core::assessment::{Assessment, AssetAnswer, Finding};
use deadstop_core::diff::{self, AssetChange, Cause, Change, Diff, Standing};
use deadstop_core::policy::{Policy, Waiver};
use deadstop_core::quote;
use deadstop_core::render::Limits;
use deadstop_core::verdict::{Answer, Prevention, Rank, Severity};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, de::Error as _};
use std::borrow::Cow;
use std::str::FromStr;

/// The check whose waiver accepts an answer.
pub const SURVIVES: &str = "asset-would-survive-a-delete";

/// What fails: an answer and every worse one, and checks from a severity on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold {
    word: &'static str,
    limit: Rank,
    severity: Severity,
}

/// The answers that `--fail-on` takes, and the best rank that each includes.
const ANSWERS: [Threshold; 5] = [
    Threshold { word: "nothing", limit: Rank::Nothing, severity: Severity::Critical },
    Threshold { word: "slowed-no-recovery", limit: Rank::SlowedNoRecovery, severity: Severity::Critical },
    Threshold { word: "recoverable-untested", limit: Rank::RecoverableUntested, severity: Severity::Critical },
    Threshold { word: "recoverable", limit: Rank::RecoverableTested, severity: Severity::Critical },
    Threshold { word: "slowed", limit: Rank::SlowedTested, severity: Severity::Critical },
];

/// The severities that `--fail-on` takes, worst first.
const SEVERITIES: [Severity; 4] = [Severity::Critical, Severity::High, Severity::Medium, Severity::Low];

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
    /// A severity of checks.
    Severity(Severity),
}

/// The answer that the fix plan brings every production asset to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target(pub Rank);

impl FromStr for FailOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let answer = ANSWERS.into_iter().find(|answer| answer.word == text).map(Self::Answer);
        let severity = || SEVERITIES.into_iter().find(|severity| severity.word() == text).map(Self::Severity);
        answer.or_else(severity).ok_or_else(|| {
            let answers = ANSWERS.map(|answer| answer.word).join(", ");
            let severities = SEVERITIES.map(Severity::word).join(", ");
            format!("{} is neither an answer ({answers}) nor a severity ({severities})", quote::word(text))
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
        let words: Vec<&str> =
            ANSWERS.map(|answer| answer.word).into_iter().chain(SEVERITIES.map(Severity::word)).collect();
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
        Self { word: "slowed-no-recovery", limit: Rank::SlowedNoRecovery, severity: Severity::Critical }
    }
}

impl Threshold {
    /// Whether a rank is at the threshold or worse.
    #[must_use]
    pub fn reached(self, rank: Rank) -> bool {
        rank <= self.limit
    }

    /// The same with a word of `--fail-on` laid over it: an answer or a severity.
    #[must_use]
    pub const fn with(self, word: FailOn) -> Self {
        match word {
            FailOn::Answer(answer) => Self { severity: self.severity, ..answer },
            FailOn::Severity(severity) => Self { severity, ..self },
        }
    }

    /// Whether a finding fails: a failure at the severity or a worse one that no waiver accepts.
    #[must_use]
    pub fn fails(self, finding: &Finding) -> bool {
        let severity = Severity::named(&finding.severity);
        finding.verdict == "fail" && finding.waiver.is_none() && self.includes(severity)
    }

    /// Whether a severity is at the threshold or worse; one that is not known is.
    #[must_use]
    pub fn includes(self, severity: Option<Severity>) -> bool {
        severity.is_none_or(|it| it <= self.severity)
    }

    /// What a format counts as a failure.
    #[must_use]
    pub const fn limits(self) -> Limits {
        Limits { answer: self.limit, severity: self.severity }
    }

    /// The word that sets its answer.
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

/// What an assessment holds that bears on the exit code.
struct Count {
    /// Assets of the headline.
    of: usize,
    /// Those at the threshold or worse.
    failing: usize,
    /// Those whose answer is not known.
    unknown: usize,
    /// Those that a waiver takes out of the count.
    accepted: usize,
    /// Checks that fail.
    checks: usize,
}

impl Count {
    fn new(assessment: &Assessment, threshold: Threshold, policy: &Policy) -> Self {
        let headline: Vec<&AssetAnswer> = assessment.assets.iter().filter(|asset| asset.in_headline).collect();
        let of = headline.len();
        let counted: Vec<&AssetAnswer> =
            headline.into_iter().filter(|asset| !waived(asset, assessment, policy)).collect();
        Self {
            of,
            failing: counted.iter().filter(|asset| threshold.reached(at_best(&Standing::of(asset)))).count(),
            unknown: counted.iter().filter(|asset| asset.answer == Answer::Unknown).count(),
            accepted: of - counted.len(),
            checks: assessment.findings.iter().filter(|finding| threshold.fails(finding)).count(),
        }
    }

    /// What is not known, as an exit.
    fn open(&self) -> Option<(u8, String)> {
        let of = self.of;
        match self.unknown {
            _ if of == 0 => Some((3, "no production asset was found, so nothing could be assessed".to_owned())),
            0 => None,
            1 => Some((3, format!("the answer for 1 of {of} production assets depends on what could not be read"))),
            more => {
                Some((3, format!("the answers for {more} of {of} production assets depend on what could not be read")))
            }
        }
    }

    fn at(&self, threshold: Threshold) -> String {
        let are = if self.failing == 1 { "is" } else { "are" };
        format!("{} of {} production assets {are} at `{}` or worse", self.failing, self.of, threshold.word())
    }

    fn waivers(&self) -> String {
        if self.accepted > 0 { format!("; {} accepted by a waiver", self.accepted) } else { String::new() }
    }
}

/// What the answers and checks amount to: 1 if an asset of the headline is at the threshold or worse, even at its best
/// where its answer is not known, or a check of that severity fails; else 3 if an answer is not known, or there is none;
/// else 0. A waiver takes its asset, or its finding, out of the count.
#[must_use]
pub fn exit(assessment: &Assessment, threshold: Threshold, policy: &Policy) -> Exit {
    let count = Count::new(assessment, threshold, policy);
    let (code, reason) = if count.failing > 0 {
        (1, count.at(threshold))
    } else if count.checks > 0 {
        (1, failed(count.checks, threshold))
    } else {
        count.open().unwrap_or_else(|| {
            (0, format!("every production asset has an answer, and none is at `{}` or worse", threshold.word()))
        })
    };
    let both = count.failing > 0 && count.checks > 0;
    let more = if both { format!("; {}", failed(count.checks, threshold)) } else { String::new() };
    Exit { code, reason: format!("{reason}{}{more}", count.waivers()) }
}

/// The same beside a baseline: 1 only for what is new or worse since. What was so before is counted and told, and what is
/// not known stays 3 though it was not known before.
#[must_use]
pub fn since(baseline: &Assessment, assessment: &Assessment, threshold: Threshold, policy: &Policy) -> Exit {
    let diff = diff::diff(baseline, assessment);
    let changes = failing(&diff, assessment, threshold);
    let count = Count::new(assessment, threshold, policy);
    let day = baseline.assessed_at.day();
    let known =
        [(count.failing > 0).then(|| count.at(threshold)), (count.checks > 0).then(|| failed(count.checks, threshold))];
    let known: Vec<String> = known.into_iter().flatten().collect();
    let stay = format!("{}, all of it in the baseline of {day}", known.join(" and "));
    let (code, reason) = if changes > 0 {
        let are =
            if changes == 1 { "change since the baseline of {} is" } else { "changes since the baseline of {} are" };
        (1, format!("{changes} {} at `{}` or worse", are.replace("{}", &day), threshold.word()))
    } else if let Some((code, why)) = count.open() {
        (code, format!("{why}; nothing is worse than in the baseline of {day}"))
    } else if count.failing + count.checks > 0 {
        (0, stay)
    } else {
        (0, format!("every production asset has an answer, and none is at `{}` or worse", threshold.word()))
    };
    let cause = match diff.cause {
        Cause::Rules if !diff.assets.is_empty() || !diff.findings.is_empty() => {
            "; the facts are those of the baseline: what differs comes of the tool, the checks or the configuration"
        }
        Cause::Rules | Cause::Facts | Cause::Either => "",
    };
    Exit { code, reason: format!("{reason}{}{cause}", count.waivers()) }
}

/// How many changes are at the threshold: production assets that are new or worse, and checks that fail now.
#[must_use]
pub fn failing(diff: &Diff, after: &Assessment, limit: Threshold) -> usize {
    let accepted = |change: &AssetChange| {
        let finding = |finding: &&Finding| finding.check == SURVIVES && finding.subject == change.key;
        after.findings.iter().find(finding).is_some_and(|finding| finding.waiver.is_some())
    };
    // An asset that only now counts as production is as new to whoever asks as one that was not there.
    let worse = |change: &&AssetChange| {
        let counted = change.after.is_some_and(|now| now.in_headline);
        let moved = change.before.is_some_and(|before| !before.in_headline);
        counted && (moved || matches!(change.change, Change::New | Change::Worse)) && !accepted(change)
    };
    let reached = |change: &&AssetChange| change.after.is_some_and(|now| limit.reached(at_best(&now)));
    let assets = diff.assets.iter().filter(worse).filter(reached).count();
    let checks = diff.findings.iter().filter(|change| change.fails_now() && limit.includes(change.severity())).count();
    assets + checks
}

fn failed(checks: usize, threshold: Threshold) -> String {
    let fail = if checks == 1 { "check fails" } else { "checks fail" };
    format!("{checks} {fail} at `{}` or worse", threshold.severity.word())
}

/// How an asset is rated; at its best, where its answer is not known.
#[must_use]
pub const fn at_best(asset: &Standing) -> Rank {
    let [_, best] = asset.bounds;
    if matches!(asset.answer, Answer::Unknown) { best } else { asset.rated }
}

fn waived(asset: &AssetAnswer, assessment: &Assessment, policy: &Policy) -> bool {
    let covers = |waiver: &Waiver| {
        waiver.check == SURVIVES && waiver.subject == asset.key && waiver.expires > assessment.assessed_at
    };
    asset.prevention != Prevention::Stopped && policy.waivers.iter().any(covers)
}

#[cfg(test)]
mod tests;
