//! From what was typed to what is done.

pub mod assess;
pub mod checks;
pub mod collect;
pub mod completions;
pub mod credentials;
pub mod demo;
mod diff;
mod export;
mod fix;
pub mod iam;
pub mod init;
pub mod man;
pub mod permissions;
pub mod report;
pub mod run;
pub mod schema;
mod sign;
pub mod tabletop;
mod templates;
mod verify;
mod what_if;

use anyhow::Context as _;
use deadstop_core::assessment::Assessment;
use deadstop_core::bundle::{self, Bundle};
use deadstop_core::policy::Policy;
use deadstop_core::quote;
use deadstop_core::redact::redact;
use deadstop_core::render::{self, Logo, Own};
use std::fs;
use std::io::{IsTerminal as _, Read as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tracing::field;

use crate::cli::{AnswerArgs, Cli, Color, Command, Common, FormatArgs, LogFormat, Redact};
use crate::config::{self, Config};
use crate::exit::{self, Exit, FailOn, Target, Threshold};
use crate::readonly::Call;
use crate::{log, output};

/// The largest bundle or assessment that is read.
const LARGEST: u64 = 2 << 30;

/// Does what was typed, and gives the exit code. `stop` is raised by Ctrl-C.
#[must_use]
pub fn run(cli: &Cli, stop: &Arc<AtomicBool>) -> u8 {
    let done = begin_log(&cli.common).and_then(|()| dispatch(cli, stop));
    done.unwrap_or_else(|error| {
        if stop.load(Ordering::SeqCst) {
            return 130;
        }
        output::stderr(&quote::guarded(&format!("deadstop: {}\n", told(&error))));
        2
    })
}

/// The causes of an error after one another, each said once.
fn told(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if !text.ends_with(&cause) {
            text.push_str(if text.is_empty() { "" } else { ": " });
            text.push_str(&cause);
        }
    }
    text
}

fn begin_log(common: &Common) -> anyhow::Result<()> {
    let file = common.log_file.as_deref();
    Ok(log::begin(log::Wanted { verbose: common.verbose, json: common.log_format == LogFormat::Json, file })?)
}

fn dispatch(cli: &Cli, stop: &Arc<AtomicBool>) -> anyhow::Result<u8> {
    let asks = matches!(cli.command, Command::Run(_) | Command::Credentials(_) | Command::Collect(_));
    anyhow::ensure!(
        asks || !cli.common.live,
        "`--live` is for run, collect and credentials: nothing else asks a provider"
    );
    match &cli.command {
        Command::Run(args) => run::run(args, &cli.common, stop),
        Command::Credentials(args) => credentials::run(args, &cli.common, stop),
        Command::Demo(args) => demo::run(args, &cli.common),
        Command::Collect(args) => collect::run(args, &cli.common, stop),
        Command::Assess(args) => assess::run(args, &cli.common),
        Command::Report(args) => report::run(args, &cli.common),
        Command::Checks(args) => checks::run(args),
        Command::Init(args) => init::run(args, &cli.common, stop),
        Command::Schema(args) => schema::run(args),
        Command::Iam(args) => iam::run(args),
        Command::Permissions(args) => permissions::run(args, &cli.common),
        Command::Sign(args) => sign::run(args, &cli.common),
        Command::Verify(args) => verify::run(args),
        Command::Diff(args) => diff::run(args, &cli.common),
        Command::Export(args) => export::run(args, &cli.common),
        Command::Fix(args) => fix::run(args, &cli.common),
        Command::Tabletop(args) => tabletop::run(args, &cli.common),
        Command::WhatIf(args) => what_if::run(args, &cli.common),
        Command::Completions(args) => completions::run(args),
        Command::Man(args) => man::run(args, &cli.common),
    }
}

/// Assesses by `answer`, and logs what came of it.
pub(crate) fn assessed(answer: impl FnOnce() -> Assessment) -> Assessment {
    let stage = tracing::info_span!("assess", assets = field::Empty, paths = field::Empty).entered();
    let assessment = answer();
    stage.record("assets", assessment.assets.len()).record("paths", assessment.paths.len());
    assessment
}

