//! Rights to what was not listed.

use deadstop_core::fact::Fact;
use deadstop_core::iam::only_reads;

use super::{Accounts, Effect, On, ResourcePolicy, Who, grant};
use crate::provider::facts::Facts;

impl Who<'_> {
    /// Whether a statement refuses it everything but reads. No policy of a resource can give it more, as a refusal holds
    /// whatever else allows.
    pub(super) fn reads_alone(&self) -> bool {
        self.policies().any(|policy| policy.refuses_all_but(only_reads))
    }

    fn policies(&self) -> impl Iterator<Item = &deadstop_core::iam::Policy> {
        self.held.identity.iter().chain(self.held.boundary.iter().flatten()).copied()
    }
}

impl<'a> Accounts<'a> {
    /// Whether a call is a read, and not refused by its own policies wherever it is called.
    pub(super) fn may_read(&self, who: &Who<'a>, action: &str) -> bool {
        let anywhere = On::Below("arn:".to_owned());
        let effect = self.decide_on(who, action, &anywhere, who.number, &ResourcePolicy::None);
        only_reads(&action.to_lowercase()) && !matches!(effect, Effect::No(_))
    }

    /// Rights to what was not listed, in any account. A policy that allows everything in its own allows that, too; one that
    /// refuses everything but reads refuses it. Where policies allow nothing but reads, a policy of a resource that was not
    /// listed may still let it in.
    pub(super) fn rest(&self, who: &Who<'a>, facts: &mut Facts) {
        let number = who.number;
        let probe = |action: &str, resource: &str| {
            self.decide(who, action, resource, number, &ResourcePolicy::None) == Effect::Yes
        };
        let everything = probe("ec2:DeleteVolume", &format!("arn:aws:ec2:eu-west-1:{number}:volume/vol-0"))
            && probe("s3:DeleteObject", "arn:aws:s3:::?/?")
            && probe("backup:DeleteRecoveryPoint", "arn:aws:ec2:eu-west-1::snapshot/snap-0");
        let reads = !who.held.broken && who.held.identity.iter().all(|policy| policy.allows_nothing_but(only_reads));
        for (other, account) in self.all {
            let (allowed, because) = if who.reads_alone() {
                (Fact::Known(false), "a statement of its policies refuses everything but reads")
            } else if everything && other == number {
                (Fact::Known(true), "its policies allow everything on everything")
            } else {
                let why = if reads {
                    "its policies allow nothing but reads; whether the policy of something that was not listed lets it in was not read"
                } else {
                    "its policies were not held against what was not listed"
                };
                (Fact::Unknown(facts.doubt(number, why)), why)
            };
            grant(who, vec!["*".to_owned()], &account.rest, allowed, because, facts);
        }
    }
}
