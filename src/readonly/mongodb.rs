//! A connection to a MongoDB server over which nothing goes but a login and commands that read.
//!
//! MongoDB has no session that only reads: what reads is each command, and one that is not on the list, to the letter, is not
//! sent. Each ends by itself after five seconds (`maxTimeMS`).
//! <https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/>,
//! <https://github.com/mongodb/specifications/blob/master/source/auth/auth.md>.

use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use deadstop_core::fact::GapReason;
use md5::{Digest as _, Md5};
use ring::rand::SecureRandom as _;
use ring::{digest, hmac, pbkdf2};

use super::ReadOnly;
use super::bson::{Document, Value};
use super::socket::{Socket, Tls};
use super::statement::{Desk, Login, MESSAGE, Questions, Trouble, goes_on};

/// A connection.
pub struct Session<'a> {
    desk: Desk<'a>,
    wire: Wire,
    /// Whether the server answers whoever comes, without a login; nothing, where it neither does nor says that it will not.
    pub open: Option<bool>,
    /// What it says of itself before a login.
    pub hello: Hello,
}

/// What a server says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hello {
    /// The name of its replica set.
    pub set: Option<String>,
    /// The members of that set, `host:port`.
    pub members: Vec<String>,
    /// Whether it is a router, which stands before other servers.
    pub router: bool,
    /// What tells one running server from another.
    pub process: Option<String>,
}

/// What is said before a login: who is there, and what passes without one. A server with access control refuses the latter.
/// <https://www.mongodb.com/docs/manual/reference/command/listDatabases/>
const GREETING: &str = "hello: 1";
const ANYONE: &str = "listDatabases: 1, nameOnly: true";
/// The commands that read.
const READS: [&str; 6] = ["buildInfo", "collStats", "connectionStatus", "hello", "listCollections", "listDatabases"];
/// What may stand beside them.
const BESIDE: [&str; 4] = ["authorizedCollections", "nameOnly", "scale", "showPrivileges"];
/// How long a command may take by the server's own clock.
const LONGEST: i64 = 5_000;

/// Whether a command reads, whatever stands for `{}`: the name of a collection.
#[must_use]
pub fn reads(text: &str) -> bool {
    let mut fields = text.split(", ").map(|field| field.split_once(": ").unwrap_or_default());
    let first = fields.next().unwrap_or_default();
    let counted = |value: &str| ["1", "true"].contains(&value);
    let first_reads = if first.0 == "collStats" { first.1 == "{}" } else { first.1 == "1" };
    READS.contains(&first.0) && first_reads && fields.all(|(name, value)| BESIDE.contains(&name) && counted(value))
}

/// A command as it is sent to a database.
fn command(text: &str, database: &str, name: &str, limited: bool) -> Document {
    let mut fields: Vec<(String, Value)> = text
        .split(", ")
        .filter_map(|field| field.split_once(": "))
        .map(|(field, value)| {
            let value = match value {
                "{}" => Value::Text(name.to_owned()),
                "true" => Value::Flag(true),
                _ => Value::Number(1),
            };
            (field.to_owned(), value)
        })
        .collect();
    if limited {
        let anywhere = Document(vec![("mode".to_owned(), Value::Text("secondaryPreferred".to_owned()))]);
        fields.push(("maxTimeMS".to_owned(), Value::Number(LONGEST)));
        fields.push(("$readPreference".to_owned(), Value::Document(anywhere)));
    }
    fields.push(("$db".to_owned(), Value::Text(database.to_owned())));
    Document(fields)
}

/// Who asks, for the log of the server.
/// <https://github.com/mongodb/specifications/blob/master/source/mongodb-handshake/handshake.md>
fn asking() -> Document {
    let text = |name: &str, value: &str| (name.to_owned(), Value::Text(value.to_owned()));
    let part = |name: &str, fields: Vec<(String, Value)>| (name.to_owned(), Value::Document(Document(fields)));
    Document(vec![
        part("application", vec![text("name", "deadstop")]),
        part("driver", vec![text("name", "deadstop"), text("version", env!("CARGO_PKG_VERSION"))]),
        part("os", vec![text("type", std::env::consts::OS)]),
    ])
}

