//! What stands before a tool: settings of the tool, of the agents that carry it, and questions in its own code (floor 2).
//!
//! Each rule is the framework's own, from the page that stands with it in `frameworks`. A value that is no literal, and code
//! that answers, are not known.

use super::frameworks::Yes;
use super::names::{Origin, Spot, Written};
use super::syntax::{Call, Value, last};
use super::tools::{Carrier, Finder, Gate, Made};
use super::wide;

/// What stands there, in words, and where.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) gate: Gate,
    pub(super) by: String,
    pub(super) at: Option<(usize, u64)>,
    /// Whether it takes the place of what the tool itself says.
    pub(super) rules: bool,
}

impl Found {
    pub(super) const fn none() -> Self {
        Self { gate: Gate::None, by: String::new(), at: None, rules: false }
    }

    pub(super) fn new(gate: Gate, by: &str, module: usize, line: u64) -> Self {
        Self { gate, by: by.to_owned(), at: Some((module, line)), rules: false }
    }

    pub(super) fn or(self, other: Self) -> Self {
        if other.rules || (!self.rules && other.gate > self.gate) { other } else { self }
    }
}

/// What stands before a tool.
pub(super) fn of(finder: &Finder<'_>, made: &Made) -> (Gate, String, Option<(String, u64)>) {
    let own = own(finder, made).or(body(finder, made)).or(whole(finder, made));
    // What only tells a model of a tool does not run it, where something else does.
    let tells = |carrier: &&Carrier| ["bind_tools", "bindTools"].contains(&carrier.form.callee);
    let carriers: Vec<&Carrier> = made.carriers.iter().filter_map(|number| finder.carriers.get(*number)).collect();
    let running: Vec<&Carrier> = carriers.iter().copied().filter(|carrier| !tells(carrier)).collect();
    let runs = !running.is_empty() && running.iter().all(|carrier| carrier.form.callee == "ToolNode");
    let carriers = if runs { running } else { carriers };
    let mut all = carriers.into_iter().map(|carrier| own.clone().or(around(finder, carrier, made)));
    let first = all.next();
    let found = first
        .map_or(own.clone(), |first| all.fold(first, |least, next| if next.gate < least.gate { next } else { least }));
    let found = wide::undone(finder, made, found);
    let at = found.at.map(|(module, line)| (finder.path(module), line));
    (found.gate, found.by, at)
}

/// `needs_approval` in JavaScript is `needsApproval`.
fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |name, part| {
        let mut chars = part.chars();
        let head = chars.next().map(|c| c.to_ascii_uppercase()).into_iter();
        name + &head.chain(chars).collect::<String>()
    })
}

/// What a setting says.
pub(super) fn setting(call: &Call, name: &str, yes: Yes, module: usize) -> Found {
    let spelt = [name.to_owned(), camel(name)];
    let Some((name, value)) = spelt.iter().find_map(|name| Some((name, call.option(name)?))) else {
        return if call.is_open() {
            Found::new(Gate::Unknown, "options that are not in the code", module, call.line)
        } else {
            Found::none()
        };
    };
    let gate = match (value, yes) {
        // What is spread beside it may say otherwise.
        _ if call.is_open() => Gate::Unknown,
        (Value::Bool(true), Yes::True) => Gate::Asks,
        (Value::Text(text, false), Yes::Word(word)) if text == word => Gate::Asks,
        (Value::Bool(false) | Value::Nothing, _) | (Value::Text(_, false), Yes::Word(_)) => Gate::Void,
        _ => Gate::Unknown,
    };
    Found::new(gate, &format!("`{name}`"), module, call.line_of(name))
}

