//! The `Condition` element (IAM User Guide, `reference_policies_elements_condition_operators` and
//! `reference_policies_condition-single-vs-multi-valued-context-keys`).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::BTreeSet;
use std::net::IpAddr;

use super::context::{Context, Seen};
use super::glob::{Glob, Matched, Wild};
use super::tri::Tri;
use crate::time::Time;

/// How several values of a key are taken together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Quantifier {
    /// The key has one value.
    One,
    /// Every value of the request must pass.
    All,
    /// One value of the request must pass.
    Any,
}

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Test {
    Text { like: bool, caseless: bool },
    Number(Relation),
    Date(Relation),
    Bool,
    Binary,
    Address,
    Arn,
    Null,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Relation {
    Equal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// One key under one operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    quantifier: Quantifier,
    test: Test,
    negated: bool,
    if_exists: bool,
    /// In lower case.
    key: String,
    values: Vec<Glob>,
}

/// Keys that are the account of the caller (IAM User Guide, `reference_policies_condition-keys`; KMS Developer Guide,
/// `conditions-kms`). In lower case.
const ACCOUNT_KEYS: [&str; 2] = ["aws:principalaccount", "kms:calleraccount"];

/// Keys on which an answer depends, if anybody asks for them.
pub(super) type Needed<'a> = Option<&'a mut BTreeSet<String>>;

/// Compiles one operator and key. `None`: there is no such operator.
pub(super) fn compile(operator: &str, key: &str, values: &[String], variables: bool) -> Option<Condition> {
    let (quantifier, name) = match operator.split_once(':') {
        None => (Quantifier::One, operator),
        Some((word, name)) if word.eq_ignore_ascii_case("ForAllValues") => (Quantifier::All, name),
        Some((word, name)) if word.eq_ignore_ascii_case("ForAnyValue") => (Quantifier::Any, name),
        Some(_) => return None,
    };
    let lower = name.to_ascii_lowercase();
    let (name, if_exists) = lower.strip_suffix("ifexists").map_or((lower.as_str(), false), |name| (name, true));
    let (test, negated) = operator_of(name)?;
    if test == Test::Null && (if_exists || quantifier != Quantifier::One) {
        return None;
    }
    let wild = match test {
        Test::Text { like: true, .. } => Wild::Text,
        // Each of the six parts is compared by itself (`Conditions_ARN`).
        Test::Arn => Wild::Parts,
        Test::Text { .. }
        | Test::Number(_)
        | Test::Date(_)
        | Test::Bool
        | Test::Binary
        | Test::Address
        | Test::Null => Wild::None,
    };
    // Variables stand in conditions that compare text or ARNs, and in no others (`policy-vars-wheretouse`).
    let variables = variables && matches!(test, Test::Text { .. } | Test::Arn);
    let fold = matches!(test, Test::Text { caseless: true, .. });
    let glob = |value: &String| Glob::new(&if fold { value.to_lowercase() } else { value.clone() }, wild, variables);
    let key = key.to_lowercase();
    Some(Condition { quantifier, test, negated, if_exists, key, values: values.iter().map(glob).collect() })
}

fn operator_of(name: &str) -> Option<(Test, bool)> {
    let text = |like, caseless| Test::Text { like, caseless };
    let found = match name {
        "stringequals" => (text(false, false), false),
        "stringnotequals" => (text(false, false), true),
        "stringequalsignorecase" => (text(false, true), false),
        "stringnotequalsignorecase" => (text(false, true), true),
        "stringlike" => (text(true, false), false),
        "stringnotlike" => (text(true, false), true),
        "bool" => (Test::Bool, false),
        "binaryequals" => (Test::Binary, false),
        "ipaddress" => (Test::Address, false),
        "notipaddress" => (Test::Address, true),
        "arnequals" | "arnlike" => (Test::Arn, false),
        "arnnotequals" | "arnnotlike" => (Test::Arn, true),
        "null" => (Test::Null, false),
        _ => {
            let (number, rest) = match (name.strip_prefix("numeric"), name.strip_prefix("date")) {
                (Some(rest), _) => (true, rest),
                (_, Some(rest)) => (false, rest),
                (None, None) => return None,
            };
            let (relation, negated) = match rest {
                "equals" => (Relation::Equal, false),
                "notequals" => (Relation::Equal, true),
                "lessthan" => (Relation::Less, false),
                "lessthanequals" => (Relation::LessOrEqual, false),
                "greaterthan" => (Relation::Greater, false),
                "greaterthanequals" => (Relation::GreaterOrEqual, false),
                _ => return None,
            };
            (if number { Test::Number(relation) } else { Test::Date(relation) }, negated)
        }
    };
    Some(found)
}

impl Condition {
    /// Whether the request meets it. Where the documentation leaves it open, the answer is `lean`.
    pub(super) fn met(&self, context: &Context, lean: bool, needed: &mut Needed<'_>) -> Tri {
        let seen = context.seen(&self.key);
        if self.test == Test::Null {
            return self.is_null(seen, needed);
        }
        match seen {
            Seen::Unknown => {
                need(needed, &self.key);
                Tri::Unknown
            }
            Seen::Absent => self.without_key().into(),
            Seen::Values(values) => {
                let pass = |value: &String, needed: &mut Needed<'_>| {
                    let any = Tri::any(self.values.iter().map(|wanted| self.equal(wanted, value, context, needed)));
                    if self.negated { any.negated() } else { any }
                };
                match self.quantifier {
                    Quantifier::All => Tri::all(values.iter().map(|value| pass(value, needed))),
                    Quantifier::Any => Tri::any(values.iter().map(|value| pass(value, needed))),
                    Quantifier::One => {
                        let any = Tri::any(values.iter().map(|value| pass(value, needed)));
                        let all = Tri::all(values.iter().map(|value| pass(value, needed)));
                        // Several values under an operator for one: what that gives is not documented.
                        if any == all { any } else { lean.into() }
                    }
                }
            }
        }
    }

    /// Whether it is met by callers of these accounts alone.
    pub(super) fn keeps_to(&self, accounts: &dyn Fn(&str) -> bool) -> bool {
        let exact = matches!(self.test, Test::Text { like: false, .. }) && !self.negated && !self.if_exists;
        let one = |value: &Glob| matches!(value.text(&Context::partial()), Ok(Some(text)) if accounts(&text));
        exact
            && self.quantifier == Quantifier::One
            && ACCOUNT_KEYS.contains(&self.key.as_str())
            && self.values.iter().all(one)
    }

    /// What holds where the request does not have the key.
    const fn without_key(&self) -> bool {
        match self.quantifier {
            Quantifier::All => true,
            Quantifier::Any => self.if_exists,
            Quantifier::One => self.if_exists || self.negated,
        }
    }

    fn is_null(&self, seen: Seen<'_>, needed: &mut Needed<'_>) -> Tri {
        let wanted = |null: bool| {
            let word = if null { "true" } else { "false" };
            let says = |glob: &Glob| {
                let text = glob.text(&Context::complete());
                text.is_ok_and(|text| text.is_some_and(|text| text.eq_ignore_ascii_case(word)))
            };
            Tri::from(self.values.iter().any(says))
        };
        match seen {
            Seen::Values(_) => wanted(false),
            Seen::Absent => wanted(true),
            Seen::Unknown => {
                need(needed, &self.key);
                Tri::Unknown
            }
        }
    }

    /// Whether one wanted value and one of the request agree.
    fn equal(&self, wanted: &Glob, value: &str, context: &Context, needed: &mut Needed<'_>) -> Tri {
        let mut told = |matched: Matched| match matched {
            Matched::Is(yes) => Tri::from(yes),
            Matched::DependsOn(key) => {
                need(needed, &key);
                Tri::Unknown
            }
        };
        match self.test {
            Test::Text { caseless: true, .. } => told(wanted.matches_folded(value, context)),
            Test::Text { .. } => told(wanted.matches(value, context)),
            Test::Arn if wanted.is_everything() => Tri::Yes,
            Test::Arn => told(wanted.matches(value, context)),
            Test::Number(_) | Test::Date(_) | Test::Bool | Test::Binary | Test::Address | Test::Null => {
                match wanted.text(context) {
                    Ok(Some(wanted)) => self.compares(&wanted, value).into(),
                    Ok(None) => Tri::No,
                    Err(key) => told(Matched::DependsOn(key)),
                }
            }
        }
    }

    /// The comparisons that are not about text. What cannot be read as its type equals nothing.
    fn compares(&self, wanted: &str, value: &str) -> bool {
        match self.test {
            Test::Number(relation) => holds(relation, number(value), number(wanted)),
            Test::Date(relation) => holds(relation, moment(value), moment(wanted)),
            Test::Bool => {
                let is_bool = value.eq_ignore_ascii_case("true") || value.eq_ignore_ascii_case("false");
                is_bool && value.eq_ignore_ascii_case(wanted)
            }
            Test::Binary => match (STANDARD.decode(wanted), STANDARD.decode(value)) {
                (Ok(wanted), Ok(value)) => wanted == value,
                _ => false,
            },
            Test::Address => value.parse().is_ok_and(|address| inside(wanted, address)),
            Test::Text { .. } | Test::Arn | Test::Null => false,
        }
    }
}

