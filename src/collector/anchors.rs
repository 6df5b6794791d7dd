//! Finding many short strings in text at once (floor 5), as an Aho-Corasick automaton with leftmost-first semantics
//! would, ASCII case aside, at several times its speed.
//!
//! Two steps, after Hyperscan's Teddy (<https://www.usenix.org/conference/nsdi19/presentation/wang-xiang>). First the
//! places where an anchor may begin are marked by its first four bytes, 32 places at once on a processor with AVX2 and
//! one at a time on any other; `tables` says how. Then what is marked is compared in full, so that marks decide the
//! speed and never what is found.

use std::ops::Range;

#[cfg(target_arch = "x86_64")]
mod avx2;
mod tables;
#[cfg(test)]
mod tests;

use tables::{LANE, Tables, WINDOW};

/// Bytes that every anchor must have: they lead to the anchors to compare.
const LEAST: usize = 3;
/// Places marked at a time.
const BLOCK: usize = 4_096;
/// Slots that the first bytes of anchors are spread over.
const SLOT_BITS: u32 = 11;

/// Marks the places of a text at which an anchor may begin, a bit for each. `WINDOW - 1` bytes must follow the last.
type Marker = fn(&Tables, &[u8], &mut [u32]);

/// An anchor to compare.
struct Anchor {
    /// Its number in the list.
    number: usize,
    /// Its first eight bytes in lower case, as a number.
    head: u64,
    /// The bits of the number that are its own, and those in which the cases of its letters differ.
    own: u64,
    fold: u64,
    /// The rest, in lower case.
    tail: Vec<u8>,
    length: usize,
}

/// Anchors, ready to be looked for.
pub(crate) struct Anchors {
    marker: Marker,
    tables: Tables,
    /// In the order of slots, and of the list within each.
    sorted: Vec<Anchor>,
    /// Where each slot's begin and end among them.
    slots: Vec<(u16, u16)>,
}

impl Anchors {
    /// Nothing if an anchor is too short to be looked for, or there are too many.
    pub(crate) fn new(list: &[String]) -> Option<Self> {
        let mut sorted: Vec<Anchor> = list.iter().enumerate().map(|(number, text)| Anchor::of(number, text)).collect();
        sorted.sort_by_key(|anchor| (slot(anchor.head), anchor.number));
        let mut slots = vec![(0, 0); 1 << SLOT_BITS];
        for (at, anchor) in sorted.iter().enumerate() {
            let at = u16::try_from(at).ok().filter(|at| *at < u16::MAX)?;
            let (start, end) = slots.get_mut(slot(anchor.head))?;
            (*start, *end) = (if *end == 0 { at } else { *start }, at + 1);
        }
        let sound = sorted.iter().all(|anchor| anchor.length >= LEAST);
        sound.then(|| Self { marker: marker(), tables: Tables::of(list), sorted, slots })
    }

    /// Calls `found` with the number and the place of each anchor in turn. Of those that begin at the same place the
    /// first of the list counts, and none that begins within another.
    pub(crate) fn each(&self, text: &[u8], mut found: impl FnMut(usize, Range<usize>)) {
        let mut marks = [0_u32; BLOCK / LANE];
        let mut end = [0_u8; BLOCK + WINDOW];
        let (mut at, mut next) = (0, 0);
        while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
            let places = rest.len().min(BLOCK);
            let block = rest.get(..BLOCK + WINDOW - 1).unwrap_or_else(|| {
                end.fill(0);
                end.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
                &end
            });
            let Some(marks) = marks.get_mut(..places.div_ceil(LANE)) else { return };
            (self.marker)(&self.tables, block, marks);
            for (lane, mark) in marks.iter().enumerate() {
                let mut mark = *mark;
                while mark != 0 {
                    let place = at + lane * LANE + mark.trailing_zeros() as usize;
                    mark &= mark - 1;
                    if place >= next
                        && let Some(anchor) = self.at(text, place)
                    {
                        next = place + anchor.length;
                        found(anchor.number, place..next);
                    }
                }
            }
            at += places;
        }
    }

    /// The anchor that begins at `place`.
    #[inline]
    fn at(&self, text: &[u8], place: usize) -> Option<&Anchor> {
        let rest = text.get(place..)?;
        let head = rest.first_chunk::<8>().map_or_else(|| number(rest), |head| u64::from_le_bytes(*head));
        let (start, end) = self.slots.get(slot(head))?;
        self.sorted.get(usize::from(*start)..usize::from(*end))?.iter().find(|anchor| {
            (head | anchor.fold) & anchor.own == anchor.head
                && (anchor.tail.is_empty()
                    || rest.get(8..anchor.length).is_some_and(|tail| tail.eq_ignore_ascii_case(&anchor.tail)))
        })
    }
}

impl Anchor {
    fn of(at: usize, text: &str) -> Self {
        let lower = text.to_ascii_lowercase().into_bytes();
        let (head, tail) = lower.split_at(lower.len().min(8));
        let bits = |bits: fn(u8) -> u8| number(&head.iter().map(|byte| bits(*byte)).collect::<Vec<_>>());
        Self {
            number: at,
            head: number(head),
            own: bits(|_| 0xff),
            fold: bits(|byte| if byte.is_ascii_alphabetic() { 0x20 } else { 0 }),
            tail: tail.to_vec(),
            length: lower.len(),
        }
    }
}

/// Up to eight bytes as a number. Zeros stand for what is missing, and no anchor holds one.
fn number(bytes: &[u8]) -> u64 {
    let mut whole = [0; 8];
    whole.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
    u64::from_le_bytes(whole)
}

/// Where anchors with these first three bytes are kept, case aside.
#[inline]
const fn slot(head: u64) -> usize {
    let three = (head | 0x0020_2020) & 0x00ff_ffff;
    (three.wrapping_mul(0x9e37_79b1) & 0xffff_ffff) as usize >> (32 - SLOT_BITS)
}

/// The quickest that this processor can run.
fn marker() -> Marker {
    #[cfg(target_arch = "x86_64")]
    if let Some(marker) = avx2::marker() {
        return marker;
    }
    tables::mark
}
