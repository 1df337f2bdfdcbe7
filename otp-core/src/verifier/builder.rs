use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use super::managed::Pace;
use super::outbound::Outbound;
use super::policies::Shelf;
use super::receipts::ReceiptTally;
use super::routes::RouteTable;
use super::{BuildError, Inner, Verifier, checked_by};
use crate::audit::Sealer;
use crate::challenge::CodeFormat;
use crate::check::{CaptchaVerifier, Check};
use crate::clock::{Clock, SystemClock};
use crate::delivery::{
    Brand, Catalogue, LinkSettings, Providers, Route, ShippedCatalogue, TemplateApproval,
    check_texts,
};
use crate::destination::Channel;
use crate::event::{Observer, TracingSink};
use crate::gate::{BlocklistGate, Gate, GeographyGate, LineTypeGate, LockoutGate, QuotaGate};
use crate::hash::CodeHasher;
use crate::key::KeyRing;
use crate::policy::{
    CaptchaPolicy, FactorRules, FleetAlarm, Limits, Policy, ResendCode, TollFraud,
};
use crate::random::{OsRandom, SecureRandom};
use crate::request::Purpose;
use crate::store::Store;

/// Marks what a builder still needs.
#[derive(Clone, Copy, Debug)]
pub struct Missing;

/// Marks what a builder has.
#[derive(Clone, Copy, Debug)]
pub struct Present;

/// Builds a [`Verifier`]. Store and keys come first, limits and at least one route must follow:
/// without them there is no `build`.
///
/// ```compile_fail
/// use otp_core::prelude::*;
/// fn no_limits(store: impl Store, keys: KeyRing, route: Route) {
///     let _ = Verifier::builder(store, keys).route(Channel::Sms, route).build();
/// }
/// ```
/// ```compile_fail
/// use otp_core::prelude::*;
/// fn no_route(store: impl Store, keys: KeyRing) {
///     let _ = Verifier::builder(store, keys).limits(Limits::recommended()).build();
/// }
/// ```
#[derive(Debug)]
#[must_use = "a builder does nothing until it is built"]
pub struct VerifierBuilder<L, R> {
    store: Arc<dyn Store>,
    keys: KeyRing,
    policy: Policy,
    routes: BTreeMap<&'static str, (Channel, Route)>,
    order: Vec<Channel>,
    providers: Providers,
    approvals: BTreeMap<&'static str, (Channel, TemplateApproval)>,
    background: Option<NonZeroU32>,
    hasher: Option<CodeHasher>,
    catalogue: Arc<dyn Catalogue>,
    brand: Brand,
    links: Option<LinkSettings>,
    sealer: Option<Sealer>,
    gates: Vec<Arc<dyn Gate>>,
    checks: Vec<Arc<dyn Check>>,
    captcha: Option<Arc<dyn CaptchaVerifier>>,
    observers: Vec<Arc<dyn Observer>>,
    clock: Arc<dyn Clock>,
    random: Arc<dyn SecureRandom>,
    #[cfg(any(debug_assertions, feature = "danger-preview"))]
    fixed_code: Option<crate::challenge::Code>,
    needs: PhantomData<(L, R)>,
}

impl VerifierBuilder<Missing, Missing> {
    pub(super) fn new(store: Arc<dyn Store>, keys: KeyRing) -> Self {
        Self {
            store,
            keys,
            policy: Policy::new(Limits::recommended()),
            routes: BTreeMap::new(),
            order: Vec::new(),
            providers: Providers::new(),
            approvals: BTreeMap::new(),
            background: None,
            hasher: None,
            catalogue: Arc::new(ShippedCatalogue::default()),
            brand: Brand::default(),
            links: None,
            sealer: None,
            gates: vec![
                Arc::new(LineTypeGate),
                Arc::new(GeographyGate),
                Arc::new(BlocklistGate),
                Arc::new(LockoutGate),
                Arc::new(QuotaGate),
            ],
            checks: Vec::new(),
            captcha: None,
            observers: vec![Arc::new(TracingSink)],
            clock: Arc::new(SystemClock),
            random: Arc::new(OsRandom),
            #[cfg(any(debug_assertions, feature = "danger-preview"))]
            fixed_code: None,
            needs: PhantomData,
        }
    }
}

impl<L, R> VerifierBuilder<L, R> {
    /// Sets how much of everything there may be.
    pub fn limits(mut self, limits: Limits) -> VerifierBuilder<Present, R> {
        self.policy = self.policy.with_limits(limits);
        self.having()
    }

    /// Sets the whole policy, limits included, in place of whatever was set of it before.
    pub fn policy(mut self, policy: Policy) -> VerifierBuilder<Present, R> {
        self.policy = policy;
        self.having()
    }

