//! What a sign-in is answered with: two opaque tokens, of which only hashes are kept.

use std::time::Duration;

use otp_kit::clock::{Clock as _, SystemClock, Timestamp};
use otp_kit::key::{KeyMaterial, KeySet, mac};
use otp_kit::random::{OsRandom, RandomError, SecureRandom as _};
use otp_kit::request::AttemptId;
use otp_kit::verifier::Verified;
use sha2::{Digest as _, Sha256};

use crate::database::Database;

pub(crate) const TABLE: &str = "CREATE TABLE IF NOT EXISTS sessions (
    token_hash VARCHAR(64) PRIMARY KEY,
    kind VARCHAR(16) NOT NULL,
    sub VARCHAR(64) NOT NULL,
    expires_at BIGINT NOT NULL
)";

const ADD: &str = "INSERT INTO sessions (token_hash, kind, sub, expires_at) \
    VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";

const REFRESH_LIFE: Duration = Duration::from_secs(30 * 86_400);
/// Longer than a named try can be repeated: what was derived once must not come back to life.
const KEPT_AFTER_END: Duration = Duration::from_secs(3 * 86_400);

/// The table of sessions.
pub(crate) struct Tokens {
    database: Database,
    access_life: Duration,
}

/// The tokens of one sign-in, on their way to the client and nowhere else.
pub(crate) struct Pair {
    pub(crate) access: String,
    pub(crate) refresh: String,
}

/// The host's own tables failed; the log says how.
#[derive(Debug)]
pub(crate) struct Failed;

impl Tokens {
    pub(crate) fn new(database: Database, access_life: Duration) -> Self {
        Self {
            database,
            access_life,
        }
    }

    /// Starts a session for what was proven.
    ///
    /// The tokens of a try that the client named are derived from the name: repeated, even at the
    /// same moment, it is answered with the same ones and starts no second session.
    pub(crate) async fn start(
        &self,
        sub: &str,
        verified: &Verified,
        attempt: Option<&AttemptId>,
        keys: &KeySet,
    ) -> Result<Pair, Failed> {
        let pair = match attempt {
            None => Pair::random()?,
            Some(attempt) => {
                // A repeat may come after the keys were rotated.
                for key in keys.ids().filter_map(|id| keys.get(id)) {
                    let pair = Pair::derived(key, verified, attempt);
                    if self.knows(&pair.access).await? {
                        return Ok(pair);
                    }
                }
                Pair::derived(keys.current(), verified, attempt)
            }
        };
        let now = SystemClock.now();
        let tokens = [
            ("access", &pair.access, self.access_life),
            ("refresh", &pair.refresh, REFRESH_LIFE),
        ];
        let mut step = self.database.begin().await?;
        for (kind, token, life) in tokens {
            self.database
                .say(ADD)
                .bind(hashed(token))
                .bind(kind)
                .bind(sub.to_owned())
                .bind(now.saturating_add(life).as_millis())
                .execute(&mut *step)
                .await?;
        }
        step.commit().await?;
        Ok(pair)
    }

    async fn knows(&self, token: &str) -> Result<bool, Failed> {
        let row = self
            .database
            .say("SELECT sub FROM sessions WHERE token_hash = $1")
            .bind(hashed(token))
            .fetch_optional(self.database.pool())
            .await?;
        Ok(row.is_some())
    }

    /// Forgets sessions that ended long ago.
    pub(crate) async fn purge(&self) -> Result<(), Failed> {
        let before: Timestamp = SystemClock.now().saturating_sub(KEPT_AFTER_END);
        self.database
            .say("DELETE FROM sessions WHERE expires_at < $1")
            .bind(before.as_millis())
            .execute(self.database.pool())
            .await?;
        Ok(())
    }
}

impl Pair {
    fn random() -> Result<Self, RandomError> {
        let draw = || {
            let mut token = [0_u8; 32];
            OsRandom.fill(&mut token).map(|()| hex(&token))
        };
        Ok(Self {
            access: draw()?,
            refresh: draw()?,
        })
    }

    fn derived(key: &KeyMaterial, verified: &Verified, attempt: &AttemptId) -> Self {
        let challenge = verified.challenge_id();
        let token = |kind: &[u8]| {
            let parts = [kind, challenge.as_bytes(), attempt.as_str().as_bytes()];
            hex(mac(key.token_key(), &parts).as_bytes())
        };
        Self {
            access: token(b"server: access token"),
            refresh: token(b"server: refresh token"),
        }
    }
}

fn hashed(token: &str) -> String {
    hex(&Sha256::digest(token.as_bytes()))
}

/// Writes bytes as lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        // The kind alone: a message of the engine may hold what was bound.
        let kind = match &error {
            sqlx::Error::Database(error) => error.code().unwrap_or_default().into_owned(),
            sqlx::Error::PoolTimedOut => "no connection in time".to_owned(),
            _ => "the connection failed".to_owned(),
        };
        tracing::error!(kind, "the users' and sessions' tables failed");
        Self
    }
}

impl From<RandomError> for Failed {
    fn from(error: RandomError) -> Self {
        tracing::error!(%error, "no randomness");
        Self
    }
}
