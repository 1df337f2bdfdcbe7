//! English.

use super::{Direction, LinkWords, Nouns, Phrases};

pub(super) const PHRASES: Phrases = Phrases {
    tag: "en",
    direction: Direction::LeftToRight,
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
    pages: LinkWords {
        sign_in: "Sign in",
        opened: "You opened a link that signs you in here.",
        stop: "If you did not ask for it, stop it:",
        not_me: "This was not me",
        was_me: "It was me: sign in",
        signed_in_title: "Signed in",
        signed_in: "You are signed in. You may close this page.",
        signed_in_already: "You are signed in already. You may close this page.",
        relay_title: "One more step",
        relay: "This is not the browser where the sign-in began. To go on, type this code there:",
        relay_warning: "Tell it to nobody. If you did not begin a sign-in, close this page and choose “This was not me” in the message.",
        stopped_title: "Stopped",
        stopped: "The sign-in was stopped. The link and the code are worth nothing any more.",
        refused_title: "Link not accepted",
        refused: "This link does not work, or does not work any more. Ask for a new one where you wanted to sign in.",
    },
};

const NOUNS: Nouns = Nouns {
    login: "sign-in code",
    mfa: "security code",
    sign_up: "sign-up code",
    confirm: "confirmation code",
    recovery: "recovery code",
    other: "code",
};
