//! Takes from a store the values that its entry names (floor 5), with what stands beside them: whose they are, until when,
//! and whether something renews them. None of it is believed further than to be shown.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use deadstop_core::time::Time;
use serde_json::{Map, Value};

use super::cloud::kind_at;
use super::listed::{Entry, Field, Form, Holds};
use super::{Context, ini, xml};
use crate::collector::document;
use crate::collector::find::{Find, Finds};
use crate::collector::hosts::kind_beside;
use crate::collector::jwt;
use crate::collector::scan::is_dummy;
use crate::secret::Secret;

/// The most values that one field is taken for in one file. A file with more was made to keep us busy, and
/// is not understood.
const MOST: usize = 2_000;
/// The longest secret that a file is taken for. A longer file is not understood.
const LONGEST_TOKEN: usize = 16 << 10;
/// The longest text beside a credential that is shown.
const LONGEST: usize = 120;

/// What a file says, with the lines of those values of which the form tells them.
pub(super) struct Tree {
    pub(super) value: Value,
    pub(super) lines: BTreeMap<Vec<String>, u64>,
}

impl Tree {
    fn of(value: Value) -> Self {
        Self { value, lines: BTreeMap::new() }
    }
}

/// Parses the file and takes what the entry names. `false` says that it has not the form its name promises.
pub(super) fn parse(context: &Context<'_>, entry: &Entry, text: &str, out: &mut Finds) -> bool {
    if entry.form == Form::Token {
        return token(context, entry, text, out);
    }
    let Some(trees) = trees(entry.form, text) else { return false };
    let mut whole = true;
    for tree in &trees {
        for field in &entry.fields {
            let parts: Vec<&str> = field.at.split('/').collect();
            let mut hits = Vec::new();
            let top = Place { value: &tree.value, beside: &tree.value };
            walk(&top, &parts, &mut Vec::new(), &mut hits);
            whole &= hits.len() < MOST;
            for (path, place) in hits {
                out.dummies += u64::from(!take(context, entry, field, tree, &path, &place, text, out));
            }
        }
    }
    whole
}

fn trees(form: Form, text: &str) -> Option<Vec<Tree>> {
    match form {
        Form::Json => document::json(text).map(|value| vec![Tree::of(value)]),
        Form::Toml => document::toml(text).map(|value| vec![Tree::of(value)]),
        Form::Yaml => document::yaml(text).map(|all| all.into_iter().map(Tree::of).collect()),
        Form::Xml => xml::tree(text).map(|tree| vec![tree]),
        Form::Ini => Some(vec![settings(&ini::sections(text), true)]),
        Form::Properties => Some(vec![settings(&ini::properties(text), false)]),
        Form::Text | Form::Database | Form::Token | Form::Sealed | Form::Own(_) => None,
    }
}

/// Sections as objects of an object; settings without a section stand at the top.
fn settings(sections: &[ini::Section<'_>], lower: bool) -> Tree {
    let (mut top, mut lines) = (Map::new(), BTreeMap::new());
    for section in sections {
        for (key, value, line) in &section.settings {
            let key = if lower { key.to_ascii_lowercase() } else { (*key).to_owned() };
            let mut path = vec![key.clone()];
            let inner = if section.name.is_empty() {
                Some(&mut top)
            } else {
                path.insert(0, section.name.to_owned());
                top.entry(section.name).or_insert_with(|| Value::Object(Map::new())).as_object_mut()
            };
            // The first counts; a setting without a value only resets what stood before it.
            let fresh = |inner: &&mut Map<String, Value>| inner.get(&key).is_none_or(|held| held.as_str() == Some(""));
            if let Some(inner) = inner.filter(fresh) {
                inner.insert(key, Value::String((*value).to_owned()));
                lines.insert(path, *line);
            }
        }
    }
    Tree { value: Value::Object(top), lines }
}

/// A value, with the object that it stands in.
#[derive(Clone, Copy)]
struct Place<'a> {
    value: &'a Value,
    beside: &'a Value,
}

/// Everything that a way leads to. Lists are gone through without a part of their own.
fn walk<'a>(place: &Place<'a>, parts: &[&str], path: &mut Vec<String>, out: &mut Vec<(Vec<String>, Place<'a>)>) {
    if out.len() >= MOST {
        return;
    }
    match (place.value, parts.split_first()) {
        (Value::Array(items), _) => {
            for (at, item) in items.iter().enumerate() {
                path.push(at.to_string());
                walk(&Place { value: item, beside: place.beside }, parts, path, out);
                path.pop();
            }
        }
        (Value::Object(inner), Some((part, rest))) => {
            let fitting = inner.iter().filter(|(key, _)| super::listed::fits(key, part));
            for (key, value) in fitting {
                path.push(key.clone());
                walk(&Place { value, beside: place.value }, rest, path, out);
                path.pop();
            }
        }
        (Value::String(text), None) if !text.trim().is_empty() => out.push((path.clone(), *place)),
        _ => {}
    }
}

