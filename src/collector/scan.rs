//! Finding credentials in text by their form and by the names beside them (floor 5).
//!
//! One pass finds the anchors; what stands at each is confirmed in a small window around it.

use std::ops::Range;

use deadstop_core::time::Time;

use super::anchors::Anchors;
use super::assignment;
use super::commands;
use super::files;
use super::find::Strength;
use super::hosts;
use super::locator::{self, Locator};
use super::rules::{Rule, Rules};
use super::strings;
use crate::secret::Secret;

/// How values are written in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// `NAME=value` to the end of the line.
    Env,
    /// Values with or without quotes.
    Config,
    /// Only what stands in quotes is a value.
    Code,
}

/// A credential in a piece of text.
pub(crate) struct Raw {
    pub(crate) provider: String,
    pub(crate) kind: String,
    pub(crate) strength: Strength,
    pub(crate) secret: Option<Secret>,
    /// The session token that an AWS key works with.
    pub(crate) token: Option<Secret>,
    pub(crate) public_id: Option<String>,
    /// The account that it is sent beside, where it has to be.
    pub(crate) account: Option<String>,
    pub(crate) key: Option<String>,
    pub(crate) renews: bool,
    pub(crate) part: bool,
    pub(crate) scope: Option<String>,
    /// When it ends, as it says itself.
    pub(crate) expires: Option<Time>,
    pub(crate) database: Option<Locator>,
    /// The paths that a URL of a file may mean.
    pub(crate) files: Vec<String>,
    /// Where the value stands.
    pub(crate) at: Range<usize>,
    /// A value that its documentation made up.
    pub(crate) dummy: bool,
}

impl Raw {
    pub(crate) fn new(rule: &Rule, strength: Strength, value: &[u8], at: Range<usize>) -> Self {
        Self {
            renews: rule.renews,
            part: rule.part,
            ..Self::plain(&rule.provider, &rule.kind, strength, Some(value), at)
        }
    }

    pub(crate) fn plain(
        provider: &str,
        kind: &str,
        strength: Strength,
        value: Option<&[u8]>,
        at: Range<usize>,
    ) -> Self {
        Self {
            provider: provider.to_owned(),
            kind: kind.to_owned(),
            strength,
            secret: value.map(Secret::new),
            public_id: None,
            account: None,
            key: None,
            renews: false,
            part: false,
            token: None,
            scope: None,
            expires: None,
            database: None,
            files: Vec::new(),
            at,
            dummy: false,
        }
    }
}

