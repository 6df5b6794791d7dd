//! The report, the summary and the terminal text, from the sample assessments in `tests/report`.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test ends where its sample is not what it should be"
)]
#![expect(clippy::disallowed_methods, reason = "the harness hands the files of tests/ and templates/ to the core")]

use base64::Engine as _;
use deadstop_core::assessment::Assessment;
use deadstop_core::diff;
use deadstop_core::render::{self, Audience, Edition, Own, OwnError, Templates};
use sha2::{Digest as _, Sha256};
use std::path::PathBuf;
use std::{fs, iter};

const SAMPLES: [&str; 4] = ["sample", "story", "empty", "hostile"];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn sample(name: &str) -> Assessment {
    let text = fs::read_to_string(root().join(format!("tests/report/{name}.json"))).unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{name}.json: {error}"))
}

fn templates() -> Templates {
    let mut files: Vec<(&'static str, &'static str)> = fs::read_dir(root().join("templates"))
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name: &str = entry.file_name().to_string_lossy().into_owned().leak();
            let text: &str = fs::read_to_string(entry.path()).unwrap().leak();
            (name, text)
        })
        .collect();
    files.sort_unstable();
    Templates { files: files.leak() }
}

/// The page of an assessment, kept where a browser can be pointed at it.
fn page(name: &str, assessment: &Assessment) -> String {
    let page = render::html(assessment, &templates()).unwrap();
    fs::write(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.html")), &page).unwrap();
    page
}

fn between<'a>(text: &'a str, from: &str, to: &str) -> &'a str {
    text.split_once(from).unwrap().1.split_once(to).unwrap().0
}

/// How many tags carry all of these attributes.
fn tags(page: &str, tag: &str, attributes: &[&str]) -> usize {
    let open = format!("<{tag} ");
    let heads = page.split(&open).skip(1).map(|rest| rest.split('>').next().unwrap());
    heads.filter(|head| attributes.iter().all(|attribute| head.contains(&format!("{attribute}=\"")))).count()
}

/// The sample, grown to 500 assets with 20 paths each.
fn large() -> Assessment {
    let mut large = sample("sample");
    let (assets, paths) = (large.assets.clone(), large.paths.clone());
    large.assets.clear();
    large.paths.clear();
    for at in 0..500 {
        let mut asset = assets[at % assets.len()].clone();
        asset.id = format!("A{}", at + 1);
        asset.key = format!("{}-{at}", asset.key);
        asset.name = format!("{}-{at}", asset.name);
        asset.paths = (0..20).map(|path| format!("P{}", at * 20 + path + 1)).collect();
        asset.worst_path = asset.paths.first().cloned();
        asset.paths_total = 400;
        for id in &asset.paths {
            let mut path = paths[at % paths.len()].clone();
            path.id.clone_from(id);
            path.asset.clone_from(&asset.id);
            large.paths.push(path);
        }
        large.assets.push(asset);
    }
    let evidence = large.evidence.clone();
    large.evidence = iter::repeat_n(evidence, 400).flatten().collect();
    for (at, one) in large.evidence.iter_mut().enumerate() {
        one.id = format!("E{}", at + 1);
    }
    assert_eq!(large.paths.len(), 10_000);
    let mut decided = large.sessions[2].clone();
    let rows = &mut decided.tally.as_mut().unwrap().rows;
    rows.extend(rows.clone());
    rows.extend(rows[..2].to_vec());
    assert_eq!(rows.len(), 8);
    large
        .sessions
        .extend((5..=200).map(|at| deadstop_core::assessment::SessionRow { id: format!("S{at}"), ..decided.clone() }));
    large
}

