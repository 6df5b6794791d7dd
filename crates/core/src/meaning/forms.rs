//! The forms of command lines that are known: which operation each amounts to, or that it destroys nothing (floor 2).

use serde::Deserialize;
use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::syntax::Word;
use crate::time::Time;

const DATA: &str = include_str!("../../data/forms.yaml");

/// The forms of some programs, with where they are documented.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// The programs, by every name that they have.
    pub program: Vec<String>,
    /// The provider that they call.
    pub provider: String,
    /// Where they are documented.
    pub source: String,
    /// When someone last compared the forms with that.
    pub reviewed: Time,
    /// Options that take a value.
    #[serde(default)]
    pub values: Vec<String>,
    /// Options that take none.
    #[serde(default)]
    pub flags: Vec<String>,
    /// Forms that destroy nothing.
    #[serde(default)]
    pub reads: Vec<String>,
    /// Options with which those may destroy something after all.
    #[serde(default)]
    pub reads_without: Vec<String>,
    /// Forms that do.
    #[serde(default)]
    pub forms: Vec<Form>,
}

/// One form.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// Its words: `a|b` for either, `*` for any one; a last word in front of `…` may go on.
    pub form: String,
    /// Options of which one has to be there.
    #[serde(default)]
    pub with: Vec<String>,
    /// Options of which none may be there.
    #[serde(default)]
    pub without: Vec<String>,
    /// Its provider, if not that of the group.
    #[serde(default)]
    pub provider: Option<String>,
    /// The operations of the catalogue, or of this machine.
    #[serde(default)]
    pub action: Vec<String>,
    /// Operations that it may amount to, depending on what the text does not say.
    #[serde(default)]
    pub may: Vec<String>,
    /// Where the name of what it is called on stands: an option, or `$1` for the first word after the form.
    #[serde(default)]
    pub asset: Vec<String>,
    /// What of it is looked into further.
    #[serde(default)]
    pub then: Option<Then>,
    /// Why the operation is not known, where that is so.
    #[serde(default)]
    pub unknown: Option<String>,
    /// Where it is documented, if not where the group says.
    #[serde(default)]
    pub source: Option<String>,
}

/// What of a form is looked into further.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Then {
    /// In what language it is: `command` or `shell` for what runs, `sql`, `mongo`, `redis`.
    pub read: Language,
    /// The options that hold it.
    #[serde(default)]
    pub options: Vec<String>,
    /// The options that name a file of it.
    #[serde(default)]
    pub files: Vec<String>,
    /// Whether it is piped in where no option holds it.
    #[serde(default)]
    pub stdin: bool,
    /// The number of the word after the form at which it begins, from 1.
    #[serde(default)]
    pub word: Option<usize>,
}

/// The language of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Words that are run as they are.
    Command,
    /// Text for a shell.
    Shell,
    /// SQL as PostgreSQL takes it.
    Postgres,
    /// SQL as MySQL takes it.
    Mysql,
    /// SQL as `SQLite` takes it.
    Sqlite,
    /// SQL as `BigQuery` takes it.
    Bigquery,
    /// What `mongosh` takes.
    Mongo,
    /// A command of Redis.
    Redis,
}

static GROUPS: LazyLock<Vec<Group>> = LazyLock::new(|| read(DATA).unwrap_or_default());
static BY_PROGRAM: LazyLock<BTreeMap<&'static str, Vec<&'static Group>>> = LazyLock::new(|| {
    let mut all: BTreeMap<&str, Vec<&Group>> = BTreeMap::new();
    for group in GROUPS.iter() {
        group.program.iter().for_each(|name| all.entry(name).or_default().push(group));
    }
    all
});

fn read(yaml: &str) -> Result<Vec<Group>, serde_yaml::Error> {
    serde_yaml::from_str(yaml)
}

/// Every group, in the order of the file.
#[must_use]
pub fn groups() -> &'static [Group] {
    &GROUPS
}

/// The groups of a program.
pub(super) fn of(program: &str) -> &'static [&'static Group] {
    BY_PROGRAM.get(program).map_or(&[], Vec::as_slice)
}

