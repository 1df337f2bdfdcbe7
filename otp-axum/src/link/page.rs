use std::fmt;

use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_LANGUAGE, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName,
    HeaderValue, LOCATION, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::response::{IntoResponse, Response};
use minijinja::HtmlEscape;
use otp_core::delivery::{LinkSpeech, LinkWords, Locale, ReturnAddress};
use otp_core::verifier::Relay;

use super::{Choice, LinkForm};

/// The style of every page; the policy of its headers allows this and no other.
pub const STYLE: &str = "body{font:18px/1.5 system-ui,sans-serif;max-width:30em;margin:3em auto;\
    padding:0 1em;color:#111;background:#fff}button{font:inherit;padding:.6em 1.4em;margin:.4em 0;\
    border:1px solid #111;border-radius:.4em;background:#fff;color:#111;cursor:pointer}\
    button.main{background:#111;color:#fff}output{display:block;font-size:2em;letter-spacing:.2em}\
    :root{color-scheme:light dark}@media(prefers-color-scheme:dark){body{color:#eee;background:#111}\
    button{border-color:#eee;background:#111;color:#eee}button.main{background:#eee;color:#111}}";
/// The base64 of the style's SHA-256.
const STYLE_HASH: &str = "0PmCfDyZHVrzciPEbdogfFtkTxm1ZcnHqTEWt32uzkY=";

/// A page of the sign-in by link, in the language of a [`LinkSpeech`]: what
/// [`Verifier::link_speech`](otp_core::verifier::Verifier::link_speech) gives for the languages that
/// the browser asks for ([`AcceptLanguage`](crate::AcceptLanguage)).
///
/// Every one carries `Cache-Control: no-store`, `Referrer-Policy: no-referrer`, a content security
/// policy that allows nothing but its own form and style, and may stand in no frame.
///
/// # Examples
/// ```
/// use axum::extract::State;
/// use otp_axum::AcceptLanguage;
/// use otp_axum::link::{LinkForm, LinkPage};
/// use otp_core::verifier::Verifier;
///
/// async fn show(State(verifier): State<Verifier>, asked: AcceptLanguage, form: String) -> LinkPage {
///     let speech = verifier.link_speech(asked.locales());
///     match LinkForm::read(&form) {
///         Ok(form) => LinkPage::ask(&speech, &form, &[]),
///         Err(refusal) => LinkPage::refused(&speech, refusal.status()),
///     }
/// }
/// ```
#[derive(Debug)]
pub struct LinkPage {
    status: StatusCode,
    language: Locale,
    html: String,
    form_to: String,
}

impl LinkPage {
    /// Asks what to do with a link; nothing has happened yet. `returns` is where the sign-in may
    /// lead on to: browsers follow a form's redirect to nowhere else.
    #[must_use]
    pub fn ask(speech: &LinkSpeech<'_>, form: &LinkForm, returns: &[ReturnAddress]) -> Self {
        let words = &speech.words;
        let button = |class, choice, label| {
            let disown = match choice {
                Choice::SignIn => "",
                Choice::Disown => "<input type=\"hidden\" name=\"disown\" value=\"1\">",
            };
            format!(
                "<form method=\"post\" action=\"?\"><input type=\"hidden\" name=\"token\" \
                 value=\"{}\">{disown}<button class=\"{class}\">{}</button></form>",
                form.token(),
                HtmlEscape(label),
            )
        };
        let (main, also) = match form.choice() {
            Choice::SignIn => (
                button("main", Choice::SignIn, words.sign_in),
                button("also", Choice::Disown, words.not_me),
            ),
            Choice::Disown => (
                button("main", Choice::Disown, words.not_me),
                button("also", Choice::SignIn, words.was_me),
            ),
        };
        let mut origins: Vec<&str> = returns.iter().map(ReturnAddress::origin).collect();
        origins.sort_unstable();
        origins.dedup();
        let body = format!(
            "{}{main}{}{also}",
            Paragraph(words.opened),
            Paragraph(words.stop)
        );
        Self {
            form_to: format!(" {}", origins.join(" ")),
            ..Self::saying(speech, StatusCode::OK, words.sign_in, &body)
        }
    }

