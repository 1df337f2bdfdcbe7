/// How strongly somebody has proven who they are, weakest first: compare with `<`.
///
/// Codes that people type are never phishing-resistant (NIST SP 800-63B section 3.2.5), so none of
/// this is AAL3.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Assurance {
    /// An e-mail address is theirs. NIST SP 800-63B section 3.1.3.1 takes e-mail for no out-of-band
    /// authenticator.
    Address,
    /// One authenticator, over the telephone network: restricted (section 3.2.9).
    Restricted,
    /// One authenticator that is not restricted.
    Single,
    /// Two, the first of them an address or a restricted one.
    RestrictedPair,
    /// Two, neither of them restricted.
    Pair,
}

impl Assurance {
    const ALL: [Self; 5] = [
        Self::Address,
        Self::Restricted,
        Self::Single,
        Self::RestrictedPair,
        Self::Pair,
    ];

    /// Names the class, as an `acr` claim has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Restricted => "restricted",
            Self::Single => "single",
            Self::RestrictedPair => "mfa-restricted",
            Self::Pair => "mfa",
        }
    }

    /// Reads a name back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.name() == name)
    }

    /// Adds a second factor to what was proven: an authenticator that the person holds, or a
    /// recovery code in its place.
    #[must_use]
    pub const fn with_second_factor(self) -> Self {
        match self {
            Self::Address | Self::Restricted => Self::RestrictedPair,
            Self::Single => Self::Pair,
            pair => pair,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_factor_outweighs_any_single_one_and_names_are_read_back() {
        let singles = [Assurance::Address, Assurance::Restricted, Assurance::Single];
        for one in singles {
            for other in singles {
                assert!(one < other.with_second_factor(), "{one:?} {other:?}");
            }
        }
        let sms = Assurance::Restricted.with_second_factor();
        assert!(sms < Assurance::Single.with_second_factor());
        for class in Assurance::ALL {
            assert_eq!(Assurance::from_name(class.name()), Some(class));
            assert!(class <= class.with_second_factor());
        }
        assert_eq!(Assurance::from_name("aal3"), None);
    }
}
