//! `deadstop export`: an assessment, and the facts, as tables for query engines.

use anyhow::Context as _;
use deadstop_core::assessment::Assessment;
use deadstop_core::redact::redact;
use deadstop_core::render::{table_names, tables};
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::Path;

use super::{read_bundle, report};
use crate::cli::{Common, ExportArgs, Redact};
use crate::output;

pub(super) fn run(args: &ExportArgs, common: &Common) -> anyhow::Result<u8> {
    let redacted = args.redact.redact != Redact::None;
    anyhow::ensure!(
        !redacted || args.facts.is_none(),
        "the facts hold the names, so that `--facts` and `--redact` do not go together"
    );
    let names = table_names();
    usable(&args.parquet, &names)?;
    let assessment: Assessment = report::assessment(&args.assessment)?;
    let facts = args.facts.as_deref().map(read_bundle).transpose()?;
    let shown = redact(&assessment, args.redact.redact.meant())?;
    let made = tables(&shown, facts.as_ref())?;
    let files: Vec<(&str, Vec<u8>)> =
        made.iter().map(|table| Ok((table.name, table.parquet()?))).collect::<anyhow::Result<_>>()?;
    let folder = args.parquet.display();
    let make = DirBuilder::new().recursive(true).mode(0o700).create(&args.parquet);
    make.with_context(|| format!("cannot write `{folder}`"))?;
    for name in &names {
        let path = args.parquet.join(format!("{name}.parquet"));
        match files.iter().find(|(own, _)| own == name) {
            Some((_, bytes)) => output::written(&path, &mut |out| out.write_all(bytes))?,
            // Facts of an earlier export do not stay beside what they are not of.
            None => match fs::remove_file(&path) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(error).with_context(|| format!("cannot remove `{}`", path.display()));
                }
                Ok(()) | Err(_) => {}
            },
        }
    }
    if !common.quiet {
        let rows: usize = made.iter().map(|table| table.rows.len()).sum();
        output::stderr(&format!("wrote {} tables with {rows} rows to {folder}\n", files.len()));
    }
    Ok(0)
}

/// Refuses a folder that holds something else than such tables.
fn usable(folder: &Path, names: &[&str]) -> anyhow::Result<()> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        entries => entries.with_context(|| format!("cannot write `{}`", folder.display()))?,
    };
    for entry in entries {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let ours = name.strip_suffix(".parquet").is_some_and(|name| names.contains(&name));
        anyhow::ensure!(
            ours || name.starts_with(".deadstop-"),
            "`{}` holds something else than tables of Deadstop (`{}`): nothing was written. Name another folder",
            folder.display(),
            name.escape_debug()
        );
    }
    Ok(())
}
