use super::decide::decide;
use super::refusal::refusals;
use super::settings::parse;
use super::ways::ways;
use super::*;
use crate::fact::{Fact, Gap};
use crate::model::Decision;
use proptest::prelude::*;

fn file(level: Level, path: &str, text: &str) -> FileText {
    let writable = level != Level::Managed;
    FileText { level, path: path.to_owned(), text: Fact::Known(text.to_owned()), writable }
}

fn ground() -> Ground {
    Ground { home: Some("/home/u".to_owned()), root: "/repo".to_owned() }
}

fn user(text: &str) -> ClaudePolicy {
    parse(&[file(Level::User, "~/.claude/settings.json", text)], &ground())
}

fn bash(command: &str) -> Call {
    Call::shell(command)
}

fn all_ways(policy: &ClaudePolicy) -> Vec<Way> {
    let (tools, credentials) = (None, Vec::new());
    let server = McpServer { name: "pg".to_owned(), tools, credentials, file: ".mcp.json".to_owned(), line: Some(3) };
    ways(policy, &SessionId::from("claude-code"), &[server], Time::from_unix(1_795_500_000)).0
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
    let denied = decide(&policy, &Call::Fetch { domain: "example.com".to_owned() });
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
fn a_destroying_call_allowed_to_the_letter_leaves_the_shell_open_to_doubt() {
    let shell = |rule: &str| {
        let text = serde_json::json!({"permissions": {"defaultMode": "default", "allow": [rule]}});
        let way = all_ways(&user(&text.to_string())).into_iter().find(|way| way.id.as_str() == "claude-code/bash");
        way.unwrap().decision
    };
    for rule in [
        "Bash(curl -X DELETE https://api.example.com/v1/databases/1)",
        "Bash(curl -s https://api.example.com/graphql -d @query.json)",
        "Bash(/usr/bin/curl --request=POST https://api.example.com/wipe)",
        "Bash(http delete api.example.com/databases/1)",
        "Bash(sudo aws rds delete-db-instance --db-instance-identifier orders)",
        "Bash(make destroy)",
        "Bash(sudo aws s3 rb s3://exports --force)",
        "Bash(railway run psql -c 'DROP TABLE orders')",
        "Bash(python3 -c 'import shutil; shutil.rmtree(1); db.truncate()')",
    ] {
        assert!(matches!(shell(rule), Fact::Unknown(_)), "{rule}");
    }
    for rule in ["Bash(npm test)", "Bash(curl https://api.example.com/health)", "Bash(make)", "Bash(git status)"] {
        assert_eq!(shell(rule), Fact::Known(Decision::Ask), "{rule}");
    }
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

/// What does not run inside the sandbox falls back to the rules (code.claude.com/docs/en/sandboxing).
#[test]
fn what_a_rule_lets_run_is_not_sure_to_stay_in_the_sandbox() {
    let contained = |allow: &str, more: &str| {
        let sandbox = format!(r#""sandbox":{{"enabled":true,"failIfUnavailable":true{more}}}"#);
        let policy = user(&format!(r#"{{"permissions":{{"defaultMode":"default","allow":[{allow}]}},{sandbox}}}"#));
        decide(&policy, &bash("aws eks delete-cluster --name prod")).contained
    };
    assert_eq!(contained(r#""Bash(git status)""#, ""), Some(true));
    assert_eq!(contained(r#""Bash(aws eks:*)""#, ""), Some(false));
    let excluded = r#","allowUnsandboxedCommands":false,"excludedCommands":["aws *"]"#;
    assert_eq!(contained(r#""Bash(aws eks:*)""#, excluded), Some(false));
    assert_eq!(contained(r#""Bash(aws eks:*)""#, r#","allowUnsandboxedCommands":false"#), Some(true));
}

#[test]
fn whether_a_hook_that_is_told_to_refuse_fails_open_is_not_known() {
    let open = |hooks: &str| {
        user(&format!(r#"{{"hooks":{{"PreToolUse":[{{"matcher":"Bash","hooks":[{hooks}]}}]}}}}"#)).hooks_fail_open()
    };
    let holds = r#"{"type":"command","command":"guard","onFailure":"block"}"#;
    let fails = r#"{"type":"command","command":"guard"}"#;
    assert_eq!(open(fails), Some(true));
    assert_eq!(open(holds), None);
    assert_eq!(open(&format!("{holds},{fails}")), Some(true));
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

#[test]
fn a_file_of_more_rules_than_are_weighed_may_say_anything() {
    let of = |count: usize| {
        let rules: Vec<String> = (0..count).map(|n| format!("\"Bash(x{n} *)\"")).collect();
        let policy = user(&format!(r#"{{"permissions":{{"defaultMode":"dontAsk","allow":[{}]}}}}"#, rules.join(",")));
        let met = decide(&policy, &bash("y"));
        (met.worst.decision, met.best.decision)
    };
    assert_eq!(of(2_000), (Decision::Deny, Decision::Deny));
    assert_eq!(of(2_001), (Decision::Allow, Decision::Deny));
}
