use std::num::NonZeroU32;
use std::time::Duration;

use chaos_test::__cli as support;
use chaos_test::inject::injector_for;
use chaos_test::model::{Fault, FaultKind, OutageMode, Pin, SyncFault};
use chaos_test::port::{Rung, Support, Target};
use chaos_test::units::{ByteSize, Percent};
use chaos_test::{Environment, Probe, Process, Restart};
use serde_json::{Value, json};

use crate::contained::contained;
use crate::exit::{Exit, Stop};
use crate::output;
use crate::table::{aligned, row};

/// Shows which faults this host can make, and by which mechanism.
///
/// For every fault and every kind of target the mechanisms are tried, the best first: in throw-away
/// processes, namespaces and containers, without a trace. A run uses the first that is offered, unless its scenario
/// pins another (`mechanism:`, `fidelity:`), and its report names it.
#[derive(Debug, clap::Args)]
#[command(after_help = HELP, verbatim_doc_comment)]
pub(crate) struct Args {
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
Targets:
  process    a child process that the test starts (Environment::builder().process, run --command)
  url        something already running (target = \"http://…\", run --target)
  container  one that the test starts (Environment::builder().container); looked at if this program
             was built with the feature `containers`, in containers made of nothing but this program

Answers:
  USED    offered, and the best there is: what a run takes
  yes     offered
  opt-in  offered to a process or container that is started for it; the last column says how
  no      not here; the last column says why, and what would make it work

Exit codes:
  0  done
  2  wrong usage, or a process could not be started to look at

Examples:
  cargo chaos doctor
  cargo chaos doctor --json | jq '.[] | select(.answer == \"no\") | .fix'";

pub(crate) fn run(args: &Args) -> Result<Exit, Stop> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Stop::usage(format!("cannot start a runtime: {error}")))?;
    let answers = runtime.block_on(answers())?;
    let uncontained = (!cfg!(feature = "containers")).then_some(UNCONTAINED);
    if args.json {
        if let Some(note) = uncontained {
            output::tell(&format!("note: {note}"));
        }
        let json: Vec<Value> = answers.iter().map(Answer::machine).collect();
        output::print(&format!("{:#}\n", Value::from(json)))?;
        return Ok(Exit::Done);
    }
    let (mut rows, mut last) =
        (vec![row(["FAULT", "TARGET", "MECHANISM", "HERE", "WHY, AND WHAT WOULD HELP"])], None);
    let (shown, without_engine) = shown(&answers);
    for answer in shown {
        let about = (answer.fault.as_str(), answer.target);
        let (fault, target) = if last == Some(about) { ("", "") } else { about };
        last = Some(about);
        rows.push(row([fault, target, answer.rung.mechanism, answer.here(), &answer.why()]));
    }
    if let Some(why) = without_engine {
        rows.push(row(["every fault", CONTAINER, "", "no", &why]));
    }
    let note = uncontained.map_or_else(String::new, |note| format!("\n{note}\n"));
    output::print(&format!("{}\n\n{}{note}", support::this_host(), aligned(&rows)))?;
    Ok(Exit::Done)
}

const CONTAINER: &str = "container";
/// What is said by a program that cannot look.
const UNCONTAINED: &str = "containers were not looked at: this program was built without the feature `containers` \
                           (`cargo install --path chaos-test --features cli,containers` builds it with that)";

/// The answers that people are shown one by one; and why there is no container at all, if so, to be said once.
fn shown(answers: &[Answer]) -> (Vec<&Answer>, Option<String>) {
    let without = answers.iter().find(|answer| answer.without_target);
    let shown = answers.iter().filter(|answer| !answer.without_target).collect();
    (shown, without.map(Answer::why))
}

/// What the host says of one rung.
struct Answer {
    fault: String,
    target: &'static str,
    rung: Rung,
    /// The same rung for a process that was started with everything there is to ask for.
    prepared: Option<Rung>,
    used: bool,
    /// There is nothing to look at: so this is no answer of this rung alone.
    without_target: bool,
}

impl Answer {
    fn opt_in(&self) -> bool {
        self.rung.refusal.is_some() && self.prepared.as_ref().is_some_and(|rung| rung.refusal.is_none())
    }

    fn here(&self) -> &'static str {
        match &self.rung.refusal {
            None if self.used => "USED",
            None => "yes",
            Some(_) if self.opt_in() => "opt-in",
            Some(_) => "no",
        }
    }

    /// What keeps even a process that asked for everything from it weighs more than that it did not ask.
    fn why(&self) -> String {
        let deeper = self.prepared.as_ref().and_then(|rung| rung.refusal.as_ref());
        deeper.or(self.rung.refusal.as_ref()).map_or_else(String::new, ToString::to_string)
    }

    fn machine(&self) -> Value {
        let refusal =
            self.prepared.as_ref().and_then(|rung| rung.refusal.as_ref()).or(self.rung.refusal.as_ref());
        json!({
            "fault": self.fault,
            "target": self.target,
            "mechanism": self.rung.mechanism,
            "fidelity": self.rung.fidelity,
            "answer": self.here().to_lowercase(),
            "reason": refusal.map(|refusal| &refusal.reason),
            "fix": refusal.map(|refusal| &refusal.fix).filter(|fix| !fix.is_empty()),
        })
    }
}

