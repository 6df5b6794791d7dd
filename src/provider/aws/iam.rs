//! Users, groups, roles and their policies, from one call (`iam:GetAccountAuthorizationDetails`), or from narrower ones where
//! it is refused ([`narrow`]).

pub(super) mod narrow;

use std::collections::BTreeMap;

use deadstop_core::fact::Gap;
use deadstop_core::iam::{Kind, Policy};
use roxmltree::{Document, Node};

use super::client::{Client, Fault};
use super::pages::pages;
use super::reads::IAM;
use super::xml::{child, list, result, text, yes};

/// A policy, or that it cannot be understood.
type Read = Result<Policy, ()>;

/// A user or a role.
#[derive(Clone, Debug, Default)]
pub(super) struct Identity {
    pub(super) arn: String,
    pub(super) name: String,
    inline: Vec<Read>,
    attached: Vec<String>,
    groups: Vec<String>,
    boundary: Option<String>,
    /// Who may take it on, for a role.
    pub(super) trust: Option<Read>,
    pub(super) rights: Rights,
}

/// How far the rights of an identity were read.
#[derive(Clone, Debug, Default)]
pub(super) enum Rights {
    /// All that speaks of them.
    #[default]
    Read,
    /// Nobody has asked for them: it is known to be there.
    NotAsked,
    /// Something that speaks of them was not answered.
    Refused(Gap),
}

impl Identity {
    /// Whether all that speaks of its rights was read.
    pub(super) const fn is_read(&self) -> bool {
        matches!(self.rights, Rights::Read)
    }

    /// Whether it is a user: a role has a trust policy, be it one that cannot be understood.
    pub(super) const fn is_user(&self) -> bool {
        self.trust.is_none()
    }
}

#[derive(Clone, Debug, Default)]
struct Group {
    arn: String,
    inline: Vec<Read>,
    attached: Vec<String>,
}

/// What was read of an account.
#[derive(Clone, Debug)]
pub(super) struct Directory {
    pub(super) users: BTreeMap<String, Identity>,
    pub(super) roles: BTreeMap<String, Identity>,
    groups: BTreeMap<String, Group>,
    managed: BTreeMap<String, Read>,
    /// Why something that was asked for by itself is not among them, by ARN.
    refused: BTreeMap<String, Gap>,
    extent: Extent,
}

/// How much of an account was read.
#[derive(Clone, Debug)]
enum Extent {
    /// All of it.
    Whole,
    /// Every role with whom it lets in, and the rights of some identities.
    Roles,
    /// Some identities, by their names. What other roles there are is not known.
    Named(Gap),
}

/// The policies of one identity.
#[derive(Clone, Debug, Default)]
pub(super) struct Held<'a> {
    pub(super) identity: Vec<&'a Policy>,
    pub(super) boundary: Option<Vec<&'a Policy>>,
    /// Managed policies of its own, which whoever may write them may widen.
    pub(super) attached: Vec<&'a str>,
    /// The groups it is in, by ARN.
    pub(super) groups: Vec<&'a str>,
    /// Whether one of them is missing or cannot be understood.
    pub(super) broken: bool,
}

impl Directory {
    /// One in which nobody is.
    pub(super) const fn empty() -> Self {
        Self::of(Extent::Whole)
    }

    const fn of(extent: Extent) -> Self {
        Self {
            users: BTreeMap::new(),
            roles: BTreeMap::new(),
            groups: BTreeMap::new(),
            managed: BTreeMap::new(),
            refused: BTreeMap::new(),
            extent,
        }
    }

    /// Whether everybody who is in the account is in it.
    pub(super) const fn is_whole(&self) -> bool {
        matches!(self.extent, Extent::Whole)
    }

    /// Why the account may have roles that are not in it.
    pub(super) const fn unlisted(&self) -> Option<&Gap> {
        match &self.extent {
            Extent::Named(gap) => Some(gap),
            Extent::Whole | Extent::Roles => None,
        }
    }

