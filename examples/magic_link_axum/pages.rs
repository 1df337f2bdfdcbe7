//! What the host mounts: a start, the link's page, and what its button does.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use otp_axum::link::{Choice, LinkForm, LinkPage};
use otp_axum::{AcceptLanguage, Browser, Refusal};
use otp_kit::prelude::*;
use otp_kit::request::Purpose;
use otp_kit::verifier::{Attempt, Link, LinkError};

/// Sends a code and a link to an address, and remembers the browser by a cookie.
pub(crate) async fn start(
    State(verifier): State<Arc<Verifier>>,
    headers: HeaderMap,
    typed: String,
) -> Response {
    let Ok(address) = EmailAddress::parse(&typed) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let Ok((browser, cookie)) = Browser::known_or_new(&headers, &OsRandom) else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let issue = Issue::to(address)
        .for_purpose("login")
        .with_link(Link::for_browser(browser.binding().clone()))
        .from(RequestContext::new());
    match verifier.issue(issue).await {
        Ok(_issued) => ([(SET_COOKIE, cookie)], "look into your mail\n").into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}

/// Shows a button. Whatever opens links by itself finds nothing to do here.
pub(crate) async fn show(
    State(verifier): State<Arc<Verifier>>,
    asked: AcceptLanguage,
    RawQuery(query): RawQuery,
) -> LinkPage {
    let speech = verifier.link_speech(asked.locales());
    match LinkForm::read(query.as_deref().unwrap_or_default()) {
        Ok(form) => LinkPage::ask(&speech, &form, &[]),
        Err(refusal) => LinkPage::refused(&speech, refusal.status()),
    }
}

/// Signs in the browser that asked, shows another one the code, or stops it all.
pub(crate) async fn act(
    State(verifier): State<Arc<Verifier>>,
    asked: AcceptLanguage,
    headers: HeaderMap,
    form: Result<LinkForm, Refusal>,
) -> LinkPage {
    let speech = verifier.link_speech(asked.locales());
    let form = match form {
        Ok(form) => form,
        Err(refusal) => return LinkPage::refused(&speech, refusal.status()),
    };
    let context = RequestContext::new();
    let context = match Browser::of(&headers) {
        Some(browser) => context.bound_to(browser.binding().clone()),
        None => context,
    };
    let attempt = Attempt::new(form.token()).for_purpose(Purpose::LOGIN);
    if form.choice() == Choice::Disown {
        return match verifier.disown_link(attempt, context).await {
            Ok(()) => LinkPage::disowned(&speech),
            Err(_) => LinkPage::refused(&speech, StatusCode::BAD_REQUEST),
        };
    }
    match verifier.verify_link(attempt, context).await {
        // Here the host starts its session for `verified.destination()`.
        Ok(_verified) => LinkPage::signed_in(&speech),
        Err(LinkError::OtherBrowser(relay)) => LinkPage::relay(&speech, &relay),
        Err(_) => LinkPage::refused(&speech, StatusCode::BAD_REQUEST),
    }
}
