use chaos_test::port::Target;
use chaos_test::{Environment, Error, Probe, Process, Restart};

use crate::exit::Stop;
use crate::output;

/// What scenarios are run against.
#[derive(Debug, Clone, clap::Args)]
#[group(id = "against", required = true, multiple = false)]
pub(crate) struct Against {
    /// Run against what is already there: `http://HOST:PORT`
    #[arg(long, value_name = "URL")]
    pub(crate) target: Option<String>,

    /// Start this for every scenario, with `sh -c`; `{port}` is the port to listen on, as is $PORT
    #[arg(long, value_name = "COMMAND")]
    pub(crate) command: Option<String>,
}

/// How a command is started.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Start {
    /// Start the command again whenever it ends, as a platform would (for service_recovery)
    #[arg(long, requires = "command")]
    restart: bool,

    /// Give the command a network of its own, for faults on its packets
    #[arg(long, requires = "command")]
    own_network: bool,

    /// Let faults be put on the command's own syncs (disk_stress with sync_delay_ms or sync_error)
    #[arg(long, requires = "command")]
    supervised_syncs: bool,
}

impl Start {
    fn apply(&self, mut process: Process) -> Process {
        if self.restart {
            process = process.restart(Restart::Always);
        }
        if self.own_network {
            process = process.own_network();
        }
        if self.supervised_syncs {
            process = process.supervised_syncs();
        }
        process
    }

    /// As it was typed.
    fn flags(&self) -> String {
        [
            (self.restart, " --restart"),
            (self.own_network, " --own-network"),
            (self.supervised_syncs, " --supervised-syncs"),
        ]
        .into_iter()
        .filter_map(|(said, flag)| said.then_some(flag))
        .collect()
    }
}

impl Against {
    /// Starts it, or finds the way to it.
    pub(crate) async fn environment(
        self,
        start: Start,
        name: &str,
        probe: Probe,
    ) -> Result<Environment, Error> {
        let builder = Environment::builder();
        let builder = match (self.target, self.command) {
            (Some(url), _) => builder.url(name, url),
            (None, command) => {
                let command = command.unwrap_or_default();
                let process = Process::new("/bin/sh").args(["-c", &command]).ready(probe.clone());
                builder.process(name, start.apply(process))
            }
        };
        builder.probe(name, probe).start().await
    }

    /// It as an injector sees it, as long as the environment is kept. A command is started once to see that it can be;
    /// nothing is sent to a URL.
    pub(crate) async fn look(&self, start: Start, probe: Probe) -> Result<(Environment, Target), Stop> {
        // The error names the URL, without a login that may be in it.
        let typed = if self.target.is_some() { "--target".to_owned() } else { self.typed(&start) };
        let stop = |why: String| Stop::usage(format!("{typed}: {why}"));
        let environment = self.clone().environment(start.clone(), "target", probe).await;
        let environment = environment.map_err(|error| stop(error.to_string()))?;
        let service = environment.service("target").map(chaos_test::Service::target);
        let target = service.ok_or_else(|| stop("no service".into()))?;
        Ok((environment, target))
    }

    /// As it was typed.
    pub(crate) fn typed(&self, start: &Start) -> String {
        match (&self.target, &self.command) {
            (Some(url), _) => format!("--target {}", output::quoted(url)),
            (None, command) => {
                format!(
                    "--command {}{}",
                    output::quoted(command.as_deref().unwrap_or_default()),
                    start.flags()
                )
            }
        }
    }
}
