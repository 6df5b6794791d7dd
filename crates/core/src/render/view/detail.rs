//! Everything about one asset (floor 3): the call, the path, what each layer answered and where that was read.

use serde::Serialize;

use super::Index;
use super::cells::{Cell, cells, class, state_of};
use super::diagram::Diagram;
use super::verdict::{basis_prose, count};
use crate::assessment::{AssetAnswer, CopyRow, PathAnswer};
use crate::render::shown::{Shown, anchor};
use crate::verdict::{LayerName, LayerState};

/// One asset, spelled out.
#[derive(Debug, Serialize)]
pub(crate) struct Detail {
    pub(crate) id: Shown,
    pub(crate) anchor: String,
    pub(crate) open: bool,
    pub(crate) name: Shown,
    pub(crate) class: &'static str,
    pub(crate) summary: Shown,
    pub(crate) facts: Vec<(&'static str, Shown)>,
    pub(crate) call: Option<Call>,
    pub(crate) diagram: Option<Diagram>,
    pub(crate) layers: Vec<LayerLine>,
    pub(crate) copies: Vec<CopyLine>,
    pub(crate) copies_left: usize,
    pub(crate) paths: Vec<PathLine>,
    pub(crate) paths_note: String,
}

/// The call that is looked at.
#[derive(Debug, Serialize)]
pub(crate) struct Call {
    pub(crate) action: Shown,
    pub(crate) chosen: Option<Shown>,
    pub(crate) because: Shown,
    pub(crate) on: Option<Shown>,
    pub(crate) way: Option<Shown>,
    pub(crate) time: Option<String>,
    pub(crate) chain: Vec<Shown>,
    pub(crate) on_agent: bool,
}

/// A layer with its basis and its evidence.
#[derive(Debug, Serialize)]
pub(crate) struct LayerLine {
    pub(crate) cell: Cell,
    pub(crate) basis: &'static str,
    pub(crate) evidence: Vec<Link>,
    pub(crate) more: usize,
}

/// A display number, with where it leads if that is shown.
#[derive(Debug, Serialize)]
pub(crate) struct Link {
    pub(crate) id: Shown,
    pub(crate) href: Option<String>,
}

/// A copy.
#[derive(Debug, Serialize)]
pub(crate) struct CopyLine {
    pub(crate) name: Shown,
    pub(crate) kind: Shown,
    pub(crate) survives: (&'static str, &'static str),
    pub(crate) restored: (&'static str, &'static str),
    pub(crate) because: Shown,
    pub(crate) ends: Option<Shown>,
}

/// A path, in one line.
#[derive(Debug, Serialize)]
pub(crate) struct PathLine {
    pub(crate) id: Shown,
    pub(crate) session: Shown,
    pub(crate) credential: Option<Shown>,
    pub(crate) action: Shown,
    pub(crate) states: Vec<(&'static str, &'static str)>,
    pub(crate) answer: &'static str,
    pub(crate) class: &'static str,
}

/// The copies and the evidence of a layer that are listed.
const MOST: usize = 12;

impl Detail {
    pub(crate) fn of(asset: &AssetAnswer, index: &Index<'_>, most: usize) -> Self {
        let cells = cells(asset);
        let worst = index.worst(asset);
        let first = index.assessment.assets.first().is_some_and(|first| first.id == asset.id);
        let shown: Vec<&PathAnswer> =
            asset.paths.iter().filter_map(|id| index.paths.get(id.as_str())).copied().collect();
        Self {
            id: Shown::name(&asset.id),
            anchor: anchor("a", &asset.id),
            open: first,
            name: Shown::name(&asset.name),
            class: super::cells::answer_class(asset.answer),
            summary: Shown::line(&asset.sentence),
            facts: facts(asset),
            call: worst.map(Call::of),
            diagram: worst.map(|path| {
                let session = index.session(&path.session);
                let row = index.assessment.sessions.iter().find(|row| row.id == path.session);
                Diagram::of(asset, path, &session, row.map_or("", |row| row.agent.as_str()), &cells)
            }),
            layers: layers(asset, index, cells),
            copies: asset
                .recovery_points
                .iter()
                .take(MOST)
                .map(|copy| CopyLine::of(copy, asset.outside_rpo_rto))
                .collect(),
            copies_left: asset.recovery_points.len().saturating_sub(MOST),
            paths: shown.iter().take(most).map(|path| PathLine::of(path, index)).collect(),
            paths_note: note(shown.len().min(most), asset.paths_total),
        }
    }
}

fn note(shown: usize, total: usize) -> String {
    match (shown, total) {
        (_, 0) => "No delete path was found.".to_owned(),
        (shown, total) if shown >= total => format!("{}, all shown", count(total, "delete path", "delete paths")),
        (shown, total) => {
            format!("{shown} of {total} delete paths: the worst for each session and each different set of answers")
        }
    }
}

fn facts(asset: &AssetAnswer) -> Vec<(&'static str, Shown)> {
    let environment = match (&asset.environment, asset.assumed_environment) {
        (Some(name), false) => name.clone(),
        (Some(name), true) => format!("{name}, and its sources disagree: counted as production"),
        (None, true) => "not known: counted as production".to_owned(),
        (None, false) => "not known".to_owned(),
    };
    let [worst, best] = asset.bounds;
    let between = (worst != best).then(|| format!("{}; at best {}", worst.prose(), best.prose()));
    let plain = asset.plain_bounds.map(|[worst, best]| {
        if worst == best { worst.prose().to_owned() } else { format!("{}; at best {}", worst.prose(), best.prose()) }
    });
    let settled = (!asset.settled_by.is_empty()).then(|| asset.settled_by.join(", "));
    let all = [
        ("Provider's id", Some(asset.key.clone())),
        ("Where", (!asset.place.is_empty()).then(|| asset.place.join(" › "))),
        ("Holds", asset.holds.clone()),
        ("Environment", Some(environment)),
        ("Owner", asset.owner.clone()),
        ("RPO and RTO", objectives(asset)),
        ("At worst", between),
        ("Would be settled by", settled),
        ("Any other program", plain),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, Shown::line(&value?)))).collect()
}

