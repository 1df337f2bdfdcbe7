use otp_kit::providers::{ConfigError, Vonage};

use super::{Environment, Refused, Shared, all, base_url, shared};

const KEY: &str = "VONAGE_API_KEY";

pub(super) fn read(env: &Environment) -> Result<Option<Shared>, Refused> {
    let Some([key, secret, from]) = all(env, [KEY, "VONAGE_API_SECRET", "VONAGE_FROM"])? else {
        return Ok(None);
    };
    let mut builder = Vonage::builder(key, secret, from);
    if let Some(base) = base_url(env, "VONAGE_BASE_URL")? {
        builder = builder.base_url(base);
    }
    builder.build().map(shared).map_err(|error| {
        let key = match error {
            ConfigError::Credential => "VONAGE_API_SECRET",
            ConfigError::Sender => "VONAGE_FROM",
            _ => KEY,
        };
        Refused::because(key, &error)
    })
}
