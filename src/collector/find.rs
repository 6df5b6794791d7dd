//! What the scanners hand to the inventory: one find a place, secrets still in memory (floor 5).

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::model::Class;
use deadstop_core::time::Time;

use super::kubeconfig::Entry;
use super::locator::Locator;
use crate::secret::Secret;

/// How sure a classification is; of two for one secret the surer one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Strength {
    /// The name sounds like a secret and the value looks like one.
    Guess,
    /// A variable name that the provider documents.
    Name,
    /// A form that the provider documents.
    Pattern,
    /// A field of a known file.
    Store,
}

/// A place in words that may be shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Spot {
    /// `file` or `environment`.
    pub(crate) kind: &'static str,
    pub(crate) path: String,
    pub(crate) line: Option<u64>,
    pub(crate) key: Option<String>,
}

/// Something a provider accepts, at one place.
#[derive(Clone)]
pub(crate) struct Find {
    pub(crate) provider: String,
    pub(crate) kind: String,
    pub(crate) public_id: Option<String>,
    /// Nothing where a program or a keyring holds it.
    pub(crate) secret: Option<Secret>,
    /// The session token that an AWS key works with.
    pub(crate) token: Option<Secret>,
    /// The Region of what issued it, where that has to be known to use it.
    pub(crate) region: Option<String>,
    /// The account that it is sent beside, where it has to be.
    pub(crate) account: Option<String>,
    pub(crate) strength: Strength,
    /// A login that renews it lies beside it, or it is one.
    pub(crate) renewable: bool,
    pub(crate) scope: Option<String>,
    /// When it ends, as its file or it itself says.
    pub(crate) expires: Option<Time>,
    /// Who it is, where the place itself tells: id and name.
    pub(crate) identity: Option<(String, String)>,
    /// What it is known not to leave.
    pub(crate) within: Option<String>,
    /// The database that it is a login at.
    pub(crate) database: Option<Locator>,
    /// The cluster that it is a login at, and how that is reached.
    pub(crate) cluster: Option<Box<Entry>>,
    pub(crate) spot: Spot,
    /// Whether the file was parsed, so that the key is the whole way to the value.
    pub(crate) parsed: bool,
}

impl Find {
    /// A find with nothing told but its place.
    pub(crate) fn new(provider: &str, kind: &str, strength: Strength, secret: Option<Secret>, spot: Spot) -> Self {
        Self {
            provider: provider.to_owned(),
            kind: kind.to_owned(),
            public_id: None,
            secret,
            token: None,
            region: None,
            account: None,
            strength,
            renewable: false,
            scope: None,
            expires: None,
            identity: None,
            within: None,
            database: None,
            cluster: None,
            parsed: strength == Strength::Store,
            spot,
        }
    }
}

/// A part of a provider's tree that a file names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Node {
    pub(crate) id: String,
    pub(crate) provider: String,
    pub(crate) kind: String,
    pub(crate) class: Class,
    pub(crate) name: String,
    pub(crate) parent: Option<String>,
    pub(crate) spot: Spot,
}

/// An MCP server, with the secrets it is started with.
#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) command: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) secrets: Vec<Secret>,
    pub(crate) spot: Spot,
}

/// A profile that acts as a role by way of another profile.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Chain {
    pub(crate) profile: String,
    pub(crate) role: String,
    pub(crate) source: String,
    pub(crate) spot: Spot,
}

/// Everything found.
#[derive(Default)]
pub(crate) struct Finds {
    pub(crate) finds: Vec<Find>,
    /// Values of the file at hand that are a part of one of its credentials, and none by themselves.
    pub(crate) parts: Vec<Secret>,
    /// Public ids of the file at hand, each with the name that it stands under.
    pub(crate) ids: Vec<(String, Secret)>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) servers: Vec<Server>,
    pub(crate) chains: Vec<Chain>,
    /// AWS profiles by name, with the key id they hold, to tie chains to.
    pub(crate) profiles: Vec<(String, String)>,
    pub(crate) notes: BTreeSet<String>,
    /// Known stores that could not be parsed.
    pub(crate) malformed: BTreeSet<String>,
    /// Stores that are there and cannot be read here, with what each is.
    pub(crate) sealed: BTreeMap<String, String>,
    /// Documented dummies left out.
    pub(crate) dummies: u64,
}

impl Finds {
    pub(crate) fn append(&mut self, mut other: Self) {
        self.finds.append(&mut other.finds);
        self.nodes.append(&mut other.nodes);
        self.servers.append(&mut other.servers);
        self.chains.append(&mut other.chains);
        self.profiles.append(&mut other.profiles);
        self.notes.append(&mut other.notes);
        self.malformed.append(&mut other.malformed);
        self.sealed.append(&mut other.sealed);
        self.dummies += other.dummies;
    }
}
