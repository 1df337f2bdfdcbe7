//! The guard against toll fraud, and the alarm for guesses over many accounts.
//!
//! [`GuardModel`] counts what was sent and what was verified, by range of numbers, country, client
//! address and tenant, in bounded memory; it judges a message before it is paid for, and each
//! [`Verdict`] says why, with figures. [`FleetModel`] counts wrong codes over all accounts. Both
//! are pure: the time is handed in. What they go by is data, [`TollFraud`](crate::policy::TollFraud)
//! and [`FleetAlarm`](crate::policy::FleetAlarm).

mod counts;
mod fleet;
mod judge;
mod known;
mod model;
mod places;
mod sequence;
mod table;
mod verdict;

pub use counts::Figures;
pub use fleet::FleetModel;
pub use model::{FleetFigures, GuardModel};
pub use places::Sending;
pub use verdict::{Action, Exemption, Place, Reason, ReasonKind, Verdict};
