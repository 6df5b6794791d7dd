//! Opening and listing folders without following a link (floor 4).

use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

/// A folder that is open.
pub(super) struct Open {
    pub(super) fd: OwnedFd,
    pub(super) device: u64,
    pub(super) number: u64,
    /// Whether the kernel makes its files up as they are read.
    pub(super) pseudo: bool,
}

/// Why a folder could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FolderError {
    /// This user may not.
    Refused,
    /// It is not there.
    Gone,
    /// Something else has its name, a link among others.
    NotAFolder,
    /// The system would not.
    Failed,
}

impl From<Errno> for FolderError {
    fn from(error: Errno) -> Self {
        match error {
            Errno::ACCESS | Errno::PERM => Self::Refused,
            Errno::NOENT => Self::Gone,
            Errno::NOTDIR | Errno::LOOP | Errno::XDEV => Self::NotAFolder,
            _ => Self::Failed,
        }
    }
}

/// Kernel file systems: proc, sysfs, devpts, debugfs, tracefs, securityfs, cgroup, cgroup2, bpf, pstore, efivarfs,
/// configfs, fusectl, mqueue, binfmt_misc, selinuxfs.
const PSEUDO: [u64; 16] = [
    0x9fa0,
    0x6265_6572,
    0x1cd1,
    0x6462_6720,
    0x7472_6163,
    0x7363_6673,
    0x0027_e0eb,
    0x6367_7270,
    0xcafe_4a11,
    0x6165_676c,
    0xde5e_81e4,
    0x6265_6570,
    0x6573_5543,
    0x1980_0202,
    0x4249_4e4d,
    0xf97c_ff8c,
];

const FOLDER: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOCTTY);

/// Opens the folder `below` under `root` with no link on the way.
pub(super) fn open_folder(root: &Path, below: &Path) -> Result<Open, FolderError> {
    let top = rustix::fs::openat(CWD, root, FOLDER, Mode::empty())?;
    let fd = if below.as_os_str().is_empty() {
        top
    } else {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        match rustix::fs::openat2(&top, below, FOLDER, Mode::empty(), resolve) {
            Ok(fd) => fd,
            // An older kernel, a sandbox without the call, or a path longer than the kernel takes in one piece.
            Err(Errno::NOSYS | Errno::NAMETOOLONG | Errno::PERM | Errno::INVAL) => step_down(top, below)?,
            Err(error) => return Err(error.into()),
        }
    };
    let stat = rustix::fs::fstat(&fd)?;
    let kind = rustix::fs::fstatfs(&fd).map_or(0, |system| u64::try_from(system.f_type).unwrap_or(0) & 0xffff_ffff);
    Ok(Open { fd, device: stat.st_dev, number: stat.st_ino, pseudo: PSEUDO.contains(&kind) })
}

/// The same one name at a time.
fn step_down(top: OwnedFd, below: &Path) -> Result<OwnedFd, FolderError> {
    let mut fd = top;
    for name in below.iter() {
        fd = rustix::fs::openat(&fd, name, FOLDER, Mode::empty())?;
    }
    Ok(fd)
}

/// The names in a folder with their kinds, sorted.
pub(super) fn list(folder: &OwnedFd) -> Result<Vec<(PathBuf, FileType)>, ()> {
    let mut names = Vec::new();
    for entry in Dir::read_from(folder).map_err(|_| ())? {
        let entry = entry.map_err(|_| ())?;
        let name = entry.file_name().to_bytes();
        if name == b"." || name == b".." {
            continue;
        }
        let mut kind = entry.file_type();
        if kind == FileType::Unknown
            && let Ok(stat) = rustix::fs::statat(folder, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW)
        {
            kind = FileType::from_raw_mode(stat.st_mode);
        }
        names.push((PathBuf::from(OsString::from_vec(name.to_vec())), kind));
    }
    names.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(names)
}

/// The files of a report.
const OWN: [&str; 13] = [
    "manifest.json",
    "report.html",
    "assessment.json",
    "facts.json",
    "summary.md",
    "calls.jsonl",
    ".gitignore",
    "deadstop.sarif",
    "junit.xml",
    "findings.csv",
    "gl-code-quality.json",
    "ocsf.jsonl",
    "oscal.json",
];

/// Whether Deadstop wrote this folder: its manifest is in it, beside its report.
pub(super) fn is_own_output(folder: &OwnedFd, listing: &[(PathBuf, FileType)]) -> bool {
    let has = |name: &str| listing.iter().any(|(path, kind)| path == Path::new(name) && kind.is_file());
    // A folder with anything else in it may have been made to look like a report.
    let ours = |(path, kind): &(PathBuf, FileType)| kind.is_file() && OWN.iter().any(|own| path == Path::new(own));
    if !has("manifest.json") || !has("report.html") || !listing.iter().all(ours) {
        return false;
    }
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let Ok(file) = rustix::fs::openat(folder, "manifest.json", flags, Mode::empty()) else { return false };
    let mut head = vec![0_u8; 4096];
    let read = rustix::io::read(&file, &mut head).unwrap_or(0);
    let mark = b"\"deadstop.manifest/1\"";
    head.get(..read).is_some_and(|head| head.windows(mark.len()).any(|window| window == mark))
}
