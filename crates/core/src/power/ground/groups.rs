//! Rights that are given for groups of nodes (floor 2).

use std::collections::BTreeSet;
use std::rc::Rc;

use fixedbitset::FixedBitSet;

use super::super::{AtomNo, When};
use super::{Builder, Key};
use crate::id::NodeId;
use crate::world::World;
use crate::world::groups::GroupNo;

/// The heads of families that speak of a node: of those that hold it or what it lies in; for a group, of its own.
pub(super) fn heads_over(world: &World, node: &NodeId) -> Vec<GroupNo> {
    let groups = &world.groups;
    let mut heads: Vec<GroupNo> = groups.number(node).map(|group| groups.head(group)).into_iter().collect();
    let members = world.chain(node).into_iter().filter_map(|at| groups.member(at));
    heads.extend(members.flat_map(|member| groups.heads_of(member)).copied());
    heads.sort_unstable();
    heads.dedup();
    heads
}

/// Who may do something to the groups of a family: for what all of them hold it is the same.
#[derive(Debug, Default)]
pub(super) struct Family {
    /// The groups that somebody may have a right to, with the atom of that.
    able: Vec<(GroupNo, AtomNo)>,
    /// Somebody has a right to any of these.
    any: Option<AtomNo>,
    /// What some of these do not hold, by the number of the member.
    apart: FixedBitSet,
}

impl<'w> Builder<'w> {
    /// The actions that matter at a node or below it; for a group, those that matter at any of its family.
    pub(super) fn relevant_at(&self, node: &NodeId) -> Option<BTreeSet<(String, Option<&'w str>)>> {
        let groups = &self.world.groups;
        let head = groups.number(node).and_then(|group| groups.id(groups.head(group))).filter(|head| *head != node);
        let own = self.relevant.get(node);
        let Some(more) = head.and_then(|head| self.relevant.get(head)) else { return own.cloned() };
        Some(own.into_iter().flatten().chain(more).cloned().collect())
    }

    /// Lets a right to a group be one to a node of it, and one to all of a group be one to what was made from it.
    pub(super) fn link_groups(&mut self, action: &str, at: &NodeId, can_at: AtomNo) {
        let groups = &self.world.groups;
        let head = groups.number(at).and_then(|group| groups.id(groups.head(group))).filter(|head| *head != at);
        if let Some(head) = head {
            let can = self.atom(Key::Can(action.to_owned(), head.clone()));
            self.rules.add(can_at, vec![can], When::Holds);
        }
        let Some(member) = groups.member(at) else { return };
        for head in groups.heads_of(member) {
            let family = self.family(action, *head);
            if family.apart.contains(member.index()) {
                for (_, can) in family.able.iter().filter(|(group, _)| groups.holds(*group, member)) {
                    self.rules.add(can_at, vec![*can], When::Holds);
                }
            } else if let Some(any) = family.any {
                self.rules.add(can_at, vec![any], When::Holds);
            }
        }
    }

    /// Who may do something to the groups of a family.
    fn family(&mut self, action: &str, head: GroupNo) -> Rc<Family> {
        let key = (action.to_owned(), head);
        if let Some(known) = self.families.get(&key) {
            return Rc::clone(known);
        }
        let groups = &self.world.groups;
        let mut family = Family::default();
        for group in groups.family(head) {
            let Some(id) = groups.id(group) else { continue };
            // Who may do what was stated before: of a group without an atom nobody may.
            if let Some(can) = self.rules.find(&Key::Can(action.to_owned(), id.clone())) {
                family.able.push((group, can));
                groups.left_out(group, &mut family.apart);
            }
        }
        if let (Some(head), false) = (groups.id(head), family.able.is_empty()) {
            let any = self.atom(Key::CanAny(action.to_owned(), head.clone()));
            for (_, can) in &family.able {
                self.rules.add(any, vec![*can], When::Holds);
            }
            family.any = Some(any);
        }
        let family = Rc::new(family);
        self.families.insert(key, Rc::clone(&family));
        family
    }
}
