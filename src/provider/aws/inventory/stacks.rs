//! Stacks of `CloudFormation` that act in the name of a role (`CloudFormation` API reference: `DescribeStacks`,
//! `ListStackResources`, `GetTemplate`, `DeleteStack`, `UpdateStack`; User Guide: `using-iam-servicerole`,
//! `using-cfn-protect-stacks`, `protect-stack-resources`).
//!
//! A stack without a role acts with the rights of whoever calls, and so destroys nothing that its caller could not, but for
//! what the code of custom resources does, which is not looked at. With a
//! role it does what the role may, for whoever may call it: "CloudFormation uses this role even if the users don't have
//! permission to pass it" (`UpdateStack`). A policy of a stack refuses updates, no deletes, and is lifted by the update
//! itself, so that it counts for nothing. Whoever may call `CloudFormation` at all is in doubt of everything besides
//! (`iam-onward.txt` of the core): that holds for what was not read of a stack, for `StackSets`, and for types of resources
//! that are not followed.

mod template;
mod types;

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::fact::{Fact, Gap};
use deadstop_core::id::NodeId;
use deadstop_core::model::Basis;
use roxmltree::{Document, Node};

use super::parts::{Guard, Query};
use super::{AT_ONCE, Desk, Read, Scene, one_call};
use crate::provider::aws::client::{Client, Fault};
use crate::provider::aws::pages::pages;
use crate::provider::aws::reads::CLOUDFORMATION;
use crate::provider::aws::rights::On;
use crate::provider::aws::xml::{self, text, yes};
use crate::provider::pool::at_once;
pub(in crate::provider::aws) use template::Kept;
use types::Type;

const LIST: &str = "cloudformation:DescribeStacks";
const RESOURCES: &str = "cloudformation:ListStackResources";
const TEMPLATE: &str = "cloudformation:GetTemplate";
pub(in crate::provider::aws) const REMOVE_STACK: &str = "cloudformation:DeleteStack";
pub(in crate::provider::aws) const UPDATE_STACK: &str = "cloudformation:UpdateStack";
pub(in crate::provider::aws) const PROPOSE: &str = "cloudformation:CreateChangeSet";
pub(in crate::provider::aws) const EXECUTE: &str = "cloudformation:ExecuteChangeSet";
const UNPROTECT: &str = "cloudformation:UpdateTerminationProtection";
/// A stack in a stack.
const NESTED: &str = "AWS::CloudFormation::Stack";
/// A table with its replicas, which lie in other Regions and go with it.
const REPLICATED: &str = "AWS::DynamoDB::GlobalTable";
/// Stacks that have nothing, or nothing any more.
const EMPTY: [&str; 2] = ["REVIEW_IN_PROGRESS", "DELETE_COMPLETE"];
/// Resources that a stack has no more.
const GONE: [&str; 2] = ["DELETE_COMPLETE", "DELETE_SKIPPED"];

/// A stack as it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Told {
    arn: String,
    name: String,
    empty: bool,
    role: Option<String>,
    /// The stack at the top, where it lies in another one.
    root: Option<String>,
    protected: Option<bool>,
    /// Whether its template is the one in effect: not while it changes, nor where a change has failed.
    settled: bool,
    /// Whether it has outputs by a name that other stacks may import.
    exports: bool,
}

/// A stack that acts in the name of a role, with what of it is listed.
#[derive(Clone, Debug)]
pub(in crate::provider::aws) struct Stack {
    pub(in crate::provider::aws) node: NodeId,
    pub(in crate::provider::aws) name: String,
    /// The account that it lies in.
    pub(in crate::provider::aws) account: String,
    pub(in crate::provider::aws) role: String,
    pub(in crate::provider::aws) owned: Vec<Owned>,
}

