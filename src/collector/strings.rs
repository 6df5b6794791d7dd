//! Logins at databases that are written in parts (floor 5): libpq's `host=… password=…`, ADO.NET's and JDBC's
//! `Server=…;Password=…`, StackExchange.Redis' `host:6380,password=…`, and Go's `user:password@tcp(host)/name`.
//!
//! Keywords: <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING>,
//! <https://www.npgsql.org/doc/connection-string-parameters.html>,
//! <https://learn.microsoft.com/en-us/sql/connect/ado-net/connection-string-syntax>,
//! <https://github.com/StackExchange/StackExchange.Redis/blob/main/docs/Configuration.md>,
//! <https://github.com/go-sql-driver/mysql#dsn-data-source-name>.

use std::ops::Range;

use super::assignment::{looks_random, placeholder};
use super::find::Strength;
use super::locator::{Locator, tls};
use super::scan::{Raw, Style, is_dummy, key_before};
use crate::readonly::socket::Tls;

/// How far around a password the rest of its string is looked for.
const AROUND: usize = 800;

/// A keyword and its value, with where the value stands.
struct Part<'a> {
    key: String,
    value: &'a [u8],
    at: Range<usize>,
}

/// What the parts of one string say.
#[derive(Default)]
struct Parts<'a> {
    all: Vec<Part<'a>>,
    /// The first part of a string whose parts are parted by commas: its server.
    first: Option<String>,
}

impl Parts<'_> {
    fn get(&self, keys: &[&str]) -> Option<String> {
        let part = self.all.iter().find(|part| keys.contains(&part.key.as_str()))?;
        Some(String::from_utf8_lossy(part.value).trim().to_owned()).filter(|value| !value.is_empty())
    }

    /// Whether some part names several servers or ports, or two parts name different ones.
    fn several(&self) -> bool {
        [&["host"][..], &["hostaddr"], &["server", "data source", "datasource", "addr", "address"], &["port"]]
            .iter()
            .any(|keys| {
                let mut values =
                    self.all.iter().filter(|part| keys.contains(&part.key.as_str())).map(|part| part.value);
                let first = values.next();
                first.is_some_and(|first| first.contains(&b',') || values.any(|other| other != first))
            })
    }

    fn has(&self, keys: &[&str]) -> bool {
        self.all.iter().any(|part| keys.contains(&part.key.as_str()))
    }
}

const SERVERS: [&str; 8] =
    ["host", "hostaddr", "server", "data source", "datasource", "addr", "address", "network address"];
const USERS: [&str; 7] = ["user", "username", "user id", "userid", "uid", "user name", "login"];
const PASSWORDS: [&str; 3] = ["password", "pwd", "passwd"];
const NAMES: [&str; 4] = ["dbname", "database", "initial catalog", "databasename"];
/// Keywords of SQL Server's drivers, and of no other.
const SQL_SERVER: [&str; 6] = [
    "initial catalog",
    "trustservercertificate",
    "trust server certificate",
    "multipleactiveresultsets",
    "network address",
    "trusted_connection",
];

/// Looks at the string around the name of a password at `at`; returns where it ends if it was one.
pub(crate) fn scan(text: &[u8], at: usize, style: Style, out: &mut Vec<Raw>) -> Option<usize> {
    let near = text.get(at..text.len().min(at + 12))?;
    let name = near.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let word = near.get(..name)?;
    let sign = near.get(name..)?.iter().find(|byte| **byte != b' ')?;
    let before = at.checked_sub(1).and_then(|before| text.get(before));
    let password = || PASSWORDS.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(word));
    if *sign != b'=' || !password() || before.is_some_and(|byte| !parts_before(*byte)) {
        return None;
    }
    let whole = bounds(text, at);
    let string = text.get(whole.clone())?;
    let parts = take_apart(string, whole.start, at);
    let password = parts.all.iter().find(|part| PASSWORDS.contains(&part.key.as_str()) && part.at.start > at)?;
    if placeholder(password.value) || password.value.iter().any(|byte| matches!(byte, b'{' | b'$' | b'<' | b'%')) {
        return None;
    }
    if style == Style::Code && !looks_random(password.value) && password.value.len() < 8 {
        return None;
    }
    let found = describe(&parts)?;
    let mut raw = Raw::plain(found.provider, found.kind, Strength::Store, Some(password.value), password.at.clone());
    raw.dummy = is_dummy(password.value);
    raw.key = key_before(text, whole.start).or_else(|| parts.all.first().and(first_key(string)));
    match found.locator {
        Some(locator) => {
            raw.public_id = Some(locator.login());
            raw.database = Some(locator);
        }
        None => raw.scope = Some(format!("sent to {}", found.host)),
    }
    out.push(raw);
    Some(password.at.end.max(whole.end))
}

