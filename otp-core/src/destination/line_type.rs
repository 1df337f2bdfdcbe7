//! [`LineType`]: what a phone number's plan says is at its other end.

use std::fmt;

use rlibphonenumber::PhoneNumberType;

/// The kind of line behind a phone number, by the numbering plan.
///
/// The plan knows what a number was handed out as, not what answers it: a ported number, or one of a
/// country that does not tell (`+1`), says nothing of the device. The kinds are those of libphonenumber.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum LineType {
    /// A landline.
    FixedLine,
    /// A mobile line.
    Mobile,
    /// A landline or a mobile line; the plan does not tell which.
    FixedLineOrMobile,
    /// Free for the caller.
    TollFree,
    /// Charged above the usual rate, in part to the number's owner.
    PremiumRate,
    /// Charged to both ends.
    SharedCost,
    /// A line over the Internet.
    Voip,
    /// A number that follows a person and may be charged above the usual rate (`+44 70`).
    PersonalNumber,
    /// A pager.
    Pager,
    /// A company's universal access number.
    Uan,
    /// A mailbox of a voice service.
    Voicemail,
    /// None of the others. No number that parsed has it.
    Unknown,
}

impl LineType {
    /// Every kind.
    pub const ALL: [Self; 12] = [
        Self::FixedLine,
        Self::Mobile,
        Self::FixedLineOrMobile,
        Self::TollFree,
        Self::PremiumRate,
        Self::SharedCost,
        Self::Voip,
        Self::PersonalNumber,
        Self::Pager,
        Self::Uan,
        Self::Voicemail,
        Self::Unknown,
    ];

    /// Returns the name in upper case with underscores: `FIXED_LINE`, `MOBILE`, `UAN`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FixedLine => "FIXED_LINE",
            Self::Mobile => "MOBILE",
            Self::FixedLineOrMobile => "FIXED_LINE_OR_MOBILE",
            Self::TollFree => "TOLL_FREE",
            Self::PremiumRate => "PREMIUM_RATE",
            Self::SharedCost => "SHARED_COST",
            Self::Voip => "VOIP",
            Self::PersonalNumber => "PERSONAL_NUMBER",
            Self::Pager => "PAGER",
            Self::Uan => "UAN",
            Self::Voicemail => "VOICEMAIL",
            Self::Unknown => "UNKNOWN",
        }
    }

    pub(super) const fn from_library(kind: PhoneNumberType) -> Self {
        match kind {
            PhoneNumberType::FixedLine => Self::FixedLine,
            PhoneNumberType::Mobile => Self::Mobile,
            PhoneNumberType::FixedLineOrMobile => Self::FixedLineOrMobile,
            PhoneNumberType::TollFree => Self::TollFree,
            PhoneNumberType::PremiumRate => Self::PremiumRate,
            PhoneNumberType::SharedCost => Self::SharedCost,
            PhoneNumberType::VoIP => Self::Voip,
            PhoneNumberType::PersonalNumber => Self::PersonalNumber,
            PhoneNumberType::Pager => Self::Pager,
            PhoneNumberType::UAN => Self::Uan,
            PhoneNumberType::VoiceMail => Self::Voicemail,
            PhoneNumberType::Unknown => Self::Unknown,
        }
    }
}

impl fmt::Display for LineType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
