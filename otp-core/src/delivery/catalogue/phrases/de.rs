//! German.

use super::{Nouns, Phrases};

pub(super) const PHRASES: Phrases = Phrases {
    tag: "de",
    direction: "ltr",
    gap: " ",
    branded: "{code} ist Ihr {noun} für {brand}.",
    plain: "{code} ist Ihr {noun}.",
    life: |minutes| match minutes {
        1 => "Er gilt 1 Minute.",
        _ => "Er gilt {minutes} Minuten.",
    },
    text: NOUNS,
    text_advice: "Geben Sie ihn niemals weiter.",
    mail: NOUNS,
    mail_advice: "Geben Sie ihn niemals weiter; wir fragen nicht danach.",
    unasked: "Haben Sie ihn nicht angefordert, ignorieren Sie diese Nachricht.",
    link: "Oder öffnen Sie diesen Link in dem Browser, in dem Sie ihn angefordert haben:",
    link_label: "Fortfahren",
    disown: "Waren Sie das nicht? Hier können Sie den Vorgang stoppen:",
    disown_label: "Das war ich nicht",
    branded_subject: "Ihr {noun} für {brand}",
    plain_subject: "Ihr {noun}",
};

const NOUNS: Nouns = Nouns {
    login: "Anmeldecode",
    mfa: "Sicherheitscode",
    sign_up: "Registrierungscode",
    confirm: "Bestätigungscode",
    recovery: "Wiederherstellungscode",
    other: "Code",
};
