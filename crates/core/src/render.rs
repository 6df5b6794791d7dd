//! Assessment in, text out (floor 3). Nothing here answers anything: every word follows from the assessment.
//!
//! What people read is made from one view ([`view`](self)), what other programs read from one list of outcomes
//! ([`outcome`](self)). Names are hostile, so a string gets into either only through [`shown::Shown`], which spells out
//! what would disturb a reader.

mod controls;
mod csv;
mod edition;
mod gitlab;
mod html;
mod junit;
mod markdown;
mod ocsf;
mod oscal;
mod outcome;
mod own;
mod parquet;
mod sarif;
mod shown;
mod tables;
mod text;
mod view;

pub use csv::csv;
pub use edition::{Audience, Edition, LARGEST as LARGEST_LOGO, Logo, LogoError};
pub use gitlab::gitlab;
pub use html::{html, html_edition};
pub use junit::junit;
pub use markdown::markdown;
pub use ocsf::ocsf;
pub use oscal::oscal;
pub use outcome::Limits;
pub use own::{LARGEST as LARGEST_TEMPLATE, MOST_FILES as MOST_TEMPLATES, Own, OwnError, SLOTS};
pub use parquet::{Cell, Table, TooLarge, Type};
pub use sarif::{SarifFlavour, sarif};
pub use tables::{table_names, tables};
pub use text::text;

pub(crate) use markdown::escape;
pub(crate) use shown::Shown;

use crate::assessment::Assessment;

/// The report's templates by file name, handed in by the caller: the core opens no file.
///
/// `report.html` is the page, `report.css` its only style sheet, every other one is included by the page.
#[derive(Clone, Copy, Debug)]
pub struct Templates {
    /// File name and text.
    pub files: &'static [(&'static str, &'static str)],
}

impl Templates {
    /// The text of one file.
    ///
    /// # Errors
    /// If it is not there.
    pub(crate) fn get(&self, name: &'static str) -> Result<&'static str, RenderError> {
        let found = self.files.iter().find(|(file, _)| *file == name);
        found.map(|(_, text)| *text).ok_or(RenderError::Missing(name))
    }
}

/// A report that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// A template was not handed in.
    #[error("the template `{0}` is missing")]
    Missing(&'static str),
    /// A template is wrong.
    #[error("a template cannot be rendered: {}", own::told(.0))]
    Template(#[from] minijinja::Error),
    /// A template of the user's own makes what the page may not hold.
    #[error(
        "a template of --templates makes a tag `<{0}>`, which the page may not have: it is text, tables and drawings"
    )]
    Tag(String),
    /// The assessment cannot be written as JSON.
    #[error("the assessment cannot be written: {0}")]
    Json(#[from] serde_json::Error),
}

/// The assessment as JSON: two spaces, a newline at the end.
///
/// # Errors
/// If a value in it has no JSON form.
pub fn json(assessment: &Assessment) -> Result<String, RenderError> {
    pretty(assessment)
}

/// Writes the assessment itself, as [`json`] gives it, without holding it whole.
///
/// # Errors
/// If it cannot be written.
pub fn write_json(assessment: &Assessment, out: &mut dyn std::io::Write) -> std::io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, assessment)?;
    out.write_all(b"\n")
}

/// Two spaces, a newline at the end.
fn pretty<T: serde::Serialize>(value: &T) -> Result<String, RenderError> {
    let mut text = serde_json::to_string_pretty(value)?;
    text.push('\n');
    Ok(text)
}
