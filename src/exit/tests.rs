use super::*;
use deadstop_core::time::Time;

const RANKS: [Rank; 7] = [
    Rank::Nothing,
    Rank::SlowedNoRecovery,
    Rank::RecoverableUntested,
    Rank::RecoverableTested,
    Rank::SlowedUntested,
    Rank::SlowedTested,
    Rank::Stopped,
];

fn threshold(word: &str) -> Threshold {
    match word.parse::<FailOn>().unwrap() {
        FailOn::Answer(threshold) => threshold,
        FailOn::Severity(severity) => panic!("{} is a severity", severity.word()),
    }
}

/// An assessment with one headline asset per pair of bounds; its worst bound is what it is rated.
fn assessment(bounds: &[[Rank; 2]]) -> Assessment {
    let text = include_str!("../../tests/report/sample.json");
    let mut all: Assessment = serde_json::from_str(text).unwrap();
    all.findings.clear();
    let model = all.assets[0].clone();
    let assets = bounds.iter().enumerate().map(|(n, [worst, best])| AssetAnswer {
        key: format!("asset-{n}"),
        in_headline: true,
        answer: if worst == best { worst.answer() } else { Answer::Unknown },
        bounds: [*worst, *best],
        rated: *worst,
        prevention: if *worst == Rank::Stopped { Prevention::Stopped } else { Prevention::Open },
        ..model.clone()
    });
    all.assets = assets.collect();
    all
}

fn code(bounds: &[[Rank; 2]], word: &str) -> u8 {
    exit(&assessment(bounds), threshold(word), &Policy::default()).code
}

#[test]
fn each_word_includes_the_worse_answers() {
    let reached = |word| RANKS.into_iter().filter(|rank| threshold(word).reached(*rank)).count();
    let words = ["nothing", "slowed-no-recovery", "recoverable-untested", "recoverable", "slowed"];
    assert_eq!(words.map(reached), [1, 2, 3, 4, 6]);
}

#[test]
fn a_severity_is_no_answer_and_another_word_is_neither() {
    assert_eq!("high".parse::<FailOn>(), Ok(FailOn::Severity(Severity::High)));
    assert!("bad".parse::<FailOn>().unwrap_err().contains("slowed-no-recovery"));
}

#[test]
fn a_definite_answer_fails_at_the_threshold_or_worse() {
    for (n, rank) in RANKS.into_iter().enumerate() {
        for (word, worst) in
            [("nothing", 0), ("slowed-no-recovery", 1), ("recoverable-untested", 2), ("recoverable", 3), ("slowed", 5)]
        {
            assert_eq!(code(&[[rank, rank]], word), u8::from(n <= worst), "{rank:?} {word}");
        }
    }
}

#[test]
fn an_unknown_answer_is_never_a_pass_and_fails_only_where_its_best_does() {
    for (bounds, word, wanted) in [
        ([Rank::Nothing, Rank::Stopped], "nothing", 3),
        ([Rank::Nothing, Rank::SlowedNoRecovery], "slowed-no-recovery", 1),
        ([Rank::Nothing, Rank::SlowedNoRecovery], "nothing", 3),
        ([Rank::SlowedTested, Rank::Stopped], "nothing", 3),
    ] {
        assert_eq!(code(&[bounds], word), wanted, "{bounds:?} {word}");
    }
    let stopped = [Rank::Stopped, Rank::Stopped];
    let nothing = [Rank::Nothing, Rank::Nothing];
    let unknown = [Rank::Nothing, Rank::Stopped];
    assert_eq!(code(&[stopped, unknown], "nothing"), 3);
    assert_eq!(code(&[stopped, unknown, nothing], "nothing"), 1);
    assert_eq!(code(&[stopped], "slowed"), 0);
}

#[test]
fn no_asset_is_no_pass() {
    assert_eq!(code(&[], "nothing"), 3);
    let mut elsewhere = assessment(&[[Rank::Nothing, Rank::Nothing]]);
    elsewhere.assets[0].in_headline = false;
    assert_eq!(exit(&elsewhere, threshold("slowed"), &Policy::default()).code, 3);
}

#[test]
fn what_comes_back_outside_its_objectives_fails_as_nothing() {
    let mut late = assessment(&[[Rank::RecoverableTested, Rank::RecoverableTested]]);
    late.assets[0].rated = Rank::Nothing;
    assert_eq!(exit(&late, threshold("nothing"), &Policy::default()).code, 1);
}

#[test]
fn only_a_waiver_in_force_accepts_an_answer() {
    let all = assessment(&[[Rank::Nothing, Rank::Nothing], [Rank::Nothing, Rank::Stopped]]);
    let waiver = |subject: &str, check: &str, expires: Time| Waiver {
        check: check.to_owned(),
        subject: subject.to_owned(),
        reason: "r".to_owned(),
        approved_by: "p".to_owned(),
        expires,
    };
    let later = all.assessed_at.plus(deadstop_core::time::Span::days(1));
    let first = waiver("asset-0", SURVIVES, later);
    let second = waiver("asset-1", SURVIVES, later);
    for (waivers, wanted) in [
        (vec![first.clone()], 3),
        (vec![first.clone(), second], 0),
        (vec![waiver("asset-0", SURVIVES, all.assessed_at)], 1),
        (vec![waiver("asset-0", "another-check", later)], 1),
        (vec![waiver("asset-9", SURVIVES, later)], 1),
    ] {
        let policy = Policy { waivers, ..Policy::default() };
        assert_eq!(exit(&all, threshold("nothing"), &policy).code, wanted, "{:?}", policy.waivers);
    }
    let policy = Policy { waivers: vec![first], ..Policy::default() };
    assert!(exit(&all, threshold("nothing"), &policy).reason.contains("1 accepted by a waiver"));
}

#[test]
fn a_failing_check_counts_from_its_severity_on_unless_it_is_waived() {
    let text = include_str!("../../tests/report/sample.json");
    let finding = serde_json::from_str::<Assessment>(text).unwrap().findings.remove(0);
    let stopped = assessment(&[[Rank::Stopped, Rank::Stopped]]);
    for (verdict, severity, waiver, fail_on, wanted) in [
        ("fail", "critical", None, "critical", 1),
        ("fail", "high", None, "critical", 0),
        ("fail", "high", None, "high", 1),
        ("fail", "critical", None, "low", 1),
        ("fail", "info", None, "low", 0),
        ("fail", "a word of a later version", None, "critical", 1),
        ("fail", "critical", Some("accepted"), "critical", 0),
        ("unknown", "critical", None, "critical", 0),
        ("pass", "critical", None, "critical", 0),
        ("not_applicable", "critical", None, "critical", 0),
    ] {
        let mut all = stopped.clone();
        all.findings.push(Finding {
            verdict: verdict.into(),
            severity: severity.into(),
            waiver: waiver.map(str::to_owned),
            ..finding.clone()
        });
        let threshold = Threshold::default().with(fail_on.parse().unwrap());
        assert_eq!(exit(&all, threshold, &Policy::default()).code, wanted, "{verdict} {severity} {waiver:?} {fail_on}");
    }
    let (answer, severity) = ("nothing".parse().unwrap(), "low".parse().unwrap());
    let both = Threshold::default().with(severity).with(answer);
    assert_eq!(both, Threshold::default().with(answer).with(severity));
}
