//! Polish, whose words here need no letter beyond ASCII.

use super::{Nouns, Phrases};

pub(super) const PHRASES: Phrases = Phrases {
    tag: "pl",
    direction: "ltr",
    gap: " ",
    branded: "{code} to {noun} {brand}.",
    plain: "{code} to {noun}.",
    life: |_| "Wygasa za {minutes} min.",
    text: NOUNS,
    text_advice: "Nikomu go nie podawaj.",
    mail: NOUNS,
    mail_advice: "Nikomu go nie podawaj; nigdy o niego nie zapytamy.",
    unasked: "Jeśli to nie Ty o niego prosisz, zignoruj tę wiadomość.",
    link: "Możesz też otworzyć ten link w przeglądarce, w której prosisz o kod:",
    link_label: "Dalej",
    disown: "To nie Ty? Zatrzymaj to tutaj:",
    disown_label: "To nie ja",
    branded_subject: "Twój {noun} {brand}",
    plain_subject: "Twój {noun}",
};

const NOUNS: Nouns = Nouns {
    login: "kod logowania",
    mfa: "kod uwierzytelniania",
    sign_up: "kod rejestracji",
    confirm: "kod potwierdzenia",
    recovery: "kod odzyskiwania konta",
    other: "kod",
};
