use std::path::{Path, PathBuf};

use otp_kit::key::KeyRing;
use otp_kit::random::OsRandom;
use otp_kit::secret::SecretString;

use super::{Environment, Refused};

/// The key ring, and the file that it is read again from where there is one.
pub(crate) struct Keys {
    pub(crate) ring: KeyRing,
    pub(crate) file: Option<PathBuf>,
}

impl Keys {
    /// Takes `OTP_KEYS`, else `OTP_KEYS_FILE`, else `SECRET_KEY`. Development makes its own where
    /// none is set; then no code outlives the process.
    pub(super) fn read(env: &Environment, development: bool) -> Result<Self, Refused> {
        let ring = match (
            env.get("OTP_KEYS"),
            env.get("OTP_KEYS_FILE"),
            env.get("SECRET_KEY"),
        ) {
            (Some(_), Some(_), _) => {
                return Err(Refused::new(
                    "OTP_KEYS",
                    "is set beside OTP_KEYS_FILE: set one",
                ));
            }
            (Some(pairs), None, _) => {
                KeyRing::parse(pairs).map_err(|error| Refused::because("OTP_KEYS", &error))?
            }
            (None, Some(file), _) => {
                let file = PathBuf::from(file);
                let ring = from_file(&file)?;
                return Ok(Self {
                    ring,
                    file: Some(file),
                });
            }
            (None, None, Some(seed)) => KeyRing::from_seed(&SecretString::from(seed))
                .map_err(|error| Refused::because("SECRET_KEY", &error))?,
            (None, None, None) if development => KeyRing::generate(&OsRandom)
                .map_err(|error| Refused::because("OTP_KEYS", &error))?,
            (None, None, None) => {
                return Err(Refused::new(
                    "OTP_KEYS",
                    "is missing: set it, OTP_KEYS_FILE or SECRET_KEY",
                ));
            }
        };
        Ok(Self { ring, file: None })
    }
}

/// Reads a ring from a file, at the start and whenever the file changes.
pub(crate) fn from_file(file: &Path) -> Result<KeyRing, Refused> {
    let text = std::fs::read_to_string(file)
        .map(SecretString::new)
        .map_err(|_| Refused::new("OTP_KEYS_FILE", "names a file that cannot be read"))?;
    KeyRing::parse(text.expose()).map_err(|error| Refused::because("OTP_KEYS_FILE", &error))
}
