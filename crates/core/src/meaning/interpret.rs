//! Follows a text from its shell syntax to the operations of the programs that it runs (floor 2).

mod aws;
mod input;
mod texts;

use std::collections::BTreeSet;

use super::forms::{self, Form, Group, Language, given, is_option, values};
use super::syntax::{Script, Simple, Word, cut};
use super::{Around, MACHINE, Meaning, Target, code, sql, wrap};
use crate::catalogue;
use crate::quote;
pub(super) use aws::operations;
use input::stdin;

/// How often one text may lead to another.
const DEEPEST_TEXT: usize = 24;

/// How many commands are followed in all.
const MOST_COMMANDS: usize = 5_000;

/// What a command is given besides its words.
#[derive(Clone, Debug, Default)]
pub(super) struct Given {
    /// What is piped into it.
    pub(super) stdin: Stdin,
    /// Whether the variables that are set may make another program of it.
    pub(super) changed: bool,
}

/// What a command reads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Stdin {
    /// Nothing of this text.
    #[default]
    None,
    /// A text that is known, or known in part.
    Text(Word),
    /// Something that is not in the text.
    Unknown,
}

/// Reads one call.
pub(super) struct Reader<'a> {
    pub(super) around: &'a Around,
    pub(super) meaning: Meaning,
    depth: usize,
    commands: usize,
    /// Targets that are followed already.
    pub(super) following: BTreeSet<String>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(around: &'a Around) -> Self {
        Self { around, meaning: Meaning::default(), depth: 0, commands: 0, following: BTreeSet::new() }
    }

    /// Where nothing at all was found there was nothing to read.
    pub(super) fn done(mut self) -> Meaning {
        if self.commands == 0 && self.meaning.harmless() {
            self.meaning.doubt("it holds no command");
        }
        self.meaning
    }

    pub(super) fn doubt(&mut self, why: impl Into<String>) {
        self.meaning.doubt(why);
    }

    /// Reads text as a shell does.
    pub(super) fn script(&mut self, text: &str) {
        if self.depth >= DEEPEST_TEXT {
            self.doubt("texts within texts go deeper than is followed");
            return;
        }
        self.depth += 1;
        let script = cut(text);
        for doubt in &script.doubts {
            self.doubt(*doubt);
        }
        for command in &script.commands {
            self.simple(&script, command);
        }
        self.depth -= 1;
    }

    fn simple(&mut self, script: &Script, command: &Simple) {
        for raw in &command.writes {
            let word = script.word(raw);
            let source = "https://www.gnu.org/software/bash/manual/bash.html#Redirections";
            let target = word.plain().map_or(Target::Any, |path| Target::Named([path.to_owned()].into()));
            self.meaning.amount(MACHINE, "file:overwrite", target, true, source);
        }
        let changed = command.assigned.iter().any(|(name, _)| turns(name));
        let words: Vec<Word> = command.words.iter().flat_map(|raw| script.words(raw)).collect();
        let Some(first) = words.first() else {
            self.commands += 1;
            if changed {
                self.doubt("it sets a variable that makes other programs of those that follow");
            }
            return;
        };
        if script.functions.contains(&first.text) {
            return;
        }
        let stdin = stdin(script, &command.input);
        self.command(&words, &Given { stdin, changed });
    }

    /// Reads the words of one program and its arguments.
    pub(super) fn command(&mut self, words: &[Word], given: &Given) {
        self.commands += 1;
        if self.commands > MOST_COMMANDS || self.depth >= DEEPEST_TEXT {
            self.doubt("it runs more commands within commands than are followed");
            return;
        }
        let Some((first, rest)) = words.split_first() else { return };
        let Some(path) = first.plain() else {
            self.doubt("the name of a program is in a variable");
            return;
        };
        self.depth += 1;
        let program = path.rsplit('/').next().unwrap_or(path);
        let program = program.strip_suffix(".exe").unwrap_or(program);
        if !wrap::read(self, program, rest, given) && !self.special(program, path, rest, given) {
            self.client(program, path, rest, given);
        }
        self.depth -= 1;
    }

    /// Programs whose words follow rules of their own.
    fn special(&mut self, program: &str, path: &str, rest: &[Word], given: &Given) -> bool {
        match program {
            "curl" | "wget" | "http" | "https" | "xh" | "xhs" | "httpie" => self.fetches(program, rest),
            "nc" | "ncat" | "netcat" | "socat" | "telnet" => self.raw(rest, &given.stdin),
            "kubectl" | "oc" | "k" => return self.kubectl(rest, given),
            "git" => return self.git(rest),
            "gh" if rest.first().is_some_and(|word| word.text == "api") => {
                self.gh_api(rest.get(1..).unwrap_or_default())
            }
            "az" if rest.first().is_some_and(|word| word.text == "rest") => {
                self.az_rest(rest.get(1..).unwrap_or_default())
            }
            "aws" | "awslocal" => return self.aws(path, rest, given),
            "crontab" | "at" | "batch" => self.doubt(format!("`{program}` runs something later")),
            "make" | "gmake" => self.make(rest),
            "npm" | "pnpm" | "yarn" | "bun" => self.package(program, rest),
            "pwsh" | "powershell" => self.powershell(rest),
            _ if code::interpreter(program).is_some() => self.code(program, rest, given),
            _ => return false,
        }
        true
    }

    /// A client of the catalogue.
    pub(super) fn client(&mut self, program: &str, path: &str, rest: &[Word], given: &Given) {
        let groups = forms::of(program);
        if groups.is_empty() {
            let named = if quote::plain(program) { format!("`{program}`") } else { "a program".to_owned() };
            self.doubt(format!("what {named} does is not in the catalogue"));
            return;
        }
        let sets = ["export", "declare", "typeset", "local", "readonly", "read", "printf"].contains(&program);
        let named = |word: &Word| turns(word.text.split('=').next().unwrap_or_default());
        if sets && rest.iter().any(named) {
            self.doubt("it sets a variable that makes other programs of those that follow");
        }
        let mut found = false;
        for group in groups {
            for form in &group.forms {
                found |= self.form(group, form, program, rest, given);
            }
        }
        if found {
            return;
        }
        if groups.iter().any(|group| reads(group, rest)) && trusted(path) && !given.changed {
            return;
        }
        let why = if groups.iter().any(|group| reads(group, rest)) {
            format!("another program may be called `{program}` there")
        } else if groups.iter().all(|group| group.forms.is_empty()) || rest.is_empty() {
            format!("what `{program}` does with these options is not in the catalogue")
        } else {
            format!("this form of `{program}` is not in the catalogue")
        };
        self.doubt(why);
    }

    /// Reads words by one form, if it fits.
    fn form(&mut self, group: &Group, form: &Form, program: &str, rest: &[Word], context: &Given) -> bool {
        let Some(fit) = group.fits(&form.form, rest) else { return false };
        if (!form.with.is_empty() && !given(&form.with, rest)) || given(&form.without, rest) {
            return false;
        }
        let provider = form.provider.as_deref().unwrap_or(&group.provider);
        let source = form.source.as_deref().unwrap_or(&group.source);
        let after = rest.get(fit.end..).unwrap_or_default();
        let target = target(group, form, rest, after);
        let (provider, mapped) = self.elsewhere(program, provider, rest);
        for (actions, sure) in [(&form.action, true), (&form.may, false)] {
            for action in actions {
                self.meaning.amount(&provider, mapped(action), target.clone(), sure, source);
            }
        }
        if !form.may.is_empty() {
            self.doubt(format!("what `{program}` does there depends on what is not in the text"));
        }
        if let Some(unknown) = form.unknown.as_ref().filter(|unknown| !unknown.is_empty()) {
            self.doubt(unknown.clone());
        }
        if let Some(then) = &form.then {
            self.then(group, then, rest, after, &context.stdin, source);
        }
        true
    }

    /// Clients of S3 speak to other providers too, by the endpoint that they are given.
    fn elsewhere(&mut self, program: &str, provider: &str, rest: &[Word]) -> (String, fn(&str) -> &str) {
        let same: fn(&str) -> &str = |action| action;
        if provider != "aws" || !(program == "aws" || program == "awslocal") {
            return (provider.to_owned(), same);
        }
        let Some(endpoint) = values("--endpoint-url", rest).into_iter().next() else {
            return (provider.to_owned(), same);
        };
        if endpoint.text.contains("r2.cloudflarestorage.com") {
            let r2: fn(&str) -> &str = |action| match action {
                "s3:PutObject" => "r2:PutObject",
                "s3:PutLifecycleConfiguration" => "r2:PutLifecycle",
                _ => "r2:DeleteObject",
            };
            return ("cloudflare".to_owned(), r2);
        }
        if endpoint.text.contains("digitaloceanspaces.com") {
            return ("digitalocean".to_owned(), |_| "spaces:delete");
        }
        if !endpoint.text.contains("amazonaws.com") {
            self.doubt("the endpoint is not one that is known");
        }
        (provider.to_owned(), same)
    }

    /// Looks further into what a form holds.
    fn then(&mut self, group: &Group, then: &forms::Then, rest: &[Word], after: &[Word], stdin: &Stdin, source: &str) {
        if given(&then.files, rest) {
            self.language(then.read, None, source);
            self.doubt("what the file says is not in the text");
        }
        let mut held: Vec<Word> = Vec::new();
        for option in &then.options {
            let all = values(option, rest);
            // `-c "a" -c "b"`: each is followed by one text.
            held.extend(all.into_iter().take(8));
        }
        let mut begun = !held.is_empty() || given(&then.files, rest);
        for text in held {
            self.language(then.read, Some(&text), source);
        }
        if let Some(at) = then.word {
            let words = if then.read == Language::Command { command_words(group, after) } else { after.to_vec() };
            let (positional, _) = group.positional(&words);
            match then.read {
                Language::Command => {
                    if words.is_empty() {
                        self.doubt("it opens a shell");
                    } else {
                        self.command(&words, &Given { stdin: stdin.clone(), changed: false });
                    }
                    return;
                }
                Language::Redis if !positional.is_empty() => {
                    let all: Vec<Word> = positional.into_iter().cloned().collect();
                    self.redis(
                        &all,
                        given(
                            &["--eval".to_owned(), "--pipe".to_owned(), "--cluster".to_owned(), "-x".to_owned()],
                            rest,
                        ),
                    );
                    return;
                }
                Language::Shell
                | Language::Postgres
                | Language::Mysql
                | Language::Sqlite
                | Language::Bigquery
                | Language::Mongo
                | Language::Redis => {
                    if let Some(word) = positional.get(at.saturating_sub(1)) {
                        begun = true;
                        self.language(then.read, Some(word), source);
                    }
                }
            }
        }
        // `mongosh URL file.js`
        if then.read == Language::Mongo
            && group
                .positional(after)
                .0
                .iter()
                .any(|word| word.text.ends_with(".js") || word.text.ends_with(".mongodb"))
        {
            begun = true;
            self.language(then.read, None, source);
        }
        if begun || !then.stdin {
            return;
        }
        let shows = ["--scan", "--bigkeys", "--memkeys", "--hotkeys", "--stat", "--latency", "--version", "-v"];
        if then.read == Language::Redis && rest.iter().any(|word| shows.contains(&word.text.as_str())) {
            return;
        }
        match stdin {
            Stdin::Text(text) => self.language(then.read, Some(text), source),
            Stdin::Unknown => self.language(then.read, None, source),
            Stdin::None => {
                self.language(then.read, None, source);
                self.doubt("what is typed into it is not in the text");
            }
        }
    }

    /// Reads a text in a language; nothing, where it is not in the call.
    pub(super) fn language(&mut self, language: Language, text: Option<&Word>, source: &str) {
        let dialect = match language {
            Language::Command | Language::Shell => {
                match text.and_then(Word::plain) {
                    Some(text) => self.script(text),
                    None => self.doubt("what is run is not in the text"),
                }
                return;
            }
            Language::Redis => {
                match text.and_then(Word::plain) {
                    Some(text) => self.redis_lines(text),
                    None => self.possible("redis", source, "what is sent to Redis is not in the text"),
                }
                return;
            }
            Language::Mongo => {
                match text {
                    Some(text) => code::mongo(&mut self.meaning, &text.text, text.open, source),
                    None => self.possible("mongodb", source, "what is run on MongoDB is not in the text"),
                }
                return;
            }
            Language::Postgres => sql::Dialect::Postgres,
            Language::Mysql => sql::Dialect::Mysql,
            Language::Sqlite => sql::Dialect::Sqlite,
            Language::Bigquery => sql::Dialect::Bigquery,
        };
        match text {
            Some(text) => sql::read(&mut self.meaning, dialect, &text.text, text.open, source),
            None => sql::unread(&mut self.meaning, dialect, source),
        }
    }

    /// Any operation of a provider may be issued.
    pub(super) fn possible(&mut self, provider: &str, source: &str, why: &str) {
        for action in catalogue::actions().into_iter().filter(|action| action.provider == provider) {
            self.meaning.amount(provider, &action.action, Target::Any, false, source);
        }
        self.doubt(why);
    }
}

