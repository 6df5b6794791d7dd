//! Tools of MCP servers: by their names, and by the text that they are given (floor 2).

use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::forms::Language;
use super::interpret::Reader;
use super::syntax::Word;
use super::{Target, sql};
use crate::time::Time;

const DATA: &str = include_str!("../../data/tools.yaml");

/// The tools of one server.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Server {
    provider: String,
    source: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "when the group was reviewed is asked by its tests"))]
    reviewed: Time,
    servers: Vec<String>,
    #[serde(default)]
    reads: Vec<String>,
    #[serde(default)]
    tools: BTreeMap<String, String>,
    #[serde(default)]
    then: BTreeMap<String, Text>,
    #[serde(default)]
    unknown: Vec<String>,
}

/// What the text of a tool is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Text {
    Shell,
    Postgres,
    Mysql,
    Sqlite,
    /// SQL that the provider runs as an operation of its own.
    Query,
    Redis,
}

static SERVERS: LazyLock<Vec<Server>> = LazyLock::new(|| serde_yaml::from_str(DATA).unwrap_or_default());

/// Arguments that hold what is run, the likeliest first.
const TEXTS: [&str; 12] = [
    "sql",
    "query",
    "command",
    "cli_command",
    "statement",
    "statements",
    "script",
    "code",
    "cmd",
    "args",
    "sqlStatements",
    "migrationSql",
];

impl Reader<'_> {
    /// One call of a tool.
    pub(super) fn tool(&mut self, server: &str, tool: &str, arguments: Option<&Value>) {
        let lower = server.to_lowercase();
        let named = |one: &&Server| one.servers.iter().any(|part| lower.contains(part.as_str()));
        let has = |one: &&Server| {
            one.tools.contains_key(tool) || one.then.contains_key(tool) || one.unknown.iter().any(|name| name == tool)
        };
        let own: Vec<&Server> = SERVERS.iter().filter(named).collect();
        let known: Vec<&Server> = own.iter().copied().filter(|one| has(one)).collect();
        // A server of another name may be any of those that have such a tool.
        let all = if known.is_empty() { SERVERS.iter().filter(has).collect() } else { known };
        if all.is_empty() {
            if !own.iter().any(|one| one.reads.iter().any(|name| name == tool)) {
                self.doubt("what this tool does is not in the catalogue");
            }
            return;
        }
        for one in all {
            self.by(one, tool, arguments);
        }
    }

    fn by(&mut self, server: &Server, tool: &str, arguments: Option<&Value>) {
        if server.unknown.iter().any(|name| name == tool) {
            self.doubt("what this tool amounts to depends on what is not in the call");
        }
        if let Some(action) = server.tools.get(tool) {
            let (action, sure) = action.strip_prefix('?').map_or((action.as_str(), true), |action| (action, false));
            if tool == "resources_delete" {
                self.resource(server, arguments);
            } else {
                self.meaning.amount(&server.provider, action, target(arguments), sure, &server.source);
                if !sure {
                    self.doubt("what this tool amounts to depends on what is not in the call");
                }
            }
        }
        if tool == "pods_exec"
            && let Some(Value::Array(words)) = arguments.and_then(|given| given.get("command"))
        {
            let words: Vec<Word> = words.iter().filter_map(Value::as_str).map(Word::known).collect();
            self.command(&words, &super::interpret::Given::default());
        }
        let Some(kind) = server.then.get(tool) else { return };
        let texts = held(arguments);
        if texts.is_empty() {
            self.text(*kind, None, &server.source);
        }
        for text in texts {
            self.text(*kind, Some(&Word::known(&text)), &server.source);
        }
    }

    fn text(&mut self, kind: Text, text: Option<&Word>, source: &str) {
        let language = match kind {
            Text::Shell => Language::Shell,
            Text::Postgres => Language::Postgres,
            Text::Mysql => Language::Mysql,
            Text::Sqlite => Language::Sqlite,
            Text::Redis => Language::Redis,
            Text::Query => {
                let mut inner = super::Meaning::default();
                match text {
                    Some(text) => sql::read(&mut inner, sql::Dialect::Postgres, &text.text, false, source),
                    None => sql::unread(&mut inner, sql::Dialect::Postgres, source),
                }
                return self.run_query(inner, source);
            }
        };
        self.language(language, text, source);
    }

    /// A resource of Kubernetes, by its kind.
    fn resource(&mut self, server: &Server, arguments: Option<&Value>) {
        let text = |key: &str| arguments.and_then(|given| given.get(key)).and_then(Value::as_str);
        match text("kind") {
            Some(kind) => {
                let names: Vec<Word> = text("name").map(Word::known).into_iter().collect();
                self.delete_kind(kind, &names, &server.source);
            }
            None => self.possible("kubernetes", &server.source, "the kind of resource is not in the call"),
        }
    }
}

/// The texts that a tool is given to run.
fn held(arguments: Option<&Value>) -> Vec<String> {
    let Some(Value::Object(map)) = arguments else { return Vec::new() };
    let text = |value: &Value| match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) if items.iter().all(Value::is_string) => {
            let words: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            vec![words.join("; ")]
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => Vec::new(),
    };
    let likely: Vec<String> = TEXTS.iter().filter_map(|name| map.get(*name)).flat_map(text).collect();
    if !likely.is_empty() {
        return likely;
    }
    // `{"params": {"sql": …}}`
    map.values()
        .flat_map(|value| match value {
            Value::Object(_) => held(Some(value)),
            Value::String(_) | Value::Array(_) => text(value),
            Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
        })
        .collect()
}

/// What a tool is called on: whatever has a name that stands among its arguments.
fn target(arguments: Option<&Value>) -> Target {
    let mut names = BTreeSet::new();
    if let Some(Value::Object(map)) = arguments {
        map.values().filter_map(Value::as_str).for_each(|text| {
            names.insert(text.to_owned());
        });
    }
    if names.is_empty() { Target::Any } else { Target::Named(names) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;

    #[test]
    fn the_tools_are_read_whole_and_name_operations_of_the_catalogue() {
        let servers: Vec<Server> = serde_yaml::from_str(DATA).unwrap();
        assert!(servers.len() > 12);
        let known = catalogue::actions();
        for server in &servers {
            assert!(server.source.starts_with("https://") && server.reviewed > "2026-01-01".parse().unwrap());
            for action in server.tools.values() {
                let action = action.trim_start_matches('?');
                let local = super::super::LOCAL.iter().any(|(name, _)| *name == action);
                assert!(
                    local || known.iter().any(|one| one.provider == server.provider && one.action == action),
                    "{action}"
                );
            }
        }
    }
}
