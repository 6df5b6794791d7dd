//! One session that may start in any of several folders: of each way the freer one.

use deadstop_core::fact::Fact;
use deadstop_core::model::{Decision, Refusal, Way};

/// The ways of a session that may start in either of two folders: of each way the freer one.
pub(super) fn ways(one: Vec<Way>, other: Vec<Way>) -> Vec<Way> {
    let mut joined = one;
    for way in other {
        match joined.iter_mut().find(|known| known.id == way.id) {
            Some(known) => freer(known, way),
            None => joined.push(way),
        }
    }
    joined
}

fn freer(known: &mut Way, mut way: Way) {
    let contained = loosest(&known.contained, &way.contained);
    let mut escapes = [known.escapes.clone(), way.escapes.clone()].concat();
    let mut sources = [known.sources.clone(), way.sources.clone()].concat();
    let (here, there) = (rank(&known.decision), rank(&way.decision));
    let managed = known.managed && way.managed;
    if there > here {
        std::mem::swap(known, &mut way);
    }
    // What is refused in one folder and may be changed there counts, though another folder only asks.
    known.overrides.append(&mut way.overrides);
    known.managed = managed;
    escapes.sort();
    escapes.dedup();
    sources.sort();
    sources.dedup();
    known.overrides.sort();
    known.overrides.dedup();
    (known.contained, known.escapes, known.sources) = (contained, escapes, sources);
}

fn rank(decision: &Fact<Decision>) -> u8 {
    match decision {
        Fact::Known(Decision::Deny) => 0,
        Fact::Known(Decision::Ask) => 1,
        Fact::Unknown(_) => 2,
        Fact::Known(Decision::Reviewed) => 3,
        Fact::Known(Decision::Allow) => 4,
    }
}

fn loosest(one: &Fact<bool>, other: &Fact<bool>) -> Fact<bool> {
    match (one, other) {
        (Fact::Known(false), _) | (_, Fact::Known(false)) => Fact::Known(false),
        (Fact::Unknown(gap), _) | (_, Fact::Unknown(gap)) => Fact::Unknown(gap.clone()),
        (Fact::Known(true), Fact::Known(true)) => Fact::Known(true),
    }
}

/// What every one of the folders refuses. Of the steps that lift a refusal each counts.
pub(super) fn refusals(mut all: impl Iterator<Item = Vec<Refusal>>) -> Vec<Refusal> {
    let first = all.next().unwrap_or_default();
    all.fold(first, |kept, next| {
        let both = kept.into_iter().filter_map(|mut refusal| {
            let other = next.iter().find(|other| other.way == refusal.way)?;
            refusal.overrides.extend(other.overrides.iter().cloned());
            refusal.overrides.sort();
            refusal.overrides.dedup();
            Some(refusal)
        });
        both.collect()
    })
}
