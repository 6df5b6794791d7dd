//! A comparison for people.

use std::fmt::{self, Write as _};

use super::{AssetChange, Cause, Change, Diff, FindingChange, PathRow, Standing};

/// How many lines of one kind are shown.
const SHOWN: usize = 20;

/// What changed of one kind, in sentences.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Section {
    /// What they have in common.
    pub title: &'static str,
    /// A sentence for each.
    pub lines: Vec<String>,
    /// Whether it is about assets, and not about what an answer rests on.
    pub of_assets: bool,
}

/// What changed, kind by kind; those of which there is nothing are left out.
#[must_use]
pub fn sections(diff: &Diff) -> Vec<Section> {
    let assets = |change| diff.assets.iter().filter(move |asset| asset.change == change).map(asset).collect();
    let checks = |pick: fn(&FindingChange) -> bool| diff.findings.iter().filter(move |one| pick(one)).map(finding);
    let paths = &diff.paths;
    let of_assets: [(&'static str, Vec<String>); 5] = [
        ("Worse", assets(Change::Worse)),
        ("New assets", assets(Change::New)),
        ("Better", assets(Change::Better)),
        ("No longer listed", assets(Change::Gone)),
        ("Counted otherwise", assets(Change::Moved)),
    ];
    let others: [(&'static str, Vec<String>); 13] = [
        ("Delete paths opened", paths.opened.iter().map(path).collect()),
        ("Delete paths closed", paths.closed.iter().map(path).collect()),
        ("Checks that fail now", checks(|one| one.fails_now() && !one.new_check).collect()),
        ("New checks that fail", checks(|one| one.fails_now() && one.new_check).collect()),
        ("Checks whose answer is no longer known", checks(|one| is(one, "unknown")).collect()),
        ("Checks that no longer fail", checks(|one| was_failing(one) && quiet(one)).collect()),
        ("Accepted by a waiver now", checks(|one| one.waived && !is(one, "unknown")).collect()),
        ("New in reach", diff.credentials_new.clone()),
        ("No longer found in reach", diff.credentials_gone.clone()),
        ("Not read now", diff.gaps_new.clone()),
        ("Read now, or no longer asked", diff.gaps_settled.clone()),
        ("Covered now", diff.covered_now.clone()),
        ("No longer covered", diff.covered_no_more.clone()),
    ];
    let told = |of_assets| move |(title, lines)| Section { title, lines, of_assets };
    let all = of_assets.into_iter().map(told(true)).chain(others.into_iter().map(told(false)));
    all.filter(|section| !section.lines.is_empty()).collect()
}

/// What a change may come from beside the facts, in a sentence.
#[must_use]
pub fn cause(diff: &Diff) -> Option<String> {
    match diff.cause {
        Cause::Facts => None,
        Cause::Rules => Some(
            "Both rest on the same facts: the tool, the checks or the configuration changed, and nothing was solved."
                .to_owned(),
        ),
        Cause::Either => Some(format!(
            "They were made by versions {} and {}: an answer may have changed by that alone.",
            diff.before.version, diff.after.version
        )),
    }
}

/// What was not compared, in a sentence.
#[must_use]
pub fn not_compared(diff: &Diff) -> Option<String> {
    let count = diff.paths.not_compared;
    (count > 0).then(|| format!("Of {count} assets not every kind of path is listed, so theirs were not compared."))
}

/// The comparison as plain text.
///
/// # Errors
/// None: text takes everything that is written to it.
pub fn text(diff: &Diff) -> Result<String, fmt::Error> {
    let mut out = String::new();
    for (side, name) in [(&diff.before, "Before"), (&diff.after, "After")] {
        writeln!(out, "{name:<7} {}  {}", side.assessed_at.day(), side.sentence)?;
    }
    if diff.is_empty() {
        writeln!(out, "\nNothing changed.")?;
        return Ok(out);
    }
    if let Some(cause) = cause(diff) {
        writeln!(out, "\n{cause}")?;
    }
    for section in sections(diff) {
        writeln!(out, "\n{} ({})", section.title, section.lines.len())?;
        for line in section.lines.iter().take(SHOWN) {
            writeln!(out, "  {line}")?;
        }
        if section.lines.len() > SHOWN {
            writeln!(out, "  and {} more; --format json has them all", section.lines.len() - SHOWN)?;
        }
    }
    if let Some(not_compared) = not_compared(diff) {
        writeln!(out, "\n{not_compared}")?;
    }
    Ok(out)
}

fn is(finding: &FindingChange, word: &str) -> bool {
    finding.after.as_deref() == Some(word)
}

fn was_failing(finding: &FindingChange) -> bool {
    finding.before.as_deref() == Some("fail")
}

fn quiet(finding: &FindingChange) -> bool {
    finding.after.is_none() || is(finding, "pass") || is(finding, "not_applicable")
}

fn asset(change: &AssetChange) -> String {
    let word = |standing: Option<Standing>| standing.map_or_else(|| "not there".to_owned(), told);
    let aside = match (change.before, change.after) {
        (Some(before), Some(after)) if before.in_headline != after.in_headline => {
            if after.in_headline {
                "; counts as production now"
            } else {
                "; no longer counts as production"
            }
        }
        (_, Some(after)) if !after.in_headline => "; not production",
        _ => "",
    };
    format!("{}: {} → {}{aside}. {}", change.name, word(change.before), word(change.after), change.sentence)
}

fn path(row: &PathRow) -> String {
    let [worst, best] = row.bounds;
    let bounds = if worst == best { worst.word().to_owned() } else { format!("{} to {}", worst.word(), best.word()) };
    let states: Vec<&str> = row.states.iter().map(|state| state.word()).collect();
    format!("{} by {} on {}: {bounds} ({})", row.action, row.session, row.asset, states.join(", "))
}

fn told(standing: Standing) -> String {
    let [worst, best] = standing.bounds;
    let rated = if standing.rated == worst || worst != best { "" } else { ", outside RPO/RTO" };
    if worst == best {
        format!("{}{rated}", worst.word())
    } else {
        format!("between {} and {}", worst.word(), best.word())
    }
}

fn finding(change: &FindingChange) -> String {
    let word = |verdict: Option<&String>| verdict.map_or("not asked", String::as_str).to_owned();
    format!(
        "{} [{}] {}: {} → {}. {}",
        change.check,
        change.severity,
        change.subject_name,
        word(change.before.as_ref()),
        word(change.after.as_ref()),
        change.message
    )
}
