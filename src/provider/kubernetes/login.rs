//! What is shown to a cluster, and why something is not.
//!
//! A server is asked only if the file of `--config` names its host, whoever wrote the kubeconfig. Files that a kubeconfig
//! names are read only for one that lies in the user's own home or that the user's `KUBECONFIG` names, and only from the
//! folders that its own are in.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::client::Client;
use crate::collector::kubeconfig::{Held, Proof};
use crate::collector::{ClusterLogin, Paths};
use crate::readonly::{ReadOnly, Wire};
use crate::secret::Secret;

/// What stands in a request.
pub(super) enum Shown {
    /// A bearer token.
    Token(Secret),
    /// Nothing: it was shown in the handshake.
    Nothing,
}

/// Why a credential is not used, and what would change that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unused {
    pub(super) why: &'static str,
    pub(super) settle: &'static str,
}

const MERGE: &str = "merge facts of the cluster (--merge)";

const fn unused(why: &'static str) -> Unused {
    Unused { why, settle: MERGE }
}

/// The largest file that holds a token, a key or a certificate.
const LARGEST: u64 = 1 << 20;

/// Which kubeconfigs are the user's own.
pub struct Own<'a> {
    /// Where shown paths are.
    pub paths: &'a Paths,
    /// The home.
    pub home: Option<PathBuf>,
    /// The folders that are looked through, whose files anyone may have written.
    pub roots: Vec<PathBuf>,
    /// The files that the user's environment names.
    pub named: Vec<PathBuf>,
}

impl<'a> Own<'a> {
    /// What is the user's own.
    #[must_use]
    pub fn of(paths: &'a Paths, home: Option<&Path>, roots: &[PathBuf], env: &BTreeMap<String, OsString>) -> Self {
        let whole = |path: &Path| fs::canonicalize(path).ok();
        let named = env.get("KUBECONFIG").map(|value| std::env::split_paths(value).collect::<Vec<_>>());
        Self {
            paths,
            home: home.and_then(whole),
            roots: roots.iter().filter_map(|root| whole(root)).collect(),
            named: named.unwrap_or_default().iter().filter_map(|path| whole(path)).collect(),
        }
    }

    /// The folder of a kubeconfig that is the user's own: one that `KUBECONFIG` names, or one of `.kube` in the home. One in
    /// a folder that is looked through is anybody's.
    fn folder(&self, login: &ClusterLogin) -> Option<PathBuf> {
        let file = fs::canonicalize(self.paths.get(login.file.as_deref()?)?).ok()?;
        let scanned = self.roots.iter().any(|root| file.starts_with(root) && Some(root) != self.home.as_ref());
        let own = self.home.as_ref().is_some_and(|home| file.starts_with(home.join(".kube")));
        let own = self.named.contains(&file) || own;
        (own && !scanned).then(|| file.parent().map(Path::to_path_buf)).flatten()
    }

    /// A file that a kubeconfig names.
    fn read(&self, login: &ClusterLogin, name: &str) -> Result<Zeroizing<Vec<u8>>, Unused> {
        const ELSEWHERE: Unused =
            unused("a file that it names was not read: it is read for a kubeconfig of the home alone, and from there");
        let folder = self.folder(login).ok_or(ELSEWHERE)?;
        // A relative path is one from the kubeconfig (kubeconfig reference).
        let file = fs::canonicalize(folder.join(name)).map_err(|_| unused("a file that it names is not there"))?;
        let inside = [Some(&folder), self.home.as_ref()].into_iter().flatten().any(|base| file.starts_with(base));
        let scanned = self.roots.iter().any(|root| file.starts_with(root) && Some(root) != self.home.as_ref());
        if !inside || scanned {
            return Err(ELSEWHERE);
        }
        let meta = fs::metadata(&file).map_err(|_| ELSEWHERE)?;
        if !meta.is_file() || meta.len() > LARGEST {
            return Err(unused("a file that it names is no small file"));
        }
        fs::read(&file).map(Zeroizing::new).map_err(|_| unused("a file that it names could not be read"))
    }

