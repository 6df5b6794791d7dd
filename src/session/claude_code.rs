//! Finds Claude Code: its settings files, and what they come to.

use std::path::{Path, PathBuf};

use deadstop_core::fact::{Fact, Gap, GapReason, Listed};
use deadstop_core::gate::claude_code::{ClaudePolicy, Ground, McpServer, parse, refusals as refused, ways};
use deadstop_core::gate::{FileText, Level};
use deadstop_core::id::{SessionId, SourceId};
use deadstop_core::model::reach::{Answered, Outcome};
use deadstop_core::model::{Agent, Decision, Refusal, Session, Source, Way};

use super::read::{Reading, read, shown, writable};
use super::{Discovered, Where, roots};

/// The most drop-in files of managed settings that are read.
const DROP_INS: usize = 256;

/// Where the agent keeps policy that its vendor's server delivers. Such policy stands in for the managed files, and how
/// this copy is used is not documented: if it says anything, managed settings are not known.
const SERVED: &str = "remote-settings.json";

fn id() -> SessionId {
    SessionId::from("claude-code")
}

/// Adds Claude Code, if there is a sign of it.
pub(super) fn discover(place: &Where<'_>, servers: &[McpServer], found: &mut Discovered) {
    if !present(place) {
        return;
    }
    let mut gaps: Vec<Gap> = Vec::new();
    let mut sources: Vec<Source> = Vec::new();
    let common = common(place, &mut sources);
    let folders: Vec<PathBuf> = if place.roots.is_empty() {
        place.home.map(Path::to_path_buf).into_iter().collect()
    } else {
        place.roots.to_vec()
    };
    let mut merged: Vec<Way> = Vec::new();
    for root in &folders {
        let mut files = common.clone();
        files.extend(own(place, root, &mut sources));
        gaps.extend(files.iter().filter_map(|file| file.text.gap().cloned()));
        let home = place.home.map(|home| home.display().to_string());
        let policy = parse(&files, &Ground { home, root: root.display().to_string() });
        let (next, because) = ways(&policy, &id(), servers, place.now);
        sources.extend(because);
        merged = if merged.is_empty() { next } else { join(merged, next) };
        found.notes.extend(policy.notes.iter().map(|note| format!("{}: {}", note.place, note.text)));
        found.policies.push(policy);
    }
    found.notes.sort();
    found.notes.dedup();
    sources.sort();
    sources.dedup_by(|a, b| a.id == b.id);
    gaps.sort();
    found.servers = servers.to_vec();
    found.sessions.push(Session {
        id: id(),
        key: "claude-code".to_owned(),
        name: "Claude Code".to_owned(),
        agent: Agent::ClaudeCode,
        machine: None,
        environment: None,
        roots: roots(place),
        reach: Fact::Known(Listed::Complete),
        ways: gaps.into_iter().next().map_or(Fact::Known(Listed::Complete), Fact::Unknown),
        sources: sources.iter().map(|source| source.id.clone()).collect(),
    });
    found.ways.extend(merged);
    found.sources.extend(sources);
}

/// The folder of the user's own settings.
fn config(place: &Where<'_>) -> Option<PathBuf> {
    let set = place.env.get("CLAUDE_CONFIG_DIR").filter(|folder| !folder.is_empty()).map(PathBuf::from);
    set.or_else(|| place.home.map(|home| home.join(".claude")))
}

fn present(place: &Where<'_>) -> bool {
    let there = |path: &Path| path.symlink_metadata().is_ok();
    config(place).is_some_and(|folder| there(&folder))
        || place.home.is_some_and(|home| there(&home.join(".claude.json")))
        || there(place.managed)
        || place.roots.iter().any(|root| there(&root.join(".claude")))
}

/// The files that hold for every folder.
fn common(place: &Where<'_>, sources: &mut Vec<Source>) -> Vec<FileText> {
    let mut files: Vec<FileText> = Vec::new();
    let mut add = |level, path: &Path| files.extend(file(place, level, path, sources));
    add(Level::Managed, &place.managed.join("managed-settings.json"));
    for path in drop_ins(&place.managed.join("managed-settings.d")) {
        add(Level::Managed, &path);
    }
    if let Some(folder) = config(place) {
        add(Level::Managed, &folder.join(SERVED));
        add(Level::User, &folder.join("settings.json"));
        if place.env.contains_key("CLAUDE_CONFIG_DIR") {
            add(Level::State, &folder.join(".claude.json"));
        }
    }
    if let Some(home) = place.home {
        add(Level::State, &home.join(".claude.json"));
    }
    // A later drop-in has the word over an earlier one, and all of them over the file beside them.
    let drop_ins = files.iter().take_while(|file| file.level == Level::Managed).count();
    if let Some(managed) = files.get_mut(..drop_ins) {
        managed.reverse();
    }
    files
}

