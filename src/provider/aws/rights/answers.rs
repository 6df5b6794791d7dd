//! What one identity may do with everything that is asked for, worked out at once: one decision for all that none of the
//! policies tells apart.

use std::collections::BTreeMap;

use deadstop_core::iam::{Against, Names, Part};
use deadstop_core::id::NodeId;
use fixedbitset::FixedBitSet;

use super::together::Sets;
use super::{Account, Accounts, Ask, Effect, NOWHERE, On, ResourcePolicy, Who, region_of};

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
    by_node: BTreeMap<&'a str, Vec<usize>>,
    sets: Sets<'a>,
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

    /// Whether this is the number of what no policy allows.
    #[expect(clippy::unused_self, reason = "the number means nothing without the answers")]
    pub(super) const fn is_nothing(&self, number: usize) -> bool {
        number == NONE
    }

    /// The effect of this number.
    pub(super) fn effect(&self, number: usize) -> Option<&Effect> {
        self.effects.get(number)
    }

    /// All of it, put together: by the effect's number and the node, the actions. What none of the policies allows is left out.
    pub(super) fn together<'a>(&self, asks: &'a [Ask]) -> BTreeMap<(usize, &'a NodeId), Vec<&'a str>> {
        let mut all: BTreeMap<(usize, &NodeId), Vec<&str>> = BTreeMap::new();
        let numbered = asks.iter().enumerate().map(|(at, ask)| (self.number_of(at), ask));
        for (effect, Ask { node, action, .. }) in numbered.filter(|(effect, _)| *effect != NONE) {
            all.entry((effect, node)).or_default().push(action);
        }
        all
    }

    fn number(&mut self, effect: Effect) -> usize {
        self.effects.iter().position(|known| *known == effect).unwrap_or_else(|| {
            self.effects.push(effect);
            self.effects.len() - 1
        })
    }
}

impl<'a> Questions<'a> {
    /// Puts everything that is asked for in groups.
    pub(super) fn new(accounts: &Accounts<'a>) -> Self {
        let mut names: Vec<(String, bool)> = Vec::new();
        let mut numbers: BTreeMap<(&'a str, bool), usize> = BTreeMap::new();
        let mut distinct: Vec<&'a ResourcePolicy> = vec![&ResourcePolicy::None];
        let mut known: BTreeMap<*const ResourcePolicy, usize> = BTreeMap::new();
        let mut forms: BTreeMap<Form<'a>, Vec<(usize, usize)>> = BTreeMap::new();
        let mut by_node: BTreeMap<&'a str, Vec<usize>> = BTreeMap::new();
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
        Self { names, groups, policies, above, by_node, sets: Sets::new(accounts.asks) }
    }

    /// Sets of the nodes that are asked for.
    pub(super) const fn sets(&self) -> &Sets<'a> {
        &self.sets
    }

    /// The numbers of what is asked for of a node, or on it by its ARN.
    pub(super) fn of_node(&self, node: &str) -> &[usize] {
        self.by_node.get(node).map(Vec::as_slice).unwrap_or_default()
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
                // One decision for each part; whatever is in none is decided by itself.
                let mut decided: BTreeMap<usize, usize> = BTreeMap::new();
                for part in parts.iter().filter(|part| part.alike) {
                    let first = part.names.minimum().and_then(|name| asks.get(group.ask_of(name)?));
                    let effect = first.map(|ask| answers.number(decide(ask)));
                    decided.extend(part.names.ones().filter_map(|name| Some((name, effect?))));
                }
                for (name, at) in &group.asks {
                    let (Some(ask), Some(of)) = (asks.get(*at), answers.of.get(*at)) else { continue };
                    debug_assert_eq!(*of, NONE, "nothing is answered twice");
                    let effect = decided.get(name).copied().unwrap_or_else(|| answers.number(decide(ask)));
                    debug_assert!(
                        answers.effect(effect).is_some_and(|it| is_same(it, &decide(ask))),
                        "what was decided at once is decided otherwise by itself"
                    );
                    answers.of.get_mut(*at).into_iter().for_each(|of| *of = effect);
                }
            }
        }
        answers
    }
}

/// Whether two effects are the same, but for why something is refused.
fn is_same(one: &Effect, other: &Effect) -> bool {
    one == other || matches!((one, other), (Effect::No(_), Effect::No(_)))
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
