//! What may be typed: clap structs only. What it means is said in `command`.

pub mod compare;
pub mod edition;
pub mod examples;
pub mod fix;
pub mod rights;
pub mod sign;
pub mod tabletop;
pub mod what_if;

use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

pub use compare::{DiffArgs, DiffFormat, ExportArgs};
pub use edition::{Audience, EditionArgs, Redact, RedactArgs};
pub use fix::FixArgs;
pub use rights::{Asked, IamArgs, IamCommand, PermissionsArgs, SimulateArgs};
pub use sign::{SignArgs, VerifyArgs};
pub use tabletop::{AboutArgs, GuideArgs, PrepareArgs, RecordArgs, TabletopArgs, TabletopCommand};
pub use what_if::{Trusted, WhatIfArgs};

/// If an AI agent here called your provider's delete API right now, what would stop it?
///
/// Deadstop lists every credential that an agent session can reach, works out what each may destroy, judges six layers
/// that could stop the call or bring the data back, and answers in one sentence per asset, with the evidence and the
/// smallest set of fixes. It only reads, and sends nothing anywhere without --live.
#[derive(Debug, Parser)]
#[command(name = "deadstop", version, propagate_version = true, after_help = examples::ALL, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Options of every command.
    #[command(flatten)]
    pub common: Common,
}

/// Options of every command.
#[derive(Args, Debug)]
pub struct Common {
    /// Configuration; without it `deadstop.yaml` of the current folder, which may describe but not excuse.
    #[arg(long, global = true, value_name = "FILE", env = "DEADSTOP_CONFIG", help_heading = "Global options")]
    pub config: Option<PathBuf>,
    /// Say only what is asked for: no progress, no closing lines.
    #[arg(long, short, global = true, env = "DEADSTOP_QUIET", value_parser = clap::builder::FalseyValueParser::new(), help_heading = "Global options")]
    pub quiet: bool,
    /// When to colour the terminal text.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto, value_name = "WHEN", env = "DEADSTOP_COLOR", help_heading = "Global options")]
    pub color: Color,
    /// Show no progress.
    #[arg(long, global = true, env = "DEADSTOP_NO_PROGRESS", value_parser = clap::builder::FalseyValueParser::new(), help_heading = "Global options")]
    pub no_progress: bool,
    /// Say more of what is done, on standard error: stages with their times (-v), their parts (-vv), all (-vvv).
    #[arg(long, short, global = true, action = clap::ArgAction::Count, env = "DEADSTOP_VERBOSE", help_heading = "Global options")]
    pub verbose: u8,
    /// How the log is written.
    #[arg(long, global = true, value_enum, default_value_t = LogFormat::Text, value_name = "FORMAT", env = "DEADSTOP_LOG_FORMAT", help_heading = "Global options")]
    pub log_format: LogFormat,
    /// Write the log to this file (mode 0600) instead of standard error; without -v it holds what -v says.
    #[arg(long, global = true, value_name = "FILE", env = "DEADSTOP_LOG_FILE", help_heading = "Global options")]
    pub log_file: Option<PathBuf>,
    /// Refuse every connection; wins over --live.
    #[arg(long, global = true, env = "DEADSTOP_OFFLINE", value_parser = clap::builder::FalseyValueParser::new(), help_heading = "Global options")]
    pub offline: bool,
    /// Ask providers, by read operations alone, with the credentials that were found; without it nothing leaves the machine.
    #[arg(long, global = true, env = "DEADSTOP_LIVE", value_parser = clap::builder::FalseyValueParser::new(), help_heading = "Global options")]
    pub live: bool,
    /// With --live: the providers to ask, of `aiven`, `aws`, `cloudflare`, `digitalocean`, `fly`, `github`, `google`, `heroku`, `kubernetes`, `mongodb`, `mongodb_atlas`, `mysql`, `neon`, `planetscale`, `postgres`, `railway`, `redis`, `render`, `supabase`, `terraform`, `turso`, `upstash` and `vercel`; without it all of them.
    #[arg(
        long,
        global = true,
        value_name = "NAME,…",
        value_delimiter = ',',
        env = "DEADSTOP_PROVIDER",
        help_heading = "Global options"
    )]
    pub provider: Vec<String>,
    /// With --live: have AWS itself say whether a key may delete, by the calls that delete, made as dry runs. Nothing is
    /// deleted, and CloudTrail shows each as the call that it is a dry run of.
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "HOW",
        env = "DEADSTOP_PROVE",
        help_heading = "Global options"
    )]
    pub prove: Option<Prove>,
}