/// What a way leads to from the object beside a credential, or from the top after a `/`.
fn beside<'a>(tree: &'a Tree, place: &Place<'a>, way: &str) -> Option<&'a Value> {
    let (from, way) = way.strip_prefix('/').map_or((place.beside, way), |rest| (&tree.value, rest));
    way.split('/').try_fold(from, |value, key| value.get(key)).filter(|value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Object(inner) => !inner.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    })
}

/// Adds one credential; `false` says that its value is one that documentation made up.
#[expect(clippy::too_many_arguments, reason = "what is known of one value, from the file down to the value")]
fn take(
    context: &Context<'_>,
    entry: &Entry,
    field: &Field,
    tree: &Tree,
    path: &[String],
    place: &Place<'_>,
    text: &str,
    out: &mut Finds,
) -> bool {
    let value = place.value.as_str().unwrap_or_default().trim();
    if refers(value) {
        return true;
    }
    if is_dummy(value.as_bytes()) {
        return false;
    }
    let last = path.last().map_or("", String::as_str);
    let line = tree.lines.get(path).copied().or_else(|| context.line_of(text, last, value));
    let provider = field.provider.as_deref().unwrap_or(&entry.provider);
    let servers = field.servers.iter().filter_map(|way| beside(tree, place, way)?.as_str());
    let kind = servers.fold(kind_at(provider, path, &field.kind), |kind, server| kind_beside(provider, kind, server));
    let mut find = context.find(provider, kind, value, line, &path.join("."));
    find.renewable = field.renews || field.renewed_by.as_deref().is_some_and(|way| beside(tree, place, way).is_some());
    let stated = field.expires.as_deref().and_then(|way| moment(beside(tree, place, way)?));
    find.expires = stated.or_else(|| jwt::expires(value.as_bytes()));
    let account = field.account.as_deref().and_then(|way| beside(tree, place, way)?.as_str());
    find.account = account.and_then(plain);
    let id = field.id.as_deref().and_then(|way| Some((way, beside(tree, place, way)?.as_str()?.trim())));
    if let Some((way, id)) = id {
        find.public_id = plain(id).or_else(|| is_id(id).then(|| id.to_owned()));
        // The id is no further secret, whatever the name that it stands under sounds like; under another name it is one.
        if find.public_id.is_some() {
            let name = way.rsplit('/').next().unwrap_or(way);
            out.ids.push((name.to_ascii_lowercase(), Secret::new(id.as_bytes())));
        }
        // Only AWS gives such ids, so that a secret beside one is AWS's, whatever tool keeps it.
        if is_aws_id(id) {
            "aws".clone_into(&mut find.provider);
            "access_key".clone_into(&mut find.kind);
            // Its place is that of the id, where it is seen without the file's form, too.
            let mut to_id = path.to_vec();
            to_id.pop();
            to_id.push(way.to_owned());
            let line = tree.lines.get(&to_id).copied().or_else(|| context.line_of(text, way, id));
            find.spot = context.spot(line, &to_id.join("."));
        }
    }
    let mut told: Vec<String> = field
        .tells
        .iter()
        .filter_map(|way| {
            let name = way.rsplit('/').next().unwrap_or(way);
            Some(format!("{} {}", name.replace('_', " "), shown(beside(tree, place, way)?)?))
        })
        .collect();
    told.extend(held(field.holds, last, value, &mut find));
    if told.is_empty() {
        told.extend(jwt::says(value.as_bytes()));
    }
    find.scope = (!told.is_empty()).then(|| told.join(", "));
    out.finds.push(find);
    true
}

/// What the way in which a value holds its secret tells, with what is no secret taken out of the find.
fn held(holds: Holds, key: &str, value: &str, find: &mut Find) -> Option<String> {
    match holds {
        Holds::Secret => None,
        Holds::Login => {
            let login = String::from_utf8(STANDARD.decode(value).ok()?).ok()?;
            let user = plain(login.split_once(':')?.0)?;
            Some(format!("user {user}"))
        }
        Holds::File => {
            find.secret = None;
            Some(format!("by the file that `{key}` names"))
        }
        Holds::Helper => {
            find.secret = None;
            let program = value.trim_start_matches('!').split_whitespace().find(|word| !word.contains('='));
            let program = program.and_then(plain).unwrap_or_else(|| "named there".to_owned());
            Some(format!("whatever the program {program} gives; it was not run"))
        }
    }
}

/// The file is the secret, one line or many.
fn token(context: &Context<'_>, entry: &Entry, text: &str, out: &mut Finds) -> bool {
    let secret = text.trim();
    if secret.is_empty() || secret.len() > LONGEST_TOKEN {
        return secret.is_empty();
    }
    let above = text.lines().take_while(|line| line.trim().is_empty()).count();
    let name = context.path.rsplit('/').next().unwrap_or_default();
    let kind = entry.kind.as_deref().unwrap_or("token");
    let mut find = context.find(&entry.provider, kind, secret, u64::try_from(above + 1).ok(), name);
    find.expires = jwt::expires(secret.as_bytes());
    find.scope = jwt::says(secret.as_bytes());
    out.finds.push(find);
    true
}

