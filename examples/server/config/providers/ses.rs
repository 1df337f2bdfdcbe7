use std::sync::Arc;

use otp_kit::destination::EmailAddress;
use otp_kit::providers::aws::AwsCredentials;
use otp_kit::providers::{ConfigError, Ses};

use super::{Environment, Refused, Shared, base_url, shared};

const FROM: &str = "SES_FROM";
const SECRET: &str = "AWS_SECRET_ACCESS_KEY";

/// `SES_FROM` asks for it; the `AWS_` names may be there for other reasons.
pub(super) fn read(env: &Environment) -> Result<Option<Shared>, Refused> {
    let Some(from) = env.get(FROM) else {
        return Ok(None);
    };
    let from = EmailAddress::parse(from).map_err(|error| Refused::because(FROM, &error))?;
    let needed = |key| {
        let missing = || Refused::new(key, "is missing beside SES_FROM");
        env.get(key).ok_or_else(missing)
    };
    let (id, secret) = (needed("AWS_ACCESS_KEY_ID")?, needed(SECRET)?);
    let refused = |key| move |error: ConfigError| Refused::because(key, &error);
    let mut credentials = AwsCredentials::new(id, secret).map_err(refused(SECRET))?;
    if let Some(token) = env.get("AWS_SESSION_TOKEN") {
        let with = credentials.with_session_token(token);
        credentials = with.map_err(refused("AWS_SESSION_TOKEN"))?;
    }
    let mut builder = Ses::builder(Arc::new(credentials), needed("AWS_REGION")?, from);
    if let Some(base) = base_url(env, "SES_BASE_URL")? {
        builder = builder.base_url(base);
    }
    builder.build().map(shared).map_err(refused("AWS_REGION"))
}
