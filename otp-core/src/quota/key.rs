//! `QuotaKey`: the name of one bucket, and the claim made on it.

use std::cmp::Ordering;
use std::fmt;
use std::fmt::Write as _;
use std::hash::{BuildHasher as _, Hash, Hasher, RandomState};
use std::ops::Range;
use std::sync::OnceLock;

use sha2::{Digest as _, Sha256};

use super::Quota;

/// The longest part that stands in a key as it is, in bytes.
const LONGEST_PART: usize = 128;

/// What a quota is counted over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// The host's user.
    Subject,
    /// The phone number or mail address that is sent to.
    Destination,
    /// The client's network address, see [`ClientAddress`](super::ClientAddress).
    Address,
    /// The wider network of an IPv6 client, its /48; see
    /// [`ClientAddress::wide`](super::ClientAddress::wide).
    Network,
    /// The client's device.
    Device,
    /// The country that is sent to.
    Country,
    /// A range of numbers that is sent to, see
    /// [`NumberRange`](crate::destination::NumberRange).
    Prefix,
    /// All of one tenant.
    Tenant,
    /// Everything.
    Global,
}

impl Scope {
    /// The scope's name in keys, headers and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Destination => "destination",
            Self::Address => "address",
            Self::Network => "network",
            Self::Device => "device",
            Self::Country => "country",
            Self::Prefix => "prefix",
            Self::Tenant => "tenant",
            Self::Global => "global",
        }
    }

    /// Reads a name back.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        let all = [
            Self::Subject,
            Self::Destination,
            Self::Address,
            Self::Network,
            Self::Device,
            Self::Country,
            Self::Prefix,
            Self::Tenant,
            Self::Global,
        ];
        all.into_iter().find(|known| known.name() == name)
    }
}

/// Names one bucket: what is done, over what it is counted, whose it is.
///
/// The text is made of parts with their lengths before them, so that no two different keys are
/// the same text, whatever their parts hold. A part that is longer than 128 bytes, or that holds a
/// control character or a brace (which engines may read as their own), is replaced by its SHA-256
/// in hexadecimal, marked as such. A key is therefore at most some 440 bytes of inert text.
///
/// A key stands for one quota. Two quotas over the same thing are two actions (`issue-hour` and
/// `issue-day`).
///
/// `Debug` does not show the value, which may be a phone number, but a hash of it that is the same
/// only within this process.
///
/// # Examples
///
/// ```
/// use otp_core::quota::{QuotaKey, Scope};
///
/// let key = QuotaKey::new("issue", Scope::Subject, "acme", "alice");
/// assert_eq!(key.as_str(), "5:issue7:subject4:acme5:alice");
/// assert_ne!(
///     QuotaKey::new("issue", Scope::Subject, "a:b", "c"),
///     QuotaKey::new("issue", Scope::Subject, "a", "b:c"),
/// );
/// ```
#[derive(Clone)]
pub struct QuotaKey {
    text: Box<str>,
    scope: Scope,
    action: Range<usize>,
}

impl Scope {
    /// Says whose the scope is: the one who asks, or the one who is asked about.
    #[must_use]
    pub const fn party(self) -> Party {
        match self {
            Self::Subject | Self::Destination | Self::Country | Self::Prefix => Party::Target,
            Self::Address | Self::Network | Self::Device | Self::Tenant | Self::Global => {
                Party::Requester
            }
        }
    }
}

/// Whose a [`Scope`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    /// Whoever asks, or all that ask.
    Requester,
    /// Whom they ask about: a stranger must not be able to spend what is theirs for nothing.
    Target,
}

