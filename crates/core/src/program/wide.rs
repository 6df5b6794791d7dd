//! Gates that hold for more than one tool: hooks, filters, graphs that stop, wrappers around toolsets (floor 2).

use super::approval::{Found, made_by};
use super::names::{Spot, Written};
use super::special::snake;
use super::syntax::{Call, Unit, Value, last};
use super::tools::{Carrier, Finder, Gate, Made};

/// Every unit of the program.
fn units<'c>(finder: &Finder<'c>) -> impl Iterator<Item = (Spot, &'c Unit)> {
    finder
        .code
        .modules
        .iter()
        .enumerate()
        .flat_map(|(module, file)| file.units.iter().enumerate().map(move |(unit, here)| (Spot { module, unit }, here)))
}

/// Every call of the program, with what it is named where it comes from.
fn calls<'f>(finder: &'f Finder<'_>) -> impl Iterator<Item = (Spot, &'f Call, &'f str)> {
    finder.calls.iter().map(|(spot, call, name)| (*spot, &**call, name.as_str()))
}

/// Hooks before a tool's call, and tasks of which only the answer is shown to a person.
/// <https://docs.crewai.com/en/learn/tool-hooks>
pub(super) fn crewai(finder: &Finder<'_>, made: &Made) -> Found {
    let mut found = Found::none();
    for (spot, unit) in units(finder) {
        for decorator in &unit.decorators {
            let given = decorator.call();
            let bare = Call { callee: decorator.clone(), args: Vec::new(), line: unit.line, inner: false, under: None };
            let name = finder.named(Spot { unit: unit.parent.unwrap_or(0), ..spot }, given.unwrap_or(&bare));
            let before = name == "before_tool_call"
                || (name == "on" && given.and_then(|call| call.at(0)).and_then(last) == Some("PRE_TOOL_CALL"));
            if !before {
                continue;
            }
            let line = given.map_or(unit.line, |call| call.line);
            let at = |gate| Found::new(gate, "a hook before the call", spot.module, line);
            let listed = given.and_then(|call| call.option("tools"));
            found = found.or(match listed {
                None | Some(Value::Nothing) => at(Gate::Unknown),
                Some(Value::List(items, false)) => {
                    let names: Option<Vec<String>> = items.iter().map(|item| item.text().map(snake)).collect();
                    match names {
                        None => at(Gate::Unknown),
                        Some(names) if names.contains(&made.name) => at(Gate::Unknown),
                        Some(names) if names.iter().all(|name| finder.made.iter().any(|made| made.name == *name)) => {
                            Found::none()
                        }
                        Some(_) => at(Gate::Void),
                    }
                }
                Some(_) => at(Gate::Unknown),
            });
        }
    }
    for (spot, call, name) in calls(finder) {
        if name == "Task" && call.option("human_input") == Some(&Value::Bool(true)) {
            let by = "`human_input`, which asks after the tools ran";
            found = found.or(Found::new(Gate::Void, by, spot.module, call.line_of("human_input")));
        }
        if name.starts_with("register_before_tool_call") {
            found = found.or(Found::new(Gate::Unknown, "a hook before the call", spot.module, call.line));
        }
    }
    found
}

