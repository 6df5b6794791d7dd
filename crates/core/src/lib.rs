//! The pure half of Deadstop: facts in, answers out.
//!
//! Nothing here opens a file, asks a network, waits or looks at a clock. Modules stand on floors, and each uses only
//! the floors below its own and what stands before it on its own floor:
//!
//! - 3: `headline`, `fixes`, `assess`, `redact`, `diff`, `render`, `tabletop`: bundle → assessment → text
//! - 2: `iam`, `meaning`, `program`, `world`, `power`, `gate`, `path`, `answer`, `check`: evaluators, each takes data and gives data
//! - 1: `verdict`, `policy`, `assessment`, `bundle`, `catalogue`, `corpus`, `shorthand`
//! - 0: `beside`, `pattern`, `quote`, `time`, `yaml`, `id`, `fact`, `model`

mod beside;

pub mod answer;
pub mod assess;
pub mod assessment;
pub mod bundle;
pub mod catalogue;
pub mod check;
pub mod corpus;
pub mod diff;
pub mod fact;
pub mod fixes;
pub mod gate;
pub mod headline;
pub mod iam;
pub mod id;
pub mod meaning;
pub mod model;
pub mod path;
pub mod pattern;
pub mod policy;
pub mod power;
pub mod program;
pub mod quote;
pub mod redact;
pub mod render;
pub mod shorthand;
pub mod tabletop;
pub mod time;
pub mod verdict;
pub mod world;
pub mod yaml;
