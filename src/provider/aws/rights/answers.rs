//! What one identity may do with everything that is asked for, worked out at once: one decision for all that none of the
//! policies tells apart.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use deadstop_core::iam::{Against, Names, Part};
use deadstop_core::id::{NodeId, PrincipalId};
use deadstop_core::model::{Asset, Atom, Copy};
use fixedbitset::FixedBitSet;

use super::{Account, Accounts, Ask, Effect, NOWHERE, On, ResourcePolicy, Who, region_of, right};

/// What is asked for, in groups.
#[derive(Debug)]
pub(super) struct Questions<'a> {
    names: Names,
    /// By action.
    groups: BTreeMap<&'a str, Vec<Group<'a>>>,
    /// The policies of resources, each held against the names; distinct ones.
    policies: Vec<(&'a ResourcePolicy, Against<'a>)>,
    /// Those of the organisation for what lies in an account.
    above: BTreeMap<&'a str, Against<'a>>,
    /// What lies below an account, all that is asked for of it: by account and action.
    below: BTreeMap<(&'a str, &'a str), Vec<usize>>,
    /// What does not lie below its account.
    aside: BTreeSet<usize>,
    by_node: HashMap<&'a str, Vec<usize>>,
}

/// Requests that are the same but for the name of the resource.
#[derive(Debug)]
struct Group<'a> {
    owner: &'a str,
    /// The policy of the resource, by number.
    policy: usize,
    names: FixedBitSet,
    /// The number of the name, and of the ask, in order.
    asks: Vec<(usize, usize)>,
}

impl Group<'_> {
    /// The number of an ask of this name.
    fn ask_of(&self, name: usize) -> Option<usize> {
        let at = self.asks.partition_point(|(other, _)| *other < name);
        self.asks.get(at).filter(|(other, _)| *other == name).map(|(_, ask)| *ask)
    }
}

/// What else than the name a decision may hang on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Form<'a> {
    action: &'a str,
    owner: &'a str,
    region: Option<&'a str>,
    below: bool,
    /// Service and type of the resource.
    kind: (&'a str, &'a str),
    policy: usize,
}

