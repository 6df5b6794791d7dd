//! What a call amounts to: text of a command line in, operations of the catalogue out (floor 2).
//!
//! It takes too much rather than too little: all that a text may run counts as run. What is not in the catalogue of
//! forms, or cannot be read from the text, is a doubt, and never taken for harmless; only a closed list is.

mod certain;
mod clients;
mod code;
pub mod forms;
mod http;
mod interpret;
mod sql;
mod syntax;
mod tools;
mod wrap;

use std::collections::{BTreeMap, BTreeSet};

pub use certain::uncertain;
pub use code::Calls;
pub use syntax::{DEEPEST, LONGEST};

/// What a call does to this machine rather than to a provider: the name, and what that is.
pub const LOCAL: [(&str, &str); 6] = [
    ("file:delete", "Deletes files of this machine."),
    ("file:overwrite", "Overwrites files of this machine."),
    ("disk:overwrite", "Overwrites a disk or a file system of this machine."),
    ("volume:delete", "Deletes volumes of containers, with the data in them."),
    ("container:delete", "Deletes containers or images, with what is kept in them alone."),
    ("backup:delete", "Deletes copies from a repository of backups."),
];

/// The provider of what is done to this machine.
pub const MACHINE: &str = "machine";

/// What an operation is called on, as far as the call says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// What has one of these names.
    Named(BTreeSet<String>),
    /// Anything that the operation can be called on.
    Any,
}

/// One operation that a call amounts to, or may.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Amount {
    /// The provider.
    pub provider: String,
    /// The operation, as the catalogue names it.
    pub action: String,
    /// On what.
    pub target: Target,
    /// Whether it is sure to be issued where the call runs.
    pub sure: bool,
    /// Where the form is documented.
    pub source: String,
}

/// What a call amounts to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meaning {
    /// Operations.
    pub amounts: BTreeSet<Amount>,
    /// Why it is not known what else it does, in sentences without a full stop.
    pub doubts: Vec<String>,
}

impl Meaning {
    /// Whether the call is known to destroy nothing.
    #[must_use]
    pub fn harmless(&self) -> bool {
        self.amounts.is_empty() && self.doubts.is_empty()
    }

    fn doubt(&mut self, why: impl Into<String>) {
        let why = why.into();
        if self.doubts.len() < 50 && !self.doubts.contains(&why) {
            self.doubts.push(why);
        }
    }

    fn amount(&mut self, provider: &str, action: &str, target: Target, sure: bool, source: &str) {
        self.amounts.insert(Amount {
            provider: provider.to_owned(),
            action: action.to_owned(),
            target,
            sure,
            source: source.to_owned(),
        });
    }
}

/// What lies around a call and is known.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// The text of the folder's `Makefile`.
    pub makefile: Option<String>,
    /// The scripts of the folder's `package.json`, by name.
    pub scripts: BTreeMap<String, String>,
}

/// What a shell command line amounts to.
#[must_use]
pub fn of_command(text: &str, around: &Around) -> Meaning {
    let mut reader = interpret::Reader::new(around);
    reader.script(text);
    reader.done()
}

/// What a program with its arguments amounts to, with no shell in between.
#[must_use]
pub fn of_words(words: &[String], around: &Around) -> Meaning {
    let mut reader = interpret::Reader::new(around);
    if words.iter().map(String::len).sum::<usize>() > LONGEST {
        reader.meaning.doubt("it is longer than 64 KiB");
        return reader.done();
    }
    let words: Vec<syntax::Word> = words.iter().map(|word| syntax::Word::known(word)).collect();
    reader.command(&words, &interpret::Given::default());
    reader.done()
}

/// What a tool of an MCP server amounts to, called with these arguments.
#[must_use]
pub fn of_tool(server: &str, tool: &str, arguments: Option<&serde_json::Value>, around: &Around) -> Meaning {
    let mut reader = interpret::Reader::new(around);
    reader.tool(server, tool, arguments);
    reader.done()
}

/// What the calls of code amount to that a grammar has read, and which of their names are known to destroy.
#[must_use]
pub fn of_calls(code: &Calls) -> (Meaning, BTreeSet<String>) {
    let around = Around::default();
    let mut reader = interpret::Reader::new(&around);
    let known = code::read_calls(&mut reader, code);
    (reader.meaning, known)
}

/// What reading a file with the agent's own tool amounts to: nothing.
#[must_use]
pub fn of_read() -> Meaning {
    Meaning::default()
}

/// What writing a file with the agent's own tool amounts to.
#[must_use]
pub fn of_write(path: &str) -> Meaning {
    let mut meaning = Meaning::default();
    let name = path.rsplit('/').next().unwrap_or(path);
    if name.ends_with(".tfstate") {
        let source = "https://developer.hashicorp.com/terraform/language/state";
        meaning.amount("terraform", "deleteState", Target::Any, true, source);
    } else {
        let source = "https://pubs.opengroup.org/onlinepubs/9799919799/functions/write.html";
        meaning.amount(MACHINE, "file:overwrite", Target::Named([path.to_owned()].into()), true, source);
        meaning.doubt(format!("what is written to {} may be run later", crate::quote::word(name)));
    }
    meaning
}

/// What fetching a page with the agent's own tool amounts to.
#[must_use]
pub fn of_fetch(url: &str) -> Meaning {
    let around = Around::default();
    let mut reader = interpret::Reader::new(&around);
    reader.request("GET", &syntax::Word::known(url), None);
    reader.done()
}

#[cfg(test)]
mod tests;
