//! `deadstop verify`: whether a report folder is whole and as it was written, and whose signature it bears.

use anyhow::Context as _;
use std::fmt::Write as _;

use crate::cli::VerifyArgs;
use crate::manifest::{self, Difference, Verified};
use crate::output;
use crate::signature::{self, Allowed, Kind, PublicKey, State, Trust};
use crate::surroundings::Surroundings;

pub(super) fn run(args: &VerifyArgs) -> anyhow::Result<u8> {
    let folder = args.folder.display();
    let trust = trust(args)?;
    let found = manifest::verify(&args.folder).with_context(|| format!("cannot verify `{folder}`"))?;
    let signatures = signature::verify(&args.folder, found.text.as_bytes(), &trust);
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
    for (kind, state) in &signatures {
        match state {
            State::Bad(why) => writeln!(text, "{:<12}  {}: {why}", "not valid", kind.file())?,
            State::Missing => writeln!(text, "{:<12}  {}", "missing", kind.file())?,
            State::Good { .. } | State::Unchecked { .. } => {}
        }
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
    let code = signed(&mut text, &found, &signatures, &trust)?;
    output::stdout(&output::safe(&text))?;
    Ok(code)
}

/// Says whose signature it is, and gives the exit code.
fn signed(text: &mut String, found: &Verified, signatures: &[(Kind, State)], trust: &Trust) -> anyhow::Result<u8> {
    let (mut held, mut bad) = (false, false);
    for (kind, state) in signatures {
        let file = kind.file();
        match state {
            State::Good { by, key } => {
                held = true;
                writeln!(text, "Signed by {by}: `{file}`, with the key {key}.")?;
            }
            State::Unchecked { key } => writeln!(
                text,
                "`{file}` is a signature, and whose it is was not checked: {} says who may sign. It names the key {key}, which whoever signs may choose.",
                match kind {
                    Kind::Ssh => "--allowed-signers with --signer",
                    Kind::Minisign => "--public-key",
                }
            )?,
            State::Bad(_) | State::Missing => bad = true,
        }
    }
    if bad {
        writeln!(text, "It is not signed as it should be.")?;
    }
    if !held && !bad {
        writeln!(
            text,
            "Whoever alters a file on purpose can write a new manifest, too: compare this sum with one that was kept elsewhere{}.",
            if signatures.is_empty() {
                ", or have reports signed (`deadstop sign`)"
            } else {
                ", or check the signature"
            }
        )?;
    }
    let asked = trust.ssh.is_some() || trust.minisign.is_some();
    Ok(u8::from(!found.differences.is_empty() || bad || (asked && !held)))
}

fn trust(args: &VerifyArgs) -> anyhow::Result<Trust> {
    let mut trust = Trust::default();
    if let (Some(path), Some(signer)) = (&args.allowed_signers, &args.signer) {
        let named = || format!("`{}` of --allowed-signers", path.display());
        let allowed = Allowed::read(path).with_context(named)?;
        let at = match &args.verify_time {
            Some(text) => text.parse().context("--verify-time")?,
            None => Surroundings::of_this_process(&[]).now,
        };
        trust.ssh = Some((allowed, signer.clone(), at));
    }
    if let Some(path) = &args.public_key {
        let key = PublicKey::read(path).map_err(|why| anyhow::anyhow!("{why}"));
        trust.minisign = Some(key.with_context(|| format!("`{}` of --public-key", path.display()))?);
    }
    Ok(trust)
}
