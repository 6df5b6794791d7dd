//! What is left after the delete, and whether anyone has brought it back (floor 2).

use super::Walker;
use super::case::{Case, CopyCase};
use super::layers::Both;
use crate::fact::Fact;
use crate::model::{Copy, Drill, End};
use crate::policy::Policy;
use crate::power::{Hold, Sight};
use crate::time::{Span, Time};
use crate::verdict::Recovery;

/// How long until a loss is noticed, where nobody said: a week and a day.
pub const NOTICE_ASSUMED: Span = Span::days(8);

/// What one copy, or the best of them, amounts to under one reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// Layer 5.
    pub survive: Hold,
    /// Layer 6.
    pub restore: Hold,
    /// Both together.
    pub recovery: Recovery,
    /// Whether it lies outside the declared RPO or RTO.
    pub outside: bool,
}

/// Nothing is left.
const NOTHING: Left = Left { survive: Hold::Free, restore: Hold::Free, recovery: Recovery::None, outside: false };

/// A copy, and what becomes of it.
#[derive(Clone, Debug)]
pub struct Fate<'w> {
    /// The copy.
    pub copy: &'w Copy,
    /// At its worst.
    pub worst: Left,
    /// At its best.
    pub best: Left,
    /// Whether it goes with the very call.
    pub goes_along: Both,
    /// Whether it ends before the loss is noticed, at the worst reading.
    pub ends_early: bool,
    /// The drill that counts, or the last one that was tried.
    pub drill: Option<&'w Drill>,
}

/// All copies of an asset, and the best of them under each reading.
#[derive(Clone, Debug)]
pub struct Copies<'w> {
    /// Each copy.
    pub fates: Vec<Fate<'w>>,
    /// The copy that is shown: the best at the worst reading.
    pub shown: Option<usize>,
    /// The best at the worst reading.
    pub worst: Left,
    /// The best at the best reading.
    pub best: Left,
}

/// What becomes of every copy of an asset once a deed is done by a session.
#[must_use]
pub fn copies<'w>(walker: &Walker<'_, 'w>, case: &Case<'_, 'w>) -> Copies<'w> {
    let world = walker.ground.world;
    let fates: Vec<Fate<'w>> = case.copies.iter().map(|copy| fate(walker, copy)).collect();
    let better = |left: &Left| (left.recovery, !left.outside, left.survive, left.restore);
    let mut shown: Option<usize> = None;
    for (at, fate) in fates.iter().enumerate() {
        let held = shown.and_then(|held| fates.get(held));
        let key = |fate: &Fate<'_>| (better(&fate.worst), better(&fate.best));
        if held.is_none_or(|held| key(fate) > key(held)) {
            shown = Some(at);
        }
    }
    let worst = shown.and_then(|at| fates.get(at)).map_or(NOTHING, |fate| fate.worst);
    let mut best = fates.iter().map(|fate| fate.best).max_by_key(better).unwrap_or(NOTHING);
    if world.assets.get(case.asset).is_some_and(|asset| asset.copies.gap().is_some()) {
        best = Left { survive: Hold::Never, restore: Hold::Never, recovery: Recovery::Tested, outside: false };
    }
    Copies { fates, shown, worst, best }
}

fn fate<'w>(walker: &Walker<'_, 'w>, case: &CopyCase<'w>) -> Fate<'w> {
    let (copy, goes_along, drill) = (case.copy, case.along, case.drill);
    let destroyed = case.destroyed.map_or(Both::same(Hold::Never), |atom| walker.both(&[atom]));
    let notice = walker.policy.time_to_notice.unwrap_or(NOTICE_ASSUMED);
    let now = walker.policy.assessed_at.unwrap_or(walker.ground.world.newest);
    let ends_early = |sight: Sight| match &copy.ends {
        Fact::Known(End::Never) => false,
        Fact::Known(End::After(span)) => *span < notice,
        Fact::Known(End::At(at)) => at.since(now) < notice,
        Fact::Unknown(_) => sight == Sight::Worst,
    };
    let left = |sight: Sight| {
        let (along, destroyed) = match sight {
            Sight::Worst => (goes_along.worst, destroyed.worst),
            Sight::Best => (goes_along.best, destroyed.best),
        };
        // Destroying a copy by itself is a change, so it is never more than slowed by having to be done.
        let survive = if along == Hold::Free || ends_early(sight) {
            Hold::Free
        } else if destroyed == Hold::Never {
            Hold::Never
        } else {
            Hold::Full
        };
        let (tried, outside) = restored(walker.policy, copy, drill, now, sight);
        let restore = match (survive, tried, outside) {
            (Hold::Free, _, _) => Hold::Free,
            (Hold::Full | Hold::Never, true, false) => Hold::Never,
            (Hold::Full | Hold::Never, _, _) => Hold::Full,
        };
        let recovery = match (survive, restore) {
            (Hold::Never, Hold::Never) => Recovery::Tested,
            (Hold::Never, Hold::Free | Hold::Full) => Recovery::Untested,
            (Hold::Free | Hold::Full, _) => Recovery::None,
        };
        Left { survive, restore, recovery, outside: outside && recovery != Recovery::None }
    };
    Fate {
        copy,
        worst: left(Sight::Worst),
        best: left(Sight::Best),
        goes_along,
        ends_early: ends_early(Sight::Worst),
        drill,
    }
}

/// Whether a copy was restored within the allowed age and times that are known, and whether it lies outside what was
/// declared for its asset.
fn restored(policy: &Policy, copy: &Copy, drill: Option<&Drill>, now: Time, sight: Sight) -> (bool, bool) {
    let worst = sight == Sight::Worst;
    let declared = policy.assets.get(copy.of.as_str());
    let (rpo, rto) = (declared.and_then(|d| d.rpo), declared.and_then(|d| d.rto));
    let exceeds = |fact: &Fact<Span>, limit: Option<Span>| match (fact, limit) {
        (Fact::Known(span), Some(limit)) => *span > limit,
        (Fact::Unknown(_), Some(_)) => worst,
        (Fact::Known(_) | Fact::Unknown(_), None) => false,
    };
    let too_old = exceeds(&copy.lag, rpo);
    let recent = drill.filter(|d| d.worked && now.since(d.tested_at) <= policy.drill_max_age);
    let too_slow = recent.is_some_and(|d| exceeds(&d.took, rto));
    let times_known = copy.lag.known().is_some() || !worst;
    let tried = match recent {
        Some(d) => (d.took.known().is_some() || !worst) && times_known,
        None => copy.drills.gap().is_some() && !worst,
    };
    (tried, too_old || too_slow)
}
