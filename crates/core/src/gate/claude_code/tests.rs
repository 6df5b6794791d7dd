use proptest::prelude::*;
use serde_yaml::Value;

use super::*;
use crate::fact::{Fact, Gap};
use crate::gate::FileText;
use crate::id::SessionId;
use crate::model::Way;
use crate::time::Time;

const CASES: &str = include_str!("../../../../../tests/gates/claude-code/cases.yaml");

fn file(level: Level, path: &str, text: &str) -> FileText {
    let writable = level != Level::Managed;
    FileText { level, path: path.to_owned(), text: Fact::Known(text.to_owned()), writable }
}

fn level(name: &str) -> (Level, &'static str) {
    match name {
        "managed" => (Level::Managed, "/etc/claude-code/managed-settings.json"),
        "local" => (Level::Local, ".claude/settings.local.json"),
        "project" => (Level::Project, ".claude/settings.json"),
        "user" => (Level::User, "~/.claude/settings.json"),
        other => panic!("no level `{other}`"),
    }
}

fn ground() -> Ground {
    Ground { home: Some("/home/u".to_owned()), root: "/repo".to_owned() }
}

fn user(text: &str) -> ClaudePolicy {
    parse(&[file(Level::User, "~/.claude/settings.json", text)], &ground())
}

fn bash(command: &str) -> Call {
    Call::Bash { command: command.to_owned() }
}

fn all_ways(policy: &ClaudePolicy) -> Vec<Way> {
    let (tools, credentials) = (None, Vec::new());
    let server = McpServer { name: "pg".to_owned(), tools, credentials, file: ".mcp.json".to_owned(), line: Some(3) };
    ways(policy, &SessionId::from("claude-code"), &[server], Time::from_unix(1_795_500_000)).0
}

fn call(case: &Value) -> Option<Call> {
    let text = |key: &str| case.get(key).and_then(Value::as_str).map(str::to_owned);
    let mcp = || {
        let named = text("mcp")?;
        let (server, tool) = named.split_once('/')?;
        Some(Call::Mcp { server: server.to_owned(), tool: tool.to_owned() })
    };
    text("bash")
        .map(|command| Call::Bash { command })
        .or_else(|| text("read").map(|path| Call::Read { path }))
        .or_else(|| text("edit").map(|path| Call::Edit { path }))
        .or_else(|| text("fetch").map(|domain| Call::WebFetch { domain }))
        .or_else(mcp)
}

fn decided(decision: Decision) -> &'static str {
    match decision {
        Decision::Deny => "deny",
        Decision::Ask => "ask",
        Decision::Reviewed => "reviewed",
        Decision::Allow => "allow",
    }
}