    /// Sends a channel's messages along a route; a second route for the channel replaces the
    /// first.
    pub fn route(mut self, channel: Channel, route: Route) -> VerifierBuilder<L, Present> {
        self.routes.insert(channel.name(), (channel, route));
        self.having()
    }

    /// Sets the order in which channels follow each other: what the route of one surely did not
    /// send goes over the next that reaches the person ([`Addressed::or_to`](super::Addressed::or_to)
    /// adds an address), with a code of its own under the same challenge. Guesses, budget and
    /// expiry stay, and every gate is asked again. An outcome that is not known, and a refusal
    /// that protects, end the order. Default: every message keeps its channel.
    pub fn channel_order(mut self, order: impl IntoIterator<Item = Channel>) -> Self {
        self.order = order.into_iter().collect();
        self
    }

    /// Names the providers that the policy of the fleet may put in a route's place (`delivery:`, with
    /// `primary_provider` and `backup_provider`), on every instance and while it runs. Default: none,
    /// and a policy that names one is refused.
    pub fn providers(mut self, providers: Providers) -> Self {
        self.providers = providers;
        self
    }

    /// Names the template that a channel's messages are sent by: the channel takes none while the
    /// template is not approved; see [`Templates`](super::Templates). Default: channels need no
    /// approval.
    pub fn template(mut self, channel: Channel, approval: TemplateApproval) -> Self {
        self.approvals.insert(channel.name(), (channel, approval));
        self
    }

    /// Sets how many messages of [`Dispatch::Background`](super::Dispatch::Background) may be
    /// under way at once; beyond that the answer is busy. Default: 1,000.
    pub fn background_limit(mut self, limit: NonZeroU32) -> Self {
        self.background = Some(limit);
        self
    }

    /// Registers a purpose with the shape of its codes, or changes one. Default:
    /// [`Purposes::recommended`](crate::policy::Purposes::recommended).
    pub fn purpose(mut self, purpose: Purpose, format: CodeFormat) -> Self {
        self.policy = self.policy.with_purpose(purpose, format);
        self
    }

    /// Sets how long a channel's codes live. Default: five minutes, ten for e-mail.
    pub fn lifetime(mut self, channel: Channel, lifetime: Duration) -> Self {
        self.policy = self.policy.with_lifetime(channel, lifetime);
        self
    }

    /// Sets what a resend carries. Default: a fresh code.
    pub fn resend_code(mut self, resend: ResendCode) -> Self {
        self.policy = self.policy.with_resend_code(resend);
        self
    }

    /// Sets how codes are stored. Default: [`CodeHasher::argon2id`].
    pub fn hasher(mut self, hasher: CodeHasher) -> Self {
        self.hasher = Some(hasher);
        self
    }

    /// Sets who speaks in messages. Default: nobody is named.
    pub fn brand(mut self, brand: Brand) -> Self {
        self.brand = brand;
        self
    }

    /// Sets where the links of messages lead to ([`Issue::with_link`](super::Issue::with_link)).
    /// Default: messages have codes only.
    pub fn links(mut self, links: LinkSettings) -> Self {
        self.links = Some(links);
        self
    }

    /// Replaces the words of messages; [`Layered`](crate::delivery::Layered) puts the host's own
    /// over the shipped ones. Default: [`ShippedCatalogue`], ten languages.
    pub fn catalogue(mut self, catalogue: impl Catalogue) -> Self {
        self.catalogue = Arc::new(catalogue);
        self
    }

    /// Adds a defence after the ones that are always there.
    pub fn gate(mut self, gate: impl Gate) -> Self {
        self.gates.push(Arc::new(gate));
        self
    }

    /// Adds a check: something outside that is asked about each start and resend, after the gates
    /// and before the message is paid for. Checks are asked in order; the first that denies ends
    /// the request. What the gates reserved stays spent.
    pub fn check(mut self, check: impl Check) -> Self {
        self.checks.push(Arc::new(check));
        self
    }

    /// Sets who checks captchas. One is asked for where a gate or a check wants a step-up, and by
    /// the policy ([`captcha_policy`](Self::captcha_policy)); without it every step-up is a
    /// refusal. A token works once, whatever its vendor says.
    pub fn captcha(self, captcha: impl CaptchaVerifier) -> Self {
        self.shared_captcha(Arc::new(captcha))
    }

    /// Sets who checks captchas, shared with somebody else.
    pub fn shared_captcha(mut self, captcha: Arc<dyn CaptchaVerifier>) -> Self {
        self.captcha = Some(captcha);
        self
    }

    /// Sets the rules of second factors. Default: [`FactorRules::recommended`].
    pub fn factors(mut self, rules: FactorRules) -> Self {
        self.policy = self.policy.with_factors(rules);
        self
    }

    /// Sets when a start needs a captcha. Default: [`CaptchaPolicy::on_advice`].
    pub fn captcha_policy(mut self, captcha: CaptchaPolicy) -> Self {
        self.policy = self.policy.with_captcha(captcha);
        self
    }

