//! Embeds `templates/`, `worlds/` and the rules of detection in the binary as tables of file name and text.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    writeln!(io::stdout(), "cargo::rerun-if-changed=build.rs")?;
    for folder in ["templates", "worlds", "src/collector/rules"] {
        writeln!(io::stdout(), "cargo::rerun-if-changed={folder}")?;
        let table = table(&root.join(folder))?;
        let name = folder.rsplit('/').next().unwrap_or(folder);
        fs::write(out.join(format!("{name}.rs")), format!("&[\n{table}]\n"))?;
    }
    Ok(())
}

/// One line per file of a folder, sorted by name.
fn table(folder: &Path) -> io::Result<String> {
    let entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    let mut files: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    let mut text = String::new();
    for file in files {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let (name, path) = (name.escape_debug(), file.to_string_lossy());
        writeln!(text, "    (\"{name}\", include_str!(\"{}\")),", path.escape_debug()).map_err(io::Error::other)?;
    }
    Ok(text)
}
