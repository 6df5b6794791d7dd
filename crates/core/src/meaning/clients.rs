//! Clients whose words follow rules of their own: `kubectl` and `git` (floor 2).

use super::forms::{is_option, values};
use super::interpret::{Given, Reader, names};
use super::syntax::Word;
use super::{MACHINE, Target};

const KUBECTL: &str = "https://kubernetes.io/docs/reference/kubectl/generated/kubectl_delete/";
const PUSH: &str = "https://git-scm.com/docs/git-push";

/// Options of `kubectl` that take a value (kubernetes.io/docs/reference/kubectl/kubectl/).
const KUBE_VALUES: [&str; 30] = [
    "-n",
    "--namespace",
    "--context",
    "--cluster",
    "--user",
    "--kubeconfig",
    "-s",
    "--server",
    "--token",
    "--as",
    "--as-group",
    "--request-timeout",
    "--cache-dir",
    "--certificate-authority",
    "--client-certificate",
    "--client-key",
    "--tls-server-name",
    "-v",
    "--v",
    "-o",
    "--output",
    "-l",
    "--selector",
    "--field-selector",
    "--timeout",
    "--grace-period",
    "-c",
    "--container",
    "--cascade",
    "-k",
];

/// Words of `kubectl` that only show.
const KUBE_READS: [&str; 13] = [
    "get",
    "describe",
    "logs",
    "top",
    "version",
    "explain",
    "api-resources",
    "api-versions",
    "cluster-info",
    "diff",
    "events",
    "wait",
    "options",
];