/// Looks at the `@tcp(` or `@unix(` at `at`: `user:password@tcp(host:3306)/name`.
pub(crate) fn go_dsn(text: &[u8], at: usize, style: Style, out: &mut Vec<Raw>) {
    let back = text.get(at.saturating_sub(200)..at).unwrap_or_default();
    let stops = |byte: &u8| *byte <= b' ' || matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'>');
    let login = back.rsplit(stops).next().unwrap_or_default();
    let (user, mut password) = match login.iter().position(|byte| *byte == b':') {
        Some(colon) => (login.get(..colon).unwrap_or_default(), login.get(colon + 1..).unwrap_or_default()),
        None => return,
    };
    // `DSN=user:…`, and `mysql://user:…`, which some write.
    let user = user.rsplit(|byte| *byte == b'=').next().unwrap_or_default();
    password = password.strip_prefix(b"//").map_or(password, |rest| {
        rest.iter().position(|byte| *byte == b':').and_then(|colon| rest.get(colon + 1..)).unwrap_or(rest)
    });
    let blank = placeholder(password) || password.iter().any(|byte| matches!(byte, b'{' | b'$' | b'%'));
    if password.is_empty() || blank || (style == Style::Code && !looks_random(password) && password.len() < 8) {
        return;
    }
    let after = text.get(at..text.len().min(at + 400)).unwrap_or_default();
    let open = after.iter().position(|byte| *byte == b'(').unwrap_or(0);
    let Some(close) = after.iter().position(|byte| *byte == b')') else { return };
    let host = String::from_utf8_lossy(after.get(open + 1..close).unwrap_or_default()).into_owned();
    let name = after.get(close + 1..).and_then(|rest| rest.strip_prefix(b"/")).unwrap_or_default();
    let name: Vec<u8> = name.iter().copied().take_while(|byte| super::scan::in_name(*byte)).collect();
    let from = at - password.len();
    let mut raw = Raw::plain("mysql", "connection_url", Strength::Store, Some(password), from..at);
    raw.key = key_before(text, at - login.len()).or_else(|| first_key(login));
    let user = String::from_utf8_lossy(user).into_owned();
    if let Some(locator) = locator("mysql", 3306, Some(user), &host, None, Some(name)) {
        raw.public_id = Some(locator.login());
        raw.database = Some(locator);
    }
    out.push(raw);
}

/// What may stand before a keyword.
const fn parts_before(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b';' | b',' | b'"' | b'\'' | b'`' | b'>' | b'=' | b'\n')
}

/// The string around `at`: the line, between double quotes, backticks or angle brackets.
fn bounds(text: &[u8], at: usize) -> Range<usize> {
    let ends = |byte: &u8| matches!(byte, b'\n' | b'\r' | b'"' | b'`' | b'<' | b'>');
    let back = text.get(at.saturating_sub(AROUND)..at).unwrap_or_default();
    let start = back.iter().rposition(ends).map_or(at - back.len(), |end| at - back.len() + end + 1);
    let ahead = text.get(at..text.len().min(at + AROUND)).unwrap_or_default();
    let end = at + ahead.iter().position(ends).unwrap_or(ahead.len());
    // `'…'` around the whole, as YAML and SQL have it; libpq quotes single values with it.
    let quote = |range: &Range<usize>| text.get(range.clone()).and_then(|s| s.iter().position(|byte| *byte == b'\''));
    match quote(&(start..at)) {
        Some(opens) if !ends_with_sign(text.get(start..start + opens).unwrap_or_default()) => {
            let from = start + opens + 1;
            let closes = text.get(at..end).unwrap_or_default().iter().rposition(|byte| *byte == b'\'');
            from..closes.map_or(end, |closes| at + closes)
        }
        _ => start..end,
    }
}

