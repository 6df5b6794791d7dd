//! Golden worlds: hand-written facts, and the answer that has to come of them.
//!
//! Each file of `tests/worlds` says in a sentence what it is about, gives facts in shorthand, and names the answer of
//! its assets. The built-in worlds of `worlds` are held to theirs in the same way.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "the harness hands the files of tests/ and worlds/ to the core")]

use deadstop_core::assess::assess;
use deadstop_core::assessment::{Assessment, AssetAnswer};
use deadstop_core::bundle::merge;
use deadstop_core::shorthand::expand;
use deadstop_core::verdict::{Answer, LayerState, Prevention, Rank, Recovery};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What a world expects. Whatever is left out may be anything.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    headline: Option<ExpectHeadline>,
    exit: Option<i32>,
    #[serde(default)]
    assets: BTreeMap<String, ExpectAsset>,
    /// How many assets there are in all.
    total: Option<usize>,
    /// By session and file, the ways that still read a file that another way does not show.
    #[serde(default)]
    still_read: BTreeMap<String, BTreeMap<String, Vec<String>>>,
    /// How many gaps are left to settle.
    gaps: Option<usize>,
    fixes: Option<ExpectFixes>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectHeadline {
    answer: Option<Answer>,
    of: Option<usize>,
    assumed: Option<usize>,
    #[serde(default)]
    says: Vec<String>,
    nothing: Option<usize>,
    recoverable: Option<usize>,
    slowed: Option<usize>,
    stopped: Option<usize>,
    unknown: Option<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectAsset {
    answer: Option<Answer>,
    prevention: Option<Prevention>,
    recovery: Option<Recovery>,
    bounds: Option<[Rank; 2]>,
    rated: Option<Rank>,
    assumed: Option<bool>,
    counted: Option<bool>,
    #[serde(default)]
    layers: BTreeMap<String, LayerState>,
    /// What the sentence, the reasons or the bypasses of the layers have to name.
    #[serde(default)]
    names: Vec<String>,
    /// What the sentence itself has to name.
    #[serde(default)]
    sentence: Vec<String>,
    /// What none of them may say.
    #[serde(default)]
    never: Vec<String>,
    action: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectFixes {
    reached: Option<bool>,
    /// Keys of candidates that the plan takes.
    #[serde(default)]
    plan: Vec<String>,
    /// Keys of candidates that have to be offered.
    #[serde(default)]
    offers: Vec<String>,
    /// Keys of candidates that must not be offered.
    #[serde(default)]
    withholds: Vec<String>,
    /// Keys of candidates that must not bring any asset to the target by themselves.
    #[serde(default)]
    not_enough: Vec<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn worlds(folder: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join(folder)).unwrap();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.extension().is_some_and(|ext| ext == "yaml"));
    found.sort();
    found
}

/// Differences between what is expected and what is, in lines.
struct Diff(Vec<String>);

impl Diff {
    fn same<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, expected: Option<T>, found: T) {
        if let Some(expected) = expected
            && expected != found
        {
            self.0.push(format!("{what}: expected {expected:?}, found {found:?}"));
        }
    }

    fn says(&mut self, what: &str, text: &str, expected: &[String]) {
        let lower = text.to_lowercase();
        for words in expected.iter().filter(|words| !lower.contains(&words.to_lowercase())) {
            self.0.push(format!("{what}: does not name `{words}` in\n      {text}"));
        }
    }
}

/// The exit code with the default thresholds.
fn exit(assessment: &Assessment) -> i32 {
    let counted: Vec<&AssetAnswer> = assessment.assets.iter().filter(|asset| asset.in_headline).collect();
    let fails = |asset: &&AssetAnswer| {
        let worst = if asset.answer == Answer::Unknown { asset.bounds[1] } else { asset.rated };
        worst <= Rank::SlowedNoRecovery
    };
    if counted.iter().any(fails) {
        1
    } else if counted.is_empty() || counted.iter().any(|asset| asset.answer == Answer::Unknown) {
        3
    } else {
        0
    }
}

fn told(asset: &AssetAnswer, assessment: &Assessment) -> String {
    let layers = asset.layers.iter().map(|layer| {
        let bypass = layer.bypass.as_ref().map_or_else(String::new, |by| format!(" [it may {by}]"));
        format!("\n        {} {}: {}{bypass}", layer.layer.word(), layer.state.word(), layer.because)
    });
    let gaps = assessment.gaps.iter().filter(|gap| asset.settled_by.contains(&gap.id));
    let asked = gaps.map(|gap| format!("\n        would settle it: {}", gap.asked));
    format!("{}{}{}", asset.sentence, layers.collect::<String>(), asked.collect::<String>())
}

