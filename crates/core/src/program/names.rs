//! What a name stands for: the modules of one program, and the way from a name to where it comes from (floor 2).

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use super::syntax::{Module, Unit, Value};
use super::{Source, python, script};

/// The most files of one program that are read.
const MOST_MODULES: usize = 400;

/// How many names are followed from one to the next.
const DEEPEST: usize = 24;

/// How many answers to what a name stands for are kept.
const MOST_ORIGINS: usize = 8;

/// A place in a program: a module, and a unit of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    pub(super) module: usize,
    pub(super) unit: usize,
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Origin {
    /// A package, and what is read of it and called: `boto3` and `client`, `()`, `delete_db_instance`.
    Package(String, Vec<String>),
    /// A function of the program.
    Unit(Spot),
    /// A class of the program: the module and its number there.
    Class(usize, usize),
    /// Something of that class.
    Instance(usize, usize),
    /// A parameter, and what is read of it.
    Param(Vec<String>),
    /// A value as it is written, and where.
    Value(Spot, Value),
    /// What the language brings, or a global of the place it runs at.
    Builtin(Vec<String>),
    /// Not known, with the last name that was read.
    Unknown(String),
}

/// What a name is set to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Written {
    /// A value, and where it stands.
    Value(Spot, Value),
    /// A function.
    Unit(Spot),
    /// A class: the module and its number there.
    Class(usize, usize),
    /// Not known.
    Unknown,
}

/// How many steps one question about a name may take, and all of a program.
const MOST_STEPS: u32 = 2_000;
const MOST_STEPS_IN_ALL: u32 = 8_000_000;

/// The most text of one program that is read, in bytes.
const MOST_TEXT: usize = 8 << 20;

/// The files of one program that matter.
#[derive(Debug, Default)]
pub(super) struct Code {
    /// Steps that were taken for one question, and for all.
    steps: Cell<u32>,
    all_steps: Cell<u32>,
    /// Whether a question was left for want of steps.
    tired: Cell<bool>,
    pub(super) modules: Vec<Module>,
    by_name: BTreeMap<String, usize>,
    /// Modules of the program that were not found or not read to their end.
    pub(super) cut: bool,
}

impl Code {
    /// Reads the files that are given and whatever of the program they import.
    pub(super) fn read(entries: &[Source], load: &dyn Fn(&str) -> Option<Source>) -> Self {
        let mut code = Self::default();
        let mut tried = BTreeSet::new();
        let mut text = 0;
        let mut waiting: Vec<Source> = entries.iter().rev().cloned().collect();
        while let Some(source) = waiting.pop() {
            if code.by_name.contains_key(&source.dotted) {
                continue;
            }
            text += source.text.len();
            if code.modules.len() >= MOST_MODULES || text > MOST_TEXT {
                code.cut = true;
                break;
            }
            let is_python = source.path.ends_with(".py");
            let read = if is_python { python::read } else { script::read };
            let module = read(&source.path, &source.dotted, &source.text);
            let paths = module.imports.values().chain(&module.stars).cloned().collect::<Vec<String>>();
            code.by_name.insert(source.dotted.clone(), code.modules.len());
            code.modules.push(module);
            for path in paths {
                for name in candidates(&path, &source.dotted) {
                    if !code.by_name.contains_key(&name) && tried.insert(name.clone()) {
                        waiting.extend(load(&name).map(|found| Source { dotted: name, ..found }));
                    }
                }
            }
        }
        code
    }

    /// The module of that name.
    pub(super) fn module(&self, dotted: &str) -> Option<&Module> {
        self.modules.get(*self.by_name.get(dotted)?)
    }

    pub(super) fn unit(&self, spot: Spot) -> Option<&Unit> {
        self.modules.get(spot.module)?.units.get(spot.unit)
    }

