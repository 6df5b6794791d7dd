//! Small random worlds in which every fact is known.

use deadstop_core::bundle::Bundle;
use deadstop_core::fact::{Fact, Listed};
use deadstop_core::id::{CredentialId, PrincipalId, SessionId};
use deadstop_core::model::reach::Approval;
use deadstop_core::model::{
    Action, Agent, Asset, Atom, Basis, Class, Copy, CopyKind, Credential, Decision, Drill, End, Grant, Group, Holds,
    Lift, Location, Override, Principal, Protection, Refusal, RuleKind, Session, Side, Status, Step, Tally, TallyRule,
    Way, WayKind,
};
use deadstop_core::time::{Span, Time};
use proptest::prelude::*;

const COMPLETE: Fact<Listed> = Fact::Known(Listed::Complete);
pub(crate) const APPROVALS: [Approval; 3] = [Approval::None, Approval::Void, Approval::Asks];
const ACTIONS: [&str; 4] = ["delete", "wipe", "unlock", "drop-copy"];

fn node() -> impl Strategy<Value = String> {
    (0_usize..4).prop_map(|n| ["account", "db-1", "db-2", "key-1"][n].to_owned())
}

/// What a right can be to: a node, or one of two groups.
fn right_to() -> impl Strategy<Value = String> {
    prop_oneof![3 => node(), 1 => Just("group".to_owned()), 1 => Just("most-of-group".to_owned())]
}

/// Some of the nodes, and some of these.
fn groups() -> impl Strategy<Value = Vec<Group>> {
    let some = || proptest::sample::subsequence(vec!["account", "db-1", "db-2", "key-1"], 0..=4);
    (some(), some()).prop_map(|(all, except)| {
        let ids = |list: Vec<&str>| list.into_iter().map(Into::into).collect();
        vec![
            Group { id: "group".into(), holds: Holds::Nodes(ids(all)) },
            Group { id: "most-of-group".into(), holds: Holds::Rest { of: "group".into(), except: ids(except) } },
        ]
    })
}

fn principal() -> impl Strategy<Value = String> {
    (0_usize..3).prop_map(|n| format!("p-{n}"))
}

fn way_id() -> impl Strategy<Value = String> {
    (0_usize..4).prop_map(|n| format!("w-{n}"))
}

fn session() -> impl Strategy<Value = String> {
    (0_usize..2).prop_map(|n| format!("s-{n}"))
}

fn action() -> impl Strategy<Value = String> {
    (0_usize..ACTIONS.len()).prop_map(|n| ACTIONS[n].to_owned())
}

fn atom() -> impl Strategy<Value = Atom> {
    prop_oneof![
        (0_usize..3).prop_map(|n| Atom::Credential(format!("c-{n}").into())),
        principal().prop_map(|id| Atom::Principal(id.into())),
        way_id().prop_map(|id| Atom::Way(id.into())),
        (0_usize..2).prop_map(|n| Atom::Lifted(format!("lock-{n}").into())),
        (action(), node()).prop_map(|(action, target)| Atom::Can { action, target: target.into() }),
        (principal(), action(), right_to()).prop_map(|(p, action, target)| Atom::Right {
            principal: p.into(),
            action,
            target: target.into()
        }),
        node().prop_map(|id| Atom::Destroyed(id.into())),
    ]
}

fn needed() -> impl Strategy<Value = Vec<Atom>> {
    proptest::collection::vec(
        atom().prop_filter("rights are only gained", |atom| !matches!(atom, Atom::Right { .. })),
        0..2,
    )
}

fn over() -> impl Strategy<Value = Override> {
    needed().prop_map(|needs| Override { needs, because: "change a setting".to_owned(), sources: Vec::new() })
}

fn decision() -> impl Strategy<Value = Decision> {
    prop_oneof![
        Just(Decision::Deny),
        Just(Decision::Ask),
        Just(Decision::Reviewed),
        Just(Decision::Allow),
        Just(Decision::Allow)
    ]
}

