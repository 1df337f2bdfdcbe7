//! `torii`: a token is made and stored, checked and spent, and a session begins. It has no codes;
//! its link's token is the same work for the store.

use std::sync::Arc;

use sea_orm::SqlxSqliteConnector;
use sea_orm::sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqliteSynchronous,
};
use torii::Torii;
use torii::seaorm::SeaORMStorage;

use crate::side::{Outcome, play as side};

const PEOPLE: usize = 100;

pub(crate) fn play() -> Outcome {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let folder = tempfile::tempdir()?;
    let options = SqliteConnectOptions::new()
        .filename(folder.path().join("theirs.db"))
        .create_if_missing(true)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full);
    let storage = runtime.block_on(async {
        let pool = SqlitePool::connect_with(options).await?;
        let storage = SeaORMStorage::new(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool));
        storage.migrate().await?;
        Outcome::Ok(storage)
    })?;
    let torii = Torii::new(Arc::new(storage.into_repository_provider()));
    let people: Vec<String> = (0..PEOPLE)
        .map(|n| format!("person-{n}@example.org"))
        .collect();
    let mut next = people.iter().cycle();
    side(|count| {
        runtime.block_on(async {
            for person in next.by_ref().take(usize::try_from(count)?) {
                let token = torii.magic_link().generate_token(person).await?;
                torii
                    .magic_link()
                    .authenticate(&token.token, None, None)
                    .await?;
            }
            Ok(())
        })
    })
}
