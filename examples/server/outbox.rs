//! Codes that are shown instead of sent, in builds that can.

#[cfg(any(debug_assertions, feature = "danger-preview"))]
mod made_up;

use otp_kit::challenge::CodeFormat;
#[cfg(any(debug_assertions, feature = "danger-preview"))]
use otp_kit::challenge::{Code, LinkToken};
use otp_kit::delivery::LinkSettings;
#[cfg(any(debug_assertions, feature = "danger-preview"))]
use otp_kit::providers::Preview;
use otp_kit::verifier::Issued;

#[cfg(any(debug_assertions, feature = "danger-preview"))]
use made_up::Seed;

/// Whether this build can show codes at all.
pub(crate) const BUILT_IN: bool = cfg!(any(debug_assertions, feature = "danger-preview"));

/// What `preview_code` comes from. In a production build it is empty by construction.
#[derive(Clone, Default)]
pub(crate) struct Outbox {
    #[cfg(any(debug_assertions, feature = "danger-preview"))]
    preview: Option<Preview>,
    #[cfg(any(debug_assertions, feature = "danger-preview"))]
    fixed: Option<Code>,
    #[cfg(any(debug_assertions, feature = "danger-preview"))]
    seed: Seed,
}

impl Outbox {
    #[cfg(any(debug_assertions, feature = "danger-preview"))]
    pub(crate) fn showing(preview: Preview, fixed: Option<Code>) -> Self {
        Self {
            preview: Some(preview),
            fixed,
            seed: Seed::default(),
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

    /// Makes up a code for nobody's challenge, where codes are shown: the same one each time.
    pub(crate) fn made_up_code(&self, format: CodeFormat, issued: &Issued) -> Option<String> {
        #[cfg(any(debug_assertions, feature = "danger-preview"))]
        if self.is_showing() {
            let fixed = self.fixed.clone();
            let drawn = self.seed.of(issued);
            let code = fixed.or_else(|| Code::generate(format, &drawn).ok())?;
            return Some(code.expose().to_owned());
        }
        let _ = (format, issued);
        None
    }

    /// Makes up a link for nobody's challenge, where links are shown: the same one each time.
    pub(crate) fn made_up_link(&self, links: &LinkSettings, issued: &Issued) -> Option<String> {
        #[cfg(any(debug_assertions, feature = "danger-preview"))]
        if self.is_showing() {
            let token = LinkToken::generate(issued.challenge_id, &self.seed.of(issued)).ok()?;
            return Some(links.links(&token).open().to_owned());
        }
        let _ = (links, issued);
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
