//! Second factors that a person holds: one-time passwords of an authenticator (TOTP, HOTP) and
//! recovery codes.
//!
//! The values here are pure: they take the time and what was accepted last, and say which step or
//! counter a code is of. Whoever stores that number by compare-and-set has single use (RFC 6238
//! section 5.2).

mod device;
mod handle;
mod hotp;
mod keyed;
mod record;
mod recovery;
mod secret;
mod step;
mod totp;
mod uri;

#[cfg(feature = "qr")]
mod qr;

pub use device::{
    DeviceHandle, DeviceLabel, InvalidDeviceHandle, InvalidDeviceLabel, RememberedDevice,
};
pub use hotp::{Hotp, HotpRefusal, LookAhead};
pub use keyed::{OtpAlgorithm, OtpDigits};
#[cfg(feature = "qr")]
pub use qr::{QrCode, TooLongForQr};
pub use record::{
    Factor, FactorId, FactorKind, FactorName, FactorState, InvalidFactorId, InvalidFactorName,
};
pub use recovery::{InvalidRecoveryCode, RecoveryCode, RecoverySelector, RecoverySet};
pub use secret::{InvalidOtpSecret, OtpSecret};
pub use step::{Drift, TimeStep};
pub use totp::{InvalidTotp, Totp, TotpRefusal, TotpSkew};
pub use uri::{InvalidOtpUri, OtpAccount, OtpUri};