fn ends_with_sign(text: &[u8]) -> bool {
    text.iter().rev().find(|byte| **byte != b' ').is_some_and(|byte| *byte == b'=')
}

/// Takes a string apart by `;`, by `,` after a server, or by spaces.
fn take_apart(string: &[u8], offset: usize, at: usize) -> Parts<'_> {
    let before = string.get(..at - offset).unwrap_or_default();
    let rest = string.get(at - offset..).unwrap_or_default();
    let semicolons = before.contains(&b';') || rest.contains(&b';');
    let commas = !semicolons && before.contains(&b',') && !before.contains(&b' ');
    let sign: &dyn Fn(u8) -> bool = if semicolons {
        &|b| b == b';'
    } else if commas {
        &|b| b == b','
    } else {
        &|b| b == b' ' || b == b'\t'
    };
    let mut parts = Parts::default();
    let mut from = 0;
    while from < string.len() {
        let piece = piece_at(string, from, sign);
        if let Some(part) = part(string, piece.clone(), offset) {
            parts.all.push(part);
        } else if commas && parts.all.is_empty() && parts.first.is_none() {
            parts.first = Some(String::from_utf8_lossy(string.get(piece.clone()).unwrap_or_default()).into_owned());
        }
        from = piece.end + 1;
    }
    if commas && parts.first.is_none() {
        // `REDIS=host:6380,password=…`: the first part looks like a keyword.
        parts.first = parts.all.first().map(|part| String::from_utf8_lossy(part.value).into_owned());
    }
    parts
}

/// The piece from `from` to the next sign outside single quotes.
fn piece_at(string: &[u8], from: usize, sign: &dyn Fn(u8) -> bool) -> Range<usize> {
    let mut quoted = false;
    for (at, byte) in string.iter().enumerate().skip(from) {
        match byte {
            b'\'' => quoted = !quoted,
            byte if sign(*byte) && !quoted => return from..at,
            _ => {}
        }
    }
    // A quote that never closes is part of a value.
    let plain = string.iter().skip(from).position(|byte| sign(*byte));
    from..if quoted { plain.map_or(string.len(), |at| from + at) } else { string.len() }
}

/// `key = value`, the quotes of the value left out. Before the first key there may be the name of a setting.
fn part(string: &[u8], piece: Range<usize>, offset: usize) -> Option<Part<'_>> {
    let text = string.get(piece.clone())?;
    let mut sign = text.iter().position(|byte| *byte == b'=')?;
    let known = |key: &str| {
        [&SERVERS[..], &USERS[..], &PASSWORDS[..], &NAMES[..], &SQL_SERVER[..], &["port"]]
            .iter()
            .any(|all| all.contains(&key))
    };
    let key_of = |sign: usize| {
        let head = String::from_utf8_lossy(text.get(..sign).unwrap_or_default()).trim().to_ascii_lowercase();
        head.rsplit(['=', ':', '\'']).next().unwrap_or_default().trim().to_owned()
    };
    let mut key = key_of(sign);
    if !known(&key)
        && let Some(next) = text.get(sign + 1..).and_then(|rest| rest.iter().position(|byte| *byte == b'='))
        && known(&key_of(sign + 1 + next))
    {
        sign += 1 + next;
        key = key_of(sign);
    }
    let (mut from, mut to) = (sign + 1, text.len());
    let blank = |at: usize| text.get(at).is_some_and(|byte| matches!(byte, b' ' | b'\t' | b'\'' | b'\\'));
    while from < to && blank(from) {
        from += 1;
    }
    while to > from && blank(to - 1) {
        to -= 1;
    }
    let start = offset + piece.start;
    Some(Part { key, value: text.get(from..to)?, at: start + from..start + to })
}

struct Described {
    provider: &'static str,
    kind: &'static str,
    host: String,
    locator: Option<Locator>,
}