/// What the tool itself says.
fn own(finder: &Finder<'_>, made: &Made) -> Found {
    if let Some((gate, by, line)) = made.set {
        let module = made.by.as_ref().map_or(made.spot.module, |(spot, _)| spot.module);
        return Found { rules: true, ..Found::new(gate, by, module, line) };
    }
    let Some((spot, call)) = &made.by else { return Found::none() };
    let module = spot.module;
    let name = finder.named(*spot, call);
    let mut found = match made.framework.flag {
        Some((name, yes)) => setting(call, name, yes, module),
        None => Found::none(),
    };
    match made.framework.id {
        "langchain" if call.option("ask_human_input").is_some() => {
            found = setting(call, "ask_human_input", Yes::True, module);
        }
        "openai-agents" => {
            for name in ["on_approval", "onApproval"] {
                if call.option(name).is_some() && found.gate == Gate::Asks {
                    found = Found::new(Gate::Unknown, &format!("`{name}`"), module, call.line_of(name));
                }
            }
            if name == "LocalShellTool" {
                found = Found::none();
            }
        }
        "google-adk" if name == "ExecuteBashTool" => {
            found = Found::new(Gate::Asks, "`ExecuteBashTool`, which always asks", module, call.line);
        }
        "google-adk" if name == "LongRunningFunctionTool" => found = Found::none(),
        "agent-framework" if name == "LocalShellTool" && found.gate == Gate::None => {
            found = Found::new(Gate::Asks, "`LocalShellTool`, which asks unless it is told not to", module, call.line);
        }
        // A function of the tool's own takes the place of what the run says.
        "mastra" if found.gate == Gate::Unknown => found.rules = true,
        // What a tool says of itself comes before what its toolset says.
        "pydantic-ai" if found.gate == Gate::None => found = toolset(finder, *spot, call),
        "autogen" => {
            found = executor(finder, *spot, call);
            for name in ["approval_func", "middleware"] {
                let Some(value) = call.option(name).filter(|value| **value != Value::Nothing) else { continue };
                // `approval_required()` of AG2 waits for a person.
                let asks = |item: &Value| item.call().is_some_and(|made| of_package(finder, *spot, made, "ag2"));
                let all = value.items().is_some_and(|items| !items.is_empty() && items.iter().all(asks));
                let gate = if all { Gate::Asks } else { Gate::Unknown };
                found = Found::new(gate, &format!("`{name}`"), module, call.line_of(name));
            }
        }
        _ => {}
    }
    found
}

/// The value of what a decorator is read from, or of an argument, as the call that made it.
pub(super) fn made_by(finder: &Finder<'_>, spot: Spot, value: &Value) -> Option<(Spot, Call)> {
    let written = finder.code.written(spot, value);
    // Of several that it may be, any may be the one.
    let [written] = <[Written; 1]>::try_from(written).ok()?;
    Some(written).and_then(|written| match written {
        Written::Value(at, Value::Call(call)) => Some((at, Call::clone(&call))),
        Written::Value(..) | Written::Unit(_) | Written::Class(..) | Written::Unknown => None,
    })
}

/// A toolset that asks for all functions that are added to it.
fn toolset(finder: &Finder<'_>, spot: Spot, call: &Call) -> Found {
    let Some((at, made)) = call.callee.object().and_then(|object| made_by(finder, spot, &object)) else {
        return Found::none();
    };
    if finder.named(at, &made) != "FunctionToolset" {
        return Found::none();
    }
    setting(&made, "requires_approval", Yes::True, at.module)
}

/// The agent that executes a tool: whether it asks before every reply.
fn executor(finder: &Finder<'_>, spot: Spot, call: &Call) -> Found {
    if last(&call.callee) == Some("register_for_llm") {
        return Found::new(Gate::Unknown, "whoever executes it", spot.module, call.line);
    }
    let given = call.option("executor").cloned().or_else(|| {
        ["register_for_execution", "register_for_llm"]
            .contains(&last(&call.callee).unwrap_or_default())
            .then(|| call.callee.object())
            .flatten()
    });
    let Some(given) = given else { return Found::none() };
    let Some((at, made)) = made_by(finder, spot, &given) else {
        return Found::new(Gate::Unknown, "`executor`", spot.module, call.line_of("executor"));
    };
    mode(&made, &finder.named(at, &made), at.module)
}

