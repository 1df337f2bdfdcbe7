use std::fmt;

use http::{HeaderMap, Method};
use thiserror::Error;
use url::Url;

use super::WebhookError;

/// The most bytes of a body that are looked at.
const LARGEST_BODY: usize = 64 * 1024;
const LONGEST_URL: usize = 8 * 1024;

/// A request as it came, its body untouched. `Debug` shows the method and the sizes only.
pub struct WebhookRequest<'a> {
    pub(super) method: &'a Method,
    pub(super) url: &'a str,
    pub(super) headers: &'a HeaderMap,
    pub(super) body: &'a [u8],
}

impl<'a> WebhookRequest<'a> {
    /// Takes a request.
    ///
    /// `url` is the public URL that the vendor was given, query included, from
    /// [`PublicUrl::of`]; never put together from `Host` or a forwarding header, which whoever
    /// sends the request chooses. `body` is the bytes as they came: a body that was parsed and
    /// written again has another signature. The host stops reading at 64 KiB.
    ///
    /// # Errors
    /// [`WebhookError::TooLarge`] for a body over 64 KiB or a URL over 8 KiB.
    pub fn new(
        method: &'a Method,
        url: &'a str,
        headers: &'a HeaderMap,
        body: &'a [u8],
    ) -> Result<Self, WebhookError> {
        if body.len() > LARGEST_BODY || url.len() > LONGEST_URL {
            return Err(WebhookError::TooLarge);
        }
        Ok(Self {
            method,
            url,
            headers,
            body,
        })
    }

    /// Gives the value of a header that must be there exactly once, in visible ASCII.
    pub(super) fn signed_header(&self, name: &'static str) -> Result<&'a str, WebhookError> {
        self.header(name)?.ok_or(WebhookError::Unsigned)
    }

    /// Gives the value of a header that may be there once.
    pub(super) fn header(&self, name: &'static str) -> Result<Option<&'a str>, WebhookError> {
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(None),
            (Some(value), None) => value.to_str().map(Some).map_err(|_| WebhookError::Unsigned),
            (Some(_), Some(_)) => Err(WebhookError::Unsigned),
        }
    }

    /// Says whether the body is of a type, whatever the parameters of its `Content-Type`.
    pub(super) fn is_of_type(&self, wanted: &str) -> Result<(), WebhookError> {
        let given = self.header("content-type")?.unwrap_or_default();
        let given = given.split(';').next().unwrap_or_default().trim();
        if given.eq_ignore_ascii_case(wanted) {
            Ok(())
        } else {
            Err(WebhookError::Malformed("content type"))
        }
    }
}

impl fmt::Debug for WebhookRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookRequest")
            .field("method", self.method)
            .field("headers", &self.headers.len())
            .field("body", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Where the world reaches this service, as the host configured it.
///
/// # Examples
/// ```
/// use otp_providers::webhook::PublicUrl;
///
/// let here = PublicUrl::parse("https://hooks.example.com").unwrap();
/// assert_eq!(
///     here.of("/twilio?tenant=7").unwrap(),
///     "https://hooks.example.com/twilio?tenant=7",
/// );
/// assert!(here.of("//evil.example/twilio").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl(String);

/// The text is no public URL, or no path that belongs to one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a public url is http or https with a host and without query or fragment")]
pub struct InvalidPublicUrl;

impl PublicUrl {
    /// Reads the URL up to where the request's own path begins, kept as it is written.
    ///
    /// # Errors
    /// [`InvalidPublicUrl`] where it is not absolute, or has a query or a fragment.
    pub fn parse(text: &str) -> Result<Self, InvalidPublicUrl> {
        let url = Url::parse(text).map_err(|_| InvalidPublicUrl)?;
        let fits = matches!(url.scheme(), "https" | "http")
            && url.has_host()
            && text.bytes().all(|byte| byte.is_ascii_graphic())
            && !text.contains(['?', '#', '\\']);
        if fits {
            Ok(Self(text.trim_end_matches('/').to_owned()))
        } else {
            Err(InvalidPublicUrl)
        }
    }

    /// Puts the path and query of a request behind it, as the request line has them.
    ///
    /// # Errors
    /// [`InvalidPublicUrl`] where it does not begin with one slash.
    pub fn of(&self, path_and_query: &str) -> Result<String, InvalidPublicUrl> {
        if path_and_query.starts_with('/') && !path_and_query.starts_with("//") {
            Ok(format!("{}{path_and_query}", self.0))
        } else {
            Err(InvalidPublicUrl)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn a_body_of_sixty_five_kib_is_not_looked_at() {
        let headers = HeaderMap::new();
        let read = |size: usize| {
            let body = vec![b'x'; size];
            WebhookRequest::new(&Method::POST, "https://a.example/", &headers, &body).map(drop)
        };
        assert_eq!(read(65 * 1024), Err(WebhookError::TooLarge));
        assert_eq!(read(64 * 1024 + 1), Err(WebhookError::TooLarge));
        assert_eq!(read(64 * 1024), Ok(()));
        let url = format!("https://a.example/{}", "x".repeat(8 * 1024));
        assert!(WebhookRequest::new(&Method::POST, &url, &headers, b"").is_err());
    }

    #[test]
    fn a_header_given_twice_or_in_other_than_ascii_is_no_header() {
        let mut headers = HeaderMap::new();
        headers.append("x-twice", HeaderValue::from_static("a"));
        headers.append("x-twice", HeaderValue::from_static("a"));
        headers.append(
            "x-bytes",
            HeaderValue::from_bytes(b"\xff").expect("a value"),
        );
        let request =
            WebhookRequest::new(&Method::POST, "https://a.example/", &headers, b"").expect("small");
        for name in ["x-twice", "x-bytes", "x-none"] {
            assert_eq!(
                request.signed_header(name),
                Err(WebhookError::Unsigned),
                "{name}"
            );
        }
    }

    #[test]
    fn a_public_url_is_configured_and_a_path_cannot_change_its_host() {
        for bad in [
            "",
            "hooks.example.com",
            "ftp://a.example",
            "https://a.example/?x",
            "https://a\\b",
        ] {
            assert!(PublicUrl::parse(bad).is_err(), "{bad}");
        }
        let here = PublicUrl::parse("https://a.example:8443/base/").expect("absolute");
        assert_eq!(
            here.of("/x"),
            Ok("https://a.example:8443/base/x".to_owned())
        );
        for bad in [
            "",
            "x",
            "@evil.example/",
            "//evil.example/",
            "https://evil.example/",
        ] {
            assert!(here.of(bad).is_err(), "{bad}");
        }
    }
}
