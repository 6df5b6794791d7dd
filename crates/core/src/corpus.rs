//! The built-in corpus of destructive calls, as an agent would issue them (floor 1).
//!
//! Gates are asked what they would do with each. A call is text here and is never made.

use serde::Deserialize;
use std::sync::LazyLock;

use crate::bundle::short_hash;
use crate::model::WayClass;
use crate::time::Time;

const DATA: &str = include_str!("../data/corpus.yaml");

/// One call of the corpus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DestructiveCall {
    /// Unique, and never reused.
    pub id: String,
    /// How it is issued.
    pub way: WayClass,
    /// The provider whose data is destroyed; `any` where the call's own text does not say.
    pub provider: String,
    /// What is called.
    pub issued: Issued,
    /// With what it is called, where that is not part of `issued`.
    pub with: Option<String>,
    /// The operation of the catalogue that it issues, if it is one.
    pub operation: Option<String>,
    /// Where the call is documented.
    pub source: String,
    /// When someone last compared it with that.
    pub reviewed: Time,
}

/// What an agent does to issue a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Issued {
    /// It runs a shell command line.
    Run(String),
    /// It calls a tool of an MCP server.
    Tool {
        /// The server, by the name that its documentation gives it.
        server: String,
        /// The tool.
        tool: String,
    },
    /// It writes a file with its own tool.
    Write(String),
    /// It fetches a page of a host with its own tool.
    Fetch(String),
}

