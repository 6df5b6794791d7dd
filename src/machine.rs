//! This machine as a facts bundle: its sessions, their ways, what they reach, and what lies behind that (floor 5).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};
use std::time::Duration;

use deadstop_core::bundle::{Bundle, BundleError, adopt};
use deadstop_core::fact::{Fact, Gap, GapReason, Listed};
use deadstop_core::gate::{self, McpServer};
use deadstop_core::id::SessionId;
use deadstop_core::model::{Agent, Location, Session, Source, Step};
use deadstop_core::pattern;
use deadstop_core::time::Time;
use tracing::field;
use url::Url;

use crate::collector::{self, AwsKeys, Clusters, Collected, FingerprintKey, Logins, Options, Stats, Tokens};
use crate::config::{Config, raw};
use crate::provider::{self, aws::auditor::Auditor};
use crate::readonly::{Call, ReadOnly};
use crate::session::programs::Programs;
use crate::session::{self, Discovered, Where};
use crate::surroundings::Surroundings;

/// What is to be read of this machine.
#[derive(Clone, Debug)]
pub struct Scope {
    /// Folders that sessions work in.
    pub roots: Vec<PathBuf>,
    /// Another home than the user's own.
    pub home: Option<PathBuf>,
    /// Whether the home is read.
    pub with_home: bool,
    /// Another top of the file system than `/`.
    pub system: Option<PathBuf>,
    /// Whether environment variables are looked at.
    pub with_env: bool,
    /// How long files are read.
    pub read_time: Duration,
    /// Whether the histories of repositories are read.
    pub git_history: bool,
    /// What secrets without a public id are fingerprinted with.
    pub fingerprint_key: Option<FingerprintKey>,
    /// Files opened so far, for whoever shows progress.
    pub files: Arc<AtomicU64>,
}

/// How providers are asked.
#[derive(Clone, Debug)]
pub struct Live {
    /// Where a provider is asked instead of at its own hosts, by the user's own word.
    pub endpoints: BTreeMap<String, Url>,
    /// The AWS Regions that the user works in.
    pub regions: Vec<String>,
    /// The database servers that may be connected to with logins that are found, by provider: `host` or `host:port`.
    pub hosts: BTreeMap<String, Vec<String>>,
    /// Where names of services are looked up instead of where this machine does.
    pub resolver: Option<std::net::SocketAddr>,
    /// The providers that are asked; empty: all that this version asks.
    pub providers: Vec<String>,
    /// Who reads AWS accounts in the place of the keys that were found.
    pub auditor: Option<Auditor>,
    /// Whether calls that would delete are made as dry runs, where the provider has such.
    pub prove: bool,
}

impl Live {
    /// Whether a provider is asked.
    #[must_use]
    pub fn asks(&self, provider: &str) -> bool {
        self.providers.is_empty() || self.providers.iter().any(|name| name == provider)
    }
}

/// A bundle of this machine, with what a person should know beside it.
#[derive(Debug)]
pub struct Machine {
    /// The facts.
    pub bundle: Bundle,
    /// In sentences.
    pub notes: Vec<String>,
    /// How much was read.
    pub stats: Stats,
    /// The calls that were made.
    pub calls: Vec<Call>,
}

/// The surroundings of this process, as far as they are in scope.
#[must_use]
pub fn surroundings(scope: &Scope) -> Surroundings {
    let mut around = Surroundings::of_this_process(&scope.roots);
    if let Some(home) = &scope.home {
        around.home = Some(home.clone());
    }
    if let Some(system) = &scope.system {
        around.system = Some(system.clone());
    }
    if !scope.with_home {
        around.home = None;
        around.system = None;
    }
    if !scope.with_env {
        around.env.clear();
    }
    around
}

