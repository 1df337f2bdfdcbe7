//! What a client does with its tokens: fresh ones, and the end of its sessions.

mod door;
mod signed_in;
mod tokens;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use otp_core::request::RequestContext;
use otp_core::session::Session;
use serde::{Deserialize, Serialize};

use crate::error::ApiError;
use crate::json::{Given, Member, StrictJson};
use crate::openapi::{Api, Operation, Schema};
use crate::{Client, Refusal};

pub use door::{HasSessions, SessionDoor};
pub use signed_in::SignedIn;
pub use tokens::TokenPair;

/// Where all sessions of somebody end.
pub const LOGOUT_ALL: &str = "/api/v1/auth/logout-all";

/// Gives `POST /api/auth/token/refresh`, `POST /api/v1/auth/logout` and [`logout_all`].
///
/// # Examples
/// ```
/// use axum::{Router, routing::get};
/// use otp_axum::Edge;
/// use otp_axum::sessions::{self, SessionDoor, SignedIn};
/// use otp_core::request::Tenant;
/// use otp_core::session::Sessions;
///
/// async fn hello(SignedIn(session): SignedIn) -> String {
///     format!("hello {}", session.subject())
/// }
///
/// fn routes(sessions: Sessions) -> Router {
///     let door = SessionDoor::new(sessions, Tenant::default());
///     let own = Router::new().route("/hello", get(hello)).with_state(door.clone());
///     Edge::new().around(sessions::routes(door).merge(own))
/// }
/// ```
pub fn routes<S: Clone + Send + Sync + 'static>(door: SessionDoor) -> Api<S> {
    one(door.clone()).merge(logout_all(door))
}

/// Gives those of [`routes`] that are about one session.
pub fn one<S>(door: SessionDoor) -> Api<S> {
    let spent = Schema::object([("refresh_token", Schema::text())]);
    let refresh = Operation::post("Takes a refresh token, once, and gives fresh tokens")
        .takes(spent)
        .gives(200, TokenPair::schema())
        .refuses([Refusal::INVALID_REFRESH_TOKEN, Refusal::UNAVAILABLE]);
    let logout = Operation::post("Ends the session")
        .gives_nothing(204)
        .signed_in();
    Api::new()
        .operation("/api/auth/token/refresh", refresh, self::refresh)
        .operation("/api/v1/auth/logout", logout, self::logout)
        .with_state(door)
}

/// Gives `POST` [`LOGOUT_ALL`], for whoever is signed in.
pub fn logout_all<S>(door: SessionDoor) -> Api<S> {
    let end = async |State(door): State<SessionDoor>, client: Client, signed_in: SignedIn| {
        end_all(&door, &signed_in.0, &client.0).await
    };
    Api::new()
        .operation(LOGOUT_ALL, ends_all(), end)
        .with_state(door)
}

/// Describes the end of all sessions of whoever is signed in.
#[must_use]
pub fn ends_all() -> Operation {
    Operation::post("Ends every session of whoever is signed in")
        .gives(200, Ended::schema())
        .signed_in()
}

/// The body of a refresh.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Spent {
    refresh_token: Member,
}

async fn refresh(
    State(door): State<SessionDoor>,
    Client(context): Client,
    StrictJson(body): StrictJson<Spent>,
) -> Result<Json<TokenPair>, ApiError> {
    let Given::Text(token) = body.refresh_token.given() else {
        return Err(Refusal::INVALID_REFRESH_TOKEN.into());
    };
    let tokens = door
        .sessions()
        .refresh(token, door.tenant(), &context)
        .await;
    let tokens =
        tokens.map_err(|error| ApiError::of_session(&error, Refusal::INVALID_REFRESH_TOKEN))?;
    Ok(Json(tokens.into()))
}

async fn logout(
    State(door): State<SessionDoor>,
    Client(context): Client,
    SignedIn(session): SignedIn,
) -> Result<StatusCode, ApiError> {
    let ended = door.sessions().logout(&session, &context).await;
    ended.map_err(|error| ApiError::of_session(&error, Refusal::UNAVAILABLE))?;
    Ok(StatusCode::NO_CONTENT)
}

/// How many sessions ended.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Ended {
    ended: u64,
}

impl Ended {
    /// Describes it.
    #[must_use]
    pub fn schema() -> Schema {
        Schema::object([("ended", Schema::integer())])
    }
}

/// Ends every session of whose session this is, for a route that does more beside it.
///
/// # Errors
/// [`Refusal::UNAVAILABLE`].
pub async fn end_all(
    door: &SessionDoor,
    session: &Session,
    context: &RequestContext,
) -> Result<Json<Ended>, ApiError> {
    let sessions = door.sessions();
    let ended = sessions.logout_all(session.tenant(), session.subject(), context);
    let ended = ended.await;
    let ended = ended.map_err(|error| ApiError::of_session(&error, Refusal::UNAVAILABLE))?;
    Ok(Json(Ended { ended }))
}
