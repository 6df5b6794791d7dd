//! The only door out (floor 4): every call to a provider passes here, and one that is on no list of reads does not pass.
//!
//! What is compared with the list is the request itself, as it would be sent: method, host, path, and the field, header,
//! query or document that names the operation. A provider that is asked writes its reads down as [`Read`]s; the same list is what
//! `--plan` prints.

pub mod bson;
mod call;
mod lookup;
pub mod mongodb;
pub mod mysql;
mod pace;
pub mod postgres;
mod read;
pub mod redis;
pub mod socket;
pub mod statement;
mod wire;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use deadstop_core::fact::GapReason;
use serde::Deserialize;
use serde_json::Value;
use ureq::Agent;
use ureq::http::{HeaderMap, Method, Request};
use url::Url;

pub use call::Call;
pub use read::{Read, Shape};
pub use wire::{SIGNED, Wire};

/// Whether a host is the provider's own.
pub type OwnHost = fn(&str) -> bool;

/// The reads of one provider.
#[derive(Clone, Copy, Debug)]
pub struct Reads {
    /// The provider.
    pub provider: &'static str,
    /// Its hosts.
    pub own_host: OwnHost,
    /// What may be asked of them.
    pub list: &'static [Read],
    /// Whether an answer asks to slow down.
    pub throttled: fn(&Answer) -> bool,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, whole.
    pub body: Vec<u8>,
    /// What its headers say that is answered nowhere else, by name.
    pub told: BTreeMap<&'static str, String>,
}

/// Headers that are part of an answer: the next page of a list (RFC 8288), its next part at Heroku (Platform API reference,
/// "Ranges"), and of GitHub the scopes of a token, organizations that are left out of a list, and the limit of calls (REST
/// API documentation, "Scopes for OAuth apps", "Authenticating to the REST API", "Rate limits for the REST API"); and what a
/// server asks for that is to be proven (RFC 7616).
const TOLD: [&str; 7] = [
    "link",
    "next-range",
    "retry-after",
    "www-authenticate",
    "x-github-sso",
    "x-oauth-scopes",
    "x-ratelimit-remaining",
];

/// How often a call is sent at most.
const ATTEMPTS: u32 = 4;
/// The same, for one that is turned away while others are let through.
const MOST_ATTEMPTS: u32 = 16;
/// The wait before the second attempt; it doubles, up to a longest.
const WAIT: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// The longest wait that a provider may ask for and is given; one that asks for more is not asked again.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// The largest answer that is read.
const LARGEST: u64 = 64 << 20;

/// The door.
pub struct ReadOnly {
    agent: Agent,
    /// Where a provider is asked instead of at its own hosts, by the user's own word.
    endpoints: BTreeMap<String, Url>,
    /// The database servers of each provider that the user named.
    hosts: BTreeMap<String, Vec<String>>,
    /// The identities whose credentials the user lets it ask for.
    named: BTreeSet<String>,
    /// Whether calls may be made as dry runs.
    proving: bool,
    /// Where names of services are looked up; nothing: where this machine does.
    resolver: Option<std::net::SocketAddr>,
    /// Members of services that were looked up, by provider.
    members: Mutex<BTreeSet<(String, socket::Place)>>,
    cancel: Arc<AtomicBool>,
    until: Instant,
    calls: Mutex<Vec<Call>>,
    /// Until when a host asked to be left alone.
    quiet: Mutex<BTreeMap<String, Instant>>,
    paces: pace::Paces,
}

impl std::fmt::Debug for ReadOnly {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the door to {} endpoints", self.endpoints.len())
    }
}

impl ReadOnly {
    /// A door that is open for so long. `endpoints` are emulators and self-hosted instances that the user named.
    #[must_use]
    pub fn new(endpoints: BTreeMap<String, Url>, time: Duration, cancel: Arc<AtomicBool>) -> Self {
        let config = Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .max_redirects(0)
            .http_status_as_error(false)
            .user_agent(concat!("deadstop/", env!("CARGO_PKG_VERSION")))
            .tls_config(ureq::tls::TlsConfig::builder().root_certs(ureq::tls::RootCerts::PlatformVerifier).build())
            .build();
        Self {
            agent: config.into(),
            endpoints,
            hosts: BTreeMap::new(),
            named: BTreeSet::new(),
            proving: false,
            resolver: None,
            members: Mutex::default(),
            cancel,
            until: Instant::now() + time,
            calls: Mutex::default(),
            quiet: Mutex::default(),
            paces: pace::Paces::default(),
        }
    }

