//! `deadstop fix` and `--baseline`: what to do, and what is new.

use serde_json::Value;

use crate::program::Place;

#[test]
fn fixes_are_listed_and_printed_to_be_pasted() {
    let place = Place::new();
    place.expect(0, &["demo", "own-role"]);
    let listed = place.expect(0, &["fix"]).out;
    assert!(listed.contains("plan") && listed.contains("Next: deadstop fix F1"), "{listed}");
    let all: Value = serde_json::from_str(&place.expect(0, &["fix", "--format", "json"]).out).unwrap();
    let deny = all["all"].as_array().unwrap().iter().find(|fix| fix["kind"] == "deny-in-policy").unwrap();
    let key = deny["key"].as_str().unwrap();
    let printed = place.expect(0, &["fix", key]);
    let policy: Value = serde_json::from_str(&printed.out).unwrap();
    assert_eq!(policy["Statement"][0]["Effect"], "Deny");
    assert!(printed.err.contains("Take delete rights away"), "{}", printed.err);
    assert_eq!(place.expect(0, &["--quiet", "fix", key]).err, "");
    let one: Value = serde_json::from_str(&place.expect(0, &["fix", key, "--format", "json"]).out).unwrap();
    assert_eq!(&one, deny);
    place.expect(0, &["fix", key, "-o", "policy.json"]);
    assert_eq!(place.read("policy.json"), printed.out);
    let wrong = place.expect(2, &["fix", "F999"]);
    assert!(wrong.err.contains("has no fix") && wrong.err.contains("deadstop fix --assessment"), "{}", wrong.err);
    place.expect(2, &["fix", "--assessment", "nowhere.json"]);
}

#[test]
fn answers_are_the_same_without_a_plan() {
    let place = Place::new();
    let shown = |more: &[&str]| -> Value {
        let args: Vec<&str> = ["demo", "own-role", "-o", "out"].into_iter().chain(more.iter().copied()).collect();
        place.run(&args);
        serde_json::from_str(&place.read("out/assessment.json")).unwrap()
    };
    let (planned, quick) = (shown(&[]), shown(&["--no-fixes"]));
    for part in ["assets", "paths", "headline", "gaps"] {
        assert_eq!(planned[part], quick[part], "{part}");
    }
    assert_eq!(planned["fixes"]["all"].as_array().unwrap().len(), quick["fixes"]["all"].as_array().unwrap().len());
    assert_eq!(quick["fixes"]["minimal"], serde_json::json!([]));
    assert_eq!(quick["fixes"]["reached"], false);
    assert!(quick["fixes"]["short_of"].as_str().unwrap().contains("--no-fixes"));
}

#[test]
fn a_baseline_fails_for_what_is_new_or_worse_alone() {
    let place = Place::new();
    let fails = ["--fail-on", "nothing"];
    let demo = |world: &str, out: &str, more: &[&str]| {
        let args: Vec<&str> = ["demo", world, "-o", out].into_iter().chain(fails).chain(more.iter().copied()).collect();
        place.run(&args)
    };
    assert_eq!(demo("pocketos", "old", &[]).code, 1);
    let same = demo("pocketos", "same", &["--baseline", "old/assessment.json"]);
    assert!(same.code != 1 && same.out.contains("in the baseline of"), "{}", same.out);
    assert!(same.out.starts_with("Nothing, for "), "what is known is shown: {}", same.out);
    assert_eq!(demo("hardened", "good", &[]).code, 0);
    let worse = demo("pocketos", "worse", &["--baseline", "good/assessment.json"]);
    assert!(worse.code == 1 && worse.out.contains("since the baseline of"), "{}", worse.out);
    let facts = ["assess", "old/facts.json", "--fail-on", "nothing", "-o", "again.json"];
    assert_eq!(place.run(&facts).code, 1);
    let args: Vec<&str> = facts.into_iter().chain(["--baseline", "old/assessment.json"]).collect();
    let again = place.run(&args);
    assert!(again.code != 1, "{}{}", again.out, again.err);
    place.expect(2, &["demo", "-o", "x", "--baseline", "nowhere.json"]);
}

#[test]
fn what_was_unknown_in_the_baseline_stays_unknown() {
    let place = Place::new();
    place.write("work/.env", "RAILWAY_TOKEN=0f8fad5b-d9cb-469f-a165-70867728950e\n");
    let run = |out: &str, more: &[&str]| {
        let args: Vec<&str> =
            ["run", "work", "--no-home", "--no-env", "-o", out].into_iter().chain(more.iter().copied()).collect();
        place.run(&args).code
    };
    let first = run("one", &[]);
    assert_eq!(first, 3);
    assert_eq!(run("two", &["--baseline", "one/assessment.json"]), 3);
}

#[test]
fn a_waiver_that_is_gone_counts_as_new() {
    let place = Place::new();
    place.expect(0, &["demo", "-o", "w"]);
    let all: Value = serde_json::from_str(&place.read("w/assessment.json")).unwrap();
    let asset = all["assets"].as_array().unwrap().iter().find(|one| one["answer"] == "nothing").unwrap();
    let key = asset["key"].as_str().unwrap();
    let waivers = format!(
        "schema: deadstop.config/1\nwaivers: [{{check: asset-would-survive-a-delete, subject: \"{key}\", reason: r, approved_by: p, expires: 2099-01-01}}]\n"
    );
    place.write("with.yaml", &waivers);
    place.write("without.yaml", "schema: deadstop.config/1\n");
    let assess = |config: &str, out: &str, more: &[&str]| {
        let fixed = ["assess", "w/facts.json", "--fail-on", "nothing", "--config", config, "-o", out];
        place.run(&fixed.into_iter().chain(more.iter().copied()).collect::<Vec<_>>())
    };
    assess("with.yaml", "before.json", &[]);
    let same = assess("with.yaml", "same.json", &["--baseline", "before.json"]);
    assert!(same.code != 1, "{}", same.out);
    let gone = assess("without.yaml", "after.json", &["--baseline", "before.json"]);
    assert!(gone.code == 1 && gone.out.contains("since the baseline of"), "{}", gone.out);
}
