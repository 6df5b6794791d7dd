//! Names of programs that this gate treats in a way of its own (floor 2).

/// Commands that run unasked in every mode.
pub(super) const READERS: [&str; 13] =
    ["ls", "cat", "echo", "pwd", "head", "tail", "grep", "find", "wc", "which", "diff", "stat", "du"];

/// Git subcommands that change nothing.
pub(super) const GIT_READERS: [&str; 7] = ["status", "log", "diff", "show", "blame", "rev-parse", "ls-files"];

/// Commands that `acceptEdits` runs unasked inside the working folders.
pub(super) const EDITORS: [&str; 7] = ["mkdir", "touch", "rm", "rmdir", "mv", "cp", "sed"];

/// Programs that run another program and that every rule looks past.
pub(super) const WRAPPERS: [&str; 8] = ["timeout", "time", "nice", "nohup", "stdbuf", "command", "builtin", "noglob"];

/// Further ones that only deny and ask rules look past.
pub(super) const DENY_WRAPPERS: [&str; 5] = ["env", "sudo", "watch", "ionice", "setsid"];

/// Programs that a rule with a wildcard never lets run.
pub(super) const NEVER_BY_PREFIX: [&str; 4] = ["watch", "setsid", "ionice", "flock"];

/// Variables that an allow rule looks past.
pub(super) const SAFE_VARIABLES: [&str; 12] = [
    "NODE_ENV",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TERM",
    "NO_COLOR",
    "FORCE_COLOR",
    "RUST_BACKTRACE",
    "RUST_LOG",
    "GOOS",
];
