//! A program as a session of the facts: its tools are its ways (floor 2).

use super::tools::{Gate, Program, Tool};
use crate::fact::{Fact, Gap, GapReason};
use crate::id::{SessionId, SourceId, WayId};
use crate::model::reach::{Answered, Approval, Outcome};
use crate::model::{Decision, Source, Way, WayKind};
use crate::time::Time;

/// What the tools of a program come to.
#[derive(Clone, Debug, Default)]
pub struct Carried {
    /// A way for each tool, and one for whatever else the code does.
    pub ways: Vec<Way>,
    /// What they rest on.
    pub sources: Vec<Source>,
    /// Why there may be more ways, or more that they carry.
    pub gap: Option<Gap>,
}

/// The ways of a session that is this program. What a tool uses is for the caller to add to those that hold something.
#[must_use]
pub fn carried(program: &Program, session: &SessionId, at: Time) -> Carried {
    let mut all = Carried::default();
    for (number, tool) in program.tools.iter().enumerate() {
        let place = format!("{}:{}", tool.path, tool.line);
        for (path, line, why) in tool.reaches.doubts.iter().take(1) {
            let operation = format!("what the tool `{}` does ({place}): {why}", tool.name);
            all.open(session, &format!("tool/{number}"), &operation, &format!("{path}:{line}"), at);
        }
        let source = Source {
            id: SourceId(format!("program/{session}/{number}")),
            provider: None,
            operation: format!("read the tool `{}`", tool.name),
            scope: None,
            outcome: Outcome::Answered(Answered::Answered),
            at,
            run: None,
            excerpt: None,
            place: Some(place.clone()),
            settle: None,
        };
        let (decision, because) = decided(tool, session, number, at, &mut all);
        let anything = tool.reaches.anything.is_some();
        all.ways.push(Way {
            id: WayId(format!("{session}/tool/{number}")),
            kind: if anything { WayKind::Shell } else { WayKind::Program },
            name: format!("tool {}", tool.name),
            carries: if anything { vec!["*".to_owned()] } else { tool.reaches.operations.iter().cloned().collect() },
            reads: anything,
            decision,
            rule: (tool.gate != Gate::None && !tool.by.is_empty()).then(|| tool.by.clone()),
            because,
            approval: Some(match tool.gate {
                Gate::None => Approval::None,
                Gate::Void => Approval::Void,
                Gate::Unknown => Approval::Open,
                Gate::Asks => Approval::Asks,
            }),
            ..of_code(session, &source.id)
        });
        all.sources.push(source);
    }
    all.rest(session, at);
    for (number, open) in program.open.iter().enumerate() {
        let operation = format!("which tools it has: {}", open.why);
        all.open(session, &format!("open/{number}"), &operation, &format!("{}:{}", open.path, open.line), at);
    }
    all
}

/// What the gate does with a call of the tool. A gate that asks is answered by code of the same program, which may answer
/// yes by itself: it is open.
fn decided(tool: &Tool, session: &SessionId, number: usize, at: Time, all: &mut Carried) -> (Fact<Decision>, String) {
    let framework = tool.framework;
    let reaches = reached(tool);
    let gate_at = tool.gate_at.as_ref().map(|(path, line)| format!("{path}:{line}"));
    let stands = gate_at.as_deref().unwrap_or("its code");
    match tool.gate {
        Gate::None => (Fact::Known(Decision::Allow), format!("{reaches}, and nothing of {framework} stands before it")),
        Gate::Void => {
            (Fact::Known(Decision::Allow), format!("{reaches}, and {} ({stands}) does not cover it", tool.by))
        }
        Gate::Unknown | Gate::Asks => {
            let id = SourceId(format!("program/{session}/{number}/gate"));
            let operation = format!("whether a person answers {} of the tool `{}`", tool.by, tool.name);
            let settle = "whoever answers it is code: see that a person does, each time";
            let mut source = Source::unanswered(id.clone(), &operation, GapReason::Unsupported, settle, at);
            source.place.clone_from(&gate_at);
            all.sources.push(source);
            let because = if tool.gate == Gate::Asks {
                format!(
                    "{reaches}; {} ({stands}) has it wait for an answer, and who answers is not in the code",
                    tool.by
                )
            } else {
                format!("{reaches}, and {} ({stands}) may have it wait for an answer", tool.by)
            };
            (Fact::Unknown(Gap { source: id, reason: GapReason::Unsupported }), because)
        }
    }
}

/// What code may do of which nothing is known: anything, by whatever it reads.
fn of_code(session: &SessionId, source: &SourceId) -> Way {
    Way {
        id: WayId(format!("{session}/tool/rest")),
        session: Some(session.clone()),
        kind: WayKind::Program,
        name: "its code".to_owned(),
        carries: vec!["*".to_owned()],
        reads: true,
        decision: Fact::Unknown(Gap { source: source.clone(), reason: GapReason::Unsupported }),
        overrides: Vec::new(),
        contained: Fact::Known(false),
        escapes: Vec::new(),
        holds: Vec::new(),
        acts_as: Vec::new(),
        needs: Vec::new(),
        managed: false,
        rule: None,
        because: "code may do more than was found in it".to_owned(),
        approval: None,
        sources: vec![source.clone()],
    }
}

/// What a tool reaches, in words.
fn reached(tool: &Tool) -> String {
    const SHOWN: usize = 3;
    if let Some((path, line, why)) = &tool.reaches.anything {
        return format!("{why} ({path}:{line})");
    }
    let all = &tool.reaches.operations;
    if all.is_empty() {
        return "nothing is known that it destroys".to_owned();
    }
    let shown = all.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match all.len().checked_sub(SHOWN) {
        Some(more @ 1..) => format!("it reaches {shown} and {more} more"),
        Some(0) | None => format!("it reaches {shown}"),
    }
}

impl Carried {
    /// Whatever else the program does: code is read for what it plainly does, and never for what it does not.
    fn rest(&mut self, session: &SessionId, at: Time) {
        let id = SourceId(format!("program/{session}/rest"));
        let operation = "what else the code of the agent program does";
        let settle = "a fragment that describes its ways (--merge)";
        self.sources.push(Source::unanswered(id.clone(), operation, GapReason::Unsupported, settle, at));
        self.ways.push(of_code(session, &id));
    }

    fn open(&mut self, session: &SessionId, name: &str, operation: &str, place: &str, at: Time) {
        let id = SourceId(format!("program/{session}/{name}/open"));
        let settle = "a fragment that describes its ways (--merge)";
        let mut source = Source::unanswered(id.clone(), operation, GapReason::Unsupported, settle, at);
        source.place = Some(place.to_owned());
        self.sources.push(source);
        self.gap.get_or_insert(Gap { source: id, reason: GapReason::Unsupported });
    }
}
