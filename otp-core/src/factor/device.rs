use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use super::handle::handle;
use crate::clock::Timestamp;
use crate::key::KeyId;

handle! {
    /// Names a remembered device: 128 random bits, written as 22 characters of URL-safe base64.
    ///
    /// It is no secret: the subject's own pages show it, and it opens no lane without the token's seal.
    DeviceHandle, InvalidDeviceHandle: "not a device handle"
}

/// What a device is called in a list, such as the name of its browser: 1 to 64 characters, none of
/// them a control character.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct DeviceLabel(Arc<str>);

/// The text is not a label for a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a device's label must be 1 to 64 characters, none of them a control character")]
pub struct InvalidDeviceLabel;

impl DeviceLabel {
    /// The most characters of a label.
    pub const LONGEST: usize = 64;

    /// Wraps a label; space around it is dropped.
    ///
    /// # Errors
    /// [`InvalidDeviceLabel`] where it is empty, too long, or holds a control character.
    pub fn new(label: &str) -> Result<Self, InvalidDeviceLabel> {
        let label = label.trim();
        let fits = !label.is_empty() && label.chars().nth(Self::LONGEST).is_none();
        if fits && !label.chars().any(char::is_control) {
            Ok(Self(label.into()))
        } else {
            Err(InvalidDeviceLabel)
        }
    }

    /// Gives the label.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DeviceLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A device that is known again, as stores keep it. Its token is kept nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RememberedDevice {
    /// Its name among its owner's.
    pub handle: DeviceHandle,
    /// What it is called, where the host said so.
    pub label: Option<DeviceLabel>,
    /// The key that its token is sealed with.
    pub key_id: KeyId,
    /// When it was remembered.
    pub created_at: Timestamp,
    /// When it is forgotten by itself.
    pub expires_at: Timestamp,
}

impl RememberedDevice {
    /// The most devices of an owner's: of more, the one that was remembered longest ago is
    /// forgotten.
    pub const MOST: usize = 32;

    /// Says whether it is remembered still.
    #[must_use]
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires_at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SeededRandom;

    #[test]
    fn a_handle_is_read_as_it_was_written_and_nothing_else_is_one() {
        let handle = DeviceHandle::generate(&SeededRandom::new(1)).unwrap();
        let text = handle.to_string();
        assert_eq!(text.parse(), Ok(handle));
        for bad in ["", "x", &text[1..], &format!("{text}A"), &"!".repeat(22)] {
            assert_eq!(bad.parse::<DeviceHandle>(), Err(InvalidDeviceHandle));
        }
    }

    #[test]
    fn a_label_is_short_and_of_one_line() {
        assert_eq!(DeviceLabel::new(" Firefox ").unwrap().as_str(), "Firefox");
        for bad in ["", "  ", "a\nb", &"x".repeat(65)] {
            assert_eq!(DeviceLabel::new(bad), Err(InvalidDeviceLabel));
        }
        assert!(DeviceLabel::new(&"\u{1f512}".repeat(64)).is_ok());
    }
}