/// A target by what stands where its name stands.
pub(super) fn names(words: impl IntoIterator<Item = Word>) -> Target {
    let words: Vec<Word> = words.into_iter().collect();
    if words.is_empty() || words.iter().any(|word| word.open || word.text.starts_with("file://")) {
        return Target::Any;
    }
    let mut all = BTreeSet::new();
    for word in words {
        all.extend(spellings(&word.text));
    }
    Target::Named(all)
}

/// The names that a text may mean: itself, and the parts of a URL, an ARN or a path that name a thing.
fn spellings(text: &str) -> Vec<String> {
    let mut all = vec![text.to_owned()];
    if let Some((_, rest)) = text.split_once("://") {
        all.extend(rest.split('/').map(|part| part.split(['?', ':']).next().unwrap_or(part).to_owned()));
        all.push(rest.split('/').next().and_then(|host| host.split('.').next()).unwrap_or_default().to_owned());
    } else if text.contains([':', '/']) {
        all.extend(text.split([':', '/']).map(str::to_owned));
    }
    all.retain(|name| !name.is_empty());
    all
}

fn target(group: &Group, form: &Form, rest: &[Word], after: &[Word]) -> Target {
    let mut found: Vec<Word> = Vec::new();
    for place in &form.asset {
        match place.strip_prefix('$').and_then(|number| number.parse::<usize>().ok()) {
            Some(number) => {
                let (positional, sure) = group.positional(after);
                if !sure {
                    return Target::Any;
                }
                // `delete a b`: each is deleted.
                let wanted = positional.into_iter().skip(number.saturating_sub(1));
                found.extend(wanted.cloned());
            }
            None => found.extend(values(place, rest)),
        }
    }
    names(found)
}

