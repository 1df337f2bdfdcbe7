//! `POST /admin/otp/unlock` opens a locked account, `POST /admin/otp/limits/clear` forgets what was
//! counted against somebody.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;

use super::whom::Named;
use super::{Desk, Done};
use crate::answer::Declined;
use crate::app::App;
use crate::json::Strict;

pub(super) async fn handle(
    State(app): State<Arc<App>>,
    desk: Desk,
    Strict(named): Strict<Named>,
) -> Result<Json<Done>, Declined> {
    let operator = desk.operator(&app, named.reason())?;
    Ok(Done::of(operator.unlock(&named.whom()?).await?))
}

pub(super) async fn clear_limits(
    State(app): State<Arc<App>>,
    desk: Desk,
    Strict(named): Strict<Named>,
) -> Result<Json<Done>, Declined> {
    let operator = desk.operator(&app, named.reason())?;
    Ok(Done::of(operator.clear_limits(&named.whom()?).await?))
}
