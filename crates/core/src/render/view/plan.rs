//! The plan of least effort (floor 3).

use serde::Serialize;

use super::verdict::{Next, count};
use super::{Index, ROWS, Rows};
use crate::assessment::{Fix, FixPlan};
use crate::render::shown::{Shown, anchor};

/// What would help.
#[derive(Debug, Serialize)]
pub(crate) struct Plan {
    pub(crate) intro: Shown,
    pub(crate) target: Shown,
    pub(crate) reached: bool,
    pub(crate) steps: Rows<Step>,
    pub(crate) others: Rows<Step>,
}

/// One change.
#[derive(Debug, Serialize)]
pub(crate) struct Step {
    pub(crate) id: Shown,
    pub(crate) anchor: String,
    pub(crate) number: usize,
    pub(crate) title: Shown,
    pub(crate) detail: Shown,
    pub(crate) closes: Shown,
    pub(crate) layer: &'static str,
    pub(crate) effort: Shown,
    pub(crate) owner: Option<Shown>,
    pub(crate) due: Option<Shown>,
    pub(crate) proves: Option<Shown>,
    pub(crate) artefact: Option<Shown>,
}

impl Plan {
    pub(crate) fn of(index: &Index<'_>) -> Self {
        let fixes = &index.assessment.fixes;
        let minimal: Vec<&Fix> =
            fixes.minimal.iter().filter_map(|id| fixes.all.iter().find(|fix| fix.id == *id)).collect();
        let others: Vec<&Fix> = fixes.all.iter().filter(|fix| !fixes.minimal.contains(&fix.id)).collect();
        let mut steps = Rows::cut(&minimal, ROWS, |fix| Step::of(fix, index, true));
        let mut rest = Rows::cut(&others, ROWS, |fix| Step::of(fix, index, false));
        for (at, step) in steps.rows.iter_mut().chain(&mut rest.rows).enumerate() {
            step.number = at + 1;
        }
        Self {
            intro: intro(fixes, index.assessment.headline.of, minimal.len()).into(),
            target: Shown::name(&fixes.target),
            reached: fixes.reached,
            steps,
            others: rest,
        }
    }

    /// What to do first and then.
    pub(crate) fn next(&self) -> Vec<Next> {
        let heads = ["Do this first", "Then this"];
        let candidates = self.steps.rows.iter().chain(&self.others.rows);
        let block = |(head, step): (&'static str, &Step)| Next {
            head,
            href: format!("#{}", step.anchor),
            title: step.title.clone(),
            text: format!("{}. Effort: {}.", step.closes, step.effort).into(),
        };
        heads.into_iter().zip(candidates).map(block).collect()
    }
}

impl Step {
    fn of(fix: &Fix, index: &Index<'_>, planned: bool) -> Self {
        let assets = &fix.closes_assets;
        let closes = match (assets.len(), fix.closes.len()) {
            (0, 0) if planned => "Counts together with the other steps".to_owned(),
            (0, 0) => "Adds a layer; closes no path by itself".to_owned(),
            (0, paths) => format!("Closes {} by itself", count(paths, "path", "paths")),
            (many, _) => format!("Closes {} by itself: {}", count(many, "asset", "assets"), index.named(assets, 4)),
        };
        Self {
            id: Shown::name(&fix.id),
            anchor: anchor("f", &fix.id),
            number: 0,
            title: Shown::line(&fix.title),
            detail: Shown::line(&fix.detail),
            closes: Shown::line(&closes),
            layer: fix.layer.title(),
            effort: Shown::name(&fix.effort_words),
            owner: fix.owner.as_deref().map(Shown::name),
            due: fix.due.as_deref().map(Shown::name),
            proves: fix.proves.as_deref().map(Shown::line),
            artefact: fix.artefact.as_deref().map(Shown::block),
        }
    }
}

fn intro(fixes: &FixPlan, of: usize, steps: usize) -> String {
    let target = &fixes.target;
    if of == 0 {
        return "No production asset was found, so there is nothing to plan for yet.".to_owned();
    }
    if !fixes.reached {
        let why = fixes.short_of.as_deref().unwrap_or("some paths stay open whatever is changed").trim_end_matches('.');
        return format!(
            "No plan was found that brings every production asset to {target}: {why}. What helps most comes first."
        );
    }
    if steps == 0 {
        return format!("Every production asset is {target} already. What follows would only add to that.");
    }
    let changes = count(steps, "change brings", "changes together bring");
    let least = if fixes.optimal {
        "no plan of less total effort does".to_owned()
    } else if fixes.at_least == 0 {
        "a plan of less total effort may exist".to_owned()
    } else {
        format!("a plan of less total effort may exist, but none below {} points", fixes.at_least)
    };
    format!(
        "{changes} every production asset to {target}; {least}. This was checked by answering the question again with the plan applied. \
         Nothing has been changed: each step is for a person to take."
    )
}
