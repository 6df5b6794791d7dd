//! A connection to a Redis or Valkey server over which nothing goes but a login and commands that read.
//!
//! <https://redis.io/docs/latest/develop/reference/protocol-spec/> (RESP2).

use std::time::Instant;

use deadstop_core::fact::GapReason;

use super::ReadOnly;
use super::socket::{Socket, Tls};
use super::statement::{Desk, Login, MESSAGE, Questions, Trouble, goes_on};

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// A text, of either kind.
    Text(String),
    /// A number.
    Number(i64),
    /// Nothing.
    Nothing,
    /// A list.
    List(Vec<Reply>),
}

/// How deep lists may lie in lists, and how many things they may hold.
const DEEPEST: usize = 8;
const MOST: usize = 100_000;

/// A connection.
pub struct Session<'a> {
    desk: Desk<'a>,
    wire: Wire,
    /// Whether the server asks nobody for a password who comes without one.
    pub open: bool,
}

/// Who a connection is, asked before anything proves it: a server that wants a password of everybody answers `NOAUTH`.
/// <https://redis.io/docs/latest/operate/oss_and_stack/management/security/acl/#acl-rules> (`nopass`)
const ANYONE: [&[u8]; 2] = [b"ACL", b"WHOAMI"];

/// Whether a command reads, whatever stands for `{}`: the login's own name.
#[must_use]
pub fn reads(text: &str) -> bool {
    ["ACL WHOAMI", "ACL GETUSER {}"].contains(&text)
        || text.strip_prefix("INFO ").is_some_and(|part| !part.contains(' '))
}

impl ReadOnly {
    /// Logs in at a Redis server that the user named.
    ///
    /// # Errors
    /// Why it is not let in.
    pub fn redis<'a>(&'a self, questions: &'static Questions, login: Login<'a>) -> Result<Session<'a>, Trouble> {
        if !self.names(questions.provider, &login.place) {
            return Err(GapReason::NotAsked.into());
        }
        let started = Instant::now();
        let at = (login.place.clone(), login.credential);
        let session = self.enter(questions, login);
        self.note(questions.provider, "connect", (&at.0, at.1), started, &session);
        session
    }

    fn enter<'a>(&'a self, questions: &'static Questions, login: Login<'a>) -> Result<Session<'a>, Trouble> {
        let mut socket = self.connect(questions.provider, &login.place)?;
        if login.tls != Tls::Never {
            socket = socket.seal(&login.place.host, true)?;
        }
        let mut wire = Wire { socket, read: Vec::new() };
        let anyone = match wire.ask(&ANYONE) {
            Err(trouble) if trouble.code.is_none() => return Err(trouble),
            anyone => anyone,
        };
        if let Some(password) = login.password {
            let mut words: Vec<&[u8]> = vec![b"AUTH"];
            words.extend(Some(login.user.as_bytes()).filter(|user| !user.is_empty()));
            words.push(password.expose());
            if wire.ask(&words)? != Reply::Text("OK".to_owned()) {
                return Err(GapReason::Malformed.into());
            }
        }
        let open = !anyone.is_err_and(|trouble| trouble.code.as_deref() == Some(NO_LOGIN));
        Ok(Session { desk: Desk::new(self, questions, login), wire, open })
    }
}

impl Session<'_> {
    /// The answer to a question of the list; `own` is the login's name.
    ///
    /// # Errors
    /// Why there is none.
    pub fn ask(&mut self, operation: &str, own: &str) -> Result<Reply, Trouble> {
        let wire = &mut self.wire;
        self.desk.ask(operation, |text, until| {
            wire.socket.set_until(until);
            let words: Vec<&[u8]> =
                text.split(' ').map(|word| if word == "{}" { own.as_bytes() } else { word.as_bytes() }).collect();
            let answer = wire.ask(&words);
            let whole = goes_on(&answer);
            (answer, whole)
        })
    }
}

struct Wire {
    socket: Socket,
    read: Vec<u8>,
}

impl Wire {
    fn ask(&mut self, words: &[&[u8]]) -> Result<Reply, Trouble> {
        self.socket.send(&command(words))?;
        loop {
            let mut rest = self.read.as_slice();
            match parse(&mut rest, 0) {
                Ok(Some(answer)) => {
                    let left = rest.to_vec();
                    self.read = left;
                    return answer;
                }
                Ok(None) if self.read.len() > MESSAGE => return Err(GapReason::TooLarge.into()),
                Ok(None) => self.socket.receive(&mut self.read)?,
                Err(reason) => return Err(reason.into()),
            }
        }
    }
}

fn command(words: &[&[u8]]) -> Vec<u8> {
    let mut out = format!("*{}\r\n", words.len()).into_bytes();
    for word in words {
        out.extend(format!("${}\r\n", word.len()).into_bytes());
        out.extend(*word);
        out.extend(b"\r\n");
    }
    out
}

type Answer = Result<Reply, Trouble>;

