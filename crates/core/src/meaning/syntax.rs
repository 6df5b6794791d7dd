//! Cuts shell text into every command that it may run, whatever stands around it (floor 2).
//!
//! A gate has to know what its agent makes of a line; this has to know what a shell makes of it. So it looks into
//! groups, loops, functions, substitutions and here documents, and takes all they hold for what may run. What it does
//! not understand is said, and never left out.

mod lexer;

use std::collections::BTreeMap;

use lexer::is_name;

/// The longest text that is looked into.
pub const LONGEST: usize = 64 * 1024;

/// The deepest nesting that is looked into.
pub const DEEPEST: usize = 200;

/// A piece of a word.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    /// As it stands; whether it was quoted.
    Plain(String, bool),
    /// A variable; whether it was quoted.
    Variable(String, bool),
    /// Something that only a shell knows, as it is shown.
    Open(&'static str),
}

/// A word as written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Raw {
    pieces: Vec<Piece>,
}

/// A word as far as it is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Word {
    /// Its text, with what is not known left as written.
    pub(super) text: String,
    /// Whether a part of it is not known.
    pub(super) open: bool,
}

impl Word {
    /// A word of which all is known.
    pub(super) fn known(text: &str) -> Self {
        Self { text: text.to_owned(), open: false }
    }

    /// The text, if all of it is known.
    pub(super) fn plain(&self) -> Option<&str> {
        (!self.open).then_some(self.text.as_str())
    }
}

/// Where a command reads its input from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Input {
    /// From nowhere in this text.
    #[default]
    None,
    /// From the text itself.
    Text(Raw),
    /// From a file.
    File,
    /// From an earlier command, by its number.
    Pipe(usize),
    /// From something that is not one command.
    Unknown,
}

/// One command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Simple {
    /// Variables set for it.
    pub(super) assigned: Vec<(String, Raw)>,
    /// The program and its arguments.
    pub(super) words: Vec<Raw>,
    /// The files that it empties by a redirect.
    pub(super) writes: Vec<Raw>,
    /// Where its input comes from.
    pub(super) input: Input,
}

/// All commands of a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Script {
    /// The commands, in the order in which they end.
    pub(super) commands: Vec<Simple>,
    /// Functions that it defines.
    pub(super) functions: Vec<String>,
    /// Variables that hold one known text from beginning to end.
    pub(super) known: BTreeMap<String, String>,
    /// Why not all of it is known.
    pub(super) doubts: Vec<&'static str>,
}

impl Script {
    /// The words that a written word becomes.
    pub(super) fn words(&self, raw: &Raw) -> Vec<Word> {
        let mut words = Vec::new();
        let mut word = Word::default();
        let mut begun = false;
        for piece in &raw.pieces {
            match piece {
                Piece::Plain(text, quoted) => {
                    word.text.push_str(text);
                    word.open |= !quoted && globs(text);
                    begun = true;
                }
                Piece::Variable(name, quoted) => match self.known.get(name) {
                    Some(text) if *quoted => {
                        word.text.push_str(text);
                        begun = true;
                    }
                    Some(text) => {
                        let parts: Vec<&str> = text.split_whitespace().collect();
                        for (at, part) in parts.iter().enumerate() {
                            if at > 0 {
                                words.push(std::mem::take(&mut word));
                            }
                            word.text.push_str(part);
                            begun = true;
                        }
                    }
                    None => {
                        word.text.push('$');
                        word.text.push_str(name);
                        (word.open, begun) = (true, true);
                    }
                },
                Piece::Open(shown) => {
                    word.text.push_str(shown);
                    (word.open, begun) = (true, true);
                }
            }
        }
        if begun {
            words.push(word);
        }
        words
    }

    /// The word that a written word becomes where it is not cut.
    pub(super) fn word(&self, raw: &Raw) -> Word {
        let words = self.words(raw);
        let text = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
        Word { text, open: words.iter().any(|word| word.open) }
    }
}

/// Whether a shell makes something else of unquoted text. `{}` stands for itself.
fn globs(text: &str) -> bool {
    let braces = text.contains('{') && (text.contains(',') || text.contains(".."));
    braces || text.contains(['*', '?']) || (text.contains('[') && text.contains(']'))
}