#[test]
fn the_page_is_one_file_that_asks_for_nothing() {
    for name in SAMPLES {
        let page = page(name, &sample(name));
        for bad in ["<script", "<link", "<img", "<iframe", " src=", " style=", "@import", "url(", "javascript:", " on"]
        {
            let found =
                if bad == " on" { page.contains(" onclick=") || page.contains(" onload=") } else { page.contains(bad) };
            assert!(!found || name == "hostile" && bad.starts_with(' '), "{name} contains {bad}");
        }
        assert!(page.starts_with("<!DOCTYPE html>"), "{name}");
        assert_eq!(page.matches("<h1").count(), 1, "{name}");
        assert_eq!(page.matches("<style>").count(), 1, "{name}");
    }
}

#[test]
fn the_policy_names_the_very_style_sheet() {
    for name in SAMPLES {
        let page = page(name, &sample(name));
        let css = between(&page, "<style>", "</style>");
        let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(css.as_bytes()));
        let policy = between(&page, "http-equiv=\"Content-Security-Policy\" content=\"", "\">");
        let policy = policy.replace("&#x27;", "'").replace("&#x2f;", "/").replace("&quot;", "\"");
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"), "{policy}");
        assert!(policy.contains(&format!("'sha256-{hash}'")), "{name}: {policy}");
    }
}

#[test]
fn only_the_style_sheet_is_not_escaped() {
    let templates = templates();
    let unescaped: Vec<&str> = templates
        .files
        .iter()
        .filter(|(name, _)| name.ends_with(".html"))
        .flat_map(|(_, text)| text.match_indices("safe").map(|(at, _)| &text[at.saturating_sub(6)..at + 7]))
        .collect();
    let filters: Vec<&&str> = unescaped.iter().filter(|text| text.contains('|')).collect();
    assert_eq!(filters.len(), 0, "{filters:?}");
    assert!(templates.files.iter().all(|(_, text)| !text.contains("autoescape")));
}

#[test]
fn hostile_text_is_shown_and_does_nothing() {
    let assessment = sample("hostile");
    let page = page("hostile", &assessment);
    for bad in ["<script", "</title></style>", "<img", "\u{202e}", "\u{2066}", "\u{1b}", "\u{7}", "\u{0}", "A3\"><b>"] {
        assert!(!page.contains(bad), "{bad:?}");
    }
    assert!(page.contains("\\u{202e}") && page.contains("&lt;script&gt;"), "what is there is spelled out");
    assert!(!page.contains(&"x".repeat(200)), "a long name is cut");
    assert!(page.contains("(cut, 10000 characters)"), "and says so");
    let anchors = page.split(" id=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    for anchor in anchors {
        assert!(anchor.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{anchor}");
    }

    let summary = render::markdown(&assessment);
    for bad in ["<script", "<img", "@octocat", "\u{202e}", "\u{1b}", "](http", "`|", "<!--"] {
        assert!(!summary.contains(bad), "{bad:?}");
    }
    let rows: Vec<&str> = summary.lines().filter(|line| line.starts_with("| **")).collect();
    assert_eq!(rows.len(), 7);
    assert!(rows.iter().all(|row| row.matches('|').count() == 9), "{rows:?}");

    for width in [0, 40, 80, 200] {
        let text = render::text(&assessment, false, width);
        assert!(text.chars().all(|c| c == '\n' || !c.is_control() && c != '\u{202e}'), "at {width}");
    }
}

#[test]
fn every_row_can_be_counted() {
    for name in SAMPLES {
        let assessment = sample(name);
        let page = page(name, &assessment);
        let count = |tag: &str, attributes: &[&str]| tags(&page, tag, attributes);
        assert_eq!(count("tr", &["data-asset", "data-answer"]), assessment.assets.len(), "{name}");
        assert_eq!(count("td", &["data-layer", "data-state"]), assessment.assets.len() * 6, "{name}");
        assert_eq!(count("tr", &["data-credential"]), assessment.credentials.len(), "{name}");
        assert_eq!(count("tr", &["data-gap"]), assessment.gaps.len(), "{name}");
        assert_eq!(count("tr", &["data-evidence"]), assessment.evidence.len(), "{name}");
        assert_eq!(count("div", &["data-session"]), assessment.sessions.len(), "{name}");
        assert_eq!(count("li", &["data-fix"]), assessment.fixes.all.len(), "{name}");
        let tallied = assessment.sessions.iter().filter_map(|session| session.tally.as_ref());
        assert_eq!(count("tr", &["data-tally"]), tallied.map(|tally| tally.rows.len()).sum::<usize>(), "{name}");
        assert_eq!(count("tr", &["data-path"]), assessment.paths.len(), "{name}");
        let not_passed = assessment.findings.iter().filter(|one| matches!(one.verdict.as_str(), "fail" | "unknown"));
        assert_eq!(count("tr", &["data-check", "data-verdict"]), not_passed.count(), "{name}");
        for asset in &assessment.assets {
            let answer = format!("data-answer=\"{}\"", asset.answer.word());
            assert!(page.contains(&answer), "{name}: {answer}");
        }
    }
}

#[test]
fn every_link_leads_somewhere() {
    for name in ["sample", "story", "empty"] {
        let page = page(name, &sample(name));
        for target in page.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
            assert!(page.contains(&format!("id=\"{target}\"")), "{name}: {target}");
        }
    }
}

