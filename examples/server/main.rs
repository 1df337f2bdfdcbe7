//! The reference server: what a host writes around otp-kit, and nothing of its insides.
//!
//! ```text
//! cargo run --example server              # development: a SQLite file, codes in the answers
//! cargo run --release --example server    # production: configured by environment alone
//! ```
//!
//! It reads top down: `config` says what the environment asks for, `service` builds the verifier
//! of it, `app` lists the routes, and `serve` runs them until the process is told to stop.

mod accounts;
mod answer;
mod app;
mod client;
mod config;
mod database;
mod housekeeping;
mod json;
mod metering;
mod operator;
mod outbox;
mod routes;
mod serve;
mod service;
mod stores;
mod time;
mod tls;
mod tokens;
mod upstream;
mod users;

use std::error::Error;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;

use app::App;
use config::Config;
use database::Database;

/// The configuration is refused; nothing was started.
const REFUSED: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    let config = match Config::from_environment() {
        Ok(config) => config,
        Err(refused) => return say(&refused, REFUSED),
    };
    let exporting = config.logging.install();
    config.warn();
    let ended = run(config).await;
    if let Some(exporting) = exporting {
        exporting.end();
    }
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => say(error.as_ref(), 1),
    }
}

async fn run(config: Config) -> Result<(), Box<dyn Error>> {
    let listeners = serve::bind(&config.listen).await?;
    let database = Database::open(&config.stores.database).await?;
    let tls = config.tls.clone();
    let (development, waiver) = (config.is_development(), config.waiver);
    let app = App::new(config, database).await?;
    if development {
        app.users.add_test_user().await?;
    }
    if let Some(life) = waiver {
        operator::waive_second_factor(&app.verifier, life).await;
    }
    let chores = housekeeping::start(&app);
    serve::until_stopped(listeners, tls, Arc::clone(&app)).await?;
    if app.verifier.drain(serve::GRACE).await.is_err() {
        tracing::warn!("some messages were still on their way");
    }
    chores.abort();
    housekeeping::end(&app).await;
    Ok(())
}

fn say(error: &dyn Error, code: u8) -> ExitCode {
    // Where standard error is gone there is nobody to tell.
    drop(writeln!(std::io::stderr(), "error: {error}"));
    ExitCode::from(code)
}
