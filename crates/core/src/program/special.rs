//! What frameworks do in ways of their own: tools that come with an agent, names that are made of others, settings of a
//! whole run (floor 2).

use super::approval::{self, Found};
use super::frameworks::{self, Reach};
use super::known;
use super::names::{Origin, Spot, Written};
use super::syntax::{Arg, Call, Value, last};
use super::tools::{Finder, Gate, Made};

impl Finder<'_> {
    pub(super) fn special(&mut self) {
        let calls: Vec<(Spot, Call)> = (self.code.modules.iter().enumerate())
            .flat_map(|(module, file)| {
                file.units.iter().enumerate().map(move |(unit, here)| (Spot { module, unit }, here))
            })
            .flat_map(|(spot, unit)| unit.calls.iter().map(move |call| (spot, Call::clone(call))))
            .collect();
        for (spot, call) in calls {
            for origin in self.code.origins(spot, &call.callee) {
                let Origin::Package(root, chain) = origin else { continue };
                let Some(framework) = frameworks::of(&root, &chain) else { continue };
                match (framework.id, chain.iter().rfind(|part| *part != "()").map(String::as_str).unwrap_or_default()) {
                    ("claude-agent-sdk", "ClaudeAgentOptions" | "ClaudeCodeOptions") => self.claude(spot, &call, &call),
                    ("claude-agent-sdk", "query") => {
                        // In Python they are an object of their own.
                        let given = call.option("options").cloned().unwrap_or(Value::Nothing);
                        for written in self.code.written(spot, &given) {
                            if let Written::Value(at, record @ Value::Record(..)) = written {
                                let args =
                                    vec![Arg { name: None, value: record, many: false, line: call.line_of("options") }];
                                let options = Call {
                                    callee: call.callee.clone(),
                                    args,
                                    line: call.line_of("options"),
                                    inner: false,
                                    under: None,
                                };
                                self.claude(at, &options, &call);
                            }
                        }
                    }
                    ("autogen", "ConversableAgent" | "UserProxyAgent" | "AssistantAgent") if root == "autogen" => {
                        self.executes(spot, &call);
                    }
                    ("smolagents", "CodeAgent") => {
                        // Its interpreter runs on this machine, within bounds that imports lift.
                        let local = call.option("executor_type").is_none_or(|kind| kind.text() == Some("local"));
                        let imports = call.option("additional_authorized_imports");
                        let harmless = |list: Vec<String>| list.iter().all(|name| known::computes(name));
                        let bound = imports.is_none_or(|value| texts(Some(value)).is_some_and(harmless));
                        if local && !bound {
                            self.brought(spot, &call, "smolagents", "python_interpreter", None);
                        }
                    }
                    _ => {}
                }
            }
        }
        self.plugins();
        self.named_executors();
        // CrewAI shows a model every name in this form.
        for made in self.made.iter_mut().filter(|made| made.framework.id == "crewai") {
            made.name = snake(&made.name);
        }
    }

    fn brought(&mut self, spot: Spot, call: &Call, id: &str, name: &str, set: Option<(Gate, &'static str, u64)>) {
        let Some(framework) = frameworks::ALL.iter().find(|framework| framework.id == id) else { return };
        self.add(Made {
            framework,
            spot,
            line: call.line,
            name: name.to_owned(),
            runs: Vec::new(),
            ready: Some(Reach::Anything),
            by: Some((spot, call.clone())),
            carriers: Vec::new(),
            lost: false,
            set,
        });
    }

    /// Options of the Claude Agent SDK, in the order that it documents: what is bypassed, what is allowed by name, and who
    /// is asked about the rest. <https://code.claude.com/docs/en/agent-sdk/permissions>
    fn claude(&mut self, spot: Spot, options: &Call, at: &Call) {
        let option = |python: &'static str, script: &'static str| {
            let name = if options.option(python).is_some() { python } else { script };
            (options.option(name).cloned(), options.line_of(name))
        };
        let (servers, _) = option("mcp_servers", "mcpServers");
        let mut named: Vec<(String, usize)> = Vec::new();
        match &servers {
            Some(Value::Record(entries, more, _)) => {
                for (key, value, line) in entries {
                    for written in self.code.written(spot, value) {
                        let Written::Value(place, Value::Call(call)) = &written else {
                            self.brought_from_elsewhere(
                                spot,
                                *line,
                                "the tools of an MCP server are not told in the code",
                            );
                            continue;
                        };
                        let carrier = self
                            .carriers
                            .iter()
                            .position(|carrier| carrier.call == **call && carrier.spot.module == place.module);
                        let Some(carrier) = carrier else {
                            self.brought_from_elsewhere(
                                spot,
                                *line,
                                "the tools of an MCP server are not told in the code",
                            );
                            continue;
                        };
                        for (number, made) in self.made.iter().enumerate() {
                            if made.carriers.contains(&carrier) {
                                named.push((key.clone(), number));
                            }
                        }
                    }
                }
                if *more {
                    self.open(spot, options.line, "which MCP servers there are is not plain");
                }
            }
            Some(Value::Nothing) | None => {}
            Some(_) => self.open(spot, options.line, "which MCP servers there are is not plain"),
        }
        let rules = Rules::of(options);
        for (key, number) in named {
            let Some(made) = self.made.get_mut(number) else { continue };
            if !made.name.starts_with("mcp__") {
                made.name = format!("mcp__{key}__{}", made.name);
            }
            let (gate, by, line) = rules.decide(&made.name);
            if made.set.is_none_or(|(before, ..)| gate < before) {
                made.set = Some((gate, by, line));
                made.by = Some((spot, options.clone()));
            }
        }
        let (tools, _) = option("tools", "tools");
        let (refused, _) = option("disallowed_tools", "disallowedTools");
        let refused = texts(refused.as_ref()).unwrap_or_default();
        let has = match texts(tools.as_ref()) {
            Some(list) => list.iter().any(|name| name == "Bash"),
            None => true,
        };
        if has && !refused.iter().any(|name| name == "Bash" || name == "*") {
            let (gate, by, line) = rules.decide("Bash");
            let at = Call { line: if at == options { options.line } else { at.line }, ..options.clone() };
            self.brought(spot, &at, "claude-agent-sdk", "Bash", Some((gate, by, line)));
        }
    }

    /// Code that an agent runs which another wrote: on this machine, unless in a container.
    /// <https://microsoft.github.io/autogen/0.2/docs/tutorial/code-executors/>
    fn executes(&mut self, spot: Spot, call: &Call) {
        let Some(config) = call.option("code_execution_config") else { return };
        let here = match (config.entry("use_docker"), config.entry("executor")) {
            _ if matches!(config, Value::Bool(false) | Value::Nothing) => false,
            (Some(docker), _) => *docker == Value::Bool(false),
            (None, Some(executor)) => {
                let args = vec![Arg { name: None, value: executor.clone(), many: false, line: call.line }];
                !approval::contained(self, spot, &Call { args, ..call.clone() })
            }
            // In a container, by default.
            (None, None) => !matches!(config, Value::Record(_, false, _)),
        };
        if here {
            let name = call.arg(&["name"], Some(0)).and_then(Value::text).unwrap_or("code").to_owned();
            let mode = approval::mode(call, &self.named(spot, call), spot.module);
            let line = mode.at.map_or(call.line, |(_, line)| line);
            self.brought(spot, call, "autogen", &name, Some((mode.gate, "`human_input_mode`", line)));
        }
    }

    /// Executors that have no name for a model are called as their agent is.
    fn named_executors(&mut self) {
        for made in &mut self.made {
            if made.framework.id == "autogen"
                && made.name == "code"
                && let Some(name) =
                    made.by.as_ref().and_then(|(_, call)| call.arg(&["name"], Some(0))).and_then(Value::text)
            {
                name.clone_into(&mut made.name);
            }
        }
    }

    /// Plugins of Semantic Kernel: a model sees `plugin-function`.
    fn plugins(&mut self) {
        if !self.made.iter().any(|made| made.framework.id == "semantic-kernel") {
            return;
        }
        let mut names: Vec<(usize, usize, String)> = Vec::new();
        for (module, file) in self.code.modules.iter().enumerate() {
            for (number, unit) in file.units.iter().enumerate() {
                let spot = Spot { module, unit: number };
                for call in &unit.calls {
                    let listed = match last(&call.callee) {
                        Some("add_plugin") => call.arg(&["plugin"], Some(0)).cloned().into_iter().collect(),
                        _ => match call.option("plugins") {
                            Some(Value::List(items, _)) => items.clone(),
                            _ => Vec::new(),
                        },
                    };
                    for item in listed {
                        for origin in self.code.origins(spot, &item) {
                            if let Origin::Instance(module, class) = origin {
                                let given =
                                    call.arg(&["plugin_name"], Some(1)).and_then(Value::text).map(str::to_owned);
                                let own = self
                                    .code
                                    .modules
                                    .get(module)
                                    .and_then(|file| file.classes.get(class))
                                    .map(|class| class.name.clone());
                                names.extend(given.or(own).map(|name| (module, class, name)));
                            }
                        }
                    }
                }
            }
        }
        for made in self.made.iter_mut().filter(|made| made.framework.id == "semantic-kernel" && made.ready.is_none()) {
            let class = self.code.unit(made.spot).and_then(|unit| unit.class);
            let plugin = names.iter().find(|(module, number, _)| made.spot.module == *module && class == Some(*number));
            if let Some((_, _, plugin)) = plugin {
                made.name = format!("{plugin}-{}", made.name);
            }
        }
    }
}

