//! `deadstop checks`: list, explain, test and begin checks.

use anyhow::Context as _;
use deadstop_core::check::load::{LARGEST, load};
use deadstop_core::check::{CHECKLIST, Check, CheckSet, cases};
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use crate::cli::{ChecksArgs, ChecksCommand, ListFormat};
use crate::embedded::CHECKS;
use crate::output;

/// How many files are looked at in folders of checks.
const MOST: usize = 10_000;

/// How deep folders of checks may be nested.
const DEEPEST: usize = 8;

pub(super) fn run(args: &ChecksArgs) -> anyhow::Result<u8> {
    match &args.what {
        ChecksCommand::List { checks, format } => list(&all(checks)?, *format),
        ChecksCommand::Show { id, checks } => show(&all(checks)?, id),
        ChecksCommand::Test { folder } => test(folder.as_deref()),
        ChecksCommand::New { id } => new(id),
    }
}

/// The built-in checks and those of further folders.
pub(crate) fn all(folders: &[PathBuf]) -> anyhow::Result<CheckSet> {
    let mut files = built_in();
    for folder in folders {
        let more = read(folder)?;
        anyhow::ensure!(
            !more.is_empty(),
            "`{}` holds no check: a check is a file that ends in .yaml",
            folder.display()
        );
        files.extend(more);
    }
    load(&files, true).context("a check does not load")
}

fn built_in() -> Vec<(String, String)> {
    CHECKS.iter().map(|(name, text)| (format!("checks/{name}"), (*text).to_owned())).collect()
}

/// The checks of a folder, by name. Links are not followed, and a configuration that lies there is none.
fn read(folder: &Path) -> anyhow::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    let mut open = vec![(folder.to_owned(), 0)];
    while let Some((at, depth)) = open.pop() {
        let entries = fs::read_dir(&at).with_context(|| format!("cannot read the checks of `{}`", at.display()))?;
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot read the checks of `{}`", at.display()))?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            if kind.is_dir() {
                anyhow::ensure!(depth < DEEPEST, "`{}` is nested too deeply", path.display());
                open.push((path, depth + 1));
            } else if kind.is_file()
                && !path.ends_with(crate::config::DEFAULT)
                && path.extension().is_some_and(|ending| ending == "yaml" || ending == "yml")
            {
                anyhow::ensure!(files.len() < MOST, "`{}` holds more than {MOST} files", folder.display());
                let size = entry.metadata().map_or(0, |meta| meta.len());
                let name = path.display().to_string();
                anyhow::ensure!(size <= LARGEST as u64, "{name}:1:1: a check has {} KiB at most", LARGEST >> 10);
                let text = fs::read_to_string(&path).with_context(|| format!("cannot read `{name}`"))?;
                files.push((name, text));
            }
        }
    }
    files.sort();
    Ok(files)
}

fn list(checks: &CheckSet, format: ListFormat) -> anyhow::Result<u8> {
    let mut text = String::new();
    match format {
        ListFormat::Json => {
            for check in checks.iter() {
                text.push_str(&serde_json::to_string(&check.row())?);
                text.push('\n');
            }
        }
        ListFormat::Table => {
            for (item, _) in CHECKLIST {
                text.push_str(&format!("{item}\n"));
                for check in checks.iter().filter(|check| check.item == item) {
                    text.push_str(&format!("  {:<44} {:<9} {}\n", check.id, check.severity.word(), check.title));
                }
            }
            text.push_str(&format!("\n{} checks. deadstop checks show ID explains one.\n", checks.len()));
        }
    }
    output::stdout(&text)?;
    Ok(0)
}

fn show(checks: &CheckSet, id: &str) -> anyhow::Result<u8> {
    let known: Vec<&str> = checks.iter().map(|check| check.id.as_str()).collect();
    let check = checks.get(id).with_context(|| {
        let near = deadstop_core::yaml::mistakes::meant(id, &known);
        let near = if near.starts_with("; did") { near } else { "; deadstop checks list names all".to_owned() };
        format!("there is no check `{id}`{near}")
    })?;
    output::stdout(&page(check))?;
    Ok(0)
}

/// The page of a check, in Markdown.
#[must_use]
pub fn page(check: &Check) -> String {
    let mut text = format!("### {}\n\n{}.\n\n", check.id, check.title);
    text.push_str(&format!(
        "Item `{}`, subject `{}`, severity `{}`.\n\n",
        check.item,
        check.subject.word(),
        check.severity.word()
    ));
    text.push_str(&format!("{}\n\n**Where it fails:** {}\n\n```cel\n", check.why, check.fix));
    if let Some(applies) = &check.applies_if {
        text.push_str(&format!("applies_if: {}\n", applies.trim()));
    }
    text.push_str(&format!("pass_if: {}\n```\n\n", check.pass_if.trim()));
    let maps: Vec<String> = check.maps_to.iter().map(|(name, ids)| format!("{name} {}", ids.join(", "))).collect();
    if !maps.is_empty() {
        text.push_str(&format!("Gives evidence for: {}.\n\n", maps.join("; ")));
    }
    check.references.iter().for_each(|page| text.push_str(&format!("- <{page}>\n")));
    text
}

