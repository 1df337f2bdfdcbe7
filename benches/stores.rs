//! The stores with a server, beside the same number of bare round trips through the same client.
//!
//! ```text
//! TEST_REDIS_URL=... TEST_POSTGRES_URL=... cargo bench --bench stores
//! ```
//!
//! Both sides take turns in one run, and the line says how they compare: on a shared machine the
//! ratio means something, the microseconds little. What a "bare" round trip is, each file says.
//! With `--test` everything runs once. An engine whose variable is not set is left out, and said.

#![allow(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a bench speaks to its reader, and stops where it cannot go on"
)]

#[path = "stores/contest.rs"]
mod contest;
#[path = "stores/postgres.rs"]
mod postgres;
#[path = "stores/redis.rs"]
mod redis;
#[path = "stores/service.rs"]
mod service;

fn main() {
    let rounds = contest::Rounds::from_arguments();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        match std::env::var("TEST_REDIS_URL") {
            Ok(url) => redis::run(&url, rounds).await,
            Err(_) => println!("redis: left out, TEST_REDIS_URL is not set"),
        }
        match std::env::var("TEST_POSTGRES_URL") {
            Ok(url) => postgres::run(&url, rounds).await,
            Err(_) => println!("postgres: left out, TEST_POSTGRES_URL is not set"),
        }
    });
}
