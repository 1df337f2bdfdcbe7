use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use super::{DeliveryError, DeliveryProvider, DispatchCertainty, Message, Receipt};
use crate::delivery::DeliveryErrorKind;

/// The providers of one channel, in the order in which they are tried.
///
/// What a provider surely did not send goes to the next one at once, as the same message under
/// the same challenge. An outcome that is not known (a timeout, a failure after the request went
/// out) ends the route, because going on could reach the person twice. A refusal that protects
/// (an opt-out, a vendor's fraud guard) ends it too: going round it would defeat it.
#[derive(Clone, Debug)]
pub struct Route {
    providers: Vec<Arc<dyn DeliveryProvider>>,
    deadline: Duration,
}

/// How long one provider may take, unless the route says otherwise.
const DEADLINE: Duration = Duration::from_secs(10);

impl Route {
    /// Starts a route with the provider that is tried first.
    #[must_use]
    pub fn primary(provider: impl DeliveryProvider) -> Self {
        Self::shared(Arc::new(provider))
    }

    /// Starts a route with a provider that the host keeps a handle on.
    #[must_use]
    pub fn shared(provider: Arc<dyn DeliveryProvider>) -> Self {
        Self {
            providers: vec![provider],
            deadline: DEADLINE,
        }
    }

    /// Adds a provider that is tried when those before it surely did not send.
    #[must_use]
    pub fn backup(mut self, provider: impl DeliveryProvider) -> Self {
        self.providers.push(Arc::new(provider));
        self
    }

    /// Sets how long each provider may take before its outcome counts as unknown. Default: ten
    /// seconds.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Lists the providers in order.
    pub fn providers(&self) -> impl Iterator<Item = &dyn DeliveryProvider> {
        self.providers.iter().map(AsRef::as_ref)
    }

    /// Sends a message along the route.
    ///
    /// # Errors
    /// [`RouteFailure`] with the error of each provider that was tried, in order.
    ///
    /// # Cancellation
    /// Dropping the future leaves the outcome unknown, as a timeout would.
    pub async fn send(&self, message: &Message) -> Result<Receipt, RouteFailure> {
        let mut errors = Vec::new();
        for provider in &self.providers {
            let delivery = unpanicked(provider.deliver(message));
            let error = match tokio::time::timeout(self.deadline, delivery).await {
                Ok(Some(Ok(receipt))) => return Ok(receipt),
                Ok(Some(Err(error))) => error,
                Ok(None) => DeliveryError::new(DeliveryErrorKind::Protocol, provider.name()),
                Err(_elapsed) => DeliveryError::new(DeliveryErrorKind::Timeout, provider.name()),
            };
            let stop = error.certainty() == DispatchCertainty::Unknown || error.kind().ends_route();
            errors.push(error);
            if stop {
                break;
            }
        }
        Err(RouteFailure { errors })
    }
}

/// Runs a host's future; one that panics ends as `None` and harms nobody else.
async fn unpanicked<T>(mut future: Pin<Box<dyn Future<Output = T> + Send + '_>>) -> Option<T> {
    poll_fn(|context| {
        let polled = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context)));
        match polled {
            Ok(Poll::Ready(value)) => Poll::Ready(Some(value)),
            Ok(Poll::Pending) => Poll::Pending,
            Err(_panic) => Poll::Ready(None),
        }
    })
    .await
}

/// No provider of the route accepted the message.
#[derive(Debug)]
pub struct RouteFailure {
    errors: Vec<DeliveryError>,
}

impl RouteFailure {
    /// The message could not be put into words, so nobody was asked to send it.
    pub(crate) fn of_catalogue() -> Self {
        let error = DeliveryError::new(DeliveryErrorKind::Invalid, "catalogue").not_sent();
        Self {
            errors: vec![error],
        }
    }

    /// Says whether the message may reach the person all the same.
    #[must_use]
    pub fn certainty(&self) -> DispatchCertainty {
        let unknown = self
            .errors
            .iter()
            .any(|error| error.certainty() == DispatchCertainty::Unknown);
        if unknown {
            DispatchCertainty::Unknown
        } else {
            DispatchCertainty::NotSent
        }
    }

    /// Gives what each provider answered, in the order in which they were tried.
    #[must_use]
    pub fn errors(&self) -> &[DeliveryError] {
        &self.errors
    }

    /// Gives the kind that ended the route.
    #[must_use]
    pub fn kind(&self) -> DeliveryErrorKind {
        self.errors
            .last()
            .map_or(DeliveryErrorKind::Unavailable, DeliveryError::kind)
    }
}
