#[cfg(feature = "webhooks")]
mod attacks;
#[cfg(feature = "webhooks")]
mod reports;
#[cfg(feature = "webhooks")]
mod schemes;
#[cfg(feature = "ses-webhook")]
mod ses;
mod support;
#[cfg(feature = "telegram-login")]
mod telegram_login;
#[cfg(feature = "webhooks")]
mod vendors;
#[cfg(feature = "vonage-webhook")]
mod vonage;
