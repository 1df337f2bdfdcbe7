//! The verifier, built of what the configuration asks for.

use std::error::Error;
use std::sync::Arc;

use otp_kit::audit::Sealer;
use otp_kit::delivery::{LinkSettings, TemplateApproval};
use otp_kit::metrics::Metrics;
use otp_kit::policy::Policy;
use otp_kit::prelude::*;
use otp_kit::providers::SiteVerify;
use otp_kit::store::{ChainStore, SessionStore};
use otp_kit::verifier::{BuildError, Missing, Present, VerifierBuilder};

use crate::config::{Config, Delivery, Providers, Speaker};
use crate::outbox::Outbox;
use crate::stores::{self, Taker};

type Limited = VerifierBuilder<Present, Missing>;
type Routed = VerifierBuilder<Present, Present>;

/// The verifier, its outbox, and where sessions are kept.
type Built = (Verifier, Outbox, Arc<dyn SessionStore>);

/// Builds the verifier, and the outbox where codes are shown.
pub(crate) async fn build(config: Config, metrics: &Metrics) -> Result<Built, Box<dyn Error>> {
    let Config {
        stores,
        keys,
        hasher,
        delivery,
        captcha,
        policy,
        whatsapp_template,
        speaker,
        links,
        ..
    } = config;
    let parts = Parts {
        keys: keys.ring,
        hasher,
        delivery,
        captcha,
        policy,
        whatsapp_template,
        speaker,
        metrics: metrics.clone(),
        links,
    };
    let (taken, sessions) = stores::open(stores, metrics, parts).await?;
    let (verifier, outbox) = taken?;
    Ok((verifier, outbox, sessions))
}

/// What a verifier has beside its store.
struct Parts {
    keys: KeyRing,
    hasher: CodeHasher,
    delivery: Delivery,
    captcha: Option<SiteVerify>,
    policy: Policy,
    whatsapp_template: TemplateApproval,
    speaker: Speaker,
    metrics: Metrics,
    links: Option<LinkSettings>,
}

impl Taker for Parts {
    type Taken = Result<(Verifier, Outbox), Box<dyn Error>>;

    fn take(self, store: impl Store + ChainStore + Clone) -> Self::Taken {
        let sealer = Sealer::new(Arc::new(store.clone()), self.keys.clone())?;
        let mut builder = Verifier::builder(store, self.keys)
            .sealer(sealer)
            .policy(self.policy)
            .hasher(self.hasher)
            .brand(self.speaker.brand.clone())
            .observer(self.metrics);
        if let Some(links) = self.links {
            builder = builder.links(links);
        }
        if let Some(captcha) = self.captcha {
            builder = builder.captcha(captcha);
        }
        let (builder, outbox) = match self.delivery {
            Delivery::Shown { fixed, order } => {
                let (routed, outbox) = shown(builder, fixed)?;
                (routed.channel_order(order.unwrap_or_default()), outbox)
            }
            Delivery::Sent(providers) => (
                sent(builder, *providers, self.whatsapp_template)?,
                Outbox::default(),
            ),
        };
        match builder.build() {
            Ok(verifier) => Ok((verifier, outbox)),
            Err(BuildError::Text(why)) => Err(self.speaker.unfit(&why).into()),
            Err(error) => Err(error.into()),
        }
    }
}

fn sent(
    builder: Limited,
    providers: Providers,
    template: TemplateApproval,
) -> Result<Routed, Box<dyn Error>> {
    let builder = builder.providers(providers.named());
    let order = providers.order();
    let routes = providers.routes();
    // Where nothing goes over WhatsApp nobody waits for the approval of its template.
    let builder = match routes
        .iter()
        .any(|(channel, _)| *channel == Channel::WhatsApp)
    {
        true => builder.template(Channel::WhatsApp, template),
        false => builder,
    };
    let mut routes = routes.into_iter();
    let (channel, route) = routes.next().ok_or("no provider is configured")?;
    let first = builder.route(channel, route);
    let routed = routes.fold(first, |builder, (channel, route)| {
        builder.route(channel, route)
    });
    Ok(routed.channel_order(order))
}

/// Whom a policy may name.
#[cfg(any(debug_assertions, feature = "danger-preview"))]
const VENDORS: [&str; 9] = [
    "plivo",
    "sendgrid",
    "ses",
    "smtp",
    "telegram-gateway",
    "twilio",
    "vonage",
    "whatsapp",
    "preview",
];

#[cfg(any(debug_assertions, feature = "danger-preview"))]
fn shown(
    builder: Limited,
    fixed: Option<otp_kit::challenge::Code>,
) -> Result<(Routed, Outbox), Box<dyn Error>> {
    let preview = otp_kit::providers::Preview::new();
    let first = builder.route(Channel::Sms, Route::primary(preview.clone()));
    let others = Channel::ALL
        .into_iter()
        .filter(|channel| *channel != Channel::Sms);
    let mut routed = others.fold(first, |builder, channel| {
        builder.route(channel, Route::primary(preview.clone()))
    });
    // What a policy plans can be tried here too: each of these shows its codes.
    let named = VENDORS
        .iter()
        .fold(otp_kit::delivery::Providers::new(), |named, name| {
            named.with(preview.standing_in_for(name))
        });
    routed = routed.providers(named);
    if let Some(code) = fixed.clone() {
        routed = routed.danger_fixed_code(code);
    }
    Ok((routed, Outbox::showing(preview, fixed)))
}

/// The configuration refuses development in this build; this is the type's side of it.
#[cfg(not(any(debug_assertions, feature = "danger-preview")))]
fn shown(
    _builder: Limited,
    _fixed: Option<otp_kit::challenge::Code>,
) -> Result<(Routed, Outbox), Box<dyn Error>> {
    Err("this build shows no codes".into())
}
