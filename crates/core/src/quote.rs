//! What of a text that is wrong may be repeated to whoever reads the message (floor 0). A secret typed or pasted into the
//! wrong place is as much a secret there, so that only what reads like a word is quoted.

use std::borrow::Cow;

/// What stands in place of a text that is not repeated.
pub const HIDDEN: &str = "(a value that is not repeated here)";

/// The longest text that is taken for a word.
const LONGEST: usize = 40;

/// The longest run of letters and digits in which both are mixed.
const MIXED: usize = 8;

/// The text between backticks, or words that say it is not repeated.
#[must_use]
pub fn word(text: &str) -> String {
    if plain(text) { format!("`{text}`") } else { HIDDEN.to_owned() }
}

/// Whether a text reads like a word, a number or a date, and not like a secret.
#[must_use]
pub fn plain(text: &str) -> bool {
    let tame = |c: char| c.is_alphanumeric() || matches!(c, ' ' | '_' | '-' | '.' | ':' | '/' | '+' | '*');
    let mixed = |part: &str| {
        let digits = part.chars().filter(char::is_ascii_digit).count();
        digits > 0 && part.chars().any(char::is_alphabetic) && part.chars().count() > MIXED
    };
    // `approvedBy` changes its case once; what does so again and again was not written by a person.
    let turns = |part: &str| {
        let letters: Vec<char> = part.chars().collect();
        letters.windows(2).filter(|pair| matches!(pair, [a, b] if a.is_lowercase() && b.is_uppercase())).count() > 2
    };
    let parts = || text.split(|c: char| !c.is_alphanumeric());
    let pieces = parts().filter(|part| part.chars().any(|c| c.is_ascii_digit())).count();
    let lettered = text.chars().any(char::is_alphabetic);
    text.chars().count() <= LONGEST
        && text.chars().all(tame)
        && !parts().any(|part| mixed(part) || turns(part) || part.chars().count() > 24)
        && !(lettered && pieces > 1 && !dated(text))
}

/// Whether a text is made as dates and times are.
fn dated(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | ':' | '.' | '+' | ' ' | 'T' | 'Z'))
}

