//! How a message leaves: the provider's contract, the message, its catalogue and its route.
//!
//! A host writes a provider by implementing [`DeliveryProvider`] in one file and proves it with
//! one line, [`provider_conformance!`](crate::provider_conformance). Routing, deadlines and
//! failover are around it, not in it.

mod catalogue;
mod error;
mod message;
mod provider;
mod receipt;
mod route;

pub use catalogue::{
    Brand, Catalogue, EnglishCatalogue, InvalidBrand, InvalidLocale, Locale, Rendered, Template,
};
pub use error::{DeliveryError, DeliveryErrorKind, DispatchCertainty, ErrorClass};
pub use message::{Message, MessageBuilder, MessageId};
pub use provider::DeliveryProvider;
pub use receipt::Receipt;
pub use route::{Route, RouteFailure};
