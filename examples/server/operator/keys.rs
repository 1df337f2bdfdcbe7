//! `POST /admin/otp/keys/rotate`: a new key for what is made from now on; what is under way keeps its
//! own. `GET /admin/otp/keys`: what hangs on each key, and when it may go.

use std::sync::Arc;

use axum::Json;
use axum::body::HttpBody as _;
use axum::extract::{FromRequest, Request, State};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use otp_axum::openapi::{Api, Operation, Schema};
use otp_kit::clock::{Clock as _, SystemClock, Timestamp};
use otp_kit::key::{KeyId, KeyRing};
use otp_kit::operator::{KeyStanding, KeyVerdict, Mode};
use otp_kit::random::{OsRandom, SecureRandom as _};
use otp_kit::secret::SecretString;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use super::key_file::{Edit, rewrite};
use super::{Desk, Done};
use crate::answer::{Declined, Refusal};
use crate::app::App;
use crate::config::from_file;
use crate::json::Strict;
use crate::time::Rfc3339;
use crate::tokens::hex;

/// Which step, and why; nothing at all is a rotation in one step.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Rotation {
    step: Steps,
    /// The key that is promoted.
    key_id: Option<String>,
    reason: Option<String>,
}

/// How far a rotation goes at once. A fleet, and whoever checks tokens by the public keys, should
/// know a key before it makes anything: publish it, wait, and promote it.
#[derive(Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Steps {
    /// A new key is the current one at once.
    #[default]
    Both,
    /// A new key is known, and makes nothing yet.
    Publish,
    /// A key that is known becomes the current one.
    Promote,
}

/// Of two rotations at once the second must not be written over the first.
static ONE_AT_A_TIME: Mutex<()> = Mutex::const_new(());

pub(super) fn routes() -> Api<Arc<App>> {
    let rotation = Schema::object([
        ("step?", Schema::word(["both", "publish", "promote"])),
        ("key_id?", Schema::text().or_null()),
        ("reason?", Schema::text().or_null()),
    ]);
    let rotate = Operation::post("Begins a new key for codes that are issued from now on")
        .may_take(rotation)
        .gives(200, Done::schema())
        .at_desk()
        .refuses([
            Refusal::NO_KEY_FILE,
            Refusal::KEYS_NOT_WRITTEN,
            Refusal::UNKNOWN_KEY,
        ]);
    let uses = Schema::object([
        ("what", Schema::text()),
        ("count", Schema::integer()),
        ("until", Schema::time().or_null()),
    ]);
    let key = Schema::object([
        ("id", Schema::text()),
        ("role", Schema::text()),
        ("verdict", Schema::text()),
        ("may_go_at", Schema::time().or_null()),
        ("uses", Schema::list(&uses)),
    ]);
    let told = Schema::object([
        ("at", Schema::time()),
        ("overlap_seconds", Schema::integer()),
        ("keys", Schema::list(&key)),
    ]);
    let report = Operation::get("Says what hangs on each key")
        .gives(200, told)
        .at_desk();
    Api::new()
        .operation("/admin/otp/keys/rotate", rotate, self::rotate)
        .operation("/admin/otp/keys", report, self::report)
}

pub(super) async fn rotate(
    State(app): State<Arc<App>>,
    desk: Desk,
    rotation: Rotation,
) -> Result<Json<Done>, Declined> {
    let operator = desk.operator(&app.verifier, rotation.reason.as_deref())?;
    let file = app.key_file.clone().ok_or(Refusal::NO_KEY_FILE)?;
    let _turn = ONE_AT_A_TIME.lock().await;
    let (id, edit, word) = rotation.change(app.verifier.keys())?;
    operator.record(word).await?;
    if desk.mode() == Mode::Apply {
        let written = tokio::task::spawn_blocking(move || {
            rewrite(&file, &edit).map_err(|error| error.kind().to_string())?;
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

impl<S: Send + Sync> FromRequest<S> for Rotation {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let (parts, body) = request.into_parts();
        if body.is_end_stream() {
            return Ok(Self::default());
        }
        let request = Request::from_parts(parts, body);
        let Strict(rotation) = Strict::from_request(request, state).await?;
        Ok(rotation)
    }
}

impl Rotation {
    /// Says which key it is about, what becomes of the file, and its word in the record.
    fn change(self, keys: &KeyRing) -> Result<(String, Edit, &'static str), Refusal> {
        let new = || new_key().map_err(|_| Refusal::KEYS_NOT_WRITTEN);
        match (self.step, self.key_id) {
            (Steps::Both, None) => {
                let (id, line) = new()?;
                Ok((id, Edit::First(line), "rotate_keys"))
            }
            (Steps::Publish, None) => {
                let (id, line) = new()?;
                Ok((id, Edit::Last(line), "publish_key"))
            }
            (Steps::Promote, Some(id)) => {
                let known = KeyId::new(&id).map_err(|_| Refusal::UNKNOWN_KEY)?;
                let keys = keys.snapshot();
                keys.get(&known).ok_or(Refusal::UNKNOWN_KEY)?;
                Ok((id.clone(), Edit::Promoted(id), "promote_key"))
            }
            _ => Err(Refusal::UNKNOWN_KEY),
        }
    }
}

/// Says what hangs on each key. The overlap is how long one that was replaced must stay whatever
/// the report says, for access tokens that are out.
pub(super) async fn report(
    State(app): State<Arc<App>>,
    desk: Desk,
) -> Result<Json<Value>, Declined> {
    let operator = desk.operator(&app.verifier, None)?;
    let sessions = &app.door.sessions;
    let uses = sessions.key_uses().await;
    let mut uses = uses.map_err(|_| Refusal::UNAVAILABLE)?;
    if let Some(sealer) = app.verifier.sealer() {
        uses.extend(sealer.store().sealed_by().await?);
    }
    let report = operator.key_report(uses).await?;
    let keys: Vec<Value> = report.keys.iter().map(standing).collect();
    Ok(Json(json!({
        "at": Rfc3339::from(report.at).to_string(),
        "overlap_seconds": sessions.overlap().as_secs(),
        "keys": keys,
    })))
}

fn standing(one: &KeyStanding) -> Value {
    let shown = |time: Timestamp| Rfc3339::from(time).to_string();
    let may_go_at = match one.verdict {
        KeyVerdict::MayGoAt(time) => Some(shown(time)),
        _ => None,
    };
    let uses = one.uses.iter().map(|held| {
        json!({
            "what": held.hold.name(),
            "count": held.count,
            "until": held.until.map(shown),
        })
    });
    json!({
        "id": one.key.as_str(),
        "role": one.role.name(),
        "verdict": one.verdict.name(),
        "may_go_at": may_go_at,
        "uses": uses.collect::<Vec<_>>(),
    })
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
