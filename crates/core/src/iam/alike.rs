//! Which resources no policy tells one from another, so that one decision holds for all of them (floor 2).
//!
//! A decision hangs on the name of the resource by nothing but the patterns of the statements that speak of the action. Each
//! distinct pattern is held against each name once, whatever number of policies it stands in.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use fixedbitset::FixedBitSet;

use super::context::Context;
use super::glob::{Glob, Matched};
use super::policy::{Policy, Statement};
use super::tri::Tri;

/// The names of resources, by number.
#[derive(Debug)]
pub struct Names {
    /// Each with whether it stands for any resource whose name begins so and goes on.
    names: Vec<(String, bool)>,
    known: RefCell<BTreeMap<Glob, Rc<Covered>>>,
}

/// The names that patterns cover.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Covered {
    whole: FixedBitSet,
    /// Those of which they cover a part: some of the resources whose names begin so.
    part: FixedBitSet,
}

/// What a statement does with names.
#[derive(Debug)]
enum Telling {
    /// It tells none from another.
    None,
    /// It tells those that it covers from the others.
    By(Covered),
    /// It may tell each from every other, as its patterns hang on the request.
    All,
}

/// Policies, held against names.
#[derive(Debug)]
pub struct Against<'p> {
    statements: Vec<(&'p Statement, Telling)>,
}

/// Names that a decision cannot tell from one another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The names, by number.
    pub names: FixedBitSet,
    /// Whether one decision holds for all of them. If not, each has to be decided by itself.
    pub alike: bool,
}

impl Names {
    /// These names; each with whether it stands for any resource whose name begins so and goes on.
    #[must_use]
    pub fn new(names: Vec<(String, bool)>) -> Self {
        Self { names, known: RefCell::default() }
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Holds policies against the names.
    #[must_use]
    pub fn against<'p>(&self, policies: impl Iterator<Item = &'p Policy>) -> Against<'p> {
        let statements = policies.flat_map(|policy| &policy.statements);
        Against { statements: statements.map(|statement| (statement, self.told(statement))).collect() }
    }

    fn told(&self, statement: &Statement) -> Telling {
        let Some((globs, _)) = &statement.resources else { return Telling::None };
        if globs.iter().any(Glob::is_everything) {
            return Telling::None;
        }
        if globs.iter().any(Glob::has_variables) {
            return Telling::All;
        }
        let mut all = Covered { whole: self.none(), part: self.none() };
        for glob in globs {
            let covered = self.covered(glob);
            all.whole.union_with(&covered.whole);
            all.part.union_with(&covered.part);
        }
        Telling::By(all)
    }

    fn none(&self) -> FixedBitSet {
        FixedBitSet::with_capacity(self.names.len())
    }

    fn covered(&self, glob: &Glob) -> Rc<Covered> {
        if let Some(known) = self.known.borrow().get(glob) {
            return Rc::clone(known);
        }
        let mut covered = Covered { whole: self.none(), part: self.none() };
        // Patterns without variables ask nothing of a request.
        let context = Context::partial();
        for (at, (name, below)) in self.names.iter().enumerate() {
            let how = if *below {
                glob.covers_below(name, &context).unwrap_or(Tri::Unknown)
            } else {
                match glob.matches(name, &context) {
                    Matched::Is(yes) => yes.into(),
                    Matched::DependsOn(_) => Tri::Unknown,
                }
            };
            match how {
                Tri::Yes => covered.whole.insert(at),
                Tri::Unknown => covered.part.insert(at),
                Tri::No => {}
            }
        }
        let covered = Rc::new(covered);
        self.known.borrow_mut().insert(glob.clone(), Rc::clone(&covered));
        covered
    }
}

impl Against<'_> {
    /// Takes these names apart, so that requests for the action which are the same but for the name are decided the same
    /// within each part: by these policies, with whatever others that have no patterns of resources.
    #[must_use]
    pub fn parts(&self, action: &str, among: &FixedBitSet) -> Vec<Part> {
        let action = action.to_lowercase();
        let mut alone = FixedBitSet::with_capacity(among.len());
        let mut parts = vec![among.clone()];
        for (_, telling) in self.statements.iter().filter(|(statement, _)| statement.speaks_of(&action)) {
            match telling {
                Telling::None => {}
                Telling::All => return vec![Part { names: among.clone(), alike: false }],
                Telling::By(covered) => {
                    alone.union_with(&covered.part);
                    parts = parts.into_iter().flat_map(|part| split(part, &covered.whole)).collect();
                }
            }
        }
        alone.intersect_with(among);
        let mut told: Vec<Part> = Vec::with_capacity(parts.len() + 1);
        for mut names in parts {
            names.difference_with(&alone);
            if !names.is_clear() {
                told.push(Part { names, alike: true });
            }
        }
        if !alone.is_clear() {
            told.push(Part { names: alone, alike: false });
        }
        told
    }
}

