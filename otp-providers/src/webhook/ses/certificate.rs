use std::fmt::{self, Debug};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, RsaParameters,
    UnparsedPublicKey,
};
use thiserror::Error;
use url::{Host, Url};

use super::super::{WebhookError, async_trait};

/// The address of a signing certificate of Amazon SNS: `https`, a host of SNS, ending in `.pem`.
#[derive(Clone, PartialEq, Eq)]
pub struct CertificateUrl(Url);

/// The address is not one that Amazon SNS signs from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a certificate url is https, on a host of amazon sns, and ends in .pem")]
pub struct InvalidCertificateUrl;

impl CertificateUrl {
    /// Reads and checks an address.
    ///
    /// # Errors
    /// [`InvalidCertificateUrl`] for any other host, scheme, port, user, query or fragment.
    ///
    /// # Examples
    /// ```
    /// use otp_providers::webhook::CertificateUrl;
    ///
    /// assert!(CertificateUrl::parse("https://sns.eu-west-1.amazonaws.com/S-0.pem").is_ok());
    /// assert!(CertificateUrl::parse("https://sns.eu-west-1.amazonaws.com.evil.example/S-0.pem").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self, InvalidCertificateUrl> {
        match amazon_url(text) {
            Some(url) if url.query().is_none() && url.path().ends_with(".pem") => Ok(Self(url)),
            _ => Err(InvalidCertificateUrl),
        }
    }

    /// Gives the address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(super) fn as_url(&self) -> &Url {
        &self.0
    }
}

impl Debug for CertificateUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CertificateUrl")
            .field(&self.as_str())
            .finish()
    }
}

/// Reads an address on a host of Amazon SNS: `sns.REGION.amazonaws.com` or the same under `.cn`,
/// over HTTPS on its own port.
pub(super) fn amazon_url(text: &str) -> Option<Url> {
    // What a URL parser would drop or turn is refused, so that what is checked is what is fetched.
    if text.contains('\\') || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return None;
    }
    let url = Url::parse(text).ok()?;
    let bare = url.scheme() == "https"
        && url.port().is_none()
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none();
    let Some(Host::Domain(host)) = url.host() else {
        return None;
    };
    let host = host.strip_suffix(".cn").unwrap_or(host);
    let region = host.strip_prefix("sns.")?.strip_suffix(".amazonaws.com")?;
    let fits = region.len() >= 3
        && region
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (bare && fits).then_some(url)
}

/// The largest certificate that is taken, in bytes.
pub(super) const LARGEST_CERTIFICATE: usize = 64 * 1024;

/// A certificate could not be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a certificate could not be fetched")]
pub struct CertificateUnavailable;

/// Fetches signing certificates. This crate opens no connection for it.
///
/// # Contract
/// - One GET of exactly this address, over verified TLS, without following redirects: that the
///   bytes come from that host is all that makes the certificate Amazon's.
/// - Anything but 200, and a body over 64 KiB, is [`CertificateUnavailable`].
/// - The call ends by itself, and the future may be dropped at any point.
#[async_trait]
pub trait CertificateSource: Debug + Send + Sync + 'static {
    /// Fetches a certificate in PEM.
    ///
    /// # Errors
    /// [`CertificateUnavailable`] where it cannot be had now.
    async fn fetch(&self, url: &CertificateUrl) -> Result<Vec<u8>, CertificateUnavailable>;
}

/// An RSA public key, as PKCS #1 has it.
#[derive(Clone)]
pub(super) struct RsaKey(Arc<[u8]>);

impl RsaKey {
    /// Takes the key out of the first certificate of a PEM text (RFC 7468, RFC 5280).
    pub(super) fn of_pem(pem: &[u8]) -> Option<Self> {
        let pem = std::str::from_utf8(pem).ok()?;
        let (_, rest) = pem.split_once("-----BEGIN CERTIFICATE-----")?;
        let (base64, _) = rest.split_once("-----END CERTIFICATE-----")?;
        let base64: String = base64
            .chars()
            .filter(|c| !c.is_ascii_whitespace())
            .collect();
        let der = STANDARD.decode(base64).ok()?;
        Some(Self(rsa_key(&der)?.into()))
    }

    pub(super) fn verify_sha256(&self, text: &[u8], signature: &[u8]) -> Result<(), WebhookError> {
        self.verify(&RSA_PKCS1_2048_8192_SHA256, text, signature)
    }

    pub(super) fn verify_sha1(&self, text: &[u8], signature: &[u8]) -> Result<(), WebhookError> {
        self.verify(
            &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
            text,
            signature,
        )
    }

