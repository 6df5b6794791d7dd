use proptest::prelude::*;

use super::*;
use crate::fact::{Fact, Gap, GapReason};
use crate::model::Decision;

fn ground() -> Ground {
    Ground { home: Some("/home/u".to_owned()), root: "/repo".to_owned() }
}

fn file(level: Level, path: &str, text: &str) -> FileText {
    let writable = level != Level::Managed;
    FileText { level, path: path.to_owned(), text: Fact::Known(text.to_owned()), writable }
}

fn config(text: &str) -> FileText {
    file(Level::User, "~/.codex/config.toml", text)
}

fn user_rules(text: &str) -> FileText {
    file(Level::User, "~/.codex/rules/default.rules", text)
}

fn policy(files: &[FileText]) -> Box<dyn GatePolicy> {
    Codex.parse(files, &ground())
}

fn server() -> McpServer {
    McpServer { name: "pg".to_owned(), tools: None, credentials: Vec::new(), file: "x".to_owned(), line: None }
}

const TRUSTED: &str = "[projects.\"/repo\"]\ntrust_level = \"trusted\"\n";
const HIDES: &str = "default_permissions = \"mine\"\n[projects.\"/repo\"]\ntrust_level = \"trusted\"\n\
                     [permissions.mine.filesystem]\n\"~/.aws\" = \"deny\"\n";

fn refused(files: &[FileText], path: &str) -> Vec<String> {
    let refusals = policy(files).refusals(&SessionId::from("codex"), &[], path);
    refusals.iter().map(|refusal| format!("{} {}", refusal.way, refusal.because)).collect()
}

#[test]
fn what_a_profile_denies_is_kept_from_commands_and_not_from_servers() {
    let found = refused(&[config(HIDES)], "~/.aws/credentials");
    assert_eq!(found.len(), 2);
    assert!(found[0].starts_with("codex/bash ") && found[1].starts_with("codex/bash-read "), "{found:?}");
    assert!(found[0].contains("~/.codex/config.toml:5") && found[0].contains("MCP server still reads it"), "{found:?}");
    assert!(refused(&[config(HIDES)], "~/.netrc").is_empty());
}

