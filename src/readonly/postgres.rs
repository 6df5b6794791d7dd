//! A session at a PostgreSQL server that can do nothing but read (protocol 3.0, simple queries).
//!
//! Enforced by the server: `default_transaction_read_only`, and each question in a transaction of its own that is read only,
//! is seen to be, and is rolled back; statements and locks end in time. Names are looked up in `pg_catalog` alone, so that
//! nothing of whoever owns the database is called. <https://www.postgresql.org/docs/current/protocol-message-formats.html>,
//! `sql-set-transaction`, `runtime-config-client`.

use std::time::{Duration, Instant};

use deadstop_core::fact::GapReason;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};

use super::ReadOnly;
use super::socket::{Socket, Tls};
use super::statement::{Login, Questions, Trouble};

/// A row: each value as text, or nothing.
pub type Row = Vec<Option<String>>;

/// Begins what each question is asked in. Of a pooler's connection nothing is left changed.
const BEGIN: &str = "BEGIN TRANSACTION READ ONLY; SET LOCAL search_path = pg_catalog; \
    SET LOCAL statement_timeout = '5s'; SET LOCAL lock_timeout = '1s'; SHOW transaction_read_only";
const END: &str = "ROLLBACK";
/// Set for the whole session, where the server takes it.
const OPTIONS: &str = "-c default_transaction_read_only=on -c statement_timeout=5s -c lock_timeout=1s \
    -c idle_in_transaction_session_timeout=30s";
/// How long an answer may take, all of it.
const PATIENCE: Duration = Duration::from_secs(8);
/// The longest message, and the longest answer, that is read.
const LARGEST: usize = 32 << 20;
/// The most rounds of hashing that a server may ask for; its default is 4,096.
const ROUNDS: u32 = 1_000_000;

/// A session.
pub struct Session<'a> {
    door: &'a ReadOnly,
    questions: &'static Questions,
    login: Login<'a>,
    wire: Wire,
    /// Whether it was left in a state that is not known.
    broken: bool,
}

impl ReadOnly {
    /// Logs in at a PostgreSQL server that the user named.
    ///
    /// # Errors
    /// Why it is not let in.
    pub fn postgres<'a>(&'a self, questions: &'static Questions, login: Login<'a>) -> Result<Session<'a>, Trouble> {
        if !self.names(questions.provider, &login.place) {
            return Err(GapReason::NotAsked.into());
        }
        let started = Instant::now();
        let mut wire = self.start(questions, &login, Some(OPTIONS));
        // A pooler refuses options that it cannot keep to (PgBouncer, `ignore_startup_parameters`).
        if wire.as_ref().is_err_and(|trouble| trouble.code.as_deref() == Some("08P01")) {
            wire = self.start(questions, &login, None);
        }
        self.note(questions.provider, "connect", (&login.place, login.credential), started, &wire);
        Ok(Session { door: self, questions, login, wire: wire?, broken: false })
    }

    fn start(&self, questions: &Questions, login: &Login<'_>, options: Option<&str>) -> Result<Wire, Trouble> {
        let mut socket = self.connect(questions.provider, &login.place)?;
        if login.tls != Tls::Never {
            socket = sealed(socket, login)?;
        }
        let mut wire = Wire { socket, read: Vec::new() };
        wire.startup(login, options)?;
        wire.authenticate(login)?;
        Ok(wire)
    }
}

