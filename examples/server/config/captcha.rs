use std::time::Duration;

use otp_kit::policy::{CaptchaPolicy, OnCaptchaOutage};
use otp_kit::providers::captcha::Vendor;
use otp_kit::providers::{ConfigError, SiteVerify};

use super::providers::{all, alone, base_url};
use super::{Environment, Refused};

const PROVIDER: &str = "CAPTCHA_PROVIDER";
const SECRET: &str = "CAPTCHA_SECRET";
const HOSTNAMES: &str = "CAPTCHA_HOSTNAMES";
const ACTION: &str = "CAPTCHA_ACTION";
const AFTER: &str = "CAPTCHA_AFTER";
const BASE_URL: &str = "CAPTCHA_BASE_URL";
const OUTAGE: &str = "CAPTCHA_OUTAGE";

/// How long a refused try is held against whoever made it.
const WINDOW: Duration = Duration::from_secs(15 * 60);

/// Who checks captchas, and when one is asked for.
pub(crate) struct Captcha {
    pub(crate) verifier: SiteVerify,
    pub(crate) policy: CaptchaPolicy,
}

impl Captcha {
    /// Reads the captcha; half of one is refused.
    pub(super) fn read(env: &Environment) -> Result<Option<Self>, Refused> {
        let Some([provider, secret, hostnames]) = all(env, [PROVIDER, SECRET, HOSTNAMES])? else {
            return alone(env, &[ACTION, AFTER, BASE_URL, OUTAGE], PROVIDER);
        };
        let names = "hcaptcha, turnstile, recaptcha_v2 or recaptcha_v3";
        let vendor =
            Vendor::from_name(provider).ok_or_else(|| Refused::must_be(PROVIDER, names))?;
        let mut builder = SiteVerify::builder(vendor, secret);
        for hostname in hostnames.split(',') {
            builder = builder.hostname(hostname.trim());
        }
        if let Some(action) = env.get(ACTION) {
            builder = builder.action(action);
        }
        if let Some(base) = base_url(env, BASE_URL)? {
            builder = builder.base_url(base);
        }
        let verifier = builder.build().map_err(|error| {
            let key = match error {
                ConfigError::Credential => SECRET,
                ConfigError::CaptchaHostname => HOSTNAMES,
                ConfigError::CaptchaAction => ACTION,
                _ => PROVIDER,
            };
            Refused::because(key, &error)
        })?;
        Ok(Some(Self {
            verifier,
            policy: policy(env)?,
        }))
    }
}

/// After so many refused tries of an account or an address; after none is always.
fn policy(env: &Environment) -> Result<CaptchaPolicy, Refused> {
    let wanted = "a number from 0 to 1000";
    let policy = match env.parsed(AFTER, "3", wanted)? {
        0 => CaptchaPolicy::always(),
        failures @ 1..=1000 => CaptchaPolicy::after(failures, WINDOW)
            .map_err(|error| Refused::because(AFTER, &error))?,
        _ => return Err(Refused::must_be(AFTER, wanted)),
    };
    let on_outage = OnCaptchaOutage::from_name(env.get(OUTAGE).unwrap_or("refuse"))
        .ok_or_else(|| Refused::must_be(OUTAGE, "refuse or allow"))?;
    Ok(policy.on_outage(on_outage))
}
