//! `POST /api/auth/token/refresh`, `POST /api/v1/auth/logout`, `POST /api/v1/auth/logout-all` and
//! `GET /api/me`: what a client does with its tokens.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use otp_axum::cookie;
use otp_axum::openapi::{Api, Operation, Schema};
use otp_kit::session::Session;
use serde::{Deserialize, Serialize};

use super::link;
use crate::answer::{Declined, Refusal};
use crate::app::App;
use crate::client::Client;
use crate::json::{Given, Member, Strict};
use crate::tokens::Pair;
use crate::users::User;

/// The body of a refresh.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Spent {
    refresh_token: Member,
}

/// Whoever calls, signed in: an access token that holds, of a session that has not ended.
pub(crate) struct SignedIn(pub(super) Session);

impl FromRequestParts<Arc<App>> for SignedIn {
    type Rejection = Declined;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, Declined> {
        let token = bearer(parts).or_else(|| of_page(parts));
        let token = token.ok_or(Refusal::NOT_SIGNED_IN)?;
        let session = app.door.sessions.check(token, &app.door.tenant).await;
        Ok(Self(session.map_err(|error| {
            Declined::of_session(&error, Refusal::NOT_SIGNED_IN)
        })?))
    }
}

/// Takes the one bearer token of a request (RFC 6750 section 2.1).
fn bearer(parts: &Parts) -> Option<&str> {
    let mut all = parts.headers.get_all(AUTHORIZATION).iter();
    let (Some(only), None) = (all.next(), all.next()) else {
        return None;
    };
    let (scheme, token) = only.to_str().ok()?.split_once(' ')?;
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    is_bearer.then_some(token.trim())
}

/// Takes the token of a browser that signed in by a link. Only to read: a cookie comes along with
/// what another page has the browser send.
fn of_page(parts: &Parts) -> Option<&str> {
    let reads = parts.method.is_safe() && !parts.headers.contains_key(AUTHORIZATION);
    reads.then(|| cookie::find(&parts.headers, link::SESSION))?
}

pub(crate) fn routes() -> Api<Arc<App>> {
    let spent = Schema::object([("refresh_token", Schema::text())]);
    let refresh = Operation::post("Takes a refresh token, once, and gives fresh tokens")
        .takes(spent)
        .gives(200, Pair::schema())
        .refuses([Refusal::INVALID_REFRESH_TOKEN, Refusal::UNAVAILABLE]);
    let logout = Operation::post("Ends the session")
        .gives_nothing(204)
        .signed_in();
    let me = Operation::get("Shows who is signed in")
        .gives(200, User::schema())
        .signed_in();
    Api::new()
        .operation("/api/auth/token/refresh", refresh, self::refresh)
        .operation("/api/v1/auth/logout", logout, self::logout)
        .operation("/api/me", me, self::me)
}

/// Describes the end of all sessions of somebody.
pub(crate) fn ends_all() -> Operation {
    Operation::post("Ends every session of whoever is signed in")
        .gives(200, ended())
        .signed_in()
}

/// Describes how many ended.
pub(crate) fn ended() -> Schema {
    Schema::object([("ended", Schema::integer())])
}

/// The route of a listener that operators do not share.
pub(crate) fn logout_all_route() -> Api<Arc<App>> {
    Api::new().operation("/api/v1/auth/logout-all", ends_all(), logout_all)
}

pub(crate) async fn refresh(
    State(app): State<Arc<App>>,
    Client(context): Client,
    Strict(body): Strict<Spent>,
) -> Result<Json<Pair>, Declined> {
    let Given::Text(token) = body.refresh_token.given() else {
        return Err(Refusal::INVALID_REFRESH_TOKEN.into());
    };
    let door = &app.door;
    let tokens = door.sessions.refresh(token, &door.tenant, &context).await;
    let tokens =
        tokens.map_err(|error| Declined::of_session(&error, Refusal::INVALID_REFRESH_TOKEN))?;
    Ok(Json(tokens.into()))
}

pub(crate) async fn logout(
    State(app): State<Arc<App>>,
    Client(context): Client,
    SignedIn(session): SignedIn,
) -> Result<StatusCode, Declined> {
    let ended = app.door.sessions.logout(&session, &context).await;
    ended.map_err(|error| Declined::of_session(&error, Refusal::UNAVAILABLE))?;
    Ok(StatusCode::NO_CONTENT)
}

/// How many sessions ended.
#[derive(Serialize)]
pub(crate) struct Ended {
    ended: u64,
}

pub(crate) async fn logout_all(
    State(app): State<Arc<App>>,
    Client(context): Client,
    SignedIn(session): SignedIn,
) -> Result<Json<Ended>, Declined> {
    let sessions = &app.door.sessions;
    let ended = sessions.logout_all(session.tenant(), session.subject(), &context);
    let ended = ended.await;
    let ended = ended.map_err(|error| Declined::of_session(&error, Refusal::UNAVAILABLE))?;
    Ok(Json(Ended { ended }))
}

pub(crate) async fn me(
    State(app): State<Arc<App>>,
    SignedIn(session): SignedIn,
) -> Result<Json<User>, Declined> {
    let user = app.users.get(session.subject().as_str()).await;
    let user = user.map_err(|_| Refusal::UNAVAILABLE)?;
    Ok(Json(user.ok_or(Refusal::NOT_SIGNED_IN)?))
}
