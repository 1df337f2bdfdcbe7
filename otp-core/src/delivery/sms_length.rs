/// What GSM 03.38 has beyond ASCII.
const GSM7_BEYOND_ASCII: &str = "£¥èéùìòÇØøÅåΔΦΓΛΩΠΨΣΘΞÆæßÉ¤¡ÄÖÑÜ§¿äöñüà";
/// What stands in its extension table, and takes two places.
const GSM7_EXTENSION: &str = "^{}\\[~]|€\u{c}";

/// How a text message is written on the air.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SmsEncoding {
    /// The seven-bit alphabet of GSM 03.38: 160 places in one segment, 153 in each of several.
    Gsm7,
    /// UCS-2, for every other text: 70 places in one segment, 67 in each of several.
    Ucs2,
}

impl SmsEncoding {
    /// Gives the places of a message of one segment.
    #[must_use]
    pub const fn one_segment(self) -> usize {
        match self {
            Self::Gsm7 => 160,
            Self::Ucs2 => 70,
        }
    }

    const fn of_several(self) -> usize {
        match self {
            Self::Gsm7 => 153,
            Self::Ucs2 => 67,
        }
    }
}

/// How long a text is as a text message: what carriers count, and bill, it by.
///
/// Source: 3GPP TS 23.038 section 6.2.1 (alphabet and extension table), TS 23.040 section 9.2.3.24.1.
///
/// # Examples
/// ```
/// use otp_core::delivery::{SmsEncoding, SmsLength};
///
/// let plain = SmsLength::of("123456 is your code. Price: 5€");
/// assert_eq!((plain.encoding(), plain.units(), plain.segments()), (SmsEncoding::Gsm7, 31, 1));
///
/// let accented = SmsLength::of(&"ê".repeat(71));
/// assert_eq!((accented.encoding(), accented.segments()), (SmsEncoding::Ucs2, 2));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SmsLength {
    encoding: SmsEncoding,
    units: usize,
    segments: usize,
}

impl SmsLength {
    /// Measures a text. One character that GSM-7 has not makes the whole of it UCS-2.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let widths: Option<Vec<usize>> = text.chars().map(gsm7_width).collect();
        let (encoding, widths) = match widths {
            Some(widths) => (SmsEncoding::Gsm7, widths),
            None => (
                SmsEncoding::Ucs2,
                text.chars().map(char::len_utf16).collect(),
            ),
        };
        let units = widths.iter().sum();
        let segments = if units <= encoding.one_segment() {
            1
        } else {
            several(&widths, encoding.of_several())
        };
        Self {
            encoding,
            units,
            segments,
        }
    }

    /// Names the encoding.
    #[must_use]
    pub const fn encoding(self) -> SmsEncoding {
        self.encoding
    }

    /// Counts the places: septets, of which some characters take two, or UTF-16 units.
    #[must_use]
    pub const fn units(self) -> usize {
        self.units
    }

    /// Counts the segments; an empty text is one.
    #[must_use]
    pub const fn segments(self) -> usize {
        self.segments
    }
}

/// Counts segments that no character is cut in two by.
fn several(widths: &[usize], places: usize) -> usize {
    let mut segments = 1_usize;
    let mut used = 0_usize;
    for width in widths {
        if used.saturating_add(*width) > places {
            segments = segments.saturating_add(1);
            used = 0;
        }
        used = used.saturating_add(*width);
    }
    segments
}

fn gsm7_width(c: char) -> Option<usize> {
    match c {
        '`' => None,
        c if GSM7_EXTENSION.contains(c) => Some(2),
        '\n' | '\r' | ' '..='~' => Some(1),
        c => GSM7_BEYOND_ASCII.contains(c).then_some(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (SmsEncoding, usize, usize) {
        let length = SmsLength::of(text);
        (length.encoding(), length.units(), length.segments())
    }

    #[test]
    fn places_and_segments_are_counted_as_carriers_do() {
        use SmsEncoding::{Gsm7, Ucs2};
        for (text, expected) in [
            (String::new(), (Gsm7, 0, 1)),
            ("a".repeat(160), (Gsm7, 160, 1)),
            ("a".repeat(161), (Gsm7, 161, 2)),
            ("a".repeat(306), (Gsm7, 306, 2)),
            ("a".repeat(307), (Gsm7, 307, 3)),
            ("€".repeat(80), (Gsm7, 160, 1)),
            // No escape is parted from its character: 76 to a segment, not 76.5.
            ("€".repeat(153), (Gsm7, 306, 3)),
            ("é@Ω\n".to_owned(), (Gsm7, 4, 1)),
            ("ê".to_owned(), (Ucs2, 1, 1)),
            ("`".to_owned(), (Ucs2, 1, 1)),
            ("\t".to_owned(), (Ucs2, 1, 1)),
            ("ж".repeat(70), (Ucs2, 70, 1)),
            ("ж".repeat(71), (Ucs2, 71, 2)),
            ("👋".repeat(35), (Ucs2, 70, 1)),
            // No surrogate pair is parted either: 33 to a segment.
            ("👋".repeat(67), (Ucs2, 134, 3)),
        ] {
            assert_eq!(read(&text), expected, "{text}");
        }
    }
}
