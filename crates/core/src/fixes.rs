//! What would help: candidate changes, and the plan of least total effort (floor 2).
//!
//! A plan is only shown after the model, evaluated with it applied, reaches the target.

mod apply;
mod artefact;
mod candidates;
mod plan;

pub use candidates::candidates;
pub use plan::{Plan, plan};

use crate::assessment::Fix;
use crate::bundle::Bundle;
use crate::policy::Assigned;
use crate::verdict::LayerName;
use apply::Change;

/// A change that may help, or several that only work together.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// Stable between runs.
    pub key: String,
    /// What kind of change it is.
    pub kind: &'static str,
    /// What to do, in a sentence.
    pub title: String,
    /// Why and how, in a few sentences.
    pub detail: String,
    /// Effort, from 1 (an hour) to 8 (a week).
    pub effort: u32,
    /// The layer that it adds to.
    pub layer: LayerName,
    /// Something to paste.
    pub artefact: Option<String>,
    /// How to see that it worked.
    pub proves: Option<String>,
    changes: Vec<Change>,
}

impl Candidate {
    /// The bundle as it would be read once the change was made.
    #[must_use]
    pub fn apply(&self, bundle: &Bundle) -> Bundle {
        let mut bundle = bundle.clone();
        self.apply_to(&mut bundle);
        bundle
    }

    fn apply_to(&self, bundle: &mut Bundle) {
        self.changes.iter().for_each(|change| change.apply(bundle));
    }

    /// The row of the assessment.
    #[must_use]
    pub fn row(self, id: String, closes: Vec<String>, closes_assets: Vec<String>, assigned: Assigned) -> Fix {
        let effort_words = match self.effort {
            0 | 1 => "1 hour",
            2 => "half a day",
            3 => "1 day",
            4 | 5 => "3 days",
            _ => "1 week",
        };
        Fix {
            id,
            key: self.key,
            kind: self.kind.to_owned(),
            title: self.title,
            detail: self.detail,
            effort: self.effort,
            effort_words: effort_words.to_owned(),
            closes,
            closes_assets,
            layer: self.layer,
            artefact: self.artefact,
            proves: self.proves,
            owner: assigned.owner,
            due: assigned.due,
        }
    }
}
