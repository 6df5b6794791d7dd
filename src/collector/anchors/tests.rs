//! The same finds as `aho-corasick`'s, and the same marks one at a time as many.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};
use proptest::prelude::*;

use super::*;

fn built_in() -> Vec<String> {
    super::super::scan::Scanner::anchors(&super::super::rules::Rules::built_in()).0
}

/// What finds, and what it must find the same as.
struct Compared {
    automaton: AhoCorasick,
    both: [Anchors; 2],
}

impl Compared {
    fn of(list: &[String]) -> Self {
        let mut builder = AhoCorasick::builder();
        let automaton = builder.ascii_case_insensitive(true).match_kind(MatchKind::LeftmostFirst).build(list).unwrap();
        Self { automaton, both: both(list) }
    }

    fn assert_same(&self, text: &[u8]) {
        let hits = self.automaton.find_iter(text).map(|hit| (hit.pattern().as_usize(), hit.range()));
        let expected: Vec<_> = hits.collect();
        for anchors in &self.both {
            assert_eq!(found(anchors, text), expected);
        }
    }
}

static BUILT_IN: LazyLock<Compared> = LazyLock::new(|| Compared::of(&built_in()));

/// The anchors, to be found one place at a time and as this processor can.
fn both(list: &[String]) -> [Anchors; 2] {
    [tables::mark, marker()].map(|marker| Anchors { marker, ..Anchors::new(list).unwrap() })
}

fn found(anchors: &Anchors, text: &[u8]) -> Vec<(usize, Range<usize>)> {
    let mut all = Vec::new();
    anchors.each(text, |number, at| all.push((number, at)));
    all
}

/// Text made of parts of anchors in any case, with other bytes among them.
fn hostile(list: Vec<String>) -> impl Strategy<Value = Vec<u8>> {
    let part = (any::<prop::sample::Index>(), 0..20_usize, any::<u32>(), any::<Option<u8>>()).prop_map(
        move |(which, length, cases, after)| {
            let anchor = which.get(&list).bytes().take(length).enumerate();
            let turned = |at: usize, byte: u8| byte.is_ascii_alphabetic() && cases >> at & 1 == 1;
            let mut part: Vec<u8> =
                anchor.map(|(at, byte)| if turned(at, byte) { byte ^ 0x20 } else { byte }).collect();
            part.extend(after);
            part
        },
    );
    prop::collection::vec(part, 0..400).prop_map(|parts| parts.concat())
}

#[test]
fn the_shortest_built_in_anchor_is_long_enough() {
    assert!(Anchors::new(&built_in()).is_some());
    assert!(Anchors::new(&["ab".to_owned()]).is_none());
}

#[test]
fn every_anchor_is_found_at_every_place_and_in_any_case() {
    let list = built_in();
    let edges = (0..LANE + 2).chain(BLOCK - 12..BLOCK + 2);
    for (before, anchor) in edges.flat_map(|before| list.iter().map(move |anchor| (before, anchor))) {
        for (written, after) in
            [(anchor.clone(), 0), (anchor.to_ascii_uppercase(), 1), (anchor.to_ascii_lowercase(), 40)]
        {
            let mut text = vec![b'.'; before];
            text.extend_from_slice(written.as_bytes());
            text.extend(vec![0xff; after]);
            for anchors in &BUILT_IN.both {
                let all = found(anchors, &text);
                assert_eq!(all.first().map(|(_, at)| at.start), Some(before), "{written} after {before} bytes");
            }
        }
    }
}

#[test]
fn each_byte_beside_each_byte_is_marked_the_same() {
    let tables = Tables::of(&built_in());
    let text: Vec<u8> = (0..=255).flat_map(|a| (0..=255).flat_map(move |b| [a, b, b'_', a])).collect();
    let places = text.len() - LANE;
    let (mut one, mut many) = (vec![0; places / LANE], vec![0; places / LANE]);
    tables::mark(&tables, &text, &mut one);
    marker()(&tables, &text, &mut many);
    assert_eq!(one, many);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn hostile_text_gives_what_the_automaton_gives(text in hostile(built_in())) {
        BUILT_IN.assert_same(&text);
    }

    #[test]
    fn any_bytes_give_what_the_automaton_gives(text in prop::collection::vec(any::<u8>(), 0..9_000)) {
        BUILT_IN.assert_same(&text);
    }

    #[test]
    fn any_anchors_give_what_the_automaton_gives(
        list in prop::collection::vec("[abAB_@.-]{3,12}", 1..60),
        text in prop::collection::vec(prop::sample::select(b"abAB_@.-\n".to_vec()), 0..600),
    ) {
        Compared::of(&list).assert_same(&text);
    }

    #[test]
    fn any_bytes_are_marked_the_same(
        list in prop::collection::vec("[ -~]{3,12}", 1..60),
        text in prop::collection::vec(any::<u8>(), WINDOW - 1..900),
    ) {
        let tables = Tables::of(&list);
        let lanes = (text.len() + 1 - WINDOW) / LANE;
        let (mut one, mut many) = (vec![0; lanes], vec![0; lanes]);
        tables::mark(&tables, &text, &mut one);
        marker()(&tables, &text, &mut many);
        prop_assert_eq!(one, many);
    }
}
