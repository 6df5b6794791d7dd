//! Rights that lead on to others by ways that are not followed: by what a service does in the name of another role, by
//! what it hands out, by identities that are not there yet, past a boundary, or to a whole account.
//!
//! Whoever has one of them is in doubt of having everything, and so is whoever has a call of which it is not known where it
//! leads (`iam-onward.txt` of the core lists those of which it is: Service Authorization Reference; IAM User Guide,
//! `id_roles_use_passrole`). What hands a role to a service takes `iam:PassRole`, which is one of them, so that the calls
//! that take a role are none by themselves. What other programs make of a message, an object or an image that is put
//! somewhere is not looked at.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use deadstop_core::fact::Fact;
use deadstop_core::iam::{Context, Outcome, Policies, Request, Way, explain_below, known_onward, lead_on, only_reads};
use deadstop_core::id::{NodeId, StepId};
use deadstop_core::model::{Atom, Step};

use super::super::organization::CLOSE;
use super::above::{LIFTS, Limited};
use super::answers::Answers;
use super::trusts::ASSUME;
use super::{Account, Accounts, Ask, Effect, ResourcePolicy, Who, is_source};
use crate::provider::facts::Facts;

/// By credentials that are handed out for objects alone, to whom grants of the account name (S3 User Guide,
/// `access-grants`; Lake Formation Developer Guide, `using-cred-vending`).
static OF_BUCKETS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let objects = lead_on("*").filter(|leading| leading.way == Way::Objects);
    objects.map(|leading| leading.action.as_str()).collect()
});
/// What leads to statements in a database.
static STATEMENTS: LazyLock<BTreeSet<&str>> = LazyLock::new(|| {
    let sql = lead_on("*").filter(|leading| leading.way == Way::Sql);
    sql.map(|leading| leading.action.as_str()).collect()
});
/// What leads to statements in MySQL alone, which reach no other server: RDS has no `FEDERATED` tables (RDS User Guide,
/// `MySQL.Concepts.FeatureSupport`).
const OF_MYSQL: [&str; 2] = ["rds:ModifyDBParameterGroup", "rds:ModifyDBClusterParameterGroup"];
/// What destroys by a call on a stack, or on a set of them.
const OF_STACKS: [&str; 11] = [
    "cloudformation:DeleteStack",
    "cloudformation:UpdateStack",
    "cloudformation:ExecuteChangeSet",
    "cloudformation:DeleteStackInstances",
    "cloudformation:UpdateStackInstances",
    "cloudformation:UpdateStackSet",
    "cloudformation:RollbackStack",
    "cloudformation:ContinueUpdateRollback",
    "cloudformation:CancelUpdateStack",
    "cloudformation:DeleteStackSet",
    "cloudformation:ExecuteStackRefactor",
];
/// How the principals of services begin that databases act as. That of RDS's monitoring begins otherwise.
const DATABASES: [&str; 2] = ["rds", "redshift"];

/// Whether a call that leads to statements signs in or runs some, and changes no setting first.
pub(in crate::provider::aws) fn runs(action: &str) -> bool {
    let name = action.split(':').nth(1).unwrap_or_default();
    !["Create", "Join", "Modify", "Register", "Update"].iter().any(|verb| name.starts_with(verb))
}

/// Resources that somebody may come to, by a way that is not followed.
pub(super) struct Perhaps<'n> {
    /// Part of the step's id.
    pub(super) what: String,
    pub(super) nodes: Vec<&'n NodeId>,
    pub(super) why: &'static str,
    pub(super) because: String,
    pub(super) changes: bool,
}

