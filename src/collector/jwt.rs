//! What a JSON Web Token says of itself (floor 5). It is read, never believed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use deadstop_core::time::Time;
use serde_json::Value;

use super::scan::Raw;

/// The claims that say whose a token is, in the order in which they are shown: RFC 7519, OpenID Connect Core 5.1, and
/// <https://learn.microsoft.com/en-us/entra/identity-platform/access-token-claims-reference>.
const WHO: [&str; 7] = ["email", "upn", "unique_name", "preferred_username", "tid", "iss", "sub"];

fn claims(token: &[u8]) -> Option<Value> {
    let mut parts = token.split(|byte| *byte == b'.');
    let (head, body) = (parts.next()?, parts.next()?);
    if !head.starts_with(b"eyJ") || body.len() > 16_384 {
        return None;
    }
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(body).ok()?).ok()
}

/// When a token says that it ends. Its issuer signed that, so that nobody can put it off; and nobody else can bring it
/// forward and still have a token.
pub(crate) fn expires(token: &[u8]) -> Option<Time> {
    let ends = claims(token)?.get("exp")?.as_f64()?;
    // Seconds since 1970, a fraction allowed.
    format!("{ends:.0}").parse().ok().map(Time::from_unix)
}

/// Whose a token says that it is, in words.
pub(crate) fn says(token: &[u8]) -> Option<String> {
    let claims = claims(token)?;
    let told = WHO.iter().filter_map(|name| {
        let text = super::store::plain(claims.get(*name)?.as_str()?)?;
        Some(format!("{name} {text}"))
    });
    let told: Vec<String> = told.take(3).collect();
    (!told.is_empty()).then(|| format!("says: {}", told.join(", ")))
}

/// Says in words whose token it says it is, and takes its provider from its issuer.
pub(crate) fn describe(raw: &mut Raw, token: &[u8]) {
    raw.expires = expires(token);
    let Some(claims) = claims(token) else { return };
    let text = |key: &str| claims.get(key).and_then(Value::as_str).unwrap_or_default();
    let (issuer, subject, role) = (text("iss"), text("sub"), text("role"));
    if issuer == "supabase" {
        "supabase".clone_into(&mut raw.provider);
        let project = text("ref");
        raw.kind = if role == "service_role" { "service_role_key".to_owned() } else { "anon_key".to_owned() };
        raw.scope = Some(format!("says it has the role {role} in project {project}"));
    } else if subject.starts_with("system:serviceaccount:") {
        "kubernetes".clone_into(&mut raw.provider);
        "service_account_token".clone_into(&mut raw.kind);
        raw.scope = Some(format!("says it is {subject}"));
    } else if let Some(said) = says(token) {
        raw.scope = Some(said);
    } else if !issuer.is_empty() {
        raw.scope = Some(format!("says it was issued by {issuer}"));
    }
}
