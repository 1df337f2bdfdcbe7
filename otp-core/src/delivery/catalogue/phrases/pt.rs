//! Portuguese, as Brazil writes it.

use super::{Nouns, Phrases};

pub(super) const PHRASES: Phrases = Phrases {
    tag: "pt",
    direction: "ltr",
    gap: " ",
    branded: "{brand}: {code} é seu {noun}.",
    plain: "{code} é seu {noun}.",
    life: |minutes| match minutes {
        1 => "Expira em 1 minuto.",
        _ => "Expira em {minutes} minutos.",
    },
    text: Nouns {
        login: "token de acesso",
        mfa: "token para validar o acesso",
        sign_up: "token de cadastro",
        confirm: "token para confirmar seus dados",
        recovery: "token para recuperar a conta",
        other: "token",
    },
    text_advice: "Nunca o compartilhe.",
    mail: Nouns {
        login: "código de acesso",
        mfa: "código de segurança",
        sign_up: "código de cadastro",
        confirm: "código de confirmação",
        recovery: "código de recuperação",
        other: "código",
    },
    mail_advice: "Nunca o compartilhe; jamais vamos pedi-lo.",
    unasked: "Se você não o pediu, ignore esta mensagem.",
    link: "Ou abra este link no navegador em que você o pediu:",
    link_label: "Continuar",
    disown: "Não foi você? Interrompa aqui:",
    disown_label: "Não fui eu",
    branded_subject: "{brand}: seu {noun}",
    plain_subject: "Seu {noun}",
};
