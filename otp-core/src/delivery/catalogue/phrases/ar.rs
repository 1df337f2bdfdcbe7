//! Arabic.

use super::{Nouns, Phrases};

pub(super) const PHRASES: Phrases = Phrases {
    tag: "ar",
    direction: "rtl",
    gap: " ",
    branded: "{noun} {brand}: {code}.",
    plain: "{noun}: {code}.",
    life: |minutes| match minutes {
        1 => "ينتهي خلال دقيقة واحدة.",
        2 => "ينتهي خلال دقيقتين.",
        3..=10 => "ينتهي خلال {minutes} دقائق.",
        _ => "ينتهي خلال {minutes} دقيقة.",
    },
    text: Nouns {
        login: "رمز الدخول",
        mfa: "رمز الأمان",
        sign_up: "رمز التسجيل",
        confirm: "رمز التأكيد",
        recovery: "رمز استعادة الحساب",
        other: "رمز",
    },
    text_advice: "لا تشاركه مع أحد.",
    mail: Nouns {
        login: "رمز الدخول",
        mfa: "رمز الأمان",
        sign_up: "رمز التسجيل",
        confirm: "رمز التأكيد",
        recovery: "رمز استعادة الحساب",
        other: "رمز التحقق",
    },
    mail_advice: "لا تشاركه مع أحد، فلن نطلبه منك أبدا.",
    unasked: "إذا لم تطلبه فتجاهل هذه الرسالة.",
    link: "أو افتح هذا الرابط في المتصفح الذي طلبت منه الرمز:",
    link_label: "متابعة",
    disown: "لم تكن أنت؟ أوقف العملية من هنا:",
    disown_label: "لم أكن أنا",
    branded_subject: "{noun} من {brand}",
    plain_subject: "{noun}",
};
