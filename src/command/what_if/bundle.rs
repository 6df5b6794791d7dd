//! The sessions that would make a call, joined to the facts of what is at stake.

use anyhow::Context as _;
use deadstop_core::assess::call::{self, Gate};
use deadstop_core::bundle::Bundle;
use deadstop_core::fact::{Fact, Gap, GapReason};
use deadstop_core::gate::{self, Call, McpServer};
use deadstop_core::id::{SessionId, WayId};
use deadstop_core::meaning::{Around, LONGEST};
use deadstop_core::model::{Agent, Atom, Decision, Override, Session, Source, Way, WayKind};
use deadstop_core::pattern;
use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Asking, around};
use crate::cli::{Trusted, WhatIfArgs};
use crate::session::started::Started;
use crate::session::{Asked, Discovered, Where, discover_as};
use crate::surroundings::Surroundings;

/// Where the settings of the sessions are read.
pub(super) struct Place {
    root: PathBuf,
    surroundings: Surroundings,
    system: PathBuf,
}

/// The sessions that would make the call.
pub(super) struct Machine {
    /// Those whose settings were read; nothing, where only the facts speak.
    found: Option<(Discovered, Started)>,
    session: Option<String>,
    agent: Option<String>,
    at: deadstop_core::time::Time,
}

/// Facts with the ways of the call in them.
pub(super) struct Joined {
    pub(super) bundle: Bundle,
    pub(super) gates: Vec<Gate>,
    pub(super) sessions: BTreeMap<SessionId, Option<WayId>>,
    pub(super) doubts: Vec<String>,
}

impl Place {
    pub(super) fn of(args: &WhatIfArgs) -> anyhow::Result<Self> {
        let root = args.repo.clone().unwrap_or_else(|| PathBuf::from("."));
        let root = root.canonicalize().with_context(|| format!("cannot read the folder `{}`", root.display()))?;
        anyhow::ensure!(root.is_dir(), "`{}` is no folder", root.display());
        let mut surroundings = Surroundings::of_this_process(std::slice::from_ref(&root));
        if let Some(home) = &args.home {
            let home =
                home.canonicalize().with_context(|| format!("cannot read the home folder `{}`", home.display()))?;
            surroundings.home = Some(home);
        }
        let system = args.system.clone().unwrap_or_else(|| PathBuf::from("/"));
        Ok(Self { root, surroundings, system })
    }

    /// What of the folder says what a command runs.
    pub(super) fn around(&self) -> Around {
        around(&self.root)
    }

    /// Reads the settings of the agents, where they and not the facts are asked.
    pub(super) fn machine(
        &self,
        args: &WhatIfArgs,
        started: &Started,
        facts: Option<&Bundle>,
        call: Option<&Call>,
    ) -> anyhow::Result<Machine> {
        let agent = args.agent.clone().or_else(|| started.agent.clone());
        let known =
            |wanted: &str| facts.is_some_and(|facts| facts.sessions.items.iter().any(|own| is_agent(own, wanted)));
        let told =
            args.repo.is_some() || args.home.is_some() || args.started_as.is_some() || args.trusted == Trusted::No;
        let missing = agent.as_ref().is_some_and(|agent| !known(agent));
        let at = facts.map_or(self.surroundings.now, |facts| facts.collected_at);
        let mut machine = Machine { found: None, session: args.session.clone(), agent, at };
        if facts.is_none() || told || missing {
            let env: BTreeMap<String, String> = self
                .surroundings
                .env
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), value.to_str()?.to_owned())))
                .collect();
            let roots = [self.root.clone()];
            let place = Where {
                home: self.surroundings.home.as_deref(),
                roots: &roots,
                env: &env,
                system: &self.system,
                now: at,
            };
            let started = started.clone().trusted(args.trusted == Trusted::Yes);
            let servers = servers(call);
            let found = discover_as(&place, &servers, &started, machine.agent.as_deref());
            machine.found = Some((found, started));
        }
        if let (Some(name), Some(facts)) = (&machine.session, facts)
            && machine.found.is_none()
        {
            let mut all = facts.sessions.items.iter();
            anyhow::ensure!(
                all.any(|session| is_named(session, name)),
                "--session: the facts hold no session of that name"
            );
        }
        Ok(machine)
    }
}