async fn answers() -> Result<Vec<Answer>, Stop> {
    let plain = looked_at(Environment::builder().process("app", service())).await?;
    let app = target(&plain);
    let all = service().supervised_syncs().restart(Restart::Always);
    // Not every host lets us make networks; then the start says so, and the rest is looked at without one.
    let in_its_own = Environment::builder().process("app", all.clone().own_network()).start().await;
    let prepared = match in_its_own {
        Ok(environment) => environment,
        Err(error) => {
            output::tell(&format!("note: {error}"));
            looked_at(Environment::builder().process("app", all)).await?
        }
    };
    let prepared = target(&prepared);
    let url = format!("http://{}", plain.address("app"));
    let running = looked_at(Environment::builder().url("app", url)).await?;
    let running = target(&running);
    let contained = contained(&app).await;
    let mut looks = vec![("process", &app, Some(&prepared), None), ("url", &running, None, None)];
    if let Some(contained) = &contained {
        looks.push((CONTAINER, &contained.plain, Some(&contained.prepared), contained.refusal.as_ref()));
    }
    let mut all = Vec::new();
    for fault in faults() {
        let injector = injector_for(&fault);
        for (kind, target, prepared, refusal) in &looks {
            let mut support = injector.support(&fault, target);
            if let Some(refusal) = refusal {
                let refused = |rung: &Rung| Rung { refusal: Some((*refusal).clone()), ..rung.clone() };
                support = Support::ladder(support.rungs().iter().map(refused).collect::<Vec<_>>());
            }
            let prepared = prepared.filter(|_| refusal.is_none());
            let used = support.choose(fault.kind(), &Pin::default()).map(|choice| choice.mechanism).ok();
            let prepared = prepared.map(|target| injector.support(&fault, target));
            let same = |name: &str| {
                prepared.as_ref().and_then(|ladder| ladder.rungs().iter().find(|rung| rung.mechanism == name))
            };
            all.extend(support.rungs().iter().map(|rung| Answer {
                fault: name(&fault),
                target: kind,
                prepared: same(rung.mechanism).cloned(),
                used: used == Some(rung.mechanism),
                without_target: refusal.is_some(),
                rung: rung.clone(),
            }));
        }
    }
    Ok(all)
}

fn service() -> Process {
    Process::current_exe().args(["listen", "--port", "{port}"]).ready(Probe::tcp())
}

async fn looked_at(builder: chaos_test::EnvironmentBuilder) -> Result<Environment, Stop> {
    builder.start().await.map_err(|error| Stop::usage(format!("nothing can be looked at: {error}")))
}

fn target(environment: &Environment) -> Target {
    environment.services()[0].target()
}

/// One fault of every sort that has a ladder of its own.
fn faults() -> Vec<Fault> {
    let one = NonZeroU32::MIN;
    let database = |mode| Fault::DatabaseDown { database: None, mode, recovery_time_expected: None };
    vec![
        Fault::CpuExhaust { workers: one, load: Percent::HUNDRED },
        Fault::MemoryLeak { size: ByteSize::new(1 << 20) },
        Fault::NetworkDelay {
            delay: Duration::from_millis(1),
            jitter: Duration::ZERO,
            bandwidth: None,
            interface: None,
        },
        Fault::NetworkLoss { loss: Percent::HUNDRED, connections: None, interface: None },
        Fault::DiskStress { workers: one, sync: None },
        Fault::DiskStress { workers: one, sync: Some(SyncFault::Failed) },
        Fault::ContainerCrash {
            container: None,
            downtime: Duration::from_secs(1),
            recovery_time_expected: None,
        },
        database(OutageMode::Crash),
        database(OutageMode::Hang),
        database(OutageMode::Refuse),
        database(OutageMode::Partition),
        Fault::ServiceRecovery { container: None, recovery_time_expected: None },
    ]
}

/// The family, with what decides on its ladder.
fn name(fault: &Fault) -> String {
    let kind: FaultKind = fault.kind();
    match fault {
        Fault::DatabaseDown { mode, .. } => format!("{kind} ({})", format!("{mode:?}").to_lowercase()),
        Fault::DiskStress { sync: Some(_), .. } => format!("{kind} (sync_*)"),
        _ => kind.to_string(),
    }
}