impl Who<'_> {
    /// Whether its policies name a call, or one of them cannot be understood. Where neither is so, nothing allows it but the
    /// policy of a resource.
    pub(super) fn is_named(&self, action: &str) -> bool {
        self.held.broken || self.held.identity.iter().any(|policy| policy.names(action))
    }

    /// Whether its policies name a call, and no statement refuses it that on everything.
    pub(super) fn may_call(&self, action: &str) -> bool {
        self.held.identity.iter().any(|policy| policy.names(action)) && !self.is_refused(action)
    }

    /// Whether a statement refuses it a call on everything, whoever else may allow it.
    pub(super) fn is_refused(&self, action: &str) -> bool {
        let policies = Policies {
            identity: self.held.identity.clone(),
            boundary: self.held.boundary.clone(),
            service_control: self.account.above.identities.levels(),
            ..Policies::default()
        };
        let request = Request::below(self.caller.clone(), action, "arn:", Some(self.number), Context::partial());
        explain_below(&request, &policies).outcome == Outcome::ExplicitlyDenied
    }

    /// The calls that lead somewhere, and that its policies may allow.
    pub(super) fn leading(&self, wanted: impl Fn(Way) -> bool) -> impl Iterator<Item = (&'static str, Way)> {
        let reads = self.reads_alone();
        let patterns = self.held.identity.iter().flat_map(|policy| policy.allowed());
        let all = patterns.flat_map(lead_on).filter(move |leading| wanted(leading.way));
        let spared = all.filter(move |leading| !reads || only_reads(&leading.action.to_lowercase()));
        spared.filter(|leading| self.may_call(&leading.action)).map(|leading| (leading.action.as_str(), leading.way))
    }

    /// A call by which it may come to other rights.
    fn leads_on(&self) -> Option<&'static str> {
        if self.held.broken {
            return Some("a policy that could not be understood");
        }
        let acts = self.databases_act();
        let first = self.leading(|way| way == Way::Anywhere || way == Way::Sql && acts).next();
        let known =
            self.reads_alone() || self.held.identity.iter().all(|policy| policy.allows_nothing_but(known_onward));
        let lifts = LIFTS.into_iter().find(|action| self.may_call(action));
        first
            .map(|(action, _)| action)
            .or(lifts)
            .or((!known).then_some("a call of which it is not known where it leads"))
    }

    /// Whether a database of its account may act in the name of a role: by statements, what was given to it is done by
    /// whoever runs them (RDS User Guide, `postgresql-s3-export`, `PostgreSQL-Lambda`; Redshift Database Developer Guide,
    /// `r_UNLOAD`). Such a role lets RDS or Redshift in, and is none that is linked to a service, which no database is given;
    /// that of RDS Custom has a name that begins with `AWSRDSCustom`.
    fn databases_act(&self) -> bool {
        if self.directory.unlisted().is_some() {
            return true;
        }
        let mut given = self.directory.roles.values().filter(|role| !role.arn.contains(":role/aws-service-role/"));
        given.any(|role| {
            role.name.starts_with("AWSRDSCustom")
                || match &role.trust {
                    Some(Ok(trust)) => DATABASES.iter().any(|service| trust.may_let_in_service(service)),
                    Some(Err(())) | None => true,
                }
        })
    }
}

impl<'a> Accounts<'a> {
    /// States that somebody may come to all rights, if some way may lead there.
    pub(super) fn onward(&self, who: &Who<'a>, limited: &Limited, facts: &mut Facts) {
        let by_others = || (limited.open && who.may_call(ASSUME)).then_some("a role of an account that was not read");
        let by_resources = || self.by_a_secret(who).or_else(|| self.by_a_policy(who));
        let first = who.leads_on().or_else(by_resources).or_else(by_others);
        let Some(first) = first else { return };
        let why = "ways to other rights by services, and by identities that are not there yet, are not followed";
        let right = |account: &Account| Atom::Right {
            principal: who.id.clone(),
            action: "*".to_owned(),
            target: account.node.clone(),
        };
        // What a stack that was not read has, or an account, may go by one call.
        let unread = |service: &str, calls: &[&str]| {
            self.hidden.contains(service) && calls.iter().any(|action| who.may_call(action))
        };
        let at_once = unread("cloudformation", &OF_STACKS) || unread("organizations", &[CLOSE]);
        let possible = Fact::Unknown(facts.doubt(who.number, why));
        let sources = vec![facts.source(who.told_by(), who.number)];
        facts.steps.push(Step {
            id: StepId(format!("aws:{}:not-followed", who.arn)),
            session: None,
            needs: vec![Atom::Principal(who.id.clone())],
            gains: self
                .all
                .iter()
                .flat_map(|(number, account)| self.perhaps_all_of(limited, who.number, number, right(account)))
                .collect(),
            changes: !at_once,
            possible,
            because: format!("come to other rights by way of {first}"),
            sources,
        });
    }

