//! The sign of life of an engine, which may be of many parts.

use std::sync::Arc;

use otp_core::event::EventId;
use otp_core::request::Tenant;
use otp_core::store::{IdempotencyKey, Store, StoreErrorKind};
use tokio::task::JoinSet;

/// How many names an engine is asked for at once. They lie on different parts of an engine that has
/// parts: where a third of them is away, all of the names are on that third once in 40 million.
const NAMES: usize = 16;

/// Asks an engine to forget names that nobody has, and gives its first answer; an error is one too,
/// unless it says [`Unavailable`](StoreErrorKind::Unavailable).
///
/// It is a write, because an engine that can only be read decides nothing; it changes nothing; and
/// one part that works answers it, unlike a `ping`, which asks them all.
///
/// # Errors
/// [`Unavailable`](StoreErrorKind::Unavailable) where nothing answers.
pub(super) async fn of_life<P: Store>(engine: &Arc<P>) -> Result<(), StoreErrorKind> {
    let mut asked = JoinSet::new();
    for _ in 0..NAMES {
        // A new name each time: a request that had it would be forgotten.
        let name = format!("sign-of-life-{}", EventId::next());
        if let Some(key) = IdempotencyKey::new(&Tenant::default(), &name) {
            let engine = Arc::clone(engine);
            asked.spawn(async move { engine.release(&key).await });
        }
    }
    while let Some(answer) = asked.join_next().await {
        match answer {
            Ok(Err(error)) if error.kind() == StoreErrorKind::Unavailable => {}
            // It panicked.
            Err(_) => {}
            Ok(_) => {
                // Cut off, they would cost connections.
                asked.detach_all();
                return Ok(());
            }
        }
    }
    Err(StoreErrorKind::Unavailable)
}
