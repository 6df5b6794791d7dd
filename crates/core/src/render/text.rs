//! The answer on a terminal (floor 3): the sentence, a line per production asset, the plan, what is unknown.

use super::shown::{Shown, wrap};
use super::view::{Row, View};
use crate::assessment::Assessment;

/// The narrowest terminal that gets a table; below it each asset takes a few lines.
const TABLE: usize = 78;
/// The columns that the number and the six layers take, and those of an outcome in full and in a word.
const LAYERS: usize = 58;
const OUTCOME: usize = 21;
const ANSWER: usize = 11;
/// How many assets, steps, unknowns and sessions are shown.
const ASSETS: usize = 40;
const STEPS: usize = 5;
const GAPS: usize = 5;
const SESSIONS: usize = 5;

/// Renders the answer for a terminal of `width` columns, in colour if asked to. Every state is a word as well.
#[must_use]
pub fn text(assessment: &Assessment, colour: bool, width: usize) -> String {
    let view = View::of(assessment);
    let mut sheet = Sheet { text: String::new(), colour, width: width.clamp(40, 140) };
    let verdict = &view.verdict;
    sheet.headline(verdict.lead.as_str(), verdict.rest.as_str(), verdict.class);
    let lede: Vec<&str> = verdict.strong.iter().chain(&verdict.lede).map(Shown::as_str).collect();
    sheet.paragraph(&lede.join(" "), 0);
    if let Some((first, rest)) = &verdict.plain {
        sheet.paragraph(&format!("{first} {rest}"), 0);
    }
    for note in &verdict.notes {
        sheet.paragraph(note.as_str(), 0);
    }
    assets(&mut sheet, &view);
    plan(&mut sheet, &view);
    unknown(&mut sheet, &view);
    gates(&mut sheet, &view);
    sheet.text
}

struct Sheet {
    text: String,
    colour: bool,
    width: usize,
}

impl Sheet {
    fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    fn headline(&mut self, lead: &str, rest: &str, class: &str) {
        let lines = wrap(&format!("{lead}{rest}"), self.width, usize::MAX);
        let long = lead.chars().count();
        for (at, line) in lines.iter().enumerate() {
            let split = if at == 0 { line.char_indices().nth(long).map_or(line.len(), |(index, _)| index) } else { 0 };
            let (head, tail) = line.split_at_checked(split).unwrap_or(("", line));
            let head = if head.is_empty() { String::new() } else { self.paint(head, class) };
            self.line(&format!("{head}{}", self.bold(tail)));
        }
    }

    fn title(&mut self, text: &str) {
        self.line("");
        let title = self.bold(text);
        self.line(&title);
    }

    fn paragraph(&mut self, text: &str, indent: usize) {
        for line in wrap(text, self.width.saturating_sub(indent), usize::MAX) {
            self.line(&format!("{}{line}", " ".repeat(indent)));
        }
    }

    /// A line whose continuation is indented as far as its first word after `head`.
    fn hanging(&mut self, head: &str, text: &str) {
        let indent = head.chars().count();
        for (at, line) in wrap(text, self.width.saturating_sub(indent), usize::MAX).iter().enumerate() {
            let start = if at == 0 { head.to_owned() } else { " ".repeat(indent) };
            self.line(&format!("{start}{line}"));
        }
    }

    fn paint(&self, text: &str, class: &str) -> String {
        let code = match class {
            "open" => "1;31",
            "slow" => "33",
            "hold" => "32",
            "unk" => "35",
            _ => "2",
        };
        self.code(text, code)
    }

    fn bold(&self, text: &str) -> String {
        self.code(text, "1")
    }

