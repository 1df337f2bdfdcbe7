//! `POST /api/auth/telegram`: a login that Telegram signed, of its widget or of a Mini App.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use otp_axum::openapi::{Api, Operation, Schema};
use otp_kit::clock::{Clock as _, SystemClock};
use otp_kit::providers::TelegramLogin;
use otp_kit::providers::webhook::{TelegramPerson, TelegramRefusal};
use otp_kit::random::OsRandom;
use otp_kit::request::SubjectId;
use otp_kit::session::SignIn;
use otp_kit::verifier::VerifyError;
use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};

use super::sign_in::SignedIn;
use crate::answer::{Declined, Refusal};
use crate::app::App;
use crate::client::Client;
use crate::json::Strict;
use crate::users::User;
use otp_axum::sign_in::NOT_VERIFIED;

/// The body: the widget's fields as they came, or `initData` alone. Each is there once.
pub(crate) struct Payload(BTreeMap<String, Field>);

/// A field, as the text that its signature is made over.
#[derive(Deserialize)]
#[serde(untagged)]
enum Field {
    Text(String),
    Number(i64),
    Truth(bool),
}

pub(crate) fn routes() -> Api<Arc<App>> {
    let field = Schema::either([Schema::text(), Schema::integer(), Schema::flag()]);
    let sign_in = Operation::post("Signs in by a login that Telegram signed")
        .takes(Schema::map(&field))
        .gives(200, SignedIn::schema(User::schema()))
        .refuses([Refusal::INVALID_SIGNATURE])
        .refuses(NOT_VERIFIED);
    Api::new().operation("/api/auth/telegram", sign_in, handle)
}

pub(crate) async fn handle(
    State(app): State<Arc<App>>,
    Client(context): Client,
    Strict(payload): Strict<Payload>,
) -> Result<Json<SignedIn>, Declined> {
    let read = payload.read(&app).map_err(TelegramRefusal::name);
    let accepted = app.verifier.accept(&app.door.tenant, read, &context).await;
    let accepted = accepted.map_err(|error| match error {
        VerifyError::Rejected => Refusal::INVALID_SIGNATURE.into(),
        error => Declined::from(error),
    })?;
    let user = app
        .users
        .of_telegram(accepted.assertion().id())
        .await
        .map_err(|_| Refusal::UNAVAILABLE)?;
    let subject = SubjectId::new(user.sub.as_str()).map_err(|_| Refusal::UNAVAILABLE)?;
    let proof = SignIn::of_assertion(&accepted, &subject, &OsRandom);
    let proof = proof.map_err(|_| Refusal::UNAVAILABLE)?;
    let started = app.door.sessions.start(proof, &context).await;
    let tokens = started.map_err(|error| Declined::of_session(&error, Refusal::UNAVAILABLE))?;
    Ok(Json(SignedIn {
        tokens: tokens.into(),
        user,
    }))
}

impl Payload {
    /// Reads it by the tokens of this server's bot; without a bot nothing is signed for it.
    fn read(&self, app: &App) -> Result<TelegramPerson, TelegramRefusal> {
        let bot = app.telegram.as_ref().ok_or(TelegramRefusal::Unsigned)?;
        let now = SystemClock.now();
        let login = match self.init_data() {
            Some(data) => bot.mini_app(data, now),
            None => {
                let texts = self.0.iter().map(|(key, field)| (key, field.text()));
                let texts: Vec<(&String, String)> = texts.collect();
                let fields = texts
                    .iter()
                    .map(|(key, text)| (key.as_str(), text.as_str()));
                bot.widget(&fields.collect::<Vec<_>>(), now)
            }
        };
        login.and_then(TelegramLogin::person)
    }

    fn init_data(&self) -> Option<&str> {
        let mut fields = self.0.iter();
        let (Some((name, Field::Text(data))), None) = (fields.next(), fields.next()) else {
            return None;
        };
        ["initData", "init_data"]
            .contains(&name.as_str())
            .then_some(data.as_str())
    }
}

impl Field {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
            Self::Truth(truth) => truth.to_string(),
        }
    }
}

impl<'de> Deserialize<'de> for Payload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Once;
        impl<'de> Visitor<'de> for Once {
            type Value = Payload;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts and whole numbers")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Payload, A::Error> {
                let mut fields = BTreeMap::new();
                while let Some((key, field)) = map.next_entry::<String, Field>()? {
                    if fields.insert(key, field).is_some() {
                        return Err(A::Error::custom("a field is there twice"));
                    }
                }
                Ok(Payload(fields))
            }
        }
        deserializer.deserialize_map(Once)
    }
}
