use super::{Unavailable, Verifier};
use crate::event::{Event, EventKind, Outcome};
use crate::request::{RequestContext, Tenant};

/// What became of a vendor's report, for the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WebhookNote<'a> {
    /// Its signature is right, and it was not seen before: the vendor's name of the message.
    Received(&'a str),
    /// Its signature is right, and it was seen before: the vendor's name of the message.
    Repeated(&'a str),
    /// Its signature is not right or missing: why, in a stable word.
    Refused(&'static str),
}

/// Whether a report is on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Noted {
    /// It is.
    OnRecord,
    /// It is one of too many that were refused from one address in a minute: count it, and write no
    /// line of it either.
    TooMany,
}

impl Verifier {
    /// Puts a vendor's report on record, as `TWILIO_WEBHOOK_RECEIVED` and
    /// `TWILIO_WEBHOOK_SIGNATURE_FAILED` of each vendor. Whoever takes reports calls it, after the
    /// signature was looked at.
    ///
    /// The reason has `MessageSid=` and the vendor's name of the message, whoever the vendor is, and
    /// `Message already processed` where it was seen before: operators search for that.
    ///
    /// Of what is refused a hundred a minute from one address are put on record and no more: anybody
    /// can send it, and records are kept for long.
    ///
    /// # Errors
    /// [`Unavailable`]; a report that is not on record should not be acknowledged, so that the
    /// vendor sends it again.
    pub async fn note_webhook(
        &self,
        vendor: &str,
        note: WebhookNote<'_>,
        context: &RequestContext,
    ) -> Result<Noted, Unavailable> {
        if let WebhookNote::Refused(_) = note
            && !self
                .limits_of_strangers("webhook", context)
                .await?
                .is_empty()
        {
            return Ok(Noted::TooMany);
        }
        let (kind, outcome, reason) = match note {
            WebhookNote::Received(message) => (
                EventKind::WebhookReceived,
                Outcome::Success,
                format!("MessageSid={message}"),
            ),
            WebhookNote::Repeated(message) => (
                EventKind::WebhookReceived,
                Outcome::Refused,
                format!("Message already processed: MessageSid={message}"),
            ),
            WebhookNote::Refused(why) => {
                (EventKind::WebhookRefused, Outcome::Refused, why.to_owned())
            }
        };
        let mut event = Event::new(kind, &Tenant::default())
            .from_request(context)
            .with_outcome(outcome, reason);
        event.provider = Some(vendor.to_owned());
        self.record(event).await?;
        Ok(Noted::OnRecord)
    }
}