/// Filters of functions. <https://learn.microsoft.com/semantic-kernel/concepts/enterprise-readiness/filters>
pub(super) fn semantic_kernel(finder: &Finder<'_>) -> Found {
    let of = |value: &Value| if let Value::Path(parts) = value { parts.first().cloned() } else { None };
    // The kernels that the plugins were added to.
    let kernels: Vec<String> = calls(finder)
        .filter(|(_, call, _)| last(&call.callee) == Some("add_plugin"))
        .filter_map(|(_, call, _)| of(&call.callee))
        .collect();
    let mut found = Found::none();
    let mut see = |callee: &Value, kind: Option<&Value>, module: usize, line: u64| {
        let kind = kind
            .and_then(|kind| kind.text().map(str::to_owned).or_else(|| last(kind).map(str::to_owned)))
            .unwrap_or_default();
        if kind.to_lowercase().contains("prompt") {
            return;
        }
        let covers = kernels.is_empty() || of(callee).is_none_or(|kernel| kernels.contains(&kernel));
        let gate = if covers { Gate::Unknown } else { Gate::Void };
        found =
            std::mem::replace(&mut found, Found::none()).or(Found::new(gate, "a filter of functions", module, line));
    };
    for (spot, unit) in units(finder) {
        for decorator in &unit.decorators {
            if let Some(call) = decorator.call().filter(|call| last(&call.callee) == Some("filter")) {
                see(&call.callee, call.at(0), spot.module, call.line);
            }
        }
    }
    for (spot, call, _) in calls(finder) {
        if last(&call.callee) == Some("add_filter") {
            see(&call.callee, call.at(0), spot.module, call.line);
        }
    }
    for (spot, call, _) in calls(finder) {
        if call.option("auto_invoke") == Some(&Value::Bool(false)) || last(&call.callee) == Some("NoneInvoke") {
            let by = "`auto_invoke`, which leaves the call to the program";
            found = found.or(Found::new(Gate::Unknown, by, spot.module, call.line_of("auto_invoke")));
        }
    }
    found
}

/// A person in a team of AutoGen speaks on a turn of theirs, after the tools ran.
pub(super) fn autogen(finder: &Finder<'_>) -> Found {
    let person = calls(finder).find(|(spot, call, name)| {
        *name == "UserProxyAgent" && super::approval::of_package(finder, *spot, call, "autogen_agentchat")
    });
    let by = "`UserProxyAgent`, which speaks after the tools ran";
    person.map_or_else(Found::none, |(spot, call, _)| Found::new(Gate::Void, by, spot.module, call.line))
}

/// A question that the program asks by itself, where it runs what a model chose.
pub(super) fn dispatched(finder: &Finder<'_>, made: &Made) -> Found {
    let asks = calls(finder).find(|(spot, call, _)| {
        spot.module == made.spot.module && super::approval::ASKS.contains(&last(&call.callee).unwrap_or_default())
    });
    asks.map_or_else(Found::none, |(spot, call, _)| {
        Found::new(Gate::Unknown, "a question of the program's own", spot.module, call.line)
    })
}

/// A graph that stops before the node in which the tools run.
/// <https://docs.langchain.com/oss/python/langgraph/interrupts>
pub(super) fn graph(finder: &Finder<'_>, carrier: &Carrier) -> Found {
    if carrier.form.callee != "ToolNode" {
        return Found::none();
    }
    // Which graph a node belongs to is told by nothing where there are several.
    let module = carrier.spot.module;
    let compiles = |call: &Call| last(&call.callee) == Some("compile");
    let of =
        |spot: &Spot| calls(finder).filter(|(at, ..)| at.module == spot.module).any(|(.., name)| name == "ToolNode");
    let is_node = |spot: Spot, call: &Call| {
        let named = ["add_node", "addNode"].contains(&last(&call.callee).unwrap_or_default());
        named
            && call.args.iter().any(|arg| {
                made_by(finder, spot, &arg.value).is_some_and(|(at, made)| at.module == module && made == carrier.call)
            })
    };
    let nodes = calls(finder).filter(|(spot, call, _)| is_node(*spot, call)).count();
    let graphs = calls(finder).filter(|(spot, call, _)| compiles(call) && (spot.module == module || !of(spot))).count();
    let here = || calls(finder).filter(move |(spot, ..)| spot.module == module);
    // The name of the node, and what is compiled in this file.
    let named = here().find_map(|(spot, call, _)| {
        let node = call.at(1).filter(|_| ["add_node", "addNode"].contains(&last(&call.callee).unwrap_or_default()))?;
        let (_, made) = made_by(finder, spot, node)?;
        (made == carrier.call).then(|| call.at(0).and_then(Value::text).map(str::to_owned))?
    });
    let mut least: Option<Found> = None;
    for (spot, call, _) in here().filter(|(_, call, _)| last(&call.callee) == Some("compile")) {
        let mut found = Found::none();
        for (option, before) in [
            ("interrupt_before", true),
            ("interruptBefore", true),
            ("interrupt_after", false),
            ("interruptAfter", false),
        ] {
            let Some(value) = call.option(option) else { continue };
            let all = value.text() == Some("*");
            let listed = value.items().or(if all { Some(&[]) } else { None });
            let names = listed
                .and_then(|items| items.iter().map(|item| item.text().map(str::to_owned)).collect::<Option<Vec<_>>>());
            let alone = nodes == 1 && graphs == 1;
            let gate = match (&named, names) {
                _ if !alone && before => Gate::Unknown,
                (_, Some(_)) if all && before => Gate::Asks,
                (Some(node), Some(names)) if before && names.contains(node) => Gate::Asks,
                (Some(_), Some(_)) => Gate::Void,
                _ => Gate::Unknown,
            };
            found = found.or(Found::new(gate, &format!("`{option}`"), spot.module, call.line_of(option)));
        }
        least = Some(match least {
            Some(before) if before.gate <= found.gate => before,
            Some(_) | None => found,
        });
    }
    least.unwrap_or_else(Found::none)
}