impl Reader<'_> {
    /// `kubectl VERB …`.
    pub(super) fn kubectl(&mut self, rest: &[Word], given: &Given) -> bool {
        let mut positional: Vec<&Word> = Vec::new();
        let (mut at, mut end) = (0, None);
        while let Some(word) = rest.get(at) {
            at += 1;
            if word.text == "--" {
                end = Some(at);
                break;
            }
            if is_option(&word.text) {
                at += usize::from(
                    KUBE_VALUES.contains(&word.text.as_str()) || word.text == "-f" || word.text == "--filename",
                );
                continue;
            }
            positional.push(word);
        }
        let Some((verb, words)) = positional.split_first() else {
            self.doubt("what `kubectl` is to do is not in the text");
            return true;
        };
        match verb.text.as_str() {
            _ if verb.open => self.doubt("what `kubectl` is to do is in a variable"),
            "delete" => self.kube_delete(words, rest),
            "exec" => {
                let source = "https://kubernetes.io/docs/reference/kubectl/generated/kubectl_exec/";
                let inner: Vec<Word> = match end {
                    Some(end) => rest.get(end..).unwrap_or_default().to_vec(),
                    None => words.iter().skip(1).map(|word| (*word).clone()).collect(),
                };
                let before = self.meaning.clone();
                if inner.is_empty() {
                    self.doubt("it opens a shell in a pod");
                } else {
                    self.command(&inner, given);
                }
                // What only reads there destroys nothing; what is destroyed there lies on no machine of the session's.
                if before != self.meaning {
                    self.meaning.amounts.retain(|one| one.provider != MACHINE || before.amounts.contains(one));
                    self.meaning.amount("kubernetes", "create pods/exec", Target::Any, true, source);
                }
            }
            "config" | "auth" | "rollout"
                if words.first().is_some_and(|word| {
                    ["view", "current-context", "get-contexts", "can-i", "whoami", "status", "history"]
                        .contains(&word.text.as_str())
                }) => {}
            "proxy" | "port-forward" | "completion" => {}
            read if KUBE_READS.contains(&read) && !given.changed => {}
            _ => self.doubt("this form of `kubectl` is not in the catalogue"),
        }
        true
    }

    fn kube_delete(&mut self, words: &[&Word], rest: &[Word]) {
        if let Some(path) = values("--raw", rest).first() {
            let path = path.text.clone();
            return self.request(
                "DELETE",
                &Word { text: format!("https://kubernetes.default{path}"), open: false },
                None,
            );
        }
        if rest.iter().any(|word| {
            ["-f", "--filename", "-k", "--kustomize"].contains(&word.text.as_str())
                || word.text.starts_with("--filename=")
        }) {
            return self.possible("kubernetes", KUBECTL, "what the files describe is not in the text");
        }
        let Some((kinds, named)) = words.split_first() else {
            return self.possible("kubernetes", KUBECTL, "the kind of resource is not in the text");
        };
        // `kubectl delete pvc/data ns/prod`
        if kinds.text.contains('/') {
            for word in words {
                let (kind, name) = word.text.split_once('/').unwrap_or((word.text.as_str(), ""));
                self.delete_kind(kind, &[Word { text: name.to_owned(), open: word.open }], KUBECTL);
            }
            return;
        }
        if kinds.open {
            return self.possible("kubernetes", KUBECTL, "the kind of resource is not in the text");
        }
        let names: Vec<Word> = named.iter().map(|word| (*word).clone()).collect();
        for kind in kinds.text.split(',') {
            self.delete_kind(kind, &names, KUBECTL);
        }
    }

    /// Resources of one kind (kubernetes.io/docs/reference/kubectl/quick-reference, by its short names).
    pub(super) fn delete_kind(&mut self, kind: &str, named: &[Word], source: &str) {
        let lower = kind.to_lowercase();
        let action = match lower.split('.').next().unwrap_or_default() {
            "ns" | "namespace" | "namespaces" | "project" | "projects" => "delete namespaces",
            "pvc" | "persistentvolumeclaim" | "persistentvolumeclaims" => "delete persistentvolumeclaims",
            "pv" | "persistentvolume" | "persistentvolumes" => "delete persistentvolumes",
            "crd" | "crds" | "customresourcedefinition" | "customresourcedefinitions" => {
                "delete customresourcedefinitions"
            }
            "sts" | "statefulset" | "statefulsets" => "delete statefulsets",
            "all" => {
                self.meaning.amount("kubernetes", "delete statefulsets", Target::Any, true, source);
                return self.doubt("it deletes more kinds than the catalogue knows");
            }
            _ if kind.is_empty() || kind == "…" => {
                return self.possible("kubernetes", source, "the kind of resource is not in the text");
            }
            _ => return self.doubt("what goes with this kind of resource is not in the catalogue"),
        };
        self.meaning.amount("kubernetes", action, names(named.iter().cloned()), true, source);
    }

    /// `git push`, and settings given with a command; the rest is in the catalogue of forms.
    pub(super) fn git(&mut self, rest: &[Word]) -> bool {
        let mut at = 0;
        while let Some(word) = rest.get(at).filter(|word| is_option(&word.text)) {
            // A setting may name a program: an alias, a pager, an editor, a hook.
            if word.text == "-c"
                || word.text == "--exec-path"
                || word.text.starts_with("--config-env")
                || word.text.starts_with("--exec-path=")
            {
                let value = rest.get(at + 1).map_or("", |word| word.text.as_str());
                let harmless = ["user.", "color.", "advice.", "init.", "commit.gpgsign"];
                if !harmless.iter().any(|start| value.starts_with(start)) {
                    self.doubt("a setting given to `git` may run something");
                }
            }
            at += if ["-C", "-c", "--git-dir", "--work-tree", "--namespace"].contains(&word.text.as_str()) {
                2
            } else {
                1
            };
        }
        let known = rest.get(at..).unwrap_or_default();
        let Some((verb, after)) = known.split_first() else { return true };
        match verb.text.as_str() {
            "push" => self.push(after),
            "remote" | "branch" | "tag" | "config" => {
                let shows = [
                    "-v",
                    "--verbose",
                    "-a",
                    "-r",
                    "--list",
                    "-l",
                    "show",
                    "get-url",
                    "--get",
                    "--show-current",
                    "--all",
                    "--contains",
                ];
                if !after.iter().all(|word| shows.contains(&word.text.as_str())) {
                    return self.git_forms(rest);
                }
            }
            _ if verb.open => self.doubt("what `git` is to do is in a variable"),
            _ => return self.git_forms(rest),
        }
        true
    }

    fn git_forms(&mut self, rest: &[Word]) -> bool {
        // Its settings have been looked at.
        let mut plain: Vec<Word> = Vec::new();
        let mut at = 0;
        while let Some(word) = rest.get(at) {
            if word.text == "-c" && plain.iter().all(|word| is_option(&word.text)) {
                at += 2;
                continue;
            }
            plain.push(word.clone());
            at += 1;
        }
        self.client("git", "git", &plain, &Given::default());
        true
    }

    fn push(&mut self, rest: &[Word]) {
        let text = |word: &Word| word.text.clone();
        let flag = |long: &[&str], short: char| {
            rest.iter().map(text).any(|word| {
                long.iter().any(|one| word == *one || word.starts_with(&format!("{one}=")))
                    || (word.starts_with('-') && !word.starts_with("--") && word.contains(short))
            })
        };
        let refs: Vec<&Word> = rest.iter().filter(|word| !is_option(&word.text)).skip(1).collect();
        let mut act = |action: &str| self.meaning.amount("github", action, Target::Any, true, PUSH);
        let mut found = false;
        if flag(&["--force", "--force-with-lease", "--force-if-includes"], 'f')
            || refs.iter().any(|word| word.text.starts_with('+'))
        {
            act("git/force-push");
            found = true;
        }
        if flag(&["--delete", "--prune", "--mirror"], 'd') || refs.iter().any(|word| word.text.starts_with(':')) {
            act("git/delete-ref");
            found = true;
        }
        if flag(&["--mirror"], '\0') {
            act("git/force-push");
        }
        if rest.iter().any(|word| word.open) && !found {
            for action in ["git/force-push", "git/delete-ref"] {
                self.meaning.amount("github", action, Target::Any, false, PUSH);
            }
            self.doubt("what is pushed is in a variable");
        }
        // A plain push overwrites nothing; what runs on it is another matter.
        if !found {
            self.doubt("what a push sets going is not in the text");
        }
    }
}
