//! The page that a magic link opens, and what its form sends back.
//!
//! `GET` shows a button and does nothing: mail scanners, previews and prefetching open links.
//! `POST` acts. Nothing here needs JavaScript, and nothing is loaded from anywhere.

mod page;

use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use otp_core::secret::SecretString;
use serde::Deserialize;

use crate::json::{Given, Member, StrictJson, body};
use crate::refusal::Refusal;

pub use page::{LinkPage, STYLE};

/// What the link's address, or the form of its page, says. As an extractor it reads the form that
/// the page sends, or the JSON of a program: `{"token": "...", "disown": true}`.
///
/// # Examples
/// ```
/// use otp_axum::link::{Choice, LinkForm};
///
/// let form = LinkForm::read("token=abc_-9&disown=1")?;
/// assert_eq!((form.token(), form.choice()), ("abc_-9", Choice::Disown));
/// # Ok::<(), otp_axum::Refusal>(())
/// ```
#[derive(Clone, Debug)]
pub struct LinkForm {
    token: SecretString,
    choice: Choice,
}

/// What the person wants with the link.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Choice {
    /// To sign in.
    #[default]
    SignIn,
    /// To say "this was not me".
    Disown,
}

/// How the answer is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// As a page, for people.
    Page,
    /// As JSON, for programs.
    Json,
}

impl LinkForm {
    /// Reads `token=...` and `disown=1`, from a query or a form's body. The token is nothing but
    /// `[A-Za-z0-9_-]`, so it needs no escaping and none is undone. Other members are left alone:
    /// mail programs add some.
    ///
    /// # Errors
    /// [`Refusal::INVALID_LINK`] without a token, with two, or with other characters in it.
    pub fn read(text: &str) -> Result<Self, Refusal> {
        let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
        let mut tokens = pairs.clone().filter(|(name, _)| *name == "token");
        let (Some((_, token)), None) = (tokens.next(), tokens.next()) else {
            return Err(Refusal::INVALID_LINK);
        };
        let disown = pairs.clone().any(|pair| pair == ("disown", "1"));
        Self::of(
            token,
            if disown {
                Choice::Disown
            } else {
                Choice::SignIn
            },
        )
    }

    /// Takes a token as a program sends it.
    ///
    /// # Errors
    /// [`Refusal::INVALID_LINK`] where it is none.
    pub fn of(token: &str, choice: Choice) -> Result<Self, Refusal> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if (1..=128).contains(&token.len()) && token.bytes().all(plain) {
            Ok(Self {
                token: SecretString::from(token),
                choice,
            })
        } else {
            Err(Refusal::INVALID_LINK)
        }
    }

    /// Gives the token, for the verifier.
    #[must_use]
    pub fn token(&self) -> &str {
        self.token.expose()
    }

    /// Says what is wanted.
    #[must_use]
    pub fn choice(&self) -> Choice {
        self.choice
    }
}

/// The body of a program.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Shown {
    token: Member,
    disown: Option<bool>,
}

impl<S: Send + Sync> FromRequest<S> for LinkForm {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        if is_form(request.headers()) {
            let bytes = body(request, state).await?;
            let text = std::str::from_utf8(&bytes).map_err(|_| Refusal::INVALID_LINK)?;
            return Self::read(text);
        }
        let StrictJson(shown) = StrictJson::<Shown>::from_request(request, state).await?;
        let choice = match shown.disown {
            Some(true) => Choice::Disown,
            _ => Choice::SignIn,
        };
        match shown.token.given() {
            Given::Text(token) => Self::of(token, choice),
            _ => Err(Refusal::INVALID_LINK),
        }
    }
}

fn is_form(headers: &HeaderMap) -> bool {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let essence = kind.and_then(|kind| kind.split(';').next());
    essence.is_some_and(|essence| {
        essence
            .trim()
            .eq_ignore_ascii_case("application/x-www-form-urlencoded")
    })
}

impl Answer {
    /// Says how a client wants to be answered: as a page where it takes HTML or sent a form and
    /// asks for nothing, else as JSON.
    #[must_use]
    pub fn wanted(headers: &HeaderMap) -> Self {
        let has = |name, what: &str| {
            let mut values = headers.get_all(name).iter();
            values.any(|value| {
                let value = value.to_str().unwrap_or_default().to_ascii_lowercase();
                value.contains(what)
            })
        };
        let json = has(ACCEPT, "json") || has(CONTENT_TYPE, "application/json");
        match (has(ACCEPT, "text/html"), json) {
            (false, true) => Self::Json,
            _ => Self::Page,
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn a_form_has_one_plain_token() {
        for good in ["token=ab", "utm_source=mail&token=ab", "token=ab&disown=0"] {
            let form = LinkForm::read(good).unwrap();
            assert_eq!((form.token(), form.choice()), ("ab", Choice::SignIn));
        }
        let long = format!("token={}", "a".repeat(129));
        for bad in [
            "",
            "token",
            "token=",
            "token=a&token=b",
            "token=%41",
            "token=a+b",
            "token=\"><script>",
            "TOKEN=a",
            &long,
        ] {
            assert_eq!(
                LinkForm::read(bad).err(),
                Some(Refusal::INVALID_LINK),
                "{bad}"
            );
        }
        let shown = format!("{:?}", LinkForm::read("token=canary").unwrap());
        assert!(!shown.contains("canary"), "{shown}");
    }

    #[test]
    fn programs_get_json_and_people_a_page() {
        let headers = |accept: &'static str, kind: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
            headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
            headers
        };
        const FORM: &str = "application/x-www-form-urlencoded";
        const BROWSER: &str = "text/html,application/xhtml+xml,*/*;q=0.8";
        for (accept, kind, answer) in [
            (BROWSER, FORM, Answer::Page),
            ("*/*", FORM, Answer::Page),
            ("*/*", "application/json", Answer::Json),
            ("application/json", FORM, Answer::Json),
            ("application/problem+json", FORM, Answer::Json),
        ] {
            assert_eq!(
                Answer::wanted(&headers(accept, kind)),
                answer,
                "{accept} {kind}"
            );
        }
    }
}
