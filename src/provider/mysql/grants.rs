//! What `SHOW GRANTS` says: the privileges that destroy, by where they hold. A line that is not understood, and a privilege
//! that is not known, give none: whatever the lines say, they do not bound what a login may do.
//!
//! <https://dev.mysql.com/doc/refman/8.4/en/privileges-provided.html>, <https://mariadb.com/kb/en/grant/>.

/// Where a privilege holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// `*.*`.
    Everywhere,
    /// A pattern of databases: `shop\_%`.
    Databases(String),
    /// A table, view or routine of one database.
    Inside(String),
}

/// What one privilege comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// These operations.
    Destroys(&'static [&'static str]),
    /// The right to change accounts, and so to become any.
    Accounts,
}

/// What the lines come to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Granted {
    /// Each privilege that destroys, where it holds and what it comes to.
    pub(super) rights: Vec<(String, Place, Effect)>,
    /// Whether every database is shown to the login.
    pub(super) shown_all: bool,
    /// Places where everybody has rights: databases there are not shown to whoever has no others (MariaDB 10.11).
    pub(super) public: Vec<Place>,
}

/// Every operation of the catalogue.
pub(super) const ACTIONS: [&str; 6] = ["DROP DATABASE", "DROP TABLE", "TRUNCATE", "DELETE", "UPDATE", "ALTER TABLE"];

fn effect(privilege: &str) -> Option<Effect> {
    Some(match privilege {
        "ALL PRIVILEGES" | "ALL" => Effect::Destroys(&ACTIONS),
        "DROP" => Effect::Destroys(&["DROP DATABASE", "DROP TABLE", "TRUNCATE"]),
        "DELETE" | "DELETE HISTORY" | "DELETE VERSIONING ROWS" => Effect::Destroys(&["DELETE"]),
        "UPDATE" => Effect::Destroys(&["UPDATE"]),
        "ALTER" => Effect::Destroys(&["ALTER TABLE"]),
        "CREATE USER" => Effect::Accounts,
        _ => return None,
    })
}

/// Reads the lines of `SHOW GRANTS`. Password hashes that some servers print there are read over and not kept. What is
/// revoked in part, and roles, which may be taken on or not, are left out.
pub(super) fn read<'a>(lines: impl Iterator<Item = &'a str>) -> Granted {
    let mut granted = Granted::default();
    for line in lines {
        let _ = one(line, &mut granted);
    }
    granted
}

fn one(line: &str, granted: &mut Granted) -> Option<()> {
    let (privileges, rest) = split(line.strip_prefix("GRANT ")?, " ON ")?;
    let (target, to) = split(rest, " TO ")?;
    let place = place(target)?;
    if to == "PUBLIC" || to.starts_with("PUBLIC ") {
        granted.public.push(place.clone());
    }
    for privilege in pieces(privileges) {
        // A list of columns after it narrows it, and not what it comes to.
        let word = privilege.split_once('(').map_or(privilege, |(word, _)| word).trim().to_ascii_uppercase();
        let all = ["SHOW DATABASES", "ALL PRIVILEGES", "ALL"].contains(&word.as_str());
        granted.shown_all |= place == Place::Everywhere && all;
        if let Some(effect) = effect(&word) {
            granted.rights.push((word, place.clone(), effect));
        }
    }
    Some(())
}

fn place(target: &str) -> Option<Place> {
    let target = ["TABLE ", "FUNCTION ", "PROCEDURE ", "PACKAGE BODY ", "PACKAGE "]
        .iter()
        .find_map(|kind| target.strip_prefix(kind))
        .unwrap_or(target);
    if target == "*.*" {
        return Some(Place::Everywhere);
    }
    let (database, rest) = name(target)?;
    match rest {
        ".*" => Some(Place::Databases(database)),
        _ => {
            let (_, rest) = name(rest.strip_prefix('.')?)?;
            rest.is_empty().then_some(Place::Inside(database))
        }
    }
}

/// A name in its quotes, and what follows.
fn name(text: &str) -> Option<(String, &str)> {
    let mut chars = text.char_indices();
    let quote = chars.next().map(|(_, c)| c).filter(|c| ['`', '\'', '"'].contains(c))?;
    let (mut out, mut doubled) = (String::new(), false);
    for (at, c) in chars {
        let rest = text.get(at + c.len_utf8()..).unwrap_or_default();
        match c {
            _ if doubled => doubled = false,
            _ if c == quote && rest.starts_with(quote) => {
                out.push(c);
                doubled = true;
            }
            _ if c == quote => return Some((out, rest)),
            _ => out.push(c),
        }
    }
    None
}

/// Where a text stands outside of quotes and brackets for the first time.
fn find(text: &str, wanted: &str) -> Option<usize> {
    let (mut quote, mut depth) = (None, 0_u32);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), _) if c == open => quote = None,
            (Some(_), _) => {}
            (None, '`' | '\'' | '"') => quote = Some(c),
            (None, '(') => depth += 1,
            (None, ')') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
        if quote.is_none() && depth == 0 && text.get(at..).is_some_and(|rest| rest.starts_with(wanted)) {
            return Some(at);
        }
    }
    None
}

