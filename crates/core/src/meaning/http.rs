//! Requests of HTTP: by method, host and path, and by the mutations of GraphQL (floor 2).

mod clients;

use serde::Deserialize;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::interpret::{Reader, operations};
use super::syntax::Word;
use super::{Target, sql};
use crate::catalogue;
use crate::pattern;
use crate::time::Time;

const DATA: &str = include_str!("../../data/requests.yaml");

/// The requests of one API.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Api {
    pub(super) provider: String,
    pub(super) source: String,
    #[cfg_attr(not(test), expect(dead_code, reason = "when the group was reviewed is asked by its tests"))]
    pub(super) reviewed: Time,
    pub(super) hosts: Vec<String>,
    #[serde(default)]
    pub(super) reads: bool,
    /// Method, path, operation.
    pub(super) requests: Vec<(String, String, String)>,
}

static APIS: LazyLock<Vec<Api>> = LazyLock::new(|| serde_yaml::from_str(DATA).unwrap_or_default());

/// Hosts that take GraphQL (docs.railway.com/integrations/api).
const GRAPHQL: [&str; 3] = ["backboard.railway.com", "backboard.railway.app", "backboard.railway.xyz"];
const GRAPHQL_SOURCE: &str = "https://docs.railway.com/integrations/api";

impl Reader<'_> {
    /// One request.
    pub(super) fn request(&mut self, method: &str, url: &Word, body: Option<&Word>) {
        let (host, path) = split(&url.text);
        if GRAPHQL.contains(&host) {
            return self.graphql(body);
        }
        let lower = host.to_lowercase();
        if lower.ends_with("upstash.io") || lower.contains("upstash_redis") {
            return self.upstash(path, body);
        }
        if lower.ends_with("amazonaws.com") {
            return self.aws_request(method, host, path);
        }
        if host == "api.supabase.com" && path.ends_with("/database/query") && method == "POST" {
            return self.query(body);
        }
        self.known(method, host, path, host.contains('$') || host.is_empty());
    }

    /// A request by the table.
    fn known(&mut self, method: &str, host: &str, path: &str, open: bool) {
        let path = path.split(['?', '#']).next().unwrap_or(path);
        let mut answered = false;
        for api in APIS.iter().filter(|api| api.hosts.iter().any(|wanted| pattern::matches(wanted, host))) {
            for (wanted, template, action) in &api.requests {
                let Some(names) = fits(template, path).filter(|_| wanted == method) else { continue };
                let (action, sure) = action.strip_prefix('?').map_or((action.as_str(), true), |action| (action, false));
                self.meaning.amount(&api.provider, action, names, sure, &api.source);
                if !sure {
                    self.doubt("what the request asks for is not in the text");
                }
                answered = true;
            }
            answered |= api.reads && !open && ["GET", "HEAD"].contains(&method);
        }
        if !answered {
            self.doubt("what this request does is not in the catalogue");
        }
    }

    /// The mutations of a GraphQL document.
    fn graphql(&mut self, body: Option<&Word>) {
        let any = |reader: &mut Self, why: &str| reader.possible("railway", GRAPHQL_SOURCE, why);
        let Some(body) = body.filter(|body| !body.open && !body.text.starts_with('@')) else {
            return any(self, "the mutation is not in the text");
        };
        let json: Option<serde_json::Value> = serde_json::from_str(&body.text).ok();
        let document = json.as_ref().and_then(|json| json.get("query")?.as_str()).unwrap_or(&body.text).to_owned();
        let variables = json.as_ref().and_then(|json| json.get("variables"));
        self.document(&document, variables);
    }

    /// The mutations of a document that is text.
    pub(super) fn document(&mut self, document: &str, variables: Option<&serde_json::Value>) {
        let fields = mutations(document);
        if document.contains("...") {
            self.possible("railway", GRAPHQL_SOURCE, "the document uses fragments");
        }
        for (field, arguments) in fields {
            if !catalogue::actions().iter().any(|action| action.provider == "railway" && action.action == field) {
                self.doubt("a mutation in it is not in the catalogue");
                continue;
            }
            let mut names: BTreeSet<String> = strings(&arguments).into_iter().collect();
            if arguments.contains('$') {
                match variables {
                    Some(held) => texts(held, &mut names),
                    None => names.clear(),
                }
            }
            let target = if names.is_empty() { Target::Any } else { Target::Named(names) };
            self.meaning.amount("railway", &field, target, true, GRAPHQL_SOURCE);
        }
        let plain = document.trim_start();
        if mutations(document).is_empty() && !plain.starts_with("query") && !plain.starts_with('{') {
            self.possible("railway", GRAPHQL_SOURCE, "what the document asks for is not plain to see");
        }
    }

    fn upstash(&mut self, path: &str, body: Option<&Word>) {
        let words: Vec<Word> = path
            .split(['?', '#'])
            .next()
            .unwrap_or_default()
            .split('/')
            .filter(|p| !p.is_empty())
            .map(Word::known)
            .collect();
        if words.is_empty() || body.is_some() || words.first().is_some_and(|word| word.text.contains("pipeline")) {
            return self.possible(
                "redis",
                "https://upstash.com/docs/redis/features/restapi",
                "the command of Redis is not in the text",
            );
        }
        let line = words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
        self.language(
            super::forms::Language::Redis,
            Some(&Word::known(&line)),
            "https://upstash.com/docs/redis/features/restapi",
        );
    }

    /// `?Action=…` of the query protocol, or an object of S3.
    fn aws_request(&mut self, method: &str, host: &str, path: &str) {
        let parts: Vec<&str> = host.split('.').collect();
        let at = parts.iter().position(|part| *part == "s3" || part.starts_with("s3-"));
        let source = "https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html";
        if let Some(at) = at {
            let bucket = parts.get(..at).filter(|own| !own.is_empty()).map(|own| own.join("."));
            let (place, query) = path.split_once('?').unwrap_or((path, ""));
            let mut inside = place.split('/').filter(|part| !part.is_empty());
            let bucket = bucket.or_else(|| inside.next().map(str::to_owned));
            let key = inside.next().is_some();
            let target = bucket.map_or(Target::Any, |name| Target::Named([name].into()));
            let action = match method {
                "GET" | "HEAD" => return,
                "DELETE" if query.contains("versionId") => "s3:DeleteObjectVersion",
                "DELETE" if key => "s3:DeleteObject",
                "DELETE" if query.is_empty() => "s3:DeleteBucket",
                "PUT" if query.contains("lifecycle") => "s3:PutLifecycleConfiguration",
                "PUT" if key => "s3:PutObject",
                "POST" if query.contains("delete") => "s3:DeleteObject",
                _ => return self.doubt("what this request does is not in the catalogue"),
            };
            return self.meaning.amount("aws", action, target, true, source);
        }
        let query = path.split_once('?').map_or("", |(_, query)| query);
        let pairs: Vec<(&str, &str)> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let action = pairs.iter().find(|(name, _)| *name == "Action").map(|(_, value)| *value);
        let service = parts.first().copied().unwrap_or_default();
        let Some(action) = action else { return self.doubt("the operation of AWS is not in the text") };
        let found = operations(service, action);
        let reads = ["Describe", "List", "Get"].iter().any(|verb| action.starts_with(verb));
        if found.is_empty() && !reads {
            self.doubt("this operation of AWS is not in the catalogue");
        }
        let noun = action
            .trim_start_matches(|c: char| c.is_ascii_uppercase())
            .trim_start_matches(|c: char| c.is_ascii_lowercase());
        let names = pairs.iter().filter(|(name, _)| name.starts_with(noun) && !noun.is_empty());
        let names: BTreeSet<String> =
            names.map(|(_, value)| (*value).to_owned()).filter(|value| !value.contains('$')).collect();
        for action in found {
            let target = if names.is_empty() { Target::Any } else { Target::Named(names.clone()) };
            self.meaning.amount("aws", &action.action, target, true, &action.reference.clone().unwrap_or_default());
        }
    }

    /// SQL that is sent to Supabase.
    pub(super) fn query(&mut self, body: Option<&Word>) {
        let source = "https://supabase.com/docs/reference/api/v1-run-a-query";
        let text = body.filter(|body| !body.open && !body.text.starts_with('@')).and_then(|body| {
            let json: serde_json::Value = serde_json::from_str(&body.text).ok()?;
            json.get("query")?.as_str().map(str::to_owned)
        });
        let mut inner = super::Meaning::default();
        match &text {
            Some(text) => sql::read(&mut inner, sql::Dialect::Postgres, text, false, source),
            None => sql::unread(&mut inner, sql::Dialect::Postgres, source),
        }
        self.run_query(inner, source);
    }

    /// SQL that the provider itself runs is its operation.
    pub(super) fn run_query(&mut self, inner: super::Meaning, source: &str) {
        if !inner.amounts.is_empty() {
            let sure = inner.amounts.iter().any(|amount| amount.sure);
            self.meaning.amount("supabase", "runQuery", Target::Any, sure, source);
        } else if !inner.doubts.is_empty() {
            self.meaning.amount("supabase", "runQuery", Target::Any, false, source);
        }
        for doubt in inner.doubts {
            self.doubt(doubt);
        }
    }
}

