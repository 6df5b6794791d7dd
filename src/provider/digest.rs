//! HTTP Digest access authentication (RFC 7616), in which a secret is proven and not sent.

use std::fmt::Write as _;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use md5::{Digest as _, Md5};
use zeroize::Zeroizing;

/// What a server asks of whoever comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    realm: String,
    nonce: String,
    opaque: Option<String>,
}

impl Challenge {
    /// The challenge of a `WWW-Authenticate`, if it is one of MD5 with `qop=auth`, as MongoDB Atlas sends
    /// (<https://www.mongodb.com/docs/atlas/api/api-authentication/>).
    pub(super) fn read(header: &str) -> Option<Self> {
        let (scheme, rest) = header.trim().split_once(' ')?;
        let parts = parts(rest)?;
        let get = |name: &str| parts.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let auth = get("qop")?.split(',').any(|one| one.trim() == "auth");
        let md5 = get("algorithm").is_none_or(|algorithm| algorithm.eq_ignore_ascii_case("MD5"));
        let (realm, nonce, opaque) = (get("realm")?, get("nonce")?, get("opaque"));
        let fits = scheme.eq_ignore_ascii_case("Digest") && auth && md5 && !nonce.is_empty();
        fits.then_some(Self { realm, nonce, opaque })
    }

    /// The `Authorization` that answers it for this request, the `count`th with this nonce.
    pub(super) fn answer(&self, user: &str, secret: &[u8], (method, uri): (&str, &str), count: u32) -> String {
        self.proven(user, secret, (method, uri), count, &random())
    }

    fn proven(&self, user: &str, secret: &[u8], (method, uri): (&str, &str), count: u32, own: &str) -> String {
        let Self { realm, nonce, opaque } = self;
        let login = Zeroizing::new([user.as_bytes(), b":", realm.as_bytes(), b":", secret].concat());
        let login = Zeroizing::new(hex(&login));
        let asked = hex(format!("{method}:{uri}").as_bytes());
        let whole = Zeroizing::new(format!("{}:{nonce}:{count:08x}:{own}:auth:{asked}", login.as_str()));
        let response = hex(whole.as_bytes());
        let opaque = opaque.as_ref().map(|opaque| format!(", opaque=\"{opaque}\"")).unwrap_or_default();
        format!(
            "Digest username=\"{user}\", realm=\"{realm}\", nonce=\"{nonce}\", uri=\"{uri}\", algorithm=MD5, qop=auth, \
             nc={count:08x}, cnonce=\"{own}\", response=\"{response}\"{opaque}"
        )
    }
}

/// The parts of a challenge, `name=value` or `name="value"` between commas. A value that would end its quotes is none.
fn parts(text: &str) -> Option<Vec<(String, String)>> {
    let mut out = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, after) = rest.split_once('=')?;
        let (value, after) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"')?,
            None => after.split_at(after.find(',').unwrap_or(after.len())),
        };
        let plain = value.chars().all(|c| c.is_ascii_graphic() && c != '\\' || c == ' ');
        out.push((name.trim().to_ascii_lowercase(), plain.then(|| value.trim().to_owned())?));
        let after = after.trim_start();
        rest = after.strip_prefix(',').unwrap_or(after).trim_start();
        if rest.len() == after.len() && !rest.is_empty() {
            return None;
        }
    }
    Some(out)
}

fn hex(bytes: &[u8]) -> String {
    Md5::digest(bytes).iter().fold(String::with_capacity(32), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// A value of our own that nobody chose, so that a server cannot choose all that is hashed.
fn random() -> String {
    let one = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", one(), one())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_standard() {
        // RFC 7616, section 3.9.1, the MD5 of the two.
        let header = "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=MD5, \
                      nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", \
                      opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"";
        let challenge = Challenge::read(header).unwrap();
        let own = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";
        let answer = challenge.proven("Mufasa", b"Circle of Life", ("GET", "/dir/index.html"), 1, own);
        assert!(answer.contains("response=\"8ca523f5e9506fed4657c9700eebdbec\""), "{answer}");
        assert!(answer.contains("nc=00000001") && answer.contains("opaque=\"FQhe/"), "{answer}");
        assert_ne!(random(), random());
    }

    #[test]
    fn what_is_no_challenge_is_not_answered() {
        let atlas =
            "Digest realm=\"MMS Public API\", domain=\"\", nonce=\"abc\", algorithm=MD5, qop=\"auth\", stale=false";
        assert!(Challenge::read(atlas).is_some());
        for other in [
            "",
            "Digest",
            "Basic realm=\"x\"",
            "Bearer",
            "Digest realm=\"x\", nonce=\"\", qop=\"auth\"",
            "Digest realm=\"x\", nonce=\"a\"",
            "Digest realm=\"x\", nonce=\"a\", qop=\"auth-int\"",
            "Digest realm=\"x\", nonce=\"a\", qop=\"auth\", algorithm=SHA-256",
            "Digest realm=\"x, nonce=\"a\", qop=\"auth\"",
            "Digest realm=\"x\\\", nonce=\"a\", qop=\"auth\"",
            "Digest realm=\"x\" nonce=\"a\" qop=\"auth\"",
        ] {
            assert!(Challenge::read(other).is_none(), "{other}");
        }
    }
}