    fn held(&self, login: &ClusterLogin, held: &Held) -> Result<Option<Zeroizing<Vec<u8>>>, Unused> {
        match held {
            Held::Nothing => Ok(None),
            Held::Inline(text) => {
                let plain =
                    Zeroizing::new(text.expose().iter().copied().filter(|b| !b.is_ascii_whitespace()).collect());
                let read = STANDARD.decode::<&Zeroizing<Vec<u8>>>(&plain);
                read.map(|bytes| Some(Zeroizing::new(bytes)))
                    .map_err(|_| unused("what is in it does not read as base64"))
            }
            Held::File(name) => self.read(login, name).map(Some),
        }
    }
}

/// A way to the cluster by which nothing is shown to it.
pub(super) fn stranger<'a>(door: &'a ReadOnly, login: &ClusterLogin, own: &Own<'_>) -> Option<Client<'a>> {
    let base = base(login, own).ok()?;
    let roots = own.held(login, &login.entry.authority).ok()?;
    let wire = Wire::new(base, roots.as_deref().map(Vec::as_slice), None)?;
    Some(Client::new(door, wire, address(login), "nobody".into(), Shown::Nothing))
}

/// The server with the path that everything lies below.
fn address(login: &ClusterLogin) -> String {
    login.entry.server.as_str().trim_end_matches('/').to_owned()
}

/// What the paths of a server begin with, if it is one that may be asked.
fn base<'l>(login: &'l ClusterLogin, own: &Own<'_>) -> Result<&'l str, Unused> {
    let entry = &login.entry;
    if entry.server.scheme() != "https" {
        return Err(unused("it is reached without TLS, so that nothing is sent to it"));
    }
    if entry.insecure {
        return Err(unused("it says not to verify who the server is, so that nothing is sent to it"));
    }
    if entry.proxied {
        return Err(unused("it is reached through a proxy that the file names, which is not done"));
    }
    if entry.name.as_deref().is_some_and(|name| entry.server.host_str() != Some(name)) {
        return Err(unused("its certificate is of another name than its host (tls-server-name), which is not done"));
    }
    let base = entry.server.path().trim_end_matches('/');
    let strange = base.split('/').any(|part| ["api", "apis"].contains(&part));
    if !base.is_empty() && (strange || own.folder(login).is_none()) {
        return Err(unused("its server has a path, which only a kubeconfig of the home may have"));
    }
    Ok(base)
}

/// A way to the cluster with what is shown to it, if it is one that may be used.
pub(super) fn client<'a>(door: &'a ReadOnly, login: &ClusterLogin, own: &Own<'_>) -> Result<Client<'a>, Unused> {
    let base = base(login, own)?;
    let entry = &login.entry;
    let (shown, pair) = match &entry.proof {
        Proof::Token(token) => (Shown::Token(token.clone()), None),
        Proof::TokenFile(name) => {
            let text = own.read(login, name)?;
            (Shown::Token(Secret::new(text.trim_ascii())), None)
        }
        Proof::Certificate { certificate, key } => {
            let pair = own.held(login, certificate)?.zip(own.held(login, key)?);
            (Shown::Nothing, Some(pair.ok_or(unused("a certificate and its key are not both there"))?))
        }
        Proof::Password => return Err(unused("a password is shown, and never sent")),
        Proof::Plugin(_) => {
            return Err(Unused {
                why: "who it is says a program that the file names, which is not run",
                settle: "write a token of that user into a kubeconfig of its own, or merge facts of the cluster (--merge)",
            });
        }
    };
    let roots = own.held(login, &entry.authority)?;
    let pair = pair.as_ref().map(|(certificate, key)| (certificate.as_slice(), key.as_slice()));
    let wire = Wire::new(base, roots.as_deref().map(Vec::as_slice), pair);
    let wire = wire.ok_or(unused("a certificate or a key of it does not read"))?;
    Ok(Client::new(door, wire, address(login), login.credential.clone(), shown))
}
