//! Known files, parsed for what a line alone does not tell (floor 5). Nothing in them is run.

mod aws;
mod azure;
mod cloud;
mod fields;
mod gnupg;
mod google;
mod ini;
mod kubernetes;
mod lines;
pub(crate) mod listed;
mod mcp;
mod railway;
mod sqlite;
mod tfstate;
mod xml;

use std::cell::Cell;
use std::collections::BTreeMap;

use serde::Deserialize;

use super::document;
use super::find::{Find, Finds, Spot, Strength};
use super::scan::Scanner;
use crate::secret::Secret;

pub(crate) use fields::plain;

/// The known files that have a parser of their own, and those whose entry says what to take from them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Store {
    AwsProfiles,
    AwsCache,
    AzureProfile,
    Railway,
    Kubeconfig,
    GithubHosts,
    GnupgKey,
    Netrc,
    Pgpass,
    PgService,
    MyCnf,
    Mylogin,
    Mcp,
    McpToml,
    McpYaml,
    Tfstate,
    Terraformrc,
    Google,
    GcloudDb,
    GcloudTokens,
    GcloudConfig,
    VercelLink,
    SupabaseLink,
    NeonLink,
    FlyLink,
    /// The entry of this number.
    #[serde(skip)]
    Listed(usize),
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

/// Which known file this is: what its path is listed as, else what its name and its beginning tell.
pub(crate) fn recognise(listed: Option<Store>, path: &str, head: &[u8]) -> Option<Store> {
    if listed.is_some() {
        return listed;
    }
    let lower = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let has = |mark: &str| memchr::memmem::find(head, mark.as_bytes()).is_some();
    // The folder of Codex may lie elsewhere (`CODEX_HOME`).
    if path.ends_with(".codex/config.toml") || (lower == "config.toml" && has("[mcp_servers.")) {
        return Some(Store::McpToml);
    }
    let json = lower.ends_with(".json") || lower.ends_with(".jsonc");
    if json && (lower.contains("mcp") || has("\"mcpServers\"") || has("\"mcp\"")) {
        return Some(Store::Mcp);
    }
    if json && (has("\"private_key_id\"") || (has("\"client_secret\"") && has("\"refresh_token\""))) {
        return Some(Store::Google);
    }
    let kube_like = ["", "yaml", "yml", "conf", "json", "kubeconfig", "config"]
        .contains(&lower.rsplit_once('.').map_or("", |(_, end)| end));
    (kube_like && has("clusters") && has("users") && (has("contexts") || has("current-context")))
        .then_some(Store::Kubeconfig)
}

impl Store {
    /// Whether it is no text.
    pub(crate) const fn is_binary(self) -> bool {
        matches!(self, Self::GcloudDb | Self::GcloudTokens | Self::GnupgKey | Self::Mylogin)
    }
}

/// Parses the file. `false` says that it has not the form its name promises; its lines are scanned all the same.
pub(crate) fn parse(store: Store, context: &Context<'_>, bytes: &[u8], out: &mut Finds) -> bool {
    let text: &str = &String::from_utf8_lossy(bytes);
    match store {
        Store::AwsProfiles => aws::profiles(context, text, out),
        Store::AwsCache => aws::cache(context, text, out),
        Store::AzureProfile => azure::profile(context, text, out),
        Store::Railway => railway::config(context, text, out),
        Store::Kubeconfig => kubernetes::config(context, text, out),
        Store::GithubHosts => cloud::github(context, text, out),
        Store::Netrc => lines::netrc(context, text, out),
        Store::Pgpass => lines::pgpass(context, text, out),
        Store::PgService => lines::pg_service(context, text, out),
        Store::MyCnf => lines::my_cnf(context, text, out),
        Store::Mcp => mcp::json(context, text, out),
        Store::McpToml => mcp::toml(context, text, out),
        Store::McpYaml => mcp::yaml(context, text, out),
        Store::Tfstate => tfstate::state(context, text, out),
        Store::Terraformrc => cloud::terraformrc(context, text, out),
        Store::Google => google::key(context, text, out),
        Store::GcloudConfig => google::configuration(context, text, out),
        Store::VercelLink => cloud::vercel(context, text, out),
        Store::SupabaseLink => cloud::supabase(context, text, out),
        Store::NeonLink => cloud::neon(context, text, out),
        Store::FlyLink => cloud::fly(context, text, out),
        Store::Listed(at) => match context.scanner.rules.stores.get(at) {
            Some(entry) => fields::parse(context, entry, text, out),
            None => false,
        },
        Store::GcloudDb => google::credentials(context, bytes, out),
        Store::GcloudTokens => google::tokens(context, bytes, out),
        Store::GnupgKey => gnupg::key(context, text, out),
        Store::Mylogin => lines::mylogin(context, bytes, out),
    }
}