/// A parser's message, in which it may quote what it did not understand, with those quotes left out that are not words.
#[must_use]
pub fn message(text: &str) -> Cow<'_, str> {
    if !text.contains(['"', '`']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(['"', '`']) {
        let (before, quoted) = rest.split_at(start);
        out.push_str(before);
        let mark = if quoted.starts_with('"') { '"' } else { '`' };
        let inner = quoted.get(1..).unwrap_or_default();
        // Text that is quoted may hold the quotation mark: up to the last one, if what is between is no word.
        let near = inner.find(mark).filter(|end| inner.get(..*end).is_some_and(plain));
        let Some(end) = near.or_else(|| inner.rfind(mark)) else {
            out.push_str(HIDDEN);
            return Cow::Owned(out);
        };
        let (shown, after) = (inner.get(..end).unwrap_or_default(), inner.get(end + 1..).unwrap_or_default());
        if plain(shown) {
            out.push(mark);
            out.push_str(shown);
            out.push(mark);
        } else {
            out.push_str(HIDDEN);
        }
        rest = after;
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// A whole message, in which every part that looks like a secret is left out, wherever it came from: what was typed, a
/// path, a name in a file. The last line of defence for what is wrong; what is right names things as they are.
#[must_use]
pub fn guarded(text: &str) -> String {
    let text = without_passwords(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(first) = rest.chars().next() {
        let part = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '+' | '~');
        let inside = part(first);
        let end = rest.find(|c| part(c) != inside).unwrap_or(rest.len());
        let (head, tail) = rest.split_at(end);
        out.push_str(if inside && secretive(head) { HIDDEN } else { head });
        rest = tail;
    }
    out
}

/// The text without what stands between the `:` and the `@` of a URL's login.
fn without_passwords(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        out.push_str(before);
        let end = after.find(|c: char| c.is_whitespace() || matches!(c, '/' | '`' | '"' | '\'')).unwrap_or(after.len());
        let (login, tail) = after.split_at(end);
        match login.rsplit_once('@').and_then(|(login, host)| Some((login.split_once(':')?.0, host))) {
            Some((user, host)) => out.push_str(&format!("{user}:{HIDDEN}@{host}")),
            None => out.push_str(login),
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

/// Whether a run of letters, digits and `-_.+~` looks like a secret: letters and digits in one, more letters in a row
/// than words have, or large and small ones by turns.
pub(crate) fn secretive(part: &str) -> bool {
    let dated = |run: &str| run.chars().all(|c| c.is_ascii_digit() || matches!(c, 'T' | 'Z'));
    let mixed =
        |run: &str| run.chars().any(|c| c.is_ascii_digit()) && run.chars().any(char::is_alphabetic) && !dated(run);
    let turns = |run: &str| {
        let letters: Vec<char> = run.chars().collect();
        let turns = letters.windows(2).filter(|pair| matches!(pair, [a, b] if a.is_lowercase() && b.is_uppercase()));
        let turns = turns.count();
        turns > 2 && turns * 5 >= letters.len()
    };
    let runs = || part.split(|c: char| !c.is_alphanumeric()).filter(|run| !run.is_empty());
    let length = |run: &str| run.chars().count();
    runs().any(|run| (mixed(run) && length(run) > MIXED) || turns(run) || (length(run) > 30))
        || runs().filter(|run| mixed(run) && length(run) > 3).count() > 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_message_keeps_what_people_write_and_loses_what_looks_like_a_secret() {
        for text in [
            "cannot read `/srv/builds/shop-2026-q4/facts-20261124T060000Z.json`: No such file or directory (os error 2)",
            "`x.json` is no facts bundle: line 3, column 41: unknown field `asset_s`, expected one of `schema`, `assets`",
            "request 2: request.context.aws:MultiFactorAuthPresent: it is no text",
            "there is no check `database-has-pitrr`; did you mean `database-has-pitr`?",
            "arn:aws:iam::123456789012:role/CreateDBInstanceReadReplica-eu-west-1 on db.m5.large, x86_64",
            "https://db.internal.example:5432/shop and postgres://app@db.internal.example",
        ] {
            assert_eq!(guarded(text), text);
        }
        for secret in [
            "Zk7Qm2Xw9Rt4Lp8Vb3",
            "0c2f8a1e-7b64-4d1f-9a3e-5d7c2b9e8f10",
            "0c2f8a1e-7b64-4d1f-9a3e-507028908710",
            "sk-ant-api03-Zk7Qm2Xw9Rt4Lp8Vb3",
            "wJalrXUtnFEMI",
            "hunter2hunter2",
            "qwertyuiopasdfghjklzxcvbnmqwertyu",
        ] {
            assert_eq!(guarded(&format!("`out/{secret}/x` is=there")), format!("`out/{HIDDEN}/x` is=there"));
        }
        assert_eq!(guarded("no `postgres://app:word@db/x`"), format!("no `postgres://app:{HIDDEN}@db/x`"));
        assert_eq!(guarded("no `https://x:y:z@w@h`."), format!("no `https://x:{HIDDEN}@h`."));
    }

    #[test]
    fn words_are_repeated_and_what_may_be_a_secret_is_not() {
        for text in [
            "waver",
            "approvedBy",
            "restore_tests",
            "deadstop.config/2",
            "2026-13-45",
            "2026-11-24T25:00:00Z",
            "-1h",
            "90 days",
            "slowed-no-recovery",
            "iso27001",
        ] {
            assert!(plain(text), "{text}");
        }
        for text in [
            "b7d1-EXAMPLE-4f2a",
            "0c2f8a1e-7b64-4d1f-9a3e-5d7c2b9e8f10",
            "Zk7Qm2Xw9Rt4Lp8Vb3",
            "postgres://app:word@db.example/shop",
            "hunter2hunter2",
            "aVeryOddMixOfLetters",
            "qwertyuiopasdfghjklzxcvbnm",
            "pass\"word",
        ] {
            assert!(!plain(text), "{text}");
        }
    }

    #[test]
    fn a_message_loses_what_is_no_word() {
        let secret = "0c2f8a1e-7b64-4d1f-9a3e-5d7c2b9e8f10";
        let text = format!("invalid type: string \"{secret}\", expected a map");
        assert_eq!(message(&text), format!("invalid type: string {HIDDEN}, expected a map"));
        let text = format!("unknown variant `{secret}`, expected `stopped` or `slowed`");
        assert!(!message(&text).contains(secret));
        assert_eq!(message("unknown field `waver`, expected `a`"), "unknown field `waver`, expected `a`");
        let text = format!("invalid value: string \"x\" {secret}\"");
        assert!(message("expected value").contains("value") && message(&text).starts_with("invalid value"));
        assert!(!message(&format!("string \"a \\\"{secret}\\\" b\"")).contains(secret));
        assert!(!message(&format!("string \"{secret}")).contains(secret));
    }
}
