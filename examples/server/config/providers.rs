mod plivo;
mod sendgrid;
mod ses;
mod smtp;
mod telegram;
mod twilio;
mod vonage;
mod whatsapp;

use std::collections::BTreeMap;
use std::sync::Arc;

use otp_kit::challenge::{Code, CodeFormat};
use otp_kit::delivery::{
    DeliveryProvider, Providers as Named, Route, RoutePlan, VerificationProvider,
};
use otp_kit::destination::Channel;
use otp_kit::providers::TwilioVerify;
use otp_kit::providers::http::BaseUrl;

use self::twilio::Texts;
use super::channel_order::ChannelOrder;
use super::known::is_ours;
use super::{Environment, Refused, outside};
pub(super) use twilio::leaves_verify;
pub(crate) use whatsapp::approval;

/// What becomes of a code.
pub(crate) enum Delivery {
    /// It is shown, and never sent: `DEV_MODE=true`, whatever providers are configured.
    Shown {
        /// The code that everybody gets, from `DEV_PREVIEW_CODE`.
        fixed: Option<Code>,
        /// Which channel follows which, where that is said.
        order: Option<Vec<Channel>>,
    },
    /// It is sent and never shown.
    Sent(Box<Providers>),
}

type Shared = Arc<dyn DeliveryProvider>;

/// The providers that are configured; one at least.
pub(crate) struct Providers {
    /// Twilio Verify, which makes codes of its own; what follows are its backups.
    verify: Option<TwilioVerify>,
    /// The first of a channel is its primary, the others are its backups.
    sms: Vec<Shared>,
    email: Vec<Shared>,
    whatsapp: Option<Shared>,
    telegram: Option<Shared>,
    /// Routes that `OTP_CONFIG` plans, in place of those that the order above makes.
    planned: BTreeMap<Channel, Route>,
    /// Which channel follows which, where that is said.
    order: Option<Vec<Channel>>,
}

/// Where nothing else is said: what surely was not sent to a phone goes to the mailbox of whoever has
/// one.
const ORDER: [Channel; 2] = [Channel::Sms, Channel::Email];

impl Providers {
    fn read(env: &Environment) -> Result<Self, Refused> {
        let some = |found: [Option<Shared>; 3]| found.into_iter().flatten().collect();
        let (verify, twilio) = match twilio::read(env)? {
            Some(Texts::Verify(verify)) => (Some(verify), None),
            Some(Texts::Messages(twilio)) => (None, Some(twilio)),
            None => (None, None),
        };
        Ok(Self {
            verify,
            sms: some([twilio, plivo::read(env)?, vonage::read(env)?]),
            email: some([sendgrid::read(env)?, ses::read(env)?, smtp::read(env)?]),
            whatsapp: whatsapp::read(env)?,
            telegram: telegram::read(env)?,
            planned: BTreeMap::new(),
            order: None,
        })
    }

    /// Says which channel follows which.
    pub(crate) fn order(&self) -> Vec<Channel> {
        let usual = || ORDER.into_iter().filter(|channel| self.carry(*channel));
        self.order.clone().unwrap_or_else(|| usual().collect())
    }

    /// Says whether a channel has a route.
    fn carry(&self, channel: Channel) -> bool {
        let configured = match channel {
            Channel::Sms => self.verify.is_some() || !self.sms.is_empty(),
            Channel::Email => !self.email.is_empty(),
            Channel::WhatsApp => self.whatsapp.is_some(),
            Channel::Telegram => self.telegram.is_some(),
            _ => false,
        };
        configured || self.planned.contains_key(&channel)
    }

    /// Lists a route for each channel that has a provider.
    pub(crate) fn routes(self) -> Vec<(Channel, Route)> {
        let sms = match self.verify {
            Some(verify) => Some(backed(Route::managed(verify), self.sms)),
            None => route(self.sms),
        };
        let routes = [
            (Channel::Sms, sms),
            (Channel::Email, route(self.email)),
            (Channel::WhatsApp, self.whatsapp.map(Route::shared)),
            (Channel::Telegram, self.telegram.map(Route::shared)),
        ];
        let mut planned = self.planned;
        let configured = |(channel, route): (Channel, Option<Route>)| {
            Some((channel, planned.remove(&channel).or(route)?))
        };
        routes.into_iter().filter_map(configured).collect()
    }

    /// Names everybody whom the policy of the fleet may put in a route's place.
    pub(crate) fn named(&self) -> Named {
        let alone = [&self.whatsapp, &self.telegram].into_iter().flatten();
        let all = self.sms.iter().chain(&self.email).chain(alone);
        all.fold(Named::new(), |named, one| {
            named.with_shared(Arc::clone(one))
        })
    }

    /// Lists who mails, the first of them first.
    fn mail(&self) -> Vec<Shared> {
        self.email.clone()
    }

    /// Plans the routes that a policy names providers for.
    fn plan(&mut self, plans: &BTreeMap<Channel, RoutePlan>) -> Result<(), Refused> {
        let named = self.named();
        for (channel, plan) in plans {
            let refused = |error: &dyn std::error::Error| {
                let problem = format!("delivery.{}: {error}", channel.name());
                Refused::new("OTP_CONFIG", &problem)
            };
            let route = plan.route(&named).map_err(|error| refused(&error))?;
            route.check(*channel).map_err(|error| refused(&error))?;
            self.planned.insert(*channel, route);
        }
        Ok(())
    }

