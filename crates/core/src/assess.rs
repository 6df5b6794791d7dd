//! Bundle in, assessment out: the one place where the evaluators meet (floor 3).

use crate::assessment::Assessment;
use crate::bundle::Bundle;
use crate::policy::Policy;

/// Answers the question for every asset. Pure: the same bundle and policy give the same assessment.
#[must_use]
pub fn assess(_bundle: &Bundle, _policy: &Policy) -> Assessment {
    unimplemented!()
}

/// The bundle as it would be read with a fix of its assessment applied; `None` if there is no fix of that key or id.
#[must_use]
pub fn with_fix(_bundle: &Bundle, _policy: &Policy, _key: &str) -> Option<Bundle> {
    unimplemented!()
}
