//! The stores of otp-kit. Each engine is a folder and a feature, passes the same conformance and
//! race suite, and knows nothing of the others.
//!
//! | engine | feature | type | stands for |
//! |---|---|---|---|
//! | memory | `memory` (default) | `MemoryStore` | one process, tests, the edge of a fleet |
//! | Redis | `redis` | `RedisStore` | a fleet of instances, one set of counters |
//! | SQLite | `sqlite` | `SqliteStore` | one machine, with everything on disk |

#[cfg(feature = "memory")]
pub mod memory;
#[cfg(feature = "redis")]
pub mod redis;
#[cfg(feature = "sqlite")]
pub mod sqlite;
#[cfg(any(feature = "postgres", feature = "redis"))]
mod wire;

#[cfg(feature = "memory")]
pub use memory::MemoryStore;
#[cfg(feature = "redis")]
pub use redis::RedisStore;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;
