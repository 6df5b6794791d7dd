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

#[test]
fn a_large_world_has_an_answer_for_every_asset() {
    let scale = if std::env::var_os("DEADSTOP_SCALE").is_some() {
        let at = |name: &str, or: usize| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(or);
        (at("SC", 10_000), at("SA", 5_000), at("SS", 20))
    } else {
        (500, 250, 5)
    };
    let bundle = world(scale.0, scale.1, scale.2);
    let policy = Policy::default();
    let started = std::time::Instant::now();
    let world = World::new(&bundle, &policy, &[]);
    eprintln!("world {:?}", started.elapsed());
    let ground = Ground::new(&world);
    eprintln!("ground {:?}, {} rules", started.elapsed(), ground.ready.rules.len());
    let judged = judge(&ground, &policy, true);
    eprintln!("judged {:?}", started.elapsed());
    assert_eq!(judged.len(), scale.1);
    if std::env::var_os("DEADSTOP_SCALE").is_some() {
        let plan = deadstop_core::fixes::candidates(&ground, &policy, &judged);
        eprintln!("candidates {:?} {}", started.elapsed(), plan.len());
        let plan = deadstop_core::fixes::plan(&bundle, &policy, &judged);
        eprintln!("plan {:?} {}", started.elapsed(), plan.chosen.len());
        let assessment = deadstop_core::assess::assess(&bundle, &policy);
        eprintln!("assessed {:?} {}", started.elapsed(), assessment.headline.sentence);
    }
}
