//! Questions put to Google Cloud with one access token: lists, page by page, and which permissions somebody has on something.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use deadstop_core::fact::GapReason;
use deadstop_core::id::CredentialId;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use ureq::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use ureq::http::{Method, Request};
use zeroize::Zeroizing;

use super::reads::{READS, host};
use crate::provider::answered::{each_read, read};
use crate::provider::facts::Fault;
use crate::provider::token::{Got, is_id};
use crate::readonly::{Answer, Read, ReadOnly};
use crate::secret::Secret;

/// How many pages of one listing are read.
const PAGES: usize = 500;
/// After so many questions without an answer a host is asked nothing more.
const SILENCE: u32 = 3;

/// What a refusal says where the service is not in use in a project (`google.rpc.ErrorInfo`, reasons of `googleapis.com`; the
/// older form of errors in JSON).
pub(super) const DISABLED: [&str; 2] = ["SERVICE_DISABLED", "accessNotConfigured"];
/// What it says where the token is of too narrow a scope.
const LIMITED: [&str; 2] = ["ACCESS_TOKEN_SCOPE_INSUFFICIENT", "insufficientPermissions"];
/// What it says where calls come too fast.
const THROTTLED: [&str; 4] = ["RATE_LIMIT_EXCEEDED", "rateLimitExceeded", "userRateLimitExceeded", "quotaExceeded"];

/// Where answers name the places that did not answer, so that they are not whole.
const MISSING: [&str; 4] = ["unreachable", "unreachables", "missingZones", "warnings"];

/// Speaks to Google Cloud with one token.
pub(super) struct Client<'a> {
    door: &'a ReadOnly,
    bearer: Secret,
    credential: CredentialId,
    silent: Mutex<BTreeMap<&'static str, u32>>,
    limited: AtomicBool,
}

impl<'a> Client<'a> {
    pub(super) fn new(door: &'a ReadOnly, bearer: Secret, credential: CredentialId) -> Self {
        Self { door, bearer, credential, silent: Mutex::default(), limited: AtomicBool::new(false) }
    }

    /// Whether something was refused to the token, whatever its holder may do.
    pub(super) fn limited(&self) -> bool {
        self.limited.load(Ordering::Relaxed)
    }

    /// One object.
    pub(super) fn object<T: DeserializeOwned>(&self, operation: &str, segments: &[&str]) -> Result<T, Fault> {
        self.get(operation, segments, &[]).and_then(read)
    }

    /// All pages of a list that lies at `key`; left out, it is empty. `kind` is what the answer says that it is, where the
    /// service says so.
    pub(super) fn list<T: DeserializeOwned>(
        &self,
        operation: &str,
        segments: &[&str],
        query: &[(&str, &str)],
        (key, kind): (&str, Option<&str>),
    ) -> Got<T> {
        self.pages(operation, segments, query, kind, &|page| match page.get(key) {
            None => Got { items: Vec::new(), fault: None },
            Some(Value::Array(all)) => each_read(all.clone()),
            Some(_) => Got { items: Vec::new(), fault: Some(Fault::malformed()) },
        })
    }

    /// All pages of a list that is put together of several scopes: of zones and regions (`aggregatedList`).
    pub(super) fn aggregated<T: DeserializeOwned>(
        &self,
        operation: &str,
        segments: &[&str],
        (key, kind): (&str, &str),
    ) -> Got<T> {
        self.pages(operation, segments, &[], Some(kind), &|page| {
            let mut got = Got { items: Vec::new(), fault: None };
            let scopes = match page.get("items") {
                None => return got,
                Some(Value::Object(scopes)) => scopes,
                Some(_) => return Got { fault: Some(Fault::malformed()), ..got },
            };
            for scope in scopes.values() {
                got.fault = got.fault.or(warned(scope));
                let more = match scope.get(key) {
                    None => continue,
                    Some(Value::Array(all)) => each_read(all.clone()),
                    Some(_) => Got { items: Vec::new(), fault: Some(Fault::malformed()) },
                };
                got.items.extend(more.items);
                got.fault = got.fault.or(more.fault);
            }
            got
        })
    }

