//! Tools of MCP servers (floor 2). The servers run outside the sandbox, and rules of commands say nothing of them.

use super::decide::{Answer, ruling};
use super::start::{Approval, Kind, Start};
use crate::gate::call::View;
use crate::gate::codex::layer::{Item, Layer};
use crate::gate::{Basis, Place, Ruling};
use crate::model::Decision;

/// What a call of a server's tool meets (openai/codex `codex-rs/core/src/mcp_tool_call.rs`, `codex-rs/config/src/mcp_types.rs`).
pub(super) fn answer(start: &Start, server: &str, tool: &str, view: View) -> Answer {
    let by = |path: &[&str]| {
        let path: Vec<&str> = ["mcp_servers", server].iter().chain(path).copied().collect();
        start.get(&path)
    };
    let told = |decision, (layer, item): (&Layer, &Item), because: String| {
        let place = layer.place(item);
        open(ruling(decision, Basis::Mode(Some(layer.level)), Some(&place), format!("{because} ({place})")))
    };
    if start.servers_listed && view == View::Best {
        let because = "an administrator lists which servers may be used".to_owned();
        return open(ruling(Decision::Deny, Basis::BuiltIn, None, because));
    }
    if let Some(found) = by(&["enabled"]).filter(|(_, item)| item.flag() == Some(false)) {
        return told(Decision::Deny, found, "the server is switched off".to_owned());
    }
    let lists =
        |found: &(&Layer, &Item), wanted: bool| found.1.texts().is_some_and(|names| names.contains(&tool) == wanted);
    if let Some(found) = by(&["disabled_tools"]).filter(|found| lists(found, true)) {
        return told(Decision::Deny, found, "`disabled_tools` takes the tool away".to_owned());
    }
    if let Some(found) = by(&["enabled_tools"]).filter(|found| lists(found, false)) {
        return told(Decision::Deny, found, "`enabled_tools` does not name the tool".to_owned());
    }
    let mode = by(&["tools", tool, "approval_mode"]).or_else(|| by(&["default_tools_approval_mode"]));
    let word = mode.map_or(Some("auto"), |(_, item)| item.text());
    let place = mode.map(|(layer, item)| (layer.place(item), layer.level));
    let unasked = start.approval == Approval::Never && start.sandbox.kind == Kind::Open;
    let free = match word {
        Some("approve") => true,
        Some("prompt") => unasked,
        // Whether a tool says of itself that it only reads is not known, and earlier versions asked for fewer tools.
        Some("auto" | "writes") => unasked || view == View::Worst,
        Some(_) | None => view == View::Worst,
    };
    let at = place.as_ref().map(|(place, _)| place);
    let level = place.as_ref().map(|(_, level)| *level);
    let word = match word {
        Some(known @ ("approve" | "prompt" | "auto" | "writes")) => known,
        Some(_) | None => "which is not understood",
    };
    if free {
        let because = match (unasked, word) {
            (true, _) => "no sandbox stands and nobody is ever asked".to_owned(),
            (false, "approve") => format!("the approval mode of the tool is `approve`{}", shown(at)),
            (false, word) => format!(
                "the approval mode of the tool is `{word}`{}, and tools that say of themselves that they only read run unasked",
                shown(at)
            ),
        };
        return open(ruling(Decision::Allow, Basis::Mode(level), at, because));
    }
    let asked = format!("the approval mode of the tool is `{word}`{}", shown(at));
    open(prompt(start, view, level, at, &asked))
}

/// A prompt for a tool: refused where nobody is ever asked.
fn prompt(start: &Start, view: View, level: Option<crate::gate::Level>, at: Option<&Place>, asked: &str) -> Ruling {
    let refused = match start.approval {
        Approval::Never => true,
        Approval::Granular { mcp, .. } => !mcp,
        Approval::Unknown => view == View::Best,
        Approval::Untrusted | Approval::OnRequest => false,
    };
    let reviewed = start.reviewed == Some(true) || (start.reviewed.is_none() && view == View::Worst);
    let (decision, does) = if refused {
        (Decision::Deny, "and the approval policy turns prompts into refusals")
    } else if reviewed {
        (Decision::Reviewed, "and a model answers prompts")
    } else {
        (Decision::Ask, "so a person is asked")
    };
    ruling(decision, Basis::Mode(level), at, format!("{asked}, {does}"))
}

fn shown(place: Option<&Place>) -> String {
    place.map_or_else(String::new, |place| format!(" ({place})"))
}

const fn open(ruling: Ruling) -> Answer {
    Answer { ruling, contained: Some(false) }
}
