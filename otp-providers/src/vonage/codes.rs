use otp_core::delivery::DeliveryErrorKind;

/// Reads a `status` of the SMS API's answer; `None` where it is not in the table.
pub(super) const fn api(status: u32) -> Option<DeliveryErrorKind> {
    use DeliveryErrorKind as Kind;
    Some(match status {
        // Too fast, or too many binds.
        1 | 10 => Kind::Throttled,
        5 => Kind::Unavailable,
        // Parameters, body, length, protocol.
        2 | 3 | 6 | 12 | 22 | 23 => Kind::Invalid,
        // Credentials, account, quota, not enabled, signature, a number not on a test list.
        4 | 8 | 9 | 11 | 14 | 29 => Kind::Unauthorized,
        // The sender is not one for this destination.
        15 => Kind::Invalid,
        // Barred, deactivated.
        7 | 33 => Kind::Unreachable,
        _ => return None,
    })
}

/// Reads an `err-code` of a delivery receipt; `None` where it is not in the table or no error.
pub(super) const fn receipt(code: u32) -> Option<DeliveryErrorKind> {
    use DeliveryErrorKind as Kind;
    Some(match code {
        // Unknown, absent for now, busy, the network failed.
        1 | 2 | 7 | 8 => Kind::Unavailable,
        // Absent for good, barred, lost between two networks, no such number.
        3 | 4 | 5 | 9 => Kind::Unreachable,
        // Spam, an invalid message, no route.
        6 | 10 | 11 => Kind::Invalid,
        _ => return None,
    })
}
