//! Questions put to one cluster with one credential: lists, page by page, and reviews, which store nothing.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use deadstop_core::fact::GapReason;
use deadstop_core::id::CredentialId;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use ureq::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use ureq::http::{Method, Request};
use zeroize::Zeroizing;

use super::{READS, login::Shown};
use crate::provider::answered::{each_read, rest};
use crate::provider::facts::Fault;
use crate::provider::token::Got;
use crate::readonly::{Read, ReadOnly, Wire};

/// How many objects are asked for at a time, as the clients of Kubernetes do.
const PAGE: &str = "500";
/// How many pages of one listing are read.
const PAGES: usize = 200;
/// After so many questions without an answer nothing more is asked.
const SILENCE: u32 = 3;

/// Speaks to one cluster with one credential.
pub(super) struct Client<'a> {
    door: &'a ReadOnly,
    wire: Wire,
    /// The server with the path that everything lies below.
    base: String,
    pub(super) credential: CredentialId,
    shown: Shown,
    silent: AtomicU32,
    /// What reviews were answered, so that no question is asked twice.
    asked: Mutex<BTreeMap<String, Result<Value, Fault>>>,
}

/// An answer to whether something may be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum May {
    Yes,
    No,
    /// Nothing that was said decides it.
    Open(Fault),
}

/// What a question is about: verb, group, resource with its subresource, namespace, name.
#[derive(Clone, Copy, Debug)]
pub(super) struct About<'a> {
    pub(super) verb: &'a str,
    pub(super) group: &'a str,
    pub(super) resource: &'a str,
    pub(super) namespace: &'a str,
    pub(super) name: &'a str,
}

impl<'a> Client<'a> {
    pub(super) fn new(door: &'a ReadOnly, wire: Wire, base: String, credential: CredentialId, shown: Shown) -> Self {
        Self { door, wire, base, credential, shown, silent: AtomicU32::new(0), asked: Mutex::default() }
    }

    /// Whether a text holds the token that was sent, however it is written.
    fn echoes(&self, text: &[u8]) -> bool {
        const TELLING: usize = 8;
        let Shown::Token(token) = &self.shown else { return false };
        let token = token.expose();
        token.len() >= TELLING && text.windows(token.len()).any(|part| part.eq_ignore_ascii_case(token))
    }

    /// Every object of a listing, in all namespaces or in one.
    pub(super) fn list<T: DeserializeOwned>(&self, operation: &str, namespace: Option<&str>) -> Got<T> {
        let mut got = Got { items: Vec::new(), fault: None };
        let mut at: Option<String> = None;
        for _ in 0..PAGES {
            let page = match self.page(operation, namespace, at.as_deref()) {
                Ok(page) => page,
                Err(fault) => return Got { fault: Some(got.fault.unwrap_or(fault)), ..got },
            };
            let next = page.pointer("/metadata/continue").and_then(Value::as_str).filter(|next| !next.is_empty());
            let next = next.map(str::to_owned);
            let is_list = page.get("kind").and_then(Value::as_str).is_some_and(|kind| kind.ends_with("List"));
            // The reference has `metadata` of every list; without it nobody can say that there is no more.
            let whole = is_list && page.get("metadata").is_some_and(Value::is_object);
            let (true, Some(Value::Array(items))) = (whole, page.get("items")) else {
                return Got { fault: Some(Fault::malformed()), ..got };
            };
            let more = each_read(items.clone());
            got.items.extend(more.items);
            got.fault = got.fault.or(more.fault);
            match next {
                None => return got,
                Some(next) if Some(&next) == at.as_ref() => break,
                Some(next) => at = Some(next),
            }
        }
        Got { fault: Some(got.fault.unwrap_or(Fault::malformed())), ..got }
    }

    fn page(&self, operation: &str, namespace: Option<&str>, at: Option<&str>) -> Result<Value, Fault> {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("limit", PAGE);
        if let Some(at) = at {
            query.append_pair("continue", at);
        }
        let path = self.path(operation)?.replacen("{}", namespace.unwrap_or_default(), 1);
        self.sent(Method::GET, &format!("{path}?{}", query.finish()), Vec::new())
    }

