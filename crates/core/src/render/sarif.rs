//! SARIF 2.1.0 (floor 3), in two flavours: the standard has a kind for what is not known and for what passes; GitHub code
//! scanning reads no kind, and would show a pass as an alert.

use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::outcome::{Limits, Of, Outcome, Place, outcomes, place_of};
use super::shown::Shown;
use super::{RenderError, pretty};
use crate::assessment::{Assessment, Layer};
use crate::verdict::{Severity, Verdict};

mod rule;

/// The schema that the file is valid by.
const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// GitHub shows no more results of a run, and is said to keep the first rather than the worst.
const MOST: usize = 5_000;

/// Who reads the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SarifFlavour {
    /// GitHub code scanning: what is to be looked at, an unknown as a warning under its own rule.
    Github,
    /// Readers of the whole standard: `open`, `pass` and `notApplicable` as well.
    Standard,
}

/// Renders answers and verdicts as SARIF, worst first.
///
/// # Errors
/// If it cannot be written as JSON.
pub fn sarif(assessment: &Assessment, flavour: SarifFlavour) -> Result<String, RenderError> {
    let all = outcomes(assessment, Limits::default());
    let github = flavour == SarifFlavour::Github;
    let mut kept: Vec<&Outcome<'_>> = all.iter().filter(|one| !github || one.is_result()).collect();
    let left = if github && kept.len() > MOST { kept.len() - (MOST - 1) } else { 0 };
    kept.truncate(kept.len() - left);
    let mut rules = rule::rules(&kept);
    let places: BTreeMap<String, usize> = rules.iter().enumerate().map(|(at, rule)| (id(rule), at)).collect();
    let evidence: BTreeMap<&str, Place> = assessment
        .evidence
        .iter()
        .filter_map(|one| Some((one.id.as_str(), place_of(one.place.as_deref()?)?)))
        .collect();
    let mut results: Vec<Value> = kept
        .iter()
        .map(|one| result(one, flavour, places.get(&one.rule).copied().unwrap_or_default(), &evidence))
        .collect();
    if left > 0 {
        results.push(closing(left, rules.len()));
        rules.push(rule::left_out());
    }
    let version = Shown::name(&assessment.tool.version);
    pretty(&json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "Deadstop",
                "version": version,
                "semanticVersion": version,
                "fullDescription": {"text": "If an AI agent here called your provider's delete API right now, what would stop it?"},
                "rules": rules,
            }},
            "automationDetails": {"id": format!("deadstop/{}", day(assessment))},
            "invocations": [{"executionSuccessful": true, "endTimeUtc": assessment.assessed_at.to_string()}],
            "columnKind": "utf16CodeUnits",
            "results": results,
        }],
    }))
}

