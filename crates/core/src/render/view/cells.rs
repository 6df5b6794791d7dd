//! One row of the matrix of delete paths (floor 3): what the line of the call does at each layer.

use serde::Serialize;

use crate::assessment::{AssetAnswer, Layer};
use crate::render::shown::{Shown, anchor};
use crate::verdict::{Answer, LayerName, LayerState, Recovery};

/// One asset in the matrix.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) id: Shown,
    pub(crate) href: String,
    pub(crate) name: Shown,
    pub(crate) about: Shown,
    pub(crate) assumed: bool,
    pub(crate) answer: &'static str,
    pub(crate) group: &'static str,
    pub(crate) class: &'static str,
    pub(crate) icon: &'static str,
    pub(crate) brief: String,
    pub(crate) aside: Shown,
    pub(crate) outcome: String,
    pub(crate) outcome_class: &'static str,
    pub(crate) note: Shown,
    pub(crate) worst: Option<Shown>,
    pub(crate) cells: Vec<Cell>,
}

/// What is added to an answer that no other program gets.
const AGENT: &str = ". Rests on the agent’s own gate";

/// One layer of one asset.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Cell {
    pub(crate) layer: &'static str,
    pub(crate) title: &'static str,
    pub(crate) state: &'static str,
    pub(crate) class: &'static str,
    pub(crate) line: &'static str,
    pub(crate) icon: &'static str,
    pub(crate) turns: bool,
    pub(crate) word: &'static str,
    pub(crate) because: Shown,
    pub(crate) bypass: Option<Shown>,
}

impl Row {
    /// The row of an asset; `on_agent` says whether its worst path rests on an agent's own gate.
    pub(crate) fn of(asset: &AssetAnswer, on_agent: bool, detailed: bool) -> Self {
        let outcome = outcome(asset);
        let repeated = asset.aside.trim_end_matches('.').eq_ignore_ascii_case(&outcome);
        let note = if repeated || asset.aside.is_empty() { &asset.sentence } else { &asset.aside };
        let note = note.trim_end_matches('.');
        let place = asset.place.last().map(|place| format!(" · {place}"));
        let criticality = asset.criticality.as_deref().map(|level| format!(" · {level}"));
        let kind = asset.kind.replace('_', " ");
        Self {
            id: Shown::name(&asset.id),
            href: if detailed { format!("#{}", anchor("a", &asset.id)) } else { "#assets".to_owned() },
            name: Shown::name(&asset.name),
            about: Shown::name(&format!(
                "{} {kind}{}{}",
                asset.provider,
                place.unwrap_or_default(),
                criticality.unwrap_or_default()
            )),
            assumed: asset.assumed_environment,
            answer: asset.answer.word(),
            group: group(asset.answer),
            class: answer_class(asset.answer),
            icon: answer_icon(asset.answer),
            brief: brief(asset),
            aside: Shown::line(&asset.aside),
            outcome,
            outcome_class: if asset.answer == Answer::Recoverable { "slow" } else { answer_class(asset.answer) },
            note: Shown::line(&format!("{note}{}", if on_agent { AGENT } else { "" })),
            worst: asset.worst_path.as_deref().map(Shown::name),
            cells: cells(asset),
        }
    }
}

/// The six cells, with the line of the call running through them.
pub(crate) fn cells(asset: &AssetAnswer) -> Vec<Cell> {
    let mut line = "live";
    let restore = state_of(&asset.layers, LayerName::Restore);
    LayerName::ALL
        .into_iter()
        .map(|name| {
            let layer = asset.layers.iter().find(|layer| layer.layer == name);
            let state = layer.map_or(LayerState::Unknown, |layer| layer.state);
            let shown = match name {
                LayerName::Survive if line == "idle" => "idle",
                LayerName::Survive => after_delete(state, restore),
                LayerName::Restore => "none",
                LayerName::Reach | LayerName::Confirm | LayerName::Permit | LayerName::Protect => {
                    line = travel(line, state);
                    line
                }
            };
            Cell {
                layer: name.word(),
                title: name.title(),
                state: state.word(),
                class: class(state),
                line: shown,
                icon: icon(name, state),
                turns: name < LayerName::Survive && state != LayerState::Unknown,
                word: word(name, state, asset.outside_rpo_rto),
                because: Shown::line(layer.map_or("Not recorded", |layer| layer.because.as_str())),
                bypass: layer.and_then(|layer| layer.bypass.as_deref()).map(Shown::line),
            }
        })
        .collect()
}

