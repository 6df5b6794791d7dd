//! From a credential that was found to an access token: one that is there, or one that the key of a service account signs for.
//!
//! <https://developers.google.com/identity/protocols/oauth2/service-account#httprest>. The key is never sent: a statement that it
//! signed is shown to Google's own issuer of tokens, whatever a file names in its place. What renews a login is sent nowhere.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use deadstop_core::fact::GapReason;
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use serde::Deserialize;
use serde_json::json;
use ureq::http::header::{ACCEPT, CONTENT_TYPE};
use ureq::http::{Method, Request};
use zeroize::Zeroizing;

use super::reads::{ISSUER, READS};
use crate::collector::Token;
use crate::provider::facts::Fault;
use crate::readonly::{ReadOnly, SIGNED};
use crate::secret::Secret;

/// The audience of a signed statement: the issuer, as it calls itself.
const AUDIENCE: &str = "https://oauth2.googleapis.com/token";
/// What the token is for. There is none for reading alone that every service takes; the door lets reads through and nothing else.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// How long the statement holds. The token holds for an hour, whatever is said here.
const HOLDS: u64 = 600;

/// What can be asked with.
pub(super) struct Held {
    pub(super) bearer: Secret,
    /// The service account whose key it is.
    pub(super) mail: Option<String>,
}

/// Why nothing can be asked with a credential.
#[derive(Debug)]
pub(super) enum Unused {
    /// It is not sent: why, and what would have it asked.
    NotSent(&'static str, &'static str),
    Refused(Fault),
}

/// The access token of a credential.
pub(super) fn of(door: &ReadOnly, token: &Token) -> Result<Held, Unused> {
    if token.kind != "service_account_key" {
        return Ok(Held { bearer: token.secret.clone(), mail: None });
    }
    let elsewhere = Unused::NotSent(
        "a key whose file names no service account of Google's own, or another server that issues tokens for it, is not used",
        "merge facts of it (--merge)",
    );
    let mail = token.account.as_deref().ok_or(elsewhere)?;
    let unread = Unused::NotSent("its key is no RSA key that can be read", "merge facts of it (--merge)");
    let key = key(&token.secret).ok_or(unread)?;
    let statement = statement(&key, token.public_id.as_deref(), mail)
        .ok_or_else(|| Unused::Refused(Fault::of(GapReason::Unsupported)))?;
    let bearer = issued(door, token, &statement).map_err(Unused::Refused)?;
    Ok(Held { bearer, mail: Some(mail.to_owned()) })
}

/// The key, of PKCS 8 in PEM as files have it, the ends of its lines written as `\n` or not.
fn key(secret: &Secret) -> Option<RsaKeyPair> {
    let text = Zeroizing::new(std::str::from_utf8(secret.expose()).ok()?.replace("\\n", "\n"));
    match PrivateKeyDer::from_pem_slice(text.as_bytes()).ok()? {
        PrivateKeyDer::Pkcs8(der) => RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).ok(),
        PrivateKeyDer::Pkcs1(der) => RsaKeyPair::from_der(der.secret_pkcs1_der()).ok(),
        PrivateKeyDer::Sec1(_) | _ => None,
    }
}

/// What is signed: who somebody is, for whom, and until when.
fn statement(key: &RsaKeyPair, id: Option<&str>, mail: &str) -> Option<Zeroizing<String>> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    let head = match id {
        Some(id) => json!({ "alg": "RS256", "typ": "JWT", "kid": id }),
        None => json!({ "alg": "RS256", "typ": "JWT" }),
    };
    let claims = json!({ "iss": mail, "scope": SCOPE, "aud": AUDIENCE, "iat": now, "exp": now + HOLDS });
    let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&head), part(&claims));
    let mut signature = vec![0; key.public().modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature).ok()?;
    Some(Zeroizing::new(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))))
}

#[derive(Deserialize)]
struct Issued {
    access_token: String,
}

fn issued(door: &ReadOnly, token: &Token, statement: &str) -> Result<Secret, Fault> {
    let form = [("grant_type", SIGNED), ("assertion", statement)];
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let uri = format!("{}/token", door.base(READS.provider, ISSUER));
    let request = Request::builder().method(Method::POST).uri(uri).header(ACCEPT, "application/json");
    let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body.into_bytes());
    let request = request.map_err(|_| Fault::of(GapReason::Unsupported))?;
    let answer = door.send(&READS, token.credential.as_str(), &request).map_err(Fault::of)?;
    let body = Zeroizing::new(answer.body);
    match answer.status {
        200 => {}
        // What is wrong with a statement, and who may not have a token, is said with 400 (RFC 6749, section 5.2).
        400 | 401 | 403 => return Err(Fault { reason: GapReason::Denied, code: Some(answer.status.to_string()) }),
        _ => return Err(Fault::malformed()),
    }
    let issued: Issued = serde_json::from_slice(&body).map_err(|_| Fault::malformed())?;
    let bearer = Zeroizing::new(issued.access_token);
    let plain = (16..=16_384).contains(&bearer.len()) && bearer.bytes().all(|b| b.is_ascii_graphic());
    if plain && bearer.as_str() != statement { Ok(Secret::new(bearer.as_bytes())) } else { Err(Fault::malformed()) }
}
