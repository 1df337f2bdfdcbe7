mod written;

use std::time::Duration;

use http::header::{HeaderMap, RETRY_AFTER};
use otp_core::clock::Timestamp;

use super::date;

pub use self::written::{RateLimitPolicy, RateLimitState};

/// More items than any server sends.
const MOST_ITEMS: usize = 32;

/// Reads how long a caller should wait from a reply's headers.
///
/// `Retry-After` (RFC 9110 section 10.2.3) wins. Without a readable one it is the reset of the
/// exhausted policies in `RateLimit` (draft-ietf-httpapi-ratelimit-headers, RFC 9651), the longest
/// of them; without that, `X-RateLimit-Reset` where nothing remains. Malformed fields are ignored;
/// `None` means that there is no hint. The value is as the server gave it, without a ceiling.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use http::HeaderMap;
/// use otp_core::clock::Timestamp;
/// use otp_providers::http::wait_of;
///
/// let mut headers = HeaderMap::new();
/// headers.insert("ratelimit", "\"otp-send\";r=0;t=12".parse().unwrap());
/// let wait = wait_of(&headers, Timestamp::UNIX_EPOCH);
/// assert_eq!(wait, Some(Duration::from_secs(12)));
/// ```
#[must_use]
pub fn wait_of(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    retry_after(headers, now)
        .or_else(|| exhausted(headers))
        .or_else(|| reset(headers, now))
}

fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    match whole(text) {
        Some(seconds) => Some(Duration::from_secs(seconds)),
        None => date::parse(text).map(|then| then.since(now)),
    }
}

fn reset(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let left = text("x-ratelimit-remaining").and_then(whole);
    let reset = text("x-ratelimit-reset").and_then(whole)?;
    let then = Timestamp::UNIX_EPOCH.saturating_add(Duration::from_secs(reset));
    (left.unwrap_or(0) == 0).then(|| then.since(now))
}

fn exhausted(headers: &HeaderMap) -> Option<Duration> {
    let lines: Option<Vec<&str>> = headers
        .get_all("ratelimit")
        .iter()
        .map(|line| line.to_str().ok())
        .collect();
    let text = lines?.join(",");
    let items = list(&text)?;
    let waits = items.iter().filter_map(|item| {
        let number = |name: &str| {
            let mut parameters = item.iter().rev();
            let value = &parameters.find(|(key, _)| *key == name)?.1;
            value.and_then(whole)
        };
        match (number("r")?, number("t")) {
            (0, Some(seconds)) => Some(Duration::from_secs(seconds)),
            _ => None,
        }
    });
    waits.max()
}

/// The parameters of an item, each with its value as it is written; `None` is a bare one.
type Parameters<'a> = Vec<(&'a str, Option<&'a str>)>;

/// Reads a list of strings or tokens with parameters (RFC 9651 sections 4.2.1 and 4.2.3); a fault
/// anywhere makes all of it unreadable.
fn list(text: &str) -> Option<Vec<Parameters<'_>>> {
    let mut items = Vec::new();
    let mut rest = text.trim_matches(' ');
    loop {
        if items.len() == MOST_ITEMS {
            return None;
        }
        (_, rest) = bare(rest)?;
        let mut parameters = Vec::new();
        while let Some(after) = rest.strip_prefix(';') {
            let (name, after) = key(after.trim_start_matches(' '))?;
            rest = after;
            let mut value = None;
            if let Some(after) = rest.strip_prefix('=') {
                let (found, after) = bare(after)?;
                (value, rest) = (Some(found), after);
            }
            parameters.push((name, value));
        }
        items.push(parameters);
        rest = rest.trim_start_matches([' ', '\t']);
        if rest.is_empty() {
            return Some(items);
        }
        rest = rest.strip_prefix(',')?.trim_start_matches([' ', '\t']);
    }
}