/// One answer from the front of what was read; nothing, where more is to come.
fn parse(rest: &mut &[u8], depth: usize) -> Result<Option<Answer>, GapReason> {
    let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") else { return Ok(None) };
    let line = rest.get(..end).unwrap_or_default();
    let after = rest.get(end + 2..).unwrap_or_default();
    let (kind, body) = line.split_first().ok_or(GapReason::Malformed)?;
    let body = std::str::from_utf8(body).map_err(|_| GapReason::Malformed)?;
    let number = || body.parse::<i64>().map_err(|_| GapReason::Malformed);
    let answer = match kind {
        b'+' => Ok(Reply::Text(body.to_owned())),
        b'-' => Err(trouble(body)),
        b':' => Ok(Reply::Number(number()?)),
        b'$' => match usize::try_from(number()?) {
            Err(_) => Ok(Reply::Nothing),
            Ok(size) if size > MESSAGE => return Err(GapReason::TooLarge),
            Ok(size) => {
                let Some((text, end)) = after.split_at_checked(size) else { return Ok(None) };
                if end.len() < 2 {
                    return Ok(None);
                }
                let text = std::str::from_utf8(text).map_err(|_| GapReason::Malformed)?;
                *rest = end.strip_prefix(b"\r\n").ok_or(GapReason::Malformed)?;
                return Ok(Some(Ok(Reply::Text(text.to_owned()))));
            }
        },
        b'*' => match usize::try_from(number()?) {
            Err(_) => Ok(Reply::Nothing),
            Ok(count) if count > MOST || depth == DEEPEST => return Err(GapReason::TooLarge),
            Ok(count) => {
                let (mut inner, mut list) = (after, Vec::new());
                for _ in 0..count {
                    match parse(&mut inner, depth + 1)? {
                        None => return Ok(None),
                        Some(one) => list.push(one.map_err(|_| GapReason::Malformed)?),
                    }
                }
                *rest = inner;
                return Ok(Some(Ok(Reply::List(list))));
            }
        },
        _ => return Err(GapReason::Malformed),
    };
    *rest = after;
    Ok(Some(answer))
}

/// The code of a server that wants a login first.
pub const NO_LOGIN: &str = "NOAUTH";

/// Codes of errors that are told, and what they come to.
const CODES: [(&str, GapReason); 14] = [
    ("NOPERM", GapReason::Denied),
    (NO_LOGIN, GapReason::Denied),
    ("WRONGPASS", GapReason::Denied),
    ("DENIED", GapReason::Denied),
    ("LOADING", GapReason::Unreachable),
    ("BUSY", GapReason::Unreachable),
    ("MASTERDOWN", GapReason::Unreachable),
    ("CLUSTERDOWN", GapReason::Unreachable),
    ("MOVED", GapReason::Unsupported),
    ("MISCONF", GapReason::Unsupported),
    ("READONLY", GapReason::Unsupported),
    ("NOPROTO", GapReason::Unsupported),
    ("OOM", GapReason::Unsupported),
    ("ERR", GapReason::Unsupported),
];

/// What an error says: its first word alone, and only one that is known, for the rest may repeat what the server was told.
fn trouble(text: &str) -> Trouble {
    let word = text.split(' ').next().unwrap_or_default();
    // `ERR invalid password`, before version 6.
    if word == "ERR" && (text.contains("invalid password") || text.contains("no password is set")) {
        return Trouble::said(GapReason::Denied, "ERR");
    }
    let known = CODES.iter().find(|(known, _)| *known == word);
    known.map_or_else(
        || Trouble::said(GapReason::Unsupported, "another error"),
        |(code, reason)| Trouble::said(*reason, code),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<Answer>, GapReason> {
        parse(&mut text.as_bytes(), 0)
    }

    #[test]
    fn answers_are_read_whole_or_waited_for() {
        let text = "*3\r\n$5\r\nflags\r\n*1\r\n+on\r\n:7\r\n";
        let word = |text: &str| Reply::Text(text.to_owned());
        let whole = Reply::List(vec![word("flags"), Reply::List(vec![word("on")]), Reply::Number(7)]);
        assert_eq!(read(text), Ok(Some(Ok(whole))));
        for cut in 0..text.len() {
            assert_eq!(read(text.get(..cut).unwrap()), Ok(None), "{cut}");
        }
        assert_eq!(read("$-1\r\n"), Ok(Some(Ok(Reply::Nothing))));
        for odd in
            ["HTTP/1.1 200 OK\r\n", "$x\r\n", "*99999999\r\n", "$99999999999\r\n", "$1\r\nabc", "*1\r\n-ERR no\r\n"]
        {
            assert!(read(odd).is_err(), "{odd}");
        }
        assert!(read(&"*1\r\n".repeat(20)).is_err());
    }

    #[test]
    fn of_an_error_only_its_first_word_is_kept() {
        let denied = trouble("NOPERM this user has no permissions hunter2");
        assert_eq!((denied.reason, denied.code.as_deref()), (GapReason::Denied, Some("NOPERM")));
        for odd in ["hunter2 hunter2", "HUNTER", "", "noauth"] {
            assert_eq!(trouble(odd).code.as_deref(), Some("another error"), "{odd}");
        }
    }

    #[test]
    fn no_command_but_these_reads() {
        for text in
            ["FLUSHALL", "INFO", "INFO a b", "ACL SETUSER {}", "ACL LIST", "CONFIG GET dir", "ACL DRYRUN {} FLUSHALL"]
        {
            assert!(!reads(text), "{text}");
        }
    }
}
