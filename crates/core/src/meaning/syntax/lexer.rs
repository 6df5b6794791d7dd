//! Words, redirects and here documents: what stands between the operators of a shell (floor 2).

use super::Current;
use super::{Input, Lost, Parser, Pending, Piece, Raw};

impl Parser {
    /// `<`, `>`, `>>`, `<<`, `<<<`, `&>` and what they name.
    pub(super) fn redirect(&mut self, now: &mut Current) -> Result<(), Lost> {
        let mut sign = String::new();
        while let Some(c) = self.peek(0).filter(|c| ['<', '>', '&', '|', '-'].contains(c)) {
            // `<-` is no operator but for here documents.
            if (c == '-' && sign != "<<") || sign.len() == 3 {
                break;
            }
            sign.push(c);
            self.at += 1;
        }
        // A number right before names the descriptor.
        if let Some(last) = now.simple.words.last()
            && matches!(last.pieces.as_slice(), [Piece::Plain(text, false)] if text.chars().all(|c| c.is_ascii_digit()))
            && self.chars.get(self.at.wrapping_sub(sign.len() + 1)).is_some_and(char::is_ascii_digit)
        {
            now.simple.words.pop();
        }
        now.begun = true;
        self.blanks();
        if sign.ends_with('&') && self.peek(0).is_some_and(|c| c.is_ascii_digit() || c == '-') {
            self.word()?;
            return Ok(());
        }
        let literal = matches!(self.peek(0), Some('\'' | '"' | '\\'));
        let target = self.word()?;
        match sign.as_str() {
            "<<" | "<<-" => {
                let end = self.out.word(&target).text;
                now.documents.push(self.pending.len());
                self.pending.push(Pending { end, literal, tabs: sign == "<<-", slot: None });
                now.simple.input = Input::Unknown;
            }
            "<<<" => now.simple.input = Input::Text(target),
            "<" | "<>" => now.simple.input = Input::File,
            ">>" | "&>>" => {}
            _ => {
                let word = self.out.word(&target);
                if !["/dev/null", "/dev/stdout", "/dev/stderr", "/dev/tty"].contains(&word.text.as_str()) {
                    now.simple.writes.push(target);
                }
            }
        }
        Ok(())
    }

    /// Reads the here documents that begin after this line.
    pub(super) fn documents(&mut self) -> Result<(), Lost> {
        for document in std::mem::take(&mut self.pending) {
            let mut body = String::new();
            loop {
                if self.at >= self.chars.len() {
                    break;
                }
                let line: String = self.chars.iter().skip(self.at).take_while(|c| **c != '\n').collect();
                self.at += line.chars().count() + 1;
                let shown = if document.tabs { line.trim_start_matches('\t') } else { &line };
                if shown == document.end {
                    break;
                }
                body.push_str(shown);
                body.push('\n');
            }
            let pieces = if document.literal { vec![Piece::Plain(body, true)] } else { self.inside(&body)? };
            if let Some(command) = document.slot.and_then(|slot| self.out.commands.get_mut(slot)) {
                command.input = Input::Text(Raw { pieces });
            }
        }
        Ok(())
    }

    /// The pieces of a text that stands as if between double quotes.
    fn inside(&mut self, text: &str) -> Result<Vec<Piece>, Lost> {
        let held = std::mem::replace(&mut self.chars, text.chars().collect());
        let at = std::mem::replace(&mut self.at, 0);
        let pending = std::mem::take(&mut self.pending);
        let mut pieces = Vec::new();
        let done = self.double(&mut pieces, None);
        (self.chars, self.at, self.pending) = (held, at, pending);
        done.map(|()| pieces)
    }

    /// One word.
    pub(super) fn word(&mut self) -> Result<Raw, Lost> {
        let mut pieces: Vec<Piece> = Vec::new();
        let start = self.at;
        while let Some(c) = self.peek(0) {
            match c {
                '\\' if self.peek(1) == Some('\n') => self.at += 2,
                '\\' => {
                    if let Some(next) = self.peek(1) {
                        add(&mut pieces, next, true);
                    }
                    self.at += 2;
                }
                '\'' => {
                    self.at += 1;
                    self.single(&mut pieces)?;
                }
                '"' => {
                    self.at += 1;
                    pieces.push(Piece::Plain(String::new(), true));
                    self.double(&mut pieces, Some('"'))?;
                }
                '`' => self.backticks(&mut pieces)?,
                '$' => self.dollar(&mut pieces, false)?,
                '<' | '>' if self.peek(1) == Some('(') => {
                    self.at += 2;
                    self.run(Some(')'))?;
                    pieces.push(Piece::Open("<(…)"));
                }
                ' ' | '\t' | '\r' | '\n' | ';' | '&' | '|' | '<' | '>' | '(' | ')' => break,
                _ => {
                    add(&mut pieces, c, false);
                    self.at += 1;
                }
            }
        }
        // What no rule takes would be read for ever.
        if self.at == start { Err(Lost) } else { Ok(Raw { pieces }) }
    }

