//! Conditions (floor 2): CEL, held to the field table before it is ever run.
//!
//! What a condition may say is small on purpose: a construct that can look at the absence of a fact would turn "could
//! not look" into an answer. `has()`, a bare subject and indexing are refused; so is every comparison of unlike types,
//! which CEL itself would quietly answer with no. <https://github.com/cel-expr/cel-spec/blob/master/doc/langdef.md>

use std::collections::{BTreeMap, BTreeSet};

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, IdedExpr, LiteralValue, operators as op};
use cel::{Context, ExecutionError, Program, Value};

use super::subject::{Field, Kind, Subject};
use crate::yaml::mistakes::meant;

/// The longest condition, in bytes. The reader and the evaluator of CEL call themselves once for each level of it.
const LONGEST: usize = 2_000;

/// The deepest condition, in levels of its tree.
const DEEPEST: usize = 48;

/// A mistake in a condition: the character that it begins at, from 0, and what is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slip {
    /// From 0.
    pub at: usize,
    /// What is wrong.
    pub message: String,
}

/// A condition that was held to the field table.
#[derive(Debug)]
pub struct Condition {
    program: Program,
    /// The fields that it looks at, as paths below the subject.
    pub fields: BTreeSet<String>,
}

/// What a condition comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Truth {
    /// It holds.
    True,
    /// It does not.
    False,
    /// It depends on a fact that is not known.
    Unknown,
    /// It could not be evaluated.
    Broken(String),
}

impl Condition {
    /// Reads a condition over a subject.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn compile(source: &str, subject: Subject) -> Result<Self, Vec<Slip>> {
        let slip = |message: String| vec![Slip { at: 0, message }];
        if source.len() > LONGEST {
            return Err(slip(format!("a condition has {LONGEST} bytes at most")));
        }
        if nesting(source) > DEEPEST {
            return Err(slip(format!("it is nested more than {DEEPEST} levels deep")));
        }
        let program = Program::compile(source).map_err(|errors| {
            let slip = |error: &cel::ParseError| {
                let (line, column) = error.pos;
                let message = format!("this is not CEL: {}", error.msg.lines().next().unwrap_or_default());
                Slip { at: offset(source, line, column), message }
            };
            errors.errors.iter().map(slip).collect::<Vec<_>>()
        })?;
        if depth(program.expression()) > DEEPEST {
            return Err(slip(format!("it is nested more than {DEEPEST} levels deep")));
        }
        let mut lint =
            Lint { subject, program: &program, vars: BTreeMap::new(), fields: BTreeSet::new(), slips: Vec::new() };
        let kind = lint.value(program.expression());
        if !matches!(kind, Type::Bool | Type::Wrong) {
            lint.wrong(program.expression(), format!("a condition is true or false, and this is {}", kind.words()));
        }
        let Lint { fields, slips, .. } = lint;
        if slips.is_empty() { Ok(Self { program, fields }) } else { Err(slips) }
    }

    /// What it comes to.
    #[must_use]
    pub fn holds(&self, context: &Context<'_, '_>) -> Truth {
        match self.program.execute(context) {
            Ok(Value::Bool(true)) => Truth::True,
            Ok(Value::Bool(false)) => Truth::False,
            Ok(_) => Truth::Broken("it is neither true nor false".to_owned()),
            Err(ExecutionError::NoSuchKey(_)) => Truth::Unknown,
            Err(error) => Truth::Broken(error.to_string()),
        }
    }
}

/// How deep brackets and runs of prefix operators go: cheap to see before anything calls itself.
fn nesting(source: &str) -> usize {
    let (mut open, mut run, mut deepest) = (0_usize, 0_usize, 0_usize);
    for c in source.chars() {
        match c {
            '(' | '[' | '{' => open += 1,
            ')' | ']' | '}' => open = open.saturating_sub(1),
            '!' | '-' => run += 1,
            c if c.is_whitespace() => {}
            _ => run = 0,
        }
        deepest = deepest.max(open + run);
    }
    deepest
}

/// The character that a line and a column, both from 1, stand for.
fn offset(source: &str, line: isize, column: isize) -> usize {
    let line = usize::try_from(line).unwrap_or(1).max(1);
    let before: usize = source.lines().take(line - 1).map(|line| line.chars().count() + 1).sum();
    before + usize::try_from(column).unwrap_or(1).saturating_sub(1)
}

