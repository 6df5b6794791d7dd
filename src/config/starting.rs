//! A starting `deadstop.yaml`. What only a person can decide stands behind a `#`: a guess never moves anything out of
//! production, allows a host, or excuses a place.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use deadstop_core::bundle::Bundle;
use deadstop_core::model::{Agent, Asset, Class};

/// The most that one list shows; the rest is counted.
const SHOWN: usize = 20;

/// The file, from the facts of this machine.
#[must_use]
pub fn text(bundle: &Bundle) -> String {
    let parts =
        [head(), sessions(bundle), environments(bundle), providers(bundle), assets(bundle), DECISIONS.to_owned()];
    parts.join("\n")
}

fn head() -> String {
    "\
# What Deadstop cannot find out by itself. All of it is optional; lines behind a # are suggestions.
#   deadstop run --config deadstop.yaml    takes all of it
#   deadstop run                           in this folder takes what describes, and leaves out what excuses
#   deadstop schema config                 the JSON Schema, for editors
schema: deadstop.config/1

# Printed on the report.
# engagement: {client: Example Ltd, assessor: A. Person, period: 2026-Q4, handling: Confidential}
"
    .to_owned()
}

const DECISIONS: &str = "\
# Restores of a copy that worked. Without one, a copy counts as untested.
# restore_tests:
#   - {asset: \"the asset's key\", copy: \"the copy's name\", tested_at: 2026-10-02, took: 38m, by: A. Person}

# Answers that someone accepts until a day. All of it is needed.
# waivers:
#   - check: asset-would-survive-a-delete
#     subject: \"the asset's key\"
#     reason: can be made again in an hour
#     approved_by: A. Person
#     expires: 2027-01-31

# Places whose credentials are none.
# ignore:
#   - {location: \"tests/fixtures/**\", reason: documented dummy keys, expires: 2027-01-31}

# Who does which fix; the keys are in assessment.json.
# fixes:
#   - {fix: \"the fix's key\", owner: platform, due: 2027-01-31}

# These are the defaults.
# policy:
#   fail_on: [slowed-no-recovery, critical]
#   restore_test_max_age: 90d
#   time_to_notice: 8d
#   fact_max_age: 30d
#   fix_target: stopped
";

/// Text between quotes, on one line, with nothing that steers a terminal or ends a comment.
fn quoted(text: &str) -> String {
    let tame: String = crate::output::safe(text)
        .chars()
        .map(|c| if matches!(c, '\u{2028}' | '\u{2029}') { '\u{fffd}' } else { c })
        .collect();
    serde_json::to_string(&tame).unwrap_or_default()
}

fn more(of: usize) -> String {
    if of > SHOWN { format!("#   and {} more, in assessment.json\n", of - SHOWN) } else { String::new() }
}

fn sessions(bundle: &Bundle) -> String {
    let mut out = String::from(
        "# Agents are found by themselves. Say here what each is meant to touch, and name those that were not found.\n",
    );
    let found: Vec<_> = bundle.sessions.items.iter().filter(|session| session.agent != Agent::Plain).collect();
    if found.is_empty() {
        out.push_str("# sessions:\n#   - {name: cursor, agent: cursor, environment: staging, roots: [.]}\n");
        return out;
    }
    out.push_str("sessions:\n");
    for session in found {
        let agent = session.key.split(':').next().unwrap_or_default();
        let _ = writeln!(out, "  - name: {}\n    agent: {}", quoted(&session.name), quoted(agent));
        out.push_str("    # environment: staging      # the only one that it is meant to touch\n");
    }
    out
}

