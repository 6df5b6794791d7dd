//! Turns the decisions of a gate into the ways of a session, with a source for every reason (floor 2).

use std::collections::BTreeMap;

use super::call::{Basis, Call, GateDecision, McpServer, Ruling};
use super::{Level, Place};
use crate::fact::{Fact, Gap, GapReason};
use crate::id::{SessionId, SourceId, WayId};
use crate::model::reach::{Answered, Outcome};
use crate::model::{Atom, Decision, Override, Source, Way, WayKind};
use crate::time::Time;

/// The ids of a session's ways. Every agent's ways are named alike.
pub(super) struct Names {
    session: SessionId,
    /// The shell.
    pub(super) bash: WayId,
    /// The shell, outside the sandbox that it otherwise runs in.
    pub(super) outside: WayId,
    /// Commands that only read.
    pub(super) shown: WayId,
    /// The tool that reads files.
    pub(super) read: WayId,
    /// The tool that writes files.
    pub(super) edit: WayId,
    /// The same tool, on the agent's own settings.
    pub(super) settings: WayId,
    /// The tool that fetches pages.
    pub(super) fetch: WayId,
    servers: Vec<(String, WayId)>,
}

impl Names {
    pub(super) fn new(session: &SessionId, servers: &[McpServer]) -> Self {
        let id = |name: &str| WayId(format!("{session}/{name}"));
        Self {
            session: session.clone(),
            bash: id("bash"),
            outside: id("bash-outside"),
            shown: id("bash-read"),
            read: id("read"),
            edit: id("edit"),
            settings: id("settings"),
            fetch: id("webfetch"),
            servers: servers.iter().map(|s| (s.name.clone(), id(&format!("mcp/{}", plain(&s.name))))).collect(),
        }
    }

    /// A client with rules of its own.
    pub(super) fn client(&self, program: &str) -> WayId {
        WayId(format!("{}/cli/{program}", self.session))
    }

    /// An MCP server.
    pub(super) fn server(&self, name: &str) -> WayId {
        WayId(format!("{}/mcp/{}", self.session, plain(name)))
    }

    /// The way that calls like this one go by, its kind, and what it is called.
    pub(super) fn like(&self, call: &Call) -> (WayId, WayKind, String) {
        match call {
            Call::Shell { .. } => (self.bash.clone(), WayKind::Shell, "this command".to_owned()),
            Call::Read { .. } => (self.read.clone(), WayKind::FileRead, "this reading".to_owned()),
            Call::Edit { .. } => (self.edit.clone(), WayKind::FileWrite, "this writing".to_owned()),
            Call::Fetch { .. } => (self.fetch.clone(), WayKind::Fetch, "this fetching".to_owned()),
            Call::Mcp { server, .. } => (self.server(server), WayKind::Mcp, format!("MCP server {server}")),
        }
    }

    /// The way of one very call.
    pub(super) fn this_call(&self) -> WayId {
        WayId(format!("{}{THIS_CALL}", self.session))
    }

    /// All ways to edit one of the session's own settings files, without the one that is to be changed.
    pub(super) fn edits(&self, file: &str, own: Option<&WayId>) -> Vec<Override> {
        let edit = |way: &WayId, by: &str| Override {
            needs: vec![Atom::Way(way.clone())],
            because: format!("edit `{file}`{by}"),
            sources: Vec::new(),
        };
        let mut edits = vec![(&self.settings, String::new()), (&self.bash, " by a shell command".to_owned())];
        edits.extend(self.servers.iter().map(|(name, id)| (id, format!(" through the MCP server `{name}`"))));
        edits.into_iter().filter(|(way, _)| own != Some(*way)).map(|(way, by)| edit(way, &by)).collect()
    }
}

/// The end of the id of a way that stands for one very call.
pub const THIS_CALL: &str = "/this-call";

/// A server's name as it stands in ids.
#[must_use]
pub fn plain_name(server: &str) -> String {
    plain(server)
}

/// A server's name as it stands in ids and in the names of tools.
pub(super) fn plain(server: &str) -> String {
    server.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect()
}

/// A step that takes nothing but a person's word.
pub(super) fn accepted(because: &str) -> Override {
    Override { needs: Vec::new(), because: because.to_owned(), sources: Vec::new() }
}

/// Where ways are written. Everything they rest on becomes a source once.
pub(super) struct Desk<'a> {
    session: &'a SessionId,
    /// The files that were read: what a way rests on where no line decides.
    files: Vec<String>,
    at: Time,
    sources: BTreeMap<SourceId, Source>,
}

impl<'a> Desk<'a> {
    pub(super) fn new(session: &'a SessionId, files: Vec<String>, at: Time) -> Self {
        Self { session, files, at, sources: BTreeMap::new() }
    }

    pub(super) fn sources(self) -> Vec<Source> {
        self.sources.into_values().collect()
    }

