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
    AmazonQ.parse(files, &Ground { home: Some("/home/u".to_owned()), root: "/repo".to_owned() })
}

fn settings(text: &str) -> FileText {
    file(Level::User, SETTINGS, text)
}

fn agent(level: Level, rest: &str) -> FileText {
    let folder = if level == Level::Project { ".amazonq" } else { "~/.aws/amazonq" };
    file(level, &format!("{folder}/cli-agents/ops.json"), &format!(r#"{{"name": "ops"{rest}}}"#))
}

fn bounds(files: &[FileText], command: &str) -> (Decision, Decision) {
    let met = policy(files).decide(&Call::shell(command));
    (met.worst.decision, met.best.decision)
}

const OPEN: (Decision, Decision) = (Decision::Allow, Decision::Deny);

#[test]
fn what_was_not_read_leaves_everything_open() {
    let gap = Gap { source: "s".into(), reason: GapReason::Denied };
    let unread = FileText { text: Fact::Unknown(gap), ..settings("") };
    assert_eq!(bounds(&[unread], "railway down"), OPEN);
    for rest in [
        r#", "allowed_tools": []"#,
        r#", "allowedTools": null"#,
        r#", "mcpServers": {"x": {"type": "sse"}}"#,
        r#", "hooks": {"PreToolUse": []}"#,
        r#", "hooks": {"stop": [{"command": "x", "timeout_ms": "5"}]}"#,
        r#", "tools": ["a"] // b"#,
    ] {
        assert_eq!(bounds(&[agent(Level::User, rest)], "railway down"), OPEN, "{rest}");
    }
}

#[test]
fn the_project_has_an_agent_of_the_same_name() {
    let default = settings(r#"{"chat.defaultAgent": "ops"}"#);
    let strict = agent(Level::User, r#", "toolsSettings": {"execute_bash": {"deniedCommands": ["railway .*"]}}"#);
    let loose = agent(Level::Project, r#", "allowedTools": ["execute_bash"]"#);
    assert_eq!(bounds(&[default.clone(), strict.clone()], "railway down"), (Decision::Deny, Decision::Deny));
    assert_eq!(bounds(&[default, strict, loose], "railway down"), (Decision::Allow, Decision::Allow));
}

#[test]
fn an_agent_that_may_not_be_loaded_leaves_the_one_that_is_built_in() {
    let default = settings(r#"{"chat.defaultAgent": "ops"}"#);
    let rest = r#", "prompt": "file://x.md", "toolsSettings": {"execute_bash": {"deniedCommands": [".*"]}}"#;
    assert_eq!(bounds(&[default, agent(Level::User, rest)], "railway down"), (Decision::Ask, Decision::Deny));
}

#[test]
fn no_part_of_a_secret_is_shown() {
    let rest = r#", "mcpServers": {"x": {"command": "y", "env": {"A": "hunter2"}}}, "allowedTools": ["@x/hunter2 a="], "toolsSettings": {"execute_bash": {"deniedCommands": ["login hunter2=.*"]}}"#;
    let policy = policy(&[agent(Level::User, rest), settings(r#"{"chat.defaultAgent": "ops"}"#)]);
    let (ways, sources) = policy.ways(&SessionId::from("amazon-q"), &[], Time::from_unix(1_795_500_000));
    let met = policy.decide(&Call::shell("login hunter2=x"));
    let all = format!("{ways:?}{sources:?}{:?}{}", policy.notes(), met.because());
    assert!(!all.contains("hunter2"), "{all}");
}

proptest! {
    #[test]
    fn gate_never_panics(text in ".{0,200}", line in ".{0,200}", path in ".{0,60}") {
        let set = serde_json::json!({"name": "ops", "allowedTools": [line], "toolsSettings": {
            "execute_bash": {"allowedCommands": [text], "deniedCommands": [path]}, "fs_read": {"deniedPaths": [path]}}});
        for text in [text.clone(), set.to_string()] {
            let policy = policy(&[settings(&text), file(Level::User, "~/.aws/amazonq/cli-agents/x.json", &text)]);
            let _ = policy.decide(&Call::shell(&line));
            let _ = policy.decide(&Call::Read { path: path.clone() });
            let _ = policy.decide(&Call::Edit { path: path.clone() });
            let _ = policy.decide(&Call::Fetch { domain: path.clone() });
            let _ = policy.decide(&Call::Mcp { server: line.clone(), tool: path.clone() });
            let _ = policy.refusals(&SessionId::from("s"), &[], &path);
        }
    }

    #[test]
    fn gate_is_never_freer_with_one_more_refusal(line in "[a-c&|;$() -]{0,12}", allow in prop::sample::select(vec!["a.*", "a|b", "[", ".*"]), deny in prop::sample::select(vec!["a.*", "b", ".*c", "(", "a|b"]), trusted in any::<bool>()) {
        let with = |deny: &[&str]| {
            let trusted = if trusted { vec!["execute_bash"] } else { vec![] };
            let rest = serde_json::json!({"execute_bash": {"allowedCommands": [allow], "deniedCommands": deny}});
            let text = format!(r#", "allowedTools": {}, "toolsSettings": {rest}"#, serde_json::json!(trusted));
            policy(&[agent(Level::User, &text), settings(r#"{"chat.defaultAgent": "ops"}"#)]).decide(&Call::shell(&line))
        };
        let (before, after) = (with(&[]), with(&[deny]));
        prop_assert!(after.worst.decision <= before.worst.decision && after.best.decision <= before.best.decision);
        prop_assert!(after.best.decision <= after.worst.decision);
    }
}