/// `human_input_mode` of an agent.
pub(super) fn mode(made: &Call, class: &str, module: usize) -> Found {
    let Some(mode) = made.option("human_input_mode") else {
        let gate = match class {
            "UserProxyAgent" => Gate::Asks,
            "ConversableAgent" | "AssistantAgent" => Gate::Void,
            _ => Gate::Unknown,
        };
        return Found::new(gate, &format!("the default of `{class}`"), module, made.line);
    };
    // A class of its own may ask in its own way.
    let known = ["UserProxyAgent", "ConversableAgent", "AssistantAgent"].contains(&class);
    let gate = match mode.text() {
        _ if !known || made.is_open() => Gate::Unknown,
        Some("ALWAYS") => Gate::Asks,
        Some(_) => Gate::Void,
        None => Gate::Unknown,
    };
    Found::new(gate, "`human_input_mode`", module, made.line_of("human_input_mode"))
}

/// Calls by which a program asks a person by itself.
pub(super) const ASKS: [&str; 9] =
    ["input", "confirm", "Confirm.ask", "prompt", "ask_approval", "questionary", "question", "ainput", "select"];

/// Questions in the tool's own code. Of several functions that may run, each has to ask.
fn body(finder: &Finder<'_>, made: &Made) -> Found {
    let mut all = made.runs.iter().map(|spot| asked(finder, made, *spot));
    let Some(first) = all.next() else { return Found::none() };
    all.fold(first, |least, next| if next.gate < least.gate { next } else { least })
}

fn asked(finder: &Finder<'_>, made: &Made, spot: Spot) -> Found {
    let mut found = Found::none();
    let Some(unit) = finder.code.unit(spot) else { return found };
    for call in &unit.calls {
        let name = finder.named(spot, call);
        let name = name.as_str();
        let origins = finder.code.origins(spot, &call.callee);
        let from = |roots: &[&str]| matches!(origins.as_slice(), [Origin::Package(root, _)] if roots.iter().any(|own| root == own || root.starts_with(&format!("{own}/"))));
        let handed = |names: &[&str]| {
            let Value::Path(parts) = &call.callee else { return false };
            parts.len() == 2
                && parts.first().is_some_and(|first| names.contains(&first.as_str()) && unit.params.contains(first))
        };
        // Whatever stands before it, or on its line, or in what it is given, runs first.
        let first = unit
            .calls
            .iter()
            .all(|other| std::ptr::eq(&raw const **other, &raw const **call) || other.line > call.line);
        let stands = |stops: bool, steady: bool| {
            if stops && steady && first && !call.inner { Gate::Asks } else { Gate::Unknown }
        };
        let under = call.under.as_ref().map(|(condition, leaves)| (condition.as_str(), *leaves));
        let waits = |field: &str| {
            under.is_some_and(|(condition, leaves)| {
                let of = condition.strip_prefix("not ").and_then(|rest| rest.trim().rsplit_once('.'));
                leaves && of.is_some_and(|(of, name)| name == field && unit.params.iter().any(|param| param == of))
            })
        };
        let confirms = || under.is_some_and(|(condition, _)| condition.trim().ends_with(".tool_confirmation"));
        let gate = match (made.framework.id, name) {
            ("langchain", "interrupt") => stands(true, from(&["langgraph", "@langchain/langgraph", "langchain"])),
            ("llamaindex", "wait_for_event") => stands(true, handed(&["ctx", "context"])),
            // It goes on behind the question, unless it returns.
            ("google-adk", "request_confirmation") if waits("tool_confirmation") && first => Gate::Asks,
            ("google-adk", "request_confirmation") if !call.inner || confirms() => Gate::Void,
            ("pydantic-ai", "ApprovalRequired") if waits("tool_call_approved") && first && from(&["pydantic_ai"]) => {
                Gate::Asks
            }
            ("google-adk", "request_confirmation") | ("pydantic-ai", "ApprovalRequired") | ("mastra", "suspend") => {
                Gate::Unknown
            }
            ("llamaindex", "write_event_to_stream") => Gate::Void,
            (_, name) if ASKS.contains(&name) => Gate::Unknown,
            _ => continue,
        };
        found = found.or(Found::new(gate, &format!("`{name}`"), spot.module, call.line));
    }
    let called = unit.calls.iter().any(|call| finder.named(spot, call) == "ApprovalRequired");
    if !called && unit.mentions.contains("ApprovalRequired") {
        found = found.or(Found::new(Gate::Unknown, "`ApprovalRequired`", spot.module, unit.line));
    }
    found
}

