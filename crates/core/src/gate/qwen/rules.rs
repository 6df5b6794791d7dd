//! Rules, and which calls they name (floor 2).

use crate::gate::expression::Fit;
use crate::gate::shown::shown;
use crate::gate::{Cited, Effect, Ground, Level, Place, pattern};

/// Programs that run what they are given: to let one of these run anything counts for nothing in the mode in which a model
/// judges (`packages/core/src/permissions/dangerousRules.ts`).
const RUNNERS: [&str; 51] = [
    "sh",
    "bash",
    "zsh",
    "fish",
    "dash",
    "ksh",
    "cmd",
    "pwsh",
    "powershell",
    "python",
    "python3",
    "python2",
    "node",
    "deno",
    "tsx",
    "bun",
    "ruby",
    "perl",
    "php",
    "lua",
    "julia",
    "r",
    "rscript",
    "groovy",
    "awk",
    "gawk",
    "cargo",
    "npm",
    "pnpm",
    "yarn",
    "make",
    "gmake",
    "gradle",
    "mvn",
    "rake",
    "task",
    "just",
    "go",
    "npx",
    "bunx",
    "pnpx",
    "uvx",
    "pipx",
    "dlx",
    "ssh",
    "eval",
    "exec",
    "source",
    "csh",
    "tcsh",
    "env",
];

/// What kind of call a rule names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tool {
    Shell,
    Read,
    Edit,
    Fetch,
    Other,
}

/// One rule.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    pub(super) effect: Effect,
    pub(super) tool: Tool,
    /// The tool as it is written.
    name: String,
    pub(super) specifier: Option<String>,
    pub(super) place: Place,
    pub(super) level: Level,
}

impl Rule {
    /// Reads a rule. None if it names nothing.
    pub(super) fn read(effect: Effect, text: &str, place: Place, level: Level) -> Option<Self> {
        let text = text.trim();
        let (name, specifier) = match text.split_once('(') {
            None => (text, None),
            // What does not close names nothing.
            Some((name, rest)) => (name.trim(), Some(rest.strip_suffix(')')?)),
        };
        let tool = match name {
            "run_shell_command" | "Shell" | "ShellTool" | "Bash" => Tool::Shell,
            "read_file" | "ReadFile" | "ReadFileTool" | "Read" => Tool::Read,
            "edit" | "Edit" | "EditTool" | "replace" => Tool::Edit,
            "web_fetch" | "WebFetch" | "WebFetchTool" => Tool::Fetch,
            _ => Tool::Other,
        };
        let specifier = specifier.filter(|specifier| !specifier.is_empty()).map(str::to_owned);
        let specifier =
            if tool == Tool::Shell { specifier.map(|text| text.replacen(":*", " *", 1)) } else { specifier };
        Some(Self { effect, tool, name: name.to_owned(), specifier, place, level })
    }

    /// As it is shown, with nothing in it that may be a secret.
    pub(super) fn text(&self) -> String {
        match &self.specifier {
            None => shown(&self.name),
            Some(specifier) if self.tool == Tool::Shell => shown(&format!("Bash({specifier})")),
            Some(specifier) => shown(&format!("{}({specifier})", self.name)),
        }
    }

    pub(super) fn cited(&self) -> Cited {
        let whole = self.specifier.as_deref().is_none_or(|specifier| specifier == "*");
        Cited { effect: self.effect, text: self.text(), level: self.level, whole }
    }

    /// Whether it counts for nothing where a model judges.
    pub(super) fn suspended(&self) -> bool {
        if self.tool != Tool::Shell || self.effect != Effect::Allow {
            return false;
        }
        let Some(specifier) = self.specifier.as_ref().map(|text| text.trim().to_lowercase()) else { return true };
        let first = specifier.split_whitespace().next().unwrap_or_default().trim_end_matches('*');
        let first = first.split(':').next().unwrap_or(first);
        let base = first.rsplit(['/', '\\']).next().unwrap_or(first).trim_end_matches(".exe");
        let all = specifier.is_empty() || specifier.chars().all(|c| c == '*');
        all || (RUNNERS.contains(&base) && (specifier.contains('*') || !specifier.contains(char::is_whitespace)))
    }

    /// Whether it names a command, which stands behind its variables and without quotes. A rule without a wildcard names
    /// whatever begins with it and a blank.
    pub(super) fn names_command(&self, command: &str) -> bool {
        let Some(specifier) = self.specifier.as_deref() else { return true };
        if !specifier.contains('*') {
            return command == specifier || command.strip_prefix(specifier).is_some_and(|rest| rest.starts_with(' '));
        }
        matches(specifier, command)
    }

