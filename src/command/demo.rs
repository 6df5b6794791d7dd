//! `deadstop demo`: a built-in incident world, offline.

use anyhow::Context as _;
use deadstop_core::assess::{assess, assess_with, with_fixes};
use deadstop_core::assessment::Assessment;
use deadstop_core::shorthand;
use deadstop_core::{bundle, bundle::Bundle, policy::Policy};
use std::time::Instant;

use super::{Finish, assessed, checks, settings, tabletop, templates};
use crate::cli::{Common, DemoArgs};
use crate::embedded::WORLDS;
use crate::output;

pub(super) fn run(args: &DemoArgs, common: &Common) -> anyhow::Result<u8> {
    let started = Instant::now();
    if args.list {
        return list();
    }
    let (config, threshold, fails) = settings(common, &args.answer)?;
    let checks = checks::all(&args.answer.checks)?;
    let own = templates::own(&args.formats.edition)?;
    output::usable(&args.output)?;
    let (mut facts, mut policy) = world(&args.world)?;
    policy.target = config.policy.target;
    policy.assessed_at = config.policy.assessed_at.or(policy.assessed_at);
    let (logo, mut notes) = (config.logo, config.notes);
    notes.extend(config.logo_note);
    if !args.with_fix.is_empty() {
        let fixed = with_fixes(&facts, &policy, &args.with_fix).map_err(|missing| {
            let known = assess(&facts, &policy).fixes.all;
            let keys: Vec<String> =
                known.iter().map(|fix| format!("  {:<4} {}  {}", fix.id, fix.key, fix.title)).collect();
            anyhow::anyhow!("`{}` has no fix `{missing}`; it has\n{}", args.world, keys.join("\n"))
        })?;
        facts = fixed.bundle;
        notes.extend(fixed.done.iter().map(|title| format!("shown with this done: {title}")));
    }
    policy.plans = config.policy.plans;
    let mut assessment = assessed(|| assess_with(&facts, &policy, &checks));
    tabletop::merge(&mut assessment, args.answer.tabletop.as_deref())?;
    let finish = Finish {
        common,
        folder: &args.output,
        policy: &policy,
        threshold,
        answer: &args.answer,
        formats: &args.formats,
        notes: &notes,
        calls: &[],
        logo: logo.as_ref(),
        own,
        took: started.elapsed(),
        show: !fails,
    };
    finish.finish(&facts, &assessment)
}

/// The assessment of a built-in world, checks and all.
pub(super) fn assessed_world(wanted: &str) -> anyhow::Result<Assessment> {
    let (facts, policy) = world(wanted)?;
    Ok(assess_with(&facts, &policy, &checks::all(&[])?))
}

fn name(file: &str) -> &str {
    file.strip_suffix(".yaml").unwrap_or(file)
}

fn list() -> anyhow::Result<u8> {
    let mut text = String::new();
    for (file, yaml) in WORLDS {
        let (_, meta) = shorthand::expand(yaml).with_context(|| format!("the built-in world `{file}`"))?;
        text.push_str(&format!("{:<18} {}\n", name(file), meta.about));
    }
    output::stdout(&text)?;
    Ok(0)
}

fn world(wanted: &str) -> anyhow::Result<(Bundle, Policy)> {
    let found = WORLDS.iter().find(|(file, _)| name(file) == wanted).with_context(|| {
        let names: Vec<&str> = WORLDS.iter().map(|(file, _)| name(file)).collect();
        format!("there is no world `{wanted}`; there are {}", names.join(", "))
    })?;
    let (bundles, meta) = shorthand::expand(found.1).with_context(|| format!("the built-in world `{wanted}`"))?;
    Ok((bundle::merge(&bundles), meta.policy))
}
