//! A session at a MySQL or MariaDB server that can do nothing but read.
//!
//! `START TRANSACTION READ ONLY` does not protect: a `DROP TABLE` commits it first. `SET SESSION TRANSACTION READ ONLY` refuses
//! every change, and is seen to be on before anything is asked. No file of this machine is ever sent (`LOAD DATA LOCAL` is
//! neither offered nor answered). <https://dev.mysql.com/doc/dev/mysql-server/latest/PAGE_PROTOCOL.html>,
//! <https://mariadb.com/kb/en/clientserver-protocol/>.

use std::time::Instant;

use deadstop_core::fact::GapReason;
use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY};
use sha2::{Digest as _, Sha256};

use super::ReadOnly;
use super::socket::{Socket, Tls};
use super::statement::{Desk, Login, MESSAGE, Questions, Row, Rows, Trouble, goes_on};
use crate::secret::Secret;

// Capabilities of the protocol. Neither local files nor several statements at once are among them.
const LONG_PASSWORD: u32 = 1;
const PROTOCOL_41: u32 = 0x200;
const SSL: u32 = 0x800;
const TRANSACTIONS: u32 = 0x2000;
const SECURE_CONNECTION: u32 = 0x8000;
const PLUGIN_AUTH: u32 = 0x8_0000;
/// `utf8mb4_general_ci`.
const CHARSET: u8 = 45;

const NATIVE: &str = "mysql_native_password";
const CACHING: &str = "caching_sha2_password";
const CLEAR: &str = "mysql_clear_password";

/// Said once for a session: first that nothing is to be changed.
const GUARD: &str = "SET SESSION TRANSACTION READ ONLY";
const MARIADB: [&str; 2] =
    ["SET SESSION lock_wait_timeout = 1, max_statement_time = 5", "SELECT @@SESSION.tx_read_only"];
const MYSQL: [&str; 2] =
    ["SET SESSION lock_wait_timeout = 1, max_execution_time = 5000", "SELECT @@SESSION.transaction_read_only"];

/// A session.
pub struct Session<'a> {
    desk: Desk<'a>,
    wire: Wire,
    /// What the server calls its version.
    pub version: String,
}

impl ReadOnly {
    /// Logs in at a MySQL or MariaDB server that the user named.
    ///
    /// # Errors
    /// Why it is not let in, or why it is not certain that the session only reads.
    pub fn mysql<'a>(&'a self, questions: &'static Questions, login: Login<'a>) -> Result<Session<'a>, Trouble> {
        if !self.names(questions.provider, &login.place) {
            return Err(GapReason::NotAsked.into());
        }
        let started = Instant::now();
        let entered = self.let_in(questions, &login);
        self.note(questions.provider, "connect", (&login.place, login.credential), started, &entered);
        let (wire, version) = entered?;
        Ok(Session { desk: Desk::new(self, questions, login), wire, version })
    }

    fn let_in(&self, questions: &Questions, login: &Login<'_>) -> Result<(Wire, String), Trouble> {
        let socket = self.connect(questions.provider, &login.place)?;
        let mut wire = Wire { socket, read: Vec::new(), number: 0 };
        let hello = Hello::read(&wire.packet()?)?;
        let mut flags = LONG_PASSWORD | PROTOCOL_41 | TRANSACTIONS | SECURE_CONNECTION | PLUGIN_AUTH;
        let mut sealed = false;
        if login.tls != Tls::Never && hello.flags & SSL != 0 {
            flags |= SSL;
            wire.send(&opening(flags))?;
            if !wire.read.is_empty() {
                // What comes before the handshake was put there by somebody else.
                return Err(GapReason::Malformed.into());
            }
            wire.socket = wire.socket.seal(&login.place.host, login.tls == Tls::Verified)?;
            sealed = true;
        } else if login.tls > Tls::Offered {
            return Err(Trouble::no_tls());
        }
        let mut wanted =
            if [NATIVE, CACHING].contains(&hello.plugin.as_str()) { hello.plugin.clone() } else { NATIVE.to_owned() };
        let proof = proof(&wanted, login.password, &hello.salt, sealed && wire.socket.trusted())?;
        let mut answer = opening(flags);
        answer.extend(text(login.user)?);
        answer.push(u8::try_from(proof.len()).map_err(|_| GapReason::Unsupported)?);
        answer.extend(proof);
        answer.extend(text(&wanted)?);
        wire.send(&answer)?;
        loop {
            let packet = wire.packet()?;
            match packet.as_slice() {
                [0, ..] => break,
                [0xff, ..] => return Err(trouble(&packet)),
                [0xfe, rest @ ..] => {
                    let end = rest.iter().position(|byte| *byte == 0).ok_or(GapReason::Malformed)?;
                    wanted = String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned();
                    let salt = rest.get(end + 1..).unwrap_or_default();
                    let salt = salt.strip_suffix(&[0]).unwrap_or(salt);
                    let proof = self::proof(&wanted, login.password, salt, sealed && wire.socket.trusted())?;
                    wire.send(&proof)?;
                }
                // The server has the password's hash at hand, or asks for the password itself.
                [1, 3] if wanted == CACHING => {}
                [1, 4] if wanted == CACHING => {
                    let clear = proof_in_clear(login.password, sealed && wire.socket.trusted())?;
                    wire.send(&clear)?;
                }
                _ => return Err(GapReason::Malformed.into()),
            }
        }
        let [limits, seen] = if hello.version.contains("MariaDB") { MARIADB } else { MYSQL };
        wire.query(GUARD)?;
        wire.query(limits)?;
        let on = wire.query(seen)?;
        if on != [[Some("1".to_owned())]] {
            return Err(GapReason::Unsupported.into());
        }
        Ok((wire, hello.version))
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
            let answer = wire.query(text);
            let whole = goes_on(&answer);
            (answer, whole)
        })
    }
}