    /// The same door, open to these database servers as well: `host` or `host:port`, by provider.
    #[must_use]
    pub fn with_hosts(self, hosts: BTreeMap<String, Vec<String>>) -> Self {
        Self { hosts, ..self }
    }

    /// The same door, through which credentials of these identities may be asked for.
    #[must_use]
    pub fn lending(self, named: BTreeSet<String>) -> Self {
        Self { named, ..self }
    }

    /// The same door, through which calls may be made as dry runs, if so.
    #[must_use]
    pub fn proving(self, proving: bool) -> Self {
        Self { proving, ..self }
    }

    /// Whether calls may be made as dry runs.
    #[must_use]
    pub const fn proves(&self) -> bool {
        self.proving
    }

    /// Whether a provider is asked at its own hosts.
    #[must_use]
    pub fn own_hosts(&self, provider: &str) -> bool {
        !self.endpoints.contains_key(provider)
    }

    /// The base address of a host of a provider: its own, or what the user named in its place.
    #[must_use]
    pub fn base(&self, provider: &str, host: &str) -> String {
        self.endpoints
            .get(provider)
            .map_or_else(|| format!("https://{host}"), |url| url.as_str().trim_end_matches('/').to_owned())
    }

    /// Sends a read, again where the provider asks to slow down or breaks off.
    ///
    /// # Errors
    /// Why there is no answer. A call that is on no list is [`GapReason::Unsupported`] and is not sent.
    pub fn send(&self, reads: &Reads, credential: &str, request: &Request<Vec<u8>>) -> Result<Answer, GapReason> {
        self.send_over((&self.agent, ""), reads, credential, request)
    }