/// An edition says what it leaves out, and every link in it leads there or to what is shown.
#[test]
fn an_edition_is_whole_in_itself_and_says_what_it_leaves_out() {
    for name in ["sample", "story", "empty", "hostile"] {
        let assessment = sample(name);
        let edition = |audience| {
            render::html_edition(&assessment, &templates(), &Edition { audience, ..Edition::default() }).unwrap()
        };
        let (executive, technical, full) =
            (edition(Audience::Executive), edition(Audience::Technical), edition(Audience::Full));
        assert_eq!(full, page(name, &assessment));
        assert!(!full.contains("data-left-out") && executive.len() < technical.len() && technical.len() < full.len());
        for page in [&executive, &technical] {
            assert!(page.contains("What this edition leaves out"));
            for target in page.split("href=\"#").skip(1).map(|rest| rest.split('"').next().unwrap()) {
                assert_eq!(page.matches(&format!(" id=\"{target}\"")).count(), 1, "{name}: {target}");
            }
            for row in ["data-asset", "data-fix"] {
                assert_eq!(
                    tags(page, "tr", &[row]),
                    tags(&full, "tr", &[row]),
                    "{name}: every answer is in each edition"
                );
            }
        }
        assert_eq!(tags(&executive, "tr", &["data-evidence"]) + tags(&executive, "tr", &["data-credential"]), 0);
        assert_eq!(tags(&technical, "tr", &["data-evidence"]), tags(&full, "tr", &["data-evidence"]));
        assert!(executive.contains("id=\"signoff\"") && technical.contains("id=\"signoff\""));
        assert!(technical.contains("data-left-out=\"method\"") && executive.contains("data-left-out=\"credentials\""));
    }
}

/// What changed stands beside what is, each kind with its count, in the words of the comparison.
#[test]
fn what_changed_is_told_for_whom_it_is_for() {
    let (before, after) = (sample("hostile"), sample("story"));
    let changes = Some(diff::diff(&before, &after));
    let told = diff::text::sections(changes.as_ref().unwrap());
    assert!(told.len() > 3 && told.iter().any(|section| section.of_assets), "{told:?}");
    let edition = |audience| Edition { audience, changes: changes.clone(), ..Edition::default() };
    let page = |audience| render::html_edition(&after, &templates(), &edition(audience)).unwrap();
    let full = page(Audience::Full);
    let part = between(&full, "<section class=\"sec\" id=\"changes\"", "</section>");
    assert!(full.contains("<a href=\"#changes\">What changed <span>"));
    for section in &told {
        assert!(part.contains(&format!("data-changes=\"{}\"", section.title)), "{}", section.title);
        assert!(part.contains(&format!("{} ({})", section.title, section.lines.len())), "{}", section.title);
    }
    let lines = |part: &str| part.matches("<li>").count();
    let most = |section: &diff::text::Section| section.lines.len().min(if section.of_assets { 50 } else { 20 });
    assert_eq!(lines(part), told.iter().map(most).sum::<usize>());
    // Those who decide are told of assets alone.
    let executive = page(Audience::Executive);
    let part = between(&executive, "<section class=\"sec\" id=\"changes\"", "</section>");
    let of_assets = told.iter().filter(|section| section.of_assets);
    assert_eq!(lines(part), of_assets.map(most).sum::<usize>());
    // The same twice: nothing changed, and that is said.
    let same = Edition { changes: Some(diff::diff(&after, &after)), ..Edition::default() };
    let page = render::html_edition(&after, &templates(), &same).unwrap();
    assert!(between(&page, "id=\"changes\"", "</section>").contains("<p>Nothing changed.</p>"));
}

