//! The last line of defence (floor 5): whatever text leaves this module's callers, no secret that was found is in it,
//! be it in a file's name, a key or an id.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};

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
        // Of long secrets the larger automaton takes minutes to make; what is hidden is little text.
        let builder = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(long);
        Self(builder.ok())
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

    /// The same for the name of a setting, of which a part that looks like a secret itself is left out as well: in
    /// `WORD=` on a line of its own, nobody knows that `WORD` is a name.
    pub(crate) fn hide_name(&self, name: &str) -> String {
        let hidden = self.hide(name);
        let part = |part: &str| if looks_secret(part) { REDACTED.to_owned() } else { part.to_owned() };
        hidden.split('.').map(part).collect::<Vec<_>>().join(".")
    }
}

/// Whether a part of a name is no word that a person would give to a setting: letters and digits by turns, or the
/// digits of a key. Words of any length, numbered ones too, are names.
pub(crate) fn looks_secret(part: &str) -> bool {
    let plain: Vec<u8> = part.bytes().filter(|byte| *byte != b'-').collect();
    let digits = |run: &[u8]| run.iter().filter(|byte| byte.is_ascii_digit()).count();
    let hex = plain.len() >= 24 && plain.iter().all(u8::is_ascii_hexdigit) && digits(&plain) >= 4;
    let turns = |run: &[u8]| {
        let other = |pair: &[u8]| matches!(pair, [a, b] if a.is_ascii_digit() != b.is_ascii_digit());
        run.windows(2).filter(|pair| other(pair)).count()
    };
    let long = |run: &[u8]| {
        let upper = run.iter().any(u8::is_ascii_uppercase);
        let lower = run.iter().any(u8::is_ascii_lowercase);
        (run.len() >= 16 && turns(run) >= 4) || (run.len() >= 20 && turns(run) >= 2 && upper && lower)
    };
    hex || part.as_bytes().split(|byte| !byte.is_ascii_alphanumeric()).any(long)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_and_what_looks_like_a_secret_is_not() {
        for name in [
            "AWS_SECRET_ACCESS_KEY_2",
            "mcpServers.hosted.headers.Authorization",
            "owner@db.internal.example",
            "S3_BUCKET_KEY_2024",
            "thisIsAVeryLongNameForASettingWithoutDigits",
            "web.eu-west-1.rds.amazonaws.com",
        ] {
            assert_eq!(Mask::of(&[]).hide_name(name), name);
        }
        for name in ["Zk7Qm2Xw9Rt4Lp8Vb3Nc6", "0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f", "x_Zk7Qm2Xw9Rt4Lp8Vb_TOKEN"] {
            assert_eq!(Mask::of(&[]).hide_name(name), REDACTED);
            assert_eq!(Mask::of(&[]).hide_name(&format!("env.{name}")), format!("env.{REDACTED}"));
        }
    }
}
