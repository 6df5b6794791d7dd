use proptest::prelude::*;

use super::*;
use crate::fact::{Fact, Gap};
use crate::gate::Call;
use crate::id::SessionId;
use crate::model::Decision;
use crate::time::Time;

const TRUST: &str = r#"{"/repo": "TRUST_FOLDER"}"#;

fn file(level: Level, path: &str, text: &str) -> FileText {
    FileText { level, path: path.to_owned(), text: Fact::Known(text.to_owned()), writable: level != Level::Managed }
}

fn ground() -> Ground {
    Ground { home: Some("/home/u".to_owned()), root: "/repo".to_owned() }
}

fn trust() -> FileText {
    file(Level::State, "~/.gemini/trustedFolders.json", TRUST)
}

fn user(text: &str) -> FileText {
    file(Level::User, "~/.gemini/settings.json", text)
}

fn rules(text: &str) -> FileText {
    file(Level::User, "~/.gemini/policies/rules.toml", text)
}

fn policy(files: &[FileText]) -> Box<dyn GatePolicy> {
    Gemini.parse(files, &ground())
}

fn bounds(files: &[FileText], command: &str) -> (Decision, Decision) {
    let met = policy(files).decide(&Call::shell(command));
    (met.worst.decision, met.best.decision)
}

#[test]
fn what_was_not_read_leaves_everything_open() {
    let gap = Gap { source: "s".into(), reason: GapReason::Denied };
    let path = "/etc/gemini-cli/settings.json".to_owned();
    let unread = FileText { level: Level::Managed, path, text: Fact::Unknown(gap), writable: false };
    let strict = rules("[[rule]]\ntoolName = \"*\"\ndecision = \"deny\"\npriority = 999\n");
    assert_eq!(bounds(&[trust(), strict.clone()], "railway down"), (Decision::Deny, Decision::Deny));
    assert_eq!(bounds(&[trust(), strict, unread], "railway down"), (Decision::Allow, Decision::Deny));
}

#[test]
fn an_admin_policy_that_the_user_may_write_binds_nobody() {
    let text = "[[rule]]\ntoolName = \"run_shell_command\"\ndecision = \"deny\"\npriority = 999\n";
    let mut admin = file(Level::Managed, "/etc/gemini-cli/policies/x.toml", text);
    assert!(policy(&[trust(), admin.clone()]).decide(&Call::shell("x")).overridable_by.is_empty());
    admin.writable = true;
    let met = policy(&[trust(), admin]).decide(&Call::shell("x"));
    assert_eq!((met.worst.decision, met.best.decision), (Decision::Ask, Decision::Deny));
    assert!(!met.overridable_by.is_empty());
}

