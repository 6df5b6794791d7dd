//! The evaluation itself (IAM User Guide, `reference_policies_evaluation-logic` and the pages below it).

use std::collections::BTreeSet;

use super::arn;
use super::condition::Needed;
use super::context::Context;
use super::glob::{Glob, Matched};
use super::policy::{Policy, Statement};
use super::principal::{Caller, Form, Named, left_out, named};
use super::services::{has_rcp, takes_no_resource};
use super::tri::Tri;

/// One request, compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    caller: Caller,
    /// In lower case.
    action: String,
    resource: String,
    /// Whether it is any resource whose name begins so and goes on.
    below: bool,
    /// The account that owns the resource.
    owner: String,
    context: Context,
}

impl Request {
    /// A request. `owner` is the account that owns the resource; left out, it is read from the ARN, else taken to be the
    /// caller's. Keys that follow from caller and resource are added to the context unless they were given.
    #[must_use]
    pub fn new(caller: Caller, action: &str, resource: &str, owner: Option<&str>, mut context: Context) -> Self {
        let action = action.to_lowercase();
        let owner = owner.or_else(|| arn::account(resource)).unwrap_or(&caller.account).to_owned();
        // "Actions that do not support resource-level permissions need `*`": no ARN is part of such a request.
        let resource = if takes_no_resource(&action) { "*".to_owned() } else { resource.to_owned() };
        caller.describe(&mut context);
        if resource != "*" {
            context.derive("aws:resourceaccount", &owner);
        }
        Self { caller, action, resource, below: false, owner, context }
    }

    /// A request for one of the resources whose ARN begins with a prefix and goes on: for some object of a bucket. What
    /// holds for a part of them alone is not known, and a decision that hangs on it is [`Outcome::Depends`];
    /// [`explain_below`] looks further.
    #[must_use]
    pub fn below(caller: Caller, action: &str, prefix: &str, owner: Option<&str>, context: Context) -> Self {
        let request = Self::new(caller, action, prefix, owner, context);
        let below = request.resource == prefix;
        Self { below, ..request }
    }

    /// The same for this resource.
    fn of(&self, resource: String) -> Self {
        Self { resource, below: false, ..self.clone() }
    }

    fn same_account(&self) -> bool {
        self.caller.account == self.owner
    }

    fn service(&self) -> &str {
        self.action.split(':').next().unwrap_or_default()
    }
}

/// Every policy that bears on a request. What is borrowed was compiled once.
#[derive(Clone, Debug, Default)]
pub struct Policies<'a> {
    /// Those of the user or role and of the groups it is in.
    pub identity: Vec<&'a Policy>,
    /// The permissions boundary, if one is set.
    pub boundary: Option<Vec<&'a Policy>>,
    /// The policies of the session, if it was made with any.
    pub session: Option<Vec<&'a Policy>>,
    /// Service control policies, one list for each level from root to account; none: no organisation.
    pub service_control: Vec<Vec<&'a Policy>>,
    /// Resource control policies, level by level. The one of AWS that allows everything is implied at each.
    pub resource_control: Vec<Vec<&'a Policy>>,
    /// The policy of the resource, if it has one.
    pub resource: Option<&'a Policy>,
}

/// What AWS does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// It goes through.
    Allowed,
    /// A statement refuses it.
    ExplicitlyDenied,
    /// Nothing lets it through.
    ImplicitlyDenied,
    /// One or the other, by what is not known of the request.
    Depends,
}

/// Which statement of which policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cited {
    /// The layer.
    pub layer: Layer,
    /// The level, for policies of an organisation.
    pub level: usize,
    /// The policy in its list, from 0.
    pub policy: usize,
    /// The statement in the policy, from 0.
    pub statement: usize,
}

/// The sets of policies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Layer {
    /// Of the identity.
    Identity,
    /// The permissions boundary.
    Boundary,
    /// Of the session.
    Session,
    /// Service control.
    ServiceControl,
    /// Resource control.
    ResourceControl,
    /// Of the resource.
    Resource,
}

/// A decision and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The decision.
    pub outcome: Outcome,
    /// The statements that refuse it, or that allow it, or that may do either; none for an implicit denial.
    pub by: Vec<Cited>,
    /// The keys that it depends on, in lower case.
    pub depends_on: BTreeSet<String>,
}

/// What one layer says.
#[derive(Clone, Copy, Debug)]
struct Says {
    deny: Tri,
    /// By how directly the statement names the caller; for layers without principals all three are the same.
    account: Tri,
    role: Tri,
    itself: Tri,
}

impl Says {
    const NOTHING: Self = Self { deny: Tri::No, account: Tri::No, role: Tri::No, itself: Tri::No };

    fn or(self, other: Self) -> Self {
        Self {
            deny: self.deny.or(other.deny),
            account: self.account.or(other.account),
            role: self.role.or(other.role),
            itself: self.itself.or(other.itself),
        }
    }
}

