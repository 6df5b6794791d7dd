//! How a command line is cut before rules see it (floor 2).
//!
//! A line of plain words, joined by `&&`, `||`, `;` or `|`, is judged command by command. Any redirect, substitution,
//! variable or other syntax makes rules see one command, the shell itself with the line as its argument (openai/codex
//! `codex-rs/shell-command/src/bash.rs`). What is neither plainly the one nor plainly the other is both.

use crate::gate::shell::GRAMMAR;

/// The longest line that is cut.
const LONGEST: usize = 10_000;

/// Words in front of which a line is not one of plain commands, or may not be.
const SPECIAL: [&str; 14] = [
    "!", "[", "[[", "time", "coproc", "declare", "typeset", "export", "readonly", "local", "unset", "unsetenv", "in",
    "function",
];

/// A command line, cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Script {
    /// Plain commands, each judged for itself.
    Plain(Vec<Vec<String>>),
    /// One command: the shell, with the line as its argument.
    Whole,
    /// Either, with what the commands would be.
    Either(Vec<Vec<String>>),
}

/// Cuts a line.
pub(super) fn cut(line: &str) -> Script {
    if line.len() > LONGEST {
        return Script::Either(Vec::new());
    }
    let mut cutter = Cutter {
        rest: line.chars().peekable(),
        commands: Vec::new(),
        command: Vec::new(),
        word: None,
        quoted: false,
        whole: false,
        odd: false,
    };
    cutter.run();
    cutter.close();
    if cutter.whole {
        return Script::Whole;
    }
    // An operator that joins nothing is no sentence of the shell's.
    cutter.odd |= cutter.commands.is_empty() || cutter.commands.iter().any(Vec::is_empty);
    cutter.commands.retain(|command| !command.is_empty());
    let first = |command: &Vec<String>| command.first().cloned().unwrap_or_default();
    let special = |word: String| GRAMMAR.contains(&word.as_str()) || SPECIAL.contains(&word.as_str());
    if cutter.odd || cutter.commands.iter().map(first).any(special) {
        Script::Either(cutter.commands)
    } else {
        Script::Plain(cutter.commands)
    }
}

struct Cutter<'t> {
    rest: std::iter::Peekable<std::str::Chars<'t>>,
    commands: Vec<Vec<String>>,
    command: Vec<String>,
    word: Option<String>,
    /// Whether the word has a quote in it.
    quoted: bool,
    /// Whether the line is surely not cut.
    whole: bool,
    /// Whether that is not known.
    odd: bool,
}

impl Cutter<'_> {
    fn run(&mut self) {
        while let Some(c) = self.rest.next() {
            match c {
                ' ' | '\t' => self.end_word(),
                ';' => self.end_command(),
                '|' | '&' => self.operator(c),
                '\'' => self.single(),
                '"' => self.double(),
                '$' => self.dollar(),
                '`' | '<' | '>' | '(' | ')' => self.whole = true,
                'a'..='z' | 'A'..='Z' | '0'..='9' | '_' | '-' | '.' | '/' | ':' | '@' | '%' | '+' | ',' | '=' => {
                    self.push(c);
                }
                // Wildcards, braces, comments, escapes, ends of lines and whatever else.
                _ => {
                    self.odd = true;
                    self.push(c);
                }
            }
        }
    }

    fn push(&mut self, c: char) {
        self.word.get_or_insert_default().push(c);
    }

    fn end_word(&mut self) {
        let Some(word) = self.word.take() else { return };
        let quoted = std::mem::take(&mut self.quoted);
        if let Some((name, _)) = word.split_once('=').filter(|_| !quoted) {
            let variable = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            let variable = variable && name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
            // In front of a command it sets a variable, behind it what it is depends on the grammar.
            self.whole |= variable && self.command.is_empty();
            self.odd |= self.command.is_empty() || variable;
        }
        // A program whose name is quoted is no plain word.
        self.odd |= quoted && self.command.is_empty();
        self.command.push(word);
    }

    fn end_command(&mut self) {
        self.end_word();
        self.commands.push(std::mem::take(&mut self.command));
    }

    fn operator(&mut self, c: char) {
        let double = self.rest.next_if_eq(&c).is_some();
        // One `&` puts a command into the background; that of `|&` comes to the same here.
        self.whole |= c == '&' && !double;
        self.end_command();
    }

    fn dollar(&mut self) {
        let expands =
            |c: &char| c.is_ascii_alphanumeric() || matches!(c, '{' | '(' | '_' | '?' | '@' | '*' | '#' | '$' | '!');
        match self.rest.peek() {
            Some(c) if expands(c) => self.whole = true,
            _ => {
                self.odd = true;
                self.push('$');
            }
        }
    }

    fn single(&mut self) {
        self.quoted = true;
        self.word.get_or_insert_default();
        loop {
            match self.rest.next() {
                Some('\'') => return,
                Some(c) => self.push(c),
                None => {
                    self.odd = true;
                    return;
                }
            }
        }
    }

    fn double(&mut self) {
        self.quoted = true;
        self.word.get_or_insert_default();
        loop {
            match self.rest.next() {
                Some('"') => return,
                Some('$') => self.dollar(),
                Some('`') => self.whole = true,
                Some(c @ ('\\' | '!' | '\n')) => {
                    self.odd = true;
                    self.push(c);
                }
                Some(c) => self.push(c),
                None => {
                    self.odd = true;
                    return;
                }
            }
        }
    }

    fn close(&mut self) {
        self.end_word();
        let last = std::mem::take(&mut self.command);
        // A `;` may stand at the end; what other operators join must be there.
        if !last.is_empty() || self.commands.is_empty() {
            self.commands.push(last);
        } else {
            self.odd = true;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(line: &str) -> Vec<Vec<String>> {
        let Script::Plain(commands) = cut(line) else { panic!("{line} is not plain: {:?}", cut(line)) };
        commands
    }

    #[test]
    fn plain_commands_are_cut_at_operators() {
        assert_eq!(plain("ls && pwd; echo 'hi there' | wc -l").len(), 4);
        assert_eq!(plain("rg -n \"foo\" -g\"*.py\"")[0], ["rg", "-n", "foo", "-g*.py"]);
        assert_eq!(plain("echo \"/usr\"'/'\"local\"/bin")[0], ["echo", "/usr/local/bin"]);
    }

    #[test]
    fn syntax_is_one_command() {
        for line in [
            "FOO=bar ls",
            "ls > out.txt",
            "echo hi & echo bye",
            "echo $(pwd)",
            "echo `pwd`",
            "echo $HOME",
            "echo \"hi $USER\"",
            "(ls)",
            "echo \"hi ${USER}\"",
            "cat <<EOF",
            "a |& b",
        ] {
            assert_eq!(cut(line), Script::Whole, "{line}");
        }
    }

    #[test]
    fn what_is_neither_is_both() {
        for line in ["ls *", "ls &&", "&& ls", "ls ;; pwd", "ls | | wc", "a\nb", "'rm' x", "if x", "env A=1 x", "é"] {
            assert!(matches!(cut(line), Script::Either(_)), "{line}: {:?}", cut(line));
        }
        assert_eq!(cut(&"a ".repeat(100_000)), Script::Either(Vec::new()));
        assert!(matches!(cut(""), Script::Either(_)));
    }
}