    fn have(&self, name: &str) -> bool {
        let verifies = self.verify.as_ref().is_some_and(|one| one.name() == name);
        verifies || self.named().find(name).is_some()
    }

    fn is_empty(&self) -> bool {
        self.verify.is_none()
            && self.sms.is_empty()
            && self.email.is_empty()
            && self.whatsapp.is_none()
            && self.telegram.is_none()
    }
}

fn route(providers: Vec<Shared>) -> Option<Route> {
    let mut providers = providers.into_iter();
    let primary = Route::shared(providers.next()?);
    Some(backed(primary, providers))
}

fn backed(primary: Route, backups: impl IntoIterator<Item = Shared>) -> Route {
    backups.into_iter().fold(primary, Route::shared_backup)
}

fn shared(provider: impl DeliveryProvider) -> Option<Shared> {
    Some(Arc::new(provider))
}

impl Delivery {
    /// Follows the routes that a policy plans. Where codes are shown nothing is planned.
    pub(super) fn along(mut self, plans: &BTreeMap<Channel, RoutePlan>) -> Result<Self, Refused> {
        if let Self::Sent(providers) = &mut self {
            providers.plan(plans)?;
        }
        Ok(self)
    }

    /// Follows an order of channels that somebody has set; without one it is the usual one.
    pub(super) fn in_order(mut self, order: Option<ChannelOrder>) -> Result<Self, Refused> {
        let Some(set) = order else { return Ok(self) };
        match &mut self {
            // Every channel shows its codes.
            Self::Shown { order, .. } => *order = Some(set.channels),
            Self::Sent(providers) => {
                if let Some(none) = set.channels.iter().find(|one| !providers.carry(**one)) {
                    return Err(set.refused(*none));
                }
                providers.order = Some(set.channels);
            }
        }
        Ok(self)
    }

    /// Says whether messages go through a provider of this name.
    pub(super) fn sends_through(&self, name: &str) -> bool {
        match self {
            Self::Shown { .. } => false,
            Self::Sent(providers) => providers.have(name),
        }
    }

    /// Lists who mails what is no code; nobody where nothing is sent.
    pub(crate) fn mail(&self) -> Vec<Shared> {
        match self {
            Self::Shown { .. } => Vec::new(),
            Self::Sent(providers) => providers.mail(),
        }
    }

    /// Reads what is configured. Half a provider is refused in development too: it would fail on
    /// the day it is needed.
    pub(super) fn read(env: &Environment, development: bool) -> Result<Self, Refused> {
        let fixed = fixed_code(env, development)?;
        let providers = Providers::read(env)?;
        if development {
            return Ok(Self::Shown { fixed, order: None });
        }
        if providers.is_empty() {
            return Err(Refused::new(
                "TWILIO_ACCOUNT_SID",
                "is missing, and so is every other provider: without one nobody gets a code",
            ));
        }
        Ok(Self::Sent(Box::new(providers)))
    }
}

fn fixed_code(env: &Environment, development: bool) -> Result<Option<Code>, Refused> {
    const KEY: &str = "DEV_PREVIEW_CODE";
    match env.get(KEY) {
        None => Ok(None),
        Some(_) if !development => Err(Refused::new(KEY, "is for development only")),
        Some(code) => Code::normalise(CodeFormat::SIX_DIGITS, code)
            .map(Some)
            .map_err(|_| Refused::must_be(KEY, "six digits")),
    }
}

/// Reads a provider's settings: all of them, or none where none is set.
pub(super) fn all<'e, const N: usize>(
    env: &'e Environment,
    keys: [&'static str; N],
) -> Result<Option<[&'e str; N]>, Refused> {
    let Some(set) = keys.into_iter().find(|key| env.get(key).is_some()) else {
        return Ok(None);
    };
    if let Some(missing) = keys.into_iter().find(|key| env.get(key).is_none()) {
        return Err(Refused::new(missing, &format!("is missing beside {set}")));
    }
    Ok(Some(keys.map(|key| env.get(key).unwrap_or_default())))
}

/// Refuses the parts of a provider whose main key is not set.
pub(super) fn alone<T>(
    env: &Environment,
    parts: &[&str],
    main: &str,
) -> Result<Option<T>, Refused> {
    match parts.iter().find(|part| env.get(part).is_some()) {
        Some(part) => Err(Refused::new(main, &format!("is missing beside {part}"))),
        None => Ok(None),
    }
}

/// Refuses a provider's address that is none, before its provider is set up too.
pub(super) fn check_bases(env: &Environment) -> Result<(), Refused> {
    let bases = env.names().filter(|name| name.ends_with("_BASE_URL"));
    for name in bases.filter(|name| is_ours(name) && *name != outside::OURS) {
        base_url(env, name)?;
    }
    Ok(())
}

pub(in crate::config) fn base_url(
    env: &Environment,
    key: &str,
) -> Result<Option<BaseUrl>, Refused> {
    env.get(key)
        .map(BaseUrl::parse)
        .transpose()
        .map_err(|error| Refused::because(key, &error))
}
