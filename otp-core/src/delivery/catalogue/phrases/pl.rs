//! Polish, whose words here need no letter beyond ASCII.

use super::{Direction, LinkWords, Nouns, Phrases};

pub(super) const PHRASES: Phrases = Phrases {
    tag: "pl",
    direction: Direction::LeftToRight,
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
    pages: LinkWords {
        sign_in: "Zaloguj się",
        opened: "Otwarto link, który Cię tutaj zaloguje.",
        stop: "Jeśli to nie Ty o niego prosisz, zatrzymaj to:",
        not_me: "To nie ja",
        was_me: "To ja: zaloguj się",
        signed_in_title: "Zalogowano",
        signed_in: "Logowanie zakończone. Możesz zamknąć tę stronę.",
        signed_in_already: "Jesteś już po zalogowaniu. Możesz zamknąć tę stronę.",
        relay_title: "Jeszcze jeden krok",
        relay: "To nie jest przeglądarka, w której rozpoczęło się logowanie. Aby kontynuować, wpisz tam ten kod:",
        relay_warning: "Nikomu go nie podawaj. Jeśli to nie Ty się logujesz, zamknij tę stronę i wybierz „To nie ja” w wiadomości.",
        stopped_title: "Zatrzymano",
        stopped: "Logowanie zostało zatrzymane. Link i kod są już nieważne.",
        refused_title: "Link nie został przyjęty",
        refused: "Ten link nie działa albo już nie działa. Poproś o nowy tam, gdzie trwało logowanie.",
    },
};

const NOUNS: Nouns = Nouns {
    login: "kod logowania",
    mfa: "kod uwierzytelniania",
    sign_up: "kod rejestracji",
    confirm: "kod potwierdzenia",
    recovery: "kod odzyskiwania konta",
    other: "kod",
};
