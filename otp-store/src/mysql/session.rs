//! One connection for one transaction, given back only when nothing of it is left.

use std::fmt::Write as _;
use std::time::Duration;

use otp_core::clock::Timestamp;
use sqlx::mysql::{MySqlConnection, MySqlPool, MySqlRow};
use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, Error, Executor as _, MySql, Row as _};

use crate::sql::{Locks, Order};

/// What a transaction may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Decide and write, under locks.
    Deciding,
    /// Read one snapshot.
    Looking,
}

/// Whether the server takes writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Server {
    Writes,
    /// A replica, or one that is closed for maintenance.
    ReadsOnly,
}

/// Whether the stripes that were asked for are there to be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stripes {
    Held,
    /// Nothing keeps two who decide about the same thing apart.
    Missing,
}

/// What a transaction hears when it begins.
pub(super) struct Opened {
    /// The engine's clock, read when the locks were held.
    pub(super) engine: Timestamp,
    /// The latest time that anybody is known to have seen.
    pub(super) mark: Timestamp,
    pub(super) server: Server,
    pub(super) stripes: Stripes,
}

/// A connection that is closed unless it is given back: a pool must never get one whose
/// transaction is open, or is in doubt.
pub(super) struct Session(Option<PoolConnection<MySql>>);

/// The host's own settings are kept in the session and restored with the end of the transaction.
const RESTORE: &str = "SET SESSION innodb_lock_wait_timeout = @otp_kit_wait, \
    SESSION wait_timeout = @otp_kit_idle";

/// The present time in milliseconds, whatever the session's time zone; the mark; and whether the
/// server takes no writes (a flag or a word, by version).
const HEARD: &str = "SELECT
        TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(3)) DIV 1000 AS engine_ms,
        seen_ms,
        CAST(@@GLOBAL.read_only NOT IN ('0', 'OFF') OR @@GLOBAL.innodb_read_only AS SIGNED)
            AS reads_only
    FROM otp_clock WHERE id = 1";

impl Session {
    pub(super) async fn take(pool: &MySqlPool) -> Result<Self, Error> {
        Ok(Self(Some(pool.acquire().await?)))
    }

    pub(super) fn conn(&mut self) -> Result<&mut MySqlConnection, Error> {
        self.0.as_deref_mut().ok_or(Error::PoolClosed)
    }

    /// Begins a transaction, takes its locks, and hears the time: one round trip.
    ///
    /// Reads after the locks see what others have committed under them, because a statement under
    /// `READ COMMITTED` sees all that was committed before it began. It also locks rows alone:
    /// other levels lock the gaps between them too, where two who have different stripes could
    /// still meet, and stop each other. It is set here, as the sessions of a host's pool may have
    /// any.
    ///
    /// The clock is asked for by a statement of its own, after the locks: a time from before a wait
    /// would be earlier than that of whoever was waited for.
    pub(super) async fn begin(
        &mut self,
        kind: Kind,
        locks: &Locks,
        patience: Duration,
    ) -> Result<Opened, Error> {
        let rows = self.say(opening(kind, locks, patience)).await?;
        let (heard, held) = rows.split_last().ok_or(Error::RowNotFound)?;
        let asked = match kind {
            Kind::Deciding => locks.stripes().count(),
            Kind::Looking => 0,
        };
        Ok(Opened {
            engine: Timestamp::from_millis(heard.try_get("engine_ms")?),
            mark: Timestamp::from_millis(heard.try_get("seen_ms")?),
            server: match heard.try_get("reads_only")? {
                0_i64 => Server::Writes,
                _ => Server::ReadsOnly,
            },
            stripes: if held.len() == asked {
                Stripes::Held
            } else {
                Stripes::Missing
            },
        })
    }

    /// Whether a commit that failed was one is not known, unless the engine gave way.
    pub(super) async fn commit(&mut self) -> Result<(), Error> {
        self.say(format!("COMMIT; {RESTORE}")).await.map(drop)
    }

    pub(super) async fn rollback(&mut self) -> Result<(), Error> {
        self.say(format!("ROLLBACK; {RESTORE}")).await.map(drop)
    }

