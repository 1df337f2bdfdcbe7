//! `POST /auth/fan/from-onboarding`: signs in whoever brings the pass that an operator issued, once,
//! by a cookie.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderName;
use axum::http::header::{HeaderValue, SET_COOKIE};
use otp_axum::openapi::{Api, Operation, Schema};
use otp_kit::session::StateError;
use serde::{Deserialize, Serialize};

use super::link;
use crate::answer::{Declined, Refusal};
use crate::app::App;
use crate::client::Client;
use crate::json::{Given, Member, Strict};
use crate::users::User;

/// The pass, under the name that the runbook has for it.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Brought {
    #[serde(rename = "sessionId")]
    session_id: Member,
}

/// Who is signed in. The token is in the cookie alone, where no script reads it.
#[derive(Serialize)]
pub(crate) struct Welcome {
    status: &'static str,
    user: User,
}

pub(crate) fn routes() -> Api<Arc<App>> {
    let welcome = Schema::object([("status", Schema::word(["ok"])), ("user", User::schema())]);
    let sign_in = Operation::post("Signs in whoever brings an operator's pass, by a cookie")
        .takes(Schema::object([("sessionId", Schema::some_text())]))
        .gives(200, welcome)
        .refuses([
            Refusal::SESSION_REQUIRED,
            Refusal::INVALID_SESSION,
            Refusal::INVALID_STATE,
            Refusal::UNAVAILABLE,
        ]);
    Api::new().operation("/auth/fan/from-onboarding", sign_in, handle)
}

async fn handle(
    State(app): State<Arc<App>>,
    Client(context): Client,
    Strict(brought): Strict<Brought>,
) -> Result<([(HeaderName, HeaderValue); 1], Json<Welcome>), Declined> {
    let pass = match brought.session_id.given() {
        Given::Text(pass) => pass,
        Given::Nothing => return Err(Refusal::SESSION_REQUIRED.into()),
        Given::Wrong => return Err(Refusal::INVALID_SESSION.into()),
    };
    let door = &app.door;
    let proof = door.passes.redeem(pass, &door.tenant).await;
    let proof = proof.map_err(|error| match error {
        StateError::Refused => Refusal::INVALID_SESSION.into(),
        error => Declined::from(error),
    })?;
    let started = door.sessions.start(proof, &context).await;
    let tokens = started.map_err(|error| Declined::of_session(&error, Refusal::INVALID_SESSION))?;
    let user = app.users.get(tokens.session.subject().as_str()).await;
    let user = user.map_err(|_| Refusal::UNAVAILABLE)?;
    let user = user.ok_or(Refusal::INVALID_SESSION)?;
    let cookie = link::session_cookie(tokens.access.expose());
    let cookie = cookie.map_err(|_| Refusal::UNAVAILABLE)?;
    let welcome = Welcome { status: "ok", user };
    Ok(([(SET_COOKIE, cookie)], Json(welcome)))
}
