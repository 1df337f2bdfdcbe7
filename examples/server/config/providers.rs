use otp_kit::challenge::{Code, CodeFormat};
use otp_kit::destination::EmailAddress;
use otp_kit::providers::http::BaseUrl;
use otp_kit::providers::{ConfigError, SendGrid, Twilio, TwilioAuth};

use super::{Environment, Refused};

/// What becomes of a code.
pub(crate) enum Delivery {
    /// It is shown, and never sent: `DEV_MODE=true`, whatever providers are configured.
    Shown {
        /// The code that everybody gets, from `DEV_PREVIEW_CODE`.
        fixed: Option<Code>,
    },
    /// It is sent and never shown.
    Sent(Box<Providers>),
}

/// The providers that are configured; one at least.
pub(crate) struct Providers {
    pub(crate) sms: Option<Twilio>,
    pub(crate) email: Option<SendGrid>,
}

impl Delivery {
    /// Reads what is configured. Half a provider is refused in development too: it would fail on
    /// the day it is needed.
    pub(super) fn read(env: &Environment, development: bool) -> Result<Self, Refused> {
        let fixed = fixed_code(env, development)?;
        let providers = Providers {
            sms: twilio(env)?,
            email: sendgrid(env)?,
        };
        if development {
            return Ok(Self::Shown { fixed });
        }
        if providers.sms.is_none() && providers.email.is_none() {
            return Err(Refused::new(
                "TWILIO_ACCOUNT_SID",
                "is missing, and so is SENDGRID_API_KEY: without a provider nobody gets a code",
            ));
        }
        Ok(Self::Sent(Box::new(providers)))
    }
}

fn fixed_code(env: &Environment, development: bool) -> Result<Option<Code>, Refused> {
    const KEY: &str = "DEV_PREVIEW_CODE";
    match env.get(KEY) {
        None => Ok(None),
        Some(_) if !development => Err(Refused::new(KEY, "is for development only")),
        Some(code) => Code::normalise(CodeFormat::SIX_DIGITS, code)
            .map(Some)
            .map_err(|_| Refused::must_be(KEY, "six digits")),
    }
}

fn twilio(env: &Environment) -> Result<Option<Twilio>, Refused> {
    const SID: &str = "TWILIO_ACCOUNT_SID";
    let parts = [
        "TWILIO_AUTH_TOKEN",
        "TWILIO_API_KEY_SID",
        "TWILIO_API_KEY_SECRET",
        "TWILIO_FROM",
        "TWILIO_MESSAGING_SERVICE_SID",
    ];
    let Some(account) = env.get(SID) else {
        return alone(env, &parts, SID);
    };
    let mut builder = Twilio::builder(account, twilio_auth(env)?);
    match (
        env.get("TWILIO_FROM"),
        env.get("TWILIO_MESSAGING_SERVICE_SID"),
    ) {
        (Some(from), None) => builder = builder.from(from),
        (None, Some(service)) => builder = builder.messaging_service(service),
        (Some(_), Some(_)) => {
            let problem = "is set beside TWILIO_MESSAGING_SERVICE_SID: set one";
            return Err(Refused::new("TWILIO_FROM", problem));
        }
        (None, None) => {
            let problem = "is missing: set it or TWILIO_MESSAGING_SERVICE_SID";
            return Err(Refused::new("TWILIO_FROM", problem));
        }
    }
    if let Some(base) = base_url(env, "TWILIO_BASE_URL")? {
        builder = builder.base_url(base);
    }
    let made = builder.build();
    made.map(Some).map_err(|error| {
        let key = match error {
            ConfigError::ApiKeySid => "TWILIO_API_KEY_SID",
            ConfigError::Credential if env.get("TWILIO_API_KEY_SID").is_some() => {
                "TWILIO_API_KEY_SECRET"
            }
            ConfigError::Credential => "TWILIO_AUTH_TOKEN",
            ConfigError::Sender => "TWILIO_FROM",
            ConfigError::MessagingServiceSid => "TWILIO_MESSAGING_SERVICE_SID",
            _ => SID,
        };
        Refused::because(key, &error)
    })
}

/// Prefers an API key, which can be revoked alone. Of several auth tokens the first one sends;
/// the others are for checking webhooks while one replaces another.
fn twilio_auth(env: &Environment) -> Result<TwilioAuth, Refused> {
    let key = (
        env.get("TWILIO_API_KEY_SID"),
        env.get("TWILIO_API_KEY_SECRET"),
    );
    match (key, env.get("TWILIO_AUTH_TOKEN")) {
        ((Some(sid), Some(secret)), _) => Ok(TwilioAuth::api_key(sid, secret)),
        ((Some(_), None), _) => Err(Refused::new(
            "TWILIO_API_KEY_SECRET",
            "is missing beside TWILIO_API_KEY_SID",
        )),
        ((None, Some(_)), _) => Err(Refused::new(
            "TWILIO_API_KEY_SID",
            "is missing beside TWILIO_API_KEY_SECRET",
        )),
        ((None, None), Some(tokens)) => {
            let first = tokens.split(',').next().unwrap_or_default().trim();
            Ok(TwilioAuth::token(first))
        }
        ((None, None), None) => Err(Refused::new(
            "TWILIO_AUTH_TOKEN",
            "is missing beside TWILIO_ACCOUNT_SID",
        )),
    }
}

fn sendgrid(env: &Environment) -> Result<Option<SendGrid>, Refused> {
    const KEY: &str = "SENDGRID_API_KEY";
    let Some(key) = env.get(KEY) else {
        return alone(env, &["SENDGRID_FROM"], KEY);
    };
    let from = env
        .get("SENDGRID_FROM")
        .ok_or_else(|| Refused::new("SENDGRID_FROM", "is missing beside SENDGRID_API_KEY"))?;
    let from =
        EmailAddress::parse(from).map_err(|error| Refused::because("SENDGRID_FROM", &error))?;
    let mut builder = SendGrid::builder(key, from);
    if let Some(base) = base_url(env, "SENDGRID_BASE_URL")? {
        builder = builder.base_url(base);
    }
    let made = builder.build();
    made.map(Some)
        .map_err(|error| Refused::because(KEY, &error))
}

/// Refuses the parts of a provider whose main key is not set.
fn alone<T>(env: &Environment, parts: &[&str], main: &str) -> Result<Option<T>, Refused> {
    match parts.iter().find(|part| env.get(part).is_some()) {
        Some(part) => Err(Refused::new(main, &format!("is missing beside {part}"))),
        None => Ok(None),
    }
}

fn base_url(env: &Environment, key: &str) -> Result<Option<BaseUrl>, Refused> {
    env.get(key)
        .map(BaseUrl::parse)
        .transpose()
        .map_err(|error| Refused::because(key, &error))
}
