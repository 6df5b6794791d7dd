//! The formats that other programs read, from the sample assessments in `tests/report`: the same findings in each.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test ends where its sample is not what it should be"
)]
#![expect(clippy::disallowed_methods, reason = "the harness hands the files of tests/ to the core")]

use deadstop_core::assessment::Assessment;
use deadstop_core::render::{self, Limits, SarifFlavour};
use deadstop_core::verdict::Severity;
use deadstop_core::verdict::{Answer, Rank};
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

const SAMPLES: [&str; 4] = ["sample", "story", "empty", "hostile"];

fn sample(name: &str) -> Assessment {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/report/{name}.json"));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap_or_else(|error| panic!("{name}.json: {error}"))
}

fn results(assessment: &Assessment, flavour: SarifFlavour) -> Vec<Value> {
    let file: Value = serde_json::from_str(&render::sarif(assessment, flavour).unwrap()).unwrap();
    file["runs"][0]["results"].as_array().unwrap().clone()
}

/// Rule and fingerprint of each row that is to be looked at.
fn in_csv(assessment: &Assessment) -> BTreeSet<(String, String)> {
    let text = render::csv(assessment);
    let rows = text.split("\r\n").skip(1).filter(|row| !row.is_empty()).map(cells);
    let open = rows.filter(|row| matches!(row[3].as_str(), "fail" | "unknown"));
    open.map(|row| (row[1].clone(), row[2].clone())).collect()
}

/// The cells of a row by RFC 4180.
fn cells(row: &str) -> Vec<String> {
    let (mut out, mut quoted, mut cell) = (Vec::new(), false, String::new());
    let mut rest = row.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '"' if quoted && rest.peek() == Some(&'"') => {
                rest.next();
                cell.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => out.push(std::mem::take(&mut cell)),
            _ => cell.push(c),
        }
    }
    out.push(cell);
    out
}

