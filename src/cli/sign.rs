//! What may be typed to sign a report and to verify one.

use clap::Args;
use std::path::PathBuf;

/// Which report is signed, and how.
#[derive(Args, Debug)]
pub struct SignArgs {
    /// The folder that `run` or `demo` wrote.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// The key: a private key of OpenSSH (ed25519, ECDSA or RSA), a public one whose other half the agent of `SSH_AUTH_SOCK`
    /// has, or a secret key of minisign.
    #[arg(long, value_name = "FILE", env = "DEADSTOP_SIGN_KEY", help_heading = "Signature")]
    pub sign_key: PathBuf,
    /// The environment variable that holds the passphrase of the key; without it, it is asked for on the terminal.
    #[arg(long, value_name = "NAME", env = "DEADSTOP_PASSPHRASE_ENV", help_heading = "Signature")]
    pub passphrase_env: Option<String>,
}

/// Which report is verified, and whose signature it should bear.
#[derive(Args, Debug)]
pub struct VerifyArgs {
    /// The folder that `run` or `demo` wrote.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Who may sign with which SSH key: the file that `ssh-keygen -Y verify -f` reads.
    #[arg(
        long,
        value_name = "FILE",
        requires = "signer",
        env = "DEADSTOP_ALLOWED_SIGNERS",
        help_heading = "Signature"
    )]
    pub allowed_signers: Option<PathBuf>,
    /// Who is to have signed, as that file names them.
    #[arg(
        long,
        value_name = "IDENTITY",
        requires = "allowed_signers",
        env = "DEADSTOP_SIGNER",
        help_heading = "Signature"
    )]
    pub signer: Option<String>,
    /// The moment at which the key must have been valid, instead of now: for a report whose signer has a new key since.
    #[arg(
        long,
        value_name = "TIME",
        requires = "allowed_signers",
        env = "DEADSTOP_VERIFY_TIME",
        help_heading = "Signature"
    )]
    pub verify_time: Option<String>,
    /// The public key of minisign that is to have signed.
    #[arg(long, value_name = "FILE", env = "DEADSTOP_PUBLIC_KEY", help_heading = "Signature")]
    pub public_key: Option<PathBuf>,
}
