use proptest::prelude::*;

use super::*;
use crate::fact::{Fact, Gap};
use crate::gate::Call;
use crate::id::SessionId;
use crate::model::Decision;
use crate::time::Time;

fn file(level: Level, path: &str, text: &str) -> FileText {
    FileText { level, path: path.to_owned(), text: Fact::Known(text.to_owned()), writable: true }
}

fn policy(files: &[FileText]) -> Box<dyn GatePolicy> {
    Goose.parse(files, &Ground { home: Some("/home/u".to_owned()), root: "/repo".to_owned() })
}

fn config(text: &str) -> FileText {
    file(Level::User, CONFIG, text)
}

fn bounds(files: &[FileText], command: &str) -> (Decision, Decision) {
    let met = policy(files).decide(&Call::shell(command));
    (met.worst.decision, met.best.decision)
}

#[test]
fn what_was_not_read_leaves_everything_open() {
    let gap = Gap { source: "s".into(), reason: GapReason::Denied };
    let unread = FileText { text: Fact::Unknown(gap), ..config("") };
    let asks = config("GOOSE_MODE: approve\n");
    assert_eq!(bounds(&[unread], "railway down"), (Decision::Allow, Decision::Deny));
    let lists = |text: &str| bounds(&[asks.clone(), file(Level::User, PERMISSION, text)], "railway down");
    for text in ["user:\n  never_allow: [shell]\n", "user: []", "user:\n  always_allow: 1\n", "["] {
        assert_eq!(lists(text), (Decision::Allow, Decision::Deny), "{text}");
    }
}

#[test]
fn a_list_that_no_mode_looks_at_is_told() {
    let lists =
        file(Level::User, PERMISSION, "user:\n  always_allow: []\n  ask_before: []\n  never_allow:\n    - shell\n");
    assert!(policy(std::slice::from_ref(&lists)).notes()[0].text.contains("`shell` runs all the same"));
    assert!(policy(&[lists, config("GOOSE_MODE: approve\n")]).notes().is_empty());
}

#[test]
fn no_part_of_a_secret_is_shown() {
    let policy = policy(&[
        config("GOOSE_MODE: approve\nextensions:\n  x:\n    envs: {A: hunter2}\n"),
        file(Level::User, PERMISSION, "user:\n  always_allow: ['x__hunter2 =']\n  ask_before: []\n  never_allow: []\n"),
    ]);
    let (ways, sources) = policy.ways(&SessionId::from("goose"), &[], Time::from_unix(1_795_500_000));
    let met = policy.decide(&Call::Mcp { server: "x".to_owned(), tool: "hunter2 =".to_owned() });
    let all = format!("{ways:?}{sources:?}{:?}{}", policy.notes(), met.because());
    assert!(!all.contains("hunter2"), "{all}");
}

proptest! {
    #[test]
    fn gate_never_panics(text in ".{0,200}", line in ".{0,200}", path in ".{0,60}") {
        for policy in [policy(&[config(&text)]), policy(&[config("GOOSE_MODE: smart_approve"), file(Level::User, PERMISSION, &text)])] {
            let _ = policy.decide(&Call::shell(&line));
            let _ = policy.decide(&Call::Read { path: path.clone() });
            let _ = policy.decide(&Call::Edit { path: path.clone() });
            let _ = policy.decide(&Call::Fetch { domain: path.clone() });
            let _ = policy.decide(&Call::Mcp { server: line.clone(), tool: path.clone() });
            let _ = policy.refusals(&SessionId::from("s"), &[], &path);
        }
    }

    #[test]
    fn gate_is_never_freer_with_one_more_tool_that_never_runs(mode in prop::sample::select(vec!["auto", "approve", "smart_approve", "chat"]), allow in prop::sample::select(vec!["shell", "developer__shell", "write"]), never in prop::sample::select(vec!["shell", "developer__shell", "edit"])) {
        let with = |never: &[&str]| {
            let lists = serde_json::json!({"user": {"always_allow": [allow], "ask_before": [], "never_allow": never}}).to_string();
            policy(&[config(&format!("GOOSE_MODE: {mode}\n")), file(Level::User, PERMISSION, &lists)]).decide(&Call::shell("railway down"))
        };
        let (before, after) = (with(&[]), with(&[never]));
        prop_assert!(after.worst.decision <= before.worst.decision && after.best.decision <= before.best.decision);
        prop_assert!(after.best.decision <= after.worst.decision);
    }
}
