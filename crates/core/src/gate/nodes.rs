//! The commands of a command line as a parser of the whole grammar finds them (floor 2): every one counts, in lists, in
//! pipelines, in subshells and in substitutions.
//!
//! Agents that cut a line by tree-sitter's grammar of Bash (`tree-sitter-bash`) hold each `command` of the tree against
//! their rules. What is read here is the part of the grammar in which there is no doubt what the tree looks like; any
//! other line is said to be not [`Nodes::sure`], and the commands found in it are those that may be in the tree.

mod word;

use super::shell::GRAMMAR;

/// The longest line that is looked into.
const LONGEST: usize = 10_000;

/// The deepest nesting that is followed.
const DEEPEST: usize = 16;

/// The most commands that are kept of one line.
const MOST: usize = 256;

/// Words that name variables.
const DECLARES: [&str; 7] = ["declare", "typeset", "export", "readonly", "local", "unset", "unsetenv"];

/// What a line holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Nodes {
    /// The commands, in the order in which they begin.
    pub(super) commands: Vec<Node>,
    /// Whether a redirect stands anywhere.
    pub(super) redirects: bool,
    /// Whether variables are set anywhere for themselves, and not in front of a command.
    pub(super) assigns: bool,
    /// Whether the tree is sure to hold these commands and no other.
    pub(super) sure: bool,
}

/// One command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Node {
    /// As written, with assignments in front of it and without its redirects.
    pub(super) text: String,
    /// As written, with its redirects.
    pub(super) full: String,
    /// Its words behind assignments, as written.
    pub(super) words: Vec<String>,
    /// Whether it is a word of the shell that names variables, which is no `command` of the tree.
    pub(super) declares: bool,
    start: usize,
}

/// Reads a line.
pub(super) fn read(line: &str) -> Nodes {
    if line.len() > LONGEST {
        return Nodes { redirects: line.contains(['<', '>']), ..Nodes::default() };
    }
    let mut reader = Reader {
        chars: line.chars().collect(),
        at: 0,
        depth: 0,
        ticked: false,
        blocks: Vec::new(),
        nodes: Nodes::default(),
    };
    reader.nodes.sure = true;
    reader.list(None);
    let Reader { mut nodes, .. } = reader;
    nodes.commands.sort_by_key(|node| node.start);
    nodes
}

struct Reader {
    chars: Vec<char>,
    at: usize,
    depth: usize,
    /// Whether a backtick ends what is read.
    ticked: bool,
    /// What compound commands are open, by the word that came last in each.
    blocks: Vec<&'static str>,
    nodes: Nodes,
}

/// What is gathered of one command while it is read.
#[derive(Default)]
struct Gathered {
    start: usize,
    /// Where its last word ends.
    end: usize,
    words: Vec<String>,
    assigned: usize,
    redirected: bool,
    /// Whether nothing of the line can follow.
    ended: bool,
}

impl Reader {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn slice(&self, start: usize, end: usize) -> String {
        self.chars.get(start..end).unwrap_or_default().iter().collect()
    }

    const fn doubt(&mut self) {
        self.nodes.sure = false;
    }

    /// A list of commands up to its closing character, or to the end.
    fn list(&mut self, close: Option<char>) {
        self.depth += 1;
        if self.depth > DEEPEST {
            self.doubt();
            self.at = self.chars.len();
        }
        let blocks = self.blocks.len();
        // Whether something that an operator may follow has been read.
        let mut open = false;
        // Whether something has to follow.
        let mut wanted = false;
        loop {
            while self.peek(0).is_some_and(|c| c == ' ' || c == '\t') {
                self.at += 1;
            }
            let Some(c) = self.peek(0) else {
                if close.is_some() || wanted {
                    self.doubt();
                }
                break;
            };
            if Some(c) == close {
                if wanted {
                    self.doubt();
                }
                self.at += 1;
                break;
            }
            match c {
                '\n' => {
                    if wanted {
                        self.doubt();
                    }
                    open = false;
                    self.at += 1;
                }
                '#' => self.comment(),
                ';' | '&' | '|' => {
                    // What begins with an operator, and `;;`, are no lines of this kind.
                    if !open || (c == ';' && self.peek(1) == Some(';')) {
                        self.doubt();
                    }
                    let double = self.peek(1) == Some(c) || (c == '|' && self.peek(1) == Some('&'));
                    if c == '&' && self.peek(1) == Some('>') {
                        self.doubt();
                    }
                    self.at += if double { 2 } else { 1 };
                    wanted = double || c == '|';
                    open = false;
                }
                '(' => {
                    if open || self.peek(1) == Some('(') {
                        self.doubt();
                    }
                    self.at += 1;
                    self.list(Some(')'));
                    (open, wanted) = (true, false);
                }
                ')' | '}' if close != Some(c) => {
                    self.doubt();
                    self.at += 1;
                }
                '{' if self.peek(1).is_none_or(char::is_whitespace) => {
                    if open {
                        self.doubt();
                    }
                    self.at += 1;
                    self.list(Some('}'));
                    (open, wanted) = (true, false);
                }
                '!' if self.peek(1).is_some_and(|next| next == ' ') => {
                    if open {
                        self.doubt();
                    }
                    self.at += 1;
                    wanted = true;
                }
                _ if !open && self.keyword().is_some() => {
                    let (word, length) = self.keyword().unwrap_or_default();
                    self.at += length;
                    self.block(word);
                    open = matches!(word, "fi" | "done");
                    wanted = !open && word != "for";
                }
                _ => {
                    if open && !matches!(c, '<' | '>') {
                        self.doubt();
                    }
                    let before = self.at;
                    self.command();
                    // What ends something that is not open here.
                    if self.at == before {
                        self.doubt();
                        self.at += 1;
                    }
                    (open, wanted) = (true, false);
                }
            }
        }
        if self.blocks.len() != blocks {
            self.doubt();
            self.blocks.truncate(blocks);
        }
        self.depth -= 1;
    }

