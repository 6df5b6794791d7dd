//! The rules of detection, one data file a provider (floor 5). Regular expressions are built when first needed, so that
//! a start costs next to nothing.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use regex::bytes::{Regex, RegexBuilder};
use serde::Deserialize;

use super::store::listed::{Entry, Stores};

/// One provider's file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Provider {
    pub(crate) provider: String,
    pub(crate) title: String,
    /// Whether there is data to lose at it.
    pub(crate) assets: bool,
    /// The day on which the rules were last compared with the source, or `not yet`.
    pub(crate) reviewed: String,
    pub(crate) source: String,
    /// Files that hold its credentials.
    #[serde(default)]
    stores: Vec<Entry>,
    rules: Vec<RuleText>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleText {
    kind: String,
    #[serde(default)]
    anchors: Vec<String>,
    pattern: Option<String>,
    #[serde(default)]
    names: Vec<String>,
    value: Option<String>,
    #[serde(default = "window")]
    window: usize,
    #[serde(default)]
    renews: bool,
    /// Whether it is one part of another credential and none by itself.
    #[serde(default)]
    part: bool,
    #[cfg_attr(not(test), expect(dead_code, reason = "the tests run them"))]
    examples: Vec<String>,
    #[cfg_attr(not(test), expect(dead_code, reason = "the tests run them"))]
    negatives: Vec<String>,
}

const fn window() -> usize {
    420
}

/// One way to know a credential.
pub(crate) struct Rule {
    pub(crate) provider: String,
    pub(crate) kind: String,
    pub(crate) window: usize,
    pub(crate) renews: bool,
    pub(crate) part: bool,
    expression: Option<String>,
    built: OnceLock<Option<Regex>>,
}

impl Rule {
    /// The rule's pattern, or the form its value must have.
    pub(crate) fn regex(&self) -> Option<&Regex> {
        self.built
            .get_or_init(|| {
                let expression = self.expression.as_deref()?;
                RegexBuilder::new(expression).unicode(false).build().ok()
            })
            .as_ref()
    }
}

/// All rules, with what leads to them.
pub(crate) struct Rules {
    pub(crate) providers: BTreeMap<String, Provider>,
    pub(crate) rules: Vec<Rule>,
    /// Anchors and the rules to confirm at each.
    pub(crate) anchors: BTreeMap<String, Vec<usize>>,
    /// Upper-case variable names and their rules.
    pub(crate) names: BTreeMap<String, usize>,
    /// The known stores.
    pub(crate) stores: Stores,
}

/// The rule files, by name.
const FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/rules.rs"));

impl Rules {
    /// The built-in rules. A file that does not parse is left out here and fails a test.
    pub(crate) fn built_in() -> Self {
        let mut all = Self {
            providers: BTreeMap::new(),
            rules: Vec::new(),
            anchors: BTreeMap::new(),
            names: BTreeMap::new(),
            stores: Stores::default(),
        };
        for (_, text) in FILES {
            let Ok(mut provider) = serde_yaml::from_str::<Provider>(text) else { continue };
            for rule in std::mem::take(&mut provider.rules) {
                let at = all.rules.len();
                for anchor in rule.anchors {
                    all.anchors.entry(anchor).or_default().push(at);
                }
                for name in rule.names {
                    all.names.insert(name, at);
                }
                all.rules.push(Rule {
                    provider: provider.provider.clone(),
                    kind: rule.kind,
                    window: rule.window,
                    renews: rule.renews,
                    part: rule.part,
                    expression: rule.pattern.or(rule.value),
                    built: OnceLock::new(),
                });
            }
            all.stores.extend(&provider.provider, std::mem::take(&mut provider.stores));
            all.providers.insert(provider.provider.clone(), provider);
        }
        all
    }

