//! URLs that carry a login: of databases, and of anything else (floor 5).

use std::collections::BTreeMap;

use super::assignment::placeholder;
use super::find::Strength;
use super::scan::{Raw, Style, key_before};
use crate::readonly::socket::Tls;

/// Where a database is and who asks for it, without the password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Locator {
    pub(crate) provider: &'static str,
    pub(crate) user: Option<String>,
    /// `host:port`, or `host` where the port is looked up. Several with commas between them, of which the client picks one.
    pub(crate) host: String,
    pub(crate) database: Option<String>,
    /// The database that its user is kept in, at MongoDB: a user of the same name in another one is somebody else.
    pub(crate) source: Option<String>,
    /// What it asks of TLS.
    pub(crate) tls: Tls,
}

/// What a value of `sslmode` (libpq), `ssl-mode` (MySQL) or `tls` (Go) asks for. One that is not known asks for
/// encryption at least.
pub(crate) fn tls(value: &str) -> Tls {
    match value.to_ascii_lowercase().replace('-', "_").as_str() {
        "disable" | "disabled" | "false" | "no" | "0" => Tls::Never,
        "allow" | "prefer" | "preferred" => Tls::Offered,
        "verify_ca" | "verify_full" | "verify_identity" | "strict" => Tls::Verified,
        _ => Tls::Always,
    }
}

/// What variables of libpq and of the client of MySQL say beside a password.
///
/// <https://www.postgresql.org/docs/current/libpq-envars.html>,
/// <https://dev.mysql.com/doc/refman/8.4/en/environment-variables.html>
pub(crate) fn of_client(raw: &mut Raw, env: &BTreeMap<String, String>) {
    let get = |name: &str| env.get(name).filter(|value| !value.is_empty()).cloned();
    let (provider, usual, host, port) = match raw.key.as_deref() {
        // An address is what is connected to, and what a service says comes before the other variables.
        Some("PGPASSWORD") if get("PGSERVICE").is_some() => return,
        Some("PGPASSWORD") => ("postgres", "5432", get("PGHOSTADDR").or_else(|| get("PGHOST")), get("PGPORT")),
        Some("MYSQL_PWD") => ("mysql", "3306", get("MYSQL_HOST"), get("MYSQL_TCP_PORT")),
        _ => return,
    };
    let Some(host) = host.filter(|_| raw.database.is_none()) else { return };
    let port = port.unwrap_or_else(|| usual.to_owned());
    if port.parse::<u16>().is_err() {
        return;
    }
    let (user, database) =
        if provider == "postgres" { (get("PGUSER"), get("PGDATABASE")) } else { (get("USER"), None) };
    let user = user.or_else(|| get("USER"));
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || ".-_@".contains(c));
    if !plain(&host) || ![&user, &database].into_iter().flatten().all(|text| plain(text)) {
        return;
    }
    let database = database.or_else(|| user.clone().filter(|_| provider == "postgres"));
    let tls = get("PGSSLMODE").filter(|_| provider == "postgres").map_or(Tls::Offered, |mode| self::tls(&mode));
    let locator =
        Locator { provider, user, host: format!("{}:{port}", host.to_ascii_lowercase()), database, source: None, tls };
    raw.public_id = Some(locator.login());
    raw.database = Some(locator);
}

impl Locator {
    /// One of each server, where there are several.
    pub(crate) fn each(&self) -> impl Iterator<Item = Self> {
        self.host.split(',').map(|host| Self { host: host.to_owned(), ..self.clone() })
    }

    /// The server: `postgres://host:port`.
    pub(crate) fn server(&self) -> String {
        format!("{}://{}", self.provider, self.host)
    }

    /// The login: `postgres://user@host:port`.
    pub(crate) fn login(&self) -> String {
        let source = self.source.as_deref().filter(|source| *source != "admin");
        let source = source.map_or_else(String::new, |source| format!("/?authSource={source}"));
        let who = |user: &String| format!("{}://{user}@{}{source}", self.provider, self.host);
        self.user.as_ref().map_or_else(|| self.server(), who)
    }

