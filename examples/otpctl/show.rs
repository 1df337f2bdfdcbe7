//! Answers for people.

use serde_json::Value;

/// Rows under a head, each column as wide as it must be.
pub(crate) struct Table {
    head: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    pub(crate) fn new(head: &[&'static str]) -> Self {
        Self {
            head: head.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds the members of an object, in the order of the head.
    pub(crate) fn of(head: &[&'static str], objects: Option<&Value>) -> Self {
        let mut table = Self::new(head);
        for object in objects.and_then(Value::as_array).into_iter().flatten() {
            table.add(head.iter().map(|name| text(object.get(*name))).collect());
        }
        table
    }

    pub(crate) fn add(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    pub(crate) fn print(&self) {
        if self.rows.is_empty() {
            println!("none");
            return;
        }
        let wide = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            let head = self.head.get(column).map_or(0, |name| name.len());
            cells
                .map(|cell| cell.chars().count())
                .max()
                .unwrap_or(0)
                .max(head)
        };
        let widths: Vec<usize> = (0..self.head.len()).map(wide).collect();
        let line = |cells: &mut dyn Iterator<Item = &str>| {
            let padded = cells
                .zip(&widths)
                .map(|(cell, wide)| format!("{cell:wide$}"));
            println!("{}", padded.collect::<Vec<_>>().join("  ").trim_end());
        };
        line(&mut self.head.iter().copied());
        for row in &self.rows {
            line(&mut row.iter().map(String::as_str));
        }
    }
}

/// A value in a cell: no quotes, a dash for nothing, and no character that moves the cursor.
pub(crate) fn text(value: Option<&Value>) -> String {
    let shown = match value {
        None | Some(Value::Null) => "-".to_owned(),
        Some(Value::Array(items)) if items.is_empty() => "-".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => {
            let items: Vec<String> = items.iter().map(|item| text(Some(item))).collect();
            items.join(", ")
        }
        Some(other) => other.to_string(),
    };
    shown
        .chars()
        .map(|letter| if letter.is_control() { ' ' } else { letter })
        .collect()
}

/// Members and their values, one a line.
pub(crate) fn members(object: &Value) {
    let mut table = Table::new(&["what", "value"]);
    for (name, value) in object.as_object().into_iter().flatten() {
        table.add(vec![name.clone(), text(Some(value))]);
    }
    table.print();
}

/// What was done, or would be.
pub(crate) fn done(answer: &Value, verb: &str) {
    let would = answer.get("dry_run") == Some(&Value::Bool(true));
    let count = text(answer.get("count"));
    let more = if answer.get("more") == Some(&Value::Bool(true)) {
        " or more"
    } else {
        ""
    };
    let verb = if would {
        format!("would be {verb}, nothing was changed")
    } else {
        verb.to_owned()
    };
    println!("{count}{more} {verb}");
    for line in answer
        .get("sample")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        println!("  {}", text(Some(line)));
    }
}

#[cfg(test)]
mod tests {
    use super::text;
    use serde_json::json;

    #[test]
    fn a_hostile_text_moves_no_cursor_and_starts_no_line() {
        let note = json!("ok\u{1b}[2Jgone\r\n0 blocked");
        assert_eq!(text(Some(&note)), "ok [2Jgone  0 blocked");
        assert_eq!(
            (text(None), text(Some(&json!([])))),
            ("-".into(), "-".into())
        );
        assert_eq!(text(Some(&json!(["a", 1, null]))), "a, 1, -");
    }
}
