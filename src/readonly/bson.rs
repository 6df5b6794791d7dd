//! As much of BSON as commands that read and their answers are made of.
//!
//! <https://bsonspec.org/spec.html>

use deadstop_core::fact::GapReason;

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A whole number, of either size.
    Number(i64),
    /// A fraction, as servers tell most counts.
    Fraction(f64),
    /// Yes or no.
    Flag(bool),
    /// Bytes.
    Bytes(Vec<u8>),
    /// A document.
    Document(Document),
    /// A list.
    List(Vec<Value>),
    /// Something else, of which only that it is there matters.
    Other,
}

/// Names and values, in the order in which they are sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document(pub Vec<(String, Value)>);

/// How deep documents may lie in documents, and how many values they may hold.
const DEEPEST: usize = 16;
const MOST: usize = 100_000;

impl Document {
    /// The value of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The text of a name.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        let Value::Text(text) = self.get(name)? else { return None };
        Some(text)
    }

    /// The number of a name, of whichever kind, without its fraction.
    #[must_use]
    pub fn number(&self, name: &str) -> Option<i64> {
        match self.get(name)? {
            Value::Number(number) => Some(*number),
            #[expect(clippy::cast_possible_truncation, reason = "a number too large for it is as large as can be told")]
            Value::Fraction(number) if number.is_finite() => Some(*number as i64),
            Value::Fraction(_)
            | Value::Text(_)
            | Value::Flag(_)
            | Value::Bytes(_)
            | Value::Document(_)
            | Value::List(_)
            | Value::Other => None,
        }
    }

    /// Whether a name is there and is so.
    #[must_use]
    pub fn flag(&self, name: &str) -> bool {
        self.get(name) == Some(&Value::Flag(true))
    }

    /// The document of a name.
    #[must_use]
    pub fn document(&self, name: &str) -> Option<&Self> {
        let Value::Document(document) = self.get(name)? else { return None };
        Some(document)
    }

    /// The list of a name.
    #[must_use]
    pub fn list(&self, name: &str) -> Option<&[Value]> {
        let Value::List(list) = self.get(name)? else { return None };
        Some(list)
    }

    /// The documents of the list of a name: nothing, where one of them is none.
    #[must_use]
    pub fn documents(&self, name: &str) -> Option<Vec<&Self>> {
        let each = self
            .list(name)?
            .iter()
            .map(|value| if let Value::Document(document) = value { Some(document) } else { None });
        each.collect()
    }

    /// The texts of the list of a name: nothing, where one of them is none.
    #[must_use]
    pub fn texts(&self, name: &str) -> Option<Vec<&str>> {
        let each =
            self.list(name)?.iter().map(|value| if let Value::Text(text) = value { Some(text.as_str()) } else { None });
        each.collect()
    }

    /// As it is sent. Names and texts with a zero in them cannot be.
    ///
    /// # Errors
    /// If it cannot be sent.
    pub fn encode(&self) -> Result<Vec<u8>, GapReason> {
        let mut body = Vec::new();
        for (name, value) in &self.0 {
            let (kind, bytes) = value.encode()?;
            body.push(kind);
            put_name(&mut body, name)?;
            body.extend(bytes);
        }
        body.push(0);
        let mut whole = length(body.len() + 4)?.to_vec();
        whole.extend(body);
        Ok(whole)
    }

    /// The only document that these bytes are.
    ///
    /// # Errors
    /// If they are none, or more than is read.
    pub fn decode(bytes: &[u8]) -> Result<Self, GapReason> {
        let mut room = MOST;
        let (document, rest) = document(bytes, 0, &mut room)?;
        if rest.is_empty() { Ok(document) } else { Err(GapReason::Malformed) }
    }
}