    /// The database: `postgres://host:port/name`.
    pub(crate) fn asset(&self) -> Option<String> {
        self.database.as_ref().map(|name| format!("{}/{name}", self.server()))
    }
}

/// Provider and usual port of a scheme; port 0 where it is looked up.
fn scheme(name: &str) -> Option<(&'static str, u16)> {
    Some(match name {
        "postgres" | "postgresql" | "pgsql" | "cockroachdb" => ("postgres", 5432),
        "mysql" | "mariadb" => ("mysql", 3306),
        "redis" | "rediss" | "valkey" | "valkeys" => ("redis", 6379),
        "mongodb" => ("mongodb", 27017),
        "mongodb+srv" => ("mongodb", 0),
        _ => return None,
    })
}

/// Schemes of other URLs that may carry a login.
const WEB: [&str; 7] = ["http", "https", "ssh", "git+https", "ftp", "amqp", "amqps"];

/// Looks at the URL around the `://` at `at`.
pub(crate) fn scan(text: &[u8], at: usize, style: Style, out: &mut Vec<Raw>) {
    let back = text.get(at.saturating_sub(40)..at).unwrap_or_default();
    let length =
        back.iter().rev().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'.' | b'-')).count();
    let start = at - length;
    let after = text.get(at + 3..text.len().min(at + 2_000)).unwrap_or_default();
    let stop = |byte: &u8| *byte <= b' ' || matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'>' | b'\\' | b'|');
    let mut rest = after.get(..after.iter().position(stop).unwrap_or(after.len())).unwrap_or_default();
    while let Some((last, shorter)) = rest.split_last() {
        if !matches!(last, b',' | b';' | b'.' | b')') {
            break;
        }
        rest = shorter;
    }
    let Ok(name) = std::str::from_utf8(text.get(start..at).unwrap_or_default()) else { return };
    let web = WEB.iter().any(|web| name.eq_ignore_ascii_case(web));
    // Most URLs name nobody; that is seen before anything else is looked at.
    if web && !rest.contains(&b'@') {
        return;
    }
    let name = name.to_ascii_lowercase();
    // `jdbc:postgresql://`, `sqlalchemy`'s `postgresql+psycopg2://`.
    let plain = name.split_once('+').map_or(name.as_str(), |(plain, _)| plain);
    let server = scheme(&name).or_else(|| scheme(plain));
    let sealed = matches!(plain, "rediss" | "valkeys");
    let Ok(rest) = std::str::from_utf8(rest) else { return };
    let end = at + 3 + rest.len();
    if let Some((provider, port)) = server {
        let before = out.len();
        database(provider, port, rest, style, key_before(text, start), start..end, out);
        if let Some(locator) = out.get_mut(before).and_then(|raw| raw.database.as_mut()).filter(|_| sealed) {
            locator.tls = Tls::Verified;
        }
    } else if web {
        login(rest, style, key_before(text, start), start..end, out);
    }
}

fn database(
    provider: &'static str,
    port: u16,
    rest: &str,
    style: Style,
    key: Option<String>,
    at: std::ops::Range<usize>,
    out: &mut Vec<Raw>,
) {
    let Some((locator, password)) = parse(provider, port, rest) else {
        // Its parts cannot be told apart, so none is shown: a credential of that provider, not identified.
        if rest.len() >= 12 && !rest.contains(['$', '{']) {
            let mut raw = Raw::plain(provider, "connection_url", Strength::Guess, Some(rest.as_bytes()), at);
            raw.key = key;
            out.push(raw);
        }
        return;
    };
    let blank = |text: &str| placeholder(text.as_bytes());
    if rest.contains("${") || rest.contains("{{") || rest.contains("$(") || blank(&locator.host) {
        return;
    }
    let from_manual = matches!(locator.user.as_deref(), Some("user" | "username" | "USER" | "USERNAME" | "myuser"))
        || locator.host.starts_with("host:")
        || locator.host.starts_with("hostname:");
    let mut raw = match password.filter(|password| !password.is_empty()) {
        Some(password) => {
            let mut raw = Raw::plain(provider, "connection_url", Strength::Store, Some(password.as_bytes()), at);
            raw.dummy = from_manual && (blank(&password) || matches!(password.as_str(), "pass" | "pw" | "pwd"));
            raw
        }
        // Being able to connect is the credential, but only where a setting says that someone does.
        None if style != Style::Code && key.as_deref().is_some_and(names_a_connection) => {
            Raw::plain(provider, "connection_url", Strength::Store, None, at)
        }
        None => return,
    };
    raw.public_id = Some(locator.login());
    raw.key = key;
    raw.database = Some(locator);
    out.push(raw);
}

