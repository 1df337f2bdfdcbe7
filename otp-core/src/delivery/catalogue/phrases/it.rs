//! Italian.

use super::{Direction, LinkWords, Nouns, Phrases};

pub(super) const PHRASES: Phrases = Phrases {
    tag: "it",
    direction: Direction::LeftToRight,
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
    pages: LinkWords {
        sign_in: "Accedi",
        opened: "Hai aperto un link che ti fa accedere qui.",
        stop: "Se non lo hai richiesto, blocca tutto:",
        not_me: "Non l'ho richiesto io",
        was_me: "L'ho richiesto io: accedi",
        signed_in_title: "Accesso effettuato",
        signed_in: "Hai effettuato l'accesso. Puoi chiudere questa pagina.",
        signed_in_already: "Avevi già effettuato l'accesso. Puoi chiudere questa pagina.",
        relay_title: "Ancora un passaggio",
        relay: "Questo non è il browser in cui hai iniziato l'accesso. Per continuare, inserisci lì questo codice:",
        relay_warning: "Non condividerlo mai. Se non hai iniziato un accesso, chiudi questa pagina e scegli «Non l'ho richiesto io» nel messaggio.",
        stopped_title: "Bloccato",
        stopped: "L'accesso è stato bloccato. Il link e il codice non valgono più.",
        refused_title: "Link non accettato",
        refused: "Questo link non funziona o non funziona più. Richiedine uno nuovo dove volevi accedere.",
    },
};

const NOUNS: Nouns = Nouns {
    login: "codice di accesso",
    mfa: "codice di sicurezza",
    sign_up: "codice di registrazione",
    confirm: "codice di conferma",
    recovery: "codice di recupero",
    other: "codice",
};
