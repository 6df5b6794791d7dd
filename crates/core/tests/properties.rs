//! Properties of the answer over random worlds.
//!
//! - Erase any facts, and the truth lies within the bounds.
//! - Erase any facts, and a check's verdict becomes unknown or stays.
//! - Better any fact, and the rank never falls.
//! - Merging is commutative, associative and idempotent.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "support/checks.rs"]
mod checks;
#[path = "support/random.rs"]
mod random;

use deadstop_core::answer::{Judged, judge};
use deadstop_core::assess::assess_with;
use deadstop_core::bundle::{Bundle, adopt, merge, parse, to_json};
use deadstop_core::check::CheckSet;
use deadstop_core::fact::{Fact, Gap, GapReason, Listing};
use deadstop_core::id::NodeId;
use deadstop_core::model::reach::Approval;
use deadstop_core::model::{Atom, Decision, End, Grant, Holds, Status};
use deadstop_core::path::Outcome;
use deadstop_core::policy::Policy;
use deadstop_core::power::ground::Ground;
use deadstop_core::world::World;
use proptest::prelude::*;
use std::collections::BTreeMap;
use std::sync::LazyLock;

fn outcomes(bundle: &Bundle) -> BTreeMap<NodeId, (Outcome, Outcome)> {
    let policy = Policy::default();
    let world = World::new(bundle, &policy, &[]);
    let ground = Ground::new(&world);
    let all: Vec<Judged> = judge(&ground, &policy, false);
    all.into_iter().map(|judged| (judged.asset.clone(), (judged.worst, judged.best))).collect()
}

/// The verdict of every built-in check on every subject. A path's key stands for several, so paths are left out.
fn verdicts(bundle: &Bundle) -> BTreeMap<(String, String), String> {
    static CHECKS: LazyLock<CheckSet> = LazyLock::new(checks::built_in);
    let found = assess_with(bundle, &Policy::default(), &CHECKS).findings.into_iter();
    let found = found.filter(|finding| finding.subject_kind != "path");
    found.map(|finding| ((finding.check.into(), finding.subject.into()), finding.verdict.into())).collect()
}

fn gap() -> Gap {
    Gap { source: "gone".into(), reason: GapReason::Denied }
}

fn pick<T>(items: &mut [T], at: usize) -> Option<&mut T> {
    let len = items.len();
    if len == 0 { None } else { items.get_mut(at % len) }
}

fn drop_one<T>(listing: &mut Listing<T>, at: usize) {
    if !listing.items.is_empty() {
        let at = at % listing.items.len();
        listing.items.remove(at);
        listing.gaps.push(gap());
    }
}

fn blur<T>(fact: &mut Fact<T>) {
    *fact = Fact::Unknown(gap());
}