pub(super) fn names_a_connection(key: &str) -> bool {
    let upper = key.to_ascii_uppercase();
    ["URL", "URI", "DSN", "CONNECTION", "CONNECTION_STRING"].iter().any(|end| upper.ends_with(end))
}

/// `https://user:password@host/…`.
fn login(rest: &str, style: Style, key: Option<String>, at: std::ops::Range<usize>, out: &mut Vec<Raw>) {
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let Some((who, host)) = authority.rsplit_once('@') else { return };
    let secret = who.split_once(':').map_or(who, |(_, password)| password);
    if secret.len() < 8
        || placeholder(secret.as_bytes())
        || super::scan::is_dummy(secret.as_bytes())
        || secret.contains(['{', '$', '*'])
    {
        return;
    }
    // `git@host` and the like name a user, not a secret. In program text and manuals most logins are made up.
    if (!who.contains(':') || style == Style::Code) && !super::assignment::looks_random(secret.as_bytes()) {
        return;
    }
    let host = host.split(':').next().unwrap_or_default().to_ascii_lowercase();
    if ["example.com", "example.org", "example.net"].contains(&host.as_str()) {
        return;
    }
    let provider = if host == "github.com" || host.ends_with(".github.com") {
        "github"
    } else if host == "gitlab.com" {
        "gitlab"
    } else {
        "unknown"
    };
    let mut raw = Raw::plain(provider, "url_login", Strength::Name, Some(secret.as_bytes()), at);
    raw.key = Some(key.unwrap_or_else(|| host.clone()));
    raw.scope = Some(format!("sent to {host}"));
    out.push(raw);
}