fn ways() -> impl Strategy<Value = Vec<Way>> {
    let one = (
        (
            proptest::option::weighted(0.8, session().prop_map(SessionId::from)),
            decision(),
            any::<bool>(),
            proptest::bool::weighted(0.2),
        ),
        (proptest::collection::vec(over(), 0..2), proptest::collection::vec(over(), 0..2)),
        (
            proptest::option::weighted(0.2, (0_usize..3).prop_map(|n| CredentialId(format!("c-{n}")))),
            proptest::option::weighted(0.2, principal().prop_map(PrincipalId::from)),
        ),
        (needed(), proptest::option::of(proptest::sample::select(APPROVALS.to_vec()))),
    );
    proptest::collection::vec(one, 4).prop_map(|list| {
        list.into_iter()
            .enumerate()
            .map(
                |(
                    n,
                    ((session, decision, reads, contained), (overrides, escapes), (holds, acts_as), (needs, approval)),
                )| Way {
                    id: format!("w-{n}").into(),
                    session,
                    kind: if n == 0 { WayKind::Shell } else { WayKind::Iac },
                    name: format!("way {n}"),
                    carries: vec!["*".to_owned()],
                    reads,
                    decision: Fact::Known(decision),
                    overrides,
                    contained: Fact::Known(contained),
                    escapes,
                    holds: holds.into_iter().collect(),
                    acts_as: acts_as.into_iter().collect(),
                    needs: if n == 3 { needs } else { Vec::new() },
                    managed: false,
                    rule: None,
                    because: "so it is".to_owned(),
                    approval,
                    sources: Vec::new(),
                },
            )
            .collect()
    })
}

fn credentials() -> impl Strategy<Value = Vec<Credential>> {
    let refusal = (way_id(), proptest::collection::vec(over(), 0..2)).prop_map(|(way, overrides)| Refusal {
        way: way.into(),
        because: "an ignore file".to_owned(),
        overrides,
    });
    let place = (session(), proptest::collection::vec(refusal, 0..2)).prop_map(|(session, refused)| Location {
        kind: "file".to_owned(),
        path: "~/x".to_owned(),
        line: Some(1),
        key: Some("TOKEN".to_owned()),
        sessions: vec![session.into()],
        refused,
    });
    let one = (principal(), proptest::bool::weighted(0.1), proptest::collection::vec(place, 0..3));
    proptest::collection::vec(one, 3).prop_map(|list| {
        list.into_iter()
            .enumerate()
            .map(|(n, (who, dead, locations)): (usize, (String, bool, Vec<Location>))| Credential {
                id: format!("c-{n}").into(),
                key: format!("c-{n}"),
                provider: "x".to_owned(),
                kind: "token".to_owned(),
                public_id: None,
                fingerprint: None,
                expires: None,
                status: Fact::Known(if dead { Status::Revoked } else { Status::Live }),
                identity: Fact::Known(who.into()),
                scope: None,
                within: None,
                environment: None,
                locations,
                sources: Vec::new(),
            })
            .collect()
    })
}

fn grants() -> impl Strategy<Value = Vec<Grant>> {
    let target = prop_oneof![2 => right_to(), 1 => Just("*".to_owned()), 1 => Just("copy-0".to_owned())];
    let actions = prop_oneof![action(), Just("*".to_owned())];
    let one = (principal(), actions, target, proptest::bool::weighted(0.8));
    proptest::collection::vec(one, 0..6).prop_map(|list| {
        list.into_iter()
            .map(|(who, action, target, allowed): (String, String, String, bool)| Grant {
                principal: who.into(),
                actions: vec![action],
                target: target.into(),
                allowed: Fact::Known(allowed),
                basis: Basis::Observed,
                because: "a policy".to_owned(),
                sources: Vec::new(),
            })
            .collect()
    })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let one =
        (proptest::option::weighted(0.3, session()), needed(), atom(), any::<bool>(), proptest::bool::weighted(0.8));
    proptest::collection::vec(one, 0..4).prop_map(|list| {
        list.into_iter()
            .enumerate()
            .map(|(n, (session, needs, gain, changes, possible)): (usize, (Option<String>, _, _, _, _))| Step {
                id: format!("step-{n}").into(),
                session: session.map(Into::into),
                needs,
                gains: vec![gain],
                changes,
                possible: Fact::Known(possible),
                because: "take a step".to_owned(),
                sources: Vec::new(),
            })
            .collect()
    })
}