fn check(case: &Value) -> Result<(), String> {
    let mut files = Vec::new();
    for (name, text) in case["files"].as_mapping().unwrap() {
        let (level, path) = level(name.as_str().unwrap());
        files.push(file(level, path, text.as_str().unwrap()));
    }
    let trusted = case.get("trusted").and_then(Value::as_bool).unwrap_or(true);
    let state = format!(r#"{{"projects":{{"/repo":{{"hasTrustDialogAccepted":{trusted}}}}}}}"#);
    files.push(file(Level::State, "~/.claude.json", &state));
    let policy = parse(&files, &ground());
    let same = |what: &str, is: String, wanted: String| {
        if is == wanted { Ok(()) } else { Err(format!("{what} is {is} and should be {wanted}")) }
    };
    let both = case["decision"].as_sequence().map(|both| both.iter().filter_map(Value::as_str).collect());
    let wanted: Vec<&str> = both.unwrap_or_else(|| vec![case["decision"].as_str().unwrap()]);
    if let Some(name) = case.get("way").and_then(Value::as_str) {
        let ways = all_ways(&policy);
        let way = ways.iter().find(|way| way.id.as_str() == format!("claude-code/{name}"));
        let is = way.map_or("absent", |way| way.decision.known().map_or("unknown", |known| decided(*known)));
        same("the way", is.to_owned(), wanted.join(", "))?;
        if let Some(alterable) = case.get("alterable").and_then(Value::as_bool) {
            let is = way.is_some_and(|way| !way.overrides.is_empty());
            same("alterable", is.to_string(), alterable.to_string())?;
        }
        return Ok(());
    }
    let met = decide(&policy, &call(case).unwrap());
    let is = match met.known() {
        Some(known) => decided(known).to_owned(),
        None => format!("{}, {}", decided(met.worst.decision), decided(met.best.decision)),
    };
    same("the decision", is, wanted.join(", "))?;
    if let Some(source) = case.get("source").and_then(Value::as_str) {
        same("the source", met.worst.place.map(|place| place.to_string()).unwrap_or_default(), source.to_owned())?;
    }
    match case.get("contained") {
        Some(Value::Bool(wanted)) => same("contained", format!("{:?}", met.contained), format!("{:?}", Some(*wanted))),
        Some(_) => same("contained", format!("{:?}", met.contained), "None".to_owned()),
        None => Ok(()),
    }
}

#[test]
fn gate_cases_hold() {
    let cases: Vec<Value> = serde_yaml::from_str(CASES).unwrap();
    assert!(cases.len() >= 40);
    let wrong = cases.iter().filter_map(|case| {
        let name = case["name"].as_str().unwrap();
        assert!(case["because"].is_string() && case["page"].is_string(), "{name} has no source");
        check(case).err().map(|why| format!("{name}: {why}"))
    });
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn what_was_not_read_leaves_everything_open() {
    let gap = Gap { source: "s".into(), reason: GapReason::Denied };
    let path = ".claude/settings.local.json".to_owned();
    let unread = FileText { level: Level::Local, path, text: Fact::Unknown(gap), writable: true };
    let asks = file(
        Level::User,
        "~/.claude/settings.json",
        r#"{"permissions":{"defaultMode":"default","deny":["WebFetch"]}}"#,
    );
    let policy = parse(&[asks, unread], &ground());
    let met = decide(&policy, &bash("railway down"));
    assert_eq!((met.worst.decision, met.best.decision), (Decision::Allow, Decision::Deny));
    let denied = decide(&policy, &Call::WebFetch { domain: "example.com".to_owned() });
    assert_eq!(denied.known(), Some(Decision::Deny));
}

#[test]
fn a_managed_mode_is_passed_only_by_a_helper_if_every_lock_is_set() {
    let text = r#"{"allowManagedPermissionRulesOnly":true,"allowManagedHooksOnly":true,"disableAutoMode":"disable",
        "sandbox":{"enabled":false},"permissions":{"defaultMode":"default","disableBypassPermissionsMode":"disable"}}"#;
    let steps = |text: &str| {
        let policy = parse(&[file(Level::Managed, "/etc/m.json", text)], &ground());
        let way = all_ways(&policy).into_iter().find(|way| way.id.as_str() == "claude-code/bash").unwrap();
        assert_eq!(way.decision, Fact::Known(Decision::Ask));
        way.overrides.iter().filter(|step| !step.because.starts_with("name a helper")).count()
    };
    assert_eq!(steps(text), 0);
    for lock in [
        "\"allowManagedHooksOnly\":true,",
        "\"allowManagedPermissionRulesOnly\":true,",
        ",\"disableBypassPermissionsMode\":\"disable\"",
    ] {
        assert!(steps(&text.replace(lock, "")) > 0, "{lock}");
    }
}

#[test]
fn what_an_allowed_command_runs_may_be_edited() {
    let text = r#"{"allowManagedPermissionRulesOnly":true,"permissions":{"ask":["Bash(curl *)"],"allow":["Bash(npm test)"],
        "defaultMode":"dontAsk"}}"#;
    let policy = parse(&[file(Level::Managed, "/etc/m.json", text)], &ground());
    let way = all_ways(&policy).into_iter().find(|way| way.id.as_str() == "claude-code/bash").unwrap();
    assert!(way.overrides.iter().any(|step| step.because.contains("edit what `Bash(npm test)` runs")));
}

