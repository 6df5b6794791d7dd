//! The assessment, and the facts, as tables (floor 3): each list of `assessment.json` a table, each list within one another.
//! Names and types are a contract with whoever wrote a query: columns are added at the end and never renamed.

use serde_json::Value as Json;

use super::RenderError;
use super::parquet::{Cell, Table, Type};
use crate::assessment::Assessment;
use crate::bundle::Bundle;
use crate::time::Time;

use Type::{Flag, Moment, Number, Text};

/// How a table is made of the JSON.
struct Plan {
    name: &'static str,
    /// The way to the list, and the way within each item to a list of its own.
    at: &'static str,
    within: Option<&'static str>,
    /// Columns: name, type, way from the item; one that begins with `^` is of the item that the list is within.
    columns: &'static [(&'static str, Type, &'static str)],
}

const fn plan(
    name: &'static str,
    at: &'static str,
    within: Option<&'static str>,
    columns: &'static [(&'static str, Type, &'static str)],
) -> Plan {
    Plan { name, at, within, columns }
}

const LAYER: [(&str, Type, &str); 5] = [
    ("layer", Text, "/layer"),
    ("state", Text, "/state"),
    ("basis", Text, "/basis"),
    ("because", Text, "/because"),
    ("bypass", Text, "/bypass"),
];

