//! One type per kind of id, so that none is taken for another (floor 0).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }
    )*};
}

ids! {
    /// A session of one machine.
    SessionId;
    /// A credential. Its stable key, or the key behind a machine's name where only its place tells it apart.
    CredentialId;
    /// An identity that a provider knows.
    PrincipalId;
    /// A node of the provider's resource tree: an asset, a container, or a copy. The provider's own id.
    NodeId;
    /// A way in which a session may issue calls.
    WayId;
    /// A protection or an approval.
    ProtectionId;
    /// A step that widens power.
    StepId;
    /// A question asked of the world, and its answer.
    SourceId;
}
