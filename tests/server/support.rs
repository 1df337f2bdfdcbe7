#[cfg(debug_assertions)]
#[path = "support/authenticator.rs"]
pub(crate) mod authenticator;
// By path: `tests/runbooks` has this file too.
#[path = "support/http.rs"]
pub(crate) mod http;
#[path = "support/mailer.rs"]
pub(crate) mod mailer;
#[path = "support/plivo.rs"]
pub(crate) mod plivo;
#[path = "../../otp-store/tests/support/port.rs"]
pub(crate) mod port;
#[path = "support/redis.rs"]
pub(crate) mod redis;
#[path = "support/server.rs"]
pub(crate) mod server;
#[path = "support/twilio.rs"]
pub(crate) mod twilio;
#[path = "support/verify.rs"]
pub(crate) mod verify;
#[path = "support/whatsapp.rs"]
pub(crate) mod whatsapp;

pub(crate) use http::{Reply, body_of_request, body_of_verify};
pub(crate) use server::{Server, beside};

pub(crate) const PHONE: &str = "+14155550123";
pub(crate) const OTHER_PHONE: &str = "+14155550124";

/// A code of the same shape that is not this one.
pub(crate) fn wrong(code: &str) -> String {
    let flip = if code.starts_with('0') { "1" } else { "0" };
    format!("{flip}{}", &code[1..])
}