    fn verify(
        &self,
        how: &'static RsaParameters,
        text: &[u8],
        signature: &[u8],
    ) -> Result<(), WebhookError> {
        UnparsedPublicKey::new(how, &self.0)
            .verify(text, signature)
            .map_err(|_| WebhookError::BadSignature)
    }
}

const INTEGER: u8 = 0x02;
const BIT_STRING: u8 = 0x03;
const SEQUENCE: u8 = 0x30;
const VERSION: u8 = 0xa0;
/// `rsaEncryption` with its empty parameters (RFC 3279 section 2.3.1).
const RSA: [u8; 13] = [
    0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
];

/// Walks to the key of a certificate: of `tbsCertificate` it follows version, serial number,
/// signature, issuer, validity and subject (RFC 5280 section 4.1).
fn rsa_key(der: &[u8]) -> Option<&[u8]> {
    let (certificate, _) = element(der, SEQUENCE)?;
    let (mut rest, _) = element(certificate, SEQUENCE)?;
    if let Some((_, after)) = element(rest, VERSION) {
        rest = after;
    }
    for tag in [INTEGER, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE] {
        (_, rest) = element(rest, tag)?;
    }
    let (info, _) = element(rest, SEQUENCE)?;
    let (algorithm, rest) = element(info, SEQUENCE)?;
    let (bits, _) = element(rest, BIT_STRING)?;
    match bits.split_first() {
        Some((0, key)) if algorithm == RSA => Some(key),
        _ => None,
    }
}

/// Reads one element of DER: what it holds, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let [found, length, rest @ ..] = der else {
        return None;
    };
    if *found != tag {
        return None;
    }
    let (length, rest) = match (*length, rest) {
        (short @ 0..=0x7f, rest) => (usize::from(short), rest),
        (0x81, [length, rest @ ..]) => (usize::from(*length), rest),
        (0x82, [high, low, rest @ ..]) => (usize::from(*high) << 8 | usize::from(*low), rest),
        _ => return None,
    };
    rest.split_at_checked(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_amazon_sns_are_fetched() {
        for good in [
            "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0.pem",
            "https://sns.cn-north-1.amazonaws.com.cn/SimpleNotificationService-0.pem",
            "https://sns.us-gov-west-1.amazonaws.com:443/a/b.pem",
        ] {
            assert!(CertificateUrl::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "http://sns.us-east-1.amazonaws.com/x.pem",
            "https://sns.us-east-1.amazonaws.com.evil.example/x.pem",
            "https://evil.example/sns.us-east-1.amazonaws.com/x.pem",
            "https://sns.us-east-1.amazonaws.com@evil.example/x.pem",
            "https://evil.example\\@sns.us-east-1.amazonaws.com/x.pem",
            "https://sns.us-east-1.amazonaws.com\\.evil.example/x.pem",
            "https://user@sns.us-east-1.amazonaws.com/x.pem",
            "https://sns.us-east-1.amazonaws.com:8443/x.pem",
            "https://sns.us-east-1.amazonaws.com/x.pem?a=b",
            "https://sns.us-east-1.amazonaws.com/x.pem#.pem",
            "https://sns.us-east-1.amazonaws.com/x?.pem",
            "https://sns.us-east-1.amazonaws.com/x.txt",
            "https://sns.a.b.amazonaws.com/x.pem",
            "https://sns.us.amazonaws.com/x.pem",
            "https://sqs.us-east-1.amazonaws.com/x.pem",
            "https://xsns.us-east-1.amazonaws.com/x.pem",
            "https://sns.us-east-1xamazonaws.com/x.pem",
            "https://sns.us-east-1.amazonaws.com./x.pem",
            "https://sns.us-east-1.amazonaws.com.cn.cn/x.pem",
            "https://sns.us-east-1.ama\nzonaws.com/x.pem",
            "//sns.us-east-1.amazonaws.com/x.pem",
            "file:///etc/x.pem",
            "https://[::1]/x.pem",
            "https://169.254.169.254/x.pem",
            "",
        ] {
            assert!(CertificateUrl::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn der_that_is_cut_or_no_certificate_holds_no_key() {
        for bad in [
            &[][..],
            &[0x30],
            &[0x30, 0x82, 0xff],
            &[0x30, 0x84, 1, 1, 1, 1],
            &[0x30, 0x03, 0x02, 1, 1],
        ] {
            assert_eq!(rsa_key(bad), None);
        }
        for bad in [
            &b""[..],
            b"\xff",
            b"-----BEGIN CERTIFICATE-----!!-----END CERTIFICATE-----",
        ] {
            assert!(RsaKey::of_pem(bad).is_none());
        }
    }
}
