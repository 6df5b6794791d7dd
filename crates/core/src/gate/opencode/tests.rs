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
    file(Level::User, "~/.config/opencode/opencode.json", text)
}

fn policy(files: &[FileText]) -> Box<dyn GatePolicy> {
    OpenCode.parse(files, &ground())
}

fn bounds(files: &[FileText], command: &str) -> (Decision, Decision) {
    let met = policy(files).decide(&Call::shell(command));
    (met.worst.decision, met.best.decision)
}

#[test]
fn what_was_not_read_leaves_everything_open() {
    let gap = Gap { source: "s".into(), reason: GapReason::Denied };
    let path = "/etc/opencode/opencode.json".to_owned();
    let unread = FileText { level: Level::Managed, path, text: Fact::Unknown(gap), writable: false };
    let strict = user(r#"{"permission":"deny"}"#);
    assert_eq!(bounds(std::slice::from_ref(&strict), "railway down"), (Decision::Deny, Decision::Deny));
    assert_eq!(bounds(&[strict, unread], "railway down"), (Decision::Allow, Decision::Deny));
}

#[test]
fn variables_stand_behind_every_file() {
    let managed = file(Level::Managed, "/etc/opencode/opencode.json", r#"{"permission":{"bash":"deny"}}"#);
    let variable = file(Level::User, "OPENCODE_PERMISSION", r#"{"bash":"allow"}"#);
    assert_eq!(bounds(&[managed.clone(), variable], "railway down"), (Decision::Allow, Decision::Allow));
    let content = file(Level::User, "OPENCODE_CONFIG_CONTENT", r#"{"permission":{"bash":"allow"}}"#);
    assert_eq!(bounds(&[managed.clone(), content], "railway down"), (Decision::Deny, Decision::Deny));
    assert!(!policy(&[managed]).decide(&Call::shell("x")).overridable_by.is_empty());
}

#[test]
fn the_variable_holds_permissions_alone_and_is_read_to_the_letter() {
    let met = |text: &str| {
        let ask = user(r#"{"permission":"ask"}"#);
        bounds(&[ask, file(Level::User, "OPENCODE_PERMISSION", text)], "railway down")
    };
    assert_eq!(met(r#"{"bash":"deny"}"#), (Decision::Deny, Decision::Deny));
    let passed =
        [r#"{"permission":{"bash":"deny"}}"#, r#"{"bash":"deny",}"#, "{\"bash\":\"deny\"} // x", "\"deny\"", "x"];
    for text in passed {
        assert_eq!(met(text), (Decision::Ask, Decision::Ask), "{text}");
    }
    for text in [r#"{"bash":"deny","bash":"allow"}"#, r#"["deny"]"#, r#"{"bash":1}"#] {
        assert_eq!(met(text), (Decision::Allow, Decision::Deny), "{text}");
    }
}

#[test]
fn an_agent_that_is_not_there_is_not_the_first() {
    let met = |name: &str, agents: &str| {
        let own = user(&format!(r#"{{"permission":"ask","agent":{agents}}}"#));
        let started = serde_json::json!({ "default_agent": name }).to_string();
        bounds(&[own, file(Level::User, "--started-as", &started)], "railway down")
    };
    let build = r#"{"build":{"permission":{"bash":"allow"}}}"#;
    assert_eq!(met("none", build), (Decision::Allow, Decision::Ask));
    assert_eq!(met("explore", build), (Decision::Allow, Decision::Ask));
    assert_eq!(met("plan", build), (Decision::Ask, Decision::Ask));
    let sub = r#"{"ops":{"mode":"subagent"},"build":{"permission":{"bash":"allow"}}}"#;
    assert_eq!(met("ops", sub), (Decision::Allow, Decision::Ask));
    let off = r#"{"ops":{"mode":"primary","permission":{"bash":"allow"}},"build":{"disable":true}}"#;
    assert_eq!(met("build", off), (Decision::Allow, Decision::Ask));
    let primary = r#"{"ops":{"mode":"primary"},"build":{"permission":{"bash":"allow"}}}"#;
    assert_eq!(met("ops", primary), (Decision::Ask, Decision::Ask));
}

#[test]
fn another_agent_may_be_the_first() {
    let own = r#"{"permission":{"bash":"ask"},"agent":{"ops":{"mode":"primary","permission":{"bash":"allow"}}}}"#;
    assert_eq!(bounds(&[user(own)], "railway down"), (Decision::Ask, Decision::Ask));
    let started = file(Level::User, "--started-as", r#"{"default_agent":"ops"}"#);
    assert_eq!(bounds(&[user(own), started], "railway down"), (Decision::Allow, Decision::Allow));
}

#[test]
fn a_rule_with_a_variable_in_it_is_not_sure() {
    let text = r#"{"permission":{"bash":{"*":"ask","{env:TOOL} *":"allow"}}}"#;
    assert_eq!(bounds(&[user(text)], "railway down").1, Decision::Ask);
}

#[test]
fn no_part_of_a_secret_is_shown() {
    let text = r#"{"permission":{"bash":{"psql postgres://u:hunter2@h/db":"allow","login Xhunter2 *":"allow","PGPASSWORD=hunter2 psql *":"allow"}}}"#;
    let policy = policy(&[user(text)]);
    let (ways, sources) = policy.ways(&SessionId::from("opencode"), &[], Time::from_unix(1_795_500_000));
    let all = format!("{ways:?}{sources:?}{:?}", policy.notes());
    assert!(!all.contains("hunter2"), "{all}");
}

fn line() -> impl Strategy<Value = String> {
    let words = [
        "railway", "down", "&&", ";", "|", "'", "\"", "$(", ")", "`", ">", "x", "sudo", "A=1", "rm", "/srv", "#", "\\",
        "cd", "<<EOF", "for", "do", "done", "{", "}", "é", "\n", "(",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 0..10).prop_map(|words| words.join(" "))
}

fn rules() -> impl Strategy<Value = Vec<(String, String)>> {
    let patterns = ["*", "railway *", "rm", "*down", "sudo ?*", "cd *", "X *"];
    let effects = ["allow", "ask", "deny"];
    let one = (prop::sample::select(patterns.to_vec()), prop::sample::select(effects.to_vec()));
    prop::collection::vec(one.prop_map(|(a, b)| (a.to_owned(), b.to_owned())), 0..5)
}

/// A file with rules in the order given; one that is given twice counts where it stands last.
fn config(rules: &[(String, String)]) -> String {
    let mut kept: Vec<String> = Vec::new();
    for (at, (pattern, effect)) in rules.iter().enumerate() {
        if !rules.iter().skip(at + 1).any(|(other, _)| other == pattern) {
            kept.push(format!("{}:{}", serde_json::json!(pattern), serde_json::json!(effect)));
        }
    }
    format!("{{\"permission\":{{\"bash\":{{{}}}}}}}", kept.join(","))
}

proptest! {
    #[test]
    fn gate_never_panics(text in ".{0,200}", line in ".{0,200}", path in ".{0,60}") {
        let ruled = serde_json::json!({"permission": {"bash": {text.clone(): "deny"}, text.clone(): "ask"}, "tools": {text.clone(): true}});
        for policy in [policy(&[user(&text)]), policy(&[user(&ruled.to_string())]), policy(&[file(Level::Local, "x.md", &text)])] {
            let _ = policy.decide(&Call::shell(&line));
            let _ = policy.decide(&Call::Read { path: path.clone() });
            let _ = policy.decide(&Call::Edit { path: path.clone() });
            let _ = policy.decide(&Call::Mcp { server: line.clone(), tool: path.clone() });
            let _ = policy.refusals(&SessionId::from("s"), &[], &path);
        }
    }

    #[test]
    fn gate_is_never_freer_with_a_refusal_at_the_end(line in line(), rules in rules(), more in "[a-z*? ]{1,8}") {
        // A refusal of everything takes the tool away, and one of something more behind it offers it again.
        prop_assume!(!rules.iter().any(|(pattern, effect)| pattern == "*" && effect == "deny"));
        let before = policy(&[user(&config(&rules))]).decide(&Call::shell(&line));
        let longer: Vec<(String, String)> = rules.iter().filter(|(own, _)| *own != more).cloned().chain([(more.clone(), "deny".to_owned())]).collect();
        let after = policy(&[user(&config(&longer))]).decide(&Call::shell(&line));
        prop_assert!(after.worst.decision <= before.worst.decision);
        prop_assert!(after.best.decision <= before.best.decision);
        prop_assert!(after.best.decision <= after.worst.decision);
    }

    #[test]
    fn broken_files_never_refuse(line in line(), rules in rules()) {
        let text = config(&rules);
        let broken = text.strip_suffix('}').unwrap();
        prop_assert!(policy(&[user(broken)]).decide(&Call::shell(&line)).known() != Some(Decision::Deny));
    }
}
