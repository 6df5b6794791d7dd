//! Users and roles one by one, where `iam:GetAccountAuthorizationDetails` is refused (IAM API Reference: `GetUser`, `GetRole`,
//! `ListRoles`, and the calls that list and get the policies of users, groups and roles).
//!
//! An identity counts as read when everything that speaks of its rights was: its own policies, the managed ones, those of each
//! of its groups, and its permissions boundary. Where one of them was not answered, nothing is known of its rights: what was
//! not seen may allow everything.

use std::collections::BTreeMap;

use deadstop_core::fact::{Gap, GapReason};
use deadstop_core::iam::Kind;
use deadstop_core::time::Time;
use roxmltree::{Document, Node};

use super::{Directory, Extent, Group, Identity, Read, Rights, policy};
use crate::provider::aws::ABOUT;
use crate::provider::aws::client::{Client, Fault};
use crate::provider::aws::pages::pages;
use crate::provider::aws::reads::IAM;
use crate::provider::aws::xml::{child, list, result, text, yes};
use crate::provider::facts::Facts;
use crate::provider::pool::at_once;

/// Gives a user, with its permissions boundary.
pub(super) const USER: &str = "iam:GetUser";
/// Gives a role, with whom it lets in and its permissions boundary.
pub(super) const ROLE: &str = "iam:GetRole";
/// Lists all roles, with whom they let in.
pub(super) const ROLES: &str = "iam:ListRoles";
const GROUPS: &str = "iam:ListGroupsForUser";
const POLICY: &str = "iam:GetPolicy";
const VERSION: &str = "iam:GetPolicyVersion";

/// The calls that give the policies of a kind of identity.
struct Kin {
    /// The field that names one.
    key: &'static str,
    names: &'static str,
    policy: &'static str,
    attached: &'static str,
}

const OF_USER: Kin = Kin {
    key: "UserName",
    names: "iam:ListUserPolicies",
    policy: "iam:GetUserPolicy",
    attached: "iam:ListAttachedUserPolicies",
};
const OF_GROUP: Kin = Kin {
    key: "GroupName",
    names: "iam:ListGroupPolicies",
    policy: "iam:GetGroupPolicy",
    attached: "iam:ListAttachedGroupPolicies",
};
const OF_ROLE: Kin = Kin {
    key: "RoleName",
    names: "iam:ListRolePolicies",
    policy: "iam:GetRolePolicy",
    attached: "iam:ListAttachedRolePolicies",
};

/// How many calls are under way at a time.
const AT_ONCE: usize = 4;
/// How many credentials are tried for one call.
const CLIENTS: usize = 4;
/// How many roles are read of an account, beside those that credentials are.
const ROLES_AT_MOST: usize = 100;

/// Who is read, and by whom, the likeliest first.
pub(in crate::provider::aws) struct Wanted<'c> {
    target: Target,
    clients: Vec<Client<'c>>,
}

enum Target {
    /// By its ARN.
    User(String),
    /// By its name.
    Role(String),
}

impl<'c> Wanted<'c> {
    /// Whoever calls by this ARN, as `sts:GetCallerIdentity` tells it, if that is a user or a role.
    pub(in crate::provider::aws) fn caller(arn: &str, clients: Vec<Client<'c>>) -> Option<Self> {
        let target = if let Some((_, after)) = arn.split_once(":assumed-role/") {
            Target::Role(after.split('/').next().filter(|name| !name.is_empty())?.to_owned())
        } else {
            Target::User(arn.contains(":user/").then(|| arn.to_owned())?)
        };
        Some(Self { target, clients })
    }

    /// A role by its name.
    pub(in crate::provider::aws) const fn role(name: String, clients: Vec<Client<'c>>) -> Self {
        Self { target: Target::Role(name), clients }
    }
}