#[test]
fn a_denial_that_something_reads_around_is_none() {
    let aws = "~/.aws/credentials";
    for more in [
        user_rules("prefix_rule(pattern=[\"python3\"])"),
        user_rules("x = 1"),
        file(Level::User, "~/.codex/hooks.json", r#"{"hooks":{"PermissionRequest":[{}]}}"#),
        file(Level::Project, ".codex/config.toml", "sandbox_mode = \"danger-full-access\""),
    ] {
        assert!(refused(&[config(HIDES), more], aws).is_empty());
    }
    let reviewed = format!("approvals_reviewer = \"auto_review\"\n{HIDES}");
    assert!(refused(&[config(&reviewed)], aws).is_empty());
    // Of a folder that nobody has trusted or not the project may set another mode.
    let unset = HIDES.replace("[projects.\"/repo\"]\ntrust_level = \"trusted\"\n", "");
    let free = file(Level::Project, ".codex/config.toml", "sandbox_mode = \"danger-full-access\"");
    assert!(refused(&[config(&unset), free], aws).is_empty());
}

#[test]
fn a_subagent_with_settings_of_its_own_counts() {
    let agent = |text: &str| file(Level::Project, ".codex/agents/free.toml", text);
    let free = "name = \"free\"\nsandbox_mode = \"danger-full-access\"\napproval_policy = \"never\"\n";
    let met = policy(&[config(TRUSTED), agent(free)]).decide(&Call::shell("railway down"));
    assert_eq!((met.known(), met.contained), (Some(Decision::Allow), None));
    let met = policy(&[config(TRUSTED), agent("name = \"x\"\n")]).decide(&Call::shell("railway down"));
    assert_eq!((met.known(), met.contained), (Some(Decision::Allow), Some(true)));
    let elsewhere = format!("{TRUSTED}[agents.x]\nconfig_file = \"/srv/x.toml\"\n");
    let met = policy(&[config(&elsewhere)]).decide(&Call::shell("railway down"));
    assert_eq!((met.worst.decision, met.best.decision), (Decision::Allow, Decision::Deny));
}

#[test]
fn a_managed_file_that_the_user_may_write_fixes_nothing() {
    let text = "[rules]\nprefix_rules = [{pattern = [{token = \"railway\"}], decision = \"forbidden\"}]\n";
    let mut required = file(Level::Managed, "/etc/codex/requirements.toml", text);
    let met = policy(&[required.clone()]).decide(&Call::shell("railway down"));
    assert_eq!((met.known(), met.overridable_by.len()), (Some(Decision::Deny), 0));
    required.writable = true;
    let met = policy(&[required]).decide(&Call::shell("railway down"));
    assert!(met.known() == Some(Decision::Deny) && !met.overridable_by.is_empty());
}

#[test]
fn only_a_network_that_an_administrator_shuts_is_shut_for_every_start() {
    let only = |modes: &str| {
        file(Level::Managed, "/etc/codex/requirements.toml", &format!("allowed_sandbox_modes = {modes}\n"))
    };
    let never = config(&format!("approval_policy = \"never\"\n{TRUSTED}"));
    let starts = |modes| {
        let (ways, _) = policy(&[never.clone(), only(modes)]).ways(&SessionId::from("codex"), &[], Time::from_unix(0));
        let bash = ways.into_iter().find(|way| way.id.as_str() == "codex/bash").unwrap();
        assert_eq!(bash.contained, Fact::Known(true));
        bash.escapes.iter().any(|step| step.needs.is_empty())
    };
    assert!(!starts("[\"read-only\"]"));
    assert!(starts("[\"read-only\", \"workspace-write\"]"));
}

#[test]
fn a_sandbox_keeps_the_shell_from_the_sessions_own_settings() {
    let by_shell = |text: &str| {
        let asks = format!("{text}[mcp_servers.pg]\ncommand = \"x\"\ndefault_tools_approval_mode = \"prompt\"\n");
        let (ways, _) = policy(&[config(&asks)]).ways(&SessionId::from("codex"), &[server()], Time::from_unix(0));
        let server = ways.iter().find(|way| way.id.as_str() == "codex/mcp/pg").unwrap();
        assert_eq!(server.decision, Fact::Known(Decision::Ask));
        server.overrides.iter().any(|step| step.because.contains("by a shell command"))
    };
    assert!(!by_shell(TRUSTED));
    // The home is a folder that may be written, and what lies in it other than its own `.codex`.
    assert!(by_shell(&format!("{TRUSTED}[sandbox_workspace_write]\nwritable_roots = [\"/\"]\n")));
}

#[test]
fn what_settings_start_from_the_workspace_is_a_way_out() {
    let out = |more: &str| {
        let (ways, _) =
            policy(&[config(&format!("{more}\n{TRUSTED}"))]).ways(&SessionId::from("codex"), &[], Time::from_unix(0));
        let bash = ways.into_iter().find(|way| way.id.as_str() == "codex/bash").unwrap();
        bash.escapes.iter().any(|step| step.because.contains("settings start outside the sandbox"))
    };
    assert!(out("notify = [\"python3\", \"/repo/notify.py\"]"));
    assert!(out("[mcp_servers.own]\ncommand = \"node\"\nargs = [\"server.js\"]"));
    assert!(out("[[hooks.Stop]]\n[[hooks.Stop.hooks]]\ncommand = \"sh ./.tools/stop.sh\""));
    assert!(!out("notify = [\"/usr/bin/notify-send\"]"));
    assert!(!out("[mcp_servers.pg]\ncommand = \"npx\"\nargs = [\"-y\", \"@acme/server\"]"));
}

#[test]
fn what_was_not_read_leaves_everything_open() {
    let gap = Gap { source: "s".into(), reason: GapReason::TooLarge };
    let unread =
        |level, path: &str| FileText { level, path: path.to_owned(), text: Fact::Unknown(gap.clone()), writable: true };
    let forbids = user_rules("prefix_rule(pattern=[\"railway\"], decision=\"forbidden\")");
    let rules = unread(Level::Project, ".codex/rules/big.rules");
    let met = policy(&[config(TRUSTED), forbids.clone(), rules.clone()]).decide(&Call::shell("railway down"));
    assert_eq!((met.worst.decision, met.best.decision, met.contained), (Decision::Allow, Decision::Deny, None));
    let untrusted = config("[projects.\"/repo\"]\ntrust_level = \"untrusted\"\n");
    let met = policy(&[untrusted, forbids, rules]).decide(&Call::shell("railway down"));
    assert_eq!(met.known(), Some(Decision::Deny));
}

#[test]
fn no_part_of_a_secret_is_shown() {
    let rules = "prefix_rule(pattern=[\"curl\", \"-H\", \"hunter2\"])\nprefix_rule(pattern=[\"psql\", \"postgres://u:hunter2@h/db\"])\n\
                 prefix_rule(pattern=[[\"login\", \"Xhunter2\"], \"Xhunter2\"], justification=\"hunter2\")\n";
    let settings = format!(
        "default_permissions = \"hunter2 x\"\nsandbox_mode = \"hunter2\"\n{TRUSTED}[mcp_servers.pg]\ncommand = \"x\"\n\
         args = [\"hunter2\"]\ndefault_tools_approval_mode = \"hunter2\"\n[mcp_servers.pg.env]\nTOKEN = \"hunter2\"\n"
    );
    let policy = policy(&[config(&settings), user_rules(rules)]);
    let (ways, sources) = policy.ways(&SessionId::from("codex"), &[server()], Time::from_unix(1_795_500_000));
    let all = format!("{ways:?}{sources:?}{:?}", policy.notes());
    assert!(!all.contains("hunter2"), "{all}");
}

#[test]
fn files_that_were_made_to_keep_us_busy_are_passed_quickly() {
    let many = "prefix_rule(pattern=[\"python3\", \"x\"], decision=\"allow\")\n".repeat(150_000);
    let deep = format!("prefix_rule(pattern={})", "[".repeat(8_000_000));
    let agents =
        (0..200).map(|n| file(Level::Project, &format!(".codex/agents/{n}.toml"), "sandbox_mode = \"read-only\"\n"));
    let mut files: Vec<FileText> = agents.collect();
    files.extend([
        file(Level::Project, ".codex/rules/a.rules", &many),
        file(Level::Project, ".codex/rules/b.rules", &deep),
        file(Level::Project, ".codex/config.toml", &format!("{}x = 1", "a.".repeat(300_000))),
        user_rules(&"prefix_rule(pattern=[\"python3\"], decision=\"allow\")\n".repeat(1_000)),
    ]);
    let policy = policy(&files);
    let (ways, _) = policy.ways(&SessionId::from("codex"), &[], Time::from_unix(0));
    assert!(ways.iter().all(|way| way.decision.known() != Some(&Decision::Deny)));
}

fn line() -> impl Strategy<Value = String> {
    let words = [
        "railway",
        "down",
        "&&",
        ";",
        "|",
        "'",
        "\"",
        "$(",
        ")",
        "`",
        ">",
        "x",
        "sudo",
        "A=1",
        "rm",
        "-rf",
        "/",
        "#",
        "\\",
        "cat",
        "*",
        "&",
        "é",
        "bash",
        "/usr/bin/railway",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 0..10).prop_map(|words| words.join(" "))
}

fn rule(decision: &'static str) -> impl Strategy<Value = String> {
    let patterns =
        [r#"["railway"]"#, r#"["rm"]"#, r#"["bash"]"#, r#"["x"]"#, r#"["railway", ["down", "x"]]"#, r#"["cat"]"#];
    prop::sample::select(patterns.to_vec())
        .prop_map(move |p| format!("prefix_rule(pattern={p}, decision=\"{decision}\")\n"))
}

fn settings() -> impl Strategy<Value = String> {
    let approvals = ["never", "on-request", "untrusted", "new"];
    let boxes = ["read-only", "workspace-write", "danger-full-access", "new"];
    (prop::sample::select(approvals.to_vec()), prop::sample::select(boxes.to_vec()), any::<bool>()).prop_map(
        |(a, b, trusted)| {
            format!("approval_policy = \"{a}\"\nsandbox_mode = \"{b}\"\n{}", if trusted { TRUSTED } else { "" })
        },
    )
}

proptest! {
    #[test]
    fn gate_never_panics(text in ".{0,200}", line in ".{0,200}", path in ".{0,60}") {
        let files = [
            config(&text),
            config(&format!("approval_policy = {text}\n[permissions.\"{text}\"]")),
            user_rules(&text),
            user_rules(&format!("prefix_rule(pattern=[\"{text}\"], {text})")),
            file(Level::Project, ".codex/hooks.json", &text),
            file(Level::Managed, "/etc/codex/requirements.toml", &format!("[rules]\nprefix_rules = [{text}]")),
        ];
        for policy in [policy(&files), policy(&files[..1]), policy(&files[2..3])] {
            let _ = policy.decide(&Call::shell(&line));
            let _ = policy.decide(&Call::Read { path: path.clone() });
            let _ = policy.decide(&Call::Edit { path: path.clone() });
            let _ = policy.decide(&Call::Mcp { server: line.clone(), tool: path.clone() });
            let _ = policy.refusals(&SessionId::from("s"), &[], &path);
            let _ = policy.ways(&SessionId::from("s"), &[], Time::from_unix(0));
        }
    }

    #[test]
    fn gate_is_never_freer_with_one_more_refusal(
        settings in settings(), line in line(), more in rule("forbidden"),
        allow in prop::collection::vec(rule("allow"), 0..3), deny in prop::collection::vec(rule("forbidden"), 0..2),
    ) {
        let rules = format!("{}{}", allow.concat(), deny.concat());
        let before = policy(&[config(&settings), user_rules(&rules)]).decide(&Call::shell(&line));
        let after = policy(&[config(&settings), user_rules(&format!("{rules}{more}"))]).decide(&Call::shell(&line));
        prop_assert!(after.worst.decision <= before.worst.decision);
        prop_assert!(after.best.decision <= before.best.decision);
        prop_assert!(after.best.decision <= after.worst.decision);
    }

    #[test]
    fn a_project_that_nobody_judged_never_makes_the_gate_surely_stricter(
        settings in settings(), line in line(), project in settings(), rules in prop::collection::vec(rule("forbidden"), 0..3),
    ) {
        let settings = settings.replace(TRUSTED, "");
        let before = policy(&[config(&settings)]).decide(&Call::shell(&line));
        let brought = [
            config(&settings),
            file(Level::Project, ".codex/config.toml", &project),
            file(Level::Project, ".codex/rules/a.rules", &rules.concat()),
        ];
        let after = policy(&brought).decide(&Call::shell(&line));
        prop_assert!(after.worst.decision >= before.worst.decision);
        prop_assert!(after.contained != Some(true) || before.contained == Some(true));
    }

    #[test]
    fn broken_files_never_refuse(settings in settings(), line in line(), deny in prop::collection::vec(rule("forbidden"), 0..4)) {
        let rules = format!("{}prefix_rule(", deny.concat());
        prop_assert!(policy(&[config(&settings), user_rules(&rules)]).decide(&Call::shell(&line)).known().is_none());
        let broken = format!("{settings}x =\n");
        prop_assert!(policy(&[config(&broken), user_rules(&deny.concat())]).decide(&Call::shell(&line)).known().is_none());
    }
}
