//! The operator's page: what the runbooks look at and do by hand, in a browser.

mod access;
mod confirm;
mod cookie;
mod deed;
mod door;
mod ended;
mod form;
mod gather;
mod gauge;
mod once;
mod origin;
mod reference;
mod render;
mod session;
mod trouble;
mod view;
mod webhooks;
mod when;

use std::fmt;
use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use otp_core::clock::{Clock, SystemClock};
use otp_core::event::OperatorName;
use otp_core::quota::LocalQuotas;
use otp_core::random::{OsRandom, SecureRandom};
use otp_core::verifier::Verifier;

pub use webhooks::WebhookCounts;

pub(crate) use gather::Snapshot;
pub(crate) use gauge::Gauge;
pub(crate) use trouble::Trouble;
pub(crate) use view::findings::Finding;
pub(crate) use view::judged::Judged;

use self::gather::Gathered;
use self::once::Done;
use self::render::Templates;
use crate::openapi::{Api, Operation};

/// The most bytes of a form.
const LARGEST: usize = 16 * 1024;

/// The operator's page at [`PATH`](Self::PATH): how the service is doing, who is kept out and why,
/// and every step of the runbooks that people take by hand, each with a dry run first.
///
/// - *No policy.* What it shows and does are the calls of
///   [`Operator`](otp_core::operator::Operator), on record with the name of whoever is signed in and
///   the reason that they give.
/// - *No parts from elsewhere.* The pages are rendered here, with style and script inside them under
///   a nonce and a strict content security policy. Without JavaScript everything works, and nothing
///   moves by itself.
/// - *Signing in.* An operator's token in a form begins a session in a sealed cookie: for this path
///   only, `HttpOnly`, `SameSite=Strict`, and `Secure` unless the browser says that it came over
///   plain HTTP. It ends 30 minutes after the last click and 8 hours after it began (less than
///   NIST SP 800-63B-3 section 4.2.3 asks for at AAL2), when its operator signs out, and as soon as
///   the token is no longer known. Programs send the token in `Authorization: Bearer` or
///   `x-admin-token` instead.
/// - *Forms.* Each carries the session's token and is taken from this origin only. What is confirmed
///   is what the dry run was about: it travels sealed.
/// - *No addresses in full.* Phone numbers and e-mail addresses are masked, and travel sealed.
///
/// # Examples
/// ```
/// # use otp_core::testing::{Outbox, store::ReferenceStore};
/// # use otp_core::prelude::*;
/// # let store = ReferenceStore::new(std::sync::Arc::new(otp_core::clock::SystemClock));
/// # let verifier = Verifier::builder(store, KeyRing::generate(&OsRandom)?)
/// #     .route(Channel::Sms, Route::primary(Outbox::new()))
/// #     .limits(Limits::recommended())
/// #     .build()?;
/// use otp_axum::OperatorPage;
/// use otp_core::event::OperatorName;
///
/// # fn known(token: &str) -> Option<OperatorName> { OperatorName::new(token).ok() }
/// // `known` compares in constant time: it says whose token this is.
/// let page = OperatorPage::new(verifier, known);
/// let app: axum::Router = otp_axum::Edge::new().around(page.routes());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use = "a page is nothing until its routes are mounted"]
pub struct OperatorPage {
    verifier: Verifier,
    whose: Arc<Whose>,
    webhooks: Option<Arc<Counts>>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn SecureRandom>,
}

type Whose = dyn Fn(&str) -> Option<OperatorName> + Send + Sync;
type Counts = dyn Fn() -> WebhookCounts + Send + Sync;

impl OperatorPage {
    /// Where the page is.
    pub const PATH: &'static str = "/admin/sms/otp";

    /// Makes the page of a verifier. `whose` says whose token a text is, and takes as long for one
    /// that is nobody's.
    pub fn new(
        verifier: Verifier,
        whose: impl Fn(&str) -> Option<OperatorName> + Send + Sync + 'static,
    ) -> Self {
        Self {
            verifier,
            whose: Arc::new(whose),
            webhooks: None,
            clock: Arc::new(SystemClock),
            random: Arc::new(OsRandom),
        }
    }

    /// Shows how many webhooks were believed, refused and seen again. Default: nothing is said of
    /// them, because the library does not receive them.
    pub fn webhooks(mut self, counts: impl Fn() -> WebhookCounts + Send + Sync + 'static) -> Self {
        self.webhooks = Some(Arc::new(counts));
        self
    }

    /// Replaces the clock that sessions end by. Default: the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Replaces the source of randomness. Default: the operating system's.
    pub fn random(mut self, random: impl SecureRandom) -> Self {
        self.random = Arc::new(random);
        self
    }

    /// Gives the routes, all under [`PATH`](Self::PATH); for a listener that operators reach.
    pub fn routes<S: Clone + Send + Sync + 'static>(self) -> Api<S> {
        let page = Arc::new(Page {
            verifier: self.verifier,
            whose: self.whose,
            webhooks: self.webhooks,
            clock: self.clock,
            random: self.random,
            templates: Templates::new(),
            gathered: Gathered::default(),
            done: Done::default(),
            tries: LocalQuotas::new(),
        });
        let at = |rest: &str| format!("{}{rest}", Self::PATH);
        let overview = Operation::get("Shows operators how the service is doing, as a page")
            .gives_page(200)
            .gives_page(500)
            .guarded();
        Api::new()
            .operation(Self::PATH, overview, view::overview::show)
            .route(
                &at("/people"),
                get(view::people::show).post(view::people::look_up),
            )
            .route(
                &at("/blocks"),
                get(view::blocks::show).post(view::blocks::search),
            )
            .route(&at("/failed"), get(view::failed::show))
            .route(&at("/codes"), get(view::codes::show))
            .route(&at("/check"), post(confirm::check))
            .route(&at("/apply"), post(confirm::apply))
            .route(&at("/sign-out"), post(door::sign_out))
            .map(|routes| routes.route_layer(from_fn_with_state(Arc::clone(&page), access::guard)))
            .route(&at("/sign-in"), post(door::sign_in).get(door::show))
            .map(|routes| routes.layer(DefaultBodyLimit::max(LARGEST)))
            .with_state(page)
    }
}

impl fmt::Debug for OperatorPage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OperatorPage").finish_non_exhaustive()
    }
}

/// What the handlers share.
struct Page {
    verifier: Verifier,
    whose: Arc<Whose>,
    webhooks: Option<Arc<Counts>>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn SecureRandom>,
    templates: Templates,
    gathered: Gathered,
    done: Done,
    tries: LocalQuotas,
}

#[cfg(test)]
mod tests;
