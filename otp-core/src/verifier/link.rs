//! What a host asks of a link, and what is kept of that with the addresses of its challenge.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::Verifier;
use crate::delivery::{LinkSettings, LinkSpeech, Locale, ReturnAddress};
use crate::request::{RequestContext, SessionBinding};

/// Asks for a link in the message, beside the code.
///
/// # Examples
/// ```
/// use otp_core::destination::EmailAddress;
/// use otp_core::request::SessionBinding;
/// use otp_core::verifier::{Issue, Link};
///
/// let browser = SessionBinding::of(b"the value of a random cookie");
/// let issue = Issue::to(EmailAddress::parse("someone@example.org")?)
///     .for_purpose("login")
///     .with_link(Link::for_browser(browser));
/// # Ok::<(), otp_core::destination::InvalidEmailAddress>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Link {
    pub(super) browser: Option<SessionBinding>,
    pub(super) return_to: Option<ReturnAddress>,
}

/// Begins the line after the addresses of a challenge that says whose its link is; no address
/// begins so.
const LINE: &str = "k1|";
/// Stands for what a link does not have.
const NONE: &str = "-";

impl Link {
    /// Asks for a link that signs in the browser of the request
    /// ([`RequestContext::bound_to`]), as the code does. Where the request names none, the link
    /// signs in no browser: it shows the code, to be typed where the sign-in began.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for a link that signs in one browser, while the code goes by the binding of the
    /// request, if it has any: for clients that keep no cookies for the code.
    #[must_use]
    pub fn for_browser(browser: SessionBinding) -> Self {
        Self {
            browser: Some(browser),
            return_to: None,
        }
    }

    /// Names where to go on to afterwards; an address that
    /// [`LinkSettings`] do not allow is an error of the issue.
    #[must_use]
    pub fn returning_to(mut self, address: ReturnAddress) -> Self {
        self.return_to = Some(address);
        self
    }

    /// Takes the browser of the request, where the link has none of its own.
    pub(super) fn or_in(&self, context: &RequestContext) -> Self {
        let browser = self.browser.as_ref().or(context.binding());
        Self {
            browser: browser.cloned(),
            return_to: self.return_to.clone(),
        }
    }

    /// Says whether a request comes from the link's browser.
    pub(super) fn is_opened_by(&self, context: &RequestContext) -> bool {
        match (&self.browser, context.binding()) {
            (Some(asked), Some(opens)) => asked == opens,
            _ => false,
        }
    }

    /// Forgets a return address that is not allowed any more.
    pub(super) fn allowed_by(self, settings: &LinkSettings) -> Self {
        Self {
            return_to: self.return_to.filter(|address| settings.allows(address)),
            ..self
        }
    }

    /// Writes it as a line.
    pub(super) fn to_line(&self) -> String {
        let browser = self.browser.as_ref();
        let browser = browser.map(|browser| URL_SAFE_NO_PAD.encode(browser.as_bytes()));
        let return_to = self.return_to.as_ref().map(ReturnAddress::as_str);
        let browser = browser.as_deref().unwrap_or(NONE);
        format!("{LINE}{browser}|{}", return_to.unwrap_or(NONE))
    }

    /// Says whether a line is one of these, of whatever content.
    pub(super) fn is_line(line: &str) -> bool {
        line.starts_with(LINE)
    }

    /// Reads a line; `None` where it is none.
    pub(super) fn from_line(line: &str) -> Option<Self> {
        let (browser, return_to) = line.strip_prefix(LINE)?.split_once('|')?;
        let browser = match browser {
            NONE => None,
            text => {
                let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
                Some(SessionBinding::from_bytes(bytes.try_into().ok()?))
            }
        };
        let return_to = match return_to {
            NONE => None,
            text => Some(ReturnAddress::parse(text).ok()?),
        };
        Some(Self { browser, return_to })
    }
}

impl Verifier {
    /// Gives where links lead to, where the verifier sends any.
    #[must_use]
    pub fn links(&self) -> Option<&LinkSettings> {
        self.inner.links.as_ref()
    }

    /// Gives the words for the pages of a link, from the catalogue: in the first of these languages
    /// that it speaks, else in the one of messages whose start names none.
    ///
    /// The reader says what to ask for, such as a browser by `Accept-Language`. The locale of the
    /// challenge is not asked: what a page says of a link must not tell whether there is such a one.
    #[must_use]
    pub fn link_speech(&self, asked: &[Locale]) -> LinkSpeech<'_> {
        let catalogue = &self.inner.catalogue;
        let in_first = |locales: &[Locale]| {
            let mut spoken = locales.iter().map(|locale| catalogue.link_speech(locale));
            spoken.find_map(|speech| speech)
        };
        let near = in_first(asked).or_else(|| in_first(&[Locale::default()]));
        near.or_else(|| in_first(&catalogue.locales()))
            .unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_reads_back() {
        let browser = SessionBinding::of(b"cookie");
        let address = ReturnAddress::parse("https://app.example.com/a?b=c").expect("an address");
        for link in [
            Link::new(),
            Link::for_browser(browser.clone()),
            Link::new().returning_to(address.clone()),
            Link::for_browser(browser).returning_to(address),
        ] {
            let line = link.to_line();
            assert!(Link::is_line(&line) && !line.contains('\n'), "{line}");
            let read = Link::from_line(&line).expect("readable");
            assert_eq!(read.browser, link.browser);
            assert_eq!(read.return_to, link.return_to);
        }
        for bad in ["", "k1|", "k1|x|-", "k1|-|javascript://x", "e1|a@b.example"] {
            assert!(Link::from_line(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn only_the_browser_that_asked_opens_a_link_and_none_where_none_asked() {
        let with = |cookie: &[u8]| RequestContext::new().bound_to(SessionBinding::of(cookie));
        let link = Link::new().or_in(&with(b"one"));
        assert!(link.is_opened_by(&with(b"one")));
        assert!(!link.is_opened_by(&with(b"two")));
        assert!(!link.is_opened_by(&RequestContext::new()));
        let of_none = Link::new().or_in(&RequestContext::new());
        assert!(!of_none.is_opened_by(&RequestContext::new()));
        assert!(!of_none.is_opened_by(&with(b"one")));
        let own = Link::for_browser(SessionBinding::of(b"own")).or_in(&with(b"one"));
        assert!(own.is_opened_by(&with(b"own")) && !own.is_opened_by(&with(b"one")));
    }
}
