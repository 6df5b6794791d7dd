//! `deadstop verify`: whether a report folder is whole and as it was written.

use anyhow::Context as _;
use std::fmt::Write as _;

use crate::cli::VerifyArgs;
use crate::manifest::{self, Difference};
use crate::output;

pub(super) fn run(args: &VerifyArgs) -> anyhow::Result<u8> {
    let folder = args.folder.display();
    let found = manifest::verify(&args.folder).with_context(|| format!("cannot verify `{folder}`"))?;
    let mut text = String::new();
    for (name, difference) in &found.differences {
        let what = match difference {
            Difference::Altered => "altered",
            Difference::Missing => "missing",
            Difference::Added => "added",
            Difference::Unreadable => "not readable",
        };
        writeln!(text, "{what:<12}  {}", name.escape_debug())?;
    }
    let count = found.manifest.files.len();
    let files = if count == 1 { "file" } else { "files" };
    if found.differences.is_empty() {
        writeln!(
            text,
            "`{folder}` is whole: {count} {files}, byte for byte as deadstop {} wrote them.",
            found.manifest.version
        )?;
    } else {
        writeln!(
            text,
            "`{folder}` is not as it was written: {} of what should be {count} {files} differ.",
            found.differences.len()
        )?;
    }
    writeln!(text, "SHA-256 of its {}: {}", manifest::NAME, found.sum)?;
    writeln!(
        text,
        "Whoever alters a file on purpose can write a new manifest, too: compare this sum with one that was kept elsewhere."
    )?;
    output::stdout(&output::safe(&text))?;
    Ok(u8::from(!found.differences.is_empty()))
}
