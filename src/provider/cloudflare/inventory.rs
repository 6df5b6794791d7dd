//! What lies in an account of Cloudflare: buckets of R2, databases of D1 and namespaces of Workers KV.

use deadstop_core::fact::{Fact, Gap};
use deadstop_core::id::NodeId;
use deadstop_core::model::{Class, CopyKind};
use deadstop_core::time::{Span, Time};
use serde::Deserialize;
use serde_json::Value;

use super::{Account, BUCKETS, DATABASES, LOCK, NAMESPACES, Whole, account_node, pages, succeeded};
use crate::provider::facts::{Facts, Fault};
use crate::provider::platform::{Guard, Kept, Seen, can, names};
use crate::provider::token::{Client, is_id, shown};

#[derive(Deserialize)]
struct Bucket {
    name: String,
}

#[derive(Deserialize)]
struct Rules {
    rules: Option<Vec<Rule>>,
}

#[derive(Deserialize)]
struct Rule {
    enabled: bool,
    prefix: Option<String>,
    condition: Condition,
}

#[derive(Deserialize)]
struct Condition {
    #[serde(rename = "type")]
    kind: String,
    date: Option<Time>,
}

#[derive(Deserialize)]
struct Database {
    uuid: String,
    name: String,
    version: Option<String>,
}

#[derive(Deserialize)]
struct Namespace {
    id: String,
    title: String,
}

/// What an account has of each kind; gives why not all of it is known.
pub(super) fn list(client: &Client<'_>, account: &Account, facts: &mut Facts) -> Option<Gap> {
    let (id, name) = (account.id.as_str(), shown(&account.name));
    let parent = account_node(id);
    let query = [("per_page", "1000")];
    let buckets = client.get_pages::<Bucket>(BUCKETS, &[id], &query, "/result/buckets", ("cursor", next));
    let mut gap = facts.outcome(BUCKETS, &name, buckets.fault);
    for bucket in &buckets.items {
        if is_id(&bucket.name) {
            bucket_of(client, (id, &parent), bucket, facts);
        } else {
            gap = Some(facts.refused(BUCKETS, &name, &Fault::malformed()));
        }
    }
    let databases = pages::<Database>(client, DATABASES, &[id]);
    gap = gap.or(facts.outcome(DATABASES, &name, databases.fault));
    for database in &databases.items {
        if is_id(&database.uuid) {
            database_of((&name, &parent), database, facts);
        } else {
            gap = Some(facts.refused(DATABASES, &name, &Fault::malformed()));
        }
    }
    let namespaces = pages::<Namespace>(client, NAMESPACES, &[id]);
    gap = gap.or(facts.outcome(NAMESPACES, &name, namespaces.fault));
    for namespace in &namespaces.items {
        if is_id(&namespace.id) {
            let node = NodeId(format!("cloudflare:{id}/kv/{}", namespace.id));
            let title = shown(&namespace.title);
            let why = "whether anything is kept of a namespace that was deleted is not documented";
            let asked = (NAMESPACES, name.as_str());
            seen(facts, (node, "kv_namespace", Class::Store), title, (&parent, why), asked);
        } else {
            gap = Some(facts.refused(NAMESPACES, &name, &Fault::malformed()));
        }
    }
    gap
}

fn next(page: &Value) -> Result<Option<String>, Fault> {
    succeeded(page)?;
    let cursor = page.pointer("/result_info/cursor").and_then(Value::as_str);
    Ok(cursor.filter(|cursor| !cursor.is_empty()).map(str::to_owned))
}

/// Adds an asset of which it is not known whether anything brings it back.
fn seen(
    facts: &mut Facts,
    (id, kind, class): (NodeId, &str, Class),
    name: String,
    (parent, unkept): (&NodeId, &str),
    asked: (&str, &str),
) {
    let environment = Fact::Unknown(facts.doubt(&name, "nothing says which environment it belongs to"));
    let copies = Fact::Unknown(facts.doubt(&name, unkept));
    facts.seen(
        Seen { id, kind, class, name, parent: Some(parent), environment, contents: None, copies, holds: None },
        asked,
    );
}

fn bucket_of(client: &Client<'_>, (account, parent): (&str, &NodeId), bucket: &Bucket, facts: &mut Facts) {
    let (node, name) = (NodeId(format!("cloudflare:{account}/r2/{}", bucket.name)), shown(&bucket.name));
    let asked = (LOCK, name.as_str());
    let why = "whether anything is kept of an object that was deleted is not documented";
    seen(facts, (node.clone(), "bucket", Class::Bucket), name.clone(), (parent, why), (BUCKETS, account));
    let rules = client.get_object::<Whole<Rules>>(LOCK, &[account, &bucket.name]).map(|answer| answer.result.rules);
    let (enabled, because) = match rules {
        Ok(rules) if rules.iter().flatten().any(|rule| whole(rule) && rule.condition.kind == "Indefinite") => {
            (Fact::Known(true), "a lock rule holds every object".to_owned())
        }
        Ok(rules) => match rules.iter().flatten().filter_map(|rule| until(rule, facts.at())).max() {
            // Whether the loss is noticed before that day is not for the bucket to say.
            Some(date) => {
                let because = format!("a lock rule holds every object until {}", date.day());
                (Fact::Unknown(facts.doubt(&name, "a lock rule ends on a day, and nothing is locked then")), because)
            }
            None => (Fact::Known(false), "no lock rule holds every object".to_owned()),
        },
        Err(fault) => (Fact::Unknown(facts.refused(LOCK, &name, &fault)), "lock rules were not read".to_owned()),
    };
    facts.guarded(
        Guard {
            on: &node,
            kind: "bucket lock",
            covers: &["r2:DeleteObject", "r2:PutLifecycle", "r2:PutObject"],
            enabled,
            holds_parent: false,
            lifts: Fact::Known(vec![can("r2:PutBucketLock", &node, "take the lock rules away")]),
            because: &because,
        },
        asked,
    );
}

/// Whether a rule is for every object.
fn whole(rule: &Rule) -> bool {
    rule.enabled && rule.prefix.as_deref().unwrap_or_default().is_empty()
}

/// The day until which a rule holds every object, if it does for now.
fn until(rule: &Rule, now: Time) -> Option<Time> {
    rule.condition.date.filter(|date| whole(rule) && rule.condition.kind == "Date" && *date > now)
}

fn database_of((account, parent): (&str, &NodeId), database: &Database, facts: &mut Facts) {
    let (node, name) = (NodeId(format!("{parent}/d1/{}", database.uuid)), shown(&database.name));
    let asked = (DATABASES, account);
    let why = "for how long a deleted database can be restored is not documented";
    seen(facts, (node.clone(), "d1_database", Class::Database), name.clone(), (parent, why), asked);
    // Databases of the version alpha have none (`d1/reference/backups`).
    if !matches!(database.version.as_deref(), Some("beta" | "production")) {
        return;
    }
    let ends =
        Fact::Unknown(facts.doubt(&name, "how far Time Travel goes back depends on the plan, which was not read"));
    // For a database that was deleted and restored it begins anew (`d1/reference/time-travel`).
    facts.kept(
        Kept {
            id: "time-travel",
            of: &node,
            kind: CopyKind::Pitr,
            name: format!("Time Travel of {name}"),
            place: None,
            lag: Fact::Known(Span(0)),
            ends,
            dies_with: Fact::Known(names(&["d1:DeleteDatabase"])),
            destroyed_by: Fact::Known(Vec::new()),
            because: "Time Travel is always on for databases of this version",
        },
        asked,
    );
}
