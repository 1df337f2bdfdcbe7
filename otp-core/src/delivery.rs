//! How a message leaves: the provider's contract, the message, its catalogue and its route.
//!
//! A host writes a provider by implementing [`DeliveryProvider`] in one file and proves it with
//! one line, [`provider_conformance!`](crate::provider_conformance). Routing, deadlines and
//! failover are around it, not in it.

mod catalogue;
mod error;
mod health;
mod link;
mod message;
mod price;
mod provider;
mod receipt;
mod report;
mod route;
mod sender;
mod sms_format;
mod sms_length;
mod template;
mod vendor;
mod verification;

pub(crate) use catalogue::check as check_texts;
pub use catalogue::{
    AppHash, Brand, Catalogue, Direction, InvalidBrand, InvalidLocale, Layered, LinkSpeech,
    LinkWords, Locale, Rendered, ShippedCatalogue, Template, UnfitReason, UnfitText,
};
pub use error::{DeliveryError, DeliveryErrorKind, DispatchCertainty, ErrorClass};
pub use health::{AnswerTimes, ProviderHealth, ReceiptCounts};
pub use link::{InvalidAddress, LinkSettings, MessageLink, OtherBrowser, ReturnAddress};
pub use message::{Message, MessageBuilder, MessageId};
pub use price::{Price, Prices};
pub use provider::DeliveryProvider;
pub use receipt::Receipt;
pub use report::{DeliveryState, ReplayKey, Report};
pub(crate) use route::{Afterwards, Errand, Managers, unpanicked};
pub use route::{
    CountryRule, InvalidPlan, InvalidRoute, OnUnknown, Providers, Route, RouteFailure, RouteHealth,
    RoutePlan, Switch,
};
pub use sender::{InvalidSender, SenderId, TemplateId};
pub use sms_format::{OriginBoundCode, sms_retriever_hash};
pub use sms_length::{SmsEncoding, SmsLength};
pub use template::{DocumentLink, InvalidDocumentLink, TemplateApproval, TemplateState};
pub(crate) use template::{Told, ToldBoard};
pub use vendor::{VendorNotice, VendorState};
pub use verification::{
    Checked, InvalidReference, Reference, Started, VerificationCheck, VerificationProvider,
    VerificationStart,
};