impl Session<'_> {
    /// The rows that a question of the list has for an answer.
    ///
    /// # Errors
    /// Why there is none.
    pub fn ask(&mut self, operation: &str) -> Result<Vec<Row>, Trouble> {
        let Some(statement) = self.questions.find(operation) else {
            tracing::error!(operation, "a statement that is on no list was not sent");
            return Err(GapReason::Unsupported.into());
        };
        if self.broken {
            return Err(GapReason::Unreachable.into());
        }
        let started = Instant::now();
        self.wire.socket.set_until(self.door.within(PATIENCE));
        // INVARIANT: until the transaction is closed again, nothing else is to be asked.
        self.broken = true;
        let answer = self.in_transaction(statement.text);
        let at = (&self.login.place, self.login.credential);
        self.door.note(self.questions.provider, statement.operation, at, started, &answer);
        answer
    }

    fn in_transaction(&mut self, text: &str) -> Result<Vec<Row>, Trouble> {
        let (begun, state) = self.wire.query(BEGIN)?;
        let shown = begun?;
        let on = shown.last().and_then(|row| row.first()).is_some_and(|value| value.as_deref() == Some("on"));
        if state != b'T' || shown.len() != 1 || !on {
            return Err(GapReason::Unsupported.into());
        }
        let (answer, _) = self.wire.query(text)?;
        let (ended, state) = self.wire.query(END)?;
        self.broken = ended.is_err() || state != b'I';
        answer
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        // The server ends the session by itself, should this not arrive.
        drop(self.wire.send(b'X', &[]));
    }
}

/// Asks for TLS, and takes what the URL takes for an answer.
fn sealed(mut socket: Socket, login: &Login<'_>) -> Result<Socket, Trouble> {
    socket.send(&[0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f])?;
    let mut answer = Vec::new();
    socket.receive(&mut answer)?;
    match answer.as_slice() {
        b"S" => Ok(socket.seal(&login.place.host, login.tls == Tls::Verified)?),
        b"N" if login.tls == Tls::Offered => Ok(socket),
        b"N" => Err(Trouble { reason: GapReason::Unsupported, code: Some("no TLS".to_owned()) }),
        // What comes before the handshake was put there by somebody else.
        _ => Err(GapReason::Malformed.into()),
    }
}

struct Wire {
    socket: Socket,
    read: Vec<u8>,
}

impl Wire {
    fn send(&mut self, tag: u8, body: &[u8]) -> Result<(), Trouble> {
        let mut message = vec![tag];
        message.extend(length(body.len()));
        message.extend(body);
        Ok(self.socket.send(&message)?)
    }

    fn startup(&mut self, login: &Login<'_>, options: Option<&str>) -> Result<(), Trouble> {
        let mut body = vec![0, 3, 0, 0];
        let said = [
            ("user", login.user),
            ("database", login.database),
            ("client_encoding", "UTF8"),
            ("application_name", "deadstop"),
        ];
        for (name, value) in said.into_iter().chain(options.map(|options| ("options", options))) {
            if value.contains('\0') {
                return Err(GapReason::Unsupported.into());
            }
            for text in [name, value] {
                body.extend(text.bytes().chain([0]));
            }
        }
        body.push(0);
        let mut message = length(body.len()).to_vec();
        message.extend(body);
        Ok(self.socket.send(&message)?)
    }

    /// The next message: its tag and its body.
    fn message(&mut self) -> Result<(u8, Vec<u8>), Trouble> {
        loop {
            if let [tag, a, b, c, d, rest @ ..] = self.read.as_slice() {
                let (tag, length) = (*tag, u32::from_be_bytes([*a, *b, *c, *d]));
                let size = usize::try_from(length).ok().and_then(|length| length.checked_sub(4));
                let Some(size) = size.filter(|size| *size <= LARGEST) else { return Err(GapReason::Malformed.into()) };
                if let Some(body) = rest.get(..size) {
                    let body = body.to_vec();
                    self.read.drain(..size + 5);
                    return Ok((tag, body));
                }
            }
            self.socket.receive(&mut self.read)?;
        }
    }

