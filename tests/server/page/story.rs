use super::{Browser, PAGE, PHONE, server, sign_in, start, url};
use crate::support::{OTHER_PHONE, Server, body_of_request, body_of_verify, wrong};

/// Puts a number onto the blocklist, through the dry run, and takes it off.
async fn blocks_and_unblocks(browser: &mut Browser, server: &Server) {
    assert_eq!(start(server, OTHER_PHONE).await, None);
    browser.press("a[href$='/blocks']");
    browser.write("#value", PHONE);
    browser.write("#reason", "Incident #123");
    browser.press("main .stack button.main");
    assert_eq!(browser.text("h1"), "Block +1415•••0123?");
    assert_eq!(
        browser.text("#would"),
        "+1415•••0123 would be on the blocklist."
    );
    assert_eq!(start(server, PHONE).await, None, "a dry run blocks nobody");
    browser.press("#apply");
    assert_eq!(browser.text("#notice p"), "+1415•••0123 is blocked.");
    assert_eq!(browser.text(".rows .why"), "Incident #123");
    assert_eq!(start(server, PHONE).await.as_deref(), Some("blocked"));
    browser.press(".rows button");
    assert_eq!(browser.text("h1"), "Take +1415•••0123 off the blocklist?");
    browser.write("#reason", "over");
    browser.press("#apply");
    assert_eq!(
        browser.text("#notice p"),
        "+1415•••0123 is off the blocklist."
    );
    assert_eq!(browser.text(".empty"), "Nobody is kept out.");
    assert_ne!(start(server, PHONE).await.as_deref(), Some("blocked"));
}

#[tokio::test]
#[ignore = "needs a Chromium: set TEST_BROWSER (./test.sh does)"]
async fn an_operator_blocks_a_number_sees_it_refused_and_takes_it_off_again() {
    let (server, mut browser) = (server(), Browser::start());
    sign_in(&mut browser, &server);
    blocks_and_unblocks(&mut browser, &server).await;
    browser.press(".who button");
    assert_eq!(browser.text("h1"), "Sign in");
    browser.open(&url(&server, "/blocks"));
    assert_eq!(browser.text("h1"), "Sign in");
}

#[tokio::test]
#[ignore = "needs a Chromium: set TEST_BROWSER (./test.sh does)"]
async fn without_javascript_everything_works() {
    let (server, mut browser) = (server(), Browser::start());
    browser.without_scripts();
    sign_in(&mut browser, &server);
    assert_eq!(
        browser.ask("document.querySelectorAll('meta[http-equiv=refresh]').length"),
        1
    );
    blocks_and_unblocks(&mut browser, &server).await;
}

#[tokio::test]
#[ignore = "needs a Chromium: set TEST_BROWSER (./test.sh does)"]
async fn somebody_who_is_locked_is_looked_up_and_unlocked_by_keyboard_alone() {
    let (server, mut browser) = (server(), Browser::start());
    let code = server
        .post(super::START, &body_of_request(PHONE))
        .await
        .text("preview_code");
    for _ in 0..5 {
        server
            .post(
                "/api/auth/verify-otp",
                &body_of_verify(PHONE, &wrong(&code)),
            )
            .await;
    }
    assert_eq!(start(&server, PHONE).await.as_deref(), Some("locked"));
    browser.open(&url(&server, ""));
    browser.types("#token", super::MIKE);
    browser.enter();
    // The first stop is the way past the navigation.
    browser.key("Tab");
    assert_eq!(browser.text(":focus"), "Skip to content");
    browser.key("Enter");
    assert_eq!(browser.ask("document.activeElement.id"), "main");
    browser.open(&url(&server, "/people"));
    browser.ask("document.querySelector('#main').focus()");
    browser.key("Tab");
    browser.types("#who", PHONE);
    browser.enter();
    assert!(
        browser.text(".sum").starts_with("Refused now: locked"),
        "{}",
        browser.text(".sum")
    );
    browser.ask("document.querySelector('#who').focus()");
    browser.key("Tab");
    browser.key("Tab");
    assert_eq!(browser.text(":focus"), "Unlock…");
    browser.enter();
    // The reason has the focus already.
    browser.types("#reason", "called us");
    browser.enter();
    assert_eq!(browser.text("#notice p"), "1 guess budget was opened.");
    assert_ne!(start(&server, PHONE).await.as_deref(), Some("locked"));
}

#[tokio::test]
#[ignore = "needs a Chromium: set TEST_BROWSER (./test.sh does)"]
async fn an_open_page_shows_by_itself_what_happens_and_that_its_session_is_over() {
    let (server, mut browser) = (server(), Browser::start());
    sign_in(&mut browser, &server);
    assert_eq!(start(&server, PHONE).await, None);
    let until = |seen: &str| {
        format!(
            "new Promise(done => {{ const look = () => document.querySelector({seen}) && done(true); \
             new MutationObserver(look).observe(document.body, {{ childList: true, subtree: true }}); look(); }})"
        )
    };
    let sent = "'.counters' ) && [...document.querySelectorAll('.counters div')].some(it => it.innerText.replace(/\\\\s+/g, ' ') === 'Sent 1') && document.querySelector('.counters'";
    assert_eq!(browser.ask(&until(&sent.replace("\\\\", "\\"))), true);
    let form = browser.ask("document.querySelector('input[name=form]').value");
    let out = format!(
        "fetch('{PAGE}/sign-out', {{ method: 'POST', body: new URLSearchParams({{ form: {form} }}) }}).then(it => it.status)"
    );
    browser.ask(&out);
    assert_eq!(browser.ask(&until("'.ended'")), true);
    assert!(
        browser
            .text(".ended")
            .starts_with("Your session has ended.")
    );
}
