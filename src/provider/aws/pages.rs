//! Listings that come page by page.

use std::collections::BTreeSet;

use deadstop_core::fact::GapReason;
use serde_json::Value;

use super::client::Fault;

/// How many pages a listing has at most: of the longest that AWS gives, a million items.
const PAGES: usize = 1_000;

/// Every page of a listing, each asked for by the place that the one before it gave. A place that was given before would
/// never end.
pub(super) fn pages<T>(
    mut page: impl FnMut(Option<&str>) -> Result<(Vec<T>, Option<String>), Fault>,
) -> Result<Vec<T>, Fault> {
    let (mut all, mut seen, mut place) = (Vec::new(), BTreeSet::new(), None::<String>);
    for _ in 0..PAGES {
        let (more, next) = page(place.as_deref())?;
        all.extend(more);
        let Some(next) = next else { return Ok(all) };
        if !seen.insert(next.clone()) {
            return Err(Fault::malformed());
        }
        place = Some(next);
    }
    Err(Fault::of(GapReason::TooLarge))
}

/// The same of a listing in JSON: `items` is the member with the items, `next` the one with the next place. One item that
/// cannot be understood spoils the whole: it may be the one that counts.
pub(super) fn paged<T>(
    items: &str,
    next: &str,
    read: fn(&Value) -> Option<T>,
    mut ask: impl FnMut(Option<&str>) -> Result<Value, Fault>,
) -> Result<Vec<T>, Fault> {
    pages(|place| {
        let answer = ask(place)?;
        let listed = answer.get(items).and_then(Value::as_array).ok_or_else(Fault::malformed)?;
        let more = listed.iter().map(read).collect::<Option<_>>().ok_or_else(Fault::malformed)?;
        match answer.get(next) {
            None | Some(Value::Null) => Ok((more, None)),
            Some(Value::String(place)) => Ok((more, Some(place.clone()).filter(|place| !place.is_empty()))),
            Some(_) => Err(Fault::malformed()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_place_that_was_given_before_is_no_answer() {
        let listed = |places: &[Option<&str>]| {
            let mut left = places.iter();
            let read = |one: &Value| one.as_u64();
            paged("Items", "Next", read, |_| Ok(json!({ "Items": [1], "Next": left.next().copied().flatten() })))
        };
        assert_eq!(listed(&[Some("a"), Some("b"), None]).unwrap(), [1, 1, 1]);
        assert_eq!(listed(&[Some("a"), Some("")]).unwrap(), [1, 1]);
        assert!(listed(&[Some("a"), Some("b"), Some("a"), None]).is_err());
        assert!(paged("Items", "Next", Value::as_u64, |_| Ok(json!({ "Items": [1], "Next": 7 }))).is_err());
        assert!(paged("Items", "Next", Value::as_u64, |_| Ok(json!({ "Items": ["?"] }))).is_err());
        let mut count = 0;
        let endless = pages(|_| {
            count += 1;
            Ok((vec![count], Some(count.to_string())))
        });
        assert!(endless.is_err());
    }
}
