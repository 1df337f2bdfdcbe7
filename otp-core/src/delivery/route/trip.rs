use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio::time::Instant;
use tracing::Instrument as _;

use super::leg::{Choice, Vendor};
use super::send::{Afterwards, Errand};
use super::{OnUnknown, RouteFailure};
use crate::breaker::{BreakerRules, BreakerState, Pass};
use crate::clock::{Clock, Timestamp};
use crate::delivery::health::PATIENCE;
use crate::delivery::{
    DeliveryError, DeliveryErrorKind, DispatchCertainty, Message, Receipt, Reference,
    VerificationProvider, VerificationStart,
};

/// One message on its way along the route.
pub(super) struct Trip<'a> {
    pub(super) message: &'a Message,
    pub(super) errand: &'a Errand,
    pub(super) clock: &'a dyn Clock,
    pub(super) rules: BreakerRules,
    pub(super) on_unknown: OnUnknown,
    pub(super) begun: Instant,
    pub(super) time: Duration,
    pub(super) afterwards: Afterwards,
    pub(super) errors: Vec<DeliveryError>,
    pub(super) unknown: u32,
}

/// How long a provider is waited for.
struct Wait {
    limit: Duration,
    /// After how much of it the provider's silence counts against it.
    patience: Option<Duration>,
}

/// What follows on a provider's error.
enum Next {
    Another,
    End,
}

