//! What a script answered, read field by field.

use std::collections::HashMap;

use otp_core::clock::Timestamp;
use otp_core::store::{StoreError, StoreErrorKind};
use redis::Value;

use super::corrupt;

/// The answer to one question.
pub(super) struct Reply(Vec<Value>);

impl Reply {
    /// Takes an answer, where it is the one to this call.
    pub(super) fn read(value: Value, call: &str) -> Result<Self, StoreError> {
        let mut parts = list(value)?.into_iter();
        let (echo, status) = (parts.next(), parts.next());
        if echo.map(text).transpose()?.as_deref() != Some(call) {
            return Err(StoreErrorKind::Unavailable.into());
        }
        match status.map(text).transpose()?.as_deref() {
            Some("ok") => Ok(Self(parts.collect())),
            Some("clock") => Err(StoreErrorKind::ClockAnomaly.into()),
            Some("invalid") => Err(StoreErrorKind::Invalid.into()),
            _ => Err(StoreErrorKind::Corrupt.into()),
        }
    }

    fn part(&self, place: usize) -> Result<Value, StoreError> {
        let part = self.0.get(place).cloned();
        part.ok_or_else(|| corrupt("an answer"))
    }

    pub(super) fn text(&self, place: usize) -> Result<String, StoreError> {
        text(self.part(place)?)
    }

    pub(super) fn texts(&self, place: usize) -> Result<Vec<String>, StoreError> {
        texts(self.part(place)?)
    }

    pub(super) fn number(&self, place: usize) -> Result<u64, StoreError> {
        let number = self.text(place)?.parse();
        number.map_err(|_| corrupt("a number"))
    }

    pub(super) fn time(&self, place: usize) -> Result<Timestamp, StoreError> {
        time(&self.text(place)?)
    }

    pub(super) fn lists(&self, place: usize) -> Result<Vec<Vec<String>>, StoreError> {
        list(self.part(place)?)?.into_iter().map(texts).collect()
    }

    pub(super) fn fields(&self, place: usize) -> Result<Option<Fields>, StoreError> {
        let texts = self.texts(place)?;
        Ok((!texts.is_empty()).then(|| Fields::new(texts)))
    }
}

fn list(value: Value) -> Result<Vec<Value>, StoreError> {
    match value {
        Value::Array(parts) => Ok(parts),
        _ => Err(corrupt("an answer")),
    }
}

fn texts(value: Value) -> Result<Vec<String>, StoreError> {
    list(value)?.into_iter().map(text).collect()
}

fn text(value: Value) -> Result<String, StoreError> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).map_err(|_| corrupt("a text")),
        _ => Err(corrupt("an answer")),
    }
}

pub(super) fn time(text: &str) -> Result<Timestamp, StoreError> {
    let millis = text.parse().map_err(|_| corrupt("a time"))?;
    Ok(Timestamp::from_millis(millis))
}

/// A hash, by the names of its fields. An empty text stands for nothing.
pub(super) struct Fields(HashMap<String, String>);

impl Fields {
    pub(super) fn new(texts: Vec<String>) -> Self {
        let mut texts = texts.into_iter();
        let mut fields = HashMap::new();
        while let (Some(name), Some(value)) = (texts.next(), texts.next()) {
            fields.insert(name, value);
        }
        Self(fields)
    }

    pub(super) fn text(&self, name: &'static str) -> Result<&str, StoreError> {
        let text = self.0.get(name).map(String::as_str);
        text.ok_or_else(|| corrupt(name))
    }

    pub(super) fn opt_text(&self, name: &'static str) -> Result<Option<&str>, StoreError> {
        Ok(Some(self.text(name)?).filter(|text| !text.is_empty()))
    }

    pub(super) fn parsed<T>(
        &self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, StoreError> {
        parse(self.text(name)?).ok_or_else(|| corrupt(name))
    }

    pub(super) fn opt_parsed<T>(
        &self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        let text = self.opt_text(name)?;
        text.map(|text| parse(text).ok_or_else(|| corrupt(name)))
            .transpose()
    }

    pub(super) fn count(&self, name: &'static str) -> Result<u32, StoreError> {
        self.parsed(name, |text| text.parse().ok())
    }

    pub(super) fn time(&self, name: &'static str) -> Result<Timestamp, StoreError> {
        time(self.text(name)?)
    }
}
