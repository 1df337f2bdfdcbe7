use std::fmt;

use thiserror::Error;
use url::{Host, Url};

/// Where a vendor's API is: `https` anywhere, `http` on this machine's loopback only.
///
/// Loopback is `127.0.0.0/8`, `::1` and the name `localhost`. A path is kept and put before the
/// paths of the API.
///
/// # Examples
/// ```
/// use otp_providers::http::{BaseUrl, InvalidBaseUrl};
///
/// assert!(BaseUrl::parse("https://api.example.com").is_ok());
/// assert!(BaseUrl::parse("http://127.0.0.1:8080").is_ok());
/// assert_eq!(
///     BaseUrl::parse("http://api.example.com").unwrap_err(),
///     InvalidBaseUrl::PlainHttp,
/// );
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

/// Says why a base URL was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidBaseUrl {
    /// It is not an absolute URL with a host.
    #[error("a base url is absolute and names a host")]
    NotAbsolute,
    /// The scheme is neither `https` nor `http`.
    #[error("a base url is https, or http on loopback")]
    Scheme,
    /// Credentials would leave in the clear.
    #[error("plain http is for loopback addresses only")]
    PlainHttp,
    /// It holds a user name or a password.
    #[error("a base url holds no user name or password")]
    UserInfo,
    /// It holds a query or a fragment.
    #[error("a base url holds no query or fragment")]
    QueryOrFragment,
}

impl BaseUrl {
    /// Reads and checks a URL.
    ///
    /// # Errors
    /// [`InvalidBaseUrl`] names the problem, never the URL.
    pub fn parse(text: &str) -> Result<Self, InvalidBaseUrl> {
        let url = Url::parse(text).map_err(|_| InvalidBaseUrl::NotAbsolute)?;
        let plain = match url.scheme() {
            "https" => false,
            "http" => true,
            _ => return Err(InvalidBaseUrl::Scheme),
        };
        let host = url.host().ok_or(InvalidBaseUrl::NotAbsolute)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(InvalidBaseUrl::UserInfo);
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(InvalidBaseUrl::QueryOrFragment);
        }
        if plain && !is_loopback(&host) {
            return Err(InvalidBaseUrl::PlainHttp);
        }
        Ok(Self(url))
    }

    /// Says whether it is this machine's loopback.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.0.host().is_some_and(|host| is_loopback(&host))
    }

    /// Makes an address beneath this one; each segment is percent-encoded, so that none adds a
    /// path, a query or a host of its own.
    #[must_use]
    pub fn endpoint(&self, segments: &[&str]) -> Endpoint {
        let mut url = self.0.clone();
        // Only a URL that cannot be a base has no segments; http and https always can.
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(segments);
        }
        Endpoint(url)
    }

    /// Makes the address beneath this one that has the path and query of another.
    #[cfg(feature = "ses-webhook")]
    pub(crate) fn in_place_of(&self, other: &Url) -> Endpoint {
        let segments: Vec<&str> = other.path_segments().into_iter().flatten().collect();
        let mut endpoint = self.endpoint(&segments);
        endpoint.0.set_query(other.query());
        endpoint
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BaseUrl(..)")
    }
}

/// A full address that a request may go to; only a [`BaseUrl`] makes one. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(Url);

impl Endpoint {
    /// Takes an address that its caller has checked.
    #[cfg(feature = "ses-webhook")]
    pub(crate) fn checked(url: Url) -> Self {
        Self(url)
    }

    /// Gives the address; for the transport only.
    #[must_use]
    pub fn as_url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Endpoint(..)")
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(name) => *name == "localhost",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_loopback_only() {
        for (text, is) in [
            ("https://api.example.com", false),
            ("https://127.0.0.1.example.com", false),
            ("https://192.0.2.1", false),
            ("https://localhost:8443", true),
            ("http://127.8.0.1:1", true),
            ("http://[::1]:1", true),
        ] {
            assert_eq!(BaseUrl::parse(text).map(|base| base.is_loopback()), Ok(is));
        }
        for fine in [
            "https://api.example.com",
            "https://192.0.2.1:8443/prefix/",
            "http://127.0.0.1:1",
            "http://127.200.0.9",
            "http://[::1]:8080",
            "http://localhost:3000",
            "HTTP://LOCALHOST",
        ] {
            assert!(BaseUrl::parse(fine).is_ok(), "{fine}");
        }
        for exposed in [
            "http://api.example.com",
            "http://192.0.2.1",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "http://0.0.0.0",
            "http://[::ffff:192.0.2.1]",
            "http://[::]",
        ] {
            assert_eq!(
                BaseUrl::parse(exposed),
                Err(InvalidBaseUrl::PlainHttp),
                "{exposed}"
            );
        }
    }

    #[test]
    fn a_number_that_spells_loopback_is_read_as_the_url_standard_reads_it() {
        assert!(BaseUrl::parse("http://2130706433").is_ok());
        assert!(BaseUrl::parse("http://0x7f.1").is_ok());
    }

    #[test]
    fn each_refusal_names_its_problem_and_not_the_url() {
        let cases = [
            ("", InvalidBaseUrl::NotAbsolute),
            ("/v3/mail", InvalidBaseUrl::NotAbsolute),
            ("https://", InvalidBaseUrl::NotAbsolute),
            ("file:///etc/passwd", InvalidBaseUrl::Scheme),
            ("ftp://127.0.0.1", InvalidBaseUrl::Scheme),
            ("https://user@api.example.com", InvalidBaseUrl::UserInfo),
            ("https://:hunter2@api.example.com", InvalidBaseUrl::UserInfo),
            (
                "http://127.0.0.1@evil.example.com",
                InvalidBaseUrl::UserInfo,
            ),
            (
                "https://api.example.com/?key=hunter2",
                InvalidBaseUrl::QueryOrFragment,
            ),
            (
                "https://api.example.com/#x",
                InvalidBaseUrl::QueryOrFragment,
            ),
        ];
        for (url, problem) in cases {
            let refused = BaseUrl::parse(url).expect_err(url);
            assert_eq!(refused, problem, "{url}");
            assert!(!format!("{refused} {refused:?}").contains("hunter2"));
        }
    }

    #[test]
    fn a_segment_cannot_leave_its_place_in_the_path() {
        let base = BaseUrl::parse("https://api.example.com/prefix/").expect("a base");
        let endpoint = base.endpoint(&["v1", "a/../b?c#d", "Messages.json"]);
        assert_eq!(
            endpoint.as_url().as_str(),
            "https://api.example.com/prefix/v1/a%2F..%2Fb%3Fc%23d/Messages.json"
        );
        assert_eq!(format!("{base:?} {endpoint:?}"), "BaseUrl(..) Endpoint(..)");
    }
}
