//! Patterns of policies: `*` is any run of characters, `?` any one, `${key}` a value of the request.
//!
//! Sources: IAM User Guide, `reference_policies_elements_resource` (wildcards stay within a segment of an ARN, but a `*`
//! that ends a segment may run on over the colons), `reference_policies_variables` (variables, defaults, `${*}` `${?}`
//! `${$}`).

use super::context::{Context, Seen};
use super::tri::Tri;

/// How a text is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wild {
    /// Wildcards mean what they say, over the whole text.
    Text,
    /// Wildcards of the first five segments of an ARN stay in their segment, unless a `*` ends it.
    Arn,
    /// Wildcards of the first five segments of an ARN stay in their segment.
    Parts,
    /// Nothing is a wildcard.
    None,
}

/// One piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Piece {
    /// These very characters.
    Text(String),
    /// Any run of characters.
    Run,
    /// Any run of characters but colons.
    RunInside,
    /// Any one character.
    One,
    /// Any one character but a colon.
    OneInside,
    /// The value of a key of the request, in lower case, else this.
    Variable(String, Option<String>),
}

/// A pattern, compiled.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Glob {
    pieces: Vec<Piece>,
    variables: bool,
    inside: bool,
}

/// The name of something that policies have no cause to name: no text that is written by hand has this character.
const ODD: char = '\u{f8ff}';

/// What came of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Matched {
    /// It matches or not.
    Is(bool),
    /// That depends on this key, in lower case.
    DependsOn(String),
}

impl Glob {
    /// Compiles a pattern. `variables` is whether the policy's version knows variables (2012-10-17 does).
    pub(super) fn new(text: &str, wild: Wild, variables: bool) -> Self {
        let mut pieces = Vec::new();
        let mut literal = String::new();
        let mut rest = text;
        let mut colons = 0;
        while let Some(first) = rest.chars().next() {
            let after = rest.get(first.len_utf8()..).unwrap_or_default();
            if variables && let Some((piece, after)) = variable(rest) {
                if let Piece::Text(escaped) = piece {
                    literal.push_str(&escaped);
                } else {
                    flush(&mut literal, &mut pieces);
                    pieces.push(piece);
                }
                rest = after;
                continue;
            }
            let bounded = matches!(wild, Wild::Arn | Wild::Parts) && colons < 5;
            let piece = match first {
                '*' if wild != Wild::None => {
                    // Within a segment it ends at the colon; at its end it may run on.
                    let ends = wild == Wild::Arn && (after.is_empty() || after.starts_with(':'));
                    Some(if bounded && !ends { Piece::RunInside } else { Piece::Run })
                }
                '?' if wild != Wild::None => Some(if bounded { Piece::OneInside } else { Piece::One }),
                _ => None,
            };
            match piece {
                Some(piece) => {
                    flush(&mut literal, &mut pieces);
                    let repeats = matches!(piece, Piece::Run | Piece::RunInside) && pieces.last() == Some(&piece);
                    if !repeats {
                        pieces.push(piece);
                    }
                }
                None => literal.push(first),
            }
            colons += usize::from(first == ':');
            rest = after;
        }
        flush(&mut literal, &mut pieces);
        let variables = pieces.iter().any(|piece| matches!(piece, Piece::Variable(_, _)));
        let inside = pieces.iter().any(|piece| matches!(piece, Piece::RunInside));
        Self { pieces, variables, inside }
    }

    /// Whether it covers everything.
    pub(super) fn is_everything(&self) -> bool {
        matches!(self.pieces.as_slice(), [Piece::Run | Piece::RunInside])
    }

    /// Whether what it covers hangs on the request.
    pub(super) const fn has_variables(&self) -> bool {
        self.variables
    }

    /// Compares it with a text. A variable without a value matches nothing (`policy-vars-no-value`).
    pub(super) fn matches(&self, text: &str, context: &Context) -> Matched {
        if !self.variables {
            return Matched::Is(self.run(&self.pieces, text));
        }
        match self.filled(context) {
            Filled::Pieces(pieces) => Matched::Is(self.run(&pieces, text)),
            Filled::Nothing => Matched::Is(false),
            Filled::DependsOn(key) => Matched::DependsOn(key),
        }
    }

