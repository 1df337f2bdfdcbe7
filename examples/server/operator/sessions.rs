//! `POST /api/v1/auth/logout-all` `{"user_id"}` and `POST /admin/otp/users/{id}/logout-all`: ends
//! every session of somebody.

use std::sync::Arc;

use axum::Json;
use axum::extract::{FromRequest as _, FromRequestParts as _, Request, State};
use axum::response::{IntoResponse as _, Response};
use otp_axum::PathPart;
use otp_axum::openapi::{Api, Operation, Schema};
use otp_kit::operator::{Mode, Whom};
use otp_kit::request::SubjectId;
use otp_kit::store::SessionQuery;
use serde::{Deserialize, Serialize};

use super::{Because, Desk};
use crate::answer::{Declined, Refusal};
use crate::app::App;
use crate::client::Client;
use crate::json::Strict;
use otp_axum::sessions::{self, LOGOUT_ALL, SignedIn};

/// Whose.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Named {
    user_id: Option<String>,
    note: Option<String>,
    reason: Option<String>,
}

/// How many ended, or would.
#[derive(Serialize)]
struct Ended {
    status: &'static str,
    dry_run: bool,
    count: u64,
    ended: u64,
    sample: [String; 1],
}

impl Named {
    fn schema() -> Schema {
        Schema::object([
            ("user_id", Schema::text()),
            ("note?", Schema::text().or_null()),
            ("reason?", Schema::text().or_null()),
        ])
    }
}

impl Ended {
    fn schema() -> Schema {
        Schema::object([
            ("status", Schema::word(["ok"])),
            ("dry_run", Schema::flag()),
            ("count", Schema::integer()),
            ("ended", Schema::integer()),
            ("sample", Schema::list(&Schema::text())),
        ])
    }
}

/// The route on the operators' own listener. Where both share one, see [`logout_all_of_either`].
pub(crate) fn logout_all(app: &App) -> Api<Arc<App>> {
    let end = async |State(app): State<Arc<App>>, desk: Desk, Strict(named): Strict<Named>| {
        end(&app, &desk, &named).await
    };
    super::guard(app).around(Api::new().operation(LOGOUT_ALL, ends(Named::schema()), end))
}

pub(super) fn routes() -> Api<Arc<App>> {
    let end = Operation::post("Ends every session of a user")
        .may_take(Because::schema())
        .gives(200, Ended::schema())
        .at_desk()
        .refuses([Refusal::INVALID_USER, Refusal::NOT_FOUND]);
    Api::new().operation("/admin/otp/users/{id}/logout-all", end, end_named)
}

fn ends(whose: Schema) -> Operation {
    Operation::post("Ends every session of a user")
        .takes(whose)
        .gives(200, Ended::schema())
        .at_desk()
        .refuses([Refusal::USER_REQUIRED, Refusal::INVALID_USER])
}

/// The route where operators share the listener with everybody: an operator ends the sessions of
/// whomever they name, anybody else their own.
pub(crate) fn logout_all_of_either() -> Api<Arc<App>> {
    let either = sessions::ends_all()
        .may_take(Named::schema())
        .gives(
            200,
            Schema::either([sessions::Ended::schema(), Ended::schema()]),
        )
        .at_desk()
        .refuses([
            Refusal::UNAUTHORIZED,
            Refusal::THROTTLED,
            Refusal::USER_REQUIRED,
            Refusal::INVALID_USER,
        ]);
    Api::new().operation(LOGOUT_ALL, either, of_either)
}

async fn of_either(State(app): State<Arc<App>>, request: Request) -> Result<Response, Declined> {
    let guard = super::guard(&app);
    let (mut parts, body) = request.into_parts();
    if !guard.is_meant(&parts.headers) {
        let Client(context) = Client::of(&parts);
        let SignedIn(session) = SignedIn::from_request_parts(&mut parts, &app).await?;
        let ended = sessions::end_all(&app.door.front, &session, &context).await?;
        return Ok(ended.into_response());
    }
    guard.admit(&mut parts).await?;
    let desk = Desk::from_request_parts(&mut parts, &app).await?;
    let request = Request::from_parts(parts, body);
    let Strict(named) = Strict::from_request(request, &app).await?;
    Ok(end(&app, &desk, &named).await?.into_response())
}

async fn end(app: &App, desk: &Desk, named: &Named) -> Result<Json<Ended>, Declined> {
    let user = named.user_id.as_deref().ok_or(Refusal::USER_REQUIRED)?;
    let user = SubjectId::new(user).map_err(|_| Refusal::INVALID_USER)?;
    let reason = named.reason.as_deref().or(named.note.as_deref());
    end_all_of(app, desk, &user, reason).await
}

async fn end_named(
    State(app): State<Arc<App>>,
    desk: Desk,
    PathPart(id): PathPart,
    because: Because,
) -> Result<Json<Ended>, Declined> {
    let user = SubjectId::new(&id).map_err(|_| Refusal::INVALID_USER)?;
    end_all_of(&app, &desk, &user, because.reason()).await
}

/// Whether there is such a user is not asked: the sessions of one who was removed must end too.
async fn end_all_of(
    app: &App,
    desk: &Desk,
    user: &SubjectId,
    reason: Option<&str>,
) -> Result<Json<Ended>, Declined> {
    let operator = desk.operator(&app.verifier, reason)?;
    let whom = Whom::Subject(user.clone());
    operator.record_about("logout_all", &whom).await?;
    let (sessions, tenant) = (&app.door.sessions, &app.door.tenant);
    let ended = match desk.mode() {
        Mode::Apply => {
            let query = SessionQuery::Subject(tenant.clone(), user.clone());
            let act = Arc::new(desk.act(reason)?);
            sessions.revoke(&query, &act).await
        }
        Mode::Preview => {
            let live = sessions.list(tenant, user).await;
            live.map(|live| u64::try_from(live.len()).unwrap_or(u64::MAX))
        }
    };
    let count = ended.map_err(|error| Declined::of_session(&error, Refusal::UNAVAILABLE))?;
    Ok(Json(Ended {
        status: "ok",
        dry_run: desk.mode() == Mode::Preview,
        count,
        ended: count,
        sample: [user.to_string()],
    }))
}