impl ReadOnly {
    /// Logs in at a MongoDB server that the user named; `login.database` is where its user is kept.
    ///
    /// # Errors
    /// Why it is not let in.
    pub fn mongodb<'a>(&'a self, questions: &'static Questions, login: Login<'a>) -> Result<Session<'a>, Trouble> {
        if !self.names(questions.provider, &login.place) {
            return Err(GapReason::NotAsked.into());
        }
        let started = Instant::now();
        let at = (login.place.clone(), login.credential);
        let session = self.come_in(questions, login);
        self.note(questions.provider, "connect", (&at.0, at.1), started, &session);
        session
    }

    fn come_in<'a>(&'a self, questions: &'static Questions, login: Login<'a>) -> Result<Session<'a>, Trouble> {
        let mut socket = self.connect(questions.provider, &login.place)?;
        if login.tls != Tls::Never {
            socket = socket.seal(&login.place.host, login.tls == Tls::Verified)?;
        }
        let mut wire = Wire { socket, read: Vec::new(), number: 0 };
        let mut greeting = command(GREETING, "admin", "", false);
        greeting.0.insert(1, ("client".to_owned(), Value::Document(asking())));
        if login.password.is_some() {
            // How the user may prove who it is.
            let who = format!("{}.{}", login.database, login.user);
            greeting.0.insert(1, ("saslSupportedMechs".to_owned(), Value::Text(who)));
        }
        let answer = wire.ask(&greeting)?;
        let hello = Hello::read(&answer);
        let anyone = match wire.ask(&command(ANYONE, "admin", "", true)) {
            Err(trouble) if trouble.code.is_none() => return Err(trouble),
            anyone => anyone,
        };
        if let Some(password) = login.password {
            let told = answer.texts("saslSupportedMechs").unwrap_or_default();
            // The older one is what a server that tells none takes.
            let way = if told.contains(&"SCRAM-SHA-256") { Way::Sha256 } else { Way::Sha1 };
            wire.prove(way, (login.database, login.user), password.expose())?;
        }
        let open = match anyone {
            Ok(answer) => answer.list("databases").map(|_| true),
            Err(trouble) => (trouble.reason == GapReason::Denied).then_some(false),
        };
        Ok(Session { desk: Desk::new(self, questions, login), wire, open, hello })
    }
}

impl Hello {
    fn read(answer: &Document) -> Self {
        let mut members: Vec<String> = ["hosts", "passives", "arbiters"]
            .into_iter()
            .filter_map(|name| answer.texts(name))
            .flatten()
            .map(str::to_lowercase)
            .collect();
        members.sort();
        let process = answer.document("topologyVersion").and_then(|version| {
            let Value::Bytes(id) = version.get("processId")? else { return None };
            Some(id.iter().map(|byte| format!("{byte:02x}")).collect())
        });
        Self {
            set: answer.text("setName").map(str::to_owned),
            members,
            router: answer.text("msg") == Some("isdbgrid"),
            process,
        }
    }
}

impl Session<'_> {
    /// The answer to a question of the list, put to a database; `name` is that of a collection.
    ///
    /// # Errors
    /// Why there is none.
    pub fn ask(&mut self, operation: &str, database: &str, name: &str) -> Result<Document, Trouble> {
        let wire = &mut self.wire;
        self.desk.ask(operation, |text, until| {
            wire.socket.set_until(until);
            let answer = wire.ask(&command(text, database, name, true));
            let whole = goes_on(&answer);
            (answer, whole)
        })
    }
}

/// The operation of a message, and the bits of it that are known.
const MESSAGES: u32 = 2013;
const CHECKED: u32 = 1;

struct Wire {
    socket: Socket,
    read: Vec<u8>,
    number: u32,
}

