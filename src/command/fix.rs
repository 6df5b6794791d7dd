//! `deadstop fix`: what a fix of an assessment asks for.

use deadstop_core::assessment::{Assessment, Fix};
use deadstop_core::quote;
use std::fmt::Write as _;

use super::report;
use crate::cli::{Common, DiffFormat, FixArgs};
use crate::output;

pub(super) fn run(args: &FixArgs, common: &Common) -> anyhow::Result<u8> {
    let assessment = report::assessment(&args.assessment)?;
    let Some(name) = &args.fix else {
        let text = match args.format {
            DiffFormat::Text => output::safe(&list(&assessment)?),
            DiffFormat::Json => format!("{}\n", serde_json::to_string_pretty(&assessment.fixes)?),
        };
        output::file(&args.output, &text)?;
        return Ok(0);
    };
    let fix = assessment.fixes.all.iter().find(|fix| fix.key == *name || fix.id == *name);
    let Some(fix) = fix else {
        let file = args.assessment.display();
        let name = quote::word(name);
        anyhow::bail!("`{file}` has no fix {name}: `deadstop fix --assessment {file}` lists those that it has");
    };
    if args.format == DiffFormat::Json {
        output::file(&args.output, &format!("{}\n", serde_json::to_string_pretty(fix)?))?;
        return Ok(0);
    }
    let told = output::safe(&told(fix)?);
    match &fix.artefact {
        Some(artefact) => {
            output::file(&args.output, &format!("{}\n", output::safe(artefact)))?;
            if !common.quiet {
                output::stderr(&told);
            }
        }
        None => output::file(&args.output, &told)?,
    }
    Ok(0)
}

/// The fixes, one a line, and what the plan reaches.
fn list(assessment: &Assessment) -> anyhow::Result<String> {
    let plan = &assessment.fixes;
    let mut text = String::new();
    if plan.all.is_empty() {
        writeln!(text, "There is nothing to fix, or nothing that is known would help.")?;
        return Ok(text);
    }
    for fix in &plan.all {
        let chosen = if plan.minimal.contains(&fix.id) { "plan" } else { "" };
        let paste = if fix.artefact.is_some() { "to paste" } else { "" };
        let id = &fix.id;
        writeln!(text, "{id:<5} {chosen:<4}  {:<10}  {paste:<8}  {}", fix.effort_words, fix.title)?;
    }
    match (&plan.short_of, plan.minimal.is_empty()) {
        (Some(why), _) => writeln!(text, "\nIncomplete: {why}.")?,
        (None, true) => writeln!(text, "\nEvery production asset is at `{}` already.", plan.target)?,
        (None, false) => {
            writeln!(text, "\nThose marked `plan` bring every production asset to `{}`.", plan.target)?;
        }
    }
    let first = plan.minimal.first().or(plan.all.first().map(|fix| &fix.id));
    writeln!(text, "Next: deadstop fix {}", first.map_or("", String::as_str))?;
    Ok(text)
}

/// A fix in words.
fn told(fix: &Fix) -> anyhow::Result<String> {
    let mut text = format!("{} {} ({}).\n{}\n", fix.id, fix.title, fix.effort_words, fix.detail);
    if let Some(owner) = &fix.owner {
        writeln!(text, "Owner: {owner}{}.", fix.due.as_ref().map_or_else(String::new, |due| format!(", due {due}")))?;
    }
    if let Some(proves) = &fix.proves {
        writeln!(text, "To see that it worked: {proves}")?;
    }
    Ok(text)
}