    /// The module of the program that a path names from a module, and what is left of the path.
    fn module_of(&self, path: &str, from: &str) -> Option<(usize, Vec<String>)> {
        candidates(path, from).into_iter().find_map(|name| {
            let found = self.by_name.get(&name)?;
            let whole = plain(path);
            // How many parts of the path the module took.
            let taken = whole.iter().rev().scan(whole.len(), |left, _| {
                let here = *left;
                *left -= 1;
                Some(here)
            });
            let mut taken = taken.filter(|count| {
                let head = whole.get(..*count).unwrap_or_default().join(".");
                name == head || name.ends_with(&format!(".{head}"))
            });
            let count = taken.next().unwrap_or(whole.len());
            Some((*found, whole.get(count..).unwrap_or_default().to_vec()))
        })
    }

    /// Whether some question was not followed to its end.
    pub(super) fn is_tired(&self) -> bool {
        self.tired.get()
    }

    /// One step more; whether it may be taken.
    fn step(&self) -> bool {
        self.steps.set(self.steps.get().saturating_add(1));
        self.all_steps.set(self.all_steps.get().saturating_add(1));
        let goes_on = self.steps.get() <= MOST_STEPS && self.all_steps.get() <= MOST_STEPS_IN_ALL;
        if !goes_on {
            self.tired.set(true);
        }
        goes_on
    }

    /// Where a value at a place comes from.
    pub(super) fn origins(&self, at: Spot, value: &Value) -> Vec<Origin> {
        self.steps.set(0);
        let mut found = Vec::new();
        self.follow(at, value, 0, &mut found);
        found
    }

    fn follow(&self, at: Spot, value: &Value, depth: usize, found: &mut Vec<Origin>) {
        if depth > DEEPEST || found.len() >= MOST_ORIGINS || !self.step() {
            return keep(found, Origin::Unknown(String::new()));
        }
        match value {
            Value::Path(parts) => {
                let Some((first, rest)) = parts.split_first() else { return };
                self.name(at, first, rest, depth + 1, found);
            }
            Value::Member(object, name) => {
                let mut objects = Vec::new();
                self.follow(at, object, depth + 1, &mut objects);
                for object in objects {
                    self.part(object, std::slice::from_ref(name), depth + 1, found);
                }
            }
            Value::Call(call) => {
                let mut callees = Vec::new();
                self.follow(at, &call.callee, depth + 1, &mut callees);
                for callee in callees {
                    keep(
                        found,
                        match callee {
                            Origin::Package(root, mut chain) => {
                                chain.push("()".to_owned());
                                Origin::Package(root, chain)
                            }
                            Origin::Class(module, class) => Origin::Instance(module, class),
                            Origin::Builtin(mut chain) => {
                                chain.push("()".to_owned());
                                Origin::Builtin(chain)
                            }
                            Origin::Unit(_)
                            | Origin::Instance(..)
                            | Origin::Param(_)
                            | Origin::Value(..)
                            | Origin::Unknown(_) => Origin::Unknown("()".to_owned()),
                        },
                    );
                }
            }
            Value::Unit(unit) => keep(found, Origin::Unit(Spot { module: at.module, unit: *unit })),
            Value::Either(all) => {
                for one in all {
                    self.follow(at, one, depth + 1, found);
                }
            }
            Value::Text(..) | Value::Bool(_) | Value::List(..) | Value::Record(..) => {
                keep(found, Origin::Value(at, value.clone()));
            }
            // What is set to nothing first is set to something later.
            Value::Nothing => {}
            Value::Other => keep(found, Origin::Unknown(String::new())),
        }
    }

