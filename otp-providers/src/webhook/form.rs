use super::WebhookError;

/// A field of a form or a query: decoded, in its place of arrival. The bytes need not be UTF-8,
/// for a signature covers whatever came.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Pair {
    pub(super) key: Vec<u8>,
    pub(super) value: Vec<u8>,
}

/// More fields than any vendor sends.
const MOST_FIELDS: usize = 1000;

/// Decodes `application/x-www-form-urlencoded` (WHATWG URL section 5.1), keeping blank values.
pub(super) fn pairs(text: &[u8]) -> Result<Vec<Pair>, WebhookError> {
    let fields = text
        .split(|byte| *byte == b'&')
        .filter(|field| !field.is_empty());
    let mut found = Vec::new();
    for field in fields {
        if found.len() == MOST_FIELDS {
            return Err(WebhookError::TooLarge);
        }
        let mut halves = field.splitn(2, |byte| *byte == b'=');
        let key = decode(halves.next().unwrap_or_default());
        let value = decode(halves.next().unwrap_or_default());
        found.push(Pair { key, value });
    }
    Ok(found)
}

fn decode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match (*first, after) {
            (b'+', _) => out.push(b' '),
            (b'%', [high, low, after @ ..]) => match (nibble(*high), nibble(*low)) {
                (Some(high), Some(low)) => {
                    out.push(high << 4 | low);
                    rest = after;
                }
                _ => out.push(b'%'),
            },
            (other, _) => out.push(other),
        }
    }
    out
}

fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Gives the text of a field that must be there at most once.
pub(super) fn text<'a>(
    pairs: &'a [Pair],
    key: &'static str,
) -> Result<Option<&'a str>, WebhookError> {
    let mut values = pairs.iter().filter(|pair| pair.key == key.as_bytes());
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(pair), None) => std::str::from_utf8(&pair.value)
            .map(Some)
            .map_err(|_| WebhookError::Malformed(key)),
        (Some(_), Some(_)) => Err(WebhookError::Malformed(key)),
    }
}

/// Gives the text of a field that must be there exactly once and is not empty.
pub(super) fn required<'a>(pairs: &'a [Pair], key: &'static str) -> Result<&'a str, WebhookError> {
    text(pairs, key)?
        .filter(|value| !value.is_empty())
        .ok_or(WebhookError::Malformed(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(text: &[u8]) -> Vec<(Vec<u8>, Vec<u8>)> {
        let pairs = pairs(text).expect("few fields");
        pairs
            .into_iter()
            .map(|pair| (pair.key, pair.value))
            .collect()
    }

    #[test]
    fn fields_are_decoded_once_and_kept_in_order_with_blanks_and_repeats() {
        let expected: Vec<(Vec<u8>, Vec<u8>)> = [
            ("b", "+ 1"),
            ("a", ""),
            ("a", "="),
            ("c", ""),
            ("%zz", "%4"),
            ("", "x"),
        ]
        .map(|(key, value)| (key.as_bytes().to_vec(), value.as_bytes().to_vec()))
        .to_vec();
        assert_eq!(decoded(b"b=%2b+1&&a=&a==&c&%zz=%4&=x"), expected);
        assert_eq!(
            decoded(b"%C3%A9=%ff"),
            [("é".as_bytes().to_vec(), vec![255])]
        );
    }

    #[test]
    fn a_field_given_twice_or_not_in_utf8_is_no_text() {
        let fields = pairs(b"a=1&a=2&b=%ff&c=").expect("few fields");
        assert!(text(&fields, "a").is_err() && text(&fields, "b").is_err());
        assert!(required(&fields, "c").is_err() && required(&fields, "d").is_err());
        assert_eq!(text(&fields, "d"), Ok(None));
    }

    #[test]
    fn a_flood_of_fields_is_refused() {
        assert_eq!(pairs(&b"a&".repeat(1001)), Err(WebhookError::TooLarge));
    }
}
