//! What identities may do, and whom they can become: evaluated offline from the policies that were read.
//!
//! All accounts that were read are looked at together, as roles are assumed, and policies of resources speak, across
//! accounts. Rights that widen themselves follow from IAM's own actions (Service Authorization Reference, IAM). Ways by
//! which a service acts in the name of another role are not followed: who may take one is in doubt of having everything.
//!
//! Tags are not taken for granted in conditions, as a session may be able to change them; policies of sessions are taken
//! as none, as nobody can read them.

mod above;
mod answers;
mod beside;
mod chains;
mod onward;
mod openers;
mod points;
mod rest;
mod stacks;
mod sure;
mod together;
mod trusts;
mod unread;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use deadstop_core::fact::{Fact, Listed};
use deadstop_core::iam::{Caller, Cited, Context, Layer, Outcome, Policies, Policy, Request, explain_below};
use deadstop_core::id::{NodeId, PrincipalId, StepId};
use deadstop_core::model::{Atom, Principal, Step};

use super::iam::{Directory, Held, Identity, Rights};
use super::inventory::Holdings;
use super::organization::{Above, Limits};
use crate::provider::facts::Facts;
use above::Limited;
use answers::Questions;
use beside::Spoken;
pub(super) use onward::runs;
use openers::right;
pub(super) use openers::{Opener, Opens};
pub(super) use sure::{Sure, spell_out};
use together::{Stated, grant};
use trusts::{LET_IN, Trust, Trusts};

/// What identities may be asked to do to a node.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) node: NodeId,
    /// The account that the node belongs to.
    pub(super) owner: String,
    pub(super) action: String,
    pub(super) on: On,
}

/// What a request names.
#[derive(Clone, Debug)]
pub(super) enum On {
    /// This ARN.
    This(String),
    /// Some ARN that begins so and goes on: an object of a bucket.
    Below(String),
}

/// The policy of a resource: none, one, or not known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum ResourcePolicy {
    #[default]
    None,
    Read(Policy),
    /// What it is that was not read: `table's policy`.
    NotKnown(&'static str),
    /// The same as none or as this one, but that something else, which was not read, may let other accounts in.
    Abroad(Option<Policy>, &'static str),
    /// Of one of several resources, by what any of their policies allows; what follows was not read: whether it matters.
    OneOf(Policy, &'static str),
}

impl ResourcePolicy {
    const fn policy(&self) -> Option<&Policy> {
        match self {
            Self::Read(policy) | Self::Abroad(Some(policy), _) | Self::OneOf(policy, _) => Some(policy),
            Self::None | Self::NotKnown(_) | Self::Abroad(None, _) => None,
        }
    }
}

/// What AWS does with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Effect {
    Yes,
    No(&'static str),
    /// In doubt, and why.
    Maybe(String),
}

/// One account.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) node: NodeId,
    /// The part of it that was not listed.
    pub(super) rest: NodeId,
    /// Its users and roles, as far as they were read.
    pub(super) directory: Option<Directory>,
    pub(super) above: Above,
    /// Whoever has all rights that it may give, by a name of its own.
    pub(super) anyone: String,
}

impl Account {
    /// Its directory, if all roles are in it: only then it is known which of them let somebody in.
    fn listed(&self) -> Option<&Directory> {
        self.directory.as_ref().filter(|directory| directory.unlisted().is_none())
    }
}

/// Every account of which a key was found, by number.
pub(super) struct Accounts<'a> {
    all: &'a BTreeMap<String, Account>,
    asks: &'a [Ask],
    policies: &'a BTreeMap<NodeId, ResourcePolicy>,
    openers: &'a [Opener],
    /// Services of which databases, or stacks, were not listed somewhere.
    hidden: &'a BTreeSet<&'static str>,
    /// Regions in which buckets lie.
    homes: &'a BTreeSet<String>,
    /// Accounts that were not read, by what stands for them.
    elsewhere: &'a [NodeId],
    /// Worked out once, when it is asked for.
    spoken: OnceLock<Vec<Spoken<'a>>>,
    trusts: OnceLock<Trusts<'a>>,
}

