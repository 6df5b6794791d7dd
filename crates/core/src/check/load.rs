//! From a file to a check (floor 2): every mistake at once, each with its place.

use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

use super::cases::Case;
use super::expr::{Condition, Slip};
use super::message::Message;
use super::subject::{Subject, schema};
use super::{Check, CheckSet};
use crate::verdict::{Severity, Verdict};
use crate::yaml::{self, Kind, Node, Place, mistakes::mistakes};

/// The largest check that is read, in bytes.
pub const LARGEST: usize = 256 << 10;

/// A check that does not load: every mistake as `file:line:column: what`, in the order of the file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct LoadError(pub Vec<String>);

/// A check as it is typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckFile {
    /// The file's name without `.yaml`: kebab-case. Those of others than Deadstop are `vendor/id`.
    id: String,
    /// The desired state of one subject.
    title: String,
    /// The item of the checklist that it belongs to.
    item: ItemName,
    /// What it is about.
    subject: SubjectName,
    /// How bad its failure is.
    severity: Severity,
    /// Of which subjects it is asked; left out: of all. CEL.
    applies_if: Option<String>,
    /// What has to hold. CEL.
    pass_if: String,
    /// What a failure says: a line with fields, as `{{ asset.name }}`.
    message: String,
    /// Why it matters.
    why: String,
    /// What to do where it fails.
    fix: String,
    /// Public pages.
    references: Vec<String>,
    /// The controls that it gives evidence for.
    maps_to: Option<MapsTo>,
    /// At least one for each of pass, fail and unknown.
    cases: Vec<CaseFile>,
}

/// The checklist.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum ItemName {
    Inventory,
    DeleteRights,
    Confirmation,
    Isolation,
    Recovery,
    Tabletop,
}

/// What a check can be about.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum SubjectName {
    Asset,
    Credential,
    Session,
    Principal,
    Environment,
    RecoveryPoint,
    Path,
}

/// The frameworks that a check can give evidence for.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct MapsTo {
    nist_800_53: Option<Vec<String>>,
    nist_csf: Option<Vec<String>>,
    iso27001: Option<Vec<String>>,
    soc2: Option<Vec<String>>,
    cis: Option<Vec<String>>,
    pci_dss: Option<Vec<String>>,
    aws_wa: Option<Vec<String>>,
    owasp_agentic: Option<Vec<String>>,
    owasp_llm: Option<Vec<String>>,
    owasp_nhi: Option<Vec<String>>,
    attack: Option<Vec<String>>,
    atlas: Option<Vec<String>>,
}

/// A case as it is typed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    /// What it is.
    name: String,
    /// The verdict that it must give.
    expect: Verdict,
    asset: Option<Value>,
    credential: Option<Value>,
    session: Option<Value>,
    principal: Option<Value>,
    environment: Option<Value>,
    recovery_point: Option<Value>,
    path: Option<Value>,
}

impl ItemName {
    const fn word(self) -> &'static str {
        match self {
            Self::Inventory => "inventory",
            Self::DeleteRights => "delete-rights",
            Self::Confirmation => "confirmation",
            Self::Isolation => "isolation",
            Self::Recovery => "recovery",
            Self::Tabletop => "tabletop",
        }
    }
}

impl SubjectName {
    const fn subject(self) -> Subject {
        match self {
            Self::Asset => Subject::Asset,
            Self::Credential => Subject::Credential,
            Self::Session => Subject::Session,
            Self::Principal => Subject::Principal,
            Self::Environment => Subject::Environment,
            Self::RecoveryPoint => Subject::RecoveryPoint,
            Self::Path => Subject::Path,
        }
    }
}

impl MapsTo {
    fn table(self) -> BTreeMap<String, Vec<String>> {
        let all = [
            ("nist_800_53", self.nist_800_53),
            ("nist_csf", self.nist_csf),
            ("iso27001", self.iso27001),
            ("soc2", self.soc2),
            ("cis", self.cis),
            ("pci_dss", self.pci_dss),
            ("aws_wa", self.aws_wa),
            ("owasp_agentic", self.owasp_agentic),
            ("owasp_llm", self.owasp_llm),
            ("owasp_nhi", self.owasp_nhi),
            ("attack", self.attack),
            ("atlas", self.atlas),
        ];
        all.into_iter().filter_map(|(key, ids)| Some((key.to_owned(), ids?))).collect()
    }
}

impl CaseFile {
    fn given(self) -> Vec<(Subject, Value)> {
        let all = [
            self.asset,
            self.credential,
            self.session,
            self.principal,
            self.environment,
            self.recovery_point,
            self.path,
        ];
        Subject::ALL.into_iter().zip(all).filter_map(|(subject, values)| Some((subject, values?))).collect()
    }
}

