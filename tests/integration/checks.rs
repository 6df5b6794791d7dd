//! Checks as their authors and users meet them.

use crate::program::Place;

const GOOD: &str = "\
id: northwind/vault-is-locked
title: Vault is locked
item: recovery
subject: asset
severity: high
applies_if: asset.class == 'vault'
pass_if: asset.protections.exists(p, p.locked)
message: '{{ asset.name }} is not locked'
why: An open vault is none.
fix: Lock it.
references: [https://attack.mitre.org/techniques/T1490/]
cases:
  - {name: locked, asset: {class: vault, protections: [{locked: true}]}, expect: pass}
  - {name: open, asset: {class: vault, protections: []}, expect: fail}
  - {name: not read, asset: {class: vault}, expect: unknown}
";

#[test]
fn the_built_in_checks_are_listed_explained_and_hold() {
    let place = Place::new();
    assert!(place.expect(0, &["checks", "list"]).out.contains("asset-would-survive-a-delete"));
    let lines = place.expect(0, &["checks", "list", "--format", "json"]).out;
    assert!(lines.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["maps_to"].is_object()));
    assert!(place.expect(0, &["checks", "show", "database-has-pitr"]).out.contains("asset.recovery.pitr.enabled"));
    assert!(
        place.expect(2, &["checks", "show", "database-has-pitrr"]).err.contains("did you mean `database-has-pitr`")
    );
    assert!(place.expect(0, &["checks", "test"]).out.contains("0 failed"));
    place.expect(0, &["schema", "check"]);
}

#[test]
fn a_case_that_fails_is_1_and_a_check_that_does_not_load_is_2() {
    let place = Place::new();
    place.write("ours/vault-is-locked.yaml", GOOD);
    place.expect(0, &["checks", "test", "ours"]);
    place.write("ours/vault-is-locked.yaml", &GOOD.replace("protections: []", "protections: [{locked: true}]"));
    let told = place.expect(1, &["checks", "test", "ours"]).out;
    assert!(told.contains("vault-is-locked.yaml:14:5: case `open` expects fail and gives pass"), "{told}");
    place.write("ours/vault-is-locked.yaml", &GOOD.replace("asset.class", "asset.clazz"));
    let told = place.expect(2, &["checks", "test", "ours"]).err;
    assert!(told.contains("vault-is-locked.yaml:6:18: `asset.clazz` is no field; did you mean `class`?"), "{told}");
    place.expect(2, &["checks", "test", "nowhere"]);
    place.expect(2, &["demo", "--checks", "ours"]);
}

#[test]
fn a_new_check_holds_and_is_never_written_over_another() {
    let place = Place::new();
    place.expect(0, &["checks", "new", "northwind/database-has-owner"]);
    place.expect(0, &["checks", "test", "."]);
    place.expect(2, &["checks", "new", "northwind/database-has-owner"]);
    place.expect(2, &["checks", "new", "../evil"]);
    place.expect(2, &["checks", "new", "Upper"]);
}

#[test]
fn checks_of_a_named_folder_are_run_and_those_of_a_scanned_one_are_not() {
    let place = Place::new();
    place.write("ours/vault-is-locked.yaml", GOOD);
    place.write("checks/recovery/vault-is-locked.yaml", "not a check");
    place.expect(0, &["demo", "hardened", "--checks", "ours", "-o", "with"]);
    let told = place.read("with/assessment.json");
    assert!(told.contains("\"northwind/vault-is-locked\""));
    place.expect(0, &["demo", "hardened", "-o", "without"]);
    assert!(!place.read("without/assessment.json").contains("vault-is-locked"));
}

#[test]
fn a_severity_fails_on_checks_and_the_default_is_critical() {
    let place = Place::new();
    let run = |code, args: &[&str]| place.expect(code, &[&["demo", "hardened"], args].concat());
    run(0, &["--fail-on", "slowed-no-recovery"]);
    run(0, &["--fail-on", "critical"]);
    let told = run(1, &["--fail-on", "high"]).out;
    assert!(told.contains("at `high` or worse"), "{told}");
    run(1, &["--fail-on", "nothing", "--fail-on", "low"]);
    run(0, &["--fail-on", "high", "--exit-zero"]);
}

/// What a session is meant to touch is held against what it can have destroyed.
#[test]
fn a_session_that_reaches_more_than_is_intended_fails() {
    let place = Place::new();
    place.expect(0, &["demo", "-o", "r"]);
    let facts: serde_json::Value = serde_json::from_str(&place.read("r/facts.json")).unwrap();
    let session = facts["sessions"]["items"].as_array().unwrap().iter().find(|one| one["agent"] != "plain").unwrap();
    let key = session["key"].as_str().unwrap();
    let (agent, name) = key.split_once(':').unwrap();
    let verdict = |intended: &str| {
        let sessions = format!("sessions: [{{name: {name}, agent: {agent}, intended: [{intended}]}}]");
        place.write("own.yaml", &format!("schema: deadstop.config/1\n{sessions}\n"));
        place.expect(0, &["assess", "r/facts.json", "--config", "own.yaml", "--exit-zero"]);
        let answer: serde_json::Value = serde_json::from_str(&place.read("assessment.json")).unwrap();
        let all = answer["findings"].as_array().unwrap();
        let own = |one: &&serde_json::Value| {
            one["check"] == "session-keeps-to-what-it-is-meant-to-touch" && one["subject"] == key
        };
        all.iter().find(own).map(|one| one["verdict"].as_str().unwrap().to_owned())
    };
    assert_eq!(verdict("").unwrap(), "not_applicable");
    assert_eq!(verdict("{provider: railway, project: storefront, environment: staging}").unwrap(), "fail");
    let every: std::collections::BTreeSet<&str> =
        facts["assets"]["items"].as_array().unwrap().iter().map(|asset| asset["provider"].as_str().unwrap()).collect();
    let every: Vec<String> = every.iter().map(|provider| format!("{{provider: {provider}}}")).collect();
    assert_eq!(verdict(&every.join(", ")).unwrap(), "pass");
}