fn asset(id: &str, kind: &str, class: Class, parent: Option<&str>, behind: &[&str]) -> Asset {
    Asset {
        id: id.into(),
        provider: "x".to_owned(),
        kind: kind.to_owned(),
        class,
        name: id.to_owned(),
        parent: parent.map(Into::into),
        environment: Fact::Known("production".to_owned()),
        contents: (class == Class::Container).then_some(COMPLETE),
        protections: COMPLETE,
        copies: COMPLETE,
        behind: behind.iter().map(|id| (*id).into()).collect(),
        holds: None,
        sources: Vec::new(),
    }
}

fn lift() -> impl Strategy<Value = Lift> {
    (needed(), any::<bool>()).prop_map(|(needs, changes)| Lift { needs, changes, because: "switch it off".to_owned() })
}

fn protections() -> impl Strategy<Value = Vec<Protection>> {
    let one = (
        (prop_oneof![node(), Just("copy-0".to_owned())], any::<bool>(), prop_oneof![action(), Just("*".to_owned())]),
        (any::<bool>(), proptest::bool::weighted(0.9), any::<bool>(), proptest::bool::weighted(0.1)),
        proptest::collection::vec(lift(), 0..2),
    );
    proptest::collection::vec(one, 2).prop_map(|list| {
        list.into_iter()
            .enumerate()
            .map(|(n, ((on, confirm, covers), (enabled, whole, holds_parent, client), lifts))| Protection {
                id: format!("lock-{n}").into(),
                on: String::into(on),
                side: if confirm { Side::Confirm } else { Side::Protect },
                kind: "lock".to_owned(),
                covers: vec![covers],
                enabled: Fact::Known(enabled),
                whole: Fact::Known(whole),
                holds_parent,
                only_ways: if client { vec![WayKind::Iac] } else { Vec::new() },
                lifts: Fact::Known(lifts),
                basis: Basis::Observed,
                because: "a lock".to_owned(),
                sources: Vec::new(),
            })
            .collect()
    })
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![Just(End::Never), Just(End::After(Span::days(2))), Just(End::After(Span::days(30)))]
}

fn copies() -> impl Strategy<Value = (Vec<Copy>, Vec<Drill>)> {
    let one = (
        (prop_oneof![Just("db-1"), Just("db-2")], proptest::option::weighted(0.3, node())),
        (end(), proptest::option::weighted(0.4, action()), proptest::collection::vec(lift(), 0..2)),
        (proptest::option::weighted(0.3, node()), any::<bool>()),
    );
    proptest::collection::vec(one, 0..3).prop_map(|list| {
        let mut copies = Vec::new();
        let mut drills = Vec::new();
        for (n, ((of, place), (ends, dies_with, destroyed_by), (need, drilled))) in list.into_iter().enumerate() {
            let id = format!("copy-{n}");
            copies.push(Copy {
                id: id.clone().into(),
                of: of.into(),
                kind: CopyKind::Snapshot,
                name: id.clone(),
                place: place.map(Into::into),
                lag: Fact::Known(Span::days(1)),
                ends: Fact::Known(ends),
                dies_with: Fact::Known(dies_with.into_iter().collect()),
                destroyed_by: Fact::Known(destroyed_by),
                needs: need.map(Into::into).into_iter().collect(),
                drills: COMPLETE,
                basis: Basis::Observed,
                because: "a copy".to_owned(),
                sources: Vec::new(),
            });
            if drilled {
                drills.push(Drill {
                    asset: of.into(),
                    copy: id.into(),
                    tested_at: Time::from_unix(1_799_000_000),
                    took: Fact::Known(Span(3_600)),
                    worked: true,
                    by: None,
                    evidence: None,
                    basis: Basis::Declared,
                });
            }
        }
        (copies, drills)
    })
}

