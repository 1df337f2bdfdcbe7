//! The one task of a store that writes: many callers, one transaction, one commit.

use std::sync::Arc;
use std::time::Duration;

use otp_core::store::{StoreError, StoreErrorKind};
use sqlx::Connection as _;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::engine;
use super::job::{Job, Pending, Writes, guarded};
use super::link::{self, Watch};
use crate::sql::{Intent, Pardon};

/// How many intents share one commit at the most.
const BATCH: usize = 64;
/// How many may wait; whoever comes later waits for a place among them, up to the deadline.
const WAITING: usize = 1_024;

/// The callers' end of the writer. The task ends when the last of them is dropped.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: mpsc::Sender<Box<dyn Job>>,
    deadline: Duration,
}

/// What to do with a connection that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Renewal {
    /// Open another one to the same file.
    Reopen,
    /// Keep it: the database is in it.
    Keep,
}

/// How long anybody waits.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waits {
    /// A transaction, for the file.
    pub(super) busy: Duration,
    /// A caller, for an answer.
    pub(super) deadline: Duration,
}

impl Writer {
    /// Starts the task on a connection whose tables are there.
    pub(super) fn start(
        conn: SqliteConnection,
        options: SqliteConnectOptions,
        renewal: Renewal,
        watch: Watch,
        waits: Waits,
    ) -> Self {
        let (sender, receiver) = mpsc::channel(WAITING);
        let bench = Bench {
            conn: Some(conn),
            options,
            renewal,
            patience: waits.busy,
            watch,
            #[cfg(test)]
            commits: 0,
        };
        // Detached on purpose: it ends by itself, after what it was handed is written.
        drop(tokio::spawn(bench.work(receiver)));
        Self {
            jobs: sender,
            deadline: waits.deadline,
        }
    }

    /// Hands an intent over and waits for its answer, up to the deadline.
    pub(super) async fn submit<I: Intent>(&self, intent: I) -> Result<I::Answer, StoreError> {
        let (job, answer) = Pending::new(intent);
        let exchange = async {
            self.jobs
                .send(Box::new(job))
                .await
                .map_err(|_| StoreErrorKind::Unavailable)?;
            answer.await.map_err(|_| StoreErrorKind::Unavailable)
        };
        timeout(self.deadline, exchange)
            .await
            .map_err(|_| engine::late())??
    }
}

/// The task's own things.
struct Bench {
    conn: Option<SqliteConnection>,
    options: SqliteConnectOptions,
    renewal: Renewal,
    patience: Duration,
    watch: Watch,
    #[cfg(test)]
    commits: u64,
}

impl Bench {
    async fn work(mut self, mut jobs: mpsc::Receiver<Box<dyn Job>>) {
        let mut batch = Vec::with_capacity(BATCH);
        while jobs.recv_many(&mut batch, BATCH).await > 0 {
            // Nobody would hear the answer, and undone is one of the two things it may be.
            batch.retain(|job| !job.is_abandoned());
            if !batch.is_empty() {
                self.settle(&mut batch).await;
            }
        }
        if let Some(conn) = self.conn.take() {
            // Whatever was answered is committed already.
            let _ = conn.close().await;
        }
    }

    /// Carries a batch out, and answers every job of it.
    async fn settle(&mut self, batch: &mut Vec<Box<dyn Job>>) {
        let done = guarded(self.transact(batch))
            .await
            .unwrap_or_else(|_| Err(StoreErrorKind::Unavailable.into()));
        if let Err(error) = done {
            self.recover().await;
            let cause = Arc::new(error);
            for job in batch.drain(..) {
                job.fail(&cause);
            }
        } else {
            #[cfg(test)]
            {
                self.commits += 1;
            }
            for job in batch.drain(..) {
                job.answer();
            }
        }
    }

    async fn transact(&mut self, batch: &mut [Box<dyn Job>]) -> Result<(), StoreError> {
        let (watch, patience) = (self.watch.clone(), self.patience);
        let conn = self.connection().await?;
        engine::begin(conn, patience).await?;
        let mut tx = link::writing(conn, &watch).await?;
        link::raise_mark(&mut tx).await?;
        for job in batch {
            tx.execute(engine::SAVE, &[]).await?;
            let time = tx.time();
            if job.run(&mut tx).await == Writes::Undo {
                // Where the engine has ended the whole transaction, this fails, and all of it, for
                // the reason that the intent failed for.
                if let Err(error) = tx.execute(engine::UNDO, &[]).await {
                    let kind = error.kind();
                    let cause = job.failure().unwrap_or(error);
                    return Err(StoreError::new(kind).with_source(cause));
                }
                tx.restore(time);
            }
            tx.execute(engine::KEEP, &[]).await?;
        }
        if let Err(error) = tx.execute(engine::COMMIT, &[]).await {
            // Whether a commit that failed was one is not known.
            return Err(StoreError::new(StoreErrorKind::Unavailable).with_source(error));
        }
        if tx.time().pardon == Pardon::Given {
            watch.steady.forgive();
        }
        Ok(())
    }

    async fn connection(&mut self) -> Result<&mut SqliteConnection, StoreError> {
        if self.conn.is_none() && self.renewal == Renewal::Reopen {
            let mut opened = engine::connect(&self.options).await?;
            engine::try_briefly(&mut opened).await?;
            self.conn = Some(opened);
        }
        Ok(self.conn.as_mut().ok_or(StoreErrorKind::Unavailable)?)
    }

    /// Leaves nothing of a failed transaction behind.
    async fn recover(&mut self) {
        let Some(mut conn) = self.conn.take() else {
            return;
        };
        // It fails where no transaction is open any more, which is as good.
        let _ = engine::run(&mut conn, engine::ROLLBACK).await;
        match self.renewal {
            Renewal::Keep => self.conn = Some(conn),
            Renewal::Reopen => {
                let _ = conn.close().await;
            }
        }
    }
}

#[cfg(test)]
mod tests;
