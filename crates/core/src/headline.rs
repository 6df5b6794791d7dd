//! The literal answer to the question, in sentences (floor 2).

use crate::answer::Judged;
use crate::assessment::{Counts, Headline};
use crate::path::Outcome;
use crate::verdict::{Answer, Prevention, Recovery};
use crate::world::World;

/// What the headline is made from: assets that it counts.
#[derive(Clone, Copy)]
struct Tally {
    of: usize,
    open: usize,
    lost: usize,
    back: usize,
    short: usize,
    tested: usize,
    unread: usize,
    unknown: usize,
    slowed: usize,
    stopped: usize,
}

/// Writes the headline over the assets that it counts. `rests` says how many answers rest on an agent's own gate.
#[must_use]
pub fn headline(world: &World, judged: &[Judged], rests: usize) -> Headline {
    let counted: Vec<&Judged> = judged.iter().filter(|j| j.standing.in_headline).collect();
    let mut counts = Counts::default();
    for asset in &counted {
        match asset.answer() {
            Answer::Nothing => counts.nothing += 1,
            Answer::Recoverable => counts.recoverable += 1,
            Answer::Slowed => counts.slowed += 1,
            Answer::Stopped => counts.stopped += 1,
            Answer::Unknown => counts.unknown += 1,
        }
    }
    let tally = tally(&counted, counts);
    let (lead, rest) = first_sentence(tally);
    let mut detail = details(world, &counted, tally);
    let assumed = counted.iter().filter(|asset| asset.standing.assumed).count();
    if assumed > 0 {
        let (is, its) = if assumed == 1 { ("is", "its environment") } else { ("are", "their environments") };
        detail.push(format!("{} of these {is} taken for production, because {its} could not be read.", count(assumed)));
    }
    if rests > 0 {
        let (answer, rest) = if rests == 1 { ("answer", "rests") } else { ("answers", "rest") };
        detail.push(format!(
            "{} {answer} {rest} on an agent's own gate or sandbox, which no other program meets.",
            count(rests)
        ));
    }
    let sentence =
        std::iter::once(format!("{lead}, {rest}.")).chain(detail.iter().cloned()).collect::<Vec<_>>().join(" ");
    let answer = worst_word(&counted, tally);
    Headline { answer, sentence, lead, rest, detail, of: tally.of, assumed, counts, plain: plain(&counted) }
}

fn tally(counted: &[&Judged], counts: Counts) -> Tally {
    let is_open = |j: &Judged| j.worst.prevention == Prevention::Open && j.best.prevention == Prevention::Open;
    let open: Vec<&&Judged> = counted.iter().filter(|j| is_open(j)).collect();
    let back = |o: Outcome| o.recovery != Recovery::None;
    Tally {
        of: counted.len(),
        open: open.len(),
        lost: open.iter().filter(|j| !back(j.worst) && !back(j.best)).count(),
        back: open.iter().filter(|j| back(j.worst) && back(j.best)).count(),
        short: open.iter().filter(|j| back(j.worst) && j.worst.outside).count(),
        tested: open.iter().filter(|j| j.worst.recovery == Recovery::Tested).count(),
        unread: counted
            .iter()
            .filter(|j| !is_open(j) && j.answer() == Answer::Unknown && j.nothing_read_stops())
            .count(),
        unknown: counted.iter().filter(|j| !is_open(j) && j.answer() == Answer::Unknown).count(),
        slowed: counts.slowed,
        stopped: counts.stopped,
    }
}

fn first_sentence(tally: Tally) -> (String, String) {
    let assets = |n: usize| {
        let noun = if tally.of == 1 { "production asset" } else { "production assets" };
        if n == tally.of && n > 1 {
            format!("for all {n} {noun}")
        } else if n == 1 && tally.of == 1 {
            format!("for the one {noun}")
        } else {
            format!("for {n} of {} {noun}", tally.of)
        }
    };
    let (lead, rest) = if tally.of == 0 {
        ("Unknown", "because no production asset was found".to_owned())
    } else if tally.open > 0 {
        ("Nothing", assets(tally.open))
    } else if tally.unread > 0 {
        ("Nothing that we could read", assets(tally.unread))
    } else if tally.unknown > 0 {
        ("Unknown", assets(tally.unknown))
    } else if tally.slowed > 0 {
        ("Only a delay", assets(tally.slowed))
    } else {
        ("It stops", assets(tally.stopped))
    };
    (lead.to_owned(), rest)
}

