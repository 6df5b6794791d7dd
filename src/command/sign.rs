//! `deadstop sign`: a signature of a report's manifest, by a key of the user's own.

use anyhow::Context as _;
use std::path::Path;
use zeroize::Zeroizing;

use crate::cli::{Common, SignArgs};
use crate::signature::{self, Kind, NAMESPACE, SignError};
use crate::{manifest, output};

pub(super) fn run(args: &SignArgs, common: &Common) -> anyhow::Result<u8> {
    let folder = args.folder.display();
    let found = manifest::verify(&args.folder).with_context(|| format!("cannot sign `{folder}`"))?;
    anyhow::ensure!(
        found.differences.is_empty(),
        "`{folder}` is not as it was written, so that nothing was signed: `deadstop verify {folder}` says what differs"
    );
    let ask = || passphrase(args);
    let agent = std::env::var_os("SSH_AUTH_SOCK").filter(|path| !path.is_empty());
    let made = signature::sign(found.text.as_bytes(), &args.sign_key, &ask, agent.as_deref().map(Path::new))
        .context("cannot sign with the file of --sign-key")?;
    let file = args.folder.join(made.kind.file());
    output::file(&file, &made.text)?;
    if common.quiet {
        return Ok(0);
    }
    let text = format!(
        "`{folder}` is signed by the key {}: {}.\nSHA-256 of its {}: {}\nNext: {}\n",
        made.key,
        file.display(),
        manifest::NAME,
        found.sum,
        match made.kind {
            Kind::Ssh => format!(
                "deadstop verify {folder} --allowed-signers FILE --signer IDENTITY, or\n  ssh-keygen -Y verify -f FILE -I IDENTITY -n {NAMESPACE} -s {} < {}",
                file.display(),
                args.folder.join(manifest::NAME).display()
            ),
            Kind::Minisign => format!(
                "deadstop verify {folder} --public-key FILE, or\n  minisign -V -p FILE -m {}",
                args.folder.join(manifest::NAME).display()
            ),
        }
    );
    output::stdout(&output::safe(&text))?;
    Ok(0)
}

/// The passphrase of the key: from the variable that was named, else from whoever sits at the terminal.
fn passphrase(args: &SignArgs) -> Result<Zeroizing<String>, SignError> {
    let Some(name) = &args.passphrase_env else {
        return rpassword::prompt_password("Passphrase of the key: ")
            .map(Zeroizing::new)
            .map_err(|_| SignError::NotAsked("there is no terminal to ask for it".to_owned()));
    };
    // Neither name nor value is repeated: one may have been typed for the other.
    let value = std::env::var(name).map(Zeroizing::new);
    value.map_err(|_| SignError::NotAsked("--passphrase-env names a variable that is not set".to_owned()))
}
