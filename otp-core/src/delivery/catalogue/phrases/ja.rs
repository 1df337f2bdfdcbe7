//! Japanese.

use super::{Nouns, Phrases};

pub(super) const PHRASES: Phrases = Phrases {
    tag: "ja",
    direction: "ltr",
    gap: "",
    branded: "{brand}の{noun}: {code}。",
    plain: "{noun}: {code}。",
    life: |_| "有効期限は{minutes}分です。",
    text: Nouns {
        login: "ログインコード",
        mfa: "セキュリティコード",
        sign_up: "登録コード",
        confirm: "確認コード",
        recovery: "復旧コード",
        other: "コード",
    },
    text_advice: "誰にも教えないでください。",
    mail: Nouns {
        login: "ログインコード",
        mfa: "セキュリティコード",
        sign_up: "登録コード",
        confirm: "確認コード",
        recovery: "復旧コード",
        other: "認証コード",
    },
    mail_advice: "誰にも教えないでください。当社からお尋ねすることはありません。",
    unasked: "お心当たりがない場合は、このメールを無視してください。",
    link: "または、コードを要求したブラウザーで次のリンクを開いてください。",
    link_label: "続ける",
    disown: "お心当たりがない場合は、こちらから取り消してください。",
    disown_label: "心当たりがありません",
    branded_subject: "{brand}の{noun}",
    plain_subject: "{noun}",
};
