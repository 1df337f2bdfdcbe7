//! The languages that a browser asks for.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;
use axum::http::request::Parts;
use otp_core::delivery::Locale;

/// How many languages of a header are looked at.
const MOST: usize = 32;

/// What `Accept-Language` asks for, the most wanted first. What is no language tag, and `*`, is
/// left out; without the header it is empty.
///
/// Source: RFC 9110 section 12.5.4.
///
/// # Examples
/// ```
/// use axum::http::HeaderMap;
/// use axum::http::header::{ACCEPT_LANGUAGE, HeaderValue};
/// use otp_axum::AcceptLanguage;
///
/// let mut headers = HeaderMap::new();
/// headers.insert(ACCEPT_LANGUAGE, HeaderValue::from_static("en;q=0.7, pt-BR, pt;q=0.9"));
/// let asked = AcceptLanguage::of(&headers);
/// let tags: Vec<&str> = asked.locales().iter().map(|one| one.as_str()).collect();
/// assert_eq!(tags, ["pt-BR", "pt", "en"]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AcceptLanguage(Vec<Locale>);

impl AcceptLanguage {
    /// Reads the headers of a request.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let values = headers.get_all(ACCEPT_LANGUAGE).iter();
        let parts = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','));
        let mut asked: Vec<(u16, Locale)> = parts.take(MOST).filter_map(wanted).collect();
        asked.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
        Self(asked.into_iter().map(|(_, locale)| locale).collect())
    }

    /// Lists them.
    #[must_use]
    pub fn locales(&self) -> &[Locale] {
        &self.0
    }
}

/// Reads one language and how much it is wanted; `None` where it is not, or cannot be read.
fn wanted(part: &str) -> Option<(u16, Locale)> {
    let (tag, weight) = match part.split_once(';') {
        Some((tag, parameter)) => (tag, thousandths(parameter.trim())?),
        None => (part, 1000),
    };
    let locale = Locale::new(tag.trim()).ok()?;
    (weight > 0).then_some((weight, locale))
}

/// Reads `q=0.8`: from 0 to 1 with three decimals at most.
fn thousandths(parameter: &str) -> Option<u16> {
    let value = parameter.strip_prefix(['q', 'Q'])?.trim_start();
    let value = value.strip_prefix('=')?.trim_start();
    let (whole, decimals) = value.split_once('.').unwrap_or((value, ""));
    let plain = decimals.bytes().all(|byte| byte.is_ascii_digit());
    if !matches!(whole, "0" | "1") || decimals.len() > 3 || !plain {
        return None;
    }
    let weight = format!("{whole}{decimals:0<3}").parse().ok()?;
    (weight <= 1000).then_some(weight)
}

impl<S: Sync> FromRequestParts<S> for AcceptLanguage {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn asked(values: &[&str]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(ACCEPT_LANGUAGE, HeaderValue::from_str(value).unwrap());
        }
        let asked = AcceptLanguage::of(&headers);
        asked.0.iter().map(|one| one.as_str().to_owned()).collect()
    }

    #[test]
    fn the_most_wanted_comes_first_and_the_unwanted_not_at_all() {
        for (values, tags) in [
            (&["de-AT,de;q=0.9,en;q=0.8"][..], &["de-AT", "de", "en"][..]),
            (&["en;q=0.001, ar ; Q=1.000, ja;q=0"], &["ar", "en"]),
            (&["nl;q=0.5", "pl;q=0.5", "it"], &["it", "nl", "pl"]),
            (&["*", "fr;q=0.3,*;q=0.1"], &["fr"]),
            (&[], &[]),
        ] {
            assert_eq!(asked(values), tags, "{values:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_left_out_and_a_long_header_costs_little() {
        for bad in [
            "",
            ",,;",
            "../etc",
            "en;q=2",
            "en;q=1.001",
            "en;q=-1",
            "en;q=NaN",
            "en;q=0.1234",
            "en;q=",
            "en;level=1",
            "\"><script>",
        ] {
            assert_eq!(asked(&[bad, "fr"]), ["fr"], "{bad}");
        }
        assert_eq!(asked(&[&"en,".repeat(100_000)]).len(), MOST);
    }
}