/// A form that fits some words.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fit {
    /// The number of words up to the end of the form.
    pub(super) end: usize,
    /// Whether there is no other way to read the words.
    pub(super) sure: bool,
}

impl Group {
    /// Whether a form fits words after the program's name. An option that is not known may take a value or not: both
    /// are tried.
    pub(super) fn fits(&self, form: &str, words: &[Word]) -> Option<Fit> {
        let wanted: Vec<&str> = form.split_whitespace().collect();
        self.step(&wanted, words, 0, true, &mut 2_000)
    }

    fn step(&self, wanted: &[&str], words: &[Word], at: usize, sure: bool, budget: &mut u32) -> Option<Fit> {
        *budget = budget.checked_sub(1)?;
        let Some((next, after)) = wanted.split_first() else { return Some(Fit { end: at, sure }) };
        let word = words.get(at)?;
        if is_option(&word.text) {
            return match self.takes(&word.text) {
                Some(true) => self.step(wanted, words, at + 2, sure, budget),
                Some(false) => self.step(wanted, words, at + 1, sure, budget),
                None => {
                    let as_flag = self.step(wanted, words, at + 1, false, budget);
                    as_flag.or_else(|| self.step(wanted, words, at + 2, false, budget))
                }
            };
        }
        // What a variable holds may be any word, or several.
        if word.open {
            return None;
        }
        let fits = next.split('|').any(|one| match one.strip_suffix('…') {
            Some(start) => word.text.starts_with(start),
            None => one == "*" || one == word.text,
        });
        if fits { self.step(after, words, at + 1, sure, budget) } else { None }
    }

    /// Whether an option takes a value that stands after it; none if it is not known.
    pub(super) fn takes(&self, option: &str) -> Option<bool> {
        if let Some((name, _)) = option.split_once('=') {
            let known = self.values.iter().chain(&self.flags).any(|one| one == name);
            return (known || option.starts_with("--")).then_some(false);
        }
        if self.values.iter().any(|one| one == option) {
            return Some(true);
        }
        if option == "--" || self.flags.iter().any(|one| one == option) {
            return Some(false);
        }
        // `-n5`, `-yf`
        let short = option.strip_prefix('-').filter(|rest| !rest.starts_with('-'))?;
        let first = short.chars().next()?;
        if short.chars().count() > 1 && self.values.iter().any(|one| *one == format!("-{first}")) {
            return Some(false);
        }
        short.chars().all(|c| self.flags.iter().any(|one| *one == format!("-{c}"))).then_some(false)
    }

    /// The words that are no options, and whether that is sure.
    pub(super) fn positional<'w>(&self, words: &'w [Word]) -> (Vec<&'w Word>, bool) {
        let (mut found, mut sure, mut at, mut ended) = (Vec::new(), true, 0, false);
        while let Some(word) = words.get(at) {
            at += 1;
            if ended || !is_option(&word.text) {
                found.push(word);
                continue;
            }
            ended = word.text == "--";
            match self.takes(&word.text) {
                Some(true) => at += 1,
                Some(false) => {}
                None => sure = false,
            }
        }
        (found, sure)
    }
}

/// Whether a word is an option.
pub(super) fn is_option(word: &str) -> bool {
    word.len() > 1 && word.starts_with('-')
}

/// Whether any of some options is given: as a word, with `=`, or among short ones.
pub(super) fn given(options: &[String], words: &[Word]) -> bool {
    let one = |option: &String, word: &str| {
        let short = option.strip_prefix('-').filter(|rest| rest.chars().count() == 1);
        let (option, value) =
            option.split_once('=').map_or((option.as_str(), None), |(name, value)| (name, Some(value)));
        match (short, value) {
            _ if word == option && value.is_none() => true,
            (Some(letter), _) => {
                let cluster = word.strip_prefix('-').filter(|rest| !rest.starts_with('-') && !rest.contains('='));
                cluster.is_some_and(|rest| rest.contains(letter))
            }
            (None, wanted) => word
                .strip_prefix(option)
                .and_then(|rest| rest.strip_prefix('='))
                .is_some_and(|held| wanted.is_none_or(|wanted| wanted == held)),
        }
    };
    let pair = |option: &String| {
        option.split_once('=').is_some_and(|(name, value)| {
            words.windows(2).any(|pair| matches!(pair, [a, b] if a.text == name && b.text == value))
        })
    };
    options.iter().any(|option| words.iter().any(|word| one(option, &word.text)) || pair(option))
}

