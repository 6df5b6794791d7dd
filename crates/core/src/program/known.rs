//! What calls outside of a program do, by the package that they come from and by their names (floor 2).
//!
//! The lists hold what is sure: the standard libraries of Python (docs.python.org/3/library), of ECMAScript and of Node.js
//! (nodejs.org/api), and packages that only compute. Whatever is in none is not known.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use serde::Deserialize;

use super::frameworks;
use super::syntax::{Call, Value};

const DATA: &str = include_str!("../../data/calls.yaml");

/// Names, by what they are.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Lists {
    queries: BTreeSet<String>,
    python: BTreeSet<String>,
    packages: BTreeSet<String>,
    sends: BTreeSet<String>,
    runs: BTreeSet<String>,
    clients: BTreeSet<String>,
    looks: BTreeSet<String>,
    builds: BTreeSet<String>,
    builtins: BTreeSet<String>,
    globals: BTreeSet<String>,
    plain: BTreeSet<String>,
}

static LISTS: LazyLock<Lists> = LazyLock::new(|| serde_yaml::from_str(DATA).unwrap_or_default());

fn lists() -> &'static Lists {
    &LISTS
}

/// What a call does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It changes nothing at a provider.
    Harmless,
    /// It runs a command.
    Runs,
    /// It runs code.
    Evaluates,
    /// It sends a request.
    Sends,
    /// It has a query run.
    Queries,
    /// Its name decides; nothing is known of it where that is in no list.
    ByName,
}

/// Whether a module of Python only computes.
pub(super) fn computes(name: &str) -> bool {
    let root = name.split('.').next().unwrap_or(name);
    lists().python.contains(root) && !["sys", "inspect", "io", "glob"].contains(&root)
        || ["numpy", "tiktoken"].contains(&root)
}

/// What a call into a package does.
pub(super) fn package(root: &str, chain: &[String]) -> Kind {
    let name = chain.last().map(String::as_str).unwrap_or_default();
    let first = chain.first().map(String::as_str).unwrap_or_default();
    // What a call returned is a value like any other.
    if chain.iter().any(|part| part == "()") && plain(name) {
        return Kind::Harmless;
    }
    match root {
        "google" if first == "genai" => return Kind::Harmless,
        "os" => return os(name),
        "sys" if name == "exit" => return Kind::Harmless,
        "asyncio" if name.starts_with("create_subprocess") => return Kind::Runs,
        "asyncio" => return Kind::Harmless,
        "pathlib" => return path(name),
        "fs" | "fs/promises" => return file(name),
        "urllib" if first == "parse" || name == "quote" => return Kind::Harmless,
        "importlib" if name == "import_module" => return Kind::Harmless,
        "importlib" | "runpy" | "code" | "vm" => return Kind::Evaluates,
        "shutil" if ["which", "get_terminal_size", "disk_usage"].contains(&name) => return Kind::Harmless,
        "tempfile" => return Kind::Harmless,
        _ => {}
    }
    if lists().runs.contains(root) {
        let inert =
            ["TimeoutExpired", "CalledProcessError", "PIPE", "communicate", "wait", "poll", "promisify", "decode"];
        return if inert.contains(&name) || chain.iter().filter(|part| *part == "()").count() > 0 {
            Kind::Harmless
        } else {
            Kind::Runs
        };
    }
    if lists().python.contains(root) || lists().packages.contains(root) || frameworks::is_root(root) {
        return Kind::Harmless;
    }
    if lists().sends.contains(root) {
        let asks = [
            "get", "post", "put", "patch", "delete", "head", "options", "request", "send", "urlopen", "fetch",
            "execute", "stream", "Request", "default", "create", "extend",
        ];
        let direct =
            ["axios", "got", "node-fetch", "ky", "cross-fetch", "graphql-request"].contains(&root) && chain.len() <= 1;
        return if asks.contains(&name) || direct { Kind::Sends } else { Kind::Harmless };
    }
    let client = lists().clients.contains(root)
        || root.starts_with("@aws-sdk/")
        || root.starts_with("@azure/")
        || root.starts_with("@google-cloud/");
    if !client {
        return Kind::ByName;
    }
    if lists().queries.contains(name) {
        return Kind::Queries;
    }
    let lower = name.to_lowercase();
    let looks = lists()
        .looks
        .iter()
        .any(|start| lower.starts_with(start.as_str()) || lower.starts_with(&start.replace('_', "")))
        && !lower.contains("delete")
        && !lower.contains("remove")
        && !lower.contains("update")
        && !lower.contains("replace");
    if lists().builds.contains(name) || looks || (lower.ends_with("client") && !lower.contains("delete")) {
        Kind::Harmless
    } else {
        Kind::ByName
    }
}

fn os(name: &str) -> Kind {
    match name {
        "system" | "popen" | "execv" | "execve" | "execvp" | "execvpe" | "execl" | "execlp" | "spawnl" | "spawnv"
        | "startfile" | "posix_spawn" => Kind::Runs,
        "remove" | "unlink" | "rmdir" | "removedirs" | "rename" | "replace" | "truncate" | "kill" => Kind::ByName,
        _ => Kind::Harmless,
    }
}

fn path(name: &str) -> Kind {
    match name {
        "write_text" | "write_bytes" | "unlink" | "rmdir" | "rename" | "replace" | "touch" => Kind::ByName,
        _ => Kind::Harmless,
    }
}

fn file(name: &str) -> Kind {
    let reads =
        ["read", "stat", "exists", "access", "lstat", "open", "readdir", "opendir", "realpath", "watch", "createRead"];
    if reads.iter().any(|start| name.starts_with(*start)) { Kind::Harmless } else { Kind::ByName }
}

/// What a call to something that was not imported does.
pub(super) fn builtin(chain: &[String]) -> Kind {
    let first = chain.first().map(String::as_str).unwrap_or_default();
    let name = chain.last().map(String::as_str).unwrap_or_default();
    match first {
        "eval" | "exec" | "compile" | "Function" => Kind::Evaluates,
        "fetch" if chain.len() == 1 => Kind::Sends,
        "fetch" => Kind::Harmless,
        "Bun" | "Deno" if ["$", "spawn", "spawnSync", "Command", "run"].contains(&name) => Kind::Runs,
        _ if lists().builtins.contains(first) || lists().globals.contains(first) => Kind::Harmless,
        _ if first.ends_with("Error") || first.ends_with("Exception") => Kind::Harmless,
        _ => Kind::ByName,
    }
}

/// Whether databases are given a query by this name.
pub(super) fn queries(name: &str) -> bool {
    lists().queries.contains(name)
}

/// Whether a method of this name is harmless on anything.
pub(super) fn plain(name: &str) -> bool {
    lists().plain.contains(name)
}

/// Whether a call of `open` may write.
pub(super) fn writes(call: &Call) -> bool {
    match call.arg(&["mode"], Some(1)) {
        None => false,
        Some(Value::Text(mode, false)) => mode.contains(['w', 'a', 'x', '+']),
        Some(_) => true,
    }
}
