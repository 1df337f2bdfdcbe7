//! What a code's digest is made over.

use std::fmt;

use crate::key::{KeyMaterial, Mac, labelled};

/// Names everything that a code is issued for; a digest made for one binding never fits another.
///
/// All fields go into the digest with their lengths, so that no value can lend characters to its neighbour.
/// `Debug` leaves out who it is for.
#[derive(Clone, Copy)]
pub struct Binding<'a> {
    /// The tenant.
    pub tenant: &'a str,
    /// The challenge's id.
    pub challenge: &'a str,
    /// The host's id of the user.
    pub subject: &'a str,
    /// What the code is for, such as `login`.
    pub purpose: &'a str,
    /// How it is sent, such as `sms`.
    pub channel: &'a str,
    /// Where it is sent, in full.
    pub destination: &'a str,
}

impl Binding<'_> {
    /// Makes the code's digest under the key.
    pub(super) fn digest(&self, material: &KeyMaterial, code: &str) -> Mac {
        let parts = [
            material.id().as_str(),
            self.tenant,
            self.challenge,
            self.subject,
            self.purpose,
            self.channel,
            self.destination,
            code,
        ];
        labelled(
            material.code_key(),
            b"otp-kit code v1",
            &parts.map(str::as_bytes),
        )
    }

    /// Makes the digest of a link's secret under the key. Of 256 random bits a keyed digest is
    /// enough: nobody searches for them (NIST SP 800-63B section 3.1.1.2).
    pub(crate) fn link_digest(&self, material: &KeyMaterial, secret: &[u8]) -> Mac {
        let parts = [
            material.id().as_str().as_bytes(),
            self.tenant.as_bytes(),
            self.challenge.as_bytes(),
            self.subject.as_bytes(),
            self.purpose.as_bytes(),
            self.channel.as_bytes(),
            self.destination.as_bytes(),
            secret,
        ];
        labelled(material.code_key(), b"otp-kit link v1", &parts)
    }
}

impl fmt::Debug for Binding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Binding")
            .field("tenant", &self.tenant)
            .field("purpose", &self.purpose)
            .field("channel", &self.channel)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        key::{Key, KeyId, KeyRing},
        random::OsRandom,
        secret::SecretBytes,
    };

    const BINDING: Binding<'_> = Binding {
        tenant: "tenant",
        challenge: "challenge",
        subject: "subject",
        purpose: "login",
        channel: "sms",
        destination: "+14155550123",
    };

    #[test]
    fn moving_any_field_moves_the_digest() {
        let keys = KeyRing::generate(&OsRandom).unwrap().snapshot();
        let digest = BINDING.digest(keys.current(), "123456");
        let moved = [
            Binding {
                tenant: "other",
                ..BINDING
            },
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
                channel: "voice",
                ..BINDING
            },
            Binding {
                destination: "+14155550124",
                ..BINDING
            },
            // The same characters with the boundary between two fields moved.
            Binding {
                tenant: "tenantc",
                challenge: "hallenge",
                ..BINDING
            },
            Binding {
                channel: "sms+",
                destination: "14155550123",
                ..BINDING
            },
            Binding {
                purpose: "",
                channel: "loginsms",
                ..BINDING
            },
        ];
        for binding in moved {
            assert!(
                binding
                    .digest(keys.current(), "123456")
                    .matches(digest.as_bytes())
                    .is_err(),
                "{binding:?}"
            );
        }
        assert!(
            BINDING
                .digest(keys.current(), "123457")
                .matches(digest.as_bytes())
                .is_err()
        );
        assert!(
            BINDING
                .digest(keys.current(), "123456")
                .matches(digest.as_bytes())
                .is_ok()
        );
    }

    #[test]
    fn the_same_secret_under_another_key_id_gives_another_digest() {
        let ring = |id| {
            KeyRing::new(Key::new(KeyId::new(id).unwrap(), &SecretBytes::new(vec![3; 32])).unwrap())
                .snapshot()
        };
        let digest = BINDING.digest(ring("a").current(), "123456");
        assert!(
            BINDING
                .digest(ring("b").current(), "123456")
                .matches(digest.as_bytes())
                .is_err()
        );
    }

    #[test]
    fn debug_does_not_tell_who_it_is_for() {
        let shown = format!("{BINDING:?}");
        assert!(
            !shown.contains("subject") && !shown.contains("+1415"),
            "{shown}"
        );
    }
}
