//! The documents say what the program does.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use clap::CommandFactory as _;
use serde_json::Value;

use crate::program::{Place, sources};

const HEAD: &str = "\
# Commands

What `deadstop help` prints, written down by a test: `UPDATE_DOCS=1 cargo test --test integration documents`.
";

#[test]
fn docs_cli_is_what_help_prints() {
    let place = Place::new();
    let mut text = HEAD.to_owned();
    let program = deadstop::cli::Cli::command();
    let mut commands = vec![String::new()];
    for command in program.get_subcommands() {
        commands.push(command.get_name().to_owned());
        commands.extend(command.get_subcommands().map(|inner| format!("{} {}", command.get_name(), inner.get_name())));
    }
    for command in commands {
        let args: Vec<&str> = command.split_whitespace().chain(["--help"]).collect();
        let help = place.expect(0, &args).out;
        let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
        let name = format!("deadstop {command}");
        write!(text, "\n## {}\n\n```text\n{}\n```\n", name.trim_end(), lines.join("\n").trim_end()).unwrap();
    }
    let path = sources().join("docs/cli.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert!(fs::read_to_string(path).unwrap() == text, "docs/cli.md is not what help prints: run with UPDATE_DOCS=1");
}

#[test]
fn docs_checks_is_what_the_checks_say() {
    let text = deadstop::command::checks::document().unwrap();
    let path = sources().join("docs/checks.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert!(
        fs::read_to_string(path).unwrap() == text,
        "docs/checks.md is not what the checks say: run with UPDATE_DOCS=1"
    );
}

#[test]
fn docs_credentials_is_what_the_stores_say() {
    let text = deadstop::collector::credentials_document();
    let path = sources().join("docs/credentials.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::write(&path, &text).unwrap();
    }
    assert!(
        fs::read_to_string(path).unwrap() == text,
        "docs/credentials.md is not what the stores say: run with UPDATE_DOCS=1"
    );
}

#[test]
fn the_example_check_loads_and_holds() {
    let text = fs::read_to_string(sources().join("CONTRIBUTING.md")).unwrap();
    let start = text.find("```yaml\nid: ").unwrap() + 8;
    let check = text[start..].split("```").next().unwrap();
    let place = Place::new();
    place.write("recovery-point-has-own-place.yaml", check);
    let told = place.expect(0, &["checks", "test", "."]).out;
    assert!(told.contains("1 checks, 3 cases, 0 failed"), "{told}");
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut files = vec![];
    for folder in [".", "docs"] {
        files.extend(fs::read_dir(sources().join(folder)).unwrap().map(|entry| entry.unwrap().path()));
    }
    let mut seen = 0;
    for file in files.iter().filter(|file| file.extension().is_some_and(|ending| ending == "md")) {
        let text = fs::read_to_string(file).unwrap();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap();
            if !target.is_empty() && !link.contains("://") {
                assert!(file.parent().unwrap().join(target).exists(), "{}: {link}", file.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 5, "{seen} links");
}

/// The first block of YAML of a document.
fn example(document: &str) -> String {
    let text = fs::read_to_string(sources().join(document)).unwrap();
    let start = text.find("```yaml\n").unwrap() + 8;
    text[start..].split("```").next().unwrap().to_owned()
}

/// Every key that a schema allows, as `sessions[].name` and `environments.*.ids`, that of its parts included.
fn keys(schema: &Value, root: &Value, path: &str, found: &mut BTreeSet<String>) {
    if let Some(name) = schema["$ref"].as_str() {
        return keys(root.pointer(name.trim_start_matches('#')).unwrap(), root, path, found);
    }
    for one in ["anyOf", "allOf", "oneOf"].iter().filter_map(|key| schema[key].as_array()).flatten() {
        keys(one, root, path, found);
    }
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        keys(inner, root, &path, found);
        found.insert(path);
    }
    if schema["additionalProperties"].is_object() {
        keys(&schema["additionalProperties"], root, &format!("{path}.*"), found);
        found.insert(format!("{path}.*"));
    }
    if schema["items"].is_object() {
        keys(&schema["items"], root, &format!("{path}[]"), found);
    }
}

/// The keys that an example uses; what lies below `known` with a `.*` goes by any name.
fn used(value: &Value, path: &str, known: &BTreeSet<String>, found: &mut BTreeSet<String>) {
    found.insert(path.to_owned());
    for (name, inner) in value.as_object().into_iter().flatten() {
        let any = format!("{path}.*");
        let own = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        used(inner, if known.contains(&any) { &any } else { &own }, known, found);
    }
    for inner in value.as_array().into_iter().flatten() {
        used(inner, &format!("{path}[]"), known, found);
    }
}

#[test]
fn every_key_of_the_configuration_has_a_row_and_an_example_that_works() {
    let place = Place::new();
    let schema: Value = serde_json::from_str(&place.expect(0, &["schema", "config"]).out).unwrap();
    let mut known = BTreeSet::new();
    keys(&schema, &schema, "", &mut known);
    let text = fs::read_to_string(sources().join("docs/configuration.md")).unwrap();
    let mut shown = BTreeSet::new();
    place.write("logo.png", "");
    fs::write(place.path("logo.png"), b"\x89PNG\r\n\x1a\n").unwrap();
    let examples: Vec<&str> = text.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
    assert!(examples.len() > 10);
    for example in examples {
        place.write("example.yaml", example);
        place.expect(0, &["demo", "--config", "example.yaml"]);
        used(&serde_yaml::from_str(example).unwrap(), "", &known, &mut shown);
    }
    let rows: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once("` |"))
        .filter(|(_, rest)| {
            let cells: Vec<&str> = rest.split(" | ").map(|cell| cell.trim_matches(['|', ' '])).collect();
            assert!(cells.len() == 3 && cells.iter().all(|cell| !cell.is_empty()), "type, default, effect: {rest}");
            true
        })
        .map(|(key, _)| key.to_owned())
        .collect();
    // A list or a group is described by its parts.
    let group =
        |key: &str| known.iter().any(|other| other.strip_prefix(key).is_some_and(|rest| rest.starts_with(['.', '['])));
    let leaves: BTreeSet<String> = known.iter().filter(|key| !group(key) || key.ends_with(".*")).cloned().collect();
    assert_eq!(rows, leaves, "a row for each key, and a key for each row");
    let without: Vec<&String> = leaves.iter().filter(|key| !shown.contains(*key)).collect();
    assert!(without.is_empty(), "no example uses {without:?}");
}

#[test]
fn the_example_world_has_the_answer_that_it_is_written_for() {
    let (bundles, meta) = deadstop_core::shorthand::expand(&example("CONTRIBUTING.md")).unwrap();
    let facts = deadstop_core::bundle::merge(&bundles);
    let place = Place::new();
    place.write("facts.json", &deadstop_core::bundle::to_json(&facts));
    let code = i32::try_from(meta.expect["exit"].as_i64().unwrap()).unwrap();
    place.expect(code, &["assess", "facts.json"]);
    let answer = serde_json::from_str::<serde_json::Value>(&place.read("assessment.json")).unwrap();
    let asset = answer["assets"].as_array().unwrap().iter().find(|asset| asset["key"] == "db").unwrap();
    assert_eq!(asset["answer"], meta.expect["assets"]["db"]["answer"]);
}
