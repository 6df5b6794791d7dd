//! What may be typed for `what-if`.

use clap::{Args, ValueEnum};
use std::path::PathBuf;

use super::ListFormat;

/// Whether a folder is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Trusted {
    /// Its settings count.
    Yes,
    /// They do not.
    No,
}

/// Arguments of `what-if`.
#[derive(Args, Debug)]
pub struct WhatIfArgs {
    /// The command: one argument is text for a shell, several are a program with its arguments, `-` reads standard input.
    #[arg(value_name = "COMMAND", trailing_var_arg = true)]
    pub command: Vec<String>,
    /// Instead of a command: a call of a tool of an MCP server.
    #[arg(
        long,
        value_name = "mcp__SERVER__TOOL",
        conflicts_with = "command",
        env = "DEADSTOP_TOOL",
        help_heading = "The call"
    )]
    pub tool: Option<String>,
    /// With what the tool is called.
    #[arg(
        long,
        value_name = "JSON",
        requires = "tool",
        env = "DEADSTOP_ARGS",
        hide_env_values = true,
        help_heading = "The call"
    )]
    pub args: Option<String>,
    /// Instead of a command: the agent's own tool reads this file.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["command", "tool"], env = "DEADSTOP_READ", help_heading = "The call")]
    pub read: Option<String>,
    /// Instead of a command: the agent's own tool writes this file.
    #[arg(long, value_name = "PATH", conflicts_with_all = ["command", "tool", "read"], env = "DEADSTOP_WRITE", help_heading = "The call")]
    pub write: Option<String>,
    /// Instead of a command: a file with one command a line, for a table of decisions; `-` is standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["command", "tool", "read", "write"], env = "DEADSTOP_CORPUS", help_heading = "The call")]
    pub corpus: Option<PathBuf>,
    /// The session that makes it, by its name or key; without it all that are found.
    #[arg(long, value_name = "NAME", env = "DEADSTOP_SESSION", help_heading = "Who makes it")]
    pub session: Option<String>,
    /// The agent that makes it, whether or not there is a sign of it here: claude-code, codex, cursor, cursor-cli,
    /// gemini-cli, opencode, copilot-cli, vscode, cline, cline-cli, roo-code, roo-cli, crush, qwen-code, amazon-q,
    /// continue-cli, goose, zed, aider, kiro, factory-droid, amp, windsurf,
    /// warp, junie.
    #[arg(long, value_name = "AGENT", env = "DEADSTOP_AGENT", help_heading = "Who makes it")]
    pub agent: Option<String>,
    /// How the agent was started, such as "claude --dangerously-skip-permissions"; without it interactive, with no flags.
    #[arg(long, value_name = "COMMAND LINE", env = "DEADSTOP_STARTED_AS", help_heading = "Who makes it")]
    pub started_as: Option<String>,
    /// Whether the folder is trusted.
    #[arg(long, value_enum, value_name = "WHETHER", default_value_t = Trusted::Yes, env = "DEADSTOP_TRUSTED", help_heading = "Who makes it")]
    pub trusted: Trusted,
    /// The folder that the agent works in; without it the current one.
    #[arg(long, value_name = "DIR", env = "DEADSTOP_REPO", help_heading = "What is read")]
    pub repo: Option<PathBuf>,
    /// The home folder whose settings are read, instead of the user's own.
    #[arg(long, value_name = "DIR", env = "DEADSTOP_HOME", help_heading = "What is read")]
    pub home: Option<PathBuf>,
    /// The top of the file system whose managed settings are read, instead of `/`.
    #[arg(long, value_name = "DIR", env = "DEADSTOP_SYSTEM", hide_env_values = true, help_heading = "What is read")]
    pub system: Option<PathBuf>,
    /// A facts bundle: its assets and rights, and its sessions unless --repo, --home or --agent name others.
    #[arg(long, value_name = "FACTS.json", env = "DEADSTOP_FACTS", help_heading = "What is read")]
    pub facts: Option<PathBuf>,
    /// How to print the answer: for people, or JSON.
    #[arg(long, value_enum, default_value_t = ListFormat::Table, env = "DEADSTOP_FORMAT", help_heading = "Output")]
    pub format: ListFormat,
}
