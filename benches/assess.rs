//! Writes a large bundle, for `benches/assess`: credentials, assets and sessions by number.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on ends")]

#[path = "../crates/core/tests/support/large.rs"]
mod large;

use deadstop_core::bundle;

fn main() {
    let mut args = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let file = args.next().unwrap();
    let mut number = || args.next().unwrap().parse().unwrap();
    let (credentials, assets, sessions) = (number(), number(), number());
    std::fs::write(file, bundle::to_json(&large::guarded(credentials, assets, sessions))).unwrap();
}
