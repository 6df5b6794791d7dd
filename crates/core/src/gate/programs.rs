//! Programs by what they can do, whichever agent runs them (floor 2).

use super::shell::words;
use crate::model::WayKind;

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
const SHOWS: [&str; 18] = [
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

/// Clients whose output may show what a file holds.
const SHOWING: [&str; 7] = ["aws", "awslocal", "kubectl", "oc", "az", "gcloud", "gsutil"];

/// Whether a client can show the session a file's contents.
pub(super) fn client_reads(name: &str, kind: WayKind) -> bool {
    kind != WayKind::Cli || SHOWING.contains(&name)
}

/// Whether a command, fixed up to where a pattern begins, only shows something: one of its words says so.
pub(super) fn only_shows(fixed: &str) -> bool {
    words(fixed).iter().skip(1).any(|word| SHOWS.contains(word))
}
