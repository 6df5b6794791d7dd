//! What a command is called where rules name it, and whether it is taken for one that only reads (floor 2).

use crate::gate::nodes::Node;

/// Programs that are named with the word behind them.
const STEMS: [&str; 25] = [
    "git", "gh", "glab", "npm", "npx", "yarn", "pnpm", "cargo", "go", "composer", "pip", "pipenv", "poetry", "conda",
    "mvn", "gradle", "gradlew", "dotnet", "bundle", "swift", "sbt", "flutter", "mix", "cabal", "stack",
];

/// Programs that only read, whatever is given to them.
const READERS: [&str; 42] = [
    "basename", "cal", "cat", "cd", "cut", "df", "diff", "dirname", "du", "echo", "expr", "false", "file", "free",
    "grep", "groups", "head", "hostname", "id", "ls", "nl", "printenv", "ps", "pwd", "readlink", "realpath", "set",
    "stat", "tail", "top", "tr", "true", "type", "uname", "uniq", "unset", "uptime", "wc", "whatis", "whereis",
    "which", "whoami",
];

/// What of git is taken for reading, with whatever stands behind it: `git branch -D` and `git tag -d` as well.
const GIT_READERS: [&str; 14] = [
    "blame",
    "branch",
    "describe",
    "diff",
    "grep",
    "log",
    "ls-files",
    "ls-remote",
    "remote",
    "rev-parse",
    "shortlog",
    "show",
    "status",
    "tag",
];

/// What the program does with other machines' pages: their addresses are asked about for themselves.
const FETCHERS: [&str; 16] = [
    "curl",
    "wget",
    "fetch",
    "http",
    "https",
    "aria2c",
    "axel",
    "lynx",
    "w3m",
    "links",
    "elinks",
    "nc",
    "netcat",
    "telnet",
    "Invoke-WebRequest",
    "Invoke-RestMethod",
];

/// Subcommands of `gh` that were seen to be asked about, by their last word.
const GH_ASKED: [&str; 13] = [
    "delete", "archive", "edit", "merge", "close", "cancel", "set", "rename", "logout", "install", "clone", "sync",
    "ssh",
];

/// Whether a command only reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reads {
    /// It is taken for one that does.
    Yes,
    /// It may be.
    Perhaps,
    /// It is asked about.
    No,
}

/// A command as rules name it.
#[derive(Clone, Debug)]
pub(super) struct Named {
    /// What it is called; nothing where that is not sure.
    pub(super) name: Option<String>,
    /// Its first word.
    pub(super) program: String,
    pub(super) reads: Reads,
    /// Whether it fetches pages by their addresses.
    pub(super) fetches: bool,
}

/// Whether a word stands for itself.
fn plain(word: &str) -> bool {
    !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./:@%+,=".contains(c))
}

impl Named {
    pub(super) fn of(node: &Node) -> Self {
        let program = node.words.first().cloned().unwrap_or_default();
        let second = node.words.get(1).map(String::as_str);
        let all_plain = node.words.iter().all(|word| plain(word));
        let name = if program.is_empty() || program.contains(['$', '`', '{', '*', '?', '[']) {
            None
        } else if !STEMS.contains(&program.as_str()) {
            Some(program.clone())
        } else {
            match second {
                None => Some(program.clone()),
                // Options in front of a subcommand of git are passed over, not all of them by the same rule.
                Some(word) if word.starts_with('-') && program == "git" => None,
                Some(word) if plain(word) && !word.bytes().all(|byte| byte.is_ascii_digit()) => {
                    Some(format!("{program} {word}"))
                }
                Some(_) => None,
            }
        };
        let reads = reads(&program, &node.words, &node.full, all_plain);
        let fetches = FETCHERS.contains(&program.as_str()) && node.full.contains("://");
        Self { name, program, reads, fetches }
    }
}

fn reads(program: &str, words: &[String], text: &str, all_plain: bool) -> Reads {
    let yes_if = |plain: bool| if plain { Reads::Yes } else { Reads::Perhaps };
    match program {
        // Options that make it write or run something are looked for anywhere in the text.
        "find" => {
            let acts = ["-exec", "-execdir", "-ok", "-okdir", "-delete", "-fls", "-fprint", "-fprint0", "-fprintf"];
            if acts.iter().any(|act| text.contains(act)) { Reads::No } else { Reads::Perhaps }
        }
        "sort" | "sed" | "rg" | "date" => Reads::Perhaps,
        _ if READERS.contains(&program) => yes_if(all_plain),
        "git" => match words.get(1).map(String::as_str) {
            None => Reads::Yes,
            Some("remote" | "ls-remote" | "grep" | "diff" | "log" | "show") => Reads::Perhaps,
            Some(sub) if GIT_READERS.contains(&sub) => {
                yes_if(all_plain && !text.contains(" -u") && !text.contains("--upload-p"))
            }
            Some(sub) if plain(sub) && !sub.starts_with('-') => Reads::No,
            // Options stand in front: one of the words behind them is the subcommand.
            Some(_) if all_plain && !words.iter().any(|word| GIT_READERS.contains(&word.as_str())) => Reads::No,
            Some(_) => Reads::Perhaps,
        },
        "gh" => match (words.get(1).map(String::as_str), words.get(2).map(String::as_str)) {
            (Some("api"), _) => Reads::No,
            (Some(_), Some(verb)) if GH_ASKED.contains(&verb) => Reads::No,
            _ => Reads::Perhaps,
        },
        // What is named in quotes or by its path is none of the names above.
        _ if program.is_empty() || program.contains('$') => Reads::Perhaps,
        _ => Reads::No,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::nodes;

    fn named(line: &str) -> Named {
        Named::of(&nodes::read(line).commands[0])
    }

    #[test]
    fn commands_are_named_as_the_program_names_them() {
        assert_eq!(named("railway down --yes").name.as_deref(), Some("railway"));
        assert_eq!(named("X=1 railway down").name.as_deref(), Some("railway"));
        assert_eq!(named("git push --force").name.as_deref(), Some("git push"));
        assert_eq!(named("gh -R x repo delete").name.as_deref(), Some("gh -R"));
        assert_eq!(named("git -C . push").name, None);
        assert_eq!(named("git \"push\"").name, None);
        assert_eq!(named("/usr/bin/railway down").name.as_deref(), Some("/usr/bin/railway"));
        assert_eq!(named("'railway' down").name.as_deref(), Some("'railway'"));
    }

    #[test]
    fn what_is_taken_for_reading() {
        assert_eq!(named("git branch -D main").reads, Reads::Yes);
        assert_eq!(named("git tag -d v1").reads, Reads::Yes);
        assert_eq!(named("git push").reads, Reads::No);
        assert_eq!(named("find / -delete").reads, Reads::No);
        assert_eq!(named("gh repo delete x").reads, Reads::No);
        assert_eq!(named("gh repo view").reads, Reads::Perhaps);
        assert_eq!(named("sudo ls").reads, Reads::No);
        assert_eq!(named("env").reads, Reads::No);
    }
}
