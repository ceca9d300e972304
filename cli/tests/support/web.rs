//! A headless Chromium behind its driver, spoken to in `WebDriver` over plain HTTP.

#![allow(
    dead_code,
    reason = "each test file is a crate of its own and uses a part of this"
)]

use serde_json::{Value, json};
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// One browser at a time: they are large.
static ALONE: Mutex<()> = Mutex::new(());

/// The key under which an element's id stands.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

pub(crate) const TAB: &str = "\u{e004}";
pub(crate) const ENTER: &str = "\u{e007}";
pub(crate) const ESCAPE: &str = "\u{e00c}";
pub(crate) const SPACE: &str = " ";
pub(crate) const PAGE_UP: &str = "\u{e00e}";
pub(crate) const PAGE_DOWN: &str = "\u{e00f}";
pub(crate) const HOME: &str = "\u{e011}";
pub(crate) const LEFT: &str = "\u{e012}";
pub(crate) const UP: &str = "\u{e013}";
pub(crate) const RIGHT: &str = "\u{e014}";
pub(crate) const DOWN: &str = "\u{e015}";

/// A browser with an empty profile; it is gone when the test ends.
pub(crate) struct Browser {
    driver: Child,
    port: u16,
    session: String,
    profile: tempfile::TempDir,
    _alone: MutexGuard<'static, ()>,
}

