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

#[cfg(test)]
mod tests {
    use super::*;

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
