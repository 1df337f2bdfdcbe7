//! The pages of a link in the language of whoever opens it.

use serde_json::json;

use super::{Asked, PAGE, SESSION, ask, path};
use crate::support::{Reply, Server};

/// A browser's header; the language and direction of its pages, and what they say: the button, that
/// somebody is signed in, and the title of a refusal.
type Spoken = (&'static str, &'static str, &'static str, [&'static str; 3]);

const ENGLISH: [&str; 3] = ["Sign in", "You are signed in. ", "Link not accepted"];
const DUTCH: [&str; 3] = ["Inloggen", "Je bent ingelogd. ", "Link niet geaccepteerd"];

const SPOKEN: [Spoken; 12] = [
    ("en-GB,en;q=0.9", "en", "ltr", ENGLISH),
    (
        "ar-EG,ar;q=0.9,en;q=0.8",
        "ar",
        "rtl",
        ["تسجيل الدخول", "تم تسجيل دخولك. ", "الرابط غير مقبول"],
    ),
    (
        "de-AT",
        "de",
        "ltr",
        ["Anmelden", "Sie sind angemeldet. ", "Link nicht akzeptiert"],
    ),
    (
        "es-419",
        "es",
        "ltr",
        [
            "Iniciar sesión",
            "Has iniciado sesión. ",
            "Enlace no aceptado",
        ],
    ),
    (
        "fr",
        "fr",
        "ltr",
        ["Se connecter", "Vous êtes connecté. ", "Lien refusé"],
    ),
    (
        "it-IT",
        "it",
        "ltr",
        ["Accedi", "Hai effettuato l'accesso. ", "Link non accettato"],
    ),
    (
        "ja",
        "ja",
        "ltr",
        ["ログイン", "ログインしました。", "リンクを使用できません"],
    ),
    ("nl-BE", "nl", "ltr", DUTCH),
    (
        "pl",
        "pl",
        "ltr",
        [
            "Zaloguj się",
            "Logowanie zakończone. ",
            "Link nie został przyjęty",
        ],
    ),
    (
        "pt-BR",
        "pt",
        "ltr",
        ["Entrar", "Você entrou. ", "Link não aceito"],
    ),
    // Nothing that is spoken; then one that is, after one that is not.
    ("fi-FI, *;q=0.5", "en", "ltr", ENGLISH),
    ("en;q=0.1, fi, sv;q=0.9, nl;q=0.8", "nl", "ltr", DUTCH),
];

/// Gives a page as it is read, after it says its language.
fn read(page: &Reply, language: &str, direction: &str) -> String {
    let head = format!("<html lang=\"{language}\" dir=\"{direction}\">");
    assert!(page.body.contains(&head), "{head}: {}", page.body);
    assert_eq!(page.header("content-language"), Some(language));
    page.body.replace("&#x27;", "'").replace("&#x2f;", "/")
}

async fn press(server: &Server, asked: &Asked, speaks: &str, cookie: &str) -> Reply {
    let request = server.client.post(server.url(PAGE));
    let request = request
        .header("accept", "text/html")
        .header("accept-language", speaks)
        .header("content-type", "application/x-www-form-urlencoded")
        .header("cookie", cookie);
    Reply::of(request.body(format!("token={}", asked.token))).await
}

#[tokio::test]
async fn every_page_of_a_link_speaks_the_language_of_the_browser_that_opens_it() {
    let server = Server::with(&[("RATE_LIMIT_REQUESTS", "10000")]);
    let mut database = server.database().await;
    let mut seen = Vec::new();
    for (number, (speaks, language, direction, says)) in SPOKEN.into_iter().enumerate() {
        let [button, signed_in, refused] = says;
        let user = format!("reader-{number}");
        let added = sqlx::query("INSERT INTO users (sub, email) VALUES (?, ?)");
        let added = added.bind(&user).bind(format!("{user}@example.com"));
        added.execute(&mut database).await.unwrap();
        // The challenge's own language tells nothing here: whoever has no link gets the same page.
        let asked = ask(&server, &json!({ "user_id": user })).await;
        let made_up = format!("{PAGE}?token={}", "A".repeat(79));
        let mut opened = Vec::new();
        for address in [path(&asked.link), &made_up] {
            let request = server.client.get(server.url(address));
            let page = Reply::of(request.header("accept-language", speaks)).await;
            let page = read(&page, language, direction);
            assert!(
                page.contains(&format!("class=\"main\">{button}</button>")),
                "{page}"
            );
            opened.push(page.replace(&asked.token, "").replace(&"A".repeat(79), ""));
        }
        assert_eq!(opened[0], opened[1], "{language}");

        let relay = press(&server, &asked, speaks, "a=b").await;
        let relay = read(&relay, language, direction);
        assert!(
            relay.contains(&format!("<bdi dir=\"ltr\">{}</bdi>", asked.code)),
            "{relay}"
        );
        let page = press(&server, &asked, speaks, &asked.cookie).await;
        let session = page
            .header("set-cookie")
            .unwrap()
            .split(';')
            .next()
            .unwrap();
        assert!(session.starts_with(SESSION));
        assert!(
            read(&page, language, direction).contains(signed_in),
            "{page:?}"
        );
        let both = format!("{}; {session}", asked.cookie);
        let again = press(&server, &asked, speaks, &both).await;
        assert_eq!(again.status, 200, "{again:?}");
        let again = read(&again, language, direction);
        let spent = press(&server, &asked, speaks, &asked.cookie).await;
        assert_eq!(spent.status, 400);
        assert!(read(&spent, language, direction).contains(&format!("<h1>{refused}</h1>")));
        seen.push((language, relay.replace(&asked.code, ""), again));
    }
    // No page is in another language than its own, and none of two languages is alike.
    for (language, relay, again) in &seen {
        for (other, their_relay, theirs) in &seen {
            let alike = (relay == their_relay, again == theirs);
            assert_eq!(
                alike,
                (language == other, language == other),
                "{language} {other}"
            );
        }
    }
}