/// The texts of a list, if all of it is known.
fn texts(value: Option<&Value>) -> Option<Vec<String>> {
    let Some(Value::List(items, false)) = value else { return None };
    items.iter().map(|item| item.text().map(str::to_owned)).collect()
}

/// What options of the Claude Agent SDK say of a tool.
struct Rules {
    bypass: bool,
    /// Whether the mode is not plain, or one in which a model or nobody decides.
    mode: Option<u64>,
    allowed: Option<Vec<String>>,
    asks: Option<u64>,
    /// Hooks before a call: what they match, and where.
    hooks: Vec<(Option<String>, u64)>,
    /// Hooks after it.
    after: Option<u64>,
    line: u64,
}

impl Rules {
    fn of(options: &Call) -> Self {
        let pick = |names: [&str; 2]| {
            names.into_iter().find_map(|name| Some((options.option(name)?.clone(), options.line_of(name))))
        };
        let mode = pick(["permission_mode", "permissionMode"]);
        let word = mode.as_ref().and_then(|(value, _)| value.text().map(str::to_owned));
        let open = match (&mode, word.as_deref()) {
            (Some((Value::Nothing, _)) | None, _) => None,
            (Some(_), Some("default" | "bypassPermissions")) => None,
            (Some((_, line)), _) => Some(*line),
        };
        let allowed = match pick(["allowed_tools", "allowedTools"]) {
            None => Some(Vec::new()),
            Some((value, _)) => texts(Some(&value)),
        };
        let mut hooks = Vec::new();
        let mut after = None;
        if let Some((value, line)) = pick(["hooks", "hooks"]) {
            if let Value::Record(entries, false, _) = &value {
                for (event, list, at) in entries {
                    if event != "PreToolUse" {
                        after = Some(line);
                        continue;
                    }
                    let Value::List(items, _) = list else {
                        hooks.push((None, *at));
                        continue;
                    };
                    let matchers = items.iter().map(|item| item.setting("matcher").and_then(Value::text));
                    hooks.extend(matchers.map(|matcher| (matcher.map(str::to_owned), line)));
                }
            } else {
                hooks.push((None, line));
            }
        }
        let asks = pick(["can_use_tool", "canUseTool"])
            .or_else(|| pick(["permission_prompt_tool_name", "permissionPromptToolName"]));
        let asks = asks.filter(|(value, _)| *value != Value::Nothing).map(|(_, line)| line);
        Self {
            bypass: word.as_deref() == Some("bypassPermissions"),
            mode: open,
            allowed,
            asks,
            hooks,
            after,
            line: options.line,
        }
    }

