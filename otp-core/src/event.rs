//! What happened, in secret-free words.
//!
//! One [`Event`] is made for each decision. It travels inside the store intent that makes the
//! decision true, and is the audit record there; afterwards [`Observer`]s see it: metrics, the
//! log, a dashboard. Adding an observer is adding a file.

mod act;
pub mod chain;
mod kind;
mod measure;
mod record;
mod sink;
mod vendor;

pub use act::{Act, InvalidAct, OperatorName, Reason};
pub use kind::{EventKind, Outcome};
pub use measure::{Answer, Measure};
pub use record::{Event, EventId};
pub use sink::{Observer, TracingSink};
