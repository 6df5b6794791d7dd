//! Reading the XML of the query protocol: elements by name, whatever their namespace.

use roxmltree::{Document, Node};

/// The child of that name.
pub(super) fn child<'a, 'd>(node: Node<'a, 'd>, name: &str) -> Option<Node<'a, 'd>> {
    node.children().find(|child| child.tag_name().name() == name)
}

/// The text of a child, trimmed; nothing, if it is empty.
pub(super) fn text<'a>(node: Node<'a, '_>, name: &str) -> Option<&'a str> {
    child(node, name)?.text().map(str::trim).filter(|text| !text.is_empty())
}

/// The elements of a list, which AWS writes as `<List><member>…` or `<List><Item>…`.
pub(super) fn list<'a, 'd: 'a>(node: Node<'a, 'd>, name: &str) -> impl Iterator<Item = Node<'a, 'd>> {
    child(node, name).into_iter().flat_map(|list| list.children().filter(|child| child.is_element()))
}

/// The result of a call: the element inside the response, whose name ends in `Result`.
pub(super) fn result<'a, 'd>(document: &'a Document<'d>) -> Option<Node<'a, 'd>> {
    document.root_element().children().find(|child| child.is_element() && child.tag_name().name().ends_with("Result"))
}

/// A member that is `true` or `false`.
pub(super) fn yes(node: Node<'_, '_>, name: &str) -> Option<bool> {
    match text(node, name)? {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}
