//! A stored form, taken apart strictly.

use base64::{
    Engine,
    engine::{GeneralPurpose, general_purpose::STANDARD_NO_PAD},
};

use super::{ARGON2ID, BCRYPT, BCRYPT_BASE64, KEYED, MalformedHash, StoredHash};
use crate::{
    hash::{
        Algorithm, Argon2Params, BcryptCost,
        argon2id::{SALT_LEN, TAG_LEN},
        bcrypt,
        scheme::Scheme,
    },
    key::KeyId,
};

/// A stored form taken apart, on the stack.
pub(in crate::hash) struct Parsed {
    pub(in crate::hash) key_id: KeyId,
    pub(in crate::hash) form: Form,
}

pub(in crate::hash) enum Form {
    Keyed([u8; 32]),
    Argon2id {
        params: Argon2Params,
        salt: Short,
        tag: Short,
    },
    Bcrypt {
        cost: BcryptCost,
        salt: [u8; bcrypt::SALT_LEN],
        tag: [u8; bcrypt::TAG_LEN],
    },
}

impl Form {
    pub(in crate::hash) const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Keyed(_) => Algorithm::Keyed,
            Self::Argon2id { .. } => Algorithm::Argon2id,
            Self::Bcrypt { .. } => Algorithm::Bcrypt,
        }
    }

    /// Says whether the scheme writes exactly this form today.
    pub(in crate::hash) fn is_written_by(&self, scheme: Scheme) -> bool {
        match (self, scheme) {
            (Self::Keyed(_), Scheme::Keyed) => true,
            (Self::Argon2id { params, salt, tag }, Scheme::Argon2id(written)) => {
                *params == written
                    && salt.as_slice().len() == SALT_LEN
                    && tag.as_slice().len() == TAG_LEN
            }
            (Self::Bcrypt { cost, .. }, Scheme::Bcrypt(written)) => *cost == written,
            _ => false,
        }
    }
}

/// Up to 64 bytes, without an allocation.
pub(in crate::hash) struct Short {
    bytes: [u8; Self::MAX_LEN],
    len: usize,
}

impl Short {
    const MAX_LEN: usize = 64;

    /// Makes room for `len` bytes, all zero; for more than 64 there is room for 64.
    pub(in crate::hash) fn zeroed(len: usize) -> Self {
        Self {
            bytes: [0; Self::MAX_LEN],
            len: len.min(Self::MAX_LEN),
        }
    }

    pub(in crate::hash) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    pub(in crate::hash) fn as_mut_slice(&mut self) -> &mut [u8] {
        self.bytes.get_mut(..self.len).unwrap_or_default()
    }
}

impl Parsed {
    pub(in crate::hash) fn read(text: &str) -> Result<Self, MalformedHash> {
        if text.len() > StoredHash::MAX_LEN {
            return Err(MalformedHash::TooLong);
        }
        if let Some(rest) = text.strip_prefix(KEYED) {
            Self::keyed(rest)
        } else if let Some(rest) = text.strip_prefix(ARGON2ID) {
            Self::argon2id(rest)
        } else if let Some(rest) = text.strip_prefix(BCRYPT) {
            Self::bcrypt(rest)
        } else {
            Err(MalformedHash::UnknownAlgorithm)
        }
    }

    fn keyed(rest: &str) -> Result<Self, MalformedHash> {
        let [params, digest] = split(rest, '$')?;
        let [key_id] = split(params, ',')?;
        Ok(Self {
            key_id: read_key_id(key_id)?,
            form: Form::Keyed(exactly(&STANDARD_NO_PAD, digest)?),
        })
    }

    fn argon2id(rest: &str) -> Result<Self, MalformedHash> {
        let [params, salt, tag] = split(rest, '$')?;
        let [memory, passes, lanes, key_id] = split(params, ',')?;
        let params = Argon2Params::stored(
            number(memory, "m=")?,
            number(passes, "t=")?,
            number(lanes, "p=")?,
        )
        .ok_or(MalformedHash::OutOfRange)?;
        let form = Form::Argon2id {
            params,
            salt: between(8, salt)?,
            tag: between(16, tag)?,
        };
        Ok(Self {
            key_id: read_key_id(key_id)?,
            form,
        })
    }

    fn bcrypt(rest: &str) -> Result<Self, MalformedHash> {
        let [params, salt, tag] = split(rest, '$')?;
        let [cost, key_id] = split(params, ',')?;
        let cost = BcryptCost::new(number(cost, "c=")?).map_err(|_| MalformedHash::OutOfRange)?;
        let form = Form::Bcrypt {
            cost,
            salt: exactly(&BCRYPT_BASE64, salt)?,
            tag: exactly(&BCRYPT_BASE64, tag)?,
        };
        Ok(Self {
            key_id: read_key_id(key_id)?,
            form,
        })
    }
}

/// Splits into exactly `N` parts.
fn split<const N: usize>(text: &str, separator: char) -> Result<[&str; N], MalformedHash> {
    let mut found = text.split(separator);
    let mut parts = [""; N];
    for part in &mut parts {
        *part = found.next().ok_or(MalformedHash::Syntax)?;
    }
    if found.next().is_some() {
        Err(MalformedHash::Syntax)
    } else {
        Ok(parts)
    }
}

fn read_key_id(field: &str) -> Result<KeyId, MalformedHash> {
    let id = field.strip_prefix("keyid=").ok_or(MalformedHash::Syntax)?;
    KeyId::new(id).map_err(|_| MalformedHash::Syntax)
}

/// Reads a decimal number without sign or leading zero.
fn number(field: &str, name: &str) -> Result<u32, MalformedHash> {
    let digits = field.strip_prefix(name).ok_or(MalformedHash::Syntax)?;
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !plain || (digits.len() > 1 && digits.starts_with('0')) {
        return Err(MalformedHash::Syntax);
    }
    digits.parse().map_err(|_| MalformedHash::OutOfRange)
}

/// Decodes, strictly: no padding, no other alphabet, no stray bits in the last character.
fn decode(engine: &GeneralPurpose, text: &str) -> Result<([u8; 72], usize), MalformedHash> {
    let mut bytes = [0; 72];
    // The engine wants room for whole groups of three bytes; 86 characters are 64 bytes.
    if text.len() > 86 {
        return Err(MalformedHash::OutOfRange);
    }
    let len = engine
        .decode_slice(text, &mut bytes)
        .map_err(|_| MalformedHash::Syntax)?;
    Ok((bytes, len))
}

fn exactly<const N: usize>(engine: &GeneralPurpose, text: &str) -> Result<[u8; N], MalformedHash> {
    let (bytes, len) = decode(engine, text)?;
    let decoded = bytes.get(..len).unwrap_or_default();
    decoded.try_into().map_err(|_| MalformedHash::OutOfRange)
}

fn between(least: usize, text: &str) -> Result<Short, MalformedHash> {
    let (bytes, len) = decode(&STANDARD_NO_PAD, text)?;
    if !(least..=Short::MAX_LEN).contains(&len) {
        return Err(MalformedHash::OutOfRange);
    }
    let mut short = Short::zeroed(len);
    for (to, from) in short.as_mut_slice().iter_mut().zip(bytes) {
        *to = from;
    }
    Ok(short)
}
