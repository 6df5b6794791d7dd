//! The built-in catalogue of destroying operations (floor 1).

use crate::model::Action;

/// Every entry of the catalogue.
#[must_use]
pub fn actions() -> Vec<Action> {
    Vec::new()
}
