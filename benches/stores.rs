//! The stores with a server or a file, beside the very statements that they send, sent again by hand
//! through the same client.
//!
//! ```text
//! TEST_REDIS_URL=... TEST_POSTGRES_URL=... TEST_MYSQL_URL=... cargo bench --bench stores
//! ```
//!
//! Both sides take turns in one run, and the line says how they compare: on a shared machine the
//! ratio means something, the microseconds little. How an engine is overheard, each file says.
//! With `--test` everything runs once. An engine whose variable is not set is left out, and said;
//! `STORES=redis` and the like choose one.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench speaks to its reader, and stops where it cannot go on"
)]

#[path = "stores/contest.rs"]
mod contest;
#[path = "stores/heard.rs"]
mod heard;
#[path = "stores/mysql.rs"]
mod mysql;
#[path = "stores/mysql_ear.rs"]
mod mysql_ear;
#[path = "stores/postgres.rs"]
mod postgres;
#[path = "stores/redis.rs"]
mod redis;
#[path = "stores/service.rs"]
mod service;
#[path = "stores/sqlite.rs"]
mod sqlite;

fn main() {
    let rounds = contest::Rounds::from_arguments();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let chosen = std::env::var("STORES").unwrap_or_default();
    let is_chosen = |engine: &str| chosen.is_empty() || chosen.split(',').any(|it| it == engine);
    let url = |engine: &str| {
        let name = format!("TEST_{}_URL", engine.to_uppercase());
        let url = is_chosen(engine).then(|| std::env::var(&name).ok())?;
        if url.is_none() {
            println!("{engine}: left out, {name} is not set");
        }
        url
    };
    runtime.block_on(async {
        if let Some(url) = url("redis") {
            redis::run(&url, rounds).await;
        }
        if let Some(url) = url("postgres") {
            postgres::run(&url, rounds).await;
        }
        if let Some(url) = url("mysql") {
            mysql::run(&url, rounds).await;
        }
        if is_chosen("sqlite") {
            sqlite::run(rounds).await;
        }
    });
}