/// The parts of what follows `scheme://`, and the password apart from them. What stands after the question mark comes before
/// what stands in the URL at PostgreSQL; elsewhere clients are not of one mind, so that a URL that contradicts itself is none.
///
/// <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNSTRING-URIS>
fn parse(provider: &'static str, port: u16, rest: &str) -> Option<(Locator, Option<String>)> {
    // A password may hold `/`, `?` or `#` unescaped; the last `@` ends it.
    let (who, place) = rest.rsplit_once('@').map_or((None, rest), |(who, place)| (Some(who), place));
    let (place, query) = place.split_once('?').unwrap_or((place, ""));
    let (hosts, path) = place.split_once('/').unwrap_or((place, ""));
    let (mut user, mut password) = match who {
        Some(who) => who.split_once(':').map_or((decode(who), None), |(user, word)| (decode(user), Some(decode(word)))),
        None => (String::new(), None),
    };
    let mut path = decode(path.split(['#', ';', '&', '/', '?']).next().unwrap_or_default());
    let (mut hosts, mut ports, mut sealed) =
        (hosts.to_ascii_lowercase(), None, if provider == "redis" { Tls::Never } else { Tls::Offered });
    let (mut address, mut source, mut lax) = (None, None, false);
    let said: Vec<(&str, &str)> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
    for (name, value) in said.into_iter().filter(|(_, value)| !value.is_empty()) {
        let (libpq, value) = (provider == "postgres", decode(value));
        match if provider == "mongodb" { option_of_mongodb(name) } else { name } {
            "user" if libpq || user.is_empty() => user = value,
            "password" if libpq || password.is_none() => password = Some(value),
            "host" if libpq || hosts.is_empty() => hosts = bracketed(&value.to_ascii_lowercase()),
            "user" if user != value => return None,
            "password" if password.as_ref() != Some(&value) => return None,
            "host" if hosts != value => return None,
            "hostaddr" if libpq => address = Some(bracketed(&value)),
            "port" if libpq => ports = Some(value),
            "dbname" if libpq => path = value,
            // What a service is, its own file says.
            "service" if libpq => return None,
            "db" if provider == "redis" => path = value,
            "authSource" if provider == "mongodb" => source = Some(value),
            "tlsInsecure"
            | "tlsAllowInvalidCertificates"
            | "tlsAllowInvalidHostnames"
            | "sslInvalidHostNameAllowed" => {
                lax |= value == "true";
            }
            "sslmode" | "ssl-mode" | "sslMode" | "ssl" | "tls" | "useSSL" | "sslaccept" => {
                sealed = sealed.max(tls(&value));
                if tls(&value) == Tls::Never && sealed == Tls::Offered {
                    sealed = Tls::Never;
                }
            }
            _ => {}
        }
    }
    if provider == "redis" && password.is_none() && !user.is_empty() {
        // A lone word before the `@` is a password there.
        password = Some(std::mem::take(&mut user));
    }
    if let Some((name, word)) = user.clone().split_once(':') {
        password.get_or_insert_with(|| word.to_owned());
        name.clone_into(&mut user);
    }
    let host = servers(provider, port, &address.unwrap_or(hosts), ports.as_deref())?;
    let database = match (provider, path.is_empty()) {
        (_, false) => Some(path),
        ("redis", true) => Some("0".to_owned()),
        ("postgres", true) if !user.is_empty() => Some(user.clone()),
        _ => None,
    };
    let user = Some(user).filter(|user| !user.is_empty());
    if provider == "mongodb" {
        sealed = of_mongodb(sealed, port == 0, lax);
        // A record beside the name of the service may say where its users are kept.
        source = source.or_else(|| database.clone().filter(|_| port != 0));
    }
    Some((Locator { provider, user, host, database, source, tls: sealed }, password))
}

/// An option of a URL of MongoDB, as it is written here: "keys are case-insensitive".
/// <https://github.com/mongodb/specifications/blob/master/source/connection-string/connection-string-spec.md>
fn option_of_mongodb(name: &str) -> &str {
    const KNOWN: [&str; 7] = [
        "authSource",
        "tls",
        "ssl",
        "tlsInsecure",
        "tlsAllowInvalidCertificates",
        "tlsAllowInvalidHostnames",
        "sslInvalidHostNameAllowed",
    ];
    KNOWN.into_iter().find(|known| known.eq_ignore_ascii_case(name)).unwrap_or(name)
}

/// What a URL of MongoDB asks of TLS: there is no going on by it, so that it is either begun with or not; and it is with a
/// certificate that holds, unless the URL says otherwise. A name of a service is for TLS.
///
/// <https://www.mongodb.com/docs/manual/reference/connection-string-options/#tls-options>
const fn of_mongodb(said: Tls, service: bool, lax: bool) -> Tls {
    match (said, service, lax) {
        (Tls::Never, _, _) | (Tls::Offered, false, _) => Tls::Never,
        (Tls::Offered | Tls::Always | Tls::Verified, _, true) => Tls::Always,
        (Tls::Offered | Tls::Always | Tls::Verified, _, false) => Tls::Verified,
    }
}

/// Each host of a parameter, an address of version 6 in brackets as in a URL.
fn bracketed(hosts: &str) -> String {
    let each = hosts.split(',').map(|host| {
        let bare = host.contains(':') && !host.starts_with(['[', '/']) && host.parse::<std::net::Ipv6Addr>().is_ok();
        if bare { format!("[{host}]") } else { host.to_owned() }
    });
    each.collect::<Vec<_>>().join(",")
}

