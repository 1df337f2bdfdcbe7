use std::fmt;
use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use otp_core::clock::Timestamp;
use otp_core::secret::SecretString;
use sha2::{Digest, Sha256};
use url::Url;

use super::AwsCredentials;
use super::calendar::basic_format;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What is signed, beside the credentials and the time.
pub struct SigningInput<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The full address.
    pub url: &'a Url,
    /// Headers to sign beyond `Host`, `X-Amz-Date` and `X-Amz-Security-Token`, which always are:
    /// `Content-Type` where there is a body.
    pub headers: &'a [(&'a str, &'a str)],
    /// The body.
    pub body: &'a [u8],
    /// The region, `us-west-2`.
    pub region: &'a str,
    /// The service's signing name: `ses`, `sns`.
    pub service: &'a str,
}

impl fmt::Debug for SigningInput<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningInput")
            .field("method", &self.method)
            .field("region", &self.region)
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

/// A signature and how it came about. `Debug` shows its time only.
#[derive(Clone)]
pub struct Signature {
    date: String,
    canonical_request: SecretString,
    string_to_sign: String,
    authorization: SecretString,
}

impl Signature {
    /// Gives the value of `X-Amz-Date`: `20250101T000000Z`.
    #[must_use]
    pub fn date(&self) -> &str {
        &self.date
    }

    /// Gives the canonical request, for comparison with Amazon's words in a refusal. It holds the
    /// session token.
    #[must_use]
    pub fn canonical_request(&self) -> &SecretString {
        &self.canonical_request
    }

    /// Gives the string that was signed: a date, a scope and a hash.
    #[must_use]
    pub fn string_to_sign(&self) -> &str {
        &self.string_to_sign
    }

    /// Gives the value of `Authorization`.
    #[must_use]
    pub fn authorization(&self) -> &SecretString {
        &self.authorization
    }
}

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signature")
            .field("date", &self.date)
            .finish_non_exhaustive()
    }
}

/// Signs a request with AWS Signature Version 4, as all services but S3 expect it
/// ([reference](https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html)).
///
/// # Examples
/// ```
/// use otp_core::clock::Timestamp;
/// use otp_providers::aws::{AwsCredentials, SigningInput, sign};
///
/// let signature = sign(
///     &SigningInput {
///         method: "GET",
///         url: &"https://email.eu-west-1.amazonaws.com/v2/email/account".parse()?,
///         headers: &[],
///         body: b"",
///         region: "eu-west-1",
///         service: "ses",
///     },
///     &AwsCredentials::new("AKIDEXAMPLE", "a-secret-access-key")?,
///     Timestamp::from_millis(1_735_689_600_000),
/// );
/// assert_eq!(signature.date(), "20250101T000000Z");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn sign(input: &SigningInput<'_>, credentials: &AwsCredentials, at: Timestamp) -> Signature {
    let date = basic_format(at);
    let day = date.split('T').next().unwrap_or_default();
    let scope = format!("{day}/{}/{}/aws4_request", input.region, input.service);
    let (headers, names) = canonical_headers(input, credentials, &date);
    let canonical_request = SecretString::new(format!(
        "{}\n{}\n{}\n{headers}\n{names}\n{}",
        input.method,
        canonical_path(input.url.path()),
        canonical_query(input.url.query().unwrap_or_default()),
        hex(&Sha256::digest(input.body)),
    ));
    let string_to_sign = format!(
        "{ALGORITHM}\n{date}\n{scope}\n{}",
        hex(&Sha256::digest(canonical_request.expose())),
    );
    let first = SecretString::new(format!("AWS4{}", credentials.secret().expose()));
    let mut key = mac(first.expose().as_bytes(), day);
    for part in [input.region, input.service, "aws4_request"] {
        key = mac(&key, part);
    }
    let authorization = format!(
        "{ALGORITHM} Credential={}/{scope}, SignedHeaders={names}, Signature={}",
        credentials.access_key_id(),
        hex(&mac(&key, &string_to_sign)),
    );
    Signature {
        canonical_request,
        string_to_sign,
        authorization: SecretString::new(authorization),
        date,
    }
}

/// Writes one line a header, sorted by name, and the names.
fn canonical_headers(
    input: &SigningInput<'_>,
    credentials: &AwsCredentials,
    date: &str,
) -> (String, String) {
    let host = match (input.url.host_str().unwrap_or_default(), input.url.port()) {
        (host, Some(port)) => format!("{host}:{port}"),
        (host, None) => host.to_owned(),
    };
    let own = ["host", "x-amz-date", "x-amz-security-token"];
    let mut headers: Vec<(String, String)> = input
        .headers
        .iter()
        .map(|(name, value)| (name.to_ascii_lowercase(), single_spaced(value)))
        .filter(|(name, _)| !own.contains(&name.as_str()))
        .collect();
    headers.push(("host".to_owned(), host));
    headers.push(("x-amz-date".to_owned(), date.to_owned()));
    if let Some(token) = credentials.session_token() {
        headers.push((
            "x-amz-security-token".to_owned(),
            single_spaced(token.expose()),
        ));
    }
    headers.sort();
    let lines = headers
        .iter()
        .map(|(name, value)| format!("{name}:{value}\n"))
        .collect();
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    (lines, names.join(";"))
}

fn single_spaced(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Escapes the path a second time and drops what walks in it, as every service but S3 does.
fn canonical_path(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            _ => kept.push(segment),
        }
    }
    let slash = if path.ends_with('/') && !kept.is_empty() {
        "/"
    } else {
        ""
    };
    escaped(&format!("/{}{slash}", kept.join("/")))
}

/// Sorts the query, which is escaped as it stands.
fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<(&str, &str)> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .collect();
    pairs.sort_unstable();
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    pairs.join("&")
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'/' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            _ if byte.is_ascii_alphanumeric() => out.push(char::from(byte)),
            // Writing to a string does not fail.
            _ => {
                let _ = write!(out, "%{byte:02X}");
            }
        }
    }
    out
}

fn mac(key: &[u8], text: &str) -> [u8; 32] {
    // HMAC takes a key of any length; the type alone says otherwise.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        return [0; 32];
    };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests;
