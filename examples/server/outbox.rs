//! Codes that are shown instead of sent, in builds that can.

#[cfg(any(debug_assertions, feature = "danger-preview"))]
use otp_kit::providers::Preview;
use otp_kit::verifier::Issued;

/// Whether this build can show codes at all.
pub(crate) const BUILT_IN: bool = cfg!(any(debug_assertions, feature = "danger-preview"));

/// What `preview_code` comes from. In a production build it is empty by construction.
#[derive(Clone, Default)]
pub(crate) struct Outbox {
    #[cfg(any(debug_assertions, feature = "danger-preview"))]
    preview: Option<Preview>,
}

impl Outbox {
    #[cfg(any(debug_assertions, feature = "danger-preview"))]
    pub(crate) fn showing(preview: Preview) -> Self {
        Self {
            preview: Some(preview),
        }
    }

    /// Says whether codes are shown.
    pub(crate) fn is_showing(&self) -> bool {
        #[cfg(any(debug_assertions, feature = "danger-preview"))]
        return self.preview.is_some();
        #[cfg(not(any(debug_assertions, feature = "danger-preview")))]
        false
    }

    /// Gives the link of a challenge's message, where links are shown and it has one.
    pub(crate) fn link_of(&self, issued: &Issued) -> Option<String> {
        #[cfg(any(debug_assertions, feature = "danger-preview"))]
        if let Some(preview) = &self.preview {
            let link = preview.link_for(&issued.challenge_id.fingerprint())?;
            return Some(link.open().to_owned());
        }
        let _ = issued;
        None
    }

    /// Gives the code of a challenge, where codes are shown.
    pub(crate) fn code_of(&self, issued: &Issued) -> Option<String> {
        #[cfg(any(debug_assertions, feature = "danger-preview"))]
        if let Some(preview) = &self.preview {
            let code = preview.code_for(&issued.challenge_id.fingerprint())?;
            return Some(code.expose().to_owned());
        }
        let _ = issued;
        None
    }
}