    /// Whether it names a file, by its absolute path.
    pub(super) fn names_file(&self, path: &str, ground: &Ground) -> Fit {
        let Some(specifier) = self.specifier.as_deref() else { return Fit::Sure };
        let anchored = if let Some(rest) = specifier.strip_prefix("//") {
            format!("/{rest}")
        } else if specifier.starts_with("~/") {
            ground.absolute(specifier)
        } else {
            ground.absolute(&format!("{}/{}", ground.root, specifier.trim_start_matches("./").trim_start_matches('/')))
        };
        let plain = anchored.chars().all(|c| c.is_ascii_alphanumeric() || "/._-@ *".contains(c));
        if !plain || specifier.contains("..") {
            return Fit::May;
        }
        match anchored.strip_suffix("/**") {
            Some(folder) if !folder.contains('*') => {
                if path.starts_with(&format!("{folder}/")) {
                    Fit::Sure
                } else {
                    Fit::No
                }
            }
            _ if !anchored.contains('*') => {
                if anchored == path {
                    Fit::Sure
                } else {
                    Fit::No
                }
            }
            _ if pattern::covers(&anchored, path) => Fit::May,
            _ => Fit::No,
        }
    }

    /// Whether it names a host, or one below it.
    pub(super) fn names_host(&self, domain: &str) -> bool {
        let Some(specifier) = self.specifier.as_deref() else { return true };
        let own = specifier.strip_prefix("domain:").unwrap_or(specifier).trim().to_lowercase();
        let domain = domain.to_lowercase();
        !own.is_empty() && (domain == own || domain.ends_with(&format!(".{own}")))
    }

    /// Whether it names a tool of a server.
    pub(super) fn names_tool(&self, server: &str, tool: &str) -> bool {
        let key = format!("mcp__{server}__{tool}");
        self.name == key
            || self.name == format!("mcp__{server}")
            || self.name.strip_suffix('*').is_some_and(|stem| stem.starts_with("mcp__") && key.starts_with(stem))
    }

    /// Whether it may name a tool of a server, whose name may be made to fit.
    pub(super) fn nears_server(&self, server: &str) -> bool {
        let plain = |text: &str| -> String { text.chars().filter(char::is_ascii_alphanumeric).collect() };
        self.name.starts_with("mcp__") && plain(&self.name).contains(&plain(server))
    }
}

/// A pattern for commands: a blank in front of `*` is the end of a word, and may be missing with what follows.
fn matches(specifier: &str, command: &str) -> bool {
    let mut pattern = String::from("(?s)^");
    let mut rest = specifier;
    while let Some((before, behind)) = rest.split_once('*') {
        match before.strip_suffix(' ') {
            Some(word) => {
                pattern.push_str(&regex::escape(word));
                pattern.push_str("( .*)?");
            }
            None => {
                pattern.push_str(&regex::escape(before));
                pattern.push_str(".*");
            }
        }
        rest = behind;
    }
    pattern.push_str(&regex::escape(rest));
    pattern.push('$');
    regex::Regex::new(&pattern).is_ok_and(|pattern| pattern.is_match(command))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(text: &str) -> Rule {
        Rule::read(Effect::Allow, text, Place { path: "x".to_owned(), line: None }, Level::User).unwrap()
    }

    #[test]
    fn commands_are_named_as_the_program_names_them() {
        assert!(rule("Bash(git commit)").names_command("git commit -m x"));
        assert!(!rule("Bash(git commit)").names_command("gitcommit"));
        assert!(rule("Bash(ls *)").names_command("ls") && !rule("Bash(ls *)").names_command("lsof"));
        assert!(rule("Bash(ls*)").names_command("lsof") && rule("Bash(git:*)").names_command("git push"));
        assert!(rule("Bash(* down)").names_command("railway down") && rule("Bash").names_command("x"));
        assert!(Rule::read(Effect::Deny, "Bash(x", Place { path: "x".to_owned(), line: None }, Level::User).is_none());
    }

    #[test]
    fn what_lets_too_much_is_suspended() {
        for text in ["Bash", "Bash(*)", "Bash(python3 *)", "Bash(npx:*)", "Bash(/usr/bin/node *)", "Bash(sh)"] {
            assert!(rule(text).suspended(), "{text}");
        }
        for text in
            ["Bash(git *)", "Bash(railway *)", "Bash(python3 x.py)", "Read", "Bash(make)x".trim_end_matches('x')]
        {
            assert_eq!(rule(text).suspended(), text == "Bash(make)", "{text}");
        }
    }
}
