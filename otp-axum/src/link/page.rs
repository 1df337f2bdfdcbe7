use axum::http::StatusCode;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::response::{IntoResponse, Response};
use otp_core::delivery::ReturnAddress;
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

/// A page of the sign-in by link.
///
/// Every one carries `Cache-Control: no-store`, `Referrer-Policy: no-referrer`, a content security
/// policy that allows nothing but its own form and style, and may stand in no frame.
#[derive(Debug)]
pub struct LinkPage {
    status: StatusCode,
    title: &'static str,
    body: String,
    form_to: String,
}

impl LinkPage {
    /// Asks what to do with a link; nothing has happened yet. `returns` is where the sign-in may
    /// lead on to: browsers follow a form's redirect to nowhere else.
    #[must_use]
    pub fn ask(form: &LinkForm, returns: &[ReturnAddress]) -> Self {
        let button = |class, choice, label| {
            let disown = match choice {
                Choice::SignIn => "",
                Choice::Disown => "<input type=\"hidden\" name=\"disown\" value=\"1\">",
            };
            format!(
                "<form method=\"post\" action=\"?\"><input type=\"hidden\" name=\"token\" \
                 value=\"{}\">{disown}<button class=\"{class}\">{label}</button></form>",
                form.token(),
            )
        };
        let (main, also) = match form.choice() {
            Choice::SignIn => (
                button("main", Choice::SignIn, "Sign in"),
                button("also", Choice::Disown, "This was not me"),
            ),
            Choice::Disown => (
                button("main", Choice::Disown, "This was not me"),
                button("also", Choice::SignIn, "It was me: sign in"),
            ),
        };
        let mut origins: Vec<&str> = returns.iter().map(ReturnAddress::origin).collect();
        origins.sort_unstable();
        origins.dedup();
        Self {
            form_to: format!(" {}", origins.join(" ")),
            ..Self::saying(
                StatusCode::OK,
                "Sign in",
                format!(
                    "<p>You opened a link that signs you in here.</p>{main}\
                     <p>If you did not ask for it, stop it:</p>{also}"
                ),
            )
        }
    }

    /// Says that the person is signed in.
    #[must_use]
    pub fn signed_in() -> Self {
        let body = "<p>You are signed in. You may close this page.</p>".to_owned();
        Self::saying(StatusCode::OK, "Signed in", body)
    }

    /// Says so to whoever presses the button again in the browser that is signed in.
    #[must_use]
    pub fn signed_in_already() -> Self {
        let body = "<p>You are signed in already. You may close this page.</p>".to_owned();
        Self::saying(StatusCode::OK, "Signed in", body)
    }

    /// Shows the code in a browser that did not ask for the link. Nobody is signed in here.
    #[must_use]
    pub fn relay(relay: &Relay) -> Self {
        let body = format!(
            "<p>This is not the browser where the sign-in began. To go on, type this code \
             there:</p><p><output>{}</output></p><p>Tell it to nobody. If you did not begin a \
             sign-in, close this page and choose \u{201c}This was not me\u{201d} in the message.</p>",
            relay.code().expose(),
        );
        Self::saying(StatusCode::OK, "One more step", body)
    }

    /// Says that the sign-in was stopped.
    #[must_use]
    pub fn disowned() -> Self {
        let body = "<p>The sign-in was stopped. The link and the code are worth nothing any \
                    more.</p>"
            .to_owned();
        Self::saying(StatusCode::OK, "Stopped", body)
    }

    /// Says that nothing came of it, in one sentence for every reason.
    #[must_use]
    pub fn refused(status: StatusCode) -> Self {
        let body =
            "<p>This link does not work, or does not work any more. Ask for a new one where \
                    you wanted to sign in.</p>"
                .to_owned();
        Self::saying(status, "Link not accepted", body)
    }

    /// Goes on to an allowed address, after a sign-in.
    #[must_use]
    pub fn go_on(address: &ReturnAddress) -> Response {
        let mut response = Self::signed_in().into_response();
        // An address holds plain characters only.
        if let Ok(address) = HeaderValue::from_str(address.as_str()) {
            *response.status_mut() = StatusCode::SEE_OTHER;
            response.headers_mut().insert(LOCATION, address);
        }
        response
    }

    fn saying(status: StatusCode, title: &'static str, body: String) -> Self {
        Self {
            status,
            title,
            body,
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

impl IntoResponse for LinkPage {
    fn into_response(self) -> Response {
        let html = format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
             content=\"width=device-width\"><meta name=\"robots\" content=\"noindex\"><title>{title}\
             </title><style>{STYLE}</style></head><body><h1>{title}</h1>{}</body></html>",
            self.body,
            title = self.title,
        );
        let policy = HeaderValue::try_from(self.policy());
        let mut response = (self.status, html).into_response();
        let fixed: [(HeaderName, &str); 5] = [
            (CONTENT_TYPE, "text/html; charset=utf-8"),
            (CACHE_CONTROL, "no-store"),
            (REFERRER_POLICY, "no-referrer"),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (X_FRAME_OPTIONS, "DENY"),
        ];
        let headers = response.headers_mut();
        for (name, value) in fixed {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let strictest = HeaderValue::from_static("default-src 'none'");
        headers.insert(CONTENT_SECURITY_POLICY, policy.unwrap_or(strictest));
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_loads_nothing_frames_nowhere_and_leads_only_where_it_may() {
        let form = LinkForm::read("token=abc").unwrap();
        let returns = ["https://app.example.com/a", "https://app.example.com/b"];
        let returns = returns.map(|address| ReturnAddress::parse(address).unwrap());
        let page = LinkPage::ask(&form, &returns);
        assert!(!page.body.contains("script") && !page.body.contains("src="));
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
        let sign_in = LinkPage::ask(&LinkForm::read("token=abc").unwrap(), &[]).body;
        let disown = LinkPage::ask(&LinkForm::read("token=abc&disown=1").unwrap(), &[]).body;
        let first = |body: &str| body.split("class=\"main\">").nth(1).unwrap().to_owned();
        assert!(first(&sign_in).starts_with("Sign in<"));
        assert!(first(&disown).starts_with("This was not me<"));
    }

    #[test]
    fn after_a_sign_in_it_goes_on_to_the_address_as_it_is() {
        let address = ReturnAddress::parse("https://app.example.com/inbox?a=b").unwrap();
        let response = LinkPage::go_on(&address);
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        assert_eq!(response.headers()[LOCATION], address.as_str());
    }
}
