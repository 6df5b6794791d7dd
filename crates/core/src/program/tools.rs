//! The tools of a program: where each is declared, under which name, and which agents carry it (floor 2).

use std::collections::{BTreeMap, BTreeSet};

use super::Source;
use super::approval;
use super::frameworks::{self, Framework, Maker, Reach};
use super::names::{Code, Origin, Spot, Written};
use super::reach::{self, Reaches};
use super::syntax::{Call, Value, last};

/// What stands between a model's call and the tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gate {
    /// Nothing.
    None,
    /// Something that does not cover it.
    Void,
    /// Something of which it is not plain whether it asks.
    Unknown,
    /// Something that is documented to have a person asked.
    Asks,
}

impl Gate {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Void => "void",
            Self::Unknown => "unknown",
            Self::Asks => "asks",
        }
    }
}

/// One function that a model may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// The name that the model sees.
    pub name: String,
    /// The framework.
    pub framework: &'static str,
    /// The file that declares it.
    pub path: String,
    /// The line, from 1.
    pub line: u64,
    /// What stands before it.
    pub gate: Gate,
    /// What that is, in words: `needs_approval=True`.
    pub by: String,
    /// Where that stands.
    pub gate_at: Option<(String, u64)>,
    /// What its code reaches.
    pub reaches: Reaches,
}

/// Why the tools that were found may not be all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Open {
    /// The file.
    pub path: String,
    /// The line, from 1.
    pub line: u64,
    /// Why, in words.
    pub why: String,
}

/// One agent program.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// The frameworks that it is written with.
    pub frameworks: BTreeSet<&'static str>,
    /// Its tools, by place.
    pub tools: Vec<Tool>,
    /// Why there may be more.
    pub open: BTreeSet<Open>,
}

/// A tool in the making.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) framework: &'static Framework,
    pub(super) spot: Spot,
    pub(super) line: u64,
    pub(super) name: String,
    /// The functions that run.
    pub(super) runs: Vec<Spot>,
    pub(super) ready: Option<Reach>,
    /// What declares it, and where.
    pub(super) by: Option<(Spot, Call)>,
    /// The agents that carry it.
    pub(super) carriers: Vec<usize>,
    /// Whether what it runs is not plain.
    pub(super) lost: bool,
    /// What is known of its gate from its form alone.
    pub(super) set: Option<(Gate, &'static str, u64)>,
}

/// What takes tools.
#[derive(Clone, Debug)]
pub(super) struct Carrier {
    pub(super) framework: &'static Framework,
    pub(super) spot: Spot,
    pub(super) call: Call,
    /// What it is called in the framework.
    pub(super) form: &'static Maker,
}

pub(super) struct Finder<'c> {
    pub(super) code: &'c Code,
    pub(super) made: Vec<Made>,
    pub(super) carriers: Vec<Carrier>,
    pub(super) open: BTreeSet<Open>,
    /// Every call of the program, with what it is named where it comes from.
    pub(super) calls: Vec<(Spot, Call, String)>,
    /// Classes of which methods are tools.
    pub(super) specs: BTreeSet<(usize, usize)>,
    /// Tools by the module and line that declare them.
    pub(super) by_place: BTreeMap<(usize, u64), Vec<usize>>,
}

