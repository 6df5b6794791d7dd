//! Passwords on the command lines of database clients (floor 5), joined to the server that the line names. None is run.
//!
//! <https://dev.mysql.com/doc/refman/8.4/en/command-line-options.html>, <https://redis.io/docs/latest/develop/tools/cli/>,
//! <https://www.postgresql.org/docs/current/app-psql.html>.

use std::ops::Range;

use super::assignment::{looks_random, placeholder};
use super::find::Strength;
use super::locator::Locator;
use super::scan::{Raw, Style};
use crate::readonly::socket::Tls;

/// The longest command line that is looked at.
const LONGEST: usize = 1_000;
/// The names that lead here, each with the space after it.
pub(crate) const PROGRAMS: [&str; 8] =
    ["mysql ", "mysqldump ", "mysqladmin ", "mariadb ", "redis-cli ", "psql ", "pg_dump ", "pg_restore "];

/// One word of the line, its quotes left out.
struct Word {
    text: String,
    at: Range<usize>,
}

/// How a client is told its server.
struct Form {
    provider: &'static str,
    port: u16,
    user: &'static str,
    port_flag: &'static str,
}

/// Looks at the program's name at `at`.
pub(crate) fn scan(text: &[u8], at: usize, program: &str, style: Style, out: &mut Vec<Raw>) {
    if at.checked_sub(1).and_then(|before| text.get(before)).is_some_and(|byte| super::scan::in_name(*byte)) {
        return;
    }
    let form = match program.trim_end() {
        "redis-cli" => Form { provider: "redis", port: 6379, user: "user", port_flag: "-p" },
        "psql" | "pg_dump" | "pg_restore" => Form { provider: "postgres", port: 5432, user: "-U", port_flag: "-p" },
        _ => Form { provider: "mysql", port: 3306, user: "-u", port_flag: "-P" },
    };
    let words = words(text, at + program.len());
    let password = match form.provider {
        "mysql" => glued(&words, "-p").or_else(|| long(&words, "--password")),
        "redis" => after(&words, &["-a", "--pass"]).or_else(|| long(&words, "--pass")),
        _ => variable_before(text, at, b"PGPASSWORD="),
    };
    let Some(password) = password else { return };
    let value = password.text.as_bytes();
    let blank = value.len() < 4 || placeholder(value) || value.iter().any(|b| matches!(b, b'$' | b'{' | b'<' | b'['));
    if blank || (style == Style::Code && !looks_random(value)) {
        return;
    }
    let named = |flag: &'static str, word: &'static str| {
        after(&words, &[flag, word])
            .or_else(|| long(&words, word))
            .or_else(|| glued(&words, flag))
            .map(|word| word.text)
    };
    let plain =
        |text: &String| text.len() <= 100 && text.bytes().all(|b| super::scan::in_name(b) || b == b'/' || b == b':');
    let host = named("-h", "--host").unwrap_or_else(|| "localhost".to_owned());
    let user = if form.provider == "redis" {
        after(&words, &["--user"]).map(|word| word.text)
    } else {
        named(form.user, "--user")
    };
    let user =
        user.or_else(|| if form.provider == "postgres" { long(&words, "--username").map(|w| w.text) } else { None });
    let port = named(form.port_flag, "--port");
    // A connection string in the place of a database says everything anew, and several ports are those of several servers.
    let name = if form.provider == "postgres" { named("-d", "--dbname") } else { None };
    let several = port.as_ref().is_some_and(|port| port.parse::<u16>().is_err())
        || name.as_ref().is_some_and(|name| name.contains('=') || name.contains("://"));
    let mut raw = Raw::plain(form.provider, "password", Strength::Store, Some(value), password.at);
    raw.key = Some(program.trim_end().to_owned());
    if plain(&host) && !several {
        let port = port.unwrap_or_else(|| form.port.to_string());
        let host = format!("{}:{port}", host.to_ascii_lowercase());
        let database = name.filter(plain);
        let tls = match form.provider {
            "redis" if words.iter().any(|word| word.text == "--tls") => Tls::Verified,
            "redis" => Tls::Never,
            _ => Tls::Offered,
        };
        let locator = Locator { provider: form.provider, user: user.filter(plain), host, database, source: None, tls };
        raw.public_id = Some(locator.login());
        raw.database = Some(locator);
    }
    out.push(raw);
}

/// The words from `from` to the end of the command. A backslash before the end of a line continues it.
fn words(text: &[u8], from: usize) -> Vec<Word> {
    let line = text.get(from..text.len().min(from + LONGEST)).unwrap_or_default();
    let mut all = Vec::new();
    let mut word: Option<(Vec<u8>, usize)> = None;
    let (mut quote, mut escaped) = (None, false);
    for (at, byte) in line.iter().enumerate() {
        let stops = matches!(byte, b'\n' | b'|' | b';' | b'&' | b'`' | b'<' | b'>' | b')');
        match (quote, byte) {
            (_, b'\n') if escaped => escaped = false,
            (_, b'\\') if !escaped => escaped = true,
            (Some(mark), byte) if *byte == mark => quote = None,
            (None, b'\'' | b'"') => {
                quote = Some(*byte);
                word.get_or_insert((Vec::new(), at + 1));
            }
            (None, b' ' | b'\t') => all.extend(word.take().map(|word| finished(word, from))),
            (None, _) if stops => break,
            (_, b'\n') => break,
            (_, byte) => {
                escaped = false;
                word.get_or_insert((Vec::new(), at)).0.push(*byte);
            }
        }
    }
    all.extend(word.map(|word| finished(word, from)));
    all
}

fn finished((bytes, start): (Vec<u8>, usize), from: usize) -> Word {
    let at = from + start..from + start + bytes.len();
    Word { text: String::from_utf8_lossy(&bytes).into_owned(), at }
}

/// `-pWORD`.
fn glued(words: &[Word], flag: &str) -> Option<Word> {
    let word = words.iter().find(|word| word.text.len() > flag.len() && word.text.starts_with(flag))?;
    Some(cut(word, flag.len()))
}

/// `--password=WORD`.
fn long(words: &[Word], flag: &str) -> Option<Word> {
    let word = words
        .iter()
        .find(|word| word.text.strip_prefix(flag).is_some_and(|rest| rest.len() > 1 && rest.starts_with('=')))?;
    Some(cut(word, flag.len() + 1))
}

/// `-a WORD`.
fn after(words: &[Word], flags: &[&str]) -> Option<Word> {
    let at = words.iter().position(|word| flags.contains(&word.text.as_str()))?;
    words.get(at + 1).filter(|word| !word.text.starts_with('-')).map(|word| cut(word, 0))
}

fn cut(word: &Word, length: usize) -> Word {
    let text = word.text.get(length..).unwrap_or_default().trim_matches(['\'', '"']).to_owned();
    let start = (word.at.start + length).min(word.at.end);
    Word { at: start..start + text.len(), text }
}

/// The value of a variable that is set before the program on the same line.
fn variable_before(text: &[u8], at: usize, name: &[u8]) -> Option<Word> {
    let line = text.get(at.saturating_sub(LONGEST)..at)?;
    let line = line.iter().rposition(|byte| *byte == b'\n').map_or(line, |end| line.get(end + 1..).unwrap_or_default());
    let found = line.windows(name.len()).rposition(|window| window == name)?;
    let offset = at - line.len() + found + name.len();
    words(text, offset).into_iter().next()
}
