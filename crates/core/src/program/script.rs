//! TypeScript and JavaScript as their grammars read them (floor 2).

use tree_sitter::{Language, Node};

use super::lower::{Lower, children, joined, line, member, tree};
use super::syntax::{Arg, Class, Module, Unit, Value, unescaped};

/// Reads a file.
pub(super) fn read(path: &str, dotted: &str, text: &str) -> Module {
    let language: Language = match path.rsplit('.').next() {
        Some("ts" | "mts" | "cts") => tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
        Some("tsx") => tree_sitter_typescript::LANGUAGE_TSX.into(),
        Some(_) | None => tree_sitter_javascript::LANGUAGE.into(),
    };
    let mut lower = Lower::new(path, dotted, text);
    match tree(text, &language) {
        Some(tree) => {
            lower.module.broken = tree.root_node().has_error();
            for child in children(tree.root_node()) {
                lower.script(child);
            }
        }
        None => lower.module.broken = true,
    }
    lower.module
}

impl Lower<'_> {
    /// A statement, or an expression of which nobody asks the value.
    fn script(&mut self, node: Node<'_>) {
        self.deeper((), |lower| lower.script_here(node));
    }

    fn script_here(&mut self, node: Node<'_>) {
        match node.kind() {
            "import_statement" => self.import(node),
            "function_declaration" | "generator_function_declaration" => {
                let name = node.child_by_field_name("name").map(|name| self.text_of(name).to_owned());
                let number = self.unit_of(node, name.clone().unwrap_or_default());
                if let Some(name) = name {
                    self.set(&name, Value::Unit(number), line(node));
                }
            }
            "class_declaration" | "abstract_class_declaration" | "class" => self.class_of(node),
            "variable_declarator" => {
                let value = node.child_by_field_name("value").map_or(Value::Other, |value| self.expression(value));
                if let Some(name) = node.child_by_field_name("name") {
                    self.assigned(name, value);
                }
            }
            "for_in_statement" => {
                if let Some(left) = node.child_by_field_name("left").filter(|left| left.kind() == "identifier") {
                    let name = self.text_of(left).to_owned();
                    self.set(&name, Value::Other, line(left));
                }
                for child in children(node) {
                    self.branch(|lower| lower.script(child));
                }
            }
            // Types say nothing of what runs.
            "interface_declaration"
            | "type_alias_declaration"
            | "type_annotation"
            | "type_arguments"
            | "type_parameters"
            | "ambient_declaration" => {}
            "if_statement" | "while_statement" | "switch_statement" | "try_statement" | "for_statement" => {
                for (place, child) in children(node).into_iter().enumerate() {
                    if place == 0 && node.kind() != "try_statement" {
                        self.script(child);
                    } else {
                        self.branch(|lower| lower.script(child));
                    }
                }
            }
            kind if kind.ends_with("_statement")
                || kind.ends_with("_clause")
                || matches!(
                    kind,
                    "lexical_declaration" | "variable_declaration" | "statement_block" | "switch_body" | "switch_case"
                ) =>
            {
                for child in children(node) {
                    self.script(child);
                }
            }
            _ => {
                self.expression(node);
            }
        }
    }

    fn import(&mut self, node: Node<'_>) {
        let Some(source) = node.child_by_field_name("source") else { return };
        let from = self.specifier(source);
        for clause in children(node).into_iter().filter(|child| child.kind() == "import_clause") {
            for part in children(clause) {
                match part.kind() {
                    "identifier" => {
                        let name = self.text_of(part).to_owned();
                        self.module.imports.insert(name, format!("{from}#default"));
                    }
                    "namespace_import" => {
                        if let Some(name) = part.named_child(0) {
                            let name = self.text_of(name).to_owned();
                            self.module.imports.insert(name, from.clone());
                        }
                    }
                    _ => {
                        for one in children(part) {
                            let name = one.child_by_field_name("name").map(|name| self.text_of(name).to_owned());
                            let alias = one.child_by_field_name("alias").map(|alias| self.text_of(alias).to_owned());
                            if let Some(name) = name {
                                let local = alias.unwrap_or_else(|| name.clone());
                                self.module.imports.insert(local, format!("{from}#{name}"));
                            }
                        }
                    }
                }
            }
        }
    }

    /// What a module is imported by: a package, or a file of the same program with dots for its folders.
    fn specifier(&self, source: Node<'_>) -> String {
        let text = self.text_of(source);
        let plain = text.trim_matches(['\'', '"', '`']);
        let Some(rest) = plain.strip_prefix('.').map(|_| plain) else {
            return plain.strip_prefix("node:").unwrap_or(plain).to_owned();
        };
        let mut parts: Vec<&str> = self.module.dotted.split('.').collect();
        parts.pop();
        for part in rest.split('/') {
            match part {
                "." | "" => {}
                ".." => {
                    parts.pop();
                }
                name => parts.push(name),
            }
        }
        let joined = parts.join(".");
        let endings = [".js", ".ts", ".tsx", ".mjs", ".jsx", ".mts", ".cjs", ".cts"];
        let plain = endings.iter().find_map(|end| joined.strip_suffix(end)).unwrap_or(&joined);
        format!("./{plain}")
    }

    fn assigned(&mut self, left: Node<'_>, value: Value) {
        match left.kind() {
            "identifier" => {
                let name = self.text_of(left).to_owned();
                // `const x = require("y")`
                if let Some(from) = required(&value) {
                    self.module.imports.insert(name, from);
                } else {
                    self.set(&name, value, line(left));
                }
            }
            "member_expression" => {
                let name = self.text_of(left).to_owned();
                self.set(&name, value, line(left));
            }
            "object_pattern" => {
                for part in children(left) {
                    let (key, local) = match part.kind() {
                        "shorthand_property_identifier_pattern" => (Some(part), Some(part)),
                        "pair_pattern" => (part.child_by_field_name("key"), part.child_by_field_name("value")),
                        _ => (None, part.named_child(0)),
                    };
                    let key = key.map(|key| self.text_of(key).to_owned());
                    let Some(local) = local.map(|local| self.text_of(local).to_owned()) else { continue };
                    match (required(&value), key) {
                        (Some(from), Some(key)) => {
                            self.module.imports.insert(local, format!("{from}#{key}"));
                        }
                        (None, Some(key)) => self.set(&local, member(value.clone(), &key), line(left)),
                        (_, None) => self.set(&local, Value::Other, line(left)),
                    }
                }
            }
            "subscript_expression" => {
                self.expression(left);
                let of = left.child_by_field_name("object").map(|of| self.text_of(of).to_owned());
                if let Some(of) = of {
                    self.set(&of, Value::Other, line(left));
                }
            }
            _ => {
                for child in children(left) {
                    if child.kind() == "identifier" {
                        self.assigned(child, Value::Other);
                    }
                }
            }
        }
    }

    /// A function of any form.
    fn unit_of(&mut self, node: Node<'_>, name: String) -> usize {
        let mut params = Vec::new();
        if let Some(one) = node.child_by_field_name("parameter") {
            params.push(self.text_of(one).to_owned());
        }
        for parameter in node.child_by_field_name("parameters").into_iter().flat_map(children) {
            let pattern = parameter.child_by_field_name("pattern").unwrap_or(parameter);
            names_in(self, pattern, &mut params);
        }
        let body = node.child_by_field_name("body");
        let unit = Unit { name, line: line(node), params, ..Unit::default() };
        self.within(unit, |lower| {
            if let Some(body) = body {
                lower.script(body);
            }
        })
    }

    fn class_of(&mut self, node: Node<'_>) {
        let name = node.child_by_field_name("name").map(|name| self.text_of(name).to_owned()).unwrap_or_default();
        let mut bases = Vec::new();
        for heritage in children(node).into_iter().filter(|child| child.kind() == "class_heritage") {
            for part in children(heritage) {
                let value = part.child_by_field_name("value").unwrap_or(part);
                if part.kind() != "implements_clause" {
                    bases.push(self.expression(value));
                }
            }
        }
        let number = self.module.classes.len();
        self.module.classes.push(Class { name, line: line(node), bases, ..Class::default() });
        for part in node.child_by_field_name("body").into_iter().flat_map(children) {
            let name = part.child_by_field_name("name").map(|name| self.text_of(name).to_owned()).unwrap_or_default();
            match part.kind() {
                "method_definition" => {
                    let before = self.class.replace(number);
                    self.unit_of(part, name);
                    self.class = before;
                }
                "public_field_definition" | "field_definition" => {
                    let value = part.child_by_field_name("value").map_or(Value::Other, |value| self.expression(value));
                    let name = if name.is_empty() {
                        part.child_by_field_name("property")
                            .map(|name| self.text_of(name).to_owned())
                            .unwrap_or_default()
                    } else {
                        name
                    };
                    if let Some(class) = self.module.classes.get_mut(number) {
                        class.fields.insert(name, value);
                    }
                }
                _ => self.script(part),
            }
        }
    }

    pub(super) fn expression(&mut self, node: Node<'_>) -> Value {
        self.deeper(Value::Other, |lower| lower.expression_here(node))
    }

    fn field(&mut self, node: Node<'_>, name: &str) -> Value {
        node.child_by_field_name(name).map_or(Value::Other, |inner| self.expression(inner))
    }

    fn expression_here(&mut self, node: Node<'_>) -> Value {
        match node.kind() {
            "identifier" | "this" => {
                let name = self.text_of(node);
                self.mention(name);
                if name == "undefined" { Value::Nothing } else { Value::Path(vec![name.to_owned()]) }
            }
            "member_expression" => {
                let object = self.field(node, "object");
                let name = node.child_by_field_name("property").map_or("", |name| self.text_of(name));
                member(object, name)
            }
            "subscript_expression" => {
                let object = self.field(node, "object");
                self.field(node, "index");
                member(object, "[]")
            }
            "string" => {
                let text = unescaped(self.text_of(node).trim_matches(['\'', '"']));
                self.said(&text);
                Value::Text(text, false)
            }
            "template_string" => self.template(node),
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" | "undefined" => Value::Nothing,
            "array" => {
                let (mut items, mut open) = (Vec::new(), false);
                for child in children(node) {
                    open |= child.kind() == "spread_element";
                    let value = self.expression(child);
                    if child.kind() != "spread_element" {
                        items.push(value);
                    }
                }
                Value::List(items, open)
            }
            "object" => self.object(node),
            "call_expression" => self.called(node, "function"),
            "new_expression" => self.called(node, "constructor"),
            "arrow_function" | "function_expression" | "generator_function" | "function" => {
                Value::Unit(self.unit_of(node, String::new()))
            }
            "await_expression"
            | "parenthesized_expression"
            | "as_expression"
            | "satisfies_expression"
            | "non_null_expression" => node.named_child(0).map_or(Value::Other, |inner| self.expression(inner)),
            "binary_expression" => {
                let left = self.field(node, "left");
                let right = self.branch(|lower| lower.field(node, "right"));
                match node.child_by_field_name("operator").map(|operator| self.text_of(operator)) {
                    Some("+") => joined(left, right),
                    Some("||" | "&&" | "??") => Value::Either(vec![left, right]),
                    Some(_) | None => Value::Other,
                }
            }
            "ternary_expression" => {
                self.field(node, "condition");
                let all = ["consequence", "alternative"].map(|name| self.branch(|lower| lower.field(node, name)));
                Value::Either(all.into())
            }
            "assignment_expression" => {
                let value = self.field(node, "right");
                if let Some(left) = node.child_by_field_name("left") {
                    self.assigned(left, value.clone());
                }
                value
            }
            "number" | "regex" | "comment" => Value::Other,
            _ => {
                for child in children(node) {
                    self.script(child);
                }
                Value::Other
            }
        }
    }

    fn template(&mut self, node: Node<'_>) -> Value {
        let (mut text, mut open) = (String::new(), false);
        let mut at = node.start_byte() + 1;
        for piece in children(node).into_iter().filter(|child| child.kind() == "template_substitution") {
            open = true;
            text += &unescaped(self.text.get(at..piece.start_byte()).unwrap_or_default());
            text.push_str("{}");
            at = piece.end_byte();
            for inner in children(piece) {
                self.expression(inner);
            }
        }
        text += &unescaped(self.text.get(at..node.end_byte().saturating_sub(1)).unwrap_or_default());
        self.said(&text);
        Value::Text(text, open)
    }

    fn object(&mut self, node: Node<'_>) -> Value {
        let (mut entries, mut open) = (Vec::new(), false);
        for child in children(node) {
            match child.kind() {
                "pair" => {
                    let key = child.child_by_field_name("key");
                    let name = key.and_then(|key| match key.kind() {
                        "property_identifier" | "number" => Some(self.text_of(key).to_owned()),
                        "string" => Some(self.text_of(key).trim_matches(['\'', '"']).to_owned()),
                        _ => None,
                    });
                    if let (None, Some(key)) = (&name, key) {
                        self.script(key);
                    }
                    let value = self.field(child, "value");
                    match name {
                        Some(name) => entries.push((name, value, line(child))),
                        None => open = true,
                    }
                }
                "shorthand_property_identifier" => {
                    let name = self.text_of(child);
                    self.mention(name);
                    entries.push((name.to_owned(), Value::Path(vec![name.to_owned()]), line(child)));
                }
                "method_definition" => {
                    let name = child.child_by_field_name("name").map(|name| self.text_of(name)).unwrap_or_default();
                    let class = self.class.take();
                    let number = self.unit_of(child, String::new());
                    self.class = class;
                    entries.push((name.to_owned(), Value::Unit(number), line(child)));
                }
                _ => {
                    open = true;
                    self.script(child);
                }
            }
        }
        Value::Record(entries, open, line(node))
    }

    fn called(&mut self, node: Node<'_>, function: &str) -> Value {
        // `await import("x")` brings what `require("x")` does.
        let imports = node.child_by_field_name(function).is_some_and(|callee| callee.kind() == "import");
        let callee = if imports { Value::Path(vec!["require".to_owned()]) } else { self.field(node, function) };
        let mut args = Vec::new();
        if let Some(list) = node.child_by_field_name("arguments") {
            if list.kind() == "template_string" {
                let value = self.expression(list);
                args.push(Arg { name: None, value, many: false, line: line(list) });
            } else {
                for child in children(list) {
                    let value = self.expression(child);
                    args.push(Arg { name: None, value, many: child.kind() == "spread_element", line: line(child) });
                }
            }
        }
        self.calls(callee, args, line(node))
    }
}

/// The names in a pattern of a parameter.
fn names_in(lower: &mut Lower<'_>, pattern: Node<'_>, names: &mut Vec<String>) {
    match pattern.kind() {
        "identifier" | "shorthand_property_identifier_pattern" => names.push(lower.text_of(pattern).to_owned()),
        "type_annotation" => {}
        "assignment_pattern" | "object_assignment_pattern" => {
            if let Some(left) = pattern.child_by_field_name("left") {
                names_in(lower, left, names);
            }
            if let Some(right) = pattern.child_by_field_name("right") {
                lower.expression(right);
            }
        }
        _ => {
            for child in children(pattern) {
                lower.deeper((), |lower| names_in(lower, child, names));
            }
        }
    }
}

/// The module of a `require("…")`.
fn required(value: &Value) -> Option<String> {
    let call = value.call()?;
    let Value::Path(parts) = &call.callee else { return None };
    let from = call.at(0)?.text()?;
    (parts.len() == 1 && parts.first().is_some_and(|name| name == "require"))
        .then(|| from.strip_prefix("node:").unwrap_or(from).to_owned())
}
