//! `POST /admin/otp/keys/rotate`: a new key for codes that are issued from now on. Codes under way
//! keep theirs.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use otp_kit::clock::{Clock as _, SystemClock};
use otp_kit::operator::Mode;
use otp_kit::random::{OsRandom, SecureRandom as _};
use otp_kit::secret::SecretString;
use tokio::sync::Mutex;

use super::{Because, Desk, Done};
use crate::answer::{Declined, Refusal};
use crate::app::App;
use crate::config::from_file;
use crate::tokens::hex;

/// Of two rotations at once the second must not be written over the first.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

pub(super) async fn rotate(
    State(app): State<Arc<App>>,
    desk: Desk,
    because: Because,
) -> Result<Json<Done>, Declined> {
    let operator = desk.operator(&app.verifier, because.reason())?;
    let file = app.key_file.clone().ok_or(Refusal::NO_KEY_FILE)?;
    let (id, line) = new_key().map_err(|_| Refusal::KEYS_NOT_WRITTEN)?;
    let _turn = ONE_AT_A_TIME.lock().await;
    operator.record("rotate_keys").await?;
    if desk.mode() == Mode::Apply {
        let written = tokio::task::spawn_blocking(move || {
            prepend(&file, line.expose()).map_err(|error| error.kind().to_string())?;
            from_file(&file).map_err(|refused| refused.to_string())
        });
        match written.await {
            Ok(Ok(ring)) => app.verifier.keys().replace(&ring),
            Ok(Err(why)) => {
                tracing::error!("keys were not rotated: {why}");
                return Err(Refusal::KEYS_NOT_WRITTEN.into());
            }
            Err(_) => return Err(Refusal::KEYS_NOT_WRITTEN.into()),
        }
        tracing::info!(key = id, "keys were rotated");
    }
    Ok(Done::one(desk.mode(), id))
}

/// Makes a key, and gives its id and its line.
fn new_key() -> Result<(String, SecretString), otp_kit::random::RandomError> {
    let (mut key, mut tail) = ([0_u8; 32], [0_u8; 4]);
    OsRandom.fill(&mut key)?;
    OsRandom.fill(&mut tail)?;
    let seconds = SystemClock.now().as_millis() / 1_000;
    let id = format!("k{seconds}-{}", hex(&tail));
    let line = SecretString::new(format!("{id}:{}", STANDARD.encode(key)));
    Ok((id, line))
}

/// Puts a line before those of a file. The file is replaced whole: a crash leaves the old one or the
/// new one, and other instances, which look for changes, never read half of it.
fn prepend(file: &Path, line: &str) -> io::Result<()> {
    let before = SecretString::new(std::fs::read_to_string(file)?);
    let beside = file.with_extension("new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut new = options.open(&beside)?;
    writeln!(new, "{line}")?;
    new.write_all(before.expose().as_bytes())?;
    new.sync_all()?;
    std::fs::set_permissions(&beside, file.metadata()?.permissions())?;
    std::fs::rename(&beside, file)
}
