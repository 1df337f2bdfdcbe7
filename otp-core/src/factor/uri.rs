//! `otpauth` URIs: how an authenticator is told its secret.
//!
//! There is no RFC; apps follow the key URI format of Google Authenticator's wiki.

use std::fmt::Write as _;
use std::time::Duration;

use thiserror::Error;
use zeroize::Zeroizing;

use super::{FactorKind, Hotp, OtpAlgorithm, OtpDigits, OtpSecret, Totp};
use crate::secret::SecretString;

/// What an app shows beside the code: who issued it and for which account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OtpAccount {
    issuer: String,
    name: String,
}

impl OtpAccount {
    /// Names the issuer and the account, 1 to 64 visible characters each, without a colon: it stands
    /// between the two.
    ///
    /// # Errors
    /// [`InvalidOtpUri::Account`].
    pub fn new(issuer: &str, name: &str) -> Result<Self, InvalidOtpUri> {
        let fits = |text: &str| {
            let characters = text.chars().count();
            (1..=64).contains(&characters)
                && text.trim() == text
                && !text.chars().any(|c| c.is_control() || c == ':')
        };
        if fits(issuer) && fits(name) {
            Ok(Self {
                issuer: issuer.to_owned(),
                name: name.to_owned(),
            })
        } else {
            Err(InvalidOtpUri::Account)
        }
    }

    /// Gives the issuer.
    #[must_use]
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// Gives the account's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// What moves an authenticator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moved {
    Time(Duration),
    Counter(u64),
}

/// An authenticator as a URI: written for enrolment and export, read for import.
///
/// # Examples
/// ```
/// use otp_core::factor::{OtpAccount, OtpSecret, OtpUri};
///
/// let secret = OtpSecret::from_base32("GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ")?;
/// let account = OtpAccount::new("Acme Co", "ann@example.com")?;
/// let uri = OtpUri::totp(account, secret);
/// assert_eq!(
///     uri.to_text().expose(),
///     "otpauth://totp/Acme%20Co:ann%40example.com?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ\
///      &issuer=Acme%20Co&algorithm=SHA1&digits=6&period=30"
/// );
/// let read = OtpUri::parse(uri.to_text().expose())?;
/// assert_eq!(read.account().name(), "ann@example.com");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct OtpUri {
    account: OtpAccount,
    secret: OtpSecret,
    algorithm: OtpAlgorithm,
    digits: OtpDigits,
    moved: Moved,
}

/// The text is no URI of an authenticator that this library works with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum InvalidOtpUri {
    /// Not `otpauth://totp/...` or `otpauth://hotp/...`, or longer than 2,048 bytes.
    #[error("not an otpauth uri")]
    Form,
    /// The issuer or account is missing, too long, has a colon in it, or two issuers are named.
    #[error("an issuer and an account of 1 to 64 characters are needed, without a colon")]
    Account,
    /// The secret is missing or none.
    #[error("no usable secret")]
    Secret,
    /// Another algorithm, number of digits, period or counter than those that are known.
    #[error("an unknown {0}")]
    Parameter(&'static str),
    /// A parameter stands there twice.
    #[error("a parameter is given twice")]
    Twice,
}

const LONGEST: usize = 2_048;
const USUAL_PERIOD: u64 = 30;

impl OtpUri {
    /// Describes an authenticator that goes by the time, as every app takes it.
    #[must_use]
    pub fn totp(account: OtpAccount, secret: OtpSecret) -> Self {
        Self {
            account,
            secret,
            algorithm: OtpAlgorithm::default(),
            digits: OtpDigits::default(),
            moved: Moved::Time(Duration::from_secs(USUAL_PERIOD)),
        }
    }

    /// Describes an authenticator that counts, from a counter on.
    #[must_use]
    pub fn hotp(account: OtpAccount, secret: OtpSecret, counter: u64) -> Self {
        Self {
            moved: Moved::Counter(counter),
            ..Self::totp(account, secret)
        }
    }

    /// Describes an authenticator of any kind; one that counts, from its first counter on.
    pub(crate) fn of_kind(account: OtpAccount, secret: OtpSecret, kind: FactorKind) -> Self {
        Self {
            account,
            secret,
            algorithm: kind.algorithm(),
            digits: kind.digits(),
            moved: match kind {
                FactorKind::Totp { period, .. } => Moved::Time(period),
                FactorKind::Hotp { .. } => Moved::Counter(0),
            },
        }
    }

