//! What calls amount to: cases from the documentation of each client, the built-in corpus, and properties.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::collections::BTreeSet;

use deadstop_core::corpus::{self, Issued};
use deadstop_core::meaning::{self, Around, Meaning};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Group {
    source: String,
    cases: Vec<(String, Vec<String>)>,
}

fn groups() -> Vec<Group> {
    serde_yaml::from_str(include_str!("../../../tests/whatif/cases.yaml")).unwrap()
}

fn of(command: &str) -> Meaning {
    meaning::of_command(command, &Around::default())
}

/// The operations that are sure, with `?` in front where something besides is not known.
fn told(meaning: &Meaning) -> Vec<String> {
    let sure: BTreeSet<String> = meaning.amounts.iter().filter(|a| a.sure).map(|a| a.action.clone()).collect();
    let unknown = if meaning.doubts.is_empty() { Vec::new() } else { vec!["?".to_owned()] };
    unknown.into_iter().chain(sure).collect()
}

#[test]
fn commands_amount_to_what_their_documentation_says() {
    let groups = groups();
    assert!(groups.iter().map(|group| group.cases.len()).sum::<usize>() >= 150);
    let mut wrong = Vec::new();
    for group in &groups {
        assert!(group.source.starts_with("https://"));
        for (command, expected) in &group.cases {
            let met = told(&of(command));
            if met != *expected {
                wrong.push(format!("{command}\n    is {met:?} and should be {expected:?}: {:?}", of(command).doubts));
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}

/// Calls of the corpus whose operation stands in something that the call does not hold. What they may amount to is said,
/// or that nothing is known.
const ELSEWHERE: [(&str, &str); 10] = [
    ("railway-graphql-curl-old-host", "the mutation is in a file"),
    ("kubernetes-files", "the kinds are in files"),
    ("kubernetes-xargs", "the kind is what another command prints"),
    ("kubernetes-kustomize", "the kinds are what another command prints"),
    ("terraform-plan-apply", "what is applied is in a file"),
    ("terraform-run-curl", "what is asked for is in a file"),
    ("postgres-password-variable", "the SQL is in a file"),
    ("postgres-redirect", "the SQL is in a file"),
    ("mysql-password-variable", "the SQL is in a file"),
    ("mongodb-script", "the code is in a file"),
];

fn meaning_of(call: &corpus::DestructiveCall) -> Meaning {
    let around = Around::default();
    match &call.issued {
        Issued::Run(command) => meaning::of_command(command, &around),
        Issued::Tool { server, tool } if tool == "resources_delete" => {
            let with = call.with.as_deref().and_then(|with| with.split_once(' '));
            let with = with.map(|(kind, name)| serde_json::json!({ "kind": kind, "name": name }));
            meaning::of_tool(server, tool, with.as_ref(), &around)
        }
        Issued::Tool { server, tool } => {
            let with = call.with.as_ref().map(|with| serde_json::json!({ "text": with }));
            meaning::of_tool(server, tool, with.as_ref(), &around)
        }
        Issued::Write(path) => meaning::of_write(path),
        Issued::Fetch(host) => meaning::of_fetch(&format!("https://{host}{}", call.with.as_deref().unwrap_or(""))),
    }
}

#[test]
fn every_call_of_the_corpus_amounts_to_its_own_operation() {
    let mut wrong = Vec::new();
    for call in corpus::calls() {
        let meaning = meaning_of(call);
        let Some(operation) = &call.operation else {
            if meaning.harmless() {
                wrong.push(format!("{}: {} is taken for harmless", call.id, call.text()));
            }
            continue;
        };
        let own = |sure: bool| {
            meaning.amounts.iter().any(|a| a.sure == sure && a.action == *operation && a.provider == call.provider)
        };
        // What is in a file or a variable may be the operation, and that is said.
        let excused = ELSEWHERE.iter().any(|(id, _)| *id == call.id);
        if own(true) == excused || (excused && (!own(false) || meaning.doubts.is_empty())) {
            let sure = told(&meaning);
            wrong.push(format!("{}: {} is {sure:?} (may: {}): {:?}", call.id, call.text(), own(false), meaning.doubts));
        }
    }
    for (id, _) in ELSEWHERE {
        assert!(corpus::calls().iter().any(|call| call.id == id), "{id}");
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// Ways to write the same call.
fn disguised(command: &str, how: u8) -> String {
    match how {
        0 => format!("sh -c {}", quoted(command)),
        1 => format!("bash -lc {}", quoted(command)),
        2 => format!("( {command}\n)"),
        3 => format!("true && {{ {command}\n}}"),
        4 => format!("eval {}", quoted(command)),
        5 => format!("timeout 5 sh -c {}", quoted(command)),
        6 => format!("sudo -u app env X=1 bash -c {}", quoted(command)),
        7 => format!("if true; then\n{command}\nfi"),
        8 => format!("ls;   {command}"),
        9 => format!("echo \"$( {command}\n)\""),
        10 => format!("nohup sh -c {} >/dev/null 2>&1 &", quoted(command)),
        _ => format!("ssh host {}", quoted(command)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// What stands around a command changes nothing of what it amounts to, and never makes it harmless.
    #[test]
    fn wrapping_loses_nothing(at in 0_usize..1_000, wraps in proptest::collection::vec(0_u8..12, 1..4)) {
        let calls: Vec<&str> = corpus::calls().iter().filter_map(|call| match &call.issued {
            Issued::Run(command) if !command.ends_with('&') => Some(command.as_str()),
            Issued::Run(_) | Issued::Tool { .. } | Issued::Write(_) | Issued::Fetch(_) => None,
        }).collect();
        let command = calls[at % calls.len()];
        let plain = of(command);
        let mut text = command.to_owned();
        for how in wraps {
            text = disguised(&text, how);
        }
        let wrapped = of(&text);
        let lost: Vec<_> = plain.amounts.difference(&wrapped.amounts).collect();
        prop_assert!(lost.is_empty(), "{text}\nloses {lost:?}");
        prop_assert!(plain.harmless() || !wrapped.harmless(), "{text}");
        prop_assert!(plain.doubts.is_empty() || !wrapped.doubts.is_empty(), "{text}");
    }

    /// No text is too much: it is read or said to be too long.
    #[test]
    fn any_text_is_read(text in "[ -~\n]{0,200}") {
        of(&text);
    }
}
