//! What is found in agent programs, held to what their frameworks document.
//!
//! `tests/programs/<framework>/cases.yaml` is a list of cases. A case gives the files of a program and all of its tools in order
//! of place: the name that a model sees, where it is declared (`at`), what stands before it (`gate`: `none`, `void`, `unknown`,
//! `asks`, and where: `gate_at`), and the operations that it `reaches`, or `anything`. `open` says whether something of the
//! program is not plain. The `source` of a case is what documents it.

#![expect(clippy::disallowed_methods, reason = "the harness hands the files of tests/programs to the core")]

use std::collections::BTreeMap;
use std::path::Path;

use deadstop_core::program::{self, Program, Source, Tool};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cases {
    framework: String,
    cases: Vec<Case>,
}

/// Programs of which no tool may be said to ask.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hostile {
    framework: String,
    cases: Vec<Files>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Files {
    name: String,
    files: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    source: String,
    files: BTreeMap<String, String>,
    tools: Vec<Expected>,
    open: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    tool: String,
    at: String,
    gate: String,
    gate_at: Option<String>,
    reaches: Vec<String>,
}

/// The name of a module, as the program's files import it.
fn dotted(path: &str) -> String {
    let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem);
    stem.replace('/', ".").trim_end_matches(".__init__").trim_end_matches(".index").to_owned()
}

fn read(files: &BTreeMap<String, String>) -> Program {
    let source =
        |(path, text): (&String, &String)| Source { path: path.clone(), dotted: dotted(path), text: text.clone() };
    let all: Vec<Source> = files.iter().map(source).collect();
    let entries: Vec<Source> = all.iter().filter(|source| program::concerns(source.text.as_bytes())).cloned().collect();
    let load = |name: &str| all.iter().find(|source| source.dotted == name).cloned();
    program::read(&entries, &load).unwrap_or_default()
}

fn line(name: &str, at: &str, gate: &str, gate_at: Option<&str>, mut reaches: Vec<String>) -> String {
    reaches.sort();
    let by = gate_at.map(|at| format!(" at {at}")).unwrap_or_default();
    format!("{at} {name}: {gate}{by}, reaches {}", reaches.join(" "))
}

fn found(tool: &Tool, with_place: bool) -> String {
    let reaches = match &tool.reaches.anything {
        Some(_) => vec!["anything".to_owned()],
        None => tool.reaches.operations.iter().cloned().collect(),
    };
    let gate_at = tool.gate_at.as_ref().filter(|_| with_place).map(|(path, line)| format!("{path}:{line}"));
    line(&tool.name, &format!("{}:{}", tool.path, tool.line), tool.gate.word(), gate_at.as_deref(), reaches)
}

fn compare(case: &Case) -> Vec<String> {
    let program = read(&case.files);
    let mut wrong = Vec::new();
    let mut left: Vec<&Tool> = program.tools.iter().collect();
    for expected in &case.tools {
        let wanted =
            line(&expected.tool, &expected.at, &expected.gate, expected.gate_at.as_deref(), expected.reaches.clone());
        match left.iter().position(|tool| found(tool, expected.gate_at.is_some()) == wanted) {
            Some(place) => drop(left.remove(place)),
            None => wrong.push(format!("not found: {wanted}")),
        }
    }
    wrong.extend(left.into_iter().map(|tool| format!("not expected: {}", found(tool, true))));
    let doubts = program.tools.iter().flat_map(|tool| &tool.reaches.doubts).map(|(_, _, why)| why.clone());
    let whys: Vec<String> = program.open.iter().map(|open| open.why.clone()).chain(doubts).collect();
    if whys.is_empty() == case.open {
        wrong.push(format!("open is to be {}: {}", case.open, whys.join("; ")));
    }
    wrong
}

#[test]
fn programs_are_read_as_their_frameworks_document() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/programs");
    let (mut wrong, mut count) = (Vec::new(), 0);
    for folder in std::fs::read_dir(root).unwrap().map(|entry| entry.unwrap().path()) {
        if folder.ends_with("hostile") {
            continue;
        }
        let cases: Cases = serde_yaml::from_str(&std::fs::read_to_string(folder.join("cases.yaml")).unwrap()).unwrap();
        assert!(folder.ends_with(&cases.framework));
        for case in &cases.cases {
            count += 1;
            let here = compare(case).into_iter();
            wrong.extend(here.map(|what| format!("{}: {} ({}): {what}", cases.framework, case.name, case.source)));
        }
    }
    assert!(count > 150, "{count} cases");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_program_that_need_not_ask_is_said_to() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/programs/hostile/cases.yaml");
    let hostile: Hostile = serde_yaml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!(hostile.framework, "hostile");
    for case in &hostile.cases {
        let program = read(&case.files);
        assert!(!program.tools.is_empty(), "{}", case.name);
        for tool in &program.tools {
            assert_ne!(tool.gate, program::Gate::Asks, "{}: {}", case.name, found(tool, true));
        }
    }
}
