//! Embeds `templates/`, `worlds/`, `checks/` and the rules of detection in the binary as tables of file name and text.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    writeln!(io::stdout(), "cargo::rerun-if-changed=build.rs")?;
    for folder in ["templates", "worlds", "checks", "src/collector/rules"] {
        let table = table(&root, folder)?;
        let name = folder.rsplit('/').next().unwrap_or(folder);
        fs::write(out.join(format!("{name}.rs")), format!("&[\n{table}]\n"))?;
    }
    Ok(())
}

/// One line per file of a folder and what is in it, sorted by name. Files right in the folder go by their own name,
/// those below by their path.
fn table(root: &Path, folder: &str) -> io::Result<String> {
    let mut files = Vec::new();
    gather(&root.join(folder), &mut files)?;
    files.sort();
    let mut text = String::new();
    for file in files {
        let below = file.strip_prefix(root.join(folder)).map_err(io::Error::other)?;
        let name = below.to_string_lossy().replace('\\', "/");
        let (name, path) = (name.escape_debug(), file.to_string_lossy());
        writeln!(text, "    (\"{name}\", include_str!(\"{}\")),", path.escape_debug()).map_err(io::Error::other)?;
    }
    Ok(text)
}

fn gather(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    writeln!(io::stdout(), "cargo::rerun-if-changed={}", folder.display())?;
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            gather(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}