fn compare_asset(diff: &mut Diff, key: &str, expect: &ExpectAsset, assessment: &Assessment) {
    let Some(asset) = assessment.assets.iter().find(|asset| asset.key == key || asset.name == key) else {
        let keys: Vec<&str> = assessment.assets.iter().map(|asset| asset.key.as_str()).collect();
        diff.0.push(format!("{key}: no such asset among {keys:?}"));
        return;
    };
    let before = diff.0.len();
    diff.same(&format!("{key} answer"), expect.answer, asset.answer);
    diff.same(&format!("{key} prevention"), expect.prevention, asset.prevention);
    diff.same(&format!("{key} recovery"), expect.recovery, asset.recovery);
    diff.same(&format!("{key} bounds"), expect.bounds, asset.bounds);
    diff.same(&format!("{key} rated"), expect.rated, asset.rated);
    diff.same(&format!("{key} assumed"), expect.assumed, asset.assumed_environment);
    diff.same(&format!("{key} counted"), expect.counted, asset.in_headline);
    let worst = assessment.paths.iter().find(|path| Some(&path.id) == asset.worst_path.as_ref());
    if let Some(action) = &expect.action {
        diff.same(&format!("{key} action"), Some(action.as_str()), worst.map_or("none", |path| path.action.as_str()));
    }
    for (layer, state) in &expect.layers {
        let found = asset.layers.iter().find(|held| held.layer.word() == layer).map(|held| held.state);
        diff.same(&format!("{key} {layer}"), Some(Some(*state)), found);
    }
    let text = told(asset, assessment);
    diff.says(key, &text, &expect.names);
    diff.says(&format!("{key} in one sentence"), &asset.sentence, &expect.sentence);
    for words in expect.never.iter().filter(|words| text.contains(words.as_str())) {
        diff.0.push(format!("{key}: says `{words}`"));
    }
    if diff.0.len() > before {
        diff.0.push(format!("  it says {text}"));
    }
}

fn compare_headline(diff: &mut Diff, expect: &ExpectHeadline, assessment: &Assessment) {
    let headline = &assessment.headline;
    diff.same("headline answer", expect.answer, headline.answer);
    diff.same("headline of", expect.of, headline.of);
    diff.same("headline assumed", expect.assumed, headline.assumed);
    diff.same("headline nothing", expect.nothing, headline.counts.nothing);
    diff.same("headline recoverable", expect.recoverable, headline.counts.recoverable);
    diff.same("headline slowed", expect.slowed, headline.counts.slowed);
    diff.same("headline stopped", expect.stopped, headline.counts.stopped);
    diff.same("headline unknown", expect.unknown, headline.counts.unknown);
    diff.says("headline", &headline.sentence, &expect.says);
}

fn compare_fixes(diff: &mut Diff, expect: &ExpectFixes, assessment: &Assessment) {
    let fixes = &assessment.fixes;
    let listed = || fixes.all.iter().map(|fix| format!("{} {}", fix.key, fix.effort)).collect::<Vec<_>>().join(", ");
    diff.same("fixes reached", expect.reached, fixes.reached);
    for key in &expect.plan {
        let taken = fixes.all.iter().any(|fix| fix.key == *key && fixes.minimal.contains(&fix.id));
        if !taken {
            diff.0.push(format!("fixes: the plan {:?} does not take `{key}` of {}", fixes.minimal, listed()));
        }
    }
    for key in expect.withholds.iter().filter(|key| fixes.all.iter().any(|fix| fix.key == **key)) {
        diff.0.push(format!("fixes: `{key}` is among {}", listed()));
    }
    for key in expect.offers.iter().chain(&expect.not_enough) {
        match fixes.all.iter().find(|fix| fix.key == *key) {
            None => diff.0.push(format!("fixes: `{key}` is not among {}", listed())),
            Some(fix) if expect.not_enough.contains(key) && !fix.closes_assets.is_empty() => {
                diff.0.push(format!("fixes: `{key}` closes {:?} by itself", fix.closes_assets));
            }
            Some(_) => {}
        }
    }
}

fn check(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    let (bundles, meta) = match expand(&text) {
        Ok(read) => read,
        Err(error) => return vec![error.to_string()],
    };
    let expect: Expect = match serde_json::from_value(meta.expect) {
        Ok(expect) => expect,
        Err(error) => return vec![format!("expect: {error}")],
    };
    let assessment = assess(&merge(&bundles), &meta.policy);
    let mut diff = Diff(Vec::new());
    diff.same("exit", expect.exit, exit(&assessment));
    diff.same("gaps", expect.gaps, assessment.gaps.len());
    diff.same("assets in all", expect.total, assessment.assets.len());
    for (key, files) in &expect.still_read {
        let session = assessment.sessions.iter().find(|session| session.key == *key);
        let kept = session.iter().flat_map(|session| &session.kept);
        let kept = kept.map(|row| (row.path.clone(), row.still_read_by.clone())).collect();
        diff.same("still read", Some(files.clone()), kept);
    }
    if let Some(headline) = &expect.headline {
        compare_headline(&mut diff, headline, &assessment);
    }
    for (key, asset) in &expect.assets {
        compare_asset(&mut diff, key, asset, &assessment);
    }
    if let Some(fixes) = &expect.fixes {
        compare_fixes(&mut diff, fixes, &assessment);
    }
    diff.0
}

fn hold(folder: &str) {
    let only = std::env::var("WORLD").unwrap_or_default();
    let mut failed = Vec::new();
    let found = worlds(folder);
    assert!(!found.is_empty(), "no world in {folder}");
    for path in found.iter().filter(|path| path.to_string_lossy().contains(&only)) {
        let lines = check(path);
        if !lines.is_empty() {
            let name = path.file_stem().unwrap_or_default().to_string_lossy();
            failed.push(format!("{name}\n    {}", lines.join("\n    ")));
        }
    }
    assert!(failed.is_empty(), "{} of {} worlds differ:\n{}", failed.len(), found.len(), failed.join("\n"));
}

#[test]
fn golden_worlds_have_the_answer_they_are_written_for() {
    hold("tests/worlds");
}

#[test]
fn built_in_worlds_have_the_answer_they_are_written_for() {
    hold("worlds");
}
