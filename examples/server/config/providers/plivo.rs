use otp_kit::providers::{ConfigError, Plivo};

use super::{Environment, Refused, Shared, all, base_url, shared};

const ID: &str = "PLIVO_AUTH_ID";
const TOKEN: &str = "PLIVO_AUTH_TOKEN";

pub(super) fn read(env: &Environment) -> Result<Option<Shared>, Refused> {
    let Some([id, _, from]) = all(env, [ID, TOKEN, "PLIVO_FROM"])? else {
        return Ok(None);
    };
    let token = env.first(TOKEN).unwrap_or_default();
    let mut builder = Plivo::builder(id, token).from(from);
    if let Some(base) = base_url(env, "PLIVO_BASE_URL")? {
        builder = builder.base_url(base);
    }
    builder.build().map(shared).map_err(|error| {
        let key = match error {
            ConfigError::Credential => TOKEN,
            ConfigError::Sender => "PLIVO_FROM",
            _ => ID,
        };
        Refused::because(key, &error)
    })
}
