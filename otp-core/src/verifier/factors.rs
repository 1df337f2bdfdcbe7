//! Second factors of an account: enrolled, confirmed, tried, changed and taken away.
//!
//! A try takes the way that every try takes: gates, one guess reserved on the account's budget of
//! that class, the comparison, and one step that takes the success. What changes a factor asks for
//! a fresh proof of the same strength.

mod authenticators;
mod change;
mod confirm;
mod drift;
mod enrol;
mod error;
mod export;
mod guess;
mod hotp;
mod manage;
mod proven;
mod recovery;
mod repeated;
mod secret;
mod step_up;
mod totp;
mod verified;

pub(crate) use drift::Diagnosis;
pub use drift::FactorDrift;
pub use enrol::{Enrolment, PendingFactor};
pub use error::FactorError;
pub(crate) use proven::{Freshness, freshness};
pub use proven::{NotTheSame, Proven};
pub use step_up::{Offer, StepUp, StepUpError};
pub use verified::{ProvenBy, VerifiedFactor};
