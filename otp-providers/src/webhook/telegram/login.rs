use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use otp_core::clock::Timestamp;
use otp_core::delivery::ReplayKey;
use ring::signature::{ED25519, UnparsedPublicKey};

use super::super::form::{self, Pair};
use super::super::freshness::{self, Tolerance};
use super::super::{WebhookError, WebhookSecret, json, mac};

/// The key of a Mini App's data, under the bot's token.
const MINI_APP: &[u8] = b"WebAppData";

/// A key of Telegram's that third parties check a Mini App's data with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TelegramKey([u8; 32]);

impl TelegramKey {
    /// The key of the production servers.
    pub const PRODUCTION: Self = Self([
        0xe7, 0xbf, 0x03, 0xa2, 0xfa, 0x46, 0x02, 0xaf, 0x45, 0x80, 0x70, 0x3d, 0x88, 0xdd, 0xa5,
        0xbb, 0x59, 0xf3, 0x2e, 0xd8, 0xb0, 0x2a, 0x56, 0xc1, 0x87, 0xfe, 0x7d, 0x34, 0xca, 0xed,
        0x24, 0x2d,
    ]);
    /// The key of the test servers.
    pub const TEST: Self = Self([
        0x40, 0x05, 0x50, 0x58, 0xa4, 0xee, 0x38, 0x15, 0x6a, 0x06, 0x56, 0x2e, 0x52, 0xee, 0xce,
        0x92, 0xa7, 0x71, 0xbc, 0xd8, 0x34, 0x6a, 0x8c, 0x46, 0x15, 0xcb, 0x73, 0x76, 0xed, 0xdf,
        0x72, 0xec,
    ]);

    /// Takes another key, of 32 bytes.
    #[must_use]
    pub const fn new(key: [u8; 32]) -> Self {
        Self(key)
    }
}

/// A person that Telegram names, by its login widget or to a Mini App.
///
/// Neither scheme has a nonce: the host gives `max_age` (five minutes at the most) and takes each
/// [`replay`](Self::replay) key once. `Debug` shows neither names nor the person's id.
///
/// Source: Telegram's pages on the login widget and on Mini Apps.
#[derive(Clone, PartialEq, Eq)]
pub struct TelegramLogin {
    user_id: Option<u64>,
    signed_at: Timestamp,
    fields: Vec<(String, String)>,
    replay: ReplayKey,
}

impl TelegramLogin {
    /// Checks what the login widget sent, all of its fields with `hash` among them: HMAC-SHA-256
    /// over the sorted lines, under the hash of the bot's token.
    ///
    /// # Errors
    /// [`WebhookError`] where it cannot be believed, or is further from `now` than `max_age`.
    pub fn of_widget(
        fields: &[(&str, &str)],
        bot_token: &WebhookSecret,
        now: Timestamp,
        max_age: Duration,
    ) -> Result<Self, WebhookError> {
        let fields = fields
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let fields = Fields::of(fields)?;
        let hash = fields.required("hash")?;
        let lines = fields.lines(&["hash"]);
        mac::any_fits([bot_token], &[hash], |token| {
            let made = mac::hmac_sha256(&mac::sha256(token), &[lines.as_bytes()])?;
            Ok(vec![mac::hex(&made)])
        })?;
        let user_id = fields.required("id").ok().and_then(|id| id.parse().ok());
        fields.settle(user_id, "widget", hash, now, max_age)
    }

    /// Checks the `initData` of a Mini App as its bot: HMAC-SHA-256 over the sorted lines, under a
    /// key made of the bot's token.
    ///
    /// # Errors
    /// [`WebhookError`] where it cannot be believed, or is further from `now` than `max_age`.
    pub fn of_mini_app(
        init_data: &str,
        bot_token: &WebhookSecret,
        now: Timestamp,
        max_age: Duration,
    ) -> Result<Self, WebhookError> {
        let fields = Fields::parse(init_data)?;
        let hash = fields.required("hash")?;
        let lines = fields.lines(&["hash"]);
        mac::any_fits([bot_token], &[hash], |token| {
            let key = mac::hmac_sha256(MINI_APP, &[token])?;
            Ok(vec![mac::hex(&mac::hmac_sha256(
                &key,
                &[lines.as_bytes()],
            )?)])
        })?;
        let user_id = fields.user_id();
        fields.settle(user_id, "mini-app", hash, now, max_age)
    }

