//! What every machine format reports (floor 3): the answer of each asset and the verdict of each check on each subject,
//! rated by one table, so that no two formats can differ in what they say.

use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

use super::shown::Shown;
use crate::assessment::{Assessment, AssetAnswer, CheckRow, Finding, Layer, LocationRow, PathAnswer};
use crate::verdict::{Answer, LayerName, LayerState, Prevention, Rank, Severity, Verdict};

/// The check whose waiver accepts an answer.
const SURVIVES: &str = "asset-would-survive-a-delete";

/// The kinds of subject, in the order in which formats list them.
pub(crate) const SUBJECTS: [&str; 7] =
    ["asset", "credential", "session", "principal", "environment", "recovery_point", "path"];

/// What the exit code counts, so that a format can fail where the command does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// An answer at this rank or worse fails.
    pub answer: Rank,
    /// A failing check at this severity or worse fails.
    pub severity: Severity,
}

impl Default for Limits {
    fn default() -> Self {
        Self { answer: Rank::SlowedNoRecovery, severity: Severity::Critical }
    }
}

/// How a job that gates counts one outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    /// The exit code counts it as a failure.
    Fails,
    /// It is not known.
    Unknown,
    /// It is not judged: accepted by a waiver, outside the headline, or not applicable.
    Skipped,
    /// It is below the limit.
    Passes,
}

/// Where an outcome comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Of<'a> {
    /// The answer of an asset, with its worst path.
    Answer(&'a AssetAnswer, Option<&'a PathAnswer>),
    /// A check's verdict, with the check.
    Check(&'a Finding, Option<&'a CheckRow>),
    /// There is no asset to answer for.
    Nothing,
}

/// A line of a file below the first root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) path: String,
    pub(crate) line: u64,
}

/// One thing to report.
#[derive(Clone, Debug)]
pub(crate) struct Outcome<'a> {
    /// `answer/nothing`, `database-has-pitr`, `database-has-pitr/unknown`.
    pub(crate) rule: String,
    /// Stable between runs: the path's key, or a hash of check and subject.
    pub(crate) fingerprint: String,
    pub(crate) verdict: Verdict,
    pub(crate) severity: Severity,
    pub(crate) gate: Gate,
    pub(crate) kind: &'static str,
    pub(crate) key: &'a str,
    pub(crate) name: Shown,
    /// The answer or the finding, in a sentence.
    pub(crate) message: Shown,
    /// What has to be known beside it: sentences.
    pub(crate) notes: Vec<Shown>,
    pub(crate) waiver: Option<Shown>,
    pub(crate) layers: &'a [Layer],
    pub(crate) place: Option<Place>,
    pub(crate) of: Of<'a>,
}

impl Outcome<'_> {
    /// Whether the formats that list only what is to be looked at list this.
    pub(crate) const fn is_result(&self) -> bool {
        matches!(self.verdict, Verdict::Fail | Verdict::Unknown)
    }

    /// The message with all that has to be known beside it.
    pub(crate) fn told(&self) -> String {
        let mut text = format!("{}: {}", self.name, self.message);
        for note in &self.notes {
            text.push(' ');
            text.push_str(note.as_str());
        }
        text
    }
}

/// Everything that is reported, worst first.
pub(crate) fn outcomes(assessment: &Assessment, limits: Limits) -> Vec<Outcome<'_>> {
    let paths: BTreeMap<&str, &PathAnswer> = assessment.paths.iter().map(|path| (path.id.as_str(), path)).collect();
    let checks: BTreeMap<&str, &CheckRow> = assessment.checks.iter().map(|check| (check.id.as_str(), check)).collect();
    let waivers: BTreeMap<&str, &str> = assessment
        .findings
        .iter()
        .filter(|one| one.check == SURVIVES)
        .filter_map(|one| Some((one.subject.as_str(), one.waiver.as_deref()?)))
        .collect();
    let mut all: Vec<Outcome<'_>> = Vec::new();
    if !assessment.assets.iter().any(|asset| asset.in_headline) {
        all.push(nothing(assessment));
    }
    for asset in &assessment.assets {
        let worst = asset.worst_path.as_deref().and_then(|id| paths.get(id).copied());
        all.push(answer(asset, worst, waivers.get(asset.key.as_str()).copied(), limits));
    }
    let findings = assessment.findings.iter();
    all.extend(findings.filter_map(|one| check(one, checks.get(one.check.as_str()).copied(), limits)));
    all.sort_by(|a, b| {
        (a.verdict > Verdict::Unknown, a.severity, a.verdict, &a.rule, a.key, &a.fingerprint).cmp(&(
            b.verdict > Verdict::Unknown,
            b.severity,
            b.verdict,
            &b.rule,
            b.key,
            &b.fingerprint,
        ))
    });
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    for one in &mut all {
        let times = seen.entry(one.fingerprint.clone()).or_default();
        *times += 1;
        if *times > 1 {
            one.fingerprint = hash(&[&one.fingerprint, &times.to_string()]);
        }
    }
    all
}