/// Every table of an assessment but the first, which has one row.
const PLANS: [Plan; 18] = [
    plan(
        "assets",
        "/assets",
        None,
        &[
            ("asset_id", Text, "/id"),
            ("key", Text, "/key"),
            ("provider", Text, "/provider"),
            ("kind", Text, "/kind"),
            ("class", Text, "/class"),
            ("name", Text, "/name"),
            ("environment", Text, "/environment"),
            ("assumed_environment", Flag, "/assumed_environment"),
            ("in_headline", Flag, "/in_headline"),
            ("answer", Text, "/answer"),
            ("bound_worst", Text, "/bounds/0"),
            ("bound_best", Text, "/bounds/1"),
            ("rated", Text, "/rated"),
            ("prevention", Text, "/prevention"),
            ("recovery", Text, "/recovery"),
            ("outside_rpo_rto", Flag, "/outside_rpo_rto"),
            ("sentence", Text, "/sentence"),
            ("worst_path", Text, "/worst_path"),
            ("paths_total", Number, "/paths_total"),
            ("criticality", Text, "/criticality"),
            ("owner", Text, "/owner"),
            ("rpo", Text, "/rpo"),
            ("rto", Text, "/rto"),
        ],
    ),
    plan(
        "asset_layers",
        "/assets",
        Some("/layers"),
        &[("asset_id", Text, "^/id"), LAYER[0], LAYER[1], LAYER[2], LAYER[3], LAYER[4]],
    ),
    plan(
        "recovery_points",
        "/assets",
        Some("/recovery_points"),
        &[
            ("asset_id", Text, "^/id"),
            ("key", Text, "/key"),
            ("name", Text, "/name"),
            ("kind", Text, "/kind"),
            ("survives", Text, "/survives"),
            ("restored", Text, "/restored"),
            ("because", Text, "/because"),
            ("ends", Text, "/ends"),
        ],
    ),
    plan(
        "paths",
        "/paths",
        None,
        &[
            ("path_id", Text, "/id"),
            ("key", Text, "/key"),
            ("session_id", Text, "/session"),
            ("credential_id", Text, "/credential"),
            ("action", Text, "/action"),
            ("on_key", Text, "/on"),
            ("way", Text, "/way"),
            ("asset_id", Text, "/asset"),
            ("answer", Text, "/answer"),
            ("bound_worst", Text, "/bounds/0"),
            ("bound_best", Text, "/bounds/1"),
            ("rests_on_agent", Flag, "/rests_on_agent"),
            ("destroys_in", Text, "/destroys_in"),
        ],
    ),
    plan(
        "layers",
        "/paths",
        Some("/layers"),
        &[("path_id", Text, "^/id"), LAYER[0], LAYER[1], LAYER[2], LAYER[3], LAYER[4]],
    ),
    plan("path_principals", "/paths", Some("/principals"), &[("path_id", Text, "^/id"), ("principal", Text, "")]),
    plan(
        "credentials",
        "/credentials",
        None,
        &[
            ("credential_id", Text, "/id"),
            ("key", Text, "/key"),
            ("provider", Text, "/provider"),
            ("kind", Text, "/kind"),
            ("public_id", Text, "/public_id"),
            ("fingerprint", Text, "/fingerprint"),
            ("expires", Moment, "/expires"),
            ("status", Text, "/status"),
            ("identity", Text, "/identity"),
            ("scope", Text, "/scope"),
            ("environment", Text, "/environment"),
            ("destroys", Number, "/destroys"),
        ],
    ),
    plan(
        "locations",
        "/credentials",
        Some("/locations"),
        &[
            ("credential_id", Text, "^/id"),
            ("kind", Text, "/kind"),
            ("path", Text, "/path"),
            ("line", Number, "/line"),
            ("key", Text, "/key"),
        ],
    ),
    plan(
        "credential_sessions",
        "/credentials",
        Some("/sessions"),
        &[("credential_id", Text, "^/id"), ("session_id", Text, "")],
    ),
    plan(
        "sessions",
        "/sessions",
        None,
        &[
            ("session_id", Text, "/id"),
            ("key", Text, "/key"),
            ("name", Text, "/name"),
            ("agent", Text, "/agent"),
            ("environment", Text, "/environment"),
            ("counted", Flag, "/counted"),
        ],
    ),
    plan(
        "ways",
        "/sessions",
        Some("/ways"),
        &[
            ("session_id", Text, "^/id"),
            ("name", Text, "/name"),
            ("kind", Text, "/kind"),
            ("decision", Text, "/decision"),
            ("contained", Text, "/contained"),
            ("managed", Flag, "/managed"),
            ("rule", Text, "/rule"),
            ("source", Text, "/source"),
            ("because", Text, "/because"),
        ],
    ),
    plan(
        "findings",
        "/findings",
        None,
        &[
            ("check_id", Text, "/check"),
            ("item", Text, "/item"),
            ("subject", Text, "/subject"),
            ("subject_kind", Text, "/subject_kind"),
            ("subject_name", Text, "/subject_name"),
            ("verdict", Text, "/verdict"),
            ("severity", Text, "/severity"),
            ("message", Text, "/message"),
            ("waiver", Text, "/waiver"),
            ("location_path", Text, "/location/path"),
            ("location_line", Number, "/location/line"),
        ],
    ),
    plan(
        "checks",
        "/checks",
        None,
        &[
            ("check_id", Text, "/id"),
            ("title", Text, "/title"),
            ("item", Text, "/item"),
            ("subject", Text, "/subject"),
            ("severity", Text, "/severity"),
            ("why", Text, "/why"),
            ("fix", Text, "/fix"),
        ],
    ),
    plan(
        "fixes",
        "/fixes/all",
        None,
        &[
            ("fix_id", Text, "/id"),
            ("key", Text, "/key"),
            ("kind", Text, "/kind"),
            ("title", Text, "/title"),
            ("detail", Text, "/detail"),
            ("effort", Number, "/effort"),
            ("layer", Text, "/layer"),
            ("owner", Text, "/owner"),
            ("due", Text, "/due"),
        ],
    ),
    plan("fix_closes", "/fixes/all", Some("/closes_assets"), &[("fix_id", Text, "^/id"), ("asset_id", Text, "")]),
    plan(
        "gaps",
        "/gaps",
        None,
        &[
            ("gap_id", Text, "/id"),
            ("reason", Text, "/reason"),
            ("asked", Text, "/asked"),
            ("scope", Text, "/scope"),
            ("came_back", Text, "/came_back"),
            ("settle", Text, "/settle"),
        ],
    ),
    plan("gap_decides", "/gaps", Some("/decides"), &[("gap_id", Text, "^/id"), ("asset_id", Text, "")]),
    plan(
        "evidence",
        "/evidence",
        None,
        &[
            ("evidence_id", Text, "/id"),
            ("provider", Text, "/provider"),
            ("operation", Text, "/operation"),
            ("scope", Text, "/scope"),
            ("at", Moment, "/at"),
            ("excerpt", Text, "/excerpt"),
        ],
    ),
];

