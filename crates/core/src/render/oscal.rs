//! OSCAL Assessment Results (floor 3), model 1.1.2 (pages.nist.gov/OSCAL-Reference/models/v1.1.2/assessment-results).
//!
//! Every outcome is an observation. What holds or fails is a finding, too, and what fails or is not known is a risk: OSCAL
//! has no state for what is not known, so that it is never a finding.

use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use uuid::Uuid;

use super::outcome::{Limits, Of, Outcome, layer_lines, outcomes};
use super::shown::Shown;
use super::{RenderError, pretty};
use crate::assessment::Assessment;
use crate::verdict::Verdict;

const MODEL: &str = "1.1.2";
/// Whose the properties are that OSCAL does not name.
const OWN: &str = "urn:deadstop:oscal";

/// Renders every outcome, worst first.
///
/// # Errors
/// If it cannot be written as JSON.
pub fn oscal(assessment: &Assessment) -> Result<String, RenderError> {
    let all = outcomes(assessment, Limits::default());
    let ids = Ids::new(assessment);
    let at = assessment.assessed_at.to_string();
    let observations: Vec<Value> = all.iter().map(|one| observation(&ids, one, &at)).collect();
    let findings: Vec<Value> = all.iter().filter_map(|one| finding(&ids, one)).collect();
    let risks: Vec<Value> = all.iter().filter(|one| one.is_result()).map(|one| risk(&ids, one)).collect();
    let mut result = json!({
        "uuid": ids.of("result", ""),
        "title": "What would stop a delete call",
        "description": Shown::line(&assessment.headline.sentence),
        "start": at,
        "end": at,
        "reviewed-controls": {"control-selections": [controls(assessment)]},
        "observations": observations,
    });
    // Lists of OSCAL are never empty.
    let map = result.as_object_mut().map(|map| {
        for (name, list) in [("risks", risks), ("findings", findings)] {
            if !list.is_empty() {
                map.insert(name.to_owned(), list.into());
            }
        }
    });
    debug_assert!(map.is_some(), "it is an object");
    let facts = ids.of("resource", "facts");
    pretty(&json!({"assessment-results": {
        "uuid": ids.of("document", ""),
        "metadata": {
            "title": "Deadstop assessment",
            "last-modified": at,
            "version": Shown::name(&assessment.tool.version),
            "oscal-version": MODEL,
        },
        "import-ap": {"href": format!("#{facts}")},
        "results": [result],
        "back-matter": {"resources": [{
            "uuid": facts,
            "title": "What was planned and what was read",
            "description": "There is no assessment plan in OSCAL: deadstop.yaml says what was assessed, and these facts are what was read.",
            "rlinks": [{
                "href": "facts.json",
                "media-type": "application/json",
                "hashes": [{"algorithm": "SHA-256", "value": Shown::name(&assessment.facts_sha256)}],
            }],
        }]},
    }}))
}

/// Ids that follow from what they name (RFC 9562, version 5), so that the same assessment gives the same bytes.
struct Ids(Uuid);

impl Ids {
    fn new(assessment: &Assessment) -> Self {
        let run = format!("deadstop\n{}\n{}", assessment.facts_sha256, assessment.assessed_at);
        Self(Uuid::new_v5(&Uuid::NAMESPACE_OID, run.as_bytes()))
    }

    fn of(&self, kind: &str, name: &str) -> String {
        Uuid::new_v5(&self.0, format!("{kind}\n{name}").as_bytes()).hyphenated().to_string()
    }
}

fn observation(ids: &Ids, one: &Outcome<'_>, at: &str) -> Value {
    let mut told = vec![one.told()];
    told.extend(layer_lines(one.layers));
    json!({
        "uuid": ids.of("observation", &one.fingerprint),
        "title": format!("{}: {}", one.rule, one.name),
        "description": told.join("\n\n"),
        "props": properties(one),
        "methods": ["EXAMINE"],
        "types": ["finding"],
        "collected": at,
    })
}

