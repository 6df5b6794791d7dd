//! What may be typed to see a fix.

use clap::Args;
use std::path::PathBuf;

use super::DiffFormat;

/// Which fix is printed.
#[derive(Args, Debug)]
pub struct FixArgs {
    /// The fix, by its id or its key; without it all of them are listed.
    #[arg(value_name = "ID")]
    pub fix: Option<String>,
    /// The assessment that names it; `-` is standard input.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "deadstop-report/assessment.json",
        env = "DEADSTOP_ASSESSMENT",
        help_heading = "Input"
    )]
    pub assessment: PathBuf,
    /// How it is written.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = DiffFormat::Text, env = "DEADSTOP_FORMAT", help_heading = "Output")]
    pub format: DiffFormat,
    /// The file to write; `-` is standard output.
    #[arg(long, short, value_name = "FILE", default_value = "-", env = "DEADSTOP_OUTPUT", help_heading = "Output")]
    pub output: PathBuf,
}