/// Reads this machine. `cancel` ends the reading within a second.
///
/// # Errors
/// If what was read does not fit together, which is a bug.
pub fn read(
    scope: &Scope,
    around: &Surroundings,
    config: &Config,
    live: Option<&Live>,
    cancel: &Arc<AtomicBool>,
) -> Result<Machine, BundleError> {
    let env: BTreeMap<String, String> =
        around.env.iter().filter_map(|(name, value)| Some((name.clone(), value.to_str()?.to_owned()))).collect();
    let place = Where {
        home: around.home.as_deref(),
        roots: &around.roots,
        env: &env,
        system: scope.system.as_deref().unwrap_or(Path::new("/")),
        now: around.now,
    };
    let mut ids: Vec<SessionId> =
        session::discover(&place, &[]).sessions.into_iter().map(|session| session.id).collect();
    let programs =
        session::programs::discover(&around.roots, around.home.as_deref(), around.now, scope.read_time, cancel);
    ids.extend(programs.sessions.iter().map(|session| session.id.clone()));
    let declared = declared(config, around, &ids);
    ids.extend(declared.iter().map(|session| session.id.clone()));
    let options = Options {
        budget: Some(scope.read_time),
        git_history: scope.git_history,
        fingerprint_key: scope.fingerprint_key.clone(),
        cancel: Arc::clone(cancel),
        opened: Arc::clone(&scope.files),
        ..Options::default()
    };
    let walk = tracing::debug_span!(
        "walk",
        files = field::Empty,
        bytes = field::Empty,
        folders = field::Empty,
        refused = field::Empty
    )
    .entered();
    let collected = collector::collect(around, &options, &ids);
    let read = collected.stats;
    walk.record("files", read.files)
        .record("bytes", read.bytes)
        .record("folders", read.folders)
        .record("refused", read.refused);
    drop(walk);
    let servers: Vec<McpServer> = collected.mcp_servers.iter().map(server).collect();
    let mut found = session::discover(&place, &servers);
    found.tally();
    let mut notes = collected.notes.clone();
    notes.extend(found.notes.iter().cloned());
    let stats = collected.stats;
    let (keys, tokens, logins) = (collected.aws_keys.clone(), collected.tokens.clone(), collected.logins.clone());
    let clusters = collected.clusters.clone();
    let paths = collected.paths.clone();
    let mut bundle = join(collected, found, declared, around, scope);
    run(&mut bundle, programs);
    let read = around.roots.iter().map(|root| around.cwd.join(root)).chain(around.home.clone());
    let read: Vec<PathBuf> = read.filter_map(|root| std::fs::canonicalize(root).ok()).collect();
    provider::sqlite::look(&mut bundle, &paths, &read, around.now);
    let own = provider::kubernetes::Own::of(&paths, around.home.as_deref(), &read_roots(around), &around.env);
    let found = Found { keys, tokens, logins, clusters };
    let calls = live.map(|live| ask(live, (&found, &own), &mut bundle, around.now, cancel)).unwrap_or_default();
    let proofs = || calls.iter().filter(|call| provider::aws::is_proof(&call.operation));
    if proofs().any(|call| call.status.is_some_and(|status| (200..300).contains(&status))) {
        notes.push(String::from(
            "A call that deletes was made as a dry run (--prove) and went through: this server takes no dry runs, and may have deleted. calls.jsonl tells which.",
        ));
    } else if proofs().count() > 0 {
        notes.push(format!(
            "{} calls that delete were made as dry runs (--prove): nothing was deleted, and CloudTrail shows each under the name of the delete.",
            proofs().count()
        ));
    }
    describe(&mut bundle, config);
    notes.extend(ignore(&mut bundle, config, around.now));
    Ok(Machine { bundle: adopt(bundle)?, notes, stats, calls })
}

/// The folders that sessions work in.
fn read_roots(around: &Surroundings) -> Vec<PathBuf> {
    around.roots.iter().map(|root| around.cwd.join(root)).collect()
}

/// What providers can be asked with.
struct Found {
    keys: AwsKeys,
    tokens: Tokens,
    logins: Logins,
    clusters: Clusters,
}

/// How long providers are asked in all.
const ASK_TIME: Duration = Duration::from_secs(15 * 60);