/// The configuration, with what was typed laid over it.
pub(crate) fn settings(common: &Common, answer: &AnswerArgs) -> anyhow::Result<(Config, Threshold, bool)> {
    let mut config = config::load(common.config.as_deref())?;
    let threshold = threshold(config.fail_on, &answer.fail_on)?;
    if let Some(word) = &answer.target {
        config.policy.target = word.parse::<Target>().map_err(|message| anyhow::anyhow!("--target: {message}"))?.0;
    }
    config.policy.plans = !answer.no_fixes;
    if let Some(text) = &answer.assessed_at {
        config.policy.assessed_at = Some(text.parse().context("--assessed-at")?);
    }
    Ok((config, threshold, !answer.fail_on.is_empty()))
}

/// What an assessment amounts to, beside a baseline if one was named.
pub(crate) fn amounts(
    assessment: &Assessment,
    answer: &AnswerArgs,
    threshold: Threshold,
    policy: &Policy,
) -> anyhow::Result<Exit> {
    Ok(match &answer.baseline {
        None => exit::exit(assessment, threshold, policy),
        Some(path) => exit::since(&report::assessment(path)?, assessment, threshold, policy),
    })
}

/// What fails: what the configuration says, with what was typed laid over it.
pub(crate) fn threshold(configured: Option<Threshold>, typed: &[String]) -> anyhow::Result<Threshold> {
    let mut threshold = configured.unwrap_or_default();
    for word in typed {
        let word = word.parse::<FailOn>().map_err(|message| anyhow::anyhow!("--fail-on: {message}"))?;
        threshold = threshold.with(word);
    }
    Ok(threshold)
}

/// What a bundle holds, in words.
pub(crate) fn found(bundle: &Bundle) -> String {
    let count = |number: usize, one: &str| format!("{number} {one}{}", if number == 1 { "" } else { "s" });
    format!(
        "{}, {} and {}",
        count(bundle.sessions.items.len(), "session"),
        count(bundle.credentials.items.len(), "credential"),
        count(bundle.assets.items.len(), "asset")
    )
}

/// Reads a bundle.
pub(crate) fn read_bundle(path: &Path) -> anyhow::Result<Bundle> {
    let text = read(path)?;
    bundle::parse(&text).with_context(|| format!("`{}` is no facts bundle", path.display()))
}

/// Reads a text file that the user named; `-` is standard input.
pub(crate) fn read(path: &Path) -> anyhow::Result<String> {
    if path == Path::new("-") {
        let mut text = String::new();
        let read = std::io::stdin().lock().take(LARGEST + 1).read_to_string(&mut text);
        let length = read.context("cannot read standard input")?;
        anyhow::ensure!(length as u64 <= LARGEST, "standard input is larger than {} GiB", LARGEST >> 30);
        return Ok(text);
    }
    let meta = fs::metadata(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    anyhow::ensure!(meta.len() <= LARGEST, "`{}` is larger than {} GiB", path.display(), LARGEST >> 30);
    fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))
}

/// Whether text for a terminal is coloured.
pub(crate) fn coloured(common: &Common) -> bool {
    match common.color {
        Color::Always => true,
        Color::Never => false,
        Color::Auto => {
            std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && std::io::stdout().is_terminal()
        }
    }
}

/// The width of the terminal; of a page, if there is none.
pub(crate) fn width() -> usize {
    let columns = rustix::termios::tcgetwinsize(std::io::stdout()).ok().map(|size| usize::from(size.ws_col));
    columns.filter(|columns| *columns >= 40).unwrap_or(120)
}

/// What to do where nothing was found to assess.
const NEXT: &str = "\
Next: name the folders that the agents work in (deadstop run ~/code/shop), as the user that they run as; join what you
know of your provider's resources (--merge FRAGMENT.json, in the form that `deadstop schema facts` prints); or see what
an answer looks like: deadstop demo.";

/// Whether anything left this machine, in a sentence.
pub(crate) fn left(calls: &[Call]) -> String {
    let mut hosts: Vec<&str> = calls.iter().map(|call| call.host.as_str()).collect();
    hosts.sort_unstable();
    hosts.dedup();
    let named = hosts.iter().take(3).copied().collect::<Vec<_>>().join(", ");
    match (calls.len(), hosts.len()) {
        (0, _) => "Nothing left this machine.".to_owned(),
        (1, _) => format!("1 read call was made, to {named}."),
        (calls, 0..=3) => format!("{calls} read calls were made, to {named}."),
        (calls, more) => format!("{calls} read calls were made, to {named} and {} more hosts.", more - 3),
    }
}

