//! What reports of vendors are called in the `action` column, as the operators' queries name them.

use super::EventKind;

macro_rules! vendors {
    ($($name:literal => $received:literal, $refused:literal;)+) => {
        /// Names the action of a vendor's report; `None` where it is none, or of a vendor that has
        /// no name here.
        pub(super) fn action(kind: EventKind, provider: Option<&str>) -> Option<&'static str> {
            match (kind, provider?) {
                $((EventKind::WebhookReceived, $name) => Some($received),
                (EventKind::WebhookRefused, $name) => Some($refused),)+
                _ => None,
            }
        }
    };
}

vendors! {
    "mailgun" => "MAILGUN_WEBHOOK_RECEIVED", "MAILGUN_WEBHOOK_SIGNATURE_FAILED";
    "plivo" => "PLIVO_WEBHOOK_RECEIVED", "PLIVO_WEBHOOK_SIGNATURE_FAILED";
    "resend" => "RESEND_WEBHOOK_RECEIVED", "RESEND_WEBHOOK_SIGNATURE_FAILED";
    "sendgrid" => "SENDGRID_WEBHOOK_RECEIVED", "SENDGRID_WEBHOOK_SIGNATURE_FAILED";
    "ses" => "SES_WEBHOOK_RECEIVED", "SES_WEBHOOK_SIGNATURE_FAILED";
    "telegram" => "TELEGRAM_WEBHOOK_RECEIVED", "TELEGRAM_WEBHOOK_SIGNATURE_FAILED";
    "twilio" => "TWILIO_WEBHOOK_RECEIVED", "TWILIO_WEBHOOK_SIGNATURE_FAILED";
    "vonage" => "VONAGE_WEBHOOK_RECEIVED", "VONAGE_WEBHOOK_SIGNATURE_FAILED";
    "whatsapp" => "WHATSAPP_WEBHOOK_RECEIVED", "WHATSAPP_WEBHOOK_SIGNATURE_FAILED";
}