impl Drop for Session<'_> {
    fn drop(&mut self) {
        self.wire.number = 0;
        drop(self.wire.send(&[1]));
    }
}

/// What a server says first.
struct Hello {
    version: String,
    flags: u32,
    salt: Vec<u8>,
    plugin: String,
}

impl Hello {
    fn read(packet: &[u8]) -> Result<Self, Trouble> {
        if packet.first() == Some(&0xff) {
            return Err(trouble(packet));
        }
        Self::parse(packet).ok_or_else(|| GapReason::Malformed.into())
    }

    fn parse(packet: &[u8]) -> Option<Self> {
        let rest = packet.strip_prefix(&[10])?;
        let end = rest.iter().position(|byte| *byte == 0)?;
        let version = std::str::from_utf8(rest.get(..end)?).ok()?.to_owned();
        let rest = rest.get(end + 5..)?;
        let (first, rest) = rest.split_at_checked(8)?;
        let low = rest.get(1..3)?;
        let high = rest.get(6..8)?;
        let half = |bytes: &[u8]| Some(u32::from(u16::from_le_bytes(bytes.try_into().ok()?)));
        let flags = half(low)? | (half(high)? << 16);
        let length = usize::from(*rest.get(8)?).saturating_sub(8).max(13);
        let (second, plugin) = rest.get(19..)?.split_at_checked(length)?;
        let salt = [first, second.strip_suffix(&[0]).unwrap_or(second)].concat();
        let plugin = plugin.strip_suffix(&[0]).unwrap_or(plugin);
        let modern =
            flags & (PROTOCOL_41 | SECURE_CONNECTION | PLUGIN_AUTH) == PROTOCOL_41 | SECURE_CONNECTION | PLUGIN_AUTH;
        modern.then(|| Self { version, flags, salt, plugin: String::from_utf8_lossy(plugin).into_owned() })
    }
}

/// The head of what a client answers with.
fn opening(flags: u32) -> Vec<u8> {
    let mut out = flags.to_le_bytes().to_vec();
    out.extend(u32::to_le_bytes(1 << 24));
    out.push(CHARSET);
    out.extend([0; 23]);
    out
}

fn text(word: &str) -> Result<Vec<u8>, Trouble> {
    if word.contains('\0') {
        return Err(GapReason::Unsupported.into());
    }
    Ok(word.bytes().chain([0]).collect())
}

fn proof_in_clear(password: Option<&Secret>, sealed: bool) -> Result<Vec<u8>, Trouble> {
    let password = password.filter(|_| sealed).ok_or_else(Trouble::in_clear)?;
    Ok([password.expose(), &[0]].concat())
}

