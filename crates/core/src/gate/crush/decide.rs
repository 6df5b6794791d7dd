//! One call, one decision (floor 2).

use super::{CrushPolicy, Said};
use crate::fact::GapReason;
use crate::gate::bounds::{Bounds, Odd, ruling, unread};
use crate::gate::desk::accepted;
use crate::gate::nodes;
use crate::gate::writer::{About, Gated, Lets};
use crate::gate::{Basis, Call, Cited, Doubt, Effect, GateDecision, Level, Place, Ruling};
use crate::model::{Decision, Override};

/// Words that a line may begin with to run unasked (`internal/agent/tools/safe.go`).
const SAFE: [&str; 47] = [
    "cal",
    "date",
    "df",
    "du",
    "echo",
    "env",
    "free",
    "groups",
    "hostname",
    "id",
    "kill",
    "killall",
    "ls",
    "nice",
    "nohup",
    "printenv",
    "ps",
    "pwd",
    "set",
    "time",
    "timeout",
    "top",
    "type",
    "uname",
    "unset",
    "uptime",
    "whatis",
    "whereis",
    "which",
    "whoami",
    "git blame",
    "git branch",
    "git config --get",
    "git config --list",
    "git describe",
    "git diff",
    "git grep",
    "git log",
    "git ls-files",
    "git ls-remote",
    "git remote",
    "git rev-parse",
    "git shortlog",
    "git show",
    "git status",
    "git tag",
    "git tag",
];

/// Signs that more than one command may stand in a line. A single `&`, a newline and a redirect are none of them.
const JOINS: [&str; 5] = [";", "|", "&&", "$(", "`"];

/// Programs that are not started, by the name that they are called by (`internal/agent/tools/bash.go`), without those that
/// its shell knows by itself.
const BANNED: [&str; 59] = [
    "aria2c",
    "axel",
    "chrome",
    "curl",
    "curlie",
    "firefox",
    "http-prompt",
    "httpie",
    "links",
    "lynx",
    "nc",
    "safari",
    "scp",
    "ssh",
    "telnet",
    "w3m",
    "wget",
    "xh",
    "doas",
    "su",
    "sudo",
    "apk",
    "apt",
    "apt-cache",
    "apt-get",
    "dnf",
    "dpkg",
    "emerge",
    "home-manager",
    "makepkg",
    "opkg",
    "pacman",
    "paru",
    "pkg",
    "pkg_add",
    "pkg_delete",
    "portage",
    "rpm",
    "yay",
    "yum",
    "zypper",
    "at",
    "batch",
    "chkconfig",
    "crontab",
    "fdisk",
    "mkfs",
    "mount",
    "parted",
    "service",
    "systemctl",
    "umount",
    "firewall-cmd",
    "ifconfig",
    "ip",
    "iptables",
    "netstat",
    "route",
    "ufw",
];

/// Tools that write files, each with what it asks to do; those of language servers say nothing.
const WRITERS: [(&str, &str); 6] = [
    ("edit", "write"),
    ("multiedit", "write"),
    ("write", "write"),
    ("download", "download"),
    ("lsp_rename", ""),
    ("lsp_replace_symbol", ""),
];

/// What the gate does with a call.
fn decide(policy: &CrushPolicy, call: &Call) -> GateDecision {
    let mut bounds = policy.answer(call);
    let mut doubt = Odd::first(&policy.odd, &mut bounds)
        .map(|odd| odd.doubt("hook", "trying the call with it in place, or taking it out of the settings"));
    if let Some((unknown, why)) = unread(&policy.unread) {
        (bounds, doubt) = (unknown, Some(why));
    }
    let Bounds { worst, best } = bounds;
    let doubt = (worst.decision != best.decision).then(|| {
        doubt.unwrap_or_else(|| Doubt {
            id: "block-list".to_owned(),
            reason: GapReason::Unsupported,
            question: "which of its commands are refused when they are started".to_owned(),
            settle: "a command line that is plain".to_owned(),
            place: worst.place.clone(),
        })
    });
    let overridable_by = if policy.stays(&worst) || best.decision > Decision::Ask {
        Vec::new()
    } else {
        let mut levers = policy.own_files();
        levers.extend(best.place.as_ref().map(|place| place.path.clone()).filter(|path| !levers.contains(path)));
        levers.push("starting it with `--yolo`".to_owned());
        levers
    };
    GateDecision { contained: Some(false), worst, best, doubt, overridable_by }
}

