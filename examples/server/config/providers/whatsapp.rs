use otp_kit::delivery::{DocumentLink, TemplateApproval, TemplateId, TemplateState};
use otp_kit::providers::{ConfigError, WhatsApp};

use super::{Environment, Refused, Shared, all, base_url, shared};

const TOKEN: &str = "WHATSAPP_TOKEN";
const NUMBER: &str = "WHATSAPP_PHONE_NUMBER_ID";
const TEMPLATE: &str = "WHATSAPP_TEMPLATE";
const DOCUMENT: &str = "OTP_WHATSAPP_RATE_LIMIT_DOC";
/// The language that the template is sent in.
const LANGUAGE: &str = "en_US";

pub(super) fn read(env: &Environment) -> Result<Option<Shared>, Refused> {
    let Some([token, number, template]) = all(env, [TOKEN, NUMBER, TEMPLATE])? else {
        return Ok(None);
    };
    let mut builder = WhatsApp::builder(token, number, template).language(LANGUAGE);
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

/// Reads whether Meta has approved the template, as the operator says. Before that, and after Meta
/// says otherwise by its webhook, the channel is closed.
pub(crate) fn approval(env: &Environment) -> Result<TemplateApproval, Refused> {
    let state = match env.flag("OTP_WHATSAPP_TEMPLATE_APPROVED", "0")? {
        true => TemplateState::Approved,
        false => TemplateState::Pending,
    };
    let name = env.get(TEMPLATE).unwrap_or("unnamed");
    let name = TemplateId::new(name).map_err(|error| Refused::because(TEMPLATE, &error))?;
    let approval = TemplateApproval::new(name, state).only_in(LANGUAGE);
    Ok(match env.get(DOCUMENT) {
        None => approval,
        Some(link) => {
            let link =
                DocumentLink::new(link).map_err(|error| Refused::because(DOCUMENT, &error))?;
            approval.with_document(link)
        }
    })
}
