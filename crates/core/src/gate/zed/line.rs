//! What its expressions may be held against (floor 2): the commands of a line as its own parser of shells tells them
//! (`crates/shell_command_parser`), words without their quotes, one blank apart.

use crate::gate::nodes;
use crate::gate::programs::{CARRIERS, CLIENTS};

/// The most readings of one line that are looked at.
const MOST: usize = 256;

/// Words in front of a command that are not part of it. What stands behind `time` is the command.
const BEFORE: [&str; 14] =
    ["time", "-p", "--", "!", "coproc", "if", "then", "elif", "else", "while", "until", "do", "{", "}"];

/// The commands of a line in which there is no doubt what they are.
pub(super) fn plain(line: &str) -> Option<Vec<String>> {
    let fine = |c: char| c.is_ascii_alphanumeric() || " _./:=,@%+-&|;".contains(c);
    let nodes = nodes::read(line);
    let apart = |text: &str| text.split(' ').any(str::is_empty);
    let sound = nodes.sure
        && !nodes.redirects
        && !nodes.assigns
        && !nodes.commands.is_empty()
        && line.chars().all(fine)
        && nodes.commands.iter().all(|node| {
            let first = node.words.first().map_or("", String::as_str);
            !node.declares
                && !BEFORE.contains(&first)
                // A word that looks like one that sets a variable is left out of what is held against expressions.
                && !node.words.iter().any(|word| sets(word))
                && !apart(&node.text)
                && node.words.join(" ") == node.text
        });
    sound.then(|| nodes.commands.into_iter().map(|node| node.text).collect())
}

fn sets(word: &str) -> bool {
    let Some((name, _)) = word.split_once('=') else { return false };
    let name = name.trim_end_matches('+');
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// What one command may be held as.
pub(super) fn held(text: &str) -> Vec<String> {
    let mut found = vec![text.to_owned()];
    for signs in [&['"', '\'', '\\'][..], &['"', '\'', '\\', '$'][..]] {
        let bare = text.replace(signs, "");
        let words: Vec<&str> = bare.split_whitespace().collect();
        let at = words.iter().position(|word| !BEFORE.contains(word)).unwrap_or(words.len());
        for from in [0, at] {
            let words: Vec<&str> = words.iter().skip(from).copied().collect();
            let front = words.iter().take_while(|word| sets(word)).count();
            let kept = |from: usize, all: bool| -> String {
                let behind = words.iter().enumerate().skip(from);
                let kept = behind.filter(|(at, word)| all || *at < front || !sets(word)).map(|(_, word)| *word);
                kept.collect::<Vec<&str>>().join(" ")
            };
            found.extend([kept(0, true), kept(0, false), kept(front, true), kept(front, false)]);
        }
    }
    found.sort_unstable();
    found.dedup();
    found.retain(|text| !text.is_empty());
    found
}

/// What may be a command of any line, with what each may be held as.
pub(super) fn readings(line: &str) -> Vec<Vec<String>> {
    let mut found = Vec::new();
    for line in [line.to_owned(), undirected(line)] {
        let pieces = line.split([';', '&', '|', '(', ')', '<', '>', '`', '\n']);
        found.extend(pieces.take(MOST).map(held));
    }
    found
}

/// Whether something that may be a command, with what it may be held as, surely is one: it begins with a program that is known.
pub(super) fn runs(held: &[String]) -> bool {
    let known = |word: &str| {
        let name = word.rsplit('/').next().unwrap_or(word);
        CARRIERS.contains(&name) || CLIENTS.iter().any(|(client, _, _)| *client == name)
    };
    held.iter().any(|text| text.split_whitespace().next().is_some_and(known))
}

/// The line without its redirects.
fn undirected(line: &str) -> String {
    let mut kept = String::new();
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        if !matches!(c, '<' | '>') || chars.peek() == Some(&'(') {
            kept.push(c);
            continue;
        }
        let before = kept.trim_end_matches(|c: char| c.is_ascii_digit() || c == '&').len();
        kept.truncate(before);
        while chars.next_if(|c| matches!(c, '<' | '>' | '&' | '|' | '-')).is_some() {}
        while chars.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        while chars.next_if(|c| !c.is_whitespace() && !matches!(c, ';' | '&' | '|' | '(' | ')')).is_some() {}
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_told_as_it_stands_is_plain() {
        assert_eq!(plain("a b && c").unwrap(), ["a b", "c"]);
        for line in ["time a", "a  b", "a b=c", "X=1 a", "a > b", "[[ -f a ]] && b", "a 'b'", "export A", "a\tb"] {
            assert!(plain(line).is_none(), "{line}");
        }
    }

    #[test]
    fn what_may_be_told_is_among_the_readings() {
        for (line, text) in [
            ("time a b", "a b"),
            ("time -p a b", "a b"),
            ("[[ -f x ]] && a b", "a b"),
            ("case x in x) a b;; esac", "a b"),
            ("$'a' b", "a b"),
            ("\"a\"   'b'", "a b"),
            ("a if=x b", "a b"),
            ("X=1 a b", "X=1 a b"),
            ("X=(1 2) a b", "a b"),
            ("> out a b 2>&1", "a b"),
            ("a > out b", "a b"),
            ("if c; then a b; fi", "a b"),
            ("f() { a b; }; f", "a b"),
        ] {
            assert!(readings(line).iter().flatten().any(|one| one == text), "{line}: {:?}", readings(line));
        }
    }
}
