//! Programs by what they can do, whichever agent runs them (floor 2).

use super::pattern;
use super::shell::{word, words};
use crate::meaning::{self, Around};
use crate::model::WayKind;

/// Programs that run whatever they are given.
pub(super) const CARRIERS: [&str; 53] = [
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
    "nc",
    "xargs",
    "env",
    "eval",
    "source",
    "osascript",
    "mise",
    "pwsh",
    "dotnet",
    "rails",
    "alembic",
    "ansible",
    "timeout",
    "time",
    "nice",
    "nohup",
    "stdbuf",
    "command",
    "sudo",
    "doas",
    "exec",
];

/// Programs that run whatever they are given behind some words, and by which: `git -c alias.x=!…` runs a shell command
/// (git-scm.com/docs/git-config), `railway run` any program (docs.railway.com/cli/run).
const BEHIND: [(&str, &[&str]); 9] = [
    ("git", &["-c", "rebase", "bisect", "submodule", "filter-branch", "difftool", "mergetool"]),
    ("railway", &["run", "shell"]),
    ("heroku", &["local:run", "local"]),
    ("doppler", &["run"]),
    ("infisical", &["run"]),
    ("op", &["run"]),
    ("aws-vault", &["exec"]),
    ("direnv", &["exec"]),
    ("devbox", &["run"]),
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

/// The calls that a client of S3 carries: other providers speak its protocol.
const S3: [&str; 3] = ["aws/*", "cloudflare/r2:*", "digitalocean/spaces:*"];

/// Clients with rules of their own: the program, the calls it can carry, its kind.
pub(super) const CLIENTS: [(&str, &[&str], WayKind); 53] = [
    ("railway", &["railway/*"], WayKind::Cli),
    ("git", &["github/*"], WayKind::Cli),
    ("aws", &S3, WayKind::Cli),
    ("awslocal", &["aws/*"], WayKind::Cli),
    ("sam", &["aws/*"], WayKind::Iac),
    ("cdk", &["aws/*"], WayKind::Iac),
    ("gcloud", &["google/*"], WayKind::Cli),
    ("gsutil", &["google/*"], WayKind::Cli),
    ("firebase", &["google/*"], WayKind::Cli),
    ("bq", &["google/*"], WayKind::Cli),
    ("az", &["azure/*"], WayKind::Cli),
    ("azcopy", &["azure/*"], WayKind::Cli),
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
    ("turso", &["turso/*"], WayKind::Cli),
    ("avn", &["aiven/*"], WayKind::Cli),
    ("upstash", &["upstash/*"], WayKind::Cli),
    ("s3cmd", &S3, WayKind::Cli),
    ("rclone", &["*"], WayKind::Cli),
    ("atlas", &["mongodb_atlas/*", "mongodb/*"], WayKind::Cli),
    ("terraform", &["*"], WayKind::Iac),
    ("tofu", &["*"], WayKind::Iac),
    ("terragrunt", &["*"], WayKind::Iac),
    ("pulumi", &["*"], WayKind::Iac),
    ("sst", &["*"], WayKind::Iac),
    ("serverless", &["*"], WayKind::Iac),
    ("ansible-playbook", &["*"], WayKind::Iac),
    ("psql", &["*"], WayKind::Sql),
    ("dropdb", &["*"], WayKind::Sql),
    ("pg_restore", &["*"], WayKind::Sql),
    ("mysql", &["*"], WayKind::Sql),
    ("mysqladmin", &["*"], WayKind::Sql),
    ("mariadb", &["*"], WayKind::Sql),
    ("flyway", &["*"], WayKind::Sql),
    ("mongosh", &["*"], WayKind::Sql),
    ("mongorestore", &["*"], WayKind::Sql),
    ("redis-cli", &["*"], WayKind::Sql),
    ("valkey-cli", &["*"], WayKind::Sql),
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

/// Whether a command, fixed up to where a pattern begins, only shows something: one of its words says so. Of git only
/// `push`, or what may become it, changes anything at a provider.
pub(super) fn only_shows(fixed: &str) -> bool {
    let words = words(fixed);
    if words.first() == Some(&"git") {
        return words.get(1).is_some_and(|sub| !sub.starts_with('-') && !"push".starts_with(sub));
    }
    words.iter().skip(1).any(|word| SHOWS.contains(word))
}

/// Those of some programs that a pattern for commands may let run, each with a command that it covers. `*` stands for
/// anything, in the name of the program too.
pub(super) fn named<'a>(spec: &str, programs: impl Iterator<Item = &'a str>) -> Vec<(&'a str, String)> {
    let spec = spec.trim().strip_suffix(":*").map_or_else(|| spec.trim().to_owned(), |prefix| format!("{prefix} *"));
    let (first, rest) = word(&spec);
    let (folder, base) = first.rsplit_once('/').map_or(("", first), |(folder, base)| (folder, base));
    let rest = if rest.is_empty() && first.contains('*') { "x".to_owned() } else { rest.replace('*', "x") };
    let folder = if folder.is_empty() { String::new() } else { format!("{}/", folder.replace('*', "x")) };
    let covered = programs.filter(|name| pattern::matches(base, name));
    covered.map(|name| (name, format!("{folder}{name} {rest}").trim_end().to_owned())).collect()
}

/// The clients that a pattern for commands may let run, each with a command that it covers.
pub(super) fn clients(spec: &str) -> Vec<(&'static str, String)> {
    named(spec, CLIENTS.iter().map(|(name, _, _)| *name))
}

/// The commands that carry anything and that a pattern for commands may cover. One without a wildcard covers one
/// command.
pub(super) fn carried(spec: &str) -> Vec<String> {
    if !spec.contains('*') {
        return Vec::new();
    }
    let carriers = named(spec, CARRIERS.into_iter()).into_iter().map(|(_, command)| command);
    let behind = named(spec, BEHIND.iter().map(|(program, _)| *program)).into_iter().flat_map(|(program, _)| {
        let words = BEHIND.iter().filter(move |(name, _)| *name == program).flat_map(|(_, words)| *words);
        words.map(move |word| format!("{program} {word} ./run"))
    });
    carriers.chain(behind).collect()
}

/// Words that tell of a command that it takes something away, wherever they stand in it.
const TAKES_AWAY: [&str; 18] = [
    "delete",
    "destroy",
    "drop",
    "truncate",
    "remove",
    "purge",
    "terminate",
    "wipe",
    "reset",
    "flush",
    "prune",
    "nuke",
    "teardown",
    "rollback",
    "uninstall",
    "erase",
    "deprovision",
    "mutation",
];

/// Options by which clients of HTTP send more than a question (curl.se/docs/manpage.html, the manual of wget,
/// httpie.io/docs/cli).
const SENDS: [&str; 14] = [
    "-d",
    "--data",
    "--data-raw",
    "--data-binary",
    "--data-urlencode",
    "--json",
    "-F",
    "--form",
    "-T",
    "--upload-file",
    "--post-data",
    "--post-file",
    "--body-data",
    "-K",
];

/// Whether a command that carries anything, allowed to the letter, may itself be a call that destroys: it says so, or it
/// sends something. What a script that it names does is not in it.
pub(super) fn may_destroy(spec: &str) -> bool {
    let words = words(spec);
    let program = words.first().map_or("", |word| word.rsplit('/').next().unwrap_or(word));
    let carries = CARRIERS.contains(&program) || BEHIND.iter().any(|(name, _)| *name == program);
    let lower = spec.to_lowercase();
    let takes = TAKES_AWAY.iter().any(|word| lower.contains(word)) || words.contains(&"rm");
    let methods = ["delete", "post", "put", "patch"];
    let sends = words.iter().any(|word| {
        let option = word.split('=').next().unwrap_or(word);
        SENDS.contains(&option) || (word.len() > 2 && SENDS.iter().any(|s| s.len() == 2 && word.starts_with(s)))
    });
    let method = words.iter().any(|word| {
        let word = word.to_lowercase();
        let word = word.trim_start_matches("--request=").trim_start_matches("--method=").trim_start_matches("-x");
        methods.contains(&word.trim_matches(['"', '\'']))
    });
    let known = || !meaning::of_command(spec, &Around::default()).amounts.is_empty();
    carries && (takes || sends || method || known())
}

/// A command in the forms that an agent may give it to get past a rule that refuses it.
pub(super) fn disguised(command: &str) -> [String; 5] {
    [
        command.to_owned(),
        format!("X=1 {command}"),
        format!("/usr/bin/{command}"),
        format!("true && {command}"),
        format!("{command} \"$(id)\""),
    ]
}
