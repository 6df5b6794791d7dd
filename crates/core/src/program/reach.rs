//! What a function of a program reaches: itself, all that it calls in the program, and what that calls outside (floor 2).
//!
//! A call of which neither the place that it comes from nor its name is in a list is a doubt, and never taken for harmless.

use std::collections::{BTreeMap, BTreeSet};

use super::known::{self, Kind};
use super::names::{Code, Origin, Spot};
use super::syntax::{Call, Value, last};
use crate::meaning::{self, Calls};

/// How many functions are followed from one.
const MOST_UNITS: usize = 400;

/// What something reaches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reaches {
    /// Operations of the catalogue, as `provider/action`.
    pub operations: BTreeSet<String>,
    /// Whether it runs whatever it is given, with where and why.
    pub anything: Option<(String, u64, String)>,
    /// What it calls of which nothing is known: the file, the line, and why.
    pub doubts: BTreeSet<(String, u64, String)>,
}

impl Reaches {
    /// All of both.
    pub(super) fn add(&mut self, other: Self) {
        self.operations.extend(other.operations);
        self.anything = self.anything.take().or(other.anything);
        self.doubts.extend(other.doubts);
    }

    /// Whatever it is given.
    pub(super) fn anything(path: &str, line: u64, why: &str) -> Self {
        Self { anything: Some((path.to_owned(), line, why.to_owned())), ..Self::default() }
    }

    pub(super) fn doubt(&mut self, path: &str, line: u64, why: String) {
        if self.doubts.len() < 100 {
            self.doubts.insert((path.to_owned(), line, why));
        }
    }
}

struct Slice<'c> {
    code: &'c Code,
    seen: BTreeSet<Spot>,
    waiting: Vec<Spot>,
    calls: Calls,
    found: Reaches,
    /// Calls to clients of which the name decides, by the name.
    by_name: BTreeMap<String, Vec<(String, u64, String)>>,
    /// Whether a request goes to an address that is not plain.
    sends: Option<(String, u64)>,
}

/// What these functions reach.
pub(super) fn of(code: &Code, roots: &[Spot]) -> Reaches {
    let mut slice = Slice {
        code,
        seen: BTreeSet::new(),
        waiting: roots.to_vec(),
        calls: Calls::default(),
        found: Reaches::default(),
        by_name: BTreeMap::new(),
        sends: None,
    };
    while let Some(spot) = slice.waiting.pop() {
        if slice.seen.len() >= MOST_UNITS {
            let path = slice.path(spot);
            slice.found.doubt(&path, 0, "it calls more functions than are followed".to_owned());
            break;
        }
        if slice.seen.insert(spot) {
            slice.unit(spot);
        }
    }
    slice.done()
}

