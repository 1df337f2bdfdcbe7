//! `GET /auth/link?token=` shows a button and does nothing. `POST /auth/link` signs in the browser
//! that asked, shows any other one the code, or stops what somebody else began.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::header::{HeaderValue, InvalidHeaderValue, SET_COOKIE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use otp_axum::cookie;
use otp_axum::link::{Answer, Choice, LinkForm, LinkPage};
use otp_axum::openapi::{Api, Operation, Schema};
use otp_axum::{AcceptLanguage, Browser};
use otp_kit::delivery::LinkSpeech;
use otp_kit::request::{Purpose, RequestContext};
use otp_kit::verifier::{Attempt, LinkError, Relay, Verified, VerifyError};
use serde_json::json;

use super::sign_in::SignedIn;
use crate::answer::{Declined, Refusal};
use crate::app::App;
use crate::client::Client;
use crate::users::User;
use otp_axum::sign_in::{self, NOT_VERIFIED};

/// The cookie that a browser is signed in by; it ends with the browser, and its token before.
pub(crate) const SESSION: &str = "__Host-otp_session";

pub(crate) fn routes() -> Api<Arc<App>> {
    let show = Operation::get("Shows what a link is for, and does nothing")
        .query("token", Schema::text_up_to(128))
        .gives_page(200)
        .refuses([Refusal::INVALID_LINK]);
    let body = Schema::object([
        ("token", Schema::text_up_to(128)),
        ("disown?", Schema::flag().or_null()),
    ]);
    let other_browser = Schema::object([
        ("detail", Schema::text()),
        ("code", Schema::word([Refusal::OTHER_BROWSER.code()])),
        ("relay_code", Schema::text()),
    ]);
    let act = Operation::post("Signs in the browser that asked, once, or stops the sign-in")
        .takes_as(
            ["application/json", "application/x-www-form-urlencoded"],
            body,
        )
        .gives(200, SignedIn::schema(User::schema()))
        .gives_page(200)
        .gives_page(303)
        .gives_nothing(204)
        .gives(409, other_browser)
        .refuses([Refusal::INVALID_LINK])
        .refuses(NOT_VERIFIED);
    Api::new()
        .operation("/auth/link", show, self::show)
        .operation("/auth/link", act, self::act)
}

/// Shows what the link is for. It asks nobody whether the link is right: a page that did would
/// tell, and would cost a look-up for every scanner that opens it.
pub(crate) async fn show(
    State(app): State<Arc<App>>,
    asked: AcceptLanguage,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let speech = app.verifier.link_speech(asked.locales());
    let page = match LinkForm::read(query.as_deref().unwrap_or_default()) {
        Ok(form) => {
            let links = app.verifier.links();
            LinkPage::ask(&speech, &form, links.map_or(&[], |links| links.returns()))
        }
        Err(refusal) => match Answer::wanted(&headers) {
            Answer::Json => return refusal.into_response(),
            Answer::Page => LinkPage::refused(&speech, refusal.status()),
        },
    };
    page.into_response()
}

/// Does what the form says.
pub(crate) async fn act(
    State(app): State<Arc<App>>,
    Client(context): Client,
    asked: AcceptLanguage,
    headers: HeaderMap,
    form: Result<LinkForm, Refusal>,
) -> Response {
    let answer = Answer::wanted(&headers);
    let speech = app.verifier.link_speech(asked.locales());
    let signs_in = matches!(&form, Ok(form) if form.choice() == Choice::SignIn);
    let context = match Browser::of(&headers) {
        Some(browser) => context.bound_to(browser.binding().clone()),
        None => context,
    };
    let done = match form {
        Ok(form) => done(&app, &form, &context).await,
        Err(refusal) => Err(refusal.into()),
    };
    match done {
        Ok(done) => done.answered(answer, &speech),
        Err(declined) => {
            let response = declined_as(answer, declined, &speech);
            let is_spent = signs_in && response.status() == Refusal::INVALID_LINK.status();
            if is_spent && answer == Answer::Page && is_signed_in(&app, &headers).await {
                return LinkPage::signed_in_already(&speech).into_response();
            }
            response
        }
    }
}