/// How a right to delete is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Prove {
    /// By the delete call itself, as a dry run (EC2: volumes, snapshots, instances).
    DryRun,
}

/// When to colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// If the output is a terminal and `NO_COLOR` is not set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How a log is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// One line for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Collect, assess and report on this machine, in one go.
    #[command(after_help = examples::RUN)]
    Run(RunArgs),
    /// List every credential in reach, with its locations.
    #[command(after_help = examples::CREDENTIALS)]
    Credentials(CredentialsArgs),
    /// Show the answer for a built-in incident world: offline, no accounts needed.
    #[command(after_help = examples::DEMO)]
    Demo(DemoArgs),
    /// Write a facts bundle of this machine.
    #[command(after_help = examples::COLLECT)]
    Collect(CollectArgs),
    /// Merge facts bundles and assess them.
    #[command(after_help = examples::ASSESS)]
    Assess(AssessArgs),
    /// Render an assessment.
    #[command(after_help = examples::REPORT)]
    Report(ReportArgs),
    /// List, explain, test and begin checks.
    #[command(after_help = examples::CHECKS)]
    Checks(ChecksArgs),
    /// Write a starting deadstop.yaml from what is found here.
    #[command(after_help = examples::INIT)]
    Init(InitArgs),
    /// Print the JSON Schema of a file.
    #[command(after_help = examples::SCHEMA)]
    Schema(SchemaArgs),
    /// Print a completion script for a shell.
    #[command(after_help = examples::COMPLETIONS)]
    Completions(CompletionsArgs),
    /// Print the manual page, or write a page for each command.
    #[command(after_help = examples::MAN)]
    Man(ManArgs),
    /// Decide AWS requests offline.
    Iam(IamArgs),
    /// Print the calls that --live may make, as a policy to grant.
    Permissions(PermissionsArgs),
    /// Sign a report folder with an SSH key or a key of minisign.
    #[command(after_help = examples::SIGN)]
    Sign(SignArgs),
    /// Say whether a report folder is whole and unaltered, and whose signature it bears.
    #[command(after_help = examples::VERIFY)]
    Verify(VerifyArgs),
    /// Say what changed between two assessments.
    #[command(after_help = examples::DIFF)]
    Diff(DiffArgs),
    /// Write an assessment, and the facts, as tables for query engines.
    #[command(after_help = examples::EXPORT)]
    Export(ExportArgs),
    /// Print what a fix of an assessment asks for: a policy, a setting, a command.
    #[command(after_help = examples::FIX)]
    Fix(FixArgs),
    /// Prepare a tabletop exercise from the delete paths, lead through it, and record it.
    Tabletop(TabletopArgs),
    /// Say what would stop one very call, and by which rule.
    #[command(after_help = examples::WHAT_IF)]
    WhatIf(WhatIfArgs),
}

/// What is looked at.
#[derive(Args, Debug)]
pub struct ScopeArgs {
    /// Folders that the sessions read.
    #[arg(value_name = "PATH", default_value = ".")]
    pub paths: Vec<PathBuf>,
    /// The home folder to read, instead of the user's own.
    #[arg(long, value_name = "DIR", env = "DEADSTOP_HOME", help_heading = "What is read")]
    pub home: Option<PathBuf>,
    /// Read no home folder; what lies there is then unknown.
    #[arg(long, conflicts_with = "home", env = "DEADSTOP_NO_HOME", value_parser = clap::builder::FalseyValueParser::new(), help_heading = "What is read")]
    pub no_home: bool,
    /// The top of the file system whose stores and managed settings are read, instead of `/`.
    #[arg(long, value_name = "DIR", env = "DEADSTOP_SYSTEM", hide_env_values = true, help_heading = "What is read")]
    pub system: Option<PathBuf>,
    /// Do not look at environment variables; what they hold is then unknown.
    #[arg(long, env = "DEADSTOP_NO_ENV", value_parser = clap::builder::FalseyValueParser::new(), help_heading = "What is read")]
    pub no_env: bool,
    /// How long to read files before what is left counts as not read.
    #[arg(long, value_name = "TIME", default_value = "10m", env = "DEADSTOP_READ_TIME", help_heading = "What is read")]
    pub read_time: String,
    /// Read the history of every repository there, too: what was deleted from its files is still in reach.
    #[arg(long, env = "DEADSTOP_GIT_HISTORY", value_parser = clap::builder::FalseyValueParser::new(), help_heading = "What is read")]
    pub git_history: bool,
    /// The environment variable that holds a key for fingerprints (16 bytes or more), so that one secret on two machines
    /// is known as one. Without the key, a fingerprint tells nothing of the secret.
    #[arg(long, value_name = "NAME", env = "DEADSTOP_FINGERPRINT_KEY_ENV", help_heading = "What is read")]
    pub fingerprint_key_env: Option<String>,
    /// Print what would be read and every call that would be made, and stop.
    #[arg(long, help_heading = "What is read")]
    pub plan: bool,
}

