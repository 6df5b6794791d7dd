//! Our decisions beside those of the agents' own matchers, which the scripts of `tests/agreement` have asked.
//!
//! Each answer of theirs has to lie between our worst and our best. Where ours is known and safer than theirs a call is
//! called stopped that is not: that is never right.

#![expect(clippy::disallowed_methods, reason = "the harness reads what the scripts wrote")]
#![expect(clippy::unwrap_used, reason = "a test ends where what it reads is not there")]
#![expect(clippy::print_stdout, reason = "the counts are what the run is for")]

use deadstop_core::fact::Fact;
use deadstop_core::gate::{Call, FileText, Ground, Level, gate};
use deadstop_core::model::Decision;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::path::Path;

#[derive(Deserialize)]
struct Set {
    gate: String,
    files: BTreeMap<String, String>,
    asked: Vec<(String, String)>,
}

fn decision(word: &str) -> Decision {
    match word {
        "deny" => Decision::Deny,
        "ask" => Decision::Ask,
        "allow" => Decision::Allow,
        other => unreachable!("no decision is called {other}"),
    }
}

fn held(name: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/agreement").join(format!("{name}.jsonl"));
    let text = std::fs::read_to_string(&path).unwrap();
    let (mut same, mut open, mut laxer, mut safer, mut all) = (0, 0, Vec::new(), Vec::new(), 0);
    for line in text.lines() {
        let set: Set = serde_json::from_str(line).unwrap();
        let gate = gate(&set.gate).unwrap();
        let file = |(name, text): (&String, &String)| {
            let known = gate.files().iter().find(|file| file.name == *name);
            let (level, path) = known.map_or((Level::User, name.as_str()), |file| (file.level, file.path));
            let writable = level != Level::Managed;
            FileText { level, path: path.to_owned(), text: Fact::Known(text.clone()), writable }
        };
        let files: Vec<FileText> = set.files.iter().map(file).collect();
        let policy = gate.parse(&files, &Ground { home: Some("/home/u".to_owned()), root: "/repo".to_owned() });
        for (command, theirs) in &set.asked {
            let (met, theirs) = (policy.decide(&Call::shell(command)), decision(theirs));
            let told = || {
                format!(
                    "{command:?}: {theirs:?}, ours {:?}..{:?} ({})\n{:?}",
                    met.worst.decision,
                    met.best.decision,
                    met.because(),
                    set.files
                )
            };
            all += 1;
            if met.worst.decision < theirs {
                safer.push(told());
            } else if met.best.decision > theirs {
                laxer.push(told());
            } else if met.known().is_some() {
                same += 1;
            } else {
                open += 1;
            }
        }
    }
    println!(
        "{name}: {all} pairs, {same} the same, {open} open on our side with theirs between, {} safer, {} laxer",
        safer.len(),
        laxer.len()
    );
    for one in laxer.iter().take(12) {
        println!("laxer: {one}");
    }
    assert!(safer.is_empty(), "safer:\n{}", safer.iter().take(12).cloned().collect::<Vec<_>>().join("\n"));
}

#[test]
#[ignore = "it needs the answers that tests/agreement/gemini.mjs writes"]
fn gemini() {
    held("gemini-cli");
}

#[test]
#[ignore = "it needs the answers that tests/agreement/opencode.mjs writes"]
fn opencode() {
    held("opencode");
}

#[test]
#[ignore = "it needs the answers that tests/agreement/vscode.mjs writes"]
fn vscode() {
    held("vscode");
}

#[test]
#[ignore = "it needs the answers that tests/agreement/qwen.mjs writes"]
fn qwen() {
    held("qwen-code");
}