/// The server of a call, of which no more is known than that.
fn servers(call: Option<&Call>) -> Vec<McpServer> {
    let Some(Call::Mcp { server, .. }) = call else { return Vec::new() };
    vec![McpServer { name: server.clone(), tools: None, credentials: Vec::new(), file: String::new(), line: None }]
}

fn is_named(session: &Session, name: &str) -> bool {
    session.name == name
        || session.key == name
        || session.id.as_str() == name
        || session.id.as_str().ends_with(&format!("/{name}"))
}

/// Whether a session is of an agent, by the id of its gate.
fn is_agent(session: &Session, agent: &str) -> bool {
    session.key.split(':').next() == Some(agent)
        || session.id.as_str() == agent
        || session.id.as_str().ends_with(&format!("/{agent}"))
        || call::word(&session.agent) == agent
}

impl Machine {
    fn wanted(&self, session: &Session) -> bool {
        self.session.as_ref().is_none_or(|name| is_named(session, name))
            && self.agent.as_ref().is_none_or(|agent| is_agent(session, agent))
    }

    /// The facts with the ways of one call, and its gates.
    pub(super) fn joined(&self, asking: &Asking, facts: Option<&Bundle>) -> Joined {
        let mut bundle = facts.cloned().unwrap_or_else(|| Bundle::empty(self.at, env!("CARGO_PKG_VERSION")));
        let mut joined =
            Joined { bundle: bundle.clone(), gates: Vec::new(), sessions: BTreeMap::new(), doubts: Vec::new() };
        match &self.found {
            Some((found, started)) => {
                self.settings(asking, found, started, facts.is_some(), &mut bundle, &mut joined);
            }
            None => self.facts_alone(asking, &bundle, &mut joined),
        }
        if joined.gates.is_empty() {
            match (&self.agent, &self.session) {
                (Some(agent), _) => self.unread(agent, &mut joined),
                (None, Some(_)) => joined.doubts.push("no session of that name is known here".to_owned()),
                (None, None) => plain(&mut bundle, &mut joined, facts.is_some()),
            }
        }
        bundle.sources.sort();
        bundle.sources.dedup_by(|a, b| a.id == b.id);
        joined.bundle = bundle;
        joined
    }

    /// The gates as the settings on this machine make them.
    fn settings(
        &self,
        asking: &Asking,
        found: &Discovered,
        started: &Started,
        with_facts: bool,
        bundle: &mut Bundle,
        joined: &mut Joined,
    ) {
        if asking.text.len() > LONGEST {
            for session in found.sessions.iter().filter(|session| self.wanted(session)) {
                joined.gates.push(unknown(session, "the call is longer than 64 KiB, so no gate is asked"));
            }
            joined.doubts.push("the call is longer than 64 KiB, so no gate is asked".to_owned());
            return;
        }
        for asked in found.asked(&asking.call, started, self.at) {
            let Some(own) = found.sessions.iter().find(|session| session.id == asked.session) else { continue };
            if !self.wanted(own) {
                continue;
            }
            joined.gates.push(gate_of(&asked, &own.name));
            let all = bundle.sessions.items.iter().filter(|session| is_agent(session, own.id.as_str()));
            let mut homes: Vec<(SessionId, String)> =
                all.map(|session| (session.id.clone(), above(session.id.as_str()).to_owned())).collect();
            if homes.is_empty() {
                let mut session = own.clone();
                if with_facts {
                    session.reach = Fact::Unknown(not_in_facts(bundle, self.at));
                }
                bundle.sessions.items.push(session);
                homes.push((own.id.clone(), String::new()));
            }
            bundle.sources.extend(found.sources.iter().cloned());
            for (id, prefix) in &homes {
                // Where the facts name its ways otherwise, those of the settings stand beside them.
                let named = bundle.ways.items.iter().any(|way| way.id.as_str() == format!("{prefix}{}/bash", own.id));
                let ways = found
                    .ways
                    .iter()
                    .filter(|way| !named && way.session.as_ref() == Some(&own.id) && way.kind != WayKind::Mcp);
                let ways: Vec<Way> =
                    ways.map(|way| Way { session: Some(id.clone()), ..moved(way.clone(), prefix) }).collect();
                bundle.ways.items.extend(ways);
            }
            bundle.sources.extend(asked.sources.iter().cloned().map(|mut source| {
                source.run = Some(self.at);
                source
            }));
            for (id, prefix) in homes {
                let mut way = moved(asked.way.clone(), &prefix);
                way.session = Some(id.clone());
                holding(&mut way, &asking.call, bundle, &id, joined);
                joined.sessions.insert(id, Some(way.id.clone()));
                bundle.ways.items.push(way);
            }
        }
    }

