//! What is kept of a source file, whatever its language: imports, functions, classes, calls, and what names stand for
//! (floor 2).

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// The longest file that is read, in bytes. Nobody writes a longer one by hand.
pub(super) const LONGEST: usize = 512 << 10;

/// The deepest nesting that is followed.
pub(super) const DEEPEST: usize = 200;

/// How often a parser may report progress before it is stopped: some hundred times what the longest file takes.
pub(super) const MOST_PROGRESS: usize = 200_000;

/// One file.
#[derive(Clone, Debug, Default)]
pub(super) struct Module {
    /// Its path, as it is shown.
    pub(super) path: String,
    /// Its path below the program's folder, without its ending and with dots: `app.tools`.
    pub(super) dotted: String,
    /// Local names and what they are imported from: `tool` to `langchain.tools.tool`.
    pub(super) imports: BTreeMap<String, String>,
    /// Modules of which every name is imported.
    pub(super) stars: Vec<String>,
    /// Functions; the first is the code of the file itself.
    pub(super) units: Vec<Unit>,
    /// Classes.
    pub(super) classes: Vec<Class>,
    /// Whether it was not understood to its end.
    pub(super) broken: bool,
}

/// A function, a method, a lambda, or the code of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct Unit {
    /// Its name; empty where it has none.
    pub(super) name: String,
    /// Where it is declared, from 1.
    pub(super) line: u64,
    /// The unit that it stands in.
    pub(super) parent: Option<usize>,
    /// The class that it is a method of.
    pub(super) class: Option<usize>,
    /// The names of its parameters.
    pub(super) params: Vec<String>,
    /// What stands above it.
    pub(super) decorators: Vec<Value>,
    /// Every call in it, those in units within it left out.
    pub(super) calls: Vec<Rc<Call>>,
    /// Every text in it that is no documentation.
    pub(super) texts: Vec<String>,
    /// Names that are set in it, with all that they are set to and where.
    pub(super) names: BTreeMap<String, Vec<(Value, u64)>>,
    /// Names that are read in it.
    pub(super) mentions: BTreeSet<String>,
}

/// A class.
#[derive(Clone, Debug, Default)]
pub(super) struct Class {
    /// Its name.
    pub(super) name: String,
    /// Where it is declared, from 1.
    pub(super) line: u64,
    /// What it extends.
    pub(super) bases: Vec<Value>,
    /// What its body sets.
    pub(super) fields: BTreeMap<String, Value>,
    /// Its methods.
    pub(super) methods: Vec<usize>,
}

/// A call.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Call {
    /// What is called.
    pub(super) callee: Value,
    /// What it is given, in order.
    pub(super) args: Vec<Arg>,
    /// Where it begins, from 1.
    pub(super) line: u64,
    /// Whether it stands in a branch of its function, so that it may not be made.
    pub(super) inner: bool,
    /// The condition that it stands under alone, and whether that branch leaves the function.
    pub(super) under: Option<(String, bool)>,
}

/// One argument.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Arg {
    /// Its name, if it is given by name.
    pub(super) name: Option<String>,
    /// Its value.
    pub(super) value: Value,
    /// Whether it stands for any number of arguments: `*args`, `**options`, `...rest`.
    pub(super) many: bool,
    /// Where it begins, from 1.
    pub(super) line: u64,
}

impl Call {
    /// The argument of that name.
    pub(super) fn named(&self, name: &str) -> Option<&Value> {
        self.args.iter().find(|arg| arg.name.as_deref() == Some(name)).map(|arg| &arg.value)
    }

    /// The argument in that place, from 0.
    pub(super) fn at(&self, place: usize) -> Option<&Value> {
        self.args.iter().filter(|arg| arg.name.is_none() && !arg.many).nth(place).map(|arg| &arg.value)
    }

    /// The argument of one of these names, in Python by name and in JavaScript in an object, or else in that place.
    pub(super) fn arg(&self, names: &[&str], place: Option<usize>) -> Option<&Value> {
        names.iter().find_map(|name| self.option(name)).or_else(|| self.at(place?))
    }

