//! The known stores as data: which files hold whose credentials, and where in them (floor 5). Each provider's file of
//! rules lists its own, with its source and the day on which someone compared the two.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Store;

/// A store: one file, or many of one kind.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    /// What it is, in words.
    pub(crate) about: String,
    /// Where it lies by default, one place a system. `*` stands for a part of a name, `**` for any folders.
    pub(crate) paths: Vec<String>,
    /// Variables that name it, each with what follows below the folder that it names: `CLOUDSDK_CONFIG/credentials.db`.
    #[serde(default)]
    pub(crate) env: Vec<String>,
    /// How it is written.
    pub(crate) form: Form,
    /// What whatever looks like a secret in it is, where no field and no rule says more.
    pub(crate) kind: Option<String>,
    /// The values in it that are credentials.
    #[serde(default)]
    pub(crate) fields: Vec<Field>,
    /// Its documentation, where that is not the provider's.
    pub(crate) source: Option<String>,
    /// The day on which it was compared with that, or `not yet`.
    pub(crate) reviewed: Option<String>,
    /// Filled in from the file that lists it.
    #[serde(skip)]
    pub(crate) provider: String,
}

/// How a store is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Form {
    /// Any text: its lines are looked through by the rules alone.
    Text,
    /// Nothing but the secret.
    Token,
    /// JSON, with comments where an editor allows them.
    Json,
    /// YAML.
    Yaml,
    /// TOML.
    Toml,
    /// `[section]`, then `key = value`.
    Ini,
    /// `key = value` without sections.
    Properties,
    /// XML.
    Xml,
    /// A database whose strings are looked through where they lie whole. A page may cut one, so that it counts as not read.
    Database,
    /// Encrypted, or kept by a program that asks: present, and not readable here.
    Sealed,
    /// A form that has a parser of its own.
    #[serde(untagged)]
    Own(Store),
}

/// A value that is a credential.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Field {
    /// The way to it, keys parted by `/`; `*` stands for any key and for each of a list.
    pub(crate) at: String,
    /// Its kind.
    pub(crate) kind: String,
    /// Whose it is, where not the provider's that lists the store.
    pub(crate) provider: Option<String>,
    /// How the value holds it.
    #[serde(default)]
    pub(crate) holds: Holds,
    /// Whether it renews others.
    #[serde(default)]
    pub(crate) renews: bool,
    /// What lies beside it and renews it: the way from its own object, or from the top after a `/`.
    pub(crate) renewed_by: Option<String>,
    /// Where its end stands.
    pub(crate) expires: Option<String>,
    /// Where its public id stands.
    pub(crate) id: Option<String>,
    /// What lies beside it and names the server that it is for.
    #[serde(default)]
    pub(crate) servers: Vec<String>,
    /// Where the account stands that it is sent beside.
    pub(crate) account: Option<String>,
    /// What stands beside it and may be shown: an account, a tenant, an address.
    #[serde(default)]
    pub(crate) tells: Vec<String>,
}

/// How a value holds a credential.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Holds {
    /// It is the secret.
    #[default]
    Secret,
    /// It is `user:password` in Base64.
    Login,
    /// It is the path of a file that has the secret.
    File,
    /// It is a program that gives the secret to whoever asks.
    Helper,
}

/// A way as the parts between its slashes.
type Parts = Vec<String>;

/// All stores, with what leads to them.
#[derive(Debug, Default)]
pub(crate) struct Stores {
    entries: Vec<Entry>,
    /// Paths that end in one name, by that name.
    by_name: BTreeMap<String, Vec<(usize, Parts)>>,
    /// The others.
    wild: Vec<(usize, Parts)>,
}

/// Folders in which a tool's own folder lies, on one system or another.
const BASES: [&str; 9] = [
    "~/.config/",
    "~/.local/share/",
    "~/.local/state/",
    "~/.cache/",
    "~/Library/Application Support/",
    "~/Library/Preferences/",
    "~/AppData/Roaming/",
    "~/AppData/Local/",
    "~/",
];

/// The end of a path that tells a store wherever its home lies: without the base where a tool's own folder is left.
fn ending(path: &str) -> Parts {
    let inner = BASES.iter().find_map(|base| path.strip_prefix(base).filter(|rest| rest.contains('/')));
    let rest = inner.unwrap_or_else(|| path.trim_start_matches("~/").trim_start_matches('/'));
    rest.split('/').map(str::to_owned).collect()
}

/// Whether a name fits a part, in which one `*` stands for any run of characters.
pub(super) fn fits(name: &str, part: &str) -> bool {
    match part.split_once('*') {
        None => name == part,
        Some((head, tail)) => name.len() >= head.len() + tail.len() && name.starts_with(head) && name.ends_with(tail),
    }
}

/// Whether a path, given by its names from the last to the first, ends in `parts`.
fn ends(names: &[&str], parts: &[String]) -> bool {
    let Some((part, before)) = parts.split_last() else { return true };
    if part == "**" {
        return (0..=names.len()).any(|skipped| names.get(skipped..).is_some_and(|rest| ends(rest, before)));
    }
    names.split_first().is_some_and(|(name, rest)| fits(name, part) && ends(rest, before))
}