    /// Whether the policy of a secret lets it be read: what it holds may be anybody's key.
    fn by_a_secret(&self, who: &Who<'a>) -> Option<&'static str> {
        const READ: &str = "secretsmanager:GetSecretValue";
        let named = who.is_named(READ);
        let mut secrets = self.policies.iter().filter(|(node, _)| node.as_str().contains(":secretsmanager:"));
        secrets
            .any(|(node, policy)| {
                if *policy == ResourcePolicy::None && !named {
                    return false;
                }
                let owner = node.as_str().split(':').nth(4).unwrap_or_default();
                !matches!(self.decide(who, READ, node.as_str(), owner, policy), Effect::No(_))
            })
            .then_some(READ)
    }

    /// States that somebody may come to the objects of buckets, and to what lets in others than were read.
    pub(super) fn of_resources(&self, who: &Who<'a>, facts: &mut Facts) {
        if let Some(first) = OF_BUCKETS.iter().find(|action| who.may_call(action)) {
            let buckets = self.asks.iter().filter(|ask| ask.action == "s3:DeleteBucket").map(|ask| &ask.node);
            let why = "to whom grants of buckets hand out credentials was not read";
            let because = format!("be handed credentials for objects by {first}");
            let (what, nodes) = ("of-buckets".to_owned(), buckets.collect());
            perhaps_at(who, Perhaps { what, nodes, why, because, changes: false }, facts);
        }
        if who.may_call(ASSUME) {
            let why = "whom roles of accounts that were not read let in was not read";
            let because = "take on a role of an account that was not read, which the resource's policy may let in";
            let (what, nodes) = ("of-others".to_owned(), self.resources_open_to_others(only_reads).collect());
            perhaps_at(who, Perhaps { what, nodes, why, because: because.to_owned(), changes: false }, facts);
        }
    }

    /// States that somebody who may run statements in one database may come to others: by foreign tables and links between
    /// servers, with what a database keeps to sign in there (RDS User Guide, `postgresql-commondbatasks-fdw`,
    /// `Appendix.SQLServer.CommonDBATasks`, `Appendix.Oracle.CommonDBATasks`). Redshift reads others alone
    /// (Redshift Database Developer Guide, `federated-limitations`), but for those of its own, which share data.
    pub(super) fn by_statements(&self, who: &Who<'a>, answers: &Answers, facts: &mut Facts) {
        let asked = || self.asks.iter().filter(|ask| STATEMENTS.contains(&ask.action.as_str()));
        let open = self.asks.iter().enumerate().filter(|(at, _)| !matches!(answers.get(*at), Effect::No(_)));
        let open = open.map(|(_, ask)| ask).filter(|ask| STATEMENTS.contains(&ask.action.as_str()));
        let from: Vec<&Ask> = open.filter(|ask| !OF_MYSQL.contains(&ask.action.as_str())).collect();
        // It may begin in one that was not listed, which is called by names of this service.
        let begins = |service: &str, action: &str| {
            let of = service.split('-').next().unwrap_or_default();
            action.starts_with(of)
        };
        let sql = who.leading(|way| way == Way::Sql).map(|(action, _)| action);
        let sql = sql.filter(|action| !OF_MYSQL.contains(action));
        let unseen: Vec<&str> =
            sql.filter(|action| self.hidden.iter().any(|service| begins(service, action))).collect();
        for redshift in [false, true] {
            let of = |action: &&str| action.starts_with("redshift") == redshift;
            let from: Vec<&&Ask> = from.iter().filter(|ask| of(&ask.action.as_str())).collect();
            let unseen: Vec<&str> = unseen.iter().filter(|action| of(action)).copied().collect();
            let by: Vec<&str> = from.iter().map(|ask| ask.action.as_str()).chain(unseen.iter().copied()).collect();
            let Some(first) = by.iter().find(|action| runs(action)).or_else(|| by.first()) else { continue };
            let one = from.first().map(|ask| &ask.node);
            let only = one.filter(|one| unseen.is_empty() && from.iter().all(|ask| ask.node == **one));
            let others = asked().filter(|ask| !redshift || of(&ask.action.as_str())).map(|ask| &ask.node);
            let databases: BTreeSet<&NodeId> = others.filter(|node| !is_source(node) && Some(*node) != only).collect();
            if databases.is_empty() {
                continue;
            }
            let why = "which other databases a database signs in to was not read";
            let possible = Fact::Unknown(facts.doubt(who.number, why));
            let sources = vec![facts.source(who.told_by(), who.number)];
            facts.steps.push(Step {
                id: StepId(format!("aws:{}:by-statements{}", who.arn, if redshift { "-of-redshift" } else { "" })),
                session: None,
                needs: vec![Atom::Principal(who.id.clone())],
                gains: databases.into_iter().map(|node| Atom::Destroyed(node.clone())).collect(),
                changes: !runs(first),
                possible,
                because: format!("reach other databases by statements, by way of {first}"),
                sources,
            });
        }
    }
}

/// States that somebody may come to all rights to some resources.
pub(super) fn perhaps_at(who: &Who<'_>, perhaps: Perhaps<'_>, facts: &mut Facts) {
    let Perhaps { what, nodes, why, because, changes } = perhaps;
    if nodes.is_empty() {
        return;
    }
    let right = |target: NodeId| Atom::Right { principal: who.id.clone(), action: "*".to_owned(), target };
    let nodes = facts.together(nodes.into_iter().cloned().collect());
    let possible = Fact::Unknown(facts.doubt(who.number, why));
    let sources = vec![facts.source(who.told_by(), who.number)];
    facts.steps.push(Step {
        id: StepId(format!("aws:{}:{what}", who.arn)),
        session: None,
        needs: vec![Atom::Principal(who.id.clone())],
        gains: nodes.into_iter().map(right).collect(),
        changes,
        possible,
        because,
        sources,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whoever may run statements in a database may lose it, so that each such call is asked for with the databases.
    #[test]
    fn what_leads_to_statements_is_asked_for() {
        let inventory = [
            include_str!("../inventory/rds.rs"),
            include_str!("../inventory/rds/by_others.rs"),
            include_str!("../inventory/rds/clusters.rs"),
            include_str!("../inventory/redshift.rs"),
            include_str!("../inventory/serverless.rs"),
        ];
        assert!(STATEMENTS.len() > 20);
        for action in STATEMENTS.iter() {
            // A new database has nothing yet.
            let asked = inventory.iter().any(|file| file.contains(&format!("\"{action}\"")));
            assert!(asked || *action == "rds:CreateTenantDatabase", "{action}");
        }
    }
}
