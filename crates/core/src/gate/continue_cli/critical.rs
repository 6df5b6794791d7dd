//! Commands that are refused in every mode (`packages/terminal-security/src/evaluateTerminalCommandSecurity.ts`) (floor 2).

use crate::gate::expression::Fit;

/// Commands that are refused whatever they are given.
const REFUSED: [&str; 17] = [
    "format",
    "cipher",
    "sudo",
    "su",
    "doas",
    "runas",
    "gsudo",
    "psexec",
    "takeown",
    "insmod",
    "modprobe",
    "rmmod",
    "iptables",
    "ip6tables",
    "nftables",
    "eval",
    "exec",
];

/// Commands that are refused with some arguments.
const SOME: [&str; 6] = ["rm", "del", "dd", "chmod", "chown", "icacls"];

/// What `rm` is refused.
const KEPT: [&str; 14] = [
    "/etc/passwd",
    "/etc/shadow",
    "/etc/sudoers",
    "/etc/hosts",
    "/boot/",
    "/sys/",
    "/proc/",
    "/dev/",
    "/bin/",
    "/sbin/",
    "/usr/bin/",
    "/usr/sbin/",
    "/lib/",
    "/lib64/",
];

/// Whether a line holds a command that is refused. It is sure of lines in which there is no doubt where words end.
pub(super) fn critical(line: &str) -> Fit {
    let joins = |c: char| matches!(c, ';' | '|' | '&' | '\n' | '\r');
    let plain = |c: char| c.is_ascii_alphanumeric() || joins(c) || " \t_./:=,@%+~-".contains(c);
    if line.chars().all(plain) {
        let refused = line
            .split(joins)
            .any(|part| refused(&part.split([' ', '\t']).filter(|w| !w.is_empty()).collect::<Vec<_>>()));
        return if refused { Fit::Sure } else { Fit::No };
    }
    let lower = line.to_lowercase();
    let words = || lower.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    let named = words().any(|word| REFUSED.contains(&word) || SOME.contains(&word) || word.starts_with("mkfs"));
    let paths = ["/etc", "/usr", "/bin", "/sbin", "~"].iter().any(|path| lower.contains(path))
        || lower.split(|c: char| c.is_whitespace() || matches!(c, '\'' | '"')).any(|word| matches!(word, "/" | "/*"));
    if named || (paths && lower.contains('-')) { Fit::May } else { Fit::No }
}

fn refused(words: &[&str]) -> bool {
    let Some((first, rest)) = words.split_first() else { return false };
    let base = first.to_lowercase();
    let all = || std::iter::once(base.as_str()).chain(rest.iter().copied());
    let both = |one: &str, other: &str| all().any(|word| word == one) && all().any(|word| word == other);
    let forced = all().any(|word| word.starts_with('-') && word.contains('r') && word.contains('f'))
        || both("-r", "-f")
        || both("--recursive", "--force");
    let top = |word: &str| {
        matches!(word, "/" | "/*" | "~" | "~/*" | "/usr" | "/etc" | "/bin" | "/sbin")
            || ["/usr/", "/etc/", "/bin/", "/sbin/"].iter().any(|path| word.starts_with(path))
    };
    let holds = |parts: &[&str]| rest.iter().any(|word| parts.iter().any(|part| word.contains(part)));
    let is = |wanted: &[&str]| rest.iter().any(|word| wanted.contains(word));
    let drive = || rest.iter().any(|word| word.to_lowercase().contains("c:\\") || word.contains("c:/"));
    if base.starts_with("mkfs") || REFUSED.contains(&base.as_str()) || (forced && all().any(top)) {
        return true;
    }
    match base.as_str() {
        "rm" => holds(&KEPT),
        "del" => (is(&["/s"]) && is(&["/q"])) || drive(),
        "dd" => holds(&["of=/dev/"]),
        "chmod" => is(&["777", "776", "775", "+s", "u+s", "g+s"]),
        "chown" => holds(&["root"]),
        "icacls" => rest.iter().any(|word| word.to_lowercase().contains("everyone:f")),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_lines_are_judged_as_they_are_judged_there() {
        for line in [
            "sudo railway down",
            "ls; SUDO x",
            "true && eval x",
            "a | exec b",
            "ls\nsu",
            "rm -rf /",
            "aws --profile x s3 rm /etc/x",
            "/usr/bin/terraform destroy --force-x -rf",
            "dd if=x of=/dev/sda",
            "chmod 777 x",
            "mkfs.ext4 /dev/sda",
            "rm /boot/x",
        ] {
            assert_eq!(critical(line), Fit::Sure, "{line}");
        }
        for line in [
            "X=1 sudo x",
            "env sudo x",
            "rm -rf ./data",
            "railway down",
            "supabase db reset",
            "chmod 700 x",
            "/usr/bin/sudo x",
        ] {
            assert_eq!(critical(line), Fit::No, "{line}");
        }
        for line in ["'sudo' x", "bash -c 'sudo x'", "rm -rf $HOME", "echo \"-rf\" /etc", "$(eval x)"] {
            assert_eq!(critical(line), Fit::May, "{line}");
        }
        assert_eq!(critical("echo 'railway down'"), Fit::No);
    }
}