/// What proves the password by a plugin, without telling it.
fn proof(plugin: &str, password: Option<&Secret>, salt: &[u8], sealed: bool) -> Result<Vec<u8>, Trouble> {
    let Some(word) = password.map(Secret::expose).filter(|word| !word.is_empty()) else { return Ok(Vec::new()) };
    match plugin {
        NATIVE => {
            let once = sha1(&[word]);
            let mask = sha1(&[salt, &sha1(&[&once])]);
            Ok(xor(&once, &mask))
        }
        CACHING => {
            let once = Sha256::digest(word);
            let mut mask = Sha256::new();
            mask.update(Sha256::digest(once));
            mask.update(salt);
            Ok(xor(&once, &mask.finalize()))
        }
        CLEAR => proof_in_clear(password, sealed),
        _ => Err(Trouble::said(GapReason::Unsupported, "another way to log in")),
    }
}

fn sha1(parts: &[&[u8]]) -> Vec<u8> {
    let mut context = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
    parts.iter().for_each(|part| context.update(part));
    context.finish().as_ref().to_vec()
}

fn xor(a: &[u8], b: &[u8]) -> Vec<u8> {
    a.iter().zip(b).map(|(a, b)| a ^ b).collect()
}

struct Wire {
    socket: Socket,
    read: Vec<u8>,
    number: u8,
}

impl Wire {
    fn send(&mut self, body: &[u8]) -> Result<(), Trouble> {
        let size = u32::try_from(body.len()).ok().filter(|size| *size < 0xff_ffff).ok_or(GapReason::TooLarge)?;
        let [a, b, c, _] = size.to_le_bytes();
        let mut packet = vec![a, b, c, self.number];
        self.number = self.number.wrapping_add(1);
        packet.extend(body);
        Ok(self.socket.send(&packet)?)
    }

    /// The next packet. A longer one is not read, those of the largest size among them, which another would continue.
    fn packet(&mut self) -> Result<Vec<u8>, Trouble> {
        loop {
            if let [a, b, c, number, rest @ ..] = self.read.as_slice() {
                let size = usize::try_from(u32::from_le_bytes([*a, *b, *c, 0])).unwrap_or(usize::MAX);
                if size > MESSAGE {
                    return Err(GapReason::TooLarge.into());
                }
                if let Some(body) = rest.get(..size) {
                    let (body, next) = (body.to_vec(), number.wrapping_add(1));
                    self.read.drain(..size + 4);
                    self.number = next;
                    return Ok(body);
                }
            }
            self.socket.receive(&mut self.read)?;
        }
    }

    /// The rows that a query is answered with, as text.
    fn query(&mut self, text: &str) -> Result<Vec<Row>, Trouble> {
        self.number = 0;
        self.send(&[&[3], text.as_bytes()].concat())?;
        let head = self.packet()?;
        let columns = match head.as_slice() {
            [0, ..] => return Ok(Vec::new()),
            [0xff, ..] => return Err(trouble(&head)),
            // 0xfb asks for a file of this machine.
            [columns, ..] if *columns < 0xfb && head.len() == 1 => usize::from(*columns),
            _ => return Err(GapReason::Malformed.into()),
        };
        for _ in 0..columns {
            self.packet()?;
        }
        let ends = |packet: &[u8]| packet.first() == Some(&0xfe) && packet.len() < 9;
        if !ends(&self.packet()?) {
            return Err(GapReason::Malformed.into());
        }
        let mut rows = Rows::default();
        loop {
            let packet = self.packet()?;
            match packet.first() {
                Some(0xff) => return Err(trouble(&packet)),
                Some(0xfe) if ends(&packet) => return Ok(rows.all()),
                _ => rows.push(row(&packet, columns).ok_or(GapReason::Malformed)?)?,
            }
        }
    }
}

