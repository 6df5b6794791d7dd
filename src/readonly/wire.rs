//! The way to a server that the user named and that shows a certificate of its own: a cluster of Kubernetes.

use std::fmt;
use std::sync::Arc;

use deadstop_core::fact::GapReason;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use serde_json::Value;
use ureq::Agent;
use ureq::http::Request;
use ureq::tls::{ClientCert, PemItem, PrivateKey, RootCerts, TlsConfig, parse_pem};
use url::Url;

use super::socket::Place;
use super::{Answer, PATIENCE, ReadOnly, Reads};

/// A way to one server, and what is shown to it in the handshake.
pub struct Wire {
    agent: Agent,
    /// What its paths begin with, without a `/` at the end.
    base: String,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a way to a server")
    }
}

impl Wire {
    /// A way to a server whose certificate one of `roots` (PEM) signed, or whom this machine trusts; with the certificate and
    /// key (PEM) that are shown to it. Nothing, if one of them does not read.
    #[must_use]
    pub fn new(base: &str, roots: Option<&[u8]>, client: Option<(&[u8], &[u8])>) -> Option<Self> {
        let certificates = |pem: &[u8]| {
            let items = parse_pem(pem).collect::<Result<Vec<_>, _>>().ok()?;
            let of = |item| if let PemItem::Certificate(one) = item { Some(one) } else { None };
            let all: Vec<_> = items.into_iter().filter_map(of).collect();
            (!all.is_empty()).then_some(all)
        };
        let roots = match roots {
            Some(pem) => RootCerts::new_with_certs(&certificates(pem)?),
            None => RootCerts::PlatformVerifier,
        };
        let shown = match client {
            Some((chain, key)) if !works(chain, key) => return None,
            Some((chain, key)) => {
                Some(ClientCert::new_with_certs(&certificates(chain)?, PrivateKey::from_pem(key).ok()?))
            }
            None => None,
        };
        let tls = TlsConfig::builder().root_certs(roots).client_cert(shown).build();
        let config = Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .max_redirects(0)
            .https_only(true)
            .http_status_as_error(false)
            .user_agent(concat!("deadstop/", env!("CARGO_PKG_VERSION")))
            .tls_config(tls)
            .build();
        Some(Self { agent: config.into(), base: base.trim_end_matches('/').to_owned() })
    }
}

/// Whether a certificate can be shown with a key: one that is of another is a panic of the HTTP client's when it is used.
fn works(chain: &[u8], key: &[u8]) -> bool {
    let chain = CertificateDer::pem_slice_iter(chain).collect::<Result<Vec<_>, _>>();
    let (Ok(chain), Ok(key)) = (chain, PrivateKeyDer::from_pem_slice(key)) else { return false };
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let Ok(builder) = builder.with_safe_default_protocol_versions() else { return false };
    builder.with_root_certificates(RootCertStore::empty()).with_client_auth_cert(chain, key).is_ok()
}

impl ReadOnly {
    /// Sends a read by this way, as [`Self::send`] does.
    ///
    /// # Errors
    /// Why there is no answer. A call that is on no list is [`GapReason::Unsupported`] and is not sent.
    pub fn send_by(
        &self,
        wire: &Wire,
        reads: &Reads,
        credential: &str,
        request: &Request<Vec<u8>>,
    ) -> Result<Answer, GapReason> {
        self.send_over((&wire.agent, &wire.base), reads, credential, request)
    }

    /// Whether the user's configuration names the host of this URL, or its host and port.
    pub(super) fn names_url(&self, provider: &str, url: &Url) -> bool {
        let host = url.host_str().zip(url.port_or_known_default());
        host.and_then(|(host, port)| Place::read(&format!("{host}:{port}"), port))
            .is_some_and(|place| self.names(provider, &place))
    }
}

