use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Long enough for a slow machine; nothing waits for it that works.
const PATIENCE: Duration = Duration::from_secs(120);

/// A Chromium with one tab, led over its `DevTools` pipe: no port that another test may have.
pub(super) struct Browser {
    child: Child,
    orders: ChildStdin,
    said: Receiver<Value>,
    heard: VecDeque<Value>,
    count: u64,
    tab: Option<String>,
    _folder: TempDir,
}

impl Browser {
    /// Starts the one that `TEST_BROWSER` names.
    pub(super) fn start() -> Self {
        let program = std::env::var("TEST_BROWSER").expect("TEST_BROWSER names a Chromium");
        let folder = TempDir::new().unwrap();
        // The pipe is on descriptors 3 and 4.
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null"])
            .arg(program)
            .args(["--headless", "--remote-debugging-pipe", "--no-sandbox"])
            .args(["--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"])
            .args(["--disable-extensions", "--disable-background-networking"])
            .arg("--hide-scrollbars")
            .arg(format!("--user-data-dir={}", folder.path().display()))
            .arg("about:blank")
            .env("HOME", folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let orders = child.stdin.take().unwrap();
        let mut answers = BufReader::new(child.stdout.take().unwrap());
        let (sender, said) = mpsc::channel();
        thread::spawn(move || {
            let mut text = Vec::new();
            while answers
                .read_until(0, &mut text)
                .is_ok_and(|length| length > 0)
            {
                text.pop();
                let message = serde_json::from_slice(&text).unwrap();
                if sender.send(message).is_err() {
                    break;
                }
                text.clear();
            }
        });
        let mut browser = Self {
            child,
            orders,
            said,
            heard: VecDeque::new(),
            count: 0,
            tab: None,
            _folder: folder,
        };
        let target = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let target = json!({ "targetId": target["targetId"], "flatten": true });
        let attached = browser.call("Target.attachToTarget", target);
        browser.tab = Some(attached["sessionId"].as_str().unwrap().to_owned());
        for room in ["Page", "Runtime", "Log"] {
            browser.call(&format!("{room}.enable"), json!({}));
        }
        let on = json!({ "enabled": true });
        browser.call("Page.setLifecycleEventsEnabled", on.clone());
        // Keys reach the page and fields take the focus, whichever window the machine has in front.
        browser.call("Emulation.setFocusEmulationEnabled", on);
        browser.size(1280, 800);
        browser
    }

    /// Gives an order and waits for its answer.
    pub(super) fn call(&mut self, method: &str, params: Value) -> Value {
        self.count += 1;
        let id = self.count;
        let mut order = json!({ "id": id, "method": method, "params": params });
        if let Some(tab) = &self.tab {
            order["sessionId"] = json!(tab);
        }
        self.orders
            .write_all(format!("{order}\0").as_bytes())
            .unwrap();
        loop {
            let message = self
                .said
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|_| panic!("no answer to {method}"));
            if message["id"] != id {
                self.heard.push_back(message);
                continue;
            }
            assert!(message.get("error").is_none(), "{method}: {message}");
            break message["result"].clone();
        }
    }

    /// Waits for what the browser tells by itself, and gives what it says of it.
    fn hears(&mut self, event: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let wanted = |message: &Value| message["method"] == event && fits(&message["params"]);
        if let Some(place) = self.heard.iter().position(wanted) {
            return self.heard[place]["params"].clone();
        }
        loop {
            let message = self
                .said
                .recv_timeout(PATIENCE)
                .unwrap_or_else(|_| panic!("no {event}, but {:?}", self.heard));
            self.heard.push_back(message);
            let last = &self.heard[self.heard.len() - 1];
            if wanted(last) {
                return last["params"].clone();
            }
        }
    }

    /// Waits until the very page that was gone to is there: the blank one that a tab begins with
    /// tells of itself too, and late on a slow machine.
    fn arrives(&mut self, page: &Value) {
        self.hears("Page.lifecycleEvent", |event| {
            event["name"] == "load" && event["loaderId"] == *page
        });
    }

    /// Goes to an address, and waits until its page is there.
    pub(super) fn open(&mut self, url: &str) {
        self.heard.clear();
        let gone = self.call("Page.navigate", json!({ "url": url }));
        self.arrives(&gone["loaderId"]);
    }

    /// Does what leads to another page, and waits until that is there.
    fn leads(&mut self, does: impl FnOnce(&mut Self)) {
        self.heard.clear();
        does(self);
        let gone = self.hears("Page.frameNavigated", |_| true);
        self.arrives(&gone["frame"]["loaderId"]);
    }

