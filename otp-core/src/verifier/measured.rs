//! Every call in a span of its own, and timed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;

use tracing::{Instrument as _, Span, field};

use super::{FactorError, IssueError, ResendError, Unavailable, Verifier, VerifyError};
use crate::clock::Stopwatch;
use crate::event::{Answer, Measure};
use crate::hash::PoolLoad;
use crate::request::Operation;
use crate::store::StoreError;

/// What this instance has in hand right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Load {
    /// The pool of threads that hashes codes.
    pub hashing: PoolLoad,
    /// The messages that are on their way to a provider.
    pub messages: usize,
}

/// An error that says in a word how its call ended.
pub(super) trait Ending {
    fn answer(&self) -> Answer;

    fn unavailable(&self) -> Option<&Unavailable>;
}

macro_rules! endings {
    ($($error:ident: { $($variant:pat => $answer:ident,)* })+) => {$(
        impl Ending for $error {
            fn answer(&self) -> Answer {
                match self {
                    Self::Throttled(_) => Answer::Throttled,
                    Self::Locked(_) | Self::Disabled => Answer::Locked,
                    Self::Blocked => Answer::Refused,
                    Self::Busy(_) => Answer::Busy,
                    Self::Unavailable(_) => Answer::Unavailable,
                    $($variant => Answer::$answer,)*
                }
            }

            fn unavailable(&self) -> Option<&Unavailable> {
                match self {
                    Self::Unavailable(error) => Some(error),
                    _ => None,
                }
            }
        }
    )+};
}

endings! {
    IssueError: {
        Self::NotSent(_) => NotSent,
        Self::CaptchaRequired | Self::CaptchaFailed => Refused,
        Self::UnknownPurpose
        | Self::NoRoute(_)
        | Self::NoLinks
        | Self::ReturnAddress
        | Self::NoSubject
        | Self::Channel(_)
        | Self::Destination(_)
        | Self::InvalidIdempotencyKey
        | Self::IdempotencyConflict => Invalid,
    }
    ResendError: {
        Self::NotSent(_) => NotSent,
        Self::CaptchaRequired | Self::CaptchaFailed => Refused,
        Self::Rejected => Rejected,
        Self::TooEarly(_) | Self::NoneLeft => Throttled,
        Self::NoRoute(_) => Invalid,
    }
    VerifyError: {
        Self::Rejected => Rejected,
    }
}

impl Ending for FactorError {
    fn answer(&self) -> Answer {
        match self {
            Self::Throttled(_) => Answer::Throttled,
            Self::NotFresh { .. } => Answer::Rejected,
            Self::Blocked => Answer::Refused,
            Self::Busy(_) => Answer::Busy,
            Self::Unreadable | Self::Unavailable(_) => Answer::Unavailable,
            Self::NameTaken | Self::TooMany | Self::Unknown => Answer::Invalid,
        }
    }

    fn unavailable(&self) -> Option<&Unavailable> {
        match self {
            Self::Unavailable(error) => Some(error),
            _ => None,
        }
    }
}

impl Verifier {
    /// Carries out a call in a span of its own and tells the observers how long it took. The call
    /// is boxed, once: what wraps it would hold and move kilobytes of it else.
    pub(super) async fn measured<T, E: Ending>(
        &self,
        operation: Operation,
        call: Pin<Box<impl Future<Output = Result<T, E>>>>,
    ) -> Result<T, E> {
        let watch = Stopwatch::start();
        let span = tracing::info_span!(
            target: "otp_kit",
            "otp",
            operation = operation.name(),
            answer = field::Empty
        );
        let ended = async {
            let ended = call.await;
            let answer = ended.as_ref().err().map_or(Answer::Done, Ending::answer);
            Span::current().record("answer", answer.name());
            if let Some(error) = ended.as_ref().err().and_then(Ending::unavailable) {
                not_decided(operation, error);
            }
            self.measure(&Measure::Answered {
                operation,
                answer,
                took: watch.elapsed(),
            });
            ended
        };
        ended.instrument(span).await
    }

    /// Shows a measurement to every observer; one that panics does not harm the request.
    pub(super) fn measure(&self, measure: &Measure<'_>) {
        for observer in &self.inner.observers {
            let seen = catch_unwind(AssertUnwindSafe(|| observer.measure(measure)));
            if seen.is_err() {
                tracing::error!(target: "otp_kit", "an observer panicked");
            }
        }
    }

    /// Says what this instance has in hand right now.
    #[must_use]
    pub fn load(&self) -> Load {
        Load {
            hashing: self.inner.hasher.load(),
            messages: self.inner.outbound.under_way(),
        }
    }
}

/// Says in the words that operators search for that a store did not do its part.
fn not_decided(operation: Operation, error: &Unavailable) {
    let of_store =
        std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<StoreError>);
    if !of_store {
        return;
    }
    let (operation, kind) = (operation.name(), error.kind().name());
    if operation == Operation::Verify.name() {
        tracing::error!(target: "otp_kit", operation, kind, "failed to read challenge");
    } else if operation == Operation::Change.name() {
        tracing::error!(target: "otp_kit", operation, kind, "failed to change factors");
    } else {
        tracing::error!(target: "otp_kit", operation, kind, "failed to store challenge");
    }
}