/// Writes the report folder and tells the answer.
pub(crate) struct Finish<'a> {
    pub(crate) common: &'a Common,
    pub(crate) folder: &'a Path,
    pub(crate) policy: &'a Policy,
    pub(crate) threshold: Threshold,
    pub(crate) answer: &'a AnswerArgs,
    pub(crate) formats: &'a FormatArgs,
    pub(crate) notes: &'a [String],
    /// The calls that were made.
    pub(crate) calls: &'a [Call],
    pub(crate) logo: Option<&'a Logo>,
    /// Templates of the user's own.
    pub(crate) own: Own,
    pub(crate) took: Duration,
    pub(crate) show: bool,
}

impl Finish<'_> {
    /// Writes, tells, and gives the exit code.
    pub(crate) fn finish(&self, bundle: &Bundle, assessment: &Assessment) -> anyhow::Result<u8> {
        let stage = tracing::info_span!("report", files = field::Empty, bytes = field::Empty).entered();
        let (limits, flavour) = (self.threshold.limits(), self.formats.sarif.sarif_flavour);
        let (args, exit) = (&self.formats.edition, amounts(assessment, self.answer, self.threshold, self.policy)?);
        let mut edition = report::edition(args, self.logo.cloned(), self.answer.baseline.as_deref(), assessment)?;
        edition.own.clone_from(&self.own);
        let assessment = &*redact(assessment, args.redact.redact.meant())?;
        let mut files = Vec::new();
        if args.redact.redact == Redact::None {
            files.push((output::FACTS, bundle::to_json(bundle)));
        }
        if args.redact.redact == Redact::None || self.calls.is_empty() {
            files.push(("calls.jsonl", self.calls()?));
        }
        for format in report::ALWAYS.iter().chain(&self.formats.format) {
            if let Some(name) = report::file_name(*format).filter(|name| files.iter().all(|(had, _)| had != name)) {
                files.push((name, report::render(assessment, *format, limits, flavour, &edition)?));
            }
        }
        output::report(self.folder, &files)?;
        stage.record("files", files.len()).record("bytes", files.iter().map(|(_, text)| text.len()).sum::<usize>());
        drop(stage);
        let code = if self.show || self.answer.exit_zero { 0 } else { exit.code };
        let mut text = render::text(assessment, coloured(self.common), width());
        if !self.common.quiet {
            text.push_str(&self.closing(assessment, &exit, code));
        }
        output::stdout(&text)?;
        Ok(code)
    }

    fn calls(&self) -> anyhow::Result<String> {
        let lines = self.calls.iter().map(|call| Ok(format!("{}\n", serde_json::to_string(call)?)));
        lines.collect()
    }

    fn closing(&self, assessment: &Assessment, exit: &Exit, code: u8) -> String {
        let mut lines: Vec<String> = self.notes.iter().map(|note| format!("Note: {}.", output::safe(note))).collect();
        if self.formats.edition.redact.redact != Redact::None {
            lines.push("Note: facts.json and calls.jsonl hold the names, so they are left out; `deadstop collect` writes the facts.".to_owned());
        }
        if self.answer.baseline.is_some() && self.formats.edition.redact.redact != Redact::None {
            lines.push(format!("Note: {}.", report::NO_CHANGES));
        }
        let why = if code == exit.code {
            format!("Exit {code}: {}.", exit.reason)
        } else if self.show {
            format!("Exit 0, as this is a show; for `run` it would be {}: {}.", exit.code, exit.reason)
        } else {
            format!("Exit 0, as --exit-zero asks; else it would be {}: {}.", exit.code, exit.reason)
        };
        lines.push(why);
        if self.show {
            lines.push("Next: `deadstop run ~/code/shop` asks the same of that folder and your own home.".to_owned());
        }
        if !self.show && !assessment.assets.iter().any(|asset| asset.in_headline) {
            lines.push(NEXT.to_owned());
        }
        lines.push(format!("Report: {}", self.folder.join("report.html").display()));
        lines.push(format!("{:.1} s. {}", self.took.as_secs_f64(), left(self.calls)));
        format!("\n{}\n", lines.join("\n"))
    }
}
