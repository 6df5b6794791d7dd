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

fn ground() -> Ground {
    Ground { home: Some("/home/u".to_owned()), root: "/repo".to_owned() }
}

fn user(text: &str) -> FileText {
    file(Level::User, "~/.copilot/settings.json", text)
}

fn manual() -> FileText {
    user(r#"{"defaultPermissionMode": "manual"}"#)
}

fn started(text: &str) -> FileText {
    file(Level::User, "--started-as", text)
}

fn managed(text: &str) -> FileText {
    file(Level::Managed, "/etc/github-copilot/managed-settings.json", text)
}

fn policy(files: &[FileText]) -> Box<dyn GatePolicy> {
    CopilotCli.parse(files, &ground())
}

fn bounds(files: &[FileText], command: &str) -> (Decision, Decision) {
    let met = policy(files).decide(&Call::shell(command));
    (met.worst.decision, met.best.decision)
}

#[test]
fn what_was_not_read_leaves_everything_open() {
    let gap = Gap { source: "s".into(), reason: GapReason::Denied };
    let path = "/etc/github-copilot/managed-settings.json".to_owned();
    let unread = FileText { level: Level::Managed, path, text: Fact::Unknown(gap), writable: false };
    let strict = started(r#"{"deny-tool": ["shell"]}"#);
    assert_eq!(bounds(std::slice::from_ref(&strict), "railway down"), (Decision::Deny, Decision::Deny));
    assert_eq!(bounds(&[strict, unread], "railway down"), (Decision::Allow, Decision::Deny));
}

#[test]
fn what_the_server_says_may_let_anything_run() {
    let gap = Gap { source: "s".into(), reason: GapReason::Unsupported };
    let server = FileText { text: Fact::Unknown(gap), ..managed("") };
    let server = FileText { path: SERVER.to_owned(), ..server };
    assert_eq!(bounds(&[manual(), server.clone()], "railway down"), (Decision::Allow, Decision::Ask));
    let deny = started(r#"{"deny-tool": ["shell(railway:*)"]}"#);
    assert_eq!(bounds(&[manual(), deny, server.clone()], "railway down"), (Decision::Allow, Decision::Deny));
    let all = started(r#"{"allow-all-tools": true}"#);
    assert_eq!(bounds(&[all, server], "railway down"), (Decision::Allow, Decision::Allow));
}

#[test]
fn an_administrators_rules_that_the_user_may_write_bind_nobody() {
    let mut admin = managed(r#"{"permissions": {"deny": ["Shell(railway *)"]}}"#);
    assert_eq!(bounds(&[manual(), admin.clone()], "railway down"), (Decision::Deny, Decision::Deny));
    assert!(policy(&[admin.clone()]).decide(&Call::shell("railway down")).overridable_by.is_empty());
    admin.writable = true;
    assert_eq!(bounds(&[manual(), admin.clone()], "railway down"), (Decision::Ask, Decision::Deny));
    assert!(!policy(&[admin]).decide(&Call::shell("railway down")).overridable_by.is_empty());
}

#[test]
fn approvals_are_those_of_the_repository() {
    let text =
        r#"{"locations": {"/top": {"tool_approvals": [{"kind": "commands", "commandIdentifiers": ["railway"]}]}}}"#;
    let kept = file(Level::State, "~/.copilot/permissions-config.json", text);
    assert_eq!(bounds(&[manual(), kept.clone()], "railway down"), (Decision::Ask, Decision::Ask));
    let location = file(Level::State, "--location", "/top");
    assert_eq!(bounds(&[manual(), kept, location], "railway down"), (Decision::Allow, Decision::Allow));
}

#[test]
fn a_file_switches_off_its_own_hooks_alone() {
    let hook = file(Level::Project, ".github/hooks/x.json", r#"{"version": 1, "hooks": {"preToolUse": []}}"#);
    assert_eq!(bounds(&[manual(), hook.clone()], "railway down"), (Decision::Allow, Decision::Deny));
    let off = r#"{"defaultPermissionMode": "manual", "disableAllHooks": true, "hooks": {"preToolUse": []}}"#;
    assert_eq!(bounds(&[user(off)], "railway down"), (Decision::Ask, Decision::Ask));
    assert_eq!(bounds(&[user(off), hook], "railway down"), (Decision::Allow, Decision::Deny));
}

#[test]
fn the_older_file_stands_behind_the_newer() {
    let old = file(Level::State, "~/.copilot/config.json", r#"{"defaultPermissionMode": "allow-all"}"#);
    assert_eq!(bounds(std::slice::from_ref(&old), "railway down"), (Decision::Allow, Decision::Allow));
    assert_eq!(bounds(&[manual(), old], "railway down"), (Decision::Ask, Decision::Ask));
}

#[test]
fn no_part_of_a_secret_is_shown() {
    let text = r#"{"locations": {"/repo": {"tool_approvals": [{"kind": "commands", "commandIdentifiers":
        ["psql postgres://u:hunter2@h/db", "Xhunter2", "PGPASSWORD=hunter2:*"]}, {"kind": "mcp", "serverName": "hunter2 x", "toolName": null}]}}}"#;
    let policy = policy(&[
        file(Level::State, "~/.copilot/permissions-config.json", text),
        started(r#"{"deny-tool": ["shell(login hunter2=)"], "allow-url": ["https://u:hunter2@h"]}"#),
    ]);
    let (ways, sources) = policy.ways(&SessionId::from("copilot-cli"), &[], Time::from_unix(1_795_500_000));
    let met = policy.decide(&Call::Fetch { domain: "h".to_owned() });
    let all = format!("{ways:?}{sources:?}{:?}{}", policy.notes(), met.because());
    assert!(!all.contains("hunter2"), "{all}");
}

fn line() -> impl Strategy<Value = String> {
    let words = [
        "railway", "down", "&&", ";", "|", "'", "\"", "$(", ")", "`", ">", "x", "sudo", "A=1", "rm", "/srv", "#", "\\",
        "cd", "<<EOF", "for", "do", "done", "{", "}", "é", "\n", "(", "git", "push", "-C", "branch",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 0..10).prop_map(|words| words.join(" "))
}

fn rules() -> impl Strategy<Value = Vec<String>> {
    let all = [
        "shell",
        "shell(railway)",
        "shell(railway:*)",
        "shell(git push)",
        "shell(git:*)",
        "shell(rm)",
        "write",
        "pg",
        "x(y)",
    ];
    prop::collection::vec(prop::sample::select(all.to_vec()).prop_map(str::to_owned), 0..5)
}

proptest! {
    #[test]
    fn gate_never_panics(text in ".{0,200}", line in ".{0,200}", path in ".{0,60}") {
        let ruled = serde_json::json!({"allow-tool": [text.clone()], "deny-tool": [line.clone()], "deny-url": [path.clone()], "mode": text.clone()});
        let rules = serde_json::json!({"permissions": {"deny": [format!("Shell({text})")], "allow": [text.clone()]}});
        for policy in [policy(&[user(&text)]), policy(&[started(&ruled.to_string())]), policy(&[managed(&rules.to_string())]), policy(&[file(Level::Local, "x/SKILL.md", &text)])] {
            let _ = policy.decide(&Call::shell(&line));
            let _ = policy.decide(&Call::Read { path: path.clone() });
            let _ = policy.decide(&Call::Edit { path: path.clone() });
            let _ = policy.decide(&Call::Fetch { domain: path.clone() });
            let _ = policy.decide(&Call::Mcp { server: line.clone(), tool: path.clone() });
            let _ = policy.refusals(&SessionId::from("s"), &[], &path);
        }
    }

    #[test]
    fn gate_is_never_freer_with_one_more_refusal(line in line(), allow in rules(), deny in rules(), more in "shell\\((railway|git push|git|rm|x|down)(:\\*)?\\)", all in any::<bool>()) {
        let with = |deny: &[String]| {
            let text = serde_json::json!({"allow-tool": allow, "deny-tool": deny, "allow-all-tools": all});
            policy(&[started(&text.to_string())]).decide(&Call::shell(&line))
        };
        let before = with(&deny);
        let after = with(&[deny.clone(), vec![more]].concat());
        prop_assert!(after.worst.decision <= before.worst.decision);
        prop_assert!(after.best.decision <= before.best.decision);
        prop_assert!(after.best.decision <= after.worst.decision);
    }

    #[test]
    fn gate_is_never_stricter_with_one_more_permission(line in line(), allow in rules(), more in "shell\\((railway|git push|git|rm|x|down)(:\\*)?\\)") {
        let with = |allow: &[String]| {
            let text = serde_json::json!({"allow-tool": allow});
            policy(&[manual(), started(&text.to_string())]).decide(&Call::shell(&line))
        };
        let before = with(&allow);
        let after = with(&[allow.clone(), vec![more]].concat());
        prop_assert!(after.worst.decision >= before.worst.decision);
    }

    #[test]
    fn broken_files_never_refuse(line in line(), rules in rules()) {
        let text = serde_json::json!({"allow-tool": [], "deny-tool": rules}).to_string();
        let broken = text.strip_suffix('}').unwrap();
        prop_assert!(policy(&[started(broken)]).decide(&Call::shell(&line)).known() != Some(Decision::Deny));
    }
}
