//! One atomic step of a store, and the transaction that it is carried out in.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use otp_core::clock::{Clock, ClockAnomaly, Timestamp};
use otp_core::store::StoreError;

use super::{Dialect, Link, Locks, Row, Value};
use crate::terms::Retention;

/// A step that is done whole or not at all.
pub(crate) trait Intent: Send + Sync + 'static {
    /// What the caller hears.
    type Answer: Send + 'static;

    /// Names what nobody else may change between its reads and its writes. An engine that carries
    /// out one transaction at a time need not ask.
    #[cfg_attr(
        not(feature = "mysql"),
        expect(dead_code, reason = "for engines with many writers")
    )]
    fn locks(&self) -> Locks {
        Locks::default()
    }

    /// Does it. Where it fails, whatever it wrote is undone. It may be called again then.
    fn carry_out(
        &self,
        tx: &mut Tx<'_>,
    ) -> impl Future<Output = Result<Self::Answer, StoreError>> + Send;
}

/// An engine that carries intents out, each in a transaction.
///
/// No future of a caller's touches a connection: a dropped one leaves its intent done or not done.
pub(crate) trait Engine: Clone + fmt::Debug + Send + Sync + 'static {
    /// The engine's own words.
    const DIALECT: &'static Dialect;

    /// Carries an intent out that may change something.
    fn write<I: Intent>(
        &self,
        intent: I,
    ) -> impl Future<Output = Result<I::Answer, StoreError>> + Send;

    /// Carries an intent out that changes nothing, in a snapshot where the engine has them.
    fn read<I: Intent>(
        &self,
        intent: I,
    ) -> impl Future<Output = Result<I::Answer, StoreError>> + Send;

    /// Carries an intent out that changes nothing, with its locks. An engine that carries out one
    /// transaction at a time need not take them.
    fn locked<I: Intent>(
        &self,
        intent: I,
    ) -> impl Future<Output = Result<I::Answer, StoreError>> + Send {
        self.read(intent)
    }

    /// Says how long things are kept after their time.
    fn retention(&self) -> Retention;
}

/// The time of a transaction, and whether it is one that the transaction has accepted.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Time {
    now: Result<Timestamp, ClockAnomaly>,
    #[cfg_attr(
        not(feature = "sqlite"),
        expect(dead_code, reason = "for engines where intents share a transaction")
    )]
    pub(crate) pardon: Pardon,
}

/// Whether a transaction has accepted the clock as it stands. It holds once that is committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pardon {
    None,
    Given,
}

/// The transaction that intents run in, and its time.
pub(crate) struct Tx<'c> {
    link: &'c mut dyn Link,
    dialect: &'static Dialect,
    clock: Arc<dyn Clock>,
    time: Time,
}

impl<'c> Tx<'c> {
    /// Takes a connection in a transaction, and the transaction's time: one reading of the clock,
    /// taken after it began.
    pub(crate) fn new(
        link: &'c mut dyn Link,
        dialect: &'static Dialect,
        clock: Arc<dyn Clock>,
        now: Result<Timestamp, ClockAnomaly>,
    ) -> Self {
        Self {
            link,
            dialect,
            clock,
            time: Time {
                now,
                pardon: Pardon::None,
            },
        }
    }

    /// Gives the time of the transaction.
    pub(crate) fn now(&self) -> Result<Timestamp, StoreError> {
        self.time.now.map_err(StoreError::from)
    }

    /// Accepts the clock's reading as the time of this transaction, whatever was seen before. What
    /// others go by is not touched before it is committed.
    pub(crate) fn forgive(&mut self) -> Timestamp {
        let now = self.clock.now();
        self.time = Time {
            now: Ok(now),
            pardon: Pardon::Given,
        };
        now
    }

    /// Tells the time as it stands, to be put back where what follows is undone.
    #[cfg_attr(
        not(feature = "sqlite"),
        expect(dead_code, reason = "for engines where intents share a transaction")
    )]
    pub(crate) const fn time(&self) -> Time {
        self.time
    }

    /// Puts the time back.
    #[cfg_attr(
        not(feature = "sqlite"),
        expect(dead_code, reason = "for engines where intents share a transaction")
    )]
    pub(crate) fn restore(&mut self, time: Time) {
        self.time = time;
    }

    pub(crate) fn dialect(&self) -> &'static Dialect {
        self.dialect
    }

    /// Runs a statement and answers how many rows it found to change.
    pub(crate) async fn execute(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<u64, StoreError> {
        self.link.execute(sql, values).await
    }

    pub(crate) async fn rows(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Vec<Row>, StoreError> {
        self.link.rows(sql, values).await
    }

    /// Gives the first row, where there is one.
    pub(crate) async fn row(
        &mut self,
        sql: &'static str,
        values: &[Value<'_>],
    ) -> Result<Option<Row>, StoreError> {
        Ok(self.rows(sql, values).await?.into_iter().next())
    }
}
