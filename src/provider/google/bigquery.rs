//! `BigQuery`: datasets.
//!
//! <https://cloud.google.com/bigquery/docs/time-travel>, <https://cloud.google.com/bigquery/docs/access-control>. Rights may be given to
//! a dataset and to a table of it; of a dataset they cannot be asked, so that a few of its tables are.

use std::collections::BTreeSet;

use deadstop_core::fact::{Fact, Gap};
use deadstop_core::id::NodeId;
use deadstop_core::model::{Class, CopyKind, End};
use deadstop_core::time::Span;
use serde::Deserialize;

use super::client::Client;
use super::desk::{DELETE_PROJECT, Desk, Held, Labels, Resource};
use super::reads::{DATASET, DATASETS, ON_TABLE, TABLES};
use super::rights::{ON_TABLES, beside};
use crate::provider::facts::Fault;
use crate::provider::platform::{Kept, can, listed, names};
use crate::provider::token::{Got, is_id, shown};

const UPDATE: &str = "bigquery.datasets.update";

/// How many datasets of one project are looked into, and how many tables of each are asked about.
const MOST: usize = 200;
const TRIED: usize = 3;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    dataset_reference: Reference,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    dataset_id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Dataset {
    dataset_reference: Reference,
    labels: Option<Labels>,
    location: Option<String>,
    /// Hours; a number of 64 bits is a text in JSON.
    max_time_travel_hours: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Table {
    table_reference: TableReference,
    #[serde(rename = "type")]
    kind: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TableReference {
    table_id: String,
}

/// A dataset, with its tables and what somebody may do to some of them.
struct One {
    id: String,
    dataset: Result<Dataset, Fault>,
    tables: Got<Table>,
    held: Vec<Held>,
}

/// The datasets of a project.
pub(super) struct Seen {
    items: Got<Item>,
    each: Vec<One>,
}

impl Seen {
    pub(super) fn of(client: &Client<'_>, project: &str, known: &BTreeSet<&'static str>) -> Self {
        let kind = ("datasets", Some("bigquery#datasetList"));
        let items = client.list::<Item>(DATASETS, &[project], &[("all", "true")], kind);
        let asked = beside(&ON_TABLES, known);
        let one = |id: &String| {
            let kind = ("tables", Some("bigquery#tableList"));
            let tables = client.list::<Table>(TABLES, &[project, id], &[], kind);
            let of_table = |table: &Table| {
                let at = [project, id.as_str(), table.table_reference.table_id.as_str()];
                (!asked.is_empty()).then(|| client.holds(ON_TABLE, &at, &asked))
            };
            let held = tables.items.iter().take(TRIED).map(of_table).collect();
            One { id: id.clone(), dataset: client.object(DATASET, &[project, id]), tables, held }
        };
        let mut ids: Vec<&String> = items.items.iter().map(|item| &item.dataset_reference.dataset_id).collect();
        ids.retain(|id| is_id(id));
        let each = ids.into_iter().take(MOST).map(one).collect();
        Self { items, each }
    }

    pub(super) fn describe(self, desk: &mut Desk<'_>) -> Option<Gap> {
        let mut gap = desk.listed(DATASETS, self.items.fault);
        if self.each.len() != self.items.items.len() {
            gap = Some(desk.strange(DATASETS));
        }
        // A snapshot of a table may lie in any dataset (bigquery/docs/table-snapshots-intro).
        let snapshots = |one: &One| one.tables.items.iter().any(|table| table.kind.as_deref() == Some("SNAPSHOT"));
        let mut unkept = self.each.iter().any(snapshots).then(|| {
            let why = "which tables the snapshots in its datasets are of was not worked out";
            desk.facts.doubt(desk.id, why)
        });
        for one in &self.each {
            let scope = format!("{}.{}", desk.id, one.id);
            unkept = unkept.or(desk.facts.outcome(TABLES, &scope, one.tables.fault.clone()));
        }
        for one in self.each {
            dataset(desk, one, unkept.as_ref());
        }
        gap
    }
}

fn dataset(desk: &mut Desk<'_>, one: One, unkept: Option<&Gap>) {
    let node = desk.node(&format!("dataset/{}", one.id));
    let scope = format!("{}.{}", desk.id, one.id);
    let told = one
        .dataset
        .and_then(|told| if told.dataset_reference.dataset_id == one.id { Ok(told) } else { Err(Fault::malformed()) });
    let (told, unread) = match told {
        Ok(told) => (Some(told), None),
        Err(fault) => (None, Some(desk.facts.refused(DATASET, &scope, &fault))),
    };
    let kind = told.as_ref().and_then(|told| told.kind.as_deref());
    // What is linked or lies elsewhere is not lost with it (bigquery/docs/analytics-hub-introduction).
    let elsewhere = kind
        .is_some_and(|kind| ["LINKED", "EXTERNAL", "PUBLIC"].contains(&kind))
        .then(|| desk.facts.doubt(&one.id, "what a dataset that is linked or external holds lies elsewhere"));
    let copies = listed(unread.clone().or(elsewhere).or_else(|| unkept.cloned()));
    let holds = told.as_ref().and_then(|told| told.location.as_deref());
    desk.resource(
        Resource {
            id: node.clone(),
            kind: "dataset",
            class: Class::Database,
            name: &one.id,
            parent: None,
            labels: told.as_ref().and_then(|told| told.labels.as_ref()),
            contents: None,
            copies,
            holds: holds.map(|place| format!("{} tables in {}", one.tables.items.len(), shown(place))),
            key: None,
        },
        (DATASETS, desk.id),
    );
    if let (Some(gap), Some(asset)) = (unread.clone(), desk.facts.assets.last_mut()) {
        asset.environment = Fact::Unknown(gap);
    }
    for (table, held) in one.tables.items.iter().zip(&one.held) {
        // A part of a dataset is lost with a table.
        let scope = format!("{scope}.{}", shown(&table.table_reference.table_id));
        if table.kind.as_deref() == Some("TABLE") {
            desk.holds(&node, (ON_TABLE, &scope), held.as_ref());
        }
    }
    travel(desk, (&node, &one.id), (told.as_ref(), unread));
}

/// What was deleted or overwritten can be read for some days, two at least: whoever may change the dataset shortens that first.
fn travel(desk: &mut Desk<'_>, (node, name): (&NodeId, &str), (told, unread): (Option<&Dataset>, Option<Gap>)) {
    const DEFAULT: u64 = 168;
    const SHORTEST: u64 = 48;
    let hours = told.map(|told| told.max_time_travel_hours.as_deref().map_or(Ok(DEFAULT), str::parse::<u64>));
    let ends = match (hours, unread) {
        (Some(Ok(hours)), _) if (SHORTEST..=DEFAULT).contains(&hours) => Fact::Known(End::After(Span(hours * 3_600))),
        (_, Some(gap)) => Fact::Unknown(gap),
        (Some(_) | None, None) => desk.unread(name, "how long its time travel reaches back was not in the answer"),
    };
    let shorten = can(UPDATE, node, "have it kept for two days instead");
    desk.copy(
        Kept {
            id: "time-travel",
            of: node,
            kind: CopyKind::GracePeriod,
            name: format!("time travel of {name}"),
            place: Some(&desk.project.clone()),
            lag: Fact::Known(Span(0)),
            ends,
            dies_with: Fact::Known(names(&[DELETE_PROJECT])),
            destroyed_by: Fact::Known(vec![shorten]),
            because: "what was deleted can be read or undeleted for some days",
        },
        None,
        (DATASET, name),
    );
}
