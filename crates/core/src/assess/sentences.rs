//! The sentences of an answer (floor 3).

use crate::answer::Judged;
use crate::assessment::Layer;
use crate::path::recovery::NOTICE_ASSUMED;
use crate::policy::Policy;
use crate::verdict::{Answer, LayerName, LayerState, Prevention, Recovery};
use crate::world::World;

/// The answer in one sentence, and a few words to stand below it.
pub(super) fn answer(judged: &Judged, layers: &[Layer], agents_own: &[LayerName]) -> (String, String) {
    let outcome = judged.worst;
    match judged.answer() {
        Answer::Nothing => ("Nothing stops it, and nothing brings it back.".to_owned(), "Lost for good".to_owned()),
        Answer::Recoverable => {
            let restore = layers.get(5).map_or("", |layer| layer.because.as_str());
            let (how, aside) = match (outcome.outside, outcome.recovery) {
                (true, _) => (format!("outside RPO/RTO ({restore})"), "Back, outside RPO/RTO"),
                (false, Recovery::Tested) => (format!("proven: {restore}"), "Back, proven"),
                (false, Recovery::Untested | Recovery::None) => (format!("not proven: {restore}"), "Back, not proven"),
            };
            let copy = layers.get(4).map_or("", |layer| layer.because.as_str());
            (format!("Nothing stops it. It can be brought back, {how}. What is left: {copy}."), aside.to_owned())
        }
        Answer::Slowed => {
            let slowing = layers.iter().take(4).find(|layer| layer.state == LayerState::Slows);
            let name = slowing.and_then(|layer| layer.bypass.clone()).unwrap_or_else(|| "a step of its own".to_owned());
            let back = match (outcome.outside, outcome.recovery) {
                (_, Recovery::None) => "Nothing brings it back.",
                (true, _) => "It comes back outside RPO/RTO.",
                (false, Recovery::Untested) => "It can be brought back, not proven.",
                (false, Recovery::Tested) => "It can be brought back, proven.",
            };
            let at = slowing.map_or("", |layer| layer.layer.title());
            (
                format!("Something slows it, and the same session can get round it: it may {name}. {back}"),
                format!("Slowed at {at}"),
            )
        }
        Answer::Stopped => {
            let stops: Vec<&Layer> = layers.iter().take(4).filter(|layer| layer.state == LayerState::Stops).collect();
            // What the provider refuses is named before what an agent's own gate does.
            let firm = stops.iter().find(|layer| !agents_own.contains(&layer.layer));
            let Some(first) = firm.or(stops.first()) else {
                return ("It stops at Reach: nothing in reach leads to it.".to_owned(), "No path".to_owned());
            };
            let aside = if stops.len() == 1 { "One layer".to_owned() } else { format!("{} layers", stops.len()) };
            (format!("It stops at {}: {}.", first.layer.title(), first.because), aside)
        }
        Answer::Unknown => {
            let (worst, best) = (outcome.rank().prose(), judged.best.rank().prose());
            let aside = match (outcome.prevention, judged.best.prevention) {
                (Prevention::Open, Prevention::Open) => "Open; the way back is unread",
                (Prevention::Open, Prevention::Stopped) if judged.nothing_read_stops() => "Nothing that we could read",
                _ => "Depends on what was not read",
            };
            (format!("It lies between two answers: at worst {worst}; at best {best}."), aside.to_owned())
        }
    }
}

/// What was taken for granted, and what of the configuration was not believed.
pub(super) fn assumed(world: &World, policy: &Policy, judged: &[Judged]) -> (Vec<String>, Vec<String>) {
    let mut assumed = Vec::new();
    if policy.time_to_notice.is_none() {
        assumed.push(format!("{} until a loss is noticed, as no configuration says", NOTICE_ASSUMED.human()));
    }
    let unknown = judged.iter().filter(|j| j.standing.in_headline && j.standing.assumed).count();
    if unknown > 0 {
        let (assets, their) = if unknown == 1 { ("asset is", "its") } else { ("assets are", "their") };
        assumed.push(format!("{unknown} {assets} production, as {their} environment is not known"));
    }
    if !world.any_session {
        assumed.push("a session of which nothing is known, as none was assessed".to_owned());
    }
    let mut notes: Vec<String> = judged.iter().filter_map(|j| j.standing.ignored.clone()).collect();
    notes.sort();
    notes.dedup();
    (assumed, notes)
}