    /// Says that the person is signed in.
    #[must_use]
    pub fn signed_in(speech: &LinkSpeech<'_>) -> Self {
        let words = &speech.words;
        Self::plain(
            speech,
            StatusCode::OK,
            words.signed_in_title,
            words.signed_in,
        )
    }

    /// Says so to whoever presses the button again in the browser that is signed in.
    #[must_use]
    pub fn signed_in_already(speech: &LinkSpeech<'_>) -> Self {
        let LinkWords {
            signed_in_title,
            signed_in_already,
            ..
        } = speech.words;
        Self::plain(speech, StatusCode::OK, signed_in_title, signed_in_already)
    }

    /// Shows the code in a browser that did not ask for the link. Nobody is signed in here.
    #[must_use]
    pub fn relay(speech: &LinkSpeech<'_>, relay: &Relay) -> Self {
        let words = &speech.words;
        let body = format!(
            "{}<p><output><bdi dir=\"ltr\">{}</bdi></output></p>{}",
            Paragraph(words.relay),
            HtmlEscape(relay.code().expose()),
            Paragraph(words.relay_warning),
        );
        Self::saying(speech, StatusCode::OK, words.relay_title, &body)
    }

    /// Says that the sign-in was stopped.
    #[must_use]
    pub fn disowned(speech: &LinkSpeech<'_>) -> Self {
        let words = &speech.words;
        Self::plain(speech, StatusCode::OK, words.stopped_title, words.stopped)
    }

    /// Says that nothing came of it, in one sentence for every reason.
    #[must_use]
    pub fn refused(speech: &LinkSpeech<'_>, status: StatusCode) -> Self {
        let words = &speech.words;
        Self::plain(speech, status, words.refused_title, words.refused)
    }

    /// Goes on to an allowed address, after a sign-in.
    #[must_use]
    pub fn go_on(speech: &LinkSpeech<'_>, address: &ReturnAddress) -> Response {
        let mut response = Self::signed_in(speech).into_response();
        // An address holds plain characters only.
        if let Ok(address) = HeaderValue::from_str(address.as_str()) {
            *response.status_mut() = StatusCode::SEE_OTHER;
            response.headers_mut().insert(LOCATION, address);
        }
        response
    }

    fn plain(speech: &LinkSpeech<'_>, status: StatusCode, title: &str, text: &str) -> Self {
        Self::saying(speech, status, title, &Paragraph(text).to_string())
    }

    fn saying(speech: &LinkSpeech<'_>, status: StatusCode, title: &str, body: &str) -> Self {
        let html = format!(
            "<!doctype html><html lang=\"{}\" dir=\"{}\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\">\
             <meta name=\"robots\" content=\"noindex\"><title>{title}</title>\
             <style>{STYLE}</style></head><body><h1>{title}</h1>{body}</body></html>",
            speech.language.as_str(),
            speech.direction.as_str(),
            title = HtmlEscape(title),
        );
        Self {
            status,
            language: speech.language.clone(),
            html,
            form_to: String::new(),
        }
    }

    fn policy(&self) -> String {
        format!(
            "default-src 'none'; style-src 'sha256-{STYLE_HASH}'; form-action 'self'{}; \
             base-uri 'none'; frame-ancestors 'none'",
            self.form_to.trim_end(),
        )
    }
}

/// A sentence as a paragraph.
struct Paragraph<'a>(&'a str);

impl fmt::Display for Paragraph<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<p>{}</p>", HtmlEscape(self.0))
    }
}