fn split<'a>(text: &'a str, wanted: &str) -> Option<(&'a str, &'a str)> {
    let at = find(text, wanted)?;
    Some((text.get(..at)?, text.get(at + wanted.len()..)?))
}

fn pieces(text: &str) -> Vec<&str> {
    let (mut all, mut rest) = (Vec::new(), text);
    while let Some((piece, after)) = split(rest, ",") {
        all.push(piece.trim());
        rest = after;
    }
    all.push(rest.trim());
    all
}

/// The only database that a pattern holds for, if there is one.
pub(super) fn plain(pattern: &str) -> Option<String> {
    let mut out = String::new();
    let mut escaped = false;
    for c in pattern.chars() {
        match c {
            '\\' if !escaped => escaped = true,
            '%' | '_' if !escaped => return None,
            _ => {
                escaped = false;
                out.push(c);
            }
        }
    }
    (!out.is_empty()).then_some(out)
}

/// Whether a pattern of databases holds for one: `%` is any run of characters, `_` any one, `\` takes the next as it is.
pub(super) fn holds_for(pattern: &str, database: &str) -> bool {
    fn from(pattern: &[char], name: &[char]) -> bool {
        match pattern {
            [] => name.is_empty(),
            ['%', rest @ ..] => (0..=name.len()).any(|at| name.get(at..).is_some_and(|name| from(rest, name))),
            ['\\', c, rest @ ..] | [c, rest @ ..] => match name {
                [first, after @ ..] => {
                    let any = matches!(pattern.first(), Some('_'));
                    (any || first.to_lowercase().eq(c.to_lowercase())) && from(rest, after)
                }
                [] => false,
            },
        }
    }
    let chars = |text: &str| text.chars().take(200).collect::<Vec<char>>();
    // A pattern with many `%` costs more than it is worth.
    pattern.matches('%').count() > 4 || from(&chars(pattern), &chars(database))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_both_servers_write_them() {
        let lines = [
            "GRANT USAGE ON *.* TO `app`@`%` IDENTIFIED BY PASSWORD '*6C8989366EAF75BB670AD8EA7A7FC1176A95CEF4'",
            "GRANT SELECT, INSERT, UPDATE (`what`, `a,b`) ON `shop`.`orders` TO `app`@`%`",
            "GRANT ALL PRIVILEGES ON `shop\\_%`.* TO `app`@`%` WITH GRANT OPTION",
            "GRANT EXECUTE ON PROCEDURE `shop`.`clean` TO `app`@`%`",
            "GRANT `keeper`@`%`,`other`@`%` TO `app`@`%`",
            "SET DEFAULT ROLE `keeper` FOR `app`@`%`",
            "REVOKE DELETE ON `mysql`.* FROM `app`@`%`",
        ];
        let granted = read(lines.into_iter());
        let told: Vec<(&str, &Place, Effect)> = granted.rights.iter().map(|(a, b, c)| (a.as_str(), b, *c)).collect();
        let shop = Place::Inside("shop".to_owned());
        assert_eq!(
            told,
            [
                ("UPDATE", &shop, Effect::Destroys(&["UPDATE"])),
                ("ALL PRIVILEGES", &Place::Databases("shop\\_%".to_owned()), Effect::Destroys(&ACTIONS)),
            ]
        );
        assert!(!granted.shown_all);
    }

    #[test]
    fn what_is_not_understood_is_no_right() {
        for line in [
            "",
            "GRANT PROXY ON ''@'' TO 'root'@'localhost' WITH GRANT OPTION",
            "GRANT ALL ON shop.* TO x",
            "GRANT SUPER, SOME_NEW_ADMIN ON *.* TO `x`@`%`",
            "GRANT `DELETE`@`%` TO `x`@`%`",
            "DROP TABLE x",
        ] {
            assert_eq!(read(std::iter::once(line)), Granted::default(), "{line}");
        }
        assert!(read(std::iter::once("GRANT SHOW DATABASES ON *.* TO `x`@`%`")).shown_all);
    }

    #[test]
    fn patterns_hold_as_documented() {
        assert!(
            holds_for("shop\\_%", "shop_eu") && !holds_for("shop\\_%", "shopXeu") && holds_for("shop_%", "shopXeu")
        );
        assert!(holds_for("%", "x") && holds_for("SHOP", "shop") && !holds_for("shop", "shop2") && !holds_for("", "x"));
        assert!(holds_for("%a%a%a%a%a%a", "b"));
        assert_eq!(plain("shop\\_eu").as_deref(), Some("shop_eu"));
        assert!(plain("shop_eu").is_none() && plain("%").is_none() && plain("").is_none());
    }

    #[test]
    fn rights_of_everybody_are_told_apart() {
        let granted = read(std::iter::once("GRANT DELETE ON `shop`.`lines` TO PUBLIC"));
        assert_eq!(granted.public, [Place::Inside("shop".to_owned())]);
        assert!(read(std::iter::once("GRANT DELETE ON `shop`.`lines` TO `PUBLIC`@`%`")).public.is_empty());
    }
}
