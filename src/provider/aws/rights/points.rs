//! Access points of buckets, which are not read. A call by way of one names its ARN, of which policies may say something else
//! than of the bucket's; what the bucket's own policy refuses stays refused, as "both the access point and the underlying
//! bucket must permit the request" (S3 User Guide, `access-points-policies`).

use std::collections::BTreeSet;

use deadstop_core::id::NodeId;

use super::super::iam::Held;
use super::above::EVERYTHING;
use super::answers::Answers;
use super::onward::{Perhaps, perhaps_at};
use super::{Accounts, Ask, Effect, ORGANISATION, On, ResourcePolicy, Who};
use crate::provider::facts::Facts;

/// What destroys objects, by way of an access point, too.
const THROUGH: [&str; 5] =
    ["s3:DeleteObject", "s3:DeleteObjectVersion", "s3:PutObject", "s3:PutObjectTagging", "s3:PutObjectVersionTagging"];

impl<'a> Accounts<'a> {
    /// States that somebody may come to buckets by access points, where policies refuse or do not allow a
    /// call on the bucket, and do not refuse it on an access point.
    pub(super) fn by_access_points(&self, who: &Who<'a>, answers: &Answers, facts: &mut Facts) {
        let able = Who {
            id: who.id.clone(),
            caller: who.caller.clone(),
            held: Held { identity: vec![&EVERYTHING], ..Held::default() },
            ..*who
        };
        let mut gained: BTreeSet<&NodeId> = BTreeSet::new();
        // One of another account lets somebody in whom the bucket's policy lets in, too.
        let owners: BTreeSet<&str> = self.all.keys().map(String::as_str).collect();
        let ways = THROUGH.into_iter().filter(|action| who.may_call(action));
        let ways = ways.flat_map(|action| owners.iter().map(move |owner| (action, *owner)));
        for (action, owner) in ways.filter(|(action, owner)| self.through(who, action, owner)) {
            let lets_in = |ask: &Ask| owner == who.number || self.speaks(&ask.node);
            let refused = self.asks.iter().enumerate().filter(|(at, _)| matches!(answers.get(*at), Effect::No(_)));
            let refused = refused.map(|(_, ask)| ask).filter(|ask| ask.action == action && ask.owner == owner);
            // What the organisation refuses on the bucket, it may not refuse on the access point.
            let by_bucket = |effect: Effect| matches!(effect, Effect::No(why) if why != ORGANISATION);
            let held_off = refused.filter(|ask| lets_in(ask) && !by_bucket(self.asked(&able, ask)));
            gained.extend(held_off.map(|ask| &ask.node));
        }
        let perhaps = Perhaps {
            what: "by-access-points".to_owned(),
            nodes: gained.into_iter().collect(),
            why: "access points of buckets were not read",
            because: "come to objects of buckets by way of access points".to_owned(),
            changes: false,
        };
        perhaps_at(who, perhaps, facts);
    }

    /// Whether policies may allow a call on an access point of an account: of a Region in which it has buckets, or of several
    /// (`MultiRegionAccessPoints`).
    fn through(&self, who: &Who<'a>, action: &str, owner: &str) -> bool {
        let partition = self.asks.iter().find_map(|ask| ask.node.as_str().strip_prefix("arn:")?.split(':').next());
        self.homes.iter().map(String::as_str).chain([""]).any(|region| {
            let points = On::Below(format!("arn:{}:s3:{region}:{owner}:accesspoint/", partition.unwrap_or("aws")));
            // What the policy of one of another account says was not read: one's own have to allow it in any case.
            !matches!(self.decide_on(who, action, &points, who.number, &ResourcePolicy::None), Effect::No(_))
        })
    }
}
