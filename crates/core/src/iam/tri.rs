//! Yes, no or not known, after Kleene.

/// A truth value that may not be known. The order is from no to yes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tri {
    /// It does not hold.
    No,
    /// It depends on what is not known.
    Unknown,
    /// It holds.
    Yes,
}

impl Tri {
    /// Whether both hold.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.min(other)
    }

    /// Whether either holds.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        self.max(other)
    }

    /// Whether it does not hold. A method and no operator, so that `!` stays with `bool`.
    #[must_use]
    pub const fn negated(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
            Self::Yes => Self::No,
        }
    }

    /// Whether any of several holds; stops at the first that does.
    pub fn any(all: impl IntoIterator<Item = Self>) -> Self {
        let mut seen = Self::No;
        for one in all {
            seen = seen.or(one);
            if seen == Self::Yes {
                break;
            }
        }
        seen
    }

    /// Whether all of several hold; stops at the first that does not.
    pub fn all(all: impl IntoIterator<Item = Self>) -> Self {
        let mut seen = Self::Yes;
        for one in all {
            seen = seen.and(one);
            if seen == Self::No {
                break;
            }
        }
        seen
    }
}

impl From<bool> for Tri {
    fn from(value: bool) -> Self {
        if value { Self::Yes } else { Self::No }
    }
}
