use std::fmt;

use thiserror::Error;

use crate::challenge::LinkToken;
use crate::secret::SecretString;

/// The longest address of a page.
const MAX_ADDRESS: usize = 512;
/// Where `http` is as good as `https`: nothing leaves the machine.
const LOOPBACK: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// Where links lead to, where they may lead on to, and what they do in another browser.
///
/// Everything here is configuration. No address is ever made of a request's `Host`, which whoever
/// asks can choose (OWASP, Forgot Password Cheat Sheet).
///
/// # Examples
/// ```
/// use otp_core::delivery::{LinkSettings, ReturnAddress};
///
/// let links = LinkSettings::at("https://id.example.com/auth/link")?
///     .allow_return(ReturnAddress::parse("https://app.example.com/inbox")?);
/// assert!(links.return_address("https://app.example.com/inbox").is_some());
/// assert!(links.return_address("https://app.example.com/inbox/..").is_none());
/// assert!(LinkSettings::at("http://id.example.com/auth/link").is_err());
/// # Ok::<(), otp_core::delivery::InvalidAddress>(())
/// ```
#[derive(Clone, Debug)]
pub struct LinkSettings {
    page: Box<str>,
    returns: Vec<ReturnAddress>,
    other_browser: OtherBrowser,
}

/// What a link does in a browser that is not the one that asked for it. It never signs in there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum OtherBrowser {
    /// It shows the message's code, to be typed where the sign-in began. The default.
    #[default]
    Relay,
    /// It is refused like a wrong one.
    Refuse,
}

impl LinkSettings {
    /// Names the page that links open: `https`, or `http` on the same machine, without a query.
    ///
    /// # Errors
    /// [`InvalidAddress`] where it is no such address.
    pub fn at(page: &str) -> Result<Self, InvalidAddress> {
        let address = ReturnAddress::parse(page)?;
        if page.contains('?') {
            return Err(InvalidAddress);
        }
        Ok(Self {
            page: address.0,
            returns: Vec::new(),
            other_browser: OtherBrowser::default(),
        })
    }

    /// Adds an address that a sign-in may go on to. Default: none.
    #[must_use]
    pub fn allow_return(mut self, address: ReturnAddress) -> Self {
        self.returns.push(address);
        self
    }

    /// Sets what a link does in another browser. Default: [`OtherBrowser::Relay`].
    #[must_use]
    pub fn other_browser(mut self, other_browser: OtherBrowser) -> Self {
        self.other_browser = other_browser;
        self
    }

    /// Finds the allowed address that a client names: the same characters, no prefix, no pattern,
    /// nothing decoded. `None` where it is not one.
    #[must_use]
    pub fn return_address(&self, named: &str) -> Option<&ReturnAddress> {
        self.returns.iter().find(|allowed| &*allowed.0 == named)
    }

    /// Lists the addresses that a sign-in may go on to.
    #[must_use]
    pub fn returns(&self) -> &[ReturnAddress] {
        &self.returns
    }

    pub(crate) fn allows(&self, address: &ReturnAddress) -> bool {
        self.returns.contains(address)
    }

    pub(crate) const fn elsewhere(&self) -> OtherBrowser {
        self.other_browser
    }

    /// Writes the links of a message.
    #[must_use]
    pub fn links(&self, token: &LinkToken) -> MessageLink {
        let (page, token) = (&self.page, token.to_text());
        let token = token.expose();
        MessageLink {
            open: SecretString::new(format!("{page}?token={token}")),
            disown: SecretString::new(format!("{page}?token={token}&disown=1")),
        }
    }
}

/// An address that a sign-in may go on to: absolute, `https` (or `http` on the same machine),
/// without a user, a fragment, or anything that programs read differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnAddress(Box<str>);

/// The text is no address of a page as links may have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("an address of a page is https, or http on this machine, and at most 512 plain characters")]
pub struct InvalidAddress;

impl ReturnAddress {
    /// Takes an address of at most 512 characters.
    ///
    /// # Errors
    /// [`InvalidAddress`] where it is none.
    pub fn parse(text: &str) -> Result<Self, InvalidAddress> {
        let plain =
            |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?[]!$&()*+,;=%".contains(&byte);
        if text.len() > MAX_ADDRESS || !text.bytes().all(plain) {
            return Err(InvalidAddress);
        }
        let (scheme, rest) = text.split_once("://").ok_or(InvalidAddress)?;
        let authority = rest.split(['/', '?']).next().unwrap_or_default();
        let host = host(authority).ok_or(InvalidAddress)?;
        match scheme {
            "https" => Ok(Self(text.into())),
            "http" if LOOPBACK.contains(&host) => Ok(Self(text.into())),
            _ => Err(InvalidAddress),
        }
    }

