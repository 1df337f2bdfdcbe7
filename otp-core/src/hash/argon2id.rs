//! Argon2id over a digest, in memory that is used again and again.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::Zeroize;

use super::HashError;

/// The length of a new salt and of a new tag.
pub(super) const SALT_LEN: usize = 16;
pub(super) const TAG_LEN: usize = 32;

/// Sets the work of Argon2id ([RFC 9106]).
///
/// The default is 19456 KiB, 2 passes, 1 lane, the first choice of the OWASP Password Storage Cheat Sheet.
///
/// [RFC 9106]: https://www.rfc-editor.org/rfc/rfc9106
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Argon2Params {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

/// Says that parameters of Argon2id are weaker than recommended or above the ceiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "argon2id takes 7168 to 262144 KiB, 1 to 10 passes (fewer need more memory) and 1 to 4 lanes"
)]
pub struct InvalidArgon2Params;

/// OWASP's equivalent choices: with this many passes, at least so much memory.
const MINIMA: [(u32, u32); 5] = [
    (1, 47_104),
    (2, 19_456),
    (3, 12_288),
    (4, 9_216),
    (5, 7_168),
];

impl Argon2Params {
    /// The most memory, in KiB, that is ever used, whatever a stored value asks for.
    pub const MAX_MEMORY_KIB: u32 = 262_144;
    /// The most passes that are ever made.
    pub const MAX_PASSES: u32 = 10;
    /// The most lanes that are ever used.
    pub const MAX_LANES: u32 = 4;

    /// Checks parameters for new values.
    ///
    /// The least memory is 47104 KiB for 1 pass, 19456 for 2, 12288 for 3, 9216 for 4 and 7168 for 5 and
    /// more.
    ///
    /// # Errors
    /// [`InvalidArgon2Params`] when they are weaker than that or above a ceiling.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self, InvalidArgon2Params> {
        let strong = MINIMA.iter().any(|(least_passes, least_memory)| {
            passes >= *least_passes && memory_kib >= *least_memory
        });
        if strong {
            Self::stored(memory_kib, passes, lanes).ok_or(InvalidArgon2Params)
        } else {
            Err(InvalidArgon2Params)
        }
    }

    /// Sets the least work that the algorithm knows, for tests that hash often.
    #[cfg(any(test, feature = "testing"))]
    #[must_use]
    pub const fn cheap() -> Self {
        Self {
            memory_kib: 8,
            passes: 1,
            lanes: 1,
        }
    }

    /// Checks parameters of a stored value: within the ceilings and possible, not necessarily strong.
    pub(super) fn stored(memory_kib: u32, passes: u32, lanes: u32) -> Option<Self> {
        let possible = (1..=Self::MAX_LANES).contains(&lanes)
            && (1..=Self::MAX_PASSES).contains(&passes)
            && (8 * lanes..=Self::MAX_MEMORY_KIB).contains(&memory_kib);
        possible.then_some(Self {
            memory_kib,
            passes,
            lanes,
        })
    }

    /// Tells the memory in KiB.
    #[must_use]
    pub const fn memory_kib(&self) -> u32 {
        self.memory_kib
    }

    /// Tells the number of passes.
    #[must_use]
    pub const fn passes(&self) -> u32 {
        self.passes
    }

    /// Tells the number of lanes.
    #[must_use]
    pub const fn lanes(&self) -> u32 {
        self.lanes
    }
}

impl Default for Argon2Params {
    fn default() -> Self {
        Self {
            memory_kib: 19_456,
            passes: 2,
            lanes: 1,
        }
    }
}

/// Holds the memory of one worker.
///
/// It is not wiped between jobs: that would cost a tenth of the job, the next job overwrites it, and what it
/// holds comes from a keyed digest, never from a code itself. It is wiped when it is given back.
#[derive(Default)]
pub(super) struct Memory {
    blocks: Vec<Block>,
}

impl Memory {
    /// Computes a tag of any length over the input.
    pub(super) fn tag(
        &mut self,
        params: Argon2Params,
        input: &[u8],
        salt: &[u8],
        tag: &mut [u8],
    ) -> Result<(), HashError> {
        let params = Params::new(
            params.memory_kib,
            params.passes,
            params.lanes,
            Some(tag.len()),
        )
        .map_err(|_| HashError::Failed)?;
        self.fill(
            &Argon2::new(Algorithm::Argon2id, Version::V0x13, params),
            input,
            salt,
            tag,
        )
    }

