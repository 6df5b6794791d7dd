//! Agent programs: code that lets a model call its functions (floor 2). Source text in, tools out; nothing of it is run.
//!
//! A tool is told with its place, with what its code reaches, and with the gate that its framework sets before it. That a
//! person is asked is said of a gate that the code spells out and that the framework documents; even so no answer rests on
//! it, as whoever answers the question is code too. What is not plain is a doubt.

mod approval;
mod carried;
mod declared;
mod frameworks;
mod known;
mod lower;
mod names;
mod python;
mod reach;
mod script;
mod special;
mod syntax;
mod tools;
mod ways;
mod wide;

pub use reach::Reaches;
pub use tools::{Gate, Open, Program, Tool, read};
pub use ways::{Carried, carried};

/// A file of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its path, as it is shown.
    pub path: String,
    /// Its path below the program's folder, without its ending and with dots: `app.tools`.
    pub dotted: String,
    /// What it says.
    pub text: String,
}

/// Whether a text speaks of a framework, so that it is worth reading.
#[must_use]
pub fn concerns(text: &[u8]) -> bool {
    frameworks::concerns(text)
}