/// What holds for the whole program.
fn whole(finder: &Finder<'_>, made: &Made) -> Found {
    match made.framework.id {
        "mastra" => super::special::mastra(finder, made.ready.is_some()),
        "crewai" => wide::crewai(finder, made),
        "semantic-kernel" => wide::semantic_kernel(finder),
        "autogen" if made.by.as_ref().is_none_or(|(at, call)| finder.named(*at, call) == "FunctionTool") => {
            wide::autogen(finder)
        }
        "anthropic" | "openai" if made.by.is_none() && made.set.is_none() => wide::dispatched(finder, made),
        "pydantic-ai" => wide::wrapped(finder, made),
        _ => Found::none(),
    }
}

pub(super) fn of_package(finder: &Finder<'_>, spot: Spot, call: &Call, package: &str) -> bool {
    finder
        .code
        .origins(spot, &call.callee)
        .iter()
        .any(|origin| matches!(origin, Origin::Package(root, _) if root == package))
}

/// What an agent sets before a tool that it carries.
fn around(finder: &Finder<'_>, carrier: &Carrier, made: &Made) -> Found {
    let (module, call) = (carrier.spot.module, &carrier.call);
    match carrier.framework.id {
        "langchain" => langchain(finder, carrier, &made.name).or(wide::graph(finder, carrier)),
        "ai-sdk" => match call.option("toolApproval") {
            None => Found::none(),
            Some(Value::Record(entries, more, _)) => {
                let whole = Value::Record(entries.clone(), *more, 0);
                let line = |name: &str| {
                    entries.iter().rev().find(|(key, ..)| key == name).map_or(call.line, |(_, _, line)| *line)
                };
                match whole.entry(&made.name) {
                    _ if *more => Found {
                        rules: true,
                        ..Found::new(Gate::Unknown, "`toolApproval`", module, call.line_of("toolApproval"))
                    },
                    None => orphan(finder, entries, "`toolApproval`", (module, call.line_of("toolApproval"))),
                    Some(value) => {
                        let word = value.text().or_else(|| value.entry("type").and_then(Value::text));
                        let gate = match word {
                            Some("user-approval") => Gate::Asks,
                            Some("approved" | "not-applicable") => Gate::Void,
                            Some(_) | None => Gate::Unknown,
                        };
                        Found { rules: true, ..Found::new(gate, "`toolApproval`", module, line(&made.name)) }
                    }
                }
            }
            Some(_) => Found {
                rules: true,
                ..Found::new(Gate::Unknown, "`toolApproval`", module, call.line_of("toolApproval"))
            },
        },
        "pydantic-ai" if carrier.form.callee == "FunctionToolset" => {
            let found = setting(call, "requires_approval", Yes::True, module);
            // What a `Tool` of its own says is read in some versions alone.
            if found.gate == Gate::Asks && made.by.as_ref().is_some_and(|(at, by)| finder.named(*at, by) == "Tool") {
                Found { gate: Gate::Unknown, ..found }
            } else {
                found
            }
        }
        "google-adk" if call.option("before_tool_callback").is_some_and(|value| *value != Value::Nothing) => {
            Found::new(Gate::Unknown, "`before_tool_callback`", module, call.line_of("before_tool_callback"))
        }
        "agent-framework" if call.option("middleware").is_some_and(|value| *value != Value::Nothing) => {
            wide::agent_framework(call, module)
        }
        _ => Found::none(),
    }
}

