//! The server's table of users: whose addresses an operator means by an id.

use std::time::Duration;

use otp_kit::async_trait;
use otp_kit::destination::{Destination, EmailAddress, PhoneNumber};
use otp_kit::operator::{Account, Accounts, AccountsFailed, Notice};
use otp_kit::request::SubjectId;
use sqlx::any::{Any, install_default_drivers};
use sqlx::pool::PoolOptions;
use sqlx::{Error, Pool, Row as _, query};

use super::settings::Place;
use crate::failure::Failure;

const ANYBODY: &str = "SELECT sub, email, phone FROM users LIMIT 1";
const PATIENCE: Duration = Duration::from_secs(5);

/// Looked at, and never changed.
#[derive(Debug)]
pub(super) struct Users {
    pool: Pool<Any>,
    find: &'static str,
}

impl Users {
    /// Finds the table; a host of another kind keeps its users elsewhere.
    pub(super) async fn of(place: &Place) -> Result<Option<Self>, Failure> {
        install_default_drivers();
        let mut find = "SELECT email, phone FROM users WHERE sub = $1";
        let url = match place {
            // A path is written out in a URL but for the sign that begins an escape.
            Place::Sqlite(path) => {
                let path = path.to_string_lossy().replace('%', "%25");
                format!("sqlite:{path}?mode=rw")
            }
            Place::Postgres(url) => url.clone(),
            Place::Mysql(url) => {
                find = "SELECT email, phone FROM users WHERE sub = ?";
                url.clone()
            }
        };
        let options = PoolOptions::<Any>::new()
            .max_connections(1)
            .acquire_timeout(PATIENCE);
        let away = |_| Failure::Unavailable("the users cannot be read".to_owned());
        let pool = options.connect(&url).await.map_err(away)?;
        match query(ANYBODY).fetch_optional(&pool).await {
            Ok(_) => Ok(Some(Self { pool, find })),
            Err(Error::Database(_)) => Ok(None),
            Err(error) => Err(away(error)),
        }
    }

    async fn addresses(&self, user: &str) -> Result<Option<Vec<Destination>>, Error> {
        let row = query(self.find).bind(user.to_owned());
        let Some(row) = row.fetch_optional(&self.pool).await? else {
            return Ok(None);
        };
        let (email, phone): (Option<String>, Option<String>) =
            (row.try_get("email")?, row.try_get("phone")?);
        let email = email.and_then(|email| Some(EmailAddress::parse(&email).ok()?.into()));
        let phone = phone.and_then(|phone| Some(PhoneNumber::parse(&phone).ok()?.into()));
        Ok(Some(email.into_iter().chain(phone).collect()))
    }
}

#[async_trait]
impl Accounts for Users {
    async fn find(&self, user: &SubjectId) -> Result<Option<Account>, AccountsFailed> {
        let found = self.addresses(user.as_str()).await;
        let found = found.map_err(|_| AccountsFailed)?;
        let account = Account::reached_at(None);
        Ok(found.map(|all| all.into_iter().fold(account, Account::signing_in_by)))
    }

    async fn deliver(
        &self,
        _notice: &Notice,
        _user: &SubjectId,
        _to: &Destination,
    ) -> Result<(), AccountsFailed> {
        Err(AccountsFailed)
    }

    async fn force_password_reset(&self, _user: &SubjectId) -> Result<(), AccountsFailed> {
        Err(AccountsFailed)
    }
}