    /// What a name stands for at a place, and what is read of it.
    fn name(&self, at: Spot, name: &str, rest: &[String], depth: usize, found: &mut Vec<Origin>) {
        let Some(module) = self.modules.get(at.module) else { return };
        let mut unit = Some(at.unit);
        let mut levels = 0;
        while let Some(number) = unit
            && let Some(here) = module.units.get(number)
            && levels < DEEPEST
        {
            let spot = Spot { module: at.module, unit: number };
            // `self.client` is what a method set it to.
            if let Some((own, deeper)) = here
                .class
                .zip(rest.split_first())
                .filter(|_| here.params.first().is_some_and(|first| first == name) || name == "this")
            {
                return self.attribute(at.module, own, deeper.0, deeper.1, depth + 1, found);
            }
            if let Some(values) = here.names.get(name) {
                for (value, _) in values {
                    let mut origins = Vec::new();
                    self.follow(spot, value, depth + 1, &mut origins);
                    for origin in origins {
                        self.part(origin, rest, depth + 1, found);
                    }
                }
                return;
            }
            if here.params.iter().any(|param| param == name) {
                return match here.class.filter(|_| here.params.first().is_some_and(|first| first == name)) {
                    Some(class) => keep(found, Origin::Instance(at.module, class)),
                    None => keep(found, Origin::Param(rest.to_vec())),
                };
            }
            unit = here.parent;
            levels += 1;
        }
        if let Some(class) = module.classes.iter().position(|class| class.name == name) {
            return self.part(Origin::Class(at.module, class), rest, depth + 1, found);
        }
        if let Some(path) = module.imports.get(name) {
            return self.imported(module, path, rest, depth + 1, found);
        }
        for star in &module.stars {
            if let Some((other, left)) = self.module_of(star, &module.dotted)
                && left.is_empty()
                && let Some(inner) = self.modules.get(other)
                && (inner.units.first().is_some_and(|top| top.names.contains_key(name))
                    || inner.classes.iter().any(|class| class.name == name))
            {
                return self.name(Spot { module: other, unit: 0 }, name, rest, depth + 1, found);
            }
        }
        let chain = std::iter::once(name.to_owned()).chain(rest.iter().cloned()).collect();
        keep(found, Origin::Builtin(chain));
    }

    /// The values as they are written that a value stands for, names followed and nothing called.
    pub(super) fn written(&self, at: Spot, value: &Value) -> Vec<Written> {
        self.steps.set(0);
        let mut found = Vec::new();
        self.look_up(at, value, 0, &mut found);
        found
    }

    fn look_up(&self, at: Spot, value: &Value, depth: usize, found: &mut Vec<Written>) {
        let Some(module) =
            self.modules.get(at.module).filter(|_| depth < DEEPEST && found.len() < MOST_ORIGINS && self.step())
        else {
            return found.push(Written::Unknown);
        };
        let parts = match value {
            Value::Path(parts) => parts,
            Value::Unit(unit) => return found.push(Written::Unit(Spot { module: at.module, unit: *unit })),
            Value::Either(all) => {
                for one in all {
                    self.look_up(at, one, depth + 1, found);
                }
                return;
            }
            Value::Nothing => return,
            Value::Text(..)
            | Value::Bool(_)
            | Value::List(..)
            | Value::Record(..)
            | Value::Member(..)
            | Value::Call(_)
            | Value::Other => return found.push(Written::Value(at, value.clone())),
        };
        let Some((name, rest)) = parts.split_first() else { return found.push(Written::Unknown) };
        let mut unit = Some(at.unit);
        while let Some(here) = unit.and_then(|number| module.units.get(number)) {
            let spot = Spot { module: at.module, unit: unit.unwrap_or(0) };
            let whole = parts.join(".");
            if let Some(values) = here.names.get(&whole).or_else(|| here.names.get(name).filter(|_| rest.is_empty())) {
                for (value, _) in values {
                    self.look_up(spot, value, depth + 1, found);
                }
                return;
            }
            if let Some(values) = here.names.get(name) {
                for (value, _) in values {
                    let mut inner = Vec::new();
                    self.look_up(spot, value, depth + 1, &mut inner);
                    for one in inner {
                        match one {
                            Written::Value(spot, value) => {
                                match rest.iter().try_fold(&value, |value, part| value.entry(part)) {
                                    Some(inner) => self.look_up(spot, &inner.clone(), depth + 1, found),
                                    None => found.push(Written::Unknown),
                                }
                            }
                            Written::Unit(_) | Written::Class(..) | Written::Unknown => found.push(Written::Unknown),
                        }
                    }
                }
                return;
            }
            if here.params.contains(name) {
                // `self.tools`: whatever a method of the class set it to.
                if let (Some(class), Some(field)) = (here.class, rest.first())
                    && rest.len() == 1
                    && here.params.first() == Some(name)
                {
                    return self.field(at.module, class, field, depth + 1, found);
                }
                return found.push(Written::Unknown);
            }
            unit = here.parent;
        }
        if let Some(class) = module.classes.iter().position(|class| class.name == *name) {
            return found.push(Written::Class(at.module, class));
        }
        let path =
            module.imports.get(name).map(|path| rest.iter().fold(path.clone(), |path, part| format!("{path}.{part}")));
        if let Some((other, left)) = path.and_then(|path| self.module_of(&path, &module.dotted))
            && let Some((first, rest)) = left.split_first()
        {
            let first = if first == "default" { default_of(self.modules.get(other)) } else { first.clone() };
            let inner: Vec<String> = std::iter::once(first).chain(rest.iter().cloned()).collect();
            return self.look_up(Spot { module: other, unit: 0 }, &Value::Path(inner), depth + 1, found);
        }
        found.push(Written::Unknown);
    }