/// `docs/checks.md`, which a test holds to the checks.
///
/// # Errors
/// If a built-in check does not load.
pub fn document() -> anyhow::Result<String> {
    let checks = all(&[])?;
    let mut text = "# Checks\n\nMade by `UPDATE_DOCS=1 cargo test --test integration documents` from `checks/`. Each asks one question of \
                    one subject;\nwhat is not known gives `unknown`.\n"
        .to_owned();
    for (item, asks) in CHECKLIST {
        text.push_str(&format!("\n## {item}\n\n{asks}.\n"));
        for check in checks.iter().filter(|check| check.item == item) {
            text.push('\n');
            text.push_str(&page(check));
        }
    }
    text.push_str("\n## What a condition may say\n\nEvery field of each subject. One that is not known is left out, and a condition that needs it is `unknown`.\n");
    for subject in deadstop_core::check::subject::Subject::ALL {
        text.push_str(&format!("\n### {}\n\n| field | type | says |\n| --- | --- | --- |\n", subject.word()));
        rows(&mut text, subject.word(), subject.fields());
    }
    Ok(text)
}

fn rows(text: &mut String, prefix: &str, fields: &[deadstop_core::check::subject::Field]) {
    use deadstop_core::check::subject::Kind;
    for field in fields {
        let path = format!("{prefix}.{}", field.name);
        let kind = match field.kind {
            Kind::Bool => "yes or no".to_owned(),
            Kind::Int => "whole number".to_owned(),
            Kind::Text => "text".to_owned(),
            Kind::Word(words) => words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" "),
            Kind::Texts => "list of texts".to_owned(),
            Kind::Record(_) => "fields".to_owned(),
            Kind::Records(_) => "list, each with fields".to_owned(),
        };
        text.push_str(&format!("| `{path}` | {kind} | {} |\n", field.says));
        if let Kind::Record(inner) | Kind::Records(inner) = field.kind {
            rows(text, &path, inner);
        }
    }
}

fn test(folder: Option<&Path>) -> anyhow::Result<u8> {
    let files = match folder {
        Some(folder) => read(folder)?,
        None => built_in(),
    };
    anyhow::ensure!(!files.is_empty(), "there is no check here: a check is a file that ends in .yaml");
    let checks = load(&files, false).context("a check does not load")?;
    let mut failed = Vec::new();
    for (name, text) in &files {
        // Alone, as the set does not say which file a check came from.
        let one = load(&[(name.clone(), text.clone())], false)?;
        for case in one.iter().flat_map(cases::run) {
            failed.push(format!("{name}:{}:{}: {}\n", case.at.line, case.at.column, case.message));
        }
    }
    let count: usize = checks.iter().map(|check| check.cases.len()).sum();
    let told = format!("{}{} checks, {count} cases, {} failed\n", failed.concat(), checks.len(), failed.len());
    output::stdout(&told)?;
    Ok(u8::from(!failed.is_empty()))
}

fn new(id: &str) -> anyhow::Result<u8> {
    let name = id.rsplit('/').next().unwrap_or(id);
    let text = SKELETON.replace("ID", id);
    load(&[(format!("{name}.yaml"), text.clone())], true)
        .with_context(|| format!("`{id}` cannot be the id of a check"))?;
    let path = PathBuf::from(format!("{name}.yaml"));
    let mut file = fs::File::create_new(&path).with_context(|| format!("cannot write `{}`", path.display()))?;
    file.write_all(text.as_bytes()).with_context(|| format!("cannot write `{}`", path.display()))?;
    output::stdout(&format!("wrote {}; deadstop checks test . runs its cases\n", path.display()))?;
    Ok(0)
}

const SKELETON: &str = "\
id: ID
title: Production database has point-in-time recovery   # what is so where all is well
item: recovery                # inventory delete-rights confirmation isolation recovery tabletop
subject: asset                # asset credential session principal environment recovery_point path
severity: high                # critical high medium low info
applies_if: asset.class == \"database\" && asset.in_headline
pass_if: asset.recovery.pitr.enabled
message: \"{{ asset.name }} has no point-in-time recovery\"
why: A delete that also takes the snapshots leaves no earlier moment to go back to.
fix: Turn on point-in-time recovery, under an account that the agent's credentials cannot reach.
references: [https://csrc.nist.gov/pubs/sp/800/209/final]
cases:
  - {name: on, asset: {class: database, in_headline: true, recovery: {pitr: {enabled: true}}}, expect: pass}
  - {name: off, asset: {class: database, in_headline: true, recovery: {pitr: {enabled: false}}}, expect: fail}
  - {name: not read, asset: {class: database, in_headline: true}, expect: unknown}
  - {name: a bucket, asset: {class: bucket, in_headline: true}, expect: not_applicable}
";
