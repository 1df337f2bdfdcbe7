//! Writing parts as YAML.

use std::fmt::Write as _;

use super::node::{Key, Node, Value};

pub(super) fn map<'a>(fields: impl IntoIterator<Item = (&'a str, Node)>) -> Node {
    let key = |name: &str| Key {
        line: 0,
        name: name.to_owned(),
    };
    let fields = fields.into_iter().map(|(name, node)| (key(name), node));
    of(Value::Map(fields.collect()))
}

pub(super) fn list(items: impl IntoIterator<Item = Node>) -> Node {
    of(Value::List(items.into_iter().collect()))
}

pub(super) fn text(text: impl ToString) -> Node {
    of(Value::Text(text.to_string()))
}

fn of(value: Value) -> Node {
    Node { line: 0, value }
}

/// Writes a mapping, a setting a line.
pub(super) fn yaml(root: &Node) -> String {
    let mut out = String::new();
    if let Value::Map(fields) = &root.value {
        block(&mut out, fields, 0);
    }
    out
}

fn block(out: &mut String, fields: &[(Key, Node)], depth: usize) {
    for (key, node) in fields {
        let indent = "  ".repeat(depth);
        out.push_str(&indent);
        scalar(out, &key.name);
        out.push(':');
        match &node.value {
            Value::Map(fields) if !fields.is_empty() => {
                out.push('\n');
                block(out, fields, depth.saturating_add(1));
            }
            _ => {
                out.push(' ');
                flow(out, node);
                out.push('\n');
            }
        }
    }
}

/// Writes a part in one line.
pub(super) fn line(node: &Node) -> String {
    let mut out = String::new();
    flow(&mut out, node);
    out
}

/// Writes a value on its line.
fn flow(out: &mut String, node: &Node) {
    match &node.value {
        Value::Empty => out.push_str("null"),
        Value::Text(text) => scalar(out, text),
        Value::List(items) => {
            out.push('[');
            for (place, item) in items.iter().enumerate() {
                out.push_str(if place == 0 { "" } else { ", " });
                flow(out, item);
            }
            out.push(']');
        }
        Value::Map(fields) => {
            out.push('{');
            for (place, (key, item)) in fields.iter().enumerate() {
                out.push_str(if place == 0 { " " } else { ", " });
                scalar(out, &key.name);
                out.push_str(": ");
                flow(out, item);
            }
            out.push_str(if fields.is_empty() { "}" } else { " }" });
        }
    }
}

fn scalar(out: &mut String, text: &str) {
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '/');
    if !text.is_empty() && text.chars().all(word) && text != "null" {
        out.push_str(text);
        return;
    }
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                // Writing to a `String` does not fail.
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
}
