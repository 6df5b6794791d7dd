//! Asks the gates of this machine about one very call.

use deadstop_core::fact::GapReason;
use deadstop_core::gate::{self, Basis, Call, Doubt, GateDecision, McpServer, Ruling};
use deadstop_core::id::SessionId;
use deadstop_core::model::{Agent, Decision, Source, Way};
use deadstop_core::time::Time;

use super::agent::{self, Launch};
use super::started::Started;
use super::{Discovered, FINDERS, Found, Where, join};

/// What one session does with a call.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The session.
    pub session: SessionId,
    /// Its agent.
    pub agent: Agent,
    /// What its gate decides.
    pub met: GateDecision,
    /// The way of the call.
    pub way: Way,
    /// What that rests on.
    pub sources: Vec<Source>,
    /// Whether nobody is there to be asked, if known.
    pub headless: Option<bool>,
}

/// Looks for the sessions of this machine, with one that may not be there and how it was started.
#[must_use]
pub fn discover_as(place: &Where<'_>, servers: &[McpServer], started: &Started, forced: Option<&str>) -> Discovered {
    let mut found = Discovered::default();
    for finder in FINDERS {
        let launch = Launch { started: Some(started), forced: forced == Some(finder.gate()) };
        agent::discover(finder, place, servers, &mut found, &launch);
    }
    found
}

impl Discovered {
    /// What every session does with a call.
    #[must_use]
    pub fn asked(&self, call: &Call, started: &Started, at: Time) -> Vec<Asked> {
        self.agents.iter().filter_map(|agent| self.one(agent, call, started, at)).collect()
    }

    fn one(&self, agent: &Found, call: &Call, started: &Started, at: Time) -> Option<Asked> {
        let session = self.sessions.iter().find(|session| session.id == agent.session)?;
        let policies: Vec<&dyn gate::GatePolicy> = agent.policies.iter().map(AsRef::as_ref).collect();
        let mut met = gate::decide_in(&policies, call)?;
        let mine = started.agent.as_deref() == Some(agent.session.as_str());
        if mine {
            as_started(&mut met, started);
        }
        let (mut ways, mut sources) = (Vec::new(), Vec::new());
        for policy in policies {
            let (way, because) = policy.way(&agent.session, &agent.servers, call, &met, at);
            sources.extend(because);
            ways = if ways.is_empty() { vec![way] } else { join::ways(ways, vec![way]) };
        }
        let headless = if mine { started.headless } else { None };
        Some(Asked { session: agent.session.clone(), agent: session.agent, met, way: ways.pop()?, sources, headless })
    }
}

/// What the command line that started the agent makes of a decision.
fn as_started(met: &mut GateDecision, started: &Started) {
    if started.runs {
        for ruling in [&mut met.worst, &mut met.best] {
            if ruling.decision == Decision::Ask {
                *ruling = of_start(Decision::Allow, "it was started so that what is not listed runs");
            }
        }
    }
    if started.headless == Some(true) {
        for ruling in [&mut met.worst, &mut met.best] {
            if ruling.decision == Decision::Ask {
                ruling.decision = Decision::Deny;
                ruling.because = format!("{}; nobody is there to be asked", ruling.because);
            }
        }
    }
    if let Some(why) = &started.doubt {
        met.worst = of_start(Decision::Allow, why);
        met.contained = None;
        met.doubt = Some(Doubt {
            id: "started-as".to_owned(),
            reason: GapReason::Unsupported,
            question: "how the agent was started".to_owned(),
            settle: "leave out what this version does not know".to_owned(),
            place: None,
        });
    }
}

fn of_start(decision: Decision, because: &str) -> Ruling {
    Ruling { decision, basis: Basis::Mode(None), place: None, because: because.to_owned() }
}