    /// Gives the address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Gives scheme, host and port: what a content security policy names.
    #[must_use]
    pub fn origin(&self) -> &str {
        let start = self.0.find("://").map_or(0, |at| at.saturating_add(3));
        let rest = self.0.get(start..).unwrap_or_default();
        let end = rest.find(['/', '?']).unwrap_or(rest.len());
        let end = start.saturating_add(end);
        self.0.get(..end).unwrap_or_default()
    }
}

/// Finds the host of an authority that has neither a user nor a strange port.
fn host(authority: &str) -> Option<&str> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let end = rest.find(']')?.checked_add(2)?;
            let (host, port) = authority.split_at_checked(end)?;
            (host, port)
        }
        None => {
            let end = authority.find(':').unwrap_or(authority.len());
            authority.split_at_checked(end)?
        }
    };
    let numbered = match port.strip_prefix(':') {
        Some(port) => port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok(),
        None => port.is_empty(),
    };
    let named = |host: &str| {
        let label = |label: &str| !label.is_empty() && !label.starts_with('-');
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.');
        host.split('.').all(label) && host.bytes().all(plain)
    };
    let bare = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let fits = match bare {
        Some(bare) => bare.parse::<std::net::Ipv6Addr>().is_ok(),
        None => named(host),
    };
    (fits && numbered).then_some(host)
}

/// The links of one message: one that opens the page, and one that opens it to say "this was not
/// me". Both are secrets: `Debug` shows nothing of them.
#[derive(Clone)]
pub struct MessageLink {
    open: SecretString,
    disown: SecretString,
}

impl MessageLink {
    /// Gives the address that is opened to sign in; for the message only.
    #[must_use]
    pub fn open(&self) -> &str {
        self.open.expose()
    }

    /// Gives the address that is opened to say "this was not me"; for the message only.
    #[must_use]
    pub fn disown(&self) -> &str {
        self.disown.expose()
    }
}

impl fmt::Debug for MessageLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MessageLink(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_https_or_on_this_machine_and_read_one_way_only() {
        for good in [
            "https://id.example.com",
            "https://id.example.com:8443/a/b?c=d&e=%20",
            "https://[2001:db8::1]:443/",
            "http://127.0.0.1:8080/auth/link",
            "http://localhost",
            "http://[::1]:1/",
        ] {
            assert!(ReturnAddress::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "/auth/link",
            "//evil.example",
            "https:id.example.com",
            "https://",
            "https:///path",
            "https://user@id.example.com/",
            "https://id.example.com#x",
            "https://id.example.com\\@evil.example",
            "https://id.example.com/\u{0}",
            "https://id.example.com/ x",
            "https://id.example.com/\r\nset-cookie:a=b",
            "https://.example.com",
            "https://id..example.com",
            "https://id.example.com:80a/",
            "https://id.example.com:99999/",
            "https://[::1]x/",
            "https://[id.example.com]/",
            "http://id.example.com/",
            "http://127.0.0.1.evil.example/",
            "HTTPS://id.example.com",
            "javascript://id.example.com/%0aalert(1)",
            "data://x",
            "https://ex\u{e4}mple.com",
        ] {
            assert_eq!(ReturnAddress::parse(bad), Err(InvalidAddress), "{bad}");
        }
        let long = format!("https://id.example.com/{}", "a".repeat(MAX_ADDRESS));
        assert!(ReturnAddress::parse(&long).is_err());
        assert!(LinkSettings::at("https://id.example.com/?a=b").is_err());
    }

    #[test]
    fn only_the_very_address_that_is_allowed_is_returned_to() {
        let app = ReturnAddress::parse("https://app.example.com/inbox").expect("an address");
        let links = LinkSettings::at("https://id.example.com/l").expect("settings");
        let links = links.allow_return(app.clone());
        assert_eq!(links.return_address(app.as_str()), Some(&app));
        for other in [
            "https://app.example.com/inbox/",
            "https://app.example.com/inbox?next=//evil.example",
            "https://app.example.com/inbo",
            "https://app.example.com.evil.example/inbox",
            "https://APP.example.com/inbox",
            "//app.example.com/inbox",
            "",
        ] {
            assert_eq!(links.return_address(other), None, "{other}");
        }
    }

    #[test]
    fn an_origin_is_all_before_the_path() {
        for (address, origin) in [
            ("https://a.example", "https://a.example"),
            ("https://a.example:444/x?y=z", "https://a.example:444"),
            ("https://a.example?y=/z", "https://a.example"),
        ] {
            let address = ReturnAddress::parse(address).expect("an address");
            assert_eq!(address.origin(), origin);
        }
    }
}
