use thiserror::Error;

/// The characters that a code is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Alphabet {
    /// The ten ASCII digits.
    Digits,
    /// Crockford's 32 characters: digits and capitals without I, L, O and U, so that none is
    /// mistaken for another when read aloud. Typing `o`, `i` or `l` means `0`, `1` and `1`.
    Unambiguous,
}

impl Alphabet {
    /// Names the alphabet for columns.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Digits => "digits",
            Self::Unambiguous => "unambiguous",
        }
    }

    /// Reads a name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Digits, Self::Unambiguous]
            .into_iter()
            .find(|alphabet| alphabet.name() == name)
    }

    /// Lists the characters, each as likely as the next.
    #[must_use]
    pub const fn characters(self) -> &'static [u8] {
        match self {
            Self::Digits => b"0123456789",
            Self::Unambiguous => b"0123456789ABCDEFGHJKMNPQRSTVWXYZ",
        }
    }

    /// Maps one typed character to the alphabet, or says that it is not of it.
    pub(crate) const fn canonical(self, typed: u8) -> Option<u8> {
        match self {
            Self::Digits => {
                if typed.is_ascii_digit() {
                    Some(typed)
                } else {
                    None
                }
            }
            Self::Unambiguous => match typed.to_ascii_uppercase() {
                b'O' => Some(b'0'),
                b'I' | b'L' => Some(b'1'),
                b'U' => None,
                upper if upper.is_ascii_alphanumeric() => Some(upper),
                _ => None,
            },
        }
    }

    const fn bits_per_100_characters(self) -> u32 {
        match self {
            Self::Digits => 332,
            Self::Unambiguous => 500,
        }
    }
}

/// What to do with spaces and hyphens that people type into a code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Separators {
    /// A code with any is malformed. The default.
    #[default]
    Refuse,
    /// ASCII spaces and hyphens are dropped before anything else is looked at.
    Strip,
}

impl Separators {
    /// Names the reading for columns.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::Strip => "strip",
        }
    }

    /// Reads a name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Refuse, Self::Strip]
            .into_iter()
            .find(|separators| separators.name() == name)
    }
}

/// The shape of a code: alphabet, length, and how typed separators are read.
///
/// Six decimal digits is the shortest that NIST SP 800-63B section 3.1.3.2 allows (20 bits);
/// anything weaker cannot be written down.
///
/// # Examples
/// ```
/// use otp_core::challenge::CodeFormat;
///
/// assert!(CodeFormat::digits(6).is_ok());
/// assert!(CodeFormat::digits(5).is_err());
/// # Ok::<(), otp_core::challenge::InvalidCodeFormat>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct CodeFormat {
    alphabet: Alphabet,
    length: u8,
    separators: Separators,
}

/// The longest code; a WhatsApp template carries no more (15 characters).
const MAX_LENGTH: u8 = 15;
/// NIST SP 800-63B section 3.1.3.2: at least 20 bits, which six decimal digits (19.93) are taken
/// to meet.
const MIN_BITS_TIMES_100: u32 = 6 * 332;

impl CodeFormat {
    /// Six digits: the default of step-up and of addresses that are confirmed.
    pub const SIX_DIGITS: Self = Self {
        alphabet: Alphabet::Digits,
        length: 6,
        separators: Separators::Refuse,
    };

    /// Eight digits: the default where the code is all that stands between a stranger and the
    /// account.
    pub const EIGHT_DIGITS: Self = Self {
        alphabet: Alphabet::Digits,
        length: 8,
        separators: Separators::Refuse,
    };

    /// Makes a code of decimal digits.
    ///
    /// # Errors
    /// [`InvalidCodeFormat`] below six or above fifteen.
    pub const fn digits(length: u8) -> Result<Self, InvalidCodeFormat> {
        Self::of(Alphabet::Digits, length)
    }

    /// Makes a code of the unambiguous alphabet.
    ///
    /// # Errors
    /// [`InvalidCodeFormat`] below four or above fifteen.
    pub const fn unambiguous(length: u8) -> Result<Self, InvalidCodeFormat> {
        Self::of(Alphabet::Unambiguous, length)
    }

    /// Makes a code of an alphabet.
    ///
    /// # Errors
    /// [`InvalidCodeFormat`] where it would hold less than 20 bits, or more than fifteen
    /// characters.
    pub const fn of(alphabet: Alphabet, length: u8) -> Result<Self, InvalidCodeFormat> {
        let bits = length as u32 * alphabet.bits_per_100_characters();
        if bits < MIN_BITS_TIMES_100 {
            return Err(InvalidCodeFormat::TooShort);
        }
        if length > MAX_LENGTH {
            return Err(InvalidCodeFormat::TooLong);
        }
        Ok(Self {
            alphabet,
            length,
            separators: Separators::Refuse,
        })
    }

    /// Sets what spaces and hyphens in typed codes mean. Default: [`Separators::Refuse`].
    #[must_use]
    pub const fn with_separators(mut self, separators: Separators) -> Self {
        self.separators = separators;
        self
    }

    /// Names the alphabet.
    #[must_use]
    pub const fn alphabet(self) -> Alphabet {
        self.alphabet
    }

    /// Gives the number of characters.
    #[must_use]
    pub const fn length(self) -> u8 {
        self.length
    }

    /// Says what typed separators mean.
    #[must_use]
    pub const fn separators(self) -> Separators {
        self.separators
    }

    /// Counts the codes of this format; what one guess has to hit.
    #[must_use]
    pub fn codes(self) -> f64 {
        let base: f64 = match self.alphabet {
            Alphabet::Digits => 10.0,
            Alphabet::Unambiguous => 32.0,
        };
        base.powi(i32::from(self.length))
    }
}

/// Says why a code format cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidCodeFormat {
    /// It would hold less than 20 bits.
    #[error("code is too short: at least six digits or four unambiguous characters are needed")]
    TooShort,
    /// Templates carry at most fifteen characters.
    #[error("code is too long: at most fifteen characters")]
    TooLong,
}
