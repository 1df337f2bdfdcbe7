//! How often a thing may happen: quotas, the keys they are counted under, and a process-local limiter.
//!
//! A [`Quota`] is a [`Quota::window`] (a sliding log, exact in any window) or a [`Quota::rate`]
//! (GCRA: a burst, then a steady rate). A [`QuotaClaim`] asks one of them for one hit under one
//! [`QuotaKey`]; the answer is a [`QuotaReading`] or [`Refused`], from which HTTP's `RateLimit` and
//! `Retry-After` headers can be made.
//!
//! The decisions themselves are pure functions over integers, [`gcra::decide`] and
//! [`window::decide`]. [`LocalQuotas`] runs them in this process; a shared engine runs the same
//! arithmetic as a script or a statement.
//!
//! Nothing in this module reads a clock: times are milliseconds since the Unix epoch, handed in by
//! the caller. Times before 1970 count as 1970, times after [`LATEST_MS`] as that.
//!
//! # Examples
//!
//! ```
//! use std::time::Duration;
//! use otp_core::quota::{ClientAddress, LocalQuotas, Quota, QuotaClaim, QuotaKey, Scope};
//!
//! let minute = Duration::from_secs(60);
//! let address: ClientAddress = "2001:db8::7".parse()?;
//! let claims = [
//!     QuotaClaim::new(
//!         QuotaKey::new("issue", Scope::Subject, "acme", "alice"),
//!         Quota::window(2, minute)?,
//!     ),
//!     QuotaClaim::new(
//!         QuotaKey::new("issue", Scope::Address, "acme", &address.bucket()),
//!         Quota::rate(10, minute)?,
//!     ),
//! ];
//!
//! let quotas = LocalQuotas::new();
//! let now_ms = 1_700_000_000_000;
//! assert_eq!(quotas.check_all(&claims, now_ms)?[0].remaining(), 1);
//! assert_eq!(quotas.check_all(&claims, now_ms)?[1].remaining(), 8);
//!
//! let refused = quotas.check_all(&claims, now_ms).unwrap_err();
//! assert_eq!(refused.readings()[0].retry_after(), Some(minute));
//! assert_eq!(refused.readings()[1].remaining(), 8, "the address was not charged");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod address;
mod budget;
pub mod gcra;
mod key;
mod limit;
mod local;
mod moment;
mod reading;
mod share;
pub mod window;

pub use address::{ClientAddress, InvalidAddress, KnownAddress};
pub use budget::{Backoff, Budget, BudgetRefusal, BudgetRules, BudgetWindow, Disabled};
pub use key::{Party, QuotaClaim, QuotaKey, Scope};
pub use limit::{InvalidQuota, Quota, QuotaKind, Shape};
pub use local::LocalQuotas;
pub use moment::LATEST_MS;
pub use reading::{Level, QuotaReading, Refused};
