//! What read rules keep from a session, and how it reads that all the same (floor 3).

use std::collections::BTreeSet;

use crate::assessment::KeptRow;
use crate::fact::Fact;
use crate::id::SessionId;
use crate::model::{Decision, Refusal, Way};
use crate::world::World;

/// Files with credentials that a session is refused by some way, with the ways that read them all the same.
pub(super) fn rows(world: &World, session: &SessionId) -> Vec<KeptRow> {
    let ways: Vec<&Way> = world.ways.values().filter(|way| way.session.as_ref() == Some(session)).collect();
    let places = world.credentials.values().flat_map(|credential| &credential.locations);
    let mut rows: BTreeSet<KeptRow> = BTreeSet::new();
    for place in places.filter(|place| place.sessions.contains(session)) {
        let refused = |way: &Way| place.refused.iter().find(|refusal| refusal.way == way.id);
        let by: Vec<(&&Way, &Refusal)> = ways.iter().filter_map(|way| refused(way).map(|found| (way, found))).collect();
        if by.is_empty() {
            continue;
        }
        // A way that is itself refused reads nothing; one of which that is not known may.
        let reads = |way: &&&Way| way.reads && refused(way).is_none() && way.decision != Fact::Known(Decision::Deny);
        let because: BTreeSet<&str> = by.iter().map(|(_, found)| found.because.as_str()).collect();
        let lifts: BTreeSet<&str> =
            by.iter().flat_map(|(_, found)| &found.overrides).map(|step| step.because.as_str()).collect();
        rows.insert(KeptRow {
            path: place.path.clone(),
            refused_by: by.iter().map(|(way, _)| way.name.clone()).collect(),
            because: because.into_iter().collect::<Vec<_>>().join("; "),
            still_read_by: ways.iter().filter(reads).map(|way| way.name.clone()).collect(),
            lifted_by: lifts.into_iter().map(str::to_owned).collect(),
        });
    }
    rows.into_iter().collect()
}
