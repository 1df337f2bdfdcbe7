//! The sessions that were ended before their time, on every instance.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use otp_core::quota::{Quota, QuotaClaim, QuotaKey, Scope};
use otp_core::store::StoreError;

use super::Page;
use super::session::{Session, WHOLE};

/// A session may be ended once: what is left of that says whether it was.
fn claim(session: &Session) -> Option<QuotaClaim> {
    let id = URL_SAFE_NO_PAD.encode(session.id);
    // By its first word a store keeps it with what guards accounts: whoever clears all codes and
    // limits by hand gives no session back.
    let key = QuotaKey::new("verify_page_sign_out", Scope::Global, "", &id);
    let quota = Quota::window(1, WHOLE).ok()?;
    Some(QuotaClaim::new(key, quota))
}

impl Page {
    /// Ends a session everywhere.
    pub(super) async fn end(&self, session: &Session) -> Result<(), StoreError> {
        match claim(session) {
            Some(claim) => self.verifier.store().check_all(&[claim]).await.map(drop),
            None => Ok(()),
        }
    }

    /// Gives a session back where it was not ended. While the store is away nobody can tell, and
    /// sessions hold: that is when operators need the page, and it then changes nothing.
    pub(super) async fn unless_ended(&self, session: Session) -> Option<Session> {
        let Some(claim) = claim(&session) else {
            return Some(session);
        };
        match self.verifier.store().peek(&[claim]).await {
            Ok(readings) if readings.iter().any(|reading| reading.remaining() == 0) => None,
            Ok(_) | Err(_) => Some(session),
        }
    }
}