/// What is written down on the way, if anybody asks.
#[derive(Default)]
struct Trace {
    needed: BTreeSet<String>,
    allows: Vec<(Cited, Tri)>,
    denies: Vec<(Cited, Tri)>,
}

/// Decides a request.
#[must_use]
pub fn decide(request: &Request, policies: &Policies<'_>) -> Outcome {
    evaluate(request, policies, &mut None)
}

/// Decides a request and says by what.
#[must_use]
pub fn explain(request: &Request, policies: &Policies<'_>) -> Decided {
    let mut trace = Some(Trace::default());
    let outcome = evaluate(request, policies, &mut trace);
    let trace = trace.unwrap_or_default();
    let cited = |list: &[(Cited, Tri)], wanted: Tri| {
        list.iter().filter(|(_, tri)| *tri == wanted).map(|(cited, _)| *cited).collect::<Vec<_>>()
    };
    let grants = |cited: &Cited| matches!(cited.layer, Layer::Identity | Layer::Resource);
    let mut by = match outcome {
        Outcome::Allowed => cited(&trace.allows, Tri::Yes).into_iter().filter(grants).collect(),
        Outcome::ExplicitlyDenied => cited(&trace.denies, Tri::Yes),
        Outcome::ImplicitlyDenied => Vec::new(),
        Outcome::Depends => {
            let mut both = cited(&trace.denies, Tri::Unknown);
            both.extend(cited(&trace.allows, Tri::Unknown));
            both
        }
    };
    by.sort();
    by.dedup();
    let depends_on = if outcome == Outcome::Depends { trace.needed } else { BTreeSet::new() };
    Decided { outcome, by, depends_on }
}

/// The most names that [`explain_below`] tries.
const MOST_NAMES: usize = 64;

/// Decides a request for some resource below a prefix: allowed, if there is a name on which it is; denied, if it is on
/// every name. Names are taken from the patterns of the policies, so that an exception to a denial is found.
#[must_use]
pub fn explain_below(request: &Request, policies: &Policies<'_>) -> Decided {
    let decided = explain(request, policies);
    if !request.below || decided.outcome != Outcome::Depends {
        return decided;
    }
    let lists = [Some(&policies.identity), policies.boundary.as_ref(), policies.session.as_ref()];
    let above = policies.service_control.iter().chain(&policies.resource_control);
    let all = lists.into_iter().flatten().chain(above).flatten().copied().chain(policies.resource);
    let statements = all.flat_map(|policy| &policy.statements);
    let globs = statements.filter_map(|statement| statement.resources.as_ref()).flat_map(|(globs, _)| globs);
    let mut names: Vec<String> = globs.flat_map(|glob| glob.texts_below(&request.resource, &request.context)).collect();
    names.sort();
    names.dedup();
    let mut answers = names.into_iter().take(MOST_NAMES).map(|name| explain(&request.of(name), policies));
    answers.find(|one| one.outcome == Outcome::Allowed).unwrap_or(decided)
}

fn evaluate(request: &Request, policies: &Policies<'_>, trace: &mut Option<Trace>) -> Outcome {
    let linked = request.caller.is_service_linked();
    let root = request.caller.form == Form::Root;
    let mut layer = |layer, level, list: &[&Policy]| says(request, layer, level, list, trace);
    let identity = if root { Says::NOTHING } else { layer(Layer::Identity, 0, &policies.identity) };
    let boundary = match &policies.boundary {
        Some(list) if !root => layer(Layer::Boundary, 0, list),
        Some(_) | None => Says { itself: Tri::Yes, ..Says::NOTHING },
    };
    let session = match &policies.session {
        Some(list) => layer(Layer::Session, 0, list),
        None => Says { itself: Tri::Yes, ..Says::NOTHING },
    };
    let mut deny = identity.deny.or(boundary.deny).or(session.deny);
    let mut organisation = Tri::Yes;
    if !linked {
        for (level, list) in policies.service_control.iter().enumerate() {
            let scp = layer(Layer::ServiceControl, level, list);
            deny = deny.or(scp.deny);
            organisation = organisation.and(scp.itself);
        }
        if has_rcp(request.service()) && request.action != "kms:retiregrant" {
            for (level, list) in policies.resource_control.iter().enumerate() {
                deny = deny.or(layer(Layer::ResourceControl, level, list).deny);
            }
        }
    }
    let resource = match policies.resource {
        Some(policy) => layer(Layer::Resource, 0, &[policy]),
        None => Says::NOTHING,
    };
    deny = deny.or(resource.deny);
    let identity = if root { Tri::Yes } else { identity.itself };
    let ceiling = boundary.itself.and(session.itself);
    let allow = organisation.and(grant(request, identity, ceiling, resource));
    match (deny, allow) {
        (Tri::Yes, _) => Outcome::ExplicitlyDenied,
        (Tri::Unknown, _) | (Tri::No, Tri::Unknown) => Outcome::Depends,
        (Tri::No, Tri::Yes) => Outcome::Allowed,
        (Tri::No, Tri::No) => Outcome::ImplicitlyDenied,
    }
}

