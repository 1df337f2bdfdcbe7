use otp_kit::providers::{ConfigError, Twilio, TwilioAuth};

use super::{Environment, Refused, Shared, alone, base_url, shared};

pub(super) fn read(env: &Environment) -> Result<Option<Shared>, Refused> {
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
    made.map(shared).map_err(|error| {
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
