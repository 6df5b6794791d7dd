//! What the identities of an account may do, and whom they can become: evaluated offline from the policies that were read.
//!
//! Rights that widen themselves follow from IAM's own actions (IAM User Guide, `access_policies_permissions-management`;
//! Service Authorization Reference). Not followed to their end are rights to make a service act in the name of a role:
//! who may have them is in doubt of having everything.

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::fact::{Fact, GapReason, Listed};
use deadstop_core::iam::{Caller, Context, Outcome, Policies, Policy, Request, explain};
use deadstop_core::id::{NodeId, PrincipalId, StepId};
use deadstop_core::model::{Atom, Basis, Grant, Principal, Step};

use super::facts::Facts;
use super::iam::{Directory, Held, Identity};

/// What an identity may be asked to do to a node.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) node: NodeId,
    pub(super) action: String,
    /// The ARN that the request names.
    pub(super) resource: String,
    /// Whether the ARN stands for a part of what the action can be called on.
    pub(super) part: bool,
}

/// What stands on the resource's side.
#[derive(Clone, Debug, Default)]
pub(super) struct Resource {
    pub(super) tags: BTreeMap<String, String>,
    /// Its policy: none, one, or not known.
    pub(super) policy: ResourcePolicy,
}

#[derive(Clone, Debug, Default)]
pub(super) enum ResourcePolicy {
    #[default]
    None,
    Read(Policy),
    NotKnown(&'static str),
}

/// What AWS does with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Effect {
    Yes,
    No(String),
    /// In doubt, and why.
    Maybe(String),
}

/// What may limit an account from above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Above {
    /// It is in no organisation, or it is the one that manages it: no service control policy holds for it.
    Nothing,
    /// Policies that were not read.
    NotRead,
}

/// One account, as far as rights go.
pub(super) struct Account<'a> {
    pub(super) number: &'a str,
    pub(super) node: NodeId,
    pub(super) directory: &'a Directory,
    pub(super) above: Above,
    pub(super) asks: &'a [Ask],
    pub(super) resources: &'a BTreeMap<NodeId, Resource>,
    /// The part of the account that was not listed.
    pub(super) rest: NodeId,
}

/// Whose rights are asked for.
struct Who<'a> {
    id: PrincipalId,
    arn: &'a str,
    caller: Caller,
    held: Held<'a>,
    user: bool,
}

/// What gives an identity every right in its account, on what it is called, and of whom it is asked.
const WIDEN_USER: [&str; 2] = ["iam:PutUserPolicy", "iam:AttachUserPolicy"];
const WIDEN_ROLE: [&str; 2] = ["iam:PutRolePolicy", "iam:AttachRolePolicy"];
const WIDEN_GROUP: [&str; 2] = ["iam:PutGroupPolicy", "iam:AttachGroupPolicy"];
const WIDEN_POLICY: [&str; 2] = ["iam:CreatePolicyVersion", "iam:SetDefaultPolicyVersion"];
const BECOME_USER: [&str; 3] = ["iam:CreateAccessKey", "iam:CreateLoginProfile", "iam:UpdateLoginProfile"];
/// Rights that may lead to those of another role, or past a boundary, by ways that are not followed.
const NOT_FOLLOWED: [&str; 24] = [
    "iam:PassRole",
    "iam:DeleteUserPermissionsBoundary",
    "iam:DeleteRolePermissionsBoundary",
    "iam:PutUserPermissionsBoundary",
    "iam:PutRolePermissionsBoundary",
    "sts:AssumeRoot",
    "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration",
    "lambda:InvokeFunction",
    "ssm:SendCommand",
    "ssm:StartSession",
    "ssm:StartAutomationExecution",
    "ec2-instance-connect:SendSSHPublicKey",
    "ecs:ExecuteCommand",
    "ecs:RunTask",
    "codebuild:StartBuild",
    "codebuild:UpdateProject",
    "glue:UpdateDevEndpoint",
    "glue:UpdateJob",
    "states:StartExecution",
    "cloudformation:UpdateStack",
    "cloudformation:ExecuteChangeSet",
    "sagemaker:CreatePresignedNotebookInstanceUrl",
    "bedrock-agentcore:InvokeCodeInterpreter",
];

