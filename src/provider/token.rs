//! Questions asked with a token: a GraphQL document or a REST path at a time, each once.

use std::cell::RefCell;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use deadstop_core::fact::GapReason;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use ureq::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, RANGE};
use ureq::http::{Method, Request};
use zeroize::Zeroizing;

use super::answered::{below, data, each_read, hide, listed_in, read, rest};
use super::digest::Challenge;
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
    /// `Authorization: SCHEME TOKEN`, the space among it.
    Scheme(&'static str),
    /// `Project-Access-Token: TOKEN`.
    Project,
    /// `Authorization: ID:TOKEN`.
    Pair,
    /// `Authorization: Basic`, the account and the token put together (RFC 7617).
    Basic,
    /// `Authorization: Digest`, by the token's id: it is proven, and not sent.
    Digest,
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
    /// The form of answer that is asked for.
    accept: &'static str,
    /// The keys of answers that hold secrets: of these nothing is kept but whether there is one.
    hidden: &'static [&'static str],
    /// What the server asked for, and how often it was answered.
    challenge: RefCell<Option<(Challenge, u32)>>,
    /// What was answered, so that no question is asked twice.
    asked: RefCell<BTreeMap<String, Result<Told, Fault>>>,
}

/// An answer, and what its headers say.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) value: Value,
    /// Whether it is a part of what was asked for.
    partial: bool,
    headers: BTreeMap<&'static str, String>,
}

impl Told {
    /// What a header says that is part of an answer.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

impl<'a> Client<'a> {
    pub(crate) fn new(
        door: &'a ReadOnly,
        reads: &'static Reads,
        host: &'static str,
        token: &'a Token,
        shown: Shown,
    ) -> Self {
        let (accept, hidden) = ("application/json", [].as_slice());
        let (challenge, asked) = (RefCell::default(), RefCell::default());
        Self { door, reads, host, token, shown, accept, hidden, challenge, asked }
    }

    /// The same, for a provider that is to be told which form of answer is meant.
    pub(crate) fn accepting(self, accept: &'static str) -> Self {
        Self { accept, ..self }
    }

    /// The same, for a provider whose answers hold secrets under these keys.
    pub(crate) fn hiding(self, hidden: &'static [&'static str]) -> Self {
        Self { hidden, ..self }
    }

    /// The answer to a GraphQL document of the list of reads, below `data`.
    pub(crate) fn query(&self, operation: &str, variables: &Value) -> Result<Value, Fault> {
        let read = self.reads.list.iter().find(|read| read.operation == operation);
        let document = read.and_then(Read::document);
        let Some((path, text)) = document else { return Err(Fault::of(GapReason::Unsupported)) };
        let body = json!({ "query": text, "variables": variables }).to_string();
        self.once(format!("{operation} {variables}"), || {
            let answer = self.send(Method::POST, path, body.into_bytes(), None)?;
            self.kept(answer, data)
        })
        .map(|told| told.value)
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
        self.told(operation, segments, query, None).map(|told| told.value)
    }

