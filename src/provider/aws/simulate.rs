//! What AWS's own simulator says, beside what we decide (IAM API Reference, `SimulatePrincipalPolicy`).
//!
//! It looks at the policies of identities, at permissions boundaries and at what an organisation's policies say to
//! identities, and at nothing that a resource says. So it is asked about calls of one's own account on what has no policy of
//! its own, of which the answer is sure here. Where both agree, the answer is the provider's. Where they do not, the wider
//! one counts, and that they do not is a gap: one of the two is wrong.

use std::collections::{BTreeMap, BTreeSet};

use deadstop_core::fact::{Fact, GapReason};
use deadstop_core::model::{Basis, Grant};
use roxmltree::{Document, Node};

use super::client::{Client, Fault};
use super::pages::pages;
use super::reads::IAM;
use super::rights::{Accounts, Sure, spell_out};
use super::xml::{list, result, text, yes};
use crate::provider::facts::Facts;

const SIMULATE: &str = "iam:SimulatePrincipalPolicy";
/// How many calls are made about one account at most: the simulator is slow, and how often it may be asked is not published.
const CALLS: usize = 100;
/// How many resources one call is about.
const RESOURCES: usize = 25;

/// What the simulator says of an action on a resource: whether it is allowed, or nothing where it misses something.
type Said = BTreeMap<(String, String), Option<bool>>;

/// Holds what was decided about these identities against the simulator, by those clients of their account that may ask it.
pub(super) fn confirm<'c>(accounts: &Accounts<'_>, clients: impl Fn(&str) -> Vec<Client<'c>>, facts: &mut Facts) {
    let mut desks: BTreeMap<String, Desk<'c>> = BTreeMap::new();
    let identities: Vec<_> = facts.principals.iter().map(|principal| principal.id.clone()).collect();
    for identity in identities {
        let Some(number) = identity.as_str().split(':').nth(4) else { continue };
        let desk = desks.entry(number.to_owned()).or_insert_with(|| Desk { clients: clients(number), left: CALLS });
        // What nobody is asked about is not decided once more.
        if desk.left == 0 || desk.clients.is_empty() {
            continue;
        }
        let Some(sure) = accounts.sure(identity.as_str()) else { continue };
        let said = desk.ask(identity.as_str(), &sure);
        settle(identity.as_str(), number, &sure, &said, facts);
    }
}

/// Who may ask about an account, and how often.
struct Desk<'c> {
    clients: Vec<Client<'c>>,
    left: usize,
}

impl Desk<'_> {
    fn ask(&mut self, identity: &str, sure: &[Sure<'_>]) -> Said {
        let mut said = Said::new();
        for (region, group) in parts(sure) {
            let resources: BTreeSet<&str> = group.iter().map(|one| one.arn).collect();
            for some in resources.into_iter().collect::<Vec<_>>().chunks(RESOURCES) {
                let actions = group.iter().filter(|one| some.contains(&one.arn)).map(|one| one.action);
                let actions: Vec<&str> = actions.collect::<BTreeSet<_>>().into_iter().collect();
                let question = Question { identity, resources: some, region };
                match self.once(&question, &actions) {
                    Ok(more) => said.extend(more),
                    // Some actions are not simulated together with others.
                    Err(fault) if fault.says(&["InvalidInput"]) && actions.len() > 1 => {
                        let each = actions.iter().filter_map(|action| self.once(&question, &[action]).ok());
                        said.extend(each.flatten());
                    }
                    Err(fault) if fault.says(&["InvalidInput"]) => {}
                    Err(fault) if fault.says(&["NoSuchEntity"]) => return said,
                    // One that gives no answer now is not waited for again and again.
                    Err(_) => self.left = 0,
                }
            }
        }
        said
    }

    /// One question. Whoever may not ask it is not asked again.
    fn once(&mut self, question: &Question<'_>, actions: &[&str]) -> Result<Said, Fault> {
        loop {
            self.left = self.left.checked_sub(1).ok_or(Fault::of(GapReason::NotAsked))?;
            let client = self.clients.first().ok_or(Fault::of(GapReason::NotAsked))?;
            match simulate(client, question, actions) {
                Err(fault) if fault.reason == GapReason::Denied => drop(self.clients.remove(0)),
                answer => return answer,
            }
        }
    }
}

