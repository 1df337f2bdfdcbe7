use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

use super::{WebhookError, WebhookSecret};

/// Makes HMAC-SHA-256 (RFC 2104) over the parts as one text.
pub(super) fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> Result<[u8; 32], WebhookError> {
    let mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| WebhookError::BadSignature)?;
    let mac = parts.iter().fold(mac, |mac, part| mac.chain_update(part));
    Ok(mac.finalize().into_bytes().into())
}

pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// Writes bytes as lower-case hexadecimal digits.
pub(super) fn hex(bytes: &[u8]) -> String {
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    let digit = |nibble: u8| DIGITS.get(usize::from(nibble)).copied().unwrap_or('0');
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// Compares the presented signatures with what each of the secrets makes, every pair in constant
/// time and none left out, so that the time tells neither how much fits nor which secret is used.
pub(super) fn any_fits<'a>(
    secrets: impl IntoIterator<Item = &'a WebhookSecret>,
    presented: &[&str],
    make: impl Fn(&[u8]) -> Result<Vec<String>, WebhookError>,
) -> Result<(), WebhookError> {
    let mut fits = Choice::from(0);
    for secret in secrets {
        for expected in make(secret.bytes())? {
            for given in presented {
                fits |= expected.as_bytes().ct_eq(given.as_bytes());
            }
        }
    }
    settled(fits)
}

/// Compares two texts in constant time; their lengths are no secret.
pub(super) fn same(expected: &str, given: &str) -> Result<(), WebhookError> {
    settled(expected.as_bytes().ct_eq(given.as_bytes()))
}

fn settled(fits: Choice) -> Result<(), WebhookError> {
    if bool::from(fits) {
        Ok(())
    } else {
        Err(WebhookError::BadSignature)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, test case 2.
    #[test]
    fn the_mac_is_the_one_of_the_standard() {
        let mac = hmac_sha256(b"Jefe", &[b"what do ya want ", b"for nothing?"]).expect("any key");
        assert_eq!(
            hex(&mac),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }

    #[test]
    fn no_prefix_and_no_extension_of_a_signature_fits() {
        for given in ["", "a", "ab", "abcd", "abd", "ABC"] {
            assert_eq!(
                same("abc", given),
                Err(WebhookError::BadSignature),
                "{given}"
            );
        }
        assert_eq!(same("abc", "abc"), Ok(()));
    }
}
