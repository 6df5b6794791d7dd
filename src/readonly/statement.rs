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

impl Trouble {
    /// An answer of the server's, by its own code or by a word for one that is not known.
    pub(super) fn said(reason: GapReason, code: &str) -> Self {
        Self { reason, code: Some(code.to_owned()) }
    }

    /// The password would have to be told to whoever listens.
    pub(super) fn in_clear() -> Self {
        Self::said(GapReason::Unsupported, "the password would go in clear")
    }

    /// The server does not do what the URL asks for.
    pub(super) fn no_tls() -> Self {
        Self::said(GapReason::Unsupported, "no TLS")
    }
}

/// A row: each value as text, or nothing.
pub type Row = Vec<Option<String>>;

/// The longest message that is read.
pub(super) const MESSAGE: usize = 4 << 20;
/// The largest answer that is kept, with what it takes to keep it.
const LARGEST: usize = 32 << 20;

/// The rows of an answer, as long as there is room for them.
#[derive(Default)]
pub(super) struct Rows {
    rows: Vec<Row>,
    size: usize,
}

impl Rows {
    /// Keeps one more: each row and each value takes its place, however short it is.
    pub(super) fn push(&mut self, row: Row) -> Result<(), Trouble> {
        let text: usize = row.iter().flatten().map(String::len).sum();
        self.size += text + (row.len() + 1) * size_of::<Option<String>>();
        if self.size > LARGEST {
            return Err(GapReason::TooLarge.into());
        }
        self.rows.push(row);
        Ok(())
    }

    pub(super) fn all(self) -> Vec<Row> {
        self.rows
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

/// Who asks which questions through which door, and whether the connection is in a state that is known.
pub(super) struct Desk<'a> {
    door: &'a ReadOnly,
    questions: &'static Questions,
    login: Login<'a>,
    broken: bool,
}

/// How long an answer may take, all of it.
const PATIENCE: Duration = Duration::from_secs(8);

impl<'a> Desk<'a> {
    pub(super) const fn new(door: &'a ReadOnly, questions: &'static Questions, login: Login<'a>) -> Self {
        Self { door, questions, login, broken: false }
    }

    /// Puts a question of the list, and notes it. `put` sends its text, ends at the moment given, and says whether the
    /// connection may be used again.
    pub(super) fn ask<T>(
        &mut self,
        operation: &str,
        put: impl FnOnce(&'static str, Instant) -> (Result<T, Trouble>, bool),
    ) -> Result<T, Trouble> {
        let Some(statement) = self.questions.find(operation) else {
            tracing::error!(operation, "a statement that is on no list was not sent");
            return Err(GapReason::Unsupported.into());
        };
        if self.broken {
            return Err(GapReason::Unreachable.into());
        }
        let started = Instant::now();
        let (answer, whole) = put(statement.text, self.door.within(PATIENCE));
        self.broken = !whole;
        let at = (&self.login.place, self.login.credential);
        self.door.note(self.questions.provider, statement.operation, at, started, &answer);
        answer
    }
}

/// Whether a connection goes on: after an answer and after an error of the server's, which has a code; after anything else
/// it is not known where it stands.
pub(super) fn goes_on<T>(answer: &Result<T, Trouble>) -> bool {
    answer.as_ref().map_or_else(|trouble| trouble.code.is_some(), |_| true)
}

/// How long a server may take to let a login in.
const LOGIN: Duration = Duration::from_secs(10);

impl ReadOnly {
    /// Whether the user's own configuration names a server of a provider.
    #[must_use]
    pub fn names(&self, provider: &str, place: &Place) -> bool {
        let members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        let member = members.contains(&(provider.to_owned(), place.clone()));
        member || self.hosts.get(provider).is_some_and(|hosts| place.named_by(hosts))
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

    #[test]
    fn what_is_kept_of_an_answer_counts_with_the_room_that_it_takes() {
        let mut rows = Rows::default();
        let empty = || vec![None; 60_000];
        let kept = (0..1_000).take_while(|_| rows.push(empty()).is_ok()).count();
        assert!((10..40).contains(&kept), "{kept} rows of nothing but columns");
        assert_eq!(Rows::default().push(vec![Some("x".repeat(LARGEST))]), Err(GapReason::TooLarge.into()));
    }
}
