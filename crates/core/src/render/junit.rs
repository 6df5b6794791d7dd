//! JUnit XML (floor 3). There is no standard; the shape is valid under the schema of Jenkins' xunit plugin (`junit-10.xsd`)
//! and under the older one derived from Ant (`JUnit.xsd`), which agree on less than either allows.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::outcome::{Gate, Limits, Of, Outcome, SUBJECTS, layer_lines, outcomes};
use super::shown::Shown;
use crate::assessment::Assessment;
use crate::verdict::Verdict;

/// Renders one suite per kind of subject, one case per answer and per verdict. A case fails if and only if the exit code
/// counts it; what is not known is an error, what is not judged is skipped.
#[must_use]
pub fn junit(assessment: &Assessment, limits: Limits) -> String {
    let all = outcomes(assessment, limits);
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    let mut number = 0;
    for kind in SUBJECTS {
        let cases: Vec<&Outcome<'_>> = all.iter().filter(|one| one.kind == kind).collect();
        if !cases.is_empty() {
            suite(&mut out, assessment, number, kind, &cases);
            number += 1;
        }
    }
    out.push_str("</testsuites>\n");
    out
}

fn suite(out: &mut String, assessment: &Assessment, number: usize, kind: &str, cases: &[&Outcome<'_>]) {
    let count = |gate: Gate| cases.iter().filter(|one| one.gate == gate).count();
    let (failures, errors, skipped) = (count(Gate::Fails), count(Gate::Unknown), count(Gate::Skipped));
    // Neither schema takes a zone, and one takes no fraction: seconds of UTC.
    let moment = assessment.assessed_at.to_string().trim_end_matches('Z').to_owned();
    let _ = writeln!(
        out,
        "  <testsuite id=\"{number}\" package=\"deadstop\" hostname=\"localhost\" name=\"{kind}\" tests=\"{}\" \
         failures=\"{failures}\" errors=\"{errors}\" skipped=\"{skipped}\" time=\"0.000\" timestamp=\"{moment}\">",
        cases.len()
    );
    let version = attribute(Shown::name(&assessment.tool.version).as_str());
    let _ = writeln!(
        out,
        "    <properties>\n      <property name=\"deadstop.version\" value=\"{version}\"/>\n    </properties>"
    );
    let mut said = Vec::new();
    for (one, name) in cases.iter().zip(names(cases)) {
        case(out, one, &name);
        if matches!(one.gate, Gate::Passes | Gate::Skipped) {
            said.push(format!("{} {name}: {}", classname(one), beside(one)));
            said.extend(layer_lines(one.layers).iter().map(|line| format!("  {line}")));
        }
    }
    let _ = writeln!(
        out,
        "    <system-out>{}</system-out>\n    <system-err></system-err>\n  </testsuite>",
        text(&said.join("\n"))
    );
}

fn case(out: &mut String, one: &Outcome<'_>, name: &str) {
    let _ = write!(
        out,
        "    <testcase classname=\"{}\" name=\"{}\" time=\"0.000\"",
        attribute(&classname(one)),
        attribute(name)
    );
    let (tag, kind) = match one.gate {
        Gate::Fails => ("failure", kind(one)),
        Gate::Unknown => ("error", "unknown"),
        Gate::Skipped => {
            out.push_str("><skipped/></testcase>\n");
            return;
        }
        Gate::Passes => {
            out.push_str("/>\n");
            return;
        }
    };
    let mut body = layer_lines(one.layers);
    body.extend(one.notes.iter().map(Shown::to_string));
    if let Of::Check(_, Some(check)) = one.of {
        body.push(format!("Why: {}", Shown::line(&check.why)));
        body.push(format!("Fix: {}", Shown::line(&check.fix)));
    }
    let message = attribute(one.message.as_str());
    let _ = writeln!(
        out,
        ">\n      <{tag} type=\"{kind}\" message=\"{message}\">{}</{tag}>\n    </testcase>",
        text(&body.join("\n"))
    );
}

/// `answer`, or the id of the check.
fn classname(one: &Outcome<'_>) -> String {
    match one.of {
        Of::Check(finding, _) => Shown::name(&finding.check).to_string(),
        Of::Answer(..) | Of::Nothing => "answer".to_owned(),
    }
}

/// The answer's word, or the check's severity.
fn kind(one: &Outcome<'_>) -> &'static str {
    match one.of {
        Of::Answer(asset, _) => asset.answer.word(),
        Of::Check(..) => one.severity.word(),
        Of::Nothing => "unknown",
    }
}

/// What stands in the suite's output for a case without a body.
fn beside(one: &Outcome<'_>) -> String {
    let notes: Vec<&str> = std::iter::once(&one.message).chain(&one.notes).map(Shown::as_str).collect();
    let verdict = if one.verdict == Verdict::Pass { String::new() } else { format!("{}. ", one.verdict.word()) };
    format!("{verdict}{}", notes.join(" "))
}

/// The subject's name; with its key where two cases of a class share one, and with the fingerprint where keys do too.
fn names(cases: &[&Outcome<'_>]) -> Vec<String> {
    let mut shared: BTreeMap<(String, String), usize> = BTreeMap::new();
    let with_key = |one: &Outcome<'_>| format!("{} ({})", one.name, Shown::name(one.key));
    for one in cases {
        *shared.entry((classname(one), one.name.to_string())).or_default() += 1;
        *shared.entry((classname(one), with_key(one))).or_default() += 1;
    }
    let alone =
        |one: &Outcome<'_>, name: &String| shared.get(&(classname(one), name.clone())).is_some_and(|count| *count == 1);
    let name = |one: &&Outcome<'_>| {
        let tries = [one.name.to_string(), with_key(one)];
        let free = tries.into_iter().find(|name| alone(one, name));
        free.unwrap_or_else(|| format!("{} [{}]", with_key(one), one.fingerprint))
    };
    cases.iter().map(name).collect()
}

/// Text between tags. XML 1.0 has no way to write most control characters and two others, so they are spelled.
fn text(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' => out.push(c),
            '\u{fffe}' | '\u{ffff}' => out.extend(c.escape_unicode()),
            _ if c.is_control() => out.extend(c.escape_unicode()),
            _ => out.push(c),
        }
    }
    out
}

/// An attribute's value: on one line.
fn attribute(value: &str) -> String {
    text(value).replace(['\n', '\t'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// XML 1.0, section 2.2: `#x9 | #xA | #xD | [#x20-#xD7FF] | [#xE000-#xFFFD] | [#x10000-#x10FFFF]`.
    #[test]
    fn what_xml_forbids_is_spelled() {
        assert_eq!(text("a\u{0}b\u{1f}\u{ffff}\u{fffe}\u{10ffff}"), "a\\u{0}b\\u{1f}\\u{ffff}\\u{fffe}\u{10ffff}");
        assert_eq!(attribute("]]>\"<&\n"), "]]&gt;&quot;&lt;&amp; ");
    }
}
