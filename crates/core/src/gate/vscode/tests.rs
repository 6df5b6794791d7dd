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
    file(Level::User, "~/.config/Code/User/settings.json", text)
}

fn folder(text: &str) -> FileText {
    file(Level::Project, ".vscode/settings.json", text)
}

fn policy(files: &[FileText]) -> Box<dyn GatePolicy> {
    VsCode.parse(files, &ground())
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
    let nested = folder(r#"{"chat": {"permissions": {"default": "autopilot"}}}"#);
    assert_eq!(bounds(&[nested], "railway down"), (Decision::Allow, Decision::Deny));
}

#[test]
fn a_policy_that_the_user_may_write_fixes_nothing() {
    let text = r#"{"ChatToolsAutoApprove": false, "ChatToolsTerminalEnableAutoApprove": false}"#;
    let mut managed = file(Level::Managed, "/etc/vscode/policy.json", text);
    assert!(policy(&[managed.clone()]).decide(&Call::shell("railway down")).overridable_by.is_empty());
    managed.writable = true;
    assert!(!policy(&[managed]).decide(&Call::shell("railway down")).overridable_by.is_empty());
}

#[test]
fn no_part_of_a_secret_is_shown() {
    let text = r#"{"chat.tools.terminal.autoApprove": {"psql postgres://u:hunter2@h/db": true, "Xhunter2": true,
        "/PGPASSWORD=hunter2/": true, "login hunter2=": false}, "chat.tools.urls.autoApprove": {"https://u:hunter2@h": true}}"#;
    let policy = policy(&[user(text)]);
    let (ways, sources) = policy.ways(&SessionId::from("vscode"), &[], Time::from_unix(1_795_500_000));
    let met = policy.decide(&Call::shell("login hunter2= x"));
    let all = format!("{ways:?}{sources:?}{:?}{}", policy.notes(), met.because());
    assert!(!all.contains("hunter2"), "{all}");
}

fn line() -> impl Strategy<Value = String> {
    let words = [
        "railway", "down", "&&", ";", "|", "'", "\"", "$(", ")", "`", ">", "x", "sudo", "A=1", "rm", "/srv", "#", "\\",
        "cd", "<<EOF", "for", "do", "done", "{", "}", "é", "\n", "(", "git", "push", "-C", "branch", "sed", "npm",
        "run",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 0..10).prop_map(|words| words.join(" "))
}

fn rules() -> impl Strategy<Value = serde_json::Map<String, serde_json::Value>> {
    let keys = ["railway", "git push", "rm", "/.*/", "/^git/", "/rail(?!x)/", "x", "/(/", "down", "sed", "/railway/i"];
    let values = [
        serde_json::json!(true),
        serde_json::json!(false),
        serde_json::json!(null),
        serde_json::json!({"approve": true, "matchCommandLine": true}),
    ];
    let one = (prop::sample::select(keys.to_vec()), prop::sample::select(values.to_vec()));
    prop::collection::vec(one, 0..5)
        .prop_map(|all| all.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn with(rules: &serde_json::Map<String, serde_json::Value>) -> FileText {
    user(&serde_json::json!({"chat.tools.terminal.autoApprove": rules}).to_string())
}

proptest! {
    #[test]
    fn gate_never_panics(text in ".{0,200}", line in ".{0,200}", path in ".{0,60}") {
        let set = serde_json::json!({
            "chat.tools.terminal.autoApprove": {text.clone(): true, line.clone(): {"approve": false, "matchCommandLine": true}},
            "chat.tools.edits.autoApprove": {path.clone(): true}, "chat.tools.urls.autoApprove": {path.clone(): true},
            "chat.permissions.default": text.clone(),
        });
        for policy in [policy(&[user(&text)]), policy(&[user(&set.to_string()), folder(&set.to_string())]), policy(&[file(Level::Managed, "/etc/vscode/policy.json", &text)])] {
            let _ = policy.decide(&Call::shell(&line));
            let _ = policy.decide(&Call::Read { path: path.clone() });
            let _ = policy.decide(&Call::Edit { path: path.clone() });
            let _ = policy.decide(&Call::Fetch { domain: path.clone() });
            let _ = policy.decide(&Call::Mcp { server: line.clone(), tool: path.clone() });
            let _ = policy.refusals(&SessionId::from("s"), &[], &path);
        }
    }

    #[test]
    fn gate_is_never_freer_with_one_more_rule_that_asks(line in line(), rules in rules(), more in prop::sample::select(vec!["railway", "git push", "down", "/git/", "/down$/"])) {
        let before = policy(&[with(&rules)]).decide(&Call::shell(&line));
        let mut rules = rules;
        rules.insert(more.to_owned(), serde_json::json!(false));
        let after = policy(&[with(&rules)]).decide(&Call::shell(&line));
        prop_assert!(after.worst.decision <= before.worst.decision);
        prop_assert!(after.best.decision <= before.best.decision);
        prop_assert!(after.best.decision <= after.worst.decision);
    }

    #[test]
    fn gate_is_never_stricter_with_one_more_that_lets(line in line(), rules in rules(), more in prop::sample::select(vec!["npx", "/git push/", "/down$/"])) {
        let before = policy(&[with(&rules)]).decide(&Call::shell(&line));
        let mut rules = rules;
        rules.insert(more.to_owned(), serde_json::json!(true));
        let after = policy(&[with(&rules)]).decide(&Call::shell(&line));
        prop_assert!(after.worst.decision >= before.worst.decision);
        prop_assert!(after.best.decision >= before.best.decision);
    }

    #[test]
    fn nothing_is_refused_by_rules(line in line(), rules in rules()) {
        prop_assert!(policy(&[with(&rules)]).decide(&Call::shell(&line)).best.decision >= Decision::Ask);
    }
}
