use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// As long as a busy host may take for anything.
const PATIENCE: Duration = Duration::from_secs(120);

/// Debian's Pushgateway would keep what it has in /var/lib, and begin with what was kept there.
const IN_MEMORY: &str = "--persistence.file=";

/// Where Prometheus and its like are.
pub(crate) struct Programs {
    pub(crate) prometheus: PathBuf,
    pub(crate) pushgateway: PathBuf,
    pub(crate) promtool: PathBuf,
}

/// The programs; without one of them, says so.
pub(crate) fn programs_or_skip() -> Option<Programs> {
    let find = |name: &str| {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file());
        found.ok_or(format!("no program `{name}` in $PATH"))
    };
    let all = || {
        Ok(Programs {
            prometheus: find("prometheus")?,
            // Debian's name, and that of others.
            pushgateway: find("prometheus-pushgateway")
                .or_else(|none| find("pushgateway").map_err(|_| none))?,
            promtool: find("promtool")?,
        })
    };
    let missing: String = match all() {
        Ok(programs) => return Some(programs),
        Err(missing) => missing,
    };
    let required = std::env::var("CHAOS_TEST_REQUIRE").unwrap_or_default();
    assert!(
        !required.split(',').any(|name| name.trim() == "prometheus"),
        "prometheus is required: {missing}"
    );
    eprintln!("SKIPPED: this host has no prometheus: {missing}");
    None
}

/// A server on a free port of 127.0.0.1, which ends with this.
pub(crate) struct Server {
    child: Child,
    /// `http://127.0.0.1:40655`
    pub(crate) url: String,
    _dir: TempDir,
}

impl Server {
    /// Starts it in an empty directory with those files, and waits until it says where it listens.
    fn start(program: &Path, args: &[&str], files: &[(&str, String)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(dir.path().join(name), text).unwrap();
        }
        let mut child = Command::new(program)
            .arg("--web.listen-address=127.0.0.1:0")
            .args(args)
            .current_dir(dir.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = Arc::new(Mutex::new(String::new()));
        let (found, address) = mpsc::channel();
        let kept = Arc::clone(&log);
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                if let Some((_, address)) = line.split_once("msg=\"Listening on\" address=") {
                    let _ = found.send(address.trim().to_owned());
                }
                *kept.lock().unwrap() += &(line + "\n");
            }
        });
        let mut server = Self { child, url: String::new(), _dir: dir };
        match address.recv_timeout(PATIENCE) {
            Ok(address) => server.url = format!("http://{address}"),
            Err(_) => panic!("{} does not listen:\n{}", program.display(), log.lock().unwrap()),
        }
        server
    }

    pub(crate) fn pushgateway(programs: &Programs) -> Self {
        Self::start(&programs.pushgateway, &[IN_MEMORY], &[])
    }

    /// One that asks for the password of `alice`, which is `alice123`.
    pub(crate) fn locked_pushgateway(programs: &Programs) -> Self {
        let hash = "$2y$12$1DpfPeqF9HzHJt.EWswy1exHluGfbhnn3yXhR7Xes6m3WJqFg0Wby";
        let config = format!("basic_auth_users:\n  alice: {hash}\n");
        Self::start(&programs.pushgateway, &[IN_MEMORY, "--web.config.file=web.yml"], &[("web.yml", config)])
    }

    /// A Prometheus that scrapes that Pushgateway and goes by those rules.
    pub(crate) fn prometheus(programs: &Programs, gateway: &Self, rules: &str) -> Self {
        let target = gateway.url.strip_prefix("http://").unwrap();
        let config = format!(
            "global: {{scrape_interval: 250ms, scrape_timeout: 250ms, evaluation_interval: 250ms}}\n\
             rule_files: [rules.yml]\n\
             scrape_configs:\n\
             - job_name: pushgateway\n  honor_labels: true\n  static_configs: [{{targets: ['{target}']}}]\n"
        );
        let args = ["--config.file=prometheus.yml", "--storage.tsdb.path=data"];
        Self::start(&programs.prometheus, &args, &[("prometheus.yml", config), ("rules.yml", rules.into())])
    }

    /// The answer of a path of its programming interface.
    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, String> {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let request = client.get(format!("{}{path}", self.url)).query(query);
        let response = request.send().await.map_err(|error| error.to_string())?;
        let answer: Value = response.json().await.map_err(|error| error.to_string())?;
        match answer["status"].as_str() {
            Some("success") => Ok(answer["data"].clone()),
            _ => Err(answer.to_string()),
        }
    }

    /// What an expression comes to now.
    pub(crate) async fn query(&self, expr: &str) -> Result<Vec<Value>, String> {
        let data = self.get("/api/v1/query", &[("query", expr)]).await?;
        Ok(data["result"].as_array().cloned().unwrap_or_default())
    }

    /// The only number an expression comes to.
    pub(crate) async fn number(&self, expr: &str) -> Option<f64> {
        let found = self.query(expr).await.unwrap_or_else(|error| panic!("{expr}: {error}"));
        assert!(found.len() <= 1, "{expr}: {found:?}");
        found.first()?["value"][1].as_str()?.parse().ok()
    }

    /// Waits until an expression comes to what it should.
    pub(crate) async fn until(&self, expr: &str, is: impl Fn(&[Value]) -> bool) {
        let begun = Instant::now();
        loop {
            let found = self.query(expr).await;
            if found.as_ref().is_ok_and(|found| is(found)) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "{expr} is still {found:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
