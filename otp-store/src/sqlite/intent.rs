//! One atomic step of the store, and the transaction that it is carried out in.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::Poll;

use async_trait::async_trait;
use otp_core::clock::{ClockAnomaly, SteadyClock, Timestamp};
use otp_core::store::{StoreError, StoreErrorKind};
use sqlx::sqlite::SqliteConnection;
use tokio::sync::oneshot;

use super::engine::failed;
use super::row::Fields;

/// A step that is done whole or not at all.
pub(super) trait Intent: Send + Sync + 'static {
    /// What the caller hears.
    type Answer: Send + 'static;

    /// Does it. Where it fails, whatever it wrote is undone.
    fn carry_out(
        &self,
        tx: &mut Tx<'_>,
    ) -> impl Future<Output = Result<Self::Answer, StoreError>> + Send;
}

/// The transaction that intents run in, and its time.
pub(super) struct Tx<'c> {
    conn: &'c mut SqliteConnection,
    clock: SteadyClock,
    now: Result<Timestamp, ClockAnomaly>,
}

impl<'c> Tx<'c> {
    /// Takes a connection in a snapshot.
    ///
    /// The mark is not looked at: a snapshot can be older than an operator's pardon, and must not
    /// bring back what was forgiven. The writer knows the mark since the store was opened.
    pub(super) fn reading(conn: &'c mut SqliteConnection, clock: &SteadyClock) -> Self {
        Self {
            conn,
            clock: clock.clone(),
            now: clock.read(),
        }
    }

    /// Takes a connection in a transaction that holds the write lock, and reads the time no
    /// earlier than any process has seen it in this database.
    pub(super) async fn writing(
        conn: &'c mut SqliteConnection,
        clock: &SteadyClock,
    ) -> Result<Self, StoreError> {
        let row = sqlx::query("SELECT seen_ms FROM otp_clock WHERE id = 1")
            .fetch_one(&mut *conn)
            .await
            .map_err(failed)?;
        let seen = Fields(&row).time("seen_ms")?;
        let clock = clock.clone().with_floor(seen);
        let now = clock.read();
        Ok(Self { conn, clock, now })
    }

    /// Keeps the time for every process to come.
    pub(super) async fn raise_mark(&mut self) -> Result<(), StoreError> {
        let Ok(now) = self.now else {
            return Ok(());
        };
        sqlx::query("UPDATE otp_clock SET seen_ms = ?1 WHERE id = 1 AND seen_ms < ?1")
            .bind(now.as_millis())
            .execute(self.conn())
            .await
            .map_err(failed)?;
        Ok(())
    }

    /// Accepts the clock's reading as the time, whatever was seen before.
    pub(super) fn forgive(&mut self) -> Timestamp {
        let now = self.clock.forgive();
        self.now = Ok(now);
        now
    }

    /// Gives the time of the transaction: one reading, taken after it began.
    pub(super) fn now(&self) -> Result<Timestamp, StoreError> {
        self.now.map_err(StoreError::from)
    }

    pub(super) fn conn(&mut self) -> &mut SqliteConnection {
        self.conn
    }
}

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
    /// Answers that nothing was done, or that nobody knows.
    fn fail(self: Box<Self>, kind: StoreErrorKind);
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

    fn fail(self: Box<Self>, kind: StoreErrorKind) {
        let _ = self.reply.send(Err(kind.into()));
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
