//! Lists as one value: JSON texts, which every engine can take apart.

use std::fmt::Write as _;

/// Writes texts as a JSON array.
pub(crate) fn json_texts<'t>(texts: impl IntoIterator<Item = &'t str>) -> String {
    let mut json = String::from("[");
    for text in texts {
        if json.len() > 1 {
            json.push(',');
        }
        push_json_text(&mut json, text);
    }
    json.push(']');
    json
}

/// Writes pairs of texts as a JSON array of arrays.
pub(crate) fn json_pairs<'t>(pairs: impl IntoIterator<Item = (&'t str, &'t str)>) -> String {
    let mut json = String::from("[");
    for (one, two) in pairs {
        json.push_str(if json.len() > 1 { ",[" } else { "[" });
        push_json_text(&mut json, one);
        json.push(',');
        push_json_text(&mut json, two);
        json.push(']');
    }
    json.push(']');
    json
}

/// Writes rows of texts as a JSON array of arrays.
pub(crate) fn json_rows<const N: usize>(rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut json = String::from("[");
    for row in rows {
        if json.len() > 1 {
            json.push(',');
        }
        json.push_str(&json_texts(row.iter().map(String::as_str)));
    }
    json.push(']');
    json
}

fn push_json_text(json: &mut String, text: &str) {
    json.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                json.push('\\');
                json.push(character);
            }
            control if control.is_control() => {
                // Writing to a string does not fail; control characters are below U+00A0.
                let _ = write!(json, "\\u{:04x}", u32::from(control));
            }
            other => json.push(other),
        }
    }
    json.push('"');
}

#[cfg(test)]
mod tests {
    use super::{json_pairs, json_rows, json_texts};

    #[test]
    fn hostile_text_stays_one_json_string() {
        assert_eq!(json_texts([]), "[]");
        assert_eq!(
            json_texts(["a\"],[\"b", "c\\", "d\n\0é"]),
            "[\"a\\\"],[\\\"b\",\"c\\\\\",\"d\\u000a\\u0000é\"]"
        );
        assert_eq!(
            json_pairs([("ip", "1"), ("email", "a'--")]),
            "[[\"ip\",\"1\"],[\"email\",\"a'--\"]]"
        );
        assert_eq!(json_rows::<1>([]), "[]");
        let rows = [
            ["a\"".to_owned(), "1".to_owned()],
            [String::new(), "2".to_owned()],
        ];
        assert_eq!(json_rows(rows), "[[\"a\\\"\",\"1\"],[\"\",\"2\"]]");
    }
}
