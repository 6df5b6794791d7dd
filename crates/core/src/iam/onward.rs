//! Which actions lead on: to rights of others, or to what a service does in the name of somebody else.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::context::Context;
use super::glob::{Glob, Matched, Wild};
use super::reads::only_reads;

const DATA: &str = include_str!("../../data/iam-onward.txt");

/// Where an action leads, beside what it does itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Nowhere.
    Nowhere,
    /// Perhaps to rights or credentials of others, to code that runs for others, or to what other services keep.
    Anywhere,
    /// To credentials for objects of buckets.
    Objects,
    /// To statements in a database, which may act in the name of a role that the database has, and reach other databases.
    Sql,
    /// To another key for data of the service, which may then be destroyed.
    Keyed,
    /// Perhaps to assets of this service, and to nothing else.
    At(&'static str),
}

/// An action and where it leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leading {
    /// `service:Name`.
    pub action: String,
    /// The name alone, in lower case.
    name: String,
    /// Where it leads.
    pub way: Way,
}

#[derive(Default)]
struct Service {
    /// Whether every action of it was gone through, as of the list's date.
    whole: bool,
    actions: Vec<Leading>,
}

static SERVICES: LazyLock<BTreeMap<&'static str, Service>> = LazyLock::new(|| {
    let mut all: BTreeMap<&'static str, Service> = BTreeMap::new();
    for (service, class, actions) in lines() {
        let Some(way) = way(class) else { continue };
        let of = all.entry(service).or_default();
        of.whole |= class != "reads";
        of.actions.extend(actions.map(|name| Leading {
            action: format!("{service}:{name}"),
            name: format!("{service}:{name}").to_lowercase(),
            way,
        }));
    }
    all
});

fn lines() -> impl Iterator<Item = (&'static str, &'static str, std::str::Split<'static, char>)> {
    DATA.lines().filter(|line| !line.starts_with('#')).filter_map(|line| {
        let (of, actions) = line.split_once(": ")?;
        let (service, class) = of.split_once(' ')?;
        Some((service, class, actions.split(' ')))
    })
}

fn way(class: &'static str) -> Option<Way> {
    match class {
        "harmless" => Some(Way::Nowhere),
        "leads" | "reads" => Some(Way::Anywhere),
        "objects" => Some(Way::Objects),
        "sql" => Some(Way::Sql),
        "keyed" => Some(Way::Keyed),
        _ => class.strip_prefix("at ").map(Way::At),
    }
}

/// The actions that a pattern of actions, in lower case, matches and that lead somewhere.
pub fn lead_on(pattern: &str) -> impl Iterator<Item = &'static Leading> + use<> {
    let service = pattern.split(':').next().unwrap_or_default();
    let named: Vec<&'static Service> = if service.contains(['*', '?']) {
        SERVICES.values().collect()
    } else {
        SERVICES.get(service).into_iter().collect()
    };
    let glob = Glob::new(pattern, Wild::Text, false);
    let context = Context::partial();
    let leads = |leading: &&Leading| leading.way != Way::Nowhere;
    named
        .into_iter()
        .flat_map(|service| &service.actions)
        .filter(leads)
        .filter(move |leading| glob.matches(&leading.name, &context) == Matched::Is(true))
}

/// Whether it is known where all lead that a pattern of actions, in lower case, matches: it only reads, or is of one
/// service that was gone through, and matches something there. What AWS has added to a service since the list was made, a
/// pattern with wildcards matches, too: it is believed as of the list's date, as all is that is known of AWS. An action
/// that is named in full and not in the list is not known.
#[must_use]
pub fn known_onward(pattern: &str) -> bool {
    let service = pattern.split(':').next().unwrap_or_default();
    let glob = Glob::new(pattern, Wild::Text, false);
    let context = Context::partial();
    let matches = |leading: &Leading| glob.matches(&leading.name, &context) == Matched::Is(true);
    only_reads(pattern)
        || SERVICES.get(service).is_some_and(|service| service.whole && service.actions.iter().any(matches))
}

#[cfg(test)]
mod tests;
