//! Name and action patterns: `*` is any run of characters, everything else is itself (floor 0).

/// Whether `text` matches `pattern`.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, mut parts)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    while let Some((part, others)) = parts.split_once('*') {
        let Some((_, after)) = rest.split_once(part) else { return false };
        (rest, parts) = (after, others);
    }
    rest.ends_with(parts)
}

/// Whether any of `patterns` matches `text`.
#[must_use]
pub fn any(patterns: &[String], text: &str) -> bool {
    patterns.iter().any(|pattern| matches(pattern, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stand_for_any_run() {
        for (pattern, text) in
            [("*", ""), ("*", "x"), ("rds:*", "rds:DeleteDBInstance"), ("*prod*", "orders-prod-pg"), ("a*b*c", "abbc")]
        {
            assert!(matches(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in [("", "x"), ("rds:*", "s3:x"), ("a*b", "ac"), ("ab*b", "ab"), ("x", "xx")] {
            assert!(!matches(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn an_empty_middle_is_nothing() {
        assert!(matches("a**b", "ab"));
    }
}
