use std::collections::BTreeMap;

use crate::challenge::CodeFormat;
use crate::request::Purpose;

/// The registered purposes and the shape of their codes. What is not here cannot be issued.
#[derive(Clone, Debug, Default)]
pub struct Purposes(BTreeMap<Purpose, CodeFormat>);

impl Purposes {
    /// `login` and `recovery` with eight digits, because a code may be all that stands there;
    /// `mfa`, `sign-up` and `confirm-address` with six.
    #[must_use]
    pub fn recommended() -> Self {
        let six = CodeFormat::SIX_DIGITS;
        let eight = CodeFormat::EIGHT_DIGITS;
        Self(BTreeMap::from([
            (Purpose::LOGIN, eight),
            (Purpose::RECOVERY, eight),
            (Purpose::MFA, six),
            (Purpose::SIGN_UP, six),
            (Purpose::CONFIRM_ADDRESS, six),
        ]))
    }

    /// Registers a purpose, or changes the shape of its codes.
    pub fn register(&mut self, purpose: Purpose, format: CodeFormat) {
        self.0.insert(purpose, format);
    }

    /// Finds a purpose by its name.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<(&Purpose, CodeFormat)> {
        self.0
            .iter()
            .find(|(purpose, _)| purpose.as_str() == name)
            .map(|(purpose, format)| (purpose, *format))
    }

    /// Lists the purposes with the shape of their codes.
    pub fn iter(&self) -> impl Iterator<Item = (&Purpose, CodeFormat)> + Clone {
        self.0.iter().map(|(purpose, format)| (purpose, *format))
    }

    /// Says whether none is registered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Counts the codes of the weakest purpose: what a guess has to hit at worst.
    #[must_use]
    pub fn smallest_code_space(&self) -> f64 {
        self.0
            .values()
            .map(|format| format.codes())
            .fold(f64::INFINITY, f64::min)
    }
}
