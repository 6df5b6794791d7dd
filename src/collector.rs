//! What lies in reach: every credential in the session's folders, home and environment, and what the same files tell of
//! the assets behind them (floor 5). It reads and never asks a provider, runs anything, or tells a secret.

mod anchors;
mod assignment;
mod aws_key;
mod collect;
mod commands;
mod document;
mod facts;
mod files;
mod find;
mod fingerprint;
mod group;
mod history;
mod hosts;
mod jwt;
mod keys;
pub(crate) mod kubeconfig;
mod locator;
pub(crate) mod mask;
mod places;
mod reader;
mod reused;
mod rules;
mod scan;
mod starts;
mod store;
mod strings;
mod told;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;

use deadstop_core::fact::{Fact, Listed, Listing};
use deadstop_core::id::{CredentialId, NodeId, PrincipalId, SessionId};
use deadstop_core::model::{Asset, Copy, Credential, Grant, Principal, Protection, Source, Step};

use crate::readonly::socket::Tls;
use crate::secret::Secret;
use crate::surroundings::Surroundings;

pub use fingerprint::{FingerprintKey, SHORTEST_KEY};
pub use told::credentials_document;

/// The bounds of a collection.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long files are read at most.
    pub budget: Option<Duration>,
    /// How much of one file is read at most.
    pub file_cap: u64,
    /// Threads that read.
    pub threads: usize,
    /// Whether the histories of repositories are read, by git.
    pub git_history: bool,
    /// What secrets without a public id are fingerprinted with.
    pub fingerprint_key: Option<FingerprintKey>,
    /// Set to stop within a second.
    pub cancel: Arc<AtomicBool>,
    /// Counts files as they are opened, for whoever shows progress.
    pub opened: Arc<AtomicU64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            budget: Some(Duration::from_secs(120)),
            file_cap: 256 << 20,
            threads: 2,
            git_history: false,
            fingerprint_key: None,
            cancel: Arc::new(AtomicBool::new(false)),
            opened: Arc::default(),
        }
    }
}

/// An MCP server that a settings file names, with the credentials it is started with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct McpServer {
    /// Its name in the settings.
    pub name: String,
    /// The file that names it.
    pub file: String,
    /// The line, from 1.
    pub line: Option<u64>,
    /// The program, without its arguments.
    pub command: Option<String>,
    /// Its address, without its query.
    pub url: Option<String>,
    /// What it uses on the session's word.
    pub credentials: Vec<CredentialId>,
}

/// How much was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Stats {
    /// Files read.
    pub files: u64,
    /// Bytes read.
    pub bytes: u64,
    /// Folders entered.
    pub folders: u64,
    /// Links seen and not followed.
    pub links: u64,
    /// Files and folders that this user may not read, and so no session of this user either.
    pub refused: u64,
    /// Made-up values of documentation that were left out.
    pub dummies: u64,
}

/// Everything that was found, redacted.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Collected {
    /// What the rest is based on.
    pub sources: Vec<Source>,
    /// Credentials, one for each secret wherever it lies.
    pub credentials: Listing<Credential>,
    /// Who some of them are.
    pub principals: Listing<Principal>,
    /// None: no file tells what a provider grants.
    pub grants: Listing<Grant>,
    /// What files say exists, and for each credential what else it may act on.
    pub assets: Listing<Asset>,
    /// None.
    pub protections: Listing<Protection>,
    /// None.
    pub recovery_points: Listing<Copy>,
    /// Roles that profiles act as.
    pub steps: Listing<Step>,
    /// MCP servers, for whoever knows the gates.
    pub mcp_servers: Vec<McpServer>,
    /// Whether all that the session can read was read.
    pub reach: Fact<Listed>,
    /// What a person should know beside that.
    pub notes: Vec<String>,
    /// How much was read.
    pub stats: Stats,
    /// AWS keys with their secrets, for whoever may ask AWS. Canaries are not among them.
    #[serde(skip)]
    pub aws_keys: AwsKeys,
    /// Tokens of providers that are asked with them, for whoever may ask these.
    #[serde(skip)]
    pub tokens: Tokens,
    /// Logins at databases, for whoever may ask these.
    #[serde(skip)]
    pub logins: Logins,
    /// Logins at clusters of Kubernetes, for whoever may ask these.
    #[serde(skip)]
    pub clusters: Clusters,
    /// Where each shown path is, for whoever must look it up.
    #[serde(skip)]
    pub paths: Paths,
}

