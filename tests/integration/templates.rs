//! The page with templates of the user's own.

use std::fs;
use std::os::unix::fs::symlink;

use crate::program::{Place, ran, sources};

fn example() -> String {
    sources().join("docs/examples/templates").to_string_lossy().into_owned()
}

#[test]
fn the_example_is_in_the_page_and_in_nothing_else() {
    let place = Place::new();
    place.expect(0, &["demo", "-o", "plain"]);
    place.expect(0, &["demo", "-o", "own", "--templates", &example()]);
    let page = place.read("own/report.html");
    assert!(page.contains("EXAMPLE AUDIT") && page.contains("--link: #7a1f5c") && page.contains("Example Audit Ltd"));
    assert!(!page.contains("DEADSTOP</p>"));
    for name in place.names("plain").iter().filter(|name| !["report.html", "manifest.json"].contains(&name.as_str())) {
        assert_eq!(place.read(&format!("plain/{name}")), place.read(&format!("own/{name}")), "{name}");
    }
    // The same from a saved assessment, and by the variable.
    place.expect(0, &["report", "own/assessment.json", "-o", "again.html", "--templates", &example()]);
    assert_eq!(page, place.read("again.html"));
    let mut command = place.command(&["report", "own/assessment.json", "-o", "named.html"]);
    assert_eq!(ran(&command.env("DEADSTOP_TEMPLATES", example()).output().unwrap()).code, 0);
    assert_eq!(page, place.read("named.html"));
    place.expect(0, &["verify", "own"]);
}

#[test]
fn names_are_replaced_before_a_template_sees_them() {
    let place = Place::new();
    place.write(
        "t/cover.html",
        "{% for a in assessment.assets %}<p>{{ a.name }} {{ a.key }} {{ a.environment }}</p>{% endfor %}",
    );
    place.expect(0, &["demo", "-o", "plain"]);
    place.expect(0, &["demo", "-o", "own", "--templates", "t", "--redact", "names"]);
    let page = place.read("own/report.html");
    let cover = page.split_once("<main id=\"main\">").unwrap().1.split_once("<section").unwrap().0;
    assert!(cover.contains("<p>asset-1 "), "names are there under other words: {cover}");
    let told: serde_json::Value = serde_json::from_str(&place.read("plain/assessment.json")).unwrap();
    for asset in told["assets"].as_array().unwrap() {
        let key = asset["key"].as_str().unwrap();
        assert!(!cover.contains(key), "{key}");
    }
}

#[test]
fn what_cannot_be_used_is_exit_code_2_before_anything_is_written() {
    let place = Place::new();
    let refused = |why: &str| {
        let ran = place.expect(2, &["demo", "-o", "r", "--templates", "t"]);
        assert!(ran.err.contains(why) && ran.err.lines().count() == 1, "{why}: {}", ran.err);
        assert!(!place.path("r").exists());
    };
    refused("`t` of --templates: No such file");
    place.write("t/notes.txt", "");
    refused("there is no template in it; there may be header.html");
    place.write("t/cover.html", "<p>\n{{ x");
    refused("`t` of --templates: `cover.html`, line 2: ");
    place.write("t/cover.html", "<p>\n{{ x }}");
    refused("`cover.html`, line 2: undefined value");
    place.write("t/cover.html", "<script>1</script>");
    refused("a tag `<script>`");
    place.write("t/cover.html", "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}");
    refused("`cover.html`, line 1: it takes too long");
    place.write("t/coover.html", "");
    refused("`coover.html` fills no place of the page (`cover.html`?)");
    fs::remove_file(place.path("t/coover.html")).unwrap();
    fs::write(place.path("t/cover.html"), [0xff]).unwrap();
    refused("`cover.html` cannot be read");
    fs::remove_file(place.path("t/cover.html")).unwrap();
    place.write("elsewhere.html", "<p>read</p>");
    symlink(place.path("elsewhere.html"), place.path("t/cover.html")).unwrap();
    refused("`cover.html` is no plain file");
    fs::remove_file(place.path("t/cover.html")).unwrap();
    fs::create_dir(place.path("t/cover.html")).unwrap();
    refused("`cover.html` is no plain file");
}

/// What lies in a folder that is looked at is never taken for a template.
#[test]
fn no_template_is_read_from_what_is_looked_at() {
    let place = Place::new();
    for folder in ["work", "work/templates", "."] {
        place.write(&format!("{folder}/cover.html"), "<p>planted</p>");
    }
    place.expect(3, &["run", "work", "--no-env", "-o", "r"]);
    assert!(!place.read("r/report.html").contains("planted"));
}
