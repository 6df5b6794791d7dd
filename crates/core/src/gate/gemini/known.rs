//! Commands that the agent knows by themselves (floor 2): those that it lets run unasked and those that it asks about,
//! whatever a rule for the whole tool says (google-gemini/gemini-cli `packages/core/src/sandbox/utils/commandSafety.ts`).
//!
//! It looks at the words of the whole line, cut by `shell-quote`. Later versions let files be read in the workspace
//! alone, so a word that may lead out of it leaves the answer open.

use crate::gate::expression::Fit;
use crate::gate::shell::words;

const READS: [&str; 27] = [
    "__read", "__write", "cat", "cut", "echo", "expr", "false", "grep", "head", "id", "ls", "nl", "paste", "pwd",
    "rev", "seq", "stat", "tail", "tr", "true", "uname", "uniq", "wc", "which", "whoami", "numfmt", "tac",
];

/// Of these, those whose words name no file.
const SPEAKS: [&str; 10] = ["echo", "expr", "false", "id", "pwd", "seq", "true", "uname", "which", "whoami"];

/// What makes of `find` a program that does more than find.
const FINDS: [&str; 9] = ["-exec", "-execdir", "-ok", "-okdir", "-delete", "-fls", "-fprint", "-fprint0", "-fprintf"];

/// Subcommands of git that are looked at.
const SHOWS: [&str; 5] = ["status", "log", "diff", "show", "branch"];

/// A word as `shell-quote` leaves it, and whether that is sure.
fn bare(word: &str) -> (String, bool) {
    let inner = ['"', '\''].iter().find_map(|quote| word.strip_prefix(*quote)?.strip_suffix(*quote));
    let text = inner.unwrap_or(word);
    // No program is called like an assignment, whatever it assigns.
    let assigned = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    if inner.is_none() && assigned.is_some_and(|at| text.get(at..).is_some_and(|rest| rest.starts_with('='))) {
        return (text.to_owned(), true);
    }
    let odd = text.contains(['"', '\'', '\\', '$', '`', '*', '?', '[', '(', ')', '<', '>', '|', '&', ';', '#', '{']);
    (text.to_owned(), !odd)
}

/// The words of a line as `shell-quote` leaves them. Operators are words of their own.
fn cut(line: &str) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    for word in words(line) {
        if word.contains(['"', '\'', '\\', '$', '`']) {
            found.push(bare(word));
        } else {
            for part in word.split_inclusive([';', '|', '&', '(', ')', '<', '>']) {
                let text = part.trim_end_matches([';', '|', '&', '(', ')', '<', '>']);
                found.extend((!text.is_empty()).then(|| bare(text)));
                found
                    .extend(part.get(text.len()..).filter(|sign| !sign.is_empty()).map(|sign| (sign.to_owned(), true)));
            }
        }
    }
    found
}

/// Whether a command is one that only reads, so that nobody is asked about it.
pub(super) fn safe(line: &str) -> Fit {
    let words = cut(line);
    let Some((first, sure)) = words.first() else { return Fit::No };
    if !sure {
        return Fit::May;
    }
    let rest = || words.iter().skip(1).map(|(word, _)| word.as_str());
    let plain = words.iter().all(|(_, sure)| *sure);
    let inside = plain && !rest().any(|word| word.starts_with(['/', '~', '-']) || word.contains(".."));
    let known = |fits: bool, narrow: bool| match (fits, narrow) {
        (false, _) => Fit::No,
        (true, true) => Fit::Sure,
        (true, false) => Fit::May,
    };
    match first.as_str() {
        name if SPEAKS.contains(&name) => Fit::Sure,
        // `cd` out of the workspace is asked about in later versions, and with nothing behind it that is where it goes.
        "cd" => known(true, inside && words.len() > 1),
        name if READS.contains(&name) => known(true, inside),
        "find" => known(!rest().any(|word| FINDS.contains(&word)), inside),
        "base64" => known(!rest().any(writes), inside),
        "git" => known(shows(&words) && !changes(&words), plain && inside),
        "sed" => known(words.get(1).is_some_and(|(word, _)| word == "-n"), false),
        name if name == "rg" || name.ends_with("/rg") => Fit::May,
        "bash" | "zsh" => known(matches!(words.get(1), Some((word, _)) if word == "-c" || word == "-lc"), false),
        _ => Fit::No,
    }
}

