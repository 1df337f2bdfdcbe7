use otp_core::delivery::DeliveryErrorKind;

/// Reads the Gateway's error text; `None` where it is none that is known.
///
/// Telegram publishes no list, so what is about one subject is read by its first or last words.
pub(super) fn known(text: &str) -> Option<(&'static str, DeliveryErrorKind)> {
    if text.starts_with("FLOOD_WAIT") {
        return Some(("FLOOD_WAIT", DeliveryErrorKind::Throttled));
    }
    ERRORS.iter().find(|(known, _)| *known == text).copied()
}

const ERRORS: [(&str, DeliveryErrorKind); 31] = {
    use DeliveryErrorKind as Kind;
    [
        ("ACCESS_TOKEN_EXPIRED", Kind::Unauthorized),
        ("ACCESS_TOKEN_INVALID", Kind::Unauthorized),
        ("ACCESS_TOKEN_REQUIRED", Kind::Unauthorized),
        ("ACCESS_TOKEN_REVOKED", Kind::Unauthorized),
        ("BALANCE_NOT_ENOUGH", Kind::Unauthorized),
        ("BALANCE_TOO_LOW", Kind::Unauthorized),
        ("IP_NOT_ALLOWED", Kind::Unauthorized),
        ("UNAUTHORIZED", Kind::Unauthorized),
        ("FLOOD", Kind::Throttled),
        ("TOO_MANY_REQUESTS", Kind::Throttled),
        ("PHONE_NUMBER_BANNED", Kind::Unreachable),
        ("PHONE_NUMBER_INVALID", Kind::Unreachable),
        ("PHONE_NUMBER_NOT_AVAILABLE", Kind::Unreachable),
        ("PHONE_NUMBER_NOT_FOUND", Kind::Unreachable),
        ("PHONE_NUMBER_UNOCCUPIED", Kind::Unreachable),
        ("CALLBACK_URL_INVALID", Kind::Invalid),
        ("CODE_INVALID", Kind::Invalid),
        ("CODE_LENGTH_INVALID", Kind::Invalid),
        ("MESSAGE_ALREADY_SENT", Kind::Invalid),
        ("METHOD_INVALID", Kind::Invalid),
        ("PAYLOAD_INVALID", Kind::Invalid),
        ("PHONE_NUMBER_REQUIRED", Kind::Invalid),
        ("REQUEST_ID_INVALID", Kind::Invalid),
        ("REQUEST_ID_REQUIRED", Kind::Invalid),
        ("SENDER_INVALID", Kind::Invalid),
        ("SENDER_NOT_VERIFIED", Kind::Invalid),
        ("SENDER_USERNAME_INVALID", Kind::Invalid),
        ("TTL_INVALID", Kind::Invalid),
        ("INTERNAL", Kind::Unavailable),
        ("INTERNAL_SERVER_ERROR", Kind::Unavailable),
        ("SERVER_ERROR", Kind::Unavailable),
    ]
};
