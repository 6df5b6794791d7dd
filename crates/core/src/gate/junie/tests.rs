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
    Junie.parse(files, &Ground { home: Some("/home/u".to_owned()), root: "/repo".to_owned() })
}

fn user(text: &str) -> FileText {
    file(Level::User, LIST, text)
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
    for text in
        ["[", "{\"defaultBehavior\": \"most\"}", "{\"rules\": {\"executables\": {\"rules\": [{\"prefix\": \"x\"}]}}}"]
    {
        assert_eq!(bounds(&[user(text)], "railway down"), (Decision::Allow, Decision::Deny), "{text}");
    }
}

#[test]
fn no_part_of_a_secret_is_shown() {
    let policy = policy(&[user(
        r#"{"rules": {"executables": {"rules": [{"prefix": "TOKEN=hunter2 x", "action": "allow"}, {"pattern": "y hunter2=", "action": "allow"}]}}, "key": "hunter2"}"#,
    )]);
    let (ways, sources) = policy.ways(&SessionId::from("s"), &[], Time::from_unix(1_795_500_000));
    let met = policy.decide(&Call::shell("TOKEN=hunter2 x"));
    let all = format!("{ways:?}{sources:?}{:?}{}", policy.notes(), met.because());
    assert!(!all.contains("hunter2"), "{all}");
}

proptest! {
    #[test]
    fn gate_never_panics(text in ".{0,200}", line in ".{0,200}", path in ".{0,60}") {
        let rule = format!(r#"{{"rules": {{"executables": {{"rules": [{{"pattern": {}, "action": "allow"}}]}}}}}}"#, serde_json::json!(text));
        for policy in [policy(&[user(&text), file(Level::Local, "--started-as", &text)]), policy(&[user(&rule)])] {
            let _ = policy.decide(&Call::shell(&line));
            let _ = policy.decide(&Call::Read { path: path.clone() });
            let _ = policy.decide(&Call::Edit { path: path.clone() });
            let _ = policy.decide(&Call::Fetch { domain: path.clone() });
            let _ = policy.decide(&Call::Mcp { server: line.clone(), tool: path.clone() });
            let _ = policy.refusals(&SessionId::from("s"), &[], &path);
        }
    }
}
