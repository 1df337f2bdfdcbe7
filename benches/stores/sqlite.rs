//! SQLite. "By hand" is the very statements that the store runs, overheard once by SQLite's own
//! trace, and then run again through a bare pool of one connection on a fresh file that is written as
//! safely (write-ahead log, `synchronous=FULL`): the same transactions, and nothing of ours around
//! them. Whoever does it by hand commits each by itself; the store's writer commits for all who wait.

use std::sync::Arc;
use std::time::Duration;

use otp_bench_ear::{Statement, Value};
use otp_kit::store::{SqliteOptions, SqliteStore};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, SqlitePool, query};
use tempfile::TempDir;

use crate::contest::{CALLERS, Rounds, contest};
use crate::heard::Heard;
use crate::service::{Part, Service};

/// A transaction's statements, its beginning and end included.
type Transaction = Vec<Statement>;

pub(crate) async fn run(rounds: Rounds) {
    let heard = overhear(rounds.calls()).await;
    for callers in CALLERS {
        for part in Part::ALL {
            let ours = async |calls| {
                let folder = tempfile::tempdir().expect("a folder");
                service(&folder).await.play(part, callers, calls).await
            };
            let by_hand = async |_| by_hand(&heard, part, callers).await;
            let name = format!("sqlite {part}, {callers} at once, by hand");
            contest(&name, rounds, ours, by_hand).await;
        }
    }
}

async fn service(folder: &TempDir) -> Service {
    let options = SqliteOptions::file(folder.path().join("otp.db"));
    let store = SqliteStore::with_options(options).await;
    Service::on(store.expect("a store"))
}

/// Writes down what the store runs while it signs people in, one after the other.
async fn overhear(calls: usize) -> Heard<Transaction> {
    let folder = tempfile::tempdir().expect("a folder");
    otp_bench_ear::listen();
    let service = service(&folder).await;
    drop(otp_bench_ear::take());
    for _ in 0..calls {
        service.each().await;
    }
    otp_bench_ear::stop();
    let mut transactions: Vec<Transaction> = Vec::new();
    for statement in otp_bench_ear::take().expect("values of known kinds") {
        if statement.sql.starts_with("BEGIN") {
            transactions.push(Vec::new());
        }
        let transaction = transactions.last_mut().expect("it has begun");
        transaction.push(statement);
    }
    Heard::new(transactions, calls)
}

async fn by_hand(heard: &Heard<Transaction>, part: Part, callers: usize) -> Duration {
    let folder = tempfile::tempdir().expect("a folder");
    let file = file(&folder).await;
    let pool = file.clone();
    let send = move |transaction: Arc<Transaction>| {
        let pool = pool.clone();
        async move {
            let mut conn = pool.acquire().await.expect("a connection");
            for Statement { sql, values } in &*transaction {
                let asked = query(AssertSqlSafe(Arc::clone(sql)));
                let asked = values.iter().fold(asked, |asked, value| match value {
                    Value::Null => asked.bind(None::<i64>),
                    Value::Int(number) => asked.bind(*number),
                    Value::Text(text) => asked.bind(text.as_str()),
                    Value::Bytes(bytes) => asked.bind(bytes.as_slice()),
                });
                asked.fetch_all(&mut *conn).await.expect("it is done");
            }
        }
    };
    let took = heard.again(part, callers, send).await;
    file.close().await;
    took
}

/// One connection writes, as one task of the store does.
async fn file(folder: &TempDir) -> SqlitePool {
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("otp.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .test_before_acquire(false)
        .connect_with(options)
        .await
        .expect("a file");
    SqliteStore::migrate(&pool).await.expect("tables");
    pool
}