/// Which engine the parts speak of. Where they fit several, none is named, and nothing is said to lie behind it.
fn describe(parts: &Parts<'_>) -> Option<Described> {
    let port = parts.get(&["port"]);
    let jdbc = parts.all.iter().find_map(|part| server_of_jdbc(part.value));
    let server = parts.get(&["hostaddr"]).or_else(|| parts.get(&SERVERS)).or(jdbc).or_else(|| parts.first.clone());
    let semicolons = parts.has(&["server", "data source", "user id", "uid", "userid", "pwd"]);
    let sql_server = parts.has(&SQL_SERVER)
        || server
            .as_deref()
            .is_some_and(|server| server.starts_with("tcp:") || server.contains(".database.windows.net"))
        || port.as_deref() == Some("1433");
    let (provider, usual) = if sql_server {
        ("mssql", 1433)
    } else if parts.first.is_some() {
        ("redis", 6379)
    } else if port.as_deref() == Some("3306") {
        ("mysql", 3306)
    } else if port.as_deref() == Some("5432") || (parts.has(&["host", "hostaddr", "dbname"]) && !semicolons) {
        ("postgres", 5432)
    } else {
        ("unknown", 0)
    };
    // A lone `password=` is no string of this kind.
    let server = server.or_else(|| parts.has(&["dbname"]).then(|| "localhost".to_owned()))?;
    let host = server.trim_start_matches("tcp:").replace(',', ":");
    let plain =
        host.bytes().all(|byte| super::scan::in_name(byte) || matches!(byte, b':' | b'/' | b'[' | b']' | b'\\'));
    if !plain || host.is_empty() || (provider == "redis" && !host.contains(['.', ':'])) {
        return None;
    }
    let named = parts.get(&NAMES).map(String::into_bytes);
    // Which of several servers it reaches is not told, nor whose login it is there.
    let found = if provider == "unknown" || provider == "mssql" || parts.several() {
        None
    } else {
        locator(provider, usual, parts.get(&USERS), &host, port.as_deref(), named)
    };
    let found = found.map(|found| Locator {
        tls: parts.get(&["sslmode", "ssl mode", "ssl"]).map_or(found.tls, |mode| tls(&mode)),
        ..found
    });
    let kind = if found.is_some() { "connection_url" } else { "connection_string" };
    Some(Described { provider, kind, host, locator: found })
}

/// `jdbc:sqlserver://host:1433`.
fn server_of_jdbc(value: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(value);
    Some(text.split_once("://")?.1.split(['/', ';', '?']).next()?.to_owned()).filter(|host| !host.is_empty())
}

fn locator(
    provider: &'static str,
    usual: u16,
    user: Option<String>,
    host: &str,
    port: Option<&str>,
    name: Option<Vec<u8>>,
) -> Option<Locator> {
    let shown = |text: &str| {
        text.len() <= 100
            && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '/' | '[' | ']' | '@'))
    };
    let host = host.split(',').next().unwrap_or_default().to_ascii_lowercase();
    let port = port.filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
    let host = match (host.contains(':') || host.starts_with('/'), port) {
        (true, _) => host,
        (false, Some(port)) => format!("{host}:{port}"),
        (false, None) => format!("{host}:{usual}"),
    };
    let name =
        name.map(|name| String::from_utf8_lossy(&name).into_owned()).filter(|name| !name.is_empty() && shown(name));
    let user = user.filter(|user| !user.is_empty() && shown(user));
    let database = name.or_else(|| if provider == "redis" { Some("0".to_owned()) } else { None });
    shown(&host).then_some(Locator { provider, user, host, database, source: None, tls: Tls::Offered })
}

/// The setting's name in `NAME=Server=…`.
fn first_key(string: &[u8]) -> Option<String> {
    let name: Vec<u8> = string.iter().copied().take_while(|byte| super::scan::in_name(*byte)).collect();
    let lower = String::from_utf8_lossy(&name).to_ascii_lowercase();
    let keyword =
        [&SERVERS[..], &USERS[..], &PASSWORDS[..], &NAMES[..]].iter().any(|all| all.contains(&lower.as_str()));
    (string.get(name.len()) == Some(&b'=') && !name.is_empty() && !keyword)
        .then(|| String::from_utf8_lossy(&name).into_owned())
}