impl Wire {
    /// Sends a command, and reads what is answered to it.
    fn ask(&mut self, command: &Document) -> Result<Document, Trouble> {
        let body = command.encode()?;
        self.number += 1;
        let size = u32::try_from(body.len() + 21).map_err(|_| GapReason::TooLarge)?;
        let mut message = Vec::new();
        for head in [size, self.number, 0, MESSAGES, 0] {
            message.extend(head.to_le_bytes());
        }
        message.push(0);
        message.extend(body);
        self.socket.send(&message)?;
        let answer = self.answer()?;
        let done = match answer.get("ok") {
            Some(Value::Fraction(one)) => (*one - 1.0).abs() < f64::EPSILON,
            Some(Value::Number(1) | Value::Flag(true)) => true,
            Some(Value::Number(0) | Value::Flag(false)) => false,
            _ => return Err(GapReason::Malformed.into()),
        };
        if done { Ok(answer) } else { Err(trouble(&answer)) }
    }

    fn answer(&mut self) -> Result<Document, Trouble> {
        loop {
            if let Some((head, rest)) = self.read.split_first_chunk::<4>() {
                let size = usize::try_from(u32::from_le_bytes(*head)).unwrap_or(usize::MAX);
                if size > MESSAGE {
                    return Err(GapReason::TooLarge.into());
                }
                let length = size.checked_sub(4).ok_or(GapReason::Malformed)?;
                if rest.len() >= length {
                    let whole: Vec<u8> = self.read.drain(..size).collect();
                    return Ok(self.message(&whole)?);
                }
            }
            self.socket.receive(&mut self.read)?;
        }
    }

    /// The document of a whole message.
    fn message(&self, whole: &[u8]) -> Result<Document, GapReason> {
        let word = |at: usize| {
            let bytes = whole.get(at..).and_then(<[u8]>::first_chunk::<4>);
            bytes.map(|bytes| u32::from_le_bytes(*bytes)).ok_or(GapReason::Malformed)
        };
        let (to, operation, flags) = (word(8)?, word(12)?, word(16)?);
        let [0, body @ ..] = whole.get(20..).ok_or(GapReason::Malformed)? else { return Err(GapReason::Malformed) };
        if to != self.number || operation != MESSAGES || flags & !CHECKED != 0 {
            return Err(GapReason::Malformed);
        }
        let body =
            if flags & CHECKED != 0 { body.len().checked_sub(4).and_then(|end| body.get(..end)) } else { Some(body) };
        Document::decode(body.ok_or(GapReason::Malformed)?)
    }

    /// Proves to know the password, and has the server prove that it does (RFC 5802, RFC 7677).
    fn prove(&mut self, way: Way, (database, user): (&str, &str), password: &[u8]) -> Result<(), Trouble> {
        let mut random = [0; 24];
        ring::rand::SystemRandom::new().fill(&mut random).map_err(|_| GapReason::Unsupported)?;
        let nonce = BASE64.encode(random);
        let bare = format!("n={},r={nonce}", user.replace('=', "=3D").replace(',', "=2C"));
        let text = |name: &str, value: &str| (name.to_owned(), Value::Text(value.to_owned()));
        let payload = |said: &str| ("payload".to_owned(), Value::Bytes(said.as_bytes().to_vec()));
        let start = Document(vec![
            ("saslStart".to_owned(), Value::Number(1)),
            text("mechanism", way.name()),
            payload(&format!("n,,{bare}")),
            ("autoAuthorize".to_owned(), Value::Number(1)),
            text("$db", database),
        ]);
        let answer = self.ask(&start)?;
        let first = said(&answer)?;
        let conversation = answer.number("conversationId").ok_or(GapReason::Malformed)?;
        let key = way.salted(user, password, &Challenge::read(&first, &nonce)?)?;
        let theirs = Challenge::read(&first, &nonce)?.nonce;
        let last = format!("c=biws,r={theirs}");
        let signed = format!("{bare},{first},{last}");
        let client = way.sign(&key, b"Client Key");
        let stored = digest::digest(way.digest(), &client);
        let signature = way.sign(stored.as_ref(), signed.as_bytes());
        let proof: Vec<u8> = client.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
        let goes_on = |said: &str| {
            Document(vec![
                ("saslContinue".to_owned(), Value::Number(1)),
                ("conversationId".to_owned(), Value::Number(conversation)),
                payload(said),
                text("$db", database),
            ])
        };
        let mut answer = self.ask(&goes_on(&format!("{last},p={}", BASE64.encode(proof))))?;
        let server = way.sign(&way.sign(&key, b"Server Key"), signed.as_bytes());
        if said(&answer)?.split(',').next() != Some(&format!("v={}", BASE64.encode(server))) {
            return Err(GapReason::Denied.into());
        }
        if !answer.flag("done") {
            answer = self.ask(&goes_on(""))?;
        }
        if answer.flag("done") { Ok(()) } else { Err(GapReason::Malformed.into()) }
    }
}

