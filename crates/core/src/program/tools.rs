//! The tools of a program: where each is declared, under which name, and which agents carry it (floor 2).

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

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

/// The most tools of one program.
const MOST_TOOLS: usize = 500;

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
    pub(super) calls: Vec<(Spot, Rc<Call>, String)>,
    /// Where it is not plain what an agent carries.
    pub(super) unclear: Option<(usize, u64)>,
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
        unclear: None,
        specs: BTreeSet::new(),
        by_place: BTreeMap::new(),
    };
    finder.find();
    let frameworks: BTreeSet<&'static str> = (finder.made.iter().map(|made| made.framework.name))
        .chain(finder.carriers.iter().map(|carrier| carrier.framework.name))
        .chain(entries.iter().filter_map(|source| finder.speaks(source)))
        .collect();
    for (module, source) in entries.iter().filter_map(|source| Some((code.module(&source.dotted)?, source))) {
        if module.broken {
            finder.doubt(&source.path, "the file was not understood to its end");
        }
    }
    if code.cut {
        finder.doubt("", "it has more files than are read");
    }
    if code.is_tired() {
        finder.doubt("", "what its names stand for was not followed to its end");
    }
    if frameworks.is_empty() && finder.open.is_empty() {
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
        let (gate, by, gate_at) = approval::of(&finder, made);
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
    if code.is_tired() {
        finder.doubt("", "what its names stand for was not followed to its end");
    }
    Some(Program { frameworks, tools, open: finder.open })
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
                self.calls.push((spot, Rc::clone(call), name));
            }
        }
        self.special();
    }

    /// The framework that a file imports and whose tools or agents it speaks of, in whatever way.
    fn speaks(&self, source: &Source) -> Option<&'static str> {
        let module = self.code.module(&source.dotted)?;
        let number = self.code.modules.iter().position(|other| std::ptr::eq(other, module))?;
        let framework = self.framework_of(number)?;
        let text = source.text.to_lowercase();
        let words = ["tool", "agent", "plugin", "add_function", "function_map"];
        words.iter().any(|word| text.contains(word)).then_some(framework.name)
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
        let origins = self.code.origins(spot, &call.callee);
        // One that is the program's own, or may be, is not the framework's of that name.
        let own = |origin: &Origin| matches!(origin, Origin::Unit(_) | Origin::Class(..) | Origin::Instance(..));
        if origins.len() > 1 || origins.iter().any(own) {
            return String::new();
        }
        let from = origins.into_iter().find_map(of);
        from.or_else(|| last(&call.callee).map(str::to_owned)).unwrap_or_default()
    }

    pub(super) fn path(&self, module: usize) -> String {
        self.code.modules.get(module).map(|module| module.path.clone()).unwrap_or_default()
    }

    fn doubt(&mut self, path: &str, why: &str) {
        self.unclear.get_or_insert((0, 1));
        self.open.insert(Open { path: path.to_owned(), line: 1, why: why.to_owned() });
    }

    /// Something brings tools that are not told in the code.
    pub(super) fn brought_from_elsewhere(&mut self, spot: Spot, line: u64, why: &str) {
        let path = self.path(spot.module);
        self.open.insert(Open { path, line, why: why.to_owned() });
    }

    /// What an agent carries is not plain, so that no tool is known to be carried by those alone that were found.
    pub(super) fn open(&mut self, spot: Spot, line: u64, why: &str) {
        self.brought_from_elsewhere(spot, line, why);
        self.unclear.get_or_insert((spot.module, line));
    }

    pub(super) fn add(&mut self, made: Made) -> usize {
        let number = self.made.len();
        // More than anybody writes: what is left out is not taken for nothing.
        if number >= MOST_TOOLS {
            self.open(made.spot, made.line, "it has more tools than are read");
            return number;
        }
        self.by_place.entry((made.spot.module, made.line)).or_default().push(number);
        self.made.push(made);
        number
    }

    /// The framework that a module imports, if only one is.
    pub(super) fn framework_of(&self, module: usize) -> Option<&'static Framework> {
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
                    let takes =
                        |maker: &&Maker| maker.callee == name && call.arg(maker.function.0, maker.function.1).is_some();
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
            self.brought_from_elsewhere(spot, call.line, &why);
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
