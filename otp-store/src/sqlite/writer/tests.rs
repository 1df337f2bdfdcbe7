use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use otp_core::clock::{Clock, ManualClock, Timestamp};
use otp_core::store::{StoreError, StoreErrorKind};
use sqlx::ConnectOptions as _;
use tempfile::TempDir;
use tokio::sync::mpsc;

use super::{BATCH, Bench, Renewal};
use crate::sql::{Intent, Tx};
use crate::sqlite::engine::writing;
use crate::sqlite::job::{Job, Pending};
use crate::sqlite::link::Watch;
use crate::sqlite::options::Place;
use crate::sqlite::schema;

/// Adds one row, then does as it is told.
#[derive(Clone, Copy)]
enum Row {
    Keep(i64),
    Fail(i64),
    Panic(i64),
    /// Ends the transaction under everybody's feet, as a full disk does.
    EndAll(i64),
    /// Leaves something that only the commit is refused for.
    Doom(i64),
    /// Accepts the clock.
    Pardon(i64),
    /// Accepts the clock, and fails.
    PardonInVain(i64),
    /// Needs the time.
    Tell(i64),
}

impl Intent for Row {
    type Answer = i64;

    async fn carry_out(&self, tx: &mut Tx<'_>) -> Result<i64, StoreError> {
        let (Self::Keep(row)
        | Self::Fail(row)
        | Self::Panic(row)
        | Self::EndAll(row)
        | Self::Doom(row)
        | Self::Pardon(row)
        | Self::PardonInVain(row)
        | Self::Tell(row)) = *self;
        const ADD: &str = "INSERT INTO seen_keys (seen_key, expires_at) VALUES (?, 0)";
        tx.execute(ADD, &[(&row.to_string()).into()]).await?;
        match self {
            Self::Keep(row) => Ok(*row),
            Self::Fail(_) => Err(StoreErrorKind::Invalid.into()),
            Self::Panic(_) => panic!("an intent of a test"),
            Self::EndAll(_) => {
                tx.execute("ROLLBACK", &[]).await?;
                Err(StoreErrorKind::Full.into())
            }
            Self::Doom(row) => {
                const TABLE: &str = "CREATE TABLE doomed (id INTEGER PRIMARY KEY, parent INTEGER
                    REFERENCES doomed (id) DEFERRABLE INITIALLY DEFERRED)";
                tx.execute(TABLE, &[]).await?;
                tx.execute("INSERT INTO doomed VALUES (1, 2)", &[]).await?;
                Ok(*row)
            }
            Self::Pardon(row) => {
                tx.forgive();
                Ok(*row)
            }
            Self::PardonInVain(_) => {
                tx.forgive();
                Err(StoreErrorKind::Invalid.into())
            }
            Self::Tell(row) => tx.now().map(|_| *row),
        }
    }
}

async fn bench(folder: &TempDir, clock: Arc<dyn Clock>) -> Bench {
    let place = Place::File(folder.path().join("otp.db"));
    let options = writing(&place, Duration::from_secs(5));
    let mut conn = options.connect().await.unwrap();
    schema::migrate(&mut conn).await.unwrap();
    Bench {
        conn: Some(conn),
        options,
        renewal: Renewal::Reopen,
        patience: Duration::from_secs(5),
        watch: Watch::new(&clock),
        commits: 0,
    }
}

async fn settled(bench: &mut Bench, rows: &[Row]) -> Vec<Result<i64, StoreErrorKind>> {
    let answers = answered(bench, rows).await.into_iter();
    answers
        .map(|answer| answer.map_err(|error| error.kind()))
        .collect()
}

async fn answered(bench: &mut Bench, rows: &[Row]) -> Vec<Result<i64, StoreError>> {
    let (jobs, answers): (Vec<Box<dyn Job>>, Vec<_>) = rows
        .iter()
        .map(|row| {
            let (job, answer) = Pending::new(*row);
            let job: Box<dyn Job> = Box::new(job);
            (job, answer)
        })
        .unzip();
    let mut batch = jobs;
    bench.settle(&mut batch).await;
    let mut heard = Vec::new();
    for answer in answers {
        heard.push(answer.await.unwrap());
    }
    heard
}

async fn kept(bench: &mut Bench) -> Vec<String> {
    let conn = bench.connection().await.unwrap();
    let rows = sqlx::query("SELECT seen_key FROM seen_keys ORDER BY seen_key")
        .fetch_all(conn)
        .await
        .unwrap();
    rows.iter().map(|row| sqlx::Row::get(row, 0)).collect()
}

#[tokio::test]
async fn many_intents_share_one_commit() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench(&folder, Arc::new(ManualClock::default())).await;
    let rows: Vec<Row> = (0..64).map(Row::Keep).collect();
    let heard = settled(&mut bench, &rows).await;
    assert_eq!(heard, (0..64).map(Ok).collect::<Vec<_>>());
    assert_eq!((bench.commits, kept(&mut bench).await.len()), (1, 64));
}

#[tokio::test]
async fn an_intent_that_fails_or_panics_is_undone_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench(&folder, Arc::new(ManualClock::default())).await;
    let rows = [
        Row::Keep(1),
        Row::Fail(2),
        Row::Panic(3),
        Row::Keep(4),
        Row::Keep(4),
    ];
    let heard = settled(&mut bench, &rows).await;
    assert_eq!(
        heard,
        [
            Ok(1),
            Err(StoreErrorKind::Invalid),
            Err(StoreErrorKind::Unavailable),
            Ok(4),
            Err(StoreErrorKind::Invalid),
        ]
    );
    assert_eq!(kept(&mut bench).await, ["1", "4"]);
}

