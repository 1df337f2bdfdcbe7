use otp_kit::providers::{ConfigError, WhatsApp};

use super::{Environment, Refused, Shared, all, base_url, shared};

const TOKEN: &str = "WHATSAPP_TOKEN";
const NUMBER: &str = "WHATSAPP_PHONE_NUMBER_ID";
const TEMPLATE: &str = "WHATSAPP_TEMPLATE";

pub(super) fn read(env: &Environment) -> Result<Option<Shared>, Refused> {
    let Some([token, number, template]) = all(env, [TOKEN, NUMBER, TEMPLATE])? else {
        return Ok(None);
    };
    let mut builder = WhatsApp::builder(token, number, template);
    if let Some(base) = base_url(env, "WHATSAPP_BASE_URL")? {
        builder = builder.base_url(base);
    }
    builder.build().map(shared).map_err(|error| {
        let key = match error {
            ConfigError::VendorId => NUMBER,
            ConfigError::TemplateName => TEMPLATE,
            _ => TOKEN,
        };
        Refused::because(key, &error)
    })
}

/// Whether Meta has approved the template, as the operator says: before that the channel is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Approval {
    Approved,
    NotApproved,
}

impl Approval {
    pub(crate) fn read(env: &Environment) -> Result<Self, Refused> {
        Ok(match env.flag("OTP_WHATSAPP_TEMPLATE_APPROVED", "0")? {
            true => Self::Approved,
            false => Self::NotApproved,
        })
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Approved => "approved",
            Self::NotApproved => "not approved",
        }
    }
}
