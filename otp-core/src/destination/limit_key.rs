//! [`LimitKey`]: what budgets and quotas count a destination by.

use std::fmt;
use std::sync::Arc;

/// The form of a destination that limits are counted by.
///
/// Spellings that reach the same person fold into one key, so that no alias opens a fresh budget. It holds
/// the full value: `Debug` is redacted, there is no `Display`, and nothing may be delivered to it, as some
/// folds name a number that does not exist.
///
/// Keys of phone numbers start with `+` and have no `@`; keys of e-mail addresses have one. The two never
/// meet.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LimitKey(Arc<str>);

impl LimitKey {
    pub(super) fn new(key: impl Into<Arc<str>>) -> Self {
        Self(key.into())
    }

    /// Returns the key's text, unmasked, to derive a store's key from.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for LimitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LimitKey(•••)")
    }
}
