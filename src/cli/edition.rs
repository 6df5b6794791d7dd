//! Who a report is for, and what is replaced in it.

use clap::{Args, ValueEnum};
use deadstop_core::{redact, render};
use std::path::PathBuf;

/// What may be handed out.
#[derive(Args, Debug)]
pub struct RedactArgs {
    /// Replace names in everything that is written and shown, the same one by the same word: account numbers and ids;
    /// people as well; or every name.
    #[arg(long, value_enum, default_value_t = Redact::None, value_name = "LEVEL", env = "DEADSTOP_REDACT", help_heading = "Output")]
    pub redact: Redact,
}

/// Who the report is for, and what is replaced in it.
#[derive(Args, Debug)]
pub struct EditionArgs {
    /// Who report.html is for: those who decide, those who mend, or everyone. It says what it leaves out.
    #[arg(long, value_enum, default_value_t = Audience::Full, value_name = "WHO", env = "DEADSTOP_AUDIENCE", help_heading = "Output")]
    pub audience: Audience,
    /// A folder of templates of your own for report.html: `brand.html`, `cover.html`, `footer.html`, `style.css`, or the whole
    /// `body.html`. None is ever read from a folder that is looked at.
    #[arg(long, value_name = "DIR", env = "DEADSTOP_TEMPLATES", help_heading = "Output")]
    pub templates: Option<PathBuf>,
    /// What is replaced.
    #[command(flatten)]
    pub redact: RedactArgs,
}

/// Who the report is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Audience {
    /// The first page, the answers, the plan and the sign-off.
    Executive,
    /// What is unknown, the evidence of each asset, checks, credentials and sessions as well.
    Technical,
    /// Everything.
    Full,
}

impl Audience {
    /// The core's own.
    #[must_use]
    pub const fn meant(self) -> render::Audience {
        match self {
            Self::Executive => render::Audience::Executive,
            Self::Technical => render::Audience::Technical,
            Self::Full => render::Audience::Full,
        }
    }
}

/// What is replaced in what is handed out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Redact {
    /// Nothing.
    None,
    /// Account numbers and ids.
    Accounts,
    /// People, their logins and their words as well.
    People,
    /// Every name: assets, places, hosts, files, sessions, settings, the client.
    Names,
}

impl Redact {
    /// The core's own.
    #[must_use]
    pub const fn meant(self) -> redact::Level {
        match self {
            Self::None => redact::Level::None,
            Self::Accounts => redact::Level::Accounts,
            Self::People => redact::Level::People,
            Self::Names => redact::Level::Names,
        }
    }
}