impl Glob {
    /// Compares without case; the pattern is in lower case already.
    fn matches_folded(&self, value: &str, context: &Context) -> Matched {
        match self.text(context) {
            Err(key) => Matched::DependsOn(key),
            Ok(None) => Matched::Is(false),
            Ok(Some(text)) => Matched::Is(text.to_lowercase() == value.to_lowercase()),
        }
    }
}

fn need(needed: &mut Needed<'_>, key: &str) {
    if let Some(keys) = needed {
        keys.insert(key.to_owned());
    }
}

fn holds<T: PartialOrd>(relation: Relation, value: Option<T>, wanted: Option<T>) -> bool {
    let (Some(value), Some(wanted)) = (value, wanted) else { return false };
    match relation {
        Relation::Equal => value == wanted,
        Relation::Less => value < wanted,
        Relation::LessOrEqual => value <= wanted,
        Relation::Greater => value > wanted,
        Relation::GreaterOrEqual => value >= wanted,
    }
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

/// Seconds since 1970: a date of ISO 8601, or the number itself (`Conditions_Date`).
fn moment(text: &str) -> Option<f64> {
    let text = text.trim();
    number(text).or_else(|| {
        let time: Time = text.parse().ok()?;
        Some(time.unix() as f64)
    })
}

/// Whether an address lies in a range, or is the one address (`Conditions_IPAddress`).
fn inside(range: &str, address: IpAddr) -> bool {
    let (base, bits) = match range.split_once('/') {
        Some((base, bits)) => (base, bits.parse::<u32>().ok()),
        None => (range, Some(u32::MAX)),
    };
    let (Ok(base), Some(bits)) = (base.parse::<IpAddr>(), bits) else { return false };
    match (base, address) {
        (IpAddr::V4(base), IpAddr::V4(address)) => {
            let shift = 32_u32.saturating_sub(bits.min(32));
            u64::from(u32::from(base)) >> shift == u64::from(u32::from(address)) >> shift
        }
        (IpAddr::V6(base), IpAddr::V6(address)) => {
            let shift = 128 - bits.min(128);
            shift == 128 || u128::from(base) >> shift == u128::from(address) >> shift
        }
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
    }
}
