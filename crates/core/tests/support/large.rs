//! Large worlds, the same each time: what a merged bundle of a company looks like, by its numbers alone.

use deadstop_core::bundle::Bundle;
use deadstop_core::fact::{Fact, Listed};
use deadstop_core::model::{
    Action, Agent, Asset, Atom, Basis, Class, Copy, CopyKind, Credential, Decision, End, Grant, Lift, Location,
    Principal, Protection, Session, Side, Status, Way, WayKind,
};
use deadstop_core::time::{Span, Time};

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
        tally: None,
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
        approval: None,
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
        fingerprint: None,
        expires: None,
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

pub(crate) fn world(credentials: usize, assets: usize, sessions: usize) -> Bundle {
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

/// The same with a lock on every other asset, which those with rights may lift, and a copy of each in another account.
pub(crate) fn guarded(credentials: usize, assets: usize, sessions: usize) -> Bundle {
    let mut bundle = world(credentials, assets, sessions);
    let lift = |action: &str, target: String| Lift {
        needs: vec![Atom::Can { action: action.to_owned(), target: target.into() }],
        changes: true,
        because: format!("call {action}"),
    };
    let protection = |n: usize| Protection {
        id: format!("lock-{n}").into(),
        on: format!("db-{n}").into(),
        side: Side::Protect,
        kind: "deletion_protection".to_owned(),
        covers: vec!["delete".to_owned()],
        enabled: Fact::Known(true),
        whole: Fact::Known(true),
        holds_parent: false,
        only_ways: Vec::new(),
        lifts: Fact::Known(vec![lift("unlock", format!("db-{n}"))]),
        basis: Basis::Observed,
        because: "deletion protection is on".to_owned(),
        sources: Vec::new(),
    };
    let copy = |n: usize| Copy {
        id: format!("copy-{n}").into(),
        of: format!("db-{n}").into(),
        kind: CopyKind::Snapshot,
        name: format!("copy of db-{n}"),
        place: Some(format!("account-{}", (n + 1) % 20).into()),
        needs: Vec::new(),
        destroyed_by: Fact::Known(vec![lift("delete-copy", format!("account-{}", (n + 1) % 20))]),
        dies_with: Fact::Known(Vec::new()),
        ends: Fact::Known(End::Never),
        lag: Fact::Known(Span::days(1)),
        drills: COMPLETE,
        basis: Basis::Observed,
        because: "a copy in another account".to_owned(),
        sources: Vec::new(),
    };
    bundle.protections.items = (0..assets).filter(|n| n % 2 == 0).map(protection).collect();
    bundle.recovery_points.items = (0..assets).map(copy).collect();
    bundle
}