/// The values of a row, each with its length before it.
fn row(packet: &[u8], columns: usize) -> Option<Row> {
    let (mut row, mut rest) = (Vec::new(), packet);
    for _ in 0..columns {
        let (first, after) = rest.split_first()?;
        let (size, after) = match first {
            0xfb => {
                row.push(None);
                rest = after;
                continue;
            }
            0xfc => {
                let (size, after) = after.split_first_chunk::<2>()?;
                (usize::from(u16::from_le_bytes(*size)), after)
            }
            0xfd => {
                let ([a, b, c], after) = after.split_first_chunk::<3>()?;
                (usize::try_from(u32::from_le_bytes([*a, *b, *c, 0])).ok()?, after)
            }
            small if *small < 0xfb => (usize::from(*small), after),
            _ => return None,
        };
        let (value, after) = after.split_at_checked(size)?;
        row.push(Some(String::from_utf8(value.to_vec()).ok()?));
        rest = after;
    }
    rest.is_empty().then_some(row)
}

/// What an error says: its number alone, and only one that is known, for anything else may repeat what the server was told.
///
/// <https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html>,
/// <https://mariadb.com/kb/en/mariadb-error-codes/>
fn trouble(packet: &[u8]) -> Trouble {
    let Some([a, b]) = packet.get(1..3) else { return GapReason::Malformed.into() };
    let number = u16::from_le_bytes([*a, *b]);
    let reason = match number {
        1044 | 1045 | 1142 | 1143 | 1227 | 1370 | 1698 | 1820 | 1862 | 3118 | 4151 => GapReason::Denied,
        1205 | 1969 | 3024 => GapReason::TimedOut,
        1040 | 1203 | 1226 => GapReason::Throttled,
        1049 => GapReason::Vanished,
        1053 | 1077 | 1129 | 1130 => GapReason::Unreachable,
        1054 | 1064 | 1109 | 1146 | 1193 | 1251 | 1290 | 1792 | 3159 => GapReason::Unsupported,
        _ => return Trouble::said(GapReason::Unsupported, "another error"),
    };
    Trouble::said(reason, &number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_proved_as_documented() {
        // The answer to a challenge is the hash of the password under a mask that only its double hash makes.
        let salt = [7_u8; 20];
        let proof = proof(NATIVE, Some(&Secret::new(b"word")), &salt, false).unwrap();
        let once = xor(&proof, &sha1(&[&salt, &sha1(&[&sha1(&[b"word"])])]));
        assert_eq!(sha1(&[&once]), sha1(&[&sha1(&[b"word"])]));
        assert!(super::proof(CLEAR, Some(&Secret::new(b"word")), &salt, false).is_err());
        assert!(super::proof("client_ed25519", Some(&Secret::new(b"word")), &salt, true).is_err());
    }

    #[test]
    fn rows_are_read_whole_or_not_at_all() {
        let packet = b"\x02on\xfb\xfc\x01\x00x";
        assert_eq!(row(packet, 3).unwrap(), [Some("on".to_owned()), None, Some("x".to_owned())]);
        for cut in 0..packet.len() {
            assert!(row(&packet[..cut], 3).is_none(), "{cut}");
        }
        assert!(row(packet, 2).is_none() && row(b"\xfe\0\0\0\0\0\0\0\0", 1).is_none());
    }

    #[test]
    fn of_an_error_only_its_number_is_kept() {
        let denied = trouble(b"\xff\x15\x04#28000Access denied for hunter2");
        assert_eq!((denied.reason, denied.code.as_deref()), (GapReason::Denied, Some("1045")));
        assert_eq!(trouble(b"\xff\x39\x30#HY00012345").code.as_deref(), Some("another error"));
        assert_eq!(trouble(b"\xff").code, None);
    }

    #[test]
    fn a_greeting_is_read_whole_or_not_at_all() {
        let mut hello = b"\x0a8.4.0\0\x01\0\0\0ABCDEFGH\0\xff\xff\x2d\x02\0\xff\xdf\x15".to_vec();
        hello.extend([0; 10]);
        hello.extend(b"IJKLMNOPQRST\0caching_sha2_password\0");
        let read = Hello::parse(&hello).unwrap();
        assert_eq!(
            (read.version.as_str(), read.salt.as_slice(), read.plugin.as_str()),
            ("8.4.0", &b"ABCDEFGHIJKLMNOPQRST"[..], CACHING)
        );
        for cut in 0..hello.len() - 23 {
            assert!(Hello::parse(&hello[..cut]).is_none(), "{cut}");
        }
    }
}