/// Whether a command is one that the agent asks about, whatever lets it run.
pub(super) fn dangerous(line: &str) -> Fit {
    danger(&cut(line))
}

fn danger(words: &[(String, bool)]) -> Fit {
    let Some((first, sure)) = words.first() else { return Fit::No };
    if !sure {
        return Fit::May;
    }
    let rest = || words.iter().skip(1).map(|(word, _)| word.as_str());
    let second = words.get(1);
    let known = |fits: bool| if fits { Fit::Sure } else { Fit::No };
    match first.as_str() {
        "rm" => match second {
            Some((word, true)) => known(matches!(word.as_str(), "-f" | "-rf" | "-fr")),
            Some((_, false)) => Fit::May,
            None => Fit::No,
        },
        "sudo" => danger(words.get(1..).unwrap_or_default()),
        "find" => known(rest().any(|word| FINDS.contains(&word))),
        "base64" => known(rest().any(writes)),
        // Links are asked about in later versions.
        "ln" if rest().any(|word| word.starts_with('-') && word.contains('s')) => Fit::May,
        "git" if changes(words) => Fit::Sure,
        "git" if shows(words) => Fit::May,
        name if name == "rg" || name.ends_with("/rg") => Fit::May,
        _ => Fit::No,
    }
}

/// Whether a line runs git, as far as its words tell.
pub(super) fn git(line: &str) -> Fit {
    let words = cut(line);
    let named = |word: &str| {
        let base = word.rsplit('/').next().unwrap_or(word).to_lowercase();
        base == "git" || base == "git.exe"
    };
    match words.first() {
        Some((first, true)) if named(first) => Fit::Sure,
        Some(_) if line.to_lowercase().contains("git") => Fit::May,
        Some(_) | None => Fit::No,
    }
}

fn writes(word: &str) -> bool {
    word == "--output" || word.starts_with("--output=") || word.starts_with("-o")
}

/// Whether git is told to set something for itself, which may run anything.
fn changes(words: &[(String, bool)]) -> bool {
    words.iter().any(|(word, _)| word.starts_with("-c") || word.starts_with("--config-env"))
}

/// Whether the first word of git that is no option only shows something.
fn shows(words: &[(String, bool)]) -> bool {
    let mut rest = words.iter().skip(1).map(|(word, _)| word.as_str()).skip_while(|word| word.starts_with('-'));
    let sub = rest.next();
    let fine = |sub: &str| {
        let flags: Vec<&str> = words.iter().skip(2).map(|(word, _)| word.as_str()).collect();
        let out = ["--output", "--ext-diff", "--textconv", "--exec", "--paginate"];
        let kept = !flags.iter().any(|flag| out.iter().any(|bad| flag.starts_with(bad)));
        let lists = ["--list", "-l", "--show-current", "-a", "--all", "-r", "--remotes", "-v", "-vv", "--verbose"];
        kept && (sub != "branch" || flags.iter().all(|flag| lists.contains(flag)))
    };
    sub.is_some_and(|sub| SHOWS.contains(&sub) && fine(sub))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_reads_is_known() {
        for line in ["ls", "cat README.md", "echo hi", "git status", "find . name"] {
            assert_eq!(safe(line), Fit::Sure, "{line}");
        }
        for line in ["cat ~/.aws/credentials", "cat /etc/passwd", "head ../x", "$X", "bash -c ls", "rg x"] {
            assert_eq!(safe(line), Fit::May, "{line}");
        }
        for line in ["rm x", "railway down", "find . -delete", "git push", "git branch -D x", "A=1 ls", "xargs ls"] {
            assert_eq!(safe(line), Fit::No, "{line}");
        }
    }

    #[test]
    fn what_removes_by_force_is_known() {
        for line in ["rm -rf /", "rm -fr x", "sudo rm -f x", "find . -delete; ls", "git -c a=b log"] {
            assert_eq!(dangerous(line), Fit::Sure, "{line}");
        }
        for line in [
            "(rm -rf x)",
            "ls; rm -rf x",
            "rm -r -f x",
            "/bin/rm -rf x",
            "A=1 rm -rf x",
            "railway down",
            "git push --force",
        ] {
            assert_eq!(dangerous(line), Fit::No, "{line}");
        }
    }
}