impl<'a> Account<'a> {
    /// States the rights of these identities, and of all whom they can become.
    pub(super) fn state(&self, starts: &BTreeSet<String>, facts: &mut Facts) {
        let mut known: BTreeSet<&str> = BTreeSet::new();
        let mut open: Vec<&str> = starts.iter().map(String::as_str).collect();
        while let Some(arn) = open.pop() {
            let Some(who) = self.who(arn) else { continue };
            if known.insert(who.arn) {
                open.extend(self.one(&who, facts));
            }
        }
    }

    fn identities(&self) -> impl Iterator<Item = &'a Identity> {
        self.directory.users.values().chain(self.directory.roles.values())
    }

    fn who(&self, arn: &str) -> Option<Who<'a>> {
        let of = self.identities().find(|identity| identity.arn == arn)?;
        let user = of.trust.is_none();
        Some(Who {
            id: of.arn.as_str().into(),
            arn: &of.arn,
            caller: Caller::new(&of.arn)?,
            held: self.directory.held(of),
            user,
        })
    }

    /// States the rights of one, and gives whom it can become.
    fn one(&self, who: &Who<'a>, facts: &mut Facts) -> Vec<&'a str> {
        let source = facts.source("iam:GetAccountAuthorizationDetails", self.number);
        let name = who.arn.rsplit(':').next().unwrap_or(who.arn).replacen('/', " ", 1);
        facts.principals.push(Principal {
            id: who.id.clone(),
            provider: "aws".to_owned(),
            name: format!("{name} of {}", self.number),
            environment: None,
            grants: Fact::Known(Listed::Complete),
            sources: vec![source],
        });
        self.grants(who, facts);
        self.rest(who, facts);
        self.widen(who, facts);
        self.become_others(who, facts)
    }

    fn grants(&self, who: &Who<'a>, facts: &mut Facts) {
        let mut by_node: BTreeMap<(&NodeId, u8, String), Vec<String>> = BTreeMap::new();
        for ask in self.asks {
            let (order, because) = match self.effect(who, ask) {
                Effect::Yes => (0, "its policies allow it".to_owned()),
                Effect::Maybe(why) => (1, why),
                Effect::No(why) => (2, why),
            };
            by_node.entry((&ask.node, order, because)).or_default().push(ask.action.clone());
        }
        for ((node, order, because), actions) in by_node {
            let allowed = match order {
                0 => Fact::Known(true),
                1 => Fact::Unknown(facts.doubt(self.number, &because)),
                _ => Fact::Known(false),
            };
            self.grant(who, actions, node, allowed, because, facts);
        }
    }

    fn grant(
        &self,
        who: &Who<'a>,
        actions: Vec<String>,
        node: &NodeId,
        allowed: Fact<bool>,
        because: String,
        facts: &mut Facts,
    ) {
        let source = facts.source("iam:GetAccountAuthorizationDetails", self.number);
        facts.grants.push(Grant {
            principal: who.id.clone(),
            actions,
            target: node.clone(),
            allowed,
            basis: Basis::Evaluated,
            because,
            sources: vec![source],
        });
    }

    /// Rights to what was not listed. A policy that allows everything everywhere allows that, too.
    fn rest(&self, who: &Who<'a>, facts: &mut Facts) {
        let probe = |action: &str, resource: &str| {
            let ask =
                Ask { node: self.rest.clone(), action: action.to_owned(), resource: resource.to_owned(), part: false };
            self.effect(who, &ask) == Effect::Yes
        };
        let number = self.number;
        let all = probe("ec2:DeleteVolume", &format!("arn:aws:ec2:eu-west-1:{number}:volume/vol-0"))
            && probe("s3:DeleteObject", "arn:aws:s3:::?/?")
            && probe("backup:DeleteRecoveryPoint", "arn:aws:ec2:eu-west-1::snapshot/snap-0");
        let (allowed, because) = if all {
            (Fact::Known(true), "its policies allow everything on everything")
        } else {
            let why = "its policies were not held against what was not listed";
            (Fact::Unknown(facts.doubt(number, why)), why)
        };
        self.grant(who, vec!["*".to_owned()], &self.rest, allowed, because.to_owned(), facts);
    }

    fn effect(&self, who: &Who<'a>, ask: &Ask) -> Effect {
        let none = Resource::default();
        let resource = self.resources.get(&ask.node).unwrap_or(&none);
        self.decide(who, &ask.action, &ask.resource, ask.part, resource)
    }

    fn decide(&self, who: &Who<'a>, action: &str, arn: &str, part: bool, resource: &Resource) -> Effect {
        let mut context = Context::partial();
        for (key, value) in &resource.tags {
            context.set(&format!("aws:ResourceTag/{key}"), vec![value.clone()]);
        }
        let request = Request::new(who.caller.clone(), action, arn, Some(self.number), context);
        let policies = Policies {
            identity: who.held.identity.clone(),
            boundary: who.held.boundary.clone(),
            resource: match &resource.policy {
                ResourcePolicy::Read(policy) => Some(policy),
                ResourcePolicy::None | ResourcePolicy::NotKnown(_) => None,
            },
            ..Policies::default()
        };
        let decided = explain(&request, &policies);
        let keys: Vec<&str> = decided.depends_on.iter().map(String::as_str).collect();
        if decided.outcome == Outcome::ExplicitlyDenied {
            return Effect::No("a statement of its policies refuses it".to_owned());
        }
        if who.held.broken {
            return Effect::Maybe("one of its policies could not be understood".to_owned());
        }
        if let ResourcePolicy::NotKnown(what) = &resource.policy {
            return Effect::Maybe(format!("the {what} was not read"));
        }
        match decided.outcome {
            Outcome::Allowed if self.above == Above::NotRead => Effect::Maybe(
                "its policies allow it; the service control policies of its organisation were not read".to_owned(),
            ),
            Outcome::Allowed => Effect::Yes,
            Outcome::Depends => {
                Effect::Maybe(format!("its policies decide by {}, which is not known before the call", keys.join(", ")))
            }
            Outcome::ImplicitlyDenied if part && who.held.identity.iter().any(|policy| policy.names(action)) => {
                Effect::Maybe("its policies allow it on a part of what is there, which was not looked into".to_owned())
            }
            Outcome::ImplicitlyDenied if who.held.boundary.is_some() => {
                Effect::No("its policies and its permissions boundary do not both allow it".to_owned())
            }
            Outcome::ImplicitlyDenied | Outcome::ExplicitlyDenied => {
                Effect::No("none of its policies allows it".to_owned())
            }
        }
    }

    /// Rights by which an identity gives itself all others.
    fn widen(&self, who: &Who<'a>, facts: &mut Facts) {
        let own = if who.user { WIDEN_USER } else { WIDEN_ROLE };
        let mut all: Vec<(&str, &str)> = own.into_iter().map(|action| (action, who.arn)).collect();
        all.extend(who.held.groups.iter().flat_map(|group| WIDEN_GROUP.map(|action| (action, *group))));
        let mine = who.held.attached.iter().filter(|arn| arn.split(':').nth(4) == Some(self.number));
        all.extend(mine.flat_map(|policy| WIDEN_POLICY.map(|action| (action, *policy))));
        if who.user {
            all.extend(self.directory.groups().map(|group| ("iam:AddUserToGroup", group)));
        }
        let right = |action: &str| Atom::Right {
            principal: who.id.clone(),
            action: action.to_owned(),
            target: self.node.clone(),
        };
        for (action, arn) in all {
            let because = format!("give itself other rights with {action}");
            // What it gives itself still ends at its boundary.
            let bounded = who
                .held
                .boundary
                .is_some()
                .then_some("what it gives itself ends at its permissions boundary, or not, if it may lift that");
            self.step(who, action, arn, bounded, vec![right("*")], &because, facts);
        }
        let not_followed: Vec<&str> = NOT_FOLLOWED
            .into_iter()
            .filter(|action| who.held.identity.iter().any(|policy| policy.names(action)))
            .collect();
        if let [first, ..] = not_followed.as_slice() {
            let why = "ways from one role to another by way of a service are not followed";
            let possible = Fact::Unknown(facts.doubt(self.number, why));
            let source = facts.source("iam:GetAccountAuthorizationDetails", self.number);
            facts.steps.push(Step {
                id: StepId(format!("aws:{}:services", who.arn)),
                session: None,
                needs: vec![Atom::Principal(who.id.clone())],
                gains: vec![right("*")],
                changes: true,
                possible,
                because: format!("have a service act in the name of another role with {first}"),
                sources: vec![source],
            });
        }
    }

    /// Identities that one can act as, or make itself act as.
    fn become_others(&self, who: &Who<'a>, facts: &mut Facts) -> Vec<&'a str> {
        let mut others = Vec::new();
        for role in self.directory.roles.values().filter(|role| role.arn != who.arn) {
            let gains = vec![Atom::Principal(role.arn.as_str().into())];
            let trust = match &role.trust {
                Some(Ok(policy)) => ResourcePolicy::Read(policy.clone()),
                Some(Err(())) | None => ResourcePolicy::NotKnown("trust policy"),
            };
            let resource = Resource { tags: BTreeMap::new(), policy: trust };
            let effect = self.decide(who, "sts:AssumeRole", &role.arn, false, &resource);
            let assumed = self.taken(effect, facts).map(|possible| Step {
                id: StepId(format!("aws:{}:assume:{}", who.arn, role.arn)),
                session: None,
                needs: vec![Atom::Principal(who.id.clone())],
                gains: gains.clone(),
                changes: false,
                possible,
                because: format!("assume role {}", role.name),
                sources: vec![facts.source("iam:GetAccountAuthorizationDetails", self.number)],
            });
            let mut reached = assumed.is_some();
            facts.steps.extend(assumed);
            let because = format!("let itself assume role {} with iam:UpdateAssumeRolePolicy", role.name);
            reached |= self.step(who, "iam:UpdateAssumeRolePolicy", &role.arn, None, gains, &because, facts);
            if reached {
                others.push(role.arn.as_str());
            }
        }
        for user in self.directory.users.values().filter(|user| user.arn != who.arn) {
            let mut reached = false;
            for action in BECOME_USER {
                let gains = vec![Atom::Principal(user.arn.as_str().into())];
                let because = format!("act as user {} with {action}", user.name);
                reached |= self.step(who, action, &user.arn, None, gains, &because, facts);
            }
            if reached {
                others.push(user.arn.as_str());
            }
        }
        others
    }

    /// A step that changes something by one call, if it may be allowed. `doubt` is what else it hangs on.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is a part of one sentence: who does what to whom, and what follows"
    )]
    fn step(
        &self,
        who: &Who<'a>,
        action: &str,
        arn: &str,
        doubt: Option<&str>,
        gains: Vec<Atom>,
        because: &str,
        facts: &mut Facts,
    ) -> bool {
        let effect = match (self.decide(who, action, arn, false, &Resource::default()), doubt) {
            (Effect::Yes, Some(why)) => Effect::Maybe(why.to_owned()),
            (effect, _) => effect,
        };
        let Some(possible) = self.taken(effect, facts) else { return false };
        let source = facts.source("iam:GetAccountAuthorizationDetails", self.number);
        let can = Atom::Can { action: action.to_owned(), target: self.node.clone() };
        self.grant(
            who,
            vec![action.to_owned()],
            &self.node,
            Fact::Known(true),
            format!("its policies may allow it on {arn}"),
            facts,
        );
        facts.steps.push(Step {
            id: StepId(format!("aws:{}:{action}:{arn}", who.arn)),
            session: None,
            needs: vec![Atom::Principal(who.id.clone()), can],
            gains,
            changes: true,
            possible,
            because: because.to_owned(),
            sources: vec![source],
        });
        true
    }

    fn taken(&self, effect: Effect, facts: &mut Facts) -> Option<Fact<bool>> {
        match effect {
            Effect::Yes => Some(Fact::Known(true)),
            Effect::Maybe(why) => Some(Fact::Unknown(facts.doubt(self.number, &why))),
            Effect::No(_) => None,
        }
    }
}

/// The reason of a doubt that follows from policies and not from a call.
pub(super) const DOUBT: GapReason = GapReason::Unsupported;
