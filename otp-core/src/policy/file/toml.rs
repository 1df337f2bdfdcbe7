//! TOML into parts.

use std::ops::Range;

use toml::de::{DeTable, DeValue};

use super::error::PolicyFileError;
use super::node::{DEEPEST, Key, Node, Value};

/// Reads a document.
pub(super) fn parse(text: &str) -> Result<Node, PolicyFileError> {
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map(|span| line_of(text, &span));
        PolicyFileError::new(line, "", "is not TOML")
    })?;
    let fields = fields(text, table.get_ref(), 0)?;
    Ok(Node {
        line: 1,
        value: Value::Map(fields),
    })
}

fn fields(
    text: &str,
    table: &DeTable<'_>,
    depth: usize,
) -> Result<Vec<(Key, Node)>, PolicyFileError> {
    let fields = table.iter().map(|(name, value)| {
        let key = Key {
            line: line_of(text, &name.span()),
            name: name.get_ref().to_string(),
        };
        let line = line_of(text, &value.span());
        Ok((key, node(text, value.get_ref(), line, depth)?))
    });
    fields.collect()
}

fn node(
    text: &str,
    value: &DeValue<'_>,
    line: usize,
    depth: usize,
) -> Result<Node, PolicyFileError> {
    if depth >= DEEPEST {
        return Err(PolicyFileError::new(Some(line), "", "is too deep"));
    }
    let value = match value {
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(figure) if figure.radix() == 10 => Value::Text(figure.as_str().to_owned()),
        DeValue::Boolean(flag) => Value::Text(flag.to_string()),
        DeValue::Array(items) => {
            let items = items.iter().map(|item| {
                let line = line_of(text, &item.span());
                node(text, item.get_ref(), line, depth.saturating_add(1))
            });
            Value::List(items.collect::<Result<_, _>>()?)
        }
        DeValue::Table(table) => Value::Map(fields(text, table, depth.saturating_add(1))?),
        // No setting is one of these; what it should be is said by who reads it.
        _ => Value::Empty,
    };
    Ok(Node { line, value })
}

fn line_of(text: &str, span: &Range<usize>) -> usize {
    let before = text.get(..span.start).unwrap_or(text);
    before.matches('\n').count().saturating_add(1)
}
