use otp_core::delivery::{DeliveryError, DeliveryErrorKind};
use thiserror::Error;

/// Says why there is no reply, by what may have happened to the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TransportErrorKind {
    /// No connection came about; not a byte of the request left.
    NotConnected,
    /// The reply did not come in time; the request may have been carried out.
    Timeout,
    /// The connection ended before the reply did; the request may have been carried out.
    Interrupted,
    /// The reply was larger than the transport reads; the request may have been carried out.
    TooLarge,
    /// Something else went wrong; the request may have been carried out.
    Other,
}

/// There is no reply. It holds no URL, header or body: its detail is a fixed phrase.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}: {detail}", self.phrase())]
pub struct TransportError {
    kind: TransportErrorKind,
    detail: &'static str,
}

impl TransportError {
    /// Makes an error with a phrase for the operator, such as `connection refused`.
    #[must_use]
    pub const fn new(kind: TransportErrorKind, detail: &'static str) -> Self {
        Self { kind, detail }
    }

    /// Says what may have happened to the request.
    #[must_use]
    pub const fn kind(&self) -> TransportErrorKind {
        self.kind
    }

    /// Turns it into the error that a provider returns: only what was never connected is surely
    /// not sent.
    #[must_use]
    pub fn into_delivery_error(self, provider: &str) -> DeliveryError {
        let error = |kind| DeliveryError::new(kind, provider);
        let error = match self.kind {
            TransportErrorKind::NotConnected => error(DeliveryErrorKind::Unavailable).not_sent(),
            TransportErrorKind::Timeout => error(DeliveryErrorKind::Timeout).maybe_sent(),
            TransportErrorKind::TooLarge => error(DeliveryErrorKind::Protocol).maybe_sent(),
            TransportErrorKind::Interrupted | TransportErrorKind::Other => {
                error(DeliveryErrorKind::Unavailable).maybe_sent()
            }
        };
        error.with_source(self)
    }

    const fn phrase(&self) -> &'static str {
        match self.kind {
            TransportErrorKind::NotConnected => "not connected",
            TransportErrorKind::Timeout => "no reply in time",
            TransportErrorKind::Interrupted => "the connection ended early",
            TransportErrorKind::TooLarge => "the reply is too large",
            TransportErrorKind::Other => "the request failed",
        }
    }
}

#[cfg(test)]
mod tests {
    use otp_core::delivery::DispatchCertainty;

    use super::*;

    #[test]
    fn only_what_never_connected_is_surely_not_sent() {
        let cases = [
            (
                TransportErrorKind::NotConnected,
                DeliveryErrorKind::Unavailable,
            ),
            (TransportErrorKind::Timeout, DeliveryErrorKind::Timeout),
            (
                TransportErrorKind::Interrupted,
                DeliveryErrorKind::Unavailable,
            ),
            (TransportErrorKind::TooLarge, DeliveryErrorKind::Protocol),
            (TransportErrorKind::Other, DeliveryErrorKind::Unavailable),
        ];
        for (transport, kind) in cases {
            let error = TransportError::new(transport, "why").into_delivery_error("acme");
            let unsent = transport == TransportErrorKind::NotConnected;
            assert_eq!(error.kind(), kind, "{transport:?}");
            assert_eq!(
                error.certainty() == DispatchCertainty::NotSent,
                unsent,
                "{transport:?}"
            );
        }
    }
}