    /// Whether it covers all that begins with a prefix and goes on (yes), none of it (no), or a part (unknown).
    pub(super) fn covers_below(&self, prefix: &str, context: &Context) -> Result<Tri, String> {
        let pieces = match self.filled(context) {
            Filled::Pieces(pieces) => pieces,
            Filled::Nothing => return Ok(Tri::No),
            Filled::DependsOn(key) => return Err(key),
        };
        let units = units(&pieces);
        let places = places(&units, prefix);
        let mut covered = Tri::No;
        for rest in places.iter().enumerate().filter(|(_, here)| **here).filter_map(|(at, _)| units.get(at..)) {
            covered = covered.or(match rest {
                [] => Tri::No,
                rest if rest.iter().all(|unit| matches!(unit, Unit::Run(true))) => Tri::Yes,
                _ => Tri::Unknown,
            });
        }
        Ok(covered)
    }

    /// Texts below a prefix that it covers: one for each of its places that the prefix leads to.
    pub(super) fn texts_below(&self, prefix: &str, context: &Context) -> Vec<String> {
        let Filled::Pieces(pieces) = self.filled(context) else { return Vec::new() };
        let units = units(&pieces);
        let places = places(&units, prefix);
        let rests = places.iter().enumerate().filter(|(_, here)| **here).filter_map(|(at, _)| units.get(at..));
        let text = |unit: &Unit| if let Unit::Is(c) = unit { *c } else { ODD };
        rests
            .filter(|rest| !rest.is_empty())
            .map(|rest| prefix.chars().chain(rest.iter().map(text)).collect())
            .collect()
    }

    /// The text that it stands for, if it has no wildcard.
    pub(super) fn text(&self, context: &Context) -> Result<Option<String>, String> {
        match self.filled(context) {
            Filled::Nothing => Ok(None),
            Filled::DependsOn(key) => Err(key),
            Filled::Pieces(pieces) => {
                let text = |piece: &Piece| if let Piece::Text(text) = piece { text.clone() } else { String::new() };
                Ok(Some(pieces.iter().map(text).collect()))
            }
        }
    }

    /// With the values of the request in the place of variables. A value stands for itself: no wildcard is in it.
    fn filled(&self, context: &Context) -> Filled {
        let mut pieces = Vec::with_capacity(self.pieces.len());
        for piece in &self.pieces {
            let Piece::Variable(key, default) = piece else {
                pieces.push(piece.clone());
                continue;
            };
            match (context.seen(key), default) {
                // A key with several values is none to put in a text.
                (Seen::Values([value]), _) => pieces.push(Piece::Text(value.clone())),
                (Seen::Unknown, _) => return Filled::DependsOn(key.clone()),
                (_, Some(default)) => pieces.push(Piece::Text(default.clone())),
                (_, None) => return Filled::Nothing,
            }
        }
        Filled::Pieces(pieces)
    }

    fn run(&self, pieces: &[Piece], text: &str) -> bool {
        match pieces {
            [] => text.is_empty(),
            [Piece::Run] => true,
            [Piece::Text(all)] => text == all,
            [Piece::Text(start), Piece::Run] => text.starts_with(start.as_str()),
            [Piece::Run, Piece::Text(end)] => text.ends_with(end.as_str()),
            _ if self.inside => states(pieces, text),
            _ => greedy(pieces, text),
        }
    }
}

enum Filled {
    Pieces(Vec<Piece>),
    Nothing,
    DependsOn(String),
}

fn flush(literal: &mut String, pieces: &mut Vec<Piece>) {
    if !literal.is_empty() {
        pieces.push(Piece::Text(std::mem::take(literal)));
    }
}

/// The variable at the start of a text, and what follows it. What is no whole variable is text.
fn variable(text: &str) -> Option<(Piece, &str)> {
    let inner = text.strip_prefix("${")?;
    let (name, default, after) = match inner.split_once('}') {
        Some((name, after)) if !name.contains(',') => (name, None, after),
        Some((head, _)) => {
            let name = head.split(',').next().unwrap_or_default();
            let quoted = inner.get(name.len() + 1..)?.trim_start().strip_prefix('\'')?;
            let (default, after) = quoted.split_once('\'')?;
            (name, Some(default.to_owned()), after.trim_start().strip_prefix('}')?)
        }
        None => return None,
    };
    let name = name.trim();
    if matches!(name, "*" | "?" | "$") {
        return Some((Piece::Text(name.to_owned()), after));
    }
    (!name.is_empty()).then(|| (Piece::Variable(name.to_lowercase(), default), after))
}

