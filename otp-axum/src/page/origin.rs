//! Whether a form was sent by a page of ours.

use axum::http::HeaderMap;
use axum::http::header::{HOST, HeaderName, ORIGIN};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// How the browser says that it reached us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// In plain text.
    Http,
    /// Over TLS, or it does not say.
    Https,
}

impl Scheme {
    pub(super) const fn as_byte(self) -> u8 {
        match self {
            Self::Http => 0,
            Self::Https => 1,
        }
    }

    pub(super) const fn from_byte(byte: u8) -> Self {
        match byte {
            0 => Self::Http,
            _ => Self::Https,
        }
    }
}

/// The request was made by a page of somebody else's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct CrossOrigin;

/// Checks who made a request that changes something. Browsers say so in `Sec-Fetch-Site` (W3C Fetch
/// Metadata Request Headers, section 2.4) or in `Origin` (RFC 6454 section 7), and no page can make
/// them say something else. A client that sends neither is no browser, and has no cookie that it did
/// not mean to send.
pub(super) fn own(headers: &HeaderMap) -> Result<Scheme, CrossOrigin> {
    let text = |name: &HeaderName| {
        let mut values = headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => value.to_str().map(Some).map_err(|_| CrossOrigin),
            (Some(_), Some(_)) => Err(CrossOrigin),
        }
    };
    let origin = text(&ORIGIN)?;
    let scheme = match origin {
        Some(origin) if origin.starts_with("http://") => Scheme::Http,
        _ => Scheme::Https,
    };
    match (text(&SEC_FETCH_SITE)?, origin) {
        (Some("same-origin"), _) | (None, None) => Ok(scheme),
        (Some(_), _) => Err(CrossOrigin),
        (None, Some(origin)) => {
            let host = text(&HOST)?.ok_or(CrossOrigin)?;
            let (_, authority) = origin.split_once("://").ok_or(CrossOrigin)?;
            match authority.eq_ignore_ascii_case(host) {
                true => Ok(scheme),
                false => Err(CrossOrigin),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&'static str, &str)]) -> Result<Scheme, CrossOrigin> {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        own(&headers)
    }

    #[test]
    fn a_form_of_another_site_another_port_or_no_site_is_refused() {
        for forged in [
            [("host", "ops:9090"), ("origin", "https://evil.example")],
            [("host", "ops:9090"), ("origin", "http://ops:8080")],
            [("host", "ops:9090"), ("origin", "null")],
            [("origin", "http://ops"), ("origin", "http://ops")],
            [("host", "ops"), ("sec-fetch-site", "cross-site")],
            [("host", "ops"), ("sec-fetch-site", "same-site")],
            [("origin", "http://ops"), ("sec-fetch-site", "none")],
        ] {
            assert_eq!(of(&forged), Err(CrossOrigin), "{forged:?}");
        }
    }

    #[test]
    fn a_form_of_ours_passes_and_tells_how_it_came() {
        let plain = [("host", "Ops:9090"), ("origin", "http://ops:9090")];
        assert_eq!(of(&plain), Ok(Scheme::Http));
        let tls = [("host", "ops"), ("origin", "https://ops")];
        assert_eq!(of(&tls), Ok(Scheme::Https));
        let hidden = [("sec-fetch-site", "same-origin"), ("origin", "null")];
        assert_eq!(of(&hidden), Ok(Scheme::Https));
        assert_eq!(of(&[("host", "ops")]), Ok(Scheme::Https), "no browser");
    }
}
