//! Policy files (floor 2): `[[rule]]` and `[[safety_checker]]` in TOML (google-gemini/gemini-cli
//! `packages/core/src/policy/toml-loader.ts`).

use super::rule::{Args, Found, Rule};
use super::{Hook, Mode, strict};
use crate::gate::shown::shown;
use crate::gate::tree::{self, Item, Value};
use crate::gate::{Effect, FileText, Level, MOST_RULES, Place};

/// Whose rules a file holds, as thousands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tier {
    /// An extension's: they may refuse and ask, and count while it is switched on.
    Extension,
    User,
    Admin,
}

impl Tier {
    const fn base(self) -> u32 {
        match self {
            Self::Extension => 2000,
            Self::User => 4000,
            Self::Admin => 5000,
        }
    }
}

/// What a policy file says.
#[derive(Clone, Debug, Default)]
pub(super) struct Read {
    pub(super) rules: Vec<Rule>,
    /// Checkers, which may refuse what rules allow.
    pub(super) checkers: Vec<Hook>,
    /// What is in it and does not do what it seems to.
    pub(super) notes: Vec<(Option<u64>, String)>,
}

/// Reads a policy file. `None` if what the agent makes of it is not known.
pub(super) fn read(file: &FileText, text: &str, tier: Tier) -> Option<Read> {
    let mut read = Read::default();
    let root = tree::toml(text).filter(|root| !strict::newer(text, root))?;
    // A file that others could have written binds nobody, and a folder that is not root's own is passed over.
    let (level, sure) = match tier {
        Tier::Admin => (if file.writable { Level::User } else { Level::Managed }, !file.writable),
        Tier::User => (Level::User, true),
        Tier::Extension => (Level::User, false),
    };
    let origin = Origin { path: &file.path, level, tier, sure };
    let (rules, checkers) = (listed(&root, "rule")?, listed(&root, "safety_checker")?);
    if rules.len() + checkers.len() > MOST_RULES || !checkers.iter().all(|checker| checks(checker)) {
        return None;
    }
    // One rule without what every rule must have drops all rules of the file.
    if let Some(bad) = rules.iter().find(|rule| lacks(rule)) {
        let why = "a rule in it lacks `toolName`, `decision` or `priority`, so no rule in it counts";
        read.notes.push((Some(bad.line), why.to_owned()));
        return Some(read);
    }
    if !rules.iter().all(|rule| formed(rule)) {
        return None;
    }
    for item in rules {
        origin.rule(item, &mut read);
    }
    for item in checkers {
        let place = Place { path: file.path.clone(), line: Some(item.line) };
        read.checkers.push(Hook { matcher: None, place, level, what: "safety checker" });
    }
    Some(read)
}

/// Whether something is missing that every rule must have, or the decision is none that there is.
fn lacks(rule: &Item) -> bool {
    let missing = ["toolName", "decision", "priority"].iter().any(|key| rule.get(&[*key]).is_none());
    missing || rule.get(&["decision"]).and_then(Item::text).is_some_and(|word| effect(word).is_none())
}

/// Whether a checker is formed as it must be.
fn checks(checker: &Item) -> bool {
    let kind = checker.get(&["checker", "type"]).and_then(Item::text);
    let name = checker.get(&["checker", "name"]).and_then(Item::text);
    let known =
        matches!((kind, name), (Some("external"), Some(_)) | (Some("in-process"), Some("allowed-path" | "conseca")));
    known && checker.get(&["toolName"]).and_then(texts).is_some()
}

fn listed<'i>(root: &'i Item, key: &str) -> Option<Vec<&'i Item>> {
    match root.get(&[key]) {
        None => Some(Vec::new()),
        Some(item) => {
            let list = item.list()?;
            list.iter().all(|one| one.table().is_some()).then(|| list.iter().collect())
        }
    }
}

/// One text or a list of them.
fn texts(item: &Item) -> Option<Vec<&str>> {
    item.text().map(|one| vec![one]).or_else(|| item.texts())
}

/// Whether everything in a rule is of its kind.
fn formed(rule: &Item) -> bool {
    let get = |key: &str| rule.get(&[key]);
    let text = |key: &str| get(key).is_none_or(|item| item.text().is_some());
    let flag = |key: &str| get(key).is_none_or(|item| item.flag().is_some());
    let modes = |item: &Item| item.texts().is_some_and(|modes| modes.iter().all(|mode| Mode::of_rule(mode).is_some()));
    get("toolName").and_then(texts).is_some()
        && get("decision").and_then(Item::text).is_some_and(|word| effect(word).is_some())
        && get("priority").and_then(Item::number).is_some_and(|number| (0..=999).contains(&number))
        && get("commandPrefix").is_none_or(|item| texts(item).is_some())
        && ["subagent", "mcpName", "argsPattern", "commandRegex", "denyMessage", "deny_message"].into_iter().all(text)
        && ["interactive", "allowRedirection", "allow_redirection"].into_iter().all(flag)
        && get("modes").is_none_or(modes)
        && get("toolAnnotations").is_none_or(|item| matches!(item.value, Value::Table(_)))
}

