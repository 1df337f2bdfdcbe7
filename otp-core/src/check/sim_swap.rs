use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use super::{Check, CheckError, CheckRequest, CheckVerdict};
use crate::destination::{Destination, PhoneNumber};

/// When a number's SIM last changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SimSwap {
    /// It did not, as far as the network tells.
    None,
    /// So long ago.
    Ago(Duration),
}

/// Asks a mobile network about a number's SIM: a carrier's API, a vendor's lookup.
#[async_trait]
pub trait SimSwapSource: Debug + Send + Sync + 'static {
    /// Says when the SIM of a number last changed.
    ///
    /// # Errors
    /// [`CheckError`] where nobody can say.
    async fn last_swap(&self, phone: &PhoneNumber) -> Result<SimSwap, CheckError>;
}

/// Sends no code to a number whose SIM changed lately: whoever has the new SIM may have talked the
/// carrier into it (NIST SP 800-63B section 3.1.3.3 asks to consider it). A captcha proves nothing
/// here, so it denies; the host offers another factor.
///
/// Mail is not asked about.
///
/// # Examples
/// ```
/// use otp_core::async_trait;
/// use otp_core::check::{CheckError, SimSwap, SimSwapCheck, SimSwapSource};
/// use otp_core::destination::PhoneNumber;
///
/// #[derive(Debug)]
/// struct Carrier;
///
/// #[async_trait]
/// impl SimSwapSource for Carrier {
///     async fn last_swap(&self, _: &PhoneNumber) -> Result<SimSwap, CheckError> {
///         Ok(SimSwap::None) // ask the carrier here
///     }
/// }
///
/// let check = SimSwapCheck::new(Carrier).within(std::time::Duration::from_secs(7 * 86_400));
/// ```
#[derive(Debug)]
pub struct SimSwapCheck<S> {
    source: S,
    within: Duration,
}

impl<S: SimSwapSource> SimSwapCheck<S> {
    /// Denies where the SIM changed within 72 hours.
    #[must_use]
    pub fn new(source: S) -> Self {
        Self {
            source,
            within: Duration::from_secs(72 * 3_600),
        }
    }

    /// Sets how long a new SIM is not trusted. Default: 72 hours.
    #[must_use]
    pub fn within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }
}

#[async_trait]
impl<S: SimSwapSource> Check for SimSwapCheck<S> {
    fn name(&self) -> &str {
        "sim_swap"
    }

    async fn judge(&self, request: &CheckRequest<'_>) -> Result<CheckVerdict, CheckError> {
        let Some(Destination::Phone(phone)) = request.destination else {
            return Ok(CheckVerdict::Allow);
        };
        Ok(match self.source.last_swap(phone).await? {
            SimSwap::Ago(ago) if ago < self.within => CheckVerdict::Deny("sim_swapped".into()),
            _ => CheckVerdict::Allow,
        })
    }
}
