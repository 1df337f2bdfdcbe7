//! What may happen once.

use std::time::Duration;

use async_trait::async_trait;
use otp_core::store::{Seen, SeenStore, StoreError, StoreErrorKind};

use super::PostgresStore;
use super::link::Function;
use crate::wire::corrupt;
use crate::wire::request::millis;

/// The longest key, in bytes.
const LONGEST: usize = 1_024;

#[async_trait]
impl SeenStore for PostgresStore {
    async fn first_seen(&self, key: &str, life: Duration) -> Result<Seen, StoreError> {
        if key.len() > LONGEST {
            return Err(StoreErrorKind::Invalid.into());
        }
        let request = self
            .request("seen")
            .text("key", &written(key))
            .with("life", millis(life).into());
        match self.ask(Function::Desk, request).await?.text(0)? {
            "first" => Ok(Seen::First),
            "again" => Ok(Seen::Again),
            _ => Err(corrupt("an answer")),
        }
    }
}

/// Writes a key without the zero character, which no text of the engine holds.
fn written(key: &str) -> String {
    key.replace('\\', "\\\\").replace('\0', "\\0")
}

#[cfg(test)]
mod tests {
    use super::written;

    #[test]
    fn no_two_keys_are_written_alike() {
        let keys = ["a\0b", "a\\0b", "a\\\\0b", "a\\\0b", "ab"];
        for (at, one) in keys.iter().enumerate() {
            assert!(!written(one).contains('\0'));
            for other in keys.iter().skip(at + 1) {
                assert_ne!(written(one), written(other));
            }
        }
    }
}