    fn fill(
        &mut self,
        argon2: &Argon2<'_>,
        input: &[u8],
        salt: &[u8],
        tag: &mut [u8],
    ) -> Result<(), HashError> {
        let needed = argon2.params().block_count();
        if let Some(more) = needed.checked_sub(self.blocks.len()) {
            self.blocks
                .try_reserve_exact(more)
                .map_err(|_| HashError::OutOfMemory)?;
            self.blocks.resize(needed, Block::default());
        }
        let blocks = self.blocks.get_mut(..needed).ok_or(HashError::Failed)?;
        argon2
            .hash_password_into_with_memory(input, salt, tag, blocks)
            .map_err(|_| HashError::Failed)
    }

    /// Gives back what goes beyond `keep` KiB, so that one costly old value does not hold memory for good.
    pub(super) fn shrink_to(&mut self, keep_kib: u32) {
        let keep = usize::try_from(keep_kib).unwrap_or(usize::MAX);
        if self.blocks.len() > keep {
            if let Some(surplus) = self.blocks.get_mut(keep..) {
                surplus.iter_mut().for_each(Zeroize::zeroize);
            }
            self.blocks.truncate(keep);
            self.blocks.shrink_to_fit();
        }
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.blocks.iter_mut().for_each(Zeroize::zeroize);
    }
}

#[cfg(test)]
mod tests {
    use argon2::{AssociatedData, ParamsBuilder};

    use super::*;

    #[test]
    fn used_memory_gives_the_vector_of_rfc_9106_section_5_3() {
        // Argon2id, version 19, 32 KiB, 3 passes, 4 lanes, tag of 32 bytes.
        let params = ParamsBuilder::new()
            .m_cost(32)
            .t_cost(3)
            .p_cost(4)
            .output_len(32)
            .data(AssociatedData::new(&[4; 12]).unwrap())
            .build()
            .unwrap();
        let argon2 =
            Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params).unwrap();
        let expected = [
            0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c, 0x08, 0xc0, 0x37, 0xa3, 0x4a, 0x8b,
            0x53, 0xc9, 0xd0, 0x1e, 0xf0, 0x45, 0x2d, 0x75, 0xb6, 0x5e, 0xb5, 0x25, 0x20, 0xe9,
            0x6b, 0x01, 0xe6, 0x59,
        ];
        let mut memory = Memory::default();
        // A larger job before it leaves its blocks behind, a repetition its own.
        memory
            .tag(
                Argon2Params::stored(64, 1, 1).unwrap(),
                b"x",
                &[0; 16],
                &mut [0; 32],
            )
            .unwrap();
        for _ in 0..2 {
            let mut tag = [0; 32];
            memory.fill(&argon2, &[1; 32], &[2; 16], &mut tag).unwrap();
            assert_eq!(tag, expected);
        }
    }

    #[test]
    fn surplus_memory_is_given_back_and_the_rest_kept() {
        let mut memory = Memory::default();
        memory
            .tag(
                Argon2Params::stored(1_024, 1, 1).unwrap(),
                b"x",
                &[0; 16],
                &mut [0; 32],
            )
            .unwrap();
        memory.shrink_to(2_048);
        assert_eq!(memory.blocks.len(), 1_024);
        memory.shrink_to(64);
        assert_eq!((memory.blocks.len(), memory.blocks.capacity()), (64, 64));
    }

    #[test]
    fn new_values_are_never_weaker_than_recommended_nor_above_the_ceiling() {
        for (memory, passes, lanes) in [
            (19_456, 2, 1),
            (47_104, 1, 1),
            (7_168, 5, 1),
            (262_144, 10, 4),
        ] {
            assert!(
                Argon2Params::new(memory, passes, lanes).is_ok(),
                "{memory} {passes} {lanes}"
            );
        }
        let refused = [
            (19_455, 2, 1),
            (19_456, 1, 1),
            (7_167, 10, 1),
            (262_145, 2, 1),
            (19_456, 11, 1),
            (19_456, 2, 0),
            (19_456, 2, 5),
            (u32::MAX, u32::MAX, u32::MAX),
            (0, 0, 0),
        ];
        for (memory, passes, lanes) in refused {
            assert_eq!(
                Argon2Params::new(memory, passes, lanes),
                Err(InvalidArgon2Params),
                "{memory} {passes} {lanes}"
            );
        }
        let default = Argon2Params::default();
        assert_eq!(
            Argon2Params::new(default.memory_kib, default.passes, default.lanes),
            Ok(default)
        );
    }
}