    /// What methods of a class set a field to.
    fn field(&self, module: usize, class: usize, name: &str, depth: usize, found: &mut Vec<Written>) {
        let Some(file) = self.modules.get(module) else { return };
        let Some(own) = file.classes.get(class) else { return };
        let before = found.len();
        if let Some(value) = own.fields.get(name) {
            self.look_up(Spot { module, unit: 0 }, value, depth + 1, found);
        }
        for unit in &own.methods {
            let Some(here) = file.units.get(*unit) else { continue };
            if here.name == name {
                found.push(Written::Unit(Spot { module, unit: *unit }));
            }
            for key in [format!("self.{name}"), format!("this.{name}")] {
                for (value, _) in here.names.get(&key).into_iter().flatten() {
                    self.look_up(Spot { module, unit: *unit }, value, depth + 1, found);
                }
            }
        }
        if found.len() == before {
            found.push(Written::Unknown);
        }
    }

    fn imported(&self, module: &Module, path: &str, rest: &[String], depth: usize, found: &mut Vec<Origin>) {
        let whole = rest.iter().fold(path.to_owned(), |mut path, part| {
            path.push('.');
            path.push_str(part);
            path
        });
        if let Some((other, left)) = self.module_of(&whole, &module.dotted) {
            let spot = Spot { module: other, unit: 0 };
            return match left.split_first() {
                Some((first, rest)) if depth < DEEPEST => {
                    let first = if first == "default" { default_of(self.modules.get(other)) } else { first.clone() };
                    self.name(spot, &first, rest, depth + 1, found);
                }
                Some(_) | None => keep(found, Origin::Unknown(String::new())),
            };
        }
        // A package of JavaScript has its own dots and slashes; one of Python ends at the first dot.
        let (root, mut chain) = match path.split_once('#') {
            Some((root, member)) => (root.to_owned(), vec![member.to_owned()]),
            None if path.contains('/') || path.starts_with('@') || !module.path.ends_with(".py") => {
                (path.to_owned(), Vec::new())
            }
            None => {
                let mut parts = path.split('.').map(str::to_owned);
                (parts.next().unwrap_or_default(), parts.collect())
            }
        };
        chain.extend(rest.iter().cloned());
        keep(found, Origin::Package(root, chain));
    }

    /// What is read of something, part by part.
    fn part(&self, origin: Origin, rest: &[String], depth: usize, found: &mut Vec<Origin>) {
        let Some((first, deeper)) = rest.split_first() else { return keep(found, origin) };
        if depth > DEEPEST || !self.step() {
            return keep(found, Origin::Unknown(rest.last().cloned().unwrap_or_default()));
        }
        match origin {
            Origin::Package(root, mut chain) => {
                chain.extend(rest.iter().cloned());
                keep(found, Origin::Package(root, chain));
            }
            Origin::Param(mut chain) => {
                chain.extend(rest.iter().cloned());
                keep(found, Origin::Param(chain));
            }
            Origin::Builtin(mut chain) => {
                chain.extend(rest.iter().cloned());
                keep(found, Origin::Builtin(chain));
            }
            Origin::Class(module, class) | Origin::Instance(module, class) => {
                self.attribute(module, class, first, deeper, depth + 1, found);
            }
            Origin::Value(spot, value) => match value.entry(first).cloned() {
                Some(inner) => {
                    let mut origins = Vec::new();
                    self.follow(spot, &inner, depth + 1, &mut origins);
                    for origin in origins {
                        self.part(origin, deeper, depth + 1, found);
                    }
                }
                // A method of a text, a list or an object.
                None => {
                    let chain = std::iter::once("literal".to_owned()).chain(rest.iter().cloned()).collect();
                    keep(found, Origin::Builtin(chain));
                }
            },
            Origin::Unit(_) | Origin::Unknown(_) => {
                keep(found, Origin::Unknown(rest.last().cloned().unwrap_or_default()));
            }
        }
    }

