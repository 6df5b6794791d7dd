//! `deadstop collect`: this machine in, a facts bundle out.

use anyhow::Context as _;
use deadstop_core::bundle::{self, Bundle};
use deadstop_core::iam::Caller;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tracing::field;
use url::Url;

use super::{left, read_bundle};
use crate::cli::{CollectArgs, Common, ScopeArgs};
use crate::collector::{FingerprintKey, SHORTEST_KEY};
use crate::config::{self, Config};
use crate::log::Progress;
use crate::machine::{self, Live, Machine, Scope};
use crate::output;
use crate::provider::{self, aws, aws::auditor::Auditor, databases, kubernetes};
use crate::readonly::socket::Place;
use crate::surroundings::Surroundings;

pub(super) fn run(args: &CollectArgs, common: &Common, stop: &Arc<AtomicBool>) -> anyhow::Result<u8> {
    let config = config::load(common.config.as_deref())?;
    let scope = scope(&args.scope)?;
    if args.scope.plan {
        return plan(&scope, live(common, &config)?.as_ref());
    }
    let machine = read(&scope, &config, common, stop)?;
    let bundle = merged(machine.bundle, &args.merge)?;
    output::file(&args.output, &bundle::to_json(&bundle))?;
    if !common.quiet {
        for note in config.notes.iter().chain(&machine.notes) {
            output::stderr(&format!("Note: {note}.\n"));
        }
        if args.output.as_os_str() != "-" {
            output::stderr(&format!(
                "Facts of {} are in {}. {}\nNext: deadstop assess {}\n",
                super::found(&bundle),
                args.output.display(),
                left(&machine.calls),
                args.output.display()
            ));
        }
    }
    Ok(0)
}

/// What is to be read, from what was typed.
pub(super) fn scope(args: &ScopeArgs) -> anyhow::Result<Scope> {
    let mut roots = Vec::new();
    for path in &args.paths {
        let root = path.canonicalize().with_context(|| format!("cannot read the folder `{}`", path.display()))?;
        anyhow::ensure!(root.is_dir(), "`{}` is no folder", path.display());
        roots.push(root);
    }
    let home = match &args.home {
        Some(home) => {
            Some(home.canonicalize().with_context(|| format!("cannot read the home folder `{}`", home.display()))?)
        }
        None => None,
    };
    let system = args.system.as_ref().map(|system| {
        system.canonicalize().with_context(|| format!("cannot read the folder `{}` as a system", system.display()))
    });
    let span: deadstop_core::time::Span = args.read_time.parse().context("--read-time")?;
    Ok(Scope {
        roots,
        home,
        with_home: !args.no_home,
        system: system.transpose()?,
        with_env: !args.no_env,
        read_time: Duration::from_secs(span.0),
        git_history: args.git_history,
        fingerprint_key: args.fingerprint_key_env.as_deref().map(fingerprint_key).transpose()?,
        files: Arc::default(),
    })
}

/// The key that the user keeps in this variable. Neither name nor value is repeated: one may have been typed for the other.
fn fingerprint_key(name: &str) -> anyhow::Result<FingerprintKey> {
    let value =
        std::env::var_os(name).context("--fingerprint-key-env names an environment variable that is not set")?;
    FingerprintKey::new(value.as_encoded_bytes()).with_context(|| {
        format!("--fingerprint-key-env: the key is shorter than {SHORTEST_KEY} bytes; `openssl rand -hex 32` makes one")
    })
}

/// Reads this machine, unless Ctrl-C says otherwise.
pub(super) fn read(scope: &Scope, config: &Config, common: &Common, stop: &Arc<AtomicBool>) -> anyhow::Result<Machine> {
    let stage = tracing::info_span!(
        "collect",
        sessions = field::Empty,
        credentials = field::Empty,
        assets = field::Empty,
        gaps = field::Empty
    )
    .entered();
    let shown = Progress::new(!common.quiet && !common.no_progress, "Reading", &scope.files);
    let around = machine::surroundings(scope);
    let live = live(common, config)?;
    let machine =
        machine::read(scope, &around, config, live.as_ref(), stop).context("internal error, please report it")?;
    drop(shown);
    let bundle = &machine.bundle;
    stage
        .record("sessions", bundle.sessions.items.len())
        .record("credentials", bundle.credentials.items.len())
        .record("assets", bundle.assets.items.len())
        .record("gaps", bundle.credentials.gaps.len());
    anyhow::ensure!(!stop.load(Ordering::SeqCst), "interrupted");
    Ok(machine)
}

