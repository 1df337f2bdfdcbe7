//! Reading parts of a document as what they must be.

use std::str::FromStr;
use std::time::Duration;

use super::duration;
use super::error::PolicyFileError;
use super::node::{Node, Value};

/// A part with its path.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    path: String,
    line: usize,
    name: &'a str,
    node: &'a Node,
}

impl<'a> Entry<'a> {
    pub(super) fn root(node: &'a Node) -> Self {
        Self {
            path: String::new(),
            line: node.line,
            name: "",
            node,
        }
    }

    pub(super) fn name(&self) -> &'a str {
        self.name
    }

    pub(super) fn must_be(&self, wanted: &str) -> PolicyFileError {
        self.wrong(&format!("must be {wanted}"))
    }

    pub(super) fn unknown(&self) -> PolicyFileError {
        self.wrong("is not a setting")
    }

    pub(super) fn wrong(&self, problem: &str) -> PolicyFileError {
        PolicyFileError::new(Some(self.line), &self.path, problem)
    }

    /// Lists the settings under this one; each is there once.
    pub(super) fn fields(&self) -> Result<Vec<Self>, PolicyFileError> {
        let fields = match &self.node.value {
            Value::Map(fields) => fields,
            Value::Empty => return Ok(Vec::new()),
            _ => return Err(self.must_be("settings by name")),
        };
        let mut entries: Vec<Self> = Vec::with_capacity(fields.len());
        for (key, node) in fields {
            let entry = Entry {
                path: self.under(&key.name),
                line: key.line,
                name: &key.name,
                node,
            };
            if entries.iter().any(|other| other.name == entry.name) {
                return Err(entry.wrong("is there twice"));
            }
            entries.push(entry);
        }
        Ok(entries)
    }

    fn under(&self, name: &str) -> String {
        // A path stays on its line, however the key is written.
        let visible = name.chars().filter(|c| !c.is_control()).take(64);
        let name: String = visible.collect();
        if self.path.is_empty() {
            name
        } else {
            format!("{}.{name}", self.path)
        }
    }

    pub(super) fn is_list(&self) -> bool {
        matches!(self.node.value, Value::List(_))
    }

    /// Lists the parts of a list.
    pub(super) fn items(&self) -> Result<Vec<Self>, PolicyFileError> {
        let Value::List(items) = &self.node.value else {
            return Err(self.must_be("a list"));
        };
        let item = |(place, node): (usize, &'a Node)| Entry {
            path: format!("{}[{place}]", self.path),
            line: node.line,
            name: self.name,
            node,
        };
        Ok(items.iter().enumerate().map(item).collect())
    }

    pub(super) fn text(&self) -> Result<&'a str, PolicyFileError> {
        match &self.node.value {
            Value::Text(text) if !text.trim().is_empty() => Ok(text.trim()),
            _ => Err(self.must_be("a text")),
        }
    }

    pub(super) fn flag(&self) -> Result<bool, PolicyFileError> {
        match self.text() {
            Ok("true") => Ok(true),
            Ok("false") => Ok(false),
            _ => Err(self.must_be("true or false")),
        }
    }

    /// Reads a number; `60_000` is one.
    pub(super) fn number<T: FromStr>(&self) -> Result<T, PolicyFileError> {
        let wanted = "a number that is not too large";
        let text = self.text().map_err(|_| self.must_be(wanted))?;
        let digits = text.replace('_', "");
        digits.parse().map_err(|_| self.must_be(wanted))
    }

    pub(super) fn duration(&self) -> Result<Duration, PolicyFileError> {
        let read = self.text().ok().and_then(duration::read);
        read.ok_or_else(|| self.must_be("a time such as 90s, 5m, 1h or 30d"))
    }

    /// Reads a word by the function that knows them all.
    pub(super) fn word<T>(
        &self,
        wanted: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, PolicyFileError> {
        let word = self.text().ok().and_then(read);
        word.ok_or_else(|| self.must_be(wanted))
    }
}
