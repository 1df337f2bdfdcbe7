//! `auth:`, which ways of signing in are on, and when a captcha is asked for.

use std::path::PathBuf;
use std::time::Duration;

use super::error::PolicyFileError;
use super::node::Node;
use super::read::Entry;
use super::{PolicyFile, duration, write as put};
use crate::destination::Channel;
use crate::policy::{CaptchaPolicy, OnCaptchaOutage};

/// Who checks captchas, as a document writes it. The keys are in files, never in the document.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CaptchaPlan {
    /// The vendor, such as `hcaptcha`.
    pub provider: Option<String>,
    /// The file of the public key.
    pub site_key_file: Option<PathBuf>,
    /// The file of the secret key.
    pub secret_key_file: Option<PathBuf>,
}

/// Failures are counted so long, where a document does not say.
const WINDOW: Duration = Duration::from_secs(900);

const WAYS: [(&str, Channel); 6] = [
    ("sms_otp", Channel::Sms),
    ("whatsapp_otp", Channel::WhatsApp),
    ("telegram_otp", Channel::Telegram),
    ("voice_otp", Channel::Voice),
    ("email_otp", Channel::Email),
    ("magic_link", Channel::Email),
];

pub(super) fn read(file: &mut PolicyFile, entry: &Entry<'_>) -> Result<(), PolicyFileError> {
    for way in entry.fields()? {
        if way.name() == "captcha" {
            captcha(file, &way)?;
            continue;
        }
        let known = WAYS.iter().find(|(name, _)| *name == way.name());
        let (_, channel) = known.ok_or_else(|| way.unknown())?;
        for field in way.fields()? {
            match field.name() {
                "enabled" => file.switch(*channel, field.flag()?),
                _ => return Err(field.unknown()),
            }
        }
    }
    Ok(())
}

fn captcha(file: &mut PolicyFile, entry: &Entry<'_>) -> Result<(), PolicyFileError> {
    let (mut enabled, mut threshold, mut address) = (true, None, None);
    let mut window = WINDOW;
    let mut outage = OnCaptchaOutage::Refuse;
    let mut plan = CaptchaPlan::default();
    for field in entry.fields()? {
        match field.name() {
            "enabled" => enabled = field.flag()?,
            "threshold" => threshold = Some(field.number()?),
            "address_threshold" => address = Some(field.number()?),
            "window" => window = field.duration()?,
            "on_outage" => {
                outage = field.word("refuse or allow", OnCaptchaOutage::from_name)?;
            }
            "provider" => plan.provider = Some(field.text()?.to_owned()),
            "site_key_file" => plan.site_key_file = Some(field.text()?.into()),
            "secret_key_file" => plan.secret_key_file = Some(field.text()?.into()),
            _ => return Err(field.unknown()),
        }
    }
    let wrong = |error: crate::quota::InvalidQuota| entry.wrong(&error.to_string());
    let policy = match threshold {
        _ if !enabled => CaptchaPolicy::on_advice(),
        None => CaptchaPolicy::always(),
        Some(failures) => {
            let after = CaptchaPolicy::after(failures, window).map_err(wrong)?;
            let address = address.unwrap_or(failures);
            after.from_address(address).map_err(wrong)?
        }
    };
    file.policy = file.policy.clone().with_captcha(policy.on_outage(outage));
    file.captcha = Some(plan);
    Ok(())
}

pub(super) fn write(file: &PolicyFile) -> Option<Node> {
    let mut ways: Vec<(&str, Node)> = WAYS
        .iter()
        .filter(|(name, _)| *name != "email_otp")
        .map(|(name, channel)| {
            let on = file.policy.channels().is_on(*channel);
            (*name, put::map([("enabled", put::text(on))]))
        })
        .collect();
    let captcha = file.policy.captcha();
    let mut fields = vec![("enabled", put::text(captcha.asks_by_itself()))];
    if let Some((subject, address, window)) = captcha.thresholds() {
        fields.push(("threshold", put::text(subject)));
        fields.push(("address_threshold", put::text(address)));
        fields.push(("window", put::text(duration::write(window))));
    }
    fields.push(("on_outage", put::text(captcha.in_outage().name())));
    if let Some(plan) = &file.captcha {
        let path = |path: &PathBuf| put::text(path.display());
        let parts = [
            ("provider", plan.provider.as_ref().map(put::text)),
            ("site_key_file", plan.site_key_file.as_ref().map(path)),
            ("secret_key_file", plan.secret_key_file.as_ref().map(path)),
        ];
        let set = parts
            .into_iter()
            .filter_map(|(name, node)| Some((name, node?)));
        fields.extend(set);
    }
    ways.push(("captcha", put::map(fields)));
    Some(put::map(ways))
}
