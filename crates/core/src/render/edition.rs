//! Which parts of the report a reader gets, and the sign at its head (floor 3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::own::Own;
use crate::diff::Diff;

/// Who the page is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Audience {
    /// Who decides: the first page, the answers, the plan and the sign-off.
    Executive,
    /// Who mends: what is unknown, the evidence of each asset, checks, credentials, sessions and what was read as well.
    Technical,
    /// Everything.
    #[default]
    Full,
}

/// What of the report is shown, and under whose sign.
#[derive(Clone, Debug, Default)]
pub struct Edition {
    /// Who it is for.
    pub audience: Audience,
    /// The picture at its head.
    pub logo: Option<Logo>,
    /// What changed since an earlier assessment. It holds names as they are, so that an edition for others has none.
    pub changes: Option<Diff>,
    /// Templates of the user's own.
    pub own: Own,
}

/// A picture that the page carries within itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logo(String);

/// A picture that the page does not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogoError {
    /// Too large for a page that is sent by mail.
    #[error("it is larger than {} kB", LARGEST / 1_000)]
    Large,
    /// Neither of the formats. SVG is a document of its own, which may hold scripts and ask for other files.
    #[error("it is no PNG, JPEG or WebP picture; SVG is not taken, as it may hold a script")]
    Kind,
}

/// The largest picture, in bytes.
pub const LARGEST: usize = 200_000;

impl Logo {
    /// The picture in `bytes`, by what its first bytes say it is.
    ///
    /// # Errors
    /// If it is too large or of another kind.
    pub fn of(bytes: &[u8]) -> Result<Self, LogoError> {
        // https://www.w3.org/TR/png-3/#3PNGsignature, ITU-T T.81 B.1.1.3, RFC 9649 section 2.4
        let kind = match bytes {
            [0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, ..] => "png",
            [0xff, 0xd8, 0xff, ..] => "jpeg",
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "webp",
            _ => return Err(LogoError::Kind),
        };
        if bytes.len() > LARGEST {
            return Err(LogoError::Large);
        }
        Ok(Self(format!("data:image/{kind};base64,{}", STANDARD.encode(bytes))))
    }

    /// The picture as a `data:` URI.
    pub(crate) fn uri(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_known_by_their_first_bytes() {
        assert_eq!(Logo::of(b"\x89PNG\r\n\x1a\nx").unwrap().uri(), "data:image/png;base64,iVBORw0KGgp4");
        assert!(Logo::of(b"\xff\xd8\xff\xe0").unwrap().uri().starts_with("data:image/jpeg;base64,"));
        assert!(Logo::of(b"RIFF\x01\x02\x03\x04WEBPVP8 ").unwrap().uri().starts_with("data:image/webp;base64,"));
        for other in [
            &b""[..],
            b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>",
            b"GIF89a",
            b"RIFF\x01\x02\x03\x04WAVE",
        ] {
            assert_eq!(Logo::of(other), Err(LogoError::Kind));
        }
        let mut large = b"\x89PNG\r\n\x1a\n".to_vec();
        large.resize(LARGEST + 1, 0);
        assert_eq!(Logo::of(&large), Err(LogoError::Large));
    }
}