    /// The same by an agent of its own, to a server whose paths begin so.
    fn send_over(
        &self,
        (agent, base): (&Agent, &str),
        reads: &Reads,
        credential: &str,
        request: &Request<Vec<u8>>,
    ) -> Result<Answer, GapReason> {
        let Some(read) = reads.list.iter().find(|read| self.admits(reads, read, request, base)) else {
            tracing::error!(provider = reads.provider, "a call that is on no list of reads was not sent");
            return Err(GapReason::Unsupported);
        };
        let started = Instant::now();
        let host = request.uri().host().unwrap_or_default();
        let lane = pace::lane(host, credential, request);
        let (mut attempts, mut wait) = (0, WAIT);
        let answer = loop {
            if !self.pause(self.paces.turn(&lane)) {
                break Err(GapReason::TimedOut);
            }
            // After the turn, as the host may have asked to be left alone meanwhile.
            if let Err(reason) = self.rest_of(host) {
                break Err(reason);
            }
            attempts += 1;
            let (answer, asked) = match self.once(agent, request) {
                Ok((answer, asked)) => (Ok(answer), asked),
                Err(reason) => (Err(reason), None),
            };
            let throttled = answer.as_ref().is_ok_and(reads.throttled);
            let again = match &answer {
                Ok(answer) => answer.status >= 500 || throttled,
                Err(reason) => *reason == GapReason::Unreachable,
            };
            if let Some(asked) = asked.filter(|_| again) {
                let until = Instant::now().checked_add(asked).unwrap_or(self.until);
                self.quiet.lock().unwrap_or_else(PoisonError::into_inner).insert(host.to_owned(), until);
            }
            // Whoever lets others of these calls through will let this one through, too.
            let most = if throttled && self.paces.turned_away(&lane, read.operation, started) {
                MOST_ATTEMPTS
            } else {
                ATTEMPTS
            };
            if answer.is_ok() && !throttled {
                self.paces.answered(&lane, read.operation);
            }
            if !again || attempts >= most || asked.is_some_and(|asked| asked > LONGEST_WAIT) {
                break match answer {
                    Ok(_) if throttled => Err(GapReason::Throttled),
                    Ok(answer) if answer.status >= 500 => Err(GapReason::Unreachable),
                    other => other,
                };
            }
            if asked.is_none() && !self.pause(Instant::now() + wait) {
                break Err(GapReason::TimedOut);
            }
            wait = (wait * 2).min(LONGEST_PAUSE);
        };
        let call = Call {
            provider: reads.provider.to_owned(),
            operation: read.operation.to_owned(),
            host: host.to_owned(),
            credential: credential.to_owned(),
            status: answer.as_ref().ok().map(|answer| answer.status),
            outcome: None,
            attempts,
            milliseconds: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        if attempts == 0 {
            return answer;
        }
        tracing::debug!(operation = call.operation, status = call.status, attempts, "asked");
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
        answer
    }

    /// Waits until a moment; whether there is time left then.
    fn pause(&self, moment: Instant) -> bool {
        const TICK: Duration = Duration::from_millis(100);
        loop {
            let now = Instant::now();
            if self.cancel.load(Ordering::SeqCst) || now >= self.until {
                return false;
            }
            if now >= moment {
                return true;
            }
            thread::sleep(TICK.min(moment - now));
        }
    }

    /// Leaves a host alone for as long as it asked, if that is no longer than anything is waited for.
    fn rest_of(&self, host: &str) -> Result<(), GapReason> {
        loop {
            let now = Instant::now();
            let until = self.quiet.lock().unwrap_or_else(PoisonError::into_inner).get(host).copied();
            let until = until.filter(|until| *until > now);
            if until.is_some_and(|until| until > now + LONGEST_WAIT) {
                return Err(GapReason::Throttled);
            }
            if !self.pause(until.unwrap_or(now)) {
                return Err(GapReason::TimedOut);
            }
            if until.is_none() {
                return Ok(());
            }
        }
    }

    /// Sends it once. Beside the answer stands how long the provider asks to wait.
    fn once(&self, agent: &Agent, request: &Request<Vec<u8>>) -> Result<(Answer, Option<Duration>), GapReason> {
        let mut copy = Request::builder().method(request.method()).uri(request.uri());
        for (name, value) in request.headers() {
            copy = copy.header(name, value);
        }
        let broken = |error: &ureq::Error| {
            if matches!(error, ureq::Error::Timeout(_)) { GapReason::TimedOut } else { GapReason::Unreachable }
        };
        let mut response = if request.method() == Method::GET {
            agent.run(copy.body(()).map_err(|_| GapReason::Unsupported)?).map_err(|error| broken(&error))?
        } else {
            agent
                .run(copy.body(request.body().as_slice()).map_err(|_| GapReason::Unsupported)?)
                .map_err(|error| broken(&error))?
        };
        let read = response.body_mut().with_config().limit(LARGEST).read_to_vec();
        let body = read.map_err(|error| {
            if matches!(error, ureq::Error::BodyExceedsLimit(_)) { GapReason::TooLarge } else { broken(&error) }
        })?;
        let asked = response.headers().get("retry-after").map(|value| {
            // A moment instead of seconds is taken for more than is waited.
            let seconds = value.to_str().ok().and_then(|text| text.trim().parse().ok());
            seconds.map_or(Duration::MAX, Duration::from_secs)
        });
        let headers = response.headers();
        let told =
            TOLD.iter().filter_map(|name| Some((*name, headers.get(*name)?.to_str().ok()?.to_owned()))).collect();
        Ok((Answer { status: response.status().as_u16(), body: typed(body, headers), told }, asked))
    }

    /// Whether a request is this very read.
    fn admits(&self, reads: &Reads, read: &Read, request: &Request<Vec<u8>>, base: &str) -> bool {
        let Ok(url) = Url::parse(&request.uri().to_string()) else { return false };
        let own = match self.endpoints.get(reads.provider) {
            Some(named) => url.origin() == named.origin(),
            None if reads.list.iter().any(Read::reviews) => {
                url.scheme() == "https" && self.names_url(reads.provider, &url)
            }
            None => url.scheme() == "https" && url.port().is_none() && url.host_str().is_some_and(reads.own_host),
        };
        let may = self.proving || !read.proves();
        may && own
            && url.username().is_empty()
            && url.password().is_none()
            && is(read, request, (&url, base), &self.named)
    }

    /// The calls so far, sorted: several are under way at a time, and end as they will.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let key =
            |call: &Call| (call.provider.clone(), call.operation.clone(), call.host.clone(), call.credential.clone());
        calls.sort_by_cached_key(key);
        calls
    }
}