/// What counts as a failure.
#[derive(Args, Debug)]
pub struct AnswerArgs {
    /// Exit 1 at this answer or worse: nothing, slowed-no-recovery, recoverable-untested, recoverable, slowed; or a
    /// severity for checks: critical, high, medium, low. Given twice it sets both.
    #[arg(
        long,
        value_name = "ANSWER|SEVERITY",
        env = "DEADSTOP_FAIL_ON",
        value_delimiter = ',',
        help_heading = "Answers"
    )]
    pub fail_on: Vec<String>,
    /// Exit 0 where the answer would give 1 or 3, for pipelines that only upload.
    #[arg(long, env = "DEADSTOP_EXIT_ZERO", value_parser = clap::builder::FalseyValueParser::new(), help_heading = "Answers")]
    pub exit_zero: bool,
    /// The answer that the fix plan brings every production asset to: stopped, slowed-tested, slowed,
    /// recoverable-tested, recoverable.
    #[arg(long, value_name = "ANSWER", env = "DEADSTOP_TARGET", help_heading = "Answers")]
    pub target: Option<String>,
    /// Look for no fix plan, which takes longer than the answers do. Answers, paths and checks are the same; changes that
    /// may help are listed, and not held against the facts.
    #[arg(long, env = "DEADSTOP_NO_FIXES", value_parser = clap::builder::FalseyValueParser::new(), help_heading = "Answers")]
    pub no_fixes: bool,
    /// The moment the assessment speaks of, instead of the newest reading.
    #[arg(long, value_name = "TIME", env = "DEADSTOP_ASSESSED_AT", help_heading = "Answers")]
    pub assessed_at: Option<String>,
    /// A folder of further checks. None is ever read from a folder that is looked at.
    #[arg(long, value_name = "DIR", env = "DEADSTOP_CHECKS", help_heading = "Answers")]
    pub checks: Vec<PathBuf>,
    /// Exit 1 only for what is new or worse than in this assessment. All that is known is shown as ever, with what changed
    /// since, and an answer that is not known stays exit code 3.
    #[arg(long, value_name = "FILE", env = "DEADSTOP_BASELINE", help_heading = "Answers")]
    pub baseline: Option<PathBuf>,
    /// The record of a tabletop exercise, which becomes a part of the report.
    #[arg(long, value_name = "FILE", env = "DEADSTOP_TABLETOP", help_heading = "Answers")]
    pub tabletop: Option<PathBuf>,
}

/// Which files are written beside the report, and how.
#[derive(Args, Debug)]
pub struct FormatArgs {
    /// Formats to write besides the report, its assessment, SARIF, JUnit and the summary.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "FORMAT",
        env = "DEADSTOP_FORMAT",
        help_heading = "Output"
    )]
    pub format: Vec<Format>,
    /// Who reads the SARIF file.
    #[command(flatten)]
    pub sarif: SarifArgs,
    /// Who reads the report.
    #[command(flatten)]
    pub edition: EditionArgs,
}

/// How SARIF is written.
#[derive(Args, Debug)]
pub struct SarifArgs {
    /// Who reads the SARIF file: GitHub code scanning, or readers of the whole standard.
    #[arg(long, value_enum, default_value_t = Flavour::Github, value_name = "FLAVOUR", env = "DEADSTOP_SARIF_FLAVOUR", help_heading = "Output")]
    pub sarif_flavour: Flavour,
}