fn said(answer: &Document) -> Result<String, Trouble> {
    match answer.get("payload") {
        Some(Value::Bytes(bytes)) => Ok(String::from_utf8(bytes.clone()).map_err(|_| GapReason::Malformed)?),
        _ => Err(GapReason::Malformed.into()),
    }
}

/// What a server asks for a proof with.
struct Challenge {
    nonce: String,
    salt: Vec<u8>,
    rounds: std::num::NonZeroU32,
}

/// How often a password is to be hashed at least, lest a proof of it give it away, and at most, lest it take for ever.
const ROUNDS: std::ops::RangeInclusive<u32> = 4_096..=1_000_000;

impl Challenge {
    fn read(text: &str, nonce: &str) -> Result<Self, Trouble> {
        let part = |name: &str| text.split(',').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
        let read = || {
            let theirs = part("r").filter(|theirs| theirs.starts_with(nonce) && theirs.len() > nonce.len())?;
            let rounds = part("i")?.parse().ok().filter(|rounds| ROUNDS.contains(rounds))?;
            Some(Self {
                nonce: theirs.to_owned(),
                salt: BASE64.decode(part("s")?).ok()?,
                rounds: std::num::NonZeroU32::new(rounds)?,
            })
        };
        read().ok_or_else(|| GapReason::Malformed.into())
    }
}

/// A way to prove a password.
#[derive(Clone, Copy)]
enum Way {
    Sha1,
    Sha256,
}

impl Way {
    const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SCRAM-SHA-1",
            Self::Sha256 => "SCRAM-SHA-256",
        }
    }

    fn digest(self) -> &'static digest::Algorithm {
        match self {
            Self::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => &digest::SHA256,
        }
    }

    fn sign(self, key: &[u8], text: &[u8]) -> Vec<u8> {
        let algorithm = match self {
            Self::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Self::Sha256 => hmac::HMAC_SHA256,
        };
        hmac::sign(&hmac::Key::new(algorithm, key), text).as_ref().to_vec()
    }

    /// The password, hashed as often as is asked.
    fn salted(self, user: &str, password: &[u8], asked: &Challenge) -> Result<Vec<u8>, Trouble> {
        let text = std::str::from_utf8(password).map_err(|_| GapReason::Unsupported)?;
        let (algorithm, word, length) = match self {
            Self::Sha1 => {
                let digest = Md5::digest(format!("{user}:mongo:{text}"));
                let hex: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
                (pbkdf2::PBKDF2_HMAC_SHA1, hex, digest::SHA1_OUTPUT_LEN)
            }
            Self::Sha256 => {
                let text = stringprep::saslprep(text).map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned);
                (pbkdf2::PBKDF2_HMAC_SHA256, text, digest::SHA256_OUTPUT_LEN)
            }
        };
        let mut key = vec![0; length];
        pbkdf2::derive(algorithm, asked.rounds, &asked.salt, word.as_bytes(), &mut key);
        Ok(key)
    }
}

/// The code of a server that refuses.
const NOT_ALLOWED: &str = "Unauthorized";

