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
    let mut pages = Vec::new();
    gather(&program, "", &mut pages)?;
    for (name, page) in &pages {
        output::file(&folder.join(format!("{name}.1")), page)?;
    }
    if !common.quiet {
        output::stderr(&format!("wrote {} pages into {}\n", pages.len(), folder.display()));
    }
    Ok(0)
}

/// A page for a command and for each below it, by the words that are typed, joined by hyphens.
fn gather(command: &clap::Command, above: &str, pages: &mut Vec<(String, String)>) -> anyhow::Result<()> {
    let name = format!("{above}{}", command.get_name());
    let below = command.get_subcommands().filter(|inner| inner.get_name() != "help" && !inner.is_hide_set());
    for inner in below {
        gather(inner, &format!("{name}-"), pages)?;
    }
    let page = page(command)?;
    pages.push((name, page));
    Ok(())
}

fn page(command: &clap::Command) -> anyhow::Result<String> {
    let mut page = Vec::new();
    let version = concat!("deadstop ", env!("CARGO_PKG_VERSION"));
    Man::new(command.clone()).source(version).manual("Deadstop").render(&mut page)?;
    Ok(String::from_utf8(page)?)
}