#[test]
fn refusals_bind_the_tools_and_not_the_shell() {
    let policy = user(r#"{"permissions":{"defaultMode":"default","deny":["Read(**/.env)"]}}"#);
    let session = SessionId::from("claude-code");
    let refused: Vec<String> = refusals(&policy, &session, &[], "/repo/.env").iter().map(|r| r.way.0.clone()).collect();
    assert_eq!(refused, ["claude-code/read", "claude-code/bash-read"]);
    let boxed = r#"{"permissions":{"defaultMode":"default"},"sandbox":{"enabled":true,"failIfUnavailable":true,
        "allowUnsandboxedCommands":false,"filesystem":{"denyRead":["~/.aws"]}}}"#;
    let hidden = refusals(&user(boxed), &session, &[], "~/.aws/credentials");
    assert!(hidden.iter().any(|r| r.way.0 == "claude-code/bash" && !r.overrides.is_empty()));
    assert!(refusals(&user(boxed), &session, &[], "/repo/a").is_empty());
}

fn command() -> impl Strategy<Value = String> {
    let words = [
        "railway", "down", "&&", ";", "|", "'", "\"", "$(", ")", "`", ">", "x", "sudo", "A=1", "rm", "/", "#", "\\",
        "timeout", "é",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 0..10).prop_map(|words| words.join(" "))
}

fn rule() -> impl Strategy<Value = String> {
    let rules = [
        "Bash",
        "Bash(railway *)",
        "Bash(x:*)",
        "Bash(*down)",
        "Read(x)",
        "Edit(//x)",
        "mcp__pg",
        "*",
        "Bash(",
        "(",
        "Bash(sudo *)",
    ];
    prop::sample::select(rules.to_vec()).prop_map(str::to_owned)
}

fn mode() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["default", "auto", "plan", "acceptEdits", "dontAsk", "bypassPermissions", "new"])
}

fn settings(mode: &str, allow: &[String], deny: &[String]) -> String {
    serde_json::json!({"permissions": {"defaultMode": mode, "allow": allow, "deny": deny}}).to_string()
}

proptest! {
    #[test]
    fn gate_never_panics(text in ".{0,200}", line in ".{0,200}", path in ".{0,60}") {
        let policy = user(&text);
        let wrapped = user(&format!(r#"{{"permissions":{{"deny":[{}]}}}}"#, serde_json::json!(text)));
        for policy in [policy, wrapped] {
            let _ = decide(&policy, &bash(&line));
            let _ = decide(&policy, &Call::Read { path: path.clone() });
            let _ = refusals(&policy, &SessionId::from("s"), &[], &path);
        }
    }

    #[test]
    fn gate_is_never_freer_with_one_more_deny(
        mode in mode(), line in command(), more in rule(),
        allow in prop::collection::vec(rule(), 0..3), deny in prop::collection::vec(rule(), 0..2),
    ) {
        let before = decide(&user(&settings(mode, &allow, &deny)), &bash(&line));
        let longer: Vec<String> = deny.iter().cloned().chain([more]).collect();
        let after = decide(&user(&settings(mode, &allow, &longer)), &bash(&line));
        prop_assert!(after.worst.decision <= before.worst.decision);
        prop_assert!(after.best.decision <= before.best.decision);
        prop_assert!(after.best.decision <= after.worst.decision);
    }

    #[test]
    fn gate_never_denies_by_a_file_that_does_not_parse(line in command(), deny in prop::collection::vec(rule(), 0..4)) {
        let text = settings("dontAsk", &[], &deny);
        let broken = text.strip_suffix('}').unwrap();
        let met = decide(&user(broken), &bash(&line));
        prop_assert!(met.known() != Some(Decision::Deny));
        let commented = format!("// mine\n{}", settings("default", &[], &deny));
        prop_assert!(decide(&user(&commented), &bash(&line)).known() != Some(Decision::Deny));
    }
}