/// What a question is about, beside the actions.
struct Question<'q> {
    identity: &'q str,
    resources: &'q [&'q str],
    region: &'q str,
}

/// By what an ARN tells of a resource but its name, with the Region.
fn parts<'s, 'a>(sure: &'s [Sure<'a>]) -> Vec<(&'a str, Vec<&'s Sure<'a>>)> {
    let mut parts: BTreeMap<(&str, &str, &str), Vec<&Sure<'_>>> = BTreeMap::new();
    for one in sure {
        let mut of_arn = one.arn.splitn(6, ':').skip(2);
        let (service, region, rest) =
            (of_arn.next().unwrap_or_default(), of_arn.next().unwrap_or_default(), of_arn.nth(1).unwrap_or_default());
        let kind = rest.split([':', '/']).next().filter(|kind| kind.len() < rest.len()).unwrap_or_default();
        parts.entry((service, region, kind)).or_default().push(one);
    }
    parts.into_iter().map(|((_, region, _), group)| (region, group)).collect()
}

fn simulate(client: &Client<'_>, question: &Question<'_>, actions: &[&str]) -> Result<Said, Fault> {
    let Question { identity, resources, region } = *question;
    let mut fields = vec![("PolicySourceArn".to_owned(), identity)];
    let numbered = |name: &'static str| move |(at, value)| (format!("{name}.member.{}", at + 1_usize), value);
    fields.extend(actions.iter().copied().enumerate().map(numbered("ActionNames")));
    fields.extend(resources.iter().copied().enumerate().map(numbered("ResourceArns")));
    if !region.is_empty() {
        let entry = "ContextEntries.member.1";
        fields.push((format!("{entry}.ContextKeyName"), "aws:RequestedRegion"));
        fields.push((format!("{entry}.ContextKeyType"), "string"));
        fields.push((format!("{entry}.ContextKeyValues.member.1"), region));
    }
    let told = pages(|place| {
        let marker = place.map(|place| ("Marker", place));
        let fields: Vec<(&str, &str)> =
            fields.iter().map(|(name, value)| (name.as_str(), *value)).chain(marker).collect();
        let answer = client.form("iam", "SimulatePrincipalPolicy", IAM, &fields)?;
        page(&answer).ok_or_else(Fault::malformed)
    })?;
    Ok(told.into_iter().collect())
}

/// Results, with the place of the next page.
type Page = (Vec<((String, String), Option<bool>)>, Option<String>);

fn page(answer: &str) -> Option<Page> {
    let document = Document::parse(answer).ok()?;
    let result = result(&document)?;
    let mut told = Vec::new();
    for one in list(result, "EvaluationResults") {
        let action = text(one, "EvalActionName")?;
        for of in list(one, "ResourceSpecificResults") {
            let resource = text(of, "EvalResourceName")?;
            let allowed = decision(of, text(of, "EvalResourceDecision")?)?;
            told.push(((action.to_owned(), resource.to_owned()), allowed));
        }
    }
    let next = match yes(result, "IsTruncated") {
        Some(true) => Some(text(result, "Marker")?.to_owned()),
        Some(false) | None => None,
    };
    Some((told, next))
}

/// Whether it is allowed; nothing sure where a key of the request is missing (`EvalDecision` of the service model).
fn decision(of: Node<'_, '_>, word: &str) -> Option<Option<bool>> {
    let allowed = match word {
        "allowed" => true,
        "explicitDeny" | "implicitDeny" => false,
        _ => return None,
    };
    Some((list(of, "MissingContextValues").count() == 0).then_some(allowed))
}