    fn decide(&self, name: &str) -> (Gate, &'static str, u64) {
        let hook = self.hooks.iter().find(|(matcher, _)| {
            matcher.as_ref().is_none_or(|matcher| {
                matcher.is_empty()
                    || matcher == "*"
                    || matcher == name
                    || regex::Regex::new(matcher).is_ok_and(|rule| rule.is_match(name))
                    || regex::Regex::new(matcher).is_err()
            })
        });
        if let Some((_, line)) = hook {
            return (Gate::Unknown, "a `PreToolUse` hook", *line);
        }
        let allowed = match &self.allowed {
            None => return (Gate::Unknown, "`allowed_tools`", self.line),
            Some(list) => list.iter().any(|rule| whole(rule, name)),
        };
        let void = || {
            self.asks
                .map(|line| (Gate::Void, "`can_use_tool`, which is not called for it", line))
                .or_else(|| self.after.map(|line| (Gate::Void, "a hook that runs after the tool", line)))
        };
        if self.bypass || allowed {
            return void().unwrap_or((Gate::None, "", self.line));
        }
        if let Some(line) = self.asks {
            return (Gate::Unknown, "`can_use_tool`", line);
        }
        // Nobody to ask: refused, unless a settings file allows it.
        (Gate::Unknown, "`permission_mode`, and settings that are not in the code", self.mode.unwrap_or(self.line))
    }
}

