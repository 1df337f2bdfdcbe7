use otp_kit::providers::TelegramGateway;

use super::{Environment, Refused, Shared, base_url, shared};

const TOKEN: &str = "TELEGRAM_GATEWAY_TOKEN";

pub(super) fn read(env: &Environment) -> Result<Option<Shared>, Refused> {
    let Some(token) = env.first(TOKEN) else {
        return Ok(None);
    };
    let mut builder = TelegramGateway::builder(token);
    if let Some(base) = base_url(env, "TELEGRAM_GATEWAY_BASE_URL")? {
        builder = builder.base_url(base);
    }
    let made = builder.build();
    made.map(shared)
        .map_err(|error| Refused::because(TOKEN, &error))
}
