//! A session at a PostgreSQL server that can do nothing but read (protocol 3.0, simple queries).
//!
//! Enforced by the server: `default_transaction_read_only`, and each question in a transaction of its own that is read only,
//! is seen to be, and is rolled back; statements and locks end in time. Names are looked up in `pg_catalog` alone, so that
//! nothing of whoever owns the database is called. <https://www.postgresql.org/docs/current/protocol-message-formats.html>,
//! `sql-set-transaction`, `runtime-config-client`.

use std::time::Instant;

use deadstop_core::fact::GapReason;
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};

use super::ReadOnly;
use super::socket::{Socket, Tls};
use super::statement::{Desk, Login, MESSAGE, Questions, Row, Rows, Trouble};

/// Begins what each question is asked in. Of a pooler's connection nothing is left changed. Where `pg_temp` is not named it
/// is looked through first, and a connection of a pooler's may hold temporary tables of whoever had it before.
const BEGIN: &str = "BEGIN TRANSACTION READ ONLY; SET LOCAL search_path = pg_catalog, pg_temp; \
    SET LOCAL statement_timeout = '5s'; SET LOCAL lock_timeout = '1s'; SHOW transaction_read_only";
const END: &str = "ROLLBACK";
/// Set for the whole session, where the server takes it.
const OPTIONS: &str = "-c search_path=pg_catalog,pg_temp -c default_transaction_read_only=on -c statement_timeout=5s \
    -c lock_timeout=1s -c idle_in_transaction_session_timeout=30s";
/// The most rounds of hashing that a server may ask for; its default is 4,096.
const ROUNDS: u32 = 1_000_000;

/// A session.
pub struct Session<'a> {
    desk: Desk<'a>,
    wire: Wire,
    /// Whether the server let the login in without asking for anything that proves it.
    pub unproved: bool,
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
        let (wire, unproved) = wire?;
        Ok(Session { desk: Desk::new(self, questions, login), wire, unproved })
    }

    fn start(&self, questions: &Questions, login: &Login<'_>, options: Option<&str>) -> Result<(Wire, bool), Trouble> {
        let mut socket = self.connect(questions.provider, &login.place)?;
        if login.tls != Tls::Never {
            socket = sealed(socket, login)?;
        }
        let mut wire = Wire { socket, read: Vec::new() };
        wire.startup(login, options)?;
        let unproved = wire.authenticate(login)?;
        Ok((wire, unproved))
    }
}