fn actions() -> Vec<Action> {
    let entry = |action: &str, kind: &str, takes_children: bool| Action {
        action: action.to_owned(),
        provider: "x".to_owned(),
        kind: kind.to_owned(),
        takes_children,
        chosen: None,
        takes: None,
        guarded_by: None,
        because: "it is gone".to_owned(),
        reference: None,
    };
    vec![
        entry("delete", "db", false),
        entry("wipe", "db", false),
        entry("delete", "account", true),
        entry("delete", "key", false),
    ]
}

/// What the gate of a session was found to do: its rules, each weak or not, or in doubt of it.
fn tally() -> impl Strategy<Value = Option<Tally>> {
    let rule = (0_usize..3, any::<Option<bool>>()).prop_map(|(kind, weak)| TallyRule {
        kind: [RuleKind::Allow, RuleKind::Refuse, RuleKind::Hook][kind],
        rule: "x".to_owned(),
        place: None,
        weak,
        call: None,
        decision: None,
        calls: 1,
    });
    let rules = proptest::option::of(proptest::collection::vec(rule, 0..4));
    proptest::option::of(rules.prop_map(|rules| Tally { corpus: "c".to_owned(), rows: Vec::new(), rules }))
}

/// The agent of the second session.
fn second() -> impl Strategy<Value = Agent> {
    prop_oneof![Just(Agent::ClaudeCode), Just(Agent::Plain), Just(Agent::Program)]
}

/// A world of two sessions, four ways, three credentials, three identities, two databases, a key and an account.
pub(crate) fn world() -> impl Strategy<Value = Bundle> {
    let rights = (grants(), groups());
    let parts = (ways(), credentials(), rights, steps(), protections(), copies(), second(), any::<bool>(), tally());
    parts.prop_map(
        |(ways, credentials, (grants, groups), steps, protections, (copies, drills), second, encrypts, tally)| {
            let mut bundle = Bundle::empty(Time::from_unix(1_800_000_000), "0.0.0");
            let session = |n: usize| Session {
                id: format!("s-{n}").into(),
                key: format!("s-{n}"),
                name: format!("session {n}"),
                agent: if n == 1 { second } else { Agent::ClaudeCode },
                machine: None,
                environment: None,
                roots: Vec::new(),
                reach: COMPLETE,
                ways: COMPLETE,
                tally: tally.clone(),
                sources: Vec::new(),
            };
            bundle.sessions.items = vec![session(0), session(1)];
            bundle.ways.items = ways;
            bundle.credentials.items = credentials;
            let principal = |n: usize| Principal {
                id: format!("p-{n}").into(),
                provider: "x".to_owned(),
                name: format!("principal {n}"),
                environment: None,
                grants: COMPLETE,
                sources: Vec::new(),
            };
            bundle.principals.items = (0..3).map(principal).collect();
            // A right to a copy that is not there would be one to something nobody described: a gap.
            let there = |id: &str| id != "copy-0" || !copies.is_empty();
            bundle.grants.items = grants.into_iter().filter(|grant| there(grant.target.as_str())).collect();
            bundle.grants.items.sort();
            bundle.grants.items.dedup_by_key(|g| (g.principal.clone(), g.actions.clone(), g.target.clone()));
            bundle.steps.items = steps;
            let behind: &[&str] = if encrypts { &["db-1"] } else { &[] };
            bundle.assets.items = vec![
                asset("account", "account", Class::Container, None, &[]),
                asset("db-1", "db", Class::Database, Some("account"), &[]),
                asset("db-2", "db", Class::Database, Some("account"), &[]),
                asset("key-1", "key", Class::Key, Some("account"), behind),
            ];
            bundle.protections.items = protections;
            bundle.recovery_points.items = copies;
            bundle.drills.items = drills;
            bundle.groups = groups;
            bundle.actions = actions();
            bundle
        },
    )
}