/// Codes of errors that are told, by their numbers, and what they come to.
/// <https://www.mongodb.com/docs/manual/reference/error-codes/>
const CODES: [(i64, &str, GapReason); 12] = [
    (13, NOT_ALLOWED, GapReason::Denied),
    (18, "AuthenticationFailed", GapReason::Denied),
    (26, "NamespaceNotFound", GapReason::Vanished),
    (50, "MaxTimeMSExpired", GapReason::TimedOut),
    (59, "CommandNotFound", GapReason::Unsupported),
    (91, "ShutdownInProgress", GapReason::Unreachable),
    (166, "CommandNotSupportedOnView", GapReason::Unsupported),
    (8_000, "AtlasError", GapReason::Denied),
    (10_107, "NotWritablePrimary", GapReason::Unreachable),
    (11_600, "InterruptedAtShutdown", GapReason::Unreachable),
    (13_435, "NotPrimaryNoSecondaryOk", GapReason::Unreachable),
    (13_436, "NotPrimaryOrSecondary", GapReason::Unreachable),
];

/// What an error says: its number alone, and only one that is known, for the rest may repeat what the server was told.
fn trouble(answer: &Document) -> Trouble {
    let code = answer.number("code");
    let known = CODES.iter().find(|(number, _, _)| Some(*number) == code);
    known.map_or_else(
        || Trouble::said(GapReason::Unsupported, "another error"),
        |(_, name, reason)| Trouble::said(*reason, name),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_command_but_these_reads() {
        for text in [
            "connectionStatus: 1, showPrivileges: true",
            "listCollections: 1, nameOnly: true, authorizedCollections: true",
            "collStats: {}, scale: 1",
            GREETING,
            ANYONE,
        ] {
            assert!(reads(text), "{text}");
        }
        for text in [
            "",
            "dropDatabase: 1",
            "drop: {}",
            "listDatabases",
            "listDatabases: {}",
            "listDatabases: 1, dropDatabase: 1",
            "hello: 1,dropDatabase: 1",
            "collStats: 1",
            "collStats: {}, drop: {}",
            "fsync: 1",
            "usersInfo: 1, showCredentials: true",
        ] {
            assert!(!reads(text), "{text}");
        }
    }

    #[test]
    fn a_command_is_the_first_field_and_ends_in_time() {
        let sent = command("collStats: {}, scale: 1", "shop", "drop: 1, x", true);
        let names: Vec<&str> = sent.0.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["collStats", "scale", "maxTimeMS", "$readPreference", "$db"]);
        assert_eq!((sent.text("collStats"), sent.text("$db")), (Some("drop: 1, x"), Some("shop")));
    }

    #[test]
    fn a_password_is_proven_as_the_standards_have_it() {
        // The example of RFC 7677.
        let first = "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
        let asked = Challenge::read(first, "rOprNGfwEbeRWgbNEkqO").ok().unwrap();
        let key = Way::Sha256.salted("user", b"pencil", &asked).unwrap();
        let signed = format!("n=user,r=rOprNGfwEbeRWgbNEkqO,{first},c=biws,r={}", asked.nonce);
        let server = Way::Sha256.sign(&Way::Sha256.sign(&key, b"Server Key"), signed.as_bytes());
        assert_eq!(BASE64.encode(server), "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
        for odd in [
            "r=rOprNGfwEbeRWgbNEkqO,s=W22Z,i=4096",
            "r=else,s=W22Z,i=4096",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=1",
            "r=rOprNGfwEbeRWgbNEkqOx,s=W22Z,i=4000000000",
            "r=rOprNGfwEbeRWgbNEkqOx,i=4096",
            "",
        ] {
            assert!(Challenge::read(odd, "rOprNGfwEbeRWgbNEkqO").is_err(), "{odd}");
        }
    }

    #[test]
    fn of_an_error_only_a_number_that_is_known_is_kept() {
        let error = |code: i64| {
            let text = Value::Text("no hunter2".to_owned());
            trouble(&Document(vec![("errmsg".to_owned(), text), ("code".to_owned(), Value::Number(code))]))
        };
        assert_eq!(error(13), Trouble::said(GapReason::Denied, NOT_ALLOWED));
        assert_eq!(error(4_711), Trouble::said(GapReason::Unsupported, "another error"));
        assert_eq!(trouble(&Document::default()).code.as_deref(), Some("another error"));
    }
}