/// Whether a rule names the whole of a tool.
fn whole(rule: &str, name: &str) -> bool {
    let bare = rule.strip_suffix("()").or_else(|| rule.strip_suffix("(*)")).unwrap_or(rule);
    if bare == name {
        return true;
    }
    // A wildcard counts behind the name of a server alone.
    let Some(rest) = bare.strip_prefix("mcp__") else { return false };
    match rest.split_once("__") {
        Some((server, "*")) => {
            !server.is_empty() && !server.contains('*') && name.starts_with(&format!("mcp__{server}__"))
        }
        Some(_) => false,
        None => !rest.is_empty() && !rest.contains('*') && name.starts_with(&format!("{bare}__")),
    }
}

/// `requireToolApproval` of every run of an agent of Mastra. <https://mastra.ai/docs/agents/agent-approval>
pub(super) fn mastra(finder: &Finder<'_>, sandbox: bool) -> Found {
    let name = "requireToolApproval";
    let mut all: Option<Found> = None;
    let mut asks: Option<Found> = None;
    // Which agent or sandbox a setting belongs to is told by nothing where there are several, and other runs have rules of their own.
    let count = |wanted: &str| finder.calls.iter().filter(|(.., name)| name == wanted).count();
    let others = ["network", "streamLegacy", "generateLegacy", "streamVNext", "generateVNext", "streamUntilIdle"];
    let alone = count("Agent") == 1 && count("Workspace") <= 1 && others.iter().all(|name| count(name) == 0);
    let yes = if alone { Gate::Asks } else { Gate::Unknown };
    let off = finder.calls.iter().any(|(_, call, _)| call.option(name) == Some(&Value::Bool(false)));
    for (module, file) in finder.code.modules.iter().enumerate() {
        for unit in &file.units {
            for call in &unit.calls {
                if sandbox
                    && last(&call.callee) == Some("Workspace")
                    && let Some(set) = call.option("tools").and_then(|value| value.entry("requireApproval"))
                {
                    let gate = if *set == Value::Bool(true) { yes } else { Gate::Unknown };
                    return Found::new(gate, "`requireApproval` of the workspace", module, call.line_of("tools"));
                }
                if let Some(found) = call.option("defaultOptions").and_then(|value| value.entry(name)) {
                    let gate = if *found == Value::Bool(true) && !off { yes } else { Gate::Unknown };
                    return Found::new(
                        gate,
                        "`defaultOptions.requireToolApproval`",
                        module,
                        call.line_of("defaultOptions"),
                    );
                }
                if !["generate", "stream"].contains(&last(&call.callee).unwrap_or_default()) {
                    continue;
                }
                let gate = match call.option(name) {
                    Some(Value::Bool(true)) => yes,
                    Some(Value::Bool(false)) | None => Gate::None,
                    Some(_) => Gate::Unknown,
                };
                let found = if gate == Gate::None {
                    Found::none()
                } else {
                    Found::new(gate, "`requireToolApproval`", module, call.line_of(name))
                };
                if gate == Gate::Asks {
                    asks = Some(found.clone());
                }
                all = Some(match all {
                    Some(before) if before.gate <= found.gate => before,
                    Some(_) | None => found,
                });
            }
        }
    }
    match (all, asks) {
        // One run that asks says nothing of another.
        (Some(all), Some(asks)) if all.gate == Gate::None => Found { gate: Gate::Void, ..asks },
        (all, _) => all.unwrap_or_else(Found::none),
    }
}

/// A name as CrewAI shows it: small letters, digits and underscores.
pub(super) fn snake(name: &str) -> String {
    let mut shown = String::new();
    for c in name.chars() {
        if c.is_alphanumeric() {
            shown.extend(c.to_lowercase());
        } else if !shown.ends_with('_') {
            shown.push('_');
        }
    }
    shown.trim_matches('_').to_owned()
}