/// A gate that is keyed on names, of which none is this tool's: it covers others, or nothing.
fn orphan(finder: &Finder<'_>, entries: &[(String, Value, u64)], by: &str, (module, line): (usize, u64)) -> Found {
    let known = |key: &String| finder.made.iter().any(|made| made.name == *key);
    match entries.iter().find(|(key, ..)| !known(key)) {
        None => Found::none(),
        Some((_, _, own)) => Found::new(Gate::Void, by, module, if *own == 0 { line } else { *own }),
    }
}

fn langchain(finder: &Finder<'_>, carrier: &Carrier, name: &str) -> Found {
    let (spot, call) = (carrier.spot, &carrier.call);
    let mut found = Found::none();
    for option in ["interrupt_on", "interruptOn"] {
        let takes = ["create_deep_agent", "createDeepAgent"].contains(&carrier.form.callee);
        if let Some(value) = call.option(option).filter(|_| takes) {
            found = found.or(keyed(finder, (spot, value), name, (spot.module, call.line_of(option))));
        }
    }
    let middleware = call.option("middleware").map(|value| finder.code.written(spot, value)).unwrap_or_default();
    let several = middleware.len() > 1 || call.is_open();
    for written in middleware {
        let Written::Value(at, Value::List(items, more)) = written else {
            found = found.or(Found::new(Gate::Unknown, "`middleware`", spot.module, call.line_of("middleware")));
            continue;
        };
        if more {
            found = found.or(Found::new(Gate::Unknown, "`middleware`", spot.module, call.line_of("middleware")));
        }
        for item in &items {
            found = found.or(one_of(finder, at, item, name));
        }
    }
    for (option, before) in
        [("interrupt_before", true), ("interruptBefore", true), ("interrupt_after", false), ("interruptAfter", false)]
    {
        let Some(value) = call.option(option) else { continue };
        let names: Vec<&str> =
            if let Value::List(items, _) = value { items.iter().filter_map(Value::text).collect() } else { Vec::new() };
        let at = |gate| Found::new(gate, &format!("`{option}`"), spot.module, call.line_of(option));
        found = found.or(match (before, names.as_slice()) {
            (_, []) if *value != Value::Nothing => at(Gate::Unknown),
            (true, names) if names.contains(&"tools") => at(Gate::Asks),
            (false, names) if names.contains(&"model") || names.contains(&"agent") => at(Gate::Asks),
            (_, []) => Found::none(),
            _ => at(Gate::Void),
        });
    }
    if several && found.gate == Gate::Asks {
        found.gate = Gate::Unknown;
    }
    found
}

/// One piece of middleware.
fn one_of(finder: &Finder<'_>, spot: Spot, item: &Value, name: &str) -> Found {
    let Some((at, call)) = made_by(finder, spot, item) else {
        return Found::new(Gate::Unknown, "middleware of its own", spot.module, 0);
    };
    let class = finder.named(at, &call);
    let package = finder.code.origins(at, &call.callee).into_iter().any(|origin| matches!(origin, Origin::Package(..)));
    if !package {
        return Found::new(Gate::Unknown, "middleware of its own", at.module, call.line);
    }
    if !["HumanInTheLoopMiddleware", "humanInTheLoopMiddleware"].contains(&class.as_str()) {
        return Found::none();
    }
    match call.arg(&["interrupt_on", "interruptOn"], Some(0)) {
        Some(value) => keyed(finder, (at, value), name, (at.module, call.line)),
        None => Found::new(Gate::Unknown, &format!("`{class}`"), at.module, call.line),
    }
}

