//! Cookies of a request.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

/// Finds the value of a cookie. Of two that are called the same nobody knows whose is whose, so
/// then there is none.
///
/// # Examples
/// ```
/// use axum::http::{HeaderMap, HeaderValue, header::COOKIE};
///
/// let mut headers = HeaderMap::new();
/// headers.append(COOKIE, HeaderValue::from_static("a=1; b=2"));
/// assert_eq!(otp_axum::cookie::find(&headers, "b"), Some("2"));
/// headers.append(COOKIE, HeaderValue::from_static("b=3"));
/// assert_eq!(otp_axum::cookie::find(&headers, "b"), None);
/// ```
#[must_use]
pub fn find<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let values = headers.get_all(COOKIE).iter();
    let pairs = values.filter_map(|value| value.to_str().ok());
    let mut found = pairs
        .flat_map(|text| text.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .filter(|(key, _)| *key == name);
    match (found.next(), found.next()) {
        (Some((_, value)), None) => Some(value),
        _ => None,
    }
}
