//! The adapters with their default transport, against servers on this machine.
#![cfg(all(
    feature = "captcha",
    feature = "generic",
    feature = "plivo",
    feature = "reqwest",
    feature = "sendgrid",
    feature = "ses",
    feature = "sns",
    feature = "telegram",
    feature = "twilio",
    feature = "vonage",
    feature = "whatsapp",
))]

#[cfg(test)]
#[path = "loopback/captcha.rs"]
mod captcha;
#[cfg(test)]
#[path = "loopback/generic.rs"]
mod generic;
#[cfg(test)]
#[path = "loopback/plivo.rs"]
mod plivo;
#[cfg(test)]
#[path = "loopback/sendgrid.rs"]
mod sendgrid;
#[cfg(test)]
#[path = "loopback/ses.rs"]
mod ses;
#[cfg(test)]
#[path = "loopback/sns.rs"]
mod sns;
#[cfg(test)]
#[path = "loopback/stand_in.rs"]
mod stand_in;
#[cfg(test)]
#[path = "loopback/starts.rs"]
mod starts;
#[cfg(test)]
#[path = "loopback/telegram.rs"]
mod telegram;
#[cfg(test)]
#[path = "loopback/transport.rs"]
mod transport;
#[cfg(test)]
#[path = "loopback/twilio.rs"]
mod twilio;
#[cfg(test)]
#[path = "loopback/twilio_verify.rs"]
mod twilio_verify;
#[cfg(test)]
#[path = "loopback/vonage.rs"]
mod vonage;
#[cfg(test)]
#[path = "loopback/whatsapp.rs"]
mod whatsapp;
