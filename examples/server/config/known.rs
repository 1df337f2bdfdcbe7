//! The names of variables: those that work, and those that nobody means.

use super::{Environment, Refused};

/// A misspelt name under these prefixes stops the start: a limit or a credential that is silently
/// not in force is worse than no server.
const OURS: [&str; 10] = [
    "CAPTCHA_",
    "OTP_",
    "PLIVO_",
    "SENDGRID_",
    "SES_",
    "SMTP_",
    "TELEGRAM_",
    "TWILIO_",
    "VONAGE_",
    "WHATSAPP_",
];

const READ: [&str; 85] = [
    "ACCESS_TOKEN_EXPIRE_MINUTES",
    "ADMIN_BIND_ADDR",
    "ADMIN_MFA_OVERRIDE_HOURS",
    "ADMIN_MFA_REQUIRED",
    "ADMIN_TOKEN",
    "ADMIN_TOKENS",
    "AWS_ACCESS_KEY_ID",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "BIND_ADDR",
    "CAPTCHA_ACTION",
    "CAPTCHA_AFTER",
    "CAPTCHA_BASE_URL",
    "CAPTCHA_HOSTNAMES",
    "CAPTCHA_OUTAGE",
    "CAPTCHA_PROVIDER",
    "CAPTCHA_SECRET",
    "CORS_ORIGINS",
    "DATABASE_FALLBACK_URL",
    "DATABASE_URL",
    "DEV_MODE",
    "DEV_PREVIEW_CODE",
    "NEXT_PUBLIC_APP_URL",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTP_AUDIT_DIR",
    "OTP_BRAND",
    "OTP_CHANNEL_ORDER",
    "OTP_CONFIG",
    "OTP_HASHER",
    "OTP_INSTANCES",
    "OTP_KEYS",
    "OTP_KEYS_FILE",
    "OTP_ORIGIN",
    "OTP_REDIS_OUTAGE",
    "OTP_RETURN_URLS",
    "OTP_STATUS_PAGES",
    "OTP_TOKEN_ALGORITHM",
    "OTP_WEBHOOK_AGE",
    "OTP_WHATSAPP_RATE_LIMIT_DOC",
    "OTP_WHATSAPP_TEMPLATE_APPROVED",
    "PLIVO_AUTH_ID",
    "PLIVO_AUTH_TOKEN",
    "PLIVO_BASE_URL",
    "PLIVO_FROM",
    "PUBLIC_BASE_URL",
    "RATE_LIMIT_REQUESTS",
    "REDIS_URL",
    "RUST_LOG",
    "SECRET_KEY",
    "SENDGRID_API_KEY",
    "SENDGRID_BASE_URL",
    "SENDGRID_FROM",
    "SENDGRID_WEBHOOK_PUBLIC_KEY",
    "SES_BASE_URL",
    "SES_FROM",
    "SES_TOPIC_ARN",
    "SMTP_FROM",
    "SMTP_URL",
    "TELEGRAM_BOT_TOKEN",
    "TELEGRAM_GATEWAY_BASE_URL",
    "TELEGRAM_GATEWAY_TOKEN",
    "TLS_CERT",
    "TLS_KEY",
    "TRUSTED_PROXIES",
    "TWILIO_ACCOUNT_SID",
    "TWILIO_API_KEY_SECRET",
    "TWILIO_API_KEY_SID",
    "TWILIO_AUTH_TOKEN",
    "TWILIO_BASE_URL",
    "TWILIO_FROM",
    "TWILIO_MESSAGING_SERVICE_SID",
    "TWILIO_VERIFY_BASE_URL",
    "TWILIO_VERIFY_SERVICE_SID",
    "VONAGE_API_KEY",
    "VONAGE_API_SECRET",
    "VONAGE_BASE_URL",
    "VONAGE_FROM",
    "VONAGE_SIGNATURE_SECRET",
    "WHATSAPP_APP_SECRET",
    "WHATSAPP_BASE_URL",
    "WHATSAPP_PHONE_NUMBER_ID",
    "WHATSAPP_TEMPLATE",
    "WHATSAPP_TOKEN",
    "WHATSAPP_VERIFY_TOKEN",
];

/// Says whether a variable is meant for this server.
pub(super) fn is_ours(name: &str) -> bool {
    READ.contains(&name) || OURS.iter().any(|prefix| name.starts_with(prefix))
}

/// Refuses what cannot be honoured: names under our prefixes, and slips of a name of ours that is
/// not set. Where it is set, the other one is of another program.
pub(super) fn check(env: &Environment) -> Result<(), Refused> {
    for name in env.names().filter(|name| !READ.contains(name)) {
        let meant = READ
            .into_iter()
            .filter(|known| env.get(known).is_none() && is_slip(name, known))
            .min_by_key(|known| letters_apart(name, known));
        match meant {
            Some(known) => {
                let problem = format!("is not a setting of this server: {known} is");
                return Err(Refused::new(name, &problem));
            }
            None if is_ours(name) => {
                return Err(Refused::new(name, "is not a setting of this server"));
            }
            None => {}
        }
    }
    Ok(())
}

/// Names that other programs of the same environment have much like ours.
const SHARED: [&str; 4] = ["AWS_", "NEXT_PUBLIC_", "OTEL_", "RUST_"];

/// Says whether somebody who wrote one name meant the other: one or two letters are wrong, or the
/// line between two words or one of three words is missing.
fn is_slip(name: &str, known: &str) -> bool {
    if SHARED.iter().any(|prefix| known.starts_with(prefix)) {
        return false;
    }
    let (wrong, right): (Vec<_>, Vec<_>) = (words(name), words(known));
    if wrong.len() == right.len() {
        let letters = |(one, other): (&String, &String)| letters_apart(one, other);
        let apart: Vec<usize> = wrong.iter().zip(&right).map(letters).collect();
        // A short word that differs in two letters is another word.
        let close = |(apart, word): (&usize, &String)| *apart <= 1 || word.len() > 4;
        return apart.iter().sum::<usize>() <= 2 && apart.iter().zip(&right).all(close);
    }
    let missing = |left_out: usize| {
        let rest = right.iter().enumerate().filter(|(at, _)| *at != left_out);
        rest.map(|(_, word)| word).eq(&wrong)
    };
    wrong.concat() == right.concat() || (wrong.len() > 1 && (1..right.len()).any(missing))
}

/// The words of a name, each in the singular.
fn words(name: &str) -> Vec<String> {
    let singular = |word: &str| match word.strip_suffix("IES") {
        Some(stem) => format!("{stem}Y"),
        None => word.strip_suffix('S').unwrap_or(word).to_owned(),
    };
    name.split('_').map(singular).collect()
}

/// Counts the letters to put in, leave out or change that make one word of another (Levenshtein).
fn letters_apart(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.bytes().enumerate() {
        let mut last = at.saturating_add(1);
        let mut next = vec![last];
        for (pair, byte) in row.windows(2).zip(other.bytes()) {
            let [across, above] = pair else { continue };
            let changed = across.saturating_add(usize::from(byte != letter));
            last = changed.min(above.min(&last).saturating_add(1));
            next.push(last);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}