/// `host:port` of each server, with commas between several: nothing, where some part is neither. `ports` comes before what
/// stands at the hosts.
fn servers(provider: &str, usual: u16, hosts: &str, ports: Option<&str>) -> Option<String> {
    let ports: Vec<&str> = ports.map(|ports| ports.split(',').collect()).unwrap_or_default();
    // A client of MongoDB learns the others from the first.
    let most = if provider == "mongodb" { 1 } else { 32 };
    if ports.len() > 1 && ports.len() != hosts.split(',').count() {
        return None;
    }
    let mut each = Vec::new();
    for (at, host) in hosts.split(',').take(most).enumerate() {
        let mut host = if host.is_empty() { "localhost" } else { host };
        let with_port = host.rsplit_once(':').filter(|(head, port)| {
            port.bytes().all(|b| b.is_ascii_digit())
                && port.parse::<u16>().is_ok()
                && (!head.contains(':') || head.ends_with(']'))
        });
        if host.contains(':') && with_port.is_none() && !host.starts_with('[') {
            // What stands after the colon is no port: it is a password that was cut short.
            return None;
        }
        let name_ok = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '[' | ']' | '/' | '%');
        if !host.chars().all(name_ok) {
            return None;
        }
        // One port holds for all, several for one each.
        let port = match ports.as_slice() {
            [] => None,
            [one] => Some(*one),
            several => Some(*several.get(at)?),
        };
        if let Some(port) = port.filter(|port| !port.is_empty()) {
            port.parse::<u16>().ok()?;
            host = with_port.map_or(host, |(head, _)| head);
            each.push(if host.starts_with('/') { host.to_owned() } else { format!("{host}:{port}") });
        } else if with_port.is_none() && usual != 0 && !host.starts_with('/') {
            each.push(format!("{host}:{usual}"));
        } else {
            each.push(host.to_owned());
        }
    }
    each.dedup();
    Some(each.join(","))
}

