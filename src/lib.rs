//! The shell of Deadstop: what reads the world. A module list for the program and the integration tests; not a public
//! interface.

pub mod collector;
pub mod secret;
pub mod surroundings;
pub mod walk;
