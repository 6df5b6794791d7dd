//! How a path is shown: the home as `~`, the folders as `./…`, and nothing that could act on a terminal (floor 5).

use std::path::{Path, PathBuf};

use crate::surroundings::Surroundings;

/// Folders with short names, longest first.
pub(crate) struct Places {
    bases: Vec<(PathBuf, String)>,
}

impl Places {
    pub(crate) fn new(surroundings: &Surroundings) -> Self {
        let whole = |path: &Path| std::fs::canonicalize(path).unwrap_or_else(|_| surroundings.cwd.join(path));
        let mut bases: Vec<(PathBuf, String)> = Vec::new();
        let cwd = whole(&surroundings.cwd);
        for root in &surroundings.roots {
            let root = whole(root);
            if surroundings.roots.len() == 1 || root == cwd {
                bases.push((root, ".".to_owned()));
            } else if let Ok(rest) = root.strip_prefix(&cwd) {
                let name = format!("./{}", printable(&rest.to_string_lossy()));
                bases.push((root.clone(), name));
            }
        }
        if let Some(home) = &surroundings.home {
            bases.push((whole(home), "~".to_owned()));
        }
        if let Some(system) = surroundings.system.as_deref().map(whole).filter(|system| system.parent().is_some()) {
            bases.push((system, String::new()));
        }
        // A root that is the home itself is shown as the home.
        bases.sort_by(|a, b| b.0.as_os_str().len().cmp(&a.0.as_os_str().len()).then_with(|| b.1.cmp(&a.1)));
        Self { bases }
    }

    pub(crate) fn show(&self, path: &Path) -> String {
        for (base, name) in &self.bases {
            if let Ok(rest) = path.strip_prefix(base) {
                let rest = printable(&rest.to_string_lossy());
                return if rest.is_empty() { name.clone() } else { format!("{name}/{rest}") };
            }
        }
        printable(&path.to_string_lossy())
    }
}

/// The text with its control and direction characters spelt out.
pub(crate) fn printable(text: &str) -> String {
    let acts = |c: char| {
        c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if acts(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    out
}