    /// Sets the next counter of one that counts.
    pub(crate) fn counting_from(mut self, counter: u64) -> Self {
        if let Moved::Counter(next) = &mut self.moved {
            *next = counter;
        }
        self
    }

    /// Says how it makes its codes.
    #[must_use]
    pub fn kind(&self) -> FactorKind {
        let (algorithm, digits) = (self.algorithm, self.digits);
        match self.moved {
            Moved::Time(period) => FactorKind::Totp {
                algorithm,
                digits,
                period,
            },
            Moved::Counter(_) => FactorKind::Hotp { algorithm, digits },
        }
    }

    /// Takes another algorithm. Many apps ignore it and show wrong codes then.
    #[must_use]
    pub fn algorithm(mut self, algorithm: OtpAlgorithm) -> Self {
        self.algorithm = algorithm;
        self
    }

    /// Takes another number of digits.
    #[must_use]
    pub fn digits(mut self, digits: OtpDigits) -> Self {
        self.digits = digits;
        self
    }

    /// Gives whom it is for.
    #[must_use]
    pub fn account(&self) -> &OtpAccount {
        &self.account
    }

    /// Gives the secret.
    #[must_use]
    pub fn secret(&self) -> &OtpSecret {
        &self.secret
    }

    /// Makes the authenticator, where it goes by the time.
    #[must_use]
    pub fn as_totp(&self) -> Option<Totp> {
        match self.moved {
            Moved::Time(period) => {
                Totp::with(&self.secret, self.algorithm, self.digits, period).ok()
            }
            Moved::Counter(_) => None,
        }
    }

    /// Makes the authenticator and its next counter, where it counts.
    #[must_use]
    pub fn as_hotp(&self) -> Option<(Hotp, u64)> {
        match self.moved {
            Moved::Time(_) => None,
            Moved::Counter(counter) => {
                let hotp = Hotp::with(&self.secret, self.algorithm, self.digits);
                Some((hotp, counter))
            }
        }
    }

    /// Writes the URI. It holds the secret: show it to its owner, once, and to nobody else.
    #[must_use]
    pub fn to_text(&self) -> SecretString {
        let OtpAccount { issuer, name } = &self.account;
        let (issuer, name) = (encoded(issuer), encoded(name));
        let kind = match self.moved {
            Moved::Time(_) => "totp",
            Moved::Counter(_) => "hotp",
        };
        let secret = self.secret.to_base32();
        let (secret, algorithm) = (secret.expose(), self.algorithm.name());
        let digits = self.digits.count();
        // Room for all of it at once: what grows leaves copies behind.
        let mut text = String::with_capacity(LONGEST);
        let written = write!(
            text,
            "otpauth://{kind}/{issuer}:{name}?secret={secret}&issuer={issuer}\
             &algorithm={algorithm}&digits={digits}"
        );
        let written = written.and_then(|()| match self.moved {
            Moved::Time(period) => write!(text, "&period={}", period.as_secs()),
            Moved::Counter(counter) => write!(text, "&counter={counter}"),
        });
        debug_assert!(written.is_ok(), "a text takes every write");
        SecretString::new(text)
    }

