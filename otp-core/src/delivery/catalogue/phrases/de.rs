//! German.

use super::{Direction, LinkWords, Nouns, Phrases};

pub(super) const PHRASES: Phrases = Phrases {
    tag: "de",
    direction: Direction::LeftToRight,
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
    pages: LinkWords {
        sign_in: "Anmelden",
        opened: "Sie haben einen Link geöffnet, der Sie hier anmeldet.",
        stop: "Wenn Sie ihn nicht angefordert haben, stoppen Sie den Vorgang:",
        not_me: "Das war ich nicht",
        was_me: "Das war ich: anmelden",
        signed_in_title: "Angemeldet",
        signed_in: "Sie sind angemeldet. Sie können diese Seite schließen.",
        signed_in_already: "Sie sind bereits angemeldet. Sie können diese Seite schließen.",
        relay_title: "Noch ein Schritt",
        relay: "Die Anmeldung hat nicht in diesem Browser begonnen. Geben Sie dort diesen Code ein, um fortzufahren:",
        relay_warning: "Geben Sie ihn niemals weiter. Haben Sie keine Anmeldung begonnen, schließen Sie diese Seite und wählen Sie in der Nachricht „Das war ich nicht“.",
        stopped_title: "Gestoppt",
        stopped: "Die Anmeldung wurde gestoppt. Der Link und der Code sind nicht mehr gültig.",
        refused_title: "Link nicht akzeptiert",
        refused: "Dieser Link funktioniert nicht oder nicht mehr. Fordern Sie dort, wo Sie sich anmelden wollten, einen neuen an.",
    },
};

const NOUNS: Nouns = Nouns {
    login: "Anmeldecode",
    mfa: "Sicherheitscode",
    sign_up: "Registrierungscode",
    confirm: "Bestätigungscode",
    recovery: "Wiederherstellungscode",
    other: "Code",
};
