//! Text in two bytes a letter, as PowerShell writes it, read as any other (RFC 2781, UTF-16 with a byte order mark).

use rustix::io::Errno;

use super::read::Origin;

/// How much is taken at a time, in bytes.
const TAKEN: usize = 64 << 10;

/// The order of the two bytes of a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    /// What the mark at the beginning of a text says.
    pub(super) fn of(text: &[u8]) -> Option<Self> {
        match text {
            [0xff, 0xfe, ..] => Some(Self::Little),
            [0xfe, 0xff, ..] => Some(Self::Big),
            _ => None,
        }
    }
}

/// A text in two bytes a letter, as UTF-8. What is no letter becomes U+FFFD.
pub(super) struct Narrow<'a> {
    from: &'a mut dyn Origin,
    order: Order,
    /// Read, and not yet put into UTF-8: less than two letters, once that is done.
    wide: Vec<u8>,
    ready: Vec<u8>,
    given: usize,
    ended: bool,
    /// How many letters in a row would be two each as plain text.
    doubled: usize,
}

/// So many letters in a row of which each is two of plain text are plain text, behind a mark that hides it.
const HIDDEN: usize = 8;

impl<'a> Narrow<'a> {
    /// `begun` is what was read of it, its mark included.
    pub(super) fn new(begun: &[u8], order: Order, from: &'a mut dyn Origin) -> Self {
        let wide = begun.get(2..).unwrap_or_default().to_vec();
        Self { from, order, wide, ready: Vec::new(), given: 0, ended: false, doubled: 0 }
    }

    fn more(&mut self) -> Result<(), Errno> {
        let had = self.wide.len();
        self.wide.resize(had + TAKEN, 0);
        let read = loop {
            match self.from.read(self.wide.get_mut(had..).unwrap_or_default()) {
                Err(Errno::INTR) => {}
                other => break other,
            }
        };
        self.wide.truncate(had + read.unwrap_or(0));
        self.ended = read? == 0;
        let mut units: Vec<u16> = self
            .wide
            .chunks_exact(2)
            .filter_map(|pair| <[u8; 2]>::try_from(pair).ok())
            .map(|pair| if self.order == Order::Little { u16::from_le_bytes(pair) } else { u16::from_be_bytes(pair) })
            .collect();
        for unit in &units {
            let plain = unit.to_be_bytes().iter().all(|byte| matches!(byte, b' '..=b'~' | b'\n' | b'\r' | b'\t'));
            self.doubled = if plain { self.doubled + 1 } else { 0 };
            if self.doubled == HIDDEN {
                return Err(Errno::ILSEQ);
            }
        }
        // The first half of a letter of four bytes waits for the other.
        let half = units.last().is_some_and(|unit| (0xd800..0xdc00).contains(unit));
        if half && !self.ended {
            units.pop();
        }
        let text: String =
            char::decode_utf16(units.iter().copied()).map(|one| one.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        self.wide.drain(..units.len() * 2);
        (self.ready, self.given) = (text.into_bytes(), 0);
        Ok(())
    }
}

impl Origin for Narrow<'_> {
    fn read(&mut self, space: &mut [u8]) -> Result<usize, Errno> {
        while self.given == self.ready.len() && !self.ended {
            self.more()?;
        }
        let rest = self.ready.get(self.given..).unwrap_or_default();
        let count = rest.len().min(space.len());
        for (to, from) in space.iter_mut().zip(rest) {
            *to = *from;
        }
        self.given += count;
        Ok(count)
    }

    fn only_holes(&self, _: u64, _: u64) -> bool {
        // Where it stands in the file is not where it stands in what was made of it.
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives a byte or a few at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Origin for Slow<'_> {
        fn read(&mut self, space: &mut [u8]) -> Result<usize, Errno> {
            let (now, rest) = self.0.split_at(self.1.min(self.0.len()));
            for (to, from) in space.iter_mut().zip(now) {
                *to = *from;
            }
            self.0 = rest;
            Ok(now.len())
        }

        fn only_holes(&self, _: u64, _: u64) -> bool {
            false
        }
    }

    fn read(text: &[u8], step: usize) -> String {
        let order = Order::of(text).unwrap();
        let (begun, rest) = text.split_at(2 + step.min(text.len() - 2));
        let mut slow = Slow(rest, step);
        let mut narrow = Narrow::new(begun, order, &mut slow);
        let (mut out, mut space) = (Vec::new(), [0; 5]);
        loop {
            let count = narrow.read(&mut space).unwrap();
            if count == 0 {
                return String::from_utf8(out).unwrap();
            }
            out.extend_from_slice(&space[..count]);
        }
    }

    #[test]
    fn plain_text_behind_a_mark_is_not_read_as_something_else() {
        let hidden = [&[0xff, 0xfe][..], b"a\0b\0RAILWAY_TOKEN=1234"].concat();
        let mut rest = Slow(&[], 1);
        let mut narrow = Narrow::new(&hidden, Order::Little, &mut rest);
        assert_eq!(narrow.read(&mut [0; 64]), Err(Errno::ILSEQ));
    }

    #[test]
    fn either_order_is_read_however_it_comes() {
        let text = "KEY=wert-ä-€-𝄞\r\nNEXT=1\r\n";
        for step in [1, 2, 3, 7, 1000] {
            for (mark, bytes) in
                [([0xff, 0xfe], u16::to_le_bytes as fn(u16) -> [u8; 2]), ([0xfe, 0xff], u16::to_be_bytes)]
            {
                let wide: Vec<u8> = mark.into_iter().chain(text.encode_utf16().flat_map(bytes)).collect();
                assert_eq!(read(&wide, step), text);
            }
        }
        assert_eq!(Order::of(b"KEY=1"), None);
        // Half a letter at the end, and one that has no other half.
        assert_eq!(read(&[0xff, 0xfe, b'a', 0, 0x34, 0xd8], 1), "a\u{fffd}");
        assert_eq!(read(&[0xff, 0xfe, b'a', 0, b'b'], 1), "a");
    }
}
