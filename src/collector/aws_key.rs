//! What the id of an AWS access key tells by itself (floor 5). Nobody is asked.

/// Accounts in which the makers of canary tokens make access keys: canarytokens.org first, then those who copied it.
/// Published by Truffle Security, <https://trufflesecurity.com/blog/canaries>.
const CANARIES: [&str; 26] = [
    "052310077262",
    "171436882533",
    "266735846894",
    "534261010715",
    "595918472158",
    "717712589309",
    "730335385048",
    "819147034852",
    "893192397702",
    "992382622183",
    "044858866125",
    "251535659677",
    "344043088457",
    "351906852752",
    "390477818340",
    "426127672474",
    "427150556519",
    "439872796651",
    "445142720921",
    "465867158099",
    "637958123769",
    "693412236332",
    "732624840810",
    "735421457923",
    "959235150393",
    "982842642351",
];

/// Whether the key of this id is a trap.
pub(crate) fn is_canary(id: &str) -> bool {
    account(id).is_some_and(|account| CANARIES.contains(&account.as_str()))
}

/// The account in an access key id made since 2019: the first 48 of its bits, without the first and the last seven.
/// Worked out and published by Tal Be'ery, <https://medium.com/@TalBeerySec/a-short-note-on-aws-key-id-f88cc4317489>.
pub(crate) fn account(id: &str) -> Option<String> {
    const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let digits = id.get(4..14).filter(|_| id.len() == 20)?;
    // Older ids begin with I or J and hold no account.
    if digits.bytes().next()? < b'Q' && digits.bytes().next()?.is_ascii_uppercase() {
        return None;
    }
    let mut bits = 0_u64;
    for digit in digits.bytes() {
        let value = ALPHABET.iter().position(|known| *known == digit)?;
        bits = (bits << 5) | u64::try_from(value).ok()?;
    }
    let account = ((bits >> 2) & 0x7fff_ffff_ff80) >> 7;
    Some(format!("{account:012}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_read_from_the_key_id() {
        assert_eq!(account(&["ASIA", "Y34FZKBOKMUTVV7A"].concat()).as_deref(), Some("609629065308"));
        assert_eq!(account(&["ASIA", "QNZGKIQY56JQ7WML"].concat()).as_deref(), Some("029608264753"));
        assert_eq!(account(&["AKIA", "IOSFODNN7EXAMPLE"].concat()), None);
    }

    #[test]
    fn a_canary_is_known_by_its_account() {
        // Two keys of canarytokens.org, as others have shown them: the second by its first half alone.
        for id in [["AKIA", "SP2TPHJSQH3FJRUX"], ["AKIA", "YVP4CIPPAAAAAAAU"]] {
            assert!(is_canary(&id.concat()));
        }
        assert!(!is_canary(&["ASIA", "Y34FZKBOKMUTVV7A"].concat()));
    }
}