impl DestructiveCall {
    /// The call as it is shown, in one line.
    #[must_use]
    pub fn text(&self) -> String {
        let issued = match &self.issued {
            Issued::Run(command) => command.replace('\n', " ⏎ "),
            Issued::Tool { server, tool } => format!("{server}/{tool}"),
            Issued::Write(path) => format!("write {path}"),
            Issued::Fetch(host) => format!("fetch {host}"),
        };
        match &self.with {
            Some(with) => format!("{issued} ({with})"),
            None => issued,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenGroup {
    provider: String,
    source: String,
    reviewed: Time,
    calls: Vec<WrittenCall>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCall {
    id: String,
    way: WayClass,
    #[serde(default)]
    run: Option<String>,
    #[serde(default)]
    tool: Option<String>,
    #[serde(default)]
    write: Option<String>,
    #[serde(default)]
    fetch: Option<String>,
    #[serde(default)]
    with: Option<String>,
    #[serde(default)]
    operation: Option<String>,
    #[serde(default)]
    source: Option<String>,
}

/// A corpus that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    /// Not YAML, or an entry has an unknown or a missing key.
    #[error(transparent)]
    Shape(#[from] serde_yaml::Error),
    /// A call is not issued in exactly one way.
    #[error("`{0}` has to have one of `run`, `tool` (as `server/tool`), `write` and `fetch`")]
    Issued(String),
}

static CALLS: LazyLock<Vec<DestructiveCall>> = LazyLock::new(|| read(DATA).unwrap_or_default());
static DIGEST: LazyLock<String> = LazyLock::new(|| short_hash(DATA));

/// Reads a corpus.
///
/// # Errors
/// If it is not YAML of that shape, or a call is issued in no way or in several.
pub fn read(yaml: &str) -> Result<Vec<DestructiveCall>, CorpusError> {
    let groups: Vec<WrittenGroup> = serde_yaml::from_str(yaml)?;
    let mut calls = Vec::new();
    for WrittenGroup { provider, source, reviewed, calls: written } in groups {
        for call in written {
            let issued = issued(&call).ok_or_else(|| CorpusError::Issued(call.id.clone()))?;
            let WrittenCall { id, way, with, operation, source: own, .. } = call;
            let (provider, source) = (provider.clone(), own.unwrap_or_else(|| source.clone()));
            calls.push(DestructiveCall { id, way, provider, issued, with, operation, source, reviewed });
        }
    }
    Ok(calls)
}

fn issued(call: &WrittenCall) -> Option<Issued> {
    match (&call.run, &call.tool, &call.write, &call.fetch) {
        (Some(command), None, None, None) => Some(Issued::Run(command.clone())),
        (None, Some(named), None, None) => {
            let (server, tool) = named.split_once('/')?;
            Some(Issued::Tool { server: server.to_owned(), tool: tool.to_owned() })
        }
        (None, None, Some(path), None) => Some(Issued::Write(path.clone())),
        (None, None, None, Some(host)) => Some(Issued::Fetch(host.clone())),
        _ => None,
    }
}

/// Every call of the built-in corpus, in the order of its file.
#[must_use]
pub fn calls() -> &'static [DestructiveCall] {
    &CALLS
}

/// The built-in corpus, by a short hash of it.
#[must_use]
pub fn digest() -> &'static str {
    &DIGEST
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;
    use std::collections::{BTreeMap, BTreeSet};

    const ALL: [WayClass; 8] = [
        WayClass::Cli,
        WayClass::Http,
        WayClass::Sdk,
        WayClass::Iac,
        WayClass::Sql,
        WayClass::Mcp,
        WayClass::Script,
        WayClass::File,
    ];

    #[test]
    fn the_corpus_is_read_whole() {
        let calls = read(DATA).unwrap();
        assert!(calls.len() >= 180, "{}", calls.len());
        assert_eq!(calls, *CALLS);
        assert_eq!(digest().len(), 12);
    }

    #[test]
    fn every_call_is_told_once_with_its_source() {
        let (mut ids, mut texts) = (BTreeSet::new(), BTreeSet::new());
        for call in calls() {
            assert!(ids.insert(&call.id) && texts.insert(call.text()), "{}", call.id);
            let kebab = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            assert!(call.id.chars().all(kebab), "{}", call.id);
            assert!(call.source.starts_with("https://"), "{}", call.id);
            assert!(call.reviewed > "2026-01-01".parse().unwrap(), "{}", call.id);
        }
    }

    #[test]
    fn every_operation_is_one_of_the_catalogue() {
        let known: BTreeSet<(String, String)> =
            catalogue::actions().into_iter().map(|action| (action.provider, action.action)).collect();
        for call in calls() {
            let Some(operation) = &call.operation else { continue };
            assert!(known.contains(&(call.provider.clone(), operation.clone())), "{}: {operation}", call.id);
        }
    }

    #[test]
    fn every_provider_of_the_catalogue_is_called_in_every_way_that_it_has() {
        let mut ways: BTreeMap<&str, BTreeSet<WayClass>> = BTreeMap::new();
        for call in calls() {
            ways.entry(&call.provider).or_default().insert(call.way);
        }
        for chapter in catalogue::chapters() {
            let found = ways.get(chapter.provider.as_str()).map_or(0, BTreeSet::len);
            assert!(found >= 2, "{} is called in {found} ways", chapter.provider);
        }
        for way in ALL {
            let count = calls().iter().filter(|call| call.way == way).count();
            assert!(count >= 15, "{way:?}: {count}");
        }
    }

    #[test]
    fn a_tool_is_called_by_its_way_and_no_other() {
        for call in calls() {
            assert_eq!(matches!(call.issued, Issued::Tool { .. }), call.way == WayClass::Mcp, "{}", call.id);
        }
    }

    #[test]
    fn unknown_keys_and_calls_of_no_way_are_refused() {
        let group = |call: &str| format!("- {{provider: x, source: y, reviewed: 2026-11-24, calls: [{call}]}}");
        assert!(read(&group("{id: a, way: cli, run: x}")).is_ok());
        for wrong in [
            "{id: a, way: cli}",
            "{id: a, way: cli, run: x, fetch: y}",
            "{id: a, way: mcp, tool: x}",
            "{id: a, way: cli, run: x, note: y}",
            "{id: a, way: shell, run: x}",
        ] {
            assert!(read(&group(wrong)).is_err(), "{wrong}");
        }
    }
}