#[test]
fn settings_of_the_system_that_others_may_write_may_be_passed_over() {
    let text = r#"{"tools":{"exclude":["run_shell_command"]}}"#;
    let mut system = file(Level::Managed, "/etc/gemini-cli/settings.json", text);
    assert_eq!(bounds(&[trust(), system.clone()], "railway down"), (Decision::Deny, Decision::Deny));
    system.writable = true;
    assert_eq!(bounds(&[trust(), system.clone()], "railway down"), (Decision::Ask, Decision::Deny));
    // What it keeps from the user's own settings may count after all.
    let open = user(r#"{"tools":{"allowed":["run_shell_command"]}}"#);
    system.text = Fact::Known(r#"{"tools":{"allowed":[]}}"#.to_owned());
    assert_eq!(bounds(&[trust(), system, open], "railway down"), (Decision::Allow, Decision::Ask));
}

#[test]
fn a_flag_is_stronger_than_any_file() {
    let started = |text: &str| file(Level::User, "--started-as", text);
    let system = file(Level::Managed, "/etc/gemini-cli/settings.json", r#"{"general":{"defaultApprovalMode":"plan"}}"#);
    let yolo = r#"{"general":{"defaultApprovalMode":"yolo"}}"#;
    let files = [trust(), system.clone(), started(yolo)];
    assert_eq!(bounds(&files, "railway down"), (Decision::Allow, Decision::Allow));
    let locked = file(Level::Managed, "/etc/gemini-cli/settings.json", r#"{"security":{"disableYoloMode":true}}"#);
    assert_eq!(bounds(&[trust(), locked, started(yolo)], "railway down"), (Decision::Ask, Decision::Ask));
    let headless = started(r#"{"headless": true}"#);
    assert_eq!(bounds(&[trust(), headless.clone()], "railway down"), (Decision::Deny, Decision::Deny));
    let own = "[[rule]]\ntoolName = \"run_shell_command\"\ndecision = \"allow\"\npriority = 1\ninteractive = false\n";
    assert_eq!(bounds(&[trust(), headless, rules(own)], "railway down"), (Decision::Allow, Decision::Allow));
    // Nobody says with whom it is started: it may be without.
    assert_eq!(bounds(&[trust(), rules(own)], "railway down"), (Decision::Allow, Decision::Ask));
}

#[test]
fn untrusted_folders_are_no_stricter_than_they_are() {
    let told = |trusted: &str| file(Level::State, "--trusted", trusted);
    let project = file(Level::Project, ".gemini/settings.json", r#"{"tools":{"exclude":["run_shell_command"]}}"#);
    assert_eq!(bounds(&[told("true"), project.clone()], "x"), (Decision::Deny, Decision::Deny));
    assert_eq!(bounds(&[told("false"), project.clone()], "x"), (Decision::Ask, Decision::Ask));
    assert_eq!(bounds(&[project], "x"), (Decision::Ask, Decision::Deny));
    let auto = user(r#"{"general":{"defaultApprovalMode":"auto_edit"}}"#);
    let edit = Call::Edit { path: "/repo/x".to_owned() };
    assert_eq!(policy(&[told("false"), auto]).decide(&edit).known(), Some(Decision::Ask));
}

#[test]
fn extensions_are_told_of_and_may_only_refuse() {
    let manifest = file(Level::State, "~/.gemini/extensions/x/gemini-extension.json", r#"{"name":"x"}"#);
    let text = "[[rule]]\ntoolName = \"run_shell_command\"\ndecision = \"allow\"\npriority = 1\n";
    let more = file(Level::State, "~/.gemini/extensions/x/policies/x.toml", text);
    assert_eq!(bounds(&[trust(), manifest.clone(), more], "x"), (Decision::Ask, Decision::Ask));
    let more = file(Level::State, "~/.gemini/extensions/x/policies/x.toml", &text.replace("allow", "deny"));
    assert_eq!(bounds(&[trust(), manifest.clone(), more], "x"), (Decision::Ask, Decision::Deny));
    assert!(policy(&[trust(), manifest]).brings().is_some());
}

#[test]
fn names_of_servers_are_taken_as_they_are_sent() {
    let trusts = |name: &str| user(&serde_json::json!({"mcpServers": {name: {"trust": true}}}).to_string());
    let met = |name: &str| {
        policy(&[trust(), trusts(name)]).decide(&Call::Mcp { server: name.to_owned(), tool: "t".to_owned() })
    };
    assert_eq!(met("my_server").known(), Some(Decision::Allow));
    // What does not belong into a name is another letter in the tool's name, so the rule matches none. Its tools need no
    // yes all the same.
    let odd = met("my server");
    assert_eq!((odd.worst.decision, odd.best.decision), (Decision::Allow, Decision::Ask));
}

#[test]
fn what_does_nothing_is_told() {
    let files = [
        trust(),
        user(r#"{"tools":{"exclude":["run_shell_command(rm)"]},"mcp":{"allowed":["pg"]}}"#),
        file(Level::Project, ".gemini/policies/x.toml", "[[rule]]"),
        rules(
            "[[rule]]\ntoolName = \"run_shell_command\"\ncommandRegex = \"^rm\"\ndecision = \"deny\"\npriority = 1\n",
        ),
    ];
    let policy = policy(&files);
    let notes: Vec<String> = policy.notes().iter().map(|note| format!("{}: {}", note.place, note.text)).collect();
    assert_eq!(notes.len(), 4, "{notes:?}");
}

#[test]
fn no_part_of_a_secret_is_shown() {
    let text = r#"{"tools":{"allowed":["run_shell_command(psql postgres://u:hunter2@h/db)","run_shell_command(login Xhunter2)"]},
        "mcpServers":{"a":{"command":"x","env":{"K":"hunter2"},"trust":true}}}"#;
    let more = "[[rule]]\ntoolName = \"run_shell_command\"\ncommandPrefix = \"PGPASSWORD=hunter2 psql\"\ndecision = \"allow\"\npriority = 1\n";
    let policy = policy(&[trust(), user(text), rules(more)]);
    let (ways, sources) = policy.ways(&SessionId::from("gemini-cli"), &[], Time::from_unix(1_795_500_000));
    let all = format!("{ways:?}{sources:?}{:?}", policy.notes());
    assert!(!all.contains("hunter2"), "{all}");
}

#[test]
fn lines_that_were_made_to_keep_us_busy_are_passed_quickly() {
    let (open, close) = ("echo $(".repeat(15), ")".repeat(15));
    let line = format!("{open}{}{close}", "a;".repeat(120));
    for line in [line.clone(), format!("sh -c '{line}'"), "sh -c ".repeat(500), "$(".repeat(3_000), "`a".repeat(3_000)]
    {
        let files = [user(r#"{"tools":{"allowed":["run_shell_command"]}}"#), rules("")];
        let (worst, best) = bounds(&files, &line);
        assert!(best <= worst && worst > Decision::Deny);
    }
}

fn line() -> impl Strategy<Value = String> {
    let words = [
        "railway", "down", "&&", ";", "|", "'", "\"", "$(", ")", "`", ">", "x", "sudo", "A=1", "rm", "-rf", "/", "#",
        "\\", "bash -c", "<<EOF", "for", "do", "done", "{", "}", "é", "\n", "(",
    ];
    prop::collection::vec(prop::sample::select(words.to_vec()), 0..10).prop_map(|words| words.join(" "))
}

fn rule(decision: &'static str) -> impl Strategy<Value = String> {
    let what = [
        "",
        "commandPrefix = \"railway\"\n",
        "commandPrefix = [\"rm -rf\", \"A=1\"]\n",
        "commandRegex = \"r.*down\"\n",
        "argsPattern = \"x\"\n",
        "modes = [\"yolo\"]\n",
        "interactive = false\n",
    ];
    (prop::sample::select(what.to_vec()), 0..1000_u32).prop_map(move |(what, priority)| {
        format!("[[rule]]\ntoolName = \"run_shell_command\"\ndecision = \"{decision}\"\npriority = {priority}\n{what}")
    })
}

fn mode() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec!["default", "auto_edit", "plan", "yolo", "new"])
}

fn started(mode: &str) -> FileText {
    let text = serde_json::json!({"general": {"defaultApprovalMode": mode}}).to_string();
    file(Level::User, "--started-as", &text)
}

proptest! {
    #[test]
    fn gate_never_panics(text in ".{0,200}", line in ".{0,200}", path in ".{0,60}") {
        let listed = serde_json::json!({"tools": {"allowed": [text.clone(), format!("run_shell_command({text})")]},
            "mcp": {"allowed": [text.clone()]}, "mcpServers": {text.clone(): {"trust": true}}});
        let regex = serde_json::Value::from(text.clone());
        let rule = format!("[[rule]]\ntoolName = \"run_shell_command\"\ncommandRegex = {regex}\ndecision = \"deny\"\npriority = 1\n");
        let policies = [
            policy(&[user(&text), trust()]),
            policy(&[user(&listed.to_string()), trust()]),
            policy(&[rules(&text)]),
            policy(&[rules(&rule), file(Level::Project, ".geminiignore", &text)]),
        ];
        for policy in policies {
            let _ = policy.decide(&Call::shell(&line));
            let _ = policy.decide(&Call::Read { path: path.clone() });
            let _ = policy.decide(&Call::Mcp { server: line.clone(), tool: path.clone() });
            let _ = policy.refusals(&SessionId::from("s"), &[], &path);
        }
    }

    #[test]
    fn gate_is_never_freer_with_one_more_refusal(
        mode in mode(), line in line(), more in rule("deny"),
        allow in prop::collection::vec(rule("allow"), 0..3), deny in prop::collection::vec(rule("deny"), 0..2),
    ) {
        let text = [allow, deny].concat().join("\n");
        let files = |text: &str| [trust(), started(mode), rules(text)];
        let before = policy(&files(&text)).decide(&Call::shell(&line));
        let after = policy(&files(&format!("{text}\n{more}"))).decide(&Call::shell(&line));
        prop_assert!(after.worst.decision <= before.worst.decision);
        prop_assert!(after.best.decision <= before.best.decision);
        prop_assert!(after.best.decision <= after.worst.decision);
    }

    #[test]
    fn broken_files_never_refuse(line in line(), deny in prop::collection::vec(rule("deny"), 1..4)) {
        let text = deny.join("\n");
        let broken = format!("{text}\n[[rule");
        prop_assert!(policy(&[trust(), rules(&broken)]).decide(&Call::shell(&line)).known() != Some(Decision::Deny));
        let settings = user("{\"tools\":{\"exclude\":[\"run_shell_command\"]}");
        prop_assert!(policy(&[trust(), settings]).decide(&Call::shell(&line)).known() != Some(Decision::Deny));
    }

    #[test]
    fn a_project_never_makes_the_gate_surely_stricter(line in line(), mode in mode()) {
        let open = user(r#"{"tools":{"allowed":["run_shell_command"]}}"#);
        let text = serde_json::json!({"general": {"defaultApprovalMode": mode}, "tools": {"exclude": ["run_shell_command"],
            "allowed": [], "confirmationRequired": ["run_shell_command"]}}).to_string();
        let strict = file(Level::Project, ".gemini/settings.json", &text);
        let before = policy(std::slice::from_ref(&open)).decide(&Call::shell(&line));
        let after = policy(&[open, strict]).decide(&Call::shell(&line));
        prop_assert!(after.worst.decision >= before.worst.decision);
    }
}
