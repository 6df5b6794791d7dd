//! Commands that the agent knows by itself: those that only read, and those that destroy (floor 2).
//!
//! Both lists have changed between versions (openai/codex `codex-rs/shell-command/src/command_safety`), so each is kept
//! twice: what is sure to be on it and what may be.

/// Programs that every version takes to only read, whatever their arguments.
const READS: [&str; 11] = ["cat", "cd", "echo", "grep", "head", "ls", "pwd", "tail", "true", "wc", "which"];

/// Programs that some version takes to only read, some of them with some arguments only.
const MAY_READ: [&str; 29] = [
    "cat", "cd", "cut", "echo", "expr", "false", "grep", "head", "id", "ls", "nl", "paste", "pwd", "rev", "seq",
    "stat", "tail", "tr", "true", "uname", "uniq", "wc", "which", "whoami", "base64", "find", "rg", "numfmt", "tac",
];

/// Subcommands of git that earlier versions ran unasked.
const MAY_SHOW: [&str; 5] = ["status", "log", "diff", "show", "branch"];

fn name(command: &[String]) -> &str {
    let program = command.first().map_or("", String::as_str);
    program.rsplit('/').next().unwrap_or(program)
}

/// Whether a command is sure to be known as one that only reads.
pub(super) fn reads(command: &[String]) -> bool {
    command.first().is_some_and(|program| READS.contains(&program.as_str()))
}

/// Whether it may be.
pub(super) fn may_read(command: &[String]) -> bool {
    let name = name(command);
    let has = |words: &[&str]| command.iter().any(|word| words.iter().any(|bad| word == bad));
    match name {
        "find" => !has(&["-exec", "-execdir", "-ok", "-okdir", "-delete", "-fls", "-fprint", "-fprint0", "-fprintf"]),
        "rg" => !has(&["--search-zip", "-z", "--pre", "--hostname-bin"]),
        "sed" => command.get(1).is_some_and(|word| word == "-n"),
        "git" => command.iter().any(|word| MAY_SHOW.contains(&word.as_str())),
        _ => MAY_READ.contains(&name),
    }
}

/// Whether a command is sure to be known as one that destroys: `rm` by force.
pub(super) fn destroys(command: &[String]) -> bool {
    name(command) == "rm" && command.get(1).is_some_and(|word| word == "-f" || word == "-rf")
}

/// Whether it may be.
pub(super) fn may_destroy(command: &[String]) -> bool {
    let forced = |word: &String| word == "--force" || (word.starts_with('-') && word.contains('f'));
    let removes = command.iter().position(|word| word == "rm" || word.ends_with("/rm"));
    let removes = removes.is_some_and(|at| command.iter().skip(at + 1).any(forced));
    let git = name(command) == "git" && command.iter().any(|word| word == "reset" || word == "rm");
    removes || git
}
