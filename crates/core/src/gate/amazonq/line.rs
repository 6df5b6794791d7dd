//! Lines as the tool for commands cuts them (floor 2).

/// Commands that only read (`crates/chat-cli/src/cli/chat/tools/execute/mod.rs`).
const READS: [&str; 11] = ["ls", "cat", "echo", "pwd", "which", "head", "tail", "find", "grep", "dir", "type"];

/// Signs in a word at which it asks whatever else is said.
const SIGNS: [&str; 7] = ["<(", "`", ">", "&", ";", "$", "IFS"];

/// What a line is taken for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// It asks, whatever is allowed.
    Odd,
    /// Plain, with commands that only read, or with none.
    Reads,
    /// Plain, with others.
    Plain,
    /// Nothing in it runs.
    Empty,
}

/// What a line is taken for.
pub(super) fn taken(line: &str) -> Line {
    if line.contains(['\n', '\r']) {
        return Line::Odd;
    }
    let Some(words) = cut(line) else { return Line::Odd };
    if words.iter().any(|word| SIGNS.iter().any(|sign| word.contains(sign))) {
        return Line::Odd;
    }
    let mut commands: Vec<Vec<&str>> = Vec::new();
    let mut current: Vec<&str> = Vec::new();
    for word in &words {
        if word == "|" {
            commands.push(std::mem::take(&mut current));
        } else if word.contains('|') {
            return Line::Odd;
        } else {
            current.push(word);
        }
    }
    commands.push(current);
    commands.retain(|command| !command.is_empty());
    let mutates = |command: &&Vec<&str>| {
        let has = |names: &[&str]| command.iter().any(|word| names.iter().any(|name| word.contains(name)));
        match command.first() {
            Some(&"find") => has(&["-exec", "-delete", "-ok", "-fprint", "-fls"]),
            Some(&"grep") => has(&["-P", "--perl-regexp"]),
            Some(_) | None => false,
        }
    };
    if commands.iter().any(|command| mutates(&command)) {
        return Line::Odd;
    }
    if commands.is_empty() {
        return Line::Empty;
    }
    let reads = commands.iter().all(|command| command.first().is_some_and(|name| READS.contains(name)));
    if reads { Line::Reads } else { Line::Plain }
}

/// Words as the crate `shlex` cuts them, without their quotes; none where a quote stays open.
fn cut(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut chars = line.chars().peekable();
    loop {
        while chars.next_if(|c| matches!(c, ' ' | '\t' | '\n')).is_some() {}
        let Some(&first) = chars.peek() else { return Some(words) };
        if first == '#' {
            while chars.next_if(|c| *c != '\n').is_some() {}
            continue;
        }
        let mut word = String::new();
        while let Some(c) = chars.next_if(|c| !matches!(c, ' ' | '\t' | '\n')) {
            match c {
                '\'' => loop {
                    match chars.next()? {
                        '\'' => break,
                        c => word.push(c),
                    }
                },
                '"' => loop {
                    match chars.next()? {
                        '"' => break,
                        '\\' => match chars.next()? {
                            c @ ('$' | '`' | '"' | '\\') => word.push(c),
                            '\n' => {}
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                },
                '\\' => match chars.next()? {
                    '\n' => {}
                    c => word.push(c),
                },
                c => word.push(c),
            }
        }
        words.push(word);
    }
}

#[cfg(test)]
mod tests {
    use super::{Line, taken};

    #[test]
    fn lines_are_taken_for_what_the_tool_takes_them_for() {
        for line in ["ls | cat", "find . -name x", "cat 'a b'", "ls # ; rm x", "type \"x\""] {
            assert_eq!(taken(line), Line::Reads, "{line}");
        }
        for line in [
            "ls > x",
            "ls;id",
            "ls && id",
            "a & b",
            "echo $X",
            "echo '$X'",
            "echo `id`",
            "ls|cat",
            "ls 'a",
            "ls\nid",
            "ls\rid",
            "find . -delete",
            "find . -execdir x",
            "grep -P x y",
            "echo IFS",
        ] {
            assert_eq!(taken(line), Line::Odd, "{line}");
        }
        for line in ["railway down", "ls | railway down", "| railway down", "env ls", "X=1 ls", "\"\""] {
            assert_eq!(taken(line), Line::Plain, "{line}");
        }
        for line in ["", " ", "# x", "|"] {
            assert_eq!(taken(line), Line::Empty, "{line:?}");
        }
    }
}
