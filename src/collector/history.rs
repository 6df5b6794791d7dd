//! What only the history of a repository still holds (floor 5).
//!
//! Every object is looked at once, in the order of the packs. Which commit and which path it has is asked only for those
//! in which something was found, and these are then read as the file of that path would be.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::{BufRead, Read, Take, Write};
use std::path::{Path, PathBuf};

use deadstop_core::fact::GapReason;

use super::find::{Find, Finds};
use super::places::{Places, printable};
use super::reader::Reader;
use super::scan::{Scanner, Style};
use super::store;
use crate::secret::Secret;
use crate::walk::{Chunk, Limits, Reading, Texts, Visitor};

mod git;

use git::{Mirror, Out};

/// How much of a commit or a tree is taken apart; a larger one is a gap.
const PARSED: u64 = 32 << 20;
/// Digits of an id that are shown; git takes them for the whole.
const SHOWN: usize = 12;

/// How a repository is shown: as the folder that it is the history of.
pub(super) fn show(places: &Places, repository: &Path) -> String {
    let folder = if repository.ends_with(".git") { repository.parent() } else { None };
    places.show(folder.unwrap_or(repository))
}

/// Reads the history of a repository. What keeps it from being read to its end comes back.
pub(super) fn read(
    repository: &Path,
    shown: &str,
    limits: Limits<'_>,
    reader: &mut Reader<'_>,
    out: &mut Finds,
) -> BTreeSet<GapReason> {
    let mut gaps = BTreeSet::new();
    if let Err(reason) = look(repository, shown, limits, reader, out, &mut gaps) {
        gaps.insert(reason);
    }
    gaps
}

fn look(
    repository: &Path,
    shown: &str,
    limits: Limits<'_>,
    reader: &mut Reader<'_>,
    finds: &mut Finds,
    gaps: &mut BTreeSet<GapReason>,
) -> Result<(), GapReason> {
    let mirror = Mirror::of(repository, limits, gaps)?;
    let mut glance = Glance::new(reader.scanner);
    let mut texts = Texts::default();
    let listing = ["cat-file", "--batch-all-objects", "--batch", "--unordered", "--buffer"];
    let ended = mirror.git(
        &listing,
        |_| Ok(()),
        limits,
        |out| objects(out, gaps, |object, body, gaps| glance.at(object, body, &mut texts, limits, gaps)),
    );
    // What was found before it ended counts, whyever it ended.
    gaps.extend(ended.err());
    if glance.suspects.is_empty() {
        return Ok(());
    }
    let places = placed(&mirror, &mut glance, limits);
    let ids: Vec<String> = glance.suspects.keys().cloned().collect();
    let feed = move |input: &mut dyn Write| ids.iter().try_for_each(|id| writeln!(input, "{id}"));
    let mut found = Vec::new();
    let ended = mirror.git(&["cat-file", "--batch", "--buffer"], feed, limits, |out| {
        objects(out, gaps, |object, body, gaps| {
            let place = places.get(&object.id).cloned().unwrap_or_else(|| Place::unknown(object));
            gaps.extend(texts.read(&place.path, body, object.size, limits, reader).err());
            let label = if shown == "." { place.label() } else { format!("{} in {shown}", place.label()) };
            let mut there = reader.take_history(&label);
            found.extend(there.finds.drain(..).map(|find| (place.clone(), find)));
            finds.append(there);
            Ok(())
        })
    });
    finds.finds.extend(newest(found));
    ended
}

/// Of one secret in many versions of one file the newest.
fn newest(mut found: Vec<(Place, Find)>) -> Vec<Find> {
    found.sort_by(|(a, one), (b, other)| (a, &one.spot).cmp(&(b, &other.spot)));
    let mut kept: BTreeMap<_, Vec<Option<Secret>>> = BTreeMap::new();
    found.retain(|(place, find)| {
        let name = (find.provider.clone(), find.kind.clone(), find.public_id.clone(), find.spot.key.clone());
        let known = kept.entry((place.path.clone(), name)).or_default();
        let fresh = !known.contains(&find.secret);
        if fresh {
            known.push(find.secret.clone());
        }
        fresh
    });
    found.into_iter().map(|(_, find)| find).collect()
}

