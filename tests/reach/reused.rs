//! One password for several logins.

use deadstop_core::fact::Fact;
use deadstop_core::model::{Atom, Step};

use crate::support::Fake;

const ONE: &str = "kV7-quarry-fern-28";
const OTHER: &str = "w3Z-lantern-oak-71";

/// The steps that lead from one login to another, each by its two places.
fn leading(fake: &Fake) -> Vec<(String, String, Fact<bool>)> {
    let found = fake.collect();
    let of = |step: &Step| match (step.needs.as_slice(), step.gains.as_slice()) {
        ([Atom::Credential(from)], [Atom::Credential(to)]) => {
            let name = |id: &deadstop_core::id::CredentialId| id.0.rsplit("//").next().unwrap_or_default().to_owned();
            Some((name(from), name(to), step.possible.clone()))
        }
        _ => None,
    };
    let steps: Vec<_> = found.steps.items.iter().filter_map(of).collect();
    let sources: Vec<_> = found.sources.iter().map(|source| &source.id).collect();
    assert!(found.steps.items.iter().all(|step| step.sources.iter().all(|source| sources.contains(&source))));
    assert!(steps.iter().filter_map(|(_, _, possible)| possible.gap()).all(|gap| sources.contains(&&gap.source)));
    steps
}

#[test]
fn one_name_and_password_at_three_servers_leads_from_each_to_all() {
    let fake = Fake::new();
    for (file, host) in
        [("staging", "db.staging.example"), ("production", "db.production.example"), ("old", "db.old.example")]
    {
        fake.write(&format!("./{file}/.env"), format!("DATABASE_URL=postgres://app:{ONE}@{host}/shop\n"));
    }
    let steps = leading(&fake);
    assert_eq!(steps.len(), 3, "{steps:?}");
    assert!(steps.iter().all(|(from, to, possible)| from != to && *possible == Fact::Known(true)), "{steps:?}");
    let mut at = steps[0].0.clone();
    for _ in 0..3 {
        at = steps.iter().find(|(from, _, _)| *from == at).unwrap().1.clone();
    }
    assert_eq!(at, steps[0].0, "they make one ring");
}

#[test]
fn another_name_or_engine_leaves_it_in_doubt_and_another_password_leads_nowhere() {
    let fake = Fake::new();
    fake.write("./a/.env", format!("DATABASE_URL=postgres://app:{ONE}@db.staging.example/shop\n"));
    fake.write("./b/.env", format!("DATABASE_URL=postgres://admin:{ONE}@db.production.example/shop\n"));
    fake.write("./c/.env", format!("DATABASE_URL=postgres://app:{OTHER}@db.old.example/shop\n"));
    fake.write("./d/.env", format!("DATABASE_URL=mysql://app:{ONE}@db.other.example/shop\n"));
    let steps = leading(&fake);
    assert_eq!(steps.len(), 3, "{steps:?}");
    assert!(steps.iter().all(|(_, _, possible)| possible.gap().is_some()), "{steps:?}");
    assert!(steps.iter().all(|(from, to, _)| !from.contains("old") && !to.contains("old")), "{steps:?}");
}

#[test]
fn short_passwords_and_logins_of_nobody_are_compared_too() {
    let fake = Fake::new();
    fake.write("./a/.env", "REDIS_URL=redis://:Tr0ub4d@cache.staging.example\n");
    fake.write("./b/.env", "REDIS_URL=redis://default:Tr0ub4d@cache.production.example\n");
    let steps = leading(&fake);
    assert!(steps.len() == 2 && steps.iter().all(|(_, _, possible)| *possible == Fact::Known(true)), "{steps:?}");
}

#[test]
fn a_tree_full_of_wrong_passwords_hides_none() {
    let fake = Fake::new();
    for at in 0..30 {
        fake.write(
            &format!("./{at:02}/.env"),
            format!("DATABASE_URL=postgres://app:wrong-{at}-fern@db.production.example/shop\n"),
        );
    }
    fake.write("./z/.env", format!("DATABASE_URL=postgres://app:{ONE}@db.production.example/shop\n"));
    fake.write("./zz/.env", format!("DATABASE_URL=postgres://app:{ONE}@db.staging.example/shop\n"));
    let steps = leading(&fake);
    assert!(steps.iter().any(|(from, to, _)| from.contains("staging") && to.contains("production")), "{steps:?}");
}
