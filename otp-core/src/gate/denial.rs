use std::borrow::Cow;
use std::time::Duration;

use crate::check::CaptchaFailure;
use crate::quota::QuotaReading;
use crate::store::refusal;

/// Why a gate lets a request not pass.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Denial {
    /// Somebody or something in it is on the blocklist.
    Blocked,
    /// A quota has no room; the readings say which and when it has.
    Limited(Vec<QuotaReading>),
    /// The subject's guess budget takes none for a time.
    Locked(Duration),
    /// The authenticator is disabled until it is bound anew.
    Disabled,
    /// The destination is of a kind that policy does not send to.
    Destination(&'static str),
    /// Whoever asks should prove to be a person first, for the reason that this word names. A
    /// request for a message goes on where a captcha is solved; every other is refused.
    StepUp(Cow<'static, str>),
    /// A captcha is needed, and none was shown.
    CaptchaRequired,
    /// The captcha that was shown is worth nothing.
    CaptchaFailed(CaptchaFailure),
    /// A gate of the host's says no, in a stable word for events.
    Other(Cow<'static, str>),
}

impl Denial {
    /// Names the reason for events.
    #[must_use]
    pub fn reason(&self) -> Cow<'static, str> {
        match self {
            Self::Blocked => "blocked".into(),
            Self::Limited(readings) => readings
                .iter()
                .find(|reading| reading.retry_after().is_some())
                .map_or("quota", |reading| refusal(reading.scope()))
                .into(),
            Self::Locked(_) => "locked".into(),
            Self::Disabled => "disabled".into(),
            Self::Destination(reason) => (*reason).into(),
            Self::StepUp(reason) => reason.clone(),
            Self::CaptchaRequired => "captcha_required".into(),
            Self::CaptchaFailed(failure) => failure.name().into(),
            Self::Other(reason) => reason.clone(),
        }
    }
}