/// Words that begin or end something other than a command.
const KEYWORDS: [&str; 15] =
    ["if", "then", "else", "elif", "fi", "while", "until", "do", "done", "{", "}", "!", "time", "coproc", "esac"];

/// Those of them that end a group.
const CLOSERS: [&str; 4] = ["fi", "done", "}", "esac"];

/// Cuts a text.
pub(super) fn cut(text: &str) -> Script {
    let mut parser =
        Parser { chars: text.chars().collect(), at: 0, depth: 0, pending: Vec::new(), out: Script::default() };
    if text.len() > LONGEST {
        parser.doubt("it is longer than 64 KiB");
        return parser.out;
    }
    if parser.run(None).is_err() {
        parser.doubt("it is nested too deep, or its quotes and brackets do not end");
    }
    parser.out.known = known(&parser.out);
    parser.out
}

/// Variables that are set once, to a text, by a command that does nothing else.
fn known(script: &Script) -> BTreeMap<String, String> {
    let mut set: BTreeMap<String, Vec<Option<String>>> = BTreeMap::new();
    for command in &script.commands {
        for (name, raw) in &command.assigned {
            let word = script.word(raw);
            let kept = command.words.is_empty() && !word.open;
            set.entry(name.clone()).or_default().push(kept.then_some(word.text));
        }
        let mut words = command.words.iter().map(|raw| script.word(raw).text);
        let first = words.next().unwrap_or_default();
        let exported = ["export", "declare", "local", "readonly", "typeset"].contains(&first.as_str());
        if exported || ["read", "unset", "mapfile", "getopts", "printf"].contains(&first.as_str()) {
            for (raw, word) in command.words.iter().skip(1).zip(words) {
                let (name, value) = word.split_once('=').unwrap_or((&word, ""));
                let fits = exported && word.contains('=') && !script.word(raw).open;
                set.entry(name.to_owned()).or_default().push(fits.then(|| value.to_owned()));
            }
        }
    }
    let once = |(name, values): (String, Vec<Option<String>>)| match values.as_slice() {
        [Some(value)] => Some((name, value.clone())),
        _ => None,
    };
    let loops = &script.functions;
    set.into_iter().filter_map(once).filter(|(name, _)| !loops.contains(&format!("${name}"))).collect()
}

/// The nesting is too deep, or does not end.
struct Lost;

/// A here document that is still to be read: the command that it is for, its end, and whether it is taken as it stands.
struct Pending {
    end: String,
    literal: bool,
    tabs: bool,
    slot: Option<usize>,
}

/// What is being read.
#[derive(Default)]
struct Current {
    simple: Simple,
    /// Whether anything was read since the last operator.
    begun: bool,
    /// Whether what was just read ended a group.
    closed: bool,
    /// Here documents of this command, as places among the pending ones.
    documents: Vec<usize>,
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    depth: usize,
    pending: Vec<Pending>,
    out: Script,
}

