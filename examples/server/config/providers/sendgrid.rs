use otp_kit::destination::EmailAddress;
use otp_kit::providers::SendGrid;

use super::{Environment, Refused, Shared, all, base_url, shared};

const KEY: &str = "SENDGRID_API_KEY";

pub(super) fn read(env: &Environment) -> Result<Option<Shared>, Refused> {
    let Some([key, from]) = all(env, [KEY, "SENDGRID_FROM"])? else {
        return Ok(None);
    };
    let from =
        EmailAddress::parse(from).map_err(|error| Refused::because("SENDGRID_FROM", &error))?;
    let mut builder = SendGrid::builder(key, from);
    if let Some(base) = base_url(env, "SENDGRID_BASE_URL")? {
        builder = builder.base_url(base);
    }
    let made = builder.build();
    made.map(shared)
        .map_err(|error| Refused::because(KEY, &error))
}
