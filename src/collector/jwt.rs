//! What a JSON Web Token says of itself (floor 5). It is read, never believed.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::scan::Raw;

/// Says in words whose token it says it is, and takes its provider from its issuer.
pub(crate) fn describe(raw: &mut Raw, token: &[u8]) {
    let Some(body) = token.split(|byte| *byte == b'.').nth(1) else { return };
    let Ok(body) = URL_SAFE_NO_PAD.decode(body) else { return };
    let Ok(claims) = serde_json::from_slice::<serde_json::Value>(&body) else { return };
    let text = |key: &str| claims.get(key).and_then(serde_json::Value::as_str).unwrap_or_default();
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
    } else if !issuer.is_empty() {
        raw.scope = Some(format!("says it was issued by {issuer}"));
    }
}
