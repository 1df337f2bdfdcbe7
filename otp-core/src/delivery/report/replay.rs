use std::time::Duration;

use sha2::{Digest, Sha256};

use super::MAX_TEXT;

/// Names one event of a vendor's for [`SeenStore::first_seen`](crate::store::SeenStore::first_seen),
/// and says how long to remember it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ReplayKey {
    key: String,
    life: Duration,
}

impl ReplayKey {
    /// How long an event is remembered unless its vendor repeats for longer: 24 hours.
    pub const LIFE: Duration = Duration::from_secs(24 * 60 * 60);

    /// Makes the key from the provider's name and the parts that make an event of it unique.
    ///
    /// Long parts, and parts with other than visible ASCII, are replaced by their SHA-256.
    #[must_use]
    pub fn new(provider: &str, parts: &[&str]) -> Self {
        let plain = parts.iter().map(|part| part.len()).sum::<usize>() <= MAX_TEXT
            && parts
                .iter()
                .all(|part| part.bytes().all(|byte| byte.is_ascii_graphic()));
        let mut key = provider.to_owned();
        if plain {
            for part in parts {
                key.push('/');
                key.push_str(part);
            }
        } else {
            let mut hash = Sha256::new();
            for part in parts {
                hash.update(part.len().to_be_bytes());
                hash.update(part.as_bytes());
            }
            key.push_str("/sha256-");
            for byte in hash.finalize() {
                key.push_str(&format!("{byte:02x}"));
            }
        }
        Self {
            key,
            life: Self::LIFE,
        }
    }

    /// Sets for how long the event is remembered. Default: [`LIFE`](Self::LIFE).
    #[must_use]
    pub fn with_life(mut self, life: Duration) -> Self {
        self.life = life;
        self
    }

    /// Gives the key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.key
    }

    /// Gives the time for which it is remembered.
    #[must_use]
    pub fn life(&self) -> Duration {
        self.life
    }
}