impl Browser {
    pub(crate) fn open() -> Self {
        let alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let profile = tempfile::tempdir().unwrap();
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("no chromedriver: run scripts/browser.sh");
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = lines
            .map(Result::unwrap)
            .find_map(|line| {
                let (_, port) = line.split_once("successfully on port ")?;
                port.trim_end_matches('.').parse().ok()
            })
            .expect("chromedriver did not say where it listens");
        let mut browser = Self {
            driver,
            port,
            session: String::new(),
            profile,
            _alone: alone,
        };
        let profile = browser.profile.path().display().to_string();
        let args = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1600,1200",
        ];
        let mut args = args.map(str::to_owned).to_vec();
        args.push(format!("--user-data-dir={profile}"));
        let wanted = json!({"capabilities": {"alwaysMatch": {
            "goog:chromeOptions": {"args": args},
            "goog:loggingPrefs": {"browser": "ALL"},
            // Machines that run tests may be busy.
            "timeouts": {"script": 240_000, "pageLoad": 240_000},
        }}});
        let made = browser.request("POST", "/session", &wanted);
        browser.session = format!("/session/{}", made["sessionId"].as_str().unwrap());
        browser
    }

    /// One request; its value, or a panic with the driver's words.
    fn request(&self, method: &str, path: &str, body: &Value) -> Value {
        let body = if method == "POST" {
            body.to_string()
        } else {
            String::new()
        };
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(300)))
            .unwrap();
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut reader = BufReader::new(stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            let line = line.trim_end().to_ascii_lowercase();
            if let Some(number) = line.strip_prefix("content-length:") {
                length = number.trim().parse().unwrap();
            }
            if line.is_empty() {
                break;
            }
        }
        let mut answer = vec![0; length];
        reader.read_exact(&mut answer).unwrap();
        let answer: Value = serde_json::from_slice(&answer).unwrap();
        let value = answer["value"].clone();
        assert!(value["error"].is_null(), "{method} {path}: {value}");
        value
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.request("POST", &format!("{}{path}", self.session), body)
    }

    /// Opens a file, `fragment` included.
    pub(crate) fn go(&self, file: &Path, fragment: &str) {
        // Another fragment of the same page would not load it anew.
        self.post("/url", &json!({"url": "about:blank"}));
        let url = format!("file://{}{fragment}", file.display());
        self.post("/url", &json!({"url": url}));
    }

    /// What a script returns.
    pub(crate) fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", &json!({"script": script, "args": []}))
    }

    /// What a script hands to its last argument.
    pub(crate) fn run_async(&self, script: &str) -> Value {
        self.post("/execute/async", &json!({"script": script, "args": []}))
    }

    pub(crate) fn text(&self, script: &str) -> String {
        self.run(&format!("return String({script})"))
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub(crate) fn count(&self, selector: &str) -> u64 {
        let script = format!("return document.querySelectorAll({selector:?}).length");
        self.run(&script).as_u64().unwrap()
    }

    fn element(&self, selector: &str) -> Value {
        let script = format!(
            "const it = document.querySelector({selector:?}); \
             it.scrollIntoView({{block: 'center', inline: 'center'}}); return it"
        );
        let found = self.run(&script);
        assert!(!found.is_null(), "there is no {selector}");
        json!({ELEMENT: found[ELEMENT]})
    }

    /// Moves the pointer to the middle of an element.
    pub(crate) fn point(&self, selector: &str) {
        let origin = self.element(selector);
        self.pointer(&json!([
            {"type": "pointerMove", "duration": 0, "x": 0, "y": 0, "origin": origin},
        ]));
    }

    /// Clicks the middle of an element.
    pub(crate) fn click(&self, selector: &str) {
        let origin = self.element(selector);
        self.pointer(&json!([
            {"type": "pointerMove", "duration": 0, "x": 0, "y": 0, "origin": origin},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]));
    }

    fn pointer(&self, actions: &Value) {
        let mouse = json!({
            "type": "pointer",
            "id": "mouse",
            "parameters": {"pointerType": "mouse"},
            "actions": actions,
        });
        self.post("/actions", &json!({"actions": [mouse]}));
    }

    /// Presses keys, one after the other, wherever the focus is.
    pub(crate) fn press(&self, keys: &[&str]) {
        let actions = keys.iter().flat_map(|key| {
            [
                json!({"type": "keyDown", "value": key}),
                json!({"type": "keyUp", "value": key}),
            ]
        });
        let keyboard = json!({
            "type": "key",
            "id": "keyboard",
            "actions": actions.collect::<Vec<_>>(),
        });
        self.post("/actions", &json!({"actions": [keyboard]}));
    }

    /// Violations that the accessibility checker finds.
    pub(crate) fn violations(&self) -> Vec<String> {
        let dir = super::support::root().join("target/axe");
        let versions = std::fs::read_dir(&dir).expect("no axe-core: run scripts/browser.sh");
        let version = versions.map(|entry| entry.unwrap().path()).max().unwrap();
        let axe = std::fs::read_to_string(version.join("axe.min.js")).unwrap();
        let found = self.run_async(&format!(
            "const done = arguments[arguments.length - 1];\n{axe}\n\
             axe.run(document, {{rules: {{'target-size': {{enabled: true}}}}}})\
             .then(found => done([found.violations, found.passes.length]), error => done(String(error)))"
        ));
        assert!(
            found[1].as_u64().unwrap_or_default() > 15,
            "axe did not run: {found}"
        );
        let list = found[0].as_array().unwrap().iter();
        list.map(|it| {
            let nodes = it["nodes"].as_array().unwrap().iter().take(3);
            let nodes = nodes.map(|node| format!("{} {}", node["html"], node["failureSummary"]));
            format!(
                "{}: {}\n{}",
                it["id"],
                it["help"],
                nodes.collect::<Vec<_>>().join("\n")
            )
        })
        .collect()
    }

    fn emulate(&self, what: &str, params: &Value) {
        let command = json!({"cmd": format!("Emulation.{what}"), "params": params});
        self.post("/goog/cdp/execute", &command);
    }

    /// Shows the page as a printer would.
    pub(crate) fn print_style(&self) {
        self.emulate("setEmulatedMedia", &json!({"media": "print"}));
    }

    /// Shows pages as on a system whose colours are `dark` or `light`.
    pub(crate) fn scheme(&self, scheme: &str) {
        let feature = json!({"name": "prefers-color-scheme", "value": scheme});
        self.emulate("setEmulatedMedia", &json!({"features": [feature]}));
    }

    /// Shows pages as on a phone.
    pub(crate) fn phone(&self) {
        let screen = json!({"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": true});
        self.emulate("setDeviceMetricsOverride", &screen);
    }

    /// Everything the console got since the last call.
    pub(crate) fn console(&self) -> Vec<String> {
        let log = self.post("/se/log", &json!({"type": "browser"}));
        let entries = log.as_array().unwrap().iter();
        entries.map(ToString::to_string).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() && !std::thread::panicking() {
            self.request("DELETE", &self.session, &Value::Null);
        } else if !self.session.is_empty()
            && let Ok(mut stream) = TcpStream::connect(("127.0.0.1", self.port))
        {
            // The browser must end with the test even if the driver's answer no longer matters.
            let session = &self.session;
            let _ = write!(
                stream,
                "DELETE {session} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
            );
            let _ = stream.read(&mut [0; 64]);
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
