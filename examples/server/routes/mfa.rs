//! `POST /api/auth/mfa/send-code` and `.../verify`: a code to an address of whoever is signed in.
//! It makes a session newer, and no stronger than the address is: it is no second factor.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use otp_axum::IdempotencyKey;
use otp_axum::openapi::{Api, Operation, Schema};
use otp_kit::challenge::ChallengeId;
use otp_kit::destination::Channel;
use otp_kit::request::{Purpose, SubjectKey};
use otp_kit::session::{ContextClass, Methods, Session, SignIn};
use otp_kit::verifier::{Attempt, Claim, Issue, Verified};
use serde::Deserialize;

use super::second_factor;
use super::session::SignedIn;
use super::sign_in::SignedIn as SignedAs;
use crate::answer::{Declined, Refusal};
use crate::app::App;
use crate::client::Client;
use crate::json::{Given, Member, Strict};
use crate::users::User;
use otp_axum::member;
use otp_axum::sign_in::{NOT_ISSUED, NOT_VERIFIED, Started, Users as _};

/// The body of a start; it may be missing.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Wanted {
    channel: Member,
    locale: Member,
    captcha_token: Member,
    #[serde(rename = "h-captcha-response")]
    h_captcha: Member,
    #[serde(rename = "cf-turnstile-response")]
    turnstile: Member,
    #[serde(rename = "g-recaptcha-response")]
    recaptcha: Member,
}

pub(crate) fn routes() -> Api<Arc<App>> {
    let text = || Schema::text().or_null();
    let channels = Schema::word(Channel::ALL.map(Channel::name));
    let wanted = Schema::object([
        ("channel?", channels.or_null()),
        ("locale?", text()),
        ("captcha_token?", text()),
        ("h-captcha-response?", text()),
        ("cf-turnstile-response?", text()),
        ("g-recaptcha-response?", text()),
    ]);
    let send = Operation::post("Sends a code to an address of whoever is signed in")
        .may_take(wanted)
        .header("Idempotency-Key", Schema::text_up_to(128))
        .gives(200, Started::schema())
        .signed_in()
        .refuses([Refusal::UNKNOWN_CHANNEL, Refusal::INVALID_LOCALE])
        .refuses(NOT_ISSUED);
    let tried = Schema::object([
        ("otp?", Schema::some_text()),
        ("code?", Schema::some_text().about("another name of otp")),
        ("challenge_id?", text()),
        ("attempt_id?", text()),
    ]);
    let verify = Operation::post("Takes a code of whoever is signed in")
        .takes(tried)
        .gives(200, SignedAs::schema(User::schema()))
        .signed_in()
        .refuses([Refusal::OTP_REQUIRED, Refusal::INVALID_ATTEMPT_ID])
        .refuses(NOT_VERIFIED);
    Api::new()
        .operation("/api/auth/mfa/send-code", send, send_code)
        .operation("/api/auth/mfa/verify", verify, self::verify)
}

/// Sends it to the phone, else by mail, as the routes say; or over the channel that is named.
pub(crate) async fn send_code(
    State(app): State<Arc<App>>,
    Client(context): Client,
    SignedIn(session): SignedIn,
    key: Option<IdempotencyKey>,
    wanted: Option<Strict<Wanted>>,
) -> Result<Json<Started>, Declined> {
    let Strict(wanted) = wanted.unwrap_or_default();
    let tokens = [
        &wanted.captcha_token,
        &wanted.h_captcha,
        &wanted.turnstile,
        &wanted.recaptcha,
    ];
    let context = match member::captcha(tokens)? {
        Some(token) => context.captcha_token(token),
        None => context,
    };
    let channel = member::channel(&wanted.channel)?;
    let sub = session.subject().as_str();
    let address = async |channel| {
        let address = app.users.address(sub, channel).await;
        address.map_err(|_| Refusal::UNAVAILABLE)
    };
    let addressed = match channel {
        Some(channel) => address(channel).await?.map(Issue::to),
        None => match (address(Channel::Sms).await?, address(Channel::Email).await?) {
            (Some(phone), Some(email)) => Some(Issue::to(phone).or_to(email)),
            (Some(only), None) | (None, Some(only)) => Some(Issue::to(only)),
            (None, None) => None,
        },
    };
    let addressed = addressed.ok_or(Refusal::CHANNEL_UNAVAILABLE)?;
    let mut issue = addressed
        .for_purpose(Purpose::MFA.as_str())
        .for_subject(session.subject().clone())
        .from(context);
    if let Some(channel) = channel {
        issue = issue.over(channel);
    }
    if let Some(locale) = member::locale(&wanted.locale)? {
        issue = issue.in_locale(locale);
    }
    if let Some(key) = &key {
        issue = issue.idempotency_key(key.as_str());
    }
    let issued = app.verifier.issue(issue).await?;
    Ok(Json(Started::new(&issued, app.shown(&issued))))
}