/// Whether a body is a review of this kind that says nothing but what is asked.
pub(super) fn review(body: &[u8], version: &str, kind: &str, fields: &[&str]) -> bool {
    let Ok(Value::Object(all)) = serde_json::from_slice(body) else { return false };
    let said = |key: &str, wanted: &str| all.get(key).and_then(Value::as_str) == Some(wanted);
    let known = all.keys().all(|key| ["apiVersion", "kind", "spec"].contains(&key.as_str()));
    let texts = |key: &String, value: &Value| fields.contains(&key.as_str()) && value.is_string();
    let field = |key: &String, value: &Value| match value.as_object() {
        Some(inner) => fields.contains(&key.as_str()) && inner.iter().all(|(key, value)| texts(key, value)),
        None => texts(key, value),
    };
    let spec = match all.get("spec") {
        None => true,
        Some(spec) => spec.as_object().is_some_and(|spec| spec.iter().all(|(key, value)| field(key, value))),
    };
    known && said("apiVersion", version) && said("kind", kind) && spec
}

/// A path and its template, both without the verb that the template ends in (Google's API design guide, custom methods);
/// nothing, if the path does not end in it.
pub(super) fn without_verb<'a>(path: &'a str, template: &'static str) -> Option<(&'a str, &'static str)> {
    match template.rsplit_once(':') {
        None => Some((path, template)),
        Some((head, verb)) => Some((path.strip_suffix(verb)?.strip_suffix(':')?, head)),
    }
}

/// The most permissions of one question.
const MOST_PERMISSIONS: usize = 100;

/// Whether a body lists permissions, and says nothing beside.
pub(super) fn permissions(body: &[u8]) -> bool {
    let Ok(Value::Object(all)) = serde_json::from_slice(body) else { return false };
    let Some(Value::Array(listed)) = all.get("permissions").filter(|_| all.len() == 1) else { return false };
    let name = |one: &Value| {
        one.as_str().is_some_and(|name| {
            !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_".contains(&b))
        })
    };
    (1..=MOST_PERMISSIONS).contains(&listed.len()) && listed.iter().all(name)
}

/// What a statement is shown as that its sender signed (RFC 7523, section 2.1).
pub const SIGNED: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// Whether a form shows a signed statement, and has no other field.
pub(super) fn signed(body: &[u8]) -> bool {
    let fields: Vec<_> = url::form_urlencoded::parse(body).collect();
    let [(grant, kind), (assertion, text)] = fields.as_slice() else { return false };
    let part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    let statement = text.split('.').count() == 3 && text.split('.').all(part);
    grant == "grant_type" && kind == SIGNED && assertion == "assertion" && statement
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_review_asks_and_does_nothing_else() {
        let version = "authorization.k8s.io/v1";
        let kind = "SelfSubjectAccessReview";
        let fields = ["resourceAttributes", "verb", "resource"];
        let is = |body: &str| review(body.as_bytes(), version, kind, &fields);
        let head = format!(r#""apiVersion": "{version}", "kind": "{kind}""#);
        assert!(is(&format!(
            r#"{{{head}, "spec": {{"resourceAttributes": {{"verb": "delete", "resource": "pods"}}}}}}"#
        )));
        for other in [
            format!(r#"{{{head}, "spec": {{"user": "admin"}}}}"#),
            format!(r#"{{{head}, "metadata": {{"name": "x"}}, "spec": {{}}}}"#),
            format!(r#"{{{head}, "spec": {{"resourceAttributes": {{"verb": ["delete"]}}}}}}"#),
            format!(r#"{{{head}, "spec": []}}"#),
            r#"{"apiVersion": "v1", "kind": "Namespace"}"#.to_owned(),
            format!(r#"{{"apiVersion": "{version}", "kind": "SubjectAccessReview", "spec": {{}}}}"#),
            "[]".to_owned(),
            String::new(),
        ] {
            assert!(!is(&other), "{other}");
        }
    }

    #[test]
    fn what_is_no_certificate_makes_no_way() {
        assert!(Wire::new("", None, None).is_some());
        assert!(Wire::new("", Some(b"not a certificate"), None).is_none());
        assert!(Wire::new("", None, Some((b"", b""))).is_none());
    }
}
