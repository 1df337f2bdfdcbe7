//! `POST /api/auth/webhooks/{vendor}`: what a vendor reports about a message. Nothing of it is
//! believed, or even read, before its signature is right; what was seen before changes nothing.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use otp_axum::PathPart;
use otp_axum::openapi::{Api, Operation, Schema};
use otp_kit::clock::{Clock as _, SystemClock};
use otp_kit::destination::Channel;
use otp_kit::metrics::Webhook;
use otp_kit::providers::webhook::{Answer, Event, Notice, Topic, WebhookError, WebhookRequest};
use otp_kit::request::RequestContext;
use otp_kit::store::Seen;
use otp_kit::verifier::{ReportOutcome, Unavailable, WebhookNote};
use url::Url;

use crate::answer::Refusal;
use crate::app::App;
use crate::client::Client;
use crate::config::Webhooks;

/// The most that a vendor sends; one byte more is read to know that it is too much.
const LARGEST: usize = 64 * 1024;

const KINDS: [&str; 3] = [
    "application/json",
    "application/x-www-form-urlencoded",
    "text/plain",
];
const NOT_TAKEN: [Refusal; 6] = [
    Refusal::BAD_SIGNATURE,
    Refusal::HANDSHAKE_REFUSED,
    Refusal::MALFORMED,
    Refusal::NOT_FOUND,
    Refusal::TOO_LARGE,
    Refusal::UNAVAILABLE,
];

pub(crate) fn routes() -> Api<Arc<App>> {
    let report = || {
        Operation::post("Takes what a vendor reports, signed")
            .takes_as(KINDS, Schema::any())
            .up_to(LARGEST)
            .gives_nothing(200)
            .refuses(NOT_TAKEN)
    };
    let handshake = Operation::get("Answers a vendor that asks whether somebody is here")
        .gives_as(200, "text/plain", Schema::text())
        .refuses(NOT_TAKEN);
    const BY_VENDOR: &str = "/api/auth/webhooks/{vendor}";
    Api::new()
        .operation("/api/auth/mfa/webhook", report(), twilio)
        .operation(BY_VENDOR, report(), handle)
        .operation(BY_VENDOR, handshake, handle)
}

/// Takes what Twilio reports at the address that the runbooks know.
pub(crate) async fn twilio(
    state: State<Arc<App>>,
    method: Method,
    uri: Uri,
    client: Client,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let vendor = PathPart("twilio".to_owned());
    handle(state, vendor, method, uri, client, headers, body).await
}

pub(crate) async fn handle(
    State(app): State<Arc<App>>,
    PathPart(vendor): PathPart,
    method: Method,
    uri: Uri,
    Client(client): Client,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    if !Webhooks::VENDORS.contains(&vendor.as_str()) {
        return Refusal::NOT_FOUND.into_response();
    }
    let Ok(body) = body else {
        return refused(&app, &vendor, WebhookError::TooLarge);
    };
    // Without a vendor's secret no signature can be right.
    let Some(reader) = app.webhooks.of(&vendor) else {
        return denied(&app, &vendor, WebhookError::Unsigned, &client).await;
    };
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let Ok(url) = app.webhooks.url.of(path) else {
        return refused(&app, &vendor, WebhookError::Malformed("url"));
    };
    let read = async {
        let request = WebhookRequest::new(&method, &url, &headers, &body)?;
        reader.read(&request, SystemClock.now()).await
    };
    match read.await {
        Ok(Answer::Events(events)) => match note(&app, &vendor, events, &client).await {
            Ok(()) => StatusCode::OK.into_response(),
            // The vendor sends it again.
            Err(error) => {
                app.metrics.webhook(&vendor, Webhook::Unavailable);
                tracing::warn!(%error, vendor, "a report could not be noted");
                Refusal::UNAVAILABLE.into_response()
            }
        },
        Ok(Answer::Echo(text)) => text.into_response(),
        Ok(Answer::Confirm(address)) => confirmed(&app, &address).await,
        Ok(_) => StatusCode::OK.into_response(),
        Err(error) => denied(&app, &vendor, error, &client).await,
    }
}

/// Refuses a report, on record where its signature is why.
async fn denied(app: &App, vendor: &str, error: WebhookError, client: &RequestContext) -> Response {
    if let Some(why) = forged(&error) {
        let note = WebhookNote::Refused(why);
        if let Err(error) = app.verifier.note_webhook(vendor, note, client).await {
            tracing::warn!(%error, vendor, "a refusal is not on record");
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
            // A template's state is each instance's own: another one that has seen this notice has
            // not told this one. Told twice, the state is the same.
            Event::Notice(notice) if matches!(notice.topic, Topic::Template(_)) => {
                noted(app, notice);
                Seen::First
            }
            _ => {
                let (store, replay) = (app.verifier.store(), event.replay());
                let seen = store.first_seen(replay.as_str(), replay.life()).await?;
                if seen == Seen::First {
                    first(app, &event);
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
                Seen::Again => again(&event),
            },
        );
    }
    Ok(())
}

/// Says that a report changes nothing, in the words that operators search for: a vendor repeats
/// what it got no answer to, and so does whoever recorded it on its way.
fn again(event: &Event) -> Webhook {
    let word = event.word();
    match event {
        Event::Report(report) => tracing::warn!(
            provider = report.provider(),
            word,
            "Message already processed MessageSid={}",
            report.reference()
        ),
        _ => tracing::warn!(word, "Message already processed"),
    }
    Webhook::Repeated
}

fn first(app: &App, event: &Event) {
    match event {
        Event::Notice(notice) => noted(app, notice),
        _ => tracing::info!(word = event.word(), "vendor's event"),
    }
}

/// Says to Amazon that its reports shall come here: the request was signed, and the topic is ours.
async fn confirmed(app: &App, address: &Url) -> Response {
    let Some(amazon) = &app.webhooks.amazon else {
        return StatusCode::OK.into_response();
    };
    match amazon.confirm(address).await {
        Ok(()) => {
            tracing::info!("a subscription to reports of SES was confirmed");
            StatusCode::OK.into_response()
        }
        Err(error) => {
            tracing::warn!(%error, "a subscription could not be confirmed");
            Refusal::UNAVAILABLE.into_response()
        }
    }
}

/// Closes or opens a channel where the notice is about its template.
fn noted(app: &App, notice: &Notice) {
    tracing::info!(
        provider = notice.provider,
        word = notice.word,
        "vendor's notice"
    );
    let Topic::Template(update) = &notice.topic else {
        return;
    };
    let (Some(state), "whatsapp") = (update.state, notice.provider) else {
        return;
    };
    let templates = app.verifier.templates();
    let told = templates.report(Channel::WhatsApp, &update.name, &update.language, state);
    if let Err(error) = told {
        tracing::info!(%error, "a template's state changes nothing");
    }
}

/// Says why a vendor's report was not taken, and nothing of it.
fn refused(app: &App, vendor: &str, error: WebhookError) -> Response {
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
    let refusal = match error {
        WebhookError::TooLarge => Refusal::TOO_LARGE,
        WebhookError::Unsigned | WebhookError::BadSignature | WebhookError::Stale => {
            Refusal::BAD_SIGNATURE
        }
        WebhookError::HandshakeRefused => Refusal::HANDSHAKE_REFUSED,
        WebhookError::KeyUnavailable => Refusal::UNAVAILABLE,
        _ => Refusal::MALFORMED,
    };
    refusal.into_response()
}