/// How providers are to be asked, if they are.
pub(super) fn live(common: &Common, config: &Config) -> anyhow::Result<Option<Live>> {
    let known: Vec<&str> = provider::names().collect();
    let unknown = common.provider.iter().any(|name| !known.contains(&name.as_str()));
    anyhow::ensure!(!unknown, "--provider: this version asks {}", quoted(&known));
    if !common.live || common.offline {
        return Ok(None);
    }
    let mut endpoints = BTreeMap::new();
    for (name, provider) in &config.providers {
        let Some(endpoint) = &provider.endpoint else { continue };
        let url: Url = endpoint.parse().with_context(|| format!("providers.{name}.endpoint is no URL"))?;
        let plain = ["http", "https"].contains(&url.scheme()) && url.path() == "/" && url.query().is_none();
        anyhow::ensure!(
            plain && url.username().is_empty() && url.password().is_none(),
            "providers.{name}.endpoint is a scheme and a host, such as http://127.0.0.1:5000, and nothing more"
        );
        endpoints.insert(name.clone(), url);
    }
    let regions = config.providers.get("aws").map(|aws| aws.regions.clone()).unwrap_or_default();
    let plain = |region: &&String| !region.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    anyhow::ensure!(
        !regions.iter().any(|region| plain(&region)),
        "providers.aws.regions: a Region is such as `eu-west-1`"
    );
    let mut live = Live {
        endpoints,
        regions,
        hosts: hosts(config)?,
        resolver: resolver(config)?,
        providers: common.provider.clone(),
        auditor: None,
        prove: common.prove.is_some(),
    };
    if live.asks("aws") {
        live.auditor = auditor(config)?;
    }
    Ok(Some(live))
}

/// The auditor, if the configuration names one.
fn auditor(config: &Config) -> anyhow::Result<Option<Auditor>> {
    let Some(aws) = config.providers.get("aws") else { return Ok(None) };
    let Some(profile) = &aws.profile else { return Ok(None) };
    let is_role = |arn: &String| arn.contains(":role/") && Caller::new(arn).is_some();
    anyhow::ensure!(
        aws.roles.iter().all(is_role),
        "providers.aws.roles: a role is such as `arn:aws:iam::111122223333:role/audit`"
    );
    let own = Surroundings::of_this_process(&[]);
    Auditor::read(profile, &aws.roles, &own).map(Some).context("providers.aws.profile")
}

/// The database servers that the user's own configuration names.
fn hosts(config: &Config) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let mut hosts = BTreeMap::new();
    let engines = databases::ENGINES.iter().map(|engine| engine.name);
    for name in engines.chain([kubernetes::NAME]) {
        let Some(named) = config.providers.get(name).map(|provider| &provider.hosts) else { continue };
        anyhow::ensure!(
            named.iter().all(|host| Place::read(host, 1).is_some()),
            "providers.{}.hosts: a host is such as `db.internal.example` or `db.internal.example:5432`",
            name
        );
        hosts.insert(name.to_owned(), named.clone());
    }
    Ok(hosts)
}

/// Where the user has names of services looked up.
fn resolver(config: &Config) -> anyhow::Result<Option<std::net::SocketAddr>> {
    let Some(named) = config.providers.get("mongodb").and_then(|provider| provider.resolver.as_deref()) else {
        return Ok(None);
    };
    let place = named.parse().or_else(|_| named.parse().map(|address| std::net::SocketAddr::new(address, 53)));
    place.map(Some).context("providers.mongodb.resolver: an address such as `10.0.0.2` or `10.0.0.2:53`")
}

fn quoted(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        Some((last, before)) if !before.is_empty() => format!("{} and {last}", before.join(", ")),
        _ => quoted.concat(),
    }
}

/// The bundle with fragments of other programs joined.
pub(super) fn merged(bundle: Bundle, fragments: &[PathBuf]) -> anyhow::Result<Bundle> {
    if fragments.is_empty() {
        return Ok(bundle);
    }
    let mut all = vec![bundle];
    for path in fragments {
        all.push(read_bundle(Path::new(path))?);
    }
    Ok(bundle::merge(&all))
}

