//! `deadstop report`: an assessment in, text out.

use anyhow::Context as _;
use deadstop_core::assessment::{Assessment, SCHEMA};
use deadstop_core::diff::diff;
use deadstop_core::quote;
use deadstop_core::redact::redact;
use deadstop_core::render::{self, Edition, Limits, Logo, Own, SarifFlavour};
use std::path::{Path, PathBuf};

use super::{coloured, read, templates, threshold, width};
use crate::cli::{Common, EditionArgs, Flavour, Format, Redact, ReportArgs};
use crate::embedded::TEMPLATES;
use crate::{config, output};

/// What `run` and `demo` write in any case.
pub(super) const ALWAYS: [Format; 5] = [Format::Html, Format::Json, Format::Markdown, Format::Sarif, Format::Junit];

pub(super) fn run(args: &ReportArgs, common: &Common) -> anyhow::Result<u8> {
    let mut formats: Vec<Format> = Vec::new();
    for format in &args.format {
        if !formats.contains(format) {
            formats.push(*format);
        }
    }
    let paths = paths(&formats, args.output.as_deref())?;
    let config = config::load(common.config.as_deref())?;
    let limits = threshold(config.fail_on, &args.fail_on)?.limits();
    let own = templates::own(&args.edition)?;
    let assessment = assessment(&args.assessment)?;
    let mut edition = edition(&args.edition, config.logo, args.baseline.as_deref(), &assessment)?;
    edition.own = own;
    let assessment = redact(&assessment, args.edition.redact.redact.meant())?;
    if !common.quiet {
        if args.baseline.is_some() && edition.changes.is_none() {
            output::stderr(&format!("Note: {NO_CHANGES}.\n"));
        }
        config.logo_note.iter().for_each(|note| output::stderr(&format!("Note: {note}.\n")));
    }
    for (format, path) in formats.iter().zip(paths) {
        let text = if *format == Format::Text {
            render::text(&assessment, coloured(common), width())
        } else {
            render(&assessment, *format, limits, args.sarif.sarif_flavour, &edition)?
        };
        output::file(&path, &text)?;
        if !common.quiet && path.as_os_str() != "-" {
            output::stderr(&format!("wrote {}\n", path.display()));
        }
    }
    Ok(0)
}

/// Why a hand-out does not say what changed.
pub(super) const NO_CHANGES: &str = "what changed since the baseline holds the names, so it is left out";

/// What of the report is shown, beside a baseline if one was named.
pub(super) fn edition(
    args: &EditionArgs,
    logo: Option<Logo>,
    baseline: Option<&Path>,
    after: &Assessment,
) -> anyhow::Result<Edition> {
    let named = baseline.filter(|_| args.redact.redact == Redact::None);
    let changes = named.map(|path| anyhow::Ok(diff(&assessment(path)?, after))).transpose()?;
    Ok(Edition { audience: args.audience.meant(), logo, changes, own: Own::default() })
}

/// The file that a format is written to; what the terminal shows has none.
pub(super) const fn file_name(format: Format) -> Option<&'static str> {
    match format {
        Format::Html => Some("report.html"),
        Format::Json => Some("assessment.json"),
        Format::Markdown => Some("summary.md"),
        Format::Sarif => Some("deadstop.sarif"),
        Format::Junit => Some("junit.xml"),
        Format::Csv => Some("findings.csv"),
        Format::Gitlab => Some("gl-code-quality.json"),
        Format::Ocsf => Some("ocsf.jsonl"),
        Format::Oscal => Some("oscal.json"),
        Format::Text => None,
    }
}

/// Renders one format.
pub(super) fn render(
    assessment: &Assessment,
    format: Format,
    limits: Limits,
    flavour: Flavour,
    edition: &Edition,
) -> anyhow::Result<String> {
    let flavour = match flavour {
        Flavour::Github => SarifFlavour::Github,
        Flavour::Standard => SarifFlavour::Standard,
    };
    Ok(match format {
        Format::Html => render::html_edition(assessment, &TEMPLATES, edition)?,
        Format::Json => render::json(assessment)?,
        Format::Markdown => render::markdown(assessment),
        Format::Sarif => render::sarif(assessment, flavour)?,
        Format::Junit => render::junit(assessment, limits),
        Format::Csv => render::csv(assessment),
        Format::Gitlab => render::gitlab(assessment)?,
        Format::Ocsf => render::ocsf(assessment)?,
        Format::Oscal => render::oscal(assessment)?,
        Format::Text => render::text(assessment, false, width()),
    })
}

/// Where each format goes: one to the file named or to its own name, several into the folder named. What is wrong is said
/// before anything is written.
fn paths(formats: &[Format], output: Option<&Path>) -> anyhow::Result<Vec<PathBuf>> {
    let several = formats.len() > 1;
    if let Some(path) = output.filter(|_| several) {
        anyhow::ensure!(
            path != Path::new("-"),
            "standard output holds one format, and {} were asked for: name a folder with -o, or one format",
            formats.len()
        );
        anyhow::ensure!(
            path.is_dir(),
            "`{}` is no folder, and {} formats go into one: make it first, or ask for one format",
            path.display(),
            formats.len()
        );
    }
    let path = |format: &Format| match (output, file_name(*format)) {
        (Some(file), _) if !several && !file.is_dir() => file.to_owned(),
        (Some(folder), Some(name)) => folder.join(name),
        (None, Some(name)) => PathBuf::from(name),
        (_, None) => PathBuf::from("-"),
    };
    Ok(formats.iter().map(path).collect())
}

/// Reads an assessment that the user named.
pub(super) fn assessment(path: &Path) -> anyhow::Result<Assessment> {
    let text = read(path)?;
    let named = || format!("`{}` is no assessment", path.display());
    let assessment: Assessment = serde_json::from_str(&text)
        .map_err(|error| anyhow::anyhow!("{}", quote::message(&error.to_string())))
        .with_context(named)?;
    anyhow::ensure!(
        assessment.schema == SCHEMA,
        "{}: its schema is {}, and this version reads `{SCHEMA}`",
        named(),
        quote::word(&assessment.schema)
    );
    Ok(assessment)
}
