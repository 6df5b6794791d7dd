//! Reading one regular file in pieces of bounded size (floor 4).

use std::os::fd::OwnedFd;
use std::path::Path;

use deadstop_core::fact::GapReason;
use rustix::fs::{FileType, Mode, OFlags, SeekFrom, Stat};
use rustix::io::Errno;

use super::Visitor;
use super::wide::{Narrow, Order};

/// How much is read first, and how much of it decides whether a file is text.
const FIRST: usize = 64 << 10;
const SNIFFED: usize = 8 << 10;
/// How much is read at a time, and how much of the last piece is kept in front of the next.
const PIECE: usize = 1 << 20;
const OVERLAP: usize = 8 << 10;

/// A piece of a file. Pieces overlap; `fresh` says which part of this one is looked at in this turn.
pub struct Chunk<'a> {
    /// The bytes.
    pub bytes: &'a [u8],
    /// What starts within this range belongs to this piece, and to no other.
    pub fresh: std::ops::Range<usize>,
    /// The number of line ends before this piece.
    pub lines_before: u64,
    /// Whether it is the first piece.
    pub first: bool,
    /// Whether it is the last piece.
    pub last: bool,
}

/// The buffers of one thread, used for file after file.
pub(super) struct Buffers {
    piece: Vec<u8>,
    whole: Vec<u8>,
}

impl Buffers {
    pub(super) fn new() -> Self {
        Self { piece: vec![0; PIECE + OVERLAP], whole: Vec::new() }
    }
}

/// How far one file is read.
pub(super) struct Bounds<'a> {
    /// Read on even where it looks binary.
    pub(super) binary: bool,
    pub(super) cap: u64,
    pub(super) stop: &'a dyn Fn() -> bool,
}

/// Reads `name` in `folder`. `Err(None)` says that this user may not, or that it is no regular file.
pub(super) fn read(
    folder: &OwnedFd,
    name: &Path,
    visitor: &mut dyn Visitor,
    buffers: &mut Buffers,
    bounds: &Bounds<'_>,
) -> Result<u64, Option<GapReason>> {
    let mut result = attempt(folder, name, visitor, buffers, bounds);
    if result == Err(Some(GapReason::Vanished)) {
        visitor.again();
        result = attempt(folder, name, visitor, buffers, bounds);
    }
    result
}

fn reason(error: Errno) -> Option<GapReason> {
    match error {
        Errno::ACCESS | Errno::PERM => None,
        Errno::NOENT | Errno::LOOP | Errno::STALE => Some(GapReason::Vanished),
        Errno::TIMEDOUT => Some(GapReason::TimedOut),
        _ => Some(GapReason::Unreachable),
    }
}

fn attempt(
    folder: &OwnedFd,
    name: &Path,
    visitor: &mut dyn Visitor,
    buffers: &mut Buffers,
    bounds: &Bounds<'_>,
) -> Result<u64, Option<GapReason>> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let file = rustix::fs::openat(folder, name, flags, Mode::empty()).map_err(reason)?;
    let before = rustix::fs::fstat(&file).map_err(reason)?;
    if FileType::from_raw_mode(before.st_mode) != FileType::RegularFile {
        return Err(Some(GapReason::Vanished));
    }
    let size = u64::try_from(before.st_size).unwrap_or(0);
    let total = pieces(&mut Open(&file), size, visitor, buffers, bounds, false)?;
    let after = rustix::fs::fstat(&file).map_err(reason)?;
    if changed(&before, &after) { Err(Some(GapReason::Vanished)) } else { Ok(total) }
}

fn changed(before: &Stat, after: &Stat) -> bool {
    (before.st_size, before.st_mtime, before.st_mtime_nsec) != (after.st_size, after.st_mtime, after.st_mtime_nsec)
}

/// Where the bytes of one text come from.
pub(super) trait Origin {
    /// Fills a part of `space`; 0 at the end.
    fn read(&mut self, space: &mut [u8]) -> Result<usize, Errno>;
    /// Whether nothing but a hole follows.
    fn only_holes(&self, at: u64, size: u64) -> bool;
}

struct Open<'a>(&'a OwnedFd);

impl Origin for Open<'_> {
    fn read(&mut self, space: &mut [u8]) -> Result<usize, Errno> {
        rustix::io::read(self.0, space)
    }

    fn only_holes(&self, at: u64, size: u64) -> bool {
        only_holes(self.0, at, size)
    }
}

struct Stream<'a>(&'a mut dyn std::io::Read);

