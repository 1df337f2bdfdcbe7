//! Who may sign in: the host's own table, which the library knows nothing of.

use otp_axum::openapi::Schema;
use otp_kit::destination::{Channel, Destination, EmailAddress, PhoneNumber};
use otp_kit::random::{OsRandom, SecureRandom as _};
use serde::Serialize;
use sqlx::Row as _;
use sqlx::any::AnyRow;

use crate::database::Database;
use crate::tokens::{Failed, hex};

/// A person signs in by phone or by e-mail, never by the synthetic address of the other.
pub(crate) const TABLE: &str = "CREATE TABLE IF NOT EXISTS users (
    sub VARCHAR(64) PRIMARY KEY,
    email VARCHAR(254) UNIQUE,
    phone VARCHAR(16) UNIQUE,
    force_password_reset BOOLEAN NOT NULL DEFAULT FALSE
)";

const ADD_TEST_USER: &str = "INSERT INTO users (sub, email, phone) \
    VALUES ('test-user', 'test-user@example.com', '+14155550100') ON CONFLICT DO NOTHING";

/// The table of users.
#[derive(Clone)]
pub(crate) struct Users(Database);

/// One of them, as answers show them.
#[derive(Serialize)]
pub(crate) struct User {
    #[serde(rename = "id")]
    pub(crate) sub: String,
    pub(crate) email: String,
}

impl User {
    pub(crate) fn schema() -> Schema {
        Schema::object([("id", Schema::text()), ("email", Schema::text())])
    }
}

impl Users {
    pub(crate) fn new(database: Database) -> Self {
        Self(database)
    }

    /// Adds the user that the runbooks try things on.
    pub(crate) async fn add_test_user(&self) -> Result<(), sqlx::Error> {
        self.0.execute(self.0.say(ADD_TEST_USER)).await
    }

    /// Finds the user of a proven address, or adds one. Of racing callers all get the same one.
    pub(crate) async fn of(&self, proven: &Destination) -> Result<User, Failed> {
        if let Some(user) = self.find(proven).await? {
            return Ok(user);
        }
        self.add(proven).await?;
        self.find(proven).await?.ok_or(Failed)
    }

    /// Finds the user that Telegram names so, or adds one.
    pub(crate) async fn of_telegram(&self, id: u64) -> Result<User, Failed> {
        let sub = format!("telegram-{id}");
        let statement = self
            .0
            .say("INSERT INTO users (sub) VALUES ($1) ON CONFLICT DO NOTHING")
            .bind(sub.clone());
        self.0.execute(statement).await?;
        self.get(&sub).await?.ok_or(Failed)
    }

    /// Finds a user by id.
    pub(crate) async fn get(&self, sub: &str) -> Result<Option<User>, Failed> {
        let statement = self
            .0
            .say("SELECT sub, email, phone FROM users WHERE sub = $1")
            .bind(sub.to_owned());
        let found = self.0.find(statement).await?;
        found.map(|row| user(&row)).transpose()
    }

    /// Has a user choose another password before the next sign-in.
    pub(crate) async fn force_password_reset(&self, sub: &str) -> Result<(), Failed> {
        let statement = self
            .0
            .say("UPDATE users SET force_password_reset = TRUE WHERE sub = $1")
            .bind(sub.to_owned());
        self.0.execute(statement).await?;
        Ok(())
    }

    /// Finds the address of a user that a channel reaches; none of an unknown user.
    pub(crate) async fn address(
        &self,
        sub: &str,
        channel: Channel,
    ) -> Result<Option<Destination>, Failed> {
        let statement = self
            .0
            .say("SELECT email, phone FROM users WHERE sub = $1")
            .bind(sub.to_owned());
        let found = self.0.find(statement).await?;
        let Some(row) = found else {
            return Ok(None);
        };
        Ok(match channel {
            Channel::Email => {
                let email: Option<String> = row.try_get("email")?;
                email.and_then(|email| Some(EmailAddress::parse(&email).ok()?.into()))
            }
            _ => {
                let phone: Option<String> = row.try_get("phone")?;
                phone.and_then(|phone| Some(PhoneNumber::parse(&phone).ok()?.into()))
            }
        })
    }

    /// Finds the user of an address.
    pub(crate) async fn find(&self, address: &Destination) -> Result<Option<User>, Failed> {
        let found = match address.as_phone() {
            Some(_) => "SELECT sub, email, phone FROM users WHERE phone = $1",
            None => "SELECT sub, email, phone FROM users WHERE email = $1",
        };
        let statement = self.0.say(found).bind(address.canonical());
        let found = self.0.find(statement).await?;
        found.map(|row| user(&row)).transpose()
    }

    async fn add(&self, address: &Destination) -> Result<(), Failed> {
        let mut id = [0_u8; 16];
        OsRandom.fill(&mut id)?;
        let add = match address.as_phone() {
            Some(_) => "INSERT INTO users (sub, phone) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            None => "INSERT INTO users (sub, email) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        };
        let statement = self.0.say(add).bind(grouped(&id)).bind(address.canonical());
        self.0.execute(statement).await?;
        Ok(())
    }
}

/// Writes an id in groups of eight digits, so that whoever searches a log for six digits alone, or for
/// the run of a token, finds what leaked and no user.
fn grouped(id: &[u8]) -> String {
    let groups: Vec<String> = id.chunks(4).map(hex).collect();
    groups.join("-")
}

/// Reads a row. The e-mail address of who has none is made up for the answer and kept nowhere, so
/// that it opens no account.
fn user(row: &AnyRow) -> Result<User, Failed> {
    let sub: String = row.try_get("sub")?;
    let email: Option<String> = row.try_get("email")?;
    let phone: Option<String> = row.try_get("phone")?;
    let email = match (email, phone) {
        (Some(email), _) => email,
        (None, Some(phone)) => format!("{phone}@example.com"),
        (None, None) => format!("{sub}@example.com"),
    };
    Ok(User { sub, email })
}
