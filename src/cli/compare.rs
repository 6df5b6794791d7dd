//! What may be typed to compare reports with one another, and to hand them to other programs.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

use super::RedactArgs;

/// What is exported.
#[derive(Args, Debug)]
pub struct ExportArgs {
    /// An assessment; `-` is standard input.
    #[arg(value_name = "ASSESSMENT", default_value = "deadstop-report/assessment.json")]
    pub assessment: PathBuf,
    /// The folder for the tables, one file of Parquet each.
    #[arg(long, value_name = "DIR", env = "DEADSTOP_PARQUET", help_heading = "Output")]
    pub parquet: PathBuf,
    /// The facts bundle that it follows from, for a table of every fact.
    #[arg(long, value_name = "FILE", env = "DEADSTOP_FACTS", help_heading = "Output")]
    pub facts: Option<PathBuf>,
    /// What is replaced.
    #[command(flatten)]
    pub redact: RedactArgs,
}

/// Which assessments are compared.
#[derive(Args, Debug)]
pub struct DiffArgs {
    /// The older assessment.
    #[arg(value_name = "OLD")]
    pub old: PathBuf,
    /// The newer assessment.
    #[arg(value_name = "NEW")]
    pub new: PathBuf,
    /// How the comparison is written.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = DiffFormat::Text, env = "DEADSTOP_FORMAT", help_heading = "Output")]
    pub format: DiffFormat,
    /// The file to write; `-` is standard output.
    #[arg(long, short, value_name = "FILE", default_value = "-", env = "DEADSTOP_OUTPUT", help_heading = "Output")]
    pub output: PathBuf,
    /// Exit 1 if a production asset is new or worse and at this answer or worse, or a check of this severity fails that did
    /// not before. Without it the exit code is 0.
    #[arg(
        long,
        value_name = "ANSWER|SEVERITY",
        value_delimiter = ',',
        env = "DEADSTOP_FAIL_ON",
        help_heading = "Answers"
    )]
    pub fail_on: Vec<String>,
}

/// How a comparison is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum DiffFormat {
    /// For people.
    Text,
    /// For scripts: `deadstop.diff/1`.
    Json,
}
