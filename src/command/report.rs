//! `deadstop report`: an assessment in, text out.

use anyhow::Context as _;
use deadstop_core::assessment::{Assessment, SCHEMA};
use deadstop_core::{quote, render};
use std::path::PathBuf;

use super::{coloured, read, width};
use crate::cli::{Common, Format, ReportArgs};
use crate::embedded::TEMPLATES;
use crate::output;

pub(super) fn run(args: &ReportArgs, common: &Common) -> anyhow::Result<u8> {
    let text = read(&args.assessment)?;
    let named = || format!("`{}` is no assessment", args.assessment.display());
    let assessment: Assessment = serde_json::from_str(&text)
        .map_err(|error| anyhow::anyhow!("{}", quote::message(&error.to_string())))
        .with_context(named)?;
    anyhow::ensure!(
        assessment.schema == SCHEMA,
        "{}: its schema is {}, and this version reads `{SCHEMA}`",
        named(),
        quote::word(&assessment.schema)
    );
    let several = args.format.len() > 1;
    for format in &args.format {
        let (name, text) = match format {
            Format::Html => ("report.html", render::html(&assessment, &TEMPLATES)?),
            Format::Json => ("assessment.json", render::json(&assessment)?),
            Format::Markdown => ("summary.md", render::markdown(&assessment)),
            Format::Text => ("-", render::text(&assessment, coloured(common), width())),
        };
        let path = match (&args.output, several) {
            (Some(folder), true) if name != "-" => folder.join(name),
            (Some(file), false) => file.clone(),
            (Some(_), true) | (None, _) => PathBuf::from(name),
        };
        output::file(&path, &text)?;
        if !common.quiet && path.as_os_str() != "-" {
            output::stderr(&format!("wrote {}\n", path.display()));
        }
    }
    Ok(0)
}
