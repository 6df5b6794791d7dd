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
    Zed.parse(files, &Ground { home: Some("/home/u".to_owned()), root: "/repo".to_owned() })
}

fn user(text: &str) -> FileText {
    file(Level::User, SETTINGS, text)
}

/// Settings for the terminal.
fn terminal(rules: &serde_json::Value) -> FileText {
    user(&serde_json::json!({"agent": {"tool_permissions": {"tools": {"terminal": rules}}}}).to_string())
}

fn bounds(files: &[FileText], command: &str) -> (Decision, Decision) {
    let met = policy(files).decide(&Call::shell(command));
    (met.worst.decision, met.best.decision)
}

#[test]
fn what_was_not_read_leaves_everything_open() {
    let gap = Gap { source: "s".into(), reason: GapReason::Denied };
    let unread = FileText { text: Fact::Unknown(gap), ..user("") };
    assert_eq!(bounds(&[unread], "railway down"), (Decision::Allow, Decision::Deny));
    for text in [
        r#"{"agent": []}"#,
        r#"{"agent": {"tool_permissions": {"default": "ask"}}}"#,
        r#"{"agent": {"tool_permissions": {"tools": {"terminal": {"always_deny": ["x"]}}}}}"#,
        r#"{"agent": {}, "agent": {}}"#,
        r#"{"preview": {"agent": {"tool_permissions": {"default": "allow"}}}}"#,
        r#"{"profiles": {"x": {"settings": {"agent": {}}}}}"#,
    ] {
        assert_eq!(bounds(&[user(text)], "railway down"), (Decision::Allow, Decision::Deny), "{text}");
    }
}

#[test]
fn no_part_of_a_secret_is_shown() {
    let rules = serde_json::json!({"always_deny": [{"pattern": "login hunter2="}], "always_allow": [{"pattern": "TOKEN=hunter2"}]});
    let policy = policy(&[terminal(&rules)]);
    let (ways, sources) = policy.ways(&SessionId::from("zed"), &[], Time::from_unix(1_795_500_000));
    let met = policy.decide(&Call::shell("login hunter2=x"));
    let all = format!("{ways:?}{sources:?}{:?}{}", policy.notes(), met.because());
    assert!(!all.contains("hunter2"), "{all}");
}

proptest! {
    #[test]
    fn gate_never_panics(text in ".{0,200}", line in ".{0,200}", path in ".{0,60}") {
        let rules = serde_json::json!({"always_deny": [{"pattern": text}], "always_confirm": [{"pattern": path}], "always_allow": [{"pattern": line}]});
        for policy in [policy(&[user(&text)]), policy(&[terminal(&rules)]), policy(&[file(Level::Project, ".zed/settings.json", &text)])] {
            let _ = policy.decide(&Call::shell(&line));
            let _ = policy.decide(&Call::Read { path: path.clone() });
            let _ = policy.decide(&Call::Edit { path: path.clone() });
            let _ = policy.decide(&Call::Fetch { domain: path.clone() });
            let _ = policy.decide(&Call::Mcp { server: line.clone(), tool: path.clone() });
            let _ = policy.refusals(&SessionId::from("s"), &[], &path);
        }
    }

    #[test]
    fn gate_is_never_freer_with_one_more_refusal(line in "[a-c&|;$()' -]{0,12}", default in prop::sample::select(vec!["allow", "confirm", "deny"]), allow in prop::sample::select(vec!["a", "^b", ".*", "("]), more in prop::sample::select(vec!["a", "^b", "c$", "("])) {
        let with = |deny: &[&str]| {
            let all: Vec<serde_json::Value> = deny.iter().map(|text| serde_json::json!({"pattern": text})).collect();
            policy(&[terminal(&serde_json::json!({"default": default, "always_allow": [{"pattern": allow}], "always_deny": all}))]).decide(&Call::shell(&line))
        };
        let (before, after) = (with(&[]), with(&[more]));
        prop_assert!(after.worst.decision <= before.worst.decision && after.best.decision <= before.best.decision);
        prop_assert!(after.best.decision <= after.worst.decision);
    }
}