/// Where a right holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place<'a> {
    /// In an account.
    Account(&'a str),
    /// On a node.
    Node(&'a NodeId),
}

/// What an identity may do, by the number of what is asked.
#[derive(Debug)]
pub(super) struct Answers {
    of: Vec<usize>,
    effects: Vec<Effect>,
}

/// The answer where no policy speaks for somebody.
const NONE: usize = 0;

impl Answers {
    /// What was answered.
    pub(super) fn get(&self, ask: usize) -> &Effect {
        self.of.get(ask).and_then(|number| self.effects.get(*number)).unwrap_or(&Effect::No(NOWHERE))
    }

    /// The number of the effect of what was asked.
    pub(super) fn number_of(&self, ask: usize) -> usize {
        self.of.get(ask).copied().unwrap_or(NONE)
    }

    /// The effect of this number.
    pub(super) fn effect(&self, number: usize) -> Option<&Effect> {
        self.effects.get(number)
    }

    fn number(&mut self, effect: Effect) -> usize {
        self.effects.iter().position(|known| *known == effect).unwrap_or_else(|| {
            self.effects.push(effect);
            self.effects.len() - 1
        })
    }
}

impl<'a> Questions<'a> {
    /// Puts everything that is asked for in groups; `above` is what each thing lies in.
    pub(super) fn new(accounts: &Accounts<'a>, assets: &[Asset], copies: &[Copy]) -> Self {
        let mut names: Vec<(String, bool)> = Vec::new();
        let mut numbers: HashMap<(&'a str, bool), usize> = HashMap::new();
        let mut distinct: Vec<&'a ResourcePolicy> = vec![&ResourcePolicy::None];
        let mut known: HashMap<*const ResourcePolicy, usize> = HashMap::new();
        let mut forms: BTreeMap<Form<'a>, Vec<(usize, usize)>> = BTreeMap::new();
        let mut by_node: HashMap<&'a str, Vec<usize>> = HashMap::new();
        for (at, ask) in accounts.asks.iter().enumerate() {
            let policy = accounts.policy_of(ask);
            let policy = *known.entry(std::ptr::from_ref(policy)).or_insert_with(|| {
                distinct.iter().position(|other| *other == policy).unwrap_or_else(|| {
                    distinct.push(policy);
                    distinct.len() - 1
                })
            });
            let (name, below) = match &ask.on {
                On::This(name) => (name.as_str(), false),
                On::Below(prefix) => (prefix.as_str(), true),
            };
            let number = *numbers.entry((name, below)).or_insert_with(|| {
                names.push((name.to_owned(), below));
                names.len() - 1
            });
            let region = region_of(&ask.action, name);
            let form = Form { action: &ask.action, owner: &ask.owner, region, below, kind: kind(name), policy };
            forms.entry(form).or_default().push((number, at));
            by_node.entry(ask.node.as_str()).or_default().push(at);
            // A replica's policy speaks of calls on it, by which its table is reached.
            if let On::This(arn) = &ask.on
                && arn != ask.node.as_str()
            {
                by_node.entry(arn).or_default().push(at);
            }
        }
        let names = Names::new(names);
        let mut groups: BTreeMap<&'a str, Vec<Group<'a>>> = BTreeMap::new();
        for (Form { action, owner, policy, .. }, mut asks) in forms {
            asks.sort_unstable();
            let mut held = FixedBitSet::with_capacity(names.len());
            held.extend(asks.iter().map(|(name, _)| *name));
            groups.entry(action).or_default().push(Group { owner, policy, names: held, asks });
        }
        let policies = distinct.into_iter().map(|policy| (policy, names.against(policy.policy().into_iter())));
        let policies = policies.collect();
        let above = accounts.all.iter().map(|(number, account)| (number.as_str(), against(&names, account)));
        let above = above.collect();
        let (below, aside) = places(accounts, assets, copies);
        Self { names, groups, policies, above, below, aside, by_node }
    }

    /// The numbers of what is asked for of a node, or on it by its ARN.
    pub(super) fn of_node(&self, node: &str) -> &[usize] {
        self.by_node.get(node).map(Vec::as_slice).unwrap_or_default()
    }

    /// Whether a node, and whatever is asked for on it, lies below its account.
    pub(super) fn lies_below(&self, node: &NodeId) -> bool {
        self.of_node(node.as_str()).iter().all(|at| !self.aside.contains(at))
    }

    /// Rights to what was asked for, by number: one to all that an account has, where it is all that is asked for there.
    pub(super) fn rights(
        &self,
        who: &PrincipalId,
        asks: &[Ask],
        account: (&str, &NodeId),
        given: &[usize],
    ) -> Vec<Atom> {
        let (number, node) = account;
        let all: BTreeSet<usize> = given.iter().copied().collect();
        let mut by_action: BTreeMap<&str, Vec<&Ask>> = BTreeMap::new();
        for ask in all.iter().filter_map(|at| asks.get(*at)) {
            by_action.entry(&ask.action).or_default().push(ask);
        }
        let mut rights = Vec::new();
        for (action, list) in by_action {
            match self.below.get(&(number, action)) {
                Some(whole) if whole.iter().all(|at| all.contains(at)) => rights.push(right(who, action, node)),
                Some(_) | None => rights.extend(list.into_iter().map(|ask| right(who, action, &ask.node))),
            }
        }
        rights
    }

    /// Answers everything for somebody: `decide` says what AWS does with one request. Of what nothing allows it is not
    /// told whether something refuses it, too.
    pub(super) fn answer(&self, who: &Who<'a>, asks: &[Ask], decide: impl Fn(&Ask) -> Effect) -> Answers {
        let named = |action: &str| who.is_named(action);
        self.answered(who, asks, named, decide)
    }

    /// The same, to the last refusal.
    pub(super) fn answer_all(&self, who: &Who<'a>, asks: &[Ask], decide: impl Fn(&Ask) -> Effect) -> Answers {
        self.answered(who, asks, |_| true, decide)
    }

    fn answered(
        &self,
        who: &Who<'a>,
        asks: &[Ask],
        named: impl Fn(&str) -> bool,
        decide: impl Fn(&Ask) -> Effect,
    ) -> Answers {
        let mut answers = Answers { of: vec![NONE; asks.len()], effects: vec![Effect::No(NOWHERE)] };
        let above = &who.account.above.identities;
        let own = who.held.identity.iter().copied().chain(who.held.boundary.iter().flatten().copied());
        let own = self.names.against(own.chain(above.levels().into_iter().flatten()));
        let mut part_of = vec![NONE; self.names.len()];
        for (action, groups) in &self.groups {
            let named = named(action);
            for group in groups {
                let Some((policy, theirs)) = self.policies.get(group.policy) else { continue };
                // Nothing of its own lets it through, and the resource has no policy that might.
                if !named && **policy == ResourcePolicy::None {
                    continue;
                }
                let mut parts = own.parts(action, &group.names);
                for more in [Some(theirs), self.above.get(group.owner)].into_iter().flatten() {
                    parts = parts.into_iter().flat_map(|part| further(part, more, action)).collect();
                }
                // One decision for each part, and for each name that has to be decided by itself. INVARIANT: every name of the
                // group is in one part, so that nothing is left of other groups.
                let alone: BTreeSet<usize> =
                    parts.iter().filter(|part| !part.alike).flat_map(|part| part.names.ones()).collect();
                for part in parts.iter().filter(|part| part.alike) {
                    let Some(ask) = part.names.minimum().and_then(|name| asks.get(group.ask_of(name)?)) else {
                        continue;
                    };
                    let effect = answers.number(decide(ask));
                    part.names.ones().for_each(|name| part_of.get_mut(name).into_iter().for_each(|of| *of = effect));
                }
                for (name, at) in &group.asks {
                    let effect = match asks.get(*at) {
                        Some(ask) if alone.contains(name) => answers.number(decide(ask)),
                        Some(_) | None => part_of.get(*name).copied().unwrap_or(NONE),
                    };
                    answers.of.get_mut(*at).into_iter().for_each(|of| *of = effect);
                }
            }
        }
        answers
    }

    /// The same, put together: by the effect's number and where it holds, the actions. What holds for all that is asked for
    /// of an account, whatever it is, holds for the account.
    pub(super) fn together(&self, asks: &'a [Ask], answers: &Answers) -> BTreeMap<(usize, Place<'a>), Vec<&'a str>> {
        let effect_of = |at: usize| answers.number_of(at);
        let mut all: BTreeMap<(usize, Place<'a>), Vec<&'a str>> = BTreeMap::new();
        let mut alone: Vec<usize> = self.aside.iter().copied().collect();
        for ((owner, action), list) in &self.below {
            match list.as_slice() {
                [first, _, ..] if list.iter().all(|at| effect_of(*at) == effect_of(*first)) => {
                    if effect_of(*first) != NONE {
                        all.entry((effect_of(*first), Place::Account(owner))).or_default().push(action);
                    }
                }
                some => alone.extend(some),
            }
        }
        for (effect, at) in alone.into_iter().map(|at| (effect_of(at), at)).filter(|(effect, _)| *effect != NONE) {
            let Some(Ask { node, action, .. }) = asks.get(at) else { continue };
            all.entry((effect, Place::Node(node))).or_default().push(action);
        }
        all
    }
}

/// Takes a part further apart.
fn further(part: Part, policies: &Against<'_>, action: &str) -> Vec<Part> {
    if part.alike { policies.parts(action, &part.names) } else { vec![part] }
}

/// The policies of an organisation for what lies in an account, held against the names.
fn against<'a>(names: &Names, account: &'a Account) -> Against<'a> {
    names.against(account.above.resources.levels().into_iter().flatten())
}