/// The one row that says what the others are of.
const HEAD: &[(&str, Type, &str)] = &[
    ("schema", Text, "/schema"),
    ("tool_version", Text, "/tool/version"),
    ("assessed_at", Moment, "/assessed_at"),
    ("client", Text, "/subject/client"),
    ("answer", Text, "/headline/answer"),
    ("sentence", Text, "/headline/sentence"),
    ("nothing", Number, "/headline/counts/nothing"),
    ("recoverable", Number, "/headline/counts/recoverable"),
    ("slowed", Number, "/headline/counts/slowed"),
    ("stopped", Number, "/headline/counts/stopped"),
    ("unknown", Number, "/headline/counts/unknown"),
    ("plan_optimal", Flag, "/fixes/optimal"),
    ("facts_sha256", Text, "/facts_sha256"),
];

const FACT: &[(&str, Type, &str)] = &[
    ("list", Text, ""),
    ("fact_id", Text, "/id"),
    ("provider", Text, "/provider"),
    ("kind", Text, "/kind"),
    ("name", Text, "/name"),
    ("gap", Flag, ""),
    ("json", Text, ""),
];

/// Every table of an assessment, and of the facts where they are given.
///
/// # Errors
/// If there is no JSON of it.
pub fn tables(assessment: &Assessment, facts: Option<&Bundle>) -> Result<Vec<Table>, RenderError> {
    let all = serde_json::to_value(assessment)?;
    let mut tables = vec![table("assessment", HEAD, vec![row(HEAD, &all, &all)])];
    for plan in PLANS {
        let mut rows = Vec::new();
        for item in all.pointer(plan.at).and_then(Json::as_array).into_iter().flatten() {
            match plan.within {
                None => rows.push(row(plan.columns, item, item)),
                Some(within) => {
                    let inner = item.pointer(within).and_then(Json::as_array).into_iter().flatten();
                    rows.extend(inner.map(|one| row(plan.columns, item, one)));
                }
            }
        }
        tables.push(table(plan.name, plan.columns, rows));
    }
    if let Some(facts) = facts {
        tables.push(of_facts(&serde_json::to_value(facts)?)?);
    }
    Ok(tables)
}

/// The names of all tables, in their order.
#[must_use]
pub fn table_names() -> Vec<&'static str> {
    ["assessment"].into_iter().chain(PLANS.iter().map(|plan| plan.name)).chain(["facts"]).collect()
}

fn table(name: &'static str, columns: &'static [(&'static str, Type, &'static str)], rows: Vec<Vec<Cell>>) -> Table {
    Table { name, columns: columns.iter().map(|(name, kind, _)| (*name, *kind)).collect(), rows }
}

fn row(columns: &[(&str, Type, &str)], outer: &Json, item: &Json) -> Vec<Cell> {
    let value = |way: &str| match way.strip_prefix('^') {
        Some(way) => outer.pointer(way),
        None => item.pointer(way),
    };
    columns.iter().map(|(_, kind, way)| cell(*kind, value(way))).collect()
}

fn cell(kind: Type, value: Option<&Json>) -> Cell {
    let found = match (kind, value) {
        (Text, Some(Json::String(text))) => Some(Cell::Text(text.clone())),
        (Number, Some(Json::Number(number))) => number.as_i64().map(Cell::Number),
        (Flag, Some(Json::Bool(flag))) => Some(Cell::Flag(*flag)),
        (Moment, Some(Json::String(text))) => text.parse::<Time>().ok().map(|time| Cell::Number(time.unix() * 1_000)),
        (Text | Number | Flag | Moment, _) => None,
    };
    found.unwrap_or(Cell::None)
}

/// Every item of every list of the facts, and every gap in one, with the whole of it as JSON.
fn of_facts(all: &Json) -> Result<Table, RenderError> {
    let mut rows = Vec::new();
    for (list, value) in all.as_object().into_iter().flatten() {
        let part = |name: &str| value.get(name).and_then(Json::as_array).into_iter().flatten();
        let plain = value.as_array().into_iter().flatten();
        for (item, gap) in plain.chain(part("items")).map(|one| (one, false)).chain(part("gaps").map(|one| (one, true)))
        {
            let mut cells = row(FACT, item, item);
            let own =
                [(0, Cell::Text(list.clone())), (5, Cell::Flag(gap)), (6, Cell::Text(serde_json::to_string(item)?))];
            for (at, cell) in own {
                if let Some(place) = cells.get_mut(at) {
                    *place = cell;
                }
            }
            rows.push(cells);
        }
    }
    Ok(table("facts", FACT, rows))
}
