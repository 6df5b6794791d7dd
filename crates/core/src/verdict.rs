//! The closed words of the answer and their order (floor 1).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The six places where a delete can stop, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LayerName {
    /// Can the session get hold of the credential, or make its holder act?
    Reach,
    /// Must a person say yes before this call?
    Confirm,
    /// Does the provider refuse this identity?
    Permit,
    /// Does the resource refuse to die?
    Protect,
    /// Does a copy outlive it?
    Survive,
    /// Is there a way back that has been tried?
    Restore,
}

impl LayerName {
    /// All six, in order.
    pub const ALL: [Self; 6] = [Self::Reach, Self::Confirm, Self::Permit, Self::Protect, Self::Survive, Self::Restore];

    /// The word used in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reach => "reach",
            Self::Confirm => "confirm",
            Self::Permit => "permit",
            Self::Protect => "protect",
            Self::Survive => "survive",
            Self::Restore => "restore",
        }
    }

    /// The word at the head of a column.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Reach => "Reach",
            Self::Confirm => "Confirm",
            Self::Permit => "Permit",
            Self::Protect => "Protect",
            Self::Survive => "Survive",
            Self::Restore => "Restore",
        }
    }
}

/// What a layer does to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LayerState {
    /// Free power gets past it.
    Open,
    /// Depends on a gap.
    Unknown,
    /// Only full power gets past it.
    Slows,
    /// Neither does.
    Stops,
}

impl LayerState {
    /// The word used in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Unknown => "unknown",
            Self::Slows => "slows",
            Self::Stops => "stops",
        }
    }
}

/// What stands before the delete: the best of layers 1 to 4.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Prevention {
    /// Nothing.
    Open,
    /// Something that the same session can get round.
    Slowed,
    /// Something that it cannot.
    Stopped,
}

/// What stands after it: that of the best single copy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Recovery {
    /// No copy outlives it.
    None,
    /// A copy does; nobody has restored it in the allowed time, or it lies outside RPO/RTO.
    Untested,
    /// A copy does, and it was restored.
    Tested,
}

/// How bad it is, worst first: prevention, then recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rank {
    /// Nothing stops it, and nothing brings it back.
    Nothing,
    /// Something slows it, and nothing brings it back.
    SlowedNoRecovery,
    /// Nothing stops it; a copy survives, not proved.
    RecoverableUntested,
    /// Nothing stops it; a copy survives, proved.
    RecoverableTested,
    /// Something slows it; a copy survives, not proved.
    SlowedUntested,
    /// Something slows it; a copy survives, proved.
    SlowedTested,
    /// It stops.
    Stopped,
}

impl Rank {
    /// All of them, worst first.
    pub const ALL: [Self; 7] = [
        Self::Nothing,
        Self::SlowedNoRecovery,
        Self::RecoverableUntested,
        Self::RecoverableTested,
        Self::SlowedUntested,
        Self::SlowedTested,
        Self::Stopped,
    ];

    /// What stands before the delete.
    #[must_use]
    pub const fn prevention(self) -> Prevention {
        match self {
            Self::Nothing | Self::RecoverableUntested | Self::RecoverableTested => Prevention::Open,
            Self::SlowedNoRecovery | Self::SlowedUntested | Self::SlowedTested => Prevention::Slowed,
            Self::Stopped => Prevention::Stopped,
        }
    }

    /// The rank of a prevention and a recovery.
    #[must_use]
    pub const fn of(prevention: Prevention, recovery: Recovery) -> Self {
        match (prevention, recovery) {
            (Prevention::Stopped, _) => Self::Stopped,
            (Prevention::Open, Recovery::None) => Self::Nothing,
            (Prevention::Open, Recovery::Untested) => Self::RecoverableUntested,
            (Prevention::Open, Recovery::Tested) => Self::RecoverableTested,
            (Prevention::Slowed, Recovery::None) => Self::SlowedNoRecovery,
            (Prevention::Slowed, Recovery::Untested) => Self::SlowedUntested,
            (Prevention::Slowed, Recovery::Tested) => Self::SlowedTested,
        }
    }

    /// The answer it is called by.
    #[must_use]
    pub const fn answer(self) -> Answer {
        match self {
            Self::Nothing => Answer::Nothing,
            Self::RecoverableUntested | Self::RecoverableTested => Answer::Recoverable,
            Self::SlowedNoRecovery | Self::SlowedUntested | Self::SlowedTested => Answer::Slowed,
            Self::Stopped => Answer::Stopped,
        }
    }

    /// The word used in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::SlowedNoRecovery => "slowed-no-recovery",
            Self::RecoverableUntested => "recoverable-untested",
            Self::RecoverableTested => "recoverable-tested",
            Self::SlowedUntested => "slowed-untested",
            Self::SlowedTested => "slowed-tested",
            Self::Stopped => "stopped",
        }
    }

    /// The rank in words, as prose.
    #[must_use]
    pub const fn prose(self) -> &'static str {
        match self {
            Self::Nothing => "nothing stops it and nothing brings it back",
            Self::SlowedNoRecovery => "slowed, with nothing to bring it back",
            Self::RecoverableUntested => "nothing stops it, and it can be brought back, not proven",
            Self::RecoverableTested => "nothing stops it, and it can be brought back, proven",
            Self::SlowedUntested => "slowed, and it can be brought back, not proven",
            Self::SlowedTested => "slowed, and it can be brought back, proven",
            Self::Stopped => "stopped",
        }
    }
}

/// The answer's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Nothing stops it, and nothing brings it back.
    Nothing,
    /// Nothing stops it. It can be brought back.
    Recoverable,
    /// Something slows it, and the same session can get round it.
    Slowed,
    /// It stops.
    Stopped,
    /// It depends on a gap.
    Unknown,
}

impl Answer {
    /// The word used in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::Recoverable => "recoverable",
            Self::Slowed => "slowed",
            Self::Stopped => "stopped",
            Self::Unknown => "unknown",
        }
    }
}

/// What a check says of one subject: the result names of XCCDF, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is not as it should be.
    Fail,
    /// It depends on what was not read: never a pass.
    Unknown,
    /// It is as it should be.
    Pass,
    /// It is not asked of this subject.
    NotApplicable,
}

impl Verdict {
    /// The word used in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Unknown => "unknown",
            Self::Pass => "pass",
            Self::NotApplicable => "not_applicable",
        }
    }
}

/// How bad a result is, worst first. A check says its own; an answer's follows from its rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A loss for good, or one that comes back outside the declared objectives.
    Critical,
    /// Nothing stops it, or nothing brings it back.
    High,
    /// A single layer stands between, or a loss is likelier.
    Medium,
    /// A weakness, or depth: nothing to do today.
    Low,
    /// For information.
    Info,
}

impl Severity {
    /// All of them, worst first.
    pub const ALL: [Self; 5] = [Self::Critical, Self::High, Self::Medium, Self::Low, Self::Info];

    /// The severity of that name.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.word() == word)
    }

    /// The word used in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
            Self::Info => "info",
        }
    }
}
