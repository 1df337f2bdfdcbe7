//! The library's tables in the host's own database, through the host's own pool.
//!
//! ```text
//! DATABASE_URL=postgres://postgres@127.0.0.1/app cargo run --example sql_host_pool
//! ```
//!
//! The host brings its own tables up to date, lets the library do the same for its own, and then
//! reads both in one query. `MysqlStore` takes a `sqlx::MySqlPool` in the same way; `SqliteStore::migrate`
//! takes a `sqlx::SqlitePool`, and the store then opens the file itself.

#![allow(clippy::print_stdout, reason = "an example speaks to its reader")]

use std::error::Error;

use otp_kit::prelude::*;
use otp_kit::store::{PostgresOptions, PostgresStore};
use otp_kit::testing::Outbox;
use sqlx::Row as _;
use sqlx::postgres::PgPoolOptions;

/// The host's own migration; a real one has a folder of them.
const OWN: &str = "CREATE TABLE IF NOT EXISTS users (
    sub TEXT PRIMARY KEY,
    phone TEXT UNIQUE NOT NULL
)";

const SIGN_INS: &str =
    "SELECT users.sub, count(*) AS codes, max(auth_challenges.created_at)::text AS last
    FROM users JOIN auth_challenges ON auth_challenges.user_id = users.sub
    WHERE users.sub = $1
    GROUP BY users.sub";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::var("DATABASE_URL").map_err(|_| "DATABASE_URL names a PostgreSQL")?;
    let pool = PgPoolOptions::new()
        .max_connections(5)
        .connect(&url)
        .await?;
    sqlx::raw_sql(OWN).execute(&pool).await?;
    PostgresStore::migrate(&pool).await?;
    println!("the host's tables and the library's are up to date");

    let store = PostgresStore::with_options(PostgresOptions::pool(pool.clone())).await?;
    let outbox = Outbox::new();
    let verifier = Verifier::builder(store, KeyRing::generate(&OsRandom)?)
        .route(Channel::Sms, Route::primary(outbox.clone()))
        .limits(Limits::recommended())
        .build()?;

    let (user, phone) = ("user-1", PhoneNumber::parse("+14155550123")?);
    sqlx::query("INSERT INTO users (sub, phone) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(user)
        .bind(phone.e164())
        .execute(&pool)
        .await?;
    let context = RequestContext::from_address("203.0.113.7".parse()?);
    let issue = Issue::to(phone.clone())
        .for_purpose("login")
        .for_subject(SubjectId::new(user)?)
        .from(&context);
    let issued = verifier.issue(issue).await?;
    let code = outbox
        .last_code_for(&phone.into())
        .ok_or("nothing was sent")?;
    let verified = verifier
        .verify(&issued.challenge_id, code.expose(), &context)
        .await?;
    println!("signed in for {}", verified.purpose());

    let row = sqlx::query(SIGN_INS).bind(user).fetch_one(&pool).await?;
    let (codes, last): (i64, String) = (row.try_get("codes")?, row.try_get("last")?);
    println!("{user} has had {codes} codes, the last one at {last}");
    Ok(())
}
