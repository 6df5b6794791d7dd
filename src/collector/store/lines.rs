//! Password files of one login a line: netrc, pgpass, the MySQL client's (floor 5).

use crate::collector::find::{Find, Finds};
use crate::collector::locator::{Locator, tls};
use crate::collector::store::{Context, ini};
use crate::readonly::socket::Tls;

/// `machine HOST login USER password WORD`, over any number of lines.
pub(super) fn netrc(context: &Context<'_>, text: &str, out: &mut Finds) -> bool {
    let words =
        (1_u64..).zip(text.lines()).flat_map(|(number, line)| line.split_whitespace().map(move |w| (number, w)));
    let (mut host, mut expected) = (String::new(), "");
    for (number, word) in words {
        match (expected, word) {
            ("machine", host_name) => {
                host = host_name.to_ascii_lowercase();
                expected = "";
            }
            ("password", secret) => {
                let provider = match host.as_str() {
                    "api.heroku.com" | "git.heroku.com" => "heroku",
                    "github.com" | "api.github.com" => "github",
                    "gitlab.com" => "gitlab",
                    "app.terraform.io" => "terraform",
                    _ => "unknown",
                };
                let kind = if provider == "heroku" { "api_key" } else { "password" };
                let mut find = context.find(provider, kind, secret, Some(number), &host);
                find.scope = Some(format!("sent to {host}"));
                out.finds.push(find);
                expected = "";
            }
            (_, "machine") => expected = "machine",
            (_, "default") => "default".clone_into(&mut host),
            (_, "password") => expected = "password",
            (_, "login" | "account") => expected = "skip",
            _ => expected = "",
        }
    }
    true
}

/// Whether a text is no more than a name of a host, a user or a database.
fn is_name(text: &str) -> bool {
    text.len() <= 100
        && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '*' | '/' | '@' | '%'))
}

/// What stands before a comment.
fn first_word(value: &str) -> &str {
    value.split_whitespace().next().unwrap_or_default()
}

/// A login at a database server.
fn login(context: &Context<'_>, locator: &Locator, secret: &str, line: u64, key: &str, out: &mut Finds) {
    let mut find: Find = context.find(locator.provider, "password", secret, Some(line), key);
    find.public_id = Some(locator.login());
    super::super::collect::place_database(&mut find, locator, out);
    out.finds.push(find);
}

/// `host:port:database:user:password`, with `\:` for a colon.
pub(super) fn pgpass(context: &Context<'_>, text: &str, out: &mut Finds) -> bool {
    for (number, line) in (1_u64..).zip(text.lines()) {
        if line.starts_with('#') || line.trim().is_empty() {
            continue;
        }
        let mut parts = vec![String::new()];
        let mut escaped = false;
        for c in line.chars() {
            match (escaped, c) {
                (false, '\\') => escaped = true,
                (false, ':') if parts.len() < 5 => parts.push(String::new()),
                _ => {
                    escaped = false;
                    if let Some(last) = parts.last_mut() {
                        last.push(c);
                    }
                }
            }
        }
        let whole = match parts.as_slice() {
            [host, port, database, user, secret] if !secret.is_empty() => {
                let number = port == "*" || port.bytes().all(|b| b.is_ascii_digit());
                number && [host, database, user].into_iter().all(|name| is_name(name))
            }
            _ => false,
        };
        if !whole {
            // A field is missing or out of place: which of them is the password cannot be told, so none is shown.
            let longest = parts.iter().max_by_key(|part| part.len()).map_or("", String::as_str);
            out.finds.push(context.find("postgres", "password", longest, Some(number), "pgpass"));
            continue;
        }
        let [host, port, database, user, secret] = parts.as_slice() else { continue };
        if host == "*" || port == "*" {
            // It holds for more than one server: which these are is not told, so that it may be somebody at each.
            let mut find = context.find("postgres", "password", secret, Some(number), &format!("{user}@{host}"));
            find.public_id = Some(format!("postgres://{user}@{host}:{port}"));
            find.scope = Some("every server that is connected to with that name".to_owned());
            out.finds.push(find);
            continue;
        }
        let named = |text: &String| (text != "*").then(|| text.clone());
        let locator = Locator {
            provider: "postgres",
            user: named(user),
            host: format!("{}:{port}", host.to_ascii_lowercase()),
            database: named(database),
            source: None,
            tls: Tls::Offered,
        };
        login(context, &locator, secret, number, &format!("{user}@{host}"), out);
    }
    true
}

