//! Which tools an agent carries: what stands among them, however it is written (floor 2).

use std::rc::Rc;

use super::approval;
use super::frameworks::{self, Maker, Reach};
use super::names::{Code, Origin, Spot, Written};
use super::syntax::{Arg, Call, Value, last};
use super::tools::{Carrier, Finder, Made};

impl Finder<'_> {
    /// The tools of an agent.
    pub(super) fn carried(&mut self, number: usize) {
        let Some(carrier) = self.carriers.get(number).cloned() else { return };
        let given = carrier.call.arg(carrier.form.function.0, carrier.form.function.1).cloned();
        match given {
            Some(value) => self.among(number, &carrier, carrier.spot, &value, 0),
            // Options that stand elsewhere may hold tools.
            None if carrier
                .call
                .args
                .iter()
                .any(|arg| arg.many || (arg.name.is_none() && self.is_options(carrier.spot, &arg.value))) =>
            {
                self.open(carrier.spot, carrier.call.line, "the tools of this agent are not plain");
            }
            None => {}
        }
        if carrier.framework.id == "langchain"
            && let Some(value) = carrier.call.option("middleware")
        {
            for written in self.code.written(carrier.spot, value) {
                let Written::Value(spot, Value::List(items, _)) = written else { continue };
                for written in items.iter().flat_map(|item| self.code.written(spot, item)) {
                    let Written::Value(at, Value::Call(call)) = written else { continue };
                    for tool in self.known(at.module, &call) {
                        self.carry(tool, number);
                    }
                }
            }
        }
        // Which tools are retrieved is told at run time.
        if carrier.call.option("tool_retriever").is_some() {
            self.open(carrier.spot, carrier.call.line, "the tools of this agent are not plain");
        }
    }

    /// Whether an argument may be options that are put together elsewhere.
    fn is_options(&self, spot: Spot, value: &Value) -> bool {
        let script = self.code.modules.get(spot.module).is_some_and(|module| !module.path.ends_with(".py"));
        script
            && !matches!(value, Value::Record(..) | Value::Text(..) | Value::Nothing | Value::Bool(_) | Value::Unit(_))
    }

    /// The tools that this very call makes.
    fn known(&self, module: usize, call: &Call) -> Vec<usize> {
        let here = self.by_place.get(&(module, call.line)).into_iter().flatten();
        let made = |tool: &&usize| {
            self.made.get(**tool).is_some_and(|made| made.by.as_ref().is_some_and(|(_, by)| by == call))
        };
        let found: Vec<usize> = here.filter(made).copied().collect();
        if !found.is_empty() {
            return found;
        }
        // One that is declared where its function stands.
        let by = |made: &Made| made.by.as_ref().is_some_and(|(spot, by)| spot.module == module && by == call);
        self.made.iter().enumerate().filter(|(_, made)| by(made)).map(|(tool, _)| tool).collect()
    }

    /// What stands among an agent's tools.
    fn among(&mut self, number: usize, carrier: &Carrier, at: Spot, value: &Value, depth: usize) {
        let line = carrier.call.line;
        if depth > 8 {
            return self.open(at, line, "the tools of this agent are not plain");
        }
        for written in self.code.written(at, value) {
            match written {
                Written::Value(spot, Value::List(items, more)) => {
                    for item in &items {
                        self.among(number, carrier, spot, item, depth + 1);
                    }
                    if more {
                        self.open(spot, line, "the tools of this agent are not plain");
                    }
                }
                Written::Value(spot, Value::Record(entries, more, line_here)) => {
                    if self.raw(number, carrier, spot, &Value::Record(entries.clone(), more, line_here)) {
                        continue;
                    }
                    for (key, value, at) in &entries {
                        self.keyed(number, carrier, spot, (key, *at), value);
                    }
                    if more {
                        self.open(spot, line, "the tools of this agent are not plain");
                    }
                }
                Written::Value(spot, Value::Call(call)) => self.of_call(number, carrier, spot, &call, depth),
                Written::Unit(unit) => self.function(number, carrier, unit),
                Written::Class(module, class) => self.of_class(number, module, class),
                Written::Value(_, Value::Nothing) => {}
                Written::Value(spot, Value::Text(..)) => {
                    self.open(spot, line, "a tool is named by a text");
                }
                Written::Value(spot, _) => self.open(spot, line, "the tools of this agent are not plain"),
                Written::Unknown => self.open(at, line, "the tools of this agent are not plain"),
            }
        }
    }

    fn carry(&mut self, tool: usize, number: usize) {
        if let Some(made) = self.made.get_mut(tool).filter(|made| !made.carriers.contains(&number)) {
            made.carriers.push(number);
        }
    }

    /// A function among an agent's tools.
    fn function(&mut self, number: usize, carrier: &Carrier, unit: Spot) {
        let Some(here) = self.code.unit(unit) else { return };
        let (line, name) = (here.line, here.name.clone());
        let known: Vec<usize> = self.by_place.get(&(unit.module, line)).cloned().unwrap_or_default();
        // What stands above it at Pydantic AI gives the bare function back, which is no tool but for the agent there.
        let bare = carrier.framework.id == "pydantic-ai" && carrier.form.callee != "FunctionToolset";
        if !known.is_empty() && !bare {
            return known.into_iter().for_each(|tool| self.carry(tool, number));
        }
        if !carrier.framework.plain {
            return self.open(unit, line, "a function stands among the tools that is none");
        }
        let tool = self.add(Made {
            framework: carrier.framework,
            spot: unit,
            line,
            name,
            runs: vec![unit],
            ready: None,
            by: None,
            carriers: Vec::new(),
            lost: false,
            set: None,
        });
        self.carry(tool, number);
    }

    fn of_class(&mut self, number: usize, module: usize, class: usize) {
        if self.specs.contains(&(module, class)) {
            return;
        }
        let line = self.code.modules.get(module).and_then(|file| file.classes.get(class)).map(|class| class.line);
        let known = line.and_then(|line| self.by_place.get(&(module, line))).cloned().unwrap_or_default();
        if known.is_empty() {
            self.open(
                Spot { module, unit: 0 },
                line.unwrap_or(0),
                "a class stands among the tools of which nothing is known",
            );
        }
        known.into_iter().for_each(|tool| self.carry(tool, number));
    }

    /// What a call returns, among an agent's tools.
    fn of_call(&mut self, number: usize, carrier: &Carrier, spot: Spot, call: &Call, depth: usize) {
        let known = self.known(spot.module, call);
        if !known.is_empty() {
            return known.into_iter().for_each(|tool| self.carry(tool, number));
        }
        let mut found = false;
        for origin in self.code.origins(spot, &Value::Call(Rc::new(call.clone()))) {
            if let Origin::Instance(module, class) = origin {
                found = true;
                self.of_class(number, module, class);
            }
        }
        // `ToolNode(tools)`, `toolkit.get_tools()`, `list(tools)`, and agents among agents.
        let name = last(&call.callee).unwrap_or_default();
        let inner: Option<Value> = match name {
            "ToolNode" | "list" | "tuple" | "concat" => call.at(0).cloned(),
            "get_tools" | "getTools" | "as_function" | "as_tool" | "asTool" | "to_tool_list" | "as_tools" => {
                match &call.callee {
                    Value::Member(object, _) => Some((**object).clone()),
                    Value::Path(parts) => parts.split_last().map(|(_, rest)| Value::Path(rest.to_vec())),
                    Value::Text(..)
                    | Value::Bool(_)
                    | Value::Nothing
                    | Value::List(..)
                    | Value::Record(..)
                    | Value::Call(_)
                    | Value::Unit(_)
                    | Value::Either(_)
                    | Value::Other => None,
                }
            }
            _ => None,
        };
        if let Some(inner) = inner {
            if let (Some(named), Some((at, made))) =
                (call.option("name").and_then(Value::text), approval::made_by(self, spot, &inner))
            {
                for tool in self.known(at.module, &made) {
                    if let Some(made) = self.made.get_mut(tool) {
                        named.clone_into(&mut made.name);
                    }
                }
            }
            return self.among(number, carrier, spot, &inner, depth + 1);
        }
        let inert = frameworks_call(self.code, spot, call);
        if !found && !inert {
            self.open(spot, call.line, "what a call brings among the tools is not plain");
        }
    }

    /// A tool under a key, as JavaScript has them.
    fn keyed(&mut self, number: usize, carrier: &Carrier, spot: Spot, (key, line): (&str, u64), value: &Value) {
        for written in self.code.written(spot, value) {
            match written {
                Written::Value(at, Value::Call(call)) => {
                    let mut known = self.known(at.module, &call);
                    if known.is_empty() && frameworks_call(self.code, at, &call) {
                        known.push(self.add(Made {
                            framework: carrier.framework,
                            spot: at,
                            line: call.line,
                            name: key.to_owned(),
                            runs: Vec::new(),
                            ready: Some(Reach::Nothing),
                            by: Some((at, (*call).clone())),
                            carriers: Vec::new(),
                            lost: false,
                            set: None,
                        }));
                    }
                    if known.is_empty() {
                        self.open(at, call.line, "what a call brings among the tools is not plain");
                    }
                    for tool in known {
                        if let Some(made) = self.made.get_mut(tool) {
                            key.clone_into(&mut made.name);
                        }
                        self.carry(tool, number);
                    }
                }
                // An object of its own: `{execute: …}`.
                Written::Value(at, record @ Value::Record(..)) => {
                    if record.entry("execute").is_none() {
                        self.open(at, line, "a tool of this agent is not plain");
                        continue;
                    }
                    let args = vec![Arg { name: None, value: record, many: false, line }];
                    let call = Call { callee: Value::Other, args, line, inner: false, under: None };
                    let maker = Maker { callee: "", function: (&["execute"], None), name: (&[], None) };
                    if self.maker(carrier.framework, &maker, at, &call) {
                        let tool = self.made.len().saturating_sub(1);
                        if let Some(made) = self.made.get_mut(tool) {
                            key.clone_into(&mut made.name);
                        }
                        self.carry(tool, number);
                    }
                }
                Written::Value(at, _) => self.open(at, line, "a tool of this agent is not plain"),
                Written::Unit(_) | Written::Class(..) | Written::Unknown => {
                    self.open(spot, line, "a tool of this agent is not plain");
                }
            }
        }
    }

    /// A tool that is told to a model's interface as it is, and that the program runs by itself; whether it is one.
    fn raw(&mut self, number: usize, carrier: &Carrier, spot: Spot, record: &Value) -> bool {
        let function = record.entry("function").unwrap_or(record);
        let kind = record.entry("type").and_then(Value::text).unwrap_or_default().to_owned();
        let name =
            function.entry("name").or_else(|| record.entry("server_label")).and_then(Value::text).map(str::to_owned);
        let told = matches!(kind.as_str(), "function" | "custom" | "");
        if kind.is_empty()
            && !(name.is_some() && (record.entry("input_schema").is_some() || record.entry("parameters").is_some()))
        {
            return false;
        }
        let line = line_of(record).unwrap_or(carrier.call.line);
        let ready = match kind.split('_').next().unwrap_or_default() {
            _ if told => None,
            "bash" | "computer" => Some(Reach::Anything),
            "local" => Some(Reach::Anything),
            "shell"
                if record
                    .entry("environment")
                    .and_then(|inner| inner.entry("type"))
                    .and_then(Value::text)
                    .is_none_or(|kind| kind == "local") =>
            {
                Some(Reach::Anything)
            }
            "text" | "memory" | "apply" => Some(Reach::Files),
            "mcp" => {
                let asks = record.entry("require_approval").is_none_or(|value| value.text() == Some("always"));
                if !asks || kind == "mcp_toolset" {
                    self.brought_from_elsewhere(spot, line, "the tools of an MCP server are not told in the code");
                }
                return true;
            }
            "agent" => Some(Reach::Anything),
            // What runs at the provider.
            _ => Some(Reach::Nothing),
        };
        let managed = kind.starts_with("agent_toolset").then(|| approval::managed(record, line));
        let name = if managed.is_some() { "bash".to_owned() } else { name.unwrap_or_else(|| kind.clone()) };
        let own: Vec<Spot> =
            (function.entry("function").map(|value| self.code.written(spot, value)).unwrap_or_default())
                .into_iter()
                .filter_map(|written| if let Written::Unit(unit) = written { Some(unit) } else { None })
                .collect();
        let (runs, lost) = match told {
            true if own.is_empty() => self.runs_for(&name, spot),
            true => (own, false),
            false => (Vec::new(), false),
        };
        let tool = self.add(Made {
            framework: carrier.framework,
            spot,
            line,
            name,
            runs,
            ready,
            by: None,
            carriers: Vec::new(),
            lost,
            set: managed,
        });
        self.carry(tool, number);
        true
    }

    /// What runs for a tool of that name: the function of that name, what a table holds under it, or every function that
    /// compares with it.
    fn runs_for(&self, name: &str, declared: Spot) -> (Vec<Spot>, bool) {
        let mut runs = Vec::new();
        let spots = (self.code.modules.iter().enumerate()).flat_map(|(module, file)| {
            file.units.iter().enumerate().map(move |(unit, here)| (Spot { module, unit }, here))
        });
        let mut says = Vec::new();
        for (spot, unit) in spots {
            if unit.name == name {
                runs.push(spot);
            }
            for (value, _) in unit.names.values().flatten() {
                if let Some(inner) = value.entry(name) {
                    for origin in self.code.origins(spot, inner) {
                        if let Origin::Unit(unit) = origin {
                            runs.push(unit);
                        }
                    }
                }
            }
            if unit.texts.iter().any(|text| text == name) && (spot.unit != 0 || spot.module != declared.module) {
                says.push(spot);
            }
        }
        if runs.is_empty() {
            runs = says;
        }
        let lost = runs.is_empty();
        (runs, lost)
    }
}

/// Whether a call goes into a framework that was looked at already: an agent among tools, a tool that runs at the provider.
fn frameworks_call(code: &Code, spot: Spot, call: &Call) -> bool {
    let origins = code.origins(spot, &call.callee);
    !origins.is_empty()
        && origins.iter().all(|origin| match origin {
            Origin::Package(root, chain) => frameworks::of(root, chain).is_some() || root.starts_with("@ai-sdk/"),
            Origin::Unit(_)
            | Origin::Class(..)
            | Origin::Instance(..)
            | Origin::Param(_)
            | Origin::Value(..)
            | Origin::Builtin(_)
            | Origin::Unknown(_) => false,
        })
}

/// The line of an object.
fn line_of(record: &Value) -> Option<u64> {
    if let Value::Record(_, _, line) = record { Some(*line) } else { None }
}
