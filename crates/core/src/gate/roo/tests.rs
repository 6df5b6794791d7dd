use proptest::prelude::*;

use super::*;
use crate::fact::Gap;
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
    let unread = FileText { text: Fact::Unknown(gap), ..file(".vscode/settings.json", "") };
    assert_eq!(bounds(&Roo, std::slice::from_ref(&unread)), (Decision::Allow, Decision::Deny));
    assert_eq!(bounds(&RooCli, &[unread]), (Decision::Allow, Decision::Deny));
    let nested = file(".vscode/settings.json", r#"{"roo-cline": {"deniedCommands": ["railway"]}}"#);
    assert_eq!(bounds(&Roo, &[nested]), (Decision::Allow, Decision::Deny));
}

#[test]
fn a_list_alone_settles_nothing() {
    // The switches lie where nothing is read.
    let denied = file(".vscode/settings.json", r#"{"roo-cline.deniedCommands": ["railway"]}"#);
    assert_eq!(bounds(&Roo, &[denied]), (Decision::Allow, Decision::Deny));
}

proptest! {
    #[test]
    fn gate_never_panics(text in ".{0,200}", line in ".{0,200}", path in ".{0,60}") {
        for gate in [&Roo as &dyn AgentGate, &RooCli] {
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
