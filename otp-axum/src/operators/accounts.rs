//! `POST /admin/otp/notify` and `POST /admin/otp/users/{id}/force-password-reset`: what the host's
//! own accounts carry out.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use otp_core::operator::{Accounts, Mode, Notice};
use otp_core::request::SubjectId;
use otp_core::verifier::Verifier;
use serde::{Deserialize, Serialize};

use super::{Because, Desk, Done};
use crate::openapi::{Api, Operation, Schema};
use crate::{ApiError, PathPart, Refusal, StrictJson};

/// The most users of a call.
const MOST: usize = 10_000;
/// The most bytes of a list of users, with what they are told.
const LARGEST: usize = 2 * 1024 * 1024;

/// Gives the routes that act on the host's accounts, behind no door: put them behind a
/// [`Guard`](super::Guard) with the others. [`Accounts`] is the host's part of them.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use otp_axum::openapi::Api;
/// use otp_axum::operators::{self, Guard};
/// use otp_core::operator::Accounts;
///
/// fn admin(guard: &Guard, accounts: Arc<dyn Accounts>) -> Api {
///     let verifier = guard.verifier().clone();
///     let routes = operators::account_routes(verifier.clone(), accounts);
///     guard.around(operators::routes(verifier).merge(routes))
/// }
/// ```
pub fn account_routes<S>(verifier: Verifier, accounts: Arc<dyn Accounts>) -> Api<S> {
    let notify = Operation::post("Tells users something")
        .takes(Telling::schema())
        .up_to(LARGEST)
        .gives(200, Told::schema())
        .at_desk()
        .refuses([
            Refusal::USERS_REQUIRED,
            Refusal::TOO_MANY_USERS,
            Refusal::INVALID_USER,
            Refusal::INVALID_NOTICE,
        ]);
    let reset = Operation::post("Has a user choose another password before the next sign-in")
        .may_take(Because::schema())
        .gives(200, Done::schema())
        .at_desk()
        .refuses([Refusal::UNKNOWN_USER, Refusal::NOT_FOUND]);
    const RESET: &str = "/admin/otp/users/{id}/force-password-reset";
    Api::new()
        .operation("/admin/otp/notify", notify, self::notify)
        .operation(RESET, reset, force_password_reset)
        .with_state(Hooks { verifier, accounts })
}

#[derive(Clone)]
struct Hooks {
    verifier: Verifier,
    accounts: Arc<dyn Accounts>,
}

/// Whom to tell, and what: a template, whose first line is `Subject: ...`, or the two apart.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Telling {
    users: Vec<String>,
    template: Option<String>,
    subject: Option<String>,
    text: Option<String>,
    note: Option<String>,
    reason: Option<String>,
}

impl Telling {
    fn schema() -> Schema {
        let text = || Schema::text().or_null();
        Schema::object([
            ("users", Schema::list(&Schema::text())),
            ("template?", text()),
            ("subject?", text()),
            ("text?", text()),
            ("note?", text()),
            ("reason?", text()),
        ])
    }

    fn reason(&self) -> Option<&str> {
        self.reason.as_deref().or(self.note.as_deref())
    }

    fn users(&self) -> Result<Vec<SubjectId>, Refusal> {
        if self.users.is_empty() {
            return Err(Refusal::USERS_REQUIRED);
        }
        // A list that is cut off would look like one that was told.
        if self.users.len() > MOST {
            return Err(Refusal::TOO_MANY_USERS);
        }
        let ids = self.users.iter().map(SubjectId::new);
        let ids: Result<Vec<_>, _> = ids.collect();
        ids.map_err(|_| Refusal::INVALID_USER)
    }

    fn notice(&self) -> Result<Notice, ApiError> {
        let notice = match (&self.template, &self.subject, &self.text) {
            (Some(template), None, None) => Notice::parse(template),
            (None, Some(subject), Some(text)) => Notice::new(subject, text),
            _ => return Err(Refusal::INVALID_NOTICE.into()),
        };
        notice.map_err(|error| Refusal::INVALID_NOTICE.saying(error.to_string()))
    }
}

/// What came of it. The users of a list are counted, and not named.
#[derive(Serialize)]
struct Told {
    status: &'static str,
    dry_run: bool,
    count: usize,
    users: usize,
    reached: usize,
    unknown: usize,
    unreachable: usize,
    limited: usize,
    failed: usize,
    sample: Vec<String>,
}

impl Told {
    fn schema() -> Schema {
        const COUNTS: [&str; 7] = [
            "count",
            "users",
            "reached",
            "unknown",
            "unreachable",
            "limited",
            "failed",
        ];
        let counts = COUNTS.map(|name| (name, Schema::integer()));
        let others = [
            ("status", Schema::word(["ok"])),
            ("dry_run", Schema::flag()),
            ("sample", Schema::list(&Schema::text())),
        ];
        Schema::object(counts.into_iter().chain(others))
    }
}

async fn notify(
    State(Hooks { verifier, accounts }): State<Hooks>,
    desk: Desk,
    StrictJson(telling): StrictJson<Telling>,
) -> Result<Json<Told>, ApiError> {
    let operator = desk.operator(&verifier, telling.reason())?;
    let (users, notice) = (telling.users()?, telling.notice()?);
    let told = operator.notify(&users, &notice, accounts).await?;
    Ok(Json(Told {
        status: "ok",
        dry_run: told.mode == Mode::Preview,
        count: told.reached,
        users: told.users,
        reached: told.reached,
        unknown: told.unknown,
        unreachable: told.unreachable,
        limited: told.limited,
        failed: told.failed,
        sample: told.sample,
    }))
}

async fn force_password_reset(
    State(Hooks { verifier, accounts }): State<Hooks>,
    desk: Desk,
    PathPart(id): PathPart,
    because: Because,
) -> Result<Json<Done>, ApiError> {
    let operator = desk.operator(&verifier, because.reason())?;
    let user = [SubjectId::new(&id).map_err(|_| Refusal::UNKNOWN_USER)?];
    let forcing = operator.force_password_reset(&user, accounts.as_ref());
    let came = forcing.await?;
    if !came.unknown.is_empty() {
        return Err(Refusal::UNKNOWN_USER.into());
    }
    if !came.failed.is_empty() {
        return Err(Refusal::UNAVAILABLE.into());
    }
    Ok(Done::one(desk.mode(), id))
}
