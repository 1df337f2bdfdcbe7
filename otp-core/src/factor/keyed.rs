use std::fmt;

use hmac::block_api::HmacCore;
use hmac::digest::block_api::{Buffer, FixedOutputCore as _, UpdateCore as _};
use hmac::digest::{Output, OutputSizeUser};
use hmac::{EagerHash, KeyInit as _};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use super::OtpSecret;
use crate::challenge::MalformedCode;

/// The hash that an authenticator works with. SHA-1 is what every app takes; HMAC does not rest on
/// what SHA-1 has lost (RFC 6194 section 3.3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OtpAlgorithm {
    /// HMAC-SHA-1, the default.
    #[default]
    Sha1,
    /// HMAC-SHA-256.
    Sha256,
    /// HMAC-SHA-512.
    Sha512,
}

impl OtpAlgorithm {
    /// Names the algorithm, as `otpauth` URIs have it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }

    /// Reads a name back, in either case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Sha1, Self::Sha256, Self::Sha512]
            .into_iter()
            .find(|algorithm| algorithm.name().eq_ignore_ascii_case(name))
    }
}

/// How many digits a code has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum OtpDigits {
    /// Six, the default, which every app shows.
    #[default]
    Six,
    /// Seven.
    Seven,
    /// Eight.
    Eight,
}

impl OtpDigits {
    /// Counts them.
    #[must_use]
    pub const fn count(self) -> u8 {
        match self {
            Self::Six => 6,
            Self::Seven => 7,
            Self::Eight => 8,
        }
    }

    /// Reads a count.
    #[must_use]
    pub const fn from_count(count: u8) -> Option<Self> {
        match count {
            6 => Some(Self::Six),
            7 => Some(Self::Seven),
            8 => Some(Self::Eight),
            _ => None,
        }
    }

    const fn space(self) -> u32 {
        match self {
            Self::Six => 1_000_000,
            Self::Seven => 10_000_000,
            Self::Eight => 100_000_000,
        }
    }

    /// Reads what was typed: ASCII digits, spaces and hyphens between them ignored. Only the number
    /// counts afterwards, so a code is the same code however it is spaced.
    pub(super) fn read(self, typed: &str) -> Result<u32, MalformedCode> {
        if typed.len() > LONGEST_TYPED {
            return Err(MalformedCode);
        }
        let (mut number, mut digits) = (0_u32, 0_u8);
        for byte in typed.trim().bytes() {
            match byte {
                b'0'..=b'9' if digits < self.count() => {
                    number = number * 10 + u32::from(byte - b'0');
                    digits += 1;
                }
                b' ' | b'-' => {}
                _ => return Err(MalformedCode),
            }
        }
        if digits == self.count() {
            Ok(number)
        } else {
            Err(MalformedCode)
        }
    }

    /// Says whether a text could be a code of this length.
    pub(crate) fn reads(self, typed: &str) -> bool {
        self.read(typed).is_ok()
    }

    pub(super) fn write(self, number: u32) -> String {
        format!("{number:0width$}", width = usize::from(self.count()))
    }
}

/// The longest text that is looked at, in bytes.
const LONGEST_TYPED: usize = 64;

/// A secret made ready: the hash's state after the key, so that a code costs half.
#[derive(Clone)]
pub(super) enum Keyed {
    Sha1(HmacCore<Sha1>),
    Sha256(HmacCore<Sha256>),
    Sha512(HmacCore<Sha512>),
}

impl Keyed {
    pub(super) fn new(algorithm: OtpAlgorithm, secret: &OtpSecret) -> Self {
        let key = secret.expose();
        match algorithm {
            OtpAlgorithm::Sha1 => Self::Sha1(keyed(HmacCore::new_from_slice(key))),
            OtpAlgorithm::Sha256 => Self::Sha256(keyed(HmacCore::new_from_slice(key))),
            OtpAlgorithm::Sha512 => Self::Sha512(keyed(HmacCore::new_from_slice(key))),
        }
    }

    pub(super) fn algorithm(&self) -> OtpAlgorithm {
        match self {
            Self::Sha1(_) => OtpAlgorithm::Sha1,
            Self::Sha256(_) => OtpAlgorithm::Sha256,
            Self::Sha512(_) => OtpAlgorithm::Sha512,
        }
    }

    /// Makes the number of a counter: RFC 4226 section 5.3.
    pub(super) fn number(&self, counter: u64, digits: OtpDigits) -> u32 {
        let code = match self {
            Self::Sha1(keyed) => truncated(&digest(keyed, counter)),
            Self::Sha256(keyed) => truncated(&digest(keyed, counter)),
            Self::Sha512(keyed) => truncated(&digest(keyed, counter)),
        };
        code % digits.space()
    }
}

fn keyed<M>(made: Result<M, impl fmt::Debug>) -> M {
    match made {
        Ok(made) => made,
        Err(_) => unreachable!("HMAC takes keys of every length"),
    }
}

/// The HMAC of a counter. A state is copied without the buffer that the usual type has beside it: of
/// the time of a short message that is a third.
fn digest<H: EagerHash>(keyed: &HmacCore<H>, counter: u64) -> Output<HmacCore<H>>
where
    HmacCore<H>: OutputSizeUser,
{
    let (mut state, mut buffer) = (keyed.clone(), Buffer::<HmacCore<H>>::default());
    buffer.digest_blocks(&counter.to_be_bytes(), |blocks| state.update_blocks(blocks));
    let mut made = Output::<HmacCore<H>>::default();
    state.finalize_fixed_core(&mut buffer, &mut made);
    made
}

/// The dynamic truncation of RFC 4226 section 5.3: 31 bits from where the last half-byte says.
fn truncated(digest: &[u8]) -> u32 {
    let offset = usize::from(digest.last().copied().unwrap_or_default() & 0x0f);
    let bytes = digest.get(offset..offset + 4).unwrap_or_default();
    let bytes = <[u8; 4]>::try_from(bytes).unwrap_or_default();
    u32::from_be_bytes(bytes) & 0x7fff_ffff
}

impl fmt::Debug for Keyed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyed({})", self.algorithm().name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_read_however_it_is_spaced_and_nothing_else_is() {
        let six = OtpDigits::Six;
        for typed in ["012345", " 012 345 ", "012-345", "0-1-2-3-4-5"] {
            assert_eq!(six.read(typed), Ok(12_345), "{typed}");
        }
        for typed in [
            "",
            "12345",
            "0123456",
            "01234a",
            "\u{0660}12345",
            "012345\n0",
            "+12345",
            &"0 ".repeat(40),
        ] {
            assert_eq!(six.read(typed), Err(MalformedCode), "{typed}");
        }
        assert_eq!(OtpDigits::Eight.read("99999999"), Ok(99_999_999));
        assert_eq!(six.write(7), "000007");
    }
}
