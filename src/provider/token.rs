//! Questions asked with a token: a GraphQL document or a REST path at a time, each once.

use std::cell::RefCell;
use std::collections::BTreeMap;

use deadstop_core::fact::GapReason;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use ureq::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue};
use ureq::http::{Method, Request};

use super::facts::Fault;
use crate::collector::Token;
use crate::readonly::{Answer, Read, ReadOnly, Reads};

/// How many pages of one listing are read.
const PAGES: usize = 1_000;
/// The longest name that is shown.
const LONGEST: usize = 120;

/// How a token is shown to its provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shown {
    /// `Authorization: Bearer TOKEN`.
    Bearer,
    /// `Project-Access-Token: TOKEN`.
    Project,
    /// `Authorization: ID:TOKEN`.
    Pair,
}

/// What was read of a listing, and why not all of it was.
#[derive(Debug)]
pub(crate) struct Got<T> {
    pub(crate) items: Vec<T>,
    pub(crate) fault: Option<Fault>,
}

/// What the page after one is called; nothing, if it was the last.
pub(crate) type Turn = fn(&Value) -> Result<Option<String>, Fault>;

/// Speaks to one provider with one token.
pub(crate) struct Client<'a> {
    door: &'a ReadOnly,
    reads: &'static Reads,
    host: &'static str,
    token: &'a Token,
    shown: Shown,
    /// What was answered, so that no question is asked twice.
    asked: RefCell<BTreeMap<String, Result<Value, Fault>>>,
}

impl<'a> Client<'a> {
    pub(crate) fn new(
        door: &'a ReadOnly,
        reads: &'static Reads,
        host: &'static str,
        token: &'a Token,
        shown: Shown,
    ) -> Self {
        Self { door, reads, host, token, shown, asked: RefCell::default() }
    }

    /// The answer to a GraphQL document of the list of reads, below `data`.
    pub(crate) fn query(&self, operation: &str, variables: &Value) -> Result<Value, Fault> {
        let read = self.reads.list.iter().find(|read| read.operation == operation);
        let document = read.and_then(Read::document);
        let Some((path, text)) = document else { return Err(Fault::of(GapReason::Unsupported)) };
        let body = json!({ "query": text, "variables": variables }).to_string();
        self.once(format!("{operation} {variables}"), || {
            let answer = self.send(Method::POST, path, body.into_bytes())?;
            data(&answer)
        })
    }

    /// One object of an answer: what stands at `at` below `data`.
    pub(crate) fn object<T: DeserializeOwned>(
        &self,
        operation: &str,
        variables: &Value,
        at: &[&str],
    ) -> Result<T, Fault> {
        below(&self.query(operation, variables)?, at).and_then(read)
    }

    /// A list of objects, whole in one answer.
    pub(crate) fn list<T: DeserializeOwned>(&self, operation: &str, variables: &Value, at: &[&str]) -> Got<T> {
        match self.query(operation, variables).and_then(|data| below(&data, at)) {
            Ok(Value::Array(all)) => each_read(all),
            Ok(_) => Got { items: Vec::new(), fault: Some(Fault::of(GapReason::Malformed)) },
            Err(fault) => Got { items: Vec::new(), fault: Some(fault) },
        }
    }

    /// The nodes of a connection, page by page to its end (GraphQL Cursor Connections Specification). The document takes
    /// `$after`.
    pub(crate) fn connection<T: DeserializeOwned>(&self, operation: &str, variables: &Value, at: &[&str]) -> Got<T> {
        let mut got = Got { items: Vec::new(), fault: None };
        let mut after = Value::Null;
        for _ in 0..PAGES {
            let mut variables = variables.clone();
            if let Some(map) = variables.as_object_mut() {
                map.insert("after".to_owned(), after.clone());
            }
            let page = self.query(operation, &variables).and_then(|data| below(&data, at)).and_then(read::<Page>);
            let page = match page {
                Ok(page) => page,
                Err(fault) => return Got { fault: Some(got.fault.unwrap_or(fault)), ..got },
            };
            let more = each_read(page.edges.into_iter().map(|edge| edge.node).collect());
            got.items.extend(more.items);
            got.fault = got.fault.or(more.fault);
            if !page.page_info.has_next_page {
                return got;
            }
            let next = page.page_info.end_cursor.map_or(Value::Null, Value::String);
            if next.is_null() || next == after {
                break;
            }
            after = next;
        }
        Got { fault: Some(got.fault.unwrap_or(Fault::of(GapReason::Malformed))), ..got }
    }

