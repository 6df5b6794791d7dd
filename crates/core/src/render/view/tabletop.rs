//! The tabletop exercise, as far as it was recorded (floor 3). A blank answer is shown as blank.

use serde::Serialize;
use serde_json::Value;

use crate::render::shown::Shown;

/// The exercise.
#[derive(Debug, Serialize)]
pub(crate) struct Tabletop {
    pub(crate) facts: Vec<(&'static str, Shown)>,
    pub(crate) injects: Vec<Inject>,
    pub(crate) observations: Vec<Shown>,
    pub(crate) plan: Vec<Action>,
}

/// One inject.
#[derive(Debug, Serialize)]
pub(crate) struct Inject {
    pub(crate) clock: Shown,
    pub(crate) title: Shown,
    pub(crate) text: Shown,
    pub(crate) stale: bool,
    pub(crate) questions: Vec<Question>,
}

/// One question and what was said.
#[derive(Debug, Serialize)]
pub(crate) struct Question {
    pub(crate) ask: Shown,
    pub(crate) answer: Option<Shown>,
    pub(crate) by: Shown,
}

/// One line of the improvement plan.
#[derive(Debug, Serialize)]
pub(crate) struct Action {
    pub(crate) id: Shown,
    pub(crate) action: Shown,
    pub(crate) owner: Shown,
    pub(crate) start: Shown,
    pub(crate) due: Shown,
    pub(crate) status: Shown,
}

impl Tabletop {
    /// Reads a recorded exercise; `None` if there is nothing in it.
    pub(crate) fn of(value: &Value) -> Option<Self> {
        let exercise = value.get("exercise").unwrap_or(&Value::Null);
        let all = [
            ("Date", word(exercise, "date")),
            ("Scenario", word(exercise, "scenario")),
            ("Objectives", list(exercise, "objectives").iter().filter_map(said).collect::<Vec<_>>().join("; ")),
            ("Players", list(exercise, "players").iter().map(player).collect::<Vec<_>>().join(", ")),
            ("Facilitator", word(exercise, "facilitator")),
            ("Scribe", word(exercise, "scribe")),
        ];
        let facts = all.into_iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| (name, Shown::from(text)));
        let tabletop = Self {
            facts: facts.collect(),
            injects: list(value, "injects").iter().take(40).map(inject).collect(),
            observations: list(value, "observations").iter().map(|one| word(one, "text").into()).collect(),
            plan: list(value, "improvement_plan").iter().map(action).collect(),
        };
        let empty = tabletop.injects.is_empty() && tabletop.plan.is_empty() && tabletop.facts.is_empty();
        (!empty).then_some(tabletop)
    }
}

fn inject(value: &Value) -> Inject {
    let first = |keys: &[&str]| keys.iter().map(|key| word(value, key)).find(|text| !text.is_empty());
    Inject {
        clock: first(&["at", "clock", "id"]).unwrap_or_default().into(),
        title: first(&["title", "path", "id"]).unwrap_or_default().into(),
        text: first(&["text", "inject"]).unwrap_or_default().into(),
        stale: value.get("stale").and_then(Value::as_bool).unwrap_or(false),
        questions: list(value, "questions").iter().map(question).collect(),
    }
}

fn question(value: &Value) -> Question {
    let answer = word(value, "answer");
    let rating = match word(value, "rating").as_str() {
        "P" => "performed without challenges".to_owned(),
        "S" => "performed with some challenges".to_owned(),
        "M" => "performed with major challenges".to_owned(),
        "U" => "unable to be performed".to_owned(),
        other => other.to_owned(),
    };
    let by: Vec<String> = [word(value, "by"), rating].into_iter().filter(|text| !text.is_empty()).collect();
    Question {
        ask: word(value, "ask").into(),
        answer: (!answer.is_empty()).then(|| answer.into()),
        by: by.join(", ").into(),
    }
}

fn action(value: &Value) -> Action {
    let shown = |key: &str| Shown::from(word(value, key));
    Action {
        id: shown("id"),
        action: shown("action"),
        owner: shown("owner"),
        start: shown("start"),
        due: shown("due"),
        status: shown("status"),
    }
}

fn player(value: &Value) -> String {
    let role = word(value, "role");
    let name = said(value).unwrap_or_else(|| word(value, "name"));
    if role.is_empty() { name } else { format!("{name} ({role})") }
}

fn said(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

fn word(value: &Value, key: &str) -> String {
    value.get(key).and_then(said).unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}
