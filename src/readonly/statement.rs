//! Statements that databases are asked, each a constant of a list: nothing else passes.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use deadstop_core::fact::GapReason;

use super::socket::{Place, Socket, Tls};
use super::{Call, ReadOnly};
use crate::secret::Secret;

/// One question to a database, as it is sent, to the letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement {
    /// What it is called in `--plan`, in `calls.jsonl` and in the report.
    pub operation: &'static str,
    /// What is sent.
    pub text: &'static str,
}

/// What is asked of the servers of one provider.
#[derive(Clone, Copy, Debug)]
pub struct Questions {
    /// The provider.
    pub provider: &'static str,
    /// Whether a statement does no more than read.
    pub reads: fn(&str) -> bool,
    /// The statements.
    pub list: &'static [Statement],
}

impl Questions {
    /// The statement of this name, if it is on the list and reads.
    pub(super) fn find(&self, operation: &str) -> Option<&'static Statement> {
        self.list
            .iter()
            .find(|statement| statement.operation == operation)
            .filter(|statement| (self.reads)(statement.text))
    }
}

/// Whether a statement is one, and begins as those do that read.
#[must_use]
pub fn reads(text: &str) -> bool {
    let first = text.split_whitespace().next().unwrap_or_default();
    ["SELECT", "SHOW", "WITH"].contains(&first) && !text.contains(';')
}

/// Why there is no answer: the reason, and the server's own code for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// The reason.
    pub reason: GapReason,
    /// The code, where the server gave one: `42501`.
    pub code: Option<String>,
}

impl From<GapReason> for Trouble {
    fn from(reason: GapReason) -> Self {
        Self { reason, code: None }
    }
}

/// Who asks, and where.
#[derive(Clone)]
pub struct Login<'a> {
    /// The server.
    pub place: Place,
    /// What the URL asks of TLS.
    pub tls: Tls,
    /// The name of the login.
    pub user: &'a str,
    /// The database.
    pub database: &'a str,
    /// The password, if there is one.
    pub password: Option<&'a Secret>,
    /// The credential it is, by its id in the bundle.
    pub credential: &'a str,
}

/// How long a server may take to let a login in.
const LOGIN: Duration = Duration::from_secs(10);

impl ReadOnly {
    /// Whether the user's own configuration names a server of a provider.
    #[must_use]
    pub fn names(&self, provider: &str, place: &Place) -> bool {
        self.hosts.get(provider).is_some_and(|hosts| place.named_by(hosts))
    }

    /// Connects to a server that the user named, and to no other.
    pub(super) fn connect(&self, provider: &str, place: &Place) -> Result<Socket, Trouble> {
        if !self.names(provider, place) {
            tracing::error!(provider, "a server that is not named was not connected to");
            return Err(GapReason::NotAsked.into());
        }
        let until = self.until.min(Instant::now() + LOGIN);
        Socket::connect(place, until, &self.cancel).map_err(Trouble::from)
    }

    /// When an answer that may take so long must be there.
    pub(super) fn within(&self, time: Duration) -> Instant {
        self.until.min(Instant::now() + time)
    }

    /// Notes a statement that was sent, and what became of it.
    pub(super) fn note<T>(
        &self,
        provider: &str,
        operation: &str,
        (place, credential): (&Place, &str),
        started: Instant,
        answer: &Result<T, Trouble>,
    ) {
        let outcome = match answer {
            Ok(_) => "answered".to_owned(),
            Err(trouble) => trouble.reason.words().to_owned(),
        };
        tracing::debug!(operation, outcome, "asked");
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).push(Call {
            provider: provider.to_owned(),
            operation: operation.to_owned(),
            host: place.to_string(),
            credential: credential.to_owned(),
            status: None,
            outcome: Some(outcome),
            attempts: 1,
            milliseconds: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_begin_as_a_read_is_none() {
        for text in ["SELECT 1", "SHOW GRANTS", "WITH a AS (SELECT 1)\nSELECT * FROM a"] {
            assert!(reads(text), "{text}");
        }
        for text in [
            "",
            "DROP DATABASE shop",
            "SELECT 1; DROP TABLE t",
            "select 1",
            "EXPLAIN ANALYZE DELETE FROM t",
            "SET x = 1",
        ] {
            assert!(!reads(text), "{text}");
        }
    }
}