impl Session<'_> {
    /// The rows that a question of the list has for an answer.
    ///
    /// # Errors
    /// Why there is none.
    pub fn ask(&mut self, operation: &str) -> Result<Vec<Row>, Trouble> {
        let wire = &mut self.wire;
        self.desk.ask(operation, |text, until| {
            wire.socket.set_until(until);
            // INVARIANT: until the transaction is closed again, nothing else is to be asked.
            let mut closed = false;
            let answer = wire.in_transaction(text, &mut closed);
            (answer, closed)
        })
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
        b"N" => Err(Trouble::no_tls()),
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
                let Some(size) = size.filter(|size| *size <= MESSAGE) else { return Err(GapReason::Malformed.into()) };
                if let Some(body) = rest.get(..size) {
                    let body = body.to_vec();
                    self.read.drain(..size + 5);
                    return Ok((tag, body));
                }
            }
            self.socket.receive(&mut self.read)?;
        }
    }

    /// Proves who the login is, as the server asks; tells whether it asked for nothing.
    fn authenticate(&mut self, login: &Login<'_>) -> Result<bool, Trouble> {
        let mut unproved = true;
        loop {
            let (tag, body) = self.message()?;
            unproved &= tag != b'R' || body == [0; 4];
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
                (b'R', [0, 0, 0, 3 | 5, ..]) => return Err(Trouble::in_clear()),
                (b'R', [0, 0, 0, 10, mechanisms @ ..]) => {
                    if !mechanisms.split(|byte| *byte == 0).any(|name| name == SCRAM_SHA_256.as_bytes()) {
                        return Err(GapReason::Unsupported.into());
                    }
                    self.scram(password(login)?)?;
                }
                (b'R', _) => return Err(GapReason::Unsupported.into()),
                (b'Z', [b'I']) => return Ok(unproved),
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

    /// Asks in a transaction that only reads; `closed` tells whether that was closed again.
    fn in_transaction(&mut self, text: &str, closed: &mut bool) -> Result<Vec<Row>, Trouble> {
        let (begun, state) = self.query(BEGIN)?;
        let shown = begun?;
        let on = shown.last().and_then(|row| row.first()).is_some_and(|value| value.as_deref() == Some("on"));
        if state != b'T' || shown.len() != 1 || !on {
            return Err(GapReason::Unsupported.into());
        }
        let (answer, _) = self.query(text)?;
        let (ended, state) = self.query(END)?;
        *closed = ended.is_ok() && state == b'I';
        answer
    }

    /// Sends a query: what it answers, and in which state the session is then.
    fn query(&mut self, text: &str) -> Result<(Result<Vec<Row>, Trouble>, u8), Trouble> {
        self.send(b'Q', &[text.as_bytes(), &[0]].concat())?;
        let (mut rows, mut failed, mut whole) = (Rows::default(), None, false);
        loop {
            let (tag, body) = self.message()?;
            match tag {
                b'D' => rows.push(row(&body).ok_or(GapReason::Malformed)?)?,
                b'E' => failed = failed.or_else(|| Some(trouble(&body))),
                b'Z' => {
                    let state = body.first().copied().unwrap_or_default();
                    // Rows that no end was told of may not be all.
                    let unfinished = (!whole).then(|| GapReason::Malformed.into());
                    return Ok((failed.or(unfinished).map_or(Ok(rows.all()), Err), state));
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

/// Codes of errors that are told, and what they come to. <https://www.postgresql.org/docs/current/errcodes-appendix.html>
const CODES: [(&str, GapReason); 33] = [
    ("08000", GapReason::Unreachable),
    ("08003", GapReason::Unreachable),
    ("08004", GapReason::Unreachable),
    ("08006", GapReason::Unreachable),
    ("08P01", GapReason::Unreachable),
    ("0A000", GapReason::Unsupported),
    ("22023", GapReason::Unsupported),
    ("25006", GapReason::Unsupported),
    ("25P02", GapReason::Unsupported),
    ("25P03", GapReason::TimedOut),
    ("28000", GapReason::Denied),
    ("28P01", GapReason::Denied),
    ("3D000", GapReason::Vanished),
    ("3F000", GapReason::Unsupported),
    ("42501", GapReason::Denied),
    ("42601", GapReason::Unsupported),
    ("42703", GapReason::Unsupported),
    ("42704", GapReason::Unsupported),
    ("42804", GapReason::Unsupported),
    ("42883", GapReason::Unsupported),
    ("42P01", GapReason::Unsupported),
    ("53000", GapReason::Unreachable),
    ("53100", GapReason::Unreachable),
    ("53200", GapReason::Unreachable),
    ("53300", GapReason::Throttled),
    ("55P03", GapReason::TimedOut),
    ("57014", GapReason::TimedOut),
    ("57P01", GapReason::Unreachable),
    ("57P02", GapReason::Unreachable),
    ("57P03", GapReason::Unreachable),
    ("57P05", GapReason::Unreachable),
    ("XX000", GapReason::Unsupported),
    ("XX001", GapReason::Unsupported),
];

/// What an error says: its code alone, and only one that is known, for anything else may repeat what the server was told.
fn trouble(body: &[u8]) -> Trouble {
    let mut fields = body.split(|byte| *byte == 0).filter_map(|field| field.split_first());
    let Some((_, code)) = fields.find(|(kind, _)| **kind == b'C') else { return GapReason::Malformed.into() };
    let known = CODES.iter().find(|(known, _)| known.as_bytes() == code);
    known.map_or_else(
        || Trouble::said(GapReason::Unsupported, "another error"),
        |(code, reason)| Trouble::said(*reason, code),
    )
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
        for odd in [&b"Chunter2hunter2\0"[..], b"C1a2B3\0", b"C\0"] {
            assert_eq!(trouble(odd), Trouble::said(GapReason::Unsupported, "another error"));
        }
        for odd in [&b""[..], b"Mno code\0\0"] {
            assert_eq!(trouble(odd), Trouble { reason: GapReason::Malformed, code: None });
        }
    }

    #[test]
    fn a_server_cannot_ask_for_hashing_without_end() {
        assert_eq!(rounds(b"r=abc,s=AAAA,i=4096"), Some(4096));
        assert!(rounds(b"r=abc,s=AAAA,i=99999999999").is_none() && rounds(b"r=abc").is_none());
    }
}
