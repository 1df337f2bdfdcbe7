//! `POST /admin/otp/session`: a pass for somebody whom no code reaches. Whoever brings it to
//! `POST /auth/fan/from-onboarding` is signed in, once.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use otp_axum::openapi::{Api, Operation, Schema};
use otp_kit::clock::{Clock as _, SystemClock};
use otp_kit::operator::{Mode, Whom};
use otp_kit::request::SubjectId;
use otp_kit::session::Passes;
use serde::{Deserialize, Serialize};

use super::Desk;
use crate::answer::{Declined, Refusal};
use crate::app::App;
use crate::json::Strict;
use crate::time::Rfc3339;
use otp_axum::member;

/// Whom it is for; exactly one of the three.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Named {
    user_id: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    note: Option<String>,
    reason: Option<String>,
}

/// What the operator hands on. In a dry run there is no pass.
#[derive(Serialize)]
pub(super) struct Provisioned {
    status: &'static str,
    dry_run: bool,
    user_id: String,
    #[serde(rename = "sessionId", skip_serializing_if = "Option::is_none")]
    session_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_at: Option<String>,
}

pub(super) fn routes() -> Api<Arc<App>> {
    let members = ["user_id?", "phone?", "email?", "note?", "reason?"];
    let named = Schema::object(members.map(|name| (name, Schema::text().or_null())));
    let provisioned = Schema::object([
        ("status", Schema::word(["ok"])),
        ("dry_run", Schema::flag()),
        ("user_id", Schema::text()),
        ("sessionId?", Schema::text()),
        ("expires_at?", Schema::time()),
    ]);
    let provision = Operation::post("Issues a pass for somebody whom no code reaches")
        .takes(named)
        .gives(200, provisioned)
        .at_desk()
        .refuses([
            Refusal::NAME_ONE,
            Refusal::UNKNOWN_USER,
            Refusal::INVALID_PHONE,
            Refusal::INVALID_EMAIL,
            Refusal::INVALID_STATE,
        ]);
    Api::new().operation("/admin/otp/session", provision, handle)
}

async fn handle(
    State(app): State<Arc<App>>,
    desk: Desk,
    Strict(named): Strict<Named>,
) -> Result<Json<Provisioned>, Declined> {
    let reason = named.reason.as_deref().or(named.note.as_deref());
    let operator = desk.operator(&app.verifier, reason)?;
    let user_id = named.user(&app).await?;
    let subject = SubjectId::new(&user_id).map_err(|_| Refusal::UNKNOWN_USER)?;
    let whom = Whom::Subject(subject.clone());
    operator.record_about("provision_session", &whom).await?;
    let mut provisioned = Provisioned {
        status: "ok",
        dry_run: desk.mode() == Mode::Preview,
        user_id,
        session_id: None,
        expires_at: None,
    };
    if desk.mode() == Mode::Apply {
        let expires = SystemClock.now().saturating_add(Passes::LIFE);
        let pass = app.door.passes.issue(&app.door.tenant, &subject).await?;
        provisioned.session_id = Some(pass.expose().to_owned());
        provisioned.expires_at = Some(Rfc3339::from(expires).to_string());
    }
    Ok(Json(provisioned))
}

impl Named {
    /// Finds the user. An address that is nobody's gets no account by hand: one slip of a finger
    /// would give a stranger's number away.
    async fn user(&self, app: &App) -> Result<String, Declined> {
        let found = match (&self.user_id, &self.phone, &self.email) {
            (Some(id), None, None) => app.users.get(id).await,
            (None, Some(phone), None) => app.users.find(&member::phone(phone)?).await,
            (None, None, Some(email)) => app.users.find(&member::email(email)?).await,
            _ => return Err(Refusal::NAME_ONE.saying("user_id, phone or email, exactly one")),
        };
        let found = found.map_err(|_| Refusal::UNAVAILABLE)?;
        let user = found.ok_or(Refusal::UNKNOWN_USER)?;
        Ok(user.sub)
    }
}