/// What the line is after a layer, given what it was before it.
pub(crate) fn travel(line: &'static str, state: LayerState) -> &'static str {
    match (line, state) {
        ("idle", _) | (_, LayerState::Stops) => "idle",
        ("maybe", _) | (_, LayerState::Unknown) => "maybe",
        ("slowed", _) | (_, LayerState::Slows) => "slowed",
        (_, LayerState::Open) => "live",
    }
}

/// The state of one layer; unknown if it is not there.
pub(crate) fn state_of(layers: &[Layer], name: LayerName) -> LayerState {
    layers.iter().find(|layer| layer.layer == name).map_or(LayerState::Unknown, |layer| layer.state)
}

/// How many of the first four layers stop the call.
pub(crate) fn stops(asset: &AssetAnswer) -> usize {
    asset.layers.iter().filter(|layer| layer.layer < LayerName::Survive && layer.state == LayerState::Stops).count()
}

/// The word that stands for a state in the column of a layer.
pub(crate) const fn word(layer: LayerName, state: LayerState, outside: bool) -> &'static str {
    match (layer, state) {
        (_, LayerState::Unknown) => "Unknown",
        (LayerName::Survive, LayerState::Open) => "Goes with it",
        (LayerName::Survive, LayerState::Slows) => "In reach",
        (LayerName::Survive, LayerState::Stops) => "Survives",
        (LayerName::Restore, LayerState::Open) => "None",
        (LayerName::Restore, LayerState::Slows) if outside => "Outside RPO/RTO",
        (LayerName::Restore, LayerState::Slows) => "Unproved",
        (LayerName::Restore, LayerState::Stops) => "Proved",
        (_, LayerState::Open) => "Open",
        (_, LayerState::Slows) => "Slows",
        (_, LayerState::Stops) => "Stops",
    }
}

/// The class that colours a state.
pub(crate) const fn class(state: LayerState) -> &'static str {
    match state {
        LayerState::Open => "open",
        LayerState::Unknown => "unk",
        LayerState::Slows => "slow",
        LayerState::Stops => "hold",
    }
}

/// The class that colours an answer.
pub(crate) const fn answer_class(answer: Answer) -> &'static str {
    match answer {
        Answer::Nothing | Answer::Recoverable => "open",
        Answer::Slowed => "slow",
        Answer::Stopped => "hold",
        Answer::Unknown => "unk",
    }
}

const fn answer_icon(answer: Answer) -> &'static str {
    match answer {
        Answer::Nothing | Answer::Recoverable => "i-open",
        Answer::Slowed => "i-slow",
        Answer::Stopped => "i-hold",
        Answer::Unknown => "i-unk",
    }
}

const fn group(answer: Answer) -> &'static str {
    match answer {
        Answer::Nothing | Answer::Recoverable => "r-n",
        Answer::Slowed => "r-s",
        Answer::Stopped => "r-h",
        Answer::Unknown => "r-u",
    }
}

const fn icon(layer: LayerName, state: LayerState) -> &'static str {
    match (layer, state) {
        (_, LayerState::Unknown) => "i-unk",
        (LayerName::Survive, LayerState::Open) => "i-lost",
        (LayerName::Survive, LayerState::Slows) => "i-thin",
        (LayerName::Survive, LayerState::Stops) => "i-copy",
        (LayerName::Restore, LayerState::Stops) => "i-back",
        (LayerName::Restore, LayerState::Open | LayerState::Slows) => "i-void",
        (_, LayerState::Open) => "i-open",
        (_, LayerState::Slows) => "i-slow",
        (_, LayerState::Stops) => "i-hold",
    }
}

const fn after_delete(survive: LayerState, restore: LayerState) -> &'static str {
    match (survive, restore) {
        (LayerState::Stops, LayerState::Stops) => "rec",
        (LayerState::Stops, _) => "recq",
        (LayerState::Unknown, _) => "maybe",
        (LayerState::Open | LayerState::Slows, _) => "none",
    }
}

/// What stops it, in a word or two.
pub(crate) fn brief(asset: &AssetAnswer) -> String {
    match asset.answer {
        Answer::Nothing | Answer::Recoverable => "Nothing".to_owned(),
        Answer::Slowed => "Slowed".to_owned(),
        Answer::Unknown => "Unknown".to_owned(),
        Answer::Stopped => match stops(asset) {
            0 => "Stopped".to_owned(),
            1 => "1 layer".to_owned(),
            many => format!("{many} layers"),
        },
    }
}

/// What becomes of the asset, in a few words.
pub(crate) fn outcome(asset: &AssetAnswer) -> String {
    let at = |state: LayerState| {
        let found = asset.layers.iter().find(|layer| layer.layer < LayerName::Survive && layer.state == state);
        found.map(|layer| format!(" at {}", layer.layer.title())).unwrap_or_default()
    };
    match asset.answer {
        Answer::Nothing => "Lost for good".to_owned(),
        Answer::Recoverable if asset.outside_rpo_rto => "Back, outside RPO/RTO".to_owned(),
        Answer::Recoverable if asset.recovery == Recovery::Tested => "Comes back, proved".to_owned(),
        Answer::Recoverable => "Comes back, unproved".to_owned(),
        Answer::Slowed => format!("Slowed{}", at(LayerState::Slows)),
        Answer::Stopped => format!("Stopped{}", at(LayerState::Stops)),
        Answer::Unknown => "Unknown".to_owned(),
    }
}
