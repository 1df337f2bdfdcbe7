use std::collections::BTreeMap;
use std::fmt;

use crate::request::Tenant;
use crate::store::{StoreError, StoreErrorKind};

/// What is counted: a word of the code's own, never of a caller's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StatName(&'static str);

const LONGEST_NAME: usize = 32;
const LONGEST_VALUE: usize = 64;

impl StatName {
    /// Messages that were sent.
    pub const SENT: Self = Self("sent");
    /// Codes that were right.
    pub const VERIFIED: Self = Self("verified");
    /// Codes that were wrong.
    pub const FAILED: Self = Self("failed");
    /// Requests that were refused.
    pub const REFUSED: Self = Self("refused");

    /// Takes a name: 1 to 32 characters of `a-z 0-9 _`. `None` otherwise.
    #[must_use]
    pub const fn new(name: &'static str) -> Option<Self> {
        let mut rest = name.as_bytes();
        if rest.is_empty() || rest.len() > LONGEST_NAME {
            return None;
        }
        while let [first, others @ ..] = rest {
            if !matches!(first, b'a'..=b'z' | b'0'..=b'9' | b'_') {
                return None;
            }
            rest = others;
        }
        Some(Self(name))
    }

    /// Gives the name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

/// One counter: a name, whose it is, and a short value that it is counted by.
///
/// The value is what one looks for when something is wrong: a country, a prefix of numbers, a
/// network, a provider. It is never a full address, a subject or a secret: whoever may see a
/// dashboard sees it. `Debug` shows the name alone.
///
/// # Examples
/// ```
/// use otp_core::request::Tenant;
/// use otp_core::store::{StatKey, StatName};
///
/// let prefix = StatKey::new(StatName::SENT, &Tenant::default(), "+4479").ok_or("a key")?;
/// assert_eq!(prefix.value(), "+4479");
/// assert!(StatKey::new(StatName::SENT, &Tenant::default(), "two words").is_none());
/// # Ok::<(), &str>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StatKey {
    name: StatName,
    tenant: Tenant,
    value: Box<str>,
}

impl StatKey {
    /// The most keys of one call.
    pub const MOST: usize = 1_000;

    /// Names a counter of a value: 1 to 64 visible ASCII characters. `None` otherwise.
    #[must_use]
    pub fn new(name: StatName, tenant: &Tenant, value: &str) -> Option<Self> {
        let fits = (1..=LONGEST_VALUE).contains(&value.len())
            && value.bytes().all(|byte| byte.is_ascii_graphic());
        fits.then(|| Self {
            name,
            tenant: tenant.clone(),
            value: value.into(),
        })
    }

    /// Names the counter of a name that has no value: the total, where the caller counts one. It is
    /// none of [`top`](super::StatsStore::top)'s.
    #[must_use]
    pub fn total(name: StatName, tenant: &Tenant) -> Self {
        Self {
            name,
            tenant: tenant.clone(),
            value: "".into(),
        }
    }

    /// Adds up counts that name one key, in the keys' order: whoever locks rows by it waits in no
    /// circle. For stores.
    ///
    /// # Errors
    /// [`Invalid`](StoreErrorKind::Invalid) for more than [`MOST`](Self::MOST) counts.
    ///
    /// # Examples
    /// ```
    /// use otp_core::request::Tenant;
    /// use otp_core::store::{StatKey, StatName};
    ///
    /// let total = StatKey::total(StatName::SENT, &Tenant::default());
    /// assert_eq!(StatKey::merged(&[(total.clone(), 1), (total.clone(), 2)])?[&total], 3);
    /// # Ok::<(), otp_core::store::StoreError>(())
    /// ```
    pub fn merged(counts: &[(Self, u32)]) -> Result<BTreeMap<&Self, u64>, StoreError> {
        if counts.len() > Self::MOST {
            return Err(StoreErrorKind::Invalid.into());
        }
        let mut merged = BTreeMap::new();
        for (key, count) in counts.iter().filter(|(_, count)| *count > 0) {
            let sum: &mut u64 = merged.entry(key).or_default();
            *sum = sum.saturating_add(u64::from(*count));
        }
        Ok(merged)
    }

    /// Gives the name.
    #[must_use]
    pub fn name(&self) -> StatName {
        self.name
    }

    /// Names the tenant.
    #[must_use]
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// Gives the value; of a total it is empty.
    #[must_use]
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl fmt::Debug for StatKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StatKey({})", self.name.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_short_word() {
        assert_eq!(StatName::new("sent"), Some(StatName::SENT));
        for bad in ["", "Sent", "a b", "a:b", "sent-", &"a".repeat(33)] {
            let bad: &'static str = Box::leak(bad.to_owned().into_boxed_str());
            assert_eq!(StatName::new(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_value_is_short_and_visible() {
        let tenant = Tenant::default();
        let key = |value: &str| StatKey::new(StatName::SENT, &tenant, value);
        assert!(key(&"a".repeat(64)).is_some());
        for bad in ["", " ", "a b", "a\n", "ü", "\0", &"a".repeat(65)] {
            assert!(key(bad).is_none(), "{bad:?}");
        }
    }

    #[test]
    fn a_value_is_not_shown_by_a_key() {
        let key = StatKey::new(StatName::SENT, &Tenant::default(), "203.0.113.0/24");
        assert_eq!(format!("{key:?}"), "Some(StatKey(sent))");
    }
}