impl Trip<'_> {
    pub(super) async fn run(mut self, choices: &[Choice<'_>]) -> Result<Receipt, RouteFailure> {
        let mut resting = Vec::new();
        for (index, choice) in choices.iter().enumerate() {
            let Ok(pass) = choice.health.breaker.ask(self.clock.now(), self.rules) else {
                resting.push(choice);
                continue;
            };
            let behind = choices.get(index.saturating_add(1)..).unwrap_or_default();
            let wait = self.wait(choice, behind);
            match self.ask(choice, pass, wait).await {
                Ok(receipt) => return Ok(self.noting(receipt, &resting)),
                Err(Next::End) => return self.end(&resting),
                Err(Next::Another) => {}
            }
        }
        // Another channel serves the person sooner than a provider that is most likely down.
        if self.afterwards == Afterwards::Nothing {
            let now = self.clock.now();
            let mut longest_first = resting.clone();
            longest_first
                .sort_by_key(|choice| std::cmp::Reverse(choice.health.breaker.rested(now)));
            for choice in longest_first {
                let Ok(pass) = choice.health.breaker.ask_early(now, self.rules) else {
                    continue;
                };
                resting.retain(|other| !std::ptr::eq(*other, choice));
                let wait = Wait {
                    limit: self.left(),
                    patience: None,
                };
                match self.ask(choice, pass, wait).await {
                    Ok(receipt) => return Ok(self.noting(receipt, &resting)),
                    Err(Next::End) => return self.end(&resting),
                    Err(Next::Another) => {}
                }
            }
        }
        self.end(&resting)
    }

    /// Asks one provider, once.
    async fn ask(
        &mut self,
        choice: &Choice<'_>,
        mut pass: Pass,
        wait: Wait,
    ) -> Result<Receipt, Next> {
        if wait.limit.is_zero() {
            // Its place is free again: nobody was asked.
            drop(pass);
            return Err(Next::End);
        }
        let dressed = (choice.sender.is_some() || choice.template.is_some())
            .then(|| self.message.as_sent_by(choice.sender, choice.template));
        let message = dressed.as_ref().unwrap_or(self.message);
        let errand = self.errand;
        let started = Instant::now();
        let delivery = pin!(async {
            match choice.vendor {
                Vendor::Carries(provider) => provider.deliver(message).await,
                Vendor::Verifies(provider) => start(provider.as_ref(), message, errand).await,
            }
        });
        let name = choice.vendor.name();
        let span = tracing::debug_span!(
            target: "otp_kit",
            "provider",
            otel.kind = "client",
            provider = name,
            channel = self.message.channel().name(),
        );
        let asked = tokio::time::timeout(wait.limit, unpanicked(delivery)).instrument(span);
        let mut asked = pin!(asked);
        let early = match wait.patience {
            Some(patience) => tokio::time::timeout(patience, asked.as_mut()).await,
            None => Ok(asked.as_mut().await),
        };
        let answer = match early {
            Ok(answer) => answer,
            Err(_silence) => {
                self.watched(choice, |now| pass.overdue(now));
                asked.await
            }
        };
        let error = match answer {
            Ok(Some(Ok(receipt))) => {
                pass.succeeded();
                choice.health.accepted(started.elapsed(), self.clock.now());
                return Ok(receipt);
            }
            Ok(Some(Err(error))) => error,
            Ok(None) => DeliveryError::new(DeliveryErrorKind::Protocol, name),
            Err(_elapsed) => DeliveryError::new(DeliveryErrorKind::Timeout, name),
        };
        let now = self.clock.now();
        if error.kind().blames_provider() {
            self.watched(choice, |now| pass.failed(now));
        } else {
            pass.answered();
        }
        choice.health.erred(&error, started.elapsed(), now);
        tracing::warn!(
            target: "otp_kit",
            provider = name,
            channel = self.message.channel().name(),
            kind = error.kind().name(),
            code = error.code(),
            certainty = ?error.certainty(),
            breaker = choice.health.breaker.state().name(),
            "a provider did not take a message"
        );
        let next = self.after(&error);
        self.errors.push(error);
        Err(next)
    }

    /// Reports to a provider's breaker, and says so in the log where that opens it.
    fn watched(&self, choice: &Choice<'_>, report: impl FnOnce(Timestamp)) {
        let before = choice.health.breaker.state();
        report(self.clock.now());
        let after = choice.health.breaker.state();
        if after == BreakerState::Open && before != after {
            tracing::warn!(
                target: "otp_kit",
                provider = choice.vendor.name(),
                channel = self.message.channel().name(),
                seconds = self.rules.rest().as_secs(),
                "Circuit breaker OPEN"
            );
        }
    }

    fn after(&mut self, error: &DeliveryError) -> Next {
        if error.kind().ends_route() {
            return Next::End;
        }
        if error.certainty() == DispatchCertainty::Unknown {
            self.unknown = self.unknown.saturating_add(1);
        }
        match (self.on_unknown, self.unknown) {
            // The one that came after it surely sent nothing: the same code may go out once more.
            (_, 0) | (OnUnknown::PreferDelivery, 1) => Next::Another,
            _ => Next::End,
        }
    }

    /// Gives what is left of the message's time.
    fn left(&self) -> Duration {
        self.time.saturating_sub(self.begun.elapsed())
    }

    /// Says how long a provider is waited for: for all that is left, or for what leaves time for
    /// those behind. Its silence counts early only where somebody else can take the next message;
    /// another channel may cost more, and one that has never answered may just be slow.
    fn wait(&self, choice: &Choice<'_>, behind: &[Choice<'_>]) -> Wait {
        let another = behind
            .iter()
            .any(|choice| choice.health.breaker.state() == BreakerState::Closed);
        let usual = || choice.health.patience();
        match (another, self.afterwards) {
            (true, _) => Wait {
                limit: self.left() / 5 * 3,
                patience: Some(usual().unwrap_or(PATIENCE)),
            },
            (false, Afterwards::AnotherChannel) => Wait {
                limit: self.left() / 5 * 3,
                patience: usual(),
            },
            (false, Afterwards::Nothing) => Wait {
                limit: self.left(),
                patience: None,
            },
        }
    }

    fn noting(&self, receipt: Receipt, passed: &[&Choice<'_>]) -> Receipt {
        for choice in passed {
            choice.health.passed_over();
        }
        receipt
    }

    fn end(mut self, passed: &[&Choice<'_>]) -> Result<Receipt, RouteFailure> {
        for choice in passed {
            choice.health.passed_over();
        }
        if self.errors.is_empty() {
            let now: Timestamp = self.clock.now();
            let first = passed.first().map(|choice| {
                let rested = choice.health.breaker.rested(now);
                DeliveryError::new(DeliveryErrorKind::Unavailable, choice.vendor.name())
                    .with_retry_after(self.rules.rest().saturating_sub(rested))
            });
            let error = first
                .unwrap_or_else(|| DeliveryError::new(DeliveryErrorKind::Unavailable, "route"))
                .with_code("resting")
                .not_sent();
            self.errors.push(error);
        }
        Err(RouteFailure::of(self.errors))
    }
}

/// Has a vendor make and send a code of its own.
async fn start(
    provider: &dyn VerificationProvider,
    message: &Message,
    errand: &Errand,
) -> Result<Receipt, DeliveryError> {
    let name = provider.name();
    let own = |known: &&(String, Reference)| known.0 == name;
    let continues = errand.continues.as_ref().filter(own);
    let replaces = errand.replaces.iter().filter(own);
    let replaces: Vec<Reference> = replaces.map(|known| known.1.clone()).collect();
    let start = VerificationStart::new(
        message.id(),
        message.channel(),
        message.destination(),
        message.locale(),
    )
    .expires_in(message.expires_in())
    .continuing(continues.map(|known| &known.1))
    .replacing(&replaces);
    let started = provider.start(&start).await?;
    Ok(Receipt::managed(name, &started))
}

/// Runs a host's future; one that panics ends as `None` and harms nobody else.
pub(crate) async fn unpanicked<T>(
    mut future: Pin<&mut (impl Future<Output = T> + Send)>,
) -> Option<T> {
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
