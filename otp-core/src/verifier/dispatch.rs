//! The way out: words, route, and the record of what came of it.

use std::time::Duration;

use super::request::{Dispatch, Issue, Issued};
use super::{NotSent, Verifier};
use crate::challenge::{Challenge, Code};
use crate::delivery::{
    DispatchCertainty, Locale, Message, MessageId, Receipt, Route, RouteFailure, Template,
};
use crate::destination::{Channel, Destination};
use crate::event::{Event, EventKind, Outcome};
use crate::request::{Purpose, RequestContext};

/// A code that is ready to be put into words and sent.
pub(super) struct Parcel {
    event: Event,
    id: MessageId,
    channel: Channel,
    destination: Option<Destination>,
    purpose: Purpose,
    locale: Locale,
    code: Code,
    life: Duration,
    route: Route,
}

impl Parcel {
    pub(super) fn new(challenge: &Challenge, code: Code, issue: &Issue, route: &Route) -> Self {
        Self::with(
            challenge,
            code,
            issue.destination().cloned(),
            route.clone(),
            issue.locale.clone(),
            &issue.context,
            challenge.expires_at.since(challenge.created_at),
        )
    }

    pub(super) fn with(
        challenge: &Challenge,
        code: Code,
        destination: Option<Destination>,
        route: Route,
        locale: Locale,
        context: &RequestContext,
        life: Duration,
    ) -> Self {
        Self {
            id: MessageId::new(&format!(
                "{}-{}",
                challenge.id.fingerprint(),
                challenge.sends
            )),
            channel: challenge.channel,
            destination,
            purpose: challenge.purpose.clone(),
            locale,
            code,
            life,
            route,
            // Its kind and outcome are set when they are known.
            event: Event::new(EventKind::CodeSent, &challenge.tenant)
                .from_request(context)
                .of_challenge(challenge),
        }
    }
}

impl Verifier {
    /// Sends, or has it sent.
    pub(super) async fn dispatch(
        &self,
        dispatch: Dispatch,
        parcel: Parcel,
        issued: Issued,
    ) -> Result<(), NotSent> {
        match dispatch {
            Dispatch::Await => self
                .send(parcel)
                .await
                .map_err(|failure| NotSent { failure, issued }),
            Dispatch::Background => {
                let verifier = self.clone();
                // The task says by itself what came of it: the event and the log line.
                drop(tokio::spawn(async move {
                    drop(verifier.send(parcel).await);
                }));
                Ok(())
            }
        }
    }

    /// Puts the code into words, takes them along the route and records what came of it. A decoy
    /// goes nowhere, and that succeeds.
    async fn send(&self, mut parcel: Parcel) -> Result<(), RouteFailure> {
        let Some(destination) = parcel.destination.take() else {
            return Ok(());
        };
        let message = self.words(&parcel, destination);
        let sent = match message {
            Some(message) => parcel.route.send(&message).await,
            None => Err(RouteFailure::of_catalogue()),
        };
        if let Err(failure) = &sent {
            tracing::warn!(
                target: "otp_kit",
                channel = parcel.channel.name(),
                kind = failure.kind().name(),
                certainty = ?failure.certainty(),
                "failed to send"
            );
        }
        let event = delivery_event(parcel.event, &sent);
        if self.record(event).await.is_err() {
            tracing::error!(target: "otp_kit", "a delivery could not be recorded");
        }
        sent.map(drop)
    }

    fn words(&self, parcel: &Parcel, destination: Destination) -> Option<Message> {
        let template = Template {
            channel: parcel.channel,
            purpose: &parcel.purpose,
            locale: &parcel.locale,
            brand: &self.inner.brand,
            code: &parcel.code,
            expires_in: parcel.life,
        };
        let render = std::panic::AssertUnwindSafe(|| self.inner.catalogue.render(&template));
        // A host's catalogue that panics fails this message, not the service.
        let rendered = std::panic::catch_unwind(render).ok()?;
        let mut message = Message::builder(
            parcel.id.clone(),
            parcel.channel,
            destination,
            rendered.text,
            parcel.code.clone(),
        )
        .locale(parcel.locale.clone())
        .expires_in(parcel.life);
        if let Some(subject) = &rendered.subject {
            message = message.subject(subject);
        }
        if let Some(html) = rendered.html {
            message = message.html(html);
        }
        Some(message.build())
    }
}

fn delivery_event(mut event: Event, sent: &Result<Receipt, RouteFailure>) -> Event {
    match sent {
        Ok(receipt) => event.provider = Some(receipt.provider().to_owned()),
        Err(failure) => {
            event.kind = EventKind::CodeNotSent;
            let last = failure.errors().last();
            event.provider = last.map(|error| error.provider().to_owned());
            let unknown = failure.certainty() == DispatchCertainty::Unknown;
            let reason = match (failure.kind().name(), unknown) {
                (kind, true) => format!("{kind}_outcome_unknown"),
                (kind, false) => kind.to_owned(),
            };
            event = event.with_outcome(Outcome::Failed, reason);
        }
    }
    event
}
