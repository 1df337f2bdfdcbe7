//! `POST /admin/otp/users/{id}/force-password-reset` and `.../logout-all`: steps on the host's own
//! table and on its sessions.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use otp_kit::operator::Mode;
use otp_kit::request::{RequestContext, SubjectId};

use super::{Desk, Done};
use crate::answer::{Declined, Refusal};
use crate::app::App;

pub(super) async fn force_password_reset(
    State(app): State<Arc<App>>,
    desk: Desk,
    Path(id): Path<String>,
) -> Result<Json<Done>, Declined> {
    let operator = desk.operator(&app.verifier, None)?;
    if !app
        .users
        .is_known(&id)
        .await
        .map_err(|_| Refusal::UNAVAILABLE)?
    {
        return Err(Refusal::UNKNOWN_USER.into());
    }
    operator.record("force_password_reset").await?;
    if desk.mode() == Mode::Apply {
        let forced = app.users.force_password_reset(&id).await;
        forced.map_err(|_| Refusal::UNAVAILABLE)?;
    }
    Ok(Done::one(desk.mode(), id))
}

/// Ends every session of a user.
pub(super) async fn logout_all(
    State(app): State<Arc<App>>,
    desk: Desk,
    Path(id): Path<String>,
) -> Result<Json<Done>, Declined> {
    let operator = desk.operator(&app.verifier, None)?;
    let subject = SubjectId::new(id.as_str()).map_err(|_| Refusal::UNKNOWN_USER)?;
    operator.record("logout_all").await?;
    if desk.mode() == Mode::Apply {
        let (door, context) = (&app.door, RequestContext::new());
        let ended = door.sessions.logout_all(&door.tenant, &subject, &context);
        ended.await.map_err(|_| Refusal::UNAVAILABLE)?;
    }
    Ok(Done::one(desk.mode(), id))
}
