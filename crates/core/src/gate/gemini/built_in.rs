//! The rules that the agent brings (floor 2): google-gemini/gemini-cli `packages/core/src/policy/policies/*.toml`, as far
//! as they are about tools that reach files, commands, pages or servers.

use super::Mode;
use super::rule::{Args, Rule};
use crate::gate::{Effect, Level};

const SHELL: &str = "run_shell_command";
const READS: [&str; 2] = ["read_file", "grep_search"];
const WRITES: [&str; 2] = ["write_file", "replace"];

/// All of them, the highest first.
pub(super) fn rules() -> Vec<Rule> {
    let mut all = Vec::new();
    let mut add = |tools: &[&str], effect, priority, modes: &[Mode], interactive| {
        for tool in tools {
            all.push(Rule {
                tool: (*tool).to_owned(),
                server: None,
                args: Args::Any,
                effect,
                priority,
                modes: modes.to_vec(),
                interactive,
                redirects: effect == Effect::Allow && *tool == "*",
                sure: true,
                text: format!("{tool} ({})", modes.first().map_or("always", |mode| mode.name())),
                place: None,
                level: Level::State,
            });
        }
    };
    add(&["*"], Effect::Allow, 1998, &[Mode::Yolo], None);
    add(&WRITES, Effect::Deny, 1065, &[Mode::Plan], None);
    add(&READS, Effect::Allow, 1050, &[], None);
    add(&["web_fetch"], Effect::Ask, 1050, &[Mode::Plan], Some(true));
    add(&["*"], Effect::Deny, 1040, &[Mode::Plan], None);
    add(&["write_file", "replace", "web_fetch"], Effect::Allow, 1015, &[Mode::AutoEdit], None);
    let asked = [WRITES.as_slice(), &["web_fetch", SHELL]].concat();
    add(&asked, Effect::Ask, 1010, &[], Some(true));
    add(&asked, Effect::Deny, 1010, &[], Some(false));
    // A plan may be written down in a place of its own, and what a server says only reads is asked about.
    for tool in WRITES {
        all.push(Rule {
            args: Args::Unclear,
            effect: Effect::Allow,
            priority: 1070,
            text: "a plan may be written".to_owned(),
            ..template(tool)
        });
    }
    all.push(Rule {
        server: Some("*".to_owned()),
        effect: Effect::Ask,
        priority: 1050,
        interactive: Some(true),
        sure: false,
        text: "what only reads is asked about".to_owned(),
        ..template("*")
    });
    all
}

fn template(tool: &str) -> Rule {
    Rule {
        tool: tool.to_owned(),
        server: None,
        args: Args::Any,
        effect: Effect::Ask,
        priority: 0,
        modes: vec![Mode::Plan],
        interactive: None,
        redirects: false,
        sure: true,
        text: String::new(),
        place: None,
        level: Level::State,
    }
}