#[test]
fn a_logo_is_carried_within_and_opens_the_policy_for_nothing_else() {
    let logo = render::Logo::of(b"\x89PNG\r\n\x1a\nrest").ok();
    let edition = Edition { logo, ..Edition::default() };
    let page = render::html_edition(&sample("story"), &templates(), &edition).unwrap();
    let policy = between(&page, "http-equiv=\"Content-Security-Policy\" content=\"", "\">");
    assert!(policy.replace("&#x27;", "'").starts_with("default-src 'none'; img-src data:; style-src"), "{policy}");
    assert_eq!(page.matches("<img ").count(), 1);
    assert!(
        page.contains("src=\"data:image&#x2f;png;base64,") && page.contains("alt=\"Northwind Rentals (invented)\"")
    );
}

#[test]
fn unknown_never_looks_like_a_pass() {
    let page = page("sample", &sample("sample"));
    for cell in page.split("data-state=\"unknown\"").skip(1).map(|rest| rest.split("</td>").next().unwrap()) {
        assert!(cell.contains("i-unk") && cell.contains("<b>Unknown</b>"), "{cell}");
    }
    let unknown: Vec<&str> = page.split("<td ").filter(|cell| cell.contains("data-state=\"unknown\"")).collect();
    assert!(unknown.iter().all(|cell| cell.contains("class=\"st-unk ") && !cell.contains("hold")));
    let empty = render::text(&sample("empty"), false, 80);
    assert!(empty.starts_with("Unknown"), "{empty}");
}

#[test]
fn the_line_ends_at_the_first_stop() {
    let page = page("sample", &sample("sample"));
    let row = between(&page, "data-asset=\"A6\"", "</tr>");
    let lines: Vec<&str> = row
        .split("<td role=\"cell\" class=\"st-")
        .skip(1)
        .map(|cell| cell.split('"').next().unwrap().split(' ').nth(1).unwrap())
        .collect();
    assert_eq!(lines, ["live", "idle", "idle", "idle", "idle", "none"]);
    let row = between(&page, "data-asset=\"A4\"", "</tr>");
    assert!(row.contains("st-open live") && row.contains("st-unk maybe") && row.contains("st-open maybe"));
    assert!(row.contains("Round it: rds:DeleteDBClusterSnapshot"), "a slowing layer names its bypass");
}

#[test]
fn the_same_assessment_gives_the_same_bytes() {
    let assessment = sample("story");
    assert_eq!(page("story", &assessment), page("story", &assessment));
    assert_eq!(render::markdown(&assessment), render::markdown(&assessment));
    assert_eq!(render::text(&assessment, true, 100), render::text(&assessment, true, 100));
}

#[test]
fn ten_thousand_paths_fit() {
    let large = large();
    let page = page("large", &large);
    assert!(page.len() < 5_000_000, "{}", page.len());
    assert_eq!(tags(&page, "tr", &["data-asset", "data-answer"]), 500);
    assert!(page.contains("300 more assets</strong> are not listed here"), "what is cut says so");
    let summary = render::markdown(&large);
    assert!(summary.len() <= 1024 * 1024);
    assert!(render::text(&large, false, 100).contains("more, in the report"));
}