    fn pages<T>(
        &self,
        operation: &str,
        segments: &[&str],
        query: &[(&str, &str)],
        kind: Option<&str>,
        items: &dyn Fn(&Value) -> Got<T>,
    ) -> Got<T> {
        let mut got = Got { items: Vec::new(), fault: None };
        let mut at: Option<String> = None;
        for _ in 0..PAGES {
            let mut query = query.to_vec();
            query.extend(at.as_deref().map(|at| ("pageToken", at)));
            let page = match self.get(operation, segments, &query) {
                Ok(page) if page.is_object() && said(&page, kind) => page,
                Ok(_) => return Got { fault: Some(got.fault.unwrap_or(Fault::malformed())), ..got },
                Err(fault) => return Got { fault: Some(got.fault.unwrap_or(fault)), ..got },
            };
            let more = items(&page);
            got.items.extend(more.items);
            got.fault = got.fault.or(more.fault).or_else(|| unanswered(&page));
            match page.get("nextPageToken") {
                None => return got,
                Some(Value::String(next)) if next.is_empty() => return got,
                Some(Value::String(next)) if at.as_ref() != Some(next) => at = Some(next.clone()),
                Some(_) => break,
            }
        }
        Got { fault: Some(got.fault.unwrap_or(Fault::malformed())), ..got }
    }

    /// Which of these permissions the token's holder has on something. A permission that what is asked about does not know
    /// makes the whole question wrong, so that the others are asked without it.
    pub(super) fn holds(
        &self,
        operation: &str,
        segments: &[&str],
        asked: &[&'static str],
    ) -> Result<BTreeSet<&'static str>, Fault> {
        match self.permissions(operation, segments, asked) {
            Err(fault) if fault.says(&["400"]) && asked.len() > 1 => {
                let (one, other) = asked.split_at(asked.len() / 2);
                let mut held = self.holds(operation, segments, one)?;
                held.append(&mut self.holds(operation, segments, other)?);
                Ok(held)
            }
            Err(fault) if fault.says(&["400"]) => Ok(BTreeSet::new()),
            answer => answer,
        }
    }

    fn permissions(
        &self,
        operation: &str,
        segments: &[&str],
        asked: &[&'static str],
    ) -> Result<BTreeSet<&'static str>, Fault> {
        let read = READS.list.iter().find(|read| read.operation == operation);
        let answer = if read.is_some_and(Read::asks_permissions) {
            let body = json!({ "permissions": asked }).to_string().into_bytes();
            self.sent(Method::POST, operation, &path(operation, segments)?, body)?
        } else {
            let query: Vec<(&str, &str)> = asked.iter().map(|one| ("permissions", *one)).collect();
            self.get(operation, segments, &query)?
        };
        let Value::Object(answer) = answer else { return Err(Fault::malformed()) };
        let held = match answer.get("permissions") {
            None => return Ok(BTreeSet::new()),
            Some(Value::Array(held)) => held,
            Some(_) => return Err(Fault::malformed()),
        };
        let known = |one: &Value| asked.iter().copied().find(|asked| one.as_str() == Some(asked));
        held.iter().map(|one| known(one).ok_or_else(Fault::malformed)).collect()
    }

    fn get(&self, operation: &str, segments: &[&str], query: &[(&str, &str)]) -> Result<Value, Fault> {
        let mut path = path(operation, segments)?;
        if !query.is_empty() {
            let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
            path = format!("{path}?{query}");
        }
        self.sent(Method::GET, operation, &path, Vec::new())
    }