/// Where in the history an object is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// The commit's place among all, the newest first.
    order: usize,
    path: PathBuf,
    /// The commit, or the object itself where no commit was found to have it.
    id: String,
    /// Whether the path is one within the commit.
    within: bool,
}

impl Place {
    /// A message, or a file that no commit was found to have.
    fn unknown(object: &Object) -> Self {
        Self { order: usize::MAX, path: PathBuf::from(&object.kind), id: object.id.clone(), within: false }
    }

    fn label(&self) -> String {
        let id: String = self.id.chars().take(SHOWN).collect();
        // What follows ` in ` is the repository, so that no file's name may seem to lie in another.
        let path = printable(&self.path.to_string_lossy()).replace(" in ", "\\u{20}in ");
        if self.within { format!("{id}:{path}") } else { format!("{path} {id}") }
    }
}

/// The newest commit that brought each suspect in, and its path there.
fn placed(mirror: &Mirror, glance: &mut Glance<'_>, limits: Limits<'_>) -> BTreeMap<String, Place> {
    glance.commits.sort_unstable_by(|a, b| b.cmp(a));
    let mut places = BTreeMap::new();
    let wanted = glance.suspects.values().filter(|kind| *kind == "blob").count();
    let (commits, length) = (std::mem::take(&mut glance.commits), glance.id_length);
    let feed = move |input: &mut dyn Write| {
        commits.iter().try_for_each(|(_, id)| writeln!(input, "{}", hex(id.get(..length).unwrap_or_default())))
    };
    let arguments = ["diff-tree", "--stdin", "-r", "--root", "-m", "-z", "--raw", "--no-renames", "--no-abbrev"];
    // Where this fails, the object is named instead of the commit: it was read all the same.
    let _ = mirror.git(&arguments, feed, limits, |out| {
        let (mut order, mut commit, mut blob) = (0, String::new(), None);
        let mut word = Vec::new();
        while places.len() < wanted {
            word.clear();
            if out.read_until(0, &mut word).map_err(|_| GapReason::Malformed)? == 0 {
                break;
            }
            word.pop();
            if let Some(id) = blob.take() {
                let path = git::path(&word);
                places.entry(id).or_insert_with(|| Place { order, path, id: commit.clone(), within: true });
            } else if word.first() == Some(&b':') {
                let text = String::from_utf8_lossy(&word).into_owned();
                let id = text.split(' ').nth(3).unwrap_or_default();
                // The path of a change that is not asked for has to be read past.
                blob = Some(if glance.suspects.contains_key(id) { id.to_owned() } else { String::new() });
            } else {
                commit = String::from_utf8_lossy(&word).into_owned();
                order += 1;
            }
            places.remove("");
        }
        Ok(())
    });
    places
}

/// An object of git as `cat-file` announces it.
struct Object {
    id: String,
    kind: String,
    size: u64,
}

type Body<'a> = Take<&'a mut Out>;

/// Hands each object that `git cat-file --batch` writes to `each`, and reads past what that leaves.
fn objects(
    out: &mut Out,
    gaps: &mut BTreeSet<GapReason>,
    mut each: impl FnMut(&Object, &mut Body<'_>, &mut BTreeSet<GapReason>) -> Result<(), GapReason>,
) -> Result<(), GapReason> {
    let mut line = Vec::new();
    loop {
        line.clear();
        let mut head: Body<'_> = Read::take(&mut *out, 200);
        head.read_until(b'\n', &mut line).map_err(|_| GapReason::Malformed)?;
        if line.is_empty() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&line);
        let mut words = text.trim_end().split(' ');
        let (Some(id), Some(kind), size) = (words.next(), words.next(), words.next()) else {
            return Err(GapReason::Malformed);
        };
        if kind == "missing" {
            gaps.insert(GapReason::Unreachable);
            continue;
        }
        let size = size.and_then(|size| size.parse().ok()).ok_or(GapReason::Malformed)?;
        let object = Object { id: id.to_owned(), kind: kind.to_owned(), size };
        let mut body: Body<'_> = Read::take(&mut *out, size);
        each(&object, &mut body, gaps)?;
        std::io::copy(&mut body, &mut std::io::sink()).map_err(|_| GapReason::Malformed)?;
        let mut end = [0_u8];
        if body.limit() > 0 || out.read_exact(&mut end).is_err() {
            return Err(GapReason::Malformed);
        }
    }
}