/// Erases one fact or item, chosen by two numbers, and leaves a gap where it was.
fn erase(bundle: &mut Bundle, which: usize, at: usize) {
    match which % 35 {
        0 => pick(&mut bundle.sessions.items, at).into_iter().for_each(|s| blur(&mut s.reach)),
        1 => pick(&mut bundle.sessions.items, at).into_iter().for_each(|s| blur(&mut s.ways)),
        2 => pick(&mut bundle.ways.items, at).into_iter().for_each(|w| blur(&mut w.decision)),
        3 => pick(&mut bundle.ways.items, at).into_iter().for_each(|w| blur(&mut w.contained)),
        4 => pick(&mut bundle.credentials.items, at).into_iter().for_each(|c| blur(&mut c.status)),
        5 | 6 => pick(&mut bundle.credentials.items, at).into_iter().for_each(|c| blur(&mut c.identity)),
        7 => pick(&mut bundle.principals.items, at).into_iter().for_each(|p| blur(&mut p.grants)),
        8 | 9 => pick(&mut bundle.grants.items, at).into_iter().for_each(|g| blur(&mut g.allowed)),
        10 => pick(&mut bundle.steps.items, at).into_iter().for_each(|s| blur(&mut s.possible)),
        11 => pick(&mut bundle.assets.items, at).into_iter().for_each(|a| blur(&mut a.protections)),
        12 => pick(&mut bundle.assets.items, at).into_iter().for_each(|a| blur(&mut a.copies)),
        13 => pick(&mut bundle.protections.items, at).into_iter().for_each(|p| blur(&mut p.enabled)),
        14 => pick(&mut bundle.protections.items, at).into_iter().for_each(|p| blur(&mut p.whole)),
        15 => pick(&mut bundle.protections.items, at).into_iter().for_each(|p| blur(&mut p.lifts)),
        16 => pick(&mut bundle.recovery_points.items, at).into_iter().for_each(|c| blur(&mut c.lag)),
        17 => pick(&mut bundle.recovery_points.items, at).into_iter().for_each(|c| blur(&mut c.ends)),
        18 => pick(&mut bundle.recovery_points.items, at).into_iter().for_each(|c| blur(&mut c.dies_with)),
        19 => pick(&mut bundle.recovery_points.items, at).into_iter().for_each(|c| blur(&mut c.destroyed_by)),
        20 => pick(&mut bundle.drills.items, at).into_iter().for_each(|d| blur(&mut d.took)),
        21 => drop_one(&mut bundle.sessions, at),
        22 => drop_one(&mut bundle.ways, at),
        // A bundle that names a credential it does not have is refused, so those that a deputy holds stay.
        23 => {
            let held: Vec<_> = bundle.ways.items.iter().flat_map(|way| way.holds.clone()).collect();
            let (kept, mut loose): (Vec<_>, Vec<_>) =
                bundle.credentials.items.drain(..).partition(|credential| held.contains(&credential.id));
            bundle.credentials.items = kept;
            if !loose.is_empty() {
                loose.remove(at % loose.len());
                bundle.credentials.gaps.push(gap());
            }
            bundle.credentials.items.extend(loose);
        }
        24 => drop_one(&mut bundle.principals, at),
        25 => drop_one(&mut bundle.grants, at),
        26 => drop_one(&mut bundle.steps, at),
        27 => drop_one(&mut bundle.protections, at),
        28 => drop_one(&mut bundle.recovery_points, at),
        29 => drop_one(&mut bundle.drills, at),
        30 => pick(&mut bundle.sessions.items, at).into_iter().for_each(|s| s.tally = None),
        31 => pick(&mut bundle.sessions.items, at).into_iter().flat_map(|s| &mut s.tally).for_each(|t| t.rules = None),
        32 => pick(&mut bundle.ways.items, at)
            .into_iter()
            .flat_map(|w| &mut w.approval)
            .for_each(|it| *it = Approval::Open),
        33 if !bundle.groups.is_empty() => drop(bundle.groups.remove(at % bundle.groups.len())),
        _ => {
            let tallies = bundle.sessions.items.iter_mut().flat_map(|session| &mut session.tally);
            let mut rules: Vec<_> = tallies.flat_map(|tally| &mut tally.rules).flatten().collect();
            pick(&mut rules, at).into_iter().for_each(|rule| rule.weak = None);
        }
    }
}

/// Makes one fact better for the defender.
fn better(bundle: &mut Bundle, which: usize, at: usize) {
    match which % 14 {
        0 => pick(&mut bundle.ways.items, at).into_iter().for_each(|w| w.decision = Fact::Known(Decision::Deny)),
        1 => pick(&mut bundle.ways.items, at).into_iter().for_each(|w| w.overrides.clear()),
        2 => pick(&mut bundle.ways.items, at).into_iter().for_each(|w| w.contained = Fact::Known(true)),
        3 => pick(&mut bundle.credentials.items, at).into_iter().for_each(|c| c.status = Fact::Known(Status::Revoked)),
        4 => pick(&mut bundle.credentials.items, at).into_iter().for_each(|c| drop(c.locations.pop())),
        5 => pick(&mut bundle.grants.items, at).into_iter().for_each(|g| g.allowed = Fact::Known(false)),
        6 => pick(&mut bundle.steps.items, at).into_iter().for_each(|s| s.possible = Fact::Known(false)),
        7 => pick(&mut bundle.protections.items, at).into_iter().for_each(|p| p.enabled = Fact::Known(true)),
        8 => pick(&mut bundle.protections.items, at).into_iter().for_each(|p| p.whole = Fact::Known(true)),
        9 => pick(&mut bundle.protections.items, at).into_iter().for_each(|p| p.lifts = Fact::Known(Vec::new())),
        10 => pick(&mut bundle.recovery_points.items, at).into_iter().for_each(|c| c.ends = Fact::Known(End::Never)),
        11 => {
            pick(&mut bundle.recovery_points.items, at).into_iter().for_each(|c| c.dies_with = Fact::Known(Vec::new()))
        }
        12 => pick(&mut bundle.recovery_points.items, at)
            .into_iter()
            .for_each(|c| c.destroyed_by = Fact::Known(Vec::new())),
        _ => pick(&mut bundle.steps.items, at).into_iter().for_each(|s| s.changes = true),
    }
}