/// Takes over what the simulator says.
fn settle(identity: &str, number: &str, sure: &[Sure<'_>], said: &Said, facts: &mut Facts) {
    // An action may be asked of several resources, with one of which alone it is done.
    let mut told: BTreeMap<(&str, &str), Word> = BTreeMap::new();
    for one in sure {
        let word = match said.get(&(one.action.to_owned(), one.arn.to_owned())).copied().flatten() {
            Some(allowed) if allowed == one.allowed => Word::Same,
            Some(true) => Word::Allows,
            Some(false) => Word::Refuses,
            None => Word::Nothing,
        };
        told.entry((one.node, one.action)).and_modify(|most| *most = word.max(*most)).or_insert(word);
    }
    if told.values().all(|word| *word == Word::Nothing) {
        return;
    }
    facts.source(SIMULATE, number);
    spell_out(identity, told.keys().copied(), facts);
    let mut split = Vec::new();
    for grant in facts.grants.iter_mut().filter(|grant| grant.principal.as_str() == identity) {
        let of = |word: Word, action: &str| told.get(&(grant.target.as_str(), action)) == Some(&word);
        let word = match grant.allowed {
            Fact::Known(_) if grant.basis != Basis::Evaluated => continue,
            Fact::Known(_) if grant.actions.iter().all(|action| of(Word::Same, action)) => {
                grant.basis = Basis::Simulated;
                continue;
            }
            Fact::Known(true) => Word::Refuses,
            Fact::Known(false) => Word::Allows,
            Fact::Unknown(_) => continue,
        };
        let (other, same): (Vec<String>, Vec<String>) = grant.actions.drain(..).partition(|action| of(word, action));
        grant.actions = same;
        if !other.is_empty() {
            split.push((word, Grant { actions: other, ..grant.clone() }));
        }
    }
    facts.grants.retain(|grant| !grant.actions.is_empty());
    for (word, grant) in split {
        let first = grant.actions.first().map_or("", String::as_str);
        let (allowed, because) = if word == Word::Refuses {
            (
                grant.allowed.clone(),
                format!("{}, though AWS's simulator refuses it: one of the two is wrong", grant.because),
            )
        } else {
            let what = format!("{SIMULATE} (it allows {first} to {identity}, which was taken to be refused)");
            let gap = facts.refused(&what, number, &Fault::of(GapReason::Conflicting));
            (Fact::Unknown(gap), "AWS's simulator allows it, and Deadstop's own evaluation does not".to_owned())
        };
        facts.grants.push(Grant { allowed, because, ..grant });
    }
}

/// What the simulator says beside what was decided, the rising order of what counts among several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Word {
    Same,
    Nothing,
    Refuses,
    Allows,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_told_by_resource() {
        let one = |decision: &str, missing: &str| {
            format!(
                "<member><EvalResourceName>arn:aws:rds:eu-west-1:111122223333:db:one</EvalResourceName>\
                 <EvalResourceDecision>{decision}</EvalResourceDecision><MissingContextValues>{missing}</MissingContextValues></member>"
            )
        };
        let answer = |results: &str, more: &str| {
            format!(
                "<SimulatePrincipalPolicyResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><SimulatePrincipalPolicyResult>\
                 <EvaluationResults><member><EvalActionName>rds:DeleteDBInstance</EvalActionName><EvalResourceName>arn:${{Partition}}:rds</EvalResourceName>\
                 <EvalDecision>allowed</EvalDecision><ResourceSpecificResults>{results}</ResourceSpecificResults></member></EvaluationResults>{more}\
                 </SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"
            )
        };
        let key = ("rds:DeleteDBInstance".to_owned(), "arn:aws:rds:eu-west-1:111122223333:db:one".to_owned());
        let told =
            |decision: &str, missing: &str| page(&answer(&one(decision, missing), "<IsTruncated>false</IsTruncated>"));
        assert_eq!(told("allowed", ""), Some((vec![(key.clone(), Some(true))], None)));
        assert_eq!(told("implicitDeny", ""), Some((vec![(key.clone(), Some(false))], None)));
        assert_eq!(told("explicitDeny", ""), Some((vec![(key.clone(), Some(false))], None)));
        assert_eq!(told("allowed", "<member>aws:SourceIp</member>"), Some((vec![(key, None)], None)));
        assert_eq!(told("perhaps", ""), None);
        let more = |more: &str| page(&answer("", more)).map(|(_, next)| next);
        assert_eq!(more("<IsTruncated>true</IsTruncated><Marker>m</Marker>"), Some(Some("m".to_owned())));
        assert_eq!(more("<IsTruncated>true</IsTruncated>"), None);
    }
}