/// Those of a part that are covered, and the others; the part, where these are all or none.
fn split(part: FixedBitSet, covered: &FixedBitSet) -> impl Iterator<Item = FixedBitSet> {
    let (mut inside, mut outside) = (part.clone(), part);
    inside.intersect_with(covered);
    outside.difference_with(covered);
    [inside, outside].into_iter().filter(|names| !names.is_clear())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::{Caller, Kind, Policies, Request, explain_below};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    const NAMES: [(&str, bool); 7] = [
        ("arn:aws:ec2:eu-west-1:111122223333:volume/vol-1", false),
        ("arn:aws:ec2:eu-west-1:111122223333:volume/vol-12", false),
        ("arn:aws:ec2:eu-west-1:111122223333:snapshot/snap-1", false),
        ("arn:aws:s3:::media", false),
        ("arn:aws:s3:::media/", true),
        ("arn:aws:s3:::exports/", true),
        ("arn:aws:secretsmanager:eu-west-1:111122223333:secret:prod/db-AbCdEf", false),
    ];
    const ACTIONS: [&str; 3] = ["ec2:DeleteVolume", "s3:DeleteObject", "secretsmanager:DeleteSecret"];

    fn statement() -> impl Strategy<Value = Value> {
        let action =
            prop::sample::select(vec!["*", "ec2:*", "ec2:Delete*", "s3:DeleteObject", "s3:*", "secretsmanager:D*"]);
        let resource = prop::sample::select(vec![
            "*",
            "arn:aws:ec2:*:*:volume/*",
            "arn:aws:ec2:*:*:volume/vol-1",
            "arn:aws:ec2:*:*:*/*-1",
            "arn:aws:s3:::media*",
            "arn:aws:s3:::media/old/*",
            "arn:aws:s3:::*/*",
            "arn:aws:s3:::${aws:username}/*",
            "arn:aws:secretsmanager:*:*:secret:prod/*",
        ]);
        let condition = prop::sample::select(vec![
            json!({}),
            json!({ "Bool": { "aws:MultiFactorAuthPresent": "true" } }),
            json!({ "StringEquals": { "aws:username": "nobody" } }),
        ]);
        let resources = prop::collection::vec(resource, 1..3);
        (any::<bool>(), any::<bool>(), action, resources, condition).prop_map(
            |(allow, not, action, resources, condition)| {
                let effect = if allow { "Allow" } else { "Deny" };
                let key = if not { "NotResource" } else { "Resource" };
                json!({ "Effect": effect, "Action": action, key: resources, "Condition": condition })
            },
        )
    }

    fn policy() -> impl Strategy<Value = Policy> {
        prop::collection::vec(statement(), 1..4).prop_map(|statements| {
            let document = json!({ "Version": "2012-10-17", "Statement": statements });
            Policy::new(&document, Kind::Identity).unwrap()
        })
    }

    proptest! {
        /// Whatever the policies are, what is decided of one name of a part is decided of all, in every respect.
        #[test]
        fn one_decision_holds_for_a_part(own in prop::collection::vec(policy(), 1..3), boundary in policy(), above in policy()) {
            let names = Names::new(NAMES.iter().map(|(name, below)| ((*name).to_owned(), *below)).collect());
            let policies = Policies {
                identity: own.iter().collect(),
                boundary: Some(vec![&boundary]),
                service_control: vec![vec![&above]],
                ..Policies::default()
            };
            let seen = names.against(own.iter().chain([&boundary, &above]));
            let caller = Caller::new("arn:aws:iam::111122223333:user/agent").unwrap();
            let decide = |action: &str, at: usize| {
                let (name, below) = NAMES[at];
                let owner = Some("111122223333");
                let make = if below { Request::below } else { Request::new };
                explain_below(&make(caller.clone(), action, name, owner, Context::partial()), &policies)
            };
            let mut all = FixedBitSet::with_capacity(names.len());
            all.insert_range(..);
            for action in ACTIONS {
                let parts = seen.parts(action, &all);
                let mut told: Vec<usize> = parts.iter().flat_map(|part| part.names.ones()).collect();
                told.sort_unstable();
                prop_assert_eq!(told, (0..names.len()).collect::<Vec<_>>());
                for part in parts.iter().filter(|part| part.alike) {
                    let decided: Vec<_> = part.names.ones().map(|at| decide(action, at)).collect();
                    prop_assert!(decided.windows(2).all(|two| two[0] == two[1]), "{action}: {decided:?}");
                }
            }
        }
    }

    /// A policy of one resource sets it apart, and the others stay together.
    #[test]
    fn what_is_named_is_set_apart() {
        let names = Names::new(NAMES.iter().map(|(name, below)| ((*name).to_owned(), *below)).collect());
        let statement = json!({ "Effect": "Allow", "Action": "ec2:DeleteVolume", "Resource": NAMES[0].0 });
        let one = Policy::new(&json!({ "Version": "2012-10-17", "Statement": [statement] }), Kind::Identity).unwrap();
        let mut all = FixedBitSet::with_capacity(names.len());
        all.insert_range(..);
        let parts = names.against([&one].into_iter()).parts("ec2:DeleteVolume", &all);
        assert_eq!(parts.iter().map(|part| part.names.count_ones(..)).collect::<Vec<_>>(), [1, 6]);
        assert!(parts.iter().all(|part| part.alike));
        // Of an action that it does not speak of it tells nothing.
        assert_eq!(names.against([&one].into_iter()).parts("ec2:DeleteSnapshot", &all).len(), 1);
    }
}
