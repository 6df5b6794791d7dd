//! The last line of defence (floor 5): whatever text leaves this module's callers, no secret that was found is in it,
//! be it in a file's name, a key or an id.

use aho_corasick::{AhoCorasick, MatchKind};

use super::find::Find;
use crate::secret::REDACTED;

/// Secrets shorter than this are words that may stand anywhere.
const SHORTEST: usize = 12;

/// Knows every secret that was found.
pub(crate) struct Mask(Option<AhoCorasick>);

impl Mask {
    pub(crate) fn of(finds: &[Find]) -> Self {
        let secrets = finds.iter().filter_map(|find| find.secret.as_ref());
        let long: std::collections::BTreeSet<&[u8]> =
            secrets.map(crate::secret::Secret::expose).filter(|secret| secret.len() >= SHORTEST).collect();
        Self(AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(long).ok())
    }

    pub(crate) fn hide(&self, text: &str) -> String {
        let Some(automaton) = &self.0 else { return REDACTED.to_owned() };
        let mut out = String::with_capacity(text.len());
        automaton.replace_all_with(text, &mut out, |_, _, out| {
            out.push_str(REDACTED);
            true
        });
        out
    }
}