/// Whether a line is taken for harmless.
fn safe(line: &str) -> bool {
    let lower = line.to_lowercase();
    !JOINS.iter().any(|sign| line.contains(sign))
        && SAFE
            .iter()
            .any(|word| lower.strip_prefix(word).is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '-'])))
}

impl CrushPolicy {
    fn answer(&self, call: &Call) -> Bounds {
        match call {
            Call::Shell { command } => self.shell(command),
            Call::Read { path } => {
                let view = self.tool("view", "read", self.inside(path));
                // It shows the lines of files wherever they lie.
                let search = match self.disabled.get("grep") {
                    Some(said) => gone("grep", said),
                    None => ruling(
                        Decision::Allow,
                        Basis::BuiltIn,
                        None,
                        "its search shows the lines of any file unasked".to_owned(),
                    ),
                };
                Bounds::one(if search.decision > view.decision { search } else { view })
            }
            Call::Edit { .. } => {
                let all = WRITERS.iter().map(|(tool, action)| Bounds::one(self.tool(tool, action, false)));
                all.reduce(Bounds::freer).unwrap_or_else(|| Bounds::unknown("nothing decides"))
            }
            Call::Fetch { .. } => {
                let all = ["fetch", "agentic_fetch", "download"].map(|tool| {
                    let action = if tool == "download" { "download" } else { "fetch" };
                    Bounds::one(self.tool(tool, action, false))
                });
                all.into_iter().reduce(Bounds::freer).unwrap_or_else(|| Bounds::unknown("nothing decides"))
            }
            Call::Mcp { server, tool } => self.server(server, tool),
        }
    }

    /// Where nothing is asked about.
    fn free(&self) -> Option<Ruling> {
        let by = |place: &Place, why: &str| {
            ruling(Decision::Allow, Basis::Mode(Some(Level::User)), Some(place), format!("{why} ({place})"))
        };
        let yolo = self.yolo.as_ref().map(|place| by(place, "nothing is asked about"));
        yolo.or_else(|| {
            self.headless.as_ref().map(|place| by(place, "nobody is there to be asked, and everything runs"))
        })
    }

    /// One tool: gone, let by name, or asked about unless it is free by itself.
    fn tool(&self, name: &str, action: &str, free: bool) -> Ruling {
        if let Some(said) = self.disabled.get(name) {
            return gone(name, said);
        }
        if let Some(free) = self.free() {
            return free;
        }
        let keys = [format!("{name}:{action}"), name.to_owned()];
        if let Some((key, said)) = keys.iter().find_map(|key| self.allowed.get(key).map(|said| (key, said))) {
            let because = format!("`{key}` is not asked about ({})", said.place);
            let cited = Cited { effect: Effect::Allow, text: key.clone(), level: said.level, whole: true };
            return ruling(Decision::Allow, Basis::Rule(cited), Some(&said.place), because);
        }
        if free {
            return ruling(Decision::Allow, Basis::BuiltIn, None, "files of its folder are open".to_owned());
        }
        ruling(Decision::Ask, Basis::BuiltIn, None, format!("the tool `{name}` is asked about"))
    }

    fn shell(&self, line: &str) -> Bounds {
        let mut met = self.tool("bash", "execute", false);
        if met.decision == Decision::Ask && safe(line) {
            let because = "it begins with a word that is taken for harmless".to_owned();
            met = ruling(Decision::Allow, Basis::BuiltIn, None, because);
        }
        let bounds = Bounds::one(met);
        if bounds.best.decision == Decision::Deny {
            return bounds;
        }
        let because = "a program of that name is not started, whatever was allowed".to_owned();
        let banned = ruling(Decision::Deny, Basis::BuiltIn, None, because);
        let nodes = nodes::read(line);
        let plain = |word: &str| word.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
        let named = |word: &String| BANNED.contains(&word.as_str());
        if nodes.sure
            && nodes.commands.len() == 1
            && nodes.commands.iter().all(|node| node.words.first().is_some_and(named))
        {
            return Bounds::one(banned);
        }
        let maybe = !nodes.sure
            || nodes.commands.iter().any(|node| node.words.first().is_some_and(|word| named(word) || !plain(word)));
        if maybe { Bounds { worst: bounds.worst, best: banned } } else { bounds }
    }

