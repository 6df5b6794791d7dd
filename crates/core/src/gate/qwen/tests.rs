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

fn user(text: &str) -> FileText {
    file(Level::User, "~/.qwen/settings.json", text)
}

fn policy(files: &[FileText]) -> Box<dyn GatePolicy> {
    Qwen.parse(files, &Ground { home: Some("/home/u".to_owned()), root: "/repo".to_owned() })
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
    assert_eq!(bounds(&[user(r#"{"approvalMode": "plan"}"#)], "railway down"), (Decision::Allow, Decision::Deny));
}

#[test]
fn no_part_of_a_secret_is_shown() {
    let text = r#"{"permissions": {"allow": ["Bash(psql postgres://u:hunter2@h/db)", "mcp__hunter2 x"], "deny": ["Bash(login hunter2=)"]}}"#;
    let policy = policy(&[user(text)]);
    let (ways, sources) = policy.ways(&SessionId::from("qwen-code"), &[], Time::from_unix(1_795_500_000));
    let met = policy.decide(&Call::shell("login hunter2= x"));
    let all = format!("{ways:?}{sources:?}{:?}{}", policy.notes(), met.because());
    assert!(!all.contains("hunter2"), "{all}");
}

fn line() -> impl Strategy<Value = String> {
    let words = [
        "railway", "down", "&&", ";", "|", "'", "\"", "$(", ")", "`", ">", "x", "sudo", "A=1", "rm", "/srv", "#", "\\",
        "cd", "for", "do", "{", "é", "\n", "git", "push", "cat", "ls", "&",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 0..10).prop_map(|words| words.join(" "))
}

fn rules() -> impl Strategy<Value = Vec<&'static str>> {
    let all = [
        "Bash",
        "Bash(railway *)",
        "Bash(git push)",
        "Bash(rm*)",
        "Read",
        "Read(.env)",
        "WebFetch(x.com)",
        "Bash(* down)",
    ];
    prop::collection::vec(prop::sample::select(all.to_vec()), 0..4)
}

proptest! {
    #[test]
    fn gate_never_panics(text in ".{0,200}", line in ".{0,200}", path in ".{0,60}") {
        let set = serde_json::json!({"permissions": {"deny": [text.clone(), format!("Bash({line})")], "ask": [format!("Read({path})")]}});
        for policy in [policy(&[user(&text)]), policy(&[user(&set.to_string())]), policy(&[file(Level::Project, ".qwen/agents/x.md", &text)])] {
            let _ = policy.decide(&Call::shell(&line));
            let _ = policy.decide(&Call::Read { path: path.clone() });
            let _ = policy.decide(&Call::Edit { path: path.clone() });
            let _ = policy.decide(&Call::Fetch { domain: path.clone() });
            let _ = policy.decide(&Call::Mcp { server: line.clone(), tool: path.clone() });
            let _ = policy.refusals(&SessionId::from("s"), &[], &path);
        }
    }

    #[test]
    fn gate_is_never_freer_with_one_more_refusal(line in line(), allow in rules(), deny in rules(), more in prop::sample::select(vec!["Bash(railway *)", "Bash(git push)", "Bash(down)", "Read(.env)"]), mode in prop::sample::select(vec!["default", "auto", "yolo", "auto-edit"])) {
        let with = |deny: &[&str]| {
            let text = serde_json::json!({"tools": {"approvalMode": mode}, "permissions": {"allow": allow, "deny": deny}});
            policy(&[user(&text.to_string())]).decide(&Call::shell(&line))
        };
        let before = with(&deny);
        let after = with(&[deny.clone(), vec![more]].concat());
        prop_assert!(after.worst.decision <= before.worst.decision);
        prop_assert!(after.best.decision <= before.best.decision);
        prop_assert!(after.best.decision <= after.worst.decision);
    }

    #[test]
    fn broken_files_never_refuse(line in line(), deny in rules()) {
        let text = serde_json::json!({"permissions": {"deny": deny}}).to_string();
        let broken = text.strip_suffix('}').unwrap();
        prop_assert!(policy(&[user(broken)]).decide(&Call::shell(&line)).known() != Some(Decision::Deny));
    }
}