/// The same facts with every right stated of each member of a group by itself.
fn spelt_out(bundle: &Bundle) -> Bundle {
    let nodes = |id: &NodeId| -> Option<Vec<NodeId>> {
        match &bundle.groups.iter().find(|group| group.id == *id)?.holds {
            Holds::Nodes(nodes) => Some(nodes.clone()),
            Holds::Rest { .. } => None,
        }
    };
    // A right to nothing is kept as it is: whose it would be is told by it.
    let members = |target: &NodeId| -> Vec<NodeId> {
        let group = bundle.groups.iter().find(|group| group.id == *target);
        let members = match group.map(|group| &group.holds) {
            None => Vec::new(),
            Some(Holds::Nodes(nodes)) => nodes.clone(),
            Some(Holds::Rest { of, except }) => {
                nodes(of).unwrap().into_iter().filter(|node| !except.contains(node)).collect()
            }
        };
        if members.is_empty() { vec![target.clone()] } else { members }
    };
    let mut spelt = bundle.clone();
    let each = |grant: &Grant| -> Vec<Grant> {
        members(&grant.target).into_iter().map(|target| Grant { target, ..grant.clone() }).collect()
    };
    spelt.grants.items = bundle.grants.items.iter().flat_map(each).collect();
    for step in &mut spelt.steps.items {
        let gains = step.gains.iter().flat_map(|gain| {
            if let Atom::Right { principal, action, target } = gain {
                let to = |target| Atom::Right { principal: principal.clone(), action: action.clone(), target };
                members(target).into_iter().map(to).collect()
            } else {
                vec![gain.clone()]
            }
        });
        step.gains = gains.collect();
    }
    spelt
}

/// Everything that is said of each asset but for the words.
fn judged(bundle: &Bundle) -> Vec<String> {
    let policy = Policy::default();
    let world = World::new(bundle, &policy, &[]);
    let all: Vec<Judged> = judge(&Ground::new(&world), &policy, false);
    all.into_iter().map(|judged| format!("{judged:?}")).collect()
}

