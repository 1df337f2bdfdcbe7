//! Italian.

use super::{Nouns, Phrases};

pub(super) const PHRASES: Phrases = Phrases {
    tag: "it",
    direction: "ltr",
    gap: " ",
    branded: "{code} è il tuo {noun} {brand}.",
    plain: "{code} è il tuo {noun}.",
    life: |minutes| match minutes {
        1 => "Scade tra 1 minuto.",
        _ => "Scade tra {minutes} minuti.",
    },
    text: NOUNS,
    text_advice: "Non condividerlo mai.",
    mail: NOUNS,
    mail_advice: "Non condividerlo mai: non te lo chiederemo.",
    unasked: "Se non lo hai richiesto, ignora questo messaggio.",
    link: "Oppure apri questo link nel browser da cui lo hai richiesto:",
    link_label: "Continua",
    disown: "Non lo hai richiesto? Blocca tutto qui:",
    disown_label: "Non l'ho richiesto io",
    branded_subject: "Il tuo {noun} {brand}",
    plain_subject: "Il tuo {noun}",
};

const NOUNS: Nouns = Nouns {
    login: "codice di accesso",
    mfa: "codice di sicurezza",
    sign_up: "codice di registrazione",
    confirm: "codice di conferma",
    recovery: "codice di recupero",
    other: "codice",
};