/// `pg_service.conf`: a section a service, each a login of libpq.
///
/// <https://www.postgresql.org/docs/current/libpq-pgservice.html>
pub(super) fn pg_service(context: &Context<'_>, text: &str, out: &mut Finds) -> bool {
    for section in ini::properties(text) {
        let Some((secret, line)) = section.get("password").filter(|(secret, _)| !secret.is_empty()) else { continue };
        let named = |key: &str| section.get(key).map(|(value, _)| value.to_owned()).filter(|value| is_name(value));
        // An address is what is connected to. What is no one server's name or port is several of them.
        let said = |key: &str| section.get(key).is_some_and(|(value, _)| !value.is_empty());
        let key = if said("hostaddr") { "hostaddr" } else { "host" };
        let host = if said(key) { named(key) } else { Some("localhost".to_owned()) };
        let port = if said("port") { named("port") } else { Some("5432".to_owned()) };
        let (Some(host), Some(port)) = (host, port.filter(|port| port.parse::<u16>().is_ok())) else {
            let mut find =
                context.find("postgres", "password", secret, Some(line), &format!("{}.password", section.name));
            find.scope = Some("one of several servers, of which the client picks one".to_owned());
            out.finds.push(find);
            continue;
        };
        let locator = Locator {
            provider: "postgres",
            user: named("user"),
            host: format!("{}:{port}", host.to_ascii_lowercase()),
            database: named("dbname"),
            source: None,
            tls: named("sslmode").map_or(Tls::Offered, |mode| tls(&mode)),
        };
        login(context, &locator, secret, line, &format!("{}.password", section.name), out);
    }
    true
}

/// `.mylogin.cnf`: logins under a key that stands in the file itself, so that any program of the user reads them.
///
/// <https://dev.mysql.com/doc/refman/8.4/en/mysql-config-editor.html>
pub(super) fn mylogin(context: &Context<'_>, bytes: &[u8], out: &mut Finds) -> bool {
    // Four bytes without use, the key of twenty, and then each line with its length before it.
    if bytes.len() < 24 {
        return bytes.is_empty();
    }
    if bytes.len() > 24 {
        let mut find = context.find("mysql", "login_path", "", None, "login paths");
        find.secret = None;
        find.scope = Some("the logins in it are obfuscated, not encrypted: whoever reads the file has them".to_owned());
        out.finds.push(find);
    }
    true
}

/// The `[client]` group.
pub(super) fn my_cnf(context: &Context<'_>, text: &str, out: &mut Finds) -> bool {
    let (mut group, mut user, mut host, mut port) = (String::new(), None, "localhost".to_owned(), "3306".to_owned());
    let mut secrets = Vec::new();
    for (number, line) in (1_u64..).zip(text.lines()) {
        let line = line.trim();
        if let Some(name) = line.strip_prefix('[') {
            name.trim_end_matches(']').clone_into(&mut group);
        } else if let Some((key, value)) = line.split_once('=') {
            let value = value.trim().trim_matches(['"', '\'']);
            match key.trim() {
                "user" if is_name(first_word(value)) => user = Some(first_word(value).to_owned()),
                "host" if is_name(first_word(value)) => first_word(value).clone_into(&mut host),
                "port" if is_name(first_word(value)) => first_word(value).clone_into(&mut port),
                "password" if !value.is_empty() => secrets.push((value, number, group.clone())),
                _ => {}
            }
        }
    }
    let locator = Locator {
        provider: "mysql",
        user,
        host: format!("{host}:{port}"),
        database: None,
        source: None,
        tls: Tls::Offered,
    };
    for (secret, number, group) in secrets {
        login(context, &locator, secret, number, &format!("{group}.password"), out);
    }
    true
}