    /// A word of the grammar that stands here, with its length.
    fn keyword(&self) -> Option<(&'static str, usize)> {
        let known = ["if", "then", "elif", "else", "fi", "while", "until", "do", "done", "for"];
        let word: String = self.chars.iter().skip(self.at).take_while(|c| c.is_ascii_lowercase()).collect();
        let ends = self.peek(word.len()).is_none_or(|c| c.is_whitespace() || matches!(c, ';' | ')'));
        known.into_iter().find(|known| *known == word && ends).map(|known| (known, known.len()))
    }

    fn block(&mut self, word: &'static str) {
        let last = self.blocks.last().copied();
        match (word, last) {
            ("if" | "while" | "until", _) => self.blocks.push(word),
            ("for", _) => {
                self.blocks.push(word);
                self.counted();
            }
            ("then", Some("if" | "elif"))
            | ("elif" | "else", Some("then"))
            | ("do", Some("while" | "until" | "for")) => {
                if let Some(slot) = self.blocks.last_mut() {
                    *slot = word;
                }
            }
            ("fi", Some("then" | "else")) | ("done", Some("do")) => {
                self.blocks.pop();
            }
            _ => self.doubt(),
        }
    }

    /// What a `for` counts through: its words, up to the end of its line.
    fn counted(&mut self) {
        let mut words = 0_usize;
        loop {
            while self.peek(0).is_some_and(|c| c == ' ' || c == '\t') {
                self.at += 1;
            }
            match self.peek(0) {
                Some(';' | '\n') => break,
                Some('&' | '|' | '(' | ')' | '<' | '>' | '#' | '`') | None => return self.doubt(),
                Some(_) => {
                    let start = self.at;
                    self.word(false);
                    let word = self.slice(start, self.at);
                    words += 1;
                    let plain = word.chars().all(word_char);
                    if self.at == start || (words == 1 && !plain) || (words == 2 && word != "in") {
                        return self.doubt();
                    }
                }
            }
        }
        self.at += 1;
        if words < 3 {
            self.doubt();
        }
    }

    fn comment(&mut self) {
        while self.peek(0).is_some_and(|c| c != '\n') {
            self.at += 1;
        }
    }

    fn command(&mut self) {
        let mut found = Gathered { start: self.at, end: self.at, ..Gathered::default() };
        loop {
            while self.peek(0).is_some_and(|c| c == ' ' || c == '\t') {
                self.at += 1;
            }
            let Some(c) = self.peek(0).filter(|_| !found.ended) else { break };
            match c {
                '\n' | ';' | '|' | ')' => break,
                '`' if self.ticked => break,
                '&' if self.peek(1) == Some('>') => self.redirect(&mut found),
                '&' => break,
                '<' | '>' if self.peek(1) != Some('(') => self.redirect(&mut found),
                '#' => self.comment(),
                '(' => {
                    // A function, or a list in an assignment.
                    self.doubt();
                    self.at += 1;
                    self.list(Some(')'));
                }
                '0'..='9' if self.descriptor() => self.redirect(&mut found),
                _ => {
                    let start = self.at;
                    self.word(found.words.len() == found.assigned);
                    if self.at == start {
                        self.doubt();
                        self.at += 1;
                    }
                    self.keep(&mut found, start);
                }
            }
        }
        self.finish(&found);
    }

    /// Keeps a word that has been read.
    fn keep(&mut self, found: &mut Gathered, start: usize) {
        let word = self.slice(start, self.at);
        // What stands behind a redirect belongs to it or to the command, depending on the grammar's version.
        if found.redirected {
            self.doubt();
        }
        if found.words.len() == found.assigned && assigns(&word) {
            found.assigned += 1;
        }
        if found.words.is_empty() {
            found.start = start;
        }
        found.end = self.at;
        found.words.push(word);
    }