/// Reads a program from the files that speak of a framework, and whatever of the program they import. Nothing, where no
/// framework is used in it.
#[must_use]
pub fn read(entries: &[Source], load: &dyn Fn(&str) -> Option<Source>) -> Option<Program> {
    let code = Code::read(entries, load);
    let mut finder = Finder {
        code: &code,
        made: Vec::new(),
        carriers: Vec::new(),
        open: BTreeSet::new(),
        calls: Vec::new(),
        specs: BTreeSet::new(),
        by_place: BTreeMap::new(),
    };
    finder.find();
    let frameworks: BTreeSet<&'static str> = (finder.made.iter().map(|made| made.framework.name))
        .chain(finder.carriers.iter().map(|carrier| carrier.framework.name))
        .collect();
    let mut open = std::mem::take(&mut finder.open);
    for (module, source) in entries.iter().filter_map(|source| Some((code.module(&source.dotted)?, source))) {
        if module.broken {
            let why = "the file was not understood to its end".to_owned();
            open.insert(Open { path: source.path.clone(), line: 1, why });
        }
    }
    if code.cut {
        open.insert(Open { path: String::new(), line: 0, why: "it has more files than are read".to_owned() });
    }
    if finder.made.is_empty() && open.is_empty() {
        return None;
    }
    let mut tools: Vec<Tool> = Vec::new();
    for made in &finder.made {
        let path = code.modules.get(made.spot.module).map(|module| module.path.clone()).unwrap_or_default();
        let mut reaches = match made.ready {
            Some(ready) => ready_made(ready, &path, made),
            None => reach::of(&code, &made.runs),
        };
        if made.lost {
            reaches.doubt(&path, made.line, format!("what runs for the tool `{}` is not plain", made.name));
        }
        let (gate, by, gate_at) = approval::of(&finder, made, &reaches);
        reaches.doubts =
            std::mem::take(&mut reaches.doubts).into_iter().map(|(path, line, why)| (path, line, told(&why))).collect();
        tools.push(Tool {
            name: told(&made.name),
            framework: made.framework.name,
            path,
            line: made.line,
            gate,
            by,
            gate_at,
            reaches,
        });
    }
    tools.sort_by(|a, b| (&a.path, a.line, &a.name).cmp(&(&b.path, b.line, &b.name)));
    tools.dedup();
    Some(Program { frameworks, tools, open })
}

/// A text of the code as it may be shown: on one line, with nothing in it that looks like a secret.
fn told(text: &str) -> String {
    const LONGEST: usize = 200;
    let hidden = |c: char| {
        c.is_control()
            || ('\u{200b}'..='\u{200f}').contains(&c)
            || ('\u{202a}'..='\u{202e}').contains(&c)
            || ('\u{2060}'..='\u{2069}').contains(&c)
    };
    crate::quote::guarded(&text.chars().filter(|c| !hidden(*c)).take(LONGEST).collect::<String>())
}

fn ready_made(ready: Reach, path: &str, made: &Made) -> Reaches {
    let mut reaches = Reaches::default();
    match ready {
        Reach::Anything => reaches = Reaches::anything(path, made.line, "it runs what it is given"),
        Reach::Requests => reaches = Reaches::anything(path, made.line, "it sends whatever request it is given"),
        // Which engine it is connected to is in a URL that is not in the code.
        Reach::Sql => reaches.operations.extend(["mysql/*", "postgres/*", "sqlite/*"].map(str::to_owned)),
        Reach::Nothing => {}
        Reach::Files => {
            reaches.operations.extend(["sqlite/rm".to_owned(), "sqlite/write".to_owned()]);
        }
    }
    reaches
}

