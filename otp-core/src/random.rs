//! Draws randomness from a source that the host can replace, and that is allowed to fail.

use std::{error::Error, fmt};

use rand::{TryRng, rngs::SysRng};

#[cfg(any(test, feature = "testing"))]
mod double;

#[cfg(any(test, feature = "testing"))]
pub use double::{BrokenRandom, SeededRandom};

/// Fills buffers with bytes that nobody can predict.
///
/// # Contract
/// `fill` answers `Ok` only when every byte of the buffer came from a cryptographically secure source; a
/// source that has fewer bytes than asked for answers an error, and the caller then issues nothing. It is
/// called from many threads at once and must not block for long.
pub trait SecureRandom: fmt::Debug + Send + Sync + 'static {
    /// Fills the whole buffer.
    ///
    /// # Errors
    /// [`RandomError`] when the source failed or fell short; the buffer's content is then unspecified.
    fn fill(&self, destination: &mut [u8]) -> Result<(), RandomError>;
}

/// Says that no randomness was to be had.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct RandomError {
    reason: &'static str,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl RandomError {
    /// Reports a source that failed without saying why.
    #[must_use]
    pub const fn new() -> Self {
        Self::because("the random source failed")
    }

    /// Reports a source that failed, with its own error as [`source`](Error::source).
    #[must_use]
    pub fn with_source(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self {
            source: Some(source.into()),
            ..Self::new()
        }
    }

    const fn because(reason: &'static str) -> Self {
        Self {
            reason,
            source: None,
        }
    }
}

impl Default for RandomError {
    fn default() -> Self {
        Self::new()
    }
}

/// Asks the operating system at every draw.
///
/// No pool is kept in the process: a forked child or a restored snapshot cannot repeat a draw, and there
/// is no generator state to steal.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsRandom;

impl SecureRandom for OsRandom {
    fn fill(&self, destination: &mut [u8]) -> Result<(), RandomError> {
        SysRng
            .try_fill_bytes(destination)
            .map_err(RandomError::with_source)
    }
}

/// A fair source is refused this often in a row with a probability below 2^-128.
const MOST_DRAWS: usize = 128;

/// Draws a number below `bound`, every one of them equally likely.
///
/// Draws that would favour the low numbers are thrown away (rejection sampling), never folded over.
///
/// # Errors
/// [`RandomError`] when the source fails, when it is so stuck that 128 draws in a row fall outside, and
/// when `bound` is 0.
///
/// # Examples
/// ```
/// use otp_core::random::{OsRandom, uniform};
///
/// let digit = uniform(&OsRandom, 10)?;
/// assert!(digit < 10);
/// # Ok::<(), otp_core::random::RandomError>(())
/// ```
pub fn uniform(random: &dyn SecureRandom, bound: u32) -> Result<u32, RandomError> {
    // 2^32 mod bound values at the top are one incomplete round.
    let Some(incomplete) = bound.wrapping_neg().checked_rem(bound) else {
        return Err(RandomError::because("a draw from an empty range"));
    };
    let highest = u32::MAX - incomplete;
    let mut draw = zeroize::Zeroizing::new([0_u8; 4]);
    for _ in 0..MOST_DRAWS {
        random.fill(draw.as_mut_slice())?;
        let value = u32::from_le_bytes(*draw);
        if value <= highest {
            return Ok(value % bound);
        }
    }
    Err(RandomError::because("the random source is stuck"))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[derive(Debug)]
    struct Constant(u8);

    impl SecureRandom for Constant {
        fn fill(&self, destination: &mut [u8]) -> Result<(), RandomError> {
            destination.fill(self.0);
            Ok(())
        }
    }

    /// Pearson's statistic of `draws` draws below `bound` against a flat distribution.
    fn chi_square(bound: u32, draws: u32) -> f64 {
        let random = SeededRandom::new(42);
        let mut seen = vec![0_u32; bound as usize];
        for _ in 0..draws {
            seen[uniform(&random, bound).unwrap() as usize] += 1;
        }
        let expected = f64::from(draws) / f64::from(bound);
        seen.iter()
            .map(|&n| (f64::from(n) - expected).powi(2) / expected)
            .sum()
    }

    #[test]
    fn every_digit_is_equally_likely() {
        // 9 degrees of freedom: 27.88 is the 99.9 % point.
        assert!(chi_square(10, 200_000) < 27.88);
    }

    #[test]
    fn every_symbol_of_an_alphabet_of_31_is_equally_likely() {
        // 30 degrees of freedom: 59.70 is the 99.9 % point.
        assert!(chi_square(31, 200_000) < 59.70);
    }

    #[test]
    fn a_bound_just_over_half_the_range_has_no_modulo_bias() {
        // Folding over would put two thirds of the draws into the lower half.
        let random = SeededRandom::new(7);
        let bound = 0xC000_0000;
        let low = (0..10_000)
            .filter(|_| uniform(&random, bound).unwrap() < bound / 2)
            .count();
        assert!((4_800..5_200).contains(&low), "{low}");
    }

    #[test]
    fn a_failing_source_is_an_error_and_never_a_number() {
        let error = uniform(&BrokenRandom::new(), 10).unwrap_err();
        assert_eq!(error.to_string(), "the random source failed");
    }

    #[test]
    fn a_source_that_fails_later_is_an_error_then() {
        let random = BrokenRandom::after(2);
        assert!(uniform(&random, 1 << 31).is_ok());
        assert!(uniform(&random, 1 << 31).is_ok());
        assert!(uniform(&random, 1 << 31).is_err());
    }

    #[test]
    fn a_stuck_source_ends_in_an_error_and_not_in_a_loop() {
        let error = uniform(&Constant(0xFF), 10).unwrap_err();
        assert_eq!(error.to_string(), "the random source is stuck");
    }

    #[test]
    fn an_empty_range_is_an_error_and_a_range_of_one_is_zero() {
        assert!(uniform(&OsRandom, 0).is_err());
        assert_eq!(uniform(&OsRandom, 1).unwrap(), 0);
    }

    #[test]
    fn the_operating_system_never_repeats_a_draw() {
        let draws: HashSet<[u8; 16]> = (0..1_000)
            .map(|_| {
                let mut draw = [0; 16];
                OsRandom.fill(&mut draw).unwrap();
                draw
            })
            .collect();
        assert_eq!(draws.len(), 1_000);
    }
}