    /// The same with what the headers say; `range` is which part of a list is asked for.
    pub(crate) fn told(
        &self,
        operation: &str,
        segments: &[&str],
        query: &[(&str, &str)],
        range: Option<&str>,
    ) -> Result<Told, Fault> {
        let read = self.reads.list.iter().find(|read| read.operation == operation);
        let template = read.and_then(Read::path).filter(|_| segments.iter().all(|one| is_id(one)));
        let Some(template) = template else { return Err(Fault::of(GapReason::Unsupported)) };
        let mut path = segments.iter().fold(template.to_owned(), |path, one| path.replacen("{}", one, 1));
        if !query.is_empty() {
            let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
            path = format!("{path}?{query}");
        }
        self.once(format!("{path} {}", range.unwrap_or_default()), || {
            let answer = self.send(Method::GET, &path, Vec::new(), range)?;
            self.kept(answer, rest)
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

    /// A list that lies on numbered pages, whose next one a `Link` names (RFC 8288). A page that is full has another behind it,
    /// whatever is named.
    pub(crate) fn get_numbered<T: DeserializeOwned>(&self, operation: &str, query: &[(&str, &str)]) -> Got<T> {
        const FULL: usize = 100;
        let left_out = |told: &Told| told.header("x-github-sso").is_some_and(|sso| sso.starts_with("partial-results"));
        let mut partial = None;
        let mut got = Got { items: Vec::new(), fault: None };
        for number in 1..=PAGES {
            let (size, number) = (FULL.to_string(), number.to_string());
            let query = [query, &[("per_page", size.as_str()), ("page", number.as_str())]].concat();
            let told = match self.told(operation, &[], &query, None) {
                Ok(told) => told,
                Err(fault) => return Got { fault: Some(got.fault.unwrap_or(fault)), ..got },
            };
            // Organizations that ask for a sign-on of their own are left out ("Authenticating to the REST API").
            if left_out(&told) {
                partial = Some(Fault::of(GapReason::Denied));
            }
            let more = told.header("link").is_some_and(|link| link.contains("rel=\"next\""));
            let page = listed_in(&told.value, "");
            let (here, fault) = (page.items.len(), page.fault);
            got.items.extend(page.items);
            got.fault = got.fault.or(fault);
            if got.fault.is_some() || (!more && here < FULL) {
                return Got { fault: got.fault.or(partial), ..got };
            }
        }
        Got { fault: Some(Fault::malformed()), ..got }
    }

    /// A list of which a header says how the part behind this one is asked for (Heroku Platform API reference, "Ranges").
    pub(crate) fn get_ranged<T: DeserializeOwned>(&self, operation: &str) -> Got<T> {
        const LONGEST_RANGE: usize = 500;
        let mut got = Got { items: Vec::new(), fault: None };
        let mut range: Option<String> = None;
        for _ in 0..PAGES {
            let told = match self.told(operation, &[], &[], range.as_deref()) {
                Ok(told) => told,
                Err(fault) => return Got { fault: Some(got.fault.unwrap_or(fault)), ..got },
            };
            let page = listed_in(&told.value, "");
            got.items.extend(page.items);
            got.fault = got.fault.or(page.fault);
            let next = told.header("next-range").map(str::to_owned);
            match next {
                // A part, and nothing says where the rest is.
                None if told.partial => break,
                None => return got,
                Some(next) if Some(&next) == range.as_ref() || next.len() > LONGEST_RANGE => break,
                Some(next) => range = Some(next),
            }
        }
        Got { fault: Some(got.fault.unwrap_or(Fault::malformed())), ..got }
    }

    /// What is kept of an answer.
    fn kept(&self, answer: Answer, read: fn(&Answer) -> Result<Value, Fault>) -> Result<Told, Fault> {
        let value = read(&answer);
        let Answer { body, told: headers, status } = answer;
        drop(Zeroizing::new(body));
        let mut value = value?;
        hide(&mut value, self.hidden);
        Ok(Told { value, partial: status == 206, headers })
    }

    fn once(&self, question: String, ask: impl FnOnce() -> Result<Told, Fault>) -> Result<Told, Fault> {
        if let Some(known) = self.asked.borrow().get(&question) {
            return known.clone();
        }
        let answer = ask();
        self.asked.borrow_mut().insert(question, answer.clone());
        answer
    }

    fn send(&self, method: Method, path: &str, body: Vec<u8>, range: Option<&str>) -> Result<Answer, Fault> {
        if self.shown == Shown::Digest {
            return self.prove(&method, path, &body, range);
        }
        let (name, text) = self.login()?;
        self.sent(&method, path, body, range, Some((name, &text)))
    }

    /// Sends a request with the proof that the server asks for, which it names where it refuses.
    fn prove(&self, method: &Method, path: &str, body: &[u8], range: Option<&str>) -> Result<Answer, Fault> {
        let user = self.token.public_id.as_deref().filter(|id| is_id(id));
        let user = user.ok_or_else(|| Fault::of(GapReason::Unsupported))?;
        let mut fresh = false;
        loop {
            let proof = self.challenge.borrow_mut().as_mut().map(|(challenge, count)| {
                *count += 1;
                let asked = (method.as_str(), path);
                Zeroizing::new(challenge.answer(user, self.token.secret.expose(), asked, *count).into_bytes())
            });
            let login = proof.as_ref().map(|proof| (AUTHORIZATION, proof.as_slice()));
            let answer = self.sent(method, path, body.to_vec(), range, login)?;
            let refused = answer.told.get("www-authenticate").filter(|_| answer.status == 401 && !fresh);
            let Some(challenge) = refused.and_then(|header| Challenge::read(header)) else { return Ok(answer) };
            *self.challenge.borrow_mut() = Some((challenge, 0));
            fresh = true;
        }
    }

    /// How the token is shown: the header, and what stands in it.
    fn login(&self) -> Result<(HeaderName, Zeroizing<Vec<u8>>), Fault> {
        let unsupported = || Fault::of(GapReason::Unsupported);
        let secret = self.token.secret.expose();
        let behind = |before: &[u8]| Zeroizing::new([before, secret].concat());
        Ok(match self.shown {
            Shown::Bearer => (AUTHORIZATION, behind(b"Bearer ")),
            Shown::Scheme(scheme) => (AUTHORIZATION, behind(scheme.as_bytes())),
            Shown::Project => (HeaderName::from_static("project-access-token"), behind(b"")),
            Shown::Pair => {
                let id = self.token.public_id.as_ref().ok_or_else(unsupported)?;
                (AUTHORIZATION, behind(format!("{id}:").as_bytes()))
            }
            Shown::Basic => {
                let account = self.token.account.as_ref().filter(|account| !account.contains(':'));
                let account = account.ok_or_else(unsupported)?;
                let login = Zeroizing::new(STANDARD.encode(behind(format!("{account}:").as_bytes())));
                (AUTHORIZATION, Zeroizing::new([b"Basic ", login.as_bytes()].concat()))
            }
            Shown::Digest => return Err(unsupported()),
        })
    }

    fn sent(
        &self,
        method: &Method,
        path: &str,
        body: Vec<u8>,
        range: Option<&str>,
        login: Option<(HeaderName, &[u8])>,
    ) -> Result<Answer, Fault> {
        let unsupported = || Fault::of(GapReason::Unsupported);
        let uri = format!("{}{path}", self.door.base(self.reads.provider, self.host));
        let mut request = Request::builder().method(method).uri(&uri).header(ACCEPT, self.accept);
        if let Some((name, text)) = login {
            let mut value = HeaderValue::from_bytes(text).map_err(|_| unsupported())?;
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        if *method == Method::POST {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        if let Some(range) = range {
            request = request.header(RANGE, range);
        }
        let request = request.body(body).map_err(|_| unsupported())?;
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
