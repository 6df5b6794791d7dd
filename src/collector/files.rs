//! Databases that are files, where a setting names one (floor 5): `sqlite:` URLs, and `file:` URLs of Prisma and libSQL. Being
//! able to write the file is the credential.
//!
//! <https://docs.sqlalchemy.org/en/20/dialects/sqlite.html#connect-strings>, <https://docs.rs/sqlx/latest/sqlx/sqlite/struct.SqliteConnectOptions.html>,
//! <https://www.prisma.io/docs/orm/overview/databases/sqlite#connection-details>

use std::path::{Path, PathBuf};

use super::find::{Find, Finds, Node, Strength};
use super::locator::{decode, names_a_connection};
use super::scan::{Raw, Style, key_before};
use deadstop_core::model::Class;

/// What such URLs begin with.
pub(super) const SIGNS: [&str; 3] = ["sqlite:", "sqlite3:", "file:"];

/// Looks at the URL that begins with `sign` at `at`.
pub(crate) fn scan(text: &[u8], at: usize, sign: &str, style: Style, out: &mut Vec<Raw>) {
    let start = at + sign.len();
    let after = text.get(start..text.len().min(start + 1_000)).unwrap_or_default();
    let stop = |byte: &u8| *byte <= b' ' || matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'>' | b'|' | b'?' | b'#');
    let rest = after.get(..after.iter().position(stop).unwrap_or(after.len())).unwrap_or_default();
    let (key, rest) = (key_before(text, at), std::str::from_utf8(rest).unwrap_or_default());
    let named = style != Style::Code && key.as_deref().is_some_and(names_a_connection);
    let files = written(sign, rest);
    if named && !files.is_empty() && !rest.contains("${") && !rest.contains("{{") {
        let mut raw = Raw::plain("sqlite", "connection_url", Strength::Store, None, at..start + rest.len());
        raw.key = key;
        raw.files = files;
        out.push(raw);
    }
}

/// The paths that what follows may mean: clients are not of one mind whether three slashes begin at the root.
fn written(sign: &str, rest: &str) -> Vec<String> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    if path.is_empty() || path == "/" || path.contains(":memory:") {
        return Vec::new();
    }
    let path = decode(path);
    // What stands before an `@` may be a password, which is no part of a file's name that is shown.
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    let keyed = |part: &str| part.split_once(':').is_some_and(|(_, rest)| rest.contains('@'));
    if first.contains('@') || keyed(&path) {
        return Vec::new();
    }
    let relative = path.strip_prefix('/').filter(|_| sign != "file:" && rest.starts_with("///"));
    let relative = relative.map(str::to_owned);
    relative.into_iter().chain([path]).collect()
}

/// The file that is meant, if it is there: beside the setting, or in the folder of Prisma's schema.
fn there(written: &[String], folder: Option<&Path>) -> Option<PathBuf> {
    let places = [folder.map(Path::to_path_buf), folder.map(|folder| folder.join("prisma"))];
    let each = written.iter().flat_map(|path| {
        let path = Path::new(path);
        let below = places.iter().flatten().map(|place| place.join(path));
        if path.is_absolute() { vec![path.to_path_buf()] } else { below.collect() }
    });
    each.filter_map(|path| std::fs::canonicalize(path).ok()).find(|path| path.is_file())
}

/// Names the file, and gives it where it is there.
pub(crate) fn place(
    find: &mut Find,
    files: &[String],
    folder: Option<&Path>,
    show: impl Fn(&Path) -> String,
    out: &mut Finds,
) -> Option<(String, PathBuf)> {
    let first = files.first()?;
    let found = there(files, folder);
    let shown = found.as_deref().map_or_else(|| first.clone(), &show);
    let id = format!("sqlite:{shown}");
    out.nodes.push(Node {
        id: id.clone(),
        provider: "sqlite".to_owned(),
        kind: "file".to_owned(),
        class: Class::Database,
        name: shown.clone(),
        parent: None,
        spot: find.spot.clone(),
    });
    find.public_id = Some(id.clone());
    find.identity = Some((format!("sqlite:writes {shown}"), format!("whoever may write {shown}")));
    find.within = Some(id);
    found.map(|path| (shown, path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_meant_as_clients_take_it() {
        for (sign, rest, paths) in [
            ("sqlite:", "///db.sqlite3", &["db.sqlite3", "/db.sqlite3"][..]),
            ("sqlite:", "////srv/app.db", &["/srv/app.db", "//srv/app.db"]),
            ("sqlite:", "//data.db", &["data.db"]),
            ("sqlite3:", "db/production.sqlite3", &["db/production.sqlite3"]),
            ("file:", "./dev.db", &["./dev.db"]),
            ("file:", "///srv/a%20b.db", &["/srv/a b.db"]),
            ("sqlite:", "//", &[]),
            ("sqlite:", "//admin:made-up@/data/app.db", &[]),
            ("sqlite:", "//admin:made-up%40h/app.db", &[]),
            ("file:", "//user@host/app.db", &[]),
            ("sqlite:", "admin:made-up@app.db", &[]),
            ("sqlite:", "///data/of@shop/app.db", &["data/of@shop/app.db", "/data/of@shop/app.db"]),
            ("sqlite:", "///:memory:", &[]),
            ("sqlite:", "", &[]),
        ] {
            assert_eq!(written(sign, rest), paths, "{sign}{rest}");
        }
    }

    #[test]
    fn only_a_setting_names_a_database() {
        let found = |text: &str, style| {
            let mut out = Vec::new();
            let at = text.find("file:").or_else(|| text.find("sqlite:")).unwrap();
            let sign = if text.contains("file:") { "file:" } else { "sqlite:" };
            scan(text.as_bytes(), at, sign, style, &mut out);
            out.first().map(|raw| raw.files.clone()).unwrap_or_default()
        };
        assert_eq!(found("DATABASE_URL=\"file:./dev.db?connection_limit=1\"", Style::Env), ["./dev.db"]);
        assert_eq!(found("SQLALCHEMY_DATABASE_URI=sqlite:///app.db\n", Style::Env), ["app.db", "/app.db"]);
        assert!(found("\"left-pad\": \"file:../left-pad\"", Style::Config).is_empty());
        assert!(found("DATABASE_URL = 'sqlite:///app.db'", Style::Code).is_empty());
        assert!(found("DATABASE_URL=sqlite:///${NAME}.db", Style::Env).is_empty());
    }
}