    /// The answer to a path of the list of reads, with its `{}` filled in.
    pub(crate) fn get(&self, operation: &str, segments: &[&str], query: &[(&str, &str)]) -> Result<Value, Fault> {
        let read = self.reads.list.iter().find(|read| read.operation == operation);
        let template = read.and_then(Read::path).filter(|_| segments.iter().all(|one| is_id(one)));
        let Some(template) = template else { return Err(Fault::of(GapReason::Unsupported)) };
        let mut path = segments.iter().fold(template.to_owned(), |path, one| path.replacen("{}", one, 1));
        if !query.is_empty() {
            let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
            path = format!("{path}?{query}");
        }
        self.once(path.clone(), || {
            let answer = self.send(Method::GET, &path, Vec::new())?;
            rest(&answer)
        })
    }

    /// One object of an answer, whole.
    pub(crate) fn get_object<T: DeserializeOwned>(&self, operation: &str, segments: &[&str]) -> Result<T, Fault> {
        self.get(operation, segments, &[]).and_then(read)
    }

    /// A list that lies in one answer: at `key`, or the answer itself where that is empty.
    pub(crate) fn get_list<T: DeserializeOwned>(&self, operation: &str, segments: &[&str], key: &str) -> Got<T> {
        match self.get(operation, segments, &[]) {
            Ok(answer) => listed_in(&answer, key),
            Err(fault) => Got { items: Vec::new(), fault: Some(fault) },
        }
    }

    /// A list that lies on several pages. `turn` says of an answer what the query key `name` has for the next.
    pub(crate) fn get_pages<T: DeserializeOwned>(
        &self,
        operation: &str,
        segments: &[&str],
        query: &[(&str, &str)],
        key: &str,
        (name, turn): (&str, Turn),
    ) -> Got<T> {
        let mut got = Got { items: Vec::new(), fault: None };
        let mut at: Option<String> = None;
        for _ in 0..PAGES {
            let mut query = query.to_vec();
            query.extend(at.as_deref().map(|at| (name, at)));
            let (page, next) = match self.get(operation, segments, &query).and_then(|page| Ok((turn(&page)?, page))) {
                Ok((next, page)) => (page, next),
                Err(fault) => return Got { fault: Some(got.fault.unwrap_or(fault)), ..got },
            };
            let more = listed_in(&page, key);
            got.items.extend(more.items);
            got.fault = got.fault.or(more.fault);
            match next {
                None => return got,
                Some(next) if Some(&next) == at.as_ref() => break,
                Some(next) => at = Some(next),
            }
        }
        Got { fault: Some(got.fault.unwrap_or(Fault::of(GapReason::Malformed))), ..got }
    }

    fn once(&self, question: String, ask: impl FnOnce() -> Result<Value, Fault>) -> Result<Value, Fault> {
        if let Some(known) = self.asked.borrow().get(&question) {
            return known.clone();
        }
        let answer = ask();
        self.asked.borrow_mut().insert(question, answer.clone());
        answer
    }

