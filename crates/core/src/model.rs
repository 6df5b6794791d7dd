//! The nouns of a facts bundle, as they are written in JSON (floor 0).
//!
//! A key may be left out only where leaving it out can give no better answer than writing it: no protection, no
//! refusal, nothing needed first. Everything else is required, as a value or as a gap.

pub mod asset;
pub mod reach;
pub mod rights;
pub mod tally;

pub use asset::{Action, Asset, Class, Copy, CopyKind, Drill, End, Lift, Protection, Side};
pub use reach::{Agent, Credential, Decision, Location, Override, Refusal, Session, Source, Status, Way, WayKind};
pub use rights::{Atom, Basis, Grant, Group, Holds, Principal, Step};
pub use tally::{RuleKind, Tally, TallyExample, TallyRow, TallyRule, WayClass};
