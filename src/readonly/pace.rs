//! How fast somebody is asked: as fast as he answers until he asks to slow down, and then as fast as he lets calls through.
//!
//! The rate falls with calls that are turned away and rises again with those that are not, for each credential, host and
//! service by itself (as in the adaptive mode of AWS's SDKs: AWS SDKs and Tools Reference Guide, `feature-retry-behavior`).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use ureq::http::{Request, header};

/// What is left of the rate after a call was turned away.
const FALLS_TO: f64 = 0.7;
/// By how many calls a second the rate rises in a second.
const RISES_BY: f64 = 2.0;
/// The slowest rate, in calls a second.
const SLOWEST: f64 = 2.0;
/// What is turned away at the same time counts once.
const AT_ONCE: Duration = Duration::from_millis(200);

/// The rates of all who are asked.
#[derive(Debug, Default)]
pub(super) struct Paces(Mutex<BTreeMap<String, Pace>>);

#[derive(Debug)]
struct Pace {
    /// Calls a second; none: as fast as they are answered.
    rate: Option<f64>,
    /// When the next call may be sent.
    next: Instant,
    slowed: Option<Instant>,
    /// When each operation was answered last.
    answered: BTreeMap<&'static str, Instant>,
    /// How many were answered since then.
    counted: (u32, Instant),
}

impl Paces {
    fn with<R>(&self, lane: &str, what: impl FnOnce(&mut Pace, Instant) -> R) -> R {
        let now = Instant::now();
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Pace { rate: None, next: now, slowed: None, answered: BTreeMap::new(), counted: (0, now) };
        what(all.entry(lane.to_owned()).or_insert_with(fresh), now)
    }

    /// When the next call may be sent; the moment after it is left to whoever asks then.
    pub(super) fn turn(&self, lane: &str) -> Instant {
        self.with(lane, |pace, now| {
            let Some(rate) = pace.rate else { return now };
            let turn = pace.next.max(now);
            pace.next = turn + Duration::from_secs_f64(1.0 / rate);
            turn
        })
    }

    /// Notes that a call was not turned away.
    pub(super) fn answered(&self, lane: &str, operation: &'static str) {
        self.with(lane, |pace, now| {
            pace.answered.insert(operation, now);
            // The rate of the last second or two.
            if now - pace.counted.1 > Duration::from_secs(2) {
                pace.counted = (pace.counted.0 / 2, now - Duration::from_secs(1));
            }
            pace.counted.0 += 1;
            pace.rate = pace.rate.map(|rate| rate + RISES_BY / rate);
        });
    }

    /// Notes that a call was turned away; gives whether another one of the operation was answered since a moment.
    pub(super) fn turned_away(&self, lane: &str, operation: &'static str, since: Instant) -> bool {
        self.with(lane, |pace, now| {
            if pace.slowed.is_none_or(|slowed| now - slowed > AT_ONCE) {
                let (count, from) = pace.counted;
                // Of a window that is long past it is at least this much.
                let seen = f64::from(count) / (now - from).as_secs_f64().clamp(1.0, 2.0);
                let rate = pace.rate.map_or(seen, |rate| rate.min(seen.max(SLOWEST)));
                pace.rate = Some((rate * FALLS_TO).max(SLOWEST));
                pace.slowed = Some(now);
            }
            pace.answered.get(operation).is_some_and(|answered| *answered > since)
        })
    }
}

/// Whom a request is counted with: the credential, or the key that signed it, with host and service (the scope of AWS's
/// signature: IAM User Guide, `reference_sigv-create-signed-request`).
pub(super) fn lane(host: &str, credential: &str, request: &Request<Vec<u8>>) -> String {
    let signed = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let scope = signed.and_then(|value| value.strip_prefix("AWS4-HMAC-SHA256 Credential="));
    let scope = scope.map(|scope| scope.split(',').next().unwrap_or_default());
    format!("{host} {}", scope.unwrap_or(credential))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LANE: &str = "host credential";

    #[test]
    fn nobody_waits_who_was_not_asked_to() {
        let paces = Paces::default();
        for _ in 0..100 {
            assert!(paces.turn(LANE) <= Instant::now());
            paces.answered(LANE, "Describe");
        }
    }

    #[test]
    fn a_call_that_is_turned_away_slows_the_others_of_its_lane() {
        let paces = Paces::default();
        (0..20).for_each(|_| paces.answered(LANE, "Describe"));
        let begun = Instant::now();
        assert!(!paces.turned_away(LANE, "Describe", begun), "nothing was answered since");
        let turns: Vec<Instant> = (0..8).map(|_| paces.turn(LANE)).collect();
        // 20 of the last second; seven in ten of them are 14 a second.
        assert!(turns[7] - turns[0] >= Duration::from_millis(450), "{turns:?}");
        assert!(turns[7] - turns[0] <= Duration::from_millis(550), "{turns:?}");
        assert!(paces.turn("host another") <= Instant::now());
    }

    #[test]
    fn the_rate_rises_again() {
        let paces = Paces::default();
        let begun = Instant::now();
        paces.turned_away(LANE, "Describe", begun);
        let before = paces.turn(LANE);
        let slow = paces.turn(LANE) - before;
        (0..50).for_each(|_| paces.answered(LANE, "Describe"));
        assert!(!paces.turned_away(LANE, "List", begun), "nothing of this was answered");
        assert!(paces.turned_away(LANE, "Describe", begun), "something was answered since");
        let before = paces.turn(LANE);
        assert!(paces.turn(LANE) - before < slow);
    }

    /// The key is told apart by service and Region, and no part of the signature is kept.
    #[test]
    fn lanes_are_of_keys_and_services() {
        let signed = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20260101/eu-west-1/ec2/aws4_request, SignedHeaders=host, Signature=abc";
        let request = Request::builder().uri("https://h/").header("authorization", signed).body(Vec::new()).unwrap();
        assert_eq!(lane("h", "c", &request), "h AKIAIOSFODNN7EXAMPLE/20260101/eu-west-1/ec2/aws4_request");
        let bearer = Request::builder().uri("https://h/").header("authorization", "Bearer s").body(Vec::new()).unwrap();
        assert_eq!(lane("h", "c", &bearer), "h c");
    }
}