    /// The gates as far as the facts tell: a way is as free as the freest call that it carries.
    fn facts_alone(&self, asking: &Asking, bundle: &Bundle, joined: &mut Joined) {
        let all: Vec<&Session> = bundle.sessions.items.iter().filter(|session| self.wanted(session)).collect();
        let agents = all.iter().any(|session| session.agent != Agent::Plain);
        let named = self.session.is_some() || self.agent.is_some();
        for session in all.into_iter().filter(|session| named || !agents || session.agent != Agent::Plain) {
            let carried: Vec<&Way> = bundle
                .ways
                .items
                .iter()
                .filter(|way| way.session.as_ref() == Some(&session.id) && carries(way, asking))
                .collect();
            let freest = carried.iter().max_by_key(|way| freedom(&way.decision));
            match freest {
                Some(way) => joined.gates.push(gate_of_way(session, way, bundle)),
                None => joined.gates.push(unknown(session, "the facts hold no way of it that such a call goes by")),
            }
            joined.sessions.insert(session.id.clone(), None);
        }
    }

    fn unread(&self, agent: &str, joined: &mut Joined) {
        let named = deadstop_core::quote::word(agent);
        let because = format!("this version does not read the settings of {named}");
        joined.doubts.push(because.clone());
        joined.gates.push(Gate {
            session: agent.to_owned(),
            agent: agent.to_owned(),
            decision: "unknown".to_owned(),
            contained: None,
            headless: None,
            overridable_by: Vec::new(),
            rule: None,
            source: None,
            because,
        });
    }
}

/// A session of which the facts say nothing reaches nobody knows what.
fn not_in_facts(bundle: &mut Bundle, at: deadstop_core::time::Time) -> Gap {
    let settle = "collect the facts of the machine that the agent runs on";
    let source =
        Source::unanswered("what-if/reach".into(), "read what the session reaches", GapReason::NotAsked, settle, at);
    let gap = Gap { source: source.id.clone(), reason: GapReason::NotAsked };
    bundle.sources.push(source);
    gap
}

/// A tool of a server uses what the server holds: what the facts say of that, or nobody knows.
fn holding(way: &mut Way, call: &Call, bundle: &Bundle, session: &SessionId, joined: &mut Joined) {
    let Call::Mcp { server, .. } = call else { return };
    let own = |known: &&Way| known.session.as_ref() == Some(session) && serves(known, server);
    match bundle.ways.items.iter().find(own).filter(|known| !known.holds.is_empty() || !known.acts_as.is_empty()) {
        Some(known) => {
            way.carries = vec!["*".to_owned()];
            way.holds.clone_from(&known.holds);
            way.acts_as.clone_from(&known.acts_as);
        }
        None => joined.doubts.push("which credential the server uses is not known".to_owned()),
    }
}

/// Whether a way is that of a server: by its id, or by the name that a person gave it.
fn serves(way: &Way, server: &str) -> bool {
    let end = format!("/mcp/{}", gate::plain_name(server));
    let named = way.name.to_lowercase().ends_with(&format!(" {}", server.to_lowercase()));
    way.kind == WayKind::Mcp && (way.id.as_str().ends_with(&end) || named)
}