fn events(assessment: &Assessment) -> Vec<Value> {
    render::ocsf(assessment).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn oscal(assessment: &Assessment) -> Value {
    let document: Value = serde_json::from_str(&render::oscal(assessment).unwrap()).unwrap();
    document["assessment-results"]["results"][0].clone()
}

#[test]
fn the_same_findings_are_in_each_format() {
    for name in SAMPLES {
        let assessment = sample(name);
        let sarif: BTreeSet<(String, String)> = results(&assessment, SarifFlavour::Github)
            .iter()
            .map(|one| {
                (
                    one["ruleId"].as_str().unwrap().into(),
                    one["partialFingerprints"]["deadstopKey/v1"].as_str().unwrap().into(),
                )
            })
            .collect();
        let gitlab: Value = serde_json::from_str(&render::gitlab(&assessment).unwrap()).unwrap();
        let gitlab: BTreeSet<(String, String)> = gitlab
            .as_array()
            .unwrap()
            .iter()
            .map(|one| (one["check_name"].as_str().unwrap().into(), one["fingerprint"].as_str().unwrap().into()))
            .collect();
        assert_eq!(sarif, gitlab, "{name}");
        assert_eq!(sarif, in_csv(&assessment), "{name}");
        // Every case is there; with both limits at their widest, what is open is failed, unknown or skipped.
        let limits = Limits { answer: Rank::Stopped, severity: Severity::Low };
        let junit = render::junit(&assessment, limits);
        let info = assessment.findings.iter().filter(|one| one.severity == "info").count();
        let nothing = usize::from(!assessment.assets.iter().any(|asset| asset.in_headline));
        let cases = assessment.assets.len() + assessment.findings.len() - info + nothing;
        assert_eq!(junit.matches("<testcase ").count(), cases, "{name}");
        let standard = results(&assessment, SarifFlavour::Standard);
        assert_eq!(standard.len(), cases, "{name}");
        let open =
            standard.iter().filter(|one| matches!(one["properties"]["verdict"].as_str(), Some("fail" | "unknown")));
        assert_eq!(open.count(), sarif.len(), "{name}");
        let prints: BTreeSet<&String> = sarif.iter().map(|(_, print)| print).collect();
        let events = events(&assessment);
        assert_eq!(events.len(), cases, "{name}");
        let open = events.iter().filter(|one| matches!(one["compliance"]["status_id"].as_u64(), Some(0 | 3)));
        let open: BTreeSet<String> = open.map(|one| one["finding_info"]["uid"].as_str().unwrap().to_owned()).collect();
        assert_eq!(open.iter().collect::<BTreeSet<_>>(), prints, "{name}");
        let oscal = oscal(&assessment);
        assert_eq!(oscal["observations"].as_array().unwrap().len(), cases, "{name}");
        assert_eq!(oscal["risks"].as_array().map_or(0, Vec::len), sarif.len(), "{name}");
    }
}

#[test]
fn unknown_is_never_a_pass() {
    let mut assessment = sample("sample");
    for one in &mut assessment.findings {
        one.verdict = "a word of tomorrow".into();
        one.waiver = None;
    }
    for asset in &mut assessment.assets {
        asset.answer = Answer::Unknown;
        asset.bounds = [Rank::Nothing, Rank::Stopped];
        asset.in_headline = true;
    }
    let junit = render::junit(&assessment, Limits::default());
    let cases = junit.matches("<testcase ").count();
    assert_eq!((junit.matches("<error type=\"unknown\"").count(), junit.contains("<failure")), (cases, false));
    for flavour in [SarifFlavour::Github, SarifFlavour::Standard] {
        let all = results(&assessment, flavour);
        assert_eq!(all.len(), cases);
        assert!(all.iter().all(|one| one["kind"] != "pass" && one["properties"]["verdict"] == "unknown"));
    }
    assert!(events(&assessment).iter().all(|one| one["compliance"]["status_id"] == 0));
    let oscal = oscal(&assessment);
    assert!(oscal["findings"].is_null() && oscal["risks"].as_array().unwrap().len() == cases);
}

#[test]
fn nothing_to_answer_for_is_an_error() {
    let junit = render::junit(&sample("empty"), Limits::default());
    assert!(junit.contains("errors=\"1\"") && junit.contains("No production asset was found"), "{junit}");
    assert_eq!(results(&sample("empty"), SarifFlavour::Github).len(), 1);
}

#[test]
fn a_limit_moves_what_fails() {
    let assessment = sample("sample");
    let failing = |answer: Rank, severity: Severity| {
        render::junit(&assessment, Limits { answer, severity }).matches("<failure ").count()
    };
    // bookings and the photos outside their RPO; one check of two critical failures each.
    assert_eq!(failing(Rank::Nothing, Severity::Critical), 4);
    assert_eq!(failing(Rank::RecoverableTested, Severity::Critical), 5);
    assert_eq!(failing(Rank::SlowedTested, Severity::Critical), 6);
    // token-is-scoped fails too; the waiver keeps the fourth out.
    assert_eq!(failing(Rank::SlowedTested, Severity::High), 7);
}

#[test]
fn a_waiver_is_shown_and_fails_nothing() {
    let mut assessment = sample("sample");
    let waived = results(&assessment, SarifFlavour::Github);
    let waived: Vec<&Value> = waived.iter().filter(|one| one["suppressions"].is_array()).collect();
    assert_eq!(waived.len(), 1);
    assert!(waived[0]["message"]["text"].as_str().unwrap().contains("accepted by R. Vega until 31 Jan 2027"));
    let mut finding = assessment.findings[0].clone();
    finding.check = "asset-would-survive-a-delete".into();
    finding.subject = assessment.assets[0].key.as_str().into();
    finding.waiver = Some("accepted by A. Person".to_owned());
    assessment.findings.push(finding);
    let before = render::junit(&sample("sample"), Limits::default()).matches("<failure ").count();
    assert_eq!(render::junit(&assessment, Limits::default()).matches("<failure ").count(), before - 1);
}

#[test]
fn the_same_assessment_gives_the_same_bytes_in_any_order_of_findings() {
    let assessment = sample("story");
    let mut turned = assessment.clone();
    turned.findings.reverse();
    turned.assets.reverse();
    let all = |one: &Assessment| {
        (
            render::sarif(one, SarifFlavour::Standard).unwrap(),
            render::junit(one, Limits::default()),
            render::csv(one),
            render::gitlab(one).unwrap(),
            render::ocsf(one).unwrap(),
            render::oscal(one).unwrap(),
        )
    };
    assert_eq!(all(&assessment), all(&turned));
}

#[test]
fn hostile_names_stay_names() {
    let mut assessment = sample("hostile");
    assessment.assets[0].name = "=cmd|' /C calc'!A0\u{fffe}\u{0}".to_owned();
    assessment.assets[1].name = "x".repeat(4096);
    let junit = render::junit(&assessment, Limits::default());
    let csv = render::csv(&assessment);
    let sarif = render::sarif(&assessment, SarifFlavour::Github).unwrap();
    let gitlab = render::gitlab(&assessment).unwrap();
    let (ocsf, oscal) = (render::ocsf(&assessment).unwrap(), render::oscal(&assessment).unwrap());
    for text in [&junit, &csv, &sarif, &gitlab, &ocsf, &oscal] {
        let bad = |c: char| (c.is_control() && !matches!(c, '\n' | '\r')) || matches!(c, '\u{202e}' | '\u{2066}');
        assert!(!text.contains(bad), "{:?}", text.chars().find(|c| bad(*c)));
        assert!(!text.contains(&"x".repeat(200)));
    }
    assert!(!junit.contains(['\u{fffe}', '\r']) && !junit.contains("<script"));
    assert!(csv.contains(",\"'=cmd|") && !csv.contains(",=cmd") && !csv.contains(",\"=cmd"));
}

#[test]
fn a_run_that_holds_more_than_github_shows_says_so() {
    let mut assessment = sample("sample");
    let finding = assessment.findings[0].clone();
    for at in 0..6_000 {
        let mut one = finding.clone();
        one.subject = format!("s-{at}").into();
        one.severity = if at % 2 == 0 { "low" } else { "critical" }.into();
        assessment.findings.push(one);
    }
    let all = results(&assessment, SarifFlavour::Github);
    assert_eq!(all.len(), 5_000);
    let last = all[4_999]["message"]["text"].as_str().unwrap();
    let total = results(&sample("sample"), SarifFlavour::Github).len() + 6_000;
    assert!(last.starts_with(&format!("{} more results are left out", total - 4_999)), "{last}");
    assert!(all.iter().filter(|one| one["level"] == "error").count() > 3_000);
    assert!(results(&assessment, SarifFlavour::Standard).len() > 6_000);
}

#[test]
fn a_finding_is_anchored_where_it_lies_below_the_first_root() {
    let mut assessment = sample("sample");
    let at = |path: &str| {
        let location = serde_json::json!({"kind": "file", "path": path, "line": 3, "key": null});
        assessment.findings[0].location = Some(serde_json::from_value(location).unwrap());
        let all = results(&assessment, SarifFlavour::Github);
        let check = assessment.findings[0].check.clone();
        let one = all.iter().find(|one| one["ruleId"] == check.as_str()).unwrap();
        let place = &one["locations"][0]["physicalLocation"];
        format!("{}:{}", place["artifactLocation"]["uri"].as_str().unwrap(), place["region"]["startLine"])
    };
    let mut at = at;
    assert_eq!(at("./deploy/.env"), "deploy/.env:3");
    for outside in ["~/.aws/credentials", "/etc/passwd", "./../x", "./a//b", "x/.env"] {
        assert_eq!(at(outside), "deadstop.yaml:1", "{outside}");
    }
}