impl Parser {
    fn doubt(&mut self, why: &'static str) {
        if !self.out.doubts.contains(&why) {
            self.out.doubts.push(why);
        }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn deeper(&mut self) -> Result<(), Lost> {
        self.depth += 1;
        if self.depth > DEEPEST { Err(Lost) } else { Ok(()) }
    }

    /// Reads commands up to the bracket that ends them, or the end.
    fn run(&mut self, stop: Option<char>) -> Result<(), Lost> {
        self.deeper()?;
        let mut now = Current::default();
        let mut groups = 0_usize;
        let mut patterns: Vec<bool> = Vec::new();
        let (first, mut compound) = (self.out.commands.len(), false);
        while let Some(c) = self.peek(0) {
            if !now.begun && !c.is_whitespace() && c != '#' && patterns.last() == Some(&true) {
                self.pattern(&mut patterns)?;
                continue;
            }
            match c {
                ' ' | '\t' | '\r' => self.at += 1,
                '\\' if self.peek(1) == Some('\n') => self.at += 2,
                '#' => self.comment(),
                '\n' => {
                    self.at += 1;
                    self.end(&mut now, false);
                    self.documents()?;
                }
                ';' | '&' | '|' => {
                    let piped = c == '|' && self.peek(1) != Some('|');
                    let redirect = c == '&' && self.peek(1) == Some('>');
                    if redirect {
                        self.redirect(&mut now)?;
                        continue;
                    }
                    let clause = c == ';' && matches!(self.peek(1), Some(';' | '&'));
                    let double = matches!((c, self.peek(1)), ('&', Some('&')) | ('|', Some('|' | '&')));
                    self.at += if double || clause { 2 } else { 1 };
                    self.end(&mut now, piped);
                    if clause && let Some(last) = patterns.last_mut() {
                        *last = true;
                    }
                }
                '(' if !now.begun && self.peek(1) == Some('(') => self.arithmetic()?,
                '(' if self.defines(&now) => {
                    self.function(&mut now);
                }
                '(' => {
                    // A list of an array's elements, or a group.
                    if now.begun && !now.simple.assigned.is_empty() && now.simple.words.is_empty() {
                        self.at += 1;
                        self.run(Some(')'))?;
                        self.doubt("it sets a list of words");
                        continue;
                    }
                    if matches!(now.simple.input, Input::Pipe(_) | Input::Unknown) {
                        compound = true;
                    }
                    groups += 1;
                    self.deeper()?;
                    self.at += 1;
                    self.end(&mut now, false);
                }
                ')' if groups == 0 && stop == Some(')') => {
                    self.at += 1;
                    self.end(&mut now, false);
                    return self.finish(first, compound);
                }
                ')' => {
                    groups = groups.saturating_sub(1);
                    self.depth = self.depth.saturating_sub(1);
                    self.at += 1;
                    self.end(&mut now, false);
                    now.closed = true;
                }
                '<' | '>' if self.peek(1) != Some('(') => {
                    compound |= now.closed && c == '<';
                    self.redirect(&mut now)?;
                }
                _ => {
                    let raw = self.word()?;
                    self.take(&mut now, raw, &mut patterns, &mut compound)?;
                }
            }
        }
        self.end(&mut now, false);
        if stop.is_some() || groups > 0 || !patterns.is_empty() {
            return Err(Lost);
        }
        self.finish(first, compound)
    }

    fn finish(&mut self, first: usize, compound: bool) -> Result<(), Lost> {
        self.depth = self.depth.saturating_sub(1);
        if compound {
            let mine = self.out.commands.iter_mut().skip(first);
            mine.filter(|command| command.input == Input::None).for_each(|command| command.input = Input::Unknown);
        }
        Ok(())
    }

    /// Whether an opening bracket follows the name of a function.
    fn defines(&self, now: &Current) -> bool {
        let next = self.chars.iter().skip(self.at + 1).find(|c| !c.is_whitespace());
        now.simple.words.len() == 1 && now.simple.assigned.is_empty() && next == Some(&')')
    }

    fn function(&mut self, now: &mut Current) {
        let name = now.simple.words.first().map(|raw| self.out.word(raw).text).unwrap_or_default();
        self.out.functions.push(name);
        *now = Current::default();
        while self.peek(0).is_some_and(|c| c != ')') {
            self.at += 1;
        }
        self.at += 1;
    }

    /// One word in its place: a keyword, an assignment, or a word of a command.
    fn take(&mut self, now: &mut Current, raw: Raw, cases: &mut Vec<bool>, compound: &mut bool) -> Result<(), Lost> {
        let bare = match raw.pieces.as_slice() {
            [Piece::Plain(text, false)] => Some(text.clone()),
            _ => None,
        };
        if let Some(text) = bare.as_deref().filter(|_| now.simple.words.is_empty() && now.simple.assigned.is_empty()) {
            if KEYWORDS.contains(&text) {
                if matches!(now.simple.input, Input::Pipe(_) | Input::Unknown) {
                    *compound = true;
                }
                if text == "esac" {
                    cases.pop();
                }
                now.closed = CLOSERS.contains(&text);
                return Ok(());
            }
            match text {
                "for" | "select" => {
                    self.blanks();
                    if self.peek(0) == Some('(') {
                        return self.arithmetic();
                    }
                    let name = self.word()?;
                    let name = self.out.word(&name).text;
                    self.out.functions.push(format!("${name}"));
                    while self.peek(0).is_some_and(|c| c != '\n' && c != ';') {
                        self.blanks();
                        match self.peek(0) {
                            Some('\n' | ';') | None => break,
                            Some('#') => self.comment(),
                            Some('&' | '|' | '(' | ')' | '<' | '>') => return Err(Lost),
                            Some(_) => drop(self.word()?),
                        }
                    }
                    return Ok(());
                }
                "case" => {
                    self.blanks();
                    self.word()?;
                    self.space();
                    let keyword = self.word()?;
                    cases.push(true);
                    return if self.out.word(&keyword).text == "in" { Ok(()) } else { Err(Lost) };
                }
                "function" => {
                    self.blanks();
                    let name = self.word()?;
                    let name = self.out.word(&name).text;
                    self.out.functions.push(name);
                    self.blanks();
                    if self.peek(0) == Some('(') {
                        self.at += 1;
                        self.blanks();
                        self.at += 1;
                    }
                    return Ok(());
                }
                "[[" => {
                    while self.peek(0).is_some() {
                        self.space();
                        if matches!(self.peek(0), Some('(' | ')' | '<' | '>' | '&' | '|' | ';')) {
                            self.at += 1;
                            continue;
                        }
                        let word = self.word()?;
                        if self.out.word(&word).text == "]]" {
                            break;
                        }
                    }
                    return Ok(());
                }
                _ => {}
            }
        }
        now.begun = true;
        now.closed = false;
        if now.simple.words.is_empty()
            && let Some((name, value)) = assignment(&raw)
        {
            now.simple.assigned.push((name, value));
            return Ok(());
        }
        now.simple.words.push(raw);
        Ok(())
    }

    /// The pattern before the commands of a case.
    fn pattern(&mut self, cases: &mut Vec<bool>) -> Result<(), Lost> {
        let rest: String = self.chars.iter().skip(self.at).take(5).collect();
        if rest.starts_with("esac") && !rest.chars().nth(4).is_some_and(char::is_alphanumeric) {
            self.at += 4;
            cases.pop();
            return Ok(());
        }
        if self.peek(0) == Some('(') {
            self.at += 1;
        }
        loop {
            self.space();
            match self.peek(0) {
                None => return Err(Lost),
                Some(')') => break,
                Some('|' | '<' | '>' | '&' | ';' | '(') => self.at += 1,
                Some(_) => drop(self.word()?),
            }
        }
        self.at += 1;
        if let Some(last) = cases.last_mut() {
            *last = false;
        }
        Ok(())
    }

    /// Ends a command at an operator.
    fn end(&mut self, now: &mut Current, piped: bool) {
        let done = std::mem::take(now);
        let number = self.out.commands.len();
        let empty = done.simple.words.is_empty() && done.simple.assigned.is_empty() && done.simple.writes.is_empty();
        for at in &done.documents {
            if let Some(pending) = self.pending.get_mut(*at) {
                pending.slot = (!empty).then_some(number);
            }
        }
        if piped {
            now.simple.input = if empty { Input::Unknown } else { Input::Pipe(number) };
        }
        if !empty {
            self.out.commands.push(done.simple);
        }
    }

    fn blanks(&mut self) {
        while self.peek(0).is_some_and(|c| c == ' ' || c == '\t') {
            self.at += 1;
        }
    }

    fn space(&mut self) {
        while self.peek(0).is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn comment(&mut self) {
        while self.peek(0).is_some_and(|c| c != '\n') {
            self.at += 1;
        }
    }

    fn arithmetic(&mut self) -> Result<(), Lost> {
        let mut depth = 0_usize;
        while let Some(c) = self.peek(0) {
            self.at += 1;
            match c {
                '(' => depth += 1,
                ')' if depth == 1 => return Ok(()),
                ')' => depth -= 1,
                '$' | '`' => self.doubt("it computes a number by a command"),
                _ => {}
            }
        }
        Err(Lost)
    }
}

/// `NAME=value`, `NAME+=value`.
fn assignment(raw: &Raw) -> Option<(String, Raw)> {
    let (first, rest) = raw.pieces.split_first()?;
    let Piece::Plain(text, false) = first else { return None };
    let (name, value) = text.split_once('=')?;
    let added = name.ends_with('+');
    let name = name.trim_end_matches('+');
    if !is_name(name) {
        return None;
    }
    let mut pieces = if added { vec![Piece::Open("…")] } else { Vec::new() };
    pieces.push(Piece::Plain(value.to_owned(), false));
    pieces.extend(rest.iter().cloned());
    Some((name.to_owned(), Raw { pieces }))
}

#[cfg(test)]
mod tests;