#[test]
fn a_long_summary_stops_in_time_and_says_so() {
    let mut long = large();
    for asset in &mut long.assets {
        for layer in &mut asset.layers {
            layer.because = "a reason that goes on and on ".repeat(60);
        }
    }
    let summary = render::markdown(&long);
    assert!(summary.len() < 1024 * 1024 && summary.len() > 800 * 1024, "{}", summary.len());
    assert!(summary.trim_end().ends_with("more rows are left out here: see `report.html` and `assessment.json`."));
}

#[test]
fn the_terminal_opens_with_the_sentence() {
    let assessment = sample("sample");
    let text = render::text(&assessment, false, 100);
    assert!(text.starts_with("Nothing, for 3 of 7 production assets.\n"), "{text}");
    let (head, plan) = text.split_once("\nPlan of least effort\n").unwrap();
    assert_eq!(head.lines().filter(|line| line.starts_with('A') && line.contains(" | ")).count(), 7, "{head}");
    assert!(plan.contains("F1") && plan.contains("Unknown, and what would settle it"));
    assert!(!text.contains('\u{1b}'));
    for width in [40, 78, 80, 100, 140] {
        let text = render::text(&assessment, false, width);
        assert!(text.lines().all(|line| line.chars().count() <= width), "{width}: {text}");
    }
    assert!(render::text(&assessment, true, 100).contains("\u{1b}[1;31mNothing\u{1b}[0m"));
}

#[test]
fn json_reads_back() {
    let assessment = sample("sample");
    let text = render::json(&assessment).unwrap();
    assert!(text.ends_with("}\n") && text.starts_with("{\n  \"schema\""));
    assert_eq!(serde_json::from_str::<Assessment>(&text).unwrap(), assessment);
}

#[test]
fn what_the_gates_decide_is_told_with_the_rule_and_its_line() {
    let assessment = sample("sample");
    let page = page("sample", &assessment);
    let table = between(&page, "aria-label=\"Destructive calls of support-copilot (S3)\"", "</table>");
    let cli = between(table, "data-tally=\"cli\"", "</tr>");
    for told in ["30 calls", "git push --force origin main", "Bash(git push *)", ".claude", "settings.local.json:9"] {
        assert!(cli.contains(told), "{told}: {cli}");
    }
    assert!(cli.contains("<span class=\"tag open\">1</span>") && cli.contains("<span class=\"tag open\">runs</span>"));
    assert!(between(table, "data-tally=\"script\"", "</tr>").contains("12 kept off the network"));
    assert!(between(table, "data-tally=\"mcp\"", "</tr>").contains("<span class=\"tag unk\">not known</span>"));
    let line = "Of 50 destructive calls 3 run, 3 are decided by a model, 41 ask a person, 2 are refused, 1 is not known; \
                a sandbox keeps 12 from the network. The freest is git push --force origin main: \
                `Bash(git push *)` allows (.claude/settings.local.json:9).";
    let text = render::text(&assessment, false, 140).replace("\n     ", " ");
    let words: Vec<&str> = text.split_whitespace().collect();
    assert!(words.join(" ").contains(line), "{text}");
    assert!(words.join(" ").contains("any program of this user: Of 50 destructive calls all run."), "{text}");
    let summary = render::markdown(&assessment);
    let lines: Vec<&str> = summary.lines().filter(|line| line.contains("destructive calls")).collect();
    assert_eq!(lines.len(), 2, "{summary}");
    assert!(lines[0].starts_with("- **support-copilot** (S3): Of 50 destructive calls 3 run, "), "{}", lines[0]);
}

#[test]
fn a_missing_template_is_named() {
    let error = render::html(&sample("empty"), &Templates { files: &[] }).unwrap_err();
    assert_eq!(error.to_string(), "the template `report.css` is missing");
}

/// Templates of the user's own.
fn own(files: &[(&str, &str)]) -> Result<Own, OwnError> {
    Own::of(files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect())
}