    fn finish(&mut self, found: &Gathered) {
        let words: Vec<String> = found.words.iter().skip(found.assigned).cloned().collect();
        let Some(first) = words.first() else {
            self.nodes.assigns |= found.assigned > 0;
            return;
        };
        if GRAMMAR.contains(&first.as_str()) || matches!(first.as_str(), "[" | "in" | "coproc") {
            self.doubt();
        }
        let (text, full) = (self.slice(found.start, found.end), self.slice(found.start, self.at));
        let (text, full) = (text.trim().to_owned(), full.trim().to_owned());
        let declares = DECLARES.contains(&first.as_str());
        // Behind a word that begins something else, a command may begin.
        if GRAMMAR.contains(&first.as_str()) && words.len() > 1 {
            let rest: Vec<String> = words.iter().skip(1).cloned().collect();
            self.push(Node {
                text: rest.join(" "),
                full: rest.join(" "),
                words: rest,
                declares: false,
                start: found.start,
            });
        }
        self.push(Node { text, full, words, declares, start: found.start });
    }

    fn push(&mut self, node: Node) {
        if self.nodes.commands.len() < MOST {
            self.nodes.commands.push(node);
        } else {
            self.doubt();
        }
    }
}

const fn word_char(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Whether a word in front of a command sets a variable.
fn assigns(word: &str) -> bool {
    let Some((name, _)) = word.split_once('=') else { return false };
    let name = name.trim_end_matches('+');
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_') && name.chars().all(word_char)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str) -> Vec<String> {
        let nodes = read(line);
        assert!(nodes.sure, "{line}: {nodes:?}");
        nodes.commands.into_iter().map(|node| node.text).collect()
    }

    #[test]
    fn every_command_counts() {
        assert_eq!(texts("a 1 && b || c; d | e |& f & g\nh"), ["a 1", "b", "c", "d", "e", "f", "g", "h"]);
        assert_eq!(texts("(a; b) && { c; }"), ["a", "b", "c"]);
        assert_eq!(texts("echo \"$(a | b)\" `c` <(d)"), ["echo \"$(a | b)\" `c` <(d)", "a", "b", "c", "d"]);
        assert_eq!(texts("! grep x y"), ["grep x y"]);
        assert_eq!(texts("echo 'a && b' \"c; d\" e\\;f # g"), ["echo 'a && b' \"c; d\" e\\;f"]);
    }

    #[test]
    fn assignments_belong_to_the_command() {
        assert_eq!(texts("A=1 B=$X c d"), ["A=1 B=$X c d"]);
        assert_eq!(read("A=1 B=2 c d").commands[0].words, ["c", "d"]);
        assert_eq!(texts("A=$(b)"), ["b"]);
        assert!(read("A=1").commands.is_empty());
    }

    #[test]
    fn loops_and_choices_are_gone_through() {
        assert_eq!(texts("for x in a $(b); do c $x; d; done && e"), ["b", "c $x", "d", "e"]);
        assert_eq!(
            texts("if a; then b; elif c; then d; else e; fi; while f\ndo g; done"),
            ["a", "b", "c", "d", "e", "f", "g"]
        );
        let document = read("python3 - <<'EOF'\nimport os $(x)\nEOF\nls");
        assert!(document.sure && document.redirects, "{document:?}");
        assert_eq!(document.commands[0].text, "python3 -");
        assert_eq!(document.commands[0].full, "python3 - <<'EOF'\nimport os $(x)\nEOF");
        assert_eq!(document.commands[1].text, "ls");
    }

    #[test]
    fn redirects_do_not() {
        let nodes = read("make >out.txt 2>&1");
        assert!(nodes.sure && nodes.redirects);
        assert_eq!((nodes.commands[0].text.as_str(), nodes.commands[0].full.as_str()), ("make", "make >out.txt 2>&1"));
        assert!(!read("echo '>' \">\"").redirects);
    }

    #[test]
    fn what_is_not_plain_is_in_doubt() {
        for line in [
            "for x in a; do b",
            "cat <<EOF\nx",
            "cat <<EOF | b\nx\nEOF",
            "case x in a) b;; esac",
            "if a; fi",
            "echo 'a",
            "echo $(a",
            "f() { a; }",
            "a &&",
            "&& a",
            "a;;b",
            "[ -f x ]",
            "x=(1 2)",
            "a > b c",
            "echo ${x@P}",
            "a\\\nb",
            "((1))",
            "a )",
            "`a $(b`)",
            "`$(`",
            "é",
        ] {
            assert!(!read(line).sure, "{line}: {:?}", read(line));
        }
        assert!(!read(&"(".repeat(100)).sure);
        assert!(!read(&"a;".repeat(3_000)).sure);
        assert!(!read(&"a".repeat(20_000)).sure);
        let found = read("case x in a) railway down;; esac").commands;
        assert!(found.iter().any(|node| node.text == "railway down"), "{found:?}");
    }
}
