//! A large world is assessed in bounded time: the enumeration and the fixpoints stay polynomial.

#[path = "support/large.rs"]
mod large;

use deadstop_core::answer::judge;
use deadstop_core::policy::Policy;
use deadstop_core::power::ground::Ground;
use deadstop_core::world::World;

use large::guarded;

/// Work is counted in rules, which is what the fixpoints are linear in; a clock would measure the machine.
#[test]
fn rules_grow_with_the_facts_and_not_with_their_product() {
    let rules = |scale: usize| {
        let bundle = guarded(100 * scale, 50 * scale, 5);
        let facts = World::new(&bundle, &Policy::default(), &[]);
        let judged = judge(&Ground::new(&facts), &Policy::default(), true);
        assert_eq!(judged.len(), 50 * scale);
        Ground::new(&facts).ready.rules.len()
    };
    let (one, four) = (rules(1), rules(4));
    assert!(four <= one * 5, "{one} rules at one size, {four} at four times that");
}

/// A chain of parents costs its length for every asset on it, so it is not followed beyond what any provider has.
#[test]
fn a_chain_of_parents_without_end_is_refused() {
    let mut bundle = guarded(10, 200, 1);
    for n in 1..200 {
        bundle.assets.items[n].parent = Some(format!("db-{}", n - 1).into());
    }
    let text = deadstop_core::bundle::to_json(&bundle);
    let refused = deadstop_core::bundle::parse(&text).unwrap_err().to_string();
    assert!(refused.contains("is longer than 100"), "{refused}");
    // A circle has no end either, but it has no length.
    bundle.assets.items.truncate(20);
    bundle.protections.items.clear();
    bundle.recovery_points.items.clear();
    bundle.assets.items[0].parent = Some("db-19".into());
    assert!(deadstop_core::bundle::parse(&deadstop_core::bundle::to_json(&bundle)).is_ok());
}