/// Reads a name: a lower-case letter or `*`, then letters, digits and `_-.*`.
fn key(text: &str) -> Option<(&str, &str)> {
    if !text.starts_with(|c: char| c.is_ascii_lowercase() || c == '*') {
        return None;
    }
    let part = |c: char| {
        c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-' | '.' | '*')
    };
    let end = text.find(|c| !part(c)).unwrap_or(text.len());
    text.split_at_checked(end)
}

/// Takes a string, a byte sequence, a number, a boolean or a token as it is written.
fn bare(text: &str) -> Option<(&str, &str)> {
    let end = match text.as_bytes().first()? {
        b'"' => quoted(text)?,
        b':' => text.get(1..)?.find(':')?.checked_add(2)?,
        b'?' => 2,
        first if first.is_ascii_alphanumeric() || matches!(first, b'-' | b'*') => {
            let part = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~:/".contains(c);
            text.find(|c| !part(c)).unwrap_or(text.len())
        }
        _ => return None,
    };
    text.split_at_checked(end)
}

/// Finds the end of a string: visible ASCII, with `\` before `"` and `\` only.
fn quoted(text: &str) -> Option<usize> {
    let mut letters = text.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return at.checked_add(1),
            '\\' => match letters.next()? {
                (_, '"' | '\\') => {}
                _ => return None,
            },
            ' '..='~' => {}
            _ => return None,
        }
    }
    None
}

/// Reads digits only; what does not fit is the largest number there is.
fn whole(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    const NOW: Timestamp = Timestamp::from_millis(1_750_000_000_000);

    fn wait(fields: &[(&'static str, &'static str)]) -> Option<u64> {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        wait_of(&headers, NOW).map(|wait| wait.as_secs())
    }

    #[test]
    fn retry_after_wins_over_what_else_is_said() {
        let limit = ("ratelimit", "\"a\";r=0;t=12");
        assert_eq!(wait(&[("retry-after", "40"), limit]), Some(40));
        assert_eq!(
            wait(&[("retry-after", "Sun, 15 Jun 2025 15:08:10 GMT"), limit]),
            Some(90)
        );
        assert_eq!(wait(&[("retry-after", "soon"), limit]), Some(12));
        assert_eq!(wait(&[("retry-after", "-1")]), None);
        assert_eq!(wait(&[]), None);
    }

    #[test]
    fn the_longest_reset_of_the_exhausted_policies_counts() {
        for (field, seconds) in [
            ("\"a\";r=0;t=12", Some(12)),
            ("\"a\";r=0;t=12, \"b\";r=0;t=30,\"c\";r=1;t=90", Some(30)),
            ("\"a;r=0;t=99\";t=7;r=0;pk=:Zm9v:;x", Some(7)),
            ("\"a\\\"\";r=5;r=0; t=3", Some(3)),
            ("\"a\";r=1;t=12", None),
            ("\"a\";r=0", None),
            ("\"a\";t=12", None),
            ("\"a\";r=0;t=1.5", None),
            ("\"a\";r=0;t=-1", None),
            ("\"a\";r=0;t=12,", None),
            ("\"a\";r=0;t=12 \"b\"", None),
            ("\"a;r=0;t=12", None),
            ("\"a\";R=0;t=12", None),
            ("", None),
        ] {
            assert_eq!(wait(&[("ratelimit", field)]), seconds, "{field}");
        }
        let two = [
            ("ratelimit", "\"a\";r=0;t=1"),
            ("ratelimit", "\"b\";r=0;t=2"),
        ];
        assert_eq!(wait(&two), Some(2));
    }

    #[test]
    fn a_reset_of_the_epoch_counts_where_nothing_remains() {
        let reset = ("x-ratelimit-reset", "1750000060");
        assert_eq!(wait(&[("x-ratelimit-remaining", "0"), reset]), Some(60));
        assert_eq!(wait(&[("x-ratelimit-remaining", "3"), reset]), None);
    }
}
