use proptest::prelude::*;

use super::*;
use crate::fact::{Fact, Gap};
use crate::gate::Call;
use crate::id::SessionId;
use crate::model::Decision;
use crate::time::Time;

fn file(level: Level, path: &str, text: &str) -> FileText {
    FileText { level, path: path.to_owned(), text: Fact::Known(text.to_owned()), writable: level != Level::Managed }
}

fn policy(files: &[FileText]) -> Box<dyn GatePolicy> {
    Crush.parse(files, &Ground { home: Some("/home/u".to_owned()), root: "/repo".to_owned() })
}

fn project(text: &str) -> FileText {
    file(Level::Project, "crush.json", text)
}

fn bounds(files: &[FileText], command: &str) -> (Decision, Decision) {
    let met = policy(files).decide(&Call::shell(command));
    (met.worst.decision, met.best.decision)
}

#[test]
fn what_was_not_read_leaves_everything_open() {
    let gap = Gap { source: "s".into(), reason: GapReason::Denied };
    let unread = FileText { text: Fact::Unknown(gap), ..project("") };
    assert_eq!(bounds(&[unread], "railway down"), (Decision::Allow, Decision::Deny));
    // Names are read without regard to case, and which of two counts is not known.
    for text in [
        r#"{"Permissions": {"allowed_tools": ["bash"]}}"#,
        r#"{"permi\u017f\u017fions": {}}"#,
        r#"{"options": {"Disabled_Tools": []}}"#,
    ] {
        assert_eq!(bounds(&[project(text)], "railway down"), (Decision::Allow, Decision::Deny), "{text}");
    }
    let script = file(Level::Project, ".crushrc", "permissions deny bash\nsource ~/other\n");
    assert_eq!(bounds(&[script], "railway down"), (Decision::Allow, Decision::Deny));
}

#[test]
fn a_line_that_only_may_be_refused_may_be_let() {
    for line in [r#""railway" down"#, "if [ -f x ]; then railway down; fi"] {
        assert_eq!(bounds(&[], line), (Decision::Ask, Decision::Deny), "{line}");
        assert!(!policy(&[]).decide(&Call::shell(line)).overridable_by.is_empty(), "{line}");
    }
    assert!(policy(&[]).decide(&Call::shell("sudo railway down")).overridable_by.is_empty());
}

#[test]
fn no_part_of_a_secret_is_shown() {
    let policy =
        policy(&[project(r#"{"mcp": {"x": {"env": {"A": "hunter2"}}}, "permissions": {"allowed_tools": ["view"]}}"#)]);
    let (ways, sources) = policy.ways(&SessionId::from("crush"), &[], Time::from_unix(1_795_500_000));
    assert!(!format!("{ways:?}{sources:?}{:?}", policy.notes()).contains("hunter2"));
}

proptest! {
    #[test]
    fn gate_never_panics(text in ".{0,200}", line in ".{0,200}", path in ".{0,60}") {
        for policy in [policy(&[project(&text)]), policy(&[file(Level::Project, "crushrc", &text)]), policy(&[file(Level::User, "--started-as", &text)])] {
            let _ = policy.decide(&Call::shell(&line));
            let _ = policy.decide(&Call::Read { path: path.clone() });
            let _ = policy.decide(&Call::Edit { path: path.clone() });
            let _ = policy.decide(&Call::Fetch { domain: path.clone() });
            let _ = policy.decide(&Call::Mcp { server: line.clone(), tool: path.clone() });
            let _ = policy.refusals(&SessionId::from("s"), &[], &path);
        }
    }

    #[test]
    fn gate_is_never_freer_with_one_more_tool_switched_off(line in "[a-z&|;$() -]{0,30}", allowed in any::<bool>(), tool in prop::sample::select(vec!["bash", "view", "grep", "edit"])) {
        let allow = if allowed { vec!["bash"] } else { vec![] };
        let before = policy(&[project(&serde_json::json!({"permissions": {"allowed_tools": allow}}).to_string())]).decide(&Call::shell(&line));
        let after = policy(&[project(&serde_json::json!({"permissions": {"allowed_tools": allow}, "options": {"disabled_tools": [tool]}}).to_string())]).decide(&Call::shell(&line));
        prop_assert!(after.worst.decision <= before.worst.decision && after.best.decision <= before.best.decision);
    }
}
