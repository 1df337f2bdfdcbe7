use serde_json::json;

use super::{Browser, PHONE, Server, sign_in, start, url};
use crate::support::{body_of_request, body_of_verify, wrong};

/// Finds text that is too faint: below 4.5 to 1, or 3 to 1 where it is large (WCAG 2.2, 1.4.3).
const FAINT: &str = r"(() => {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const rgb = color => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data; return { r, g, b, a: a / 255 }; };
  const light = ({ r, g, b }) => { const [x, y, z] = [r, g, b].map(v => (v /= 255) <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126 * x + .7152 * y + .0722 * z; };
  const ground = it => { for (; it; it = it.parentElement) { const color = rgb(getComputedStyle(it).backgroundColor); if (color.a > .99) return color; }
    return rgb(matchMedia('(prefers-color-scheme: dark)').matches ? '#121212' : '#fff'); };
  const faint = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const it = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || !it.checkVisibility() || it.closest('script, style, option, :disabled, .hidden')) continue;
    const [one, two] = [light(rgb(getComputedStyle(it).color)), light(ground(it))].sort((a, b) => b - a);
    const large = parseFloat(getComputedStyle(it).fontSize) >= 24;
    if ((one + .05) / (two + .05) < (large ? 3 : 4.5)) faint.push(it.textContent.trim());
  }
  return faint;
})()";

/// Finds what a screen reader cannot name or would name twice, and headings that skip a level.
const UNNAMED: &str = r"(() => {
  const wrong = [];
  for (const it of document.querySelectorAll('input:not([type=hidden]), select'))
    if (!it.labels.length) wrong.push('no label: ' + it.outerHTML);
  for (const it of document.querySelectorAll('button, a'))
    if (!(it.getAttribute('aria-label') || it.innerText).trim()) wrong.push('no name: ' + it.outerHTML);
  const ids = [...document.querySelectorAll('[id]')].map(it => it.id);
  ids.filter((id, place) => ids.indexOf(id) !== place).forEach(id => wrong.push('twice: ' + id));
  for (const it of document.querySelectorAll('[aria-labelledby]'))
    if (!document.getElementById(it.getAttribute('aria-labelledby'))) wrong.push('names nothing: ' + it.outerHTML);
  if (document.querySelectorAll('h1').length !== 1) wrong.push('headings of the first level');
  let last = 0;
  for (const it of document.querySelectorAll('h1, h2, h3')) { const level = +it.tagName[1]; if (level > last + 1) wrong.push('skips: ' + it.innerText); last = level; }
  if (document.querySelectorAll('main').length !== 1 || !document.documentElement.lang) wrong.push('landmarks');
  return wrong;
})()";

/// Fills a service with what there is to see.
async fn busy() -> Server {
    let proxy = ("TRUSTED_PROXIES", "127.0.0.1");
    let server = Server::with(&[("ADMIN_TOKENS", super::TOKENS), proxy]);
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
    for number in 130..150 {
        start(&server, &format!("+14155550{number}")).await;
        start(&server, &format!("+14155550{number}")).await;
    }
    start(&server, PHONE).await;
    // A name without a place to break.
    let far = server.client.post(server.url(super::START));
    let far = far.header("x-forwarded-for", "2001:db8:1234:5678::9");
    let refused = far.json(&body_of_request(PHONE)).send().await.unwrap();
    assert_eq!(refused.status(), 429);
    for (kind, value, note, expires_in) in [
        ("phone", "+250788000000", "Incident #123", 86_400),
        (
            "ip",
            "203.0.113.0/24",
            "Guesses from one hosting network, see the ticket of the abuse desk",
            3_600,
        ),
        ("email", "ada.lovelace@example.org", "asked us to", 604_800),
        ("prefix", "+2507", "pumped numbers", 86_400),
    ] {
        let body = json!({ "type": kind, "value": value, "note": note, "expires_in": expires_in });
        let url = format!("http://{}/admin/otp/blacklist", server.admin);
        let request = server.client.post(url).header("x-admin-token", super::MIKE);
        assert!(
            request
                .json(&body)
                .send()
                .await
                .unwrap()
                .status()
                .is_success()
        );
    }
    let body = json!({ "what": "channel_off", "channel": "whatsapp", "expires_in": 3_600, "reason": "template paused" });
    let url = format!("http://{}/admin/otp/override", server.admin);
    let request = server.client.post(url).header("x-admin-token", super::MIKE);
    assert!(
        request
            .json(&body)
            .send()
            .await
            .unwrap()
            .status()
            .is_success()
    );
    server
}

