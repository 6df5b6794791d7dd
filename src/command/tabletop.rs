//! `deadstop tabletop`: prepare an exercise, lead through it, record what was said.

use anyhow::Context as _;
use deadstop_core::assessment::Assessment;
use deadstop_core::quote;
use deadstop_core::tabletop::{self, Answer, Inject, Record};
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, IsTerminal as _};
use std::path::Path;
use std::time::Instant;

use super::{demo, read, report};
use crate::cli::{AboutArgs, Common, GuideArgs, PrepareArgs, RecordArgs, TabletopArgs, TabletopCommand};
use crate::output;

/// The file to fill in.
const RECORD: &str = "tabletop.yaml";

pub(super) fn run(args: &TabletopArgs, common: &Common) -> anyhow::Result<u8> {
    match &args.what {
        TabletopCommand::Prepare(args) => prepare(args, common),
        TabletopCommand::Run(args) => lead(args),
        TabletopCommand::Record(args) => record(args, common),
    }
}

fn about(args: &AboutArgs) -> anyhow::Result<Assessment> {
    match &args.world {
        Some(world) => demo::assessed_world(world),
        None => report::assessment(&args.assessment).with_context(|| {
            "an exercise is written from an assessment: `deadstop run` writes one, `--assessment FILE` names another, `--world pocketos` is a built-in incident"
        }),
    }
}

fn prepare(args: &PrepareArgs, common: &Common) -> anyhow::Result<u8> {
    let assessment = about(&args.about)?;
    let folder = &args.output;
    anyhow::ensure!(folder != Path::new("-"), "an exercise is three files: name a folder with -o");
    let filled = folder.join(RECORD);
    anyhow::ensure!(
        !filled.exists(),
        "`{}` is there already and may hold answers: name another folder with -o, or move it away",
        filled.display()
    );
    fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    let files = [
        ("facilitator.md", tabletop::facilitator(&assessment)),
        ("participants.md", tabletop::participants(&assessment)),
    ];
    for (name, text) in &files {
        output::file(&folder.join(name), text)?;
    }
    output::new_file(&filled, &yaml(&tabletop::start(&assessment))?)?;
    if !common.quiet {
        let folder = folder.display();
        output::stdout(&output::safe(&format!(
            "{folder}/facilitator.md has the answers in it; {folder}/participants.md is for everyone else.\n\
             Next: deadstop tabletop run {folder}/{RECORD}\n"
        )))?;
    }
    Ok(0)
}

/// The file to fill in, with what may be written where.
fn yaml(record: &Record) -> anyhow::Result<String> {
    let head = "# What was said in the room. `rating`: P performed without challenges, S with some, M with major ones, U unable to be performed.\n\
                # observations: [{id: O-01, kind: improve, text: \"…\", injects: [I-01]}]   # kind: strength or improve\n\
                # improvement_plan: [{id: IP-1, observation: O-01, action: \"…\", owner: A. Person, start: 2026-11-23, due: 2026-12-04, status: open}]\n";
    Ok(format!("{head}{}", serde_yaml::to_string(record)?))
}

/// Reads a record that holds together.
fn recorded(path: &Path, assessment: &Assessment) -> anyhow::Result<Record> {
    let text = read(path)?;
    let record: Record = serde_yaml::from_str(&text)
        .map_err(|error| anyhow::anyhow!("{}", quote::message(&error.to_string())))
        .with_context(|| format!("`{}` is no record of an exercise", path.display()))?;
    let mistakes = tabletop::check(&record, assessment);
    if !mistakes.is_empty() {
        // An id is short, or it is something else that does not belong here.
        let is_id =
            |at: &str| at.len() <= 16 && at.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'));
        let shown = |at: &str| if is_id(at) { at.to_owned() } else { quote::word(at).to_string() };
        let lines: Vec<String> = mistakes.iter().map(|one| format!("  {}: {}", shown(&one.at), one.what)).collect();
        anyhow::bail!("`{}` does not hold together:\n{}", path.display(), lines.join("\n"));
    }
    Ok(record)
}

/// Puts a record into an assessment, for whoever was asked to.
pub(crate) fn merge(assessment: &mut Assessment, path: Option<&Path>) -> anyhow::Result<()> {
    if let Some(path) = path {
        let record = recorded(path, assessment)?;
        tabletop::merge(assessment, &record);
    }
    Ok(())
}

fn record(args: &RecordArgs, common: &Common) -> anyhow::Result<u8> {
    let mut assessment = about(&args.about)?;
    let record = recorded(&args.file, &assessment)?;
    tabletop::merge(&mut assessment, &record);
    output::written(&args.output, &mut |out| deadstop_core::render::write_json(&assessment, out))?;
    if !common.quiet {
        output::stderr(&told(&record, &assessment)?);
    }
    Ok(0)
}

