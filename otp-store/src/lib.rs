//! The stores of otp-kit. Each engine is a folder and a feature, passes the same conformance and
//! race suite, and knows nothing of the others.
//!
//! | engine | feature | type | stands for |
//! |---|---|---|---|
//! | memory | `memory` (default) | `MemoryStore` | one process, tests, the edge of a fleet |
//! | Redis | `redis` | `RedisStore` | a fleet of instances, one set of counters |
//! | PostgreSQL | `postgres` | `PostgresStore` | a fleet of instances, one set of rows that last |
//! | MySQL, MariaDB | `mysql` | `MysqlStore` | a fleet of instances, one set of rows that last |
//! | SQLite | `sqlite` | `SqliteStore` | one machine, with everything on disk |
//!
//! Stores made of stores, `Degrading`, `ReadOnlyFallback` and `Split`, are the feature `composite`,
//! which every engine but memory brings along.

#[cfg(feature = "composite")]
pub mod composite;
#[cfg(feature = "memory")]
pub mod memory;
#[cfg(feature = "mysql")]
pub mod mysql;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(any(feature = "mysql", feature = "postgres", feature = "redis"))]
mod presence;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(any(feature = "mysql", feature = "sqlite"))]
mod sql;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
mod tables;
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
mod terms;
#[cfg(any(feature = "mysql", feature = "postgres"))]
mod unheard;
#[cfg(any(feature = "postgres", feature = "redis"))]
mod wire;

#[cfg(all(feature = "composite", feature = "memory"))]
pub use composite::Degrading;
#[cfg(feature = "composite")]
pub use composite::{ReadOnlyFallback, Split};
#[cfg(feature = "memory")]
pub use memory::MemoryStore;
#[cfg(feature = "mysql")]
pub use mysql::MysqlStore;
#[cfg(feature = "postgres")]
pub use postgres::PostgresStore;
#[cfg(feature = "redis")]
pub use redis::RedisStore;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;
#[cfg(any(feature = "mysql", feature = "postgres", feature = "sqlite"))]
pub use tables::Tables;