    /// The argument of that name, or the entry of that name in an object among the arguments.
    pub(super) fn option(&self, name: &str) -> Option<&Value> {
        self.named(name).or_else(|| self.args.iter().find_map(|arg| arg.value.entry(name)))
    }

    /// Where the argument or the entry of that name stands.
    pub(super) fn line_of(&self, name: &str) -> u64 {
        let by_name = self.args.iter().find(|arg| arg.name.as_deref() == Some(name)).map(|arg| arg.line);
        let in_object = || {
            self.args.iter().find_map(|arg| {
                let Value::Record(entries, ..) = &arg.value else { return None };
                entries.iter().rev().find(|(key, ..)| key == name).map(|(_, _, line)| *line)
            })
        };
        by_name.or_else(in_object).unwrap_or(self.line)
    }

    /// Whether it is given more than can be seen.
    pub(super) fn is_open(&self) -> bool {
        self.args.iter().any(|arg| arg.many || matches!(arg.value, Value::Record(_, true, _)))
    }
}

/// What an expression is, as far as that is plain.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    /// Text; whether some of it is not known, for which `{}` stands.
    Text(String, bool),
    /// `true` or `false`.
    Bool(bool),
    /// `None`, `null`, `undefined`.
    Nothing,
    /// A list; whether there is more in it.
    List(Vec<Value>, bool),
    /// A dictionary or an object; whether there is more in it, as a key that is no text; and its line.
    Record(Vec<(String, Value, u64)>, bool, u64),
    /// A name, with what is read from it: `client.beta.messages`.
    Path(Vec<String>),
    /// Something read from what is no name: `connect().cursor`.
    Member(Box<Value>, String),
    /// What a call returns.
    Call(Rc<Call>),
    /// A function, by its number in the module.
    Unit(usize),
    /// One of several.
    Either(Vec<Value>),
    /// Anything else.
    Other,
}

impl Value {
    /// The entry of that name.
    pub(super) fn entry(&self, name: &str) -> Option<&Self> {
        let Self::Record(entries, ..) = self else { return None };
        entries.iter().rev().find(|(key, ..)| key == name).map(|(_, value, _)| value)
    }

    /// The text, if all of it is known.
    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Text(text, false) = self { Some(text) } else { None }
    }

    /// Its items, if it is a list of which all are known.
    pub(super) fn items(&self) -> Option<&[Self]> {
        if let Self::List(items, false) = self { Some(items) } else { None }
    }

    /// The setting of that name, of an object or of what a call is given.
    pub(super) fn setting(&self, name: &str) -> Option<&Self> {
        if let Self::Call(call) = self { call.option(name) } else { self.entry(name) }
    }

    /// What it is read from: `user` of `user.register`.
    pub(super) fn object(&self) -> Option<Self> {
        if let Self::Member(object, _) = self {
            return Some((**object).clone());
        }
        let Self::Path(parts) = self else { return None };
        let (_, rest) = parts.split_last().filter(|(_, rest)| !rest.is_empty())?;
        Some(Self::Path(rest.to_vec()))
    }

    /// What it is called with, if it is a call.
    pub(super) fn call(&self) -> Option<&Call> {
        if let Self::Call(call) = self { Some(call) } else { None }
    }
}

/// The last name of what is called: `delete` of `client.volumes.delete`.
pub(super) fn last(value: &Value) -> Option<&str> {
    match value {
        Value::Path(parts) => parts.last().map(String::as_str),
        Value::Member(_, name) => Some(name),
        Value::Call(call) => last(&call.callee),
        Value::Text(..)
        | Value::Bool(_)
        | Value::Nothing
        | Value::List(..)
        | Value::Record(..)
        | Value::Unit(_)
        | Value::Either(_)
        | Value::Other => None,
    }
}

/// A text in quotes without its escapes, which matter to nobody here but for line ends.
pub(super) fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n') => plain.push('\n'),
                Some('t') => plain.push('\t'),
                Some('\n') | None => {}
                Some(next) => plain.push(next),
            },
            _ => plain.push(c),
        }
    }
    plain
}