/// The REST JSON protocol of AWS tells what an error is in a header (Smithy, `aws.protocols#restJson1`): it is put where
/// the other JSON protocols tell it.
fn typed(body: Vec<u8>, headers: &HeaderMap) -> Vec<u8> {
    let Some(kind) = headers.get("x-amzn-errortype").and_then(|kind| kind.to_str().ok()) else { return body };
    match serde_json::from_slice::<Value>(&body) {
        Ok(Value::Object(mut object)) => {
            object.entry("__type").or_insert_with(|| Value::String(kind.to_owned()));
            Value::Object(object).to_string().into_bytes()
        }
        Ok(_) | Err(_) => body,
    }
}

/// What a listing is asked for beside what it is of: how much of it, from where on, and of which account.
const PAGING: [&str; 11] = [
    "account_id",
    "continuation-token",
    "Marker",
    "max-buckets",
    "max_result",
    "maxResults",
    "MaxItems",
    "MaxResults",
    "next_token",
    "nextToken",
    "NextToken",
];

fn is(read: &Read, request: &Request<Vec<u8>>, (url, base): (&Url, &str), named: &BTreeSet<String>) -> bool {
    let below = |path: &str| url.path().strip_prefix(base).is_some_and(|rest| follows(rest, path));
    match read.shape {
        Shape::Form { action, version } => form(request, url, action, version),
        Shape::Assume { action, version, fields } => {
            let mut seen = BTreeSet::new();
            let known = url::form_urlencoded::parse(request.body()).all(|(key, _)| {
                (fields.contains(&key.as_ref()) || ["Action", "Version"].contains(&key.as_ref()))
                    && seen.insert(key.into_owned())
            });
            let role = url::form_urlencoded::parse(request.body()).find(|(key, _)| key == "RoleArn");
            form(request, url, action, version) && known && role.is_some_and(|(_, role)| named.contains(role.as_ref()))
        }
        Shape::DryRun { action, version, field } => {
            let fields: Vec<_> = url::form_urlencoded::parse(request.body()).collect();
            let has = |name: &str| fields.iter().any(|(key, _)| key == name);
            let dry = fields.iter().any(|(key, value)| key == "DryRun" && value == "true");
            form(request, url, action, version) && fields.len() == 4 && dry && has(field)
        }
        Shape::Issue { path, keys } => {
            let (asked, values): (Vec<_>, Vec<_>) = url.query_pairs().unzip();
            let sent = request.method() == Method::GET && request.body().is_empty() && url.path() == path;
            sent && asked == keys && named.contains(&values.join("/"))
        }
        Shape::Target(target) => {
            let mut said = request.headers().get_all("x-amz-target").iter();
            bare(request, url) && said.next().is_some_and(|value| value == target) && said.next().is_none()
        }
        Shape::Post(path) => {
            let strange = request.headers().contains_key("x-amz-target") || url.query().is_some();
            request.method() == Method::POST && url.path() == path && !strange
        }
        Shape::Get { path, query } => {
            let mut seen = BTreeSet::new();
            let known = url
                .query_pairs()
                .all(|(key, _)| (key == query || PAGING.contains(&key.as_ref())) && seen.insert(key.into_owned()));
            let key = query.is_empty() || seen.contains(query);
            request.method() == Method::GET && request.body().is_empty() && known && key && follows(url.path(), path)
        }
        Shape::Document { path, text } => {
            // A document's answer depends on nothing but its body.
            let kind = request.headers().get("content-type").is_some_and(|kind| kind == "application/json");
            let asked = serde_json::from_slice::<Asked>(request.body()).is_ok_and(|asked| asked.query == text);
            let sent = request.method() == Method::POST && url.query().is_none() && request.uri().path() == path;
            sent && plain(request, url) && kind && asked && text.starts_with("query ")
        }
        Shape::Review { path, version, kind, fields } => {
            let is = wire::review(request.body(), version, kind, fields);
            let json = request.headers().get("content-type").is_some_and(|kind| kind == "application/json");
            let sent = request.method() == Method::POST && url.query().is_none() && json;
            sent && is && plain(request, url) && below(path)
        }
        Shape::Rest { path, keys } => {
            let known = url.query_pairs().all(|(key, _)| keys.contains(&key.as_ref()));
            let sent = request.method() == Method::GET && request.body().is_empty();
            let Some((asked, template)) = wire::without_verb(url.path(), path) else { return false };
            let below = || asked.strip_prefix(base).is_some_and(|rest| follows(rest, template));
            sent && known && spelt(request, url, asked) && below()
        }
        Shape::Permissions { path } => {
            let json = request.headers().get("content-type").is_some_and(|kind| kind == "application/json");
            let sent = request.method() == Method::POST && url.query().is_none() && json;
            let Some((asked, template)) = wire::without_verb(url.path(), path) else { return false };
            sent && wire::permissions(request.body()) && spelt(request, url, asked) && follows(asked, template)
        }
        Shape::Signed { path } => {
            let kind = request.headers().get("content-type");
            let form = kind.is_some_and(|kind| kind == "application/x-www-form-urlencoded");
            let sent = request.method() == Method::POST && url.query().is_none() && url.path() == path && form;
            let bare = !request.headers().contains_key("authorization");
            sent && bare && wire::signed(request.body()) && plain(request, url)
        }
    }
}

