//! The rows of an `SQLite` file, without an engine (floor 5): every leaf page of a table, whichever table it is of, and
//! what was deleted but not yet overwritten as well, since any reader of the file finds that too. What lies in a
//! write-ahead log beside the file is not read here.
//!
//! <https://www.sqlite.org/fileformat2.html>

/// The most rows that are looked at. A file with more is not understood.
const MOST: usize = 20_000;
/// The longest row that is put together.
const LONGEST: usize = 1 << 20;

/// One value of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Cell {
    /// Text, or bytes that may be some.
    Bytes(Vec<u8>),
    /// Anything else.
    Other,
}

impl Cell {
    /// The text that it is.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Bytes(bytes) => String::from_utf8(bytes.clone()).ok(),
            Self::Other => None,
        }
    }
}

/// Every row of every table; nothing, if this is no such file, or not the whole of one.
pub(super) fn rows(file: &[u8]) -> Option<Vec<Vec<Cell>>> {
    if !file.starts_with(b"SQLite format 3\0") {
        return None;
    }
    let size = match u16::from_be_bytes([*file.get(16)?, *file.get(17)?]) {
        1 => 65_536,
        size => usize::from(size),
    };
    if !size.is_power_of_two() || size < 512 || file.len() < size {
        return None;
    }
    let usable = size - usize::from(*file.get(20)?);
    let pages = usize::try_from(number(file, 28)?).ok()?;
    // The first page begins with the header of the file, and is a page of a table.
    if pages.checked_mul(size)? > file.len() || !matches!(file.get(100), Some(0x05 | 0x0d)) {
        return None;
    }
    let mut all = Vec::new();
    for (number, page) in file.chunks_exact(size).enumerate() {
        let head = if number == 0 { 100 } else { 0 };
        if page.get(head) != Some(&0x0d) {
            continue;
        }
        let count = usize::from(pair(page, head + 3)?);
        for cell in 0..count {
            let row = row(file, size, usable, page, usize::from(pair(page, head + 8 + cell * 2)?))?;
            if all.len() >= MOST {
                return None;
            }
            all.extend(Some(row).filter(|row| !is_schema(row)));
        }
    }
    Some(all)
}

/// Whether a row is of the table that lists the others: kind, name, table, page, statement.
fn is_schema(row: &[Cell]) -> bool {
    let kind = row.first().and_then(Cell::text).unwrap_or_default();
    row.len() == 5 && ["table", "index", "view", "trigger"].contains(&kind.as_str())
}

fn pair(page: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes([*page.get(at)?, *page.get(at + 1)?]))
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

fn row(file: &[u8], size: usize, usable: usize, page: &[u8], at: usize) -> Option<Vec<Cell>> {
    let (length, at) = varint(page, at)?;
    let (_, at) = varint(page, at)?;
    let length = usize::try_from(length).ok().filter(|length| *length <= LONGEST)?;
    let payload = payload(file, size, usable, page.get(at..)?, length)?;
    let (head, mut kind_at) = varint(&payload, 0)?;
    let head = usize::try_from(head).ok()?;
    let (mut value_at, mut cells) = (head, Vec::new());
    while kind_at < head && cells.len() < 100 {
        let (kind, next) = varint(&payload, kind_at)?;
        kind_at = next;
        let width = match kind {
            0 | 8 | 9 => 0,
            1..=4 => kind,
            5 => 6,
            6 | 7 => 8,
            _ => kind.checked_sub(12)? / 2,
        };
        let end = value_at.checked_add(usize::try_from(width).ok()?)?;
        let value = payload.get(value_at..end)?;
        cells.push(if kind >= 12 { Cell::Bytes(value.to_vec()) } else { Cell::Other });
        value_at = end;
    }
    Some(cells)
}

/// The bytes of a row: those on its page, and those on the pages that it overflows to.
fn payload(file: &[u8], size: usize, usable: usize, local: &[u8], length: usize) -> Option<Vec<u8>> {
    let most = usable.checked_sub(35)?;
    if length <= most {
        return local.get(..length).map(<[u8]>::to_vec);
    }
    let least = (usable.checked_sub(12)?) * 32 / 255 - 23;
    let fitting = least + (length - least) % (usable - 4);
    let kept = if fitting <= most { fitting } else { least };
    let mut whole = local.get(..kept)?.to_vec();
    let mut next = number(local, kept)?;
    // A chain that leads in a circle ends with the length that was promised.
    while whole.len() < length {
        let start = usize::try_from(next).ok()?.checked_sub(1)?.checked_mul(size)?;
        let page = file.get(start..start.checked_add(usable)?)?;
        next = number(page, 0)?;
        let rest = page.get(4..)?;
        whole.extend_from_slice(rest.get(..rest.len().min(length - whole.len()))?);
    }
    Some(whole)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk::<4>()?))
}
