//! Gates that were not held against the agent itself (floor 2): what is known of them is told, and nothing of it is taken for a
//! stop. A call that they would ask about or refuse may run unasked, as far as is known.

use super::{AgentGate, Call, Doubt, GateDecision, GatePolicy, McpServer, Note, Place, Ruling};
use crate::fact::{Fact, Gap, GapReason};
use crate::id::SessionId;
use crate::model::{Decision, Refusal, Source, Way};
use crate::time::Time;

const QUESTION: &str = "hold what is known of its gate against the agent itself";
const SETTLE: &str = "trying the call in the agent";

/// The policy of a gate, as far as it may be relied on.
#[must_use]
pub fn reliable(gate: &dyn AgentGate, policy: Box<dyn GatePolicy>) -> Box<dyn GatePolicy> {
    if gate.is_settled() { policy } else { Box::new(Unsettled(policy)) }
}

#[derive(Debug)]
struct Unsettled(Box<dyn GatePolicy>);

impl Unsettled {
    /// The answer, but for what it stops.
    fn doubted(mut met: GateDecision) -> GateDecision {
        if met.worst.decision < Decision::Allow {
            let because =
                format!("{}, as far as its gate is known; it was not held against the agent itself", met.worst.because);
            met.worst = Ruling { decision: Decision::Allow, because, ..met.worst };
            met.doubt.get_or_insert_with(|| Doubt {
                id: "unsettled".to_owned(),
                reason: GapReason::Unsupported,
                question: QUESTION.to_owned(),
                settle: SETTLE.to_owned(),
                place: None,
            });
        }
        met
    }
}

impl GatePolicy for Unsettled {
    fn decide(&self, call: &Call) -> GateDecision {
        Self::doubted(self.0.decide(call))
    }

    fn ways(&self, session: &SessionId, servers: &[McpServer], at: Time) -> (Vec<Way>, Vec<Source>) {
        let (mut ways, mut sources) = self.0.ways(session, servers, at);
        let id = format!("gate/{session}/unsettled").into();
        let source = Source::unanswered(id, QUESTION, GapReason::Unsupported, SETTLE, at);
        let gap = Gap { source: source.id.clone(), reason: GapReason::Unsupported };
        let stopped = |way: &&mut Way| way.decision.known().is_some_and(|known| *known < Decision::Allow);
        let mut doubted = false;
        for way in ways.iter_mut().filter(stopped) {
            way.decision = Fact::Unknown(gap.clone());
            doubted = true;
        }
        sources.extend(doubted.then_some(source));
        (ways, sources)
    }

    fn way(
        &self,
        session: &SessionId,
        servers: &[McpServer],
        call: &Call,
        met: &GateDecision,
        at: Time,
    ) -> (Way, Vec<Source>) {
        self.0.way(session, servers, call, met, at)
    }

    fn refusals(&self, _: &SessionId, _: &[McpServer], _: &str) -> Vec<Refusal> {
        Vec::new()
    }

    fn notes(&self) -> &[Note] {
        self.0.notes()
    }

    fn brings(&self) -> Option<&Place> {
        self.0.brings()
    }

    fn hooks_fail_open(&self) -> Option<bool> {
        self.0.hooks_fail_open()
    }
}
