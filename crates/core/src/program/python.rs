//! Python as its grammar reads it (floor 2).

use tree_sitter::Node;

use super::lower::{Lower, children, joined, line, member, tree};
use super::syntax::{Arg, Class, Module, Unit, Value, unescaped};

/// Reads a file.
pub(super) fn read(path: &str, dotted: &str, text: &str) -> Module {
    let mut lower = Lower::new(path, dotted, text);
    match tree(text, &tree_sitter_python::LANGUAGE.into()) {
        Some(tree) => {
            lower.module.broken = tree.root_node().has_error();
            lower.body(tree.root_node());
        }
        None => lower.module.broken = true,
    }
    lower.module
}

impl Lower<'_> {
    /// Statements, of which the first may be documentation.
    fn body(&mut self, node: Node<'_>) {
        for (place, child) in children(node).into_iter().enumerate() {
            let documents = place == 0
                && child.kind() == "expression_statement"
                && child.named_child(0).is_some_and(|inner| inner.kind() == "string");
            if !documents {
                self.statement(child);
            }
        }
    }

    fn statement(&mut self, node: Node<'_>) {
        self.deeper((), |lower| lower.statement_here(node));
    }

    fn statement_here(&mut self, node: Node<'_>) {
        match node.kind() {
            "import_statement" => self.imports(node),
            "import_from_statement" => self.imports_from(node),
            "function_definition" => {
                self.function(node, Vec::new());
            }
            "class_definition" => self.class(node),
            "decorated_definition" => {
                let above: Vec<Node<'_>> =
                    children(node).into_iter().filter(|child| child.kind() == "decorator").collect();
                let mut decorators = Vec::new();
                for decorator in above {
                    decorators.extend(decorator.named_child(0).map(|inner| self.value(inner)));
                }
                match node.child_by_field_name("definition") {
                    Some(inner) if inner.kind() == "function_definition" => {
                        self.function(inner, decorators);
                    }
                    Some(inner) => self.class(inner),
                    None => {}
                }
            }
            "assignment" | "augmented_assignment" => {
                self.assignment(node);
            }
            "for_statement" | "for_in_clause" => {
                if let Some(left) = node.child_by_field_name("left") {
                    self.bind(left, &Value::Other);
                }
                for child in children(node) {
                    self.branch(|lower| lower.statement(child));
                }
            }
            "with_item" | "as_pattern" => {
                self.value(node);
            }
            "if_statement" | "while_statement" | "match_statement" | "try_statement" => {
                // The condition of the first is always asked.
                for (place, child) in children(node).into_iter().enumerate() {
                    if place == 0 && node.kind() != "try_statement" {
                        self.statement(child);
                    } else if place == 1 && node.kind() == "if_statement" {
                        let condition = node.child_by_field_name("condition").map(|node| self.text_of(node).to_owned());
                        let ends = children(child).last().map(|last| last.kind());
                        let leaves = matches!(ends, Some("return_statement" | "raise_statement"));
                        self.under(condition.unwrap_or_default(), leaves, |lower| lower.statement(child));
                    } else {
                        self.branch(|lower| lower.statement(child));
                    }
                }
            }
            kind if is_statement(kind) => {
                for child in children(node) {
                    self.statement(child);
                }
            }
            _ => {
                self.value(node);
            }
        }
    }

    fn imports(&mut self, node: Node<'_>) {
        for child in children(node) {
            let (name, local) = if child.kind() == "aliased_import" {
                (child.child_by_field_name("name"), child.child_by_field_name("alias"))
            } else {
                (Some(child), None)
            };
            let Some(name) = name.map(|name| self.text_of(name)) else { continue };
            match local {
                Some(local) => self.module.imports.insert(self.text_of(local).to_owned(), name.to_owned()),
                // `import a.b` names `a`.
                None => {
                    let top = name.split('.').next().unwrap_or(name);
                    self.module.imports.insert(top.to_owned(), top.to_owned())
                }
            };
        }
    }

    fn imports_from(&mut self, node: Node<'_>) {
        let Some(from) = node.child_by_field_name("module_name") else { return };
        let mut module = self.text_of(from).to_owned();
        if from.kind() == "relative_import" {
            let dots = module.chars().take_while(|c| *c == '.').count();
            let rest = module.trim_start_matches('.').to_owned();
            let parts: Vec<&str> = self.module.dotted.split('.').collect();
            let kept = parts.get(..parts.len().saturating_sub(dots)).unwrap_or_default().join(".");
            module = match (kept.is_empty(), rest.is_empty()) {
                (true, _) => rest,
                (false, true) => kept,
                (false, false) => format!("{kept}.{rest}"),
            };
        }
        for child in children(node) {
            if child.id() == from.id() {
                continue;
            }
            match child.kind() {
                "wildcard_import" => self.module.stars.push(module.clone()),
                "aliased_import" => {
                    let name = child.child_by_field_name("name").map(|name| self.text_of(name));
                    let local = child.child_by_field_name("alias").map(|alias| self.text_of(alias));
                    if let (Some(name), Some(local)) = (name, local) {
                        self.module.imports.insert(local.to_owned(), format!("{module}.{name}"));
                    }
                }
                _ => {
                    let name = self.text_of(child);
                    self.module.imports.insert(name.to_owned(), format!("{module}.{name}"));
                }
            }
        }
    }

    fn function(&mut self, node: Node<'_>, decorators: Vec<Value>) -> Option<usize> {
        let name = node.child_by_field_name("name").map(|name| self.text_of(name).to_owned())?;
        let parameters = node.child_by_field_name("parameters");
        let params = parameters.map(|parameters| self.params(parameters)).unwrap_or_default();
        let body = node.child_by_field_name("body");
        let unit = Unit { name: name.clone(), line: line(node), params, decorators, ..Unit::default() };
        let method = self.class.is_some();
        let number = self.within(unit, |lower| {
            if let Some(body) = body {
                lower.body(body);
            }
        });
        if !method {
            self.set(&name, Value::Unit(number), line(node));
        }
        Some(number)
    }

    /// The names of parameters; their defaults are read where the function stands.
    fn params(&mut self, node: Node<'_>) -> Vec<String> {
        let mut names = Vec::new();
        for child in children(node) {
            let name = match child.kind() {
                "identifier" => Some(child),
                "typed_parameter" => child.named_child(0),
                _ => child.child_by_field_name("name").or_else(|| child.named_child(0)),
            };
            names.extend(name.map(|name| self.text_of(name).trim_start_matches('*').to_owned()));
            if let Some(value) = child.child_by_field_name("value") {
                self.value(value);
            }
        }
        names
    }

    fn class(&mut self, node: Node<'_>) {
        let Some(name) = node.child_by_field_name("name").map(|name| self.text_of(name).to_owned()) else { return };
        let mut bases = Vec::new();
        for base in node.child_by_field_name("superclasses").into_iter().flat_map(children) {
            bases.push(self.value(base));
        }
        let number = self.module.classes.len();
        self.module.classes.push(Class { name: name.clone(), line: line(node), bases, ..Class::default() });
        let Some(body) = node.child_by_field_name("body") else { return };
        // What a body sets are its fields, and it runs where the class is declared.
        let before = self.class.replace(number);
        for child in children(body) {
            let inner = if child.kind() == "expression_statement" { child.named_child(0) } else { Some(child) };
            let Some(inner) = inner else { continue };
            match inner.kind() {
                "assignment" => {
                    let left = inner.child_by_field_name("left").map(|left| self.text_of(left).to_owned());
                    self.class = None;
                    let value = inner.child_by_field_name("right").map_or(Value::Other, |right| self.value(right));
                    self.class = Some(number);
                    if let (Some(left), Some(class)) = (left, self.module.classes.get_mut(number)) {
                        class.fields.insert(left, value);
                    }
                }
                "string" => {}
                _ => self.statement(child),
            }
        }
        self.class = before;
    }

    fn assignment(&mut self, node: Node<'_>) -> Value {
        let value = node.child_by_field_name("right").map_or(Value::Other, |right| self.value(right));
        // `x += y` makes of it what is not followed.
        let kept = if node.kind() == "assignment" { value } else { Value::Other };
        if let Some(left) = node.child_by_field_name("left") {
            self.bind(left, &kept);
        }
        kept
    }

    fn bind(&mut self, left: Node<'_>, value: &Value) {
        match left.kind() {
            "identifier" => {
                let name = self.text_of(left).to_owned();
                self.set(&name, value.clone(), line(left));
            }
            "attribute" => {
                let name = self.text_of(left).to_owned();
                self.set(&name, value.clone(), line(left));
            }
            "subscript" => {
                self.value(left);
                // A dictionary that is added to is known no further.
                let of = left.child_by_field_name("value").map(|of| self.text_of(of).to_owned());
                if let Some(of) = of {
                    self.set(&of, Value::Other, line(left));
                }
            }
            _ => {
                for child in children(left) {
                    self.bind(child, &Value::Other);
                }
            }
        }
    }

    pub(super) fn value(&mut self, node: Node<'_>) -> Value {
        self.deeper(Value::Other, |lower| lower.value_here(node))
    }

    fn value_here(&mut self, node: Node<'_>) -> Value {
        match node.kind() {
            "identifier" => {
                let name = self.text_of(node);
                self.mention(name);
                Value::Path(vec![name.to_owned()])
            }
            "attribute" => {
                let object = node.child_by_field_name("object").map_or(Value::Other, |object| self.value(object));
                let name = node.child_by_field_name("attribute").map_or("", |name| self.text_of(name));
                member(object, name)
            }
            "subscript" => {
                let object = node.child_by_field_name("value").map_or(Value::Other, |object| self.value(object));
                let mut cursor = node.walk();
                let keys: Vec<Node<'_>> = node.children_by_field_name("subscript", &mut cursor).collect();
                for key in keys {
                    self.value(key);
                }
                member(object, "[]")
            }
            "string" | "concatenated_string" => self.string(node),
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "none" => Value::Nothing,
            "list" | "tuple" | "set" => {
                let (mut items, mut open) = (Vec::new(), false);
                for child in children(node) {
                    open |= child.kind() == "list_splat";
                    let value = self.value(child);
                    if child.kind() != "list_splat" {
                        items.push(value);
                    }
                }
                Value::List(items, open)
            }
            "dictionary" => self.dictionary(node),
            "call" => self.call(node),
            "lambda" => self.lambda(node),
            "await" | "parenthesized_expression" => node.named_child(0).map_or(Value::Other, |inner| self.value(inner)),
            "binary_operator" => {
                let left = node.child_by_field_name("left").map_or(Value::Other, |left| self.value(left));
                let right = node.child_by_field_name("right").map_or(Value::Other, |right| self.value(right));
                joined(left, right)
            }
            "conditional_expression" | "boolean_operator" => {
                let mut all = Vec::new();
                for child in children(node) {
                    let value = self.branch(|lower| lower.value(child));
                    all.push(value);
                }
                Value::Either(all)
            }
            "named_expression" => {
                let value = node.child_by_field_name("value").map_or(Value::Other, |value| self.value(value));
                if let Some(name) = node.child_by_field_name("name") {
                    self.bind(name, &value);
                }
                value
            }
            "as_pattern" => {
                let value = node.named_child(0).map_or(Value::Other, |inner| self.value(inner));
                for name in node.child_by_field_name("alias").into_iter().flat_map(children) {
                    self.bind(name, &value);
                }
                value
            }
            "assignment" => self.assignment(node),
            "list_comprehension" | "set_comprehension" | "dictionary_comprehension" | "generator_expression" => {
                for child in children(node) {
                    self.branch(|lower| lower.statement(child));
                }
                Value::Other
            }
            "integer" | "float" | "ellipsis" | "comment" => Value::Other,
            _ => {
                for child in children(node) {
                    self.statement(child);
                }
                Value::Other
            }
        }
    }

    fn string(&mut self, node: Node<'_>) -> Value {
        let (mut text, mut open) = (String::new(), false);
        let parts = if node.kind() == "concatenated_string" { children(node) } else { vec![node] };
        for part in parts {
            let prefix = part.named_child(0).map(|start| self.text_of(start).to_lowercase()).unwrap_or_default();
            for piece in children(part) {
                match piece.kind() {
                    "string_content" => {
                        let said = self.text_of(piece);
                        let said = if prefix.contains('r') { said.to_owned() } else { unescaped(said) };
                        let doubled = prefix.contains('f');
                        text += &if doubled { said.replace("{{", "{").replace("}}", "}") } else { said };
                    }
                    "interpolation" => {
                        open = true;
                        text.push_str("{}");
                        for inner in children(piece) {
                            self.value(inner);
                        }
                    }
                    _ => {}
                }
            }
        }
        self.said(&text);
        Value::Text(text, open)
    }

    fn dictionary(&mut self, node: Node<'_>) -> Value {
        let (mut entries, mut open) = (Vec::new(), false);
        for child in children(node) {
            let key = child.child_by_field_name("key").map(|key| self.value(key));
            let value = child.child_by_field_name("value").map(|value| self.value(value));
            match (key, value) {
                (Some(Value::Text(key, false)), Some(value)) => entries.push((key, value, line(child))),
                (None, None) => {
                    open = true;
                    self.statement(child);
                }
                _ => open = true,
            }
        }
        Value::Record(entries, open, line(node))
    }

    fn lambda(&mut self, node: Node<'_>) -> Value {
        let params = node.child_by_field_name("parameters").map(|node| self.params(node)).unwrap_or_default();
        let body = node.child_by_field_name("body");
        let unit = Unit { line: line(node), params, ..Unit::default() };
        let class = self.class.take();
        let number = self.within(unit, |lower| {
            if let Some(body) = body {
                lower.value(body);
            }
        });
        self.class = class;
        Value::Unit(number)
    }

    fn call(&mut self, node: Node<'_>) -> Value {
        let callee = node.child_by_field_name("function").map_or(Value::Other, |callee| self.value(callee));
        let mut args = Vec::new();
        if let Some(list) = node.child_by_field_name("arguments") {
            if list.kind() == "generator_expression" {
                self.value(list);
                args.push(Arg { name: None, value: Value::Other, many: false, line: line(list) });
            } else {
                for child in children(list) {
                    args.push(self.arg(child));
                }
            }
        }
        self.calls(callee, args, line(node))
    }

    fn arg(&mut self, node: Node<'_>) -> Arg {
        match node.kind() {
            "keyword_argument" => {
                let name = node.child_by_field_name("name").map(|name| self.text_of(name).to_owned());
                let value = node.child_by_field_name("value").map_or(Value::Other, |value| self.value(value));
                Arg { name, value, many: false, line: line(node) }
            }
            "list_splat" | "dictionary_splat" => {
                let value = node.named_child(0).map_or(Value::Other, |inner| self.value(inner));
                Arg { name: None, value, many: true, line: line(node) }
            }
            _ => Arg { name: None, value: self.value(node), many: false, line: line(node) },
        }
    }
}

fn is_statement(kind: &str) -> bool {
    kind.ends_with("_statement") || kind.ends_with("_clause") || matches!(kind, "block" | "case_pattern")
}