/// Whether a value stands for one that is elsewhere: `${NPM_TOKEN}`, `$TOKEN`, `%TOKEN%`, `{{ token }}`.
fn refers(value: &str) -> bool {
    value.starts_with('$') || value.contains("${") || value.contains("{{") || {
        let inner = value.strip_prefix('%').and_then(|rest| rest.strip_suffix('%'));
        inner.is_some_and(|name| name.bytes().all(super::super::scan::in_name))
    }
}

/// A value beside a credential that may be shown: a name, an address, an id; nothing that looks like a secret.
fn shown(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => plain(text),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A text that is no more than a name, an address or an id.
pub(crate) fn plain(text: &str) -> Option<String> {
    let text = text.trim();
    let sound = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | '@' | ':' | '/' | '+' | ' ');
    let login = text.contains("://") && text.contains('@');
    let secret = text.split(['@', '/', ':', ' ']).any(|part| !is_uuid(part) && super::super::mask::looks_secret(part));
    let fits = !text.is_empty() && text.len() <= LONGEST && text.chars().all(sound);
    (fits && !login && !secret).then(|| text.to_owned())
}

/// Whether a value has the form of an id that providers give keys, in capitals and digits: `SCW…`, `AKIA…`.
fn is_id(text: &str) -> bool {
    (10..=24).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// Whether this is the id of an AWS access key (IAM User Guide, `reference_identifiers`).
fn is_aws_id(text: &str) -> bool {
    let known = ["AKIA", "ASIA"].iter().any(|prefix| text.starts_with(prefix));
    known && text.len() == 20 && text.bytes().all(|byte| byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte))
}

/// Whether a text is a UUID, as tenants, subscriptions and clients are named by.
fn is_uuid(text: &str) -> bool {
    let lengths = text.split('-').map(str::len);
    text.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') && lengths.eq([8, 4, 4, 4, 12])
}

/// A moment in the forms in which tools write one: RFC 3339, the same with a space, and seconds or milliseconds since
/// 1970.
pub(super) fn moment(value: &Value) -> Option<Time> {
    let number = match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().and_then(whole))?,
        Value::String(text) => match text.trim().parse::<i64>() {
            Ok(number) => number,
            Err(_) => return written(text.trim()),
        },
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    // No token made so far ends before 2001, and none in milliseconds before 1973.
    (number > 1_000_000_000).then(|| Time::from_unix(if number > 100_000_000_000 { number / 1_000 } else { number }))
}

#[expect(clippy::cast_possible_truncation, reason = "bounded just before")]
fn whole(number: f64) -> Option<i64> {
    (number.abs() < 9e15).then_some(number as i64)
}

fn written(text: &str) -> Option<Time> {
    let text = text.replacen(' ', "T", 1);
    let text = text.strip_suffix("UTC").unwrap_or(&text);
    // Without a zone it is UTC: told first, as a moment that is cut short is taken for its day.
    format!("{text}Z").parse().or_else(|_| text.parse()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_in_every_form() {
        let at = |value: Value| moment(&value).map(Time::unix);
        assert_eq!(at(Value::from(1_793_000_000)), Some(1_793_000_000));
        assert_eq!(at(Value::from(1_793_000_000_000_i64)), Some(1_793_000_000));
        assert_eq!(at(Value::from("1793000000")), Some(1_793_000_000));
        for text in [
            "2026-10-26T07:33:20Z",
            "2026-10-26T07:33:20UTC",
            "2026-10-26 07:33:20.123456",
            "2026-10-26T08:33:20+01:00",
        ] {
            assert_eq!(at(Value::from(text)), Some(1_793_000_000), "{text}");
        }
        assert_eq!(at(Value::from("soon")), None);
        assert_eq!(at(Value::from(3_600)), None);
    }

    #[test]
    fn what_looks_like_a_secret_is_not_shown_beside_one() {
        assert_eq!(plain("anna@example.test").as_deref(), Some("anna@example.test"));
        assert_eq!(
            plain("0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f").as_deref(),
            Some("0a1b2c3d-0a1b-2c3d-4e5f-0a1b2c3d4e5f")
        );
        for text in ["Zk7Qm2Xw9Rt4Lp8Vb3Nc6", "https://anna:word@host", "a\nb", ""] {
            assert_eq!(plain(text), None, "{text}");
        }
    }

    #[test]
    fn references_are_no_values() {
        for text in ["${NPM_TOKEN}", "$TOKEN", "%TOKEN%", "{{ token }}", "Bearer ${X}"] {
            assert!(refers(text), "{text}");
        }
        assert!(!refers("a$b") && !refers("50%"));
    }
}
