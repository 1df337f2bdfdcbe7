//! `GET /api/me`: whose token it is. What else a client does with its tokens is the library's.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use otp_axum::factors::Owners as _;
use otp_axum::openapi::{Api, Operation};
use otp_axum::sessions::{HasSessions, SessionDoor};

use crate::answer::Declined;
use crate::app::App;
use crate::users::User;

pub(crate) use otp_axum::sessions::SignedIn;

impl HasSessions for App {
    fn session_door(&self) -> &SessionDoor {
        &self.door.front
    }
}

pub(crate) fn routes() -> Api<Arc<App>> {
    let me = Operation::get("Shows who is signed in")
        .gives(200, User::schema())
        .signed_in();
    Api::new().operation("/api/me", me, self::me)
}

async fn me(
    State(app): State<Arc<App>>,
    SignedIn(session): SignedIn,
) -> Result<Json<User>, Declined> {
    app.user(&session).await.map(Json)
}
