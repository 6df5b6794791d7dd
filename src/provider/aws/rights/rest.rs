//! Rights to what was not listed.

use deadstop_core::fact::Fact;
use deadstop_core::iam::only_reads;

use super::{Accounts, Effect, ResourcePolicy, Who, grant};
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
    /// Rights to what was not listed, in any account. A policy that allows everything in its own allows that, too. What
    /// refuses nobody knows: of what was not listed something may be destroyed by what AWS does not decide by policies, and
    /// a policy of a resource may let in whoever has nothing but reads.
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
            let (allowed, because) = if everything && other == number {
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
        for node in self.elsewhere {
            let why = "ways into accounts of the organisation that were not read are not followed";
            let allowed = Fact::Unknown(facts.doubt(number, why));
            grant(who, vec!["*".to_owned()], node, allowed, why, facts);
        }
    }
}
