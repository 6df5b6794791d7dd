//! `deadstop run`: collect, assess and report, in one go.

use deadstop_core::assess::assess_with;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use super::collect::{live, merged, plan, read, scope};
use super::{Finish, assessed, checks, settings, tabletop, templates};
use crate::cli::{Common, RunArgs};
use crate::output;

pub(super) fn run(args: &RunArgs, common: &Common, stop: &Arc<AtomicBool>) -> anyhow::Result<u8> {
    let started = Instant::now();
    let (config, threshold, _) = settings(common, &args.answer)?;
    let checks = checks::all(&args.answer.checks)?;
    let own = templates::own(&args.formats.edition)?;
    let scope = scope(&args.scope)?;
    if args.scope.plan {
        return plan(&scope, live(common, &config)?.as_ref());
    }
    output::usable(&args.output)?;
    let machine = read(&scope, &config, common, stop)?;
    let calls = machine.calls;
    let facts = merged(machine.bundle, &args.merge)?;
    let mut assessment = assessed(|| assess_with(&facts, &config.policy, &checks));
    tabletop::merge(&mut assessment, args.answer.tabletop.as_deref())?;
    let mut notes = config.notes.clone();
    notes.extend(config.logo_note);
    notes.extend(machine.notes);
    let logo = config.logo;
    let finish = Finish {
        common,
        folder: &args.output,
        policy: &config.policy,
        threshold,
        answer: &args.answer,
        formats: &args.formats,
        notes: &notes,
        calls: &calls,
        logo: logo.as_ref(),
        own,
        took: started.elapsed(),
        show: false,
    };
    finish.finish(&facts, &assessment)
}
