//! Who asks, for whom and why: the values that come with every request.

mod context;
mod names;
mod operation;
mod proxy;
mod subject;

pub(crate) use context::Asker;
pub use context::{AttemptId, RequestContext, SessionBinding};
pub use names::{DeviceId, InvalidName, Purpose, RequestId, SubjectId, Tenant};
pub use operation::Operation;
pub use proxy::{InvalidNetwork, TrustedProxies};
pub use subject::{FactorClass, SubjectKey};