/// What is run behind a client's own options.
fn command_words(group: &Group, after: &[Word]) -> Vec<Word> {
    let mut at = 0;
    while let Some(word) = after.get(at) {
        if word.text == "--" {
            return after.get(at + 1..).unwrap_or_default().to_vec();
        }
        if !is_option(&word.text) {
            break;
        }
        at += if group.takes(&word.text) == Some(true) { 2 } else { 1 };
    }
    after.get(at..).unwrap_or_default().to_vec()
}

fn reads(group: &Group, rest: &[Word]) -> bool {
    !given(&group.reads_without, rest)
        && group.reads.iter().any(|form| group.fits(form, rest).is_some_and(|fit| fit.sure))
}

/// Whether a program is the one that its name says: found by name, or where systems keep their programs.
fn trusted(path: &str) -> bool {
    let folders = ["/bin/", "/usr/bin/", "/usr/local/bin/", "/opt/homebrew/bin/", "/sbin/", "/usr/sbin/"];
    !path.contains('/')
        || folders.iter().any(|folder| path.strip_prefix(folder).is_some_and(|name| !name.contains('/')))
}

/// Whether a variable makes another program of those that run with it.
pub(super) fn turns(name: &str) -> bool {
    let starts =
        ["LD_", "DYLD_", "PYTHON", "PERL", "RUBY", "NODE_", "GIT_", "BASH_", "LESS", "JAVA_", "GCONV", "MALLOC_"];
    let ends = ["PATH", "PAGER", "EDITOR", "BROWSER", "_COMMAND", "_CONFIG_FILE", "OPTIONS", "SHELL", "ASKPASS"];
    starts.iter().any(|start| name.starts_with(start))
        || ends.iter().any(|end| name.ends_with(end))
        || ["ENV", "IFS", "PS4", "SHELLOPTS", "KUBECONFIG", "HOME", "CLOUDSDK_PYTHON"].contains(&name)
}
