use std::fmt;
use std::str::FromStr;

use sha2::{Digest as _, Sha256};
use thiserror::Error;

use crate::event::EventId;
use crate::random::{RandomError, SecureRandom};

/// Names an override: sixteen hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct OverrideId(u64);

/// The text is not the id of an override.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not the id of an override")]
pub struct InvalidOverrideId;

impl OverrideId {
    pub(crate) fn generate(random: &dyn SecureRandom) -> Result<Self, RandomError> {
        let mut bytes = [0; 8];
        random.fill(&mut bytes)?;
        Ok(Self(u64::from_be_bytes(bytes)))
    }

    /// Names the record of an end. All instances that see an override end name it alike, so the
    /// audit log has it once.
    pub(crate) fn end_event(self) -> Option<EventId> {
        let digest = Sha256::new()
            .chain_update(b"otp-kit override end v1\0")
            .chain_update(self.0.to_be_bytes())
            .finalize();
        let half = digest.iter().take(16);
        let hex: String = half.map(|byte| format!("{byte:02x}")).collect();
        EventId::from_hex(&hex)
    }
}

impl fmt::Display for OverrideId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for OverrideId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OverrideId({self})")
    }
}

impl FromStr for OverrideId {
    type Err = InvalidOverrideId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit());
        let id = digits.then(|| u64::from_str_radix(text, 16).ok()).flatten();
        id.map(Self).ok_or(InvalidOverrideId)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::OsRandom;

    #[test]
    fn an_id_reads_itself_back_and_names_its_end_alike_everywhere() {
        let id = OverrideId::generate(&OsRandom).expect("randomness");
        let read: OverrideId = id.to_string().parse().expect("its own text");
        assert_eq!(read, id);
        assert_eq!(read.end_event(), id.end_event());
        assert!(id.end_event().is_some());
        for bad in ["", "0", "+123456789abcdef", "0123456789abcdeg"] {
            assert_eq!(bad.parse::<OverrideId>(), Err(InvalidOverrideId), "{bad}");
        }
    }
}