fn effect(word: &str) -> Option<Effect> {
    match word {
        "allow" => Some(Effect::Allow),
        "deny" => Some(Effect::Deny),
        "ask_user" => Some(Effect::Ask),
        _ => None,
    }
}

struct Origin<'f> {
    path: &'f str,
    level: Level,
    tier: Tier,
    sure: bool,
}

impl Origin<'_> {
    fn rule(&self, item: &Item, read: &mut Read) {
        let get = |key: &str| item.get(&[key]);
        let word = |key: &str| get(key).and_then(Item::text);
        let Some(effect) = word("decision").and_then(effect) else { return };
        let modes: Vec<Mode> =
            get("modes").and_then(Item::texts).into_iter().flatten().filter_map(Mode::of_rule).collect();
        if self.tier == Tier::Extension && (effect == Effect::Allow || modes.contains(&Mode::Yolo)) {
            return;
        }
        let prefixes = get("commandPrefix").and_then(texts).unwrap_or_default();
        let prefixes: Vec<&str> = if prefixes == [""] { Vec::new() } else { prefixes };
        let (regex, pattern) = (word("commandRegex").filter(|text| !text.is_empty()), word("argsPattern"));
        let mut args: Vec<(Args, String)> = Vec::new();
        if !prefixes.is_empty() {
            args.extend(prefixes.iter().map(|prefix| (Args::Prefix((*prefix).to_owned()), (*prefix).to_owned())));
        } else if let Some(regex) = regex {
            if regex.starts_with('^') {
                read.notes.push((
                    Some(item.line),
                    "`commandRegex` is looked for behind the start of the command, so `^` in it matches nothing"
                        .to_owned(),
                ));
            }
            match Found::read(&format!("\"command\":\"{regex}")) {
                Some(found) => args.push((found, "…".to_owned())),
                None => read.notes.push((Some(item.line), "the agent drops this rule for its expression".to_owned())),
            }
        } else if let Some(pattern) = pattern.filter(|text| !text.is_empty()) {
            match Found::read(pattern) {
                Some(found) => args.push((found, "…".to_owned())),
                None => read.notes.push((Some(item.line), "the agent drops this rule for its expression".to_owned())),
            }
        } else {
            args.push((Args::Any, String::new()));
        }
        let server = word("mcpName").map(str::to_owned);
        // What is bound to a subagent, or to what a server says of its tools, may or may not be about a call.
        let sure = self.sure && get("subagent").is_none() && get("toolAnnotations").is_none();
        let priority = get("priority").and_then(Item::number).and_then(|number| u32::try_from(number).ok());
        for (args, inner) in args {
            for tool in get("toolName").and_then(texts).into_iter().flatten() {
                let tool = match &server {
                    Some(server) => qualified(server, tool),
                    None => tool.to_owned(),
                };
                let text = if inner.is_empty() { shown(&tool) } else { self::text(&tool, &inner) };
                read.rules.push(Rule {
                    server: server.clone(),
                    args: args.clone(),
                    effect,
                    priority: self.tier.base() + priority.unwrap_or_default(),
                    modes: modes.clone(),
                    interactive: get("interactive").and_then(Item::flag),
                    redirects: get("allowRedirection")
                        .or_else(|| get("allow_redirection"))
                        .and_then(Item::flag)
                        .unwrap_or_default(),
                    sure,
                    text,
                    place: Some(Place { path: self.path.to_owned(), line: Some(item.line) }),
                    level: self.level,
                    tool,
                });
            }
        }
    }
}

/// A rule as it is shown, with nothing in it that may be a secret.
pub(super) fn text(tool: &str, inner: &str) -> String {
    shown(&format!("Bash({inner})")).replacen("Bash", &shown(tool), 1)
}

/// The name of a server's tool, or the pattern for it.
fn qualified(server: &str, tool: &str) -> String {
    match (server, tool) {
        ("*", "*") => "mcp_*".to_owned(),
        ("*", tool) => format!("mcp_*_{tool}"),
        (server, tool) => format!("mcp_{server}_{tool}"),
    }
}