    /// One way. It reads nothing, no sandbox holds it, and nothing overrides it, unless the caller says so.
    pub(super) fn way(&mut self, id: WayId, kind: WayKind, name: &str, carries: &[&str], met: &GateDecision) -> Way {
        let mut sources = Vec::new();
        for ruling in [&met.worst, &met.best] {
            if let Some(place) = &ruling.place {
                let rule = if let Basis::Rule(rule) = &ruling.basis { Some(rule.text.clone()) } else { None };
                sources.push(self.source(&place.path, Some(place.to_string()), rule));
            }
        }
        if sources.is_empty() {
            let files = self.files.clone();
            sources.extend(files.iter().map(|path| self.source(path, None, None)));
        }
        let decision = self.decision(met);
        sources.extend(decision.gap().map(|gap| gap.source.clone()));
        sources.sort();
        sources.dedup();
        Way {
            id,
            session: Some(self.session.clone()),
            kind,
            name: name.to_owned(),
            carries: carries.iter().map(|carried| (*carried).to_owned()).collect(),
            reads: false,
            decision,
            overrides: Vec::new(),
            contained: Fact::Known(false),
            escapes: Vec::new(),
            holds: Vec::new(),
            acts_as: Vec::new(),
            needs: Vec::new(),
            managed: managed(&met.worst),
            rule: met.rule().map(str::to_owned),
            because: met.because(),
            approval: None,
            sources,
        }
    }

    /// The way of one very call: it carries nothing else, but for a deputy, which carries what its credentials may do.
    pub(super) fn this_call(&mut self, names: &Names, servers: &[McpServer], call: &Call, met: &GateDecision) -> Way {
        let (_, kind, name) = names.like(call);
        let mut way = self.way(names.this_call(), kind, &name, &[], met);
        if let Call::Mcp { server, .. } = call
            && let Some(server) = servers.iter().find(|one| one.name == *server)
        {
            way.carries = vec!["*".to_owned()];
            way.holds.clone_from(&server.credentials);
        }
        way.contained = match met.contained {
            Some(contained) => Fact::Known(contained),
            None => Fact::Unknown(self.gap("sandbox", GapReason::Unsupported, "what the sandbox lets through", None)),
        };
        way
    }

    /// The way of an MCP server, which holds credentials of its own.
    pub(super) fn server(&mut self, names: &Names, server: &McpServer, met: &GateDecision) -> Way {
        let mut way =
            self.way(names.server(&server.name), WayKind::Mcp, &format!("MCP server {}", server.name), &["*"], met);
        way.holds.clone_from(&server.credentials);
        way.reads = server.shows_files();
        let place = Place { path: server.file.clone(), line: server.line };
        way.sources.push(self.source(&server.file, Some(place.to_string()), None));
        way.sources.sort();
        way
    }

    fn decision(&mut self, met: &GateDecision) -> Fact<Decision> {
        match (met.known(), &met.doubt) {
            (Some(decision), _) => Fact::Known(decision),
            (None, Some(doubt)) => {
                let place = doubt.place.as_ref().map(ToString::to_string);
                let gap = self.gap(&doubt.id, doubt.reason, &doubt.question, place);
                if let Some(source) = self.sources.get_mut(&gap.source) {
                    source.settle = Some(doubt.settle.clone());
                }
                Fact::Unknown(gap)
            }
            (None, None) => Fact::Unknown(self.gap("gate", GapReason::Unsupported, "what the gate decides", None)),
        }
    }

    fn source(&mut self, path: &str, place: Option<String>, rule: Option<String>) -> SourceId {
        let id = SourceId(format!("gate/{}/{}", self.session, place.as_deref().unwrap_or(path)));
        let source = self.sources.entry(id.clone()).or_insert_with(|| Source {
            id: id.clone(),
            provider: None,
            operation: format!("read {path}"),
            scope: None,
            outcome: Outcome::Answered(Answered::Answered),
            at: self.at,
            run: None,
            excerpt: None,
            place,
            settle: None,
        });
        source.excerpt = source.excerpt.take().or(rule);
        id
    }

    /// A question that the settings leave open.
    pub(super) fn gap(&mut self, name: &str, reason: GapReason, question: &str, place: Option<String>) -> Gap {
        let id = SourceId(format!("gate/{}/{name}", self.session));
        self.sources.entry(id.clone()).or_insert_with(|| Source {
            id: id.clone(),
            provider: None,
            operation: question.to_owned(),
            scope: None,
            outcome: Outcome::Not(reason),
            at: self.at,
            run: None,
            excerpt: None,
            place,
            settle: None,
        });
        Gap { source: id, reason }
    }
}

fn managed(ruling: &Ruling) -> bool {
    match &ruling.basis {
        Basis::Rule(rule) => rule.level == Level::Managed,
        Basis::Mode(level) => *level == Some(Level::Managed),
        Basis::Hook(level) => *level == Level::Managed,
        Basis::BuiltIn | Basis::Unread => false,
    }
}
