//! Nodes that rights speak of together (floor 2).

use std::collections::BTreeMap;

use fixedbitset::FixedBitSet;
use indexmap::IndexSet;

use crate::id::NodeId;
use crate::model::{Asset, Group, Holds};

/// The number of a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupNo(usize);

/// The number of a node that is in some group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MemberNo(usize);

/// All groups. A group that is another one but for some of it is of that one's family: whatever is in it is in the head, too.
#[derive(Clone, Debug, Default)]
pub struct Groups {
    nodes: IndexSet<NodeId>,
    all: Vec<Held>,
    numbers: BTreeMap<NodeId, GroupNo>,
    /// By member, the heads of families that hold it.
    heads_of: Vec<Vec<GroupNo>>,
}

#[derive(Clone, Debug)]
struct Held {
    id: NodeId,
    members: FixedBitSet,
    head: GroupNo,
    /// The others of its family, if it is the head.
    family: Vec<GroupNo>,
    /// Whether it is known what it holds.
    whole: bool,
    provider: Option<String>,
}

impl Groups {
    /// All groups of a bundle. Of several readings of one, each counts.
    #[must_use]
    pub fn new(items: &[Group]) -> Self {
        let mut groups = Self::default();
        let mut plain: BTreeMap<&NodeId, Vec<&NodeId>> = BTreeMap::new();
        let mut rests: BTreeMap<&NodeId, Vec<(&NodeId, &[NodeId])>> = BTreeMap::new();
        for item in items {
            match &item.holds {
                Holds::Nodes(nodes) => plain.entry(&item.id).or_default().extend(nodes),
                Holds::Rest { of, except } => rests.entry(&item.id).or_default().push((of, except)),
            }
        }
        groups.nodes = plain.values().flatten().map(|node| (*node).clone()).collect();
        // What has both readings is made from others, and others are made from plain ones alone, so that there is no circle.
        for (id, nodes) in plain.iter().filter(|(id, _)| !rests.contains_key(*id)) {
            groups.add(id, groups.numbered(nodes.iter().copied()), None, true);
        }
        for (id, readings) in rests {
            let mut members = groups.numbered(plain.get(id).into_iter().flatten().copied());
            let bases: Vec<Option<GroupNo>> = readings.iter().map(|(of, _)| groups.number(of)).collect();
            for ((_, except), base) in readings.iter().zip(&bases) {
                let Some(held) = base.and_then(|base| groups.all.get(base.0)) else { continue };
                let mut own = held.members.clone();
                own.difference_with(&groups.numbered(except.iter()));
                members.union_with(&own);
            }
            let plain_base = |base: &GroupNo| groups.head(*base) == *base;
            let whole = bases.iter().all(|base| base.as_ref().is_some_and(plain_base));
            let head =
                bases.first().copied().flatten().filter(|base| {
                    whole && groups.all.get(base.0).is_some_and(|held| members.is_subset(&held.members))
                });
            groups.add(id, members, head, whole);
        }
        groups.heads_of = vec![Vec::new(); groups.nodes.len()];
        for (at, held) in groups.all.iter().enumerate().filter(|(at, held)| held.head.0 == *at) {
            for member in held.members.ones() {
                groups.heads_of.get_mut(member).into_iter().for_each(|heads| heads.push(GroupNo(at)));
            }
        }
        groups
    }

    fn add(&mut self, id: &NodeId, members: FixedBitSet, head: Option<GroupNo>, whole: bool) {
        let number = GroupNo(self.all.len());
        if let Some(held) = head.and_then(|head| self.all.get_mut(head.0)) {
            held.family.push(number);
        }
        let head = head.unwrap_or(number);
        self.all.push(Held { id: id.clone(), members, head, family: Vec::new(), whole, provider: None });
        self.numbers.insert(id.clone(), number);
    }

    fn numbered<'a>(&self, nodes: impl Iterator<Item = &'a NodeId>) -> FixedBitSet {
        let mut set = FixedBitSet::with_capacity(self.nodes.len());
        set.extend(nodes.filter_map(|node| self.nodes.get_index_of(node)));
        set
    }

    /// Notes of each group whose provider all of it is.
    pub(super) fn find_providers(&mut self, assets: &BTreeMap<NodeId, Asset>, of: impl Fn(&NodeId) -> Option<String>) {
        let known: Vec<Option<&str>> =
            self.nodes.iter().map(|node| assets.get(node).map(|asset| asset.provider.as_str())).collect();
        let nodes = &self.nodes;
        let provider = |member: usize| -> Option<String> {
            let found = known.get(member).copied().flatten().map(str::to_owned);
            found.or_else(|| nodes.get_index(member).and_then(&of))
        };
        for held in &mut self.all {
            let first = held.members.minimum().and_then(provider);
            let same = |member: usize| match known.get(member).copied().flatten() {
                Some(name) => first.as_deref() == Some(name),
                None => first == provider(member),
            };
            held.provider = first.clone().filter(|_| held.whole && held.members.ones().all(same));
        }
    }

    /// The number of a group.
    #[must_use]
    pub fn number(&self, id: &NodeId) -> Option<GroupNo> {
        self.numbers.get(id).copied()
    }

    /// The name of a group.
    #[must_use]
    pub fn id(&self, group: GroupNo) -> Option<&NodeId> {
        self.all.get(group.0).map(|held| &held.id)
    }

    /// The number of a node that is in some group.
    #[must_use]
    pub fn member(&self, node: &NodeId) -> Option<MemberNo> {
        self.nodes.get_index_of(node).map(MemberNo)
    }

    /// The heads of the families that hold a node.
    #[must_use]
    pub fn heads_of(&self, member: MemberNo) -> &[GroupNo] {
        self.heads_of.get(member.0).map_or(&[], Vec::as_slice)
    }

    /// The head of a group's family: itself, or the group that it was made from.
    #[must_use]
    pub fn head(&self, group: GroupNo) -> GroupNo {
        self.all.get(group.0).map_or(group, |held| held.head)
    }

    /// The head of a family, and then the others of it.
    pub fn family(&self, head: GroupNo) -> impl Iterator<Item = GroupNo> + '_ {
        std::iter::once(head).chain(self.all.get(head.0).into_iter().flat_map(|held| held.family.iter().copied()))
    }

    /// Whether a group holds a node.
    #[must_use]
    pub fn holds(&self, group: GroupNo, member: MemberNo) -> bool {
        self.all.get(group.0).is_some_and(|held| held.members.contains(member.0))
    }

    /// The nodes of its head that a group does not hold are added to `apart`.
    pub fn left_out(&self, group: GroupNo, apart: &mut FixedBitSet) {
        let head = self.all.get(self.head(group).0);
        if let (Some(held), Some(head)) = (self.all.get(group.0), head) {
            apart.grow(self.nodes.len());
            apart.extend(head.members.difference(&held.members));
        }
    }

    /// What a group holds.
    pub fn members(&self, group: GroupNo) -> impl Iterator<Item = &NodeId> {
        let members = self.all.get(group.0).into_iter().flat_map(|held| held.members.ones());
        members.filter_map(|member| self.nodes.get_index(member))
    }

    /// The provider that all of a group is of, if that is known.
    #[must_use]
    pub fn provider(&self, group: GroupNo) -> Option<&str> {
        self.all.get(group.0)?.provider.as_deref()
    }

    /// Whether it is known what a group holds.
    #[must_use]
    pub fn is_whole(&self, group: GroupNo) -> bool {
        self.all.get(group.0).is_some_and(|held| held.whole)
    }
}

impl MemberNo {
    /// As an index.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0
    }
}
