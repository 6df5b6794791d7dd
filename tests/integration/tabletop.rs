//! `deadstop tabletop`: from paths to an exercise and back into the report.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::program::Place;

#[test]
fn an_exercise_is_prepared_led_and_recorded() {
    let place = Place::new();
    place.expect(0, &["demo"]);
    let prepared = place.expect(0, &["tabletop", "prepare"]);
    assert!(prepared.out.contains("Next: deadstop tabletop run"), "{}", prepared.out);
    assert_eq!(place.names("deadstop-tabletop"), ["facilitator.md", "participants.md", "tabletop.yaml"]);
    let again = place.expect(2, &["tabletop", "prepare"]);
    assert!(again.err.contains("may hold answers"), "{}", again.err);

    let mut child = Command::new(env!("CARGO_BIN_EXE_deadstop"))
        .args(["tabletop", "run"])
        .current_dir(place.path("."))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = "2026-11-20\nCustomers, through failed bookings.\nS. Marchetti\nwrong\nm\n";
    child.stdin.take().unwrap().write_all(said.as_bytes()).unwrap();
    let out = child.wait_with_output().unwrap();
    assert!(out.status.success());
    let shown = String::from_utf8(out.stdout).unwrap();
    assert!(shown.contains("I-01") && shown.contains("Next: deadstop tabletop record"), "{shown}");
    let filled = place.read("deadstop-tabletop/tabletop.yaml");
    assert!(filled.contains("Customers, through failed bookings.") && filled.contains("rating: M"), "{filled}");

    let recorded = place.expect(0, &["tabletop", "record", "-o", "with.json"]);
    assert!(recorded.err.contains("1 of ") && recorded.err.contains(" questions are answered"), "{}", recorded.err);
    let with: Value = serde_json::from_str(&place.read("with.json")).unwrap();
    assert_eq!(with["tabletop"]["exercise"]["date"], "2026-11-20");
    let page = place.expect(0, &["report", "with.json", "--format", "html", "-o", "-"]).out;
    assert!(page.contains("Customers, through failed bookings.") && page.contains("No answer recorded."));
    place.expect(0, &["demo", "-o", "again", "--tabletop", "deadstop-tabletop/tabletop.yaml"]);
    let again: Value = serde_json::from_str(&place.read("again/assessment.json")).unwrap();
    assert_eq!(again["tabletop"], with["tabletop"]);
    // Another world's facts: nothing of it is taken for its own.
    place.expect(0, &["demo", "hardened", "-o", "other", "--tabletop", "deadstop-tabletop/tabletop.yaml"]);
    let other: Value = serde_json::from_str(&place.read("other/assessment.json")).unwrap();
    assert!(other["tabletop"]["injects"].as_array().unwrap().iter().all(|one| one["stale"] == true));
}

#[test]
fn a_record_that_does_not_hold_together_is_refused_by_name() {
    let place = Place::new();
    place.expect(0, &["tabletop", "prepare", "--world", "pocketos", "-o", "t"]);
    let text = place.read("t/tabletop.yaml");
    place.write("t/wrong.yaml", &text.replacen("rating: ''", "rating: M", 1));
    let wrong = place.expect(2, &["tabletop", "record", "t/wrong.yaml", "--world", "pocketos"]);
    assert!(wrong.err.contains("I-01-Q1: it is rated and has no answer"), "{}", wrong.err);
    place.write("t/wrong.yaml", &format!("{text}\nsecret: x\n"));
    assert!(place.expect(2, &["tabletop", "record", "t/wrong.yaml", "--world", "pocketos"]).err.contains("secret"));
    let none = place.expect(2, &["tabletop", "prepare", "-o", "u"]);
    assert!(none.err.contains("--world pocketos"), "{}", none.err);
    assert!(place.expect(2, &["tabletop", "prepare", "--world", "nowhere", "-o", "u"]).err.contains("pocketos"));
}
