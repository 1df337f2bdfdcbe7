//! Spanish.

use super::{Nouns, Phrases};

pub(super) const PHRASES: Phrases = Phrases {
    tag: "es",
    direction: "ltr",
    gap: " ",
    branded: "{brand}: {code} es tu {noun}.",
    plain: "{code} es tu {noun}.",
    life: |minutes| match minutes {
        1 => "Caduca en 1 minuto.",
        _ => "Caduca en {minutes} minutos.",
    },
    text: Nouns {
        login: "clave de acceso",
        mfa: "clave de seguridad",
        sign_up: "clave de registro",
        confirm: "clave para confirmar tus datos",
        recovery: "clave para recuperar tu cuenta",
        other: "clave",
    },
    text_advice: "No la compartas con nadie.",
    mail: Nouns {
        login: "código de acceso",
        mfa: "código de seguridad",
        sign_up: "código de registro",
        confirm: "código de confirmación",
        recovery: "código de recuperación",
        other: "código",
    },
    mail_advice: "No lo compartas con nadie; nunca te lo pediremos.",
    unasked: "Si no lo has pedido, ignora este mensaje.",
    link: "O abre este enlace en el navegador en el que lo has pedido:",
    link_label: "Continuar",
    disown: "¿No has sido tú? Detenlo aquí:",
    disown_label: "No he sido yo",
    branded_subject: "{brand}: tu {noun}",
    plain_subject: "Tu {noun}",
};
