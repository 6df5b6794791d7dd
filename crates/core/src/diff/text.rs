//! A comparison for people.

use std::fmt::{self, Write as _};

use super::{AssetChange, Cause, Change, Diff, FindingChange, PathRow, Standing};

/// How many lines of one kind are shown.
const SHOWN: usize = 20;

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
    match diff.cause {
        Cause::Facts => {}
        Cause::Rules => writeln!(
            out,
            "\nBoth rest on the same facts: the tool, the checks or the configuration changed, and nothing was solved."
        )?,
        Cause::Either => writeln!(
            out,
            "\nThey were made by versions {} and {}: an answer may have changed by that alone.",
            diff.before.version, diff.after.version
        )?,
    }
    let assets = |change| diff.assets.iter().filter(move |asset| asset.change == change).map(asset);
    section(&mut out, "Worse", assets(Change::Worse))?;
    section(&mut out, "New assets", assets(Change::New))?;
    section(&mut out, "Better", assets(Change::Better))?;
    section(&mut out, "No longer listed", assets(Change::Gone))?;
    section(&mut out, "Counted otherwise", assets(Change::Moved))?;
    let paths = &diff.paths;
    section(&mut out, "Delete paths opened", paths.opened.iter().map(path))?;
    section(&mut out, "Delete paths closed", paths.closed.iter().map(path))?;
    if paths.not_compared > 0 {
        writeln!(
            out,
            "\nOf {} assets not every kind of path is listed, so theirs were not compared.",
            paths.not_compared
        )?;
    }
    let checks = |pick: fn(&FindingChange) -> bool| diff.findings.iter().filter(move |one| pick(one)).map(finding);
    section(&mut out, "Checks that fail now", checks(|one| one.fails_now() && !one.new_check))?;
    section(&mut out, "New checks that fail", checks(|one| one.fails_now() && one.new_check))?;
    section(&mut out, "Checks whose answer is no longer known", checks(|one| is(one, "unknown")))?;
    section(&mut out, "Checks that no longer fail", checks(|one| was_failing(one) && quiet(one)))?;
    section(&mut out, "Accepted by a waiver now", checks(|one| one.waived && !is(one, "unknown")))?;
    section(&mut out, "New in reach", diff.credentials_new.iter().cloned())?;
    section(&mut out, "No longer found in reach", diff.credentials_gone.iter().cloned())?;
    section(&mut out, "Not read now", diff.gaps_new.iter().cloned())?;
    section(&mut out, "Read now, or no longer asked", diff.gaps_settled.iter().cloned())?;
    section(&mut out, "Covered now", diff.covered_now.iter().cloned())?;
    section(&mut out, "No longer covered", diff.covered_no_more.iter().cloned())?;
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

fn section(out: &mut String, title: &str, lines: impl Iterator<Item = String>) -> fmt::Result {
    let lines: Vec<String> = lines.collect();
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n{title} ({})", lines.len())?;
    for line in lines.iter().take(SHOWN) {
        writeln!(out, "  {line}")?;
    }
    if lines.len() > SHOWN {
        writeln!(out, "  and {} more; --format json has them all", lines.len() - SHOWN)?;
    }
    Ok(())
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
