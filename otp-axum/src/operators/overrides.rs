//! `/admin/otp/override`: what holds for a while, on the whole fleet, and ends by itself.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use otp_core::clock::Timestamp;
use otp_core::destination::{Channel, Region};
use otp_core::operator::{Mode, Whom};
use otp_core::policy::{Allowed, Exception, InvalidAllowed, Override, OverrideId, Vip};
use otp_core::quota::{Quota, Scope};
use otp_core::request::Operation as Limited;
use otp_core::store::BlockKind;
use otp_core::verifier::Verifier;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Desk, Done, whom};
use crate::openapi::{Api, Operation, Schema};
use crate::time::Rfc3339;
use crate::{ApiError, Refusal, StrictJson};

const WHAT: [&str; 8] = [
    "quota",
    "vip",
    "allowed",
    "channel_off",
    "channel_on",
    "country_denied",
    "captcha_required",
    "second_factor_waived",
];
const OPERATIONS: [Limited; 3] = [Limited::Issue, Limited::Resend, Limited::Verify];
const SCOPES: [Scope; 9] = [
    Scope::Subject,
    Scope::Destination,
    Scope::Address,
    Scope::Network,
    Scope::Device,
    Scope::Country,
    Scope::Prefix,
    Scope::Tenant,
    Scope::Global,
];

/// What is overridden, by `what`, and with the members that this one has.
#[derive(Default, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Wanted {
    what: String,
    channel: Option<String>,
    country: Option<String>,
    operation: Option<String>,
    scope: Option<String>,
    max: Option<u32>,
    window_seconds: Option<u64>,
    user_id: Option<String>,
    phone: Option<String>,
    email: Option<String>,
    prefix: Option<String>,
    domain: Option<String>,
    times: Option<u32>,
    reason: Option<String>,
    note: Option<String>,
    expires_in: Option<u64>,
}

/// Which one ends.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ended {
    id: String,
    reason: Option<String>,
}

pub(super) fn routes() -> Api<Verifier> {
    const PATH: &str = "/admin/otp/override";
    let begin = Operation::post("Changes something for a while, on the whole fleet")
        .takes(wanted())
        .gives(200, Done::schema())
        .at_desk()
        .refuses([
            Refusal::INVALID_OVERRIDE,
            Refusal::INVALID_EXPIRY,
            Refusal::UNKNOWN_CHANNEL,
            Refusal::UNKNOWN_USER,
            Refusal::INVALID_PHONE,
            Refusal::INVALID_EMAIL,
        ]);
    let id = Schema::object([
        ("id", Schema::text()),
        ("reason?", Schema::text().or_null()),
    ]);
    let end = Operation::delete("Ends an override")
        .takes(id)
        .gives(200, Done::schema())
        .at_desk()
        .refuses([Refusal::UNKNOWN_OVERRIDE, Refusal::INVALID_OVERRIDE]);
    Api::new()
        .operation(PATH, begin, self::begin)
        .operation(PATH, end, self::end)
}

fn wanted() -> Schema {
    let text = || Schema::text().or_null();
    let most = Override::LONGEST.as_secs();
    Schema::object([
        ("what", Schema::word(WHAT)),
        ("channel?", text()),
        ("country?", text()),
        (
            "operation?",
            Schema::word(OPERATIONS.map(Limited::name)).or_null(),
        ),
        ("scope?", Schema::word(SCOPES.map(Scope::name)).or_null()),
        ("max?", Schema::integer().or_null()),
        ("window_seconds?", Schema::integer().or_null()),
        ("user_id?", text()),
        ("phone?", text()),
        ("email?", text()),
        ("prefix?", text()),
        ("domain?", text()),
        ("times?", Schema::within(2, 10).or_null()),
        ("reason?", text()),
        ("note?", text()),
        ("expires_in", Schema::within(1, most)),
    ])
}