fn properties(one: &Outcome<'_>) -> Vec<Value> {
    let texts = [
        ("rule", one.rule.clone()),
        ("fingerprint", one.fingerprint.clone()),
        ("verdict", one.verdict.word().to_owned()),
        ("severity", one.severity.word().to_owned()),
        ("subject-kind", one.kind.to_owned()),
        ("subject-key", Shown::name(one.key).to_string()),
    ];
    let known = texts.into_iter().map(|(name, value)| (name, value.trim().to_owned()));
    known
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| json!({"name": name, "ns": OWN, "value": value}))
        .collect()
}

fn finding(ids: &Ids, one: &Outcome<'_>) -> Option<Value> {
    let state = match one.verdict {
        Verdict::Pass => "satisfied",
        Verdict::Fail => "not-satisfied",
        Verdict::Unknown | Verdict::NotApplicable => return None,
    };
    let mut out = json!({
        "uuid": ids.of("finding", &one.fingerprint),
        "title": format!("{}: {}", one.rule, one.name),
        "description": one.told(),
        "target": {"type": "objective-id", "target-id": token(&one.rule), "status": {"state": state}},
        "related-observations": [{"observation-uuid": ids.of("observation", &one.fingerprint)}],
    });
    if let (Verdict::Fail, Some(map)) = (one.verdict, out.as_object_mut()) {
        map.insert("related-risks".to_owned(), json!([{"risk-uuid": ids.of("risk", &one.fingerprint)}]));
    }
    Some(out)
}

fn risk(ids: &Ids, one: &Outcome<'_>) -> Value {
    let statement = match one.of {
        Of::Check(_, Some(check)) => Shown::line(&check.why),
        Of::Check(..) | Of::Answer(..) | Of::Nothing if one.verdict == Verdict::Unknown => {
            Shown::line("What could not be read may hide a way to destroy it.")
        }
        Of::Check(..) | Of::Answer(..) | Of::Nothing => {
            Shown::line("An agent session, or whoever takes it over, can make this call.")
        }
    };
    let mut out = Map::new();
    out.insert("uuid".to_owned(), ids.of("risk", &one.fingerprint).into());
    out.insert("title".to_owned(), format!("{}: {}", one.rule, one.name).into());
    out.insert("description".to_owned(), one.told().into());
    out.insert("statement".to_owned(), statement.as_str().into());
    out.insert("props".to_owned(), properties(one).into());
    out.insert("status".to_owned(), if one.waiver.is_some() { "deviation-approved" } else { "open" }.into());
    if let Of::Check(_, Some(check)) = one.of {
        let remediation = json!([{
            "uuid": ids.of("remediation", &one.fingerprint),
            "lifecycle": "recommendation",
            "title": Shown::line(&check.title),
            "description": Shown::line(&check.fix),
        }]);
        out.insert("remediations".to_owned(), remediation);
    }
    out.insert(
        "related-observations".to_owned(),
        json!([{"observation-uuid": ids.of("observation", &one.fingerprint)}]),
    );
    out.into()
}

/// The controls of NIST SP 800-53 that the checks give evidence for, by the ids of its OSCAL catalogue: `ac-6.1` is AC-6(1).
fn controls(assessment: &Assessment) -> Value {
    let named = assessment.checks.iter().filter_map(|check| check.maps_to.get("nist_800_53")).flatten();
    let ids: BTreeSet<String> = named.map(|id| token(&id.to_lowercase().replace('(', ".").replace(')', ""))).collect();
    if ids.is_empty() {
        return json!({"include-all": {}});
    }
    let include: Vec<Value> = ids.into_iter().map(|id| json!({"control-id": id})).collect();
    json!({
        "description": "Controls of NIST SP 800-53 revision 5 that the checks give evidence for. A mapping says of no control that it is met.",
        "include-controls": include,
    })
}

/// A token as OSCAL's schemas want it: a letter or `_`, then letters, digits, `.`, `-` and `_`.
fn token(text: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_') { c } else { '_' };
    let text: String = text.chars().map(plain).collect();
    if text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') { text } else { format!("_{text}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_no_slash_and_begins_with_a_letter() {
        assert_eq!(token("answer/nothing"), "answer_nothing");
        assert_eq!(token("9-lives"), "_9-lives");
        assert_eq!(token("ac-6.1"), "ac-6.1");
        assert_eq!(token(""), "_");
    }
}
