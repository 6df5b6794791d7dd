//! What the readers of both languages share: the tree, and the module that is made from it (floor 2).

use std::ops::ControlFlow;
use std::rc::Rc;

use tree_sitter::{Language, Node, ParseOptions, Parser, Tree};

use super::syntax::{Arg, Call, DEEPEST, LONGEST, MOST_PROGRESS, Module, Unit, Value};

/// The tree of a text; none where it is too long, or takes too long.
pub(super) fn tree(text: &str, language: &Language) -> Option<Tree> {
    if text.len() > LONGEST {
        return None;
    }
    let mut parser = Parser::new();
    parser.set_language(language).ok()?;
    let mut left = MOST_PROGRESS;
    let mut progress = |_: &tree_sitter::ParseState| {
        left = left.saturating_sub(1);
        if left == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let options = ParseOptions::new().progress_callback(&mut progress);
    let bytes = text.as_bytes();
    parser.parse_with_options(&mut |at, _| bytes.get(at..).unwrap_or_default(), None, Some(options))
}

/// A module in the making.
pub(super) struct Lower<'t> {
    pub(super) text: &'t str,
    pub(super) module: Module,
    /// The unit that is read.
    pub(super) unit: usize,
    /// The class whose body is read.
    pub(super) class: Option<usize>,
    /// The branches of the unit that are open: the condition of each, and whether it leaves the function.
    pub(super) branches: Vec<(String, bool)>,
    depth: usize,
}

impl<'t> Lower<'t> {
    pub(super) fn new(path: &str, dotted: &str, text: &'t str) -> Self {
        let module = Module {
            path: path.to_owned(),
            dotted: dotted.to_owned(),
            units: vec![Unit { line: 1, ..Unit::default() }],
            ..Module::default()
        };
        Self { text, module, unit: 0, class: None, branches: Vec::new(), depth: 0 }
    }

    pub(super) fn text_of(&self, node: Node<'_>) -> &'t str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }

    /// Goes one level down; what lies deeper than is followed breaks the module.
    pub(super) fn deeper<T>(&mut self, otherwise: T, read: impl FnOnce(&mut Self) -> T) -> T {
        if self.depth >= DEEPEST {
            self.module.broken = true;
            return otherwise;
        }
        self.depth += 1;
        let found = read(self);
        self.depth -= 1;
        found
    }

    /// Reads what may be left out when the unit runs.
    pub(super) fn branch<T>(&mut self, read: impl FnOnce(&mut Self) -> T) -> T {
        self.under(String::new(), false, read)
    }

    /// The same, under a condition.
    pub(super) fn under<T>(&mut self, condition: String, leaves: bool, read: impl FnOnce(&mut Self) -> T) -> T {
        self.branches.push((condition, leaves));
        let found = read(self);
        self.branches.pop();
        found
    }

    /// A call is made.
    pub(super) fn calls(&mut self, callee: Value, args: Vec<Arg>, line: u64) -> Value {
        let under = if let [one] = self.branches.as_slice() { Some(one.clone()) } else { None };
        let call = Rc::new(Call { callee, args, line, inner: !self.branches.is_empty(), under });
        if let Some(unit) = self.current() {
            unit.calls.push(Rc::clone(&call));
        }
        Value::Call(call)
    }

    pub(super) fn current(&mut self) -> Option<&mut Unit> {
        self.module.units.get_mut(self.unit)
    }

    /// Begins a unit within the current one, reads it, and comes back.
    pub(super) fn within(&mut self, unit: Unit, read: impl FnOnce(&mut Self)) -> usize {
        let number = self.module.units.len();
        self.module.units.push(Unit { parent: Some(self.unit), class: self.class, ..unit });
        if let Some(class) = self.class.and_then(|class| self.module.classes.get_mut(class)) {
            class.methods.push(number);
        }
        let (above, class, branches) = (self.unit, self.class.take(), std::mem::take(&mut self.branches));
        self.unit = number;
        read(self);
        (self.unit, self.class, self.branches) = (above, class, branches);
        number
    }

    /// A name is set.
    pub(super) fn set(&mut self, name: &str, value: Value, line: u64) {
        if let Some(unit) = self.current() {
            unit.names.entry(name.to_owned()).or_default().push((value, line));
        }
    }

    /// A name is read.
    pub(super) fn mention(&mut self, name: &str) {
        if let Some(unit) = self.current() {
            unit.mentions.insert(name.to_owned());
        }
    }

    /// A text stands there.
    pub(super) fn said(&mut self, text: &str) {
        if let Some(unit) = self.current() {
            unit.texts.push(text.to_owned());
        }
    }
}

/// The line of a node, from 1.
pub(super) fn line(node: Node<'_>) -> u64 {
    u64::try_from(node.start_position().row).unwrap_or(0) + 1
}

/// The named children of a node, comments left out.
pub(super) fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    let all: Vec<Node<'_>> = node.named_children(&mut cursor).collect();
    all.into_iter().filter(|child| child.kind() != "comment").collect()
}

/// Two texts or two lists, one after the other.
pub(super) fn joined(left: Value, right: Value) -> Value {
    match (left, right) {
        (Value::List(mut left, one), Value::List(right, two)) => {
            left.extend(right);
            Value::List(left, one || two)
        }
        (Value::List(items, _), _) | (_, Value::List(items, _)) => Value::List(items, true),
        (Value::Text(left, one), Value::Text(right, two)) => Value::Text(left + &right, one || two),
        (Value::Text(left, _), _) => Value::Text(left + "{}", true),
        (_, Value::Text(right, _)) => Value::Text(format!("{{}}{right}"), true),
        _ => Value::Other,
    }
}

/// The part of a value: a name's goes on, any other's is read from it.
pub(super) fn member(object: Value, name: &str) -> Value {
    if let Value::Path(mut parts) = object {
        parts.push(name.to_owned());
        return Value::Path(parts);
    }
    Value::Member(Box::new(object), name.to_owned())
}