/// Who reads a SARIF file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Flavour {
    /// What is to be looked at; an unknown is a warning under its own rule.
    Github,
    /// Passes and what does not apply as well; an unknown is `open`.
    Standard,
}

/// Arguments of `run`.
#[derive(Args, Debug)]
pub struct RunArgs {
    /// What is looked at.
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// What counts as a failure.
    #[command(flatten)]
    pub answer: AnswerArgs,
    /// The folder for the report.
    #[arg(
        long,
        short,
        value_name = "DIR",
        default_value = "deadstop-report",
        env = "DEADSTOP_OUTPUT",
        help_heading = "Output"
    )]
    pub output: PathBuf,
    /// Facts of other programs to join.
    #[arg(
        long,
        value_name = "FRAGMENT.json",
        value_delimiter = ',',
        env = "DEADSTOP_MERGE",
        help_heading = "What is read"
    )]
    pub merge: Vec<PathBuf>,
    /// Which files are written.
    #[command(flatten)]
    pub formats: FormatArgs,
}

/// Arguments of `credentials`.
#[derive(Args, Debug)]
pub struct CredentialsArgs {
    /// What is looked at.
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// How to print them: a table, or one JSON object a line.
    #[arg(long, value_enum, default_value_t = ListFormat::Table, env = "DEADSTOP_FORMAT", help_heading = "Output")]
    pub format: ListFormat,
}

/// How a list is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// For people.
    Table,
    /// One object a line.
    Json,
}

/// Arguments of `demo`.
#[derive(Args, Debug)]
pub struct DemoArgs {
    /// The world.
    #[arg(value_name = "WORLD", default_value = "pocketos")]
    pub world: String,
    /// List the built-in worlds.
    #[arg(long)]
    pub list: bool,
    /// Show the world with a fix applied: an id such as F1, or a key. May be given several times.
    #[arg(long, value_name = "KEY")]
    pub with_fix: Vec<String>,
    /// What counts as a failure. Without --fail-on a demo exits 0: it is a show.
    #[command(flatten)]
    pub answer: AnswerArgs,
    /// The folder for the report.
    #[arg(
        long,
        short,
        value_name = "DIR",
        default_value = "deadstop-report",
        env = "DEADSTOP_OUTPUT",
        help_heading = "Output"
    )]
    pub output: PathBuf,
    /// Which files are written.
    #[command(flatten)]
    pub formats: FormatArgs,
}

/// Arguments of `collect`.
#[derive(Args, Debug)]
pub struct CollectArgs {
    /// What is looked at.
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// The file to write; `-` is standard output.
    #[arg(
        long,
        short,
        value_name = "FILE",
        default_value = "facts.json",
        env = "DEADSTOP_OUTPUT",
        help_heading = "Output"
    )]
    pub output: PathBuf,
    /// Facts of other programs to join.
    #[arg(
        long,
        value_name = "FRAGMENT.json",
        value_delimiter = ',',
        env = "DEADSTOP_MERGE",
        help_heading = "What is read"
    )]
    pub merge: Vec<PathBuf>,
}

/// Arguments of `assess`.
#[derive(Args, Debug)]
pub struct AssessArgs {
    /// Facts bundles; `-` is standard input.
    #[arg(value_name = "FACTS", required = true)]
    pub facts: Vec<PathBuf>,
    /// What counts as a failure.
    #[command(flatten)]
    pub answer: AnswerArgs,
    /// The file to write; `-` is standard output.
    #[arg(
        long,
        short,
        value_name = "FILE",
        default_value = "assessment.json",
        env = "DEADSTOP_OUTPUT",
        help_heading = "Output"
    )]
    pub output: PathBuf,
    /// What is replaced.
    #[command(flatten)]
    pub redact: RedactArgs,
}