    /// Checks the `initData` of another's Mini App without its token: Ed25519 by Telegram's key
    /// over the id of the bot and the sorted lines.
    ///
    /// # Errors
    /// [`WebhookError`] where it cannot be believed, or is further from `now` than `max_age`.
    pub fn of_third_party_mini_app(
        init_data: &str,
        bot_id: u64,
        key: &TelegramKey,
        now: Timestamp,
        max_age: Duration,
    ) -> Result<Self, WebhookError> {
        let fields = Fields::parse(init_data)?;
        let text = fields.required("signature")?;
        let signature = URL_SAFE_NO_PAD
            .decode(text.trim_end_matches('='))
            .map_err(|_| WebhookError::Unsigned)?;
        let lines = fields.lines(&["hash", "signature"]);
        let signed = format!("{bot_id}:WebAppData\n{lines}");
        UnparsedPublicKey::new(&ED25519, &key.0)
            .verify(signed.as_bytes(), &signature)
            .map_err(|_| WebhookError::BadSignature)?;
        let user_id = fields.user_id();
        // The signed lines, and not the signature, of which there could be two spellings.
        let once = mac::hex(&mac::sha256(signed.as_bytes()));
        fields.settle(user_id, "mini-app", &once, now, max_age)
    }

    /// Gives the person's id with Telegram, where the data names one.
    #[must_use]
    pub fn user_id(&self) -> Option<u64> {
        self.user_id
    }

    /// Gives the time of signing.
    #[must_use]
    pub fn signed_at(&self) -> Timestamp {
        self.signed_at
    }

    /// Gives a field that the signature covers.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.fields.iter();
        fields
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// Gives what tells a replay, for `SeenStore::first_seen`.
    #[must_use]
    pub fn replay(&self) -> &ReplayKey {
        &self.replay
    }
}

impl fmt::Debug for TelegramLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelegramLogin")
            .field("signed_at", &self.signed_at)
            .finish_non_exhaustive()
    }
}

/// Fields whose names are all different.
struct Fields(Vec<(String, String)>);

impl Fields {
    fn of(mut fields: Vec<(String, String)>) -> Result<Self, WebhookError> {
        fields.sort_unstable();
        let twice = |pair: &[(String, String)]| matches!(pair, [one, other] if one.0 == other.0);
        if fields.windows(2).any(twice) {
            return Err(WebhookError::Unsigned);
        }
        Ok(Self(fields))
    }

    fn parse(query: &str) -> Result<Self, WebhookError> {
        if query.len() > 16 * 1024 {
            return Err(WebhookError::TooLarge);
        }
        let text = |bytes| String::from_utf8(bytes).map_err(|_| WebhookError::Unsigned);
        let fields = form::pairs(query.as_bytes())?
            .into_iter()
            .map(|Pair { key, value }| Ok((text(key)?, text(value)?)))
            .collect::<Result<_, _>>()?;
        Self::of(fields)
    }

    fn required(&self, name: &'static str) -> Result<&str, WebhookError> {
        let mut fields = self.0.iter();
        fields
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .ok_or(WebhookError::Unsigned)
    }

    /// Writes `key=value` of every other field, a line each, sorted as lines.
    fn lines(&self, without: &[&str]) -> String {
        let fields = self.0.iter();
        let mut lines: Vec<String> = fields
            .filter(|(key, _)| !without.contains(&key.as_str()))
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        lines.sort_unstable();
        lines.join("\n")
    }

    /// Reads the id in the field `user`, a JSON object.
    fn user_id(&self) -> Option<u64> {
        let user = self.required("user").ok()?;
        json::parse(user.as_bytes(), "user")
            .ok()?
            .get("id")?
            .as_u64()
    }

    fn settle(
        &self,
        user_id: Option<u64>,
        scheme: &str,
        once: &str,
        now: Timestamp,
        max_age: Duration,
    ) -> Result<TelegramLogin, WebhookError> {
        let signed_at = self.required("auth_date").ok().and_then(freshness::seconds);
        let signed_at = signed_at.ok_or(WebhookError::Malformed("auth_date"))?;
        Tolerance::new(max_age).check(signed_at, now)?;
        Ok(TelegramLogin {
            user_id,
            signed_at,
            replay: ReplayKey::new("telegram", &[scheme, once])
                .with_life(max_age.saturating_mul(2)),
            fields: self.0.clone(),
        })
    }
}