    fn authenticate(&mut self, login: &Login<'_>) -> Result<(), Trouble> {
        loop {
            let (tag, body) = self.message()?;
            match (tag, body.as_slice()) {
                (b'R', [0, 0, 0, 0]) => {}
                (b'R', [0, 0, 0, 3]) if self.socket.trusted() => {
                    let password = password(login)?;
                    self.send(b'p', &[password, &[0]].concat())?;
                }
                (b'R', [0, 0, 0, 5, salt @ ..]) if self.socket.private() => {
                    let salt = <[u8; 4]>::try_from(salt).map_err(|_| GapReason::Malformed)?;
                    let proof = md5_hash(login.user.as_bytes(), password(login)?, salt);
                    self.send(b'p', &[proof.as_bytes(), &[0]].concat())?;
                }
                (b'R', [0, 0, 0, 3 | 5, ..]) => return Err(in_clear()),
                (b'R', [0, 0, 0, 10, mechanisms @ ..]) => {
                    if !mechanisms.split(|byte| *byte == 0).any(|name| name == SCRAM_SHA_256.as_bytes()) {
                        return Err(GapReason::Unsupported.into());
                    }
                    self.scram(password(login)?)?;
                }
                (b'R', _) => return Err(GapReason::Unsupported.into()),
                (b'Z', [b'I']) => return Ok(()),
                (b'E', _) => return Err(trouble(&body)),
                (b'S' | b'K' | b'N' | b'v', _) => {}
                _ => return Err(GapReason::Malformed.into()),
            }
        }
    }

    /// Proves to know the password, and has the server prove that it does.
    fn scram(&mut self, password: &[u8]) -> Result<(), Trouble> {
        let bad = |_| Trouble::from(GapReason::Denied);
        let mut scram = ScramSha256::new(password, ChannelBinding::unsupported());
        let mut first = SCRAM_SHA_256.as_bytes().to_vec();
        first.push(0);
        let said = scram.message().to_vec();
        first.extend(u32::try_from(said.len()).unwrap_or_default().to_be_bytes());
        first.extend(said);
        self.send(b'p', &first)?;
        let challenge = self.sasl(11)?;
        if rounds(&challenge).is_none_or(|rounds| rounds > ROUNDS) {
            return Err(GapReason::Malformed.into());
        }
        scram.update(&challenge).map_err(|_| Trouble::from(GapReason::Malformed))?;
        let proof = scram.message().to_vec();
        self.send(b'p', &proof)?;
        let last = self.sasl(12)?;
        scram.finish(&last).map_err(bad)
    }

    fn sasl(&mut self, kind: u8) -> Result<Vec<u8>, Trouble> {
        loop {
            let (tag, body) = self.message()?;
            match (tag, body.as_slice()) {
                (b'R', [0, 0, 0, told, data @ ..]) if *told == kind => return Ok(data.to_vec()),
                (b'E', _) => return Err(trouble(&body)),
                (b'N' | b'S', _) => {}
                _ => return Err(GapReason::Malformed.into()),
            }
        }
    }

    /// Sends a query: what it answers, and in which state the session is then.
    fn query(&mut self, text: &str) -> Result<(Result<Vec<Row>, Trouble>, u8), Trouble> {
        self.send(b'Q', &[text.as_bytes(), &[0]].concat())?;
        let (mut rows, mut size, mut failed, mut whole) = (Vec::new(), 0, None, false);
        loop {
            let (tag, body) = self.message()?;
            match tag {
                b'D' => {
                    size += body.len();
                    if size > LARGEST {
                        return Err(GapReason::TooLarge.into());
                    }
                    rows.push(row(&body).ok_or(GapReason::Malformed)?);
                }
                b'E' => failed = failed.or_else(|| Some(trouble(&body))),
                b'Z' => {
                    let state = body.first().copied().unwrap_or_default();
                    // Rows that no end was told of may not be all.
                    let unfinished = (!whole).then(|| GapReason::Malformed.into());
                    return Ok((failed.or(unfinished).map_or(Ok(rows), Err), state));
                }
                b'C' => whole = true,
                b'T' | b'N' | b'S' | b'A' => {}
                _ => return Err(GapReason::Malformed.into()),
            }
        }
    }
}

fn password<'a>(login: &Login<'a>) -> Result<&'a [u8], Trouble> {
    let password = login.password.map(crate::secret::Secret::expose).filter(|password| !password.contains(&0));
    password.ok_or_else(|| GapReason::Denied.into())
}