/// The host and the path of an address.
fn split(url: &str) -> (&str, &str) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, path) = rest.split_at(at);
    let host = host.rsplit('@').next().unwrap_or(host);
    (host.split(':').next().unwrap_or(host), path)
}

fn path_of(url: &str) -> &str {
    split(url).1
}

/// Whether a path is of a form, with the name that it gives.
fn fits(template: &str, path: &str) -> Option<Target> {
    let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
    let wanted: Vec<&str> = template.trim_matches('/').split('/').collect();
    let mut name: Option<&str> = None;
    for (at, part) in wanted.iter().enumerate() {
        match (*part, parts.get(at)) {
            ("**", _) => return Some(named(name)),
            ("*", Some(given)) if !given.is_empty() => name = Some(given),
            (fixed, Some(given)) if fixed == *given => {}
            _ => return None,
        }
    }
    (parts.len() == wanted.len()).then(|| named(name))
}

fn named(name: Option<&str>) -> Target {
    match name {
        Some(name) if !name.contains('$') => Target::Named([name.to_owned()].into()),
        Some(_) | None => Target::Any,
    }
}

/// The fields of every mutation of a document, each with its arguments as written.
fn mutations(document: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = document;
    while let Some(at) = rest.find("mutation") {
        let after = rest.get(at + "mutation".len()..).unwrap_or_default();
        rest = after;
        let Some(open) = after.find('{') else { break };
        let (mut depth, mut word, mut arguments, mut quoted) = (1_usize, String::new(), String::new(), false);
        let (mut brackets, mut pending): (usize, Option<String>) = (0, None);
        for c in after.chars().skip(after.get(..open).map_or(0, |head| head.chars().count()) + 1) {
            if brackets > 0 {
                match c {
                    '"' => quoted = !quoted,
                    '(' if !quoted => brackets += 1,
                    ')' if !quoted => brackets -= 1,
                    _ => {}
                }
                arguments.push(c);
                continue;
            }
            let ends = !(c.is_alphanumeric() || c == '_');
            if ends && !word.is_empty() {
                if c == ':' {
                    word.clear();
                    continue;
                }
                if depth == 1 {
                    found.extend(pending.take().map(|field| (field, std::mem::take(&mut arguments))));
                    pending = Some(std::mem::take(&mut word));
                }
                word.clear();
            }
            match c {
                '(' => brackets = 1,
                '{' => depth += 1,
                '}' => {
                    depth -= 1;
                    if depth == 0 {
                        break;
                    }
                }
                _ if !ends => word.push(c),
                _ => {}
            }
        }
        found.extend(pending.take().map(|field| (field, arguments)));
    }
    found
}