    /// The rule for a variable name: its own, or that of the longest known name it ends in.
    pub(crate) fn by_name(&self, upper: &str) -> Option<&Rule> {
        let mut rest = upper;
        loop {
            if let Some(rule) = self.names.get(rest).and_then(|at| self.rules.get(*at)) {
                return Some(rule);
            }
            rest = rest.split_once('_')?.1;
        }
    }

    /// A provider whose name is a word of `upper`.
    pub(crate) fn by_word(&self, upper: &str) -> Option<&str> {
        upper.split('_').find_map(|word| {
            let lower = word.to_ascii_lowercase();
            let name = match lower.as_str() {
                "gcp" => "google",
                "atlas" => "mongodb_atlas",
                "cf" => "cloudflare",
                "pg" | "postgresql" => "postgres",
                "mongo" => "mongodb",
                other => other,
            };
            self.providers.get(name).filter(|known| known.provider != "unknown").map(|known| known.provider.as_str())
        })
    }

    /// Whether there is data to lose at a provider.
    pub(crate) fn has_assets(&self, provider: &str) -> bool {
        self.providers.get(provider).is_some_and(|known| known.assets)
    }
}

#[cfg(test)]
mod tests {
    use super::super::scan::{Scanner, Style};
    use super::*;

    fn found(scanner: &Scanner, text: &str, provider: &str, kind: &str) -> bool {
        let mut out = Vec::new();
        scanner.scan(text.as_bytes(), 0..text.len(), Style::Config, &mut out);
        out.iter().any(|raw| raw.provider == provider && raw.kind == kind)
    }

    #[test]
    fn every_rule_finds_its_examples_and_not_its_negatives() {
        let scanner = Scanner::new();
        let mut tried = 0;
        for (name, text) in FILES {
            let file: Provider = serde_yaml::from_str(text).unwrap();
            assert_eq!(*name, format!("{}.yaml", file.provider));
            assert!(
                !file.source.is_empty()
                    && (file.reviewed == "not yet" || file.reviewed.len() == 10)
                    && !file.title.is_empty()
            );
            for rule in &file.rules {
                assert!(!rule.examples.is_empty() && !rule.negatives.is_empty(), "{} {}", file.provider, rule.kind);
                for example in &rule.examples {
                    let example = example.replace('~', "");
                    assert!(found(&scanner, &example, &file.provider, &rule.kind), "{} {}", file.provider, example);
                    tried += 1;
                }
                for negative in &rule.negatives {
                    let negative = negative.replace('~', "");
                    assert!(!found(&scanner, &negative, &file.provider, &rule.kind), "{} {negative}", file.provider);
                }
            }
        }
        assert!(tried > 400);
    }

    #[test]
    fn there_are_enough_kinds_and_every_name_is_looked_for() {
        let rules = Rules::built_in();
        assert_eq!(rules.providers.len(), FILES.len());
        let kinds: std::collections::BTreeSet<_> =
            rules.rules.iter().map(|rule| (&rule.provider, &rule.kind)).collect();
        assert!(kinds.len() >= 170, "{}", kinds.len());
    }

    #[test]
    fn every_provider_that_can_destroy_has_rules() {
        let rules = Rules::built_in();
        for chapter in deadstop_core::catalogue::chapters() {
            let known = rules.providers.get(&chapter.provider);
            assert!(known.is_some_and(|known| known.assets), "{}", chapter.provider);
        }
    }

    #[test]
    fn no_anchor_hides_another() {
        // The first anchor that begins at a place is taken, so none may begin as another does and lead elsewhere.
        let rules = Rules::built_in();
        for (short, leads) in &rules.anchors {
            for (long, others) in rules.anchors.range(format!("{short}\0")..) {
                let hidden = long.to_ascii_lowercase().starts_with(&short.to_ascii_lowercase()) && leads != others;
                assert!(!hidden, "{short} hides {long}");
            }
        }
    }

    #[test]
    fn every_expression_builds() {
        for rule in Rules::built_in().rules {
            assert!(rule.expression.is_none() || rule.regex().is_some(), "{} {}", rule.provider, rule.kind);
        }
    }
}
