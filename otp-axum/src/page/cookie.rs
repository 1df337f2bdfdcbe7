//! The cookies of the page.

use std::time::Duration;

use axum::http::HeaderMap;
use axum::http::header::{HeaderValue, SET_COOKIE};

use super::OperatorPage;
use super::origin::Scheme;
use crate::cookie::find;

/// A cookie's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// Who is signed in.
    Session,
    /// What was just done, to be said once.
    Notice,
}

impl Name {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Session => "otp_operator",
            Self::Notice => "otp_operator_notice",
        }
    }
}

/// Finds a cookie.
pub(super) fn read(headers: &HeaderMap, name: Name) -> Option<&str> {
    find(headers, name.as_str())
}

/// Says whether an answer sets a cookie already.
pub(super) fn is_set(headers: &HeaderMap, name: Name) -> bool {
    let mut lines = headers.get_all(SET_COOKIE).iter();
    lines.any(|line| {
        let value = line.as_bytes().strip_prefix(name.as_str().as_bytes());
        value.is_some_and(|value| value.starts_with(b"="))
    })
}

/// Sets a cookie for a while.
pub(super) fn set(
    headers: &mut HeaderMap,
    name: Name,
    value: &str,
    life: Duration,
    scheme: Scheme,
) {
    let secure = match scheme {
        Scheme::Https => "; Secure",
        Scheme::Http => "",
    };
    let (name, path, life) = (name.as_str(), OperatorPage::PATH, life.as_secs());
    let line =
        format!("{name}={value}; Path={path}; Max-Age={life}; HttpOnly; SameSite=Strict{secure}");
    if let Ok(line) = HeaderValue::from_str(&line) {
        headers.append(SET_COOKIE, line);
    }
}

/// Takes a cookie away.
pub(super) fn clear(headers: &mut HeaderMap, name: Name, scheme: Scheme) {
    set(headers, name, "", Duration::ZERO, scheme);
}
