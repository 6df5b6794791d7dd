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
