//! What stacks do in the name of their role, for whoever may call them.

use deadstop_core::fact::Fact;
use deadstop_core::id::{NodeId, StepId};
use deadstop_core::model::{Atom, Step};

use super::super::inventory::{EXECUTE, Kept, Owned, PROPOSE, REMOVE_STACK, Stack, UPDATE_STACK};
use super::{Accounts, Ask, Effect, On};
use crate::provider::facts::Facts;

impl Accounts<'_> {
    /// States what becomes of the resources of stacks when these are deleted or updated.
    pub(in crate::provider::aws) fn by_stacks(&self, stacks: &[Stack], facts: &mut Facts) {
        for stack in stacks {
            for owned in &stack.owned {
                self.deleted(stack, owned, facts);
                self.updated(stack, owned, facts);
            }
            by_change_sets(stack, facts);
        }
    }

    /// What the role of a stack may do.
    fn of_role(&self, stack: &Stack, owned: &Owned, action: &str, node: &NodeId) -> Effect {
        let Some(role) = self.who(&stack.role) else {
            return Effect::Maybe("what the role of a stack may do was not read".to_owned());
        };
        let owner = owned.arn.split(':').nth(4).filter(|owner| !owner.is_empty()).unwrap_or(&stack.account).to_owned();
        let on = On::This(owned.arn.clone());
        self.asked(&role, &Ask { node: node.clone(), owner, action: action.to_owned(), on })
    }

    fn deleted(&self, stack: &Stack, owned: &Owned, facts: &mut Facts) {
        for (action, node) in &owned.deletes {
            let may = possible(&self.of_role(stack, owned, action, node), stack, facts);
            let possible = match (&owned.kept, may) {
                (_, Fact::Known(false)) | (Fact::Known(Kept::Itself), _) => Fact::Known(false),
                (Fact::Known(Kept::Snapshot), _) => {
                    let why =
                        "a snapshot is taken before a resource of a stack is deleted; who may delete it was not read";
                    Fact::Unknown(facts.doubt(&stack.account, why))
                }
                (Fact::Unknown(gap), _) => Fact::Unknown(gap.clone()),
                (Fact::Known(Kept::Nothing), may) => may,
            };
            let what = format!("delete stack {}, whose role then deletes what is in it", stack.name);
            state(stack, owned, (REMOVE_STACK, action, node, self.told_by(&stack.role)), false, possible, what, facts);
        }
    }

    /// An update brings a template of its own, which may leave out a resource, replace it or set it otherwise, whatever the
    /// template there says of deletes.
    fn updated(&self, stack: &Stack, owned: &Owned, facts: &mut Facts) {
        let nested = |action: &str| action == REMOVE_STACK;
        let deletes = owned.deletes.iter().filter(|(action, _)| !nested(action));
        for (action, node) in deletes.chain(&owned.changes) {
            let may = possible(&self.of_role(stack, owned, action, node), stack, facts);
            let what = format!("update stack {} by another template, which has its role call {action}", stack.name);
            state(stack, owned, (UPDATE_STACK, action, node, self.told_by(&stack.role)), false, may, what, facts);
        }
    }
}

/// A change set does what an update does: one that was made for it, or one that is there.
fn by_change_sets(stack: &Stack, facts: &mut Facts) {
    let can = |action: &str| Atom::Can { action: action.to_owned(), target: stack.node.clone() };
    let there = facts.doubt(&stack.account, "which change sets a stack has was not read");
    let made = format!("make a change set for stack {} and execute it", stack.name);
    let found = format!("execute a change set of stack {}", stack.name);
    for (needs, changes, possible, because) in [
        (vec![can(PROPOSE), can(EXECUTE)], true, Fact::Known(true), made),
        (vec![can(EXECUTE)], false, Fact::Unknown(there), found),
    ] {
        facts.steps.push(Step {
            id: StepId(format!("{}#change-set:{}", stack.node, needs.len())),
            session: None,
            needs,
            gains: vec![can(UPDATE_STACK)],
            changes,
            possible,
            because,
            sources: Vec::new(),
        });
    }
}

fn possible(effect: &Effect, stack: &Stack, facts: &mut Facts) -> Fact<bool> {
    match effect {
        Effect::Yes => Fact::Known(true),
        Effect::No(_) => Fact::Known(false),
        Effect::Maybe(why) => Fact::Unknown(facts.doubt(&stack.account, why)),
    }
}

/// States that a call on a stack has another one made on what it has.
fn state(
    stack: &Stack,
    owned: &Owned,
    (call, action, node, told_by): (&str, &str, &NodeId, Option<&str>),
    changes: bool,
    possible: Fact<bool>,
    because: String,
    facts: &mut Facts,
) {
    let sources = told_by.map(|call| facts.source(call, &stack.account)).into_iter().collect();
    facts.steps.push(Step {
        id: StepId(format!("{}#{}:{call}:{action}:{node}", stack.node, owned.name)),
        session: None,
        needs: vec![Atom::Can { action: call.to_owned(), target: stack.node.clone() }],
        gains: vec![Atom::Can { action: action.to_owned(), target: node.clone() }],
        changes,
        possible,
        because,
        sources,
    });
}
