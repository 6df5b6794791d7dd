//! OCSF (floor 3): Compliance Findings of schema 1.5.0 (schema.ocsf.io/1.5.0/classes/compliance_finding), one event a line:
//! one for the answer of each asset, with its six layers as checks, and one for each verdict. A posture is no detection, so
//! that nothing here raises an alert by itself.

use serde_json::{Map, Value, json};

use super::RenderError;
use super::outcome::{Limits, Of, Outcome, outcomes};
use super::shown::Shown;
use crate::assessment::{Assessment, Layer};
use crate::verdict::{LayerState, Severity, Verdict};

/// The version of the schema that every event is valid by.
const VERSION: &str = "1.5.0";
/// Findings.
const CATEGORY: u32 = 2;
/// Compliance Finding.
const CLASS: u32 = 2003;
/// Create: an assessment says what is so, and knows of no earlier event that it would update.
const CREATE: u32 = 1;

/// Renders every outcome as one event a line, worst first.
///
/// # Errors
/// If it cannot be written as JSON.
pub fn ocsf(assessment: &Assessment) -> Result<String, RenderError> {
    let mut text = String::new();
    for one in outcomes(assessment, Limits::default()) {
        text.push_str(&serde_json::to_string(&event(assessment, &one))?);
        text.push('\n');
    }
    Ok(text)
}

fn event(assessment: &Assessment, one: &Outcome<'_>) -> Value {
    let at = assessment.assessed_at.unix().saturating_mul(1_000);
    let (status, status_id) = state(one.verdict);
    let (severity, severity_id) = rated(one.severity);
    let mut compliance = Map::new();
    compliance.insert("control".to_owned(), one.rule.clone().into());
    compliance.insert("status".to_owned(), status.into());
    compliance.insert("status_id".to_owned(), status_id.into());
    compliance.insert("standards".to_owned(), standards(one).into());
    if let Of::Check(_, Some(check)) = one.of {
        compliance.insert("requirements".to_owned(), requirements(check).into());
        compliance.insert("desc".to_owned(), Shown::line(&check.title).as_str().into());
    }
    if !one.layers.is_empty() {
        compliance.insert("checks".to_owned(), one.layers.iter().map(layer).collect());
    }
    if let Some(waiver) = &one.waiver {
        compliance.insert("status_details".to_owned(), json!([format!("Waiver: {waiver}")]));
    }
    let mut out = json!({
        "activity_id": CREATE,
        "activity_name": "Create",
        "category_name": "Findings",
        "category_uid": CATEGORY,
        "class_name": "Compliance Finding",
        "class_uid": CLASS,
        "type_name": "Compliance Finding: Create",
        "type_uid": CLASS * 100 + CREATE,
        "compliance": compliance,
        "finding_info": {
            "uid": one.fingerprint,
            "title": one.name.as_str(),
            "desc": one.told(),
            "created_time": at,
            "types": [one.rule],
        },
        "message": one.told(),
        "metadata": {
            "product": {
                "name": "Deadstop",
                "vendor_name": "Deadstop",
                "version": Shown::name(&assessment.tool.version).as_str(),
            },
            "version": VERSION,
        },
        "resources": [resource(one)],
        "severity": severity,
        "severity_id": severity_id,
        // A waiver is the one thing here that anybody did about it.
        "status": if one.waiver.is_some() { "Suppressed" } else { "New" },
        "status_id": if one.waiver.is_some() { 3 } else { 1 },
        "time": at,
        "unmapped": {"verdict": one.verdict.word()},
    });
    if let (Of::Check(_, Some(check)), Some(map)) = (one.of, out.as_object_mut()) {
        let fix = Shown::line(&check.fix);
        map.insert("remediation".to_owned(), json!({"desc": fix.as_str(), "references": check.references}));
    }
    out
}

fn resource(one: &Outcome<'_>) -> Value {
    let mut out = json!({"uid": Shown::name(one.key).as_str(), "name": one.name.as_str(), "type": one.kind});
    if let (Of::Answer(asset, _), Some(map)) = (one.of, out.as_object_mut()) {
        map.insert("type".to_owned(), Shown::name(&asset.kind).as_str().into());
        map.insert("namespace".to_owned(), Shown::name(&asset.provider).as_str().into());
        if let Some(environment) = &asset.environment {
            map.insert("labels".to_owned(), json!([format!("environment: {}", Shown::name(environment))]));
        }
    }
    out
}

/// A layer as a check of its own: it passes where it stops the call, or brings the data back.
fn layer(layer: &Layer) -> Value {
    let (status, status_id) = match layer.state {
        LayerState::Stops => ("Pass", 1),
        LayerState::Slows => ("Warning", 2),
        LayerState::Open => ("Fail", 3),
        LayerState::Unknown => ("Unknown", 0),
    };
    let bypass = layer.bypass.as_ref().map(|step| format!(" Round it: {}.", Shown::line(step)));
    json!({
        "uid": layer.layer.word(),
        "name": layer.layer.title(),
        "desc": format!("{}{}", Shown::line(&layer.because), bypass.unwrap_or_default()),
        "status": status,
        "status_id": status_id,
    })
}

const fn state(verdict: Verdict) -> (&'static str, u8) {
    match verdict {
        Verdict::Unknown => ("Unknown", 0),
        Verdict::Pass => ("Pass", 1),
        Verdict::Fail => ("Fail", 3),
        Verdict::NotApplicable => ("Other", 99),
    }
}

const fn rated(severity: Severity) -> (&'static str, u8) {
    match severity {
        Severity::Critical => ("Critical", 5),
        Severity::High => ("High", 4),
        Severity::Medium => ("Medium", 3),
        Severity::Low => ("Low", 2),
        Severity::Info => ("Informational", 1),
    }
}

/// The frameworks that a check gives evidence for; for an answer, this tool's own model.
fn standards(one: &Outcome<'_>) -> Vec<String> {
    match one.of {
        Of::Check(_, Some(check)) if !check.maps_to.is_empty() => {
            check.maps_to.keys().map(|name| Shown::name(name).to_string()).collect()
        }
        Of::Check(..) | Of::Answer(..) | Of::Nothing => vec!["Deadstop".to_owned()],
    }
}

fn requirements(check: &crate::assessment::CheckRow) -> Vec<String> {
    let all = check.maps_to.iter().flat_map(|(name, ids)| ids.iter().map(move |id| format!("{name} {id}")));
    all.map(|text| Shown::name(&text).to_string()).collect()
}