    /// Sets the rules of the toll-fraud guard. Default: off.
    pub fn toll_fraud(mut self, rules: TollFraud) -> Self {
        self.policy = self.policy.with_toll_fraud(rules);
        self
    }

    /// Sets when wrong codes over all accounts raise what a new challenge needs. Default: from
    /// 1,000 a minute, see [`FleetAlarm`].
    pub fn fleet_alarm(mut self, alarm: FleetAlarm) -> Self {
        self.policy = self.policy.with_fleet_alarm(alarm);
        self
    }

    /// Sets what seals the audit log of the store, so that exports have its chain; running it is
    /// the host's ([`Sealer::run`]). Default: exports have no chain.
    pub fn sealer(mut self, sealer: Sealer) -> Self {
        self.sealer = Some(sealer);
        self
    }

    /// Adds an observer after the log.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observers.push(Arc::new(observer));
        self
    }

    /// Replaces the clock that device tokens expire by and breakers rest by; challenges go by the
    /// store's. Default: the system's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Replaces the source of randomness. Default: the operating system's.
    pub fn random(mut self, random: impl SecureRandom) -> Self {
        self.random = Arc::new(random);
        self
    }

    /// Issues one fixed code to everybody, for a development or staging build. A release build
    /// has this method with the feature `danger-preview` only. The purpose's code must have the
    /// code's shape for it to verify.
    #[cfg(any(debug_assertions, feature = "danger-preview"))]
    pub fn danger_fixed_code(mut self, code: crate::challenge::Code) -> Self {
        tracing::warn!(target: "otp_kit", "every code is the same fixed one: never in production");
        self.fixed_code = Some(code);
        self
    }

    fn having<L2, R2>(self) -> VerifierBuilder<L2, R2> {
        VerifierBuilder {
            store: self.store,
            keys: self.keys,
            policy: self.policy,
            routes: self.routes,
            order: self.order,
            providers: self.providers,
            approvals: self.approvals,
            background: self.background,
            hasher: self.hasher,
            catalogue: self.catalogue,
            brand: self.brand,
            links: self.links,
            sealer: self.sealer,
            gates: self.gates,
            checks: self.checks,
            captcha: self.captcha,
            observers: self.observers,
            clock: self.clock,
            random: self.random,
            #[cfg(any(debug_assertions, feature = "danger-preview"))]
            fixed_code: self.fixed_code,
            needs: PhantomData,
        }
    }
}

impl VerifierBuilder<Present, Present> {
    /// Builds the verifier.
    ///
    /// # Errors
    /// [`BuildError`] where the policy cannot be or misses its declared level, with its own codes or
    /// with those that a vendor of a route makes, where a provider
    /// does not serve the channel of its route, where the channel order names what has none, or
    /// where text messages have a route and the catalogue would write one, in any of its locales
    /// for any purpose, that takes more than one segment or lacks the code.
    pub fn build(self) -> Result<Verifier, BuildError> {
        self.policy.validate()?;
        checked_by(&self.policy, self.captcha.as_ref())?;
        for (channel, route) in self.routes.values() {
            route
                .check(*channel)
                .map_err(|why| BuildError::route(*channel, why))?;
            for (provider, format) in route.managed_formats() {
                self.policy.lets_codes_of(provider, format)?;
            }
        }
        let mut before: Vec<Channel> = Vec::new();
        for channel in &self.order {
            if before.contains(channel) || !self.routes.contains_key(channel.name()) {
                return Err(BuildError::ChannelOrder(*channel));
            }
            before.push(*channel);
        }
        if self.routes.contains_key(Channel::Sms.name()) {
            let purposes = self.policy.purposes().iter();
            let life = self.policy.lifetime(Channel::Sms);
            check_texts(self.catalogue.as_ref(), &self.brand, purposes, life)?;
        }
        let hasher = self.hasher.unwrap_or_else(CodeHasher::argon2id);
        Ok(Verifier {
            inner: Arc::new(Inner {
                store: self.store,
                keys: self.keys,
                recovery: hasher.for_recovery(),
                hasher,
                routes: RouteTable::new(
                    self.routes.into_values(),
                    self.order,
                    self.approvals,
                    self.providers,
                ),
                outbound: Outbound::new(self.background),
                pace: Pace::default(),
                sending: Pace::default(),
                receipts: ReceiptTally::default(),
                catalogue: self.catalogue,
                brand: self.brand,
                links: self.links,
                sealer: self.sealer,
                gates: self.gates,
                guard: Arc::default(),
                checks: self.checks,
                captcha: self.captcha,
                observers: self.observers,
                policies: Shelf::new(self.policy),
                clock: self.clock,
                random: self.random,
                #[cfg(any(debug_assertions, feature = "danger-preview"))]
                fixed_code: self.fixed_code,
            }),
        })
    }
}
