//! How much of an `SQLite` file each of its tables takes, from the pages that lead to others, without an engine: no lock is
//! taken, nothing is written, and nothing that the file says runs. What overflows a page, and what lies in a log beside the
//! file, is not counted.
//!
//! <https://www.sqlite.org/fileformat2.html>

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::os::unix::fs::FileExt as _;

use deadstop_core::fact::GapReason;

/// How many pages are read, how deep a tree is followed, and how many tables are told.
const MOST: usize = 20_000;
const DEEPEST: usize = 24;
const TABLES: usize = 10_000;

const INTERIOR: [u8; 2] = [0x02, 0x05];
const LEAF: [u8; 2] = [0x0a, 0x0d];

/// The bytes that each table takes with its indexes, the largest first.
pub(super) fn weigh(file: &File) -> Result<Vec<(String, u64)>, GapReason> {
    let mut head = [0; 100];
    file.read_exact_at(&mut head, 0).map_err(|_| GapReason::Malformed)?;
    if !head.starts_with(b"SQLite format 3\0") {
        return Err(GapReason::Malformed);
    }
    let size = match pair(&head, 16) {
        Some(1) => 65_536,
        Some(size) if size.is_power_of_two() && size >= 512 => usize::from(size),
        Some(_) | None => return Err(GapReason::Malformed),
    };
    let mut pages = Pages { file, size, read: 0 };
    let mut roots = Vec::new();
    pages.schema(1, 0, &mut BTreeSet::new(), &mut roots)?;
    let mut sizes: BTreeMap<String, u64> = BTreeMap::new();
    for (table, root) in roots {
        let count = pages.count(root, 0, &mut BTreeSet::new())?;
        let bytes = count.saturating_mul(u64::try_from(size).unwrap_or(u64::MAX));
        let held = sizes.entry(table).or_default();
        *held = held.saturating_add(bytes);
    }
    let mut all: Vec<(String, u64)> = sizes.into_iter().collect();
    all.sort_by(|a, b| (b.1, &a.0).cmp(&(a.1, &b.0)));
    Ok(all)
}

struct Pages<'a> {
    file: &'a File,
    size: usize,
    read: usize,
}

impl Pages<'_> {
    /// A page, and where its own head begins.
    fn page(&mut self, number: u32) -> Result<(Vec<u8>, usize), GapReason> {
        self.read += 1;
        if self.read > MOST {
            return Err(GapReason::TooLarge);
        }
        let before = u64::from(number.checked_sub(1).ok_or(GapReason::Malformed)?);
        let mut page = vec![0; self.size];
        let at = before.saturating_mul(u64::try_from(self.size).unwrap_or(u64::MAX));
        self.file.read_exact_at(&mut page, at).map_err(|_| GapReason::Malformed)?;
        Ok((page, if number == 1 { 100 } else { 0 }))
    }

    /// The pages below one that leads to others.
    fn below(page: &[u8], head: usize) -> Result<Vec<u32>, GapReason> {
        let cells = usize::from(pair(page, head + 3).ok_or(GapReason::Malformed)?);
        let mut all = Vec::new();
        for cell in 0..cells {
            let at = pair(page, head + 12 + cell * 2).ok_or(GapReason::Malformed)?;
            all.push(number(page, usize::from(at)).ok_or(GapReason::Malformed)?);
        }
        all.push(number(page, head + 8).ok_or(GapReason::Malformed)?);
        Ok(all)
    }

    /// How many pages a tree has. Of those that lead nowhere, all of which lie equally deep, one is looked at.
    fn count(&mut self, root: u32, depth: usize, seen: &mut BTreeSet<u32>) -> Result<u64, GapReason> {
        if depth > DEEPEST || !seen.insert(root) {
            return Err(GapReason::Malformed);
        }
        let (page, head) = self.page(root)?;
        match page.get(head) {
            Some(kind) if LEAF.contains(kind) => Ok(1),
            Some(kind) if INTERIOR.contains(kind) => {
                let below = Self::below(&page, head)?;
                let first = below.first().copied().ok_or(GapReason::Malformed)?;
                let (child, at) = self.page(first)?;
                if child.get(at).is_some_and(|kind| LEAF.contains(kind)) {
                    return Ok(1 + u64::try_from(below.len()).unwrap_or(u64::MAX));
                }
                let mut total = 1_u64;
                for child in below {
                    total = total.saturating_add(self.count(child, depth + 1, seen)?);
                }
                Ok(total)
            }
            Some(_) | None => Err(GapReason::Malformed),
        }
    }

    /// The tables and indexes that the first tree lists: the table each is of, and its first page.
    fn schema(
        &mut self,
        root: u32,
        depth: usize,
        seen: &mut BTreeSet<u32>,
        out: &mut Vec<(String, u32)>,
    ) -> Result<(), GapReason> {
        if depth > DEEPEST || !seen.insert(root) {
            return Err(GapReason::Malformed);
        }
        let (page, head) = self.page(root)?;
        match page.get(head) {
            Some(0x05) => {
                Self::below(&page, head)?.into_iter().try_for_each(|child| self.schema(child, depth + 1, seen, out))
            }
            Some(0x0d) => {
                let cells = usize::from(pair(&page, head + 3).ok_or(GapReason::Malformed)?);
                for cell in 0..cells {
                    let at = pair(&page, head + 8 + cell * 2).ok_or(GapReason::Malformed)?;
                    // Of a row that overflows so early, nothing is told.
                    out.extend(row(page.get(usize::from(at)..).unwrap_or_default()).filter(|_| out.len() < TABLES));
                }
                Ok(())
            }
            Some(_) | None => Err(GapReason::Malformed),
        }
    }
}

