//! A connection to a Redis or Valkey server over which nothing goes but a login and commands that read.
//!
//! <https://redis.io/docs/latest/develop/reference/protocol-spec/> (RESP2).

use std::time::{Duration, Instant};

use deadstop_core::fact::GapReason;

use super::ReadOnly;
use super::socket::{Socket, Tls};
use super::statement::{Login, Questions, Trouble};

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

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(8);
/// The longest answer that is read.
const LARGEST: usize = 8 << 20;
/// How deep lists may lie in lists, and how many things they may hold.
const DEEPEST: usize = 8;
const MOST: usize = 100_000;

/// A connection.
pub struct Session<'a> {
    door: &'a ReadOnly,
    questions: &'static Questions,
    login: Login<'a>,
    socket: Socket,
    read: Vec<u8>,
    broken: bool,
}

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
        let mut session = Session { door: self, questions, login, socket, read: Vec::new(), broken: false };
        if let Some(password) = session.login.password {
            let mut words: Vec<&[u8]> = vec![b"AUTH"];
            words.extend(Some(session.login.user.as_bytes()).filter(|user| !user.is_empty()));
            words.push(password.expose());
            session.socket.send(&command(&words))?;
            if session.reply()? != Reply::Text("OK".to_owned()) {
                return Err(GapReason::Malformed.into());
            }
        }
        Ok(session)
    }
}

impl Session<'_> {
    /// The answer to a question of the list; `own` is the login's name.
    ///
    /// # Errors
    /// Why there is none.
    pub fn ask(&mut self, operation: &str, own: &str) -> Result<Reply, Trouble> {
        let Some(statement) = self.questions.find(operation) else {
            tracing::error!(operation, "a command that is on no list was not sent");
            return Err(GapReason::Unsupported.into());
        };
        if self.broken {
            return Err(GapReason::Unreachable.into());
        }
        let started = Instant::now();
        self.socket.set_until(self.door.within(PATIENCE));
        let words: Vec<&[u8]> =
            statement.text.split(' ').map(|word| if word == "{}" { own.as_bytes() } else { word.as_bytes() }).collect();
        let answer = self.socket.send(&command(&words)).map_err(Trouble::from).and_then(|()| self.reply());
        // After an error of the server the connection goes on; after anything else it is not known where it stands.
        self.broken = answer.as_ref().is_err_and(|trouble| trouble.code.is_none());
        let at = (&self.login.place, self.login.credential);
        self.door.note(self.questions.provider, statement.operation, at, started, &answer);
        answer
    }

    fn reply(&mut self) -> Result<Reply, Trouble> {
        loop {
            let mut rest = self.read.as_slice();
            match parse(&mut rest, 0) {
                Ok(Some(answer)) => {
                    let left = rest.to_vec();
                    self.read = left;
                    return answer;
                }
                Ok(None) if self.read.len() > LARGEST => return Err(GapReason::TooLarge.into()),
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
            Ok(size) if size > LARGEST => return Err(GapReason::TooLarge),
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

/// What an error says: its first word alone, for the rest may repeat anything.
fn trouble(text: &str) -> Trouble {
    let word = text.split(' ').next().unwrap_or_default();
    let known = word.len() <= 16 && !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase());
    let reason = match word {
        "NOPERM" | "NOAUTH" | "WRONGPASS" | "DENIED" => GapReason::Denied,
        "LOADING" | "BUSY" | "MASTERDOWN" => GapReason::Unreachable,
        // `ERR invalid password`, before version 6.
        "ERR" if text.contains("invalid password") || text.contains("no password is set") => GapReason::Denied,
        _ => GapReason::Unsupported,
    };
    Trouble { reason, code: Some(if known { word.to_owned() } else { "an error".to_owned() }) }
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
        assert_eq!(trouble("hunter2 hunter2").code.as_deref(), Some("an error"));
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
