//! Dutch.

use super::{Direction, LinkWords, Nouns, Phrases};

pub(super) const PHRASES: Phrases = Phrases {
    tag: "nl",
    direction: Direction::LeftToRight,
    gap: " ",
    branded: "{code} is je {noun} voor {brand}.",
    plain: "{code} is je {noun}.",
    life: |minutes| match minutes {
        1 => "Hij verloopt over 1 minuut.",
        _ => "Hij verloopt over {minutes} minuten.",
    },
    text: NOUNS,
    text_advice: "Deel hem met niemand.",
    mail: NOUNS,
    mail_advice: "Deel hem met niemand; wij vragen er nooit om.",
    unasked: "Heb je hem niet aangevraagd? Negeer dan dit bericht.",
    link: "Of open deze link in de browser waarin je hem hebt aangevraagd:",
    link_label: "Doorgaan",
    disown: "Was jij dit niet? Stop het hier:",
    disown_label: "Dit was ik niet",
    branded_subject: "Je {noun} voor {brand}",
    plain_subject: "Je {noun}",
    pages: LinkWords {
        sign_in: "Inloggen",
        opened: "Je hebt een link geopend waarmee je hier inlogt.",
        stop: "Heb je hem niet aangevraagd? Stop het dan:",
        not_me: "Dit was ik niet",
        was_me: "Dit was ik: inloggen",
        signed_in_title: "Ingelogd",
        signed_in: "Je bent ingelogd. Je kunt deze pagina sluiten.",
        signed_in_already: "Je bent al ingelogd. Je kunt deze pagina sluiten.",
        relay_title: "Nog één stap",
        relay: "Dit is niet de browser waarin je bent begonnen met inloggen. Typ deze code daar om door te gaan:",
        relay_warning: "Deel hem met niemand. Ben je niet begonnen met inloggen? Sluit dan deze pagina en kies ‘Dit was ik niet’ in het bericht.",
        stopped_title: "Gestopt",
        stopped: "Het inloggen is gestopt. De link en de code zijn niets meer waard.",
        refused_title: "Link niet geaccepteerd",
        refused: "Deze link werkt niet, of werkt niet meer. Vraag een nieuwe aan op de plek waar je wilde inloggen.",
    },
};

const NOUNS: Nouns = Nouns {
    login: "inlogcode",
    mfa: "beveiligingscode",
    sign_up: "registratiecode",
    confirm: "bevestigingscode",
    recovery: "herstelcode",
    other: "code",
};