fn in_clear() -> Trouble {
    Trouble { reason: GapReason::Unsupported, code: Some("the password would go in clear".to_owned()) }
}

/// The length of a message, itself counted.
fn length(body: usize) -> [u8; 4] {
    u32::try_from(body + 4).unwrap_or_default().to_be_bytes()
}

/// The rounds of hashing that the first message of a SCRAM server asks for: `r=…,s=…,i=4096`.
fn rounds(challenge: &[u8]) -> Option<u32> {
    let text = std::str::from_utf8(challenge).ok()?;
    text.split(',').find_map(|part| part.strip_prefix("i="))?.parse().ok()
}

/// The values of a row: how many, and each with its length before it, which is -1 for nothing.
fn row(body: &[u8]) -> Option<Row> {
    let (count, mut rest) = body.split_first_chunk::<2>()?;
    let mut row = Vec::new();
    for _ in 0..u16::from_be_bytes(*count) {
        let (size, after) = rest.split_first_chunk::<4>()?;
        let size = i32::from_be_bytes(*size);
        if size == -1 {
            row.push(None);
            rest = after;
            continue;
        }
        let (value, after) = after.split_at_checked(usize::try_from(size).ok()?)?;
        row.push(Some(String::from_utf8(value.to_vec()).ok()?));
        rest = after;
    }
    rest.is_empty().then_some(row)
}

/// What an error says: its code alone, for the message may repeat anything.
fn trouble(body: &[u8]) -> Trouble {
    let mut fields = body.split(|byte| *byte == 0).filter_map(|field| field.split_first());
    let code = fields.find(|(kind, _)| **kind == b'C').and_then(|(_, code)| std::str::from_utf8(code).ok());
    let known = code.filter(|code| code.len() == 5 && code.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let Some(code) = known else { return GapReason::Malformed.into() };
    // https://www.postgresql.org/docs/current/errcodes-appendix.html
    let reason = match code {
        "42501" => GapReason::Denied,
        "57014" | "55P03" | "25P03" => GapReason::TimedOut,
        "53300" => GapReason::Throttled,
        "3D000" => GapReason::Vanished,
        _ if code.starts_with("28") => GapReason::Denied,
        _ if code.starts_with("57") || code.starts_with("08") || code.starts_with("53") => GapReason::Unreachable,
        _ => GapReason::Unsupported,
    };
    Trouble { reason, code: Some(code.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_read_whole_or_not_at_all() {
        let body = b"\0\x03\0\0\0\x02on\xff\xff\xff\xff\0\0\0\0";
        assert_eq!(row(body).unwrap(), [Some("on".to_owned()), None, Some(String::new())]);
        for cut in 0..body.len() {
            assert!(row(&body[..cut]).is_none(), "{cut}");
        }
        assert!(row(b"\0\x01\0\0\0\x01ab").is_none());
        assert!(row(b"\0\x01\xff\xff\xff\xfe").is_none());
    }

    #[test]
    fn of_an_error_only_its_code_is_kept() {
        let denied = trouble(b"SERROR\0C42501\0Mpermission denied for hunter2\0\0");
        assert_eq!((denied.reason, denied.code.as_deref()), (GapReason::Denied, Some("42501")));
        assert_eq!(trouble(b"SFATAL\0C28P01\0\0").reason, GapReason::Denied);
        assert_eq!(trouble(b"C57014\0\0").reason, GapReason::TimedOut);
        for odd in [&b""[..], b"Chunter2hunter2\0", b"Mno code\0\0"] {
            assert_eq!(trouble(odd), Trouble { reason: GapReason::Malformed, code: None });
        }
    }

    #[test]
    fn a_server_cannot_ask_for_hashing_without_end() {
        assert_eq!(rounds(b"r=abc,s=AAAA,i=4096"), Some(4096));
        assert!(rounds(b"r=abc,s=AAAA,i=99999999999").is_none() && rounds(b"r=abc").is_none());
    }
}
