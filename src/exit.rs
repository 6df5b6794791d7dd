//! The exit code: a pure function of the assessment and the thresholds, the same whatever the format.

use deadstop_core::assessment::{Assessment, AssetAnswer};
use deadstop_core::policy::{Policy, Waiver};
use deadstop_core::verdict::{Answer, Prevention, Rank, Recovery};
use std::str::FromStr;

/// The check whose waiver accepts an answer.
pub const SURVIVES: &str = "asset-would-survive-a-delete";

/// The worst answer that is let pass is the one just better than this.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Threshold {
    word: Word,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Word {
    Nothing,
    SlowedNoRecovery,
    RecoverableUntested,
    Recoverable,
    Slowed,
}

/// A word that `--fail-on` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailOn {
    /// An answer.
    Answer(Threshold),
    /// A severity of checks.
    Severity,
}

impl FromStr for FailOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let word = match text {
            "nothing" => Word::Nothing,
            "slowed-no-recovery" => Word::SlowedNoRecovery,
            "recoverable-untested" => Word::RecoverableUntested,
            "recoverable" => Word::Recoverable,
            "slowed" => Word::Slowed,
            "critical" | "high" | "medium" | "low" => return Ok(Self::Severity),
            _ => {
                return Err(format!(
                    "`{text}` is neither an answer (nothing, slowed-no-recovery, recoverable-untested, recoverable, slowed) nor a severity (critical, high, medium, low)"
                ));
            }
        };
        Ok(Self::Answer(Threshold { word }))
    }
}

impl Default for Threshold {
    fn default() -> Self {
        Self { word: Word::SlowedNoRecovery }
    }
}

impl Threshold {
    /// Whether a rank is at the threshold or worse.
    #[must_use]
    pub fn reached(self, rank: Rank) -> bool {
        let limit = match self.word {
            Word::Nothing => Rank::Nothing,
            Word::SlowedNoRecovery => Rank::SlowedNoRecovery,
            Word::RecoverableUntested => Rank::RecoverableUntested,
            Word::Recoverable => Rank::RecoverableTested,
            Word::Slowed => Rank::SlowedTested,
        };
        rank <= limit
    }

    /// The word that sets it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self.word {
            Word::Nothing => "nothing",
            Word::SlowedNoRecovery => "slowed-no-recovery",
            Word::RecoverableUntested => "recoverable-untested",
            Word::Recoverable => "recoverable",
            Word::Slowed => "slowed",
        }
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

/// What the answers amount to.
#[must_use]
pub fn exit(assessment: &Assessment, threshold: Threshold, policy: &Policy) -> Exit {
    let counted: Vec<&AssetAnswer> = assessment.assets.iter().filter(|asset| asset.in_headline).collect();
    let standing = |asset: &&&AssetAnswer| !waived(asset, assessment, policy);
    let failing = counted.iter().filter(standing).filter(|asset| threshold.reached(best_rated(asset))).count();
    let unknown = counted.iter().filter(standing).filter(|asset| asset.answer == Answer::Unknown).count();
    let of = counted.len();
    if failing > 0 {
        let is = if failing == 1 { "is" } else { "are" };
        return Exit {
            code: 1,
            reason: format!("{failing} of {of} production assets {is} at `{}` or worse", threshold.word()),
        };
    }
    if of == 0 {
        return Exit { code: 3, reason: "no production asset was found, so nothing could be assessed".to_owned() };
    }
    if unknown > 0 {
        let noun = if unknown == 1 { "the answer for 1" } else { &format!("the answers for {unknown}") };
        return Exit {
            code: 3,
            reason: format!(
                "{noun} of {of} production assets depend{} on what could not be read",
                if unknown == 1 { "s" } else { "" }
            ),
        };
    }
    Exit {
        code: 0,
        reason: format!("every production asset has an answer, and none is at `{}` or worse", threshold.word()),
    }
}

/// The best that an asset may be rated: its rating, or its upper bound where the answer is not known.
fn best_rated(asset: &AssetAnswer) -> Rank {
    let [_, best] = asset.bounds;
    match asset.answer {
        Answer::Unknown => best,
        Answer::Nothing | Answer::Recoverable | Answer::Slowed | Answer::Stopped => {
            if asset.outside_rpo_rto {
                Rank::of(asset.prevention, Recovery::None)
            } else {
                Rank::of(asset.prevention, asset.recovery)
            }
        }
    }
}

fn waived(asset: &AssetAnswer, assessment: &Assessment, policy: &Policy) -> bool {
    let covers = |waiver: &Waiver| {
        waiver.check == SURVIVES && waiver.subject == asset.key && waiver.expires > assessment.assessed_at
    };
    asset.prevention != Prevention::Stopped && policy.waivers.iter().any(covers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_includes_the_worse_answers() {
        let reached = |word: &str| match word.parse::<FailOn>().unwrap() {
            FailOn::Answer(threshold) => {
                let ranks = [
                    Rank::Nothing,
                    Rank::SlowedNoRecovery,
                    Rank::RecoverableUntested,
                    Rank::RecoverableTested,
                    Rank::SlowedUntested,
                    Rank::SlowedTested,
                    Rank::Stopped,
                ];
                ranks.into_iter().filter(|rank| threshold.reached(*rank)).count()
            }
            FailOn::Severity => 0,
        };
        assert_eq!(
            ["nothing", "slowed-no-recovery", "recoverable-untested", "recoverable", "slowed"].map(reached),
            [1, 2, 3, 4, 6]
        );
    }

    #[test]
    fn a_severity_is_no_answer() {
        assert_eq!("high".parse::<FailOn>(), Ok(FailOn::Severity));
        assert!("bad".parse::<FailOn>().is_err());
    }
}