fn children(expr: &IdedExpr) -> Vec<&IdedExpr> {
    match &expr.expr {
        Expr::Call(call) => call.target.iter().map(AsRef::as_ref).chain(&call.args).collect(),
        Expr::Comprehension(c) => vec![&c.iter_range, &c.accu_init, &c.loop_cond, &c.loop_step, &c.result],
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Select(select) => vec![&select.operand],
        Expr::Unspecified | Expr::Ident(_) | Expr::Literal(_) | Expr::Map(_) | Expr::Struct(_) => Vec::new(),
    }
}

fn depth(expr: &IdedExpr) -> usize {
    let mut deepest = 0;
    let mut stack = vec![(expr, 1)];
    while let Some((at, level)) = stack.pop() {
        deepest = deepest.max(level);
        stack.extend(children(at).into_iter().map(|child| (child, level + 1)));
    }
    deepest
}

/// The type of an expression.
#[derive(Clone, Debug, PartialEq)]
enum Type {
    Bool,
    Int,
    Text,
    Word(&'static [&'static str]),
    /// A literal text, which may be one of a closed list.
    Literal(String),
    /// A subject or a part of one, by its path.
    Record(&'static [Field], String),
    List(Box<Type>),
    /// The elements of an empty list.
    Any,
    /// A mistake that was already told.
    Wrong,
}

impl Type {
    fn words(&self) -> String {
        match self {
            Self::Bool => "yes or no".to_owned(),
            Self::Int => "a number".to_owned(),
            Self::Text | Self::Word(_) | Self::Literal(_) => "text".to_owned(),
            Self::Record(_, path) if path.is_empty() => "the subject itself".to_owned(),
            Self::Record(..) => "a group of fields".to_owned(),
            Self::List(_) => "a list".to_owned(),
            Self::Any | Self::Wrong => "nothing".to_owned(),
        }
    }

    const fn is_text(&self) -> bool {
        matches!(self, Self::Text | Self::Word(_) | Self::Literal(_))
    }

    fn of(field: Kind, path: String) -> Self {
        match field {
            Kind::Bool => Self::Bool,
            Kind::Int => Self::Int,
            Kind::Text => Self::Text,
            Kind::Word(words) => Self::Word(words),
            Kind::Texts => Self::List(Box::new(Self::Text)),
            Kind::Record(inner) => Self::Record(inner, path),
            Kind::Records(inner) => Self::List(Box::new(Self::Record(inner, path))),
        }
    }
}

struct Lint<'a> {
    subject: Subject,
    program: &'a Program,
    vars: BTreeMap<String, Type>,
    fields: BTreeSet<String>,
    slips: Vec<Slip>,
}

