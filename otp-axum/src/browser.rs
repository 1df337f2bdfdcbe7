//! The cookie that tells the browser that asked from every other one.

use axum::http::HeaderMap;
use axum::http::header::HeaderValue;
use otp_core::random::{RandomError, SecureRandom};
use otp_core::request::SessionBinding;

use crate::cookie;

/// The cookie's name. The prefix has browsers refuse it over plain HTTP, for a part of the host or
/// from a neighbouring one (RFC 6265bis section 4.1.3.2).
pub const COOKIE: &str = "__Host-otp_browser";
/// How long it is kept: no challenge lives longer.
const LIFE: u32 = 600;
/// How many characters its value has: 256 random bits in hexadecimal.
const LENGTH: usize = 64;

/// A browser, by the cookie that only it holds.
///
/// # Examples
/// ```
/// use axum::http::HeaderMap;
/// use otp_axum::browser::Browser;
/// use otp_core::random::OsRandom;
///
/// let (browser, cookie) = Browser::known_or_new(&HeaderMap::new(), &OsRandom)?;
/// // `Set-Cookie: cookie`, and `Link::for_browser(browser.binding().clone())`
/// # let _ = (browser, cookie);
/// # Ok::<(), otp_core::random::RandomError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Browser(SessionBinding);

impl Browser {
    /// Knows the browser of a request by its cookie.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let value = cookie::find(headers, COOKIE)?;
        is_ours(value).then(|| Self(SessionBinding::of(value.as_bytes())))
    }

    /// Knows the browser by its cookie, or gives it one; either way the answer sets the cookie, so
    /// that it lives as long as what was asked for.
    ///
    /// # Errors
    /// [`RandomError`] where the random source fails.
    pub fn known_or_new(
        headers: &HeaderMap,
        random: &dyn SecureRandom,
    ) -> Result<(Self, HeaderValue), RandomError> {
        let value = match cookie::find(headers, COOKIE).filter(|value| is_ours(value)) {
            Some(value) => value.to_owned(),
            None => fresh(random)?,
        };
        let set =
            format!("{COOKIE}={value}; Path=/; Max-Age={LIFE}; HttpOnly; Secure; SameSite=Lax");
        let mut set = HeaderValue::try_from(set).map_err(RandomError::with_source)?;
        set.set_sensitive(true);
        Ok((Self(SessionBinding::of(value.as_bytes())), set))
    }

    /// Gives what binds a request to it.
    #[must_use]
    pub fn binding(&self) -> &SessionBinding {
        &self.0
    }
}

fn fresh(random: &dyn SecureRandom) -> Result<String, RandomError> {
    let mut secret = [0_u8; LENGTH / 2];
    random.fill(&mut secret)?;
    Ok(secret.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A value of another shape was not given out here, and may have fewer random bits.
fn is_ours(value: &str) -> bool {
    let hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    value.len() == LENGTH && value.bytes().all(hexadecimal)
}

#[cfg(test)]
mod tests {
    use axum::http::header::COOKIE as COOKIE_HEADER;
    use otp_core::random::OsRandom;

    use super::*;

    fn holding(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let cookie = HeaderValue::from_str(&format!("a=b; {COOKIE}={value}")).unwrap();
        headers.insert(COOKIE_HEADER, cookie);
        headers
    }

    #[test]
    fn a_browser_is_known_by_the_cookie_that_it_was_given_and_keeps_it() {
        let (new, set) = Browser::known_or_new(&HeaderMap::new(), &OsRandom).unwrap();
        let set = set.to_str().unwrap();
        assert!(set.ends_with("; HttpOnly; Secure; SameSite=Lax"), "{set}");
        let value = set.split(['=', ';']).nth(1).unwrap();
        let known = Browser::of(&holding(value)).unwrap();
        assert_eq!(known.binding(), new.binding());
        let (again, set) = Browser::known_or_new(&holding(value), &OsRandom).unwrap();
        assert_eq!(again.binding(), new.binding());
        assert!(set.to_str().unwrap().contains(value));
    }

    #[test]
    fn a_value_that_was_not_given_out_here_names_nobody() {
        for value in ["", "0", &"0".repeat(63), &"0".repeat(65), &"G".repeat(64)] {
            assert!(Browser::of(&holding(value)).is_none(), "{value}");
            let (_, set) = Browser::known_or_new(&holding(value), &OsRandom).unwrap();
            let kept = format!("{COOKIE}={value};");
            assert!(!set.to_str().unwrap().contains(&kept), "{value}");
        }
        let mut two = holding(&"0".repeat(64));
        let other = HeaderValue::from_str(&format!("{COOKIE}={}", "1".repeat(64))).unwrap();
        two.append(COOKIE_HEADER, other);
        assert!(Browser::of(&two).is_none());
    }
}
