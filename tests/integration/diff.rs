//! `deadstop diff`: quarter against quarter.

use serde_json::{Value, json};

use crate::program::Place;

const WORLDS: [&str; 5] = ["pocketos", "terraform-destroy", "code-freeze", "own-role", "hardened"];

fn demo(place: &Place, world: &str, more: &[&str], out: &str) {
    let args: Vec<&str> = ["demo", world, "-o", out].into_iter().chain(more.iter().copied()).collect();
    let ran = place.run(&args);
    assert_eq!(ran.code, 0, "{}", ran.err);
}

fn compared(place: &Place, old: &str, new: &str) -> Value {
    let (old, new) = (format!("{old}/assessment.json"), format!("{new}/assessment.json"));
    let ran = place.run(&["diff", &old, &new, "--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    serde_json::from_str(&ran.out).unwrap()
}

/// The assessment of one report with something else in it, as another.
fn edited(place: &Place, from: &str, to: &str, edit: impl FnOnce(&mut Value)) {
    let mut all: Value = serde_json::from_str(&place.read(&format!("{from}/assessment.json"))).unwrap();
    edit(&mut all);
    place.write(&format!("{to}/assessment.json"), &all.to_string());
}

#[test]
fn a_report_beside_itself_has_no_changes() {
    let place = Place::new();
    for world in WORLDS {
        demo(&place, world, &[], world);
        let path = format!("{world}/assessment.json");
        let ran = place.run(&["diff", &path, &path, "--fail-on", "slowed,low"]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(ran.out.contains("Nothing changed."), "{}", ran.out);
    }
}

#[test]
fn the_other_way_round_is_the_opposite() {
    let place = Place::new();
    WORLDS.into_iter().for_each(|world| demo(&place, world, &[], world));
    for (one, two) in WORLDS.iter().flat_map(|one| WORLDS.iter().map(move |two| (one, two))) {
        let (there, back) = (compared(&place, one, two), compared(&place, two, one));
        for (new, gone) in
            [("credentials_new", "credentials_gone"), ("gaps_new", "gaps_settled"), ("covered_now", "covered_no_more")]
        {
            assert_eq!(there[new], back[gone]);
        }
        assert_eq!(there["paths"]["opened"], back["paths"]["closed"]);
        assert_eq!(there["assets"].as_array().map(Vec::len), back["assets"].as_array().map(Vec::len));
    }
}

#[test]
fn a_fix_makes_it_better_and_its_undoing_fails_a_job() {
    let place = Place::new();
    demo(&place, "pocketos", &[], "old");
    let plan: Value = serde_json::from_str(&place.read("old/assessment.json")).unwrap();
    let plan = plan["fixes"]["minimal"].as_array().unwrap();
    let fixes: Vec<&str> = plan.iter().flat_map(|fix| ["--with-fix", fix.as_str().unwrap()]).collect();
    demo(&place, "pocketos", &fixes, "new");
    let diff = compared(&place, "old", "new");
    assert_eq!(diff["schema"], "deadstop.diff/1");
    assert_eq!(diff["cause"], "facts");
    let better = diff["assets"].as_array().unwrap().iter().filter(|asset| asset["change"] == "better").count();
    assert!(better > 0, "{diff}");
    assert!(!diff["paths"]["closed"].as_array().unwrap().is_empty(), "{diff}");
    let (old, new) = ("old/assessment.json", "new/assessment.json");
    assert_eq!(place.run(&["diff", old, new, "--fail-on", "nothing"]).code, 0);
    let back = place.run(&["diff", new, old, "--fail-on", "slowed"]);
    assert_eq!(back.code, 1, "{}{}", back.out, back.err);
    assert!(back.out.contains("\nWorse ("), "{}", back.out);
    assert_eq!(place.run(&["diff", new, old]).code, 0);
}

#[test]
fn what_is_no_longer_known_is_not_solved() {
    let place = Place::new();
    demo(&place, "pocketos", &[], "old");
    edited(&place, "old", "new", |all| {
        for finding in all["findings"].as_array_mut().unwrap() {
            if finding["verdict"] == "fail" {
                finding["verdict"] = json!("unknown");
            }
        }
        let asset = &mut all["assets"][0];
        asset["answer"] = json!("unknown");
        asset["bounds"] = json!(["nothing", "stopped"]);
    });
    let ran = place.run(&["diff", "old/assessment.json", "new/assessment.json"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("Checks whose answer is no longer known"), "{}", ran.out);
    assert!(!ran.out.contains("Checks that no longer fail"), "{}", ran.out);
    assert!(ran.out.contains("between nothing and stopped"), "{}", ran.out);
    // The same facts, and another answer: nothing was solved.
    assert!(ran.out.contains("nothing was solved"), "{}", ran.out);
}

#[test]
fn another_version_of_the_tool_is_marked() {
    let place = Place::new();
    demo(&place, "pocketos", &[], "old");
    edited(&place, "old", "new", |all| {
        all["tool"]["version"] = json!("99.0.0");
        all["facts_sha256"] = json!("0");
        all["assets"].as_array_mut().unwrap().remove(0);
    });
    let ran = place.run(&["diff", "old/assessment.json", "new/assessment.json"]);
    assert!(ran.out.contains("99.0.0: an answer may have changed by that alone"), "{}", ran.out);
    assert!(ran.out.contains("No longer listed (1)"), "{}", ran.out);
}

#[test]
fn only_what_is_new_or_worse_fails() {
    let place = Place::new();
    demo(&place, "pocketos", &[], "old");
    // It was no production before, and is now: as new as one that was not there.
    edited(&place, "old", "moved", |all| {
        for asset in all["assets"].as_array_mut().unwrap() {
            asset["in_headline"] = json!(false);
        }
    });
    let ran = place.run(&["diff", "moved/assessment.json", "old/assessment.json", "--fail-on", "nothing"]);
    assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("counts as production now"), "{}", ran.out);
    // A check that fails now and did not.
    edited(&place, "old", "passed", |all| {
        for finding in all["findings"].as_array_mut().unwrap() {
            finding["verdict"] = json!("pass");
        }
    });
    let args = ["diff", "passed/assessment.json", "old/assessment.json", "--fail-on", "critical"];
    assert_eq!(place.run(&args).code, 1);
    // The same failure, accepted.
    edited(&place, "old", "accepted", |all| {
        for finding in all["findings"].as_array_mut().unwrap() {
            finding["waiver"] = json!("accepted by A. Person until 31 Jan 2999: known");
        }
    });
    let args = ["diff", "passed/assessment.json", "accepted/assessment.json", "--fail-on", "critical"];
    assert_eq!(place.run(&args).code, 0);
}

#[test]
fn hostile_names_and_wrong_files_do_no_harm() {
    let place = Place::new();
    demo(&place, "pocketos", &[], "old");
    edited(&place, "old", "new", |all| {
        all["assets"][0]["name"] = json!("a\u{1b}]0;x\u{7}\u{202e}b");
        all["assets"][0]["bounds"] = json!(["stopped", "stopped"]);
    });
    let ran = place.run(&["diff", "old/assessment.json", "new/assessment.json"]);
    assert!(!ran.out.contains('\u{1b}') && !ran.out.contains('\u{202e}'), "{}", ran.out);
    assert_eq!(place.run(&["diff", "old/facts.json", "new/assessment.json"]).code, 2);
    assert_eq!(place.run(&["diff", "-", "-"]).code, 2);
}
