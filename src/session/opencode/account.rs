//! Whether OpenCode is logged in to an organisation, which then sends it settings.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use deadstop_core::fact::GapReason;
use regex::bytes::Regex;
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;

use super::{data, entries, set};
use crate::session::Where;

/// The most that is looked through of one database.
const LARGEST: u64 = 512 << 20;

/// How much is looked at at once, and how much of it again with what follows.
const PART: usize = 1 << 20;
const OVERLAP: usize = 1 << 10;

/// Databases that hold an account, or may. In a row of the table `account` the address of mail and that of the server
/// stand next to each other with nothing in between; nothing else is looked for, and nothing of it is kept.
pub(super) fn databases(place: &Where<'_>) -> Vec<(PathBuf, GapReason)> {
    let named = set(place, "OPENCODE_DB").zip(data(place)).map(|(file, folder)| folder.join(file));
    let own = data(place).and_then(|folder| entries(&folder)).unwrap_or_default();
    let own = own.into_iter().filter(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with("opencode") && (name.ends_with(".db") || name.ends_with(".db-wal"))
    });
    let log = named.as_ref().map(|path| {
        let mut log = path.clone().into_os_string();
        log.push("-wal");
        PathBuf::from(log)
    });
    let all = own.chain(named).chain(log);
    all.filter_map(|path| holds(&path).map(|reason| (path, reason))).collect()
}

/// Why a database may hold an account; nothing if it holds none.
fn holds(path: &Path) -> Option<GapReason> {
    let row = Regex::new(r"@[A-Za-z0-9.-]+https?://").ok()?;
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
    let file = match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(descriptor) => File::from(descriptor),
        Err(Errno::NOENT | Errno::NOTDIR) => return None,
        Err(Errno::LOOP) => return Some(GapReason::NotAsked),
        Err(_) => return Some(GapReason::Unreachable),
    };
    let meta = file.metadata().ok()?;
    if !meta.is_file() {
        return None;
    }
    if meta.len() > LARGEST {
        return Some(GapReason::TooLarge);
    }
    let mut file = file.take(LARGEST);
    let mut part: Vec<u8> = Vec::new();
    loop {
        let kept = part.len().saturating_sub(OVERLAP);
        part.drain(..kept);
        let before = part.len();
        match file.by_ref().take(PART as u64).read_to_end(&mut part) {
            Ok(_) if row.is_match(&part) => return Some(GapReason::NotAsked),
            Ok(_) if part.len() == before => return None,
            Ok(_) => {}
            Err(_) => return Some(GapReason::Vanished),
        }
    }
}