    fn sent(&self, method: Method, operation: &str, path: &str, body: Vec<u8>) -> Result<Value, Fault> {
        let host = host(operation).ok_or_else(|| Fault::of(GapReason::Unsupported))?;
        if self.silent.lock().unwrap_or_else(PoisonError::into_inner).get(host).is_some_and(|times| *times >= SILENCE) {
            return Err(Fault::of(GapReason::TimedOut));
        }
        let unsupported = || Fault::of(GapReason::Unsupported);
        let text = Zeroizing::new([b"Bearer ", self.bearer.expose()].concat());
        let mut bearer = HeaderValue::from_bytes(&text).map_err(|_| unsupported())?;
        bearer.set_sensitive(true);
        let uri = format!("{}{path}", self.door.base(READS.provider, host));
        let mut request = Request::builder().method(&method).uri(uri).header(ACCEPT, "application/json");
        request = request.header(AUTHORIZATION, bearer);
        if method == Method::POST {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let request = request.body(body).map_err(|_| unsupported())?;
        let answer = self.door.send(&READS, self.credential.as_str(), &request);
        let mut silent = self.silent.lock().unwrap_or_else(PoisonError::into_inner);
        match &answer {
            Err(GapReason::TimedOut | GapReason::Unreachable) => *silent.entry(host).or_default() += 1,
            Err(_) | Ok(_) => drop(silent.insert(host, 0)),
        }
        drop(silent);
        let answer = answer.map_err(Fault::of)?;
        // Whoever repeats what it was sent has nothing of it kept.
        if echoes(&answer.body, &self.bearer) {
            return Err(Fault::malformed());
        }
        let value = understood(&answer);
        if value.as_ref().is_err_and(|fault| fault.says(&LIMITED)) {
            self.limited.store(true, Ordering::Relaxed);
        }
        value
    }
}

/// The path of an operation with its `{}` filled in.
fn path(operation: &str, segments: &[&str]) -> Result<String, Fault> {
    let read = READS.list.iter().find(|read| read.operation == operation);
    let template = read.and_then(Read::path).filter(|_| segments.iter().all(|one| is_id(one)));
    let template = template.ok_or_else(|| Fault::of(GapReason::Unsupported))?;
    Ok(segments.iter().fold(template.to_owned(), |path, one| path.replacen("{}", one, 1)))
}

/// Whether a text holds a token that was sent.
pub(super) fn echoes(text: &[u8], token: &Secret) -> bool {
    const TELLING: usize = 8;
    token.len() >= TELLING && text.windows(token.len()).any(|part| part == token.expose())
}

fn said(page: &Value, kind: Option<&str>) -> bool {
    kind.is_none_or(|kind| page.get("kind").and_then(Value::as_str) == Some(kind))
}

/// Why an answer is not whole, if it says so.
fn unanswered(page: &Value) -> Option<Fault> {
    let missing =
        |key: &&str| page.get(*key).is_some_and(|missing| missing.as_array().is_none_or(|all| !all.is_empty()));
    if MISSING.iter().any(missing) {
        return Some(Fault::of(GapReason::Unreachable));
    }
    warned(page)
}

/// Why a part of an answer is not whole, if it says so. That there is nothing in it is a warning, too.
fn warned(part: &Value) -> Option<Fault> {
    let warning = part.get("warning")?;
    let code = warning.get("code").and_then(Value::as_str);
    (code != Some("NO_RESULTS_ON_PAGE")).then(|| Fault::of(GapReason::Unreachable))
}

/// The reasons that an error gives, of those that are known.
fn reasons(answer: &Answer) -> Option<&'static str> {
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    let error = body.get("error")?;
    let all = ["details", "errors"].iter().filter_map(|key| error.get(*key)?.as_array()).flatten();
    let said: Vec<&str> = all.filter_map(|one| one.get("reason")?.as_str()).collect();
    let known = DISABLED.iter().chain(&LIMITED).chain(&THROTTLED);
    known.copied().find(|known| said.contains(known))
}

/// Whether an answer asks to slow down (`403` of older services, `429`).
pub(super) fn throttled(answer: &Answer) -> bool {
    answer.status == 429 || (answer.status == 403 && reasons(answer).is_some_and(|reason| THROTTLED.contains(&reason)))
}

/// What was answered.
fn understood(answer: &Answer) -> Result<Value, Fault> {
    let code = || Some(reasons(answer).map_or_else(|| answer.status.to_string(), str::to_owned));
    match answer.status {
        200..300 => serde_json::from_slice(&answer.body).map_err(|_| Fault::malformed()),
        401 | 403 | 404 => Err(Fault { reason: GapReason::Denied, code: code() }),
        400 | 405..500 => Err(Fault { reason: GapReason::Unsupported, code: code() }),
        _ => Err(Fault::malformed()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, body: body.as_bytes().to_vec(), told: BTreeMap::new() }
    }

    #[test]
    fn a_refusal_says_why() {
        let disabled = r#"{"error": {"code": 403, "details": [{"reason": "SERVICE_DISABLED"}]}}"#;
        assert!(understood(&answer(403, disabled)).unwrap_err().says(&DISABLED));
        let old = r#"{"error": {"code": 403, "errors": [{"reason": "rateLimitExceeded"}]}}"#;
        assert!(throttled(&answer(403, old)));
        assert!(!throttled(&answer(403, disabled)) && throttled(&answer(429, "")));
        assert!(understood(&answer(403, "no")).unwrap_err().says(&["403"]));
        assert!(understood(&answer(200, "{")).is_err());
    }

    #[test]
    fn an_answer_that_leaves_something_out_is_not_whole() {
        assert!(unanswered(&json!({ "unreachable": ["projects/p/locations/l"] })).is_some());
        assert!(unanswered(&json!({ "missingZones": [] })).is_none());
        assert!(unanswered(&json!({ "warning": { "code": "UNREACHABLE" } })).is_some());
        assert!(unanswered(&json!({ "warning": { "code": "NO_RESULTS_ON_PAGE" } })).is_none());
    }
}
