//! Templates of the user's own in the page (floor 3). They may say what they like, and yet no value escapes unescaped, nothing
//! is asked for, and nothing goes on for ever. See `docs/formats.md` for what they may count on.

use minijinja::value::{Serde, Value, ValueKind};
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, escape_formatter};
use serde_json::Value as Json;

use super::RenderError;
use super::shown::Shown;
use crate::assessment::Assessment;
use crate::yaml::mistakes::nearest;

/// The places of the page that may be filled, and what is there without it.
pub const SLOTS: [(&str, &str); 7] = [
    ("header.html", "above everything; empty"),
    ("brand.html", "at the head of the side, in place of the name Deadstop and of the picture of `engagement.logo`"),
    ("cover.html", "before the verdict; empty"),
    ("closing.html", "behind the last section; empty"),
    ("footer.html", "in place of the line at the end"),
    ("body.html", "in place of the whole page within `<body>`"),
    ("style.css", "a style sheet, behind the built-in one"),
];

/// The most files, and the largest, that are taken.
pub const MOST_FILES: usize = 64;
/// The largest file, in bytes.
pub const LARGEST: usize = 256 << 10;

/// What a page may cost in all, in steps of a template and pieces of 64 bytes: some seconds, and some hundred megabytes.
const FUEL: u64 = 20_000_000;

/// The tags that a page with templates of others may have: text, tables and drawings. None of them runs anything or makes a
/// browser ask for anything that the policy of the page lets pass.
const TAGS: [&str; 88] = [
    "a",
    "abbr",
    "address",
    "article",
    "aside",
    "b",
    "bdi",
    "bdo",
    "blockquote",
    "br",
    "caption",
    "circle",
    "cite",
    "code",
    "col",
    "colgroup",
    "data",
    "dd",
    "defs",
    "del",
    "desc",
    "details",
    "dfn",
    "div",
    "dl",
    "dt",
    "ellipse",
    "em",
    "fieldset",
    "figcaption",
    "figure",
    "footer",
    "g",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hgroup",
    "hr",
    "i",
    "img",
    "input",
    "ins",
    "kbd",
    "label",
    "legend",
    "li",
    "line",
    "main",
    "mark",
    "marker",
    "menu",
    "meter",
    "nav",
    "ol",
    "p",
    "path",
    "polygon",
    "polyline",
    "pre",
    "progress",
    "q",
    "rect",
    "s",
    "samp",
    "search",
    "section",
    "small",
    "span",
    "strong",
    "sub",
    "summary",
    "sup",
    "svg",
    "symbol",
    "table",
    "tbody",
    "td",
    "text",
    "tfoot",
    "th",
    "thead",
    "time",
    "tr",
    "tspan",
];
const MORE_TAGS: [&str; 6] = ["title", "u", "ul", "use", "var", "wbr"];

/// The user's own templates: each a file name and a text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Own(Vec<(String, String)>);

/// Templates that are not taken.
#[derive(Debug, thiserror::Error)]
pub enum OwnError {
    /// A name that fills no place.
    #[error("`{name}` fills no place of the page{near}; there are {places}, and a part of your own begins with `_`")]
    Name {
        /// The file.
        name: String,
        /// What was meant, perhaps.
        near: String,
        /// All that there are.
        places: String,
    },
    /// Too large.
    #[error("`{0}` is larger than {kib} KiB", kib = LARGEST >> 10)]
    Large(String),
    /// Too many.
    #[error("there are more than {MOST_FILES} files")]
    Many,
    /// A style sheet that could end early.
    #[error("`style.css`, line {0}: a style sheet holds no `<`")]
    Css(usize),
    /// It does not read as a template.
    #[error("{0}")]
    Syntax(String),
}

