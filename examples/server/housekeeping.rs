//! What is done beside the requests.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::app::App;
use crate::config::from_file;

const KEYS_EVERY: Duration = Duration::from_secs(5);
const HAND_OVER_EVERY: Duration = Duration::from_secs(1);
const PURGE_EVERY: Duration = Duration::from_secs(60);
/// Rows a round; small enough that no request waits for it.
const ROWS: usize = 1_000;

/// Starts the chores; abort the handle to end them.
pub(crate) fn start(app: &Arc<App>) -> JoinHandle<()> {
    let app = Arc::clone(app);
    tokio::spawn(async move {
        tokio::join!(purge(&app), hand_over(&app), reload_keys(&app));
    })
}

/// Makes room: nothing depends on it but that.
async fn purge(app: &App) {
    let mut ticks = interval(PURGE_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match app.verifier.store().purge(ROWS).await {
            Ok(removed) => tracing::debug!(removed, "purged"),
            Err(error) => tracing::warn!(%error, "not purged"),
        }
        if app.tokens.purge().await.is_err() {
            tracing::warn!("sessions were not purged");
        }
    }
}

/// Takes records from where they were written to where they are kept: beside a Redis, the database.
async fn hand_over(app: &App) {
    let mut ticks = interval(HAND_OVER_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        if let Err(error) = app.verifier.store().outbox(None, 1).await {
            tracing::debug!(%error, "records wait");
        }
    }
}

/// Takes over new keys when the key file changes. A file that cannot be read leaves the old ones.
async fn reload_keys(app: &App) {
    let Some(file) = &app.key_file else { return };
    let mut ticks = interval(KEYS_EVERY);
    let mut seen = changed(file).await;
    loop {
        ticks.tick().await;
        let now = changed(file).await;
        if now == seen {
            continue;
        }
        seen = now;
        match from_file(file) {
            Ok(ring) => {
                app.verifier.keys().replace(&ring);
                tracing::info!("keys were read again");
            }
            Err(refused) => tracing::error!("{refused}; the keys stay as they were"),
        }
    }
}

async fn changed(file: &std::path::Path) -> Option<SystemTime> {
    tokio::task::spawn_blocking({
        let file = file.to_owned();
        move || file.metadata().and_then(|data| data.modified()).ok()
    })
    .await
    .ok()
    .flatten()
}
