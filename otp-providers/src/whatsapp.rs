#![doc = include_str!("../docs/whatsapp.md")]

mod body;
mod codes;

use std::fmt;

use async_trait::async_trait;
use http::header::{ACCEPT, AUTHORIZATION, HeaderValue};
use otp_core::delivery::{
    DeliveryError, DeliveryErrorKind, DeliveryProvider, Message, Receipt, TemplateId,
};
use otp_core::destination::{Channel, PhoneNumber};
use otp_core::secret::SecretString;
use serde::Deserialize;

use self::body::Template;
use crate::Classified;
use crate::config::{self, ConfigError};
use crate::http::{Endpoint, HttpRequest, HttpResponse};
use crate::wire::{self, Settings, Wire, wire_settings};

const NAME: &str = "whatsapp";
const API: &str = "https://graph.facebook.com";
const VERSION: &str = "v23.0";

/// Gathers the settings of a [`WhatsApp`]; see [`WhatsApp::builder`].
#[must_use]
pub struct WhatsAppBuilder {
    token: SecretString,
    phone_number_id: String,
    template: String,
    language: String,
    languages: Vec<(String, String)>,
    version: String,
    wire: Settings,
}

impl WhatsAppBuilder {
    /// Sets the language that the template is sent in unless a message's own has one. Default:
    /// `en_US`.
    pub fn language(mut self, code: impl Into<String>) -> Self {
        self.language = code.into();
        self
    }

    /// Names a further language that the template is approved in: messages of the locale `tag`
    /// (`pt-BR`, or `pt` for all of it) are sent in `code` (`pt_BR`).
    pub fn language_for(mut self, tag: impl Into<String>, code: impl Into<String>) -> Self {
        self.languages.push((tag.into(), code.into()));
        self
    }

    /// Sets the version of the Graph API. Default: `v23.0`.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    wire_settings!("`https://graph.facebook.com`");

    /// Checks the settings and makes the provider. Nothing is sent.
    ///
    /// # Errors
    /// [`ConfigError`] names the setting that is missing or malformed.
    pub fn build(self) -> Result<WhatsApp, ConfigError> {
        config::check_credential(&self.token)?;
        if !is_number_id(&self.phone_number_id) || !is_version(&self.version) {
            return Err(ConfigError::VendorId);
        }
        if !is_template(&self.template) {
            return Err(ConfigError::TemplateName);
        }
        let mut codes = self.languages.iter().map(|(_, code)| code);
        if !is_language(&self.language) || !codes.all(|code| is_language(code)) {
            return Err(ConfigError::TemplateLanguage);
        }
        let wire = self.wire.open(API)?;
        Ok(WhatsApp {
            endpoint: wire.endpoint(&[&self.version, &self.phone_number_id, "messages"]),
            authorization: config::bearer_header(&self.token)?,
            template: self.template,
            language: self.language,
            languages: self.languages,
            wire,
        })
    }
}

impl fmt::Debug for WhatsAppBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WhatsAppBuilder").finish_non_exhaustive()
    }
}

/// Sends an authentication template through Meta's WhatsApp Cloud API.
///
/// The words are the template's, which Meta fixes for each language; of the message only the code,
/// the number and the locale are used.
///
/// # Examples
/// ```
/// use std::sync::Arc;
/// use otp_providers::whatsapp::WhatsApp;
/// # use otp_providers::http::{HttpRequest, HttpResponse, HttpTransport, TransportError};
/// # #[derive(Debug)] struct MyTransport;
/// # #[otp_providers::http::async_trait]
/// # impl HttpTransport for MyTransport {
/// #     async fn send(&self, _: HttpRequest) -> Result<HttpResponse, TransportError> { loop {} }
/// # }
///
/// let whatsapp = WhatsApp::builder("the-system-users-token", "106540352242922", "sign_in_code")
///     .language("en_US")
///     .language_for("pt", "pt_BR")
///     .transport(Arc::new(MyTransport)) // not needed with the feature `reqwest`
///     .build()?;
/// # Ok::<(), otp_providers::ConfigError>(())
/// ```
pub struct WhatsApp {
    endpoint: Endpoint,
    authorization: HeaderValue,
    template: String,
    language: String,
    languages: Vec<(String, String)>,
    wire: Wire,
}

impl WhatsApp {
    /// Starts with a token of a system user, the id of the sending phone number, and the name of
    /// an approved authentication template.
    pub fn builder(
        token: impl Into<SecretString>,
        phone_number_id: impl Into<String>,
        template: impl Into<String>,
    ) -> WhatsAppBuilder {
        WhatsAppBuilder {
            token: token.into(),
            phone_number_id: phone_number_id.into(),
            template: template.into(),
            language: "en_US".to_owned(),
            languages: Vec::new(),
            version: VERSION.to_owned(),
            wire: Settings::new(),
        }
    }

