//! An intent whose caller waits for the writer.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use async_trait::async_trait;
use otp_core::store::{StoreError, StoreErrorKind};
use tokio::sync::oneshot;

use crate::sql::{Intent, Tx};

/// What becomes of an intent's writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writes {
    Keep,
    Undo,
}

/// An intent whose caller waits, without its type.
#[async_trait]
pub(super) trait Job: Send {
    /// Says whether nobody waits any more.
    fn is_abandoned(&self) -> bool;
    /// Carries it out and keeps the answer back.
    async fn run(&mut self, tx: &mut Tx<'_>) -> Writes;
    /// Answers, now that it is true.
    fn answer(self: Box<Self>);
    /// Gives why it failed by itself, where it did; it is asked once.
    fn failure(&mut self) -> Option<StoreError>;
    /// Answers that nothing was done, or that nobody knows, and why.
    fn fail(self: Box<Self>, cause: &Arc<StoreError>);
}

/// An intent with the place for its answer.
pub(super) struct Pending<I: Intent> {
    intent: I,
    reply: oneshot::Sender<Result<I::Answer, StoreError>>,
    answer: Option<Result<I::Answer, StoreError>>,
}

impl<I: Intent> Pending<I> {
    pub(super) fn new(intent: I) -> (Self, oneshot::Receiver<Result<I::Answer, StoreError>>) {
        let (reply, answer) = oneshot::channel();
        let pending = Self {
            intent,
            reply,
            answer: None,
        };
        (pending, answer)
    }
}

#[async_trait]
impl<I: Intent> Job for Pending<I> {
    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }

    async fn run(&mut self, tx: &mut Tx<'_>) -> Writes {
        let answer = guarded(self.intent.carry_out(tx))
            .await
            .unwrap_or_else(|_| Err(StoreErrorKind::Unavailable.into()));
        let writes = if answer.is_ok() {
            Writes::Keep
        } else {
            Writes::Undo
        };
        self.answer = Some(answer);
        writes
    }

    fn answer(self: Box<Self>) {
        let Self { reply, answer, .. } = *self;
        // A caller who left needs no answer.
        let _ = reply.send(answer.unwrap_or_else(|| Err(StoreErrorKind::Unavailable.into())));
    }

    fn failure(&mut self) -> Option<StoreError> {
        self.answer.take()?.err()
    }

    fn fail(self: Box<Self>, cause: &Arc<StoreError>) {
        let failed = StoreError::new(cause.kind()).with_source(Arc::clone(cause));
        let _ = self.reply.send(Err(failed));
    }
}

/// Runs a future and catches its panic: one caller's must not end the others' writer.
pub(super) async fn guarded<F: Future>(future: F) -> Result<F::Output, Box<dyn Any + Send>> {
    let mut future = pin!(future);
    poll_fn(
        |context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(panic) => Poll::Ready(Err(panic)),
        },
    )
    .await
}
