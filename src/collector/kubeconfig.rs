//! What a kubeconfig says of one user of one cluster (floor 5): where the cluster is, how it proves who it is, and what is
//! shown to it. Nothing of it is run, and no file that it names is read here.
//!
//! <https://kubernetes.io/docs/reference/config-api/kubeconfig.v1/>

use serde_json::Value;
use url::Url;

use super::document::text_at;
use crate::secret::Secret;

/// Something that stands in the file, or in another that it names.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Held {
    /// It is not there.
    Nothing,
    /// In the file, in base64.
    Inline(Secret),
    /// In the file of this name.
    File(String),
}

impl Held {
    /// The inline value counts before the file, as the reference says of each pair of fields.
    fn of(value: &Value, inline: &str, file: &str) -> Self {
        let text = |key: &str| text_at(value, &[key]).filter(|text| !text.is_empty());
        match (text(inline), text(file)) {
            (Some(data), _) => Self::Inline(Secret::new(data.as_bytes())),
            (None, Some(file)) => Self::File(file.to_owned()),
            (None, None) => Self::Nothing,
        }
    }
}

/// What is shown to a cluster.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Proof {
    /// A bearer token.
    Token(Secret),
    /// A bearer token, in a file.
    TokenFile(String),
    /// A certificate, and the key that it is proven with.
    Certificate {
        /// The certificate.
        certificate: Held,
        /// Its key.
        key: Held,
    },
    /// A password: shown, and never sent.
    Password,
    /// Whatever a program says: shown, and never run.
    Plugin(String),
}

/// A user of a cluster.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The server, without a login.
    pub(crate) server: Url,
    /// Who signs the server's certificate, in PEM; nothing: whom this machine trusts.
    pub(crate) authority: Held,
    /// Whether the server may be anyone (`insecure-skip-tls-verify`).
    pub(crate) insecure: bool,
    /// The name that the server's certificate is held to, where that is not its host.
    pub(crate) name: Option<String>,
    /// Whether it is reached through a proxy that the file names.
    pub(crate) proxied: bool,
    /// The namespace of its context.
    pub(crate) namespace: Option<String>,
    /// What is shown.
    pub(crate) proof: Proof,
}

impl Entry {
    /// Reads a cluster and a context of it.
    pub(crate) fn of(server: Url, (cluster, context): (&Value, &Value), proof: Proof) -> Self {
        let said = |value: &Value, key: &str| text_at(value, &[key]).filter(|text| !text.is_empty()).map(str::to_owned);
        // Anything but a plain `false` counts as insecure.
        let insecure = cluster.get("insecure-skip-tls-verify").is_some_and(|said| said != &Value::Bool(false));
        Self {
            server,
            authority: Held::of(cluster, "certificate-authority-data", "certificate-authority"),
            insecure,
            name: said(cluster, "tls-server-name"),
            proxied: cluster.get("proxy-url").is_some_and(|url| url.as_str() != Some("")),
            namespace: said(context, "namespace"),
            proof,
        }
    }
}

/// The certificate of a user.
pub(crate) fn certificate(user: &Value) -> Proof {
    Proof::Certificate {
        certificate: Held::of(user, "client-certificate-data", "client-certificate"),
        key: Held::of(user, "client-key-data", "client-key"),
    }
}
