//! Signing in and out.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Extension, Request, State};
use axum::http::header::{HeaderMap, RETRY_AFTER};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse as _, Redirect, Response};
use otp_core::quota::{Quota, QuotaClaim, QuotaKey, Refused, Scope};
use otp_core::request::RequestContext;
use otp_core::secret::SecretString;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::access::Visitor;
use super::cookie::{self, Name};
use super::form::{self, Sent};
use super::origin;
use super::render::Shown;
use super::session::{IDLE, Session};
use super::trouble::Trouble;
use super::view::Place;
use super::{OperatorPage, Page};
use crate::Client;

/// Tokens that may be tried from one address.
const TRIES: u32 = 5;
const WITHIN: Duration = Duration::from_secs(60);
/// The longest token that is looked at.
const LONGEST: usize = 512;
const REASON: &str = "operator page";

/// The sign-in form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Credentials {
    token: String,
    #[serde(default)]
    then: Place,
}

/// What the sign-in page says beside its form.
#[derive(Serialize)]
struct Asked {
    then: Place,
    wrong: Option<&'static str>,
    /// The browser was led here by another site and left the cookie behind; asked again by this
    /// page it brings it.
    again: bool,
}

/// The fields of a form that has none.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

pub(super) async fn show(State(page): State<Arc<Page>>, headers: HeaderMap) -> Shown {
    page.ask_for_token(&headers, None, None)
}

pub(super) async fn sign_in(
    State(page): State<Arc<Page>>,
    Client(context): Client,
    headers: HeaderMap,
    request: Request,
) -> Response {
    let Ok(scheme) = origin::own(&headers) else {
        return page.trouble(None, Trouble::Forged).into_response();
    };
    let credentials: Credentials = match form::read(request).await {
        Ok(credentials) => credentials,
        Err(trouble) => return page.trouble(None, trouble).into_response(),
    };
    if let Err(refused) = page.try_from(&context) {
        let wait = refused.retry_after().as_secs().saturating_add(1);
        let said = "Too many tries from this address. Wait a minute.";
        let shown = page.ask_for_token(&headers, None, Some(said));
        let shown = shown.with(StatusCode::TOO_MANY_REQUESTS);
        return ([(RETRY_AFTER, wait.to_string())], shown).into_response();
    }
    let given = Zeroizing::new(credentials.token);
    let token = given.trim();
    let known = Some(token).filter(|token| token.len() <= LONGEST);
    let Some(name) = known.and_then(|token| page.name_of(token)) else {
        page.note_stranger(&context).await;
        let wrong = Some("That is no operator's token.");
        return page.ask_for_token(&headers, None, wrong).into_response();
    };
    let visitor = Visitor {
        name,
        context,
        session: None,
        notice: None,
    };
    // In an outage of the store the page is needed most, and what changes things has records of
    // its own.
    let record = async {
        page.operator(&visitor, REASON)?
            .record("page_sign_in")
            .await
            .map_err(Trouble::from)
    };
    if record.await.is_err() {
        tracing::warn!(target: "otp_kit", operator = %visitor.name, "a sign-in is not on record");
    }
    let keys = page.verifier.keys().snapshot();
    let token = SecretString::from(token);
    let begun = Session::begin(token, scheme, page.random.as_ref(), page.clock.now())
        .map_err(|_| Trouble::Ours)
        .and_then(|session| {
            let sealed = session.sealed(&keys, page.random.as_ref());
            sealed.map_err(|_| Trouble::Ours)
        });
    match begun {
        Ok(value) => {
            let mut response = Redirect::to(&credentials.then.path()).into_response();
            cookie::set(response.headers_mut(), Name::Session, &value, IDLE, scheme);
            response
        }
        Err(trouble) => page.trouble(None, trouble).into_response(),
    }
}

pub(super) async fn sign_out(
    State(page): State<Arc<Page>>,
    Extension(visitor): Extension<Visitor>,
    Sent(Nothing {}): Sent<Nothing>,
) -> Response {
    let mut response = Redirect::to(OperatorPage::PATH).into_response();
    if let Some(session) = &visitor.session {
        if let Err(error) = page.end(session).await {
            tracing::warn!(target: "otp_kit", %error, "a session ended in its browser only");
        }
        cookie::clear(response.headers_mut(), Name::Session, session.scheme);
        cookie::clear(response.headers_mut(), Name::Notice, session.scheme);
    }
    response
}

impl Page {
    /// Counts a try.
    fn try_from(&self, context: &RequestContext) -> Result<(), Refused> {
        let bucket = context.client_address().bucket();
        let Ok(quota) = Quota::window(TRIES, WITHIN) else {
            return Ok(());
        };
        let key = QuotaKey::new("operator_page_sign_in", Scope::Address, "", &bucket);
        let claim = QuotaClaim::new(key, quota);
        let now = self.clock.now().as_millis();
        self.tries.check(&claim, now).map(drop)
    }

    /// Asks who is there; `path` is where they wanted to go.
    pub(super) fn ask_for_token(
        &self,
        headers: &HeaderMap,
        path: Option<&Uri>,
        wrong: Option<&'static str>,
    ) -> Shown {
        let site = headers
            .get("sec-fetch-site")
            .and_then(|value| value.to_str().ok());
        let asked = Asked {
            then: path.map(Place::of).unwrap_or_default(),
            wrong,
            again: path.is_some() && site == Some("cross-site"),
        };
        self.render("sign_in.html", None, &asked)
            .with(StatusCode::UNAUTHORIZED)
    }
}