/// The body of a GraphQL request: anything else in it, or a key twice, is not understood.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked<'a> {
    #[serde(borrow)]
    query: Cow<'a, str>,
    #[expect(dead_code, reason = "variables are free")]
    variables: serde_json::Map<String, serde_json::Value>,
}

/// Whether nothing in the headers or in the spelling of the path may make it another request for its reader than it is
/// for this list.
fn plain(request: &Request<Vec<u8>>, url: &Url) -> bool {
    spelt(request, url, url.path())
}

/// The same, where the spelling of this part of the path is looked at.
fn spelt(request: &Request<Vec<u8>>, url: &Url, part: &str) -> bool {
    const HEADERS: [&str; 6] =
        ["accept", "authorization", "content-type", "project-access-token", "range", "user-agent"];
    let once = |name: &str| request.headers().get_all(name).iter().count() == 1;
    let headers = request.headers().keys().all(|name| HEADERS.contains(&name.as_str()) && once(name.as_str()));
    let spelt = part.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_.~".contains(&b));
    headers && spelt && request.uri().path() == url.path()
}

fn form(request: &Request<Vec<u8>>, url: &Url, action: &str, version: &str) -> bool {
    let said = |name: &str, wanted: &str| {
        let mut values = url::form_urlencoded::parse(request.body()).filter(|(key, _)| key == name);
        values.next().is_some_and(|(_, value)| value == wanted) && values.next().is_none()
    };
    bare(request, url)
        && !request.headers().contains_key("x-amz-target")
        && said("Action", action)
        && said("Version", version)
}

fn bare(request: &Request<Vec<u8>>, url: &Url) -> bool {
    // Some services read the operation from the query, too.
    request.method() == Method::POST && url.path() == "/" && url.query().is_none()
}

/// Whether a path is of this template.
fn follows(path: &str, template: &str) -> bool {
    let (mut parts, mut wanted) = (path.split('/'), template.split('/'));
    loop {
        match (parts.next(), wanted.next()) {
            (None, None) => return true,
            (Some(part), Some("{}")) if !["", ".", ".."].contains(&part) => {}
            (Some(part), Some(want)) if part == want && want != "{}" => {}
            (Some(_) | None, Some(_) | None) => return false,
        }
    }
}

#[cfg(test)]
mod tests;