/// The values of an option.
pub(super) fn values(option: &str, words: &[Word]) -> Vec<Word> {
    let mut found = Vec::new();
    let short = option.len() == 2 && !option.starts_with("--");
    for (at, word) in words.iter().enumerate() {
        if word.text == option {
            let next = words.iter().skip(at + 1);
            // The first is its value even where it looks like an option.
            found.extend(
                next.enumerate().take_while(|(n, word)| *n == 0 || !is_option(&word.text)).map(|(_, w)| w.clone()),
            );
        } else if let Some(value) = word.text.strip_prefix(option).and_then(|rest| rest.strip_prefix('=')) {
            found.push(Word { text: value.to_owned(), open: word.open });
        } else if short && let Some(value) = word.text.strip_prefix(option).filter(|rest| !rest.is_empty()) {
            found.push(Word { text: value.to_owned(), open: word.open });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue;
    use std::collections::BTreeSet;

    fn words(text: &str) -> Vec<Word> {
        text.split_whitespace().map(Word::known).collect()
    }

    #[test]
    fn the_forms_are_read_whole_and_say_where_they_are_from() {
        let groups = read(DATA).unwrap();
        assert_eq!(groups.len(), super::groups().len());
        assert!(groups.len() > 40, "{}", groups.len());
        for group in &groups {
            assert!(group.source.starts_with("https://"), "{:?}", group.program);
            assert!(group.reviewed > "2026-01-01".parse().unwrap());
            let mut seen = BTreeSet::new();
            for form in &group.forms {
                assert!(seen.insert((&form.form, &form.with, &form.without)), "{:?}: {}", group.program, form.form);
                let says = [!form.action.is_empty(), !form.may.is_empty(), form.then.is_some(), form.unknown.is_some()];
                assert!(says.contains(&true), "{:?}: {} says nothing", group.program, form.form);
                assert!(form.source.as_ref().is_none_or(|source| source.starts_with("https://")), "{}", form.form);
            }
        }
    }

    #[test]
    fn every_operation_is_one_of_the_catalogue_or_of_this_machine() {
        let known: BTreeSet<(String, String)> =
            catalogue::actions().into_iter().map(|action| (action.provider, action.action)).collect();
        for group in groups() {
            for form in &group.forms {
                let provider = form.provider.as_ref().unwrap_or(&group.provider);
                for action in form.action.iter().chain(&form.may) {
                    let key = (provider.clone(), action.clone());
                    let local = super::super::LOCAL.iter().any(|(name, _)| name == action);
                    assert!(provider == "machine" && local || known.contains(&key), "{key:?}");
                }
            }
        }
    }

    #[test]
    fn options_stand_anywhere() {
        let group: Group = serde_yaml::from_str(
            "{program: [x], provider: y, source: z, reviewed: 2026-11-30, values: [-p, --profile], flags: [-q]}",
        )
        .unwrap();
        for (form, text, wanted) in [
            ("a b", "a b c", Some((2, true))),
            ("a b", "--profile p a -q b c", Some((5, true))),
            ("a b", "--profile=p a b", Some((3, true))),
            ("a b", "--other a b", Some((3, false))),
            ("a b", "--other o a b", Some((4, false))),
            ("a b", "-pq a b", Some((3, true))),
            ("a b", "b a", None),
            ("a|c b|d", "c d", Some((2, true))),
            ("a * c", "a x c", Some((3, true))),
            ("db:…", "db:drop", Some((1, true))),
        ] {
            let fit = group.fits(form, &words(text)).map(|fit| (fit.end, fit.sure));
            assert_eq!(fit, wanted, "{form} on {text}");
        }
        let held = values("-n", &words("-n a --x -nb"));
        assert_eq!(held.iter().map(|word| word.text.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    }
}
