//! What an engine answered, read field by field.

use std::collections::HashMap;

use otp_core::clock::Timestamp;
use otp_core::store::{StoreError, StoreErrorKind};

use super::corrupt;

/// A piece of an answer.
pub(crate) enum Part {
    Text(String),
    List(Vec<Self>),
}

/// The answer to one question.
pub(crate) struct Reply(Vec<Part>);

impl Reply {
    /// Takes an answer, where it is the one to this call.
    pub(crate) fn read(answer: Part, call: &str) -> Result<Self, StoreError> {
        let Part::List(parts) = answer else {
            return Err(corrupt("an answer"));
        };
        let mut parts = parts.into_iter();
        let (echo, status) = (parts.next(), parts.next());
        if echo.as_ref().map(text).transpose()? != Some(call) {
            return Err(StoreErrorKind::Unavailable.into());
        }
        match status.as_ref().map(text).transpose()? {
            Some("ok") => Ok(Self(parts.collect())),
            Some("clock") => Err(StoreErrorKind::ClockAnomaly.into()),
            Some("invalid") => Err(StoreErrorKind::Invalid.into()),
            Some("full") => Err(StoreErrorKind::Full.into()),
            Some("unavailable") => Err(StoreErrorKind::Unavailable.into()),
            _ => Err(StoreErrorKind::Corrupt.into()),
        }
    }

    fn part(&self, place: usize) -> Result<&Part, StoreError> {
        self.0.get(place).ok_or_else(|| corrupt("an answer"))
    }

    pub(crate) fn text(&self, place: usize) -> Result<&str, StoreError> {
        text(self.part(place)?)
    }

    pub(crate) fn texts(&self, place: usize) -> Result<Vec<String>, StoreError> {
        texts(self.part(place)?)
    }

    pub(crate) fn number(&self, place: usize) -> Result<u64, StoreError> {
        let number = self.text(place)?.parse();
        number.map_err(|_| corrupt("a number"))
    }

    pub(crate) fn time(&self, place: usize) -> Result<Timestamp, StoreError> {
        time(self.text(place)?)
    }

    pub(crate) fn lists(&self, place: usize) -> Result<Vec<Vec<String>>, StoreError> {
        list(self.part(place)?)?.iter().map(texts).collect()
    }

    pub(crate) fn fields(&self, place: usize) -> Result<Option<Fields>, StoreError> {
        let texts = self.texts(place)?;
        Ok((!texts.is_empty()).then(|| Fields::new(texts)))
    }
}

fn list(part: &Part) -> Result<&[Part], StoreError> {
    match part {
        Part::List(parts) => Ok(parts),
        Part::Text(_) => Err(corrupt("an answer")),
    }
}

fn texts(part: &Part) -> Result<Vec<String>, StoreError> {
    let texts = list(part)?.iter();
    texts.map(|part| text(part).map(str::to_owned)).collect()
}

fn text(part: &Part) -> Result<&str, StoreError> {
    match part {
        Part::Text(text) => Ok(text),
        Part::List(_) => Err(corrupt("an answer")),
    }
}

pub(crate) fn time(text: &str) -> Result<Timestamp, StoreError> {
    let millis = text.parse().map_err(|_| corrupt("a time"))?;
    Ok(Timestamp::from_millis(millis))
}

/// A hash, by the names of its fields. An empty text stands for nothing.
pub(crate) struct Fields(HashMap<String, String>);

impl Fields {
    pub(crate) fn new(texts: Vec<String>) -> Self {
        let mut texts = texts.into_iter();
        let mut fields = HashMap::new();
        while let (Some(name), Some(value)) = (texts.next(), texts.next()) {
            fields.insert(name, value);
        }
        Self(fields)
    }

    pub(crate) fn text(&self, name: &'static str) -> Result<&str, StoreError> {
        let text = self.0.get(name).map(String::as_str);
        text.ok_or_else(|| corrupt(name))
    }

    pub(crate) fn opt_text(&self, name: &'static str) -> Result<Option<&str>, StoreError> {
        Ok(Some(self.text(name)?).filter(|text| !text.is_empty()))
    }

    pub(crate) fn parsed<T>(
        &self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, StoreError> {
        parse(self.text(name)?).ok_or_else(|| corrupt(name))
    }

    pub(crate) fn opt_parsed<T>(
        &self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        let text = self.opt_text(name)?;
        text.map(|text| parse(text).ok_or_else(|| corrupt(name)))
            .transpose()
    }

    pub(crate) fn count(&self, name: &'static str) -> Result<u32, StoreError> {
        self.parsed(name, |text| text.parse().ok())
    }

    pub(crate) fn time(&self, name: &'static str) -> Result<Timestamp, StoreError> {
        time(self.text(name)?)
    }
}