impl Slice<'_> {
    fn path(&self, spot: Spot) -> String {
        self.code.modules.get(spot.module).map(|module| module.path.clone()).unwrap_or_default()
    }

    fn unit(&mut self, spot: Spot) {
        let Some(module) = self.code.modules.get(spot.module) else { return };
        let Some(unit) = module.units.get(spot.unit) else { return };
        let path = module.path.clone();
        self.calls.strings.extend(unit.texts.iter().cloned());
        // Functions within it may run.
        for (number, inner) in module.units.iter().enumerate() {
            if inner.parent == Some(spot.unit) && spot.unit != 0 {
                self.waiting.push(Spot { module: spot.module, unit: number });
            }
        }
        for name in &unit.mentions {
            for origin in self.code.origins(spot, &Value::Path(vec![name.clone()])) {
                self.mention(origin);
            }
        }
        for call in &unit.calls {
            self.call(spot, &path, call);
        }
        if module.broken {
            self.found.doubt(&path, unit.line, "the file was not understood to its end".to_owned());
        }
    }

    /// What is named may be called by whoever it is handed to.
    fn mention(&mut self, origin: Origin) {
        match origin {
            Origin::Unit(spot) => self.waiting.push(spot),
            Origin::Value(spot, value) => self.said(spot, &value, 0),
            Origin::Package(root, chain) => {
                self.calls.text.push_str(&format!(" {root}.{} ", chain.join(".")));
            }
            Origin::Class(..) | Origin::Instance(..) | Origin::Param(_) | Origin::Builtin(_) | Origin::Unknown(_) => {}
        }
    }

    /// Texts of a value that stands elsewhere.
    fn said(&mut self, spot: Spot, value: &Value, depth: usize) {
        if depth > 6 {
            return;
        }
        match value {
            Value::Text(text, _) => self.calls.strings.push(text.clone()),
            Value::List(items, _) | Value::Either(items) => {
                for item in items {
                    self.said(spot, item, depth + 1);
                }
            }
            Value::Record(entries, ..) => {
                for (_, value, _) in entries {
                    self.said(spot, value, depth + 1);
                }
            }
            Value::Unit(unit) => self.waiting.push(Spot { module: spot.module, unit: *unit }),
            Value::Path(_) => {
                for origin in self.code.origins(spot, value) {
                    match origin {
                        Origin::Value(spot, value) => self.said(spot, &value, depth + 1),
                        Origin::Unit(spot) => self.waiting.push(spot),
                        Origin::Package(..)
                        | Origin::Class(..)
                        | Origin::Instance(..)
                        | Origin::Param(_)
                        | Origin::Builtin(_)
                        | Origin::Unknown(_) => {}
                    }
                }
            }
            Value::Bool(_) | Value::Nothing | Value::Member(..) | Value::Call(_) | Value::Other => {}
        }
    }

    fn call(&mut self, spot: Spot, path: &str, call: &Call) {
        let name = last(&call.callee).unwrap_or_default().to_owned();
        let origins = self.code.origins(spot, &call.callee);
        let words: Vec<String> = call.args.iter().filter_map(|arg| shown(&arg.value)).collect();
        for origin in origins {
            match origin {
                Origin::Unit(to) => self.waiting.push(to),
                Origin::Class(module, class) => self.method(module, class, &["__init__", "constructor"]),
                Origin::Instance(module, class) => self.method(module, class, &["__call__"]),
                Origin::Package(root, chain) => {
                    let full = format!("{root}.{}", chain.join("."));
                    self.calls.text.push_str(&format!(" {full}({}) ", words.join(", ")));
                    self.outside(spot, path, call, (&root, &chain), &name);
                }
                Origin::Builtin(chain) => self.builtin(spot, path, call, &chain, &words),
                Origin::Value(..) => {}
                Origin::Param(_) | Origin::Unknown(_) => {
                    self.calls.text.push_str(&format!(" {name}({}) ", words.join(", ")));
                    self.unknown(spot, path, call, &name);
                }
            }
        }
    }

    fn method(&mut self, module: usize, class: usize, names: &[&str]) {
        let Some(file) = self.code.modules.get(module) else { return };
        for unit in file.classes.get(class).into_iter().flat_map(|class| &class.methods) {
            if file.units.get(*unit).is_some_and(|unit| names.contains(&unit.name.as_str())) {
                self.waiting.push(Spot { module, unit: *unit });
            }
        }
    }

    /// A call into a package.
    fn outside(&mut self, spot: Spot, path: &str, call: &Call, (root, chain): (&str, &[String]), name: &str) {
        match known::package(root, chain) {
            Kind::Harmless => {}
            Kind::Runs => self.runs(spot, path, call),
            Kind::Evaluates => self.evaluates(spot, path, call),
            Kind::Sends => self.sends(spot, path, call, name),
            Kind::Queries => self.queries(spot, call),
            Kind::ByName => {
                self.calls.called.insert(name.to_owned());
                let why = format!("what `{name}` of {root} does is in no list");
                self.by_name.entry(name.to_owned()).or_default().push((path.to_owned(), call.line, why));
            }
        }
    }

    fn builtin(&mut self, spot: Spot, path: &str, call: &Call, chain: &[String], words: &[String]) {
        let name = chain.last().map(String::as_str).unwrap_or_default();
        match known::builtin(chain) {
            Kind::Harmless => {
                if name == "open" && known::writes(call) {
                    self.found.operations.insert("sqlite/write".to_owned());
                }
            }
            Kind::Evaluates => self.evaluates(spot, path, call),
            Kind::Sends => {
                self.calls.text.push_str(&format!(" {}({}) ", chain.join("."), words.join(", ")));
                self.sends(spot, path, call, name);
            }
            Kind::Runs => self.runs(spot, path, call),
            Kind::Queries => self.queries(spot, call),
            Kind::ByName => {
                self.calls.text.push_str(&format!(" {}({}) ", chain.join("."), words.join(", ")));
                self.unknown(spot, path, call, name);
            }
        }
    }

    /// A call on something that came from nowhere.
    fn unknown(&mut self, spot: Spot, path: &str, call: &Call, name: &str) {
        if known::queries(name) {
            return self.queries(spot, call);
        }
        if known::plain(name) {
            return;
        }
        self.calls.called.insert(name.to_owned());
        let shown = if name.is_empty() || name == "()" || name == "[]" { "something" } else { name };
        let why = format!("what `{shown}` is called on is not plain");
        self.by_name.entry(name.to_owned()).or_default().push((path.to_owned(), call.line, why));
    }

    /// A command is run.
    fn runs(&mut self, spot: Spot, path: &str, call: &Call) {
        let why = "it runs a command that it is given";
        let first = call.arg(&["args", "cmd", "command"], Some(0));
        let Some(first) = first else {
            return self.found.add(Reaches::anything(path, call.line, why));
        };
        // `run("git", "status")`, `execFile("git", ["status"])`
        let mut rest: Vec<&Value> =
            call.args.iter().filter(|arg| arg.name.is_none()).skip(1).map(|arg| &arg.value).collect();
        rest.retain(|value| !matches!(value, Value::Record(..) | Value::Unit(_)));
        let shell = call.option("shell").is_some_and(|shell| *shell != Value::Bool(false));
        let mut whole = true;
        for value in self.values(spot, first) {
            let command = match &value {
                Value::Text(text, false) => {
                    let mut words = vec![text.clone()];
                    whole &= rest.iter().all(|value| word(self, spot, value, &mut words));
                    Some(words.join(" "))
                }
                Value::List(items, false) => {
                    let mut words = Vec::new();
                    let first = items.first().is_some_and(|first| matches!(first, Value::Text(_, false)));
                    let all = items.iter().all(|item| word(self, spot, item, &mut words));
                    (first && (all || !shell)).then(|| words.join(" "))
                }
                Value::Text(_, true)
                | Value::List(_, true)
                | Value::Bool(_)
                | Value::Nothing
                | Value::Record(..)
                | Value::Path(_)
                | Value::Member(..)
                | Value::Call(_)
                | Value::Unit(_)
                | Value::Either(_)
                | Value::Other => None,
            };
            match command {
                Some(command) => self.calls.commands.push(command),
                None => whole = false,
            }
        }
        if !whole {
            self.found.add(Reaches::anything(path, call.line, why));
        }
    }

    /// Code is run.
    fn evaluates(&mut self, spot: Spot, path: &str, call: &Call) {
        let given = call.at(0).map(|value| self.values(spot, value)).unwrap_or_default();
        if given.is_empty() || given.iter().any(|value| value.text().is_none()) {
            self.found.add(Reaches::anything(path, call.line, "it runs code that it is given"));
        } else {
            self.found.doubt(path, call.line, "it runs code that stands in a text".to_owned());
        }
    }

    /// A request is sent.
    fn sends(&mut self, spot: Spot, path: &str, call: &Call, name: &str) {
        let method = call.option("method").map(|method| method.text().unwrap_or("?").to_uppercase());
        let reads =
            matches!(method.as_deref().unwrap_or(name), "get" | "head" | "options" | "GET" | "HEAD" | "OPTIONS")
                || (method.is_none() && ["fetch", "urlopen"].contains(&name) && call.args.len() < 2);
        let mut plain = false;
        for arg in &call.args {
            for value in self.values(spot, &arg.value) {
                if let Value::Text(text, _) = &value {
                    plain |= text.contains("://") && !text.starts_with("{}");
                    self.calls.strings.push(text.clone());
                    self.calls.text.push_str(&format!(" {text:?} "));
                }
                self.said(spot, &value, 0);
            }
        }
        if !plain && !reads {
            self.sends.get_or_insert((path.to_owned(), call.line));
        }
    }

    /// A query is run.
    fn queries(&mut self, spot: Spot, call: &Call) {
        let Some(first) = call.arg(&["query", "sql", "statement", "operation", "text"], Some(0)) else {
            return self.calls.queries.push(None);
        };
        let values = self.values(spot, first);
        if values.is_empty() {
            self.calls.queries.push(None);
        }
        for value in values {
            let text = match &value {
                Value::Text(text, false) => Some(text.clone()),
                // What is put into a query is more than a value where it begins one.
                Value::Text(text, true) if !text.trim_start().starts_with("{}") => Some(text.replace("{}", "NULL")),
                Value::Text(..)
                | Value::Bool(_)
                | Value::Nothing
                | Value::List(..)
                | Value::Record(..)
                | Value::Path(_)
                | Value::Member(..)
                | Value::Call(_)
                | Value::Unit(_)
                | Value::Either(_)
                | Value::Other => None,
            };
            self.calls.queries.push(text);
        }
    }

    /// What a value may be, with texts looked up and `text("…")` looked through.
    fn values(&self, spot: Spot, value: &Value) -> Vec<Value> {
        if let Value::Call(call) = value
            && last(&call.callee).is_some_and(|name| ["text", "SQL", "sql", "dedent", "strip"].contains(&name))
            && let Some(inner) = call.at(0)
        {
            return self.values(spot, inner);
        }
        if matches!(value, Value::Path(_) | Value::Member(..) | Value::Either(_)) {
            let origins = self.code.origins(spot, value);
            let of = |origin: Origin| if let Origin::Value(_, value) = origin { value } else { Value::Other };
            return origins.into_iter().map(of).collect();
        }
        vec![value.clone()]
    }

    fn done(mut self) -> Reaches {
        let (meaning, known) = meaning::of_calls(&self.calls);
        for amount in &meaning.amounts {
            let operation = match (amount.provider.as_str(), amount.action.as_str()) {
                (meaning::MACHINE, "file:delete") => "sqlite/rm".to_owned(),
                (meaning::MACHINE, "file:overwrite") => "sqlite/write".to_owned(),
                (meaning::MACHINE, _) => continue,
                (provider, action) => format!("{provider}/{action}"),
            };
            self.found.operations.insert(operation);
        }
        let place = self.calls_place();
        for doubt in meaning.doubts {
            self.found.doubt(&place.0, place.1, doubt);
        }
        for (name, places) in std::mem::take(&mut self.by_name) {
            if !known.contains(&name) {
                for (path, line, why) in places {
                    self.found.doubt(&path, line, why);
                }
            }
        }
        if let Some((path, line)) = self.sends.take() {
            self.found.doubt(&path, line, "where it sends a request is not plain".to_owned());
        }
        self.found
    }

    fn calls_place(&self) -> (String, u64) {
        let first = self.seen.iter().next_back().copied();
        let line = first.and_then(|spot| self.code.unit(spot)).map_or(0, |unit| unit.line);
        (first.map(|spot| self.path(spot)).unwrap_or_default(), line)
    }
}

/// One word of a command; whether it is known.
fn word(slice: &Slice<'_>, spot: Spot, value: &Value, words: &mut Vec<String>) -> bool {
    match slice.values(spot, value).as_slice() {
        [Value::Text(text, false)] => {
            words.push(crate::quote::word(text));
            true
        }
        [Value::List(items, false)] => items.iter().all(|item| word(slice, spot, item, words)),
        _ => {
            words.push("\"$GIVEN\"".to_owned());
            false
        }
    }
}

/// A value as a word of the text that hints at what is called.
fn shown(value: &Value) -> Option<String> {
    match value {
        Value::Text(text, _) => Some(format!("{text:?}")),
        Value::Record(entries, ..) => {
            let all: Vec<String> =
                entries.iter().filter_map(|(key, value, _)| Some(format!("{key}: {}", shown(value)?))).collect();
            Some(all.join(", "))
        }
        Value::Bool(_)
        | Value::Nothing
        | Value::List(..)
        | Value::Path(_)
        | Value::Member(..)
        | Value::Call(_)
        | Value::Unit(_)
        | Value::Either(_)
        | Value::Other => None,
    }
}
