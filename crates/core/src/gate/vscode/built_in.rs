//! Rules that the program brings (floor 2), as they stand in Visual Studio Code 1.139.1 (microsoft/vscode
//! `src/vs/workbench/contrib/terminalContrib/chatAgentTools/common/terminalChatAgentToolsConfiguration.ts` and
//! `src/vs/platform/terminal/common/autoApprove`), without those that are for PowerShell alone, and its patterns for files
//! that are asked about.

use std::sync::LazyLock;

use regex::Regex;

use super::files::Glob;
use super::rules::{Matching, Rule, Test};
use crate::gate::Level;
use crate::gate::expression::stem;

/// What runs unasked: how a command begins.
const READS: [&str; 33] = [
    "cd", "echo", "ls", "dir", "pwd", "cat", "head", "tail", "findstr", "wc", "tr", "cut", "cmp", "which", "basename",
    "dirname", "realpath", "readlink", "stat", "file", "od", "du", "df", "sleep", "nl", "grep", "npm ci", "column",
    "date", "find", "rg", "tree", "sed",
];

/// What is asked about: how a command begins.
const ASKS: [&str; 19] = [
    "rm",
    "rmdir",
    "del",
    "ri",
    "rd",
    "erase",
    "dd",
    "kill",
    "ps",
    "top",
    "taskkill",
    "taskkill.exe",
    "curl",
    "wget",
    "chmod",
    "chown",
    "jq",
    "xargs",
    "eval",
];

/// How an expression for git begins.
const GIT: &str = "^git(\\s+(-C\\s+\\S+|--no-pager))*\\s+";

/// Expressions, and whether what they match runs unasked.
const EXPRESSIONS: [(&str, bool); 28] = [
    ("^docker\\s+(ps|images|info|version|inspect|logs|top|stats|port|diff|search|events)\\b", true),
    ("^docker\\s+(container|image|network|volume|context|system)\\s+(ls|ps|inspect|history|show|df|info)\\b", true),
    ("^docker\\s+compose\\s+(ps|ls|top|logs|images|config|version|port|events)\\b", true),
    (
        "^npm\\s+(ls|list|outdated|view|info|show|explain|why|root|prefix|bin|search|doctor|fund|repo|bugs|docs|home|help(-search)?)\\b",
        true,
    ),
    ("^npm\\s+config\\s+(list|get)\\b", true),
    ("^npm\\s+pkg\\s+get\\b", true),
    ("^npm\\s+audit$", true),
    ("^npm\\s+cache\\s+verify\\b", true),
    ("^yarn\\s+(list|outdated|info|why|bin|help|versions)\\b", true),
    ("^yarn\\s+licenses\\b", true),
    ("^yarn\\s+config\\s+(list|get)\\b", true),
    ("^yarn\\s+cache\\s+dir\\b", true),
    ("^pnpm\\s+(ls|list|outdated|why|root|bin|doctor)\\b", true),
    ("^pnpm\\s+licenses\\b", true),
    ("^pnpm\\s+config\\s+(list|get)\\b", true),
    ("^yarn\\s+install\\s+--frozen-lockfile\\b", true),
    ("^pnpm\\s+install\\s+--frozen-lockfile\\b", true),
    ("^column\\b.*\\s-c\\s+[0-9]{4,}", false),
    ("^date\\b.*\\s(-s|--set)\\b", false),
    ("^find\\b.*\\s-(delete|exec|execdir|fprint|fprintf|fls|ok|okdir)\\b", false),
    ("^rg\\b.*\\s(--pre|--hostname-bin)\\b", false),
    ("^sort\\b.*\\s-(o|S)\\b", false),
    ("^sort\\b.*\\s(?:\\$?['\"]|\\\\)*-(?:\\$?['\"]|\\\\)*-(?:\\$?['\"]|\\\\)*c(?:\\$?['\"]|\\\\)*o", false),
    ("^tree\\b.*\\s-o\\b", false),
    ("^xxd$", true),
    ("^xxd\\b(\\s+-\\S+)*\\s+[^-\\s]\\S*$", true),
    ("^sed\\b.*\\s(-[a-zA-Z]*(e|f)[a-zA-Z]*|--expression|--file)\\b", false),
    ("^sed\\b.*s\\/.*\\/.*\\/[ew]", false),
];