impl Own {
    /// Takes templates, if each fills a place and reads as one.
    ///
    /// # Errors
    /// What is wrong with the first that is not taken.
    pub fn of(files: Vec<(String, String)>) -> Result<Self, OwnError> {
        if files.len() > MOST_FILES {
            return Err(OwnError::Many);
        }
        let places: Vec<&str> = SLOTS.iter().map(|(name, _)| *name).collect();
        for (name, text) in &files {
            let part = name.starts_with('_') && name.ends_with(".html");
            if !part && !places.contains(&name.as_str()) {
                let near = nearest(name, &places).map_or_else(String::new, |near| format!(" (`{near}`?)"));
                let (name, places) = (Shown::name(name).to_string(), places.join(", "));
                return Err(OwnError::Name { name, near, places });
            }
            if text.len() > LARGEST {
                return Err(OwnError::Large(name.clone()));
            }
            if name == "style.css"
                && let Some(at) = text.lines().position(|line| line.contains('<'))
            {
                return Err(OwnError::Css(at + 1));
            }
        }
        let own = Self(files);
        let mut environment = Environment::new();
        own.join(&mut environment).map_err(|error| OwnError::Syntax(told(&error)))?;
        Ok(own)
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names of those that there are.
    pub(super) fn names(&self) -> Vec<String> {
        self.0.iter().map(|(name, _)| name.clone()).collect()
    }

    /// What stands behind the built-in style sheet.
    pub(super) fn css(&self) -> &str {
        self.0.iter().find(|(name, _)| name == "style.css").map_or("", |(_, text)| text)
    }

    /// Adds them to the templates of the page.
    pub(super) fn join<'a>(&'a self, environment: &mut Environment<'a>) -> Result<(), Error> {
        self.0
            .iter()
            .filter(|(name, _)| name.ends_with(".html"))
            .try_for_each(|(name, text)| environment.add_template(name, text))
    }

    /// The assessment under the names of `assessment.json`, with what would disturb a reader spelled out; nothing where no
    /// template of the user's own could ask for it.
    pub(super) fn assessment(&self, assessment: &Assessment) -> Result<Value, RenderError> {
        if self.is_empty() {
            return Ok(Value::UNDEFINED);
        }
        let mut all = serde_json::to_value(assessment)?;
        spell(&mut all);
        Ok(Value::from(Serde(&all)))
    }

    /// Holds a page to the tags that it may have.
    pub(super) fn hold(&self, page: &str) -> Result<(), RenderError> {
        if self.is_empty() {
            return Ok(());
        }
        let body = page.split_once("<body>").map_or(page, |(_, body)| body);
        let body = body.strip_suffix("</body>\n</html>\n").unwrap_or(body);
        for rest in body.split('<').skip(1) {
            let name = rest.strip_prefix('/').unwrap_or(rest);
            let name = name.split([' ', '\t', '\n', '\r', '\u{c}', '/', '>']).next().unwrap_or_default();
            let lower = name.to_ascii_lowercase();
            if !TAGS.contains(&lower.as_str()) && !MORE_TAGS.contains(&lower.as_str()) {
                let shown: String = name.chars().take(20).collect();
                return Err(RenderError::Tag(Shown::name(&shown).to_string()));
            }
        }
        Ok(())
    }
}

/// An environment in which every value is escaped, and in which nothing goes on for ever.
pub(super) fn environment<'a>(own: &Own) -> Environment<'a> {
    let mut environment = Environment::new();
    environment.remove_filter("safe");
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_formatter(escaped);
    if !own.is_empty() {
        environment.set_fuel(Some(FUEL));
    }
    environment
}

/// Writes a value escaped for HTML, whatever a template asks for.
fn escaped(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    if !matches!(state.auto_escape(), AutoEscape::Html) {
        return Err(Error::new(
            ErrorKind::InvalidOperation,
            "what is shown is always escaped: `autoescape` has no other setting",
        ));
    }
    // What has no text of its own would be shown as a program writes it.
    let text = [ValueKind::String, ValueKind::Number, ValueKind::Bool, ValueKind::None, ValueKind::Undefined];
    if !text.contains(&value.kind()) {
        let what = format!("a {} cannot be shown as text: name what of it is meant", value.kind());
        return Err(Error::new(ErrorKind::InvalidOperation, what));
    }
    escape_formatter(out, state, value)
}

/// An error of a template in words: which file, which line, what.
pub(super) fn told(error: &Error) -> String {
    let mut error = error;
    // Of an included template the innermost error says where.
    while let Some(inner) = std::error::Error::source(error).and_then(|source| source.downcast_ref::<Error>()) {
        error = inner;
    }
    let place = match (error.name(), error.line()) {
        (Some(name), Some(line)) => format!("`{name}`, line {line}: "),
        (Some(name), None) => format!("`{name}`: "),
        (None, _) => String::new(),
    };
    let what = match (error.kind(), error.detail()) {
        (ErrorKind::OutOfFuel, _) => "it takes too long, or makes too much".to_owned(),
        (kind, Some(detail)) => format!("{kind}: {detail}"),
        (kind, None) => kind.to_string(),
    };
    format!("{place}{}", Shown::line(&what))
}

fn spell(value: &mut Json) {
    match value {
        Json::String(text) => *text = Shown::block(text).to_string(),
        Json::Array(items) => items.iter_mut().for_each(spell),
        Json::Object(map) => {
            for (name, mut inner) in std::mem::take(map) {
                spell(&mut inner);
                map.insert(Shown::name(&name).to_string(), inner);
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}
