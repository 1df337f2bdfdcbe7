//! `POST /api/auth/webhooks/{vendor}`: what a vendor reports about a message. Nothing of it is
//! believed, or even read, before its signature is right; what was seen before changes nothing.

use otp_axum::webhooks::{NotTaken, Received, Taken, Vendors};
use otp_kit::clock::{Clock as _, SystemClock};
use otp_kit::destination::Channel;
use otp_kit::metrics::Webhook;
use otp_kit::providers::webhook::{Answer, Event, Notice, Topic, WebhookError, WebhookRequest};
use otp_kit::request::RequestContext;
use otp_kit::store::Seen;
use otp_kit::verifier::{Noted, ReportOutcome, TemplateError, Unavailable, WebhookNote};
use url::Url;

use crate::app::App;
use crate::config::Webhooks;

impl Vendors for App {
    fn names() -> &'static [&'static str] {
        &Webhooks::VENDORS
    }

    async fn take(&self, vendor: &str, request: Received) -> Result<Taken, NotTaken> {
        if !Webhooks::VENDORS.contains(&vendor) {
            return Err(NotTaken::UnknownVendor);
        }
        let Received {
            method,
            uri,
            headers,
            body,
            client,
        } = request;
        let body = match body {
            Ok(body) => body,
            Err(NotTaken::TooLarge) => return Err(refused(self, vendor, WebhookError::TooLarge)),
            Err(why) => {
                self.metrics.webhook(vendor, Webhook::Malformed);
                return Err(why);
            }
        };
        // Without a vendor's secret no signature can be right.
        let Some(reader) = self.webhooks.of(vendor) else {
            return Err(denied(self, vendor, WebhookError::Unsigned, &client).await);
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        let Ok(url) = self.webhooks.url.of(path) else {
            return Err(refused(self, vendor, WebhookError::Malformed("url")));
        };
        let read = async {
            let request = WebhookRequest::new(&method, &url, &headers, &body)?;
            reader.read(&request, SystemClock.now()).await
        };
        match read.await {
            Ok(Answer::Events(events)) => match note(self, vendor, events, &client).await {
                Ok(()) => Ok(Taken::Noted),
                // The vendor sends it again.
                Err(error) => {
                    self.metrics.webhook(vendor, Webhook::Unavailable);
                    tracing::warn!(%error, vendor, "a report could not be noted");
                    Err(NotTaken::Unavailable)
                }
            },
            Ok(Answer::Echo(text)) => Ok(Taken::Echo(text)),
            Ok(Answer::Confirm(address)) => confirmed(self, &address).await,
            Ok(_) => Ok(Taken::Noted),
            Err(error) => Err(denied(self, vendor, error, &client).await),
        }
    }
}

/// Refuses a report, on record where its signature is why.
async fn denied(app: &App, vendor: &str, error: WebhookError, client: &RequestContext) -> NotTaken {
    if let Some(why) = forged(&error) {
        let note = WebhookNote::Refused(why);
        match app.verifier.note_webhook(vendor, note, client).await {
            Ok(Noted::OnRecord) => {}
            // Neither a record nor a line: who sends thousands shall not fill a disk.
            Ok(Noted::TooMany) => {
                app.metrics.webhook(vendor, Webhook::BadSignature);
                return NotTaken::Unbelieved;
            }
            Err(error) => tracing::warn!(%error, vendor, "a refusal is not on record"),
        }
    }
    refused(app, vendor, error)
}

/// Says what is wrong with a signature, where that is why a report is refused.
fn forged(error: &WebhookError) -> Option<&'static str> {
    match error {
        WebhookError::Unsigned => Some("unsigned"),
        WebhookError::BadSignature => Some("bad_signature"),
        WebhookError::Stale => Some("stale"),
        _ => None,
    }
}