impl Lint<'_> {
    fn wrong(&mut self, expr: &IdedExpr, message: String) -> Type {
        let at = self.program.source_info().offset_for(expr.id).map_or(0, |(start, _)| start);
        let slip = Slip { at: usize::try_from(at).unwrap_or(0), message };
        if !self.slips.contains(&slip) {
            self.slips.push(slip);
        }
        Type::Wrong
    }

    /// The type of something that is used as a value: never a subject or a part of one.
    fn value(&mut self, expr: &IdedExpr) -> Type {
        let kind = self.any(expr);
        if let Type::Record(_, path) = kind {
            let word = self.subject.word();
            let what = if path.is_empty() { word.to_owned() } else { format!("{word}.{path}") };
            return self.wrong(expr, format!("`{what}` is no value: name one of its fields, as `{what}.…`"));
        }
        kind
    }

    fn any(&mut self, expr: &IdedExpr) -> Type {
        match &expr.expr {
            Expr::Ident(name) => self.name(expr, name),
            Expr::Select(select) if select.test => {
                let message = "`has()` would turn a fact that is not known into an answer: compare the field itself";
                self.wrong(expr, message.to_owned())
            }
            Expr::Select(select) => {
                let of = self.any(&select.operand);
                self.select(expr, of, &select.field)
            }
            Expr::Literal(LiteralValue::Boolean(_)) => Type::Bool,
            Expr::Literal(LiteralValue::Int(_)) => Type::Int,
            Expr::Literal(LiteralValue::String(text)) => Type::Literal(text.inner().to_owned()),
            Expr::Literal(
                LiteralValue::Bytes(_) | LiteralValue::Double(_) | LiteralValue::Null | LiteralValue::UInt(_),
            ) => self.wrong(expr, "only yes or no, whole numbers and texts can be written here".to_owned()),
            Expr::List(list) => {
                let mut of = Type::Any;
                for element in &list.elements {
                    let kind = self.any(element);
                    of = self.alike(element, of, kind);
                }
                Type::List(Box::new(of))
            }
            Expr::Call(call) => self.call(expr, call),
            Expr::Comprehension(inner) => self.each(expr, inner),
            Expr::Map(_) | Expr::Struct(_) | Expr::Unspecified => {
                self.wrong(expr, "maps and messages cannot be written here".to_owned())
            }
        }
    }

    fn name(&mut self, expr: &IdedExpr, name: &str) -> Type {
        if let Some(kind) = self.vars.get(name) {
            return kind.clone();
        }
        if name == self.subject.word() {
            return Type::Record(self.subject.fields(), String::new());
        }
        let subject = self.subject.word();
        self.wrong(expr, format!("`{name}` is not there: this check is about `{subject}`"))
    }

    fn select(&mut self, expr: &IdedExpr, of: Type, name: &str) -> Type {
        let Type::Record(fields, path) = of else {
            if of == Type::Wrong {
                return of;
            }
            return self.wrong(expr, format!("`{name}` is asked of {}, which has no fields", of.words()));
        };
        let inner = if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
        let Some(field) = fields.iter().find(|field| field.name == name) else {
            let known: Vec<&str> = fields.iter().map(|field| field.name).collect();
            let word = self.subject.word();
            return self.wrong(expr, format!("`{word}.{inner}` is no field{}", meant(name, &known)));
        };
        self.fields.insert(inner.clone());
        Type::of(field.kind, inner)
    }

    /// The one type of two things that are compared or stand in one list.
    fn alike(&mut self, at: &IdedExpr, a: Type, b: Type) -> Type {
        match (a, b) {
            (Type::Wrong, _) | (_, Type::Wrong) => Type::Wrong,
            (Type::Any, other) | (other, Type::Any) => other,
            (Type::Bool, Type::Bool) => Type::Bool,
            (Type::Int, Type::Int) => Type::Int,
            (Type::Word(words), Type::Literal(text)) | (Type::Literal(text), Type::Word(words)) => {
                if words.contains(&text.as_str()) {
                    return Type::Word(words);
                }
                self.wrong(at, format!("it is never `{text}`{}", meant(&text, words)))
            }
            (Type::Word(a), Type::Word(b)) if a == b => Type::Word(a),
            (a, b) if a.is_text() && b.is_text() => Type::Text,
            (Type::Record(a, path), Type::Record(b, _)) if a == b => Type::Record(a, path),
            (Type::List(a), Type::List(b)) => Type::List(Box::new(self.alike(at, *a, *b))),
            (a, b) => self.wrong(at, format!("{} and {} are never alike", a.words(), b.words())),
        }
    }

    fn expect(&mut self, expr: &IdedExpr, wanted: &Type) {
        let kind = self.value(expr);
        let fits = kind == Type::Wrong || kind == *wanted || (*wanted == Type::Text && kind.is_text());
        if !fits {
            self.wrong(expr, format!("{} is wanted, and this is {}", wanted.words(), kind.words()));
        }
    }

    fn all(&mut self, args: &[IdedExpr], wanted: &Type) {
        args.iter().for_each(|arg| self.expect(arg, wanted));
    }

    fn call(&mut self, expr: &IdedExpr, call: &CallExpr) -> Type {
        let args = call.args.as_slice();
        match (call.func_name.as_str(), &call.target, args) {
            (op::LOGICAL_AND | op::LOGICAL_OR | op::LOGICAL_NOT | op::NOT_STRICTLY_FALSE, None, _) => {
                self.all(args, &Type::Bool);
                Type::Bool
            }
            (op::CONDITIONAL, None, [condition, yes, no]) => {
                self.expect(condition, &Type::Bool);
                let (yes, other) = (self.any(yes), self.any(no));
                self.alike(no, yes, other)
            }
            (op::EQUALS | op::NOT_EQUALS, None, [a, b]) => {
                let (first, second) = (self.value(a), self.value(b));
                if matches!(first, Type::List(_)) || matches!(second, Type::List(_)) {
                    return self
                        .wrong(expr, "lists are not compared: use `in`, `size()`, `exists()` or `all()`".to_owned());
                }
                self.alike(expr, first, second);
                Type::Bool
            }
            (op::GREATER | op::GREATER_EQUALS | op::LESS | op::LESS_EQUALS, None, _) => {
                self.all(args, &Type::Int);
                Type::Bool
            }
            (op::IN, None, [element, list]) => self.contained(element, list),
            (op::ADD, None, [a, b]) => {
                let (first, second) = (self.any(a), self.any(b));
                let lists = matches!(first, Type::List(_)) || matches!(second, Type::List(_));
                if lists { self.alike(b, first, second) } else { self.numbers(args) }
            }
            (op::SUBSTRACT | op::MULTIPLY | op::NEGATE, None, _) => self.numbers(args),
            ("size", None, [list]) => self.size(list),
            ("size", Some(list), []) => self.size(list),
            ("startsWith" | "endsWith" | "contains", Some(text), [part]) => {
                self.expect(text, &Type::Text);
                self.expect(part, &Type::Text);
                Type::Bool
            }
            (op::INDEX | op::OPT_INDEX | op::OPT_SELECT, ..) => {
                self.wrong(expr, "a field is named with a full stop, as `asset.name`".to_owned())
            }
            (name, ..) => {
                let known =
                    ["size", "startsWith", "endsWith", "contains", "exists", "all", "exists_one", "filter", "map"];
                self.wrong(expr, format!("`{}` cannot be used here{}", name.trim_matches('_'), meant(name, &known)))
            }
        }
    }

    fn numbers(&mut self, args: &[IdedExpr]) -> Type {
        self.all(args, &Type::Int);
        Type::Int
    }

    fn contained(&mut self, element: &IdedExpr, list: &IdedExpr) -> Type {
        let kind = self.value(element);
        let of = self.elements(list, "after `in`");
        match (&list.expr, &kind) {
            _ if matches!(of, Type::Record(..) | Type::List(_)) => {
                self.wrong(list, "its elements have fields: use `exists()`".to_owned());
            }
            // Each text of a list that is written out is held to the words of the field by itself.
            (Expr::List(written), Type::Word(_)) => {
                for one in &written.elements {
                    let other = self.value(one);
                    self.alike(one, kind.clone(), other);
                }
            }
            _ => drop(self.alike(list, kind, of)),
        }
        Type::Bool
    }

    /// The type of the elements of a list.
    fn elements(&mut self, list: &IdedExpr, place: &str) -> Type {
        let kind = self.value(list);
        if let Type::List(of) = kind {
            return *of;
        }
        if kind == Type::Wrong {
            kind
        } else {
            self.wrong(list, format!("a list is wanted {place}, and this is {}", kind.words()))
        }
    }

    fn size(&mut self, of: &IdedExpr) -> Type {
        let kind = self.value(of);
        if matches!(kind, Type::List(_)) || kind.is_text() {
            return Type::Int;
        }
        if kind == Type::Wrong {
            return kind;
        }
        self.wrong(of, format!("`size()` is for lists and texts, and this is {}", kind.words()))
    }

    /// `exists`, `all`, `exists_one`, `filter` and `map`, which CEL writes out as a loop.
    fn each(&mut self, expr: &IdedExpr, each: &ComprehensionExpr) -> Type {
        let of = self.elements(&each.iter_range, "here");
        if each.iter_var2.is_some() {
            return self.wrong(expr, "one variable is enough for a list".to_owned());
        }
        let start = self.any(&each.accu_init);
        let held = self.vars.clone();
        self.vars.insert(each.iter_var.clone(), of);
        self.vars.insert(each.accu_var.clone(), start);
        self.any(&each.loop_cond);
        let step = self.any(&each.loop_step);
        self.vars.insert(each.accu_var.clone(), step);
        let result = self.any(&each.result);
        self.vars = held;
        result
    }
}