/// Middleware of an agent: of its own may stop a call, and rules may answer in the place of a person.
/// <https://learn.microsoft.com/agent-framework/agents/tools/tool-approval>
pub(super) fn agent_framework(call: &Call, module: usize) -> Found {
    let Some(Value::List(items, false)) = call.option("middleware") else {
        return Found::new(Gate::Unknown, "`middleware`", module, call.line_of("middleware"));
    };
    let keeps = |item: &Value| {
        let call = item.call()?;
        (last(&call.callee)? == "ToolApprovalMiddleware").then_some(())
    };
    if items.iter().all(|item| keeps(item).is_some()) {
        return Found::none();
    }
    Found::new(Gate::Unknown, "`middleware`", module, call.line_of("middleware"))
}

/// A toolset that is wrapped so that all of it asks. <https://ai.pydantic.dev/deferred-tools/>
pub(super) fn wrapped(finder: &Finder<'_>, made: &Made) -> Found {
    // What the tool belongs to: what stands above it is read from, or the toolset that lists it.
    let above = made.by.as_ref().and_then(|(spot, call)| {
        let Value::Path(parts) = &call.callee else { return None };
        let (_, rest) = parts.split_last().filter(|(_, rest)| !rest.is_empty())?;
        made_by(finder, *spot, &Value::Path(rest.to_vec()))
    });
    let listed = || {
        made.carriers.iter().filter_map(|number| finder.carriers.get(*number)).find_map(|carrier| {
            (carrier.form.callee == "FunctionToolset").then(|| (carrier.spot, carrier.call.clone()))
        })
    };
    let Some((_, own)) = above.filter(|(at, call)| finder.named(*at, call) == "FunctionToolset").or_else(listed) else {
        return Found::none();
    };
    let mut least: Option<Found> = None;
    for (spot, call, _) in calls(finder) {
        let Some(toolsets) = call.option("toolsets") else { continue };
        let unclear = || Found::new(Gate::Unknown, "`toolsets`", spot.module, call.line_of("toolsets"));
        let all = match toolsets.items() {
            Some(items) => items
                .iter()
                .filter_map(|item| match made_by(finder, spot, item) {
                    None => Some(unclear()),
                    Some(_) => around(finder, spot, item, &own),
                })
                .collect(),
            None => vec![unclear()],
        };
        for found in all {
            least = Some(match least {
                Some(before) if before.gate <= found.gate => before,
                Some(_) | None => found,
            });
        }
    }
    least.unwrap_or_else(Found::none)
}

/// What an entry of `toolsets` sets before a toolset, if it is that one.
fn around(finder: &Finder<'_>, spot: Spot, item: &Value, own: &Call) -> Option<Found> {
    let (at, call) = made_by(finder, spot, item)?;
    if call == *own {
        return Some(Found::none());
    }
    let name = finder.named(at, &call);
    let (inner, always) = match name.as_str() {
        "approval_required" => (call.callee.object()?, call.args.is_empty()),
        "ApprovalRequiredToolset" => (call.at(0)?.clone(), call.args.len() == 1),
        // `prefixed()`, `filtered()` and the like ask nobody.
        _ => (call.callee.object()?, false),
    };
    let gated = ["approval_required", "ApprovalRequiredToolset"].contains(&name.as_str());
    let (_, made) = made_by(finder, at, &inner)?;
    if made == *own && !gated {
        return Some(Found::none());
    }
    let gate = if always { Gate::Asks } else { Gate::Unknown };
    (made == *own).then(|| Found::new(gate, &format!("`{name}`"), at.module, call.line))
}