/// Notes what was not seen before, once over all instances; templates' states every time.
async fn note(
    app: &App,
    vendor: &str,
    events: Vec<Event>,
    client: &RequestContext,
) -> Result<(), Unavailable> {
    for event in events {
        let seen = match &event {
            Event::Report(report) => match app.verifier.apply(report).await? {
                ReportOutcome::Repeated => Seen::Again,
                outcome => {
                    tracing::info!(
                        provider = report.provider(),
                        reference = report.reference(),
                        state = report.state().name(),
                        code = report.code(),
                        ?outcome,
                        "delivery report"
                    );
                    Seen::First
                }
            },
            // Told twice, a template's state is the same; told once and not kept, it would be lost.
            Event::Notice(notice) if matches!(notice.topic, Topic::Template(_)) => {
                noted(app, notice).await?;
                Seen::First
            }
            _ => {
                let (store, replay) = (app.verifier.store(), event.replay());
                let seen = store.first_seen(replay.as_str(), replay.life()).await?;
                if seen == Seen::First {
                    first(app, &event).await?;
                }
                seen
            }
        };
        let message = match &event {
            Event::Report(report) => report.reference(),
            _ => event.word(),
        };
        let record = match seen {
            Seen::First => WebhookNote::Received(message),
            Seen::Again => WebhookNote::Repeated(message),
        };
        app.verifier.note_webhook(vendor, record, client).await?;
        app.metrics.webhook(
            vendor,
            match seen {
                Seen::First => Webhook::Accepted,
                Seen::Again => Webhook::Repeated,
            },
        );
    }
    Ok(())
}

async fn first(app: &App, event: &Event) -> Result<(), Unavailable> {
    match event {
        Event::Notice(notice) => noted(app, notice).await?,
        _ => tracing::info!(word = event.word(), "vendor's event"),
    }
    Ok(())
}

/// Says to Amazon that its reports shall come here: the request was signed, and the topic is ours.
async fn confirmed(app: &App, address: &Url) -> Result<Taken, NotTaken> {
    let Some(amazon) = &app.webhooks.amazon else {
        return Ok(Taken::Noted);
    };
    match amazon.confirm(address).await {
        Ok(()) => {
            tracing::info!("a subscription to reports of SES was confirmed");
            Ok(Taken::Noted)
        }
        Err(error) => {
            tracing::warn!(%error, "a subscription could not be confirmed");
            Err(NotTaken::Unavailable)
        }
    }
}

/// Closes or opens a channel on the whole fleet where the notice is about its template.
async fn noted(app: &App, notice: &Notice) -> Result<(), Unavailable> {
    tracing::info!(
        provider = notice.provider,
        word = notice.word,
        "vendor's notice"
    );
    let Topic::Template(update) = &notice.topic else {
        return Ok(());
    };
    let (Some(state), "whatsapp") = (update.state, notice.provider) else {
        return Ok(());
    };
    let templates = app.verifier.templates();
    let told = templates.report(Channel::WhatsApp, &update.name, &update.language, state);
    match told.await {
        Ok(_) => Ok(()),
        Err(TemplateError::Unavailable(error)) => Err(error),
        Err(error) => {
            tracing::info!(%error, "a template's state changes nothing");
            Ok(())
        }
    }
}

/// Says why a vendor's report was not taken, and nothing of it.
fn refused(app: &App, vendor: &str, error: WebhookError) -> NotTaken {
    app.metrics.webhook(
        vendor,
        match error {
            WebhookError::Unsigned | WebhookError::BadSignature | WebhookError::Stale => {
                Webhook::BadSignature
            }
            WebhookError::KeyUnavailable => Webhook::Unavailable,
            _ => Webhook::Malformed,
        },
    );
    tracing::warn!(%error, vendor, "a webhook was refused");
    match error {
        WebhookError::TooLarge => NotTaken::TooLarge,
        WebhookError::Unsigned | WebhookError::BadSignature | WebhookError::Stale => {
            NotTaken::Unbelieved
        }
        WebhookError::HandshakeRefused => NotTaken::HandshakeRefused,
        WebhookError::KeyUnavailable => NotTaken::Unavailable,
        _ => NotTaken::Malformed,
    }
}