impl Value {
    fn encode(&self) -> Result<(u8, Vec<u8>), GapReason> {
        Ok(match self {
            Self::Text(text) => {
                let mut bytes = length(text.len() + 1)?.to_vec();
                bytes.extend(text.as_bytes());
                bytes.push(0);
                (2, bytes)
            }
            Self::Number(number) => match i32::try_from(*number) {
                Ok(small) => (0x10, small.to_le_bytes().to_vec()),
                Err(_) => (0x12, number.to_le_bytes().to_vec()),
            },
            Self::Flag(flag) => (8, vec![u8::from(*flag)]),
            Self::Bytes(bytes) => {
                let mut out = length(bytes.len())?.to_vec();
                out.push(0);
                out.extend(bytes);
                (5, out)
            }
            Self::Document(document) => (3, document.encode()?),
            // Nothing that is asked has these.
            Self::Fraction(_) | Self::List(_) | Self::Other => return Err(GapReason::Unsupported),
        })
    }
}

fn put_name(body: &mut Vec<u8>, name: &str) -> Result<(), GapReason> {
    if name.contains('\0') {
        return Err(GapReason::Unsupported);
    }
    body.extend(name.bytes().chain([0]));
    Ok(())
}

fn length(size: usize) -> Result<[u8; 4], GapReason> {
    i32::try_from(size).map(i32::to_le_bytes).map_err(|_| GapReason::TooLarge)
}

/// So many bytes from the front, and the rest.
fn take(bytes: &[u8], count: usize) -> Result<(&[u8], &[u8]), GapReason> {
    bytes.split_at_checked(count).ok_or(GapReason::Malformed)
}

fn size(bytes: &[u8]) -> Result<(usize, &[u8]), GapReason> {
    let (head, rest) = bytes.split_first_chunk::<4>().ok_or(GapReason::Malformed)?;
    Ok((usize::try_from(i32::from_le_bytes(*head)).map_err(|_| GapReason::Malformed)?, rest))
}

fn name(bytes: &[u8]) -> Result<(String, &[u8]), GapReason> {
    let end = bytes.iter().position(|byte| *byte == 0).ok_or(GapReason::Malformed)?;
    let (text, rest) = take(bytes, end)?;
    let text = std::str::from_utf8(text).map_err(|_| GapReason::Malformed)?;
    Ok((text.to_owned(), rest.get(1..).unwrap_or_default()))
}

fn document<'a>(bytes: &'a [u8], depth: usize, room: &mut usize) -> Result<(Document, &'a [u8]), GapReason> {
    let (size, _) = size(bytes)?;
    if depth == DEEPEST {
        return Err(GapReason::TooLarge);
    }
    let (whole, rest) = take(bytes, size)?;
    let mut inner = whole.get(4..).ok_or(GapReason::Malformed)?;
    let mut fields = Vec::new();
    loop {
        let (kind, after) = inner.split_first().ok_or(GapReason::Malformed)?;
        if *kind == 0 {
            return if after.is_empty() { Ok((Document(fields), rest)) } else { Err(GapReason::Malformed) };
        }
        *room = room.checked_sub(1).ok_or(GapReason::TooLarge)?;
        let (name, after) = name(after)?;
        let (value, after) = value(*kind, after, depth, room)?;
        fields.push((name, value));
        inner = after;
    }
}

