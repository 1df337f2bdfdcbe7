use std::hash::{BuildHasher as _, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use otp_kit::random::{RandomError, SecureRandom};
use otp_kit::verifier::Issued;

/// What is made up is drawn from here: of one challenge always the same, as what was sent is.
#[derive(Clone, Debug, Default)]
pub(super) struct Seed(RandomState);

/// The bytes of one challenge. They are worth nothing, so nothing hangs on them.
#[derive(Debug)]
pub(super) struct Drawn {
    seed: RandomState,
    challenge: String,
    block: AtomicU64,
}

impl Seed {
    pub(super) fn of(&self, issued: &Issued) -> Drawn {
        Drawn {
            seed: self.0.clone(),
            challenge: issued.challenge_id.fingerprint(),
            block: AtomicU64::new(0),
        }
    }
}

impl SecureRandom for Drawn {
    fn fill(&self, destination: &mut [u8]) -> Result<(), RandomError> {
        for chunk in destination.chunks_mut(8) {
            let block = self.block.fetch_add(1, Ordering::Relaxed);
            let bytes = self.seed.hash_one((&self.challenge, block)).to_le_bytes();
            for (to, from) in chunk.iter_mut().zip(bytes) {
                *to = from;
            }
        }
        Ok(())
    }
}
