//! `SQLite`: who may write a file that settings name, or take it away, and what it holds.
//!
//! It is a file of this machine, so that it is looked at with no connection and no `--live`: its modes, and the pages that tell
//! how much each table takes. Whoever may write it may do all; whoever may write its folder may remove it, or put another in its
//! place; its owner may change its mode. Nothing is ever said to be stopped there: what other programs of the machine may be
//! made to write is not known. Its log is no copy.
//! <https://www.sqlite.org/security.html>, <https://man7.org/linux/man-pages/man2/unlink.2.html>, <https://litestream.io/how-it-works/>.

mod pages;

use std::fs::{File, Metadata};
use std::io::Read as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use deadstop_core::bundle::Bundle;
use deadstop_core::fact::{Fact, GapReason, Listed};
use deadstop_core::id::{NodeId, PrincipalId, StepId};
use deadstop_core::model::{Asset, Atom, Basis, Class, Copy, CopyKind, Grant, Principal, Status, Step};
use deadstop_core::time::Time;
use rustix::fs::{Access, access};

use super::databases::size;
use super::facts::{About, Facts};
use super::platform::{anything, untried};
use super::token::shown;
use super::{Learnt, join};
use crate::collector::Paths;

const ABOUT: About = About { provider: "sqlite", scope: "SQLite", allow: "to read the file and its folder" };

const MODES: &str = "look at the modes";
const WEIGH: &str = "weigh the tables";
const BACKUP: &str = "look for Litestream";

/// What whoever writes a file does, and what whoever writes its folder does.
const WRITES: [&str; 4] = ["DROP TABLE", "DELETE", "UPDATE", "write"];
const REMOVES: [&str; 1] = ["rm"];
/// The mode of a folder in which only an owner removes a file.
const STICKY: u32 = 0o1000;

/// Looks at the files that were named and lie in what is read.
pub(crate) fn look(bundle: &mut Bundle, paths: &Paths, read: &[PathBuf], at: Time) {
    let within = |path: &Path| read.iter().any(|root| path.starts_with(root));
    let named = |asset: &Asset| {
        let name = asset.id.as_str().strip_prefix("sqlite:").filter(|_| asset.provider == "sqlite")?;
        Some((asset.id.clone(), name.to_owned(), paths.get(name).filter(|path| within(path))?.to_path_buf()))
    };
    let files: Vec<(NodeId, String, PathBuf)> = bundle.assets.items.iter().filter_map(named).collect();
    if files.is_empty() {
        return;
    }
    let mut learnt = Learnt::new(Facts::new(ABOUT, at));
    for (node, name, path) in files {
        let of = bundle.credentials.items.iter().filter(|one| one.within.as_ref() == Some(&node));
        let held: Vec<_> = of.filter_map(|one| Some((one.id.clone(), one.identity.known()?.clone()))).collect();
        let Some((_, who)) = held.first().cloned() else { continue };
        for (credential, _) in &held {
            learnt.identities.insert(credential.clone(), (Fact::Known(who.clone()), Fact::Known(Status::Live)));
        }
        one(&mut learnt.facts, (&node, &name), (&path, read), &who);
        learnt.described.push(node);
    }
    join(bundle, learnt);
}

fn one(facts: &mut Facts, (node, name): (&NodeId, &str), (path, read): (&Path, &[PathBuf]), who: &PrincipalId) {
    let source = facts.source(MODES, name);
    facts.principals.push(Principal {
        id: who.clone(),
        provider: facts.provider().to_owned(),
        name: format!("whoever may write {name}"),
        environment: None,
        grants: Fact::Known(Listed::Complete),
        sources: vec![source.clone()],
    });
    let may = May::of(path);
    for (actions, because) in &may.now {
        facts.grants.push(Grant {
            principal: who.clone(),
            actions: actions.iter().map(|action| (*action).to_owned()).collect(),
            target: node.clone(),
            allowed: Fact::Known(true),
            basis: Basis::Observed,
            because: (*because).to_owned(),
            sources: vec![source.clone()],
        });
    }
    if let Some(because) = may.later {
        let right =
            |action: &str| Atom::Right { principal: who.clone(), action: action.to_owned(), target: node.clone() };
        facts.steps.push(Step {
            id: StepId(format!("{who}:mode")),
            session: None,
            needs: vec![Atom::Principal(who.clone())],
            gains: WRITES.iter().chain(&REMOVES).map(|action| right(action)).collect(),
            changes: true,
            possible: Fact::Known(true),
            because: because.to_owned(),
            sources: vec![source.clone()],
        });
    }
    let why = "what else of this machine writes the file, and may be made to, is not known";
    let gap = facts.doubt(name, why);
    facts.grants.push(Grant {
        principal: who.clone(),
        actions: anything(),
        target: node.clone(),
        allowed: Fact::Unknown(gap.clone()),
        basis: Basis::None,
        because: "what it may do there is not all known".to_owned(),
        sources: vec![gap.source],
    });
    let holds = held(path, name, facts);
    let why = "copies of a file lie elsewhere, and are not seen from it";
    let gap = facts.doubt(&format!("{name}, its copies"), why);
    facts.assets.push(Asset {
        id: node.clone(),
        provider: facts.provider().to_owned(),
        kind: "file".to_owned(),
        class: Class::Database,
        name: name.to_owned(),
        parent: None,
        environment: Fact::Known(String::new()),
        contents: None,
        protections: Fact::Known(Listed::Complete),
        copies: Fact::Unknown(gap),
        behind: Vec::new(),
        holds,
        sources: vec![source],
    });
    if let Some(trace) = litestream(path, read) {
        copied(facts, node, name, trace);
    }
}