/// One run is retried at a time: with runs that cross everything the last one tried is enough.
fn greedy(pieces: &[Piece], text: &str) -> bool {
    let mut at = 0;
    let mut rest = text;
    let mut retry: Option<(usize, &str)> = None;
    loop {
        let next = match pieces.get(at) {
            None if rest.is_empty() => return true,
            None => None,
            Some(Piece::Run) => {
                retry = Some((at, rest));
                at += 1;
                match pieces.get(at..) {
                    None | Some([]) => return true,
                    Some([Piece::Text(end)]) => return rest.ends_with(end.as_str()),
                    Some(_) => continue,
                }
            }
            Some(piece) => step(piece, rest),
        };
        match (next, retry) {
            (Some(after), _) => {
                rest = after;
                at += 1;
            }
            (None, Some((run, from))) => {
                let Some(first) = from.chars().next() else { return false };
                let mut from = from.get(first.len_utf8()..).unwrap_or_default();
                // The text after the run says where it can end at all.
                if let Some(Piece::Text(wanted)) = pieces.get(run + 1) {
                    let Some(found) = from.find(wanted.as_str()) else { return false };
                    from = from.get(found..).unwrap_or_default();
                }
                retry = Some((run, from));
                rest = from;
                at = run + 1;
            }
            (None, None) => return false,
        }
    }
}

/// What is left of a text after a piece of fixed length.
fn step<'a>(piece: &Piece, rest: &'a str) -> Option<&'a str> {
    match piece {
        Piece::Text(text) => rest.strip_prefix(text.as_str()),
        Piece::One | Piece::OneInside => {
            let first = rest.chars().next()?;
            let fits = matches!(piece, Piece::One) || first != ':';
            if fits { rest.get(first.len_utf8()..) } else { None }
        }
        Piece::Run | Piece::RunInside | Piece::Variable(_, _) => None,
    }
}

/// Every place of the pattern at once: a run that ends at a colon cannot be retried alone.
fn states(pieces: &[Piece], text: &str) -> bool {
    places(&units(pieces), text).last().copied().unwrap_or(false)
}

/// A pattern, character by character.
fn units(pieces: &[Piece]) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => units.extend(text.chars().map(Unit::Is)),
            Piece::Run => units.push(Unit::Run(true)),
            Piece::RunInside => units.push(Unit::Run(false)),
            Piece::One => units.push(Unit::One(true)),
            Piece::OneInside => units.push(Unit::One(false)),
            // Filled in before; without a value it matches nothing.
            Piece::Variable(_, _) => units.push(Unit::Never),
        }
    }
    units
}

/// The places of a pattern at which one can be after a text; the last is its end.
fn places(units: &[Unit], text: &str) -> Vec<bool> {
    let mut now = vec![false; units.len() + 1];
    spread(units, &mut now, 0);
    for c in text.chars() {
        let mut next = vec![false; units.len() + 1];
        for (at, unit) in units.iter().enumerate() {
            if !now.get(at).copied().unwrap_or(false) {
                continue;
            }
            match unit {
                Unit::Is(wanted) if *wanted == c => spread(units, &mut next, at + 1),
                Unit::One(crosses) if *crosses || c != ':' => spread(units, &mut next, at + 1),
                Unit::Run(crosses) if *crosses || c != ':' => spread(units, &mut next, at),
                Unit::Is(_) | Unit::One(_) | Unit::Run(_) | Unit::Never => {}
            }
        }
        now = next;
    }
    now
}

enum Unit {
    Is(char),
    One(bool),
    Run(bool),
    Never,
}

/// Marks a place, and those after it that a run of nothing leads to.
fn spread(units: &[Unit], places: &mut [bool], from: usize) {
    for at in from..places.len() {
        if let Some(place) = places.get_mut(at) {
            if *place {
                return;
            }
            *place = true;
        }
        if !matches!(units.get(at), Some(Unit::Run(_))) {
            return;
        }
    }
}