/// Describes an override as it is shown.
pub(super) fn schema() -> Schema {
    Schema::object([
        ("id", Schema::text()),
        ("what", Schema::text()),
        ("user_id", Schema::text().or_null()),
        ("by", Schema::text()),
        ("why", Schema::text()),
        ("expires_at", Schema::time()),
    ])
}

impl Wanted {
    fn end(&mut self, now: Timestamp) -> Result<Timestamp, ApiError> {
        let most = Override::LONGEST.as_secs();
        let life = self
            .expires_in
            .take()
            .filter(|life| (1..=most).contains(life));
        let wanted = "expires_in must be 1 to 604800 seconds";
        let life = life.ok_or_else(|| Refusal::INVALID_EXPIRY.saying(wanted))?;
        Ok(now.saturating_add(Duration::from_secs(life)))
    }

    /// Reads the exception. A member that it does not have is refused: whoever wrote it meant
    /// something else.
    fn exception(mut self) -> Result<Exception, ApiError> {
        let exception = match std::mem::take(&mut self.what).as_str() {
            "quota" => self.quota()?,
            "vip" => Exception::Vip(self.vip()?),
            "allowed" => Exception::Allowed(self.allowed()?),
            "channel_off" => Exception::ChannelOff(self.channel()?),
            "channel_on" => Exception::ChannelOn(self.channel()?),
            "country_denied" => {
                let country = self.country.take();
                let country = country.and_then(|code| Region::parse(&code).ok());
                Exception::CountryDenied(country.ok_or_else(|| wrong("country must be as in US"))?)
            }
            "captcha_required" => Exception::CaptchaRequired,
            "second_factor_waived" => Exception::SecondFactorWaived,
            _ => {
                return Err(wrong(
                    "what must be quota, vip, allowed, channel_off, channel_on, country_denied, \
                     captcha_required or second_factor_waived",
                ));
            }
        };
        if self != Self::default() {
            return Err(wrong("There are members that this override does not have"));
        }
        Ok(exception)
    }

    fn channel(&mut self) -> Result<Channel, ApiError> {
        let channel = self.channel.take().and_then(|name| name.parse().ok());
        channel.ok_or_else(|| Refusal::UNKNOWN_CHANNEL.into())
    }

    fn quota(&mut self) -> Result<Exception, ApiError> {
        let (operation, scope) = (self.operation.take(), self.scope.take());
        let operation = OPERATIONS
            .into_iter()
            .find(|known| operation.as_deref() == Some(known.name()));
        let scope = SCOPES
            .into_iter()
            .find(|known| scope.as_deref() == Some(known.name()));
        let (max, window) = (self.max.take(), self.window_seconds.take());
        let quota = max
            .zip(window)
            .and_then(|(max, window)| Quota::window(max, Duration::from_secs(window)).ok());
        match (operation, scope, quota) {
            (Some(operation), Some(scope), Some(quota)) => Ok(Exception::Quota {
                operation,
                scope,
                quota,
            }),
            _ => Err(wrong(
                "A quota has operation, scope, max and window_seconds",
            )),
        }
    }

    fn vip(&mut self) -> Result<Vip, ApiError> {
        let times = self.times.take().unwrap_or_default();
        let named = (self.user_id.take(), self.phone.take(), self.email.take());
        let whom = match &named {
            (Some(user), None, None) => whom::subject(user)?,
            (None, Some(number), None) => whom::phone(number).map(Whom::Destination)?,
            (None, None, Some(address)) => whom::email(address).map(Whom::Destination)?,
            _ => return Err(wrong("A VIP has user_id, phone or email, exactly one")),
        };
        let vip = match &whom {
            Whom::Subject(subject) => Vip::subject(subject, times),
            Whom::Destination(destination) => Vip::destination(destination, times),
            _ => return Err(Refusal::INVALID_OVERRIDE.into()),
        };
        vip.map_err(|_| wrong("times must be 2 to 10"))
    }
}

