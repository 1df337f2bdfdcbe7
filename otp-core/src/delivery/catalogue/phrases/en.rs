//! English.

use super::{Nouns, Phrases};

pub(super) const PHRASES: Phrases = Phrases {
    tag: "en",
    direction: "ltr",
    gap: " ",
    branded: "{code} is your {brand} {noun}.",
    plain: "{code} is your {noun}.",
    life: |minutes| match minutes {
        1 => "It expires in 1 minute.",
        _ => "It expires in {minutes} minutes.",
    },
    text: NOUNS,
    text_advice: "Never share it; we will not ask for it.",
    mail: NOUNS,
    mail_advice: "Never share it; we will not ask for it.",
    unasked: "If you did not ask for it, ignore this message.",
    link: "Or open this link in the browser where you asked for it:",
    link_label: "Continue",
    disown: "Was it not you? Stop it here:",
    disown_label: "This was not me",
    branded_subject: "Your {brand} {noun}",
    plain_subject: "Your {noun}",
};

const NOUNS: Nouns = Nouns {
    login: "sign-in code",
    mfa: "security code",
    sign_up: "sign-up code",
    confirm: "confirmation code",
    recovery: "recovery code",
    other: "code",
};
