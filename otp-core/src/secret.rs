//! Holds secrets so that they neither linger in memory nor reach a log.

use std::fmt;

use zeroize::Zeroizing;

/// Holds secret bytes: wiped on drop, redacted in `Debug`, read only through [`expose`](Self::expose).
///
/// It has no `Display`, no `Serialize` and no `==`; a comparison belongs to
/// [`Mac::matches`](crate::key::Mac::matches), which takes the same time for every input. A clone is a
/// second copy, wiped when it is dropped in its turn.
///
/// # Examples
/// ```
/// use otp_core::secret::SecretBytes;
///
/// let secret = SecretBytes::new(vec![1, 2, 3]);
/// assert_eq!(secret.expose(), [1, 2, 3]);
/// assert_eq!(format!("{secret:?}"), "SecretBytes(redacted)");
/// ```
#[derive(Clone)]
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes the bytes over without copying them.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Shows the bytes to the code that has to use them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Counts the bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Says whether there are no bytes at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<Vec<u8>> for SecretBytes {
    fn from(bytes: Vec<u8>) -> Self {
        Self::new(bytes)
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(redacted)")
    }
}

/// Holds secret text: wiped on drop, redacted in `Debug`, read only through [`expose`](Self::expose).
///
/// It has no `Display`, no `Serialize` and no `==`, so that it cannot slip into a message.
///
/// # Examples
/// ```
/// use otp_core::secret::SecretString;
///
/// let token = SecretString::from("provider-token");
/// assert_eq!(token.expose(), "provider-token");
/// assert_eq!(format!("{token:?}"), "SecretString(redacted)");
/// ```
#[derive(Clone)]
pub struct SecretString(Zeroizing<String>);

impl SecretString {
    /// Takes the text over without copying it.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Shows the text to the code that has to use it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Counts the bytes of the text.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Says whether the text is empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<String> for SecretString {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

/// Copies the text; the original stays with the caller and is not wiped.
impl From<&str> for SecretString {
    fn from(text: &str) -> Self {
        Self::new(text.to_owned())
    }
}

impl fmt::Debug for SecretString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretString(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_of_a_secret_shows_nothing_of_it_not_even_its_length() {
        let bytes = SecretBytes::new(b"canary-bytes".to_vec());
        let text = SecretString::from("canary-text");
        for shown in [
            format!("{bytes:?} {bytes:#?}"),
            format!("{text:?} {text:#?}"),
        ] {
            assert!(!shown.contains("canary"));
            assert!(!shown.contains("12") && !shown.contains("11"));
        }
    }

    #[test]
    fn what_goes_in_comes_out_through_expose_only() {
        assert_eq!(SecretString::from(String::from("abc")).expose(), "abc");
        assert_eq!(SecretBytes::from(vec![7; 3]).expose(), [7; 3]);
        assert_eq!(SecretString::from("abc").len(), 3);
        assert!(SecretBytes::new(Vec::new()).is_empty());
    }
}
