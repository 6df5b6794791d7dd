use proptest::prelude::*;

use super::*;
use crate::fact::{Fact, Gap};

fn file(level: Level, path: &str, text: &str) -> FileText {
    FileText { level, path: path.to_owned(), text: Fact::Known(text.to_owned()), writable: level != Level::Managed }
}

fn ground() -> Ground {
    Ground { home: Some("/home/u".to_owned()), root: "/repo".to_owned() }
}

fn cli(config: &str) -> Box<dyn GatePolicy> {
    CursorCli.parse(&[file(Level::User, "~/.cursor/cli-config.json", config)], &ground())
}

#[test]
fn the_ignore_file_binds_the_read_tool_and_names_the_way_round() {
    let policy = Cursor.parse(&[file(Level::Project, ".cursorignore", "# mine\n.env\n")], &ground());
    let refused = policy.refusals(&SessionId::from("cursor"), &[], "/repo/app/.env");
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].way.as_str(), "cursor/read");
    assert!(refused[0].because.contains(".cursorignore:2") && refused[0].because.contains("`cat`"));
    assert!(!refused[0].overrides.is_empty());
    assert!(policy.refusals(&SessionId::from("cursor"), &[], "/repo/app/main.rs").is_empty());
    assert!(policy.refusals(&SessionId::from("cursor"), &[], "~/.env").is_empty());
}

#[test]
fn a_line_that_lifts_another_hides_nothing() {
    let policy = Cursor.parse(&[file(Level::Project, ".cursorignore", ".env\n!app/.env\n")], &ground());
    assert!(policy.refusals(&SessionId::from("cursor"), &[], "/repo/.env").is_empty());
}

#[test]
fn what_was_not_read_leaves_everything_open() {
    let gap = Gap { source: "s".into(), reason: GapReason::Denied };
    let path = ".cursor/cli.json".to_owned();
    let unread = FileText { level: Level::Project, path, text: Fact::Unknown(gap), writable: true };
    let config = file(
        Level::User,
        "~/.cursor/cli-config.json",
        r#"{"approvalMode":"allowlist","sandbox":{"mode":"disabled"},"permissions":{"deny":["Shell(railway)"]}}"#,
    );
    let met = CursorCli.parse(&[config, unread], &ground()).decide(&Call::shell("railway down"));
    assert_eq!((met.worst.decision, met.best.decision), (Decision::Allow, Decision::Deny));
}

#[test]
fn a_project_rule_never_makes_the_gate_surely_stricter() {
    let config = |text: &str| file(Level::User, "~/.cursor/cli-config.json", text);
    let project = |text: &str| file(Level::Project, ".cursor/cli.json", text);
    let open = config(r#"{"approvalMode":"unrestricted"}"#);
    let denies = project(r#"{"permissions":{"deny":["Shell(*)"]},"approvalMode":"allowlist"}"#);
    let met = CursorCli.parse(&[open, denies], &ground()).decide(&Call::shell("railway down"));
    assert_eq!(met.worst.decision, Decision::Allow);
}

#[test]
fn no_part_of_a_secret_is_shown() {
    let text = r#"{"permissions":{"allow":["Shell(psql:postgres://u:hunter2@h/db)","Shell(login Xhunter2)"]}}"#;
    let policy = cli(text);
    let (ways, sources) = policy.ways(&SessionId::from("cursor-cli"), &[], Time::from_unix(1_795_500_000));
    let all = format!("{ways:?}{sources:?}{:?}", policy.notes());
    assert!(!all.contains("hunter2"), "{all}");
}

fn line() -> impl Strategy<Value = String> {
    let words = [
        "railway", "down", "&&", ";", "|", "'", "\"", "$(", ")", "`", ">", "x", "sudo", "A=1", "rm", "/", "#", "\\",
        "timeout", "é",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 0..10).prop_map(|words| words.join(" "))
}

fn rule() -> impl Strategy<Value = String> {
    let rules = [
        "Shell(railway)",
        "Shell(rm)",
        "Shell(*)",
        "Shell(x:*)",
        "Shell(r*)",
        "Shell(railway:down)",
        "Read(x)",
        "Write(**/x)",
        "Mcp(pg:*)",
        "WebFetch(*)",
        "Shell(",
        "(",
    ];
    prop::sample::select(rules.to_vec()).prop_map(str::to_owned)
}

fn config(mode: &str, allow: &[String], deny: &[String]) -> String {
    serde_json::json!({"approvalMode": mode, "sandbox": {"mode": "disabled"},
        "permissions": {"allow": allow, "deny": deny}})
    .to_string()
}

proptest! {
    #[test]
    fn gate_never_panics(text in ".{0,200}", line in ".{0,200}", path in ".{0,60}") {
        let wrapped = serde_json::json!({"permissions": {"deny": [text.clone()], "allow": [format!("Shell({text})")]}});
        let listed = serde_json::json!({"terminalAllowlist": [text.clone()], "mcpAllowlist": [text.clone()]});
        let policies = [
            cli(&text),
            cli(&wrapped.to_string()),
            Cursor.parse(&[
                file(Level::User, "~/.cursor/permissions.json", &listed.to_string()),
                file(Level::Project, ".cursorignore", &text),
                file(Level::Project, ".cursor/hooks.json", &text),
            ], &ground()),
        ];
        for policy in policies {
            let _ = policy.decide(&Call::shell(&line));
            let _ = policy.decide(&Call::Read { path: path.clone() });
            let _ = policy.decide(&Call::Mcp { server: line.clone(), tool: path.clone() });
            let _ = policy.refusals(&SessionId::from("s"), &[], &path);
            let _ = policy.ways(&SessionId::from("s"), &[], Time::from_unix(0));
        }
    }

    #[test]
    fn gate_is_never_freer_with_one_more_deny(
        mode in prop::sample::select(vec!["allowlist", "unrestricted", "new"]), line in line(), more in rule(),
        allow in prop::collection::vec(rule(), 0..3), deny in prop::collection::vec(rule(), 0..2),
    ) {
        let before = cli(&config(mode, &allow, &deny)).decide(&Call::shell(&line));
        let longer: Vec<String> = deny.iter().cloned().chain([more]).collect();
        let after = cli(&config(mode, &allow, &longer)).decide(&Call::shell(&line));
        prop_assert!(after.worst.decision <= before.worst.decision);
        prop_assert!(after.best.decision <= before.best.decision);
        prop_assert!(after.best.decision <= after.worst.decision);
    }

    #[test]
    fn a_broken_file_never_denies(line in line(), deny in prop::collection::vec(rule(), 0..4)) {
        let text = config("allowlist", &[], &deny);
        let broken = text.strip_suffix('}').unwrap();
        prop_assert!(cli(broken).decide(&Call::shell(&line)).known() != Some(Decision::Deny));
        let commented = format!("// mine\n{text}");
        prop_assert!(cli(&commented).decide(&Call::shell(&line)).known() != Some(Decision::Deny));
    }
}