/// What an anchor leads to.
pub(super) enum Lead {
    /// Rules to confirm; the anchor as it must be written.
    Form(String, Vec<usize>),
    /// `://`.
    Locator,
    /// A word of a name.
    Word,
    /// What a URL of a file begins with.
    File(&'static str),
    /// `@tcp(` of a Go data source name.
    Dsn,
    /// The name of a database client.
    Program(&'static str),
}

/// Parts of names that secrets have. Every name in a rule file holds one of them.
const WORDS: [&str; 17] = [
    "token",
    "secret",
    "passw",
    "pwd",
    "_pass",
    "-pass",
    "apikey",
    "api-key",
    "_key",
    "accesskey",
    "secretkey",
    "privatekey",
    "accountkey",
    "_auth",
    "\"auth\"",
    "_pat",
    "authorization",
];

/// Bytes looked at before an anchor, for anchors that stand within what they mark.
const LOOK_BACK: usize = 60;

/// The rules and the anchors that lead to them.
pub(crate) struct Scanner {
    pub(crate) rules: Rules,
    anchors: Option<Anchors>,
    leads: Vec<Lead>,
}

impl Scanner {
    pub(crate) fn new() -> Self {
        let rules = Rules::built_in();
        let (anchors, leads) = Self::anchors(&rules);
        Self { rules, anchors: Anchors::new(&anchors), leads }
    }

    /// The anchors, and what each leads to.
    pub(super) fn anchors(rules: &Rules) -> (Vec<String>, Vec<Lead>) {
        let forms = rules.anchors.iter().map(|(anchor, at)| (anchor.clone(), Lead::Form(anchor.clone(), at.clone())));
        let words = WORDS.iter().map(|word| ((*word).to_owned(), Lead::Word));
        let signs = ["@tcp(", "@unix("].map(|sign| (sign.to_owned(), Lead::Dsn));
        let programs = commands::PROGRAMS.map(|program| (program.to_owned(), Lead::Program(program)));
        let locator = [("://".to_owned(), Lead::Locator)];
        let files = files::SIGNS.map(|sign| (sign.to_owned(), Lead::File(sign)));
        forms.chain(files).chain(locator).chain(words).chain(signs).chain(programs).unzip()
    }

    /// Adds what starts within `fresh` of `text`.
    pub(crate) fn scan(&self, text: &[u8], fresh: Range<usize>, style: Style, out: &mut Vec<Raw>) {
        let Some(anchors) = &self.anchors else { return };
        let begin = out.len();
        let mut name_end = 0;
        anchors.each(text, |number, at| {
            if !fresh.contains(&at.start) {
                return;
            }
            match self.leads.get(number) {
                Some(Lead::Form(anchor, rules)) if text.get(at.clone()) == Some(anchor.as_bytes()) => {
                    self.confirm(text, at.start, rules, out);
                }
                Some(Lead::File(sign)) => files::scan(text, at.start, sign, style, out),
                Some(Lead::Locator) => locator::scan(text, at.start, style, out),
                Some(Lead::Word) if at.start >= name_end => {
                    name_end = strings::scan(text, at.start, style, out)
                        .unwrap_or_else(|| assignment::scan(&self.rules, text, at.start, style, out));
                }
                Some(Lead::Dsn) => strings::go_dsn(text, at.start, style, out),
                Some(Lead::Program(program)) if text.get(at.clone()) == Some(program.as_bytes()) => {
                    commands::scan(text, at.start, program, style, out);
                }
                Some(Lead::Form(..) | Lead::Word | Lead::Program(_)) | None => {}
            }
        });
        drop_overlapped(out, begin);
        out.iter_mut().skip(begin).for_each(|raw| hosts::place(raw, text));
    }

    /// What a variable called `name` with this value is.
    pub(crate) fn pair(&self, name: &str, value: &str) -> Vec<Raw> {
        let mut text = format!("{name}=").into_bytes();
        text.extend_from_slice(value.as_bytes());
        let mut out = Vec::new();
        self.scan(&text, 0..text.len(), Style::Env, &mut out);
        for raw in &mut out {
            raw.key = Some(name.to_owned());
        }
        out
    }

    fn confirm(&self, text: &[u8], at: usize, rules: &[usize], out: &mut Vec<Raw>) {
        for rule in rules.iter().filter_map(|rule| self.rules.rules.get(*rule)) {
            let Some(regex) = rule.regex() else { continue };
            let from = at.saturating_sub(LOOK_BACK);
            let to = text.len().min(at + rule.window);
            let Some(window) = text.get(from..to) else { continue };
            let Some(found) = regex
                .captures_iter(window)
                .find(|found| found.get(0).is_some_and(|all| (from + all.start()..from + all.end()).contains(&at)))
                .and_then(|found| found.get(1))
            else {
                continue;
            };
            let at = from + found.start()..from + found.end();
            let mut raw = Raw::new(rule, Strength::Pattern, found.as_bytes(), at.clone());
            raw.key = key_before(text, at.start);
            raw.dummy = is_dummy(found.as_bytes());
            if regex.capture_names().flatten().any(|name| name == "id") {
                raw.public_id = Some(String::from_utf8_lossy(found.as_bytes()).into_owned());
                raw.secret = None;
            }
            if rule.kind == "jwt" {
                super::jwt::describe(&mut raw, found.as_bytes());
            } else if rule.kind == "private_key" {
                super::keys::describe(&mut raw, found.as_bytes());
            }
            out.push(raw);
            return;
        }
    }
}

/// Of two finds over the same bytes the surer one stays, with the name that the other saw if it saw none.
fn drop_overlapped(out: &mut Vec<Raw>, begin: usize) {
    let mut fresh = out.split_off(begin);
    fresh.sort_by_key(|raw| (raw.at.start, std::cmp::Reverse(raw.strength)));
    let mut kept: Vec<Raw> = Vec::new();
    for raw in fresh {
        match kept.last_mut().filter(|last| raw.at.start < last.at.end) {
            Some(last) if last.strength == raw.strength => kept.push(raw),
            Some(last) => {
                let (key, other) = (last.key.take(), raw.key.clone());
                if raw.strength > last.strength {
                    *last = raw;
                }
                last.key = last.key.take().or(key).or(other);
            }
            None => kept.push(raw),
        }
    }
    out.append(&mut kept);
}

/// Whether a byte may stand in a name.
pub(crate) const fn in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// The name before a value: `NAME=`, `"name": "`, `name: Bearer `, or the `name:` line before `value:`.
pub(crate) fn key_before(text: &[u8], at: usize) -> Option<String> {
    let from = at.saturating_sub(200);
    let line = text.get(from..at)?;
    let line = line.iter().rposition(|byte| *byte == b'\n').map_or(line, |end| line.get(end + 1..).unwrap_or_default());
    let mut head = trim_end(line);
    for scheme in [b"Bearer".as_slice(), b"Basic", b"token"] {
        head = head.strip_suffix(scheme).map_or(head, trim_end);
    }
    let sign = head.last()?;
    if !matches!(sign, b'=' | b':' | b'>') {
        return None;
    }
    if *sign == b':' && line.last() == Some(sign) {
        // `word:value` with nothing between: a login, whose first part may be as secret as its second.
        return None;
    }
    let head = trim_end(head.strip_suffix(b"=>").or_else(|| head.strip_suffix(b":=")).unwrap_or(head));
    let head = trim_end(head.strip_suffix(b"=").or_else(|| head.strip_suffix(b":")).unwrap_or(head));
    let length = head.iter().rev().take_while(|byte| in_name(**byte)).count();
    let (front, name) = head.split_at_checked(head.len() - length)?;
    if front.ends_with(b"//") {
        // The user of a URL, and no name of a setting.
        return None;
    }
    let name = Some(name).filter(|name| !name.is_empty() && name.len() <= 100)?;
    if name == b"value" {
        return name_line(text.get(from..at)?);
    }
    Some(String::from_utf8_lossy(name).into_owned())
}

/// In `name: KEY … value:` the key.
fn name_line(before: &[u8]) -> Option<String> {
    let mark = before.windows(4).rposition(|window| window == b"name")?;
    let rest = before.get(mark + 4..)?;
    let start = rest.iter().position(|byte| in_name(*byte))?;
    let name: Vec<u8> = rest.get(start..)?.iter().copied().take_while(|byte| in_name(*byte)).collect();
    Some(String::from_utf8_lossy(&name).into_owned())
}

fn trim_end(mut text: &[u8]) -> &[u8] {
    while let Some((last, rest)) = text.split_last() {
        if !matches!(last, b' ' | b'\t' | b'"' | b'\'' | b'\\' | b'`') {
            break;
        }
        text = rest;
    }
    text
}

/// Whether a value is one that documentation made up.
pub(crate) fn is_dummy(value: &[u8]) -> bool {
    let upper = value.to_ascii_uppercase();
    let same = value.iter().skip(8).collect::<std::collections::BTreeSet<_>>().len() <= 1 && value.len() > 9;
    let has = |word: &[u8]| memchr::memmem::find(&upper, word).is_some();
    same || has(b"EXAMPLE") || has(b"XXXXX") || has(b"0123456789")
}