impl Directory {
    /// Reads these, and lists the roles of the account with one of the clients.
    pub(in crate::provider::aws) fn narrow(
        number: &str,
        clients: &[Client<'_>],
        wanted: &[Wanted<'_>],
        facts: &mut Facts,
    ) -> Self {
        let mut desk = Desk::new(clients, number, facts.at());
        let listed = desk.list(ROLES, number, &[("MaxItems", "1000")], "Roles", listed_role);
        facts.absorb(desk.facts);
        let mut all = match listed {
            Ok(roles) => {
                let mut all = Self::of(Extent::Roles);
                all.roles.extend(roles.into_iter().map(|role| (role.name.clone(), role)));
                all
            }
            Err(gap) => Self::of(Extent::Named(gap)),
        };
        all.read_more(number, wanted, facts);
        all
    }

    /// Reads the rights of these, too. Those beyond what is read of an account stay unknown.
    pub(in crate::provider::aws) fn read_more(&mut self, number: &str, wanted: &[Wanted<'_>], facts: &mut Facts) {
        let read = self.roles.values().filter(|role| !matches!(role.rights, Rights::NotAsked)).count();
        let (wanted, beyond) = wanted.split_at(wanted.len().min(ROLES_AT_MOST.saturating_sub(read)));
        for one in beyond {
            let gap = facts.doubt(number, "more roles could be taken on than are read one by one");
            self.refuse(number, &one.target, gap);
        }
        let at = facts.at();
        let read = at_once(AT_ONCE, wanted, |one| {
            let mut desk = Desk::new(&one.clients, number, at);
            let draft = match &one.target {
                Target::User(arn) => desk.user(arn),
                Target::Role(name) => desk.role(name).map(|role| (role, Vec::new())),
            };
            (desk.facts, draft)
        });
        let mut drafts = Vec::new();
        for (one, (more, draft)) in wanted.iter().zip(read) {
            facts.absorb(more);
            match draft {
                Ok((identity, groups)) => drafts.push((identity, groups, &one.clients)),
                Err(gap) => self.refuse(number, &one.target, gap),
            }
        }
        let mut groups: BTreeMap<&(String, String), &Vec<Client<'_>>> = BTreeMap::new();
        for (_, of, clients) in &drafts {
            groups.extend(of.iter().filter(|(name, _)| !self.groups.contains_key(name)).map(|group| (group, *clients)));
        }
        let groups: Vec<_> = groups.into_iter().collect();
        let read = at_once(AT_ONCE, &groups, |((name, arn), clients)| {
            let mut desk = Desk::new(clients, number, at);
            let group = desk.policies(&OF_GROUP, arn, name);
            (desk.facts, group)
        });
        let mut managed: BTreeMap<String, &Vec<Client<'_>>> = BTreeMap::new();
        for (((name, arn), clients), (more, group)) in groups.iter().zip(read) {
            facts.absorb(more);
            match group {
                Ok((inline, attached)) => {
                    managed.extend(attached.iter().map(|policy| (policy.clone(), *clients)));
                    self.groups.insert(name.clone(), Group { arn: arn.clone(), inline, attached });
                }
                Err(gap) => drop(self.refused.insert(arn.clone(), gap)),
            }
        }
        for (identity, _, clients) in &drafts {
            managed.extend(identity.attached.iter().chain(&identity.boundary).map(|arn| (arn.clone(), *clients)));
        }
        managed.retain(|arn, _| !self.managed.contains_key(arn));
        let managed: Vec<_> = managed.into_iter().collect();
        let read = at_once(AT_ONCE, &managed, |(arn, clients)| {
            let mut desk = Desk::new(clients, number, at);
            let policy = desk.managed(arn);
            (desk.facts, policy)
        });
        for ((arn, _), (more, policy)) in managed.into_iter().zip(read) {
            facts.absorb(more);
            match policy {
                Ok(policy) => drop(self.managed.insert(arn, policy)),
                Err(gap) => drop(self.refused.insert(arn, gap)),
            }
        }
        for (mut identity, groups, _) in drafts {
            identity.rights = match self.missing(&identity, &groups) {
                None => Rights::Read,
                Some(gap) => Rights::Refused(gap.unwrap_or_else(|| facts.refused(POLICY, number, &Fault::malformed()))),
            };
            let all = if identity.is_user() { &mut self.users } else { &mut self.roles };
            all.insert(identity.name.clone(), identity);
        }
    }

    /// Whether something that an identity refers to is not there, and why.
    fn missing(&self, identity: &Identity, groups: &[(String, String)]) -> Option<Option<Gap>> {
        let in_groups = groups.iter().filter_map(|(name, _)| self.groups.get(name)).flat_map(|group| &group.attached);
        let mut policies = identity.attached.iter().chain(&identity.boundary).chain(in_groups);
        let group = groups.iter().find(|(name, _)| !self.groups.contains_key(name)).map(|(_, arn)| arn);
        let policy = || policies.find(|arn| !matches!(self.managed.get(*arn), Some(Ok(_))));
        group.or_else(policy).map(|arn| self.refused.get(arn).cloned())
    }

    /// Notes that the rights of somebody are not known.
    fn refuse(&mut self, number: &str, target: &Target, gap: Gap) {
        match target {
            Target::User(arn) => {
                let name = last(arn).to_owned();
                let user = Identity { arn: arn.clone(), name: name.clone(), ..Identity::default() };
                self.users.insert(name, Identity { rights: Rights::Refused(gap), ..user });
            }
            Target::Role(name) => match self.roles.get_mut(name) {
                Some(role) => role.rights = Rights::Refused(gap),
                // Its path is not known.
                None => drop(self.refused.insert(session_of(number, name), gap)),
            },
        }
    }

    /// Why a caller is not in it, if it was asked for.
    pub(in crate::provider::aws) fn why_not(&self, caller: &str) -> Option<&Gap> {
        let (_, after) = caller.split_once(":assumed-role/")?;
        self.refused.get(&session_of(caller.split(':').nth(4)?, after.split('/').next()?))
    }
}

/// What is kept of a role of which nothing but its name is known.
fn session_of(number: &str, name: &str) -> String {
    format!("{number}:assumed-role/{name}")
}

fn last(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

/// Who asks, and what was learnt by that.
struct Desk<'d> {
    clients: &'d [Client<'d>],
    number: &'d str,
    facts: Facts,
}

impl<'d> Desk<'d> {
    const fn new(clients: &'d [Client<'d>], number: &'d str, at: Time) -> Self {
        Self { clients, number, facts: Facts::new(ABOUT, at) }
    }

    /// Makes a call with the first client that may.
    fn call<T>(
        &mut self,
        operation: &'static str,
        about: &str,
        ask: impl Fn(&Client<'_>, &str) -> Result<T, Fault>,
    ) -> Result<T, Gap> {
        let action = operation.split(':').nth(1).unwrap_or_default();
        let mut last = Fault::of(GapReason::NotAsked);
        for client in self.clients.iter().take(CLIENTS) {
            match ask(client, action) {
                Ok(told) => {
                    self.facts.source(operation, self.number);
                    return Ok(told);
                }
                Err(fault) => last = fault,
            }
            if last.reason != GapReason::Denied {
                break;
            }
        }
        Err(self.facts.refused(operation, about, &last))
    }

    fn one<T>(
        &mut self,
        operation: &'static str,
        about: &str,
        fields: &[(&str, &str)],
        read: impl Fn(Node<'_, '_>) -> Option<T>,
    ) -> Result<T, Gap> {
        self.call(operation, about, |client, action| {
            let answer = client.form("iam", action, IAM, fields)?;
            told(&answer, &read).ok_or_else(Fault::malformed)
        })
    }

    fn list<T>(
        &mut self,
        operation: &'static str,
        about: &str,
        fields: &[(&str, &str)],
        name: &str,
        read: impl Fn(Node<'_, '_>) -> Option<T>,
    ) -> Result<Vec<T>, Gap> {
        self.call(operation, about, |client, action| {
            pages(|place| {
                let mut fields = fields.to_vec();
                fields.extend(place.map(|place| ("Marker", place)));
                let answer = client.form("iam", action, IAM, &fields)?;
                told(&answer, |result| page(result, name, &read)).ok_or_else(Fault::malformed)
            })
        })
    }

    /// The policies of its own that somebody has, and the managed ones, by their ARNs.
    fn policies(&mut self, of: &Kin, arn: &str, name: &str) -> Result<(Vec<Read>, Vec<String>), Gap> {
        let named = [(of.key, name)];
        let names = self.list(of.names, arn, &named, "PolicyNames", own_text)?;
        let attached = self.list(of.attached, arn, &named, "AttachedPolicies", attached_policy)?;
        let mut inline = Vec::new();
        for policy in names {
            let fields = [(of.key, name), ("PolicyName", policy.as_str())];
            inline.push(self.one(of.policy, arn, &fields, |result| own_policy(result, &fields))?);
        }
        Ok((inline, attached))
    }

    /// A user, with the names and ARNs of its groups.
    fn user(&mut self, arn: &str) -> Result<(Identity, Vec<(String, String)>), Gap> {
        let name = last(arn);
        let boundary = self.one(USER, arn, &[("UserName", name)], |result| boundary_of_user(result, arn))?;
        let groups = self.list(GROUPS, arn, &[("UserName", name)], "Groups", group)?;
        let (inline, attached) = self.policies(&OF_USER, arn, name)?;
        let identity = Identity {
            arn: arn.to_owned(),
            name: name.to_owned(),
            inline,
            attached,
            groups: groups.iter().map(|(name, _)| name.clone()).collect(),
            boundary,
            ..Identity::default()
        };
        Ok((identity, groups))
    }

    fn role(&mut self, name: &str) -> Result<Identity, Gap> {
        let number = self.number;
        let about = format!("{number} role {name}");
        let role = self.one(ROLE, &about, &[("RoleName", name)], |result| {
            let node = child(result, "Role")?;
            let role = trusting(node).filter(|role| role.name == name && role.arn.split(':').nth(4) == Some(number))?;
            Some(Identity { boundary: boundary(node)?, ..role })
        })?;
        let (inline, attached) = self.policies(&OF_ROLE, &role.arn, name)?;
        Ok(Identity { inline, attached, ..role })
    }

    /// The version of a managed policy that holds.
    fn managed(&mut self, arn: &str) -> Result<Read, Gap> {
        let version = self.one(POLICY, arn, &[("PolicyArn", arn)], |result| default_version(result, arn))?;
        let fields = [("PolicyArn", arn), ("VersionId", version.as_str())];
        self.one(VERSION, arn, &fields, |result| version_document(result, &version))
    }
}

/// What the result of a call says.
fn told<T>(answer: &str, read: impl Fn(Node<'_, '_>) -> Option<T>) -> Option<T> {
    read(result(&Document::parse(answer).ok()?)?)
}

/// A page of a list, with the place of the next. What is empty is an empty list; what is not there was not answered.
fn page<T>(
    result: Node<'_, '_>,
    name: &str,
    read: impl Fn(Node<'_, '_>) -> Option<T>,
) -> Option<(Vec<T>, Option<String>)> {
    child(result, name)?;
    let all = list(result, name).map(read).collect::<Option<_>>()?;
    let marker = text(result, "Marker").map(str::to_owned);
    match (child(result, "IsTruncated").map(|_| yes(result, "IsTruncated")), marker) {
        (Some(Some(true)), Some(place)) => Some((all, Some(place))),
        (Some(Some(false)), _) | (None, None) => Some((all, None)),
        (Some(Some(true)), None) | (Some(None), _) | (None, Some(_)) => None,
    }
}

fn own_text(node: Node<'_, '_>) -> Option<String> {
    node.text().map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn attached_policy(node: Node<'_, '_>) -> Option<String> {
    text(node, "PolicyArn").map(str::to_owned)
}

/// A policy of somebody's own, if the answer is about what was asked for.
fn own_policy(result: Node<'_, '_>, asked: &[(&str, &str)]) -> Option<Read> {
    let same = asked.iter().all(|(key, value)| text(result, key) == Some(value));
    policy(text(result, "PolicyDocument").filter(|_| same)?, Kind::Identity).ok().map(Ok)
}

fn group(node: Node<'_, '_>) -> Option<(String, String)> {
    Some((text(node, "GroupName")?.to_owned(), text(node, "Arn")?.to_owned()))
}

/// The permissions boundary, if there is one.
fn boundary(node: Node<'_, '_>) -> Option<Option<String>> {
    match child(node, "PermissionsBoundary") {
        Some(boundary) => text(boundary, "PermissionsBoundaryArn").map(|arn| Some(arn.to_owned())),
        None => Some(None),
    }
}

fn boundary_of_user(result: Node<'_, '_>, arn: &str) -> Option<Option<String>> {
    let user = child(result, "User")?;
    boundary(user).filter(|_| text(user, "Arn") == Some(arn) && text(user, "UserName") == Some(last(arn)))
}

/// A role, with whom it lets in, and nothing of its rights.
fn trusting(node: Node<'_, '_>) -> Option<Identity> {
    let (arn, name) = (text(node, "Arn")?, text(node, "RoleName")?);
    let trust = text(node, "AssumeRolePolicyDocument").map_or(Err(()), |text| policy(text, Kind::Resource));
    let role = Identity { arn: arn.to_owned(), name: name.to_owned(), trust: Some(trust), ..Identity::default() };
    (arn.contains(":role/") && last(arn) == name).then_some(role)
}

/// One of the list of all roles, which says nothing of permissions boundaries.
fn listed_role(node: Node<'_, '_>) -> Option<Identity> {
    trusting(node).map(|role| Identity { rights: Rights::NotAsked, ..role })
}

fn default_version(result: Node<'_, '_>, arn: &str) -> Option<String> {
    let policy = child(result, "Policy").filter(|policy| text(*policy, "Arn") == Some(arn))?;
    text(policy, "DefaultVersionId").map(str::to_owned)
}

/// The document of a version, if it is the one that was asked for, and still the one that holds.
fn version_document(result: Node<'_, '_>, id: &str) -> Option<Read> {
    let version = child(result, "PolicyVersion")?;
    let same = text(version, "VersionId") == Some(id) && yes(version, "IsDefaultVersion") == Some(true);
    policy(text(version, "Document").filter(|_| same)?, Kind::Identity).ok().map(Ok)
}

#[cfg(test)]
mod tests;
