//! `POST /api/v1/admin/users/{id}/2fa/disable`: somebody lost their phone. And
//! `POST /admin/otp/operators/totp/enrol` and `.../confirm`: the authenticator that operators show a
//! code of themselves.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use otp_axum::PathPart;
use otp_axum::openapi::{Api, Operation, Schema};
use otp_axum::operators::{Because, FreshProof};
use otp_kit::destination::Channel;
use otp_kit::factor::{FactorId, OtpAccount};
use otp_kit::operator::{Mode, Whom};
use otp_kit::policy::Assurance;
use otp_kit::request::SubjectId;
use otp_kit::verifier::{Attempt, Enrolment, Proven};
use serde::{Deserialize, Serialize};

use super::{Desk, Done};
use crate::answer::{Declined, Refusal};
use crate::app::App;
use crate::client::Client;
use crate::json::{Given, Member, Strict};

/// What a code of an operator's own authenticator may answer.
const NOT_PROVEN: [Refusal; 8] = [
    Refusal::PROOF_REQUIRED,
    Refusal::INVALID_OTP,
    Refusal::THROTTLED,
    Refusal::LOCKED,
    Refusal::BLOCKED,
    Refusal::DISABLED,
    Refusal::BUSY,
    Refusal::VERIFY_FAILED,
];

pub(super) fn routes() -> Api<Arc<App>> {
    let proven = |summary: &str| {
        Operation::post(summary)
            .header("X-Admin-Otp", Schema::text())
            .header("X-Admin-Second", Schema::text())
            .at_desk()
            .refuses(NOT_PROVEN)
    };
    let disable = proven("Takes a user's second factors away, on fresh proof")
        .may_take(Because::schema())
        .gives(200, Done::schema())
        .refuses([Refusal::UNKNOWN_USER, Refusal::NOT_FOUND]);
    let enrolled = Schema::object([
        ("factor_id", Schema::text()),
        ("secret", Schema::text()),
        ("otpauth_uri", Schema::text()),
    ]);
    let enrol = proven("Begins the enrolment of the operator's own authenticator")
        .may_take(Because::schema())
        .gives(200, enrolled)
        .refuses([
            Refusal::FACTOR_NAME_TAKEN,
            Refusal::TOO_MANY_FACTORS,
            Refusal::UNKNOWN_FACTOR,
        ]);
    let first = Schema::object([
        ("factor_id", Schema::text()),
        ("otp?", Schema::some_text()),
        ("code?", Schema::some_text().about("another name of otp")),
    ]);
    let confirm = Operation::post("Takes the first code of the operator's own authenticator")
        .takes(first)
        .gives(200, Done::schema())
        .at_desk()
        .refuses(NOT_PROVEN);
    const OPERATORS: &str = "/admin/otp/operators/totp";
    Api::new()
        .operation(
            "/api/v1/admin/users/{id}/2fa/disable",
            disable,
            self::disable,
        )
        .operation(&format!("{OPERATORS}/enrol"), enrol, self::enrol)
        .operation(&format!("{OPERATORS}/confirm"), confirm, self::confirm)
}

/// Takes a user's second factors and recovery codes away, and ends their sessions, devices and
/// pending codes.
pub(super) async fn disable(
    State(app): State<Arc<App>>,
    desk: Desk,
    proof: FreshProof,
    PathPart(id): PathPart,
    because: Because,
) -> Result<Json<Done>, Declined> {
    let operator = desk.operator(&app.verifier, because.reason())?;
    let operator = operator.for_tenant(app.door.tenant.clone());
    let user = app.users.get(&id).await;
    let user = user.map_err(|_| Refusal::UNAVAILABLE)?;
    user.ok_or(Refusal::UNKNOWN_USER)?;
    let subject = SubjectId::new(id.as_str()).map_err(|_| Refusal::UNKNOWN_USER)?;
    let proof = proof.checked(&app.verifier, &operator).await?;
    // The proof is spent: what it is for is done to the end, whether or not anybody waits for it.
    let taken = tokio::spawn(async move {
        let sessions = &app.door.sessions;
        let effect = sessions.reset_account(&operator, &subject, &proof).await?;
        // Sign-ins of this server are to an address: what hangs on it ends too.
        for channel in [Channel::Sms, Channel::Email] {
            let address = app.users.address(&id, channel).await;
            if let Some(address) = address.map_err(|_| Refusal::UNAVAILABLE)? {
                let whom = Whom::Destination(address);
                operator.revoke_of(&whom).await?;
                operator.revoke_devices(&whom).await?;
            }
        }
        Ok(Done::of(effect))
    });
    taken.await.map_err(|_| Refusal::UNAVAILABLE)?
}