/// Readings of a world by several collectors, each with its own time.
fn readings(bundle: &Bundle, picks: &[(usize, usize)]) -> Vec<Bundle> {
    let mut all = vec![bundle.clone()];
    for (which, at) in picks {
        let mut next = bundle.clone();
        better(&mut next, *which, *at);
        let day = i64::try_from(*at % 5).unwrap() * 86_400;
        next.collected_at = deadstop_core::time::Time::from_unix(1_800_000_000 + day);
        all.push(next);
    }
    all.into_iter().map(|bundle| adopt(bundle).unwrap()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn a_world_without_gaps_has_one_answer(bundle in random::world()) {
        for (asset, (worst, best)) in outcomes(&bundle) {
            prop_assert_eq!(worst.order(), best.order(), "{}", asset);
        }
    }

    #[test]
    fn the_truth_lies_within_the_bounds(
        bundle in random::world(),
        erased in proptest::collection::vec((0_usize..35, 0_usize..20), 1..6),
    ) {
        let truth = outcomes(&bundle);
        let mut blurred = bundle;
        for (which, at) in erased {
            erase(&mut blurred, which, at);
        }
        for (asset, (worst, best)) in outcomes(&blurred) {
            if let Some((known, _)) = truth.get(&asset) {
                prop_assert!(worst.order() <= known.order() && known.order() <= best.order(),
                    "{}: {:?} is not within {:?} and {:?}", asset, known, worst, best);
            }
        }
    }

    #[test]
    fn a_better_fact_never_gives_a_worse_answer(bundle in random::world(), which in 0_usize..14, at in 0_usize..20) {
        let before = outcomes(&bundle);
        let mut improved = bundle;
        better(&mut improved, which, at);
        for (asset, (after, _)) in outcomes(&improved) {
            let (known, _) = before[&asset];
            prop_assert!(after.order() >= known.order(), "{}: from {:?} to {:?}", asset, known, after);
        }
    }

    #[test]
    fn merging_is_commutative_associative_and_idempotent(
        bundle in random::world(),
        picks in proptest::collection::vec((0_usize..14, 0_usize..20), 1..3),
    ) {
        let all = readings(&bundle, &picks);
        let merged = merge(&all);
        let mut reversed = all.clone();
        reversed.reverse();
        prop_assert_eq!(to_json(&merged), to_json(&merge(&reversed)));
        let (first, rest) = all.split_first().unwrap();
        prop_assert_eq!(to_json(&merged), to_json(&merge(&[first.clone(), merge(rest)])));
        prop_assert_eq!(to_json(&merged), to_json(&merge(&[merged.clone(), merged.clone(), first.clone()])));
        prop_assert_eq!(outcomes(&merged), outcomes(&merge(&reversed)));
    }

    /// A right to a group is one to each of its members.
    #[test]
    fn a_group_is_its_members(
        bundle in random::world(),
        erased in proptest::collection::vec((0_usize..33, 0_usize..20), 0..3),
    ) {
        let mut blurred = bundle;
        for (which, at) in erased {
            erase(&mut blurred, which, at);
        }
        // One reading of each right, whether of a group or of its members, as the worse of two would count.
        blurred.grants.items.iter_mut().enumerate().for_each(|(at, grant)| grant.actions.push(format!("other-{at}")));
        prop_assert_eq!(judged(&blurred), judged(&spelt_out(&blurred)));
    }

    #[test]
    fn a_bundle_reads_as_it_was_written(bundle in random::world()) {
        let text = to_json(&adopt(bundle).unwrap());
        prop_assert_eq!(to_json(&parse(&text).unwrap()), text);
    }
}

proptest! {
    // Every check is asked of every subject twice, so fewer worlds do.
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// A verdict that there was stays or becomes unknown.
    #[test]
    fn knowing_less_turns_a_verdict_into_unknown_and_nothing_else(
        bundle in random::world(),
        erased in proptest::collection::vec((0_usize..35, 0_usize..20), 1..6),
    ) {
        let truth = verdicts(&bundle);
        let mut blurred = bundle;
        for (which, at) in erased {
            erase(&mut blurred, which, at);
        }
        for (of, verdict) in verdicts(&blurred) {
            let known = truth.get(&of).filter(|known| known.as_str() != "unknown");
            if let Some(known) = known.filter(|_| verdict != "unknown") {
                prop_assert_eq!(&verdict, known, "{:?}", of);
            }
        }
    }
    /// Of two readings of one time the worse counts, also where one says nothing of what is set before a tool.
    #[test]
    fn a_program_that_is_told_of_twice_passes_only_where_both_pass(
        bundle in random::world(),
        others in proptest::collection::vec(proptest::option::of(proptest::sample::select(&random::APPROVALS[..])), 4),
    ) {
        let mut other = bundle.clone();
        for (way, approval) in other.ways.items.iter_mut().zip(others) {
            way.approval = approval;
        }
        let of = |bundle: &Bundle| {
            let key = ("agent-program-asks-before-it-destroys".to_owned(), "s-1".to_owned());
            verdicts(bundle).remove(&key).unwrap()
        };
        let both = merge(&[adopt(bundle.clone()).unwrap(), adopt(other.clone()).unwrap()]);
        if of(&both) == "pass" {
            prop_assert_eq!((of(&bundle), of(&other)), ("pass".to_owned(), "pass".to_owned()));
        }
    }
}
