use otp_core::factor::RecoverySet;
use otp_core::secret::SecretString;
use serde::{Serialize, Serializer};

/// A secret that an answer shows this once, wiped when the answer is written.
pub(super) struct Once(SecretString);

impl Once {
    pub(super) fn show(secret: SecretString) -> Self {
        Self(secret)
    }
}

impl Serialize for Once {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.expose())
    }
}

/// Recovery codes, as people write them down.
#[derive(Serialize)]
#[serde(transparent)]
pub(super) struct Codes(Vec<Once>);

impl Codes {
    pub(super) fn of(set: &RecoverySet) -> Self {
        let codes = set.codes().iter();
        Self(codes.map(|code| Once::show(code.to_text())).collect())
    }
}
