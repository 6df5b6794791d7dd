//! The plan of least effort against brute force: every set of candidates, tried.

#![expect(clippy::indexing_slicing, reason = "a test fails by panicking")]

#[path = "support/random.rs"]
mod random;

use deadstop_core::answer::{Judged, judge};
use deadstop_core::bundle::Bundle;
use deadstop_core::fixes::{Candidate, candidates, plan};
use deadstop_core::policy::Policy;
use deadstop_core::power::ground::Ground;
use deadstop_core::verdict::{LayerName, Rank};
use deadstop_core::world::World;
use proptest::prelude::*;

/// Up to how many candidates every set is tried.
const MOST: usize = 8;

fn judged(bundle: &Bundle, policy: &Policy) -> Vec<Judged> {
    let world = World::new(bundle, policy, &[]);
    let ground = Ground::new(&world);
    judge(&ground, policy, true)
}

fn reaches(bundle: &Bundle, policy: &Policy) -> bool {
    judged(bundle, policy).iter().all(|asset| asset.worst.rated() >= policy.target)
}

fn found(bundle: &Bundle, policy: &Policy) -> Vec<Candidate> {
    let world = World::new(bundle, policy, &[]);
    let ground = Ground::new(&world);
    let all = judge(&ground, policy, false);
    candidates(&ground, policy, &all)
}

/// The least effort of any set that reaches the target, if one does.
fn least(bundle: &Bundle, policy: &Policy, found: &[Candidate]) -> Option<u32> {
    let sets = (0_u32..1 << found.len()).map(|mask| {
        let chosen: Vec<&Candidate> =
            found.iter().enumerate().filter(|(at, _)| mask >> at & 1 == 1).map(|(_, c)| c).collect();
        (chosen.iter().map(|c| c.effort).sum::<u32>(), chosen)
    });
    let mut sets: Vec<(u32, Vec<&Candidate>)> = sets.collect();
    sets.sort_by_key(|(effort, _)| *effort);
    let works = |chosen: &Vec<&Candidate>| {
        let changed = chosen.iter().fold(bundle.clone(), |bundle, candidate| candidate.apply(&bundle));
        reaches(&changed, policy)
    };
    sets.into_iter().find(|(_, chosen)| works(chosen)).map(|(effort, _)| effort)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn no_set_of_less_effort_reaches_the_target(bundle in random::world()) {
        let policy = Policy::default();
        let prevents = |c: &Candidate| c.layer < LayerName::Survive;
        let found: Vec<Candidate> = found(&bundle, &policy).into_iter().filter(prevents).collect();
        prop_assume!(found.len() <= MOST);
        let world = World::new(&bundle, &policy, &[]);
        let ground = Ground::new(&world);
        let planned = plan(&bundle, &ground, &policy, &judge(&ground, &policy, false));
        let expected = least(&bundle, &policy, &found);
        prop_assert_eq!(planned.reached, expected.is_some());
        if let Some(expected) = expected {
            let effort = |key: &String| found.iter().find(|c| c.key == *key).map_or(0, |c| c.effort);
            prop_assert!(planned.optimal);
            prop_assert_eq!(planned.chosen.iter().map(effort).sum::<u32>(), expected);
            prop_assert_eq!(planned.at_least, expected);
        }
    }
}

#[test]
fn a_world_that_is_stopped_needs_no_plan() {
    let policy = Policy { target: Rank::Nothing, ..Policy::default() };
    let bundle = Bundle::empty(deadstop_core::time::Time::from_unix(0), "0");
    let world = World::new(&bundle, &policy, &[]);
    let planned = plan(&bundle, &Ground::new(&world), &policy, &judged(&bundle, &policy));
    assert!(planned.chosen.is_empty() && planned.reached);
}
