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
    Aider.parse(files, &Ground { home: Some("/home/u".to_owned()), root: "/repo".to_owned() })
}

fn project(text: &str) -> FileText {
    file(Level::Project, ".aider.conf.yml", text)
}

fn bounds(files: &[FileText], command: &str) -> (Decision, Decision) {
    let met = policy(files).decide(&Call::shell(command));
    (met.worst.decision, met.best.decision)
}

#[test]
fn what_was_not_read_leaves_everything_open() {
    let gap = Gap { source: "s".into(), reason: GapReason::Denied };
    let unread = FileText { text: Fact::Unknown(gap), ..project("") };
    assert_eq!(bounds(&[unread], "railway down"), (Decision::Allow, Decision::Deny));
    for text in ["yes: true", "yes-always: maybe", "yes-always: true\nyes-always: true", "[", "test-cmd: [a]", "- a"] {
        assert_eq!(bounds(&[project(text)], "railway down"), (Decision::Allow, Decision::Deny), "{text}");
    }
}

#[test]
fn what_runs_after_each_change_may_be_written_first() {
    let policy = policy(&[project("test-cmd: pytest -q\nauto-test: true\n")]);
    let (ways, _) = policy.ways(&SessionId::from("aider"), &[], Time::from_unix(1_795_500_000));
    let shell = ways.iter().find(|way| way.id.as_str() == "aider/bash").unwrap();
    assert!(shell.overrides.iter().any(|step| step.because.contains("edit what is run by `pytest -q`")), "{shell:?}");
}

#[test]
fn no_part_of_a_secret_is_shown() {
    let policy = policy(&[project(
        "test-cmd: 'TOKEN=hunter2 pytest'\nauto-test: true\nlint-cmd: ['x hunter2=']\nopenai-api-key: hunter2\n",
    )]);
    let (ways, sources) = policy.ways(&SessionId::from("aider"), &[], Time::from_unix(1_795_500_000));
    let met = policy.decide(&Call::shell("TOKEN=hunter2 pytest"));
    let all = format!("{ways:?}{sources:?}{:?}{}", policy.notes(), met.because());
    assert!(!all.contains("hunter2"), "{all}");
}

proptest! {
    #[test]
    fn gate_never_panics(text in ".{0,200}", line in ".{0,200}", path in ".{0,60}") {
        let policy = policy(&[project(&text), file(Level::Local, "--started-as", &text)]);
        let _ = policy.decide(&Call::shell(&line));
        let _ = policy.decide(&Call::Read { path: path.clone() });
        let _ = policy.decide(&Call::Edit { path: path.clone() });
        let _ = policy.decide(&Call::Fetch { domain: path.clone() });
        let _ = policy.decide(&Call::Mcp { server: line.clone(), tool: path.clone() });
        let _ = policy.refusals(&SessionId::from("s"), &[], &path);
    }

    #[test]
    fn broken_files_never_refuse(line in ".{0,60}", more in prop::sample::select(vec!["yes-always: true", "suggest-shell-commands: false"])) {
        let broken = format!("{more}\n  x");
        prop_assert!(policy(&[project(&broken)]).decide(&Call::shell(&line)).known() != Some(Decision::Deny));
    }
}