    fn single(&mut self, pieces: &mut Vec<Piece>) -> Result<(), Lost> {
        let text: String = self.chars.iter().skip(self.at).take_while(|c| **c != '\'').collect();
        self.at += text.chars().count() + 1;
        pieces.push(Piece::Plain(text, true));
        if self.at > self.chars.len() { Err(Lost) } else { Ok(()) }
    }

    fn double(&mut self, pieces: &mut Vec<Piece>, end: Option<char>) -> Result<(), Lost> {
        while let Some(c) = self.peek(0) {
            match c {
                _ if end == Some(c) => {
                    self.at += 1;
                    return Ok(());
                }
                '\\' => {
                    match self.peek(1) {
                        Some('\n') => {}
                        Some(next @ ('$' | '`' | '"' | '\\')) => add(pieces, next, true),
                        Some(next) => {
                            add(pieces, '\\', true);
                            add(pieces, next, true);
                        }
                        None => {}
                    }
                    self.at += 2;
                }
                '`' => self.backticks(pieces)?,
                '$' => self.dollar(pieces, true)?,
                _ => {
                    add(pieces, c, true);
                    self.at += 1;
                }
            }
        }
        if end.is_some() { Err(Lost) } else { Ok(()) }
    }

    fn backticks(&mut self, pieces: &mut Vec<Piece>) -> Result<(), Lost> {
        let mut inner = String::new();
        self.at += 1;
        loop {
            match self.peek(0) {
                None => return Err(Lost),
                Some('`') => break,
                Some('\\') if matches!(self.peek(1), Some('`' | '$' | '\\')) => {
                    inner.extend(self.peek(1));
                    self.at += 2;
                }
                Some(c) => {
                    inner.push(c);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        let held = std::mem::replace(&mut self.chars, inner.chars().collect());
        let at = std::mem::replace(&mut self.at, 0);
        let pending = std::mem::take(&mut self.pending);
        let done = self.run(None);
        (self.chars, self.at, self.pending) = (held, at, pending);
        pieces.push(Piece::Open("$(…)"));
        done
    }

    fn dollar(&mut self, pieces: &mut Vec<Piece>, quoted: bool) -> Result<(), Lost> {
        match self.peek(1) {
            Some('(') if self.peek(2) == Some('(') => {
                self.at += 1;
                self.arithmetic()?;
                pieces.push(Piece::Open("$((…))"));
            }
            Some('(') => {
                self.at += 2;
                self.run(Some(')'))?;
                pieces.push(Piece::Open("$(…)"));
            }
            Some('{') => {
                self.at += 2;
                let mut inner = Vec::new();
                self.deeper()?;
                self.double(&mut inner, Some('}'))?;
                self.depth = self.depth.saturating_sub(1);
                let simple = match inner.as_slice() {
                    [Piece::Plain(name, _)] if is_name(name) => Some(name.clone()),
                    _ => None,
                };
                pieces.push(simple.map_or(Piece::Open("${…}"), |name| Piece::Variable(name, quoted)));
            }
            Some('\'') if !quoted => {
                self.at += 2;
                self.ansi(pieces)?;
            }
            Some('"') if !quoted => self.at += 1,
            Some(c) if c.is_ascii_alphabetic() || c == '_' => {
                let name: String = self
                    .chars
                    .iter()
                    .skip(self.at + 1)
                    .take_while(|c| c.is_ascii_alphanumeric() || **c == '_')
                    .collect();
                self.at += 1 + name.chars().count();
                pieces.push(Piece::Variable(name, quoted));
            }
            Some(c) if c.is_ascii_digit() || ['@', '*', '#', '?', '$', '!', '-'].contains(&c) => {
                self.at += 2;
                pieces.push(Piece::Open("$…"));
            }
            Some(_) | None => {
                add(pieces, '$', true);
                self.at += 1;
            }
        }
        Ok(())
    }

    /// `$'…'`: the escapes that are known, and nothing else.
    fn ansi(&mut self, pieces: &mut Vec<Piece>) -> Result<(), Lost> {
        let mut text = String::new();
        let mut open = false;
        loop {
            match (self.peek(0), self.peek(1)) {
                (None, _) => return Err(Lost),
                (Some('\''), _) => break,
                (Some('\\'), Some(next)) => {
                    match next {
                        'n' => text.push('\n'),
                        't' => text.push('\t'),
                        'r' => text.push('\r'),
                        '\\' | '\'' | '"' | '?' => text.push(next),
                        _ => open = true,
                    }
                    self.at += 2;
                }
                (Some(c), _) => {
                    text.push(c);
                    self.at += 1;
                }
            }
        }
        self.at += 1;
        pieces.push(if open { Piece::Open("$'…'") } else { Piece::Plain(text, true) });
        Ok(())
    }
}

fn add(pieces: &mut Vec<Piece>, c: char, quoted: bool) {
    match pieces.last_mut() {
        Some(Piece::Plain(text, kind)) if *kind == quoted => text.push(c),
        _ => pieces.push(Piece::Plain(c.to_string(), quoted)),
    }
}

pub(super) fn is_name(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_')
}