    fn server(&self, server: &str, tool: &str) -> Bounds {
        if let Some(own) = self.servers.get(server) {
            if let Some(said) = &own.off {
                return Bounds::one(off(said, "the server is switched off"));
            }
            if let Some(said) = own.disabled.get(tool) {
                return Bounds::one(off(said, "the tool is switched off"));
            }
            if let Some((_, said)) = own.enabled.as_ref().filter(|(tools, _)| !tools.iter().any(|one| one == tool)) {
                return Bounds::one(off(said, "the tool is not among those that are switched on"));
            }
        }
        let met = Bounds::one(self.tool(&format!("mcp_{server}_{tool}"), "execute", false));
        // Some tools of one server are never asked about.
        if server == "docker" {
            let because = "some tools of this server are not asked about".to_owned();
            return met.or(Bounds::one(ruling(Decision::Allow, Basis::BuiltIn, None, because)));
        }
        met
    }

    fn inside(&self, path: &str) -> bool {
        let (full, root) = (self.ground.absolute(path), self.ground.absolute(&self.ground.root));
        full == root || full.starts_with(&format!("{}/", root.trim_end_matches('/')))
    }

    /// Whether an answer is, even at its worst, one that no settings change.
    fn stays(&self, worst: &Ruling) -> bool {
        worst.decision == Decision::Deny && worst.basis == Basis::BuiltIn
    }

    fn own_files(&self) -> Vec<String> {
        vec!["crush.json".to_owned(), "~/.config/crush/crush.json".to_owned()]
    }
}

fn gone(name: &str, said: &Said) -> Ruling {
    off(said, &format!("the tool `{name}` is switched off"))
}

fn off(said: &Said, why: &str) -> Ruling {
    ruling(Decision::Deny, Basis::Mode(Some(said.level)), Some(&said.place), format!("{why} ({})", said.place))
}

impl Gated for CrushPolicy {
    fn met(&self, call: &Call) -> GateDecision {
        decide(self, call)
    }

    fn about(&self) -> About<'_> {
        About { notes: &self.notes, brings: None, root: &self.ground.root, files: &self.files }
    }

    fn lets(&self) -> Vec<Lets> {
        let safe = SAFE
            .iter()
            .map(|word| Lets { spec: format!("{word} *"), shown: format!("`{word}`, which it takes for harmless") });
        let own = ["bash", "bash:execute"].iter().filter_map(|key| {
            let said = self.allowed.get(*key)?;
            Some(Lets { spec: "*".to_owned(), shown: format!("`{key}`, which is not asked about ({})", said.place) })
        });
        own.chain(safe).collect()
    }

    /// Only exit 2, or a decision that it writes, blocks; other exits are ignored (github.com/charmbracelet/crush).
    fn hooks_fail_open(&self) -> Option<bool> {
        Some(true)
    }

    fn own(&self) -> Vec<String> {
        self.own_files()
    }

    fn words(&self, met: &GateDecision) -> Vec<Override> {
        let mut steps = vec![accepted("be started with `--yolo`"), accepted("be started as `crush run`")];
        if met.worst.decision == Decision::Ask {
            steps.push(accepted("approve it for the session, which the prompt offers"));
        }
        steps
    }

    fn fixed(&self, _: &Call, met: &GateDecision) -> bool {
        self.stays(&met.worst)
    }

    fn tools(&self, server: &str) -> Vec<String> {
        let prefix = format!("mcp_{server}_");
        let named = self.allowed.keys().filter_map(|key| key.strip_prefix(&prefix));
        named.map(|tool| tool.split(':').next().unwrap_or(tool).to_owned()).collect()
    }

    fn hides(&self, met: &GateDecision) -> String {
        met.worst.place.as_ref().map_or_else(|| "crush.json".to_owned(), |place| place.path.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::safe;

    #[test]
    fn what_is_taken_for_harmless_is_much() {
        for line in [
            "timeout 60 terraform destroy",
            "env A=b aws s3 rb x",
            "git branch -D prod",
            "echo ok & terraform destroy",
            "echo ok\nrailway down",
            "LS",
            "echo x > ~/.bashrc",
            "ls-x",
        ] {
            assert!(safe(line), "{line}");
        }
        for line in
            [" ls", "lsof", "ls | cat", "git push", "git config x", "A=1 ls", "echo $(id)", "ls\t-l", "railway down"]
        {
            assert!(!safe(line), "{line}");
        }
    }
}