/// Nothing to answer for is no pass.
fn nothing(assessment: &Assessment) -> Outcome<'_> {
    Outcome {
        rule: "answer/unknown".to_owned(),
        fingerprint: hash(&["answer", "nothing was assessed"]),
        verdict: Verdict::Unknown,
        severity: Severity::High,
        gate: Gate::Unknown,
        kind: "asset",
        key: "",
        name: Shown::name("Production assets"),
        message: Shown::line(&assessment.headline.sentence),
        notes: vec![Shown::line("No production asset was found, so nothing could be assessed.")],
        waiver: None,
        layers: &[],
        place: None,
        of: Of::Nothing,
    }
}

fn answer<'a>(
    asset: &'a AssetAnswer,
    worst: Option<&'a PathAnswer>,
    waiver: Option<&str>,
    limits: Limits,
) -> Outcome<'a> {
    let (severity, verdict) = rate(asset, worst);
    let waiver = waiver.filter(|_| asset.prevention != Prevention::Stopped).map(Shown::line);
    let fingerprint = match worst {
        Some(path) if is_key(&path.key) => path.key.clone(),
        Some(path) => hash(&["path", &path.key]),
        None => hash(&["answer", &asset.key]),
    };
    Outcome {
        rule: format!("answer/{}", asset.answer.word()),
        fingerprint,
        verdict,
        severity,
        gate: gate(asset, waiver.is_some(), limits),
        kind: "asset",
        key: &asset.key,
        name: Shown::name(&asset.name),
        message: Shown::line(&asset.sentence),
        notes: notes(asset, worst, waiver.as_ref()),
        waiver,
        layers: &asset.layers,
        place: None,
        of: Of::Answer(asset, worst),
    }
}

/// The severity of an answer, by where it is rated: outside RPO or RTO counts as no recovery.
fn rate(asset: &AssetAnswer, worst: Option<&PathAnswer>) -> (Severity, Verdict) {
    if asset.answer == Answer::Unknown {
        return (Severity::High, Verdict::Unknown);
    }
    match asset.rated {
        Rank::Nothing => (Severity::Critical, Verdict::Fail),
        Rank::SlowedNoRecovery | Rank::RecoverableUntested | Rank::RecoverableTested => (Severity::High, Verdict::Fail),
        Rank::SlowedUntested | Rank::SlowedTested => (Severity::Medium, Verdict::Fail),
        Rank::Stopped if stopping(asset, worst) >= 2 => (Severity::Low, Verdict::Pass),
        Rank::Stopped => (Severity::Medium, Verdict::Fail),
    }
}

/// How many independent layers stop the call. What an agent keeps from itself and what it asks before are one.
fn stopping(asset: &AssetAnswer, worst: Option<&PathAnswer>) -> usize {
    let stops =
        |name: LayerName| asset.layers.iter().any(|layer| layer.layer == name && layer.state == LayerState::Stops);
    let (reach, confirm) = (usize::from(stops(LayerName::Reach)), usize::from(stops(LayerName::Confirm)));
    let agent = if worst.is_some_and(|path| path.rests_on_agent) { reach.max(confirm) } else { reach + confirm };
    agent + usize::from(stops(LayerName::Permit)) + usize::from(stops(LayerName::Protect))
}

/// As the exit code counts: an unknown answer fails only if even its best reading does.
fn gate(asset: &AssetAnswer, waived: bool, limits: Limits) -> Gate {
    let [_, best] = asset.bounds;
    let unknown = asset.answer == Answer::Unknown;
    if !asset.in_headline || waived {
        Gate::Skipped
    } else if (if unknown { best } else { asset.rated }) <= limits.answer {
        Gate::Fails
    } else if unknown {
        Gate::Unknown
    } else {
        Gate::Passes
    }
}