/// Says whether the browser has a session: a reload, the back button or another tab of the one that
/// the link signed in. `SameSite` keeps the cookie from what other sites send.
async fn is_signed_in(app: &App, headers: &HeaderMap) -> bool {
    let door = &app.door.front;
    match cookie::find(headers, SESSION) {
        Some(token) => door.sessions().check(token, door.tenant()).await.is_ok(),
        None => false,
    }
}

/// What a form came to.
enum Done {
    SignedIn(SignedIn, Box<Verified>),
    Relayed(Relay),
    Disowned,
}

async fn done(app: &App, form: &LinkForm, context: &RequestContext) -> Result<Done, Declined> {
    let attempt = Attempt::new(form.token()).for_purpose(Purpose::LOGIN);
    match form.choice() {
        Choice::Disown => match app.verifier.disown_link(attempt, context).await {
            Ok(()) => Ok(Done::Disowned),
            Err(error) => Err(refused(error)),
        },
        Choice::SignIn => match app.verifier.verify_link(attempt, context).await {
            Ok(verified) => {
                let begun = sign_in::begin(&app.door.front, app, &verified, None, context);
                let signed_in = begun.await?;
                Ok(Done::SignedIn(signed_in, Box::new(verified)))
            }
            Err(LinkError::OtherBrowser(relay)) => Ok(Done::Relayed(relay)),
            Err(LinkError::NotAccepted(error)) => Err(refused(error)),
            Err(_) => Err(Refusal::INVALID_LINK.into()),
        },
    }
}

fn refused(error: VerifyError) -> Declined {
    match error {
        VerifyError::Rejected => Refusal::INVALID_LINK.into(),
        error => error.into(),
    }
}

impl Done {
    fn answered(self, answer: Answer, speech: &LinkSpeech<'_>) -> Response {
        match (self, answer) {
            (Self::SignedIn(signed_in, _), Answer::Json) => Json(signed_in).into_response(),
            (Self::SignedIn(signed_in, verified), Answer::Page) => {
                let page = match verified.return_to() {
                    Some(address) => LinkPage::go_on(speech, address),
                    None => LinkPage::signed_in(speech).into_response(),
                };
                with_session(page, &signed_in, speech)
            }
            (Self::Relayed(relay), Answer::Page) => LinkPage::relay(speech, &relay).into_response(),
            (Self::Relayed(relay), Answer::Json) => {
                let refusal = Refusal::OTHER_BROWSER;
                let told = json!({
                    "detail": refusal.detail(),
                    "code": refusal.code(),
                    "relay_code": relay.code().expose(),
                });
                (refusal.status(), Json(told)).into_response()
            }
            (Self::Disowned, Answer::Page) => LinkPage::disowned(speech).into_response(),
            (Self::Disowned, Answer::Json) => StatusCode::NO_CONTENT.into_response(),
        }
    }
}

/// Signs the browser in. The token is plain ASCII; without the cookie the page would say more than
/// is true.
fn with_session(mut page: Response, signed_in: &SignedIn, speech: &LinkSpeech<'_>) -> Response {
    match session_cookie(signed_in.tokens.access_token()) {
        Ok(cookie) => {
            page.headers_mut().insert(SET_COOKIE, cookie);
            page
        }
        Err(_) => LinkPage::refused(speech, StatusCode::INTERNAL_SERVER_ERROR).into_response(),
    }
}

/// Writes the cookie of a session. It goes to this host alone, and ends with the browser.
pub(super) fn session_cookie(token: &str) -> Result<HeaderValue, InvalidHeaderValue> {
    let cookie = format!("{SESSION}={token}; Path=/; HttpOnly; Secure; SameSite=Lax");
    let mut cookie = HeaderValue::try_from(cookie)?;
    cookie.set_sensitive(true);
    Ok(cookie)
}

/// A page for people keeps the status and the headers of the refusal, such as when to come back.
fn declined_as(answer: Answer, declined: Declined, speech: &LinkSpeech<'_>) -> Response {
    let response = declined.into_response();
    match answer {
        Answer::Json => response,
        Answer::Page => {
            let mut page = LinkPage::refused(speech, response.status()).into_response();
            for (name, value) in response.headers() {
                page.headers_mut().entry(name).or_insert(value.clone());
            }
            page
        }
    }
}
