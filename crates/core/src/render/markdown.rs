//! The summary in Markdown (floor 3): for a pull request or a CI step. Names cannot format, mention or link anything.

use super::shown::Shown;
use super::view::{Row, SessionLine, View};
use crate::assessment::Assessment;

/// CI services drop a whole summary above 1024 KiB; this leaves room for the closing line.
const MOST: usize = 900 * 1024;

/// Renders the summary. It stops at 900 KiB and then says what was left out.
#[must_use]
pub fn markdown(assessment: &Assessment) -> String {
    let view = View::of(assessment);
    let verdict = &view.verdict;
    let mut page = Page { text: String::new(), left: 0 };
    page.add(&format!("# {}{}\n", escape(&verdict.lead), escape(&verdict.rest)));
    let lede: Vec<String> = verdict.strong.iter().chain(&verdict.lede).map(escape).collect();
    page.paragraph(&lede.join(" "));
    if let Some((first, rest)) = &verdict.plain {
        page.paragraph(&format!("**{}** {}", escape(first), escape(rest)));
    }
    for note in &verdict.notes {
        page.paragraph(&format!("> {}", escape(note)));
    }
    if !view.matrix.rows.is_empty() {
        page.add("\n| Asset | Reach | Confirm | Permit | Protect | Survive | Restore | Answer |\n");
        page.add("| --- | --- | --- | --- | --- | --- | --- | --- |\n");
        for row in &view.matrix.rows {
            page.item(&table_row(row));
        }
        page.left += view.matrix.left;
        page.paragraph(
            "Reach, Confirm, Permit and Protect can stop the call. Survive and Restore say whether it comes back.",
        );
    }
    fixes(&mut page, &view);
    unknowns(&mut page, &view);
    gates(&mut page, &view);
    page.paragraph(&format!(
        "{} {}, {}. Facts `sha256:{}`.",
        escape(&Shown::name(&assessment.tool.name)),
        escape(&Shown::name(&assessment.tool.version)),
        assessment.assessed_at.human(),
        hex(&assessment.facts_sha256)
    ));
    if page.left > 0 {
        page.text.push_str(&format!(
            "\n{} more rows are left out here: see `report.html` and `assessment.json`.\n",
            page.left
        ));
    }
    page.text
}

struct Page {
    text: String,
    left: usize,
}

impl Page {
    /// Adds text if there is room; whether it did.
    fn add(&mut self, text: &str) -> bool {
        let fits = self.text.len() + text.len() <= MOST;
        if fits {
            self.text.push_str(text);
        }
        fits
    }

    fn paragraph(&mut self, text: &str) {
        if !text.is_empty() {
            self.item(&format!("\n{text}\n"));
        }
    }

    fn item(&mut self, text: &str) {
        if !self.add(text) {
            self.left += 1;
        }
    }
}

fn table_row(row: &Row) -> String {
    let mut out = format!("| **{}** {}", escape(&row.name), escape(&row.about));
    if row.assumed {
        out.push_str(" (assumed to be production)");
    }
    for cell in &row.cells {
        out.push_str(&format!(" | {}: {}", cell.word, escape(&cell.because)));
        if let Some(bypass) = &cell.bypass {
            out.push_str(&format!(" (round it: {})", escape(bypass)));
        }
    }
    out.push_str(&format!(" | **{}** {} |\n", row.outcome, escape(&row.note)));
    out
}

fn fixes(page: &mut Page, view: &View) {
    let plan = &view.plan;
    page.add("\n## Plan of least effort\n");
    page.paragraph(&escape(&plan.intro));
    page.add("\n");
    for step in plan.steps.rows.iter().chain(plan.others.rows.iter().take(20)) {
        let owner = step.owner.as_ref().map(|owner| format!(" Owner: {}.", escape(owner))).unwrap_or_default();
        let due = step.due.as_ref().map(|due| format!(" Due: {}.", escape(due))).unwrap_or_default();
        page.item(&format!(
            "{}. **{}** ({}): {}. Effort: {}.{owner}{due}\n",
            step.number,
            escape(&step.title),
            escape(&step.id),
            escape(&step.closes),
            escape(&step.effort)
        ));
    }
    page.left += plan.steps.left + plan.others.total.saturating_sub(20);
}

fn unknowns(page: &mut Page, view: &View) {
    if view.gaps.rows.is_empty() {
        return;
    }
    page.add("\n## What is unknown\n\n");
    page.add("| Ref | About | Asked | Came back | To answer it |\n| --- | --- | --- | --- | --- |\n");
    for gap in &view.gaps.rows {
        let decides = if gap.decides { " **Decides the answer.**" } else { "" };
        let scope = gap.scope.as_ref().map(|scope| format!(" ({})", escape(scope))).unwrap_or_default();
        let settle = gap.settle.as_ref().map(escape).unwrap_or_else(|| "Not known".to_owned());
        page.item(&format!(
            "| {} | {}{decides} | {}{scope} | {} | {settle} |\n",
            escape(&gap.id),
            escape(&gap.about),
            escape(&gap.asked),
            escape(&gap.came_back)
        ));
    }
    page.left += view.gaps.left;
}

/// What each session's gate decides on the corpus, in a line.
fn gates(page: &mut Page, view: &View) {
    let decided: Vec<&SessionLine> = view.sessions.rows.iter().filter(|session| session.tally.is_some()).collect();
    if decided.is_empty() {
        return;
    }
    page.add("\n## What the gates decide\n\n");
    for session in decided {
        let Some(tally) = &session.tally else { continue };
        page.item(&format!("- **{}** ({}): {}\n", escape(&session.name), escape(&session.id), escape(&tally.sentence)));
    }
    page.left += view.sessions.left;
}

/// Text that stays text: no markup, no cell border, no link, no mention.
pub(crate) fn escape(text: &Shown) -> String {
    let mut out = String::with_capacity(text.as_str().len());
    let mut rest = text.as_str().chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '@' => out.push_str("&#64;\u{200b}"),
            '#' => out.push_str("&#35;\u{200b}"),
            '&' | '<' | '>' | '"' | '|' | '`' | '*' | '_' | '~' | '[' | ']' | '!' | '\\' | '$' => {
                out.push_str(&format!("&#{};", u32::from(c)));
            }
            ':' if rest.peek() == Some(&'/') => out.push_str("&#58;"),
            _ => out.push(c),
        }
    }
    out.replace("www.", "www&#46;")
}

fn hex(text: &str) -> String {
    text.chars().filter(char::is_ascii_hexdigit).take(64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_formats_mentions_or_links() {
        let out = escape(&Shown::name("a|b`c`<img> @team #77 https://x [l](u) **b**\n"));
        for bad in ["|", "`", "<", "@t", "#77", "://", "[", "](", "**", "\n"] {
            assert!(!out.contains(bad), "{bad} in {out}");
        }
    }
}
