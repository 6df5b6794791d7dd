//! The report as one HTML file (floor 3): no script, no request, every value escaped by minijinja.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, Value};
use minijinja::{UndefinedBehavior, context};
use sha2::{Digest, Sha256};

use super::view::View;
use super::{Edition, Logo, RenderError, Templates, own};
use crate::assessment::Assessment;

/// Where the style sheet leaves room for the line at the foot of each printed page.
const FOOT: &str = "\"deadstop-foot\"";

/// Renders the report. The same assessment gives the same bytes.
///
/// # Errors
/// If a template is missing or wrong.
pub fn html(assessment: &Assessment, templates: &Templates) -> Result<String, RenderError> {
    html_edition(assessment, templates, &Edition::default())
}

/// Renders an edition of the report, which says what it leaves out.
///
/// # Errors
/// If a template is missing or wrong.
pub fn html_edition(assessment: &Assessment, templates: &Templates, edition: &Edition) -> Result<String, RenderError> {
    let view = View::edition(assessment, edition.audience, edition.changes.as_ref());
    let logo = edition.logo.as_ref().map(Logo::uri);
    let own = &edition.own;
    let mut css = templates.get("report.css")?.trim_end().replace(FOOT, &css_string(&view.foot));
    if !own.css().is_empty() {
        css = format!("{css}\n{}", own.css().trim_end());
    }
    let pictures = if logo.is_some() { "img-src data:; " } else { "" };
    let csp = format!(
        "default-src 'none'; {pictures}style-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        STANDARD.encode(Sha256::digest(css.as_bytes()))
    );
    templates.get("report.html")?;
    let mut environment = own::environment(own);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment
        .set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build()?);
    for (name, text) in templates.files.iter().filter(|(name, _)| name.ends_with(".html")) {
        environment.add_template(name, text)?;
    }
    own.join(&mut environment)?;
    let page = environment.get_template("report.html")?.render(context! {
        v => Value::from(Serde(&view)),
        assessment => own.assessment(assessment)?,
        own => own.names(),
        css => Value::from_safe_string(css),
        csp,
        logo,
    })?;
    own.hold(&page)?;
    Ok(page)
}

/// A CSS string of any text: all but plain letters, digits and spaces is written as its number.
fn css_string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || c == ' ' {
            out.push(c);
        } else {
            out.push_str(&format!("\\{:x} ", u32::from(c)));
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_css_string_cannot_end_early() {
        assert_eq!(css_string("A \"</style>"), "\"A \\22 \\3c \\2f style\\3e \"");
    }
}
