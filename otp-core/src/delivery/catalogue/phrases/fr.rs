//! French.

use super::{Nouns, Phrases};

pub(super) const PHRASES: Phrases = Phrases {
    tag: "fr",
    direction: "ltr",
    gap: " ",
    branded: "{code} est votre {noun} {brand}.",
    plain: "{code} est votre {noun}.",
    life: |minutes| match minutes {
        1 => "Il expire dans 1 minute.",
        _ => "Il expire dans {minutes} minutes.",
    },
    text: NOUNS,
    text_advice: "Ne le partagez jamais.",
    mail: NOUNS,
    mail_advice: "Ne le partagez jamais ; nous ne vous le demanderons pas.",
    unasked: "Si vous ne l'avez pas demandé, ignorez ce message.",
    link: "Ou ouvrez ce lien dans le navigateur où vous l'avez demandé :",
    link_label: "Continuer",
    disown: "Ce n'était pas vous ? Arrêtez tout ici :",
    disown_label: "Ce n'était pas moi",
    branded_subject: "Votre {noun} {brand}",
    plain_subject: "Votre {noun}",
};

const NOUNS: Nouns = Nouns {
    login: "code de connexion",
    mfa: "code de sécurité",
    sign_up: "code d'inscription",
    confirm: "code de confirmation",
    recovery: "code de récupération",
    other: "code",
};