/// The body of a try; `code` is another name of `otp`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Try {
    #[serde(alias = "code")]
    otp: Member,
    challenge_id: Member,
    attempt_id: Member,
}

pub(crate) async fn verify(
    State(app): State<Arc<App>>,
    Client(context): Client,
    SignedIn(session): SignedIn,
    Strict(body): Strict<Try>,
) -> Result<Json<SignedAs>, Declined> {
    let typed = member::typed(&body.otp).ok_or(Refusal::OTP_REQUIRED)?;
    let attempt_id = member::attempt_id(&body.attempt_id)?;
    let claim = claim(&app, &session, &body.challenge_id).await?;
    let mut attempt = Attempt::new(typed).for_purpose(Purpose::MFA);
    if let Some(id) = &attempt_id {
        attempt = attempt.with_id(id.clone());
    }
    let verified = app.verifier.verify(claim, attempt, &context).await?;
    let user = second_factor::user(&app, &session).await?;
    let mut proof = both(&session, &verified)?;
    if let Some(id) = attempt_id {
        proof = proof.named(id);
    }
    let tokens = app.door.sessions.start(proof, &context).await;
    let tokens = tokens.map_err(|error| Declined::of_session(&error, Refusal::VERIFY_FAILED))?;
    Ok(Json(SignedAs {
        tokens: tokens.into(),
        user,
    }))
}

/// Says which challenge is meant. One of another account's claims nothing: its right code is
/// refused here and not used up.
async fn claim(app: &App, session: &Session, id: &Member) -> Result<Claim, Declined> {
    let id = match id.given() {
        Given::Nothing => return Ok(Claim::latest_of(session.subject(), Purpose::MFA.as_str())),
        Given::Text(id) => id,
        Given::Wrong => "",
    };
    let Ok(known) = id.parse::<ChallengeId>() else {
        return Ok(Claim::from_text(id));
    };
    let own = SubjectKey::of_subject(session.subject());
    let found = app.verifier.store().find(&known).await?;
    let elsewhere = found.is_some_and(|challenge| challenge.subject != own);
    Ok(if elsewhere {
        Claim::from_text("")
    } else {
        known.into()
    })
}

/// Names the methods of the session and of the code together. Two addresses of one person are as
/// strong as the better of them, and no pair (NIST SP 800-63B section 3.1.3).
fn both(session: &Session, verified: &Verified) -> Result<SignIn, Refusal> {
    let failed = |_| Refusal::VERIFY_FAILED;
    let method = verified.method().name();
    let before = session.methods().names().filter(|name| *name != method);
    let before = before.take(Methods::MOST - 1);
    let methods = Methods::new(before.chain([method])).map_err(failed)?;
    let class = session.assurance().max(verified.assurance());
    let class = ContextClass::new(class.name()).map_err(failed)?;
    let proof = SignIn::of(verified, session.subject()).map_err(failed)?;
    Ok(proof.by_methods(methods).of_class(class))
}