impl Finder<'_> {
    fn find(&mut self) {
        let code = self.code;
        let spots: Vec<Spot> = (code.modules.iter().enumerate())
            .flat_map(|(module, file)| (0..file.units.len()).map(move |unit| Spot { module, unit }))
            .collect();
        for spot in &spots {
            self.decorated(*spot);
        }
        for (module, file) in code.modules.iter().enumerate() {
            for class in 0..file.classes.len() {
                self.class(module, class);
            }
        }
        for spot in &spots {
            for call in code.unit(*spot).map(|unit| unit.calls.clone()).unwrap_or_default() {
                self.call(*spot, &call);
            }
        }
        for number in 0..self.carriers.len() {
            self.carried(number);
        }
        for spot in spots {
            for call in code.unit(spot).map(|unit| unit.calls.as_slice()).unwrap_or_default() {
                let name = self.named(spot, call);
                self.calls.push((spot, call.clone(), name));
            }
        }
        self.special();
    }

    /// What a call is named where it comes from, whatever it is called here.
    pub(super) fn named(&self, spot: Spot, call: &Call) -> String {
        let of = |origin: Origin| match origin {
            Origin::Package(_, chain) => chain.into_iter().rev().find(|part| part != "()"),
            Origin::Unit(_)
            | Origin::Class(..)
            | Origin::Instance(..)
            | Origin::Param(_)
            | Origin::Value(..)
            | Origin::Builtin(_)
            | Origin::Unknown(_) => None,
        };
        let from = self.code.origins(spot, &call.callee).into_iter().find_map(of);
        from.or_else(|| last(&call.callee).map(str::to_owned)).unwrap_or_default()
    }

    pub(super) fn path(&self, module: usize) -> String {
        self.code.modules.get(module).map(|module| module.path.clone()).unwrap_or_default()
    }

    pub(super) fn open(&mut self, spot: Spot, line: u64, why: &str) {
        let path = self.path(spot.module);
        self.open.insert(Open { path, line, why: why.to_owned() });
    }

    pub(super) fn add(&mut self, made: Made) -> usize {
        let number = self.made.len();
        self.by_place.entry((made.spot.module, made.line)).or_default().push(number);
        self.made.push(made);
        number
    }

    /// The framework that a module imports, if only one is.
    fn framework_of(&self, module: usize) -> Option<&'static Framework> {
        let file = self.code.modules.get(module)?;
        let of = |path: &String| {
            let (root, chain) = match path.split_once('#') {
                Some((root, _)) => (root.to_owned(), Vec::new()),
                None => {
                    let mut parts = path.split('.').map(str::to_owned);
                    (parts.next().unwrap_or_default(), parts.collect::<Vec<String>>())
                }
            };
            frameworks::of(&root, &chain)
        };
        file.imports.values().chain(&file.stars).find_map(of)
    }

    /// A function with something above it.
    fn decorated(&mut self, spot: Spot) {
        let Some(unit) = self.code.unit(spot) else { return };
        let at = Spot { module: spot.module, unit: unit.parent.unwrap_or(0) };
        for decorator in &unit.decorators {
            let call = decorator.call().cloned();
            let callee = call.as_ref().map_or(decorator, |call| &call.callee);
            for origin in self.code.origins(at, callee) {
                let found = match &origin {
                    Origin::Package(root, chain) => frameworks::of(root, chain).and_then(|framework| {
                        Some((framework, framework.above.iter().find(|maker| ends(maker.callee, chain))?))
                    }),
                    // An agent that is made elsewhere.
                    Origin::Param(_) | Origin::Unknown(_) => self.framework_of(spot.module).and_then(|framework| {
                        let name = last(callee)?;
                        Some((framework, framework.above.iter().find(|maker| maker.callee == name)?))
                    }),
                    Origin::Unit(_)
                    | Origin::Class(..)
                    | Origin::Instance(..)
                    | Origin::Value(..)
                    | Origin::Builtin(_) => None,
                };
                let Some((framework, maker)) = found else { continue };
                let given = call.as_ref().and_then(|call| call.arg(maker.name.0, maker.name.1));
                let name = given.and_then(Value::text).map_or_else(|| unit.name.clone(), str::to_owned);
                let by = Call {
                    callee: callee.clone(),
                    args: call.as_ref().map(|call| call.args.clone()).unwrap_or_default(),
                    line: call.as_ref().map_or(unit.line.saturating_sub(1), |call| call.line),
                    inner: false,
                    under: None,
                };
                // Two of one framework above one function declare one tool.
                let same = self.by_place.get(&(spot.module, unit.line)).cloned().unwrap_or_default();
                let mut again = false;
                for number in same {
                    if let Some(made) = self.made.get_mut(number).filter(|made| made.framework.id == framework.id) {
                        again = true;
                        // Who executes a tool is who asks.
                        if maker.callee == "register_for_execution" {
                            made.by = Some((at, by.clone()));
                        }
                    }
                }
                if again {
                    continue;
                }
                self.add(Made {
                    framework,
                    spot,
                    line: unit.line,
                    name,
                    runs: vec![spot],
                    ready: None,
                    by: Some((at, by)),
                    carriers: Vec::new(),
                    lost: false,
                    set: None,
                });
            }
        }
    }

    /// A class that is a tool.
    fn class(&mut self, module: usize, class: usize) {
        let Some((file, own)) = self.code.modules.get(module).and_then(|file| Some((file, file.classes.get(class)?)))
        else {
            return;
        };
        let spot = Spot { module, unit: 0 };
        let found = own.bases.iter().flat_map(|base| self.code.origins(spot, base)).find_map(|origin| {
            let Origin::Package(root, chain) = origin else { return None };
            let framework = frameworks::of(&root, &chain)?;
            let several = ends("BaseToolSpec", &chain);
            (several || framework.bases.0.iter().any(|base| ends(base, &chain))).then_some((framework, several))
        });
        let Some((framework, several)) = found else { return };
        if several {
            return self.spec(module, class, framework);
        }
        let named = own.fields.get("name").and_then(Value::text).map(str::to_owned).or_else(|| {
            // `super().__init__(name="…")`
            let units = own.methods.iter().filter_map(|unit| file.units.get(*unit));
            units
                .flat_map(|unit| &unit.calls)
                .filter(|call| last(&call.callee) == Some("__init__"))
                .find_map(|call| call.named("name").and_then(Value::text).map(str::to_owned))
        });
        let runs: Vec<Spot> = (own.methods.iter())
            .filter(|unit| file.units.get(**unit).is_some_and(|unit| framework.bases.1.contains(&unit.name.as_str())))
            .map(|unit| Spot { module, unit: *unit })
            .collect();
        let (line, name) = (own.line, named.unwrap_or_else(|| own.name.clone()));
        let lost = runs.is_empty();
        self.add(Made {
            framework,
            spot,
            line,
            name,
            runs,
            ready: None,
            by: None,
            carriers: Vec::new(),
            lost,
            set: None,
        });
    }

    /// A class of which some methods are tools.
    fn spec(&mut self, module: usize, class: usize, framework: &'static Framework) {
        let Some((file, own)) = self.code.modules.get(module).and_then(|file| Some((file, file.classes.get(class)?)))
        else {
            return;
        };
        let spot = Spot { module, unit: 0 };
        let Some(Value::List(items, false)) = own.fields.get("spec_functions") else {
            return self.open(spot, own.line, "which methods of a class are tools is not plain");
        };
        for item in items {
            let name =
                item.text().or_else(|| if let Value::List(pair, _) = item { pair.first()?.text() } else { None });
            let method = own
                .methods
                .iter()
                .find(|unit| file.units.get(**unit).is_some_and(|unit| name.is_some_and(|name| unit.name == name)));
            let (Some(name), Some(unit)) = (name, method.copied()) else {
                self.open(spot, own.line, "which methods of a class are tools is not plain");
                continue;
            };
            let line = file.units.get(unit).map_or(own.line, |unit| unit.line);
            self.specs.insert((module, class));
            self.add(Made {
                framework,
                spot: Spot { module, unit },
                line,
                name: name.to_owned(),
                runs: vec![Spot { module, unit }],
                ready: None,
                by: None,
                carriers: Vec::new(),
                lost: false,
                set: None,
            });
        }
    }

    fn call(&mut self, spot: Spot, call: &Call) {
        let mut matched = false;
        for origin in self.code.origins(spot, &call.callee) {
            match &origin {
                Origin::Package(root, chain) => {
                    let Some(framework) = frameworks::of(root, chain) else { continue };
                    matched |= self.call_of(framework, chain, spot, call);
                }
                // A client that is made elsewhere: its name and its tools tell.
                Origin::Unknown(_) | Origin::Param(_) if !matched => {
                    let Some(name) = last(&call.callee) else { continue };
                    let Some(framework) = self.framework_of(spot.module) else { continue };
                    let takes = |maker: &&Maker| maker.callee == name && call.arg(maker.function.0, None).is_some();
                    if let Some(form) = framework.agents.iter().find(takes) {
                        self.carriers.push(Carrier { framework, spot, call: call.clone(), form });
                    }
                }
                Origin::Unknown(_)
                | Origin::Param(_)
                | Origin::Unit(_)
                | Origin::Class(..)
                | Origin::Instance(..)
                | Origin::Value(..)
                | Origin::Builtin(_) => {}
            }
        }
    }

    /// A call into a framework; whether it is one that matters.
    fn call_of(&mut self, framework: &'static Framework, chain: &[String], spot: Spot, call: &Call) -> bool {
        if let Some(ready) = framework.ready.iter().find(|ready| ends(ready.callee, chain)) {
            let named = call.option("name").or_else(|| call.option("tool_name")).and_then(Value::text);
            let name = named.unwrap_or(ready.name).to_owned();
            if !approval::contained(self, spot, call) {
                self.add(Made {
                    framework,
                    spot,
                    line: call.line,
                    name,
                    runs: Vec::new(),
                    ready: Some(ready.reaches),
                    by: Some((spot, call.clone())),
                    carriers: Vec::new(),
                    lost: false,
                    set: None,
                });
            }
            return true;
        }
        if framework.brings.iter().any(|name| ends(name, chain)) {
            let why = format!("what `{}` brings is not told in the code", chain.last().map_or("it", String::as_str));
            self.open(spot, call.line, &why);
            return true;
        }
        // The most telling name first: `Tool.from_function` before `Tool`.
        let maker =
            framework.makers.iter().filter(|maker| ends(maker.callee, chain)).max_by_key(|maker| maker.callee.len());
        if let Some(maker) = maker
            && self.maker(framework, maker, spot, call)
        {
            return true;
        }
        if let Some(form) = framework.agents.iter().find(|maker| ends(maker.callee, chain)) {
            self.carriers.push(Carrier { framework, spot, call: call.clone(), form });
            return true;
        }
        false
    }

    /// A call that makes a tool of a function; whether it does.
    pub(super) fn maker(&mut self, framework: &'static Framework, maker: &Maker, spot: Spot, call: &Call) -> bool {
        let given = call.arg(maker.function.0, maker.function.1);
        let given = match given {
            Some(Value::Text(..)) | None => None,
            Some(value) => Some(value),
        };
        let described = call.option("tool_metadata").and_then(Value::call).and_then(|call| call.option("name"));
        let named = call.arg(maker.name.0, maker.name.1).or(described).and_then(Value::text).map(str::to_owned);
        let Some(function) = given else {
            // What stands above a function is no maker, and a tool without a function is run elsewhere.
            return false;
        };
        let (mut runs, mut lost, mut own) = (Vec::new(), false, None);
        for written in self.code.written(spot, function) {
            match written {
                Written::Unit(unit) => {
                    own = self.code.unit(unit).map(|unit| unit.name.clone()).filter(|name| !name.is_empty());
                    runs.push(unit);
                }
                Written::Class(..) | Written::Value(..) | Written::Unknown => lost = true,
            }
        }
        // A method of something: whatever it is called on.
        if lost && let Value::Path(parts) = function {
            for origin in self.code.origins(spot, function) {
                if let Origin::Unit(unit) = origin {
                    runs.push(unit);
                    lost = false;
                }
            }
            own = own.or_else(|| parts.last().cloned());
        }
        let lost = lost || runs.is_empty();
        let (at, line) =
            match runs.first().copied().filter(|_| ["register_function", "get_shell_tool"].contains(&maker.callee)) {
                Some(unit) => (unit, self.code.unit(unit).map_or(call.line, |unit| unit.line)),
                None => (spot, call.line),
            };
        let name = named.or(own).unwrap_or_else(|| self.bound(spot, call).unwrap_or_else(|| "a tool".to_owned()));
        self.add(Made {
            framework,
            spot: at,
            line,
            name,
            runs,
            ready: None,
            by: Some((spot, call.clone())),
            carriers: Vec::new(),
            lost,
            set: None,
        });
        true
    }

    /// The name that what a call returns is kept under.
    fn bound(&self, spot: Spot, call: &Call) -> Option<String> {
        let unit = self.code.unit(spot)?;
        unit.names
            .iter()
            .find_map(|(name, values)| values.iter().any(|(value, _)| value.call() == Some(call)).then(|| name.clone()))
    }
}

/// Whether a chain of names ends with these, calls in it left out.
pub(super) fn ends(name: &str, chain: &[String]) -> bool {
    let plain: Vec<&str> = chain.iter().map(String::as_str).filter(|part| *part != "()").collect();
    let wanted: Vec<&str> = name.split('.').collect();
    plain.len() >= wanted.len() && plain.get(plain.len() - wanted.len()..) == Some(wanted.as_slice())
}
