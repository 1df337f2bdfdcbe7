use otp_core::delivery::Reference;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::twilio::is_sid;

/// A verification that Twilio took on, or whose code it sent again.
pub(super) struct Begun {
    pub(super) reference: Reference,
    sends: usize,
}

#[derive(Deserialize)]
struct Verification {
    sid: String,
    to: String,
    service_sid: String,
    status: String,
    #[serde(default)]
    send_code_attempts: Vec<IgnoredAny>,
}

impl Begun {
    /// Reads the reply to a start; `None` where it is not as documented, or about another address
    /// or service.
    pub(super) fn read(body: &[u8], to: &str, service: &str) -> Option<Self> {
        let verification: Verification = serde_json::from_slice(body).ok()?;
        let is_about = verification.to == to
            && verification.service_sid == service
            && verification.status == "pending"
            && is_sid(&verification.sid, "VE");
        let reference = Reference::new(&verification.sid).ok()?;
        is_about.then_some(Self {
            reference,
            sends: verification.send_code_attempts.len(),
        })
    }

    /// Says whether nothing was sent for it before.
    pub(super) fn is_new(&self) -> bool {
        self.sends <= 1
    }
}
