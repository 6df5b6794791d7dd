//! Reads a list of calls with literal arguments, and nothing else (floor 2). One pass, and nothing is run.

/// The deepest list that is read.
const DEEPEST: usize = 4;

/// A literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Literal {
    Text(String),
    List(Vec<Self>),
    None,
}

impl Literal {
    pub(super) fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    pub(super) fn list(&self) -> Option<&[Self]> {
        if let Self::List(list) = self { Some(list) } else { None }
    }
}

/// One call: `name(argument = literal, …)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Call<'t> {
    pub(super) name: &'t str,
    pub(super) args: Vec<(&'t str, Literal)>,
    /// The line that it begins in.
    pub(super) line: u64,
}

impl Call<'_> {
    pub(super) fn get(&self, name: &str) -> Option<&Literal> {
        self.args.iter().find(|(known, _)| *known == name).map(|(_, literal)| literal)
    }
}

/// All calls of a text. None if it holds anything else.
pub(super) fn calls(text: &str) -> Option<Vec<Call<'_>>> {
    let mut reader = Reader { text, at: 0, line: 1 };
    let mut found = Vec::new();
    loop {
        // A call begins its line, as whatever is set in means something else.
        reader.blank(true);
        if reader.rest().is_empty() {
            return Some(found);
        }
        if !(reader.at == 0 || reader.text.get(..reader.at)?.ends_with('\n')) {
            return None;
        }
        found.push(reader.call()?);
        reader.end_of_call()?;
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    line: u64,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        self.line += u64::from(c == '\n');
        Some(c)
    }

    fn take(&mut self, wanted: char) -> Option<()> {
        (self.peek()? == wanted).then(|| {
            self.next();
        })
    }

    /// Passes spaces and comments, over the ends of lines if they mean nothing here.
    fn blank(&mut self, lines: bool) {
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\r' => {}
                '\n' if lines => {}
                '#' => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.next();
                    }
                    continue;
                }
                _ => return,
            }
            self.next();
        }
    }

    fn word(&mut self) -> Option<&'t str> {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_ascii_lowercase() || c == '_')).unwrap_or(rest.len());
        self.at += end;
        rest.get(..end).filter(|word| !word.is_empty())
    }

    fn call(&mut self) -> Option<Call<'t>> {
        let line = self.line;
        let name = self.word()?;
        self.blank(false);
        self.take('(')?;
        let mut args: Vec<(&str, Literal)> = Vec::new();
        loop {
            self.blank(true);
            if self.take(')').is_some() {
                return Some(Call { name, args, line });
            }
            let argument = self.word()?;
            self.blank(true);
            self.take('=')?;
            self.blank(true);
            // The names are few, and each stands there once.
            if args.len() >= 16 || args.iter().any(|(known, _)| *known == argument) {
                return None;
            }
            args.push((argument, self.literal(0)?));
            self.comma(')')?;
        }
    }

    /// A comma, or what closes.
    fn comma(&mut self, close: char) -> Option<()> {
        self.blank(true);
        if self.peek()? == close { Some(()) } else { self.take(',') }
    }

    fn end_of_call(&mut self) -> Option<()> {
        self.blank(false);
        let _ = self.take(';');
        self.blank(false);
        matches!(self.peek(), None | Some('\n')).then_some(())
    }

    fn literal(&mut self, depth: usize) -> Option<Literal> {
        match self.peek()? {
            '[' if depth < DEEPEST => {
                self.next();
                let mut list = Vec::new();
                loop {
                    self.blank(true);
                    if self.take(']').is_some() {
                        return Some(Literal::List(list));
                    }
                    list.push(self.literal(depth + 1)?);
                    self.comma(']')?;
                }
            }
            quote @ ('"' | '\'') => self.quoted(quote).map(Literal::Text),
            'N' => {
                let rest = self.rest().strip_prefix("None")?;
                let ends = rest.chars().next().is_none_or(|c| !(c.is_alphanumeric() || c == '_'));
                self.at += 4;
                ends.then_some(Literal::None)
            }
            _ => None,
        }
    }

    /// A string in one line, with the plainest escapes. Three quotes are another kind of string.
    fn quoted(&mut self, quote: char) -> Option<String> {
        self.next();
        let mut text = String::new();
        loop {
            match self.next()? {
                '\n' => return None,
                '\\' => match self.next()? {
                    escaped @ ('\\' | '"' | '\'') => text.push(escaped),
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    _ => return None,
                },
                c if c == quote => {
                    return (!(text.is_empty() && self.peek() == Some(quote))).then_some(text);
                }
                c => text.push(c),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_read_with_their_lines() {
        let text = "# mine\n\nprefix_rule(\n  pattern = [\"gh\", ['pr', \"issue\"],], # words\n  decision=\"prompt\",\n)\nprefix_rule(pattern=[\"a\\\"b\"]);\n";
        let found = calls(text).unwrap();
        assert_eq!(found.iter().map(|call| call.line).collect::<Vec<_>>(), [3, 7]);
        assert_eq!(found[0].get("decision"), Some(&Literal::Text("prompt".to_owned())));
        assert_eq!(found[1].get("pattern").unwrap().list().unwrap()[0].text(), Some("a\"b"));
    }

    #[test]
    fn anything_else_is_not_read() {
        for text in [
            "x = 1",
            "prefix_rule([\"a\"])",
            "prefix_rule(pattern=[\"a\"] + [\"b\"])",
            "prefix_rule(pattern=[x for x in y])",
            "prefix_rule(pattern=[\"\"\"a\"\"\"])",
            "prefix_rule(pattern=[r\"a\"])",
            "prefix_rule(pattern=[\"a\\x41\"])",
            "prefix_rule(pattern=[\"a\"]) if True else None",
            "if False:\n    prefix_rule(pattern=[\"a\"])",
            "  prefix_rule(pattern=[\"a\"])",
            "prefix_rule(pattern=[\"a\"]); prefix_rule(pattern=[\"b\"])",
            "prefix_rule(pattern=[\"a\"",
            "prefix_rule(pattern=[\"a\" \"b\"])",
            "prefix_rule(pattern=Nonesuch)",
        ] {
            assert_eq!(calls(text), None, "{text}");
        }
        let deep = format!("prefix_rule(pattern={})", "[".repeat(1_000_000));
        assert_eq!(calls(&deep), None);
    }
}