/// The JSON Schema of a check, the field table in it.
#[must_use]
pub fn json_schema() -> Value {
    let mut value = schema_for!(CheckFile).to_value();
    if let Some(Value::Object(fields)) = value.pointer_mut("/$defs/CaseFile/properties") {
        for subject in Subject::ALL {
            fields.insert(subject.word().to_owned(), schema(subject.fields()));
        }
    }
    value
}

/// Loads checks from files, each a name as it is shown, with its folders, and a text. Cases have to hold, unless
/// `with_cases` is off, as for running them.
///
/// # Errors
/// Every mistake of every file.
pub fn load(files: &[(String, String)], with_cases: bool) -> Result<CheckSet, LoadError> {
    let schema = json_schema();
    let mut wrong = Vec::new();
    let mut set = CheckSet::default();
    for (name, text) in files {
        let mut file = File { name, text, schema: &schema, wrong: Vec::new() };
        let check = file.check(text);
        if let (Some(check), true) = (&check, with_cases) {
            file.wrong.extend(super::cases::run(check).into_iter().map(|failed| (failed.at, failed.message)));
        }
        if let Some(check) = check
            && let Some(held) = set.checks.insert(check.id.clone(), check)
        {
            file.wrong.push((Place { line: 1, column: 1 }, format!("there is another check `{}`", held.id)));
        }
        file.wrong.sort();
        file.wrong.dedup();
        wrong.extend(file.wrong.iter().map(|(at, why)| format!("{name}:{}:{}: {why}", at.line, at.column)));
    }
    if wrong.is_empty() { Ok(set) } else { Err(LoadError(wrong)) }
}

struct File<'a> {
    name: &'a str,
    text: &'a str,
    schema: &'a Value,
    wrong: Vec<(Place, String)>,
}

