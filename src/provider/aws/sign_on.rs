//! Which roles of which accounts a sign-in of AWS IAM Identity Center may take on, as its portal lists them. Credentials of
//! these roles are not asked for: the lists say who may have them, and to be issued some would be more than a read.

use std::collections::BTreeSet;

use deadstop_core::fact::{Fact, Gap, Listed};
use deadstop_core::id::{CredentialId, PrincipalId, StepId};
use deadstop_core::model::{Atom, Principal, Step};
use serde_json::Value;

use super::client::{Client, Fault};
use super::iam::Directory;
use super::pages::paged;
use crate::collector::{AwsKey, Token};
use crate::provider::facts::Facts;
use crate::readonly::ReadOnly;
use crate::secret::Secret;

const ACCOUNTS: &str = "sso:ListAccounts";
const ROLES: &str = "sso:ListAccountRoles";

/// The kind of credential that a sign-in is.
pub(super) const KIND: &str = "sso_token";

/// What a sign-in may take on.
pub(super) struct SignIn {
    pub(super) credential: CredentialId,
    /// Accounts, and the permission set of the role in each.
    pub(super) roles: BTreeSet<(String, String)>,
    /// Why there may be more.
    gap: Option<Gap>,
}

impl SignIn {
    /// Asks the portal; else why it does not answer.
    pub(super) fn ask(door: &ReadOnly, token: &Token, facts: &mut Facts) -> Result<Self, Gap> {
        let credential = token.credential.clone();
        let nobody = AwsKey {
            credential: credential.clone(),
            id: String::new(),
            secret: Secret::new(b""),
            token: None,
            renewable: false,
        };
        let client = Client { door, key: &nobody, region: token.region.as_deref().unwrap_or(super::REGION) };
        let list = |path: &str, name: &str, more: &[(&str, &str)]| all_of(&client, &token.secret, path, name, more);
        let accounts = match list("/assignment/accounts", "accountList", &[]) {
            Ok(accounts) => accounts,
            Err(fault) => return Err(facts.refused(ACCOUNTS, credential.as_str(), &fault)),
        };
        facts.source(ACCOUNTS, credential.as_str());
        let mut all = Self { credential, roles: BTreeSet::new(), gap: None };
        for account in accounts {
            let number = account.get("accountId").and_then(Value::as_str).filter(|number| is_number(number));
            let Some(number) = number else {
                all.gap = Some(facts.refused(ACCOUNTS, all.credential.as_str(), &Fault::malformed()));
                continue;
            };
            let names = list("/assignment/roles", "roleList", &[("account_id", number)]).and_then(|roles| {
                let name = |role: &Value| role.get("roleName").and_then(Value::as_str).map(str::to_owned);
                roles.iter().map(name).collect::<Option<Vec<_>>>().ok_or_else(Fault::malformed)
            });
            match names {
                Ok(names) => {
                    facts.source(ROLES, number);
                    all.roles.extend(names.into_iter().map(|name| (number.to_owned(), name)));
                }
                Err(fault) => all.gap = Some(facts.refused(ROLES, number, &fault)),
            }
        }
        Ok(all)
    }

    /// Who has signed in.
    pub(super) fn who(&self) -> PrincipalId {
        PrincipalId(format!("aws:sign-in/{}", self.credential))
    }

    /// States whom it may become: these roles, each by its ARN.
    pub(super) fn state(&self, arns: &[String], facts: &mut Facts) {
        let sources = vec![facts.source(ACCOUNTS, self.credential.as_str())];
        facts.principals.push(Principal {
            id: self.who(),
            provider: "aws".to_owned(),
            name: "whoever signed in".to_owned(),
            environment: None,
            grants: self.gap.clone().map_or(Fact::Known(Listed::Complete), Fact::Unknown),
            sources: sources.clone(),
        });
        for arn in arns {
            facts.steps.push(Step {
                id: StepId(format!("{}:{arn}", self.who())),
                session: None,
                needs: vec![Atom::Principal(self.who())],
                gains: vec![Atom::Principal(arn.as_str().into())],
                changes: false,
                possible: Fact::Known(true),
                because: format!("sign in as {}", arn.rsplit('/').next().unwrap_or(arn)),
                sources: sources.clone(),
            });
        }
    }
}

/// The roles that a permission set may be in an account (IAM Identity Center User Guide, "Referencing permission sets in
/// resource policies"): by their own ARNs, if the account was read. One is there for each set, and another one may be left
/// of a set that had its name; which of them it is the portal does not say.
pub(super) fn roles(directory: Option<&Directory>, number: &str, set: &str) -> Result<Vec<String>, String> {
    let begins = format!("AWSReservedSSO_{set}_");
    // What follows is a hash, in which there is no `_`: a permission set's name may hold one.
    let fits = |name: &str| name.strip_prefix(&begins).is_some_and(|hash| !hash.is_empty() && !hash.contains('_'));
    // Where not all roles are known, one more may be there.
    let whole = directory.filter(|directory| directory.unlisted().is_none());
    let roles = whole.into_iter().flat_map(|directory| directory.roles.values());
    let known: Vec<String> = roles
        .filter(|role| fits(&role.name) && role.arn.contains(":role/aws-reserved/sso.amazonaws.com/"))
        .map(|role| role.arn.clone())
        .collect();
    if known.is_empty() {
        return Err(format!("arn:aws:iam::{number}:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_{set}"));
    }
    Ok(known)
}

fn is_number(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|digit| digit.is_ascii_digit())
}

/// All of a list of the portal.
fn all_of(
    client: &Client<'_>,
    token: &Secret,
    path: &str,
    name: &str,
    more: &[(&str, &str)],
) -> Result<Vec<Value>, Fault> {
    let whole = |one: &Value| Some(one.clone());
    paged(name, "nextToken", whole, |place| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query
            .append_pair("max_result", "100")
            .extend_pairs(more)
            .extend_pairs(place.map(|place| ("next_token", place)));
        client.portal(&format!("{path}?{}", query.finish()), token)
    })
}
