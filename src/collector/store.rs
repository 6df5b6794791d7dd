//! Known files, parsed for what a line alone does not tell (floor 5). Nothing in them is run.

mod aws;
mod cloud;
mod kubernetes;
mod lines;
mod mcp;
mod railway;
mod tfstate;

use std::cell::Cell;
use std::collections::BTreeMap;

use super::document;
use super::find::{Find, Finds, Spot, Strength};
use super::scan::Scanner;
use crate::secret::Secret;

/// The known kinds of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Store {
    Aws,
    AwsCache,
    Railway,
    Kubernetes,
    GitHub,
    Netrc,
    Pgpass,
    MyCnf,
    Mcp,
    McpToml,
    Tfstate,
    Google,
    VercelLink,
    SupabaseLink,
    NeonLink,
    FlyLink,
}

/// How many bytes of one file are gone through, at most, to tell lines of it.
const LOOKED_THROUGH: usize = 256 << 20;

/// What a parser may use.
pub(crate) struct Context<'a> {
    pub(crate) scanner: &'a Scanner,
    /// The file as it is shown.
    pub(crate) path: &'a str,
    /// Variables of the session, for references to them.
    pub(crate) env: &'a BTreeMap<String, String>,
    /// How many bytes may still be gone through to tell lines.
    left: Cell<usize>,
}

impl<'a> Context<'a> {
    pub(crate) const fn new(scanner: &'a Scanner, path: &'a str, env: &'a BTreeMap<String, String>) -> Self {
        Self { scanner, path, env, left: Cell::new(LOOKED_THROUGH) }
    }

    /// The line of `value` under `key`. In a file of very many entries the last of them have none: each is looked for
    /// from the start, and a file must not keep us busy for longer than it takes to read some hundred like it.
    pub(crate) fn line_of(&self, text: &str, key: &str, value: &str) -> Option<u64> {
        self.left.set(self.left.get().checked_sub(text.len())?);
        document::line_of(text, key, value)
    }

    /// A place in the file.
    pub(crate) fn spot(&self, line: Option<u64>, key: &str) -> Spot {
        Spot { kind: "file", path: self.path.to_owned(), line, key: Some(key.to_owned()) }
    }

    /// A credential that the file's form names.
    pub(crate) fn find(&self, provider: &str, kind: &str, secret: &str, line: Option<u64>, key: &str) -> Find {
        Find::new(provider, kind, Strength::Store, Some(Secret::new(secret.as_bytes())), self.spot(line, key))
    }
}

/// Which known file this is, by its name and its beginning.
pub(crate) fn recognise(path: &str, head: &[u8]) -> Option<Store> {
    let name = path.rsplit('/').next().unwrap_or(path);
    let lower = name.to_ascii_lowercase();
    let ends = |end: &str| path == end || path.ends_with(&format!("/{end}"));
    let under = |folder: &str| path.contains(&format!("/{folder}/")) && lower.ends_with(".json");
    let has = |mark: &str| memchr::memmem::find(head, mark.as_bytes()).is_some();
    if ends(".aws/credentials") || ends(".aws/config") {
        return Some(Store::Aws);
    }
    if [".aws/sso/cache", ".aws/cli/cache", ".aws/login/cache", ".aws/boto/cache"].iter().any(|folder| under(folder)) {
        return Some(Store::AwsCache);
    }
    if path.contains(".railway/config") && lower.ends_with(".json") {
        return Some(Store::Railway);
    }
    match lower.as_str() {
        ".netrc" | "_netrc" => return Some(Store::Netrc),
        ".pgpass" => return Some(Store::Pgpass),
        ".my.cnf" | "debian.cnf" => return Some(Store::MyCnf),
        "fly.toml" => return Some(Store::FlyLink),
        ".neon" => return Some(Store::NeonLink),
        _ => {}
    }
    if ends("gh/hosts.yml") {
        return Some(Store::GitHub);
    }
    if ends(".vercel/project.json") {
        return Some(Store::VercelLink);
    }
    if ends("supabase/config.toml") {
        return Some(Store::SupabaseLink);
    }
    if lower.ends_with(".tfstate") || lower.ends_with(".tfstate.backup") {
        return Some(Store::Tfstate);
    }
    // The folder of Codex may lie elsewhere (`CODEX_HOME`).
    if ends(".codex/config.toml") || (lower == "config.toml" && has("[mcp_servers.")) {
        return Some(Store::McpToml);
    }
    let json = lower.ends_with(".json") || lower.ends_with(".jsonc");
    if json && (ends(".claude.json") || lower.contains("mcp") || has("\"mcpServers\"") || has("\"mcp\"")) {
        return Some(Store::Mcp);
    }
    if json && (has("\"private_key_id\"") || (has("\"client_secret\"") && has("\"refresh_token\""))) {
        return Some(Store::Google);
    }
    let kube_like = ["", "yaml", "yml", "conf", "json", "kubeconfig", "config"]
        .contains(&lower.rsplit_once('.').map_or("", |(_, end)| end));
    (kube_like && has("clusters") && has("users") && (has("contexts") || has("current-context")))
        .then_some(Store::Kubernetes)
}

/// Whether a file is known by its name alone, whatever the folder and whatever lines are in it.
pub(crate) fn known_by_name(name: &[u8]) -> bool {
    const WHOLE: [&str; 7] =
        [".netrc", "_netrc", ".pgpass", ".my.cnf", "debian.cnf", "credentials.db", "access_tokens.db"];
    const ENDS: [&str; 2] = [".tfstate", ".tfstate.backup"];
    let ends = |end: &&str| {
        name.len()
            .checked_sub(end.len())
            .and_then(|at| name.get(at..))
            .is_some_and(|tail| tail.eq_ignore_ascii_case(end.as_bytes()))
    };
    WHOLE.iter().any(|whole| name.eq_ignore_ascii_case(whole.as_bytes())) || ENDS.iter().any(ends)
}

/// Parses the file. `false` says that it has not the form its name promises; its lines are scanned all the same.
pub(crate) fn parse(store: Store, context: &Context<'_>, text: &str, out: &mut Finds) -> bool {
    match store {
        Store::Aws => aws::profiles(context, text, out),
        Store::AwsCache => aws::cache(context, text, out),
        Store::Railway => railway::config(context, text, out),
        Store::Kubernetes => kubernetes::config(context, text, out),
        Store::GitHub => cloud::github(context, text, out),
        Store::Netrc => lines::netrc(context, text, out),
        Store::Pgpass => lines::pgpass(context, text, out),
        Store::MyCnf => lines::my_cnf(context, text, out),
        Store::Mcp => mcp::json(context, text, out),
        Store::McpToml => mcp::toml(context, text, out),
        Store::Tfstate => tfstate::state(context, text, out),
        Store::Google => cloud::google(context, text, out),
        Store::VercelLink => cloud::vercel(context, text, out),
        Store::SupabaseLink => cloud::supabase(context, text, out),
        Store::NeonLink => cloud::neon(context, text, out),
        Store::FlyLink => cloud::fly(context, text, out),
    }
}
