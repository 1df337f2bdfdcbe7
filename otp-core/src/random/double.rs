//! Stands in for the operating system in tests: one source that repeats itself, one that fails.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use sha2::{Digest, Sha256};

use super::{RandomError, SecureRandom};

/// Draws the same bytes in every run: SHA-256 over a seed and a counter.
///
/// Clones share the counter. It is predictable by design and exists in test builds only.
#[derive(Clone, Debug)]
pub struct SeededRandom {
    seed: u64,
    drawn: Arc<AtomicU64>,
}

impl SeededRandom {
    /// Starts the stream that belongs to the seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self {
            seed,
            drawn: Arc::new(AtomicU64::new(0)),
        }
    }
}

impl SecureRandom for SeededRandom {
    fn fill(&self, destination: &mut [u8]) -> Result<(), RandomError> {
        for chunk in destination.chunks_mut(32) {
            let block = self.drawn.fetch_add(1, Ordering::Relaxed);
            let digest = Sha256::new()
                .chain_update(self.seed.to_le_bytes())
                .chain_update(block.to_le_bytes())
                .finalize();
            for (to, from) in chunk.iter_mut().zip(digest) {
                *to = from;
            }
        }
        Ok(())
    }
}

/// Fails, from the first draw on or after a few good ones.
#[derive(Clone, Debug)]
pub struct BrokenRandom {
    good: SeededRandom,
    left: Arc<AtomicU64>,
}

impl BrokenRandom {
    /// Fails at once.
    #[must_use]
    pub fn new() -> Self {
        Self::after(0)
    }

    /// Answers `draws` calls, then fails for good.
    #[must_use]
    pub fn after(draws: u64) -> Self {
        Self {
            good: SeededRandom::new(1),
            left: Arc::new(AtomicU64::new(draws)),
        }
    }
}

impl Default for BrokenRandom {
    fn default() -> Self {
        Self::new()
    }
}

impl SecureRandom for BrokenRandom {
    fn fill(&self, destination: &mut [u8]) -> Result<(), RandomError> {
        self.left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                left.checked_sub(1)
            })
            .map_err(|_| RandomError::new())?;
        self.good.fill(destination)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_stream_and_another_seed_another() {
        let draw = |seed| {
            let mut bytes = [0; 50];
            SeededRandom::new(seed).fill(&mut bytes).unwrap();
            bytes
        };
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn a_clone_carries_the_stream_on() {
        let (mut first, mut second) = ([0; 8], [0; 8]);
        let random = SeededRandom::new(3);
        random.clone().fill(&mut first).unwrap();
        random.fill(&mut second).unwrap();
        assert_ne!(first, second);
    }
}