fn objectives(asset: &AssetAnswer) -> Option<String> {
    match (asset.rpo, asset.rto) {
        (None, None) => None,
        (rpo, rto) => {
            let word =
                |span: Option<crate::time::Span>| span.map_or("not declared".to_owned(), crate::time::Span::human);
            Some(format!("RPO {}, RTO {}, as declared", word(rpo), word(rto)))
        }
    }
}

impl Call {
    fn of(path: &PathAnswer) -> Self {
        Self {
            action: Shown::name(&path.action),
            chosen: path.chosen.as_deref().map(Shown::name),
            because: Shown::line(&path.action_because),
            on: path.on.as_deref().map(Shown::name),
            way: path.way.as_deref().map(Shown::name),
            time: path.destroys_in.map(crate::time::Span::human),
            chain: path.chain.iter().take(30).map(Shown::from).collect(),
            on_agent: path.rests_on_agent,
        }
    }
}

fn layers(asset: &AssetAnswer, index: &Index<'_>, cells: Vec<Cell>) -> Vec<LayerLine> {
    let line = |cell: Cell| {
        let layer = asset.layers.iter().find(|layer| layer.layer.word() == cell.layer);
        let cited = layer.map(|layer| (&layer.gaps, &layer.evidence));
        let gaps = cited.map(|(gaps, _)| gaps.as_slice()).unwrap_or_default();
        let evidence = cited.map(|(_, evidence)| evidence.as_slice()).unwrap_or_default();
        let gap = |id: &String| Link {
            id: Shown::name(id),
            href: index.gaps.contains(id.as_str()).then(|| format!("#{}", anchor("u", id))),
        };
        let read = |id: &String| Link {
            id: Shown::name(id),
            href: index.evidence.contains(id.as_str()).then(|| format!("#{}", anchor("e", id))),
        };
        LayerLine {
            basis: layer.map_or("not known", |layer| basis_prose(layer.basis)),
            evidence: gaps.iter().map(gap).chain(evidence.iter().map(read)).take(MOST).collect(),
            more: (gaps.len() + evidence.len()).saturating_sub(MOST),
            cell,
        }
    };
    cells.into_iter().map(line).collect()
}

impl CopyLine {
    fn of(copy: &CopyRow, outside: bool) -> Self {
        let state = |layer: LayerName, state: LayerState| (class(state), super::cells::word(layer, state, outside));
        Self {
            name: Shown::name(&copy.name),
            kind: Shown::name(&copy.kind.replace('_', " ")),
            survives: state(LayerName::Survive, copy.survives),
            restored: state(LayerName::Restore, copy.restored),
            because: Shown::line(&copy.because),
            ends: copy.ends.as_deref().map(Shown::line),
        }
    }
}

impl PathLine {
    fn of(path: &PathAnswer, index: &Index<'_>) -> Self {
        let state = |name: LayerName| {
            let state = state_of(&path.layers, name);
            (class(state), state.word())
        };
        Self {
            id: Shown::name(&path.id),
            session: index.session(&path.session),
            credential: path.credential.as_deref().map(Shown::name),
            action: Shown::name(&path.action),
            states: LayerName::ALL.into_iter().map(state).collect(),
            answer: path.answer.word(),
            class: super::cells::answer_class(path.answer),
        }
    }
}