    /// The call that tells of the rights of an identity of it that was read: whoever is read one by one is asked for with its
    /// boundary, which no list tells.
    pub(super) fn told_by(&self, arn: &str) -> &'static str {
        match self.extent {
            Extent::Whole => super::DETAILS,
            Extent::Roles | Extent::Named(_) if arn.contains(":user/") => narrow::USER,
            Extent::Roles | Extent::Named(_) => narrow::ROLE,
        }
    }

    /// The call that tells whom its roles let in.
    pub(super) const fn trust_told_by(&self) -> &'static str {
        match self.extent {
            Extent::Whole => super::DETAILS,
            Extent::Roles => narrow::ROLES,
            Extent::Named(_) => narrow::ROLE,
        }
    }

    /// Reads it whole.
    pub(super) fn read(client: &Client<'_>) -> Result<Self, Fault> {
        let mut all = Self::of(Extent::Whole);
        pages(|place| {
            let mut fields = vec![("MaxItems", "1000")];
            fields.extend(place.map(|place| ("Marker", place)));
            let answer = client.form("iam", "GetAccountAuthorizationDetails", IAM, &fields)?;
            all.page(&answer).map(|next| (Vec::<()>::new(), next)).ok_or_else(Fault::malformed)
        })?;
        Ok(all)
    }

    fn page(&mut self, answer: &str) -> Option<Option<String>> {
        let document = Document::parse(answer).ok()?;
        let result = result(&document)?;
        // What is empty is an empty list; what is not there was not answered.
        if ["UserDetailList", "RoleDetailList", "GroupDetailList", "Policies"]
            .iter()
            .any(|name| child(result, name).is_none())
        {
            return None;
        }
        for node in list(result, "UserDetailList") {
            let user = identity(node, "UserName", "UserPolicyList")?;
            self.users.insert(user.name.clone(), user);
        }
        for node in list(result, "RoleDetailList") {
            let mut role = identity(node, "RoleName", "RolePolicyList")?;
            role.trust =
                Some(text(node, "AssumeRolePolicyDocument").map_or(Err(()), |text| policy(text, Kind::Resource)));
            self.roles.insert(role.name.clone(), role);
        }
        for node in list(result, "GroupDetailList") {
            let group = Group {
                arn: text(node, "Arn")?.to_owned(),
                inline: inline(node, "GroupPolicyList"),
                attached: attached(node)?,
            };
            self.groups.insert(text(node, "GroupName")?.to_owned(), group);
        }
        for node in list(result, "Policies") {
            let versions = list(node, "PolicyVersionList");
            let document = versions
                .filter(|version| yes(*version, "IsDefaultVersion") == Some(true))
                .find_map(|version| text(version, "Document"));
            let read = document.map_or(Err(()), |text| policy(text, Kind::Identity));
            self.managed.insert(text(node, "Arn")?.to_owned(), read);
        }
        let marker = || text(result, "Marker").map(str::to_owned);
        if yes(result, "IsTruncated")? { marker().map(Some) } else { Some(None) }
    }

    /// The policies that hold for an identity.
    pub(super) fn held<'a>(&'a self, of: &'a Identity) -> Held<'a> {
        let mut held = Held::default();
        held.add(&of.inline);
        self.attach(&mut held, &of.attached);
        for name in &of.groups {
            match self.groups.get(name) {
                Some(group) => {
                    held.groups.push(&group.arn);
                    held.add(&group.inline);
                    self.attach(&mut held, &group.attached);
                }
                None => held.broken = true,
            }
        }
        if let Some(boundary) = &of.boundary {
            match self.managed.get(boundary) {
                Some(Ok(policy)) => held.boundary = Some(vec![policy]),
                Some(Err(())) | None => held.broken = true,
            }
        }
        held
    }

    fn attach<'a>(&'a self, held: &mut Held<'a>, attached: &'a [String]) {
        for arn in attached {
            held.attached.push(arn);
            match self.managed.get(arn) {
                Some(Ok(policy)) => held.identity.push(policy),
                Some(Err(())) | None => held.broken = true,
            }
        }
    }

    /// The users and roles of the account.
    pub(super) fn identities(&self) -> impl Iterator<Item = &Identity> {
        self.users.values().chain(self.roles.values())
    }

    /// The user or role of this ARN. Names are unique in an account, whatever the path (IAM User Guide,
    /// `reference_identifiers`).
    pub(super) fn identity(&self, arn: &str) -> Option<&Identity> {
        let name = arn.rsplit('/').next()?;
        [self.users.get(name), self.roles.get(name)].into_iter().flatten().find(|identity| identity.arn == arn)
    }

    /// The groups that were read, by ARN, each with the policies that would hold for an identity that was put into it.
    pub(super) fn in_groups<'a>(&'a self, of: &'a Identity) -> impl Iterator<Item = (&'a str, Held<'a>)> {
        self.groups.values().map(|group| {
            let mut held = self.held(of);
            held.add(&group.inline);
            self.attach(&mut held, &group.attached);
            (group.arn.as_str(), held)
        })
    }
}

impl<'a> Held<'a> {
    fn add(&mut self, policies: &'a [Read]) {
        self.identity.extend(policies.iter().filter_map(|policy| policy.as_ref().ok()));
        self.broken |= policies.iter().any(Result::is_err);
    }
}

fn identity(node: Node<'_, '_>, name: &str, policies: &str) -> Option<Identity> {
    Some(Identity {
        arn: text(node, "Arn")?.to_owned(),
        name: text(node, name)?.to_owned(),
        inline: inline(node, policies),
        attached: attached(node)?,
        groups: list(node, "GroupList")
            .map(|group| group.text().map(|text| text.trim().to_owned()))
            .collect::<Option<_>>()?,
        boundary: child(node, "PermissionsBoundary")
            .and_then(|boundary| text(boundary, "PermissionsBoundaryArn"))
            .map(str::to_owned),
        trust: None,
        rights: Rights::Read,
    })
}

fn inline(node: Node<'_, '_>, name: &str) -> Vec<Read> {
    let documents = list(node, name).map(|one| text(one, "PolicyDocument"));
    documents.map(|text| text.map_or(Err(()), |text| policy(text, Kind::Identity))).collect()
}

fn attached(node: Node<'_, '_>) -> Option<Vec<String>> {
    list(node, "AttachedManagedPolicies").map(|one| text(one, "PolicyArn").map(str::to_owned)).collect()
}

/// A document as IAM answers it: JSON, percent-encoded (RFC 3986).
fn policy(text: &str, kind: Kind) -> Read {
    let encoded = format!("x={}", text.replace('+', "%2B"));
    let decoded = url::form_urlencoded::parse(encoded.as_bytes()).next().map(|(_, value)| value.into_owned());
    let value = serde_json::from_str(&decoded.ok_or(())?).map_err(|_| ())?;
    Policy::new(&value, kind).map_err(|_| ())
}
