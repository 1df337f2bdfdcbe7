//! What is done beside the requests.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use otp_kit::store::Condition;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::app::App;
use crate::config::from_file;

const KEYS_EVERY: Duration = Duration::from_secs(5);
const HAND_OVER_EVERY: Duration = Duration::from_secs(1);
const SEAL_EVERY: Duration = Duration::from_secs(1);
const SWEEP_EVERY: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_secs(1);
const PAGES_EVERY: Duration = Duration::from_secs(60);
const PURGE_EVERY: Duration = Duration::from_secs(60);
/// How long sealing may take at the end.
const LAST_WORDS: Duration = Duration::from_secs(5);
/// Rows a round; small enough that no request waits for it.
const ROWS: usize = 1_000;

/// Starts the chores; abort the handle to end them.
pub(crate) fn start(app: &Arc<App>) -> JoinHandle<()> {
    let app = Arc::clone(app);
    tokio::spawn(async move {
        tokio::join!(
            purge(&app),
            hand_over(&app),
            sweep(&app),
            watch_engines(&app),
            reload_keys(&app),
            seal(&app),
            keep_files(&app),
            read_status_pages(&app),
            app.verifier.follow_policy(LOOK_EVERY)
        );
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

/// Links the records of the audit log into its chain.
async fn seal(app: &App) {
    if let Some(sealer) = app.verifier.sealer() {
        sealer.run(SEAL_EVERY).await;
    }
}

/// Writes what was sealed into the files of the day.
async fn keep_files(app: &App) {
    if let (Some(sealer), Some(files)) = (app.verifier.sealer(), &app.audit) {
        files.run(sealer, SEAL_EVERY).await;
    }
}

/// Seals and writes what is left once the last request is answered. What cannot be sealed now is
/// sealed by another instance or at the next start.
pub(crate) async fn end(app: &App) {
    let Some(sealer) = app.verifier.sealer() else {
        return;
    };
    let last = async {
        if let Err(error) = sealer.stop().await {
            tracing::warn!(%error, "the audit log is sealed at the next start");
        }
        if let Some(files) = &app.audit
            && let Err(error) = files.catch_up(sealer).await
        {
            tracing::warn!(%error, "the daily audit file is written at the next start");
        }
    };
    if timeout(LAST_WORDS, last).await.is_err() {
        tracing::warn!("the audit log was not sealed in time");
    }
}

/// Ends what was never sent: an instance died between the intent and the sending.
async fn sweep(app: &App) {
    let mut ticks = interval(SWEEP_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match app.verifier.sweep_deliveries().await {
            Ok(swept) if swept.unsent == 0 => {}
            Ok(swept) => tracing::warn!(unsent = swept.unsent, "messages were never sent"),
            Err(error) => tracing::warn!(%error, "messages were not looked after"),
        }
    }
}

/// Says when an engine goes away and when it comes back: whoever reads the log at night must not
/// have to guess it from refused requests.
async fn watch_engines(app: &App) {
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut seen = app.verifier.status().await.engines;
    loop {
        ticks.tick().await;
        let now = app.verifier.status().await.engines;
        for (engine, before) in now.iter().zip(&seen) {
            match (engine.condition, before.condition) {
                (is, was) if is == was => {}
                (Condition::Connected, _) => tracing::info!("{}: connected again", engine.engine),
                (is, _) => tracing::error!("{}: {}", engine.engine, is.name()),
            }
        }
        seen = now;
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

/// Asks vendors how they say that they are, for whoever looks at the status.
async fn read_status_pages(app: &App) {
    let mut ticks = interval(PAGES_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while !app.status_pages.is_empty() {
        ticks.tick().await;
        for (provider, page) in app.status_pages.iter() {
            let said = page.read().await.map_err(|error| error.to_string());
            let told = said.and_then(|state| {
                let told = app.verifier.routes().vendor_says(provider, state);
                told.map_err(|error| error.to_string())
            });
            if let Err(error) = told {
                tracing::warn!(provider, error, "a status page was not read");
            }
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