/// What was recorded, in a few lines.
fn told(record: &Record, assessment: &Assessment) -> anyhow::Result<String> {
    let questions = || record.injects.iter().flat_map(|inject| &inject.questions);
    let answered = questions().filter(|one| !one.answer.trim().is_empty()).count();
    let mut text = format!("{answered} of {} questions are answered.\n", questions().count());
    if record.assessment != tabletop::digest(assessment) {
        writeln!(
            text,
            "The facts are others than those that it was written from: injects that changed are marked in the report."
        )?;
    }
    let today: String = assessment.assessed_at.to_string().chars().take(10).collect();
    for action in tabletop::open_actions(record, &today) {
        writeln!(text, "Past due: {} of {}, due {}: {}", action.id, action.owner, action.due, action.action)?;
    }
    Ok(text)
}

/// Leads through an exercise on the terminal. What was answered before is not asked again, and every answer is written down
/// before the next question.
fn lead(args: &GuideArgs) -> anyhow::Result<u8> {
    let assessment = about(&args.about)?;
    let mut record = recorded(&args.file, &assessment)?;
    let injects = tabletop::injects(&assessment);
    let began = Instant::now();
    let mut lines = std::io::stdin().lock().lines();
    let mut ask = |prompt: &str| -> anyhow::Result<Option<String>> {
        output::stdout(&format!("{prompt}: "))?;
        Ok(lines.next().transpose()?.map(|line| line.trim().to_owned()))
    };
    if record.exercise.date.is_none() {
        let Some(day) = ask("Day of the exercise (2026-11-20)")? else { return Ok(0) };
        record.exercise.date = Some(day).filter(|day| !day.is_empty());
    }
    for at in 0..record.injects.len() {
        let Some(answered) = record.injects.get(at) else { break };
        if answered.questions.iter().all(|one| !one.answer.is_empty()) {
            continue;
        }
        let inject = injects.iter().find(|one| one.path == answered.path && one.trigger == answered.trigger);
        output::stdout(&output::safe(&scene(&answered.id, inject, began)?))?;
        for number in 0..answered.questions.len() {
            let Some(question) = record.injects.get(at).and_then(|one| one.questions.get(number)) else { break };
            if !question.answer.is_empty() {
                continue;
            }
            let Some(filled) = asked(question, &mut ask)? else { return end(&args.file, &record) };
            let place = record.injects.get_mut(at).and_then(|one| one.questions.get_mut(number));
            place.into_iter().for_each(|place| *place = filled.clone());
            output::file(&args.file, &yaml(&record)?)?;
        }
    }
    end(&args.file, &record)
}

fn scene(id: &str, inject: Option<&Inject>, began: Instant) -> anyhow::Result<String> {
    let minutes = began.elapsed().as_secs() / 60;
    let mut text = format!("\n── {id}, {minutes} min ──\n");
    match inject {
        None => writeln!(text, "The path that this was about is no longer there.")?,
        Some(inject) => {
            writeln!(text, "{} · {}\n{}\nTell them: {}", inject.at, inject.title, inject.text, inject.seen)?;
            if !inject.expected.trim().is_empty() {
                writeln!(text, "The facts, for you alone: {}", inject.expected)?;
            }
        }
    }
    Ok(text)
}

/// One question with its answer; nothing, if nobody answers any more.
fn asked(
    question: &Answer,
    ask: &mut impl FnMut(&str) -> anyhow::Result<Option<String>>,
) -> anyhow::Result<Option<Answer>> {
    let Some(answer) = ask(&format!("\n{}\n  answer (empty: none)", output::safe(&question.ask)))? else {
        return Ok(None);
    };
    let mut filled = Answer { answer, ..question.clone() };
    if filled.answer.is_empty() {
        return Ok(Some(filled));
    }
    filled.by = ask("  by")?.unwrap_or_default();
    loop {
        match ask("  rating (P S M U)")?.map(|word| word.to_uppercase()) {
            Some(word) if matches!(word.as_str(), "" | "P" | "S" | "M" | "U") => {
                filled.rating = word;
                return Ok(Some(filled));
            }
            None => return Ok(Some(filled)),
            Some(_) => {
                output::stdout("  P without challenges, S with some, M with major ones, U unable to be performed\n")?
            }
        }
    }
}

fn end(path: &Path, record: &Record) -> anyhow::Result<u8> {
    output::file(path, &yaml(record)?)?;
    let more =
        if std::io::stdin().is_terminal() { "\nAdd observations and the improvement plan to the file." } else { "" };
    let path = path.display();
    output::stdout(&format!("\nWritten to {path}.{more}\nNext: deadstop tabletop record {path} -o assessment.json\n"))?;
    Ok(0)
}