/// Whose rights are asked for.
struct Who<'a> {
    id: PrincipalId,
    arn: &'a str,
    number: &'a str,
    account: &'a Account,
    directory: &'a Directory,
    caller: Caller,
    held: Held<'a>,
}

/// A call to IAM or STS, and what follows from it.
struct Move<'a> {
    action: &'static str,
    on: &'a str,
    /// What else it hangs on.
    doubt: Option<&'static str>,
    gains: Vec<Atom>,
    because: String,
}

/// What gives a user, a role, the members of a group, or whoever has a managed policy other rights.
const WIDEN_USER: [&str; 2] = ["iam:PutUserPolicy", "iam:AttachUserPolicy"];
const WIDEN_ROLE: [&str; 2] = ["iam:PutRolePolicy", "iam:AttachRolePolicy"];
const WIDEN_GROUP: [&str; 2] = ["iam:PutGroupPolicy", "iam:AttachGroupPolicy"];
const WIDEN_POLICY: [&str; 2] = ["iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"];
const BECOME_USER: [&str; 3] = ["iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile"];
impl<'a> Accounts<'a> {
    pub(super) fn new(all: &'a BTreeMap<String, Account>, holdings: &'a Holdings) -> Self {
        let Holdings { asks, policies, openers, hidden, homes, elsewhere, .. } = holdings;
        Self {
            all,
            asks,
            policies,
            openers,
            hidden,
            homes,
            elsewhere,
            spoken: OnceLock::new(),
            trusts: OnceLock::new(),
        }
    }

    /// States the rights of these identities, and of all whom they can become: of these by each resource, as AWS itself
    /// is asked what it says of some, and of the others by groups of them.
    pub(super) fn state(&self, starts: &BTreeSet<String>, facts: &mut Facts) {
        let limited = self.limited();
        let questions = Questions::new(self);
        self.state_limited(&limited, &questions, facts);
        let mut known: BTreeSet<&str> = BTreeSet::new();
        let mut open: Vec<&str> = starts.iter().map(String::as_str).collect();
        while let Some(arn) = open.pop() {
            let Some((number, _, of)) = self.identity(arn).filter(|(_, _, of)| known.insert(&of.arn)) else {
                continue;
            };
            match (&of.rights, self.who(arn)) {
                (Rights::Read, Some(who)) => {
                    let stated = if starts.contains(&of.arn) { Stated::Each } else { Stated::Together };
                    open.extend(self.one(&who, stated, &limited, &questions, facts));
                }
                (Rights::Refused(gap), _) => super::unread(facts, &of.arn, number, Some(gap)),
                (Rights::Read | Rights::NotAsked, _) => super::unread(facts, &of.arn, number, None),
            }
        }
    }

    /// An identity that is known to be there, with its account.
    fn identity(&self, arn: &str) -> Option<(&'a str, &'a Account, &'a Identity)> {
        let (number, account) = self.all.get_key_value(arn.split(':').nth(4)?)?;
        let of = account.directory.as_ref()?.identity(arn)?;
        Some((number, account, of))
    }

