//! Rules as they are shown (floor 2). People allow whole command lines, and those may hold a token or a password: only
//! what looks like a program, a subcommand, an option or a path is shown, and nothing that stands after an option.

use crate::gate::shell::words;

/// What stands for a word that is not shown.
const HIDDEN: &str = "…";

/// A rule with everything taken out that might be a secret.
pub(super) fn shown(rule: &str) -> String {
    let Some((tool, rest)) = rule.split_once('(') else { return name(rule) };
    let spec = rest.strip_suffix(')').unwrap_or(rest);
    let spec = match tool {
        "Bash" | "PowerShell" => command(spec),
        _ if spec.len() <= 120 && !spec.contains(['=', '@', '?']) && !runs(spec, 20) => spec.to_owned(),
        _ => HIDDEN.to_owned(),
    };
    format!("{}({spec})", name(tool))
}

fn name(tool: &str) -> String {
    let plain = tool.len() <= 120 && tool.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '*'));
    if plain { tool.to_owned() } else { HIDDEN.to_owned() }
}

fn command(spec: &str) -> String {
    let mut out: Vec<&str> = Vec::new();
    let mut after_option = false;
    for (at, word) in words(spec).into_iter().enumerate() {
        let option = word.starts_with('-');
        let wild = word.chars().all(|c| matches!(c, '*' | ':'));
        let fine = if option { plain_option(word) } else { plain_word(word, at == 0) };
        out.push(if wild || (fine && !after_option) { word } else { HIDDEN });
        after_option = option;
    }
    out.join(" ")
}

fn plain_option(word: &str) -> bool {
    let letters = word.trim_start_matches('-').trim_end_matches([':', '*']);
    letters.len() <= 1
        || (word.starts_with("--")
            && letters.len() <= 24
            && letters.chars().all(|c| c.is_ascii_lowercase() || c == '-'))
}

fn plain_word(word: &str, first: bool) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || matches!(c, '-' | '_' | '.' | '/' | '*' | ':' | '~');
    let digits = |c: char| first && c.is_ascii_digit();
    word.len() <= 40
        && !word.contains("://")
        && word.chars().all(|c| plain(c) || digits(c))
        && !(first && runs(word, 20))
}

/// Whether a text has a run of letters and digits of that length, with digits in it.
fn runs(text: &str, length: usize) -> bool {
    text.split(|c: char| !c.is_ascii_alphanumeric())
        .any(|run| run.len() >= length && run.chars().any(|c| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn plain_rules_are_shown_whole() {
        for rule in
            ["Bash(railway:*)", "Bash(python3 *)", "Read(~/.aws/**)", "Bash(npm run test)", "mcp__pg__query", "Bash"]
        {
            assert_eq!(shown(rule), rule);
        }
    }

    #[test]
    fn nothing_that_may_be_a_secret_is_shown() {
        let canary = "hunter2";
        for rule in [
            "Bash(PGPASSWORD=hunter2 psql *)",
            "Bash(mysql -phunter2:*)",
            "Bash(curl -H hunter2 https://hunter2@example.com/)",
            "Bash(railway --token hunter2)",
            "Bash(psql \"postgres://u:hunter2@h/db\")",
            "Read(//srv/x?token=hunter2)",
            "Bash(login Xhunter2)",
        ] {
            assert!(!shown(rule).contains(canary), "{}", shown(rule));
        }
    }
}
