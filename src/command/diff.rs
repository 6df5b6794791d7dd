//! `deadstop diff`: two assessments in, what changed out.

use deadstop_core::diff::{self, text::text};
use std::path::Path;

use super::{report, threshold};
use crate::cli::{Common, DiffArgs, DiffFormat};
use crate::{config, exit, output};

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
    let failing = exit::failing(&diff, &after, limit);
    if !common.quiet {
        let what = if failing == 1 { "change is" } else { "changes are" };
        output::stderr(&format!("{failing} {what} at or above --fail-on.\n"));
    }
    Ok(u8::from(failing > 0))
}
