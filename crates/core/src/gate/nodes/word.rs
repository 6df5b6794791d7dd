//! Words of a command line and what is in them: quotes, substitutions, redirects, here documents (floor 2).

use super::{Gathered, Reader, word_char};

impl Reader {
    /// Whether digits stand here that name the descriptor of a redirect.
    pub(super) fn descriptor(&self) -> bool {
        let digits = self.chars.iter().skip(self.at).take_while(|c| c.is_ascii_digit()).count();
        matches!(self.peek(digits), Some('<' | '>')) && self.peek(digits + 1) != Some('(')
    }

    pub(super) fn redirect(&mut self, found: &mut Gathered) {
        self.nodes.redirects = true;
        // A command that begins with one.
        if found.words.is_empty() {
            self.doubt();
        }
        while self.peek(0).is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
        }
        let operator = self.at;
        while self.peek(0).is_some_and(|c| matches!(c, '<' | '>' | '&' | '|')) {
            self.at += 1;
        }
        let operator = self.slice(operator, self.at);
        if operator == "<<" {
            return self.document(found);
        }
        if !matches!(operator.as_str(), ">" | ">>" | "<" | ">&" | "&>" | ">|" | "&>>" | "<&") {
            // A here document, a here string or none.
            self.doubt();
        }
        while self.peek(0).is_some_and(|c| c == ' ' || c == '\t') {
            self.at += 1;
        }
        let start = self.at;
        self.word(false);
        if self.at == start {
            self.doubt();
        }
        found.redirected = true;
    }

    /// One word.
    pub(super) fn word(&mut self, first: bool) {
        while let Some(c) = self.peek(0) {
            match c {
                ' ' | '\t' | '\n' | ';' | '&' | '|' | '(' | ')' => return,
                '<' | '>' if self.peek(1) == Some('(') => {
                    self.at += 2;
                    self.list(Some(')'));
                }
                '<' | '>' => return,
                '\\' => {
                    if matches!(self.peek(1), None | Some('\n')) {
                        self.doubt();
                    }
                    self.at += 2;
                }
                '\'' => self.single(),
                '"' => self.double(),
                '`' if self.ticked => return,
                '`' => self.backticks(),
                '$' => self.dollar(false),
                // An empty pair stands for itself; other braces may expand.
                '{' if self.peek(1) == Some('}') => self.at += 2,
                '{' | '}' | '!' | '^' => {
                    self.doubt();
                    self.at += 1;
                }
                '[' | ']' | '*' | '?' if first => {
                    self.doubt();
                    self.at += 1;
                }
                c if !c.is_ascii() || c.is_ascii_control() => {
                    self.doubt();
                    self.at += 1;
                }
                _ => self.at += 1,
            }
        }
        // A backslash at the very end.
        self.at = self.at.min(self.chars.len());
    }

    pub(super) fn single(&mut self) {
        self.at += 1;
        loop {
            match self.peek(0) {
                Some('\'') => {
                    self.at += 1;
                    return;
                }
                Some(_) => self.at += 1,
                None => return self.doubt(),
            }
        }
    }

    pub(super) fn double(&mut self) {
        self.at += 1;
        loop {
            match self.peek(0) {
                Some('"') => {
                    self.at += 1;
                    return;
                }
                Some('\\') => self.at += 2,
                Some('`') if self.ticked => return self.doubt(),
                Some('`') => self.backticks(),
                Some('$') => self.dollar(true),
                Some(_) => self.at += 1,
                None => return self.doubt(),
            }
        }
    }

    pub(super) fn dollar(&mut self, quoted: bool) {
        match self.peek(1) {
            Some('(') => {
                if self.peek(2) == Some('(') {
                    self.doubt();
                }
                self.at += 2;
                self.list(Some(')'));
            }
            Some('{') => {
                let name = self.chars.iter().skip(self.at + 2).take_while(|c| word_char(**c)).count();
                self.at += 2 + name;
                if name == 0 || self.peek(0) != Some('}') {
                    self.doubt();
                } else {
                    self.at += 1;
                }
            }
            Some('\'') if !quoted => {
                self.doubt();
                self.at += 1;
            }
            Some(c) if word_char(c) => self.at += 2,
            Some('?' | '#' | '@' | '*' | '$' | '!' | '-') => {
                self.doubt();
                self.at += 2;
            }
            Some(_) | None => {
                self.doubt();
                self.at += 1;
            }
        }
    }

    pub(super) fn backticks(&mut self) {
        self.at += 1;
        // What is escaped in it is cut anew.
        let inner = self.chars.iter().skip(self.at).take_while(|c| **c != '`');
        if inner.clone().any(|c| *c == '\\') {
            self.doubt();
        }
        self.ticked = true;
        self.list(Some('`'));
        self.ticked = false;
    }

    /// A here document: its end stands at the end of the line, and then alone on one.
    fn document(&mut self, found: &mut Gathered) {
        let start = self.at;
        while self.peek(0).is_some_and(|c| c != '\n') {
            self.at += 1;
        }
        let rest = self.slice(start, self.at);
        let rest = rest.trim_end();
        let quoted = rest.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
        let end = quoted.unwrap_or(rest);
        let plain = !end.is_empty() && end.chars().all(word_char);
        let body = self.at;
        loop {
            let line = self.at + 1;
            let Some(length) = self.chars.get(line..).map(|rest| rest.iter().take_while(|c| **c != '\n').count())
            else {
                self.at = self.chars.len();
                return self.doubt();
            };
            self.at = line + length;
            if self.slice(line, self.at) == end {
                break;
            }
            if self.at >= self.chars.len() {
                return self.doubt();
            }
        }
        let body = self.slice(body, self.at);
        if !plain || (quoted.is_none() && body.contains(['$', '`', '\\'])) || !body.is_ascii() {
            self.doubt();
        }
        found.redirected = true;
        found.ended = true;
    }
}
