//! What stands in a digest's place where a vendor made the code.

use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD};

use crate::delivery::Reference;
use crate::hash::{Binding, MismatchReason};
use crate::key::{KeyId, KeyMaterial, KeySet, Mac, labelled};

/// No stored form of a code begins like this, so none is ever compared with what was typed; see
/// [`StoredHash`](crate::hash::StoredHash).
const MANAGED: &str = "$managed$v=1$keyid=";
const MAX_LEN: usize = 512;
const MAX_NAME: usize = 32;

/// Names the vendor's verification that a challenge stands on.
///
/// Written as `$managed$v=1$keyid=K$provider$reference$mac`. The MAC binds it to its challenge as
/// a code's digest is bound: moved to another row it is refused before the vendor is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::verifier) struct Held {
    pub(in crate::verifier) provider: String,
    pub(in crate::verifier) reference: Reference,
}

impl Held {
    /// Says whether a stored text is one of these, of whatever version and however broken.
    pub(in crate::verifier) fn is(stored: &str) -> bool {
        stored.starts_with("$managed$")
    }

    /// Writes it under the current key; `None` where the provider's name is no name.
    pub(in crate::verifier) fn write(
        &self,
        keys: &KeySet,
        binding: &Binding<'_>,
    ) -> Option<String> {
        let name = &self.provider;
        let plain = |byte: u8| {
            byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'_')
        };
        let fits = (1..=MAX_NAME).contains(&name.len()) && name.bytes().all(plain);
        let material = keys.current();
        fits.then(|| {
            let mac = self.mac(material, binding);
            let id = material.id();
            let reference = &self.reference;
            let mac = STANDARD_NO_PAD.encode(mac.as_bytes());
            format!("{MANAGED}{id}${name}${reference}${mac}")
        })
    }

    /// Reads it back, with the key that it names.
    pub(in crate::verifier) fn read(
        keys: &KeySet,
        binding: &Binding<'_>,
        stored: &str,
    ) -> Result<Self, MismatchReason> {
        let (held, key_id, mac) = taken_apart(stored).ok_or(MismatchReason::Corrupt)?;
        let material = keys.get(&key_id).ok_or(MismatchReason::UnknownKey)?;
        match held.mac(material, binding).matches(&mac) {
            Ok(()) => Ok(held),
            Err(_) => Err(MismatchReason::Corrupt),
        }
    }

    fn mac(&self, material: &KeyMaterial, binding: &Binding<'_>) -> Mac {
        let parts = [
            material.id().as_str(),
            binding.tenant,
            binding.challenge,
            binding.subject,
            binding.purpose,
            binding.channel,
            binding.destination,
            &self.provider,
            self.reference.as_str(),
        ];
        let parts = parts.map(str::as_bytes);
        labelled(material.code_key(), b"otp-kit managed v1", &parts)
    }
}

fn taken_apart(stored: &str) -> Option<(Held, KeyId, Vec<u8>)> {
    let rest = stored.strip_prefix(MANAGED)?;
    let mut parts = rest.split('$');
    let (key_id, provider) = (parts.next()?, parts.next()?);
    let (reference, mac) = (parts.next()?, parts.next()?);
    if parts.next().is_some() || stored.len() > MAX_LEN {
        return None;
    }
    let held = Held {
        provider: provider.to_owned(),
        reference: Reference::new(reference).ok()?,
    };
    let mac = STANDARD_NO_PAD.decode(mac).ok()?;
    Some((held, KeyId::new(key_id).ok()?, mac))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::{CodeHasher, Comparison, StoredHash};
    use crate::key::KeyRing;
    use crate::random::OsRandom;

    const BINDING: Binding<'_> = Binding {
        tenant: "tenant",
        challenge: "challenge",
        subject: "subject",
        purpose: "login",
        channel: "sms",
        destination: "+14155550123",
    };

    fn held() -> Held {
        Held {
            provider: "acme-verify".to_owned(),
            reference: Reference::new("VE1").expect("a reference"),
        }
    }

    #[test]
    fn it_reads_back_in_its_own_row_and_in_no_other() {
        let keys = KeyRing::generate(&OsRandom).expect("keys").snapshot();
        let text = held().write(&keys, &BINDING).expect("written");
        assert_eq!(Held::read(&keys, &BINDING, &text), Ok(held()));
        for moved in [
            Binding {
                challenge: "other",
                ..BINDING
            },
            Binding {
                subject: "other",
                ..BINDING
            },
            Binding {
                purpose: "mfa",
                ..BINDING
            },
            Binding {
                destination: "+14155550124",
                ..BINDING
            },
        ] {
            let read = Held::read(&keys, &moved, &text);
            assert_eq!(read, Err(MismatchReason::Corrupt));
        }
        let forged = text.replace("VE1", "VE2");
        let read = Held::read(&keys, &BINDING, &forged);
        assert_eq!(read, Err(MismatchReason::Corrupt));
        let others = KeyRing::generate(&OsRandom).expect("keys").snapshot();
        let read = Held::read(&others, &BINDING, &text);
        assert_eq!(read, Err(MismatchReason::UnknownKey));
    }

    #[tokio::test]
    async fn no_typed_text_is_ever_right_against_it() {
        let keys = KeyRing::generate(&OsRandom).expect("keys").snapshot();
        let text = held().write(&keys, &BINDING).expect("written");
        assert!(StoredHash::parse(&text).is_err());
        for typed in ["123456", "VE1", "", text.as_str()] {
            let slot = CodeHasher::keyed().reserve().expect("a slot");
            let compared = slot.verify(&keys, &BINDING, typed, &text).await;
            let corrupt = Comparison::Mismatch(MismatchReason::Corrupt);
            assert_eq!(compared.expect("compared"), corrupt);
        }
    }

    #[test]
    fn a_name_that_is_none_is_not_written() {
        let keys = KeyRing::generate(&OsRandom).expect("keys").snapshot();
        for name in ["", "a$b", "Acme", &"x".repeat(33)] {
            let provider = name.to_owned();
            let named = Held { provider, ..held() };
            assert_eq!(named.write(&keys, &BINDING), None, "{name:?}");
        }
    }
}