    /// A method or a field of a class, or of one that it extends.
    fn attribute(
        &self,
        module: usize,
        class: usize,
        name: &str,
        rest: &[String],
        depth: usize,
        found: &mut Vec<Origin>,
    ) {
        let Some((file, own)) = self.modules.get(module).and_then(|file| Some((file, file.classes.get(class)?))) else {
            return;
        };
        if depth > DEEPEST || !self.step() {
            return keep(found, Origin::Unknown(name.to_owned()));
        }
        let top = Spot { module, unit: 0 };
        let method = |unit: &&usize| file.units.get(**unit).is_some_and(|unit| unit.name == name);
        if let Some(unit) = own.methods.iter().find(method) {
            return self.part(Origin::Unit(Spot { module, unit: *unit }), rest, depth + 1, found);
        }
        let mut origins = Vec::new();
        if let Some(value) = own.fields.get(name) {
            self.follow(top, value, depth + 1, &mut origins);
        }
        for unit in &own.methods {
            let Some(here) = file.units.get(*unit) else { continue };
            let of_self = here.params.first().map_or("this", String::as_str);
            for key in [format!("{of_self}.{name}"), format!("this.{name}")] {
                for (value, _) in here.names.get(&key).into_iter().flatten() {
                    self.follow(Spot { module, unit: *unit }, value, depth + 1, &mut origins);
                }
            }
        }
        if origins.is_empty() {
            for base in &own.bases {
                let mut bases = Vec::new();
                self.follow(top, base, depth + 1, &mut bases);
                for base in bases {
                    if matches!(base, Origin::Class(..) | Origin::Package(..)) {
                        let whole: Vec<String> = std::iter::once(name.to_owned()).chain(rest.iter().cloned()).collect();
                        self.part(base, &whole, depth + 1, found);
                    }
                }
            }
            return keep(found, Origin::Unknown(name.to_owned()));
        }
        for origin in origins {
            self.part(origin, rest, depth + 1, found);
        }
    }
}

fn keep(found: &mut Vec<Origin>, origin: Origin) {
    if !found.contains(&origin) {
        found.push(origin);
    }
}

/// What a file exports by default, where that has a name.
fn default_of(module: Option<&Module>) -> String {
    let top = module.and_then(|module| module.units.first());
    top.and_then(|top| top.names.keys().next_back().cloned()).unwrap_or_default()
}

/// The parts of a path.
fn plain(path: &str) -> Vec<String> {
    let path = path.strip_prefix("./").unwrap_or(path);
    path.split(['.', '#']).map(str::to_owned).collect()
}

/// The names under which a path may be a module of the program, the longest first: below its folder, below `src`, or beside
/// the file that imports it.
fn candidates(path: &str, from: &str) -> Vec<String> {
    let alias = path.strip_prefix("@/").or_else(|| path.strip_prefix("~/")).map(|rest| rest.replace('/', "."));
    let path = alias.as_deref().unwrap_or(path);
    if path.contains('/') && !path.starts_with("./") {
        return Vec::new();
    }
    let parts = plain(path);
    let beside = from.rsplit_once('.').map(|(folder, _)| folder);
    let mut all = Vec::new();
    for count in (1..=parts.len().min(12)).rev() {
        let head = parts.get(..count).unwrap_or_default().join(".");
        all.push(head.clone());
        all.push(format!("src.{head}"));
        all.extend(beside.map(|folder| format!("{folder}.{head}")));
    }
    all
}
