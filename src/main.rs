//! Parse, run, give the exit code.

use clap::error::{ContextKind, ContextValue};
use clap::{CommandFactory as _, Parser as _};
use deadstop::{cli::Cli, command, output};
use deadstop_core::quote;
use std::io;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// What a shell gives for a program ended by Ctrl-C.
const INTERRUPTED: u8 = 130;

/// How long work may take to put itself away after Ctrl-C.
const GRACE: Duration = Duration::from_millis(700);

/// Assessing makes millions of small strings, at which the system's allocators are slow, musl's most of all.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

enum Event {
    Done(u8),
    Interrupted,
}

/// Shows help, the version, or what was typed wrong, without what may be a secret.
fn wrong(mut error: clap::Error) -> ExitCode {
    suggest(&mut error);
    let code = ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
    let text = error.render().to_string();
    let guarded = quote::guarded(&text);
    if error.use_stderr() && guarded != text {
        output::stderr(&guarded);
        return code;
    }
    match error.print() {
        Err(failed) if failed.kind() != io::ErrorKind::BrokenPipe => {
            output::stderr(&format!("deadstop: cannot write to standard output: {failed}\n"));
            ExitCode::from(2)
        }
        Ok(()) | Err(_) => code,
    }
}

/// Names the command that was meant, where letters were only swapped or left out and clap sees no likeness.
fn suggest(error: &mut clap::Error) {
    let named = match error.get(ContextKind::InvalidSubcommand) {
        Some(ContextValue::String(named)) if error.get(ContextKind::SuggestedSubcommand).is_none() => named.clone(),
        Some(_) | None => return,
    };
    let program = Cli::command();
    let above = std::env::args().skip(1).take_while(|typed| *typed != named);
    let above = above.filter_map(|typed| program.find_subcommand(typed)).last().unwrap_or(&program);
    let known: Vec<&str> = above.get_subcommands().map(clap::Command::get_name).collect();
    if let Some(near) = deadstop_core::yaml::mistakes::nearest(&named, &known) {
        error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(vec![near.to_owned()]));
    }
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return wrong(error),
    };
    std::panic::set_hook(Box::new(|panic| output::stderr(&output::panicked(panic))));
    let stop = Arc::new(AtomicBool::new(false));
    let (sender, events) = mpsc::channel();
    let (interrupts, flag) = (sender.clone(), Arc::clone(&stop));
    let handled = ctrlc::set_handler(move || {
        flag.store(true, Ordering::SeqCst);
        let _ = interrupts.send(Event::Interrupted);
    });
    if handled.is_err() {
        output::stderr("deadstop: Ctrl-C cannot be caught here; it ends the program at once\n");
    }
    let flag = Arc::clone(&stop);
    let worker = thread::Builder::new().stack_size(64 << 20).spawn(move || {
        let code = command::run(&cli, &flag);
        let _ = sender.send(Event::Done(code));
    });
    if let Err(error) = worker {
        output::stderr(&format!("deadstop: cannot start: {error}\n"));
        return ExitCode::from(2);
    }
    match events.recv() {
        Ok(Event::Done(code)) if !stop.load(Ordering::SeqCst) => ExitCode::from(code),
        Ok(Event::Done(_)) => ExitCode::from(INTERRUPTED),
        Ok(Event::Interrupted) => {
            // The worker looks at the flag and drops what it has half written; then the program ends, done or not.
            let _ = events.recv_timeout(GRACE);
            output::stderr("deadstop: interrupted\n");
            ExitCode::from(INTERRUPTED)
        }
        Err(_) => {
            output::stderr("deadstop: internal error, please report it\n");
            ExitCode::from(2)
        }
    }
}