fn notes(asset: &AssetAnswer, worst: Option<&PathAnswer>, waiver: Option<&Shown>) -> Vec<Shown> {
    let mut notes = Vec::new();
    for layer in &asset.layers {
        if let Some(bypass) = &layer.bypass {
            notes.push(Shown::line(&format!("Slowed at {}; round it: {bypass}.", layer.layer.word())));
        }
    }
    if asset.outside_rpo_rto {
        notes.push(Shown::line("What comes back is outside the declared RPO or RTO."));
    }
    if worst.is_some_and(|path| path.rests_on_agent) {
        notes.push(Shown::line("This rests on an agent's own gate or sandbox."));
    }
    if asset.in_headline && asset.assumed_environment {
        notes.push(Shown::line("It is assumed to be production."));
    }
    if !asset.in_headline {
        let environment = asset.environment.as_deref().unwrap_or("not production");
        notes.push(Shown::line(&format!("The headline does not count it ({environment}).")));
    }
    if !asset.settled_by.is_empty() {
        notes.push(Shown::line(&format!("Settled by {}.", asset.settled_by.join(", "))));
    }
    notes.extend(waiver.map(|waiver| Shown::line(&format!("Waiver: {}.", waiver.as_str().trim_end_matches('.')))));
    notes
}

/// A check's verdict. A word that is not on its list is read at its worst.
fn check<'a>(finding: &'a Finding, check: Option<&'a CheckRow>, limits: Limits) -> Option<Outcome<'a>> {
    let severity = Severity::named(&finding.severity).unwrap_or(Severity::Critical);
    if severity == Severity::Info {
        return None;
    }
    let verdict = match finding.verdict.as_str() {
        "pass" => Verdict::Pass,
        "fail" => Verdict::Fail,
        "not_applicable" => Verdict::NotApplicable,
        _ => Verdict::Unknown,
    };
    let gate = match verdict {
        Verdict::NotApplicable => Gate::Skipped,
        Verdict::Pass => Gate::Passes,
        Verdict::Fail | Verdict::Unknown if finding.waiver.is_some() => Gate::Skipped,
        Verdict::Unknown => Gate::Unknown,
        Verdict::Fail if severity <= limits.severity => Gate::Fails,
        Verdict::Fail => Gate::Passes,
    };
    let waiver = finding.waiver.as_deref().map(Shown::line);
    let kind = SUBJECTS.into_iter().find(|kind| *kind == finding.subject_kind);
    let name = if finding.subject_name.is_empty() { &finding.subject } else { &finding.subject_name };
    let id = Shown::name(&finding.check);
    Some(Outcome {
        rule: if verdict == Verdict::Unknown { format!("{id}/unknown") } else { id.to_string() },
        fingerprint: hash(&["check", &finding.check, &finding.subject]),
        verdict,
        // What is not known is not yet critical.
        severity: if verdict == Verdict::Unknown { severity.max(Severity::High) } else { severity },
        gate,
        kind: kind.unwrap_or("asset"),
        key: &finding.subject,
        name: Shown::name(name),
        message: Shown::line(&finding.message),
        notes: waiver
            .iter()
            .map(|waiver| Shown::line(&format!("Waiver: {}.", waiver.as_str().trim_end_matches('.'))))
            .collect(),
        waiver,
        layers: &[],
        place: finding.location.as_deref().and_then(place),
        of: Of::Check(finding, check),
    })
}

/// The line of a location, if it is a file below the first root: such paths begin with `./`.
fn place(location: &LocationRow) -> Option<Place> {
    if location.kind != "file" { None } else { below_root(&location.path, location.line) }
}

/// The line that a piece of evidence names as `path:line`.
pub(crate) fn place_of(text: &str) -> Option<Place> {
    match text.rsplit_once(':') {
        Some((path, line)) if line.parse::<u64>().is_ok() => below_root(path, line.parse().ok()),
        _ => below_root(text, None),
    }
}

fn below_root(path: &str, line: Option<u64>) -> Option<Place> {
    let path = path.strip_prefix("./")?;
    let plain = !path.is_empty() && path.len() <= 1_000 && path.split('/').all(|part| !matches!(part, "" | "." | ".."));
    plain.then(|| Place { path: path.to_owned(), line: line.unwrap_or(1).clamp(1, 1 << 30) })
}

/// Whether a path's key is what it should be, so that it may stand where an id is expected.
fn is_key(text: &str) -> bool {
    (8..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// 32 hexadecimal digits that follow from the parts and from nothing else.
pub(crate) fn hash(parts: &[&str]) -> String {
    let digest = Sha256::digest(parts.join("\0").as_bytes());
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// `reach    open     Key •••• is in the CI runner`, a line per layer.
pub(crate) fn layer_lines(layers: &[Layer]) -> Vec<String> {
    let line = |layer: &Layer| {
        let bypass = layer.bypass.as_ref().map(|step| format!(" (round it: {})", Shown::line(step)));
        let (name, state, because) = (layer.layer.word(), layer.state.word(), Shown::line(&layer.because));
        format!("{name:<8} {state:<8} {because}{}", bypass.unwrap_or_default())
    };
    layers.iter().map(line).collect()
}
