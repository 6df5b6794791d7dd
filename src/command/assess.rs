//! `deadstop assess`: bundles in, assessment out.

use std::mem;

use deadstop_core::redact::redact;
use deadstop_core::{assess::assess_with, bundle, render};

use super::{amounts, assessed, checks, coloured, read_bundle, settings, tabletop, width};
use crate::cli::{AssessArgs, Common};
use crate::output;

pub(super) fn run(args: &AssessArgs, common: &Common) -> anyhow::Result<u8> {
    let (config, threshold, _) = settings(common, &args.answer)?;
    let checks = checks::all(&args.answer.checks)?;
    let bundles = args.facts.iter().map(|path| read_bundle(path)).collect::<anyhow::Result<Vec<_>>>()?;
    let mut assessment = assessed(|| assess_with(&bundle::merge(&bundles), &config.policy, &checks));
    tabletop::merge(&mut assessment, args.answer.tabletop.as_deref())?;
    let shown = redact(&assessment, args.redact.redact.meant())?;
    output::written(&args.output, &mut |out| render::write_json(&shown, out))?;
    let exit = amounts(&assessment, &args.answer, threshold, &config.policy)?;
    let code = if args.answer.exit_zero { 0 } else { exit.code };
    if args.output.as_os_str() != "-" {
        let mut text = render::text(&shown, coloured(common), width());
        if !common.quiet {
            let notes: String = config.notes.iter().map(|note| format!("Note: {note}.\n")).collect();
            let path = args.output.display();
            text.push_str(&format!(
                "\n{notes}Exit {code}: {}.\nAssessment: {path}\nNext: deadstop report {path}\n",
                exit.reason
            ));
        }
        output::stdout(&text)?;
    }
    // The process ends here: to take a large assessment apart string by string costs a tenth of the whole time.
    mem::forget(shown);
    mem::forget(assessment);
    Ok(code)
}
