//! The only door out (floor 4): every call to a provider passes here, and one that is on no list of reads does not pass.
//!
//! What is compared with the list is the request itself, as it would be sent: method, host, path, and the field, header
//! or query that names the operation. A provider that is asked writes its reads down as [`Read`]s; the same list is what
//! `--plan` prints.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use deadstop_core::fact::GapReason;
use serde::Serialize;
use ureq::Agent;
use ureq::http::{Method, Request};
use url::Url;

/// One read operation of a provider, as it stands on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Read {
    /// The provider's name of it, which for AWS is the IAM action too: `rds:DescribeDBInstances`.
    pub operation: &'static str,
    /// How it is told from others.
    pub shape: Shape,
}

/// What makes a request this operation and no other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// `POST /` of a form in which `Action` and `Version` have these values (the AWS query protocol).
    Form {
        /// The operation's name.
        action: &'static str,
        /// The version of the service's interface.
        version: &'static str,
    },
    /// `POST /` with this `X-Amz-Target` (the AWS JSON protocols).
    Target(&'static str),
    /// `GET` of a path, in which `{}` is one segment, with this query key; empty: none is needed.
    Get {
        /// The path.
        path: &'static str,
        /// The query key.
        query: &'static str,
    },
}

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
}

/// One call as `calls.jsonl` lists it. No secret is part of it, nor anything that was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Call {
    /// The provider.
    pub provider: String,
    /// The operation.
    pub operation: String,
    /// The host.
    pub host: String,
    /// The credential that signed it, by its id in the bundle.
    pub credential: String,
    /// The HTTP status, if there was an answer.
    pub status: Option<u16>,
    /// How often it was sent.
    pub attempts: u32,
    /// How long it took, all attempts together.
    pub milliseconds: u64,
}

/// How often a call is sent at most.
const ATTEMPTS: u32 = 4;
/// The wait before the second attempt; it doubles.
const WAIT: Duration = Duration::from_millis(250);
/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// The largest answer that is read.
const LARGEST: u64 = 64 << 20;

/// The door.
pub struct ReadOnly {
    agent: Agent,
    /// Where a provider is asked instead of at its own hosts, by the user's own word.
    endpoints: BTreeMap<String, Url>,
    cancel: Arc<AtomicBool>,
    until: Instant,
    calls: Mutex<Vec<Call>>,
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
        Self { agent: config.into(), endpoints, cancel, until: Instant::now() + time, calls: Mutex::default() }
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
        let Some(read) = reads.list.iter().find(|read| self.admits(reads, read, request)) else {
            tracing::error!(provider = reads.provider, "a call that is on no list of reads was not sent");
            return Err(GapReason::Unsupported);
        };
        let started = Instant::now();
        let (mut attempts, mut wait) = (0, WAIT);
        let answer = loop {
            if self.cancel.load(Ordering::SeqCst) || Instant::now() >= self.until {
                break Err(GapReason::TimedOut);
            }
            attempts += 1;
            let answer = self.once(request);
            let again = match &answer {
                Ok(answer) => answer.status >= 500 || (reads.throttled)(answer),
                Err(reason) => *reason == GapReason::Unreachable,
            };
            if !again || attempts == ATTEMPTS {
                break match answer {
                    Ok(answer) if (reads.throttled)(&answer) => Err(GapReason::Throttled),
                    Ok(answer) if answer.status >= 500 => Err(GapReason::Unreachable),
                    other => other,
                };
            }
            thread::sleep(wait);
            wait *= 2;
        };
        let call = Call {
            provider: reads.provider.to_owned(),
            operation: read.operation.to_owned(),
            host: request.uri().host().unwrap_or_default().to_owned(),
            credential: credential.to_owned(),
            status: answer.as_ref().ok().map(|answer| answer.status),
            attempts,
            milliseconds: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        };
        tracing::debug!(operation = call.operation, status = call.status, attempts, "asked");
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
        answer
    }

    fn once(&self, request: &Request<Vec<u8>>) -> Result<Answer, GapReason> {
        let mut copy = Request::builder().method(request.method()).uri(request.uri());
        for (name, value) in request.headers() {
            copy = copy.header(name, value);
        }
        let broken = |error: &ureq::Error| {
            if matches!(error, ureq::Error::Timeout(_)) { GapReason::TimedOut } else { GapReason::Unreachable }
        };
        let mut response = if request.method() == Method::GET {
            self.agent.run(copy.body(()).map_err(|_| GapReason::Unsupported)?).map_err(|error| broken(&error))?
        } else {
            self.agent
                .run(copy.body(request.body().as_slice()).map_err(|_| GapReason::Unsupported)?)
                .map_err(|error| broken(&error))?
        };
        let read = response.body_mut().with_config().limit(LARGEST).read_to_vec();
        let body = read.map_err(|error| {
            if matches!(error, ureq::Error::BodyExceedsLimit(_)) { GapReason::TooLarge } else { broken(&error) }
        })?;
        Ok(Answer { status: response.status().as_u16(), body })
    }

    /// Whether a request is this very read.
    fn admits(&self, reads: &Reads, read: &Read, request: &Request<Vec<u8>>) -> bool {
        let Ok(url) = Url::parse(&request.uri().to_string()) else { return false };
        let own = match self.endpoints.get(reads.provider) {
            Some(named) => url.origin() == named.origin(),
            None => url.scheme() == "https" && url.port().is_none() && url.host_str().is_some_and(reads.own_host),
        };
        own && url.username().is_empty() && url.password().is_none() && is(read, request, &url)
    }

    /// The calls so far, in the order of their answers.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn is(read: &Read, request: &Request<Vec<u8>>, url: &Url) -> bool {
    match read.shape {
        Shape::Form { action, version } => {
            let said = |name: &str, wanted: &str| {
                let mut values = url::form_urlencoded::parse(request.body()).filter(|(key, _)| key == name);
                values.next().is_some_and(|(_, value)| value == wanted) && values.next().is_none()
            };
            bare(request, url)
                && !request.headers().contains_key("x-amz-target")
                && said("Action", action)
                && said("Version", version)
        }
        Shape::Target(target) => {
            let mut said = request.headers().get_all("x-amz-target").iter();
            bare(request, url) && said.next().is_some_and(|value| value == target) && said.next().is_none()
        }
        Shape::Get { path, query } => {
            let key = query.is_empty() || url.query_pairs().any(|(key, _)| key == query);
            request.method() == Method::GET && request.body().is_empty() && key && follows(url.path(), path)
        }
    }
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