    fn code(&self, text: &str, code: &str) -> String {
        if self.colour && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

fn assets(sheet: &mut Sheet, view: &View) {
    if view.matrix.rows.is_empty() {
        return;
    }
    sheet.line("");
    let shown = || view.matrix.rows.iter().take(ASSETS);
    let longest = shown().map(|row| row.name.as_str().chars().count() + 1).max().unwrap_or(0).max(8);
    let full = sheet.width >= LAYERS + longest.min(18) + OUTCOME;
    let outcome = if full { OUTCOME } else { ANSWER };
    let name = longest.min(sheet.width.saturating_sub(LAYERS + outcome));
    if sheet.width >= TABLE {
        sheet.line(&format!(
            "{}{} reach   confirm permit  protect | survive  restore  outcome",
            fit("", 5),
            fit("asset", name)
        ));
    }
    for row in shown() {
        if sheet.width >= TABLE { table(sheet, row, name, full) } else { stacked(sheet, row) }
    }
    let left = view.matrix.total.saturating_sub(ASSETS);
    if left > 0 {
        sheet.paragraph(&format!("and {left} more, in the report"), 0);
    }
    if shown().any(|row| row.assumed) {
        sheet.paragraph("* environment not known, counted as production", 0);
    }
    sheet.paragraph(
        "open: the call passes. slows: the same session can get round it. stops: it ends there. unknown: not read, never a stop.",
        0,
    );
}

fn table(sheet: &mut Sheet, row: &Row, name: usize, full: bool) {
    let star = if row.assumed { "*" } else { "" };
    let mut line = format!("{} {} ", fit(row.id.as_str(), 4), fit(&format!("{}{star}", row.name), name));
    for (at, cell) in row.cells.iter().enumerate() {
        let (word, wide) = if at < 4 { (cell.state, 8) } else { (short(cell.word), 9) };
        if at == 4 {
            line.push_str("| ");
        }
        let padding = " ".repeat(wide - word.len().min(wide));
        line.push_str(&sheet.paint(word, cell.class));
        line.push_str(&padding);
    }
    let outcome = if full { row.outcome.as_str() } else { row.answer };
    line.push_str(&sheet.paint(outcome, row.class));
    sheet.line(&line);
}

fn stacked(sheet: &mut Sheet, row: &Row) {
    let star = if row.assumed { "*" } else { "" };
    let head = fit(&format!("{} {}{star}", row.id, row.name), sheet.width);
    let head = sheet.bold(head.trim_end());
    sheet.line(&head);
    let outcome = sheet.paint(&row.outcome, row.class);
    sheet.line(&format!("  {outcome}"));
    let states = row.cells.iter().map(|cell| format!("{} {}", cell.layer, cell.word.to_lowercase()));
    sheet.hanging("  ", &states.collect::<Vec<_>>().join(", "));
}

fn plan(sheet: &mut Sheet, view: &View) {
    let plan = &view.plan;
    sheet.title("Plan of least effort");
    sheet.paragraph(plan.intro.as_str(), 0);
    let more = plan.steps.rows.is_empty() || !plan.reached;
    let others = plan.others.rows.iter().take(if more { STEPS } else { 0 });
    let mut shown = 0;
    for step in plan.steps.rows.iter().chain(others).take(STEPS) {
        shown += 1;
        let owner = step.owner.as_ref().map(|owner| format!(" Owner: {owner}.")).unwrap_or_default();
        let due = step.due.as_ref().map(|due| format!(" Due: {due}.")).unwrap_or_default();
        let text = format!(
            "{}. {}. Effort: {}.{owner}{due}",
            step.title.as_str().trim_end_matches('.'),
            step.closes,
            step.effort
        );
        sheet.hanging(&format!("{} ", fit(step.id.as_str(), 4)), &text);
    }
    let left = plan.steps.total + plan.others.total - shown;
    if left > 0 {
        sheet.paragraph(&format!("and {left} more that would help, in the report"), 0);
    }
}

fn unknown(sheet: &mut Sheet, view: &View) {
    if view.gaps.total == 0 {
        return;
    }
    sheet.title("Unknown, and what would settle it");
    for gap in view.gaps.rows.iter().take(GAPS) {
        let scope = gap.scope.as_ref().map(|scope| format!(" ({scope})")).unwrap_or_default();
        let decides = if gap.decides { format!(" Decides {}.", gap.about) } else { String::new() };
        let settle = gap.settle.as_ref().map(|settle| format!(" To settle it: {settle}")).unwrap_or_default();
        let came = gap.came_back.as_str().trim_end_matches('.');
        sheet.hanging(
            &format!("{} ", fit(gap.id.as_str(), 4)),
            &format!("{}{scope}: {came}.{decides}{settle}", gap.asked),
        );
    }
    let left = view.gaps.total.saturating_sub(GAPS);
    if left > 0 {
        sheet.paragraph(&format!("and {left} more, in the report"), 0);
    }
}

/// What each session's gate decides on the corpus, in a line.
fn gates(sheet: &mut Sheet, view: &View) {
    let decided = || view.sessions.rows.iter().filter_map(|session| Some((session, session.tally.as_ref()?)));
    if decided().next().is_none() {
        return;
    }
    sheet.title("What the gates decide");
    for (session, tally) in decided().take(SESSIONS) {
        let text = format!("{}: {}", session.name, tally.sentence);
        sheet.hanging(&format!("{} ", fit(session.id.as_str(), 4)), &text);
    }
    let left = decided().count().saturating_sub(SESSIONS) + view.sessions.left;
    if left > 0 {
        sheet.paragraph(&format!("and {left} more sessions, in the report"), 0);
    }
}

/// The words after the delete, for a narrow column.
fn short(word: &'static str) -> &'static str {
    match word {
        "Goes with it" => "gone",
        "In reach" => "in reach",
        "Survives" => "survives",
        "Outside RPO/RTO" => "outside",
        "Unproved" => "unproved",
        "Proved" => "proved",
        "None" => "none",
        _ => "unknown",
    }
}

/// A text of exactly `width` characters.
fn fit(text: &str, width: usize) -> String {
    let long = text.chars().count();
    if long <= width {
        return format!("{text}{}", " ".repeat(width - long));
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    format!("{kept}…")
}
