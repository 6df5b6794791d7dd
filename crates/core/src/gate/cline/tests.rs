use proptest::prelude::*;

use super::*;
use crate::fact::{Fact, Gap};
use crate::gate::Call;
use crate::id::SessionId;
use crate::model::Decision;

fn file(path: &str, text: &str) -> FileText {
    FileText { level: Level::User, path: path.to_owned(), text: Fact::Known(text.to_owned()), writable: true }
}

fn ground() -> Ground {
    Ground { home: Some("/home/u".to_owned()), root: "/repo".to_owned() }
}

fn bounds(gate: &dyn AgentGate, files: &[FileText]) -> (Decision, Decision) {
    let met = gate.parse(files, &ground()).decide(&Call::shell("railway down"));
    (met.worst.decision, met.best.decision)
}

#[test]
fn what_was_not_read_leaves_everything_open() {
    let gap = Gap { source: "s".into(), reason: GapReason::Denied };
    let unread = |path: &str| FileText { text: Fact::Unknown(gap.clone()), ..file(path, "") };
    assert_eq!(bounds(&Cline, &[unread("~/.cline/data/globalState.json")]), (Decision::Allow, Decision::Deny));
    let settings = unread("~/.cline/data/settings/global-settings.json");
    assert_eq!(bounds(&ClineCli, &[settings]), (Decision::Allow, Decision::Deny));
    assert_eq!(bounds(&Cline, &[]), (Decision::Allow, Decision::Ask));
}

#[test]
fn what_the_database_held_may_not_have_been_brought_over() {
    let state = |text: &str| file("~/.cline/data/globalState.json", text);
    for (text, why) in [("{}", "database"), (r#"{"__vscodeMigrationVersion": 3}"#, "task")] {
        assert_eq!(bounds(&Cline, &[state(text)]), (Decision::Allow, Decision::Ask));
        let met = Cline.parse(&[state(text)], &ground()).decide(&Call::shell("railway down"));
        assert!(met.worst.because.contains(why), "{}", met.worst.because);
    }
}

proptest! {
    #[test]
    fn gate_never_panics(text in ".{0,200}", line in ".{0,200}", path in ".{0,60}") {
        for gate in [&Cline as &dyn AgentGate, &ClineCli] {
            for own in gate.files() {
                let policy = gate.parse(&[FileText { level: own.level, ..file(own.path, &text) }], &ground());
                let _ = policy.decide(&Call::shell(&line));
                let _ = policy.decide(&Call::Read { path: path.clone() });
                let _ = policy.decide(&Call::Edit { path: path.clone() });
                let _ = policy.decide(&Call::Fetch { domain: path.clone() });
                let _ = policy.decide(&Call::Mcp { server: line.clone(), tool: path.clone() });
                let _ = policy.refusals(&SessionId::from("s"), &[], &path);
            }
        }
    }
}
