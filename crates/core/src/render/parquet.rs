//! Tables as Apache Parquet (floor 3), as much of the format as a flat table takes: one page a column and group of rows, plain
//! values, Snappy. Nothing of the moment or the machine is in it, so that the same rows give the same bytes.
//! See <https://parquet.apache.org/docs/file-format/>.
//!
//! The crate of that name builds for two minutes, most of it for what is not written here.

use snap::raw::Encoder;

/// The rows of a group, which a reader takes at once.
const GROUP: usize = 50_000;

const MAGIC: &[u8; 4] = b"PAR1";

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// Text in UTF-8.
    Text,
    /// A whole number of 64 bits.
    Number,
    /// True or false.
    Flag,
    /// A moment, in milliseconds of UTC.
    Moment,
}

impl Type {
    /// The physical type: BOOLEAN, INT64 or BYTE_ARRAY.
    const fn physical(self) -> i64 {
        match self {
            Self::Flag => 0,
            Self::Number | Self::Moment => 2,
            Self::Text => 6,
        }
    }
}

/// A value of a row; nothing where there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cell {
    /// There is none.
    None,
    /// Text.
    Text(String),
    /// A number, or a moment in milliseconds.
    Number(i64),
    /// True or false.
    Flag(bool),
}

/// A table: its columns and its rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name, which the file goes by.
    pub name: &'static str,
    /// Name and type of each column.
    pub columns: Vec<(&'static str, Type)>,
    /// The rows, a cell for each column.
    pub rows: Vec<Vec<Cell>>,
}

