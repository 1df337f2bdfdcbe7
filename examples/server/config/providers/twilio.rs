use otp_kit::providers::{ConfigError, Twilio, TwilioAuth, TwilioVerify};

use super::{Environment, Refused, Shared, alone, base_url, shared};

/// What text messages are Twilio's for.
pub(super) enum Texts {
    /// Our codes, in messages of ours.
    Messages(Shared),
    /// Codes that Twilio Verify makes, sends and checks.
    Verify(TwilioVerify),
}

const VERIFY: &str = "TWILIO_VERIFY_SERVICE_SID";

pub(super) fn read(env: &Environment) -> Result<Option<Texts>, Refused> {
    const SID: &str = "TWILIO_ACCOUNT_SID";
    let parts = [
        "TWILIO_AUTH_TOKEN",
        "TWILIO_API_KEY_SID",
        "TWILIO_API_KEY_SECRET",
        "TWILIO_FROM",
        "TWILIO_MESSAGING_SERVICE_SID",
        VERIFY,
        "TWILIO_VERIFY_BASE_URL",
    ];
    let Some(account) = env.get(SID) else {
        return alone(env, &parts, SID);
    };
    if let Some(service) = env.get(VERIFY) {
        let verify = verify(env, account, service)?;
        if !sends(env) {
            return Ok(Some(Texts::Verify(verify)));
        }
    }
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
            let problem = "is missing: set it, TWILIO_MESSAGING_SERVICE_SID or \
                           TWILIO_VERIFY_SERVICE_SID";
            return Err(Refused::new("TWILIO_FROM", problem));
        }
    }
    if let Some(base) = base_url(env, "TWILIO_BASE_URL")? {
        builder = builder.base_url(base);
    }
    let made = builder.build().map_err(|error| refused(env, &error))?;
    Ok(shared(made).map(Texts::Messages))
}

/// Says that messages are ours though a service of Twilio Verify is named as well.
pub(crate) fn leaves_verify(env: &Environment) -> bool {
    env.get(VERIFY).is_some() && sends(env)
}

fn sends(env: &Environment) -> bool {
    let senders = ["TWILIO_FROM", "TWILIO_MESSAGING_SERVICE_SID"];
    senders.iter().any(|key| env.get(key).is_some())
}

fn verify(env: &Environment, account: &str, service: &str) -> Result<TwilioVerify, Refused> {
    let mut builder = TwilioVerify::builder(account, twilio_auth(env)?, service);
    if let Some(base) = base_url(env, "TWILIO_VERIFY_BASE_URL")? {
        builder = builder.base_url(base);
    }
    builder.build().map_err(|error| refused(env, &error))
}

fn refused(env: &Environment, error: &ConfigError) -> Refused {
    let key = match error {
        ConfigError::ApiKeySid => "TWILIO_API_KEY_SID",
        ConfigError::Credential if env.get("TWILIO_API_KEY_SID").is_some() => {
            "TWILIO_API_KEY_SECRET"
        }
        ConfigError::Credential => "TWILIO_AUTH_TOKEN",
        ConfigError::Sender => "TWILIO_FROM",
        ConfigError::MessagingServiceSid => "TWILIO_MESSAGING_SERVICE_SID",
        ConfigError::VerifyServiceSid => VERIFY,
        _ => "TWILIO_ACCOUNT_SID",
    };
    Refused::because(key, error)
}

/// Prefers an API key, which can be revoked alone. Of several auth tokens the first one sends;
/// the others are for checking webhooks while one replaces another.
fn twilio_auth(env: &Environment) -> Result<TwilioAuth, Refused> {
    let key = (
        env.get("TWILIO_API_KEY_SID"),
        env.get("TWILIO_API_KEY_SECRET"),
    );
    match (key, env.first("TWILIO_AUTH_TOKEN")) {
        ((Some(sid), Some(secret)), _) => Ok(TwilioAuth::api_key(sid, secret)),
        ((Some(_), None), _) => Err(Refused::new(
            "TWILIO_API_KEY_SECRET",
            "is missing beside TWILIO_API_KEY_SID",
        )),
        ((None, Some(_)), _) => Err(Refused::new(
            "TWILIO_API_KEY_SID",
            "is missing beside TWILIO_API_KEY_SECRET",
        )),
        ((None, None), Some(token)) => Ok(TwilioAuth::token(token)),
        ((None, None), None) => Err(Refused::new(
            "TWILIO_AUTH_TOKEN",
            "is missing beside TWILIO_ACCOUNT_SID",
        )),
    }
}
