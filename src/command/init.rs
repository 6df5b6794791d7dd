//! `deadstop init`: a starting `deadstop.yaml` from what is found here.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::collect::{plan, read, scope};
use crate::cli::{Common, InitArgs};
use crate::config::{self, Config, starting};
use crate::output;

pub(super) fn run(args: &InitArgs, common: &Common, stop: &Arc<AtomicBool>) -> anyhow::Result<u8> {
    let to_file = args.output.as_os_str() != "-";
    // What is there is left as it is, and nothing is read for nothing.
    anyhow::ensure!(
        !to_file || !taken(&args.output),
        "`{0}` is there already and is never overwritten: name another file with -o, or print what would be written with -o -",
        args.output.display()
    );
    let scope = scope(&args.scope)?;
    if args.scope.plan {
        return plan(&scope, None);
    }
    let machine = read(&scope, &Config::default(), common, stop)?;
    let text = starting::text(&machine.bundle);
    config::check(&text, &args.output).map_err(|error| {
        anyhow::anyhow!("internal error, please report it: what `init` writes has a mistake: {error}")
    })?;
    if !to_file {
        output::stdout(&text)?;
        return Ok(0);
    }
    output::new_file(&args.output, &text)?;
    if !common.quiet {
        let path = args.output.display();
        output::stderr(&format!(
            "Wrote {path}, from {} found here. Nothing left this machine.\n\
             Next: read it, take out the marks before what is so, and run: deadstop run --config {path}\n",
            super::found(&machine.bundle),
        ));
    }
    Ok(0)
}

/// Whether something lies there that a new file would replace. A device or a pipe is written to.
fn taken(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|meta| meta.is_file() || meta.is_dir() || meta.is_symlink())
}
