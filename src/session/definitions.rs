//! Finds what defines subagents, skills and commands of Claude Code, below a settings folder.

use std::path::{Path, PathBuf};

/// Folders in which every Markdown file is a definition, at any depth (code.claude.com/docs/en/sub-agents, …/skills).
const TREES: [&str; 2] = ["agents", "commands"];

/// The most definitions that are read of one settings folder.
const MOST: usize = 512;

/// How deep they are looked for.
const DEEPEST: usize = 8;

/// The files to read. A folder that is not looked into to its end is among them: reading it is a gap.
pub(super) fn definitions(settings: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for name in TREES {
        tree(&settings.join(name), 0, &mut found);
    }
    skills(&settings.join("skills"), &mut found);
    found.sort();
    found
}

fn tree(path: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    let Ok(kind) = path.symlink_metadata() else { return };
    let markdown = path.extension().is_some_and(|extension| extension == "md");
    if kind.is_dir() {
        match entries(path).filter(|entries| depth < DEEPEST && entries.len() + found.len() <= MOST) {
            Some(entries) => entries.iter().for_each(|entry| tree(entry, depth + 1, found)),
            None => found.push(path.to_owned()),
        }
    } else if markdown || (kind.is_symlink() && path.is_dir()) {
        found.push(path.to_owned());
    }
}

/// Each skill is a folder with a file of a fixed name.
fn skills(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(kind) = folder.symlink_metadata() else { return };
    match entries(folder).filter(|entries| kind.is_dir() && entries.len() <= MOST) {
        Some(entries) => {
            let linked = |path: &Path| path.is_symlink() && path.is_dir();
            let files = entries.into_iter().map(|path| if linked(&path) { path } else { path.join("SKILL.md") });
            found.extend(files.filter(|path| path.symlink_metadata().is_ok()));
        }
        None => found.push(folder.to_owned()),
    }
}

fn entries(folder: &Path) -> Option<Vec<PathBuf>> {
    let entries = folder.read_dir().ok()?.take(MOST + 1);
    let entries: Result<Vec<PathBuf>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    entries.ok().map(|mut paths| {
        paths.sort();
        paths
    })
}
