//! Who may do what, and what a session can gain (floor 0).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::{Fact, Listed};
use crate::id::{CredentialId, NodeId, PrincipalId, ProtectionId, SessionId, SourceId, StepId, WayId};

/// How well a fact is founded, from strongest to weakest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// Read from the provider or the file.
    Observed,
    /// The provider's own simulator said so.
    Simulated,
    /// We evaluated the provider's policies.
    Evaluated,
    /// A documented default, or a name.
    Inferred,
    /// A person said so.
    Declared,
    /// Not founded on anything: it is not known.
    None,
}

impl Basis {
    /// The word used in JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Observed => "observed",
            Self::Simulated => "simulated",
            Self::Evaluated => "evaluated",
            Self::Inferred => "inferred",
            Self::Declared => "declared",
            Self::None => "none",
        }
    }
}

/// Who a credential authenticates as.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Principal {
    /// The provider's own id for it.
    pub id: PrincipalId,
    /// The provider.
    pub provider: String,
    /// What it is called in the report.
    pub name: String,
    /// The environment it belongs to, if known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// Whether all its grants are listed. A right that is not in a complete list is denied.
    pub grants: Fact<Listed>,
    /// Where this comes from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<SourceId>,
}

/// A principal's right to perform actions on a part of the provider's tree, after everything that may deny it.
///
/// Rights add up: an action is allowed if any grant that matches is; so a denial is written by leaving the denied
/// part out of the target, or as `allowed: false` where no other grant matches.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// Who.
    pub principal: PrincipalId,
    /// Which actions, with `*` for any run of characters.
    pub actions: Vec<String>,
    /// The node it holds for, with everything below it, or a group of such nodes; `*` is everything of the principal's
    /// provider.
    pub target: NodeId,
    /// Whether the provider allows it.
    pub allowed: Fact<bool>,
    /// How well this is founded.
    pub basis: Basis,
    /// The policy, scope or default behind it, in a few words.
    pub because: String,
    /// Where this comes from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<SourceId>,
}

/// Nodes that rights speak of together: a grant for a group, or a right that a step gives to one, is one for each of its
/// members. Facts of large accounts would grow with identities times resources without.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Named after what it holds, so that it is the same in every bundle; no asset's id.
    pub id: NodeId,
    /// What it holds.
    pub holds: Holds,
}

/// What a group holds.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Holds {
    /// These nodes.
    Nodes(Vec<NodeId>),
    /// All of another group but for some of it.
    Rest {
        /// That group, which holds nodes.
        of: NodeId,
        /// What of it is not in this one.
        except: Vec<NodeId>,
    },
}

/// One thing a session can have in its power.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Atom {
    /// It holds the credential's secret.
    Credential(CredentialId),
    /// It can act as this identity.
    Principal(PrincipalId),
    /// It can use this way unasked.
    Way(WayId),
    /// It has got past this protection, or has this approval.
    Lifted(ProtectionId),
    /// It can have this action performed on this node.
    Can {
        /// The provider's operation.
        action: String,
        /// The node; or a group, where it takes a right to that or to the one it was made from.
        target: NodeId,
    },
    /// This identity has the right, whatever it had before. Only a step gives it.
    Right {
        /// Who.
        principal: PrincipalId,
        /// The provider's operation.
        action: String,
        /// The node, with everything below it, or a group of such nodes.
        target: NodeId,
    },
    /// The node's data is gone.
    Destroyed(NodeId),
}

/// A rule by which power grows: who has all of `needs` may come to have all of `gains`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Step {
    /// Unique in the bundle.
    pub id: StepId,
    /// The session it is for; left out: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionId>,
    /// What it takes.
    pub needs: Vec<Atom>,
    /// What it gives.
    pub gains: Vec<Atom>,
    /// Whether it changes anything. Reading a secret and assuming a role do not; granting a right does.
    pub changes: bool,
    /// Whether it works at all.
    pub possible: Fact<bool>,
    /// What is done, to stand after "it may".
    pub because: String,
    /// Where this comes from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<SourceId>,
}