fn value<'a>(kind: u8, bytes: &'a [u8], depth: usize, room: &mut usize) -> Result<(Value, &'a [u8]), GapReason> {
    let fixed = |count: usize| take(bytes, count).map(|(_, rest)| (Value::Other, rest));
    let eight = |bytes: &'a [u8]| bytes.split_first_chunk::<8>().ok_or(GapReason::Malformed);
    match kind {
        1 => eight(bytes).map(|(head, rest)| (Value::Fraction(f64::from_le_bytes(*head)), rest)),
        2 | 0x0d | 0x0e => {
            let (size, rest) = size(bytes)?;
            let (text, rest) = take(rest, size)?;
            let text = text.strip_suffix(&[0]).ok_or(GapReason::Malformed)?;
            let text = std::str::from_utf8(text).map_err(|_| GapReason::Malformed)?;
            Ok((Value::Text(text.to_owned()), rest))
        }
        3 => document(bytes, depth + 1, room).map(|(inner, rest)| (Value::Document(inner), rest)),
        4 => {
            let (inner, rest) = document(bytes, depth + 1, room)?;
            Ok((Value::List(inner.0.into_iter().map(|(_, value)| value).collect()), rest))
        }
        5 => {
            let (size, rest) = size(bytes)?;
            let (inner, rest) = take(rest.get(1..).ok_or(GapReason::Malformed)?, size)?;
            Ok((Value::Bytes(inner.to_vec()), rest))
        }
        7 => {
            let (id, rest) = take(bytes, 12)?;
            Ok((Value::Bytes(id.to_vec()), rest))
        }
        8 => match bytes.split_first() {
            Some((flag @ (0 | 1), rest)) => Ok((Value::Flag(*flag == 1), rest)),
            Some(_) | None => Err(GapReason::Malformed),
        },
        0x0a | 0x06 | 0xff | 0x7f => fixed(0),
        0x09 | 0x11 => fixed(8),
        0x10 => {
            let (head, rest) = bytes.split_first_chunk::<4>().ok_or(GapReason::Malformed)?;
            Ok((Value::Number(i64::from(i32::from_le_bytes(*head))), rest))
        }
        0x12 => eight(bytes).map(|(head, rest)| (Value::Number(i64::from_le_bytes(*head)), rest)),
        0x13 => fixed(16),
        // What else there is stands in no answer to what is asked.
        _ => Err(GapReason::Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> Document {
        let inner = Document(vec![("db".to_owned(), Value::Text("shop".to_owned()))]);
        Document(vec![
            ("find".to_owned(), Value::Number(1)),
            ("long".to_owned(), Value::Number(1 << 40)),
            ("in".to_owned(), Value::Document(inner)),
            ("is".to_owned(), Value::Flag(true)),
            ("word".to_owned(), Value::Bytes(vec![0, 1, 2])),
        ])
    }

    #[test]
    fn what_is_sent_is_read_again() {
        let bytes = sample().encode().unwrap();
        assert_eq!(Document::decode(&bytes), Ok(sample()));
        for cut in 0..bytes.len() {
            assert!(Document::decode(bytes.get(..cut).unwrap()).is_err(), "{cut}");
        }
        let odd = Document(vec![("a\0b".to_owned(), Value::Number(1))]);
        assert_eq!(odd.encode(), Err(GapReason::Unsupported));
    }

    #[test]
    fn what_is_too_deep_or_too_much_is_not_read() {
        // {"a": {"a": {"a": …}}}
        let deep = (0..40).fold(vec![5, 0, 0, 0, 0], |inner, _| {
            let mut out = i32::try_from(inner.len() + 8).unwrap().to_le_bytes().to_vec();
            out.extend([3, b'a', 0]);
            out.extend(inner);
            out.push(0);
            out
        });
        assert_eq!(Document::decode(&deep), Err(GapReason::TooLarge));
        let mut body: Vec<u8> = std::iter::repeat_n([0x0a, b'a', 0], MOST + 1).flatten().collect();
        body.push(0);
        let mut wide = i32::try_from(body.len() + 4).unwrap().to_le_bytes().to_vec();
        wide.extend(body);
        assert_eq!(Document::decode(&wide), Err(GapReason::TooLarge));
    }

    #[test]
    fn what_is_not_bson_is_none() {
        for odd in [
            &b""[..],
            b"\x05\0\0\0",
            b"\x06\0\0\0\0\0",
            b"\xff\xff\xff\xff\0",
            b"\x0a\0\0\0\x02a\0\xff\xff\xff",
            b"\x10\0\0\0\x02a\0\x04\0\0\0abcd\0",
            b"\x09\0\0\0\x08a\0\x02\0",
            b"\x08\0\0\0\x55a\0\0",
            b"HTTP/1.1 400 Bad Request\r\n\r\n",
        ] {
            assert!(Document::decode(odd).is_err(), "{odd:?}");
        }
    }
}