/// Where shown paths are. A path itself may hold a secret, so that this is not shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Paths(BTreeMap<String, PathBuf>);

impl Paths {
    /// The file that is shown as `shown`.
    #[must_use]
    pub fn get(&self, shown: &str) -> Option<&Path> {
        self.0.get(shown).map(PathBuf::as_path)
    }
}

impl std::fmt::Debug for Paths {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} paths", self.0.len())
    }
}

/// An AWS key that can be used.
#[derive(Clone, PartialEq, Eq)]
pub struct AwsKey {
    /// The credential it is.
    pub credential: CredentialId,
    /// The access key id.
    pub id: String,
    /// Its secret.
    pub secret: Secret,
    /// The token of its session, if it is temporary.
    pub token: Option<Secret>,
    /// Whether a login that renews it lies beside it.
    pub renewable: bool,
}

/// AWS keys. What they hold is not shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct AwsKeys(pub Vec<AwsKey>);

impl std::fmt::Debug for AwsKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} keys", self.0.len())
    }
}

/// A token that can be used.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// The credential it is.
    pub credential: CredentialId,
    /// Its provider.
    pub provider: String,
    /// What kind of credential it is, as the rules call it.
    pub kind: String,
    /// Its public id, where it has one.
    pub public_id: Option<String>,
    /// The Region of what issued it, where that has to be known to use it.
    pub region: Option<String>,
    /// The account that it is sent beside, where it has to be.
    pub account: Option<String>,
    /// What is sent.
    pub secret: Secret,
}

/// Tokens. What they hold is not shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Tokens(pub Vec<Token>);

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} tokens", self.0.len())
    }
}

/// A login at a database that can be used.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The credential it is.
    pub credential: CredentialId,
    /// Its provider.
    pub provider: String,
    /// Its name.
    pub user: Option<String>,
    /// The server, `host:port`.
    pub host: String,
    /// The database that its place names.
    pub database: Option<String>,
    /// The database that its user is kept in, where users of one name may be several.
    pub source: Option<String>,
    /// What its place asks of TLS.
    pub tls: Tls,
    /// The password, if there is one.
    pub secret: Option<Secret>,
    /// Who it authenticates as.
    pub principal: PrincipalId,
    /// The server as an asset.
    pub server: NodeId,
}

/// Logins. What they hold is not shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Logins(pub Vec<Login>);

impl std::fmt::Debug for Logins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} logins", self.0.len())
    }
}

/// A login at a cluster of Kubernetes, as a kubeconfig writes it.
#[derive(Clone, PartialEq, Eq)]
pub struct ClusterLogin {
    /// The credential it is.
    pub credential: CredentialId,
    /// Who the kubeconfig calls it.
    pub principal: Option<PrincipalId>,
    /// The cluster.
    pub server: NodeId,
    /// The file, as it is shown; nothing for what is no longer there as a file.
    pub file: Option<String>,
    /// How the cluster is reached, and what is shown to it.
    pub(crate) entry: kubeconfig::Entry,
}

/// Logins at clusters. What they hold is not shown.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Clusters(pub Vec<ClusterLogin>);

impl std::fmt::Debug for Clusters {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} logins at clusters", self.0.len())
    }
}

/// Reads everything in reach of the sessions of this machine.
#[must_use]
pub fn collect(surroundings: &Surroundings, options: &Options, sessions: &[SessionId]) -> Collected {
    let scanner = scan::Scanner::new();
    let gathered = collect::gather(surroundings, options, &scanner);
    facts::state(gathered, &scanner.rules, surroundings.now, sessions, options.fingerprint_key.as_ref())
}

/// Where the rules on one provider's credentials are from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RuleSource {
    /// The provider.
    pub provider: String,
    /// Its documentation.
    pub source: String,
    /// When someone last compared the rules with it: a day, or `not yet`.
    pub reviewed: String,
}

/// The origin of the built-in rules, by provider.
#[must_use]
pub fn rule_sources() -> Vec<RuleSource> {
    let providers = rules::Rules::built_in().providers.into_values();
    let source = |known: rules::Provider| RuleSource {
        provider: known.provider,
        source: known.source,
        reviewed: known.reviewed,
    };
    providers.map(source).collect()
}
