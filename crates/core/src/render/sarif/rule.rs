//! The rules of a SARIF file (floor 3): one descriptor for each rule that a result names.

use serde_json::{Value, json};
use std::collections::BTreeMap;

use crate::assessment::CheckRow;
use crate::render::markdown::escape;
use crate::render::outcome::{Of, Outcome};
use crate::render::shown::Shown;
use crate::verdict::{Severity, Verdict};

/// The rule of the result that says how many were left out.
pub(super) const LEFT_OUT: &str = "results-left-out";

/// GitHub takes no longer text for a description.
const LONGEST: usize = 1_000;

/// GitHub shows ten tags of a rule.
const TAGS: usize = 10;

/// The descriptors, by id. One whose results differ in severity has that of the worst, since GitHub reads it there.
pub(super) fn rules(results: &[&Outcome<'_>]) -> Vec<Value> {
    let mut found: BTreeMap<&str, Vec<&Outcome<'_>>> = BTreeMap::new();
    for one in results {
        found.entry(&one.rule).or_default().push(one);
    }
    found.into_iter().filter_map(|(id, of)| Some(rule(id, of.first()?, worst(&of)))).collect()
}

/// The severity of the worst result; a pass has none of its own.
fn worst(of: &[&Outcome<'_>]) -> Severity {
    let failing = of.iter().filter(|one| one.is_result()).map(|one| one.severity).min();
    failing.or_else(|| of.iter().map(|one| one.severity).min()).unwrap_or(Severity::Low)
}

fn rule(id: &str, first: &Outcome<'_>, severity: Severity) -> Value {
    let unknown = first.verdict == Verdict::Unknown;
    match first.of {
        Of::Check(_, Some(check)) => of_check(id, check, unknown, severity),
        Of::Check(finding, None) => {
            let title = format!("The check {} holds", Shown::name(&finding.check));
            descriptor(id, &said(&title, unknown), "", "", severity, unknown, Vec::new())
        }
        Of::Answer(..) | Of::Nothing => {
            let (title, why) = answer(id);
            let fix = "See the plan of least effort in report.html; `deadstop report assessment.json` writes it.";
            descriptor(id, title, why, fix, severity, unknown, Vec::new())
        }
    }
}

fn of_check(id: &str, check: &CheckRow, unknown: bool, severity: Severity) -> Value {
    let controls =
        check.maps_to.iter().flat_map(|(framework, ids)| ids.iter().map(move |id| format!("{framework}/{id}")));
    let tags = std::iter::once(check.item.clone()).chain(controls).collect();
    descriptor(id, &said(&check.title, unknown), &check.why, &check.fix, severity, unknown, tags)
}

/// The title of a rule for what is not known.
fn said(title: &str, unknown: bool) -> String {
    if unknown { format!("Not known: {title}") } else { title.to_owned() }
}

/// What each answer says, and why it matters.
fn answer(id: &str) -> (&'static str, &'static str) {
    match id {
        "answer/nothing" => (
            "Nothing stops the delete, and nothing brings the data back",
            "A session here can get hold of a credential that may destroy the asset, no layer stops the call, and no copy outlives it.",
        ),
        "answer/recoverable" => (
            "Nothing stops the delete; the data can be brought back",
            "No layer stops the call. A copy outlives it; how old it is and how long a restore takes decide what is lost.",
        ),
        "answer/slowed" => (
            "Something slows the delete, and the same session can get round it",
            "What stands before the call can be changed by the session that makes it.",
        ),
        "answer/stopped" => (
            "The delete is stopped",
            "At least one layer stops the call. Where it is a single one, nothing stands behind it.",
        ),
        _ => (
            "Whether the delete is stopped is not known",
            "The answer depends on what could not be read. Not knowing is no pass: it may be as bad as the worst reading.",
        ),
    }
}

fn descriptor(
    id: &str,
    title: &str,
    why: &str,
    fix: &str,
    severity: Severity,
    unknown: bool,
    more: Vec<String>,
) -> Value {
    let full = if why.is_empty() { title } else { why };
    let fix = if fix.is_empty() { "See report.html for the evidence and the plan." } else { fix };
    let mut tags = vec![Shown::name("security")];
    for tag in more.iter().map(|tag| Shown::name(tag)) {
        if !tags.contains(&tag) && tags.len() < TAGS {
            tags.push(tag);
        }
    }
    let (full_text, fix_text) = (Shown::line(full), Shown::line(fix));
    json!({
        "id": id,
        "name": pascal(id),
        "shortDescription": {"text": sentence(title)},
        "fullDescription": {"text": sentence(full)},
        "help": {
            "text": format!("{full_text} {fix_text}"),
            "markdown": format!("{}\n\n**What to do.** {}", escape(&full_text), escape(&fix_text)),
        },
        "defaultConfiguration": {"level": if unknown { "warning" } else { super::level(severity) }},
        "properties": {
            "security-severity": if unknown && severity <= Severity::High { "7.5" } else { score(severity) },
            "precision": if unknown { "medium" } else { "high" },
            "problem.severity": problem(severity, unknown),
            "tags": tags,
        },
    })
}

/// GitHub's ranges leave gaps between them; these values are inside: critical above 9.0, high from 7.0, medium from 4.0.
const fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium => "5.5",
        Severity::Low | Severity::Info => "2.0",
    }
}

const fn problem(severity: Severity, unknown: bool) -> &'static str {
    match severity {
        Severity::Critical | Severity::High if !unknown => "error",
        Severity::Critical | Severity::High | Severity::Medium => "warning",
        Severity::Low | Severity::Info => "recommendation",
    }
}

/// One line within GitHub's limit, ending in a full stop.
fn sentence(text: &str) -> String {
    let shown: String = Shown::line(text).as_str().chars().take(LONGEST).collect();
    let shown = shown.trim();
    if shown.is_empty() {
        "No description.".to_owned()
    } else if shown.ends_with(['.', '?', '!']) {
        shown.to_owned()
    } else {
        format!("{shown}.")
    }
}

/// `database-has-pitr` as `DatabaseHasPitr`: what the standard wants a rule to be called by.
fn pascal(id: &str) -> String {
    let words = id.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let name: String = words
        .flat_map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters)
        })
        .take(200)
        .collect();
    if name.is_empty() { "Rule".to_owned() } else { name }
}

/// The rule under which a cut file says so.
pub(super) fn left_out() -> Value {
    descriptor(
        LEFT_OUT,
        "Every result is shown",
        "More results were found than a run may hold. The worst are kept.",
        "Read assessment.json, findings.csv or junit.xml, which hold all of them.",
        Severity::High,
        true,
        Vec::new(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_have_a_name_and_a_description() {
        assert_eq!(pascal("database-has-pitr/unknown"), "DatabaseHasPitrUnknown");
        assert_eq!(pascal("\"<>"), "Rule");
        assert_eq!(sentence(""), "No description.");
        assert!(sentence(&"x".repeat(5_000)).chars().count() <= 1_024);
    }
}