impl Wanted {
    fn allowed(&mut self) -> Result<Allowed, ApiError> {
        let named = [
            (BlockKind::Phone, self.phone.take()),
            (BlockKind::Prefix, self.prefix.take()),
            (BlockKind::Email, self.email.take()),
            (BlockKind::Domain, self.domain.take()),
        ];
        let mut named = named
            .into_iter()
            .filter_map(|(kind, value)| Some((kind, value?)));
        let (Some((kind, value)), None) = (named.next(), named.next()) else {
            return Err(wrong("phone, prefix, email or domain, exactly one"));
        };
        let refused = |error: InvalidAllowed| Refusal::INVALID_OVERRIDE.saying(error.to_string());
        Allowed::new(kind, &value).map_err(refused)
    }
}

fn wrong(detail: &'static str) -> ApiError {
    Refusal::INVALID_OVERRIDE.saying(detail)
}

pub(super) async fn begin(
    State(verifier): State<Verifier>,
    desk: Desk,
    StrictJson(mut wanted): StrictJson<Wanted>,
) -> Result<Json<Done>, ApiError> {
    let said = wanted.reason.take().or_else(|| wanted.note.take());
    let end = wanted.end(verifier.clock().now())?.into();
    let policies = verifier.policies();
    let exceptions = exceptions(&desk, wanted.exception()?).await?;
    let act = desk.act(said.as_deref())?;
    let mut what = Vec::new();
    for exception in &exceptions {
        policies.check_override(exception.clone(), end, act.clone())?;
    }
    match desk.mode() {
        Mode::Preview => {
            let operator = desk.operator(&verifier, said.as_deref())?;
            operator.record("override").await?;
            what.extend(exceptions.iter().map(ToString::to_string));
        }
        Mode::Apply => {
            let begun = policies.override_all_until(exceptions, end, act).await?;
            what.extend(begun.iter().map(ToString::to_string));
        }
    }
    Ok(Done::all(desk.mode(), what))
}

/// Gives what is meant: a user of the host's is a VIP by their addresses too.
async fn exceptions(desk: &Desk, exception: Exception) -> Result<Vec<Exception>, ApiError> {
    let Exception::Vip(vip) = &exception else {
        return Ok(vec![exception]);
    };
    let (times, user) = (vip.times(), vip.whom().subject_id());
    let mut all = vec![exception];
    if let Some(user) = user {
        for whom in desk.everything_of(Whom::Subject(user)).await? {
            if let Whom::Destination(address) = whom {
                let vip = Vip::destination(&address, times.get());
                all.push(Exception::Vip(vip.map_err(|_| Refusal::INVALID_OVERRIDE)?));
            }
        }
    }
    Ok(all)
}

pub(super) async fn end(
    State(verifier): State<Verifier>,
    desk: Desk,
    StrictJson(ended): StrictJson<Ended>,
) -> Result<Json<Done>, ApiError> {
    let said = ended.reason.as_deref();
    let id = ended.id.parse::<OverrideId>();
    let id = id.map_err(|_| Refusal::UNKNOWN_OVERRIDE)?;
    let policies = verifier.policies();
    policies.catch_up().await?;
    let held = policies.overrides().into_iter().find(|one| one.id() == id);
    let held = held.ok_or(Refusal::UNKNOWN_OVERRIDE)?;
    match desk.mode() {
        Mode::Preview => {
            let operator = desk.operator(&verifier, said)?;
            operator.record("end_override").await?;
        }
        Mode::Apply => policies.end_override(id, desk.act(said)?).await?,
    }
    Ok(Done::one(desk.mode(), held.exception().to_string()))
}

/// An override, for operators: whoever ends it must be able to name it.
pub(super) fn shown(one: &Override) -> Value {
    let user = match one.exception() {
        Exception::Vip(vip) => Some(vip.whom().user_id()),
        _ => None,
    };
    json!({
        "id": one.id().to_string(),
        "what": one.exception().to_string(),
        "user_id": user,
        "by": one.act().operator.as_str(),
        "why": one.act().reason.as_str(),
        "expires_at": Rfc3339::from(one.expires_at()).to_string(),
    })
}