/// What this user may do to a file.
#[derive(Default)]
struct May {
    now: Vec<(&'static [&'static str], &'static str)>,
    /// What makes it all possible.
    later: Option<&'static str>,
}

impl May {
    fn of(path: &Path) -> Self {
        let (Ok(file), Some(folder)) = (std::fs::symlink_metadata(path), path.parent()) else { return Self::default() };
        let Ok(above) = std::fs::metadata(folder) else { return Self::default() };
        let me = rustix::process::geteuid().as_raw();
        let mine = |what: &Metadata| me == 0 || what.uid() == me;
        let mut may = Self::default();
        if access(path, Access::WRITE_OK).is_ok() {
            may.now.push((&WRITES, "this user may write the file"));
        }
        let free = above.mode() & STICKY == 0 || mine(&file) || mine(&above);
        if access(folder, Access::WRITE_OK | Access::EXEC_OK).is_ok() && free {
            may.now.push((&REMOVES, "this user may write its folder, and so remove it"));
        }
        if mine(&file) || mine(&above) {
            may.later = Some("change the mode of the file or of its folder, as their owner may");
        }
        may
    }
}

/// Opens what is no link, and waits for nobody: a pipe has no end.
fn open(path: &Path) -> std::io::Result<File> {
    let flags = rustix::fs::OFlags::NOFOLLOW | rustix::fs::OFlags::NONBLOCK;
    let flags = i32::try_from(flags.bits()).map_err(std::io::Error::other)?;
    File::options().read(true).custom_flags(flags).open(path)
}

/// The largest tables, in words.
fn held(path: &Path, name: &str, facts: &mut Facts) -> Option<String> {
    let weighed = open(path).map_err(|_| GapReason::Denied).and_then(|file| {
        if file.metadata().is_ok_and(|about| about.is_file()) {
            pages::weigh(&file)
        } else {
            Err(GapReason::Unsupported)
        }
    });
    match weighed {
        Ok(tables) => {
            facts.source(WEIGH, name);
            let shown: Vec<String> =
                tables.iter().take(3).map(|(table, bytes)| format!("{} ({})", shown(table), size(*bytes))).collect();
            (!shown.is_empty()).then(|| format!("largest {}", shown.join(", ")))
        }
        Err(reason) => {
            facts.refused(WEIGH, name, &super::Fault::of(reason));
            None
        }
    }
}

/// What Litestream leaves beside a file that it copies, or a configuration of it that names the file.
fn litestream(path: &Path, read: &[PathBuf]) -> Option<&'static str> {
    let (folder, name) = (path.parent()?, path.file_name()?.to_str()?);
    if folder.join(format!(".{name}-litestream")).is_dir() {
        return Some("Litestream has been at work on the file");
    }
    let names = |folder: &Path| {
        let mut text = String::new();
        let file = open(&folder.join("litestream.yml")).ok()?;
        file.metadata().ok()?.is_file().then_some(())?;
        file.take(64 << 10).read_to_string(&mut text).ok()?;
        text.contains(name).then_some("a configuration of Litestream names the file")
    };
    let within = |folder: &&Path| read.iter().any(|root| folder.starts_with(root));
    folder.ancestors().take(4).take_while(within).find_map(names)
}

/// A copy of which nothing is known but the trace of what makes it.
fn copied(facts: &mut Facts, of: &NodeId, name: &str, trace: &str) {
    let source = facts.source(BACKUP, name);
    let why = "where Litestream puts copies of the file, and whether it still does, is not seen from it";
    let gap = facts.doubt(&format!("{name}, Litestream"), why);
    let unknown = || gap.clone();
    facts.copies.push(Copy {
        id: NodeId(format!("{of}#litestream")),
        of: of.clone(),
        kind: CopyKind::Pitr,
        name: format!("what Litestream keeps of {name}"),
        place: None,
        lag: Fact::Unknown(unknown()),
        ends: Fact::Unknown(unknown()),
        dies_with: Fact::Unknown(unknown()),
        destroyed_by: Fact::Unknown(unknown()),
        needs: Vec::new(),
        drills: untried(),
        basis: Basis::Inferred,
        because: format!("{trace}; where to it is copied is not seen from here"),
        sources: vec![source],
    });
}