/// Arguments of `report`.
#[derive(Args, Debug)]
pub struct ReportArgs {
    /// An assessment; `-` is standard input.
    #[arg(value_name = "ASSESSMENT")]
    pub assessment: PathBuf,
    /// The formats to write.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "FORMAT",
        default_value = "html",
        env = "DEADSTOP_FORMAT",
        help_heading = "Output"
    )]
    pub format: Vec<Format>,
    /// Who reads the SARIF file.
    #[command(flatten)]
    pub sarif: SarifArgs,
    /// Who reads the report.
    #[command(flatten)]
    pub edition: EditionArgs,
    /// An earlier assessment: the page says what changed since.
    #[arg(long, value_name = "FILE", env = "DEADSTOP_BASELINE", help_heading = "Answers")]
    pub baseline: Option<PathBuf>,
    /// What a case of junit.xml fails at, as for `run`.
    #[arg(
        long,
        value_name = "ANSWER|SEVERITY",
        env = "DEADSTOP_FAIL_ON",
        value_delimiter = ',',
        help_heading = "Answers"
    )]
    pub fail_on: Vec<String>,
    /// The file for one format, the folder for several; `-` is standard output.
    #[arg(long, short, value_name = "DIR|FILE", env = "DEADSTOP_OUTPUT", help_heading = "Output")]
    pub output: Option<PathBuf>,
}

/// What an assessment is rendered to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// The report: `report.html`.
    Html,
    /// The assessment itself: `assessment.json`.
    Json,
    /// A summary for a pull request: `summary.md`.
    Markdown,
    /// SARIF 2.1.0: `deadstop.sarif`.
    Sarif,
    /// JUnit XML: `junit.xml`.
    Junit,
    /// A table of answers, paths and findings: `findings.csv`.
    Csv,
    /// GitLab code quality: `gl-code-quality.json`.
    Gitlab,
    /// OCSF Compliance Findings, one a line: `ocsf.jsonl`.
    Ocsf,
    /// OSCAL Assessment Results: `oscal.json`.
    Oscal,
    /// What the terminal shows.
    Text,
}

/// Arguments of `checks`.
#[derive(Args, Debug)]
pub struct ChecksArgs {
    /// What to do with them.
    #[command(subcommand)]
    pub what: ChecksCommand,
}

/// What to do with checks.
#[derive(Debug, Subcommand)]
pub enum ChecksCommand {
    /// List the checks.
    List {
        /// A folder of further checks.
        #[arg(long, value_name = "DIR", env = "DEADSTOP_CHECKS")]
        checks: Vec<PathBuf>,
        /// How to print them: a table, or one JSON object a line.
        #[arg(long, value_enum, default_value_t = ListFormat::Table)]
        format: ListFormat,
    },
    /// Explain a check.
    Show {
        /// Its id.
        #[arg(value_name = "ID")]
        id: String,
        /// A folder of further checks.
        #[arg(long, value_name = "DIR", env = "DEADSTOP_CHECKS")]
        checks: Vec<PathBuf>,
    },
    /// Run the cases of checks: exit 1 if one fails, 2 if a check does not load.
    Test {
        /// The folder; without it, the built-in checks.
        #[arg(value_name = "DIR")]
        folder: Option<PathBuf>,
    },
    /// Write a check to begin with into the current folder.
    New {
        /// Its id: small letters, digits and hyphens; `vendor/id` outside Deadstop.
        #[arg(value_name = "ID")]
        id: String,
    },
}

/// Arguments of `schema`.
#[derive(Args, Debug)]
pub struct SchemaArgs {
    /// Of which file.
    #[arg(value_enum)]
    pub name: SchemaName,
}

/// Files that have a schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum SchemaName {
    /// `deadstop.yaml`.
    Config,
    /// A facts bundle.
    Facts,
    /// An assessment.
    Assessment,
    /// `manifest.json`.
    Manifest,
    /// A check.
    Check,
    /// What `diff --format json` writes.
    Diff,
    /// `tabletop.yaml`.
    Tabletop,
}

/// Arguments of `init`.
#[derive(Args, Debug)]
pub struct InitArgs {
    /// What is looked at.
    #[command(flatten)]
    pub scope: ScopeArgs,
    /// The file to write; `-` is standard output. One that is there is never overwritten.
    #[arg(
        long,
        short,
        value_name = "FILE",
        default_value = "deadstop.yaml",
        env = "DEADSTOP_OUTPUT",
        help_heading = "Output"
    )]
    pub output: PathBuf,
}

/// Arguments of `completions`.
#[derive(Args, Debug)]
pub struct CompletionsArgs {
    /// For which shell.
    #[arg(value_enum, value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

/// Arguments of `man`.
#[derive(Args, Debug)]
pub struct ManArgs {
    /// The folder for one page a command; without it the page of `deadstop` goes to standard output.
    #[arg(long, short, value_name = "DIR", env = "DEADSTOP_OUTPUT", help_heading = "Output")]
    pub output: Option<PathBuf>,
}
