use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use thiserror::Error;

use super::{Brand, Catalogue, Locale, Template};
use crate::challenge::{Code, CodeFormat};
use crate::delivery::SmsLength;
use crate::destination::Channel;
use crate::request::Purpose;

/// The longest text that Android's SMS Retriever reads.
pub(super) const RETRIEVER_BYTES: usize = 140;

/// A text message that a catalogue would write cannot go out.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the text message in {} for {} {reason}", locale.as_str(), purpose.as_str())]
#[non_exhaustive]
pub struct UnfitText {
    /// The language.
    pub locale: Locale,
    /// What the code is for.
    pub purpose: Purpose,
    /// What is wrong with it.
    pub reason: UnfitReason,
}

/// What is wrong with a text message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum UnfitReason {
    /// It takes more than one segment.
    #[error("takes {units} of the {places} places of one segment")]
    Segments {
        /// The places that it takes: septets of GSM-7, or UTF-16 units.
        units: usize,
        /// The places that there are.
        places: usize,
    },
    /// It names an Android app, which does not read so long a message.
    #[error("takes {bytes} of the 140 bytes that android reads")]
    Retriever {
        /// Its length in UTF-8.
        bytes: usize,
    },
    /// The code is not in it.
    #[error("is without the code")]
    NoCode,
    /// The catalogue panicked.
    #[error("could not be written")]
    Panicked,
}

/// Measures the text message of every locale and purpose.
pub(crate) fn check<'a>(
    catalogue: &dyn Catalogue,
    brand: &Brand,
    purposes: impl Iterator<Item = (&'a Purpose, CodeFormat)> + Clone,
    expires_in: Duration,
) -> Result<(), UnfitText> {
    for locale in catalogue.locales() {
        for (purpose, format) in purposes.clone() {
            let code = Code::specimen(format);
            let template = Template {
                channel: Channel::Sms,
                purpose,
                locale: &locale,
                brand,
                code: &code,
                link: None,
                expires_in,
            };
            measure(catalogue, &template).map_err(|reason| UnfitText {
                locale: locale.clone(),
                purpose: purpose.clone(),
                reason,
            })?;
        }
    }
    Ok(())
}

fn measure(catalogue: &dyn Catalogue, template: &Template<'_>) -> Result<(), UnfitReason> {
    let rendered = catch_unwind(AssertUnwindSafe(|| catalogue.render(template)));
    let text = rendered.map_err(|_panic| UnfitReason::Panicked)?.text;
    let length = SmsLength::of(&text);
    if length.segments() > 1 {
        return Err(UnfitReason::Segments {
            units: length.units(),
            places: length.encoding().one_segment(),
        });
    }
    if !text.contains(template.code.expose()) {
        return Err(UnfitReason::NoCode);
    }
    if template.brand.app().is_some() && text.len() > RETRIEVER_BYTES {
        return Err(UnfitReason::Retriever { bytes: text.len() });
    }
    Ok(())
}
