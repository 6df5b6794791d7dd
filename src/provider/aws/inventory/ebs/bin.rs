//! The Recycle Bin: where deleted volumes stay for a while (Recycle Bin API reference: `ListRules`, `GetRule`; EBS User
//! Guide, `recycle-bin-concepts`).

use deadstop_core::fact::{Fact, Gap};
use deadstop_core::id::NodeId;
use deadstop_core::model::{Atom, Basis, Copy, CopyKind, End, Lift};
use deadstop_core::time::Span;
use serde_json::{Value, json};

use super::super::{DRILLS, Desk, one_call};
use crate::provider::aws::client::{Client, Fault};
use crate::provider::aws::pages::paged;

const LIST: &str = "rbin:ListRules";
const RULE: &str = "rbin:GetRule";

/// The rules that hold for volumes of a Region.
#[derive(Debug, Default)]
pub(super) struct Bin {
    rules: Vec<Rule>,
    /// Whether there are others, for which tags decide.
    pub(super) by_tags: bool,
}

/// A rule for every volume.
#[derive(Debug)]
struct Rule {
    arn: String,
    days: u64,
    locked: bool,
}

pub(super) fn read(desk: &mut Desk<'_>) -> Result<Bin, Gap> {
    let names = desk.ask(LIST, None, names)?;
    let mut bin = Bin::default();
    for name in names {
        let answer = desk.ask(RULE, Some(&name), |client| {
            let answer = client.get("rbin", &format!("/rules/{name}"))?;
            rule(&answer).ok_or_else(Fault::malformed)
        })?;
        match answer {
            Found::All(rule) => bin.rules.push(rule),
            Found::ByTags => bin.by_tags = true,
            Found::Off => {}
        }
    }
    Ok(bin)
}

fn name(rule: &Value) -> Option<String> {
    let name = rule.get("Identifier").and_then(Value::as_str)?;
    let plain = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
    plain.then(|| name.to_owned())
}

fn names(client: &Client<'_>) -> Result<Vec<String>, Fault> {
    paged("Rules", "NextToken", name, |place| {
        let body = match place {
            Some(place) => json!({ "ResourceType": "EBS_VOLUME", "NextToken": place }),
            None => json!({ "ResourceType": "EBS_VOLUME" }),
        };
        client.post("rbin", "/list-rules", &body)
    })
}

/// What a rule is.
enum Found {
    /// For all of its kind.
    All(Rule),
    ByTags,
    /// Not in force yet.
    Off,
}

fn rule(answer: &Value) -> Option<Found> {
    let text = |key: &str| answer.get(key).and_then(Value::as_str);
    let some = |key: &str| answer.get(key).and_then(Value::as_array).is_some_and(|list| !list.is_empty());
    let arn = text("RuleArn")?.to_owned();
    if text("Status") != Some("available") {
        return Some(Found::Off);
    }
    if some("ResourceTags") || some("ExcludeResourceTags") {
        return Some(Found::ByTags);
    }
    let days = answer.pointer("/RetentionPeriod/RetentionPeriodValue").and_then(Value::as_u64)?;
    // A rule that is being unlocked is still locked, until its delay has passed.
    Some(Found::All(Rule { arn, days, locked: matches!(text("LockState"), Some("locked" | "pending_unlock")) }))
}

impl Bin {
    /// States what is left of a volume that is deleted. What is in the bin stays until its time; a rule that is gone
    /// before the delete keeps nothing.
    pub(super) fn state(&self, desk: &mut Desk<'_>, volume: &NodeId, key: Option<&str>) {
        for rule in &self.rules {
            let mut destroyed_by = Vec::new();
            for call in ["rbin:DeleteRule", "rbin:UpdateRule"] {
                desk.also(volume, call, &rule.arn);
                let mut lift = one_call(call, volume, "take the rule of the Recycle Bin away first");
                if rule.locked {
                    desk.also(volume, "rbin:UnlockRule", &rule.arn);
                    lift.needs.push(Atom::Can { action: "rbin:UnlockRule".to_owned(), target: volume.clone() });
                    lift = Lift { because: format!("unlock the rule, wait, and {}", lift.because), ..lift };
                }
                destroyed_by.push(lift);
            }
            let source = desk.facts.source(LIST, &desk.scope());
            desk.facts.copies.push(Copy {
                id: NodeId(format!("{volume}#recycle-bin/{}", rule.arn)),
                of: volume.clone(),
                kind: CopyKind::GracePeriod,
                name: "what the Recycle Bin keeps".to_owned(),
                place: Some(desk.parent.clone()),
                lag: Fact::Known(Span(0)),
                ends: Fact::Known(End::After(Span::days(rule.days))),
                dies_with: Fact::Known(Vec::new()),
                destroyed_by: Fact::Known(destroyed_by),
                needs: key.iter().map(|key| NodeId(desk.key(key))).collect(),
                drills: DRILLS,
                basis: Basis::Observed,
                because: format!("a deleted volume stays in the Recycle Bin for {} days", rule.days),
                sources: vec![source],
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_rule_for_all_volumes_counts() {
        let body = |status: &str, tags: Value, lock: &str| {
            json!({ "Identifier": "r", "RuleArn": "arn:aws:rbin:eu-west-1:111122223333:rule/r", "Status": status,
                    "ResourceType": "EBS_VOLUME", "ResourceTags": tags, "LockState": lock,
                    "RetentionPeriod": { "RetentionPeriodValue": 7, "RetentionPeriodUnit": "DAYS" } })
        };
        let none = json!([]);
        assert!(
            matches!(rule(&body("available", none.clone(), "locked")), Some(Found::All(rule)) if rule.days == 7 && rule.locked)
        );
        assert!(matches!(rule(&body("available", none.clone(), "unlocked")), Some(Found::All(rule)) if !rule.locked));
        assert!(matches!(rule(&body("pending", none, "unlocked")), Some(Found::Off)));
        let tagged = json!([{ "ResourceTagKey": "keep", "ResourceTagValue": "yes" }]);
        assert!(matches!(rule(&body("available", tagged, "unlocked")), Some(Found::ByTags)));
        assert!(rule(&json!({})).is_none());
    }
}
