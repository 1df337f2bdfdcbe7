//! French.

use super::{Direction, LinkWords, Nouns, Phrases};

pub(super) const PHRASES: Phrases = Phrases {
    tag: "fr",
    direction: Direction::LeftToRight,
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
    pages: LinkWords {
        sign_in: "Se connecter",
        opened: "Vous avez ouvert un lien qui vous connecte ici.",
        stop: "Si vous ne l'avez pas demandé, arrêtez tout :",
        not_me: "Ce n'était pas moi",
        was_me: "C'était moi : se connecter",
        signed_in_title: "Connexion réussie",
        signed_in: "Vous êtes connecté. Vous pouvez fermer cette page.",
        signed_in_already: "Vous êtes déjà connecté. Vous pouvez fermer cette page.",
        relay_title: "Encore une étape",
        relay: "Ce n'est pas dans ce navigateur que la connexion a commencé. Pour continuer, saisissez-y ce code :",
        relay_warning: "Ne le partagez jamais. Si vous n'avez pas commencé de connexion, fermez cette page et choisissez « Ce n'était pas moi » dans le message.",
        stopped_title: "Arrêté",
        stopped: "La connexion a été arrêtée. Le lien et le code ne valent plus rien.",
        refused_title: "Lien refusé",
        refused: "Ce lien ne fonctionne pas, ou ne fonctionne plus. Demandez-en un nouveau là où vous vouliez vous connecter.",
    },
};

const NOUNS: Nouns = Nouns {
    login: "code de connexion",
    mfa: "code de sécurité",
    sign_up: "code d'inscription",
    confirm: "code de confirmation",
    recovery: "code de récupération",
    other: "code",
};