/// The files of one folder.
fn own(place: &Where<'_>, root: &Path, sources: &mut Vec<Source>) -> Vec<FileText> {
    let folder = root.join(".claude");
    // Where the folder is the home, its settings are the user's and have been read.
    if config(place).is_some_and(|config| config == folder) {
        return Vec::new();
    }
    let mut locals = vec![folder.join("settings.local.json")];
    let top = root.ancestors().find(|folder| folder.join(".git").symlink_metadata().is_ok());
    locals.extend(top.filter(|top| *top != root).map(|top| top.join(".claude/settings.local.json")));
    let shared = file(place, Level::Project, &folder.join("settings.json"), sources);
    locals.iter().filter_map(|path| file(place, Level::Local, path, sources)).chain(shared).collect()
}

fn drop_ins(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = folder.read_dir() else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| entry.ok().map(|entry| entry.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    paths.truncate(DROP_INS);
    paths
}

fn file(place: &Where<'_>, level: Level, path: &Path, sources: &mut Vec<Source>) -> Option<FileText> {
    let name = shown(path, place.home);
    let id = SourceId(format!("gate/claude-code/{name}"));
    let (text, outcome) = match read(path) {
        Reading::Absent => return None,
        Reading::Text(text) if path.ends_with(SERVED) => {
            if matches!(text.trim(), "" | "{}") {
                return None;
            }
            let reason = GapReason::Unsupported;
            (Fact::Unknown(Gap { source: id.clone(), reason }), Outcome::Not(reason))
        }
        Reading::Text(text) => (Fact::Known(text), Outcome::Answered(Answered::Answered)),
        Reading::Gap(reason) => (Fact::Unknown(Gap { source: id.clone(), reason }), Outcome::Not(reason)),
    };
    sources.push(Source {
        id,
        provider: None,
        operation: format!("read {name}"),
        scope: None,
        outcome,
        at: place.now,
        run: None,
        excerpt: None,
        place: None,
        settle: None,
    });
    Some(FileText { level, path: name, text, writable: writable(path) })
}

/// The ways of a session that may start in either of two folders: of each way the freer one.
fn join(one: Vec<Way>, other: Vec<Way>) -> Vec<Way> {
    let mut joined = one;
    for way in other {
        match joined.iter_mut().find(|known| known.id == way.id) {
            Some(known) => freer(known, way),
            None => joined.push(way),
        }
    }
    joined
}

fn freer(known: &mut Way, mut way: Way) {
    let contained = loosest(&known.contained, &way.contained);
    let mut escapes = [known.escapes.clone(), way.escapes.clone()].concat();
    let mut sources = [known.sources.clone(), way.sources.clone()].concat();
    let (here, there) = (rank(&known.decision), rank(&way.decision));
    if there > here {
        std::mem::swap(known, &mut way);
    } else if there == here {
        known.overrides.append(&mut way.overrides);
        known.managed = known.managed && way.managed;
    }
    escapes.sort();
    escapes.dedup();
    sources.sort();
    sources.dedup();
    known.overrides.sort();
    known.overrides.dedup();
    (known.contained, known.escapes, known.sources) = (contained, escapes, sources);
}

fn rank(decision: &Fact<Decision>) -> u8 {
    match decision {
        Fact::Known(Decision::Deny) => 0,
        Fact::Known(Decision::Ask) => 1,
        Fact::Unknown(_) => 2,
        Fact::Known(Decision::Reviewed) => 3,
        Fact::Known(Decision::Allow) => 4,
    }
}

fn loosest(one: &Fact<bool>, other: &Fact<bool>) -> Fact<bool> {
    match (one, other) {
        (Fact::Known(false), _) | (_, Fact::Known(false)) => Fact::Known(false),
        (Fact::Unknown(gap), _) | (_, Fact::Unknown(gap)) => Fact::Unknown(gap.clone()),
        (Fact::Known(true), Fact::Known(true)) => Fact::Known(true),
    }
}

/// What every one of the folders refuses. Of the steps that lift a refusal each counts.
pub(super) fn refusals(policies: &[ClaudePolicy], servers: &[McpServer], path: &str) -> Vec<Refusal> {
    let mut all = policies.iter().map(|policy| refused(policy, &id(), servers, path));
    let first = all.next().unwrap_or_default();
    all.fold(first, |kept, next| {
        let both = kept.into_iter().filter_map(|mut refusal| {
            let other = next.iter().find(|other| other.way == refusal.way)?;
            refusal.overrides.extend(other.overrides.iter().cloned());
            refusal.overrides.sort();
            refusal.overrides.dedup();
            Some(refusal)
        });
        both.collect()
    })
}