    /// Raises the mark, in the transaction that holds a stripe: an operator's pardon, which holds all
    /// of them, comes before it or after it, and is never undone by it.
    pub(super) async fn raise_mark(&mut self, to_ms: i64) -> Result<(), Error> {
        let raise =
            format!("UPDATE otp_clock SET seen_ms = {to_ms} WHERE id = 1 AND seen_ms < {to_ms}");
        self.say(raise).await.map(drop)
    }

    /// Gives the connection back, whose transaction is over.
    pub(super) fn give_back(mut self) {
        drop(self.0.take());
    }

    /// Says several statements at once. They hold numbers of ours and no value of anybody's.
    pub(super) async fn say(&mut self, statements: String) -> Result<Vec<MySqlRow>, Error> {
        let statements = sqlx::raw_sql(AssertSqlSafe(statements));
        self.conn()?.fetch_all(statements).await
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Some(conn) = self.0.take() {
            // The server undoes what was not committed when it loses sight of the connection.
            drop(conn.detach());
        }
    }
}

fn opening(kind: Kind, locks: &Locks, patience: Duration) -> String {
    let seconds = patience.as_secs().saturating_add(1).min(3_600);
    // A wait that outlived its caller would hold the locks that it has already: it ends with him.
    // Whoever waits for the audit log keeps all others from it, so he soon gives up.
    let wait = match locks.order() {
        Order::Records => 1,
        Order::Decisions | Order::Nothing => seconds,
    };
    // An instance that stops in the middle, or whose machine does, is not heard to go: the server
    // ends what it hears nothing of.
    let idle = seconds.saturating_add(5);
    let mut statements = format!(
        "SET @otp_kit_wait = @@SESSION.innodb_lock_wait_timeout, \
         @otp_kit_idle = @@SESSION.wait_timeout, \
         SESSION innodb_lock_wait_timeout = {wait}, SESSION wait_timeout = {idle}; "
    );
    statements.push_str(match kind {
        Kind::Deciding => {
            "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; START TRANSACTION READ WRITE; "
        }
        Kind::Looking => {
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; START TRANSACTION READ ONLY; "
        }
    });
    let mut stripes = locks.stripes().peekable();
    if kind == Kind::Deciding && stripes.peek().is_some() {
        statements.push_str("SELECT id FROM otp_locks WHERE id IN (");
        for (index, stripe) in stripes.enumerate() {
            let comma = if index == 0 { "" } else { "," };
            // Writing to a string does not fail.
            let _ = write!(statements, "{comma}{stripe}");
        }
        statements.push_str(") ORDER BY id FOR UPDATE; ");
    }
    statements.push_str(HEARD);
    statements
}

#[cfg(test)]
mod tests {
    use super::{Kind, opening};
    use crate::sql::Locks;
    use std::time::Duration;

    #[test]
    fn locks_are_taken_in_their_order_before_anything_is_read() {
        let locks = Locks::default().subject(900).records().subject(3);
        let said = opening(Kind::Deciding, &locks, Duration::from_millis(300));
        let parts: Vec<&str> = said.split("; ").collect();
        assert!(
            parts[0].ends_with("innodb_lock_wait_timeout = 1, SESSION wait_timeout = 6"),
            "{said}"
        );
        assert_eq!(
            parts[3],
            "SELECT id FROM otp_locks WHERE id IN (3,900,1024) ORDER BY id FOR UPDATE"
        );
        assert_eq!(parts.len(), 5, "{said}");
    }

    #[test]
    fn whoever_only_looks_waits_for_nobody() {
        let locks = Locks::default().everything();
        let said = opening(Kind::Looking, &locks, Duration::from_secs(5));
        assert!(!said.contains("otp_locks"), "{said}");
        assert!(said.contains("READ ONLY"), "{said}");
    }

    #[test]
    fn whoever_waits_for_the_audit_log_gives_up_soon() {
        let said = opening(
            Kind::Deciding,
            &Locks::default().records(),
            Duration::from_secs(30),
        );
        assert!(said.contains("innodb_lock_wait_timeout = 1,"), "{said}");
        let said = opening(
            Kind::Deciding,
            &Locks::default().subject(1),
            Duration::from_secs(30),
        );
        assert!(said.contains("innodb_lock_wait_timeout = 31,"), "{said}");
    }
}