/// The longest name of a table that is told, in bytes.
const LONGEST: usize = 256;

/// Of a row of the schema, the table that it is of and its first page; nothing, where it has none.
fn row(cell: &[u8]) -> Option<(String, u32)> {
    let (_, at) = varint(cell, 0)?;
    let (_, at) = varint(cell, at)?;
    let payload = cell.get(at..)?;
    let (head, mut kinds) = varint(payload, 0)?;
    let mut value = usize::try_from(head).ok()?;
    let mut fields = Vec::new();
    for _ in 0..4 {
        let (kind, next) = varint(payload, kinds)?;
        kinds = next;
        let width = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind,
            5 => 6,
            6 | 7 => 8,
            _ => kind.checked_sub(12)? / 2,
        };
        let end = value.checked_add(usize::try_from(width).ok()?)?;
        fields.push((kind, payload.get(value..end)?));
        value = end;
    }
    let [(_, kind), _, (_, table), (_, root)] = fields.as_slice() else { return None };
    // A name that is longer than anybody writes is kept nowhere: many rows may point to one.
    if !matches!(*kind, b"table" | b"index") || table.len() > LONGEST {
        return None;
    }
    let root = root.iter().try_fold(0_u32, |all, byte| all.checked_mul(256)?.checked_add(u32::from(*byte)))?;
    (root > 0).then(|| (String::from_utf8_lossy(table).into_owned(), root))
}

fn pair(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk::<2>()?))
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk::<4>()?))
}

/// A number of one to nine bytes, and where it ends.
fn varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut value = 0_u64;
    for (count, byte) in bytes.get(at..)?.iter().take(9).enumerate() {
        if count == 8 {
            return Some((value << 8 | u64::from(*byte), at + 9));
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            return Some((value, at + count + 1));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    /// A file of one page, as `SQLite` lays it out, whose only row names a table at a page.
    fn with_row(root: u8) -> Vec<u8> {
        let mut page = vec![0_u8; 1_024];
        page.splice(..16, *b"SQLite format 3\0");
        page.splice(16..18, 512_u16.to_be_bytes());
        let payload = [&[6_u8, 23, 15, 15, 1, 13][..], b"table", b"t", b"t", &[root]].concat();
        let cell = [&[u8::try_from(payload.len()).unwrap(), 1][..], &payload].concat();
        let at = 512 - cell.len();
        page.splice(at..512, cell);
        page.splice(100..108, [0x0d, 0, 0, 0, 1, 0, 0, 0]);
        page.splice(108..110, u16::try_from(at).unwrap().to_be_bytes());
        page
    }

    #[test]
    fn a_table_takes_its_pages() {
        let mut bytes = with_row(2);
        bytes.splice(512..513, [0x0d]);
        assert_eq!(weigh(&file(&bytes)), Ok(vec![("t".to_owned(), 512)]));
    }

    #[test]
    fn a_hostile_file_is_an_answer_and_no_end() {
        // A page that leads to itself, to nowhere, and to another kind.
        for (root, page) in [(2_u8, [5_u8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]), (9, [0; 12]), (2, [7; 12])] {
            let mut bytes = with_row(root);
            bytes.splice(512..524, page);
            assert_eq!(weigh(&file(&bytes)), Err(GapReason::Malformed), "{root}");
        }
        for odd in [&b""[..], b"SQLite format 3\0", &[0; 200], &[0xff; 5_000]] {
            assert!(weigh(&file(odd)).is_err());
        }
        let whole = with_row(2);
        for at in 0..whole.len() {
            let mut spoilt = whole.clone();
            if let Some(byte) = spoilt.get_mut(at) {
                *byte = 0xff;
            }
            let _ = weigh(&file(&spoilt));
        }
    }
}
