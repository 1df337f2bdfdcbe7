use axum::Json;
use axum::extract::State;
use otp_core::challenge::ChallengeId;
use otp_core::destination::Channel;
use otp_core::request::{Purpose, SubjectKey};
use otp_core::session::{ContextClass, Methods, Session, SignIn};
use otp_core::verifier::{Addressed, Claim, Issue, Verified};
use serde::Deserialize;

use super::proof::{attempt, named};
use super::{Owners, Parts, Reached};
use crate::error::ApiError;
use crate::json::{Given, Member, StrictJson};
use crate::openapi::{Operation, Schema};
use crate::sessions::SignedIn;
use crate::sign_in::{NOT_ISSUED, NOT_VERIFIED, Started, Welcome};
use crate::{Client, IdempotencyKey, Refusal, member};

/// The body of a start; it may be missing.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Wanted {
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

pub(super) fn send_operation() -> Operation {
    let channels = Schema::word(Channel::ALL.map(Channel::name));
    let own = [
        ("channel?", channels.or_null()),
        ("locale?", Schema::text().or_null()),
    ];
    let wanted = Schema::object(own.into_iter().chain(member::captcha_members()));
    Operation::post("Sends a code to an address of whoever is signed in")
        .may_take(wanted)
        .header("Idempotency-Key", Schema::text_up_to(128))
        .gives(200, Started::schema())
        .signed_in()
        .refuses([Refusal::UNKNOWN_CHANNEL, Refusal::INVALID_LOCALE])
        .refuses(NOT_ISSUED)
}

/// Sends it to the phone, else by mail, as the routes say; or over the channel that is named.
pub(super) async fn send<O: Reached>(
    State(parts): State<Parts<O>>,
    Client(context): Client,
    SignedIn(session): SignedIn,
    key: Option<IdempotencyKey>,
    wanted: Option<StrictJson<Wanted>>,
) -> Result<Json<Started>, ApiError> {
    let StrictJson(wanted) = wanted.unwrap_or_default();
    let tokens = [
        &wanted.captcha_token,
        &wanted.h_captcha,
        &wanted.turnstile,
        &wanted.recaptcha,
    ];
    let context = member::with_captcha(context, tokens)?;
    let channel = member::channel(&wanted.channel)?;
    let addressed = parts.addressed(&session, channel).await?;
    let mut issue = addressed
        .for_purpose(Purpose::MFA.as_str())
        .for_tenant(session.tenant().clone())
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
    let issued = parts.verifier.issue(issue).await?;
    let shown = parts.owners.message(&issued);
    Ok(Json(Started::new(&issued, shown)))
}

/// The body of a try; `code` is another name of `otp`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Try {
    #[serde(alias = "code")]
    otp: Member,
    challenge_id: Member,
    attempt_id: Member,
}

pub(super) fn verify_operation<O: Owners>() -> Operation {
    let text = || Schema::text().or_null();
    let tried = Schema::object([
        ("otp?", Schema::some_text()),
        ("code?", Schema::some_text().about("another name of otp")),
        ("challenge_id?", text()),
        ("attempt_id?", text()),
    ]);
    Operation::post("Takes a code of whoever is signed in")
        .takes(tried)
        .gives(200, Welcome::<O::User>::schema(O::user_schema()))
        .signed_in()
        .refuses([Refusal::OTP_REQUIRED, Refusal::INVALID_ATTEMPT_ID])
        .refuses(NOT_VERIFIED)
}

pub(super) async fn verify<O: Reached>(
    State(parts): State<Parts<O>>,
    Client(context): Client,
    SignedIn(session): SignedIn,
    StrictJson(body): StrictJson<Try>,
) -> Result<Json<Welcome<O::User>>, ApiError> {
    let typed = member::typed(&body.otp).ok_or(Refusal::OTP_REQUIRED)?;
    let attempt_id = member::attempt_id(&body.attempt_id)?;
    let claim = parts.claim(&session, &body.challenge_id).await?;
    let attempt = attempt(&session, typed).for_purpose(Purpose::MFA);
    let attempt = named(attempt, attempt_id.as_ref());
    let verified = parts.verifier.verify(claim, attempt, &context).await?;
    let user = parts.owners.user(&session).await?;
    let mut proof = both(&session, &verified)?;
    if let Some(id) = attempt_id {
        proof = proof.named(id);
    }
    parts.begin(proof, user, &context).await.map(Json)
}

impl<O: Reached> Parts<O> {
    /// Names whom a code goes to: the address that the channel reaches, else phone and mail.
    async fn addressed(
        &self,
        session: &Session,
        channel: Option<Channel>,
    ) -> Result<Addressed, ApiError> {
        let owners = &self.owners;
        let addressed = match channel {
            Some(channel) => owners.address(session, channel).await?.map(Issue::to),
            None => {
                let phone = owners.address(session, Channel::Sms).await?;
                match (phone, owners.address(session, Channel::Email).await?) {
                    (Some(phone), Some(email)) => Some(Issue::to(phone).or_to(email)),
                    (Some(only), None) | (None, Some(only)) => Some(Issue::to(only)),
                    (None, None) => None,
                }
            }
        };
        addressed.ok_or_else(|| Refusal::CHANNEL_UNAVAILABLE.into())
    }

    /// Says which challenge is meant. One of another account's claims nothing: its right code is
    /// refused here and not used up.
    async fn claim(&self, session: &Session, id: &Member) -> Result<Claim, ApiError> {
        let id = match id.given() {
            Given::Nothing => {
                return Ok(Claim::latest_of(session.subject(), Purpose::MFA.as_str()));
            }
            Given::Text(id) => id,
            Given::Wrong => "",
        };
        let Ok(known) = id.parse::<ChallengeId>() else {
            return Ok(Claim::from_text(id));
        };
        let own = SubjectKey::of_subject(session.subject());
        let found = self.verifier.store().find(&known).await?;
        let elsewhere = found.is_some_and(|challenge| challenge.subject != own);
        Ok(if elsewhere {
            Claim::from_text("")
        } else {
            known.into()
        })
    }
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
