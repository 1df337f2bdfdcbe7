use otp_core::delivery::DeliveryErrorKind;

/// Reads a code of Plivo's messaging errors; `None` where it is not one.
pub(super) const fn kind(code: u32) -> Option<DeliveryErrorKind> {
    use DeliveryErrorKind as Kind;
    Some(match code {
        // Network error, unavailable for now, dispatch failed, unknown.
        20 | 80 | 300 | 1000 => Kind::Unavailable,
        // Not handed over while it was valid.
        420 => Kind::Timeout,
        // Invalid or permanently unavailable number.
        50 | 70 => Kind::Unreachable,
        200 => Kind::OptedOut,
        // No credit, account disabled.
        900 | 910 => Kind::Unauthorized,
        // The message, its length, spam, the sender, a loop, no route, a carrier's prohibition.
        10 | 30 | 40 | 60 | 90 | 100 | 110 | 201 => Kind::Invalid,
        _ => return None,
    })
}