fn id(rule: &Value) -> String {
    rule.get("id").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The day that the assessment speaks of, so that two runs of one assessment are one.
fn day(assessment: &Assessment) -> String {
    assessment.assessed_at.to_string().chars().take_while(|c| *c != 'T').collect()
}

/// Where a result is anchored: its own line, or the configuration, which is where an asset without one is spoken of.
pub(super) fn anchor(one: &Outcome<'_>) -> Place {
    one.place.clone().unwrap_or_else(|| Place { path: "deadstop.yaml".to_owned(), line: 1 })
}

fn result(one: &Outcome<'_>, flavour: SarifFlavour, rule: usize, evidence: &BTreeMap<&str, Place>) -> Value {
    let (kind, level) = kind(one, flavour);
    let mut out = json!({
        "ruleId": one.rule,
        "ruleIndex": rule,
        "kind": kind,
        "level": level,
        "message": {"text": text(&one.told(), flavour)},
        "locations": [{
            "physicalLocation": physical(&anchor(one)),
            "logicalLocations": [{
                "name": one.name,
                "fullyQualifiedName": format!("{}/{}", one.kind, Shown::name(one.key)),
                "kind": "resource",
            }],
        }],
        "partialFingerprints": {"primaryLocationLineHash": one.fingerprint, "deadstopKey/v1": one.fingerprint},
        "properties": properties(one),
    });
    if let Some(map) = out.as_object_mut() {
        if let Some(flow) = flow(one, flavour, evidence) {
            map.insert("codeFlows".to_owned(), flow);
        }
        if let Some(waiver) = &one.waiver {
            let accepted = json!([{"kind": "external", "status": "accepted", "justification": waiver}]);
            map.insert("suppressions".to_owned(), accepted);
        }
    }
    out
}

/// When `kind` is not `fail`, the standard wants `level` to be `none`.
const fn kind(one: &Outcome<'_>, flavour: SarifFlavour) -> (&'static str, &'static str) {
    match (one.verdict, flavour) {
        (Verdict::Unknown, SarifFlavour::Github) => ("fail", "warning"),
        (Verdict::Unknown, SarifFlavour::Standard) => ("open", "none"),
        (Verdict::Pass, _) => ("pass", "none"),
        (Verdict::NotApplicable, _) => ("notApplicable", "none"),
        (Verdict::Fail, _) => ("fail", level(one.severity)),
    }
}

const fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

fn physical(place: &Place) -> Value {
    json!({
        "artifactLocation": {"uri": uri(&place.path), "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": place.line, "startColumn": 1, "endLine": place.line, "endColumn": 2},
    })
}

/// A relative reference by RFC 3986: every byte that is not unreserved is written in hexadecimal.
fn uri(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn properties(one: &Outcome<'_>) -> Value {
    let mut out = json!({"verdict": one.verdict.word(), "severity": one.severity.word()});
    let more = match one.of {
        Of::Answer(asset, worst) => json!({
            "answer": asset.answer.word(),
            "bounds": asset.bounds.map(|rank| rank.word()),
            "inHeadline": asset.in_headline,
            "restsOnAgent": worst.is_some_and(|path| path.rests_on_agent),
        }),
        Of::Check(finding, _) => json!({"item": Shown::name(&finding.item)}),
        Of::Nothing => json!({"answer": "unknown"}),
    };
    if let (Some(out), Value::Object(more)) = (out.as_object_mut(), more) {
        out.extend(more);
    }
    out
}

/// The six layers as steps of one flow, each where its evidence lies.
fn flow(one: &Outcome<'_>, flavour: SarifFlavour, evidence: &BTreeMap<&str, Place>) -> Option<Value> {
    if one.layers.is_empty() || !one.is_result() {
        return None;
    }
    let step = |layer: &Layer| {
        let seen = layer.evidence.iter().find_map(|id| evidence.get(id.as_str()));
        let place = seen.cloned().unwrap_or_else(|| anchor(one));
        let bypass = layer.bypass.as_ref().map(|step| format!(" Round it: {}.", Shown::line(step)));
        let said = format!(
            "{}: {}. {}{}",
            layer.layer.title(),
            layer.state.word(),
            Shown::line(&layer.because),
            bypass.unwrap_or_default()
        );
        json!({"location": {"physicalLocation": physical(&place), "message": {"text": text(&said, flavour)}}})
    };
    let steps: Vec<Value> = one.layers.iter().map(step).collect();
    Some(json!([{"threadFlows": [{"locations": steps}]}]))
}

/// Plain text in which a name makes no link and no placeholder. GitHub shows an escape as it stands, so that there a
/// space does it.
fn text(value: &str, flavour: SarifFlavour) -> String {
    match flavour {
        SarifFlavour::Github => value.replace("](", "] ("),
        SarifFlavour::Standard => {
            let mut out = String::with_capacity(value.len());
            for c in value.chars() {
                match c {
                    '\\' | '[' | ']' => out.extend(['\\', c]),
                    '{' | '}' => out.extend([c, c]),
                    _ => out.push(c),
                }
            }
            out
        }
    }
}

/// The last result of a file that was cut.
fn closing(left: usize, rule: usize) -> Value {
    let place = Place { path: "deadstop.yaml".to_owned(), line: 1 };
    let print = super::outcome::hash(&["left out"]);
    json!({
        "ruleId": rule::LEFT_OUT,
        "ruleIndex": rule,
        "kind": "fail",
        "level": "warning",
        "message": {"text": format!("{left} more results are left out here, none worse than those shown: see assessment.json.")},
        "locations": [{"physicalLocation": physical(&place)}],
        "partialFingerprints": {"primaryLocationLineHash": print, "deadstopKey/v1": print},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_a_relative_reference() {
        assert_eq!(uri("deploy/.env"), "deploy/.env");
        assert_eq!(uri("a b/ü?#%:x"), "a%20b/%C3%BC%3F%23%25%3Ax");
    }

    /// SARIF 2.1.0, 3.11.5 and 3.11.6: braces are doubled, brackets that make no link have a backslash.
    #[test]
    fn text_makes_no_link_and_no_placeholder() {
        assert_eq!(text("[a](b) {0}", SarifFlavour::Standard), "\\[a\\](b) {{0}}");
        assert_eq!(text("[a](b) {0}", SarifFlavour::Github), "[a] (b) {0}");
    }
}
