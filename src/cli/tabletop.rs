//! What may be typed to hold a tabletop exercise.

use clap::{Args, Subcommand};
use std::path::PathBuf;

use super::examples;

/// Arguments of `tabletop`.
#[derive(Args, Debug)]
pub struct TabletopArgs {
    /// What to do.
    #[command(subcommand)]
    pub what: TabletopCommand,
}

/// The steps of an exercise.
#[derive(Debug, Subcommand)]
pub enum TabletopCommand {
    /// Write the facilitator's guide, the participants' version and the file to fill in.
    #[command(after_help = examples::TABLETOP)]
    Prepare(PrepareArgs),
    /// Lead through the exercise: tell each inject, ask each question, write the answers down.
    #[command(after_help = examples::TABLETOP)]
    Run(GuideArgs),
    /// Check what was filled in, and put it into the assessment.
    #[command(after_help = examples::TABLETOP)]
    Record(RecordArgs),
}

/// What the exercise is about.
#[derive(Args, Debug)]
pub struct AboutArgs {
    /// The assessment that it is written from.
    #[arg(
        long,
        value_name = "FILE",
        default_value = "deadstop-report/assessment.json",
        env = "DEADSTOP_ASSESSMENT",
        help_heading = "Input"
    )]
    pub assessment: PathBuf,
    /// A built-in incident instead: see `deadstop demo --list`.
    #[arg(long, value_name = "WORLD", env = "DEADSTOP_WORLD", help_heading = "Input")]
    pub world: Option<String>,
}

/// Arguments of `tabletop prepare`.
#[derive(Args, Debug)]
pub struct PrepareArgs {
    /// What it is about.
    #[command(flatten)]
    pub about: AboutArgs,
    /// The folder to write to. A `tabletop.yaml` that is there is never overwritten: it may hold answers.
    #[arg(
        long,
        short,
        value_name = "DIR",
        default_value = "deadstop-tabletop",
        env = "DEADSTOP_OUTPUT",
        help_heading = "Output"
    )]
    pub output: PathBuf,
}

/// Arguments of `tabletop run`.
#[derive(Args, Debug)]
pub struct GuideArgs {
    /// The file to fill in, which is written after each answer.
    #[arg(value_name = "FILE", default_value = "deadstop-tabletop/tabletop.yaml")]
    pub file: PathBuf,
    /// What it is about.
    #[command(flatten)]
    pub about: AboutArgs,
}

/// Arguments of `tabletop record`.
#[derive(Args, Debug)]
pub struct RecordArgs {
    /// The file that was filled in.
    #[arg(value_name = "FILE", default_value = "deadstop-tabletop/tabletop.yaml")]
    pub file: PathBuf,
    /// What it is about.
    #[command(flatten)]
    pub about: AboutArgs,
    /// The assessment to write, with the exercise in it; `-` is standard output.
    #[arg(long, short, value_name = "FILE", default_value = "-", env = "DEADSTOP_OUTPUT", help_heading = "Output")]
    pub output: PathBuf,
}
