//! What must never leave memory (floor 4): no `Debug`, no `Display`, no `Serialize`, so that a leak is a compile error.

use zeroize::Zeroizing;

/// A secret that was read. It is wiped when dropped and can only be compared.
#[derive(Clone)]
pub struct Secret(Zeroizing<Vec<u8>>);

impl Secret {
    /// Takes a copy of `bytes`.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Self {
        Self(Zeroizing::new(bytes.to_vec()))
    }

    /// The secret itself: for comparing, masking and, with leave, for its provider.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Its length in bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nothing in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl PartialEq for Secret {
    /// Looks at every byte whatever the first difference is.
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.0.iter().zip(other.0.iter()).fold(0_u8, |all, (a, b)| all | (a ^ b)) == 0
    }
}

impl Eq for Secret {}

/// What an excerpt shows in place of a value.
pub const REDACTED: &str = "[redacted]";

/// The excerpt of a line that holds a secret: the name it has there, and nothing of the value.
#[must_use]
pub fn redact(name: Option<&str>) -> String {
    name.map_or_else(|| REDACTED.to_owned(), |name| format!("{name} = {REDACTED}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_compared_whole() {
        assert!(Secret::new(b"one") == Secret::new(b"one"));
        assert!(Secret::new(b"one") != Secret::new(b"onE"));
        assert!(Secret::new(b"one") != Secret::new(b"one more"));
    }

    #[test]
    fn an_excerpt_shows_the_name_alone() {
        assert_eq!(redact(Some("RAILWAY_TOKEN")), "RAILWAY_TOKEN = [redacted]");
        assert_eq!(redact(None), "[redacted]");
    }
}
