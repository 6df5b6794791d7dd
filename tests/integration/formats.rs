//! The formats that other programs read: where they are written, and that they fail where the command does.

use serde_json::Value;

use crate::program::{Place, sources};

fn sample(name: &str) -> String {
    sources().join(format!("tests/report/{name}.json")).to_string_lossy().into_owned()
}

#[test]
fn further_formats_are_written_on_request_and_stand_in_the_manifest() {
    let place = Place::new();
    place.expect(0, &["demo", "-o", "r", "--format", "csv,gitlab,html,ocsf,oscal,csv"]);
    let manifest: Value = serde_json::from_str(&place.read("r/manifest.json")).unwrap();
    for name in ["deadstop.sarif", "junit.xml", "findings.csv", "gl-code-quality.json", "ocsf.jsonl", "oscal.json"] {
        assert!(!place.read(&format!("r/{name}")).is_empty(), "{name}");
        assert!(manifest["files"][name].is_string(), "{name}");
    }
}

#[test]
fn one_format_goes_to_standard_output_and_several_do_not() {
    let place = Place::new();
    let sample = sample("sample");
    let csv = place.expect(0, &["report", &sample, "--format", "csv", "-o", "-"]);
    assert!(csv.out.starts_with("record,rule,fingerprint,") && csv.err.is_empty(), "{}", csv.err);
    let two = place.expect(2, &["report", &sample, "--format", "csv,sarif", "-o", "-"]);
    assert!(two.err.contains("standard output holds one format"), "{}", two.err);
    let none = place.expect(2, &["report", &sample, "--format", "csv,sarif", "-o", "not-there"]);
    assert!(none.err.contains("is no folder"), "{}", none.err);
    assert!(!place.path("not-there").exists() && !place.path("findings.csv").exists());
    assert!(place.expect(2, &["report", &sample, "--format", "pdf"]).err.contains("pdf"));
}

#[test]
fn a_flavour_changes_what_an_unknown_is() {
    let place = Place::new();
    let sample = sample("sample");
    let kinds = |flavour: &str| {
        let out = place.expect(0, &["report", &sample, "--format", "sarif", "--sarif-flavour", flavour, "-o", "-"]).out;
        let file: Value = serde_json::from_str(&out).unwrap();
        let results = file["runs"][0]["results"].as_array().unwrap().clone();
        let unknown = results.iter().filter(|one| one["ruleId"].as_str().unwrap().ends_with("/unknown"));
        unknown.map(|one| format!("{}/{}", one["kind"].as_str().unwrap(), one["level"].as_str().unwrap())).collect()
    };
    let (github, standard): (Vec<String>, Vec<String>) = (kinds("github"), kinds("standard"));
    assert!(!github.is_empty() && github.iter().all(|kind| kind == "fail/warning"), "{github:?}");
    assert!(!standard.is_empty() && standard.iter().all(|kind| kind == "open/none"), "{standard:?}");
}

/// A dashboard that reads junit.xml and a job that reads the exit code see the same.
#[test]
fn a_case_fails_where_the_command_does() {
    let place = Place::new();
    for (limit, world) in
        [("nothing", "pocketos"), ("slowed", "pocketos"), ("nothing", "hardened"), ("slowed", "hardened")]
    {
        let code = place.run(&["demo", world, "--fail-on", limit, "-o", "r"]).code;
        let junit = place.read("r/junit.xml");
        assert_eq!(junit.contains("<failure"), code == 1, "{world} at {limit}: {code}\n{junit}");
        let again =
            place.expect(0, &["report", "r/assessment.json", "--format", "junit", "--fail-on", limit, "-o", "-"]);
        assert_eq!(again.out, junit, "{world} at {limit}");
    }
}
