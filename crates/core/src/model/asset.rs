//! What can be lost, what guards it and what brings it back (floor 0).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rights::{Atom, Basis};
use crate::fact::{Fact, Listed};
use crate::id::{NodeId, ProtectionId, SourceId};
use crate::time::{Span, Time};

/// What an asset is, across providers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// A database, an instance or cluster of one, a branch of one.
    Database,
    /// A disk or file system.
    Volume,
    /// An object store.
    Bucket,
    /// A key-value store, cache or queue that keeps data.
    Store,
    /// A search or analytics index.
    Index,
    /// A cluster of machines with data in it.
    Cluster,
    /// A source or package repository, or a registry.
    Repository,
    /// An encryption key or a secret.
    Key,
    /// A copy kept as a resource of its own.
    Backup,
    /// A place that keeps copies.
    Vault,
    /// Infrastructure state.
    State,
    /// A container: an account, a project, a region, an environment, a stack.
    Container,
}

impl Class {
    /// Whether it holds other assets and counts through them.
    #[must_use]
    pub const fn is_container(self) -> bool {
        match self {
            Self::Container => true,
            Self::Database
            | Self::Volume
            | Self::Bucket
            | Self::Store
            | Self::Index
            | Self::Cluster
            | Self::Repository
            | Self::Key
            | Self::Backup
            | Self::Vault
            | Self::State => false,
        }
    }

    /// Whether it counts through what it stands behind.
    #[must_use]
    pub const fn stands_behind(self) -> bool {
        match self {
            Self::Key | Self::Backup | Self::Vault => true,
            Self::Database
            | Self::Volume
            | Self::Bucket
            | Self::Store
            | Self::Index
            | Self::Cluster
            | Self::Repository
            | Self::State
            | Self::Container => false,
        }
    }
}

/// A resource whose loss is data loss, or takes the way back.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Asset {
    /// The provider's own id: its stable key.
    pub id: NodeId,
    /// The provider.
    pub provider: String,
    /// The provider's kind of resource, as the action catalogue names it.
    pub kind: String,
    /// What it is, across providers.
    pub class: Class,
    /// What it is called in the report.
    pub name: String,
    /// The container it lies in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<NodeId>,
    /// The environment it belongs to.
    pub environment: Fact<String>,
    /// For a container: whether everything in it is listed. What is not is one asset more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contents: Option<Fact<Listed>>,
    /// Whether all that protects it is listed.
    pub protections: Fact<Listed>,
    /// Whether all its copies are listed.
    pub copies: Fact<Listed>,
    /// The assets that lose their way back with this one: what a key encrypts, what a vault keeps.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub behind: Vec<NodeId>,
    /// What is in it, in a few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub holds: Option<String>,
    /// Where this comes from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<SourceId>,
}

/// One provider operation after which the data of a kind of asset can no longer be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Action {
    /// The provider's operation.
    pub action: String,
    /// The provider.
    pub provider: String,
    /// The kind of resource it is called on.
    pub kind: String,
    /// Whether everything below that resource goes too.
    pub takes_children: bool,
    /// The worst that a caller may ask for, in a few words: `SkipFinalSnapshot=true`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chosen: Option<String>,
    /// How long it takes, as far as known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub takes: Option<Span>,
    /// The provider's protection that can refuse it, if there is one: `deletion protection`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub guarded_by: Option<String>,
    /// What it does, in a sentence.
    pub because: String,
    /// The provider's documentation of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// In which layer a protection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// A person must say yes at the provider: layer 2.
    Confirm,
    /// The resource refuses: layer 4.
    Protect,
}

/// A control at the provider (or in one client) that refuses an action.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Protection {
    /// Unique in the bundle.
    pub id: ProtectionId,
    /// The asset or copy it is on.
    pub on: NodeId,
    /// In which layer it stands.
    pub side: Side,
    /// What it is, in the provider's words: `deletion protection`, `Object Lock, compliance mode`.
    pub kind: String,
    /// The actions it refuses, with `*` for any run of characters.
    pub covers: Vec<String>,
    /// Whether it is on.
    pub enabled: Fact<bool>,
    /// Whether it holds for all of the data. Half the objects locked is half the objects lost.
    pub whole: Fact<bool>,
    /// Whether it also refuses the deletion of what the resource lies in.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub holds_parent: bool,
    /// The kinds of way it lives in, if the provider does not know of it (`prevent_destroy`, a prompt).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub only_ways: Vec<super::reach::WayKind>,
    /// The ways of getting past it; an empty list says that nothing does.
    pub lifts: Fact<Vec<Lift>>,
    /// How well this is founded. What a person declared never counts.
    pub basis: Basis,
    /// What was read, in a few words.
    pub because: String,
    /// Where this comes from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<SourceId>,
}

/// One way of getting past a protection, or of destroying a copy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Lift {
    /// What it takes.
    pub needs: Vec<Atom>,
    /// Whether it changes anything. Giving an approval does not; switching protection off does.
    pub changes: bool,
    /// What is done, to stand after "it may".
    pub because: String,
}

/// What kind of copy it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CopyKind {
    /// Taken at one moment, kept as its own resource.
    Snapshot,
    /// Taken by the provider on a schedule.
    AutomatedBackup,
    /// Any moment within a window.
    Pitr,
    /// Earlier versions of objects.
    Versions,
    /// A dump, export or file.
    Dump,
    /// What is left for a while after the delete.
    GracePeriod,
}

/// A recovery point: a moment in the past that the delete cannot follow.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Copy {
    /// The provider's own id.
    pub id: NodeId,
    /// The asset it is a copy of.
    pub of: NodeId,
    /// What kind of copy.
    pub kind: CopyKind,
    /// What it is called in the report.
    pub name: String,
    /// The vault, bucket, account or parent it lies in. Grants on that hold for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<NodeId>,
    /// How much data it may lack: the time between copies, or the age of the only one.
    pub lag: Fact<Span>,
    /// When it ends by itself.
    pub ends: Fact<End>,
    /// The actions on the asset or what it lies in that take this copy along, with `*` for any run of characters.
    pub dies_with: Fact<Vec<String>>,
    /// The ways of destroying it by itself; an empty list says that nothing does.
    pub destroyed_by: Fact<Vec<Lift>>,
    /// What it cannot be restored without and what cannot be made again: its key, its account, its parent.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<NodeId>,
    /// Whether every restore of it that was tried is listed among the drills.
    pub drills: Fact<Listed>,
    /// How well this is founded.
    pub basis: Basis,
    /// What was read, in a few words.
    pub because: String,
    /// Where this comes from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<SourceId>,
}

/// When a copy ends by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Not by itself.
    Never,
    /// So long after the delete.
    After(Span),
    /// At this moment.
    At(Time),
}

/// A restore that was tried.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Drill {
    /// The asset it was for.
    pub asset: NodeId,
    /// The very copy it restored.
    pub copy: NodeId,
    /// When.
    pub tested_at: Time,
    /// How long it took.
    pub took: Fact<Span>,
    /// Whether it worked.
    pub worked: bool,
    /// Who says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The record of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// How well this is founded.
    pub basis: Basis,
}