    /// The same, if all that speaks of its rights was read.
    fn who(&self, arn: &str) -> Option<Who<'a>> {
        let (number, account, of) = self.identity(arn).filter(|(_, _, of)| of.is_read())?;
        let directory = account.directory.as_ref()?;
        Some(Who {
            id: of.arn.as_str().into(),
            arn: &of.arn,
            number,
            account,
            directory,
            caller: Caller::new(&of.arn)?,
            held: directory.held(of),
        })
    }

    /// States the rights of one, and gives whom it can become.
    fn one(
        &self,
        who: &Who<'a>,
        stated: Stated,
        limited: &Limited,
        questions: &Questions<'a>,
        facts: &mut Facts,
    ) -> Vec<&'a str> {
        let name = who.arn.rsplit(':').next().unwrap_or(who.arn).replacen('/', " ", 1);
        let sources = vec![facts.source(who.told_by(), who.number)];
        facts.principals.push(Principal {
            id: who.id.clone(),
            provider: "aws".to_owned(),
            name: format!("{name} of {}", who.number),
            environment: None,
            grants: Fact::Known(Listed::Complete),
            sources,
        });
        let answers = questions.answer(who, self.asks, |ask| self.asked(who, ask));
        grant(who, vec!["*".to_owned()], &"*".into(), Fact::Known(false), NOWHERE, facts);
        match stated {
            Stated::Each => {
                self.grants(who, &answers, facts);
                self.openers(who, questions, &answers, facts);
            }
            Stated::Together => self.rights_together(who, questions, &answers, facts),
        }
        self.rest(who, facts);
        self.beside(who, facts);
        self.by_access_points(who, &answers, facts);
        self.widen(who, limited, questions, facts);
        self.onward(who, limited, facts);
        self.by_unread(who, limited, facts);
        self.of_resources(who, facts);
        self.by_statements(who, &answers, facts);
        self.become_others(who, facts)
    }

    fn asked(&self, who: &Who<'a>, ask: &Ask) -> Effect {
        self.decide_on(who, &ask.action, &ask.on, &ask.owner, self.policy_of(ask))
    }

    /// The policy that a call is held against. A replica of a table has one of its own (DynamoDB Developer Guide,
    /// `rbac-considerations`).
    fn policy_of(&self, ask: &Ask) -> &'a ResourcePolicy {
        let own = self.policies.get(&ask.node).unwrap_or(&ResourcePolicy::None);
        match &ask.on {
            On::This(arn) if arn != ask.node.as_str() && arn.contains(":dynamodb:") && ends_with_table(arn) => {
                self.policies.get(&NodeId(arn.clone())).unwrap_or(&NO_TABLE)
            }
            On::This(_) | On::Below(_) => own,
        }
    }

    fn decide(&self, who: &Who<'a>, action: &str, arn: &str, owner: &str, policy: &ResourcePolicy) -> Effect {
        self.decide_on(who, action, &On::This(arn.to_owned()), owner, policy)
    }

    fn decide_on(&self, who: &Who<'a>, action: &str, on: &On, owner: &str, policy: &ResourcePolicy) -> Effect {
        let (caller, mut context) = (who.caller.clone(), Context::partial());
        let (On::This(name) | On::Below(name)) = on;
        if let Some(region) = region_of(action, name) {
            context.set("aws:RequestedRegion", vec![region.to_owned()]);
        }
        let request = match on {
            On::This(arn) => Request::new(caller, action, arn, Some(owner), context),
            On::Below(prefix) => Request::below(caller, action, prefix, Some(owner), context),
        };
        let (above, there) =
            (&who.account.above.identities, self.all.get(owner).map(|account| &account.above.resources));
        let mut policies = Policies {
            identity: who.held.identity.clone(),
            boundary: who.held.boundary.clone(),
            resource: policy.policy(),
            service_control: above.levels(),
            resource_control: there.map(Limits::levels).unwrap_or_default(),
            ..Policies::default()
        };
        let decided = explain_below(&request, &policies);
        if decided.outcome == Outcome::ExplicitlyDenied {
            let of_above = |cited: &Cited| matches!(cited.layer, Layer::ServiceControl | Layer::ResourceControl);
            return Effect::No(if decided.by.iter().any(of_above) { ORGANISATION } else { REFUSED });
        }
        if who.held.broken {
            return Effect::Maybe("one of its policies could not be understood".to_owned());
        }
        match policy {
            ResourcePolicy::NotKnown(what) => return Effect::Maybe(format!("the {what} was not read")),
            ResourcePolicy::Abroad(_, what) if who.number != owner && decided.outcome != Outcome::Allowed => {
                return Effect::Maybe(format!("the {what} was not read"));
            }
            ResourcePolicy::OneOf(_, what) if decided.outcome == Outcome::Allowed => {
                return Effect::Maybe(format!("its policies allow it; {what} was not read"));
            }
            ResourcePolicy::None
            | ResourcePolicy::Read(_)
            | ResourcePolicy::Abroad(_, _)
            | ResourcePolicy::OneOf(_, _) => {}
        }
        let governed = *above == Limits::NotRead || there.is_none_or(|limits| *limits == Limits::NotRead);
        match decided.outcome {
            Outcome::Allowed if governed => {
                Effect::Maybe("its policies allow it; what the organisation's policies say was not read".to_owned())
            }
            Outcome::Allowed => Effect::Yes,
            Outcome::Depends if decided.depends_on.is_empty() => Effect::Maybe(
                "its policies allow it on a part, by name, and whether that is there was not read".to_owned(),
            ),
            Outcome::Depends => {
                let keys: Vec<&str> = decided.depends_on.iter().map(String::as_str).collect();
                Effect::Maybe(format!("its policies decide by {}, which is not known before the call", keys.join(", ")))
            }
            Outcome::ImplicitlyDenied if !policies.service_control.is_empty() => {
                // Which of them it is that does not allow it.
                policies.service_control.clear();
                let without = explain_below(&request, &policies).outcome;
                Effect::No(if without == Outcome::ImplicitlyDenied { NOWHERE } else { ORGANISATION })
            }
            Outcome::ImplicitlyDenied if who.held.boundary.is_some() => {
                Effect::No("its policies and its permissions boundary do not both allow it")
            }
            Outcome::ImplicitlyDenied | Outcome::ExplicitlyDenied => Effect::No(NOWHERE),
        }
    }

    /// Whether a resource has a policy of its own, or may have one.
    fn speaks(&self, node: &NodeId) -> bool {
        !matches!(self.policies.get(node), None | Some(ResourcePolicy::None))
    }

    /// Where rights count that an identity of this account has come to: in it, and at what has policies of its own
    /// elsewhere.
    fn within(&self, who: &Who<'a>) -> BTreeSet<&'a NodeId> {
        let elsewhere = self.asks.iter().filter(|ask| ask.owner != who.number && self.speaks(&ask.node));
        elsewhere.map(|ask| &ask.node).chain([&who.account.node]).collect()
    }

    /// Calls by which an identity gives itself all other rights, or else another one, which it may come to be.
    fn widen(&self, who: &Who<'a>, limited: &Limited, questions: &Questions<'a>, facts: &mut Facts) {
        let Some(own) = who.directory.identity(who.arn) else { return };
        let within = self.within(who);
        let sure = self.widen_one(who, own, &within, limited, facts);
        if !sure {
            self.join_groups(who, own, questions, facts);
        }
        let all = [&WIDEN_USER, &WIDEN_ROLE, &WIDEN_GROUP, &WIDEN_POLICY];
        if !sure && all.into_iter().flatten().any(|action| who.is_named(action)) {
            for other in who.directory.identities().filter(|identity| identity.arn != who.arn) {
                self.widen_one(who, other, &within, limited, facts);
            }
        }
    }

    /// Whether that is surely possible.
    fn widen_one(
        &self,
        who: &Who<'a>,
        target: &'a Identity,
        within: &BTreeSet<&NodeId>,
        limited: &Limited,
        facts: &mut Facts,
    ) -> bool {
        let right = |on: &&NodeId| Atom::Right {
            principal: target.arn.as_str().into(),
            action: "*".to_owned(),
            target: (*on).clone(),
        };
        let held = who.directory.held(target);
        let own = if target.is_user() { WIDEN_USER } else { WIDEN_ROLE };
        let mut calls: Vec<(&'static str, &str)> =
            own.into_iter().map(|action| (action, target.arn.as_str())).collect();
        calls.extend(held.groups.iter().flat_map(|group| WIDEN_GROUP.map(|action| (action, *group))));
        let managed = held.attached.iter().filter(|arn| arn.split(':').nth(4) == Some(who.number));
        calls.extend(managed.flat_map(|policy| WIDEN_POLICY.map(|action| (action, *policy))));
        calls.retain(|(action, _)| who.is_named(action));
        let whom = if target.arn == who.arn { "itself".to_owned() } else { target.name.clone() };
        // What is given still ends at the boundary of whoever has it.
        let doubt = match (&held.boundary, target.is_read()) {
            (Some(_), _) => Some("what it gives ends at a permissions boundary, unless that can be lifted"),
            (None, false) => Some("whether what it gives ends at a permissions boundary was not read"),
            (None, true) => None,
        };
        let mut sure = false;
        for (action, on) in calls {
            let gains = self.all_of(limited, who.number, within.iter().map(right).collect());
            let because = format!("give {whom} other rights with {action}");
            sure |= self.step(who, Move { action, on, doubt, gains, because }, facts) == Some(true);
        }
        sure
    }

    /// What a user gains for sure by the groups it may put itself into: what their policies give, and not all there is. Where
    /// else such a call leads, and whom else it helps, is in doubt with every call that leads on.
    fn join_groups(&self, who: &Who<'a>, own: &'a Identity, questions: &Questions<'a>, facts: &mut Facts) {
        const JOIN: &str = "iam:AddUserToGroup";
        if !own.is_user() || !who.is_named(JOIN) {
            return;
        }
        for (group, held) in who.directory.in_groups(own) {
            if matches!(self.decide(who, JOIN, group, who.number, &ResourcePolicy::None), Effect::No(_)) {
                continue;
            }
            let member = Who { id: who.id.clone(), caller: who.caller.clone(), held, ..*who };
            let answers = questions.answer(&member, self.asks, |ask| self.asked(&member, ask));
            let given = self.asks.iter().enumerate().filter(|(at, _)| *answers.get(*at) == Effect::Yes);
            let gains: Vec<Atom> = given.map(|(_, ask)| right(&who.id, &ask.action, &ask.node)).collect();
            if !gains.is_empty() {
                let because = format!("give itself the rights of a group with {JOIN}");
                self.step(who, Move { action: JOIN, on: group, doubt: None, gains, because }, facts);
            }
        }
    }

    /// Identities that one can act as, or make itself act as.
    fn become_others(&self, who: &Who<'a>, facts: &mut Facts) -> Vec<&'a str> {
        let mut others = Vec::new();
        for one in self.trusts().may_let_in(who).filter(|one| one.role.arn != who.arn) {
            others.extend(self.assume(who, one, facts).then_some(one.role.arn.as_str()));
        }
        let roles = who.directory.roles.values().filter(|role| role.arn != who.arn && who.is_named(LET_IN));
        for role in roles {
            let (gains, on) = (vec![Atom::Principal(role.arn.as_str().into())], role.arn.as_str());
            let because = format!("let itself assume role {} with {LET_IN}", role.name);
            let made = Move { action: LET_IN, on, doubt: None, gains, because };
            others.extend(self.step(who, made, facts).map(|_| role.arn.as_str()));
        }
        let become_user: Vec<&'static str> = BECOME_USER.into_iter().filter(|action| who.is_named(action)).collect();
        for user in who.directory.users.values().filter(|user| user.arn != who.arn) {
            let became = become_user.iter().filter(|action| {
                let (gains, on) = (vec![Atom::Principal(user.arn.as_str().into())], user.arn.as_str());
                let because = format!("act as user {} with {action}", user.name);
                self.step(who, Move { action, on, doubt: None, gains, because }, facts).is_some()
            });
            others.extend((became.count() > 0).then_some(user.arn.as_str()));
        }
        others
    }

    fn assume(&self, who: &Who<'a>, one: &Trust<'a>, facts: &mut Facts) -> bool {
        let Trust { role, owner, .. } = one;
        let effect = self.trusts_in(who, one);
        let Some(possible) = taken(who, effect, facts) else { return false };
        // One that was refused, or not asked for, is the gap's source, and not the step's.
        let directory = self.all.get(*owner).and_then(|account| account.directory.as_ref());
        let told = directory.filter(|_| matches!(role.trust, Some(Ok(_)))).map(Directory::trust_told_by);
        let sources = told.map(|call| facts.source(call, owner)).into_iter().collect();
        facts.steps.push(Step {
            id: StepId(format!("aws:{}:assume:{}", who.arn, role.arn)),
            session: None,
            needs: vec![Atom::Principal(who.id.clone())],
            gains: vec![Atom::Principal(role.arn.as_str().into())],
            changes: false,
            possible,
            because: format!("assume role {}", role.name),
            sources,
        });
        true
    }

    /// States a call that changes something, if it may be allowed: whether it surely is.
    fn step(&self, who: &Who<'a>, made: Move<'_>, facts: &mut Facts) -> Option<bool> {
        let Move { action, on, doubt, gains, because } = made;
        let effect = match (self.decide(who, action, on, who.number, &ResourcePolicy::None), doubt) {
            (Effect::Yes, Some(why)) => Effect::Maybe(why.to_owned()),
            (effect, _) => effect,
        };
        let sure = effect == Effect::Yes;
        let possible = taken(who, effect, facts)?;
        let node = &who.account.node;
        grant(who, vec![action.to_owned()], node, Fact::Known(true), "its policies may allow it on an identity", facts);
        let sources = vec![facts.source(who.told_by(), who.number)];
        facts.steps.push(Step {
            id: StepId(format!("aws:{}:{action}:{on}:{because}", who.arn)),
            session: None,
            needs: vec![Atom::Principal(who.id.clone()), Atom::Can { action: action.to_owned(), target: node.clone() }],
            gains,
            changes: true,
            possible,
            because,
            sources,
        });
        Some(sure)
    }
}

/// The Region in which a call names a resource: one of a Region is called there; a replica, and what spans several, from
/// another one, too.
fn region_of<'n>(action: &str, name: &'n str) -> Option<&'n str> {
    let spans = ["Replica", "Global"].iter().any(|word| action.contains(word));
    name.split(':').nth(3).filter(|region| !spans && !region.is_empty() && !region.contains(['*', '?']))
}

/// A table by its ARN, and nothing of one: no backup, no index.
fn ends_with_table(arn: &str) -> bool {
    arn.split(':').nth(5).and_then(|table| table.strip_prefix("table/")).is_some_and(|name| !name.contains('/'))
}

/// A replica that was not listed.
const NO_TABLE: ResourcePolicy = ResourcePolicy::NotKnown("policy of a replica");

/// Where it is asked what somebody may do to the source of a replica (`{replica}#source`), which need not be listed.
pub(super) fn is_source(node: &NodeId) -> bool {
    node.as_str().contains(SOURCE)
}

/// After a replica, its source.
pub(super) const SOURCE: &str = "#source";

fn taken(who: &Who<'_>, effect: Effect, facts: &mut Facts) -> Option<Fact<bool>> {
    match effect {
        Effect::Yes => Some(Fact::Known(true)),
        Effect::Maybe(why) => Some(Fact::Unknown(facts.doubt(who.number, &why))),
        Effect::No(_) => None,
    }
}

/// An explicit refusal, in words.
const REFUSED: &str = "a statement of its policies refuses it";
/// One from above, in words.
const ORGANISATION: &str = "the policies of its organisation refuse it";
/// No permission at all, in words.
const NOWHERE: &str = "none of its policies allows it";
