//! The frameworks that agent programs are written with: how each declares a tool, attaches it to an agent, and asks
//! (floor 2). Every entry was read in the framework's documentation or published source; the pages stand with it.

mod table;

use table::{
    AGENT_FRAMEWORK, AI_SDK, ANTHROPIC, AUTOGEN, CLAUDE_AGENT_SDK, CREWAI, GOOGLE_ADK, LANGCHAIN, LLAMAINDEX, MASTRA,
    OPENAI, OPENAI_AGENTS, PYDANTIC_AI, SEMANTIC_KERNEL, SMOLAGENTS,
};

/// How a tool is made by a call or by what stands above a function.
#[derive(Clone, Copy, Debug)]
pub(super) struct Maker {
    /// The last name of what is called; behind a dot what it is called on: `StructuredTool.from_function`.
    pub(super) callee: &'static str,
    /// The argument that holds the function: its names, and its place.
    pub(super) function: (&'static [&'static str], Option<usize>),
    /// The argument that holds the name that a model sees.
    pub(super) name: (&'static [&'static str], Option<usize>),
}

/// What brings tools of its own.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ready {
    /// What is called.
    pub(super) callee: &'static str,
    /// The name that a model sees.
    pub(super) name: &'static str,
    /// What it reaches.
    pub(super) reaches: Reach,
}

/// What something ready-made reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// Whatever it is given.
    Anything,
    /// Any SQL of the database that it is given.
    Sql,
    /// Files.
    Files,
    /// Any address.
    Requests,
    /// Nothing here: a person, or a place of the provider's.
    Nothing,
}

/// A framework.
#[derive(Clone, Copy, Debug)]
pub(super) struct Framework {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    /// What is imported of it, in Python up to a dot and in JavaScript up to a slash.
    pub(super) roots: &'static [&'static str],
    /// What stands above a tool.
    pub(super) above: &'static [Maker],
    /// What makes a tool.
    pub(super) makers: &'static [Maker],
    /// What is extended by a tool, and the methods that run.
    pub(super) bases: (&'static [&'static str], &'static [&'static str]),
    /// What takes tools: its name, and the arguments that hold them.
    pub(super) agents: &'static [Maker],
    /// Whether a plain function among an agent's tools is a tool.
    pub(super) plain: bool,
    /// Tools that are ready made.
    pub(super) ready: &'static [Ready],
    /// What brings tools of which nothing is told here, MCP servers among it.
    pub(super) brings: &'static [&'static str],
    /// The setting of a tool that has a person asked, and its values that do.
    pub(super) flag: Option<(&'static str, Yes)>,
}

/// The value that has a person asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Yes {
    True,
    Word(&'static str),
}

/// Every framework that is known. Adding one is adding a line.
pub(super) const ALL: [Framework; 15] = [
    LANGCHAIN,
    OPENAI_AGENTS,
    PYDANTIC_AI,
    GOOGLE_ADK,
    CREWAI,
    LLAMAINDEX,
    SMOLAGENTS,
    ANTHROPIC,
    CLAUDE_AGENT_SDK,
    AI_SDK,
    MASTRA,
    AUTOGEN,
    AGENT_FRAMEWORK,
    SEMANTIC_KERNEL,
    OPENAI,
];

/// The framework that a package belongs to.
pub(super) fn of(root: &str, chain: &[String]) -> Option<&'static Framework> {
    ALL.iter().find(|framework| {
        framework.roots.iter().any(|own| match own.split_once('.') {
            // `google.adk`: other packages share the first name.
            Some((first, second)) => root == first && chain.first().is_some_and(|next| next == second),
            None => root == *own || root.strip_prefix(own).is_some_and(|rest| rest.starts_with('/')),
        })
    })
}

/// Whether a package is a framework's own.
pub(super) fn is_root(root: &str) -> bool {
    root != "google" && of(root, &[]).is_some()
}

/// Whether a text imports a framework, or looks as if it did: the name of one stands by itself in a line that imports.
pub(super) fn concerns(text: &[u8]) -> bool {
    text.split(|byte| *byte == b'\n').any(|line| {
        let line = String::from_utf8_lossy(line);
        ["import", "from", "require"].iter().any(|word| line.contains(word)) && names_one(&line)
    })
}

fn names_one(line: &str) -> bool {
    let inner = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '@');
    ALL.iter().flat_map(|framework| framework.roots).any(|root| {
        line.match_indices(root).any(|(at, _)| {
            let before = line.get(..at).and_then(|text| text.chars().next_back());
            let after = line.get(at + root.len()..).and_then(|text| text.chars().next());
            let quoted = |c: Option<char>| c.is_some_and(|c| matches!(c, '"' | '\'' | '`'));
            let alone = !before.is_some_and(inner) && !after.is_some_and(inner);
            // Two letters are a word of any comment.
            alone && (root.len() > 2 || (quoted(before) && (quoted(after) || after == Some('/'))))
        })
    })
}