fn details(world: &World, counted: &[&Judged], tally: Tally) -> Vec<String> {
    let mut detail = Vec::new();
    let name = |j: &Judged| world.assets.get(&j.asset).map_or_else(|| j.asset.0.clone(), |asset| asset.name.clone());
    let is_open = |j: &&&Judged| j.worst.prevention == Prevention::Open && j.best.prevention == Prevention::Open;
    let lost: Vec<String> = counted
        .iter()
        .filter(is_open)
        .filter(|j| j.worst.recovery == Recovery::None && j.best.recovery == Recovery::None)
        .map(|j| name(j))
        .collect();
    if tally.lost > 0 {
        let would = if tally.lost == 1 { "One would be lost for good" } else { "would be lost for good" };
        let names = listed(&lost, 4);
        detail.push(if tally.lost == 1 {
            format!("{would}: {names}.")
        } else {
            format!("{} {would}: {names}.", count(tally.lost))
        });
    }
    if tally.back > 0 {
        let proven = match (tally.tested, tally.back) {
            (0, _) => ", none of it proven".to_owned(),
            (t, b) if t == b => ", proven by a restore".to_owned(),
            (t, _) => format!(", {} of them proven by a restore", word(t)),
        };
        detail.push(format!("{} would come back{proven}.", count(tally.back)));
    }
    if tally.short > 0 {
        let what = if tally.short == 1 { "comes" } else { "come" };
        detail.push(format!("{} {what} back outside the declared RPO or RTO.", count(tally.short)));
    }
    let undecided = tally.open - tally.lost - tally.back;
    if undecided > 0 {
        detail.push(format!(
            "Whether {} would come back could not be read.",
            if undecided == 1 { "one".to_owned() } else { word(undecided) }
        ));
    }
    if tally.unknown > 0 && tally.open > 0 {
        detail.push(format!("For {} more the answer depends on what could not be read.", word(tally.unknown)));
    } else if tally.unread > 0 && tally.unknown > tally.unread {
        detail
            .push(format!("For {} the answer depends on what could not be read.", word(tally.unknown - tally.unread)));
    }
    if tally.slowed > 0 && (tally.open > 0 || tally.unknown > 0) {
        let is = if tally.slowed == 1 { "is" } else { "are" };
        detail.push(format!("{} {is} only slowed: the same session can get round it.", count(tally.slowed)));
    }
    if tally.stopped > 0 && tally.stopped < tally.of {
        let is = if tally.stopped == 1 { "is" } else { "are" };
        detail.push(format!("{} {is} stopped.", count(tally.stopped)));
    }
    detail
}

/// The worst answer among assets whose prevention is known, else unknown.
fn worst_word(counted: &[&Judged], tally: Tally) -> Answer {
    if tally.open > 0 {
        let open =
            counted.iter().filter(|j| j.best.prevention == Prevention::Open && j.worst.prevention == Prevention::Open);
        let worst = open
            .map(|j| if j.best.rank() == j.worst.rank() { j.worst.rank().answer() } else { Answer::Recoverable })
            .min();
        return worst.unwrap_or(Answer::Nothing);
    }
    if tally.unknown > 0 || tally.of == 0 {
        Answer::Unknown
    } else if tally.slowed > 0 {
        Answer::Slowed
    } else {
        Answer::Stopped
    }
}

/// What any other program of this user meets.
fn plain(counted: &[&Judged]) -> Option<String> {
    let bounds: Vec<(Outcome, Outcome)> = counted.iter().filter_map(|j| j.plain).collect();
    if bounds.is_empty() {
        return None;
    }
    let open =
        bounds.iter().filter(|(w, b)| w.prevention == Prevention::Open && b.prevention == Prevention::Open).count();
    let unknown = bounds.iter().filter(|(w, b)| w.prevention != b.prevention).count();
    let slowed =
        bounds.iter().filter(|(w, b)| w.prevention == b.prevention && w.prevention == Prevention::Slowed).count();
    let stopped = bounds.len() - open - unknown - slowed;
    let parts = [("nothing", open), ("unknown", unknown), ("slowed", slowed), ("stopped", stopped)];
    let told: Vec<String> = parts.iter().filter(|(_, n)| *n > 0).map(|(what, n)| format!("{what}, for {n}")).collect();
    Some(format!("Any other program of this user: {}.", told.join("; ")))
}

/// Names, at most so many, then how many more.
#[must_use]
pub fn listed(names: &[String], most: usize) -> String {
    let shown: Vec<&str> = names.iter().take(most).map(String::as_str).collect();
    let more = names.len().saturating_sub(most);
    match (shown.split_last(), more) {
        (None, _) => String::new(),
        (Some((last, [])), 0) => (*last).to_owned(),
        (Some((last, first)), 0) => format!("{} and {last}", first.join(", ")),
        (Some(_), more) => format!("{} and {more} more", shown.join(", ")),
    }
}

/// A small number as a word, to begin a sentence with.
fn count(n: usize) -> String {
    capital(&word(n))
}

/// A text as a sentence begins.
pub(crate) fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn word(n: usize) -> String {
    let words =
        ["none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    words.get(n).map_or_else(|| n.to_string(), |w| (*w).to_owned())
}
