//! A large world is assessed in bounded time: the enumeration and the fixpoints stay polynomial.

use deadstop_core::answer::judge;
use deadstop_core::bundle::Bundle;
use deadstop_core::fact::{Fact, Listed};
use deadstop_core::model::{
    Action, Agent, Asset, Basis, Class, Credential, Decision, Grant, Location, Principal, Session, Status, Way, WayKind,
};
use deadstop_core::policy::Policy;
use deadstop_core::power::ground::Ground;
use deadstop_core::time::Time;
use deadstop_core::world::World;

const COMPLETE: Fact<Listed> = Fact::Known(Listed::Complete);

fn session(n: usize) -> Session {
    Session {
        id: format!("s-{n}").into(),
        key: format!("s-{n}"),
        name: format!("session {n}"),
        agent: Agent::ClaudeCode,
        machine: None,
        environment: None,
        roots: Vec::new(),
        reach: COMPLETE,
        ways: COMPLETE,
        sources: Vec::new(),
    }
}

fn way(n: usize) -> Way {
    Way {
        id: format!("s-{n}/shell").into(),
        session: Some(format!("s-{n}").into()),
        kind: WayKind::Shell,
        name: "shell".to_owned(),
        carries: vec!["*".to_owned()],
        reads: true,
        decision: Fact::Known(Decision::Allow),
        overrides: Vec::new(),
        contained: Fact::Known(false),
        escapes: Vec::new(),
        holds: Vec::new(),
        acts_as: Vec::new(),
        needs: Vec::new(),
        managed: false,
        rule: None,
        because: "allowed".to_owned(),
        sources: Vec::new(),
    }
}

fn credential(n: usize, sessions: usize) -> Credential {
    Credential {
        id: format!("c-{n}").into(),
        key: format!("c-{n}"),
        provider: "x".to_owned(),
        kind: "token".to_owned(),
        public_id: None,
        status: Fact::Known(Status::Live),
        identity: Fact::Known(format!("p-{}", n % 2_000).into()),
        scope: None,
        within: None,
        environment: None,
        locations: vec![Location {
            kind: "file".to_owned(),
            path: format!("~/{n}"),
            line: Some(1),
            key: None,
            sessions: vec![format!("s-{}", n % sessions).into()],
            refused: Vec::new(),
        }],
        sources: Vec::new(),
    }
}

fn asset(n: usize) -> Asset {
    Asset {
        id: format!("db-{n}").into(),
        provider: "x".to_owned(),
        kind: "db".to_owned(),
        class: Class::Database,
        name: format!("db-{n}"),
        parent: Some(format!("account-{}", n % 20).into()),
        environment: Fact::Known("production".to_owned()),
        contents: None,
        protections: COMPLETE,
        copies: COMPLETE,
        behind: Vec::new(),
        holds: None,
        sources: Vec::new(),
    }
}

fn account(n: usize) -> Asset {
    Asset {
        id: format!("account-{n}").into(),
        kind: "account".to_owned(),
        class: Class::Container,
        parent: None,
        contents: Some(COMPLETE),
        ..asset(n)
    }
}

fn grant(n: usize, target: String) -> Grant {
    Grant {
        principal: format!("p-{n}").into(),
        actions: vec!["*".to_owned()],
        target: target.into(),
        allowed: Fact::Known(true),
        basis: Basis::Observed,
        because: "a policy".to_owned(),
        sources: Vec::new(),
    }
}

fn world(credentials: usize, assets: usize, sessions: usize) -> Bundle {
    let mut bundle = Bundle::empty(Time::from_unix(1_800_000_000), "0");
    bundle.sessions.items = (0..sessions).map(session).collect();
    bundle.ways.items = (0..sessions).map(way).collect();
    bundle.credentials.items = (0..credentials).map(|n| credential(n, sessions)).collect();
    let principals = credentials.min(2_000);
    bundle.principals.items = (0..principals)
        .map(|n| Principal {
            id: format!("p-{n}").into(),
            provider: "x".to_owned(),
            name: format!("p-{n}"),
            environment: None,
            grants: COMPLETE,
            sources: Vec::new(),
        })
        .collect();
    bundle.grants.items = (0..principals).map(|n| grant(n, format!("account-{}", n % 20))).collect();
    bundle.grants.items.extend((0..principals).map(|n| grant(n, format!("db-{}", n % assets))));
    bundle.assets.items = (0..assets).map(asset).chain((0..20).map(account)).collect();
    let action = |action: &str| Action {
        action: action.to_owned(),
        provider: "x".to_owned(),
        kind: "db".to_owned(),
        takes_children: false,
        chosen: None,
        takes: None,
        guarded_by: None,
        because: "gone".to_owned(),
        reference: None,
    };
    bundle.actions = vec![action("delete"), action("wipe"), action("drop")];
    bundle
}

/// Work is counted in rules, which is what the fixpoints are linear in; a clock would measure the machine.
#[test]
fn rules_grow_with_the_facts_and_not_with_their_product() {
    let rules = |scale: usize| {
        let bundle = world(100 * scale, 50 * scale, 5);
        let facts = World::new(&bundle, &Policy::default(), &[]);
        let judged = judge(&Ground::new(&facts), &Policy::default(), true);
        assert_eq!(judged.len(), 50 * scale);
        Ground::new(&facts).ready.rules.len()
    };
    let (one, four) = (rules(1), rules(4));
    assert!(four <= one * 5, "{one} rules at one size, {four} at four times that");
}