/// Service and type of an ARN's resource.
fn kind(arn: &str) -> (&str, &str) {
    let mut parts = arn.splitn(6, ':');
    let (service, resource) = (parts.nth(2).unwrap_or_default(), parts.nth(2).unwrap_or_default());
    (service, resource.split(['/', ':']).next().unwrap_or_default())
}

/// What is asked for of things that lie below their account, by account and action; and the rest.
fn places<'a>(
    accounts: &Accounts<'a>,
    assets: &[Asset],
    copies: &[Copy],
) -> (BTreeMap<(&'a str, &'a str), Vec<usize>>, BTreeSet<usize>) {
    let in_assets = assets.iter().map(|asset| (&asset.id, asset.parent.as_ref()));
    let in_copies = copies.iter().map(|copy| (&copy.id, Some(copy.place.as_ref().unwrap_or(&copy.of))));
    // Where a node is both, it lies where the asset does, be it in nothing.
    let above: HashMap<&NodeId, Option<&NodeId>> = in_copies.chain(in_assets).collect();
    let lies_below = |node: &NodeId, account: &NodeId| {
        let mut at = node;
        // No chain is longer than there are nodes.
        for _ in 0..=above.len() {
            match above.get(at).copied().flatten() {
                Some(next) if next == account => return true,
                Some(next) => at = next,
                None => return false,
            }
        }
        false
    };
    let (mut below, mut aside) = (BTreeMap::<(&str, &str), Vec<usize>>::new(), BTreeSet::new());
    for (at, ask) in accounts.asks.iter().enumerate() {
        match accounts.all.get(&ask.owner) {
            Some(account) if lies_below(&ask.node, &account.node) => {
                below.entry((&ask.owner, &ask.action)).or_default().push(at);
            }
            Some(_) | None => {
                aside.insert(at);
            }
        }
    }
    (below, aside)
}
