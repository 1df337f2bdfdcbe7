use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use otp_kit::providers::http::{BaseUrl, ReqwestTransport};
use otp_kit::providers::webhook::{
    EventPublicKey, HttpCertificates, PlivoWebhook, PublicUrl, SendGridWebhook, SesWebhook,
    TelegramBot, TelegramGatewayWebhook, TwilioWebhook, VonageWebhook, Webhook, WebhookSecret,
    WhatsAppWebhook,
};

use super::providers::base_url;
use super::{Environment, Refused, outside};

/// The vendors' reports that are believed: each by the secret that it is signed with.
#[derive(Clone)]
pub(crate) struct Webhooks {
    /// What the outside world calls us; signatures are made over it, never over `Host`.
    pub(crate) url: PublicUrl,
    readers: BTreeMap<&'static str, Arc<dyn Webhook>>,
    /// Confirms that reports of Amazon shall come here.
    pub(crate) amazon: Option<HttpCertificates>,
}

impl Webhooks {
    /// The last parts of their routes, whether they are configured or not.
    pub(crate) const VENDORS: [&str; 7] = [
        "plivo", "sendgrid", "ses", "telegram", "twilio", "vonage", "whatsapp",
    ];

    pub(super) fn read(env: &Environment) -> Result<Self, Refused> {
        let url = match outside::read(env)? {
            Some(outside) => PublicUrl::parse(&outside.url)
                .map_err(|error| Refused::because(outside.key, &error))?,
            None => PublicUrl::parse("http://127.0.0.1:8080")
                .map_err(|error| Refused::because("PUBLIC_BASE_URL", &error))?,
        };
        let amazon = amazon(env)?;
        let age = age(env)?;
        let readers = [
            ses(env, amazon.as_ref(), age),
            twilio(env)?,
            sendgrid(env, age)?,
            plivo(env)?,
            vonage(env, age)?,
            whatsapp(env)?,
            telegram(env, age)?,
        ];
        Ok(Self {
            url,
            readers: readers.into_iter().flatten().collect(),
            amazon,
        })
    }

    /// Finds a vendor's reader by the last part of its route.
    pub(crate) fn of(&self, vendor: &str) -> Option<&Arc<dyn Webhook>> {
        self.readers.get(vendor)
    }
}

