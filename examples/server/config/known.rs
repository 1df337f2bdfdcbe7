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

const READ: [&str; 81] = [
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
    "OTP_CONFIG",
    "OTP_HASHER",
    "OTP_INSTANCES",
    "OTP_KEYS",
    "OTP_KEYS_FILE",
    "OTP_REDIS_OUTAGE",
    "OTP_RETURN_URLS",
    "OTP_STATUS_PAGES",
    "OTP_TOKEN_ALGORITHM",
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

/// Refuses what cannot be honoured.
pub(super) fn check(env: &Environment) -> Result<(), Refused> {
    let unknown = |name: &&str| is_ours(name) && !READ.contains(name);
    if let Some(name) = env.names().find(unknown) {
        return Err(Refused::new(name, "is not a setting of this server"));
    }
    Ok(())
}