/// The quoted strings of a text.
fn strings(text: &str) -> Vec<String> {
    text.replace("\\\"", "\"").split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

fn texts(value: &serde_json::Value, found: &mut BTreeSet<String>) {
    match value {
        serde_json::Value::String(text) => {
            found.insert(text.clone());
        }
        serde_json::Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        serde_json::Value::Object(map) => map.values().for_each(|item| texts(item, found)),
        serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_requests_are_read_whole_and_name_operations_of_the_catalogue() {
        let apis: Vec<Api> = serde_yaml::from_str(DATA).unwrap();
        assert!(apis.len() > 15);
        let known = catalogue::actions();
        for api in &apis {
            assert!(api.source.starts_with("https://") && api.reviewed > "2026-01-01".parse().unwrap());
            for (_, _, action) in &api.requests {
                let action = action.trim_start_matches('?');
                let local = api.provider == super::super::MACHINE
                    && super::super::LOCAL.iter().any(|(name, _)| *name == action);
                assert!(
                    local || known.iter().any(|one| one.provider == api.provider && one.action == action),
                    "{action}"
                );
            }
        }
    }

    #[test]
    fn mutations_are_found_by_their_fields() {
        for (document, wanted) in [
            ("mutation { volumeDelete(volumeId: \"5f1c\") }", "volumeDelete"),
            (
                "mutation M($id: String!) { a: volumeDelete(volumeId: $id) b: serviceDelete(id: \"x\") { id } }",
                "volumeDelete serviceDelete",
            ),
            ("query { me { id } }", ""),
            ("mutation{projectDelete(id:\"a) mutation { x }\")}", "projectDelete x"),
        ] {
            let found: Vec<String> = mutations(document).into_iter().map(|(field, _)| field).collect();
            assert_eq!(found.join(" "), wanted, "{document}");
        }
    }
}