    fn send(&self, method: Method, path: &str, body: Vec<u8>) -> Result<Answer, Fault> {
        let unsupported = || Fault::of(GapReason::Unsupported);
        let before;
        let (name, before): (HeaderName, &[u8]) = match self.shown {
            Shown::Bearer => (AUTHORIZATION, b"Bearer "),
            Shown::Project => (HeaderName::from_static("project-access-token"), b""),
            Shown::Pair => {
                let Some(id) = &self.token.public_id else { return Err(unsupported()) };
                before = format!("{id}:").into_bytes();
                (AUTHORIZATION, before.as_slice())
            }
        };
        let text = zeroize::Zeroizing::new([before, self.token.secret.expose()].concat());
        let mut value = HeaderValue::from_bytes(&text).map_err(|_| unsupported())?;
        value.set_sensitive(true);
        let uri = format!("{}{path}", self.door.base(self.reads.provider, self.host));
        let mut request = Request::builder().method(&method).uri(&uri).header(ACCEPT, "application/json");
        if method == Method::POST {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let request = request.header(name, value).body(body).map_err(|_| unsupported())?;
        self.door.send(self.reads, self.token.credential.as_str(), &request).map_err(Fault::of)
    }
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    page_info: PageInfo,
    edges: Vec<Edge>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

#[derive(serde::Deserialize)]
struct Edge {
    node: Value,
}

/// What GraphQL servers say when they refuse, Railway among them (its command-line client, `client.rs`).
pub(crate) const NOT_AUTHORIZED: &str = "Not Authorized";

/// What a GraphQL server answered. Errors come with status 200, too, and beside a part of the data; such a part is none.
fn data(answer: &Answer) -> Result<Value, Fault> {
    let refused = [401, 403].contains(&answer.status);
    let Ok(Value::Object(mut all)) = serde_json::from_slice::<Value>(&answer.body) else {
        return Err(Fault::of(if refused { GapReason::Denied } else { GapReason::Malformed }));
    };
    match all.remove("errors") {
        None | Some(Value::Null) => {}
        Some(errors) => return Err(error(&errors, refused)),
    }
    match all.remove("data") {
        Some(data @ Value::Object(_)) if (200..300).contains(&answer.status) => Ok(data),
        _ => Err(Fault::of(if refused { GapReason::Denied } else { GapReason::Malformed })),
    }
}

/// What GraphQL errors amount to. Nothing of their text is kept but words that are known.
fn error(errors: &Value, refused: bool) -> Fault {
    let all = errors.as_array().map(Vec::as_slice).unwrap_or_default();
    let says = |error: &Value| error.get("message").and_then(Value::as_str) == Some(NOT_AUTHORIZED);
    // One refusal among other errors is no refusal of the question.
    if !all.is_empty() && all.iter().all(says) {
        return Fault { reason: GapReason::Denied, code: Some(NOT_AUTHORIZED.to_owned()) };
    }
    Fault::of(if refused { GapReason::Denied } else { GapReason::Malformed })
}

/// What Neon says where an organization is to be named (docs, `cli/api`).
pub(crate) const NAME_ONE: &str = "org_id is required";

fn said(answer: &Answer) -> Option<&'static str> {
    let body: Value = serde_json::from_slice(&answer.body).ok()?;
    (body.get("message")?.as_str()? == NAME_ONE).then_some(NAME_ONE)
}

/// What a REST server answered.
fn rest(answer: &Answer) -> Result<Value, Fault> {
    match answer.status {
        200..300 => serde_json::from_slice(&answer.body).map_err(|_| Fault::of(GapReason::Malformed)),
        // What a token may not see is often said not to be there.
        401 | 403 | 404 => Err(Fault { reason: GapReason::Denied, code: Some(answer.status.to_string()) }),
        400 if said(answer) == Some(NAME_ONE) => {
            Err(Fault { reason: GapReason::Unsupported, code: Some(NAME_ONE.to_owned()) })
        }
        400 | 405..500 => Err(Fault { reason: GapReason::Unsupported, code: Some(answer.status.to_string()) }),
        _ => Err(Fault::of(GapReason::Malformed)),
    }
}

fn listed_in<T: DeserializeOwned>(answer: &Value, key: &str) -> Got<T> {
    let list = if key.is_empty() { Some(answer) } else { answer.get(key) };
    match list.and_then(Value::as_array) {
        Some(all) => each_read(all.clone()),
        None => Got { items: Vec::new(), fault: Some(Fault::of(GapReason::Malformed)) },
    }
}

fn below(value: &Value, at: &[&str]) -> Result<Value, Fault> {
    let mut here = value;
    for key in at {
        here = here.get(key).ok_or_else(|| Fault::of(GapReason::Malformed))?;
    }
    Ok(here.clone())
}

fn read<T: DeserializeOwned>(value: Value) -> Result<T, Fault> {
    serde_json::from_value(value).map_err(|_| Fault::of(GapReason::Malformed))
}

fn each_read<T: DeserializeOwned>(all: Vec<Value>) -> Got<T> {
    let mut got = Got { items: Vec::new(), fault: None };
    for one in all {
        match read(one) {
            Ok(item) => got.items.push(item),
            Err(fault) => got.fault = Some(fault),
        }
    }
    got
}

/// Variables of a question.
pub(crate) fn variables(pairs: &[(&str, &str)]) -> Value {
    Value::Object(pairs.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect::<Map<_, _>>())
}

/// A name as it may be shown: one line, nothing that moves what stands beside it, no longer than names are.
pub(crate) fn shown(name: &str) -> String {
    let marks = |c: char| ('\u{200b}'..='\u{200f}').contains(&c) || ('\u{202a}'..='\u{202e}').contains(&c);
    let isolates = |c: char| ('\u{2060}'..='\u{2069}').contains(&c) || c == '\u{feff}';
    name.chars().filter(|c| !c.is_control() && !marks(*c) && !isolates(*c)).take(LONGEST).collect()
}

/// Whether a provider's id is one: what is put into paths and ids of ours.
pub(crate) fn is_id(text: &str) -> bool {
    (1..=LONGEST).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
        && !text.bytes().all(|b| b == b'.')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, body: &str) -> Result<Value, Fault> {
        data(&Answer { status, body: body.as_bytes().to_vec() })
    }