impl Stores {
    /// Adds what a provider's file lists.
    pub(crate) fn extend(&mut self, provider: &str, entries: Vec<Entry>) {
        for mut entry in entries {
            provider.clone_into(&mut entry.provider);
            let at = self.entries.len();
            for path in &entry.paths {
                let parts = ending(path);
                match parts.last() {
                    Some(name) if !name.contains('*') => {
                        self.by_name.entry(name.clone()).or_default().push((at, parts));
                    }
                    _ => self.wild.push((at, parts)),
                }
            }
            self.entries.push(entry);
        }
    }

    /// Every store, in the order of the files that list them.
    pub(crate) fn all(&self) -> &[Entry] {
        &self.entries
    }

    /// The store that a number stands for.
    pub(crate) fn get(&self, at: usize) -> Option<&Entry> {
        self.entries.get(at)
    }

    /// The store that the file at `path` is; of several the one whose path says most.
    pub(crate) fn find(&self, path: &str) -> Option<usize> {
        let names: Vec<&str> = path.rsplit('/').collect();
        let exact = names.first().and_then(|name| self.by_name.get(*name)).into_iter().flatten();
        let hits = exact.chain(&self.wild).filter(|(_, parts)| ends(&names, parts));
        hits.max_by_key(|(at, parts)| (parts.len(), std::cmp::Reverse(*at))).map(|(at, _)| *at)
    }

    /// Whether a file's name alone tells a store.
    pub(crate) fn named(&self, name: &str) -> bool {
        self.by_name.get(name).is_some_and(|known| known.iter().any(|(_, parts)| parts.len() == 1))
            || self.wild.iter().any(|(_, parts)| matches!(parts.as_slice(), [part] if fits(name, part)))
    }
}

impl Entry {
    /// The store's number as what a file is known as; nothing where its lines alone are looked at.
    pub(crate) fn store(&self, at: usize) -> Option<Store> {
        match self.form {
            Form::Text | Form::Database | Form::Sealed => None,
            Form::Own(own) => Some(own),
            Form::Token | Form::Json | Form::Yaml | Form::Toml | Form::Ini | Form::Properties | Form::Xml => {
                Some(Store::Listed(at))
            }
        }
    }

    /// The places of it that are read before anything else: each path up to its first wildcard.
    pub(crate) fn starts(&self) -> impl Iterator<Item = String> {
        self.paths.iter().filter(|path| path.starts_with(['~', '/'])).map(|path| literal(path))
    }

    /// What is named where a sealed store at `path` was seen: the folder before the first wildcard, or the file.
    pub(crate) fn sealed_at(&self, path: &str) -> String {
        for part in self.paths.iter().filter(|part| part.contains('*')).map(|part| literal(part)) {
            let folder = part.rsplit('/').next().unwrap_or_default();
            if folder.is_empty() {
                continue;
            }
            let names: Vec<&str> = path.split('/').collect();
            if let Some(at) = names.iter().rposition(|name| *name == folder) {
                return names.get(..=at).unwrap_or_default().join("/");
            }
        }
        path.to_owned()
    }
}

/// A path up to its first wildcard.
fn literal(path: &str) -> String {
    let kept: Vec<&str> = path.split('/').take_while(|part| !part.contains('*')).collect();
    kept.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collector::rules::Rules;

    #[test]
    fn a_part_of_a_listed_path_has_one_star_at_most() {
        let rules = Rules::built_in();
        let paths = rules.stores.all().iter().flat_map(|entry| &entry.paths);
        let many: Vec<_> =
            paths.filter(|path| path.split('/').any(|part| part != "**" && part.matches('*').count() > 1)).collect();
        assert!(many.is_empty(), "{many:?}");
    }

    fn stores(paths: &[&str]) -> Stores {
        let mut all = Stores::default();
        let entry = |path: &&str| Entry {
            about: String::new(),
            paths: vec![(*path).to_owned()],
            env: Vec::new(),
            form: Form::Text,
            kind: None,
            fields: Vec::new(),
            source: None,
            reviewed: None,
            provider: String::new(),
        };
        all.extend("x", paths.iter().map(entry).collect());
        all
    }

    #[test]
    fn paths_end_at_folders() {
        let all = stores(&["~/.aws/sso/cache/*.json", "~/.config/gh/hosts.yml", "~/.netrc", "~/.config/linode-cli"]);
        assert_eq!(all.find("/home/anna/.aws/sso/cache/ab.json"), Some(0));
        assert_eq!(all.find("/home/anna/.aws/sso/cache/x/ab.json"), None);
        assert_eq!(all.find("~/dotfiles/gh/hosts.yml"), Some(1));
        assert_eq!(all.find("~/.config/laugh/hosts.yml"), None);
        assert_eq!(all.find(".netrc"), Some(2));
        assert_eq!(all.find("~/src/linode-cli"), None);
        assert_eq!(all.find("~/.config/linode-cli"), Some(3));
        assert!(all.named(".netrc") && !all.named("hosts.yml"));
    }

    #[test]
    fn two_stars_are_any_folders_and_the_longest_path_wins() {
        let all = stores(&["~/.password-store/**/*.gpg", "**/*.tfstate", "~/.kube/config", "**/config"]);
        assert_eq!(all.find("~/.password-store/a.gpg"), Some(0));
        assert_eq!(all.find("~/.password-store/work/db/a.gpg"), Some(0));
        assert_eq!(all.find("a.tfstate"), Some(1));
        assert_eq!(all.find("~/.kube/config"), Some(2));
        assert_eq!(all.get(0).unwrap().sealed_at("~/.password-store/work/db/a.gpg"), "~/.password-store");
    }
}