#[tokio::test]
async fn where_the_engine_ends_the_transaction_nobody_hears_of_a_success() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench(&folder, Arc::new(ManualClock::default())).await;
    let heard = settled(&mut bench, &[Row::Keep(1), Row::EndAll(2), Row::Keep(3)]).await;
    assert!(heard.iter().all(Result::is_err), "{heard:?}");
    assert!(kept(&mut bench).await.is_empty());
    assert_eq!(settled(&mut bench, &[Row::Keep(5)]).await, [Ok(5)]);
}

/// Everything that is under an error, the deepest last.
fn causes(error: &StoreError) -> Vec<String> {
    let (mut causes, mut next) = (Vec::new(), error.source());
    while let Some(cause) = next {
        causes.push(cause.to_string());
        next = cause.source();
    }
    causes
}

#[tokio::test]
async fn whoever_shared_a_transaction_that_failed_hears_why() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench(&folder, Arc::new(ManualClock::default())).await;
    for (end, why) in [
        (Row::EndAll(2), "the store has no room"),
        // SQLITE_CONSTRAINT_FOREIGNKEY
        (Row::Doom(2), "sqlite answered with code 787"),
    ] {
        let heard = answered(&mut bench, &[Row::Keep(1), end, Row::Keep(3)]).await;
        for answer in heard {
            let error = answer.unwrap_err();
            assert_eq!(error.kind(), StoreErrorKind::Unavailable);
            assert_eq!(causes(&error).last().map(String::as_str), Some(why));
        }
    }
}

#[tokio::test]
async fn a_caller_who_left_before_his_turn_is_passed_over() {
    let folder = tempfile::tempdir().unwrap();
    let bench = bench(&folder, Arc::new(ManualClock::default())).await;
    let (sender, receiver) = mpsc::channel::<Box<dyn Job>>(BATCH);
    let (gone, answer) = Pending::new(Row::Keep(1));
    drop(answer);
    let (stays, answer) = Pending::new(Row::Keep(2));
    sender.try_send(Box::new(gone)).unwrap();
    sender.try_send(Box::new(stays)).unwrap();
    drop(sender);
    bench.work(receiver).await;
    assert_eq!(answer.await.unwrap().unwrap(), 2);
    let mut again = self::bench(&folder, Arc::new(ManualClock::default())).await;
    assert_eq!(kept(&mut again).await, ["2"]);
}

const BEHIND: Result<i64, StoreErrorKind> = Err(StoreErrorKind::ClockAnomaly);

/// A bench whose clock was set back by an hour after it was seen.
async fn behind(folder: &TempDir) -> Bench {
    let clock = ManualClock::default();
    let mut bench = bench(folder, Arc::new(clock.clone())).await;
    assert_eq!(settled(&mut bench, &[Row::Tell(0)]).await, [Ok(0)]);
    clock.step_back(Duration::from_secs(3_600));
    bench
}

#[tokio::test]
async fn a_pardon_that_is_undone_is_none_for_whoever_shares_its_commit() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = behind(&folder).await;
    let rows = [Row::Tell(1), Row::PardonInVain(2), Row::Tell(3)];
    let heard = settled(&mut bench, &rows).await;
    assert_eq!(heard, [BEHIND, Err(StoreErrorKind::Invalid), BEHIND]);
    assert_eq!(settled(&mut bench, &[Row::Tell(4)]).await, [BEHIND]);
}

#[tokio::test]
async fn a_pardon_that_is_not_committed_is_none() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = behind(&folder).await;
    for end in [Row::EndAll(2), Row::Doom(2)] {
        let heard = settled(&mut bench, &[Row::Pardon(1), end]).await;
        assert!(heard.iter().all(Result::is_err), "{heard:?}");
        assert!(bench.watch.steady.read().is_err());
    }
    assert_eq!(settled(&mut bench, &[Row::Pardon(3)]).await, [Ok(3)]);
    assert!(bench.watch.steady.read().is_ok());
}

/// Panics at one reading, as a host's own clock might.
#[derive(Debug)]
struct Faulty(AtomicU32);

impl Clock for Faulty {
    fn now(&self) -> Timestamp {
        assert_ne!(
            self.0.fetch_add(1, Ordering::Relaxed),
            1,
            "a fault of a test"
        );
        ManualClock::default().now()
    }
}

#[tokio::test]
async fn a_clock_that_panics_is_an_outage_of_one_batch() {
    let folder = tempfile::tempdir().unwrap();
    let mut bench = bench(&folder, Arc::new(Faulty(AtomicU32::new(0)))).await;
    let heard = settled(&mut bench, &[Row::Keep(1), Row::Keep(2)]).await;
    assert_eq!(
        heard,
        [
            Err(StoreErrorKind::Unavailable),
            Err(StoreErrorKind::Unavailable)
        ]
    );
    assert_eq!(settled(&mut bench, &[Row::Keep(3)]).await, [Ok(3)]);
    assert_eq!(kept(&mut bench).await, ["3"]);
}
