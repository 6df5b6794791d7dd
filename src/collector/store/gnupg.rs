//! The private keys of GnuPG, one a file (floor 5): whether a passphrase guards them. The agent that may hold that
//! passphrase is not asked.
//!
//! <https://github.com/gpg/gnupg/blob/master/agent/keyformat.txt>

use crate::collector::find::Finds;
use crate::collector::keys::LOCKED;
use crate::collector::store::Context;

/// `private-keys-v1.d/KEYGRIP.key`, in either of its two forms: an S-expression, or `Key:` and the expression.
pub(super) fn key(context: &Context<'_>, text: &str, out: &mut Finds) -> bool {
    let line = text.lines().position(|line| line.contains("private-key")).and_then(|at| u64::try_from(at + 1).ok());
    let locked = text.contains("protected-private-key");
    // One that lies on a card has a shadow here, and no key.
    if text.contains("shadowed-private-key") {
        return true;
    }
    let Some(at) = text.find("private-key") else { return false };
    let grip = context.path.rsplit('/').next().and_then(|name| name.strip_suffix(".key")).unwrap_or_default();
    let kind = if locked { "encrypted_private_key" } else { "private_key" };
    let secret = text.get(at..).unwrap_or_default().trim();
    let mut find = context.find("gnupg", kind, secret, line, "private-key");
    let named = grip.len() == 40 && grip.bytes().all(|byte| byte.is_ascii_hexdigit());
    find.public_id = named.then(|| grip.to_ascii_uppercase());
    find.scope = locked.then(|| LOCKED.to_owned());
    out.finds.push(find);
    true
}