/// The calls that may be made.
fn calls(live: &Live) -> anyhow::Result<String> {
    let mut text = String::new();
    if live.asks("aws") {
        let host = live.endpoints.get("aws").map_or_else(|| "hosts below amazonaws.com".to_owned(), Url::to_string);
        match &live.auditor {
            Some(auditor) => {
                writeln!(text, "For each AWS key that is found, signed with that key, to {host}:")?;
                writeln!(text, "  sts:GetCallerIdentity")?;
                writeln!(text, "For each sign-in that is found, with its token: the two of sso: below.")?;
                writeln!(text, "As the auditor, by the profile {} of your own, to the same:", auditor.name())?;
                for role in auditor.roles() {
                    writeln!(text, "  sts:AssumeRole of {role}")?;
                }
            }
            None => writeln!(
                text,
                "For each AWS key that is found, signed with that key (of sso: for each sign-in, with its token), to {host}:"
            )?,
        }
        for operation in aws::operations() {
            writeln!(text, "  {operation}")?;
        }
        let regions = if live.regions.is_empty() { aws::REGION.to_owned() } else { live.regions.join(", ") };
        writeln!(text, "in {regions}.\n")?;
        if live.prove {
            writeln!(
                text,
                "Signed with each AWS key that is found, as dry runs, which CloudTrail shows as the calls they are of:"
            )?;
            for operation in aws::proofs() {
                writeln!(text, "  {operation} with DryRun=true")?;
            }
            writeln!(text)?;
        }
    }
    for plan in provider::plans().filter(|plan| live.asks(plan.provider)) {
        let host = live.endpoints.get(plan.provider).map_or_else(|| format!("https://{}/", plan.host), Url::to_string);
        writeln!(text, "For each {} token that is found ({}), with that token, to {host}:", plan.title, plan.kinds)?;
        for operation in plan.operations {
            writeln!(text, "  {operation}")?;
        }
        writeln!(text)?;
    }
    for engine in databases::ENGINES.iter().filter(|engine| live.asks(engine.name)) {
        let (name, title) = (engine.name, engine.title);
        match live.hosts.get(name).filter(|hosts| !hosts.is_empty()) {
            None => writeln!(
                text,
                "No {title} server, with whatever login is found: providers.{name}.hosts of the file of --config names none.\n"
            )?,
            Some(hosts) => {
                writeln!(text, "For each {title} login that is found for one of these servers, with that login:")?;
                hosts.iter().try_for_each(|host| writeln!(text, "  {host}"))?;
                writeln!(
                    text,
                    "these questions, by which nothing is changed (`deadstop permissions {name}` prints them):"
                )?;
                engine.questions.list.iter().try_for_each(|statement| writeln!(text, "  {}", statement.operation))?;
                writeln!(text)?;
            }
        }
    }
    if live.asks(kubernetes::NAME) {
        match live.hosts.get(kubernetes::NAME).filter(|hosts| !hosts.is_empty()) {
            None => writeln!(
                text,
                "No cluster of Kubernetes, with whatever kubeconfig is found: providers.kubernetes.hosts of the file of --config names none.\n"
            )?,
            Some(hosts) => {
                writeln!(text, "For each kubeconfig's user that is found for one of these clusters, as that user:")?;
                hosts.iter().try_for_each(|host| writeln!(text, "  {host}"))?;
                writeln!(text, "these calls, of which the reviews (create) are answered and not stored:")?;
                kubernetes::operations().try_for_each(|operation| writeln!(text, "  {operation}"))?;
                writeln!(text)?;
            }
        }
    }
    text.push_str("Nothing else passes.\n\n");
    Ok(text)
}

/// Says what would be read and which calls would be made, and does neither.
pub(super) fn plan(scope: &Scope, live: Option<&Live>) -> anyhow::Result<u8> {
    let around: Surroundings = machine::surroundings(scope);
    let mut text = match live {
        None => String::from("No call would be made, and no credential sent anywhere (--live asks providers).\n\n"),
        Some(live) => calls(live)?,
    };
    text.push_str("Read would be\n");
    for root in &around.roots {
        writeln!(text, "  every file below {}", root.display())?;
    }
    match &around.home {
        Some(home) => writeln!(text, "  every file below {}, the home folder", home.display())?,
        None => writeln!(text, "  no home folder")?,
    }
    if let Some(system) = &around.system {
        let below = if system.parent().is_some() { format!(" below {}", system.display()) } else { String::new() };
        writeln!(text, "  the stores of credentials of the system{below} that docs/credentials.md lists")?;
    }
    writeln!(text, "  {} environment variables", around.env.len())?;
    let history = if scope.git_history {
        "the history of every repository there, by `git cat-file` and `git diff-tree` with none of its settings"
    } else {
        "no history of a repository (--git-history)"
    };
    writeln!(text, "  {history}")?;
    writeln!(text, "  the managed settings of Claude Code in /etc/claude-code")?;
    writeln!(
        text,
        "for at most {} s. Links are not followed out of these folders, and nothing found is run.",
        scope.read_time.as_secs()
    )?;
    output::stdout(&text)?;
    Ok(0)
}
