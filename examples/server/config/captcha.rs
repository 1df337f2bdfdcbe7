//! Who checks captchas and when one is asked for: what `OTP_CONFIG` says, and over it each
//! variable that is set.

use std::path::Path;
use std::time::Duration;

use otp_kit::policy::{CaptchaPlan, CaptchaPolicy, OnCaptchaOutage, PolicyFile};
use otp_kit::providers::captcha::Vendor;
use otp_kit::providers::{ConfigError, SiteVerify};
use otp_kit::secret::SecretString;

use super::providers::{alone, base_url};
use super::{Environment, Refused, outside};

const PROVIDER: &str = "CAPTCHA_PROVIDER";
const SECRET: &str = "CAPTCHA_SECRET";
const HOSTNAMES: &str = "CAPTCHA_HOSTNAMES";
const ACTION: &str = "CAPTCHA_ACTION";
const AFTER: &str = "CAPTCHA_AFTER";
const BASE_URL: &str = "CAPTCHA_BASE_URL";
const OUTAGE: &str = "CAPTCHA_OUTAGE";
const FILE: &str = "OTP_CONFIG";
const NAMES: &str = "hcaptcha, turnstile, recaptcha_v2 or recaptcha_v3";

/// How long a refused try is held against whoever made it.
const WINDOW: Duration = Duration::from_secs(15 * 60);

/// Builds who checks captchas and settles the policy's side of it; half of one is refused.
///
/// A captcha that the file turns off stays off unless `CAPTCHA_AFTER` is set. One that only the
/// file names and nothing asks for is not built, so that its keys need not be there.
pub(super) fn read(
    env: &Environment,
    file: &mut PolicyFile,
    development: bool,
) -> Result<Option<SiteVerify>, Refused> {
    let plan = file.captcha.clone();
    if env.get(PROVIDER).is_none() && plan.as_ref().is_none_or(|plan| plan.provider.is_none()) {
        if file.policy.captcha().asks_by_itself() {
            return Err(Refused::new(
                FILE,
                "auth.captcha: needs provider and secret_key_file, or CAPTCHA_PROVIDER and \
                 CAPTCHA_SECRET",
            ));
        }
        return alone(
            env,
            &[SECRET, HOSTNAMES, ACTION, AFTER, BASE_URL, OUTAGE],
            PROVIDER,
        );
    }
    let policy = policy(env, plan.as_ref().map(|_| *file.policy.captcha()))?;
    file.policy = file.policy.clone().with_captcha(policy);
    if env.get(PROVIDER).is_none() && !policy.asks_by_itself() {
        return Ok(None);
    }
    checker(env, &plan.unwrap_or_default(), development).map(Some)
}

fn checker(
    env: &Environment,
    plan: &CaptchaPlan,
    development: bool,
) -> Result<SiteVerify, Refused> {
    let vendor = vendor(env, plan)?;
    let hostnames = hostnames(env, development)?;
    let mut builder = SiteVerify::builder(vendor, secret(env, plan)?);
    for hostname in hostnames.split(',') {
        builder = builder.hostname(hostname.trim());
    }
    if let (Vendor::HCaptcha, Some(path)) = (vendor, &plan.site_key_file) {
        builder = builder.site_key(key_file("site_key_file", path)?.expose());
    }
    if let Some(action) = env.get(ACTION) {
        builder = builder.action(action);
    }
    if let Some(base) = base_url(env, BASE_URL)? {
        builder = builder.base_url(base);
    }
    builder.build().map_err(|error| {
        let key = match error {
            ConfigError::Credential if env.get(SECRET).is_some() => SECRET,
            ConfigError::Credential => FILE,
            ConfigError::VendorId => FILE,
            ConfigError::CaptchaHostname => HOSTNAMES,
            ConfigError::CaptchaAction => ACTION,
            _ => PROVIDER,
        };
        Refused::because(key, &error)
    })
}

fn vendor(env: &Environment, plan: &CaptchaPlan) -> Result<Vendor, Refused> {
    let (name, refused) = match (env.get(PROVIDER), &plan.provider) {
        (Some(name), _) => (name, Refused::must_be(PROVIDER, NAMES)),
        (None, name) => (
            name.as_deref().unwrap_or_default(),
            Refused::new(FILE, &format!("auth.captcha.provider: must be {NAMES}")),
        ),
    };
    Vendor::from_name(name).ok_or(refused)
}

fn secret(env: &Environment, plan: &CaptchaPlan) -> Result<SecretString, Refused> {
    match (env.get(SECRET), &plan.secret_key_file) {
        (Some(secret), _) => Ok(SecretString::from(secret)),
        (None, Some(path)) => key_file("secret_key_file", path),
        (None, None) if env.get(PROVIDER).is_some() => Err(missing_beside_provider(SECRET)),
        (None, None) => Err(Refused::new(
            FILE,
            "auth.captcha: needs secret_key_file, or CAPTCHA_SECRET",
        )),
    }
}

/// Names the hosts whose pages show the widget: `CAPTCHA_HOSTNAMES`. A file has no place for them;
/// beside one, the hosts of this server's own outside addresses are meant.
fn hostnames(env: &Environment, development: bool) -> Result<String, Refused> {
    if let Some(hostnames) = env.get(HOSTNAMES) {
        return Ok(hostnames.to_owned());
    }
    if env.get(PROVIDER).is_some() {
        return Err(missing_beside_provider(HOSTNAMES));
    }
    let own = outside::all(env)
        .filter_map(|address| url::Url::parse(&address.ok()?.url).ok())
        .filter_map(|url| url.host_str().map(str::to_owned));
    let own: Vec<_> = own.collect();
    match own.is_empty() {
        false => Ok(own.join(",")),
        true if development => Ok("localhost".to_owned()),
        true => Err(Refused::new(
            HOSTNAMES,
            "is missing beside auth.captcha, and so is PUBLIC_BASE_URL",
        )),
    }
}

fn missing_beside_provider(key: &str) -> Refused {
    Refused::new(key, &format!("is missing beside {PROVIDER}"))
}

/// Reads a key; a line's end after it is not of it.
fn key_file(field: &str, path: &Path) -> Result<SecretString, Refused> {
    let text = std::fs::read_to_string(path).map(SecretString::new);
    let text = text.map_err(|_| {
        let problem = format!("auth.captcha.{field}: names a file that cannot be read");
        Refused::new(FILE, &problem)
    })?;
    Ok(SecretString::from(text.expose().trim()))
}

/// After so many refused tries of an account or an address; after none is always.
fn policy(env: &Environment, of_file: Option<CaptchaPolicy>) -> Result<CaptchaPolicy, Refused> {
    let wanted = "a number from 0 to 1000";
    let after = |failures: u32| match failures {
        0 => Ok(CaptchaPolicy::always()),
        1..=1000 => {
            CaptchaPolicy::after(failures, WINDOW).map_err(|error| Refused::because(AFTER, &error))
        }
        _ => Err(Refused::must_be(AFTER, wanted)),
    };
    let policy = match of_file {
        Some(policy) if env.get(AFTER).is_none() => policy,
        Some(policy) => after(env.parsed(AFTER, "3", wanted)?)?.on_outage(policy.in_outage()),
        None => after(env.parsed(AFTER, "3", wanted)?)?,
    };
    let Some(word) = env.get(OUTAGE) else {
        return Ok(policy);
    };
    OnCaptchaOutage::from_name(word)
        .map(|on_outage| policy.on_outage(on_outage))
        .ok_or_else(|| Refused::must_be(OUTAGE, "refuse or allow"))
}