/// A table that no file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a column of `{0}` is too large for a file: more than 2 GiB in {GROUP} rows")]
pub struct TooLarge(&'static str);

impl Table {
    /// The file of this table.
    ///
    /// # Errors
    /// If a column is too large.
    pub fn parquet(&self) -> Result<Vec<u8>, TooLarge> {
        let mut file = MAGIC.to_vec();
        let mut groups = Vec::new();
        for rows in self.rows.chunks(GROUP) {
            let mut chunks = Vec::new();
            let begin = file.len();
            for (at, (name, kind)) in self.columns.iter().enumerate() {
                chunks.push(self.chunk(&mut file, rows, at, name, *kind)?);
            }
            let mut group = Thrift::default();
            group.list(1, STRUCT, &chunks);
            group.i64(2, signed(file.len() - begin));
            group.i64(3, signed(rows.len()));
            groups.push(group.end());
        }
        let mut schema = vec![{
            let mut root = Thrift::default();
            root.text(4, self.name);
            root.i32(5, signed(self.columns.len()));
            root.end()
        }];
        schema.extend(self.columns.iter().map(|(name, kind)| element(name, *kind)));
        let mut footer = Thrift::default();
        footer.i32(1, 1);
        footer.list(2, STRUCT, &schema);
        footer.i64(3, signed(self.rows.len()));
        footer.list(4, STRUCT, &groups);
        footer.text(6, "deadstop");
        let footer = footer.end();
        let length = u32::try_from(footer.len()).map_err(|_| TooLarge(self.name))?;
        file.extend(footer);
        file.extend(length.to_le_bytes());
        file.extend(MAGIC);
        Ok(file)
    }

    /// Writes one column of some rows, and gives what the end of the file says of it.
    fn chunk(
        &self,
        file: &mut Vec<u8>,
        rows: &[Vec<Cell>],
        at: usize,
        name: &str,
        kind: Type,
    ) -> Result<Vec<u8>, TooLarge> {
        let large = || TooLarge(self.name);
        let cells: Vec<&Cell> = rows.iter().map(|row| row.get(at).unwrap_or(&Cell::None)).collect();
        let page = page(&cells, kind).ok_or_else(large)?;
        let packed = Encoder::new().compress_vec(&page).map_err(|_| large())?;
        i32::try_from(page.len().max(packed.len())).map_err(|_| large())?;
        let mut header = Thrift::default();
        header.i32(1, 0);
        header.i32(2, signed(page.len()));
        header.i32(3, signed(packed.len()));
        let mut data = Thrift::default();
        data.i32(1, signed(rows.len()));
        data.i32(2, PLAIN);
        data.i32(3, RLE);
        data.i32(4, RLE);
        header.structure(5, &data.end());
        let header = header.end();
        let offset = signed(file.len());
        file.extend(&header);
        file.extend(&packed);

        let mut meta = Thrift::default();
        meta.i32(1, kind.physical());
        meta.list(2, I32, &[zigzag(PLAIN), zigzag(RLE)]);
        meta.list(3, BINARY, &[binary(name)]);
        meta.i32(4, SNAPPY);
        meta.i64(5, signed(rows.len()));
        meta.i64(6, signed(header.len() + page.len()));
        meta.i64(7, signed(header.len() + packed.len()));
        meta.i64(9, offset);
        let mut chunk = Thrift::default();
        chunk.i64(2, offset);
        chunk.structure(3, &meta.end());
        Ok(chunk.end())
    }
}

/// What a page holds: which cells there are, and then those.
fn page(cells: &[&Cell], kind: Type) -> Option<Vec<u8>> {
    let mut levels = Vec::new();
    for run in cells.chunk_by(|a, b| matches!(a, Cell::None) == matches!(b, Cell::None)) {
        levels.extend(varint(u64::try_from(run.len()).ok()? << 1));
        levels.push(u8::from(run.first().is_some_and(|cell| !matches!(cell, Cell::None))));
    }
    let mut page = u32::try_from(levels.len()).ok()?.to_le_bytes().to_vec();
    page.extend(levels);
    let mut flags: Vec<bool> = Vec::new();
    for cell in cells {
        match (cell, kind) {
            (Cell::Text(text), Type::Text) => {
                page.extend(u32::try_from(text.len()).ok()?.to_le_bytes());
                page.extend(text.as_bytes());
            }
            (Cell::Number(number), Type::Number | Type::Moment) => page.extend(number.to_le_bytes()),
            (Cell::Flag(flag), Type::Flag) => flags.push(*flag),
            (Cell::None, _) => {}
            // INVARIANT: `tables` makes each cell of the type of its column.
            (Cell::Text(_) | Cell::Number(_) | Cell::Flag(_), _) => return None,
        }
    }
    page.extend(flags.chunks(8).map(|eight| eight.iter().rev().fold(0_u8, |byte, flag| byte << 1 | u8::from(*flag))));
    Some(page)
}

/// A column as the schema of a file has it.
fn element(name: &str, kind: Type) -> Vec<u8> {
    let mut element = Thrift::default();
    element.i32(1, kind.physical());
    element.i32(3, OPTIONAL);
    element.text(4, name);
    let mut logical = Thrift::default();
    match kind {
        Type::Text => {
            element.i32(6, 0);
            logical.structure(1, &Thrift::default().end());
        }
        Type::Moment => {
            element.i32(6, 9);
            let mut unit = Thrift::default();
            unit.structure(1, &Thrift::default().end());
            let mut moment = Thrift::default();
            moment.flag(1);
            moment.structure(2, &unit.end());
            logical.structure(8, &moment.end());
        }
        Type::Number | Type::Flag => return element.end(),
    }
    element.structure(10, &logical.end());
    element.end()
}

const OPTIONAL: i64 = 1;
const PLAIN: i64 = 0;
const RLE: i64 = 3;
const SNAPPY: i64 = 1;

const TRUE: u8 = 1;
const I32: u8 = 5;
const I64: u8 = 6;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const STRUCT: u8 = 12;

/// A structure in Thrift's compact form.
#[derive(Default)]
struct Thrift {
    bytes: Vec<u8>,
    last: u8,
}

impl Thrift {
    /// Begins a field. INVARIANT: fields come in their order, less than 16 apart.
    fn field(&mut self, field: u8, kind: u8) {
        self.bytes.push((field - self.last) << 4 | kind);
        self.last = field;
    }

    fn i32(&mut self, field: u8, value: i64) {
        self.field(field, I32);
        self.bytes.extend(zigzag(value));
    }

    fn i64(&mut self, field: u8, value: i64) {
        self.field(field, I64);
        self.bytes.extend(zigzag(value));
    }

    fn flag(&mut self, field: u8) {
        self.field(field, TRUE);
    }

    fn text(&mut self, field: u8, text: &str) {
        self.field(field, BINARY);
        self.bytes.extend(binary(text));
    }

    fn structure(&mut self, field: u8, bytes: &[u8]) {
        self.field(field, STRUCT);
        self.bytes.extend(bytes);
    }

    fn list(&mut self, field: u8, kind: u8, items: &[Vec<u8>]) {
        self.field(field, LIST);
        match u8::try_from(items.len()) {
            Ok(few) if few < 15 => self.bytes.push(few << 4 | kind),
            _ => {
                self.bytes.push(0xf0 | kind);
                self.bytes.extend(varint(items.len() as u64));
            }
        }
        items.iter().for_each(|item| self.bytes.extend(item));
    }

    fn end(mut self) -> Vec<u8> {
        self.bytes.push(0);
        self.bytes
    }
}

fn signed(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn zigzag(value: i64) -> Vec<u8> {
    varint((value << 1 ^ value >> 63).cast_unsigned())
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            bytes.push(low & 0x7f);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}

fn binary(text: &str) -> Vec<u8> {
    let mut bytes = varint(text.len() as u64);
    bytes.extend(text.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_thrift_reads_them() {
        assert_eq!(varint(300), [0xac, 2]);
        assert_eq!(zigzag(-1), [1]);
        assert_eq!(zigzag(64), [0x80, 1]);
    }

    #[test]
    fn a_page_says_first_which_cells_there_are() {
        let cells = [Cell::Flag(true), Cell::None, Cell::None, Cell::Flag(false), Cell::Flag(true)];
        let cells: Vec<&Cell> = cells.iter().collect();
        assert_eq!(page(&cells, Type::Flag), Some(vec![6, 0, 0, 0, 2, 1, 4, 0, 4, 1, 0b101]));
        assert_eq!(page(&cells, Type::Text), None, "a cell of another type is an error, and no other value");
        assert_eq!(
            page(&[&Cell::Text("é".to_owned())], Type::Text),
            Some(vec![2, 0, 0, 0, 2, 1, 2, 0, 0, 0, 0xc3, 0xa9])
        );
    }

    #[test]
    fn a_file_begins_and_ends_as_one() {
        let rows = (0..120_000).map(|at| vec![Cell::Number(at), Cell::Text(at.to_string())]).collect();
        let table = Table { name: "t", columns: vec![("n", Type::Number), ("t", Type::Text)], rows };
        let file = table.parquet().unwrap();
        assert!(file.starts_with(MAGIC) && file.ends_with(MAGIC));
        assert_eq!(file, table.parquet().unwrap());
    }
}
