//! The path diagram of one asset (floor 3): where each word and line stands, so that the template only draws.

use serde::Serialize;

use super::cells::{Cell, travel};
use crate::assessment::{AssetAnswer, PathAnswer};
use crate::render::shown::{Shown, wrap};
use crate::verdict::{Answer, LayerName, LayerState};

/// Characters that fit below a gate.
const BELOW: usize = 21;
/// Where the first gate stands, and how far the next.
const FIRST: usize = 236;
const STEP: usize = 150;

/// One drawing.
#[derive(Debug, Serialize)]
pub(crate) struct Diagram {
    pub(crate) from: Vec<String>,
    pub(crate) agent: String,
    pub(crate) to: Vec<String>,
    pub(crate) end: &'static str,
    pub(crate) end_class: &'static str,
    pub(crate) segments: Vec<Segment>,
    pub(crate) arrow: bool,
    pub(crate) gates: Vec<Gate>,
    pub(crate) after: Vec<Gate>,
    pub(crate) words: Shown,
}

/// A stretch of the line of the call.
#[derive(Debug, Serialize)]
pub(crate) struct Segment {
    pub(crate) x: usize,
    pub(crate) to: usize,
    pub(crate) class: &'static str,
}

/// One layer.
#[derive(Debug, Serialize)]
pub(crate) struct Gate {
    pub(crate) x: usize,
    pub(crate) y: usize,
    pub(crate) icon: &'static str,
    pub(crate) class: &'static str,
    pub(crate) label: String,
    pub(crate) lines: Vec<String>,
}

impl Diagram {
    pub(crate) fn of(asset: &AssetAnswer, path: &PathAnswer, session: &Shown, agent: &str, cells: &[Cell]) -> Self {
        let mut line = "live";
        let mut x = 152;
        let mut segments = Vec::new();
        let mut gates = Vec::new();
        for (at, (name, cell)) in LayerName::ALL.into_iter().zip(cells).take(4).enumerate() {
            let centre = FIRST + STEP * at;
            if line != "idle" {
                segments.push(Segment { x, to: centre - 18, class: line });
            }
            let state = super::cells::state_of(&asset.layers, name);
            let passed = line == "idle";
            line = travel(line, state);
            x = centre + 15;
            gates.push(gate(cell, centre, passed));
        }
        if line != "idle" {
            segments.push(Segment { x, to: 778, class: line });
        }
        Self {
            from: wrap(session.as_str(), 16, 2),
            agent: Shown::name(agent).as_str().chars().take(18).collect(),
            to: wrap(Shown::name(&asset.name).as_str(), 16, 2),
            end: end(asset.answer),
            end_class: super::cells::answer_class(asset.answer),
            arrow: line != "idle",
            segments,
            gates,
            after: cells.iter().skip(4).enumerate().map(|(at, cell)| after(cell, at)).collect(),
            words: words(asset, path, cells).into(),
        }
    }
}

fn gate(cell: &Cell, x: usize, passed: bool) -> Gate {
    let faded = passed && cell.state != LayerState::Stops.word();
    Gate {
        x,
        y: 74,
        icon: cell.icon,
        class: if faded { "idle" } else { cell.class },
        label: format!("{} {}", cell.title, cell.word.to_lowercase()),
        lines: wrap(cell.because.as_str(), BELOW, 3),
    }
}

fn after(cell: &Cell, at: usize) -> Gate {
    Gate {
        x: 978,
        y: 34 + 92 * at,
        icon: cell.icon,
        class: cell.class,
        label: format!("{}: {}", cell.title, cell.word.to_lowercase()),
        lines: wrap(cell.because.as_str(), 32, 2),
    }
}

const fn end(answer: Answer) -> &'static str {
    match answer {
        Answer::Nothing | Answer::Recoverable => "deleted",
        Answer::Slowed => "deleted, by a detour",
        Answer::Stopped => "not reached",
        Answer::Unknown => "may be deleted",
    }
}

fn words(asset: &AssetAnswer, path: &PathAnswer, cells: &[Cell]) -> String {
    let states: Vec<String> = cells.iter().map(|cell| format!("{} {}", cell.title, cell.word.to_lowercase())).collect();
    format!("{}. {}. {}", path.chain.join(", then "), states.join(", "), asset.sentence)
}
