//! `deadstop diff`: two assessments in, what changed out.

use deadstop_core::assessment::Assessment;
use deadstop_core::diff::{self, AssetChange, Change, Diff, text::text};
use std::path::Path;

use super::{report, threshold};
use crate::cli::{Common, DiffArgs, DiffFormat};
use crate::exit::{self, Threshold};
use crate::{config, output};

pub(super) fn run(args: &DiffArgs, common: &Common) -> anyhow::Result<u8> {
    let limit = if args.fail_on.is_empty() {
        None
    } else {
        Some(threshold(config::load(common.config.as_deref())?.fail_on, &args.fail_on)?)
    };
    let both_pipes = [&args.old, &args.new].iter().all(|path| path.as_path() == Path::new("-"));
    anyhow::ensure!(!both_pipes, "standard input holds one assessment: name a file for the other");
    let (before, after) = (report::assessment(&args.old)?, report::assessment(&args.new)?);
    let diff = diff::diff(&before, &after);
    let written = match args.format {
        DiffFormat::Text => output::safe(&text(&diff)?),
        DiffFormat::Json => format!("{}\n", serde_json::to_string_pretty(&diff)?),
    };
    output::file(&args.output, &written)?;
    let Some(limit) = limit else { return Ok(0) };
    let failing = failing(&diff, &after, limit);
    if !common.quiet {
        let what = if failing == 1 { "change is" } else { "changes are" };
        output::stderr(&format!("{failing} {what} at or above --fail-on.\n"));
    }
    Ok(u8::from(failing > 0))
}

/// How many changes are at the threshold: production assets that are new or worse, and checks that fail now.
fn failing(diff: &Diff, after: &Assessment, limit: Threshold) -> usize {
    let accepted = |change: &AssetChange| {
        let finding = |finding: &&deadstop_core::assessment::Finding| {
            finding.check == exit::SURVIVES && finding.subject == change.key
        };
        after.findings.iter().find(finding).is_some_and(|finding| finding.waiver.is_some())
    };
    // An asset that only now counts as production is as new to whoever asks as one that was not there.
    let worse = |change: &&AssetChange| {
        let counted = change.after.is_some_and(|now| now.in_headline);
        let moved = change.before.is_some_and(|before| !before.in_headline);
        counted && (moved || matches!(change.change, Change::New | Change::Worse)) && !accepted(change)
    };
    let reached = |change: &&AssetChange| change.after.is_some_and(|now| limit.reached(exit::at_best(&now)));
    let assets = diff.assets.iter().filter(worse).filter(reached).count();
    let checks = diff.findings.iter().filter(|change| change.fails_now() && limit.includes(change.severity())).count();
    assets + checks
}
