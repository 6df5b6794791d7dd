//! The guides and the file to fill in (floor 3).

use std::fmt::Write as _;

use super::inject::{Inject, injects};
use super::record::{Answer, Answered, Exercise, Record};
use super::{SCHEMA, digest};
use crate::assessment::Assessment;
use crate::render::{Shown, escape};

/// How long an exercise is planned for, in minutes.
const DURATION: u32 = 90;

/// What an exercise should leave behind.
const OBJECTIVES: [&str; 3] = [
    "Say who notices that data was deleted, and how soon",
    "Say who can stop a running agent and revoke what it holds, and how",
    "Say from which copy the data comes back, and in which time",
];

const SCENARIO: &str =
    "An agent works on a task of staging, meets an error, picks up a credential that it can reach, and calls delete.";

/// The guide for whoever leads the exercise: the injects with what the facts say to each question.
#[must_use]
pub fn facilitator(assessment: &Assessment) -> String {
    let mut text = head(assessment, "Facilitator's guide");
    let injects = injects(assessment);
    text.push_str("\nThis guide has the answers in it. Give out `participants.md`, and record what is said in `tabletop.yaml`, word for word:\n");
    text.push_str(
        "`deadstop tabletop run` asks for it step by step. Nothing is touched in an exercise: no call, no system.\n",
    );
    text.push_str("\n## Agenda\n\n");
    let _ = writeln!(
        text,
        "- 10 minutes: rules, roles, objectives\n- {} minutes: {} injects, worst first\n- 20 minutes: what went well, what did not, who does what until when",
        DURATION - 30,
        injects.len()
    );
    text.push_str("\n## Ratings\n\nP performed without challenges, S with some challenges, M with major challenges, U unable to be performed. Without an answer there is no rating.\n");
    for inject in &injects {
        let _ = writeln!(text, "\n## {} {} · {}\n", inject.id, inject.at, plain(&inject.title));
        let _ = writeln!(text, "{}\n", plain(&inject.text));
        let _ = writeln!(text, "Tell them: {}\n", plain(&inject.seen));
        for question in &inject.questions {
            let _ = writeln!(text, "- {question}");
        }
        if !inject.expected.trim().is_empty() {
            let _ = writeln!(text, "\nThe facts: {}", plain(&inject.expected));
        }
    }
    if injects.is_empty() {
        text.push_str("\nThere is no production asset in this assessment, so there is nothing to play through.\n");
    }
    text
}

/// What the participants get: the story and the questions, without what the facts say.
#[must_use]
pub fn participants(assessment: &Assessment) -> String {
    let mut text = head(assessment, "Situation manual");
    text.push_str("\nThere are no wrong answers. Say what you would really do, with what you have today. Nothing is touched: no call, no system.\n");
    for inject in &injects(assessment) {
        let _ = writeln!(text, "\n## {} {}\n\n{}\n", inject.id, inject.at, plain(&inject.seen));
        for question in &inject.questions {
            let _ = writeln!(text, "- {question}");
        }
    }
    text.push_str("\n## Afterwards\n\n- What went well?\n- What has to be better, who does it, and until when?\n");
    text
}

/// The file to fill in.
#[must_use]
pub fn start(assessment: &Assessment) -> Record {
    Record {
        schema: SCHEMA.to_owned(),
        assessment: digest(assessment),
        exercise: Exercise {
            duration_min: Some(DURATION),
            scenario: Some(SCENARIO.to_owned()),
            objectives: OBJECTIVES.map(str::to_owned).to_vec(),
            ..Exercise::default()
        },
        injects: injects(assessment).iter().map(blank).collect(),
        observations: Vec::new(),
        improvement_plan: Vec::new(),
    }
}

fn blank(inject: &Inject) -> Answered {
    let ask = |(number, ask): (usize, &&str)| Answer {
        id: format!("{}-Q{}", inject.id, number + 1),
        ask: (*ask).to_owned(),
        ..Answer::default()
    };
    Answered {
        id: inject.id.clone(),
        trigger: inject.trigger,
        path: inject.path.clone(),
        facts_hash: inject.facts_hash.clone(),
        questions: inject.questions.iter().enumerate().map(ask).collect(),
    }
}

fn head(assessment: &Assessment, kind: &str) -> String {
    let subject = &assessment.subject;
    let client = subject.client.as_deref().map_or_else(|| "this environment".to_owned(), plain);
    let mut text = format!("# {kind}: an agent deletes production\n\n");
    let _ = writeln!(text, "For {client}. From the assessment of {}.", assessment.assessed_at.day());
    if let Some(handling) = &subject.handling {
        let _ = writeln!(text, "{}.", plain(handling));
    }
    let _ = writeln!(text, "\n{SCENARIO}\n\n## Objectives\n");
    for objective in OBJECTIVES {
        let _ = writeln!(text, "- {objective}");
    }
    text
}

/// Text in which nothing formats, links or hides anything.
fn plain(text: &str) -> String {
    escape(&Shown::line(text))
}
