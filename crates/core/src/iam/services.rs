//! What is known of AWS services: which actions take no resource, and where resource control policies apply.

use std::collections::BTreeMap;
use std::sync::LazyLock;

const DATA: &str = include_str!("../../data/iam-services.txt");

struct Service {
    rcp: bool,
    /// In lower case, sorted.
    without_resource: Vec<&'static str>,
}

static SERVICES: LazyLock<BTreeMap<&'static str, Service>> = LazyLock::new(|| {
    let lines = DATA.lines().filter(|line| !line.starts_with('#'));
    let service = |line: &'static str| {
        let (name, actions) = line.split_once(':')?;
        let (name, rcp) = name.strip_suffix(" rcp").map_or((name, false), |name| (name, true));
        let mut without_resource: Vec<&str> = actions.split_whitespace().collect();
        without_resource.sort_unstable();
        Some((name, Service { rcp, without_resource }))
    };
    lines.filter_map(service).collect()
});

/// Whether an action, in lower case, is one that takes no resource, so that only `*` covers it
/// (Service Authorization Reference: an empty "Resource types" column). One that is not listed takes a resource.
pub(super) fn takes_no_resource(action: &str) -> bool {
    let Some((service, name)) = action.split_once(':') else { return false };
    SERVICES.get(service).is_some_and(|service| service.without_resource.binary_search(&name).is_ok())
}

/// Whether resource control policies apply to a service
/// (Organizations User Guide, "List of AWS services that support RCPs").
pub(super) fn has_rcp(service: &str) -> bool {
    SERVICES.get(service).is_some_and(|service| service.rcp)
}
