//! YAML 1.2 into parts: one document, nothing but mappings, lists and scalars.

use saphyr_parser::{Event, Parser, ScalarStyle};

use super::error::PolicyFileError;
use super::node::{DEEPEST, Key, Node, Value};

/// A mapping or a list that is still open.
enum Open {
    List(usize, Vec<Node>),
    Map(usize, Vec<(Key, Node)>, Option<Key>),
}

/// Reads a document; an empty one is an empty mapping.
pub(super) fn parse(text: &str) -> Result<Node, PolicyFileError> {
    let mut open: Vec<Open> = Vec::new();
    let mut root: Option<Node> = None;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            PolicyFileError::new(Some(error.marker().line()), "", "is not YAML")
        })?;
        let line = span.start.line();
        let wrong = |problem: &str| PolicyFileError::new(Some(line), "", problem);
        let done = match event {
            Event::Scalar(text, style, anchor, tag) => {
                plain(anchor, tag.is_some()).map_err(wrong)?;
                let bare = style == ScalarStyle::Plain;
                let value = match text.as_ref() {
                    "" | "~" | "null" if bare => Value::Empty,
                    text => Value::Text(text.to_owned()),
                };
                Node { line, value }
            }
            Event::SequenceStart(anchor, tag) | Event::MappingStart(anchor, tag)
                if open.len() >= DEEPEST || plain(anchor, tag.is_some()).is_err() =>
            {
                let too_deep = open.len() >= DEEPEST;
                return Err(wrong(if too_deep { "is too deep" } else { NOT_PLAIN }));
            }
            Event::SequenceStart(..) => {
                open.push(Open::List(line, Vec::new()));
                continue;
            }
            Event::MappingStart(..) => {
                open.push(Open::Map(line, Vec::new(), None));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::List(line, items)) => Node {
                    line,
                    value: Value::List(items),
                },
                Some(Open::Map(line, fields, _)) => Node {
                    line,
                    value: Value::Map(fields),
                },
                None => return Err(wrong("is not YAML")),
            },
            Event::Alias(_) => return Err(wrong(NOT_PLAIN)),
            Event::DocumentStart(_) if root.is_some() => {
                return Err(wrong("is a second document"));
            }
            _ => continue,
        };
        match open.last_mut() {
            None => root = Some(done),
            Some(Open::List(_, items)) => items.push(done),
            Some(Open::Map(_, fields, key)) => match (key.take(), done.value) {
                (Some(name), value) => fields.push((
                    name,
                    Node {
                        line: done.line,
                        value,
                    },
                )),
                (None, Value::Text(name)) => *key = Some(Key { line, name }),
                (None, _) => return Err(wrong("is a key that is no name")),
            },
        }
    }
    Ok(root.unwrap_or(Node {
        line: 1,
        value: Value::Empty,
    }))
}

const NOT_PLAIN: &str = "has an anchor, an alias or a tag";

fn plain(anchor: usize, tagged: bool) -> Result<(), &'static str> {
    if anchor == 0 && !tagged {
        Ok(())
    } else {
        Err(NOT_PLAIN)
    }
}
