//! `POST /admin/otp/users/{id}/force-password-reset`: a step on the host's own table.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use super::{Desk, Done};
use crate::answer::{Declined, Refusal};
use crate::app::App;

pub(super) async fn force_password_reset(
    State(app): State<Arc<App>>,
    desk: Desk,
    Path(id): Path<String>,
) -> Result<Json<Done>, Declined> {
    let operator = desk.operator(&app, None)?;
    if !app
        .users
        .is_known(&id)
        .await
        .map_err(|_| Refusal::UNAVAILABLE)?
    {
        return Err(Refusal::UNKNOWN_USER.into());
    }
    operator.record("force_password_reset").await?;
    if desk.mode() == otp_kit::operator::Mode::Apply {
        let forced = app.users.force_password_reset(&id).await;
        forced.map_err(|_| Refusal::UNAVAILABLE)?;
    }
    Ok(Done::one(desk.mode(), id))
}
