use otp_core::delivery::DeliveryErrorKind;

/// Reads a code of the Graph API or of WhatsApp's own range; `None` where it is not in the table.
pub(super) const fn kind(code: u32) -> Option<DeliveryErrorKind> {
    use DeliveryErrorKind as Kind;
    Some(match code {
        // Token, permission, business account, payment, policy, a number not on a test list.
        0 | 3 | 10 | 190 | 200..=299 | 368 | 130_497 | 131_005 | 131_030 | 131_031 | 131_042 => {
            Kind::Unauthorized
        }
        // The app's, the account's or the number's rate; one pair of numbers; registrations.
        4 | 80_007 | 130_429 | 131_056 | 133_016 => Kind::Throttled,
        1 | 2 | 131_000 | 131_016 => Kind::Unavailable,
        // No WhatsApp there or too old a version; held back by an experiment of Meta's.
        130_472 | 131_026 => Kind::Unreachable,
        // Too many messages of ours were called spam; Meta holds this person's messages back.
        131_048 | 131_049 => Kind::Protected,
        131_050 => Kind::OptedOut,
        // The request: parameters, media type, From equal to To.
        33 | 100 | 131_008 | 131_009 | 131_021 | 131_051 | 132_000 | 132_012 => Kind::Invalid,
        // The sender: display name, certificate, registration; and the 24 hour window.
        131_037 | 131_045 | 131_047 | 133_000 | 133_010 => Kind::Invalid,
        // The template: missing in the language, too long, against policy, paused, disabled.
        132_001 | 132_005 | 132_007 | 132_015 | 132_016 | 132_068 | 132_069 => Kind::Invalid,
        _ => return None,
    })
}