/// How the policies of the identity and of the resource come together.
fn grant(request: &Request, identity: Tri, ceiling: Tri, resource: Says) -> Tri {
    let own = identity.and(ceiling);
    if !request.same_account() {
        // Both sides must allow (`policy-eval-cross-account`); a key cannot be destroyed from another account
        // (KMS Developer Guide, "Allowing users in other accounts to use a KMS key").
        let here = !matches!(
            request.action.as_str(),
            "kms:schedulekeydeletion" | "kms:disablekey" | "kms:putkeypolicy" | "kms:deleteimportedkeymaterial"
        );
        return own.and(resource.account.or(resource.role).or(resource.itself)).and(here.into());
    }
    // Within an account a policy of the resource is enough. One that names the role is still limited by the role's
    // boundary and the session's policy; one that names the user or the session is not
    // (`policy-eval-basics-single-account`, resource-based policies).
    let direct = resource.itself.or(resource.role.and(ceiling));
    if asks_resource(request) {
        // The policy of a role or of a key must allow it in every case, be it by naming the account.
        direct.or(resource.account.and(own))
    } else {
        direct.or(own)
    }
}

/// Whether the resource's own policy has to let a call through: the trust policy of a role (`id_roles_terms-and-concepts`),
/// the policy of a key (KMS Developer Guide, "Key policies in AWS KMS").
fn asks_resource(request: &Request) -> bool {
    let kind = arn::parts(&request.resource).map(|[_, _, service, _, _, resource]| (service, resource));
    match kind {
        Some(("iam", resource)) => resource.starts_with("role/") && request.action.starts_with("sts:"),
        Some(("kms", resource)) => resource.starts_with("key/") && request.service() == "kms",
        Some(_) | None => false,
    }
}

fn says(request: &Request, layer: Layer, level: usize, list: &[&Policy], trace: &mut Option<Trace>) -> Says {
    let mut all = Says::NOTHING;
    for (at, policy) in list.iter().enumerate() {
        for (number, statement) in policy.statements.iter().enumerate() {
            let (applies, how) = applies(request, statement, trace);
            if applies == Tri::No {
                continue;
            }
            if let Some(trace) = trace {
                let cited = Cited { layer, level, policy: at, statement: number };
                let list = if statement.allow { &mut trace.allows } else { &mut trace.denies };
                list.push((cited, applies));
            }
            let one = match (statement.allow, how) {
                (false, _) => Says { deny: applies, ..Says::NOTHING },
                (true, Named::No) => Says::NOTHING,
                (true, Named::Account) => Says { account: applies, ..Says::NOTHING },
                (true, Named::Role) => Says { role: applies, ..Says::NOTHING },
                (true, Named::Session | Named::Itself) => Says { itself: applies, ..Says::NOTHING },
            };
            all = all.or(one);
        }
    }
    all
}

/// Whether a statement is about a request, and how directly it names the caller.
fn applies(request: &Request, statement: &Statement, trace: &mut Option<Trace>) -> (Tri, Named) {
    let none = (Tri::No, Named::No);
    let context = &request.context;
    let (actions, others) = &statement.actions;
    let listed = actions.iter().any(|glob| glob.matches(&request.action, context) == Matched::Is(true));
    if listed == *others {
        return none;
    }
    let how = match &statement.who {
        None => Named::Itself,
        Some((list, false)) => named(list, &request.caller, context, statement.allow),
        Some((list, true)) if left_out(list, &request.caller, context, statement.allow) => Named::No,
        Some((_, true)) => Named::Itself,
    };
    if how == Named::No {
        return none;
    }
    let mut keys = BTreeSet::new();
    let mut needed: Needed<'_> = trace.is_some().then_some(&mut keys);
    let covered = match &statement.resources {
        None => Tri::Yes,
        Some((list, others)) => {
            let any = Tri::any(list.iter().map(|glob| covers(glob, request, &mut needed)));
            if *others { any.negated() } else { any }
        }
    };
    if covered == Tri::No {
        return none;
    }
    let met = Tri::all(statement.conditions.iter().map(|one| one.met(context, statement.allow, &mut needed)));
    let applies = covered.and(met);
    if let (Tri::Unknown, Some(trace)) = (applies, trace) {
        trace.needed.append(&mut keys);
    }
    (applies, how)
}

fn covers(glob: &Glob, request: &Request, needed: &mut Needed<'_>) -> Tri {
    if glob.is_everything() {
        return Tri::Yes;
    }
    let matched = if request.below {
        match glob.covers_below(&request.resource, &request.context) {
            Ok(covered) => return covered,
            Err(key) => Matched::DependsOn(key),
        }
    } else {
        glob.matches(&request.resource, &request.context)
    };
    match matched {
        Matched::Is(yes) => yes.into(),
        Matched::DependsOn(key) => {
            if let Some(keys) = needed {
                keys.insert(key);
            }
            Tri::Unknown
        }
    }
}