type Reader = Option<(&'static str, Arc<dyn Webhook>)>;

fn some(vendor: &'static str, reader: impl Webhook) -> Reader {
    Some((vendor, Arc::new(reader)))
}

/// The bot whose logins are believed: `TELEGRAM_BOT_TOKEN`, several while one replaces another.
pub(super) fn telegram_bot(env: &Environment) -> Result<Option<TelegramBot>, Refused> {
    let Some((first, others)) = secrets(env, "TELEGRAM_BOT_TOKEN")? else {
        return Ok(None);
    };
    let bot = TelegramBot::new(first);
    Ok(Some(others.into_iter().fold(bot, TelegramBot::or_token)))
}

/// Reads the secrets of a variable; several are separated by commas while one replaces another.
fn secrets(
    env: &Environment,
    key: &str,
) -> Result<Option<(WebhookSecret, Vec<WebhookSecret>)>, Refused> {
    let Some(list) = env.get(key) else {
        return Ok(None);
    };
    let read = |secret: &str| {
        WebhookSecret::new(secret.trim()).map_err(|error| Refused::because(key, &error))
    };
    let mut secrets = list
        .split(',')
        .map(read)
        .collect::<Result<Vec<_>, _>>()?
        .into_iter();
    Ok(secrets.next().map(|first| (first, secrets.collect())))
}

fn twilio(env: &Environment) -> Result<Reader, Refused> {
    let Some((first, others)) = secrets(env, "TWILIO_AUTH_TOKEN")? else {
        return Ok(None);
    };
    let reader = TwilioWebhook::new(first);
    Ok(some(
        "twilio",
        others
            .into_iter()
            .fold(reader, TwilioWebhook::or_auth_token),
    ))
}

/// How old a report may be whose vendor signs a time.
fn age(env: &Environment) -> Result<Duration, Refused> {
    const KEY: &str = "OTP_WEBHOOK_AGE";
    let wanted = "a number of minutes from 5 to 1440";
    let minutes: u32 = env.parsed(KEY, "5", wanted)?;
    if (5..=1440).contains(&minutes) {
        Ok(Duration::from_secs(60).saturating_mul(minutes))
    } else {
        Err(Refused::must_be(KEY, wanted))
    }
}

fn sendgrid(env: &Environment, age: Duration) -> Result<Reader, Refused> {
    const KEY: &str = "SENDGRID_WEBHOOK_PUBLIC_KEY";
    let Some(key) = env.get(KEY) else {
        return Ok(None);
    };
    let key = EventPublicKey::parse(key).map_err(|error| Refused::because(KEY, &error))?;
    let reader = SendGridWebhook::new(key).tolerance(age);
    Ok(some("sendgrid", reader))
}

fn plivo(env: &Environment) -> Result<Reader, Refused> {
    let Some((first, others)) = secrets(env, "PLIVO_AUTH_TOKEN")? else {
        return Ok(None);
    };
    // Reports of messages come with V2 alone, which does not cover their fields. A nonce is taken once
    // and states only move forward, so who sees one in passing can at most say that a message that
    // is on its way has failed.
    let reader = PlivoWebhook::new(first).accept_v2();
    Ok(some(
        "plivo",
        others.into_iter().fold(reader, PlivoWebhook::or_auth_token),
    ))
}

fn vonage(env: &Environment, age: Duration) -> Result<Reader, Refused> {
    let Some((first, others)) = secrets(env, "VONAGE_SIGNATURE_SECRET")? else {
        return Ok(None);
    };
    let reader = VonageWebhook::new(first).tolerance(age);
    Ok(some(
        "vonage",
        others.into_iter().fold(reader, VonageWebhook::or_secret),
    ))
}

fn whatsapp(env: &Environment) -> Result<Reader, Refused> {
    let secret = secrets(env, "WHATSAPP_APP_SECRET")?;
    let token = secrets(env, "WHATSAPP_VERIFY_TOKEN")?;
    match (secret, token) {
        (None, None) => Ok(None),
        (Some((first, others)), Some((token, _))) => {
            let reader = WhatsAppWebhook::new(first, token);
            Ok(some(
                "whatsapp",
                others
                    .into_iter()
                    .fold(reader, WhatsAppWebhook::or_app_secret),
            ))
        }
        (Some(_), None) => Err(Refused::new(
            "WHATSAPP_VERIFY_TOKEN",
            "is missing beside WHATSAPP_APP_SECRET",
        )),
        (None, Some(_)) => Err(Refused::new(
            "WHATSAPP_APP_SECRET",
            "is missing beside WHATSAPP_VERIFY_TOKEN",
        )),
    }
}

/// `SES_TOPIC_ARN` asks for the reports of Amazon SES, as its topic posts them.
///
/// `SES_BASE_URL` is where mail is handed in, a VPC endpoint say. Whoever gives the certificates
/// decides which reports are believed, so they come from Amazon whatever it says, unless it is this
/// machine's loopback: a stand-in.
fn amazon(env: &Environment) -> Result<Option<HttpCertificates>, Refused> {
    if env.get(TOPIC).is_none() {
        return Ok(None);
    }
    let transport = ReqwestTransport::new().map_err(|error| Refused::because(TOPIC, &error))?;
    let certificates = HttpCertificates::new(transport);
    let stand_in = base_url(env, "SES_BASE_URL")?.filter(BaseUrl::is_loopback);
    Ok(Some(match stand_in {
        Some(stand_in) => certificates.base_url(stand_in),
        None => certificates,
    }))
}

fn ses(env: &Environment, amazon: Option<&HttpCertificates>, age: Duration) -> Reader {
    let certificates = Arc::new(amazon?.clone());
    let reader = SesWebhook::new(env.get(TOPIC)?, certificates);
    some("ses", reader.tolerance(age))
}

const TOPIC: &str = "SES_TOPIC_ARN";

fn telegram(env: &Environment, age: Duration) -> Result<Reader, Refused> {
    let Some((first, others)) = secrets(env, "TELEGRAM_GATEWAY_TOKEN")? else {
        return Ok(None);
    };
    let reader = TelegramGatewayWebhook::new(first).tolerance(age);
    Ok(some(
        "telegram",
        others
            .into_iter()
            .fold(reader, TelegramGatewayWebhook::or_token),
    ))
}