/// An operator's authenticator that waits for its first code.
#[derive(Serialize)]
pub(super) struct Enrolled {
    factor_id: String,
    secret: String,
    otpauth_uri: String,
}

/// Enrols one for the operator who calls. Another operator stands by it, or a code of the one
/// before; an operator who is alone and has none yet needs neither.
pub(super) async fn enrol(
    State(app): State<Arc<App>>,
    desk: Desk,
    Client(context): Client,
    proof: FreshProof,
    because: Because,
) -> Result<Json<Enrolled>, Declined> {
    in_earnest(&desk)?;
    let operator = desk.operator(&app.verifier, because.reason())?;
    let tenant = FreshProof::tenant()?;
    let operator = operator.for_tenant(tenant.clone());
    let assurance = if proof.is_shown() || app.operators.len() > 1 {
        proof.checked(&app.verifier, &operator).await?;
        Assurance::Pair
    } else {
        Assurance::Single
    };
    let account = FreshProof::account(desk.name())?;
    let now = app.verifier.clock().now();
    let proven = Proven::by_host(&tenant, &account, assurance, now.into());
    let shown = OtpAccount::new("otp-kit operators", desk.name().as_str());
    let enrolment = Enrolment::totp(shown.map_err(|_| Refusal::PROOF_REQUIRED)?);
    operator.record("enrol_operator_totp").await?;
    let pending = app.verifier.enrol_factor(enrolment, &proven, &context);
    let pending = pending.await?;
    Ok(Json(Enrolled {
        factor_id: pending.id().to_string(),
        secret: pending.secret().to_base32().expose().to_owned(),
        otpauth_uri: pending.uri().to_text().expose().to_owned(),
    }))
}

/// There is nothing to try beforehand.
fn in_earnest(desk: &Desk) -> Result<(), Refusal> {
    match desk.mode() {
        Mode::Apply => Ok(()),
        Mode::Preview => Err(Refusal::UNKNOWN_QUERY),
    }
}

/// The first code of it.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct First {
    factor_id: Member,
    #[serde(alias = "code")]
    otp: Member,
}

pub(super) async fn confirm(
    State(app): State<Arc<App>>,
    desk: Desk,
    Client(context): Client,
    Strict(first): Strict<First>,
) -> Result<Json<Done>, Declined> {
    in_earnest(&desk)?;
    let (Given::Text(id), Given::Text(code)) = (first.factor_id.given(), first.otp.given()) else {
        return Err(Refusal::INVALID_OTP.into());
    };
    let id: FactorId = id.parse().map_err(|_| Refusal::INVALID_OTP)?;
    let operator = desk.operator(&app.verifier, None)?;
    let operator = operator.for_tenant(FreshProof::tenant()?);
    operator.record("confirm_operator_totp").await?;
    let attempt = Attempt::new(code).for_tenant(FreshProof::tenant()?);
    let account = FreshProof::account(desk.name())?;
    let confirmed = app.verifier.confirm_factor(&account, id, attempt, &context);
    drop(confirmed.await?);
    Ok(Done::one(desk.mode(), id.to_string()))
}
