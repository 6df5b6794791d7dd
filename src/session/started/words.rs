//! The words behind an agent's name, option by option.

/// A command line that is read from its beginning.
pub(super) struct Words<'a> {
    rest: &'a [&'a str],
    /// What the last option has behind its `=`.
    held: Option<&'a str>,
    /// How many words were read.
    pub(super) read: usize,
}

impl<'a> Words<'a> {
    pub(super) const fn new(rest: &'a [&'a str]) -> Self {
        Self { rest, held: None, read: 0 }
    }

    /// The next word; of an option its name.
    pub(super) fn name(&mut self) -> Option<&'a str> {
        let word = self.any()?;
        let (name, held) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        self.held = held;
        Some(name)
    }

    /// What the last option was given: behind its `=`, or as the next word. One that looks like an option is taken for one,
    /// as the value of many may be left out, and an option that is missed may be the one that lets everything run.
    pub(super) fn value(&mut self) -> Option<&'a str> {
        self.held.take().or_else(|| self.plain())
    }

    /// Every word up to the next option.
    pub(super) fn values(&mut self) -> Vec<&'a str> {
        let mut all: Vec<&str> = self.held.take().into_iter().collect();
        all.extend(std::iter::from_fn(|| self.plain()));
        all
    }

    /// What stands behind the `=` of the last option.
    pub(super) const fn held(&mut self) -> Option<&'a str> {
        self.held.take()
    }

    /// The next word, if it is no option.
    pub(super) fn plain(&mut self) -> Option<&'a str> {
        let word = self.rest.get(self.read).filter(|word| !word.starts_with('-'))?;
        self.read += 1;
        Some(word)
    }

    /// The next word, whatever it is.
    pub(super) fn any(&mut self) -> Option<&'a str> {
        let word = self.rest.get(self.read)?;
        self.read += 1;
        Some(word)
    }
}