/// What a map of names to settings says of one.
fn keyed(finder: &Finder<'_>, (spot, value): (Spot, &Value), name: &str, (module, line): (usize, u64)) -> Found {
    let by = "the map of tools that interrupt";
    let mut found: Option<Found> = None;
    for written in finder.code.written(spot, value) {
        let Written::Value(_, Value::Record(entries, more, _)) = written else {
            return Found::new(Gate::Unknown, by, module, line);
        };
        let whole = Value::Record(entries.clone(), more, 0);
        let next = match whole.entry(name) {
            _ if more => Found::new(Gate::Unknown, by, module, line),
            None => orphan(finder, &entries, by, (module, line)),
            Some(value) => Found::new(decided(value), by, module, line),
        };
        found = Some(match found {
            Some(before) if before.gate <= next.gate => before,
            Some(_) | None => next,
        });
    }
    found.unwrap_or_else(Found::none)
}

/// Whether a setting of the middleware asks: `True`, or the decisions that a person may take.
fn decided(value: &Value) -> Gate {
    if let Value::Bool(asks) = value {
        return if *asks { Gate::Asks } else { Gate::Void };
    }
    if !matches!(value, Value::Record(..) | Value::Call(_)) || value.setting("when").is_some() {
        return Gate::Unknown;
    }
    match value.setting("allowed_decisions").or_else(|| value.setting("allowedDecisions")) {
        None => Gate::Void,
        Some(decisions) => match decisions.items() {
            Some([]) => Gate::Void,
            Some(_) => Gate::Asks,
            None => Gate::Unknown,
        },
    }
}

/// Whether what is ready made runs in a place of its own, away from this machine: a container, or at the provider.
pub(super) fn contained(finder: &Finder<'_>, spot: Spot, call: &Call) -> bool {
    let environment = call.option("environment").and_then(|value| value.entry("type")).and_then(Value::text);
    if environment.is_some_and(|kind| kind.starts_with("container")) {
        return true;
    }
    let away = |value: &Value| {
        let name = made_by(finder, spot, value).map(|(at, call)| finder.named(at, &call));
        name.is_some_and(|name| {
            ["Docker", "Container", "Gke", "VertexAi", "AgentEngine", "ACADynamic", "CodexSandbox", "E2B", "Daytona"]
                .iter()
                .any(|kind| name.contains(kind))
        })
    };
    let given = ["execution_policy", "executor", "code_executor", "environment", "backend"];
    given.iter().filter_map(|name| call.option(name)).chain(call.args.iter().map(|arg| &arg.value)).any(away)
}

/// The policy of a managed agent of Anthropic for its shell: by name before the default, which allows.
/// <https://platform.claude.com/docs/en/managed-agents/permission-policies>
pub(super) fn managed(record: &Value, line: u64) -> (Gate, &'static str, u64) {
    const BY: &str = "`permission_policy`";
    let policy = |value: &Value| value.entry("permission_policy").and_then(|policy| policy.entry("type")).cloned();
    let mut at = line;
    let mut found = record.entry("default_config").and_then(policy);
    if let Some(Value::List(items, more)) = record.entry("configs") {
        if *more {
            return (Gate::Unknown, BY, line);
        }
        for item in items.iter().filter(|item| item.entry("name").and_then(Value::text) == Some("bash")) {
            if let Some(own) = policy(item) {
                found = Some(own);
                at = if let Value::Record(_, _, own) = item { *own } else { line };
            }
        }
    }
    match found.as_ref().map(|value| value.text()) {
        None => (Gate::None, "", line),
        Some(Some("always_allow")) => (Gate::Void, BY, at),
        Some(Some("always_ask")) => (Gate::Asks, BY, at),
        Some(_) => (Gate::Unknown, BY, at),
    }
}
