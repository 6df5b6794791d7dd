//! `deadstop iam simulate`: decides AWS requests offline.

use deadstop_core::iam::simulate::simulate;

use super::read;
use crate::cli::{IamArgs, IamCommand};
use crate::output;

pub(super) fn run(args: &IamArgs) -> anyhow::Result<u8> {
    let IamCommand::Simulate(args) = &args.command;
    let text = read(&args.input)?;
    anyhow::ensure!(
        !text.trim().is_empty(),
        "there is no request in the input: `deadstop iam simulate --help` shows one, to put into a file"
    );
    let answers = simulate(&text)?;
    output::stdout(&format!("{}\n", serde_json::to_string_pretty(&answers)?))?;
    Ok(if answers.decided() { 0 } else { 3 })
}
