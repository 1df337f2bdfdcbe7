//! Dutch.

use super::{Nouns, Phrases};

pub(super) const PHRASES: Phrases = Phrases {
    tag: "nl",
    direction: "ltr",
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
};

const NOUNS: Nouns = Nouns {
    login: "inlogcode",
    mfa: "beveiligingscode",
    sign_up: "registratiecode",
    confirm: "bevestigingscode",
    recovery: "herstelcode",
    other: "code",
};
