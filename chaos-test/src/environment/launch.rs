use std::path::Path;
use std::sync::Arc;

use super::Service;
use super::network::Network;
use super::open::PendingProcess;
use super::process::fill;
use crate::error::Error;
use crate::sys::process::{ManagedProcess, ProcessSpec};
use crate::sys::syncs::{self, Gate};
use crate::sys::{env, run_folder, supervisor};

/// Starts the process of a service.
pub(super) fn launch(service: &mut Service, pending: PendingProcess, folder: &Path) -> Result<(), Error> {
    let PendingProcess { process, env: variables, .. } = pending;
    let name = &service.name;
    let data = process.data_dir.as_ref().or(process.dir.as_ref());
    let here = env::current_dir();
    service.disk = Some(data.map_or_else(|| here.clone(), |dir| here.join(dir)));
    let program = process.program.map_err(|why| Error::setup(format!("{name}: {why}")))?;
    let at = service.upstream;
    let port = ("PORT".into(), at.port().to_string().into());
    let filled = variables.into_iter().map(|(name, value)| (name, fill(&value, at)));
    let spec = ProcessSpec {
        service: name.clone(),
        args: process.args.iter().map(|arg| fill(arg, at)).collect(),
        env: std::iter::once(port).chain(filled).collect(),
        syncs: process.supervised_syncs.then(|| gate(&process.dir)).transpose().map_err(|why| {
            Error::setup(format!("{name} is to be started with its syncs supervised, and cannot be: {why}"))
        })?,
        dir: process.dir,
        log: folder.join(format!("{}.log", run_folder::file_name(name))),
        program: program.clone(),
        restart: process.restart,
        network: service.network.as_ref().map(Network::namespace),
    };
    let started = ManagedProcess::start(spec)
        .map_err(|error| Error::setup(format!("starting {name}: {}: {error}", program.display())))?;
    let started = Arc::new(started);
    if let Some(policy) = process.restart {
        supervisor::watch(&started, policy)
            .map_err(|error| Error::setup(format!("watching over {name}: {error}")))?;
    }
    service.process = Some(started);
    Ok(())
}

/// The gate of a service that writes there.
fn gate(dir: &Option<std::path::PathBuf>) -> Result<Arc<Gate>, String> {
    match syncs::refusal() {
        Some(why) => Err(why),
        None => Ok(Arc::new(Gate::new(dir.clone().unwrap_or_else(env::current_dir)))),
    }
}