/// Finds what is wider than its place, the page itself, the row of pages or a list of names, tabs that
/// are not all seen in one row, and names that are broken into more than three lines.
const TOO_WIDE: &str = r"(() => {
  const wide = [...document.querySelectorAll('html, .bar nav, .scroll:has(tbody .id)')].filter(it => it.scrollWidth > it.clientWidth);
  const lines = it => { const range = document.createRange(); range.selectNodeContents(it.firstChild); return range.getClientRects().length; };
  const thin = [...document.querySelectorAll('tbody .id')].filter(it => lines(it) > 3);
  const tabs = [...document.querySelectorAll('.bar nav a')];
  const unseen = tabs.filter(it => { const { left, right, top } = it.getBoundingClientRect();
    return left < 0 || right > innerWidth || top !== tabs[0].getBoundingClientRect().top; });
  return [...wide, ...thin, ...unseen].map(it => it.tagName + ' ' + it.innerText.slice(0, 40));
})()";

fn inspect(browser: &mut Browser, page: &str, look: &str) {
    assert_eq!(
        browser.ask(TOO_WIDE),
        json!([]),
        "{page} {look} is too wide"
    );
    assert_eq!(browser.ask(FAINT), json!([]), "{page} {look}");
    assert_eq!(browser.ask(UNNAMED), json!([]), "{page} {look}");
    assert_eq!(browser.complaints(), Vec::<String>::new(), "{page} {look}");
    browser.picture(&format!("{page}-{look}"));
}

#[tokio::test]
#[ignore = "needs a Chromium: set TEST_BROWSER (./test.sh does)"]
async fn every_page_fits_is_legible_and_is_named_on_phones_and_desktops_in_light_and_dark() {
    let (server, mut browser) = (busy().await, Browser::start());
    for (look, scheme, width, height) in [
        ("light", "light", 1280, 800),
        ("dark", "dark", 1280, 800),
        ("phone", "light", 390, 844),
        ("phone-dark", "dark", 360, 740),
        ("narrow", "light", 320, 640),
    ] {
        browser.size(width, height);
        browser.scheme(scheme);
        browser.open(&url(&server, ""));
        if browser.text("h1") == "Sign in" {
            inspect(&mut browser, "sign-in", look);
            sign_in(&mut browser, &server);
        }
        for page in ["", "/people", "/blocks", "/failed", "/codes"] {
            browser.open(&url(&server, page));
            let name = page.strip_prefix('/').unwrap_or("overview");
            inspect(&mut browser, name, look);
        }
        browser.open(&url(&server, "/people"));
        browser.write("#who", PHONE);
        browser.press(".find button");
        inspect(&mut browser, "person", look);
        browser.press("button[value=unlock]");
        inspect(&mut browser, "confirm", look);
        browser.write("#reason", " ");
        browser.press("#apply");
        assert_eq!(
            browser.ask("document.querySelector('[autofocus]').id"),
            "reason"
        );
        inspect(&mut browser, "confirm-again", look);
        browser.open(&url(&server, "/blocks"));
        browser.write("#value", "203.0.113.0/24");
        browser.write("#reason", "Incident #123");
        browser.press("main .stack button.main");
        assert_eq!(
            browser.ask("[value.value, reason.value, document.querySelector('[autofocus]').id]"),
            json!(["203.0.113.0/24", "Incident #123", "value"])
        );
        inspect(&mut browser, "blocks-again", look);
    }
}