    #[test]
    fn an_error_is_one_whatever_the_status_and_whatever_stands_beside_it() {
        let denied = r#"{"errors": [{"message": "Not Authorized"}], "data": null}"#;
        for status in [200, 400, 401, 403] {
            assert_eq!(answered(status, denied).unwrap_err().reason, GapReason::Denied, "{status}");
        }
        for body in [
            r#"{"errors": [{"message": "Problem processing request"}], "data": null}"#,
            r#"{"errors": [{"message": "Problem"}], "data": {"me": {"id": "1"}}}"#,
            r#"{"errors": [{"message": "Not Authorized"}, {"message": "Problem"}], "data": {"me": {"id": "1"}}}"#,
            r#"{"errors": []}"#,
            r#"{"errors": "Not Authorized"}"#,
            r#"{"data": null}"#,
            r#"{"data": []}"#,
            "{}",
            "[]",
            "",
            "<html>",
            r#"{"data": {"me"#,
        ] {
            assert_eq!(answered(200, body).unwrap_err().reason, GapReason::Malformed, "{body}");
        }
        assert!(answered(500, r#"{"data": {"me": {"id": "1"}}}"#).is_err());
        assert_eq!(answered(200, r#"{"data": {"me": {"id": "1"}}}"#).unwrap(), json!({"me": {"id": "1"}}));
    }

    #[test]
    fn a_path_that_is_not_answered_is_no_list() {
        let answer = |status: u16, body: &str| rest(&Answer { status, body: body.as_bytes().to_vec() });
        assert_eq!(answer(200, "[]").unwrap(), json!([]));
        for (status, reason) in [
            (401, GapReason::Denied),
            (403, GapReason::Denied),
            (404, GapReason::Denied),
            (400, GapReason::Unsupported),
            (422, GapReason::Unsupported),
            (302, GapReason::Malformed),
        ] {
            assert_eq!(answer(status, "[]").unwrap_err().reason, reason, "{status}");
        }
        for (body, key) in
            [("{}", ""), ("{}", "data"), (r#"{"data": null}"#, "data"), (r#"{"data": {}}"#, "data"), ("null", "")]
        {
            assert!(listed_in::<Value>(&serde_json::from_str(body).unwrap(), key).fault.is_some(), "{body}");
        }
        assert!(listed_in::<String>(&json!(["a", 1]), "").fault.is_some(), "one that is not understood");
    }

    #[test]
    fn a_name_is_one_line_and_an_id_is_one_segment() {
        assert_eq!(shown("a\u{1b}[31mb\nc\u{202e}d"), "a[31mbcd");
        for id in ["a", "5f0c-1", "br-main_1", "a.b"] {
            assert!(is_id(id), "{id}");
        }
        for id in ["", ".", "..", "a/b", "a b", "a%2f", "a?b", "ä"] {
            assert!(!is_id(id), "{id}");
        }
    }
}