pub(super) fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let hex = bytes.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        if *byte == b'%'
            && let Some(value) = hex.and_then(|pair| u8::from_str_radix(pair, 16).ok())
        {
            out.push(value);
            at += 3;
        } else {
            out.push(*byte);
            at += 1;
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odd_urls_are_taken_apart() {
        let (locator, password) =
            parse("postgres", 5432, "app:p%40ss%2Fw@DB.internal.example/shop?sslmode=require").unwrap();
        assert_eq!(locator.login(), "postgres://app@db.internal.example:5432");
        assert_eq!(locator.asset().unwrap(), "postgres://db.internal.example:5432/shop");
        assert_eq!(password.as_deref(), Some("p@ss/w"));
        let (locator, _) = parse("postgres", 5432, "u:p@h1:5433,h2:5434/").unwrap();
        let assets: Vec<String> = locator.each().filter_map(|one| one.asset()).collect();
        assert_eq!(assets, ["postgres://h1:5433/u", "postgres://h2:5434/u"]);
        for cut in ["app:qwertysecretpw77", "app:abc/MySecretPart99xyz", "app:1234567"] {
            assert!(parse("postgres", 5432, cut).is_none(), "{cut}");
        }
        let (locator, password) = parse("postgres", 5432, "app:qwerty?zz@db1.internal/prod;password=other").unwrap();
        assert_eq!(
            (locator.asset().unwrap().as_str(), password.as_deref()),
            ("postgres://db1.internal:5432/prod", Some("qwerty?zz"))
        );
        let (locator, password) = parse("redis", 6379, "lonesecret@h.internal").unwrap();
        assert_eq!((locator.user, password.as_deref()), (None, Some("lonesecret")));
        let (locator, password) = parse("redis", 6379, ":word@[::1]:6380/2").unwrap();
        assert_eq!((locator.login().as_str(), password.as_deref()), ("redis://[::1]:6380", Some("word")));
        let (locator, _) = parse("mongodb", 0, "u:p@c0.abc.mongodb.net/shop?w=1").unwrap();
        assert_eq!(locator.login(), "mongodb://u@c0.abc.mongodb.net");
    }

    #[test]
    fn a_user_of_mongodb_is_one_of_the_database_that_keeps_it() {
        for (rest, port, login, source, tls) in [
            ("u:p@h/shop", 27_017, "mongodb://u@h:27017/?authSource=shop", Some("shop"), Tls::Never),
            ("u:p@h/shop?authSource=admin", 27_017, "mongodb://u@h:27017", Some("admin"), Tls::Never),
            ("u:p@h/?TLS=true", 27_017, "mongodb://u@h:27017", None, Tls::Verified),
            ("u:p@h/shop?authsource=admin", 27_017, "mongodb://u@h:27017", Some("admin"), Tls::Never),
            ("u:p@h/?tls=true", 27_017, "mongodb://u@h:27017", None, Tls::Verified),
            ("u:p@h,h2:1/?ssl=true&tlsInsecure=true", 27_017, "mongodb://u@h:27017", None, Tls::Always),
            ("u:p@c.example/shop", 0, "mongodb://u@c.example", None, Tls::Verified),
            ("u:p@c.example/?tls=false", 0, "mongodb://u@c.example", None, Tls::Never),
        ] {
            let (locator, _) = parse("mongodb", port, rest).unwrap();
            let told = (locator.login(), locator.source.as_deref(), locator.tls);
            assert_eq!(told, (login.to_owned(), source, tls), "{rest}");
        }
    }

    #[test]
    fn what_follows_the_question_mark_is_what_libpq_goes_by() {
        // As in `conninfo_uri_parse_params` of libpq: each replaces what stood before.
        let told =
            |rest: &str| parse("postgres", 5432, rest).map(|(locator, word)| (locator.asset(), locator.login(), word));
        let whole = |asset: &str, login: &str, word: &str| {
            Some((Some(format!("postgres://{asset}")), format!("postgres://{login}"), Some(word.to_owned())))
        };
        for (rest, asset, login, word) in [
            ("a:x@h1:1/d1?user=b&password=y&host=h2&port=2&dbname=d2", "h2:2/d2", "b@h2:2", "y"),
            ("a:x@h1:1/d1?host=h2", "h2:5432/d1", "a@h2:5432", "x"),
            ("a:x@h1:1/d1?port=2", "h1:2/d1", "a@h1:2", "x"),
            ("a:x@h1:1/d1?hostaddr=10.0.0.1", "10.0.0.1:5432/d1", "a@10.0.0.1:5432", "x"),
            ("a:x@h1/d1?host=h2&hostaddr=fe80%3A%3A1", "[fe80::1]:5432/d1", "a@[fe80::1]:5432", "x"),
            ("a:x@h1/d1?host=&user=", "h1:5432/d1", "a@h1:5432", "x"),
            ("a:x@h1/d1?host=h2,h3&port=2,3", "h2:2,h3:3/d1", "a@h2:2,h3:3", "x"),
            ("a:x@h1,h2/d1?port=7", "h1:7,h2:7/d1", "a@h1:7,h2:7", "x"),
            ("/d1?user=a&password=x&host=/var/run/postgresql", "/var/run/postgresql/d1", "a@/var/run/postgresql", "x"),
        ] {
            assert_eq!(told(rest), whole(asset, login, word), "{rest}");
        }
        for odd in
            ["a:x@h1/d1?port=x", "a:x@h1/d1?host=h2,h3&port=1,2,y", "a:x@h1,h2,h3/d1?port=1,2", "a:x@h1/d1?service=s"]
        {
            assert_eq!(told(odd), None, "{odd}");
        }
        // Elsewhere it is not known which of the two is taken.
        for odd in ["a:x@h1/d1?user=b", "a:x@h1/d1?password=y", "a:x@h1/d1?host=h2"] {
            assert!(parse("mysql", 3306, odd).is_none(), "{odd}");
        }
        assert!(parse("mysql", 3306, "h1/d1?user=a&password=x").is_some());
    }
}