/// The first look at every object: whether it is worth a second one.
struct Glance<'a> {
    scanner: &'a Scanner,
    /// Whether something was seen in the object at hand.
    hit: bool,
    /// Objects to be looked at again, with their kinds.
    suspects: BTreeMap<String, String>,
    /// Every commit, with the second at which it was made. There may be a million, so that it is kept small.
    commits: Vec<(u64, [u8; 32])>,
    /// Bytes of an id.
    id_length: usize,
}

impl<'a> Glance<'a> {
    const fn new(scanner: &'a Scanner) -> Self {
        Self { scanner, hit: false, suspects: BTreeMap::new(), commits: Vec::new(), id_length: 0 }
    }

    fn at(
        &mut self,
        object: &Object,
        body: &mut Body<'_>,
        texts: &mut Texts,
        limits: Limits<'_>,
        gaps: &mut BTreeSet<GapReason>,
    ) -> Result<(), GapReason> {
        self.hit = false;
        if object.kind == "blob" {
            gaps.extend(texts.read(Path::new(""), body, object.size, limits, self).err());
        } else {
            let mut whole = Vec::new();
            if object.size > PARSED {
                gaps.insert(GapReason::TooLarge);
                return Ok(());
            }
            body.read_to_end(&mut whole).map_err(|_| GapReason::Malformed)?;
            if object.kind == "tree" {
                self.named(&whole, object.id.len() / 2);
                return Ok(());
            }
            if object.kind == "commit" {
                self.id_length = object.id.len() / 2;
                self.commits.extend(bytes(&object.id).map(|id| (committed(&whole), id)));
            }
            gaps.extend(texts.read(Path::new(""), &mut whole.as_slice(), object.size, limits, self).err());
        }
        if self.hit {
            self.suspects.insert(object.id.clone(), object.kind.clone());
        }
        Ok(())
    }

    /// Takes the entries of a tree that are known by their names alone.
    fn named(&mut self, tree: &[u8], id_length: usize) {
        let mut rest = tree;
        while let Some(end) = memchr::memchr(0, rest) {
            let (entry, after) = rest.split_at(end);
            let Some((id, next)) = after.get(1..).and_then(|after| after.split_at_checked(id_length)) else { return };
            let name = entry.splitn(2, |byte| *byte == b' ').nth(1).unwrap_or_default();
            if entry.starts_with(b"100") && self.scanner.rules.stores.named(&String::from_utf8_lossy(name)) {
                self.suspects.insert(hex(id), "blob".to_owned());
            }
            rest = next;
        }
    }
}

fn hex(id: &[u8]) -> String {
    id.iter().fold(String::with_capacity(id.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// The bytes of an id, with zeros behind a shorter one.
fn bytes(hex: &str) -> Option<[u8; 32]> {
    let mut id = [0; 32];
    for (place, digits) in id.iter_mut().zip(hex.as_bytes().chunks(2)) {
        *place = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(id)
}

/// When a commit was made: the number before the zone at the end of its `committer` line.
fn committed(commit: &[u8]) -> u64 {
    let line = commit.split(|byte| *byte == b'\n').take_while(|line| !line.is_empty());
    let line = line.into_iter().find(|line| line.starts_with(b"committer ")).unwrap_or_default();
    let time = line.rsplit(|byte| *byte == b' ').nth(1).unwrap_or_default();
    std::str::from_utf8(time).ok().and_then(|time| time.parse().ok()).unwrap_or(0)
}

impl Visitor for Glance<'_> {
    fn open(&mut self, _: &Path) -> Reading {
        Reading::Text
    }

    fn head(&mut self, first: &[u8]) -> Option<usize> {
        // Its name is not known yet: a form that a name would make a store of is enough.
        self.hit |= ["a.json", "a.yaml"].iter().any(|name| store::recognise(None, name, first).is_some());
        None
    }

    fn chunk(&mut self, chunk: &Chunk<'_>) {
        for style in [Style::Config, Style::Env] {
            if !self.hit {
                let mut raws = Vec::new();
                self.scanner.scan(chunk.bytes, chunk.fresh.clone(), style, &mut raws);
                self.hit = !raws.is_empty();
            }
        }
    }

    fn whole(&mut self, _: Option<&[u8]>) {}

    fn again(&mut self) {}

    fn close(&mut self) {}
}
