//! `deadstop man`: the manual, as roff, from the same description as the help.

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_mangen::Man;

use crate::cli::{Cli, Common, ManArgs};
use crate::output;

pub(super) fn run(args: &ManArgs, common: &Common) -> anyhow::Result<u8> {
    let mut program = Cli::command();
    program.build();
    let Some(folder) = &args.output else {
        output::stdout(&page(&program)?)?;
        return Ok(0);
    };
    std::fs::create_dir_all(folder).with_context(|| format!("cannot write `{}`", folder.display()))?;
    let mut names = vec!["deadstop.1".to_owned()];
    output::file(&folder.join("deadstop.1"), &page(&program)?)?;
    for command in program.get_subcommands().filter(|command| command.get_name() != "help" && !command.is_hide_set()) {
        let name = format!("deadstop-{}.1", command.get_name());
        output::file(&folder.join(&name), &page(command)?)?;
        names.push(name);
    }
    if !common.quiet {
        output::stderr(&format!("wrote {} pages into {}\n", names.len(), folder.display()));
    }
    Ok(0)
}

fn page(command: &clap::Command) -> anyhow::Result<String> {
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page)?;
    Ok(String::from_utf8(page)?)
}
