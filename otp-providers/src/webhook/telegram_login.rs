mod bot;
mod fields;
mod refusal;

use std::fmt;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use otp_core::clock::Timestamp;
use otp_core::delivery::ReplayKey;
use otp_core::verifier::Assertion;
use ring::signature::{ED25519, UnparsedPublicKey};

pub use self::bot::TelegramBot;
use self::fields::Fields;
pub use self::refusal::TelegramRefusal;
use super::mac;

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

/// What Telegram signed of a login: by its widget, or to a Mini App. [`TelegramBot`] reads those of
/// one's own bot.
///
/// Neither scheme has a nonce, so one is worth something for minutes and to be taken once: hand its
/// [`person`](Self::person) to [`Verifier::accept`](otp_core::verifier::Verifier::accept). `Debug`
/// shows neither names nor the person's id.
///
/// Source: Telegram's pages on the login widget and on Mini Apps.
#[derive(Clone, PartialEq, Eq)]
pub struct TelegramLogin {
    user_id: Option<u64>,
    signed_at: Timestamp,
    fields: Vec<(String, String)>,
    replay: ReplayKey,
}

/// Somebody whom Telegram says to have signed in. What is asserted is not taken yet: whoever has
/// this has only read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TelegramPerson {
    id: u64,
    login: TelegramLogin,
}

impl TelegramPerson {
    /// Gives the person's id with Telegram, which never changes.
    #[must_use]
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Gives what was signed.
    #[must_use]
    pub fn login(&self) -> &TelegramLogin {
        &self.login
    }
}

impl Assertion for TelegramPerson {
    const PARTY: &'static str = "telegram";

    fn replay(&self) -> &ReplayKey {
        &self.login.replay
    }

    fn signed_at(&self) -> Timestamp {
        self.login.signed_at
    }
}

impl TelegramLogin {
    /// Checks the `initData` of another's Mini App without its token: Ed25519 by Telegram's key
    /// over the id of the bot and the sorted lines.
    ///
    /// # Errors
    /// [`TelegramRefusal`] where it cannot be believed, or is further from `now` than `max_age`.
    pub fn of_third_party_mini_app(
        init_data: &str,
        bot_id: u64,
        key: &TelegramKey,
        now: Timestamp,
        max_age: Duration,
    ) -> Result<Self, TelegramRefusal> {
        let fields = Fields::parse(init_data)?;
        let text = fields.required("signature")?;
        let signature = URL_SAFE_NO_PAD
            .decode(text.trim_end_matches('='))
            .map_err(|_| TelegramRefusal::Unsigned)?;
        let lines = fields.lines(&["hash", "signature"]);
        let signed = format!("{bot_id}:WebAppData\n{lines}");
        UnparsedPublicKey::new(&ED25519, &key.0)
            .verify(signed.as_bytes(), &signature)
            .map_err(|_| TelegramRefusal::BadSignature)?;
        let user_id = fields.user_id();
        // The signed lines, and not the signature, of which there could be two spellings.
        let once = mac::hex(&mac::sha256(signed.as_bytes()));
        fields.settle(user_id, "mini-app", &once, now, max_age)
    }

    /// Gives the person who signed in.
    ///
    /// # Errors
    /// [`TelegramRefusal::Nobody`] where the data names none: a Mini App may be opened so.
    pub fn person(self) -> Result<TelegramPerson, TelegramRefusal> {
        let id = self.user_id.ok_or(TelegramRefusal::Nobody)?;
        Ok(TelegramPerson { id, login: self })
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

    /// Gives what tells a second use of it, for a little more than twice the time that it is believed: a clock that
    /// is ahead of the signer's makes it last longer.
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
