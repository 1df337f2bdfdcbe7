//! Who may sign in: the host's own table, which the library knows nothing of.

use otp_kit::destination::Destination;
use otp_kit::random::{OsRandom, SecureRandom as _};
use sqlx::Row as _;
use sqlx::sqlite::{SqlitePool, SqliteRow};

use crate::tokens::{Failed, hex};

/// A person signs in by phone or by e-mail, never by the synthetic address of the other.
pub(crate) const TABLE: &str = "CREATE TABLE IF NOT EXISTS users (
    sub TEXT PRIMARY KEY,
    email TEXT UNIQUE,
    phone TEXT UNIQUE,
    force_password_reset INTEGER NOT NULL DEFAULT 0
)";

/// The table of users.
pub(crate) struct Users(SqlitePool);

/// One of them, as answers show them.
pub(crate) struct User {
    pub(crate) sub: String,
    pub(crate) email: String,
}

impl Users {
    pub(crate) fn new(pool: SqlitePool) -> Self {
        Self(pool)
    }

    /// Adds the user that the runbooks try things on.
    pub(crate) async fn add_test_user(&self) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO users (sub, email, phone)
             VALUES ('test-user', 'test-user@example.com', '+14155550100')
             ON CONFLICT DO NOTHING",
        )
        .execute(&self.0)
        .await
        .map(drop)
    }

    /// Finds the user of a proven address, or adds one. Of racing callers all get the same one.
    pub(crate) async fn of(&self, proven: &Destination) -> Result<User, Failed> {
        if let Some(user) = self.find(proven).await? {
            return Ok(user);
        }
        self.add(proven).await?;
        self.find(proven).await?.ok_or(Failed)
    }

    async fn find(&self, address: &Destination) -> Result<Option<User>, Failed> {
        let found = match address.as_phone() {
            Some(_) => sqlx::query("SELECT sub, email, phone FROM users WHERE phone = ?1"),
            None => sqlx::query("SELECT sub, email, phone FROM users WHERE email = ?1"),
        }
        .bind(address.canonical())
        .fetch_optional(&self.0)
        .await?;
        found.map(|row| user(&row)).transpose()
    }

    async fn add(&self, address: &Destination) -> Result<(), Failed> {
        let mut id = [0_u8; 16];
        OsRandom.fill(&mut id)?;
        match address.as_phone() {
            Some(_) => {
                sqlx::query("INSERT INTO users (sub, phone) VALUES (?1, ?2) ON CONFLICT DO NOTHING")
            }
            None => {
                sqlx::query("INSERT INTO users (sub, email) VALUES (?1, ?2) ON CONFLICT DO NOTHING")
            }
        }
        .bind(hex(&id))
        .bind(address.canonical())
        .execute(&self.0)
        .await?;
        Ok(())
    }
}

/// Reads a row. A phone's e-mail address is made up for the answer and kept nowhere, so that it
/// opens no account.
fn user(row: &SqliteRow) -> Result<User, Failed> {
    let email: Option<String> = row.try_get("email")?;
    let phone: Option<String> = row.try_get("phone")?;
    let email = match (email, phone) {
        (Some(email), _) => email,
        (None, phone) => format!("{}@example.com", phone.unwrap_or_default()),
    };
    Ok(User {
        sub: row.try_get("sub")?,
        email,
    })
}