    /// Types into a field that has the focus, or is about to: a page gives it when it first draws
    /// itself, which may be after it has loaded.
    pub(super) fn types(&mut self, field: &str, text: &str) {
        self.ask(&format!(
            "new Promise(done => {{ const look = () => document.activeElement?.matches({field:?}) \
             ? done() : setTimeout(look, 5); look(); }})"
        ));
        self.call("Input.insertText", json!({ "text": text }));
    }

    pub(super) fn size(&mut self, width: u32, height: u32) {
        let mobile = width < 600;
        let metrics =
            json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile });
        self.call("Emulation.setDeviceMetricsOverride", metrics);
    }

    /// `light` or `dark`.
    pub(super) fn scheme(&mut self, scheme: &str) {
        let feature = json!({ "name": "prefers-color-scheme", "value": scheme });
        self.call(
            "Emulation.setEmulatedMedia",
            json!({ "features": [feature] }),
        );
    }

    pub(super) fn without_scripts(&mut self) {
        self.call(
            "Emulation.setScriptExecutionDisabled",
            json!({ "value": true }),
        );
    }

    /// Asks the page, from outside of it.
    pub(super) fn ask(&mut self, script: &str) -> Value {
        let asked = json!({ "expression": script, "returnByValue": true, "awaitPromise": true });
        let answer = self.call("Runtime.evaluate", asked);
        assert!(
            answer.get("exceptionDetails").is_none(),
            "{script}: {answer}"
        );
        answer["result"]["value"].clone()
    }

    /// Gives the text of the first element of a kind, as it is seen.
    pub(super) fn text(&mut self, selector: &str) -> String {
        let seen = self.ask(&format!("document.querySelector({selector:?})?.innerText"));
        let page = || String::from("nothing");
        seen.as_str()
            .map_or_else(page, |text| text.trim().to_owned())
    }

    /// Clicks into a field and types.
    pub(super) fn write(&mut self, selector: &str, text: &str) {
        self.click(selector);
        self.ask(&format!("document.querySelector({selector:?}).select?.()"));
        self.call("Input.insertText", json!({ "text": text }));
    }

    fn click(&mut self, selector: &str) {
        let place = format!(
            "(() => {{ const it = document.querySelector({selector:?}); it.scrollIntoView({{ block: 'center' }}); \
             const box = it.getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        );
        let place = self.ask(&place);
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({
                "type": kind, "x": place[0], "y": place[1], "button": "left", "clickCount": 1,
            });
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    /// Clicks on what leads to another page, and waits until that is there.
    pub(super) fn press(&mut self, selector: &str) {
        self.leads(|browser| browser.click(selector));
    }

    /// Strikes a key.
    pub(super) fn key(&mut self, key: &str) {
        let (code, text) = match key {
            "Tab" => (9, None),
            _ => (13, Some("\r")),
        };
        for kind in ["keyDown", "keyUp"] {
            let mut event =
                json!({ "type": kind, "key": key, "code": key, "windowsVirtualKeyCode": code });
            if let (Some(text), "keyDown") = (text, kind) {
                event["text"] = json!(text);
            }
            self.call("Input.dispatchKeyEvent", event);
        }
    }

    /// Strikes Enter where that leads to another page.
    pub(super) fn enter(&mut self) {
        self.leads(|browser| browser.key("Enter"));
    }

    /// Keeps a picture of the whole page where `TEST_PICTURES` names a folder.
    pub(super) fn picture(&mut self, name: &str) {
        let Ok(folder) = std::env::var("TEST_PICTURES") else {
            return;
        };
        let asked = json!({ "format": "png", "captureBeyondViewport": true });
        let taken = self.call("Page.captureScreenshot", asked);
        let bytes = STANDARD.decode(taken["data"].as_str().unwrap()).unwrap();
        std::fs::write(format!("{folder}/{name}.png"), bytes).unwrap();
    }

    /// Gives what the browser complained of since the last page was opened, but for that page's own
    /// status, which a refusal has by right, and advice.
    pub(super) fn complaints(&mut self) -> Vec<String> {
        let page = self.ask("location.href");
        let logged = self
            .heard
            .iter()
            .filter(|message| message["method"] == "Log.entryAdded")
            .map(|message| &message["params"]["entry"]);
        logged
            .filter(|entry| entry["level"] != "verbose")
            .filter(|entry| entry["source"] != "network" || entry["url"] != page)
            .map(|entry| entry["text"].to_string())
            .collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