impl Origin for Stream<'_> {
    fn read(&mut self, space: &mut [u8]) -> Result<usize, Errno> {
        self.0
            .read(space)
            .map_err(|error| if error.kind() == std::io::ErrorKind::Interrupted { Errno::INTR } else { Errno::IO })
    }

    fn only_holes(&self, _: u64, _: u64) -> bool {
        false
    }
}

/// Hands a text that is no file of its own to a visitor, as [`read`] does with a file.
pub(super) fn feed(
    text: &mut dyn std::io::Read,
    size: u64,
    visitor: &mut dyn Visitor,
    buffers: &mut Buffers,
    bounds: &Bounds<'_>,
) -> Result<u64, Option<GapReason>> {
    pieces(&mut Stream(text), size, visitor, buffers, bounds, false)
}

fn pieces(
    file: &mut dyn Origin,
    size: u64,
    visitor: &mut dyn Visitor,
    buffers: &mut Buffers,
    bounds: &Bounds<'_>,
    narrowed: bool,
) -> Result<u64, Option<GapReason>> {
    let (mut kept, mut total, mut lines, mut first) = (0_usize, 0_u64, 0_u64, true);
    let mut wanted = None;
    buffers.whole.clear();
    loop {
        let room = if first { FIRST } else { kept + PIECE };
        let (filled, ended) = fill(file, &mut buffers.piece, kept, room)?;
        let Some(bytes) = buffers.piece.get(..filled) else { return Err(Some(GapReason::Unreachable)) };
        total += u64::try_from(filled - kept).unwrap_or(0);
        if first {
            let sniffed = bytes.get(..filled.min(SNIFFED)).unwrap_or(bytes);
            if !bounds.binary && sniffed.contains(&0) {
                let Some(order) = Order::of(sniffed).filter(|_| !narrowed) else {
                    // What says of itself that it is text, and is none that we can read, is a gap.
                    return if narrowed { Err(Some(GapReason::Unsupported)) } else { Ok(total) };
                };
                let begun = bytes.to_vec();
                return pieces(&mut Narrow::new(&begun, order, file), size, visitor, buffers, bounds, true);
            }
            wanted = visitor.head(bytes);
        }
        if let Some(limit) = wanted {
            if buffers.whole.len() + filled - kept > limit {
                wanted = None;
                visitor.whole(None);
            } else {
                buffers.whole.extend_from_slice(bytes.get(kept..).unwrap_or_default());
            }
        }
        // What starts too near the end of a piece is left to the next one, which has it whole.
        let start = if first { 0 } else { kept - OVERLAP.min(kept) / 2 };
        let end = if ended { filled } else { filled.saturating_sub(OVERLAP / 2) };
        visitor.chunk(&Chunk { bytes, fresh: start..end, lines_before: lines, first, last: ended });
        if ended {
            if wanted.is_some() {
                visitor.whole(Some(&buffers.whole));
            }
            return Ok(total);
        }
        if (bounds.stop)() {
            return Err(Some(GapReason::TimedOut));
        }
        if total >= bounds.cap || (total < size && file.only_holes(total, size)) {
            return Err(Some(GapReason::TooLarge));
        }
        let keep_from = filled - OVERLAP.min(filled);
        lines += count_lines(bytes.get(..keep_from).unwrap_or_default());
        buffers.piece.copy_within(keep_from..filled, 0);
        kept = filled - keep_from;
        first = false;
    }
}

/// Reads until `room` is full or the file ends.
fn fill(file: &mut dyn Origin, piece: &mut [u8], kept: usize, room: usize) -> Result<(usize, bool), Option<GapReason>> {
    let mut filled = kept;
    while filled < room {
        let Some(space) = piece.get_mut(filled..room) else { break };
        match file.read(space) {
            Ok(0) => return Ok((filled, true)),
            Ok(count) => filled += count,
            Err(Errno::INTR) => {}
            Err(error) => return Err(reason(error)),
        }
    }
    Ok((filled, false))
}

/// Whether the rest of a file is one hole of more than a piece, as in a sparse file made to keep readers busy.
fn only_holes(file: &OwnedFd, at: u64, size: u64) -> bool {
    if size - at <= u64::try_from(PIECE).unwrap_or(0) * 64 {
        return false;
    }
    let data = rustix::fs::seek(file, SeekFrom::Data(at));
    let _ = rustix::fs::seek(file, SeekFrom::Start(at));
    match data {
        Ok(next) => next.saturating_sub(at) > u64::try_from(PIECE).unwrap_or(0),
        Err(error) => error == Errno::NXIO,
    }
}

fn count_lines(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.iter().filter(|byte| **byte == b'\n').count()).unwrap_or(0)
}
