//! A module uses the floors below its own and what stands before it on its own floor. The floors are those that the
//! documentation of each crate lists, so that the list and the sources cannot part.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::program::sources;

/// The modules of a crate, lowest first, as its `lib.rs` lists them.
fn order(lib: &Path) -> Vec<String> {
    let text = fs::read_to_string(lib).unwrap();
    let mut floors: Vec<(u32, Vec<String>)> = Vec::new();
    for line in text.lines() {
        let Some((floor, rest)) = line.strip_prefix("//! - ").and_then(|line| line.split_once(": ")) else { continue };
        let Ok(floor) = floor.parse() else { continue };
        floors.push((floor, rest.split('`').skip(1).step_by(2).map(str::to_owned).collect()));
    }
    floors.sort();
    floors.into_iter().flat_map(|(_, modules)| modules).collect()
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|ending| ending == "rs") && !path.ends_with("tests.rs") {
            files.push(path);
        }
    }
}

/// The modules that text names after `root::`: one word, or the first words of a group.
fn named(text: &str, root: &str) -> BTreeSet<String> {
    let word = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices(root) {
        let before = text[..at].chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &text[at + root.len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut start = 0;
            for (n, c) in group.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' | ',' if depth == 0 => {
                        found.insert(word(group[start..n].trim_start()));
                        start = n + 1;
                        if c == '}' {
                            break;
                        }
                    }
                    '}' => depth -= 1,
                    _ => {}
                }
            }
        } else {
            found.insert(word(rest));
        }
    }
    found.remove("");
    found
}

/// Source text up to its tests, without comments.
fn code(text: &str) -> String {
    let end = text.find("#[cfg(test)]\nmod ").unwrap_or(text.len());
    text[..end].lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

fn held(folder: &Path) -> usize {
    let order = order(&folder.join("lib.rs"));
    let mut files = Vec::new();
    rust_files(folder, &mut files);
    let mut wrong = Vec::new();
    for file in &files {
        let inside = file.strip_prefix(folder).unwrap();
        let module = inside.components().next().unwrap().as_os_str().to_string_lossy().replace(".rs", "");
        if module == "lib" || module == "main" {
            continue;
        }
        let Some(place) = order.iter().position(|name| *name == module) else {
            wrong.push(format!("{module} stands on no floor: list it in lib.rs"));
            continue;
        };
        for used in named(&code(&fs::read_to_string(file).unwrap()), "crate::") {
            let floor = order.iter().position(|name| *name == used);
            if floor.is_none_or(|floor| floor > place) && used != module {
                wrong.push(format!("{} uses {used}, which stands above it", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    files.len()
}

#[test]
fn the_core_keeps_its_floors() {
    assert!(held(&sources().join("crates/core/src")) > 20);
}

#[test]
fn the_shell_keeps_its_floors() {
    assert!(held(&sources().join("src")) > 20);
}

#[test]
fn imports_are_found_however_they_are_written() {
    let text = "use crate::a::B;\nuse crate::{c::D, e::{F, G}, h};\nlet x = crate::i::j();\nuse deadstop_core::k;";
    assert_eq!(named(text, "crate::").into_iter().collect::<String>(), "acehi");
    assert_eq!(named(text, "deadstop_core::").into_iter().collect::<String>(), "k");
}

#[test]
fn no_source_is_longer_than_it_may_be() {
    let mut files = Vec::new();
    for folder in ["src", "tests/integration"] {
        rust_files(&sources().join(folder), &mut files);
    }
    let long = files.iter().filter(|file| code(&fs::read_to_string(file).unwrap()).lines().count() > 500);
    assert_eq!(long.collect::<Vec<_>>(), Vec::<&PathBuf>::new());
}
