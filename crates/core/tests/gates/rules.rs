//! What is told of the rules of a gate: which do not hold, with the call that shows it.

use super::{call, file, policies};
use deadstop_core::corpus;
use deadstop_core::fact::{Fact, Gap, GapReason};
use deadstop_core::gate::{Call, FileText, GATES, Ground, gate, reliable, tally};
use deadstop_core::model::{Decision, RuleKind};
use std::collections::BTreeMap;

/// The rules of a gate with these files, by kind and text: whether they are weak, and the call that shows it.
fn told(id: &str, files: &[(&str, &str)]) -> BTreeMap<(RuleKind, String), (Option<bool>, Option<String>)> {
    let gate = gate(id).unwrap();
    let files: Vec<FileText> = files.iter().map(|(name, text)| file(gate, name, text)).collect();
    let ground = Ground { home: Some("/home/u".to_owned()), root: "/repo".to_owned() };
    let policy = reliable(gate, gate.parse(&files, &ground));
    let rules = tally(&[policy.as_ref()]).unwrap().rules.unwrap();
    rules.into_iter().map(|rule| ((rule.kind, rule.rule), (rule.weak, rule.call))).collect()
}

#[test]
fn rules_that_do_not_hold_are_told_with_a_call_that_shows_it() {
    let settings = r#"{"permissions": {"defaultMode": "default",
        "allow": ["Bash(aws:*)", "Bash(ls:*)", "mcp__railway"],
        "deny": ["Bash(terraform destroy:*)", "Bash(kubectl *)"],
        "ask": ["Bash(aws rds delete-db-instance:*)", "Bash(railway volume delete:*)"]}}"#;
    let told = told("claude-code", &[("user", settings)]);
    let of = |kind, text: &str| told.get(&(kind, text.to_owned())).unwrap_or_else(|| panic!("{text}: {told:?}"));
    // code.claude.com/docs/en/permissions: an allowed beginning lets all that begins so run, and an allowed server all its tools.
    assert_eq!(of(RuleKind::Allow, "Bash(aws:*)").0, Some(true));
    assert_eq!(of(RuleKind::Allow, "mcp__railway").0, Some(true));
    assert!(!told.contains_key(&(RuleKind::Allow, "Bash(ls:*)".to_owned())), "it lets nothing run that destroys");
    // The same: rules are held against how a command begins, so an option before the subcommand goes around it.
    let (weak, call) = of(RuleKind::Refuse, "Bash(terraform destroy:*)");
    assert_eq!(*weak, Some(true));
    assert!(call.as_ref().unwrap().starts_with("terraform -chdir=infra destroy"), "{call:?}");
    let (weak, call) = of(RuleKind::Refuse, "Bash(aws rds delete-db-instance:*)");
    assert_eq!(*weak, Some(true));
    assert!(call.as_ref().unwrap().starts_with("aws --profile prod rds delete-db-instance"), "{call:?}");
    // Nothing is freer than to be asked here, and no form of it runs.
    assert_ne!(of(RuleKind::Refuse, "Bash(railway volume delete:*)").0, Some(true));
}

#[test]
fn a_rule_that_refuses_a_whole_tool_is_not_gone_around() {
    let settings = r#"{"permissions": {"defaultMode": "default", "deny": ["Bash"]}}"#;
    let told = told("claude-code", &[("user", settings)]);
    assert_eq!(told.get(&(RuleKind::Refuse, "Bash".to_owned())).unwrap().0, Some(false));
    assert!(told.values().all(|(weak, _)| *weak != Some(true)));
}

#[test]
fn hooks_that_fail_open_are_told() {
    // code.claude.com/docs/en/hooks: only exit 2 blocks; docs.windsurf.com/windsurf/cascade/hooks: any other code lets it go on.
    let hook = r#"{"hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "x"}]}]}}"#;
    let of = |id, files: &[(&str, &str)]| told(id, files).get(&(RuleKind::Hook, "hook".to_owned())).map(|told| told.0);
    assert_eq!(of("claude-code", &[("user", hook)]), Some(Some(true)));
    let own = r#"{"version": 1, "hooks": {"beforeShellExecution": [{"command": "x"}]}}"#;
    let closed = own.replace("\"x\"", "\"x\", \"failClosed\": true");
    assert_eq!(of("cursor", &[("hooks", own), ("permissions", "{}")]), Some(Some(true)));
    assert_eq!(of("cursor", &[("hooks", &closed), ("permissions", "{}")]), Some(Some(false)));
    assert_eq!(of("claude-code", &[("user", "{}")]), None);
}

#[test]
fn what_was_not_read_leaves_its_rules_unknown() {
    let gate = gate("claude-code").unwrap();
    let unread = FileText {
        text: Fact::Unknown(Gap { source: "s".into(), reason: GapReason::Denied }),
        ..file(gate, "user", "")
    };
    let policy = gate.parse(&[unread], &Ground { home: Some("/home/u".to_owned()), root: "/repo".to_owned() });
    assert_eq!(tally(&[policy.as_ref()]).unwrap().rules, None);
}

/// Whatever is told as a call that goes around a rule is decided freer than the rule, by the same gate; and of rules of a gate that
/// is not relied on no such thing is said.
#[test]
fn what_goes_around_a_rule_is_freer() {
    let (mut weak, mut count) = (0, 0);
    for gate in GATES {
        for (name, policy) in policies(gate).into_iter().step_by(5) {
            let policy = reliable(gate, policy);
            let Some(rules) = tally(&[policy.as_ref()]).unwrap().rules else { continue };
            for rule in rules.iter().filter(|rule| rule.weak == Some(true)) {
                let Some(line) = &rule.call else { continue };
                let known = corpus::calls().iter().find(|one| one.text() == *line).map(call);
                let met = policy.decide(&known.unwrap_or_else(|| Call::shell(line)));
                count += 1;
                if rule.kind == RuleKind::Refuse {
                    weak += 1;
                    assert!(gate.is_settled(), "{}: {name}: {rule:?}", gate.id());
                    assert!(met.best.decision > Decision::Deny, "{}: {name}: {rule:?}", gate.id());
                } else {
                    assert_eq!(met.known(), Some(Decision::Allow), "{}: {name}: {rule:?}", gate.id());
                }
            }
        }
    }
    assert!(weak >= 3 && count >= 20, "{weak} of {count}");
}
