//! Names of programs that the gate, or Deadstop, treats in a way of their own (floor 2).

use crate::model::WayKind;

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

/// Programs that run whatever they are given.
pub(super) const CARRIERS: [&str; 38] = [
    "bash",
    "sh",
    "zsh",
    "dash",
    "fish",
    "python",
    "python3",
    "node",
    "deno",
    "bun",
    "perl",
    "ruby",
    "php",
    "lua",
    "npx",
    "bunx",
    "uvx",
    "pipx",
    "uv",
    "npm",
    "pnpm",
    "yarn",
    "make",
    "just",
    "cargo",
    "go",
    "docker",
    "podman",
    "ssh",
    "curl",
    "wget",
    "http",
    "xargs",
    "env",
    "eval",
    "source",
    "osascript",
    "mise",
];

/// Programs that run code lying in the working folder, whatever their arguments.
pub(super) const RUNNERS: [&str; 24] = [
    "npm",
    "pnpm",
    "yarn",
    "make",
    "just",
    "cargo",
    "go",
    "pytest",
    "tox",
    "nox",
    "poetry",
    "uv",
    "jest",
    "vitest",
    "gradle",
    "mvn",
    "rake",
    "bundle",
    "composer",
    "dotnet",
    "bazel",
    "tsc",
    "eslint",
    "pre-commit",
];

/// Command lines that stand for "anything may run".
pub(super) const ANYTHING: [&str; 22] = [
    "python3 run.py",
    "python run.py",
    "bash run.sh",
    "sh run.sh",
    "node run.js",
    "deno run run.ts",
    "bun run.ts",
    "perl run.pl",
    "ruby run.rb",
    "./run",
    "/opt/tool/run",
    "tool-7f3a --go",
    "npx tool-7f3a",
    "npm run tool-7f3a",
    "make tool-7f3a",
    "uv run run.py",
    "go run run.go",
    "cargo run",
    "docker run tool-7f3a",
    "ssh host tool-7f3a",
    "curl -X POST https://api.example.com/",
    "env tool-7f3a",
];

/// Clients with rules of their own: the program, the calls it can carry, its kind.
pub(super) const CLIENTS: [(&str, &[&str], WayKind); 38] = [
    ("railway", &["railway/*"], WayKind::Cli),
    ("aws", &["aws/*"], WayKind::Cli),
    ("awslocal", &["aws/*"], WayKind::Cli),
    ("sam", &["aws/*"], WayKind::Iac),
    ("cdk", &["aws/*"], WayKind::Iac),
    ("gcloud", &["gcp/*"], WayKind::Cli),
    ("gsutil", &["gcp/*"], WayKind::Cli),
    ("bq", &["gcp/*"], WayKind::Cli),
    ("az", &["azure/*"], WayKind::Cli),
    ("azd", &["azure/*"], WayKind::Iac),
    ("kubectl", &["kubernetes/*"], WayKind::Cli),
    ("oc", &["kubernetes/*"], WayKind::Cli),
    ("helm", &["kubernetes/*"], WayKind::Cli),
    ("gh", &["github/*"], WayKind::Cli),
    ("vercel", &["vercel/*"], WayKind::Cli),
    ("neonctl", &["neon/*"], WayKind::Cli),
    ("neon", &["neon/*"], WayKind::Cli),
    ("pscale", &["planetscale/*"], WayKind::Cli),
    ("supabase", &["supabase/*"], WayKind::Cli),
    ("fly", &["fly/*"], WayKind::Cli),
    ("flyctl", &["fly/*"], WayKind::Cli),
    ("heroku", &["heroku/*"], WayKind::Cli),
    ("doctl", &["digitalocean/*"], WayKind::Cli),
    ("wrangler", &["cloudflare/*"], WayKind::Cli),
    ("render", &["render/*"], WayKind::Cli),
    ("atlas", &["mongodb-atlas/*", "mongodb/*"], WayKind::Cli),
    ("terraform", &["*"], WayKind::Iac),
    ("tofu", &["*"], WayKind::Iac),
    ("terragrunt", &["*"], WayKind::Iac),
    ("pulumi", &["*"], WayKind::Iac),
    ("sst", &["*"], WayKind::Iac),
    ("serverless", &["*"], WayKind::Iac),
    ("ansible-playbook", &["*"], WayKind::Iac),
    ("psql", &["*"], WayKind::Sql),
    ("mysql", &["*"], WayKind::Sql),
    ("mongosh", &["*"], WayKind::Sql),
    ("redis-cli", &["*"], WayKind::Sql),
    ("sqlcmd", &["*"], WayKind::Sql),
];

/// Words after which a client only shows something.
pub(super) const SHOWS: [&str; 18] = [
    "ls",
    "list",
    "get",
    "describe",
    "status",
    "view",
    "show",
    "logs",
    "log",
    "whoami",
    "version",
    "help",
    "plan",
    "validate",
    "diff",
    "top",
    "--version",
    "--help",
];