    /// Reads a URI, as apps and other services write it. Unknown parameters are passed over.
    ///
    /// # Errors
    /// [`InvalidOtpUri`].
    pub fn parse(text: &str) -> Result<Self, InvalidOtpUri> {
        if text.len() > LONGEST {
            return Err(InvalidOtpUri::Form);
        }
        let (scheme, rest) = text.split_once("://").ok_or(InvalidOtpUri::Form)?;
        let (kind, rest) = rest.split_once('/').ok_or(InvalidOtpUri::Form)?;
        let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
        let (label, query) = rest.split_once('?').ok_or(InvalidOtpUri::Form)?;
        if !scheme.eq_ignore_ascii_case("otpauth") {
            return Err(InvalidOtpUri::Form);
        }
        let query = Query::read(query)?;
        let digits = match query.number::<u8>(query.digits, "number of digits")? {
            None => OtpDigits::default(),
            Some(count) => {
                OtpDigits::from_count(count).ok_or(InvalidOtpUri::Parameter("number of digits"))?
            }
        };
        let algorithm = match query.algorithm {
            None => OtpAlgorithm::default(),
            Some(name) => {
                OtpAlgorithm::from_name(name).ok_or(InvalidOtpUri::Parameter("algorithm"))?
            }
        };
        let secret = query.secret.ok_or(InvalidOtpUri::Secret)?;
        let secret = decoded(secret).ok_or(InvalidOtpUri::Secret)?;
        let secret = OtpSecret::from_base32(&secret).map_err(|_| InvalidOtpUri::Secret)?;
        let moved = if kind.eq_ignore_ascii_case("totp") {
            let period = query.number(query.period, "period")?;
            let period = Duration::from_secs(period.unwrap_or(USUAL_PERIOD));
            Totp::with(&secret, algorithm, digits, period)
                .map_err(|_| InvalidOtpUri::Parameter("period"))?;
            Moved::Time(period)
        } else if kind.eq_ignore_ascii_case("hotp") {
            let counter = query.number(query.counter, "counter")?;
            Moved::Counter(counter.ok_or(InvalidOtpUri::Parameter("counter"))?)
        } else {
            return Err(InvalidOtpUri::Form);
        };
        Ok(Self {
            account: account(label, query.issuer)?,
            secret,
            algorithm,
            digits,
            moved,
        })
    }
}

/// Reads the label `issuer:account`, whose issuer a parameter may name instead or as well.
fn account(label: &str, parameter: Option<&str>) -> Result<OtpAccount, InvalidOtpUri> {
    let label = decoded(label).ok_or(InvalidOtpUri::Account)?;
    let parameter = parameter
        .map(|issuer| decoded(issuer).ok_or(InvalidOtpUri::Account))
        .transpose()?;
    let (prefix, name) = match label.split_once(':') {
        Some((issuer, name)) => (Some(issuer.trim()), name.trim()),
        None => (None, label.trim()),
    };
    let parameter = parameter.as_deref().map(|issuer| issuer.trim());
    let issuer = match (prefix, parameter) {
        (Some(one), Some(two)) if one != two => return Err(InvalidOtpUri::Account),
        (Some(issuer), _) | (None, Some(issuer)) => issuer,
        // Whoever does not say it: the account's name stands for itself.
        (None, None) => name,
    };
    OtpAccount::new(issuer, name)
}

/// The parameters that are known, still encoded.
#[derive(Default)]
struct Query<'t> {
    secret: Option<&'t str>,
    issuer: Option<&'t str>,
    algorithm: Option<&'t str>,
    digits: Option<&'t str>,
    period: Option<&'t str>,
    counter: Option<&'t str>,
}

impl<'t> Query<'t> {
    fn read(text: &'t str) -> Result<Self, InvalidOtpUri> {
        let mut query = Self::default();
        for pair in text.split('&') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let place = match name {
                "secret" => &mut query.secret,
                "issuer" => &mut query.issuer,
                "algorithm" => &mut query.algorithm,
                "digits" => &mut query.digits,
                "period" => &mut query.period,
                "counter" => &mut query.counter,
                _ => continue,
            };
            if place.replace(value).is_some() {
                return Err(InvalidOtpUri::Twice);
            }
        }
        Ok(query)
    }

    fn number<N: std::str::FromStr>(
        &self,
        text: Option<&str>,
        name: &'static str,
    ) -> Result<Option<N>, InvalidOtpUri> {
        let number = |text: &str| {
            let plain = text.bytes().all(|byte| byte.is_ascii_digit());
            let number = if plain { text.parse().ok() } else { None };
            number.ok_or(InvalidOtpUri::Parameter(name))
        };
        text.map(number).transpose()
    }
}

/// Encodes all but what RFC 3986 section 2.3 leaves as it is.
fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            let high = char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0');
            let low = char::from_digit(u32::from(byte & 15), 16).unwrap_or('0');
            out.extend(['%', high.to_ascii_uppercase(), low.to_ascii_uppercase()]);
        }
    }
    out
}

/// Decodes `%41` and, as some services write it, `+`.
fn decoded(text: &str) -> Option<Zeroizing<String>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                let (high, low) = (digit()?, digit()?);
                u8::try_from(high * 16 + low).ok()?
            }
            b'+' => b' ',
            byte => byte,
        });
    }
    let text = std::str::from_utf8(&bytes).ok()?;
    Some(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests;
