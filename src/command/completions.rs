//! `deadstop completions`: a completion script for a shell.

use clap::CommandFactory as _;

use crate::cli::{Cli, CompletionsArgs};
use crate::output;

pub(super) fn run(args: &CompletionsArgs) -> anyhow::Result<u8> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "deadstop", &mut script);
    output::stdout(&String::from_utf8(script)?)?;
    Ok(0)
}