/// Environments that names speak of, and what speaks of each.
fn environments(bundle: &Bundle) -> String {
    const WORDS: [(&str, &str); 5] =
        [("production", "prod"), ("production", "live"), ("staging", "stag"), ("development", "dev"), ("test", "test")];
    let mut speaking: BTreeMap<&str, BTreeMap<&str, BTreeSet<&str>>> = BTreeMap::new();
    for asset in &bundle.assets.items {
        let name = asset.name.to_lowercase();
        for (environment, word) in WORDS {
            if name.contains(word) {
                speaking.entry(environment).or_default().entry(word).or_default().insert(&asset.name);
            }
        }
    }
    let mut out = String::from(
        "# Which accounts, projects and names are which environment. The headline counts production, and whatever is not known.\n\
         environments:\n  production:\n",
    );
    let production = speaking.remove("production").unwrap_or_default();
    let words: Vec<String> = production.keys().map(|word| quoted(&format!("*{word}*"))).collect();
    let words = if words.is_empty() { quoted("*prod*") } else { words.join(", ") };
    let _ = writeln!(out, "    match: [{words}]{}", examples(production.values()));
    let accounts = containers(bundle, "aws:account/");
    if !accounts.is_empty() {
        let list: Vec<String> = accounts.iter().take(SHOWN).map(|account| quoted(account)).collect();
        let _ = writeln!(out, "    # aws_accounts: [{}]      # found here: which are production?", list.join(", "));
    }
    let is_place = |place: &&&str| !place.is_empty() && !place.starts_with("workspace/");
    for place in containers(bundle, "railway:").iter().filter(is_place).take(SHOWN) {
        let mut parts = place.split('/');
        let project = quoted(parts.next().unwrap_or_default());
        let environment = parts.next().map_or_else(String::new, |part| format!(", environment: {}", quoted(part)));
        let _ = writeln!(out, "    # railway: [{{project: {project}{environment}}}]");
    }
    for (environment, words) in &speaking {
        let patterns: Vec<String> = words.keys().map(|word| quoted(&format!("*{word}*"))).collect();
        let _ = writeln!(out, "  # {environment}: {{match: [{}]}}{}", patterns.join(", "), examples(words.values()));
    }
    if speaking.is_empty() {
        out.push_str("  # staging: {match: [\"*stag*\", \"*dev*\"]}\n");
    }
    out
}

fn examples<'a>(names: impl Iterator<Item = &'a BTreeSet<&'a str>>) -> String {
    let names: BTreeSet<&str> = names.flatten().copied().collect();
    if names.is_empty() {
        return String::new();
    }
    let first: Vec<String> = names.iter().take(3).map(|name| quoted(name)).collect();
    format!("      # here: {}{}", first.join(", "), if names.len() > 3 { ", …" } else { "" })
}

/// What follows `prefix` in the ids of containers.
fn containers<'a>(bundle: &'a Bundle, prefix: &str) -> BTreeSet<&'a str> {
    let holds = |asset: &&Asset| asset.class == Class::Container;
    let ids = bundle.assets.items.iter().filter(holds).filter_map(|asset| asset.id.as_str().strip_prefix(prefix));
    // A scope of a credential that nobody listed has a longer name, with marks that no id has.
    ids.filter(|id| id.chars().all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '/'))).collect()
}

fn providers(bundle: &Bundle) -> String {
    let seen: BTreeSet<&str> = bundle
        .credentials
        .items
        .iter()
        .map(|credential| credential.provider.as_str())
        .filter(|provider| *provider != "unknown")
        .collect();
    let mut out = String::from(
        "# How providers are to be asked: by the name of a profile or a variable, never by the secret. Used with --live only,\n\
         # which asks AWS, Neon, PlanetScale, Railway and Supabase so far.\n# providers:\n",
    );
    if seen.is_empty() {
        out.push_str("#   aws: {profile: security-audit, regions: [eu-west-1]}\n");
    }
    for provider in seen {
        let hosts = hosts(bundle, provider);
        if !hosts.is_empty() {
            let hosts: Vec<String> = hosts.iter().take(SHOWN).map(|host| quoted(host)).collect();
            let _ = writeln!(
                out,
                "#   {provider}: {{hosts: [{}]}}      # may be contacted with the URLs found",
                hosts.join(", ")
            );
        } else if provider == "aws" {
            out.push_str("#   aws: {profile: security-audit, regions: [eu-west-1]}\n");
        } else {
            let name: String = provider
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
                .collect();
            let _ = writeln!(out, "#   {provider}: {{token_env: DEADSTOP_{name}_TOKEN}}");
        }
    }
    out
}

/// Hosts of the database URLs of a provider.
fn hosts<'a>(bundle: &'a Bundle, provider: &str) -> BTreeSet<&'a str> {
    let urls = bundle.assets.items.iter().filter(|asset| asset.provider == provider && asset.kind == "server");
    urls.filter_map(|asset| asset.id.as_str().split_once("://"))
        .filter_map(|(_, rest)| rest.rsplit('@').next())
        .filter_map(|rest| rest.split(['/', ':']).next())
        .collect()
}

fn assets(bundle: &Bundle) -> String {
    let mut out = String::from("# What is at stake. A recovery outside rpo and rto is rated as none.\n# assets:\n");
    let holds = |asset: &&Asset| asset.class != Class::Container;
    let found: Vec<&Asset> = bundle.assets.items.iter().filter(holds).collect();
    if found.is_empty() {
        out.push_str("#   - {key: \"the asset's key\", criticality: high, rpo: 1h, rto: 4h, owner: platform}\n");
    }
    for asset in found.iter().take(SHOWN) {
        let key = quoted(asset.id.as_str());
        let _ = writeln!(out, "#   - {{key: {key}, criticality: high, rpo: 1h, rto: 4h, owner: platform}}");
    }
    out.push_str(&more(found.len()));
    out
}