fn with(name: &str, files: &[(&str, &str)]) -> Result<String, String> {
    let own = own(files).map_err(|error| error.to_string())?;
    let edition = Edition { own, ..Edition::default() };
    render::html_edition(&sample(name), &templates(), &edition).map_err(|error| error.to_string())
}

#[test]
fn each_place_of_the_page_can_be_filled() {
    for (slot, _) in render::SLOTS {
        let css = slot == "style.css";
        let page = with(
            "story",
            &[(slot, if css { ".mine{color:red}" } else { "<p>mine {{ assessment.assets|length }}</p>" })],
        );
        let page = page.unwrap();
        let count = sample("story").assets.len();
        let wanted = if css { ".mine{color:red}".to_owned() } else { format!("<p>mine {count}</p>") };
        assert_eq!(page.matches(&wanted).count(), 1, "{slot}");
        let (css, policy) =
            (between(&page, "<style>", "</style>"), between(&page, "Content-Security-Policy\" content=\"", "\">"));
        let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(css.as_bytes()));
        let policy = policy.replace("&#x27;", "'").replace("&#x2f;", "/");
        assert!(policy.starts_with(&format!("default-src 'none'; style-src 'sha256-{hash}'")), "{slot}: {policy}");
        assert_eq!(page.contains("<h1"), slot != "body.html", "{slot}");
        assert_eq!(page.contains("DEADSTOP</p>"), slot != "body.html" && slot != "brand.html", "{slot}");
        assert_eq!(page.contains("Deadstop report of a"), slot != "body.html" && slot != "footer.html", "{slot}");
    }
    // A body of one's own may take the built-in sections.
    let body = "{% include \"symbols.html\" %}<main>{% include \"verdict.html\" %}{% include \"paths.html\" %}{% include \"_x.html\" %}</main>";
    let page = with("story", &[("body.html", body), ("_x.html", "<p>{{ v.title }}</p>")]).unwrap();
    assert!(page.contains("<h1") && page.contains("data-asset=") && !page.contains("Sign-off"));
}

#[test]
fn hostile_names_are_as_harmless_in_a_template_of_ones_own() {
    let text = "{% macro all(x) %}{% if x is mapping %}{% for k, y in x|items %}<b title=\"{{ k }}\">{{ all(y) }}</b>{% endfor %}{% elif x is string or x is number %}<i title='{{ x }}'>{{ x }}</i>{% elif x is iterable %}{% for y in x %}{{ all(y) }}{% endfor %}{% endif %}{% endmacro %}<div>{{ all(assessment) }}</div>";
    let page = with("hostile", &[("cover.html", text)]).unwrap();
    let cover = between(&page, "<main id=\"main\">", "<section class=\"verdict\"");
    assert!(cover.len() > 10_000);
    for bad in ["<script", "<img", "\u{202e}", "\u{2066}", "\u{1b}", "\u{7}", "\u{0}", "\"><b>", "' onload"] {
        assert!(!cover.contains(bad), "{bad:?}");
    }
    assert!(cover.contains("&lt;script&gt;") && cover.contains("\\u{202e}"));
}