/// A resource of a stack.
#[derive(Clone, Debug)]
pub(in crate::provider::aws) struct Owned {
    /// What the template calls it.
    pub(in crate::provider::aws) name: String,
    pub(in crate::provider::aws) arn: String,
    /// The calls that delete it, with what each is asked for: the resource, or what goes with it.
    pub(in crate::provider::aws) deletes: Vec<(&'static str, NodeId)>,
    /// The calls that an update may make on it.
    pub(in crate::provider::aws) changes: Vec<(&'static str, NodeId)>,
    /// What is left when the stack is deleted.
    pub(in crate::provider::aws) kept: Fact<Kept>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Resource {
    name: String,
    physical: Option<String>,
    kind: String,
    gone: bool,
}

fn told(node: Node<'_, '_>) -> Option<Told> {
    let arn = text(node, "StackId")?.to_owned();
    let status = text(node, "StackStatus")?;
    let root = text(node, "RootId").filter(|root| *root != arn).map(str::to_owned);
    Some(Told {
        name: text(node, "StackName")?.to_owned(),
        empty: EMPTY.contains(&status),
        settled: status.ends_with("_COMPLETE"),
        role: text(node, "RoleARN").map(str::to_owned),
        root,
        protected: yes(node, "EnableTerminationProtection"),
        exports: xml::list(node, "Outputs").any(|output| text(output, "ExportName").is_some()),
        arn,
    })
}

fn resource(node: Node<'_, '_>) -> Option<Resource> {
    Some(Resource {
        name: text(node, "LogicalResourceId")?.to_owned(),
        physical: text(node, "PhysicalResourceId").map(str::to_owned),
        kind: text(node, "ResourceType")?.to_owned(),
        gone: GONE.contains(&text(node, "ResourceStatus")?),
    })
}

/// Lists the stacks of the desk's Region; what they have is read once everything else is.
pub(super) fn list_all(desk: &mut Desk<'_>) {
    let all = Query {
        service: "cloudformation",
        version: CLOUDFORMATION,
        action: "DescribeStacks",
        items: "Stacks",
        next: "NextToken",
        fields: &[],
    };
    match desk.ask(LIST, None, |client| all.read(client, told)) {
        Ok(stacks) => desk.told.extend(stacks.into_iter().filter(|stack| !stack.empty)),
        Err(gap) => desk.hidden("cloudformation", gap),
    }
}

fn resources(client: &Client<'_>, stack: &str) -> Result<Vec<Resource>, Fault> {
    pages(|place| {
        let mut fields = vec![("StackName", stack)];
        fields.extend(place.map(|place| ("NextToken", place)));
        let answer = client.form("cloudformation", "ListStackResources", CLOUDFORMATION, &fields)?;
        page(&answer).ok_or_else(Fault::malformed)
    })
}

fn page(answer: &str) -> Option<(Vec<Resource>, Option<String>)> {
    const ITEMS: &str = "StackResourceSummaries";
    let document = Document::parse(answer).ok()?;
    let result = xml::result(&document)?;
    xml::child(result, ITEMS)?;
    let all = xml::list(result, ITEMS).map(resource).collect::<Option<_>>()?;
    Some((all, text(result, "NextToken").map(str::to_owned)))
}

/// What asks speak of, by the call and the ARN that it is made on.
type Index = BTreeMap<(String, String), BTreeSet<NodeId>>;

fn index(all: &Read) -> Index {
    let mut index = Index::new();
    for ask in &all.holdings.asks {
        if let On::This(arn) = &ask.on {
            index.entry((ask.action.clone(), arn.clone())).or_default().insert(ask.node.clone());
        }
    }
    index
}

/// Reads what the stacks have that act in the name of a role.
pub(super) fn describe_all(scene: &Scene<'_>, all: &mut Read) {
    let told: BTreeMap<String, Told> =
        std::mem::take(&mut all.told).into_iter().map(|one| (one.arn.clone(), one)).collect();
    let root = |one: &Told| one.root.as_ref().and_then(|root| told.get(root)).cloned();
    let acting: Vec<(&Told, Option<Told>, String)> = told
        .values()
        .filter_map(|one| {
            let root = root(one);
            let role = one.role.clone().or_else(|| root.as_ref()?.role.clone())?;
            Some((one, root, role))
        })
        .collect();
    let index = index(all);
    let read = at_once(AT_ONCE, &acting, |(one, _, _)| {
        let mut desk = scene.desk(region(&one.arn));
        let found = desk.ask(RESOURCES, Some(&one.name), |client| resources(client, &one.arn));
        let found = found.unwrap_or_else(|gap| {
            desk.hidden("cloudformation", gap);
            Vec::new()
        });
        (found, desk.done())
    });
    let mut found = Vec::new();
    for (resources, read) in read {
        all.join(read);
        found.push(resources);
    }
    let stacks: Vec<_> = acting.iter().zip(found).collect();
    if stacks.iter().any(|((one, _, _), all)| all.iter().any(|resource| in_doubt(&one.arn, resource, &index))) {
        all.holdings.hidden.insert("cloudformation");
    }
    let each: Vec<_> = stacks.iter().map(|((one, _, _), all)| (one.arn.as_str(), all.as_slice())).collect();
    let counts = owning(&each, &index);
    let stacks: Vec<_> = stacks.into_iter().filter(|((one, _, _), _)| counts.contains(one.arn.as_str())).collect();
    let read = at_once(AT_ONCE, &stacks, |((one, root, role), resources)| {
        let mut desk = scene.desk(region(&one.arn));
        describe(&mut desk, (one, root.as_ref(), role), resources, &index, &counts);
        desk.done()
    });
    read.into_iter().for_each(|one| all.join(one));
}

fn region(arn: &str) -> &str {
    arn.split(':').nth(3).unwrap_or_default()
}

/// The stacks that own something of what is listed, or a stack that does.
fn owning(stacks: &[(&str, &[Resource])], index: &Index) -> BTreeSet<String> {
    let mut counts: BTreeSet<String> = BTreeSet::new();
    loop {
        let before = counts.len();
        for (stack, resources) in stacks {
            let counts_itself = |one: &Resource| {
                matched(stack, one, index).is_some()
                    || one.kind == NESTED && one.physical.as_ref().is_some_and(|arn| counts.contains(arn))
            };
            if resources.iter().filter(|one| !one.gone).any(counts_itself) {
                counts.insert((*stack).to_owned());
            }
        }
        if counts.len() == before {
            return counts;
        }
    }
}

/// A resource that is listed: its type, and its ARN.
fn matched(stack: &str, one: &Resource, index: &Index) -> Option<(&'static Type, String)> {
    let kind = types::named(&one.kind)?;
    let arn = kind.arn(stack, one.physical.as_deref()?)?;
    let first = (*kind.deletes.first()?).to_owned();
    index.contains_key(&(first, arn.clone())).then_some((kind, arn))
}

/// Whether it may take something along that is listed: it is of a type that is followed, and was not found, has others that
/// go with it, or does what its own code does (User Guide, `template-custom-resources`).
fn in_doubt(stack: &str, one: &Resource, index: &Index) -> bool {
    let custom = one.kind.starts_with("Custom::") || one.kind == "AWS::CloudFormation::CustomResource";
    let lost = || types::named(&one.kind).is_some() && matched(stack, one, index).is_none();
    !one.gone && (custom || one.kind == REPLICATED || lost())
}

fn describe(
    desk: &mut Desk<'_>,
    (one, root, role): (&Told, Option<&Told>, &str),
    resources: &[Resource],
    index: &Index,
    counts: &BTreeSet<String>,
) {
    let node = NodeId(one.arn.clone());
    let template = desk.ask(TEMPLATE, Some(&one.name), |client| template::read(client, &one.arn));
    let mut owned = Vec::new();
    for resource in resources.iter().filter(|resource| !resource.gone) {
        let kept = match kept(desk, &template, &resource.name) {
            Fact::Known(Kept::Itself | Kept::Snapshot) if !one.settled => desk.unread(
                "a stack's template is not certain to be in effect while it changes, or where a change has failed",
            ),
            kept @ (Fact::Known(_) | Fact::Unknown(_)) => kept,
        };
        if let Some((kind, arn)) = matched(&one.arn, resource, index) {
            let with = |calls: &'static [&'static str]| -> Vec<(&'static str, NodeId)> {
                let nodes = |call: &&'static str| index.get(&((*call).to_owned(), arn.clone()));
                calls
                    .iter()
                    .flat_map(|call| nodes(call).into_iter().flatten().map(|node| (*call, node.clone())))
                    .collect()
            };
            let kept = match (kept, kind.doubt) {
                (Fact::Known(Kept::Nothing), Some(why)) => desk.unread(why),
                (kept, _) => kept,
            };
            let (deletes, changes) = (with(kind.deletes), with(kind.changes));
            owned.push(Owned { name: resource.name.clone(), arn, deletes, changes, kept });
        } else if resource.kind == NESTED
            && let Some(arn) = resource.physical.clone().filter(|arn| counts.contains(arn))
        {
            let nested = NodeId(arn.clone());
            let (deletes, changes) = (vec![(REMOVE_STACK, nested.clone())], vec![(UPDATE_STACK, nested)]);
            owned.push(Owned { name: resource.name.clone(), arn, deletes, changes, kept });
        }
    }
    for action in [REMOVE_STACK, UPDATE_STACK, PROPOSE, EXECUTE] {
        desk.also(&node, action, &one.arn);
    }
    protected(desk, one, root, counts);
    if one.exports {
        let enabled = desk.unread("whether other stacks import what a stack exports was not read");
        desk.guard(
            &node,
            Guard {
                name: "imported",
                kind: "what other stacks import is not deleted",
                covers: &[REMOVE_STACK],
                enabled,
                lifts: Vec::new(),
                basis: Basis::Inferred,
                because: "whether other stacks import what it exports was not read".to_owned(),
                operation: LIST,
            },
        );
    }
    let stack = Stack { node, name: one.name.clone(), account: desk.account.to_owned(), role: role.to_owned(), owned };
    desk.holdings.stacks.push(stack);
}

fn kept(desk: &mut Desk<'_>, template: &Result<BTreeMap<String, Kept>, Gap>, name: &str) -> Fact<Kept> {
    match template {
        Ok(template) => match template.get(name) {
            Some(kept) => Fact::Known(*kept),
            None => desk.unread("what a stack's template has become of a resource was not worked out"),
        },
        Err(gap) => Fact::Unknown(gap.clone()),
    }
}

/// Termination protection. That of a stack in another one is set on the stack at the top, and refuses that it is deleted by
/// itself; an update of what it lies in deletes it all the same (User Guide, `using-cfn-protect-stacks`).
fn protected(desk: &mut Desk<'_>, one: &Told, root: Option<&Told>, counts: &BTreeSet<String>) {
    let node = NodeId(one.arn.clone());
    let set = if one.root.is_some() { root } else { Some(one) };
    let enabled = match set.and_then(|set| set.protected) {
        Some(on) => Fact::Known(on),
        None => desk.unread("a stack's termination protection was not in the answer"),
    };
    let said = match &enabled {
        Fact::Known(true) => "termination protection is on",
        Fact::Known(false) => "termination protection is off",
        Fact::Unknown(_) => "whether termination protection is on was not read",
    };
    let at = set.map_or_else(|| node.clone(), |set| NodeId(set.arn.clone()));
    // One that is described asks for itself.
    if at == node || !counts.contains(at.as_str()) {
        desk.also(&at, UNPROTECT, at.as_str());
    }
    let guard = Guard {
        name: "termination-protection",
        kind: "termination protection",
        covers: &[REMOVE_STACK],
        enabled,
        lifts: vec![one_call(UNPROTECT, &at, "switch termination protection off")],
        basis: Basis::Observed,
        because: said.to_owned(),
        operation: LIST,
    };
    desk.guard(&node, guard);
}

#[cfg(test)]
mod tests;
