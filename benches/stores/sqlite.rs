//! SQLite. Its statements cannot be overheard, so that "bare" is as many transactions as the store
//! commits, each of one row, on a file that is written as safely (write-ahead log,
//! `synchronous=FULL`): what the disk costs alone.

use std::sync::Arc;
use std::time::Duration;

use otp_kit::store::{SqliteOptions, SqliteStore};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{SqlitePool, query};
use tempfile::TempDir;

use crate::contest::{CALLERS, Rounds, contest, crowd};
use crate::service::{Part, Service};

pub(crate) async fn run(rounds: Rounds) {
    for callers in CALLERS {
        for part in Part::ALL {
            let name = format!("sqlite {part}, {callers} at once, commits");
            let ours = async |calls| {
                let folder = tempfile::tempdir().expect("a folder");
                let options = SqliteOptions::file(folder.path().join("otp.db"));
                let store = SqliteStore::with_options(options).await;
                let service = Service::on(store.expect("a store"));
                service.play(part, callers, calls).await
            };
            let bare = async |calls| bare(part.steps(), callers, calls).await;
            contest(&name, rounds, ours, bare).await;
        }
    }
}

/// One connection writes, as one task of the store does.
async fn file(folder: &TempDir) -> SqlitePool {
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("bare.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let pool = SqlitePoolOptions::new()
        .max_connections(1)
        .test_before_acquire(false)
        .connect_with(options)
        .await
        .expect("a file");
    let made = query("CREATE TABLE rows (id INTEGER PRIMARY KEY, body TEXT)");
    made.execute(&pool).await.expect("a table");
    pool
}

async fn bare(commits: usize, callers: usize, calls: usize) -> Duration {
    let folder = Arc::new(tempfile::tempdir().expect("a folder"));
    let pool = file(&folder).await;
    let work = move |_| {
        let (pool, _kept) = (pool.clone(), Arc::clone(&folder));
        async move {
            for _ in 0..commits {
                let put = query("INSERT INTO rows (body) VALUES (?1)").bind(Service::about_a_row());
                put.execute(&pool).await.expect("a row");
            }
        }
    };
    crowd(callers, calls, work).await
}
