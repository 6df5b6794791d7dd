//! The closure against a brute-force oracle over random rules.

use super::*;
use crate::fact::GapReason;
use proptest::prelude::*;

#[derive(Clone, Debug)]
struct Plain {
    head: u8,
    needs: Vec<u8>,
    maybe: bool,
    changes: bool,
}

fn plain_rule() -> impl Strategy<Value = Plain> {
    (0_u8..12, proptest::collection::vec(0_u8..12, 0..3), proptest::bool::weighted(0.3), proptest::bool::weighted(0.3))
        .prop_map(|(head, needs, maybe, changes)| Plain { head, needs, maybe, changes })
}

fn gap() -> Gap {
    Gap { source: "s1".into(), reason: GapReason::Denied }
}

fn build(plain: &[Plain]) -> Ready<u8> {
    let mut rules = Rules::new();
    for atom in 0..12 {
        rules.atom(atom);
    }
    for rule in plain {
        let head = rules.atom(rule.head);
        let needs: Vec<AtomNo> = rule.needs.iter().map(|need| rules.atom(*need)).collect();
        let when = if rule.maybe { When::Maybe(gap()) } else { When::Holds };
        if rule.changes {
            let why = Why { text: format!("change {}", rule.head), sources: Vec::new() };
            rules.add_change(head, needs, when, why);
        } else {
            rules.add(head, needs, when);
        }
    }
    rules.ready()
}

/// The smallest set that contains `start` and that no applicable rule can add to, found by trying over and over.
fn oracle(plain: &[Plain], start: u8, changes: bool, maybe: bool) -> BTreeSet<u8> {
    let mut set = BTreeSet::from([start]);
    loop {
        let before = set.len();
        for rule in plain {
            if (changes || !rule.changes) && (maybe || !rule.maybe) && rule.needs.iter().all(|n| set.contains(n)) {
                set.insert(rule.head);
            }
        }
        if set.len() == before {
            return set;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_four_sets_are_the_oracles(plain in proptest::collection::vec(plain_rule(), 0..30)) {
        let ready = build(&plain);
        let start = ready.rules.find(&0).unwrap();
        let power = ready.power(&[start]);
        for (sight, maybe) in [(Sight::Best, false), (Sight::Worst, true)] {
            let free = oracle(&plain, 0, false, maybe);
            let full = oracle(&plain, 0, true, maybe);
            for key in 0..12_u8 {
                let atom = ready.rules.find(&key).unwrap();
                let expected = if free.contains(&key) { Hold::Free } else if full.contains(&key) { Hold::Full } else { Hold::Never };
                prop_assert_eq!(power.hold(sight, &[atom]), expected);
            }
        }
    }

    #[test]
    fn what_only_full_power_has_names_a_change(plain in proptest::collection::vec(plain_rule(), 0..30)) {
        let ready = build(&plain);
        let power = ready.power(&[ready.rules.find(&0).unwrap()]);
        for key in 0..12_u8 {
            let atom = ready.rules.find(&key).unwrap();
            for sight in [Sight::Best, Sight::Worst] {
                if power.hold(sight, &[atom]) == Hold::Full {
                    prop_assert!(!power.changes(sight, &[atom]).is_empty());
                }
            }
        }
    }

    #[test]
    fn what_only_the_worst_reading_has_names_a_gap(plain in proptest::collection::vec(plain_rule(), 0..30)) {
        let ready = build(&plain);
        let power = ready.power(&[ready.rules.find(&0).unwrap()]);
        for key in 0..12_u8 {
            let atom = ready.rules.find(&key).unwrap();
            if power.hold(Sight::Worst, &[atom]) < power.hold(Sight::Best, &[atom]) && power.hold(Sight::Best, &[atom]) == Hold::Never {
                prop_assert!(!power.gaps(&[atom]).is_empty());
            }
        }
    }
}
