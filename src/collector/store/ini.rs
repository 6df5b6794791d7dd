//! Settings in sections, and settings without any (floor 5). What many tools write without an agreed form is read as
//! widely as their own readers do.

/// One section: its name, and its settings with their lines.
pub(super) struct Section<'a> {
    pub(super) name: &'a str,
    pub(super) settings: Vec<(&'a str, &'a str, u64)>,
}

impl<'a> Section<'a> {
    pub(super) fn get(&self, key: &str) -> Option<(&'a str, u64)> {
        self.settings.iter().find(|(name, ..)| name.eq_ignore_ascii_case(key)).map(|(_, value, line)| (*value, *line))
    }
}

/// The sections of a text. What stands before the first has a section without a name. A key ends at the first `=` or
/// `:`.
pub(super) fn sections(text: &str) -> Vec<Section<'_>> {
    parted(text, |line| line.split_once(['=', ':']))
}

/// The settings of a text without sections, in which a key may hold a colon: it ends at the first `=` if there is one.
pub(super) fn properties(text: &str) -> Vec<Section<'_>> {
    parted(text, |line| line.split_once('=').or_else(|| line.split_once(':')))
}

fn parted(text: &str, split: fn(&str) -> Option<(&str, &str)>) -> Vec<Section<'_>> {
    let mut all: Vec<Section<'_>> = Vec::new();
    for (number, line) in (1_u64..).zip(text.lines()) {
        let line = line.trim();
        if line.starts_with(['#', ';', '!']) {
            continue;
        }
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            all.push(Section { name: name.trim(), settings: Vec::new() });
        } else if let Some((key, value)) = split(line)
            && !key.trim().is_empty()
        {
            if all.is_empty() {
                all.push(Section { name: "", settings: Vec::new() });
            }
            if let Some(section) = all.last_mut() {
                section.settings.push((key.trim(), bare(value), number));
            }
        }
    }
    all
}

/// A value without the quotes around it.
fn bare(value: &str) -> &str {
    let value = value.trim();
    let inner = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    inner.unwrap_or(value)
}
