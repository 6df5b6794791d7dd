//! Whether AWS lets a principal do something: policies and a request in, a decision out (floor 2).
//!
//! It follows the policy evaluation logic of the IAM User Guide (`reference_policies_evaluation-logic` and the pages of
//! the policy elements). It is three-valued: where a request's context is not known to its end, a decision that hangs
//! on a key that is not there is [`Outcome::Depends`], never a refusal. Policies are compiled once and asked many times.

mod alike;
mod arn;
mod condition;
mod context;
mod decide;
mod glob;
mod onward;
mod policy;
mod principal;
mod reads;
mod services;
pub mod simulate;
mod strict;
mod tri;

pub use alike::{Against, Names, Part};
pub use context::Context;
pub use decide::{Cited, Decided, Layer, Outcome, Policies, Request, decide, explain, explain_below};
pub use onward::{Leading, Way, known_onward, lead_on};
pub use policy::{Kind, Policy, PolicyError};
pub use principal::Caller;
pub use reads::only_reads;
pub use strict::Strict;
pub use tri::Tri;