/// Asks the providers of what was found.
fn ask(
    live: &Live,
    (found, own): (&Found, &provider::kubernetes::Own<'_>),
    bundle: &mut Bundle,
    now: Time,
    cancel: &Arc<AtomicBool>,
) -> Vec<Call> {
    let Found { keys, tokens, logins, clusters } = found;
    let (count, calls) = (keys.0.len() + tokens.0.len() + logins.0.len() + clusters.0.len(), field::Empty);
    let stage = tracing::info_span!("ask", credentials = count, calls).entered();
    let lent = live.auditor.as_ref().map(Auditor::lends).unwrap_or_default();
    let door = ReadOnly::new(live.endpoints.clone(), ASK_TIME, Arc::clone(cancel));
    let door = door.lending(lent).with_hosts(live.hosts.clone()).resolving(live.resolver).proving(live.prove);
    let signs_in = tokens.0.iter().any(|token| token.provider == "aws");
    let mut endpoints = Vec::new();
    if live.asks("aws") && (!keys.0.is_empty() || signs_in || live.auditor.is_some()) {
        let chains: Vec<Step> =
            bundle.steps.items.iter().filter(|step| step.id.as_str().starts_with("assume:")).cloned().collect();
        let mut learnt =
            provider::aws::ask(&door, (&keys.0, &tokens.0), &chains, live.auditor.as_ref(), &live.regions, now);
        endpoints.append(&mut learnt.facts.endpoints);
        provider::join(bundle, learnt);
    }
    endpoints.extend(provider::ask(&door, tokens, &|name| live.asks(name), now, bundle));
    provider::databases::ask(&door, logins, &|name| live.asks(name), now, bundle);
    provider::kubernetes::ask(&door, clusters, own, &|name| live.asks(name), now, bundle);
    provider::same::join(bundle, logins, &endpoints, now);
    let plans: Vec<provider::Plan> = provider::plans().collect();
    for source in &mut bundle.sources {
        let Some(name) = source.id.as_str().strip_prefix("ask:").filter(|name| live.asks(name)) else { continue };
        let about = match plans.iter().find(|plan| plan.provider == name) {
            Some(plan) if name == "google" => format!(
                "run with what `gcloud auth print-access-token` prints in CLOUDSDK_AUTH_ACCESS_TOKEN, or merge facts of it (--merge): this version asks about {}, and renews no login",
                plan.kinds
            ),
            Some(plan) => format!("merge facts of {} (--merge): this version asks about {}", plan.title, plan.kinds),
            None if name == "aws" => {
                "merge facts of AWS (--merge): this version asks about access keys that lie beside their secret, and tokens of single sign-on"
                    .to_owned()
            }
            None if name == provider::kubernetes::NAME => {
                "merge facts of Kubernetes (--merge): this credential names no server that the file of --config names"
                    .to_owned()
            }
            None => match provider::databases::ENGINES.iter().find(|engine| engine.name == name) {
                Some(engine) => format!("merge facts of {} (--merge): this login names no server", engine.title),
                None => continue,
            },
        };
        source.settle = Some(about);
    }
    bundle.sources.sort();
    bundle.sources.dedup_by(|a, b| a.id == b.id);
    let calls = door.calls();
    stage.record("calls", calls.len());
    calls
}

fn server(found: &collector::McpServer) -> McpServer {
    McpServer {
        name: found.name.clone(),
        tools: None,
        credentials: found.credentials.clone(),
        file: found.file.clone(),
        line: found.line,
    }
}

fn join(
    collected: Collected,
    found: Discovered,
    declared: Vec<Session>,
    around: &Surroundings,
    scope: &Scope,
) -> Bundle {
    let mut bundle = Bundle::empty(around.now, env!("CARGO_PKG_VERSION"));
    bundle.machine = Some(around.machine.clone());
    let reach = reach(&mut bundle, &collected.reach, around, scope);
    bundle.credentials = collected.credentials;
    for location in bundle.credentials.items.iter_mut().flat_map(|credential| &mut credential.locations) {
        if let Some(path) = collected.paths.get(&location.path) {
            location.refused = found.refusals(&path.to_string_lossy());
        }
    }
    bundle.sources.extend(collected.sources);
    bundle.sources.extend(found.sources);
    bundle.principals = collected.principals;
    bundle.grants = collected.grants;
    bundle.steps = collected.steps;
    bundle.assets = collected.assets;
    bundle.protections = collected.protections;
    bundle.recovery_points = collected.recovery_points;
    bundle.sessions.items = found.sessions;
    bundle.sessions.items.extend(declared);
    for session in &mut bundle.sessions.items {
        session.reach = reach.clone();
    }
    bundle.ways.items = found.ways;
    others(&mut bundle, around);
    undescribed(&mut bundle, around.now);
    bundle.sources.sort();
    bundle.sources.dedup_by(|a, b| a.id == b.id);
    bundle
}

/// Adds the agent programs, with what their tools may use.
fn run(bundle: &mut Bundle, programs: Programs) {
    let reach = bundle.sessions.items.first().map(|session| session.reach.clone());
    let mut ways = programs.ways.clone();
    programs.hold(&mut ways, &bundle.credentials.items);
    bundle.ways.items.extend(ways);
    bundle.sessions.gaps.extend(programs.gap);
    for mut session in programs.sessions {
        session.reach = reach.clone().unwrap_or(session.reach);
        bundle.sessions.items.push(session);
    }
    bundle.sources.extend(programs.sources);
    bundle.sources.sort();
    bundle.sources.dedup_by(|a, b| a.id == b.id);
}

/// Whether everything in reach was read: what was left out on purpose was not.
fn reach(bundle: &mut Bundle, read: &Fact<Listed>, around: &Surroundings, scope: &Scope) -> Fact<Listed> {
    let left_out = if around.home.is_none() {
        Some((
            "read the home folder",
            if scope.with_home { "set HOME, or give --home" } else { "run without --no-home" },
        ))
    } else if scope.with_env {
        None
    } else {
        Some(("read the environment variables", "run without --no-env"))
    };
    let Some((operation, settle)) = left_out else { return read.clone() };
    let source = Source::unanswered("left-out".into(), operation, GapReason::NotAsked, settle, around.now);
    let gap = Gap { source: source.id.clone(), reason: GapReason::NotAsked };
    bundle.sources.push(source);
    Fact::Unknown(gap)
}

/// Sessions that the configuration declares and that are not found here by themselves.
fn declared(config: &Config, around: &Surroundings, found: &[SessionId]) -> Vec<Session> {
    let unknown = Fact::Unknown(Gap { source: "declared".into(), reason: GapReason::Unsupported });
    // An agent whose gate is read and of which there is no sign here is still a session that somebody runs.
    let missing =
        |session: &&raw::Session| session.agent != "plain" && !found.iter().any(|id| id.as_str() == session.agent);
    let list = config.sessions.iter().filter(missing).map(|session| Session {
        id: session.name.as_str().into(),
        key: format!("{}:{}", session.agent, session.name),
        name: session.name.clone(),
        agent: match session.agent.as_str() {
            "claude-code" => Agent::ClaudeCode,
            "cursor" | "cursor-cli" => Agent::Cursor,
            "codex" => Agent::Codex,
            "gemini-cli" => Agent::GeminiCli,
            "opencode" => Agent::OpenCode,
            "copilot-cli" => Agent::CopilotCli,
            "vscode" => Agent::VsCode,
            "cline" | "cline-cli" => Agent::Cline,
            "roo-code" | "roo-cli" => Agent::RooCode,
            "crush" => Agent::Crush,
            "qwen-code" => Agent::QwenCode,
            "amazon-q" => Agent::AmazonQ,
            "continue-cli" => Agent::Continue,
            "goose" => Agent::Goose,
            "zed" => Agent::Zed,
            "aider" => Agent::Aider,
            "kiro" => Agent::Kiro,
            "factory-droid" => Agent::FactoryDroid,
            "amp" => Agent::Amp,
            "windsurf" => Agent::Windsurf,
            "warp" => Agent::Warp,
            "junie" => Agent::Junie,
            "ci" => Agent::Ci,
            "program" => Agent::Program,
            _ => Agent::Other,
        },
        machine: None,
        environment: session.environment.clone(),
        roots: if session.roots.is_empty() {
            around.roots.iter().map(|root| root.display().to_string()).collect()
        } else {
            session.roots.clone()
        },
        reach: unknown.clone(),
        ways: unknown.clone(),
        tally: None,
        sources: Vec::new(),
    });
    list.collect()
}

/// Folders that other agents leave in a home or a repository: whoever has them has one more session, of which this
/// version knows nothing.
const OTHER_AGENTS: [(&str, &str); 19] = [
    (".amazonq", "Amazon Q"),
    (".aws/amazonq/agents", "Amazon Q in an editor"),
    (".cline", "Cline"),
    (".codeium/windsurf", "Windsurf"),
    (".config/amp", "Amp"),
    (".config/crush", "Crush"),
    (".config/goose", "goose"),
    (".config/opencode", "OpenCode"),
    (".continue", "Continue"),
    (".continue/index", "Continue in an editor"),
    (".copilot", "Copilot CLI"),
    (".cursor", "Cursor"),
    (".factory", "Factory Droid"),
    (".gemini", "Gemini CLI"),
    (".junie", "Junie"),
    (".kiro", "Kiro"),
    (".qwen", "Qwen Code"),
    (".roo", "Roo Code"),
    (".warp", "Warp"),
];

/// A session that lies here and was not assessed is a gap among the sessions, not none.
fn others(bundle: &mut Bundle, around: &Surroundings) {
    let keys: Vec<String> = bundle.sessions.items.iter().map(|session| session.key.replace('-', "")).collect();
    let declared = |agent: &str| keys.iter().any(|key| key.starts_with(agent));
    let here = |folder: &str| {
        around.home.iter().chain(&around.roots).any(|base| std::fs::symlink_metadata(base.join(folder)).is_ok())
    };
    let found = OTHER_AGENTS.iter().filter(|(folder, _)| here(folder));
    let missing: Vec<&str> = found
        .filter(|(folder, _)| !declared(folder.rsplit(['.', '/']).next().unwrap_or(folder)))
        .map(|(_, name)| *name)
        .collect();
    for name in missing {
        let operation = format!("read the gate of {name}, whose settings lie here");
        let settle = "declare it under sessions in deadstop.yaml, or merge a fragment that describes its ways";
        let source =
            Source::unanswered(format!("other-{name}").into(), &operation, GapReason::Unsupported, settle, around.now);
        bundle.sessions.gaps.push(Gap { source: source.id.clone(), reason: GapReason::Unsupported });
        bundle.sources.push(source);
    }
}

/// The source of what is not known of a declared session's gate.
fn undescribed(bundle: &mut Bundle, at: Time) {
    if bundle
        .sessions
        .items
        .iter()
        .any(|session| session.ways.gap().is_some_and(|gap| gap.source.as_str() == "declared"))
    {
        let operation = "read the gate of a declared agent";
        let read: Vec<&str> = gate::GATES.iter().map(|gate| gate.name()).collect();
        let settle = format!(
            "this version reads the settings of {}; merge a fragment that describes the agent's ways",
            read.join(", ")
        );
        bundle.sources.push(Source::unanswered("declared".into(), operation, GapReason::Unsupported, &settle, at));
    }
}

/// What the configuration says of sessions that were found.
fn describe(bundle: &mut Bundle, config: &Config) {
    for declared in config.sessions.iter().filter(|session| gate::gate(&session.agent).is_some()) {
        for session in bundle.sessions.items.iter_mut().filter(|session| session.id.as_str() == declared.agent) {
            session.environment.clone_from(&declared.environment);
            session.name.clone_from(&declared.name);
            session.key = format!("{}:{}", declared.agent, declared.name);
        }
    }
}

/// What a place may be called in `ignore`: its path, and for a place in a history (`COMMIT:PATH`, or `COMMIT:PATH in
/// REPOSITORY`) the path that the file has or had in the folder too.
fn names(location: &Location) -> Vec<String> {
    let plain = |path: &str| path.trim_start_matches("./").to_owned();
    let mut all = vec![plain(&location.path)];
    let commit = |id: &str| !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if location.kind == "git_history"
        && let Some((_, path)) = location.path.split_once(':').filter(|(id, _)| commit(id))
    {
        let (path, repository) = path.rsplit_once(" in ").unwrap_or((path, "."));
        all.push(plain(&format!("{repository}/{path}")));
    }
    all
}

/// Leaves out the places that the user's own configuration says hold no credentials, until the day it says.
fn ignore(bundle: &mut Bundle, config: &Config, now: Time) -> Vec<String> {
    let (current, expired): (Vec<_>, Vec<_>) = config.ignore.iter().partition(|(_, expires)| *expires > now);
    let ignored = |location: &Location| {
        let names = names(location);
        let fits = |wanted: &str| names.iter().any(|name| pattern::matches(wanted, name));
        current.iter().any(|(wanted, _)| fits(&wanted.replace("**", "*")))
    };
    let mut left_out = 0;
    for credential in &mut bundle.credentials.items {
        let before = credential.locations.len();
        credential.locations.retain(|location| !ignored(location));
        left_out += before - credential.locations.len();
    }
    let mut notes: Vec<String> = expired
        .iter()
        .map(|(location, expires)| {
            format!("`ignore` of `{location}` expired on {}, so nothing is left out for it", expires.day())
        })
        .collect();
    notes.extend((left_out > 0).then(|| format!("{left_out} places are left out, as `ignore` says")));
    notes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_a_history_is_called_by_its_path_as_well() {
        let called = |kind: &str, path: &str| {
            names(&Location {
                kind: kind.to_owned(),
                path: path.to_owned(),
                line: None,
                key: None,
                sessions: Vec::new(),
                refused: Vec::new(),
            })
        };
        assert_eq!(called("file", "./tests/a.env"), ["tests/a.env"]);
        assert_eq!(called("git_history", "0a1b2c3:tests/a.env"), ["0a1b2c3:tests/a.env", "tests/a.env"]);
        assert_eq!(called("git_history", "0a1b2c3:tests/a.env in ~/x")[1], "~/x/tests/a.env");
        assert_eq!(called("git_history", "0a1b2c3:tests/a.env in ./x")[1], "x/tests/a.env");
        // A message, and a file that only looks as if it lay in a history.
        assert_eq!(called("git_history", "commit 0a1b2c3").len(), 1);
        assert_eq!(called("file", "./0a1b2c3:tests/a.env").len(), 1);
    }
}