impl QuotaKey {
    /// Names the bucket of `value` (of this scope, in this tenant) for an action such as `issue`.
    ///
    /// An empty tenant stands for a host without tenants, an empty value for a scope without
    /// values, such as [`Scope::Global`].
    #[must_use]
    pub fn new(action: &str, scope: Scope, tenant: &str, value: &str) -> Self {
        let parts = [action, scope.name(), tenant, value];
        let room: usize = parts.iter().map(|part| room(part)).sum();
        let mut text = String::with_capacity(room);
        let (mut start, mut end) = (0, 0);
        for (index, part) in parts.into_iter().enumerate() {
            let from = push_part(&mut text, part);
            if index == 0 {
                (start, end) = (from, text.len());
            }
        }
        Self {
            text: text.into_boxed_str(),
            scope,
            action: start..end,
        }
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The action that is counted.
    ///
    /// Of an action that had to be replaced by its digest, that is what is left.
    #[must_use]
    pub fn action(&self) -> &str {
        self.text.get(self.action.clone()).unwrap_or_default()
    }

    /// What is counted over.
    #[must_use]
    pub fn scope(&self) -> Scope {
        self.scope
    }
}

// The text says all that the other fields say.
impl PartialEq for QuotaKey {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for QuotaKey {}

impl PartialOrd for QuotaKey {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for QuotaKey {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl Hash for QuotaKey {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl fmt::Debug for QuotaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A plain hash of a phone number is the phone number to whoever tries them all.
        static SEED: OnceLock<RandomState> = OnceLock::new();
        let hash = SEED.get_or_init(RandomState::new).hash_one(&self.text) >> 32;
        f.debug_struct("QuotaKey")
            .field("action", &self.action())
            .field("scope", &self.scope)
            .field("hash", &format_args!("{hash:08x}"))
            .finish()
    }
}

/// Asks for one hit on one bucket under one quota.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct QuotaClaim {
    /// The bucket.
    pub key: QuotaKey,
    /// What the bucket allows.
    pub quota: Quota,
}

impl QuotaClaim {
    /// Makes a claim on a bucket.
    #[must_use]
    pub fn new(key: QuotaKey, quota: Quota) -> Self {
        Self { key, quota }
    }
}

/// Writes a part behind its length, and tells where it starts.
fn push_part(text: &mut String, part: &str) -> usize {
    if is_inert(part) {
        push_length(text, part.len());
        text.push(':');
        let start = text.len();
        text.push_str(part);
        return start;
    }
    text.push_str("#64:");
    let start = text.len();
    for byte in Sha256::digest(part.as_bytes()) {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    start
}

/// The bytes that a part and its length take, exactly for what is inert.
fn room(part: &str) -> usize {
    let digits = match part.len() {
        0..=9 => 1,
        10..=99 => 2,
        _ => 3,
    };
    digits + 1 + part.len().min(LONGEST_PART)
}

fn is_inert(part: &str) -> bool {
    let odd = |byte: u8| byte < 0x20 || matches!(byte, b'{' | b'}' | 0x7f);
    part.len() <= LONGEST_PART && !part.bytes().any(odd)
}

/// Writes a length of at most three digits, without the formatting machinery: keys are made often.
fn push_length(text: &mut String, length: usize) {
    for unit in [100, 10, 1] {
        if length >= unit || unit == 1 {
            let digit = u8::try_from(length / unit % 10).unwrap_or(0);
            text.push(char::from(b'0' + digit));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{QuotaKey, Scope};
    use proptest::prelude::*;

    fn key(action: &str, tenant: &str, value: &str) -> QuotaKey {
        QuotaKey::new(action, Scope::Destination, tenant, value)
    }

    #[test]
    fn separators_in_ids_cannot_move_one_part_into_the_next() {
        assert_ne!(key("issue", "a:b", "c"), key("issue", "a", "b:c"));
        assert_ne!(key("issue", "a", "1:b"), key("issue", "a1:b", ""));
        assert_ne!(key("issue", "", "a"), key("issue", "a", ""));
        assert_ne!(
            QuotaKey::new("issue", Scope::Subject, "", "x"),
            QuotaKey::new("issue", Scope::Device, "", "x"),
        );
    }

    #[test]
    fn hostile_ids_become_inert_and_stay_distinct() {
        let hostile = ["'; --\n", "\0", "{}", "{a}", "}{", "\u{7f}"];
        for (index, value) in hostile.iter().enumerate() {
            let text = key("issue", "", value).as_str().to_owned();
            assert!(
                !text.contains(|c: char| c.is_ascii_control() || c == '{' || c == '}'),
                "{text}"
            );
            for other in &hostile[..index] {
                assert_ne!(text, key("issue", "", other).as_str());
            }
        }
    }

    #[test]
    fn a_long_value_is_replaced_by_its_digest_and_cannot_be_imitated() {
        let long = "a".repeat(1 << 20);
        let made = key("issue", "", &long);
        assert!(made.as_str().len() < 120, "{}", made.as_str());
        assert_ne!(made, key("issue", "", &"a".repeat((1 << 20) - 1)));
        let digest = made.as_str().rsplit(':').next().unwrap();
        assert_eq!(digest.len(), 64);
        assert_ne!(made, key("issue", "", digest));
        let longest = "x".repeat(128);
        assert!(
            key("i", "", &longest)
                .as_str()
                .ends_with(&format!("128:{longest}"))
        );
    }

    #[test]
    fn debug_shows_what_is_counted_and_never_whose() {
        let made = key("issue", "acme", "+14155550123");
        let shown = format!("{made:?}");
        assert!(
            shown.contains("issue") && shown.contains("Destination"),
            "{shown}"
        );
        assert!(
            !shown.contains("4155550123") && !shown.contains("acme"),
            "{shown}"
        );
        assert_eq!((made.action(), made.scope()), ("issue", Scope::Destination));
        assert_eq!(shown, format!("{:?}", made.clone()));
        assert_ne!(shown, format!("{:?}", key("issue", "acme", "+14155550124")));
    }

    proptest! {
        #[test]
        fn different_parts_are_different_keys(
            a in ["[0-9:#a]{0,12}", "[0-9:#a]{0,12}", "[0-9:#a]{0,12}"],
            b in ["[0-9:#a]{0,12}", "[0-9:#a]{0,12}", "[0-9:#a]{0,12}"],
        ) {
            let first = key(&a[0], &a[1], &a[2]);
            let second = key(&b[0], &b[1], &b[2]);
            prop_assert_eq!(a == b, first == second);
            prop_assert_eq!(a == b, first.as_str() == second.as_str());
        }

        #[test]
        fn a_length_is_written_in_decimal(length in 0_usize..=128) {
            let value = "v".repeat(length);
            let made = key("i", "t", &value);
            let expected = format!("1:i11:destination1:t{length}:{value}");
            prop_assert_eq!(made.as_str(), expected);
        }
    }
}
