//! The private keys of GnuPG, one a file (floor 5): whether a passphrase guards them. The agent that may hold that
//! passphrase is not asked.
//!
//! <https://github.com/gpg/gnupg/blob/master/agent/keyformat.txt>

use crate::collector::find::Finds;
use crate::collector::keys::LOCKED;
use crate::collector::store::Context;

/// `private-keys-v1.d/KEYGRIP.key`, in either of its two forms: an S-expression, or `Key:` and the expression.
pub(super) fn key(context: &Context<'_>, text: &str, out: &mut Finds) -> bool {
    // What else stands in the file, a description say, has no part in it.
    let start = if text.starts_with('(') { Some(0) } else { place_of_key(text) };
    let Some((start, (from, name))) = start.and_then(|start| Some((start, head(text.get(start..)?)?))) else {
        return false;
    };
    let locked = match name {
        "private-key" => false,
        "protected-private-key" => true,
        // One that lies on a card has a shadow here, and no key.
        "shadowed-private-key" => return true,
        _ => return false,
    };
    let at = start + from;
    let before = text.get(..at).unwrap_or_default();
    let line = u64::try_from(before.matches('\n').count() + 1).ok();
    let grip = context.path.rsplit('/').next().and_then(|name| name.strip_suffix(".key")).unwrap_or_default();
    let kind = if locked { "encrypted_private_key" } else { "private_key" };
    let secret = text.get(at..).unwrap_or_default().trim();
    let mut find = context.find("gnupg", kind, secret, line, "private-key");
    let named = grip.len() == 40 && grip.bytes().all(|byte| byte.is_ascii_hexdigit());
    // A copy of the same key that is open must not be taken for this one.
    find.public_id = (named && !locked).then(|| grip.to_ascii_uppercase());
    find.scope = locked.then(|| LOCKED.to_owned());
    out.finds.push(find);
    true
}

/// Where the expression after `Key:` begins.
fn place_of_key(text: &str) -> Option<usize> {
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.get(..4).is_some_and(|name| name.eq_ignore_ascii_case("key:")) {
            return Some(at + 4);
        }
        at += line.len();
    }
    None
}

/// The first name of an expression and where it begins, the length before it left out.
fn head(text: &str) -> Option<(usize, &str)> {
    let open = text.find('(')?;
    let rest = text.get(open + 1..)?;
    let digits = rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b':').count();
    let name = rest.get(digits..)?;
    let end = name.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).unwrap_or(name.len());
    Some((open + 1 + digits, name.get(..end)?))
}
