use otp_kit::destination::EmailAddress;
use otp_kit::providers::{Smtp, SmtpServer};

use super::{Environment, Refused, Shared, all, shared};

const URL: &str = "SMTP_URL";
const FROM: &str = "SMTP_FROM";

pub(super) fn read(env: &Environment) -> Result<Option<Shared>, Refused> {
    let Some([url, from]) = all(env, [URL, FROM])? else {
        return Ok(None);
    };
    let server = SmtpServer::parse(url).map_err(|error| Refused::because(URL, &error))?;
    let from = EmailAddress::parse(from).map_err(|error| Refused::because(FROM, &error))?;
    let made = Smtp::builder(server, from).build();
    made.map(shared)
        .map_err(|error| Refused::because(URL, &error))
}