    /// Whom the cluster takes this credential for.
    pub(super) fn who(&self) -> Result<Value, Fault> {
        let body = json!({ "apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview" });
        self.review(super::WHO, &body, "/status/userInfo")
    }

    /// The rules that hold for it in a namespace.
    pub(super) fn rules(&self, namespace: &str) -> Result<Value, Fault> {
        let spec = json!({ "namespace": namespace });
        let body = json!({ "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectRulesReview", "spec": spec });
        self.review(super::RULES, &body, "/status")
    }

    /// Whether it may do something.
    pub(super) fn may(&self, about: About<'_>) -> May {
        let (resource, sub) = about.resource.split_once('/').unwrap_or((about.resource, ""));
        let mut attributes = serde_json::Map::new();
        let said = [
            ("verb", about.verb),
            ("group", about.group),
            ("resource", resource),
            ("subresource", sub),
            ("namespace", about.namespace),
            ("name", about.name),
        ];
        for (key, value) in said.into_iter().filter(|(_, value)| !value.is_empty()) {
            attributes.insert(key.to_owned(), json!(value));
        }
        let spec = json!({ "resourceAttributes": attributes });
        let body = json!({ "apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec });
        let status = match self.review(super::MAY, &body, "/status") {
            Ok(status) => status,
            Err(fault) => return May::Open(fault),
        };
        let failed = status.get("evaluationError").is_some_and(|error| error.as_str() != Some(""));
        match status.get("allowed").and_then(Value::as_bool) {
            Some(true) => May::Yes,
            Some(false) if failed => May::Open(Fault::of(GapReason::Unsupported)),
            Some(false) => May::No,
            None => May::Open(Fault::malformed()),
        }
    }

    fn review(&self, operation: &str, body: &Value, at: &str) -> Result<Value, Fault> {
        let question = body.to_string();
        let known = self.asked.lock().unwrap_or_else(PoisonError::into_inner).get(&question).cloned();
        let answer = known.unwrap_or_else(|| {
            let answer = self.sent(Method::POST, self.path(operation)?, question.clone().into_bytes());
            self.asked.lock().unwrap_or_else(PoisonError::into_inner).insert(question, answer.clone());
            answer
        })?;
        // The reviewed object comes back with its status.
        if answer.get("kind") != body.get("kind") {
            return Err(Fault::malformed());
        }
        answer.pointer(at).filter(|status| status.is_object()).cloned().ok_or_else(Fault::malformed)
    }

    fn path(&self, operation: &str) -> Result<&'static str, Fault> {
        let read = READS.list.iter().find(|read| read.operation == operation);
        read.and_then(Read::path).ok_or_else(|| Fault::of(GapReason::Unsupported))
    }

    fn sent(&self, method: Method, path: &str, body: Vec<u8>) -> Result<Value, Fault> {
        if self.silent.load(Ordering::Relaxed) >= SILENCE {
            return Err(Fault::of(GapReason::TimedOut));
        }
        let mut request = Request::builder().method(&method).uri(format!("{}{path}", self.base));
        request = request.header(ACCEPT, "application/json");
        if let Shown::Token(token) = &self.shown {
            let text = Zeroizing::new([b"Bearer ", token.expose()].concat());
            let mut value = HeaderValue::from_bytes(&text).map_err(|_| Fault::of(GapReason::Unsupported))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        if method == Method::POST {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let request = request.body(body).map_err(|_| Fault::of(GapReason::Unsupported))?;
        let answer = self.door.send_by(&self.wire, &READS, self.credential.as_str(), &request);
        let silent = matches!(answer, Err(GapReason::TimedOut | GapReason::Unreachable));
        if silent {
            self.silent.fetch_add(1, Ordering::Relaxed);
        } else {
            self.silent.store(0, Ordering::Relaxed);
        }
        let answer = answer.map_err(Fault::of)?;
        // Whoever repeats what it was sent has nothing of it kept.
        if self.echoes(&answer.body) { Err(Fault::malformed()) } else { rest(&answer) }
    }
}
