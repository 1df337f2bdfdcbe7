use std::time::Duration;

use otp_core::clock::Timestamp;

use super::super::{WebhookError, WebhookSecret, mac};
use super::{Fields, TelegramLogin, TelegramRefusal};

/// The key of a Mini App's data, under the bot's token.
const MINI_APP: &[u8] = b"WebAppData";
const MAX_AGE: Duration = Duration::from_secs(300);

/// One's own bot, by its tokens: reads the logins that Telegram signs for it.
///
/// While a token is replaced both are believed, each compared in constant time. `Debug` shows none.
///
/// # Examples
/// ```
/// use otp_core::clock::Timestamp;
/// use otp_providers::webhook::{TelegramBot, TelegramRefusal, WebhookSecret};
///
/// let bot = TelegramBot::new(WebhookSecret::new("123456:PUBLIC-test-token")?);
/// let fields = [
///     ("id", "42"),
///     ("first_name", "Ann"),
///     ("auth_date", "1717000000"),
///     ("hash", "74d7dcc4fcc789c5dcfb812ac72f438cbd3c2b8232ca38976b1456baba04a98e"),
/// ];
/// let now = Timestamp::from_millis(1_717_000_010_000);
/// let person = bot.widget(&fields, now)?.person()?;
/// assert_eq!(person.id(), 42);
///
/// let later = Timestamp::from_millis(1_717_000_301_000);
/// assert_eq!(bot.widget(&fields, later), Err(TelegramRefusal::Stale));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct TelegramBot {
    tokens: Vec<WebhookSecret>,
    max_age: Duration,
}

impl TelegramBot {
    /// Takes the bot's token, as its father gave it.
    #[must_use]
    pub fn new(token: WebhookSecret) -> Self {
        Self {
            tokens: vec![token],
            max_age: MAX_AGE,
        }
    }

    /// Takes another token, the next one of a rotation.
    #[must_use]
    pub fn or_token(mut self, token: WebhookSecret) -> Self {
        self.tokens.push(token);
        self
    }

    /// Sets how far the signed time may be from now, on either side. Default: 5 minutes, and there
    /// is seldom a reason for more: a login is signed when it is sent.
    #[must_use]
    pub fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// Reads what the login widget sent, all of its fields with `hash` among them: HMAC-SHA-256
    /// over the sorted lines, under the hash of the token.
    ///
    /// # Errors
    /// [`TelegramRefusal`].
    pub fn widget(
        &self,
        fields: &[(&str, &str)],
        now: Timestamp,
    ) -> Result<TelegramLogin, TelegramRefusal> {
        let fields = fields
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let fields = Fields::of(fields)?;
        let hash = fields.required("hash")?;
        self.signed(&fields, |token| Ok(mac::sha256(token)))?;
        let user_id = fields.required("id").ok().and_then(|id| id.parse().ok());
        fields.settle(user_id, "widget", hash, now, self.max_age)
    }

    /// Reads the `initData` of the bot's Mini App: HMAC-SHA-256 over the sorted lines, under a key
    /// made of the token.
    ///
    /// # Errors
    /// [`TelegramRefusal`].
    pub fn mini_app(
        &self,
        init_data: &str,
        now: Timestamp,
    ) -> Result<TelegramLogin, TelegramRefusal> {
        let fields = Fields::parse(init_data)?;
        let hash = fields.required("hash")?;
        self.signed(&fields, |token| mac::hmac_sha256(MINI_APP, &[token]))?;
        let user_id = fields.user_id();
        fields.settle(user_id, "mini-app", hash, now, self.max_age)
    }

    fn signed(
        &self,
        fields: &Fields,
        key: impl Fn(&[u8]) -> Result<[u8; 32], WebhookError>,
    ) -> Result<(), TelegramRefusal> {
        let lines = fields.lines(&["hash"]);
        let hash = fields.required("hash")?;
        mac::any_fits(&self.tokens, &[hash], |token| {
            let made = mac::hmac_sha256(&key(token)?, &[lines.as_bytes()])?;
            Ok(vec![mac::hex(&made)])
        })
        .map_err(|_| TelegramRefusal::BadSignature)
    }
}
