//! The hash chain over audit records, and the check of an export without any database.
//!
//! Each record is hashed together with its place and the hash of the record before it (SHA-256,
//! [`LinkHash`]), and the hash is sealed (HMAC-SHA-256 under a key that HKDF derives from the ring
//! for this alone, [`Seal`]). So two different people can be told something:
//!
//! - *Without a key* anybody sees whether records and hashes agree: a record that was changed,
//!   dropped, moved or put in shows.
//! - *With the ring* it shows too where somebody who can write to the database made all hashes
//!   anew: they have no key to seal them with.
//!
//! What no chain shows by itself is that its end was cut off. So an export ends in a
//! [`Checkpoint`]: which records it has, their number, the last hash and the time, sealed. A
//! database whose newest records and whose note of the chain's end were both taken back looks like
//! its own past; compare it with a checkpoint that is kept elsewhere.
//!
//! # Examples
//! ```
//! use otp_core::clock::Timestamp;
//! use otp_core::event::chain::{Chain, Head, Record, Scope, Tally, verify};
//! use otp_core::event::{Event, EventKind};
//! use otp_core::key::KeyRing;
//! use otp_core::random::OsRandom;
//! use otp_core::request::Tenant;
//!
//! let ring = KeyRing::generate(&OsRandom)?;
//! let mut chain = Chain::after(Head::START, ring.snapshot());
//! let mut tally = Tally::new(Scope::Whole);
//! let mut file = String::new();
//! for sequence in 1..=3 {
//!     let event = Event::new(EventKind::CodeSent, &Tenant::default());
//!     let chained = chain.add(Record::new(sequence, event));
//!     tally.add(&chained.link);
//!     file.push_str(&format!("{chained}\n"));
//! }
//! let end = tally.close(Timestamp::UNIX_EPOCH, &ring.snapshot());
//! file.push_str(&format!("{end}\n"));
//! assert_eq!(verify(file.as_bytes(), Some(&ring))?.records, 3);
//!
//! let forged = file.replacen("MFA_CODE_SENT", "MFA_CODE_LOST", 1);
//! let broken = verify(forged.as_bytes(), None).expect_err("it was changed");
//! let told = broken.to_string();
//! assert!(told.starts_with("line 1: record 1 ") && told.ends_with(": it was changed"), "{told}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod checkpoint;
mod hash;
mod inspection;
mod json;
mod link;
mod record;
mod seal;
mod verify;

use std::sync::Arc;

use crate::key::KeySet;

pub use checkpoint::{Checkpoint, Opening, Scope, Tally};
pub use hash::{InvalidLinkHash, LinkHash};
pub use inspection::{BrokenAt, Fault, Inspection, Verified};
pub use link::{Head, InvalidLink, Link};
pub(crate) use record::sequence_of;
pub use record::{ChainedRecord, Record};
pub use seal::{InvalidSeal, Seal};
pub use verify::{VerifyError, verify};

/// A chain as it grows: what is added is linked to what was added before it.
#[derive(Clone, Debug)]
pub struct Chain {
    head: Head,
    keys: Arc<KeySet>,
}

impl Chain {
    /// Goes on after the end of a chain; seals are made with the current key.
    #[must_use]
    pub const fn after(head: Head, keys: Arc<KeySet>) -> Self {
        Self { head, keys }
    }

    /// Adds a record.
    pub fn add(&mut self, record: Record) -> ChainedRecord {
        let link = Link::make(&record, &self.head, self.keys.current());
        self.head = Head {
            place: link.place,
            hash: link.hash,
            sequence: record.sequence,
        };
        ChainedRecord { record, link }
    }

    /// Gives the end of the chain as it is now.
    #[must_use]
    pub const fn head(&self) -> &Head {
        &self.head
    }
}

#[cfg(test)]
mod tests;
