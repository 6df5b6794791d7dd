//! The accounts of an organisation: whoever may close one from the account that manages it takes everything in it along
//! (Organizations API reference: `ListAccounts`, `CloseAccount`; User Guide, `orgs_manage_accounts_close`).
//!
//! A closed account can be opened again by AWS Support for 90 days; then what is in it is deleted. Of an organisation 10% may
//! be closed within 30 days, 10 at least, which limits no one account. The account that manages it is not closed so.

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::fact::Fact;
use deadstop_core::id::{NodeId, StepId};
use deadstop_core::model::{Atom, Step};
use serde_json::{Value, json};

use super::{Organizations, list};
use crate::provider::aws::client::Fault;
use crate::provider::aws::inventory::Holdings;
use crate::provider::aws::rights::{Account, Ask, On};
use crate::provider::facts::Facts;

const LIST: &str = "organizations:ListAccounts";
pub(in crate::provider::aws) const CLOSE: &str = "organizations:CloseAccount";

/// An account of an organisation, but the one that manages it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::provider::aws) struct Member {
    pub(in crate::provider::aws) number: String,
    arn: String,
    /// The account that manages the organisation.
    pub(in crate::provider::aws) manager: String,
}

/// `arn:aws:organizations::MANAGER:account/o-…/NUMBER`
fn member(value: &Value) -> Option<Member> {
    let said = |key: &str| value.get(key).and_then(Value::as_str);
    let number = said("Id").filter(|id| id.len() == 12 && id.bytes().all(|digit| digit.is_ascii_digit()))?;
    let arn = said("Arn").filter(|arn| arn.starts_with("arn:") && arn.ends_with(&format!("/{number}")))?;
    let manager = arn.split(':').nth(4).filter(|manager| !manager.is_empty())?;
    Some(Member { number: number.to_owned(), arn: arn.to_owned(), manager: manager.to_owned() })
}

impl Organizations<'_> {
    /// Whether an account manages its organisation.
    pub(in crate::provider::aws) fn manages(&self, number: &str) -> bool {
        self.managers.get(number).is_some_and(|manager| manager.as_deref() == Some(number))
    }

    /// The members of every organisation that some of the readers may list; the managers of those that were listed;
    /// and whether these are all.
    pub(in crate::provider::aws) fn members(&self, facts: &mut Facts) -> (Vec<Member>, BTreeSet<String>, bool) {
        let known = self.readers.iter().filter_map(|reader| Some((reader.client, &reader.manager.as_ref()?.0)));
        let managing = self.managing.iter().map(|(client, number)| (*client, number));
        let (mut asked, mut failed): (BTreeSet<&String>, BTreeMap<&String, Fault>) = Default::default();
        let mut members = Vec::new();
        for (client, manager) in managing.chain(known) {
            if asked.contains(manager) {
                continue;
            }
            let answer = list(&client, "ListAccounts", "Accounts", &json!({}));
            let read = |all: Vec<Value>| all.iter().map(member).collect::<Option<Vec<_>>>();
            match answer.and_then(|all| read(all).ok_or_else(Fault::malformed)) {
                Ok(all) => {
                    facts.source(LIST, manager);
                    failed.remove(manager);
                    asked.insert(manager);
                    members.extend(all.into_iter().filter(|one| one.number != one.manager));
                }
                Err(fault) => {
                    failed.insert(manager, fault);
                }
            }
        }
        let whole = failed.is_empty() && all_listed(&self.managers, &asked);
        for (manager, fault) in failed {
            facts.refused(LIST, manager, &fault);
        }
        (members, asked.into_iter().cloned().collect(), whole)
    }
}

/// Whether the members of the organisation of each account were listed: one that was says nothing of another.
fn all_listed(managers: &BTreeMap<String, Option<String>>, listed: &BTreeSet<&String>) -> bool {
    managers.values().all(|manager| manager.as_ref().is_some_and(|manager| listed.contains(manager)))
}

/// States what closing the accounts that are known takes along, and asks who may.
pub(in crate::provider::aws) fn closing(
    members: &[Member],
    accounts: &BTreeMap<String, Account>,
    holdings: &mut Holdings,
    facts: &mut Facts,
) {
    for one in members {
        let Some(account) = accounts.get(&one.number) else { continue };
        let node = NodeId(one.arn.clone());
        let within = |id: &NodeId, parent: Option<&NodeId>| *id == account.node || parent == Some(&account.node);
        let lost = facts.assets.iter().filter(|asset| within(&asset.id, asset.parent.as_ref()));
        let gains: Vec<Atom> = lost.map(|asset| Atom::Destroyed(asset.id.clone())).collect();
        let on = On::This(one.arn.clone());
        let ask = Ask { node: node.clone(), owner: one.manager.clone(), action: CLOSE.to_owned(), on };
        holdings.asks.push(ask);
        let why = "whether a closed account is opened again within its 90 days was not worked out";
        let possible = Fact::Unknown(facts.doubt(&one.number, why));
        let sources = vec![facts.source(LIST, &one.manager)];
        facts.steps.push(Step {
            id: StepId(format!("{node}#closed")),
            session: None,
            needs: vec![Atom::Can { action: CLOSE.to_owned(), target: node }],
            gains,
            changes: false,
            possible,
            because: format!("close account {}, which is deleted 90 days later", one.number),
            sources,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The form of the API reference: `Account`.
    #[test]
    fn members_and_who_manages_them() {
        let body = |id: &str, arn: &str| member(&json!({ "Id": id, "Arn": arn, "State": "ACTIVE", "Name": "shop" }));
        let arn = "arn:aws:organizations::111122223333:account/o-exampleorgid/444455556666";
        let one = body("444455556666", arn).unwrap();
        assert_eq!((one.number.as_str(), one.manager.as_str()), ("444455556666", "111122223333"));
        assert_eq!(body("444455556667", arn), None);
        assert_eq!(body("4444", arn), None);
        assert_eq!(body("444455556666", "shop/444455556666"), None);
    }

    /// An account may be of one organisation alone (User Guide, `orgs_getting-started_concepts`).
    #[test]
    fn a_list_of_one_organisation_is_none_of_another() {
        let [one, two] = ["111122223333", "444455556666"].map(str::to_owned);
        let of = |second: Option<&String>| {
            BTreeMap::from([(one.clone(), Some(one.clone())), (two.clone(), second.cloned())])
        };
        let listed = BTreeSet::from([&one]);
        assert!(all_listed(&of(Some(&one)), &listed));
        assert!(!all_listed(&of(Some(&two)), &listed) && !all_listed(&of(None), &listed));
        assert!(all_listed(&BTreeMap::new(), &BTreeSet::new()));
    }
}