/// What answers in the place of a person, so that a gate which asks does so no longer.
pub(super) fn undone(finder: &Finder<'_>, made: &Made, found: Found) -> Found {
    if found.gate != Gate::Asks {
        return found;
    }
    // Where something of the program is not plain, it may be what takes the question back.
    if let Some((module, line)) = finder.unclear {
        return Found::new(Gate::Unknown, &found.by, module, line);
    }
    if let Some((spot, line)) = changed(finder) {
        return Found::new(Gate::Unknown, &found.by, spot.module, line);
    }
    for (spot, call, name) in calls(finder) {
        match (made.framework.id, name) {
            ("pydantic-ai", "HandleDeferredToolCalls" | "Hooks") => {
                let handler =
                    call.arg(&["handler"], Some(0)).map(|value| finder.code.written(spot, value)).unwrap_or_default();
                let approves = handler.iter().any(|written| {
                    let Written::Unit(unit) = written else { return false };
                    finder.code.unit(*unit).is_some_and(|unit| {
                        unit.calls.iter().any(|call| call.option("approve_all") == Some(&Value::Bool(true)))
                    })
                });
                let gate = if approves { Gate::Void } else { Gate::Unknown };
                return Found::new(gate, &format!("`{name}`"), spot.module, call.line);
            }
            ("agent-framework", "ToolApprovalMiddleware") if call.option("auto_approval_rules").is_some() => {
                return Found::new(
                    Gate::Unknown,
                    "`auto_approval_rules`",
                    spot.module,
                    call.line_of("auto_approval_rules"),
                );
            }
            _ => {}
        }
    }
    // What runs at the provider is not approved here.
    if made.framework.id == "ai-sdk" && made.ready.is_some() {
        return Found { gate: Gate::Void, ..found };
    }
    found
}

/// Settings of which an object that was made is told another value later.
const SETTINGS: [&str; 18] = [
    "needs_approval",
    "needsApproval",
    "requires_approval",
    "requireApproval",
    "require_confirmation",
    "_require_confirmation",
    "approval_mode",
    "human_input_mode",
    "interrupt_on",
    "interruptOn",
    "interrupt_before",
    "interrupt_before_nodes",
    "interruptBefore",
    "middleware",
    "toolApproval",
    "tools",
    "name",
    "can_use_tool",
];

/// Where a setting is changed behind its declaration, or a list or a map of settings: `tool.needs_approval = False`,
/// `middleware.clear()`.
fn changed(finder: &Finder<'_>) -> Option<(Spot, u64)> {
    let set = units(finder).find_map(|(spot, unit)| {
        unit.names.iter().find_map(|(name, values)| {
            let (object, setting) = name.rsplit_once('.')?;
            let own = object == "self" || object == "this";
            let line = values.first().map_or(unit.line, |(_, line)| *line);
            (!own && SETTINGS.contains(&setting)).then_some((spot, line))
        })
    });
    set.or_else(|| {
        const CHANGES: [&str; 8] = ["clear", "pop", "remove", "append", "extend", "insert", "update", "setattr"];
        calls(finder).find_map(|(spot, call, _)| {
            let name = last(&call.callee)?;
            let on =
                call.callee.object().is_some_and(|object| matches!(object, Value::Path(parts) if parts.len() == 1));
            let literal = || {
                let object = call.callee.object()?;
                finder
                    .code
                    .written(spot, &object)
                    .into_iter()
                    .find(|written| matches!(written, Written::Value(_, Value::List(..) | Value::Record(..))))
            };
            (name == "setattr" || (on && CHANGES.contains(&name) && literal().is_some())).then_some((spot, call.line))
        })
    })
}