impl File<'_> {
    fn check(&mut self, text: &str) -> Option<Check> {
        const START: Place = Place { line: 1, column: 1 };
        if text.len() > LARGEST {
            self.wrong.push((START, format!("a check has {} KiB at most", LARGEST >> 10)));
            return None;
        }
        // INVARIANT: first, as it gives up on what is nested too deeply and follows no alias.
        let root = match yaml::parse(text) {
            Ok(Some(root)) => root,
            Ok(None) => {
                self.wrong.push((START, "it is empty; `deadstop checks new` writes a check to begin with".to_owned()));
                return None;
            }
            Err(mistake) => {
                self.wrong.push(mistake);
                return None;
            }
        };
        if has_alias(&root) {
            self.wrong.push((
                START,
                "a check has no aliases and no tags; a condition that begins with `!` stands in quotes".to_owned(),
            ));
            return None;
        }
        let found = mistakes(&root, self.schema, "the check");
        if !found.is_empty() {
            self.wrong.extend(found.into_iter().map(|one| (one.at, one.message)));
            return None;
        }
        match serde_yaml::from_str::<CheckFile>(text) {
            Ok(raw) => self.valid(raw, &root),
            Err(error) => {
                let at = error.location().map_or(START, |at| Place { line: at.line(), column: at.column() });
                self.wrong.push((at, error.to_string()));
                None
            }
        }
    }

    fn valid(&mut self, raw: CheckFile, root: &Node) -> Option<Check> {
        let subject = raw.subject.subject();
        self.id(&raw.id, at(root, "id"));
        let references = raw.references.iter().all(|page| page.starts_with("https://"));
        if raw.references.is_empty() || !references {
            let why = "`references` names at least one public page, each beginning with https://";
            self.wrong.push((at(root, "references"), why.to_owned()));
        }
        if raw.title.to_lowercase().starts_with("ensure") {
            let why = "a title states what is so where all is well: `Database has …`, not `Ensure …`";
            self.wrong.push((at(root, "title"), why.to_owned()));
        }
        let applies = raw.applies_if.as_ref().map(|source| self.condition(source, subject, root, "applies_if"));
        let passes = self.condition(&raw.pass_if, subject, root, "pass_if");
        let message = Message::read(&raw.message, subject).map_err(|why| self.wrong.push((at(root, "message"), why)));
        let cases = self.cases(raw.cases, subject, root);
        let applies = match applies {
            Some(None) => return None,
            Some(Some(condition)) => Some(condition),
            None => None,
        };
        Some(Check {
            id: raw.id,
            title: raw.title,
            item: raw.item.word().to_owned(),
            subject,
            severity: raw.severity,
            applies_if: raw.applies_if,
            pass_if: raw.pass_if,
            why: raw.why.trim().to_owned(),
            fix: raw.fix.trim().to_owned(),
            references: raw.references,
            maps_to: raw.maps_to.unwrap_or_default().table(),
            cases: cases?,
            applies,
            passes: passes?,
            message: message.ok()?,
        })
    }

    fn id(&mut self, id: &str, at: Place) {
        let part = |part: &str| {
            let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
            part.starts_with(|c: char| c.is_ascii_lowercase()) && part.chars().all(fits) && !part.ends_with('-')
        };
        let parts: Vec<&str> = id.split('/').collect();
        if parts.len() > 2 || !parts.iter().all(|one| part(one)) {
            let why = "an id is of small letters, digits and hyphens, or `vendor/id`";
            self.wrong.push((at, why.to_owned()));
        }
        let file = self.name.rsplit(['/', '\\']).next().unwrap_or_default();
        let stem = file.strip_suffix(".yaml").or_else(|| file.strip_suffix(".yml")).unwrap_or(file);
        if parts.last() != Some(&stem) {
            self.wrong.push((at, format!("the file `{file}` holds the check `{stem}`: give both one name")));
        }
    }

    fn condition(&mut self, source: &str, subject: Subject, root: &Node, key: &str) -> Option<Condition> {
        let node = value(root, key);
        let written = |at: Place| {
            let line = self.text.lines().nth(at.line.saturating_sub(1)).unwrap_or_default();
            line.chars().skip(at.column).collect::<String>().starts_with(source)
        };
        let place = |slip: &Slip| match node {
            // A bare condition on one line stands character for character in the file.
            Some(Node { at, kind: Kind::Plain(text) }) if text == source => {
                (Place { line: at.line, column: at.column + slip.at }, String::new())
            }
            // So does one in quotes, after the quote.
            Some(Node { at, kind: Kind::Text(_) }) if written(*at) => {
                (Place { line: at.line, column: at.column + 1 + slip.at }, String::new())
            }
            Some(node) => (node.at, format!(" (character {} of `{key}`)", slip.at + 1)),
            None => (Place { line: 1, column: 1 }, String::new()),
        };
        match Condition::compile(source, subject) {
            Ok(condition) => Some(condition),
            Err(slips) => {
                let told = |slip: &Slip| {
                    let (at, where_in) = place(slip);
                    (at, format!("{}{where_in}", slip.message))
                };
                let told: Vec<(Place, String)> = slips.iter().map(told).collect();
                self.wrong.extend(told);
                None
            }
        }
    }

    fn cases(&mut self, cases: Vec<CaseFile>, subject: Subject, root: &Node) -> Option<Vec<Case>> {
        let nodes = value(root, "cases");
        let places: Vec<Place> = match nodes.map(|node| &node.kind) {
            Some(Kind::List(items)) => items.iter().map(|item| item.at).collect(),
            Some(Kind::Text(_) | Kind::Plain(_) | Kind::Map(_) | Kind::Opaque) | None => Vec::new(),
        };
        let before = self.wrong.len();
        let mut all = Vec::new();
        let mut names = BTreeSet::new();
        for (case, at) in cases.into_iter().zip(places) {
            let (name, expect) = (case.name.clone(), case.expect);
            if !names.insert(name.clone()) {
                self.wrong.push((at, format!("there is another case `{name}`")));
            }
            match case.given().as_slice() {
                [(given, values)] if *given == subject => {
                    all.push(Case { name, values: values.clone(), expect, at });
                }
                _ => {
                    let word = subject.word();
                    self.wrong.push((
                        at,
                        format!("a case of this check says what is known of its `{word}`, and of nothing else"),
                    ));
                }
            }
        }
        let missing: Vec<&str> = [Verdict::Pass, Verdict::Fail, Verdict::Unknown]
            .into_iter()
            .filter(|verdict| !all.iter().any(|case| case.expect == *verdict))
            .map(Verdict::word)
            .collect();
        if !missing.is_empty() {
            let at = nodes.map_or(Place { line: 1, column: 1 }, |node| node.at);
            self.wrong.push((at, format!("there is no case for {}", missing.join(", "))));
        }
        (self.wrong.len() == before).then_some(all)
    }
}

fn value<'a>(root: &'a Node, key: &str) -> Option<&'a Node> {
    match &root.kind {
        Kind::Map(entries) => entries.iter().find(|(name, _)| name.text() == Some(key)).map(|(_, value)| value),
        Kind::Text(_) | Kind::Plain(_) | Kind::List(_) | Kind::Opaque => None,
    }
}

fn at(root: &Node, key: &str) -> Place {
    value(root, key).map_or(Place { line: 1, column: 1 }, |node| node.at)
}

fn has_alias(node: &Node) -> bool {
    match &node.kind {
        Kind::Opaque => true,
        Kind::List(items) => items.iter().any(has_alias),
        Kind::Map(entries) => entries.iter().any(|(key, value)| has_alias(key) || has_alias(value)),
        Kind::Text(_) | Kind::Plain(_) => false,
    }
}