impl IntoResponse for LinkPage {
    fn into_response(self) -> Response {
        let policy = HeaderValue::try_from(self.policy());
        // A tag is letters, digits and hyphens.
        let language = HeaderValue::from_str(self.language.as_str());
        let mut response = (self.status, self.html).into_response();
        let fixed: [(HeaderName, &str); 6] = [
            (CONTENT_TYPE, "text/html; charset=utf-8"),
            (CACHE_CONTROL, "no-store"),
            (REFERRER_POLICY, "no-referrer"),
            (VARY, "Accept-Language"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (X_FRAME_OPTIONS, "DENY"),
        ];
        let headers = response.headers_mut();
        for (name, value) in fixed {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let strictest = HeaderValue::from_static("default-src 'none'");
        headers.insert(CONTENT_SECURITY_POLICY, policy.unwrap_or(strictest));
        if let Ok(language) = language {
            headers.insert(CONTENT_LANGUAGE, language);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use otp_core::delivery::Direction;

    use super::*;

    #[test]
    fn a_page_loads_nothing_frames_nowhere_and_leads_only_where_it_may() {
        let form = LinkForm::read("token=abc").unwrap();
        let returns = ["https://app.example.com/a", "https://app.example.com/b"];
        let returns = returns.map(|address| ReturnAddress::parse(address).unwrap());
        let page = LinkPage::ask(&LinkSpeech::default(), &form, &returns);
        assert!(!page.html.contains("script") && !page.html.contains("src="));
        let response = page.into_response();
        let policy = response.headers()[CONTENT_SECURITY_POLICY]
            .to_str()
            .unwrap();
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
        assert!(
            policy.contains("form-action 'self' https://app.example.com;"),
            "{policy}"
        );
        assert!(policy.ends_with("frame-ancestors 'none'"));
        assert_eq!(response.headers()[REFERRER_POLICY], "no-referrer");
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
    }

    #[test]
    fn the_link_of_whoever_did_not_ask_asks_that_first() {
        let asked = |form| {
            let form = LinkForm::read(form).unwrap();
            LinkPage::ask(&LinkSpeech::default(), &form, &[]).html
        };
        let (sign_in, disown) = (asked("token=abc"), asked("token=abc&disown=1"));
        let first = |body: &str| body.split("class=\"main\">").nth(1).unwrap().to_owned();
        assert!(first(&sign_in).starts_with("Sign in<"));
        assert!(first(&disown).starts_with("This was not me<"));
    }

    #[test]
    fn after_a_sign_in_it_goes_on_to_the_address_as_it_is() {
        let address = ReturnAddress::parse("https://app.example.com/inbox?a=b").unwrap();
        let response = LinkPage::go_on(&LinkSpeech::default(), &address);
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        assert_eq!(response.headers()[LOCATION], address.as_str());
    }

    #[test]
    fn a_page_names_its_language_and_direction_and_escapes_the_hosts_words() {
        let hostile = "<b onclick=x>\"&'";
        let shipped = LinkSpeech::default();
        let speech = LinkSpeech {
            language: Locale::new("he").unwrap(),
            direction: Direction::RightToLeft,
            words: LinkWords {
                sign_in: hostile,
                opened: hostile,
                stop: hostile,
                not_me: hostile,
                signed_in_title: hostile,
                refused: hostile,
                ..shipped.words
            },
        };
        let form = LinkForm::read("token=abc").unwrap();
        for page in [
            LinkPage::ask(&speech, &form, &[]),
            LinkPage::signed_in(&speech),
            LinkPage::refused(&speech, StatusCode::BAD_REQUEST),
        ] {
            assert!(
                page.html.contains("<html lang=\"he\" dir=\"rtl\">"),
                "{}",
                page.html
            );
            assert!(!page.html.contains("<b ") && page.html.contains("&lt;b onclick=x&gt;"));
            let response = page.into_response();
            assert_eq!(response.headers()[CONTENT_LANGUAGE], "he");
        }
    }
}