#[test]
fn escaping_cannot_be_switched_off_and_no_tag_asks_for_anything() {
    let first = "{{ assessment.assets[0].name }}";
    for (text, why) in [
        ("{{ assessment.assets[0].name|safe }}".to_owned(), "safe"),
        (format!("{{% autoescape false %}}{first}{{% endautoescape %}}"), "always escaped"),
        (format!("{{% autoescape 'none' %}}{first}{{% endautoescape %}}"), "always escaped"),
        ("{{ assessment }}".to_owned(), "cannot be shown as text"),
        ("{{ assessment.assets }}".to_owned(), "cannot be shown as text"),
        ("<script>1</script>".to_owned(), "<script>"),
        ("<{{ 'scr' ~ 'ipt' }}>".to_owned(), "<script>"),
        ("{% set lt %}<{% endset %}{{ lt }}script>".to_owned(), "<script>"),
        ("{% set lt %}<{% endset %}{{ ('<script>'|e)|replace('&lt;', lt) }}".to_owned(), "<script"),
        ("<META http-equiv='refresh' content='0;url=https://x.example'>".to_owned(), "<META>"),
        ("<link rel=preconnect href=https://x.example>".to_owned(), "<link>"),
        ("<base href='https://x.example'>".to_owned(), "<base>"),
        ("<iframe src=x></iframe>".to_owned(), "<iframe>"),
        ("<form action=x>".to_owned(), "<form>"),
        ("<svg><image href=x /></svg>".to_owned(), "<image>"),
        ("<style>a{}</style>".to_owned(), "<style>"),
        ("</style><p>".to_owned(), "<style>"),
        ("<!-- x".to_owned(), "<!-->"),
        ("<\0script>".to_owned(), "which the page may not have"),
        ("</body><body>".to_owned(), "<body>"),
    ] {
        let told = with("hostile", &[("cover.html", &text)]).unwrap_err();
        assert!(told.contains(why), "{text}: {told}");
        assert!(!told.chars().any(char::is_control), "{told:?}");
    }
    // What is escaped and taken apart again is held to the same tags.
    let page = with("hostile", &[("cover.html", "<p>{{ assessment.assets[0].name|e|upper }}</p>")]).unwrap();
    assert!(!page.contains("<SCRIPT"));
}

#[test]
fn no_template_goes_on_for_ever_or_reads_a_file() {
    for text in [
        "{% for a in range(10000) %}{% for b in range(10000) %}x{% endfor %}{% endfor %}",
        "{% set n = namespace(x='xxxxxxxxxxxxxxxx') %}{% for a in range(100) %}{% set n.x = n.x ~ n.x %}{% endfor %}{{ n.x }}",
        "{{ 'x' * 99999999 * 99 }}",
        "{{ range(99999)|map('string')|list * 99999 }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
        "{% include \"cover.html\" %}",
        "{% extends \"cover.html\" %}",
        "{% include \"../report.html\" %}",
        "{% include \"/etc/passwd\" %}",
        "{% include \"report.css\" %}",
        "{{ nothing_of_that_name }}",
        "{{ assessment.assets[99999].name }}",
    ] {
        let started = std::time::Instant::now();
        let told = with("story", &[("cover.html", text)]).unwrap_err();
        assert!(told.contains("cover.html") || told.contains("recursion"), "{text}: {told}");
        assert!(started.elapsed().as_secs() < 120, "{text}");
    }
}

#[test]
fn what_is_no_template_is_refused_with_its_place() {
    for (files, why) in [
        (&[("cover.html", "<p>\n{% if %}\n</p>")][..], "`cover.html`, line 2: "),
        (&[("_a.html", "\n\n{{ a")], "`_a.html`, line 3: "),
        (&[("cver.html", "")], "`cver.html` fills no place of the page (`cover.html`?)"),
        (&[("verdict.html", "")], "`verdict.html` fills no place of the page"),
        (&[("../cover.html", "")], "fills no place"),
        (&[("style.css", "a{}\n</style>")], "`style.css`, line 2: "),
    ] {
        let told = own(files).unwrap_err().to_string();
        assert!(told.contains(why), "{told}");
    }
    let large = "x".repeat(300_000);
    assert!(own(&[("cover.html", &large)]).unwrap_err().to_string().contains("larger than 256 KiB"));
    let many: Vec<(String, String)> = (0..65).map(|at| (format!("_{at}.html"), String::new())).collect();
    assert!(Own::of(many).is_err());
}

#[test]
fn the_largest_page_fits_into_what_a_page_may_cost() {
    let edition =
        Edition { own: own(&[("cover.html", "<p>{{ assessment.paths|length }}</p>")]).unwrap(), ..Edition::default() };
    let page = render::html_edition(&large(), &templates(), &edition).unwrap();
    assert!(page.contains("<p>10000</p>"));
}
