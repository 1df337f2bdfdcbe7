//! `GET /api/auth/oauth/{name}/start` and `.../callback?state=`: the state of a sign-in through
//! somebody else's page. What the other side says is another matter; this server knows no provider.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderName};
use otp_axum::openapi::{Api, Operation, Schema};
use otp_axum::{PathPart, QuotaLayer, cookie};
use otp_kit::quota::Quota;
use otp_kit::random::{OsRandom, SecureRandom as _};
use otp_kit::request::SessionBinding;
use otp_kit::verifier::Verifier;
use serde::{Deserialize, Serialize};

use crate::answer::{Declined, Refusal};
use crate::app::App;
use crate::tokens::hex;

/// What goes to the other's page, and comes back.
#[derive(Serialize)]
pub(crate) struct Started {
    state: String,
}

#[derive(Deserialize)]
pub(crate) struct CalledBack {
    #[serde(default)]
    state: String,
}

/// The state was this browser's, once.
#[derive(Serialize)]
pub(crate) struct Accepted {
    provider: String,
}

/// States that one address may ask for: each is kept for ten minutes.
const STATES: u32 = 60;
const WITHIN: Duration = Duration::from_secs(60);

pub(crate) fn routes(verifier: &Verifier) -> Api<Arc<App>> {
    let started = Schema::object([("state", Schema::text())]);
    let start = Operation::get("Issues a state, with a cookie")
        .gives(200, started)
        .refuses([Refusal::NOT_FOUND, Refusal::THROTTLED, Refusal::UNAVAILABLE]);
    let accepted = Schema::object([("provider", Schema::text())]);
    let callback = Operation::get("Takes a state back, once, within ten minutes")
        .query("state", Schema::some_text())
        .gives(200, accepted)
        .refuses([
            Refusal::INVALID_STATE,
            Refusal::NOT_FOUND,
            Refusal::UNAVAILABLE,
        ]);
    let starts = Api::new().operation("/api/auth/oauth/{name}/start", start, self::start);
    let starts = match Quota::window(STATES, WITHIN) {
        Ok(quota) => {
            let limit = QuotaLayer::new(verifier, "oauth_start", quota);
            starts.map(|routes| routes.layer(limit))
        }
        Err(_) => starts,
    };
    starts.operation("/api/auth/oauth/{name}/callback", callback, self::callback)
}

pub(crate) async fn start(
    State(app): State<Arc<App>>,
    PathPart(name): PathPart,
) -> Result<([(HeaderName, String); 1], Json<Started>), Declined> {
    let cookie = cookie_of(&name)?;
    let mut secret = [0_u8; 32];
    OsRandom
        .fill(&mut secret)
        .map_err(|_| Refusal::UNAVAILABLE)?;
    let value = hex(&secret);
    let browser = SessionBinding::of(value.as_bytes());
    let state = app.door.states.issue(&name, &browser, b"").await?;
    let set = format!(
        "{cookie}={value}; Path=/api/auth/oauth/{name}; Max-Age=600; HttpOnly; Secure; SameSite=Lax"
    );
    let started = Started {
        state: state.expose().to_owned(),
    };
    Ok(([(SET_COOKIE, set)], Json(started)))
}

pub(crate) async fn callback(
    State(app): State<Arc<App>>,
    PathPart(name): PathPart,
    called: Result<Query<CalledBack>, QueryRejection>,
    headers: HeaderMap,
) -> Result<Json<Accepted>, Declined> {
    let Query(called) = called.map_err(|_| Refusal::INVALID_STATE)?;
    let value = cookie::find(&headers, &cookie_of(&name)?).ok_or(Refusal::INVALID_STATE)?;
    let browser = SessionBinding::of(value.as_bytes());
    let taken = app.door.states.consume(&name, &called.state, &browser);
    taken.await?;
    Ok(Json(Accepted { provider: name }))
}

/// Names the cookie of a flow; two flows of two providers do not meet.
fn cookie_of(name: &str) -> Result<String, Refusal> {
    let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    if (1..=32).contains(&name.len()) && name.bytes().all(fits) {
        Ok(format!("oauth_{name}"))
    } else {
        Err(Refusal::NOT_FOUND)
    }
}
