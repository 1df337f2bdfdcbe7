use axum::http::StatusCode;

use super::Refusal;

macro_rules! refusals {
    ($($name:ident: $status:ident, $code:literal, $detail:literal;)+) => {
        impl Refusal {$(
            #[doc = concat!("`", $code, "`: ", $detail, ".")]
            pub const $name: Self = Self::new(StatusCode::$status, $code, $detail);
        )+}
    };
}

refusals! {
    PHONE_REQUIRED: BAD_REQUEST, "phone_required", "phone required";
    PHONE_AND_OTP_REQUIRED: BAD_REQUEST, "phone_and_otp_required", "phone and otp required";
    INVALID_PHONE: BAD_REQUEST, "invalid_phone", "Invalid phone number";
    INVALID_EMAIL: BAD_REQUEST, "invalid_email", "Invalid email address";
    TWO_ADDRESSES: BAD_REQUEST, "two_addresses", "phone or email, not both";
    OTP_REQUIRED: BAD_REQUEST, "otp_required", "otp required";
    INVALID_OTP: BAD_REQUEST, "invalid_otp", "Invalid OTP";
    USER_REQUIRED: BAD_REQUEST, "user_id_required", "user_id required";
    INVALID_USER: BAD_REQUEST, "invalid_user_id", "Invalid user_id";
    UNKNOWN_PURPOSE: BAD_REQUEST, "unknown_purpose", "Unknown purpose";
    UNKNOWN_CHANNEL: BAD_REQUEST, "unknown_channel", "Unknown channel";
    CHANNEL_UNAVAILABLE: BAD_REQUEST, "channel_unavailable", "Channel not available";
    CHANNEL_MISMATCH: BAD_REQUEST, "channel_mismatch", "Channel does not fit the address";
    UNSUPPORTED_DESTINATION: BAD_REQUEST, "unsupported_destination", "Invalid phone number";
    INVALID_LOCALE: BAD_REQUEST, "invalid_locale", "Invalid locale";
    INVALID_ATTEMPT_ID: BAD_REQUEST, "invalid_attempt_id", "Invalid attempt_id";
    INVALID_IDEMPOTENCY_KEY: BAD_REQUEST, "invalid_idempotency_key", "Invalid Idempotency-Key";
    IDEMPOTENCY_CONFLICT: UNPROCESSABLE_ENTITY, "idempotency_conflict", "Idempotency-Key was used for another request";
    MALFORMED: BAD_REQUEST, "malformed", "Malformed request body";
    UNAUTHORIZED: UNAUTHORIZED, "unauthorized", "Operator token required";
    INVALID_REASON: BAD_REQUEST, "invalid_reason", "A reason must be 1 to 256 characters on one line";
    UNKNOWN_QUERY: BAD_REQUEST, "unknown_query", "Unknown query";
    NAME_ONE: BAD_REQUEST, "name_one", "user_id, phone, email or ip, exactly one";
    NAME_SOMETHING: BAD_REQUEST, "name_something", "Say which codes, or all";
    INVALID_IP: BAD_REQUEST, "invalid_ip", "Invalid IP address";
    INVALID_TIME: BAD_REQUEST, "invalid_time", "Times must be as in 2026-01-31T12:00:00Z";
    INVALID_BLOCK: BAD_REQUEST, "invalid_block", "Invalid type or value";
    INVALID_EXPIRY: BAD_REQUEST, "invalid_expiry", "expires_in must be 1 to 315360000 seconds";
    INVALID_LIST: BAD_REQUEST, "invalid_list", "Malformed list, the line is in x-line";
    INVALID_POLICY: BAD_REQUEST, "invalid_policy", "Invalid policy";
    INVALID_VERSION: BAD_REQUEST, "invalid_version", "If-Match or version must be a version, and one of the two";
    CONFLICT: CONFLICT, "conflict", "Somebody else has published since";
    INVALID_OVERRIDE: BAD_REQUEST, "invalid_override", "Invalid override";
    UNKNOWN_OVERRIDE: NOT_FOUND, "unknown_override", "No override in force has this id";
    INVALID_TEMPLATE: BAD_REQUEST, "invalid_template", "state must be approved, pending, rejected, paused or disabled";
    UNKNOWN_KEY: BAD_REQUEST, "unknown_key", "Invalid key_id";
    UNKNOWN_USER: NOT_FOUND, "unknown_user", "Unknown user";
    USERS_REQUIRED: BAD_REQUEST, "users_required", "users required";
    TOO_MANY_USERS: BAD_REQUEST, "too_many_users", "Up to 10000 users a call";
    INVALID_NOTICE: BAD_REQUEST, "invalid_notice", "template, or subject and text";
    NO_KEY_FILE: CONFLICT, "no_key_file", "Keys are not kept in a file";
    KEYS_NOT_WRITTEN: INTERNAL_SERVER_ERROR, "keys_not_written", "Keys were not rotated";
    NOT_SIGNED_IN: UNAUTHORIZED, "not_signed_in", "Not signed in";
    INVALID_REFRESH_TOKEN: UNAUTHORIZED, "invalid_refresh_token", "Invalid refresh token";
    SESSION_REQUIRED: BAD_REQUEST, "session_id_required", "sessionId required";
    INVALID_SESSION: UNAUTHORIZED, "invalid_session", "Invalid session";
    INVALID_LINK: BAD_REQUEST, "invalid_link", "Invalid or expired link";
    INVALID_RETURN: BAD_REQUEST, "invalid_return_to", "Return address not allowed";
    OTHER_BROWSER: CONFLICT, "other_browser", "Opened in another browser than the one that asked";
    INVALID_STATE: BAD_REQUEST, "invalid_state", "Invalid state token";
    INVALID_SIGNATURE: UNAUTHORIZED, "invalid_signature", "Invalid signature";
    BAD_SIGNATURE: UNAUTHORIZED, "bad_signature", "Signature refused";
    HANDSHAKE_REFUSED: FORBIDDEN, "handshake_refused", "Handshake refused";
    PROOF_REQUIRED: FORBIDDEN, "fresh_proof_required", "Fresh proof required";
    INVALID_FACTOR_NAME: BAD_REQUEST, "invalid_name", "Invalid name";
    FACTOR_NAME_TAKEN: CONFLICT, "name_taken", "Another authenticator has this name";
    TOO_MANY_FACTORS: CONFLICT, "too_many_factors", "No more authenticators";
    UNKNOWN_FACTOR: NOT_FOUND, "unknown_factor", "Unknown authenticator";
    BLOCKED: FORBIDDEN, "blocked", "Request refused";
    CAPTCHA_REQUIRED: FORBIDDEN, "captcha_required", "Captcha required";
    CAPTCHA_FAILED: FORBIDDEN, "captcha_failed", "Captcha failed";
    DISABLED: FORBIDDEN, "disabled", "Authenticator disabled";
    NOT_FOUND: NOT_FOUND, "not_found", "Not found";
    WRONG_METHOD: METHOD_NOT_ALLOWED, "method_not_allowed", "Method not allowed";
    REQUEST_TIMEOUT: REQUEST_TIMEOUT, "request_timeout", "Request body took too long";
    TOO_LARGE: PAYLOAD_TOO_LARGE, "too_large", "Request body too large";
    UNSUPPORTED_MEDIA_TYPE: UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "Content-Type must be application/json";
    THROTTLED: TOO_MANY_REQUESTS, "rate_limited", "Too many requests";
    LOCKED: TOO_MANY_REQUESTS, "locked", "Account temporarily locked";
    SEND_FAILED: INTERNAL_SERVER_ERROR, "send_failed", "Failed to send verification code";
    VERIFY_FAILED: INTERNAL_SERVER_ERROR, "verify_failed", "Failed to verify code";
    BUSY: SERVICE_UNAVAILABLE, "busy", "Service busy";
    UNAVAILABLE: SERVICE_UNAVAILABLE, "unavailable", "Service unavailable";
    NOT_READY: SERVICE_UNAVAILABLE, "not_ready", "Not ready";
}
