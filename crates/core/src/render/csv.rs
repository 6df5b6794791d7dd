//! CSV by RFC 4180 (floor 3): UTF-8, CRLF, a header; a row per path and layer, and a row per finding.

use std::collections::BTreeMap;

use super::outcome::{Limits, Of, Outcome, outcomes};
use super::shown::Shown;
use crate::assessment::{Assessment, AssetAnswer, Layer, LocationRow, PathAnswer};

/// The header. Columns are added at the end and never renamed.
const COLUMNS: [&str; 29] = [
    "record",
    "rule",
    "fingerprint",
    "verdict",
    "severity",
    "answer",
    "subject_kind",
    "subject_key",
    "subject_name",
    "provider",
    "asset_kind",
    "environment",
    "in_headline",
    "path_key",
    "session",
    "credential",
    "principal",
    "action",
    "rests_on_agent",
    "layer",
    "state",
    "basis",
    "because",
    "bypass",
    "evidence",
    "message",
    "waiver",
    "location",
    "path_answer",
];

/// Renders answers, paths and findings for a spreadsheet. A cell that a spreadsheet would take for a formula begins with `'`.
#[must_use]
pub fn csv(assessment: &Assessment) -> String {
    let table = Table::of(assessment);
    let mut out = String::new();
    row(&mut out, COLUMNS.iter().map(|name| (*name).to_owned()));
    for one in outcomes(assessment, Limits::default()) {
        match one.of {
            Of::Answer(asset, worst) => table.answer(&mut out, &one, asset, worst),
            Of::Check(finding, _) => {
                let mut cells = common(&one, "finding");
                cells.insert("evidence", finding.evidence.join(" "));
                cells.insert("location", finding.location.as_deref().map(location).unwrap_or_default());
                write(&mut out, &cells);
            }
            Of::Nothing => write(&mut out, &common(&one, "answer")),
        }
    }
    out
}

type Cells = BTreeMap<&'static str, String>;

/// What rows look up by display number.
struct Table<'a> {
    paths: BTreeMap<&'a str, &'a PathAnswer>,
    sessions: BTreeMap<&'a str, &'a str>,
    credentials: BTreeMap<&'a str, &'a str>,
}

impl<'a> Table<'a> {
    fn of(assessment: &'a Assessment) -> Self {
        Self {
            paths: assessment.paths.iter().map(|path| (path.id.as_str(), path)).collect(),
            sessions: assessment.sessions.iter().map(|one| (one.id.as_str(), one.key.as_str())).collect(),
            credentials: assessment.credentials.iter().map(|one| (one.id.as_str(), one.key.as_str())).collect(),
        }
    }

    /// The six layers of each path shown; for an asset without a path, where it stops.
    fn answer(&self, out: &mut String, one: &Outcome<'_>, asset: &AssetAnswer, worst: Option<&PathAnswer>) {
        let mut cells = common(one, "answer");
        cells.insert("answer", asset.answer.word().to_owned());
        cells.insert("provider", asset.provider.clone());
        cells.insert("asset_kind", asset.kind.clone());
        cells.insert("environment", asset.environment.clone().unwrap_or_else(|| "unknown".to_owned()));
        cells.insert("in_headline", asset.in_headline.to_string());
        let shown = asset.paths.iter().filter_map(|id| self.paths.get(id.as_str()).copied());
        let mut paths: Vec<&PathAnswer> = worst.into_iter().collect();
        paths.extend(shown.filter(|path| worst.is_none_or(|worst| worst.id != path.id)));
        if paths.is_empty() {
            asset.layers.iter().for_each(|layer| write(out, &with_layer(cells.clone(), layer)));
            if asset.layers.is_empty() {
                write(out, &cells);
            }
        }
        for path in paths {
            let mut cells = cells.clone();
            let named = |map: &BTreeMap<&str, &str>, id: &str| map.get(id).copied().unwrap_or(id).to_owned();
            cells.insert("path_key", path.key.clone());
            cells.insert("path_answer", path.answer.word().to_owned());
            cells.insert("session", named(&self.sessions, &path.session));
            let credential = path.credential.as_deref().map(|id| named(&self.credentials, id));
            cells.insert("credential", credential.unwrap_or_default());
            cells.insert("principal", path.principals.last().cloned().unwrap_or_default());
            cells.insert("action", path.action.clone());
            cells.insert("rests_on_agent", path.rests_on_agent.to_string());
            path.layers.iter().for_each(|layer| write(out, &with_layer(cells.clone(), layer)));
        }
    }
}

fn common(one: &Outcome<'_>, record: &str) -> Cells {
    Cells::from([
        ("record", record.to_owned()),
        ("rule", one.rule.clone()),
        ("fingerprint", one.fingerprint.clone()),
        ("verdict", one.verdict.word().to_owned()),
        ("severity", one.severity.word().to_owned()),
        ("subject_kind", one.kind.to_owned()),
        ("subject_key", one.key.to_owned()),
        ("subject_name", one.name.to_string()),
        ("message", one.message.to_string()),
        ("waiver", one.waiver.as_ref().map(Shown::to_string).unwrap_or_default()),
    ])
}

fn with_layer(mut cells: Cells, layer: &Layer) -> Cells {
    cells.insert("layer", layer.layer.word().to_owned());
    cells.insert("state", layer.state.word().to_owned());
    cells.insert("basis", layer.basis.word().to_owned());
    cells.insert("because", layer.because.clone());
    cells.insert("bypass", layer.bypass.clone().unwrap_or_default());
    cells.insert("evidence", layer.evidence.join(" "));
    cells
}

fn location(location: &LocationRow) -> String {
    location.line.map_or_else(|| location.path.clone(), |line| format!("{}:{line}", location.path))
}

fn write(out: &mut String, cells: &Cells) {
    row(out, COLUMNS.iter().map(|name| cells.get(name).cloned().unwrap_or_default()));
}

fn row(out: &mut String, cells: impl Iterator<Item = String>) {
    let cells: Vec<String> = cells.map(|text| cell(&text)).collect();
    out.push_str(&cells.join(","));
    out.push_str("\r\n");
}

/// One cell: nothing hidden in it, no formula, quoted.
fn cell(value: &str) -> String {
    let shown = Shown::line(value);
    let text = shown.as_str();
    let formula = text.trim_start().starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guard = if formula { "'" } else { "" };
    if !formula && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/' | ':')) {
        return text.to_owned();
    }
    format!("\"{guard}{}\"", text.replace('"', "\"\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula_or_ends_its_row() {
        assert_eq!(cell("=HYPERLINK(\"x\")"), "\"'=HYPERLINK(\"\"x\"\")\"");
        for start in ["+1", "-1", "@SUM(A1)", "  =1", "\t=1", "\r=1"] {
            let out = cell(start);
            assert!(out.starts_with("\"'") || out.starts_with("\"\\u{"), "{out}");
        }
        assert_eq!(cell("a,b\r\nc"), "\"a,b\\u{d}\\u{a}c\"");
        assert_eq!(cell("rds:DeleteDBInstance"), "rds:DeleteDBInstance");
    }
}