    fn request(&self, to: &PhoneNumber, message: &Message) -> Result<HttpRequest, DeliveryError> {
        let code = message.code().expose();
        let language = self.language_of(message.locale().as_str());
        let asked = message.template().map(TemplateId::as_str);
        let template = asked.filter(|name| is_template(name));
        let template = template.unwrap_or(&self.template);
        let body = Template::new(to.e164(), template, language, code, message.id());
        let body = serde_json::to_vec(&body).map_err(|_| wire::unfit(NAME))?;
        Ok(
            HttpRequest::post(self.endpoint.clone(), "application/json", body)
                .with_header(AUTHORIZATION, self.authorization.clone())
                .with_header(ACCEPT, HeaderValue::from_static("application/json")),
        )
    }

    /// Finds the template's language for a locale: the whole tag, then its first part.
    fn language_of(&self, locale: &str) -> &str {
        let first = locale.split('-').next().unwrap_or_default();
        let named = |tag: &str| {
            let mut languages = self.languages.iter();
            languages.find(|(known, _)| known.eq_ignore_ascii_case(tag))
        };
        let found = named(locale).or_else(|| named(first));
        found.map_or(&self.language, |(_, code)| code)
    }

    fn read(&self, reply: &HttpResponse) -> Result<Receipt, DeliveryError> {
        if !reply.status().is_success() {
            let read = classify_api(reply.status().as_u16(), reply.body());
            return Err(self.wire.refusal(NAME, read, reply));
        }
        let accepted: Accepted =
            serde_json::from_slice(reply.body()).map_err(|_| wire::nonsense(NAME))?;
        match accepted.messages.as_slice() {
            // Held or paused messages are Meta's all the same; a webhook tells how they end.
            [sent] => wire::receipt(NAME, &sent.id),
            _ => Err(wire::nonsense(NAME)),
        }
    }
}

impl fmt::Debug for WhatsApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WhatsApp").finish_non_exhaustive()
    }
}

#[async_trait]
impl DeliveryProvider for WhatsApp {
    fn name(&self) -> &str {
        NAME
    }

    fn channels(&self) -> &[Channel] {
        &[Channel::WhatsApp]
    }

    async fn deliver(&self, message: &Message) -> Result<Receipt, DeliveryError> {
        let to = wire::phone(NAME, Channel::WhatsApp, message)?;
        let request = self.request(to, message)?;
        self.read(&self.wire.send(NAME, request).await?)
    }
}

/// Reads a refusal of the API: Meta's `error.code` decides the kind, the HTTP status the rest.
///
/// `error_subcode` is deprecated and not read. A body that is not Meta's, and a code that is not
/// in the table, leave the status to decide. Only a 4xx is surely not sent.
///
/// # Examples
/// ```
/// use otp_core::delivery::DeliveryErrorKind;
/// use otp_providers::whatsapp::classify_api;
///
/// let refused = classify_api(400, br#"{"error":{"code":131026}}"#);
/// assert_eq!(refused.kind, DeliveryErrorKind::Unreachable);
/// ```
#[must_use]
pub fn classify_api(http_status: u16, body: &[u8]) -> Classified {
    let read = Classified::by_status(http_status);
    if http_status < 400 {
        return read;
    }
    let code = serde_json::from_slice::<Refusal>(body).map(|refusal| refusal.error.code);
    match code.ok().and_then(|code| Some((code, codes::kind(code)?))) {
        Some((code, kind)) => Classified {
            kind,
            code: code.to_string(),
            ..read
        },
        None => read,
    }
}

/// Reads the code of a `failed` status: the message was accepted, and this is what became of it.
/// A code that is not in the table is `Unavailable`, as Meta's own 131000 (unknown) is.
#[must_use]
pub fn classify_status(code: u32) -> DeliveryErrorKind {
    codes::kind(code).unwrap_or(DeliveryErrorKind::Unavailable)
}

#[derive(Deserialize)]
struct Accepted {
    messages: Vec<Sent>,
}

#[derive(Deserialize)]
struct Sent {
    id: String,
}

#[derive(Deserialize)]
struct Refusal {
    error: Fault,
}

#[derive(Deserialize)]
struct Fault {
    code: u32,
}

fn is_number_id(text: &str) -> bool {
    (1..=32).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_version(text: &str) -> bool {
    text.strip_prefix('v').is_some_and(|number| {
        (3..=6).contains(&number.len())
            && number
                .split('.')
                .all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()))
            && number.matches('.').count() == 1
    })
}

fn is_template(text: &str) -> bool {
    (1..=512).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

fn is_language(text: &str) -> bool {
    (2..=16).contains(&text.len())
        && text.bytes().take(2).all(|byte| byte.is_ascii_lowercase())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests;
