//! `deadstop credentials`: the first stage alone.

use deadstop_core::assess;
use deadstop_core::assessment::CredentialRow;
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::collect::{live, plan, read, scope};
use super::left;
use crate::cli::{Common, CredentialsArgs, ListFormat};
use crate::{config, output};

pub(super) fn run(args: &CredentialsArgs, common: &Common, stop: &Arc<AtomicBool>) -> anyhow::Result<u8> {
    let config = config::load(common.config.as_deref())?;
    let scope = scope(&args.scope)?;
    if args.scope.plan {
        return plan(&scope, live(common, &config)?.as_ref());
    }
    let machine = read(&scope, &config, common, stop)?;
    let rows = assess::credentials(&machine.bundle, &config.policy);
    let mut text = String::new();
    match args.format {
        ListFormat::Json => {
            for row in &rows {
                writeln!(text, "{}", serde_json::to_string(row)?)?;
            }
        }
        ListFormat::Table => table(&rows, &mut text)?,
    }
    output::stdout(&text)?;
    if !common.quiet {
        for note in config.notes.iter().chain(&machine.notes) {
            output::stderr(&format!("Note: {note}.\n"));
        }
        let stats = machine.stats;
        let files = if stats.files == 1 { "1 file".to_owned() } else { format!("{} files", stats.files) };
        let size = if stats.bytes < 1_000_000 {
            format!("{} kB", stats.bytes.div_ceil(1_000))
        } else {
            format!("{} MB", stats.bytes / 1_000_000)
        };
        output::stderr(&format!("{files} read, {size} in all. {}\n", left(&machine.calls)));
    }
    Ok(0)
}

/// One credential a paragraph: what it is, then each place where it lies.
fn table(rows: &[CredentialRow], text: &mut String) -> std::fmt::Result {
    if rows.is_empty() {
        return writeln!(
            text,
            "No credential was found. An agent may still reach some: give the folders that it works in, and run this as the user that it runs as."
        );
    }
    for row in rows {
        let id = row.public_id.as_deref().map_or_else(String::new, |id| format!("  {}", output::safe(id)));
        writeln!(
            text,
            "{:<4} {} {}{id}  ({})",
            row.id,
            output::safe(&row.provider),
            output::safe(&row.kind.replace('_', " ")),
            row.status
        )?;
        for location in &row.locations {
            let line = location.line.map_or_else(String::new, |line| format!(":{line}"));
            let key = location.key.as_deref().map_or_else(String::new, |key| format!("  {}", output::safe(key)));
            let kind = if location.kind == "file" { String::new() } else { format!("{} ", location.kind) };
            writeln!(text, "     {kind}{}{line}{key}", output::safe(&location.path))?;
        }
    }
    Ok(())
}