/// The same for git, without their beginning.
const OF_GIT: [(&str, bool); 10] = [
    ("status\\b", true),
    ("log\\b", true),
    ("log\\b.*\\s--output(=|\\s|$)", false),
    ("show\\b", true),
    ("show\\b.*\\s--output(=|\\s|$)", false),
    ("diff\\b", true),
    ("ls-files\\b", true),
    ("grep\\b", true),
    ("branch\\b", true),
    ("branch\\b.*\\s-(d|D|m|M|-delete|-force)\\b", false),
];

/// Expressions that run unasked, but for what a second one matches.
const BUT: [(&str, &str, &str); 3] = [
    ("/^yarn\\s+audit\\b(?!.*\\bfix\\b)/", "^yarn\\s+audit\\b", "^yarn\\s+audit\\b.*\\bfix\\b"),
    ("/^pnpm\\s+audit\\b(?!.*\\bfix\\b)/", "^pnpm\\s+audit\\b", "^pnpm\\s+audit\\b.*\\bfix\\b"),
    ("/^sort\\b(?!-)/", "^sort\\b", "^sort-"),
];

/// The rules, each with the key that settings name it by.
pub(super) static RULES: LazyLock<Vec<Rule>> = LazyLock::new(rules);

fn rules() -> Vec<Rule> {
    let rule = |key: String, approve, test| Rule { key, approve, line: false, place: None, level: Level::State, test };
    let plain = |key: &str, approve| rule(key.to_owned(), approve, Test::read(key));
    let mut all: Vec<Rule> = READS.iter().map(|key| plain(key, true)).collect();
    all.extend(ASKS.iter().map(|key| plain(key, false)));
    all.extend(EXPRESSIONS.iter().map(|(pattern, approve)| plain(&format!("/{pattern}/"), *approve)));
    all.extend(OF_GIT.iter().map(|(rest, approve)| plain(&format!("/{GIT}{rest}/"), *approve)));
    for (key, pattern, but) in BUT {
        let test = Matching { expression: Regex::new(pattern).ok(), stem: stem(pattern), unless: Regex::new(but).ok() };
        all.push(rule(key.to_owned(), true, Test::Some(Box::new(test))));
    }
    // What a script of `sed` may hold that writes or runs something is told by expressions of another engine.
    let test = Matching { expression: None, stem: Some("sed".to_owned()), unless: None };
    all.push(rule("scripts of sed".to_owned(), false, Test::Some(Box::new(test))));
    all
}

/// Files that are asked about before they are written, and those that are not; of what matches the last counts.
pub(super) static EDITS: LazyLock<Vec<(&str, Glob, bool)>> =
    LazyLock::new(|| ORDER.iter().map(|(pattern, free)| (*pattern, Glob::read(pattern), *free)).collect());

/// Files that are asked about whatever the settings say.
pub(super) static ALWAYS: LazyLock<Vec<Glob>> =
    LazyLock::new(|| BARRED.iter().map(|pattern| Glob::read(pattern)).collect());

const ORDER: [(&str, bool); 20] = [
    ("**/*", true),
    ("**/.git/**", false),
    ("**/{package.json,server.xml,build.rs,web.config,.gitattributes,.env,Cargo.toml}", false),
    ("**/{.npmrc,.yarnrc,.yarnrc.yml,.pnpmfile.js,.pnpmfile.cjs,.pnpmfile.mjs,pnpm-workspace.yaml}", false),
    ("**/*.{code-workspace,csproj,fsproj,vbproj,vcxproj,proj,targets,props,gradle,gradle.kts}", false),
    ("**/gradle.properties", false),
    ("**/ruby_lsp/*/addon", false),
    ("**/*.lock", false),
    ("**/*-lock.{yaml,json}", false),
    ("**/.mcp.json", false),
    ("**/.npmrc", false),
    ("**/.vscode/*.json", false),
    ("**/.github/agents/**", false),
    ("**/.github/hooks/**", false),
    ("**/.claude/agents/**", false),
    ("**/.claude/settings.json", false),
    ("**/.claude/settings.local.json", false),
    ("**/.codex/agents/**", false),
    ("**/.codex/config.toml", false),
    ("**/.codex/hooks.json", false),
];

const BARRED: [&str; 5] =
    ["**/.mcp.json", "**/.npmrc", "**/.vscode/*.json", "**/.github/agents/**", "**/.claude/agents/**"];