/// Any program of the user, where there is no agent.
fn plain(bundle: &mut Bundle, joined: &mut Joined, with_facts: bool) {
    joined.gates.push(Gate {
        session: "any program of this user".to_owned(),
        agent: "plain".to_owned(),
        decision: "allow".to_owned(),
        contained: Some(false),
        headless: None,
        overridable_by: Vec::new(),
        rule: None,
        source: None,
        because: "a program of this user runs with nothing in between".to_owned(),
    });
    if with_facts {
        let plain = bundle.sessions.items.iter().filter(|session| session.agent == Agent::Plain);
        joined.sessions.extend(plain.map(|session| (session.id.clone(), None)));
    }
}

/// The name of the machine in front of a session's id.
fn above(id: &str) -> &str {
    id.rfind('/').and_then(|at| id.get(..=at)).unwrap_or("")
}

/// A way under the names of another machine.
fn moved(mut way: Way, prefix: &str) -> Way {
    let named = |id: &mut WayId| id.0.insert_str(0, prefix);
    let steps = |list: &mut Vec<Override>| {
        for atom in list.iter_mut().flat_map(|step| step.needs.iter_mut()) {
            if let Atom::Way(id) = atom {
                named(id);
            }
        }
    };
    named(&mut way.id);
    steps(&mut way.overrides);
    steps(&mut way.escapes);
    way
}

fn gate_of(asked: &Asked, name: &str) -> Gate {
    let met = &asked.met;
    let place = met.worst.place.as_ref().or(met.best.place.as_ref());
    Gate {
        session: name.to_owned(),
        agent: asked.session.to_string(),
        decision: met.known().map_or_else(|| "unknown".to_owned(), |decision| call::word(&decision)),
        contained: met.contained,
        headless: asked.headless,
        overridable_by: met.overridable_by.clone(),
        rule: met.rule().map(str::to_owned),
        source: place.map(ToString::to_string),
        because: met.because(),
    }
}

fn unknown(session: &Session, because: &str) -> Gate {
    Gate {
        session: session.name.clone(),
        agent: call::word(&session.agent),
        decision: "unknown".to_owned(),
        contained: None,
        headless: None,
        overridable_by: Vec::new(),
        rule: None,
        source: None,
        because: because.to_owned(),
    }
}

fn gate_of_way(session: &Session, way: &Way, bundle: &Bundle) -> Gate {
    let place = way
        .sources
        .iter()
        .find_map(|id| bundle.sources.iter().find(|source| source.id == *id).and_then(|source| source.place.clone()));
    let mut steps: Vec<String> = way.overrides.iter().map(|step| step.because.clone()).collect();
    steps.dedup();
    Gate {
        session: session.name.clone(),
        agent: call::word(&session.agent),
        decision: way.decision.known().map_or_else(|| "unknown".to_owned(), call::word),
        contained: way.contained.known().copied(),
        headless: None,
        overridable_by: steps,
        rule: way.rule.clone(),
        source: place,
        because: way.because.clone(),
    }
}

const fn freedom(decision: &Fact<Decision>) -> u8 {
    match decision {
        Fact::Known(Decision::Deny) => 0,
        Fact::Known(Decision::Ask) => 1,
        Fact::Unknown(_) => 2,
        Fact::Known(Decision::Reviewed) => 3,
        Fact::Known(Decision::Allow) => 4,
    }
}

/// Whether a call may go by a way.
fn carries(way: &Way, asking: &Asking) -> bool {
    let amounts = &asking.meaning.amounts;
    let any = || {
        amounts.is_empty()
            || amounts
                .iter()
                .any(|amount| pattern::any(&way.carries, &format!("{}/{}", amount.provider, amount.action)))
    };
    match &asking.call {
        Call::Shell { .. } => match way.kind {
            WayKind::Shell | WayKind::Program => true,
            WayKind::Cli | WayKind::Iac | WayKind::Sql => any(),
            WayKind::FileRead | WayKind::FileWrite | WayKind::Fetch | WayKind::Mcp | WayKind::Pipeline => false,
        },
        Call::Read { .. } => way.kind == WayKind::FileRead,
        Call::Edit { .. } => way.kind == WayKind::FileWrite,
        Call::Fetch { .. } => way.kind == WayKind::Fetch,
        Call::Mcp { server, .. } => serves(way, server),
    }
}
