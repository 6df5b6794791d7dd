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
    ContinueCli.parse(files, &Ground { home: Some("/home/u".to_owned()), root: "/repo".to_owned() })
}

fn rules(text: &str) -> FileText {
    file(Level::User, PERMISSIONS, text)
}

fn bounds(files: &[FileText], command: &str) -> (Decision, Decision) {
    let met = policy(files).decide(&Call::shell(command));
    (met.worst.decision, met.best.decision)
}

#[test]
fn what_was_not_read_leaves_everything_open() {
    let gap = Gap { source: "s".into(), reason: GapReason::Denied };
    let unread = FileText { text: Fact::Unknown(gap), ..rules("") };
    assert_eq!(bounds(&[unread], "railway down"), (Decision::Allow, Decision::Deny));
    for text in ["exclude: Bash", "exclude: [1]", "exclude: [Bash", "- exclude", "exclude: &a [Bash]\nask: *a\n"] {
        assert_eq!(bounds(&[rules(text)], "railway down"), (Decision::Allow, Decision::Deny), "{text}");
    }
    assert_eq!(bounds(&[rules("exclude:\nask: null\n")], "railway down"), (Decision::Ask, Decision::Ask));
}

#[test]
fn a_rule_that_binds_nothing_is_told() {
    assert!(policy(&[rules("exclude: ['Read(.env)']")]).notes()[0].text.contains("binds nothing"));
}

#[test]
fn no_part_of_a_secret_is_shown() {
    let policy = policy(&[rules(
        "allow: ['Bash(psql postgres://u:hunter2@h/db)', 'hunter2 x']\nexclude: ['Bash(login hunter2=*)']\n",
    )]);
    let (ways, sources) = policy.ways(&SessionId::from("continue-cli"), &[], Time::from_unix(1_795_500_000));
    let met = policy.decide(&Call::shell("login hunter2=x"));
    let all = format!("{ways:?}{sources:?}{:?}{}", policy.notes(), met.because());
    assert!(!all.contains("hunter2"), "{all}");
}

proptest! {
    #[test]
    fn gate_never_panics(text in ".{0,200}", line in ".{0,200}", path in ".{0,60}") {
        let set = serde_json::json!({"allow": [text, format!("Bash({line})")], "exclude": [format!("Read({path})")]}).to_string();
        for text in [text.clone(), set] {
            let policy = policy(&[rules(&text), file(Level::Project, ".continue/settings.json", &text), file(Level::User, "--started-as", &text)]);
            let _ = policy.decide(&Call::shell(&line));
            let _ = policy.decide(&Call::Read { path: path.clone() });
            let _ = policy.decide(&Call::Edit { path: path.clone() });
            let _ = policy.decide(&Call::Fetch { domain: path.clone() });
            let _ = policy.decide(&Call::Mcp { server: line.clone(), tool: path.clone() });
            let _ = policy.refusals(&SessionId::from("s"), &[], &path);
        }
    }

    #[test]
    fn gate_is_never_freer_with_one_more_rule_that_excludes(line in "[a-c&|;$()' -]{0,12}", allow in prop::sample::select(vec!["Bash", "Bash(a*)", "*", "Bash(b?c)"]), more in prop::sample::select(vec!["Bash(a*)", "Bash(b)", "Bash", "B*(x)"])) {
        let with = |exclude: &[&str]| {
            let text = serde_json::json!({"allow": [allow], "exclude": exclude}).to_string();
            policy(&[rules(&text)]).decide(&Call::shell(&line))
        };
        let (before, after) = (with(&[]), with(&[more]));
        prop_assert!(after.worst.decision <= before.worst.decision && after.best.decision <= before.best.decision);
        prop_assert!(after.best.decision <= after.worst.decision);
    }
}
