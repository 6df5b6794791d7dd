//! Answers at their worst and at their best (floor 2).

use crate::fact::GapReason;
use crate::gate::{Basis, Doubt, GateDecision, Level, Place, Ruling};
use crate::model::Decision;

/// The freest and the strictest answer.
#[derive(Clone, Debug)]
pub(super) struct Bounds {
    pub(super) worst: Ruling,
    pub(super) best: Ruling,
}

impl Bounds {
    pub(super) fn one(ruling: Ruling) -> Self {
        Self { worst: ruling.clone(), best: ruling }
    }

    /// Any answer at all.
    pub(super) fn unknown(because: &str) -> Self {
        let of = |decision| ruling(decision, Basis::Unread, None, because.to_owned());
        Self { worst: of(Decision::Allow), best: of(Decision::Deny) }
    }

    /// Either of two answers.
    pub(super) fn or(self, other: Self) -> Self {
        let worst = if other.worst.decision > self.worst.decision { other.worst } else { self.worst };
        let best = if other.best.decision < self.best.decision { other.best } else { self.best };
        Self { worst, best }
    }

    /// The stricter of two answers.
    pub(super) fn and(self, other: Self) -> Self {
        let least = |a: Ruling, b: Ruling| if b.decision < a.decision { b } else { a };
        Self { worst: least(self.worst, other.worst), best: least(self.best, other.best) }
    }

    /// The freer of two answers, where the session may choose.
    pub(super) fn freer(self, other: Self) -> Self {
        let most = |a: Ruling, b: Ruling| if b.decision > a.decision { b } else { a };
        Self { worst: most(self.worst, other.worst), best: most(self.best, other.best) }
    }
}

/// What is not known where an answer is open, and what would settle it.
pub(super) struct Open {
    pub(super) id: &'static str,
    pub(super) question: &'static str,
    pub(super) settle: &'static str,
}

impl Bounds {
    /// The decision of a gate that contains nothing: nothing is known where one of the files was not read, and `open` says
    /// what is not where the answer is open.
    pub(super) fn decided(
        self,
        unread_files: &[(String, GapReason)],
        open: &Open,
        levers: impl FnOnce() -> Vec<String>,
    ) -> GateDecision {
        let (Self { worst, best }, why) = match unread(unread_files) {
            Some((unknown, why)) => (unknown, Some(why)),
            None => (self, None),
        };
        let doubt = (worst.decision != best.decision).then(|| {
            why.unwrap_or_else(|| Doubt {
                id: open.id.to_owned(),
                reason: GapReason::Unsupported,
                question: open.question.to_owned(),
                settle: open.settle.to_owned(),
                place: worst.place.clone().or_else(|| best.place.clone()),
            })
        });
        let overridable_by = if best.decision > Decision::Ask { Vec::new() } else { levers() };
        GateDecision { contained: Some(false), worst, best, doubt, overridable_by }
    }
}

/// Any of several answers.
pub(super) fn any(all: impl Iterator<Item = Bounds>) -> Bounds {
    all.reduce(Bounds::or).unwrap_or_else(|| Bounds::unknown("nothing decides"))
}

/// What is known where a file was not read, the first of these: nothing.
pub(super) fn unread(files: &[(String, GapReason)]) -> Option<(Bounds, Doubt)> {
    let (path, reason) = files.first()?;
    let doubt = Doubt {
        id: format!("unread/{path}"),
        reason: *reason,
        question: format!("read {path}"),
        settle: format!("reading {path}"),
        place: None,
    };
    Some((Bounds::unknown(&format!("`{path}` could not be read, because {}", reason.words())), doubt))
}

/// Something that may answer a call and is not run to learn its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Odd {
    /// What it is.
    pub(super) what: &'static str,
    pub(super) place: Place,
    pub(super) level: Level,
    /// Whether it may refuse what rules allow, and not only allow what they refuse.
    pub(super) refuses: bool,
}

impl Odd {
    /// The one of these that leaves most open, and what it leaves of an answer.
    pub(super) fn first<'o>(all: &'o [Self], bounds: &mut Bounds) -> Option<&'o Self> {
        let odd = all.iter().find(|odd| odd.refuses).or_else(|| all.first())?;
        let because = format!("the {} ({}) may answer otherwise, and it is not run to learn how", odd.what, odd.place);
        let by = |decision| ruling(decision, Basis::Hook(odd.level), Some(&odd.place), because.clone());
        if bounds.worst.decision < Decision::Allow {
            bounds.worst = by(Decision::Allow);
        }
        if odd.refuses {
            bounds.best = by(Decision::Deny);
        }
        Some(odd)
    }

    /// What would settle it.
    pub(super) fn doubt(&self, id: &str, settle: &str) -> Doubt {
        Doubt {
            id: id.to_owned(),
            reason: GapReason::NotAsked,
            question: format!("ask the {}", self.what),
            settle: settle.to_owned(),
            place: Some(self.place.clone()),
        }
    }
}

pub(super) fn ruling(decision: Decision, basis: Basis, place: Option<&Place>, because: String) -> Ruling {
    Ruling { decision, basis, place: place.cloned(), because }
}
