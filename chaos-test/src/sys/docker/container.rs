use std::io;

use testcontainers::bollard::models::{
    ContainerInspectResponse, ContainerStateStatusEnum, EndpointSettings, RestartPolicyNameEnum,
};

use super::engine::{engine, told};
use crate::port::{ContainerState, ContainerStatus};
use crate::sys::containers::Limits;

/// What a quota is of, unless said otherwise, in microseconds.
const PERIOD: i64 = 100_000;

/// What the engine says of a container, asked once for all that has to be known when it has been started.
#[derive(Debug, Clone)]
pub(crate) struct Details(pub(super) ContainerInspectResponse);

impl Details {
    /// To be called on the harness's own threads.
    pub(crate) async fn of(id: &str) -> io::Result<Self> {
        engine().await?.inspect_container(id, None).await.map_err(told).map(Self)
    }

    pub(crate) fn id(&self) -> &str {
        self.0.id.as_deref().unwrap_or_default()
    }

    pub(crate) fn is_running(&self) -> bool {
        self.0.state.as_ref().and_then(|state| state.running).unwrap_or_default()
    }

    /// The policy by which its engine starts it again.
    pub(super) fn restart_policy(&self) -> Option<RestartPolicyNameEnum> {
        let policy = self.0.host_config.as_ref()?.restart_policy.as_ref()?.name?;
        let is_one = !matches!(policy, RestartPolicyNameEnum::EMPTY | RestartPolicyNameEnum::NO);
        is_one.then_some(policy)
    }

    /// What it was told about its network: the name of one, `host`, `none`.
    pub(super) fn network_mode(&self) -> &str {
        self.0.host_config.as_ref().and_then(|config| config.network_mode.as_deref()).unwrap_or_default()
    }

    /// What it may use: the least of what was asked for in several ways.
    fn limits(&self) -> Limits {
        let Some(config) = &self.0.host_config else { return Limits::default() };
        // 0 and -1 are no limit.
        let set = |value: Option<i64>| value.filter(|value| *value > 0);
        let of_all = set(config.nano_cpus).map(|nano| nano as f64 / 1e9);
        let period = set(config.cpu_period).unwrap_or(PERIOD);
        let of_time = set(config.cpu_quota).map(|quota| quota as f64 / period as f64);
        let named = config.cpuset_cpus.as_deref().and_then(listed);
        Limits {
            processors: [of_all, of_time, named].into_iter().flatten().reduce(f64::min),
            memory: set(config.memory).and_then(|bytes| u64::try_from(bytes).ok()),
        }
    }

    /// How that network knows it.
    pub(super) fn endpoint(&self, network: &str) -> Option<&EndpointSettings> {
        self.0.network_settings.as_ref()?.networks.as_ref()?.get(network)
    }

    /// The number a port is published under, on IPv4 if there are two.
    pub(super) fn published(&self, inside: u16) -> Option<u16> {
        let ports = self.0.network_settings.as_ref()?.ports.as_ref()?;
        let mut bindings: Vec<_> = ports.get(&format!("{inside}/tcp"))?.iter().flatten().collect();
        bindings.sort_by_key(|binding| binding.host_ip.as_deref().is_some_and(|ip| ip.contains(':')));
        bindings.into_iter().find_map(|binding| binding.host_port.as_ref()?.parse().ok())
    }
}

/// What a container may use. To be called on the harness's own threads.
pub(crate) async fn limits(id: &str) -> io::Result<Limits> {
    Ok(Details::of(id).await?.limits())
}

/// How many processors a list of them has, as the kernel writes it: `0-2,5`.
fn listed(processors: &str) -> Option<f64> {
    let many = |part: &str| -> Option<u32> {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        last.trim().parse::<u32>().ok()?.checked_sub(first.trim().parse().ok()?)?.checked_add(1)
    };
    processors.split(',').map(many).sum::<Option<u32>>().map(f64::from)
}

/// The state of a container; its address is that in the network of this name.
pub(crate) async fn look(id: &str, network: &str) -> io::Result<ContainerState> {
    Ok(state(Details::of(id).await?.0, network))
}

fn state(found: ContainerInspectResponse, network: &str) -> ContainerState {
    let state = found.state.unwrap_or_default();
    let status = match state.status {
        Some(ContainerStateStatusEnum::PAUSED) => ContainerStatus::Paused,
        Some(ContainerStateStatusEnum::RESTARTING) => ContainerStatus::Restarting,
        Some(ContainerStateStatusEnum::RUNNING) => ContainerStatus::Running,
        _ => ContainerStatus::Exited,
    };
    let settings = found.network_settings.unwrap_or_default();
    let address =
        settings.networks.and_then(|networks| networks.get(network)?.ip_address.as_deref()?.parse().ok());
    ContainerState {
        status,
        pid: state.pid.and_then(|pid| u32::try_from(pid).ok()).unwrap_or_default(),
        started_at: state.started_at.unwrap_or_default(),
        restarts: found.restart_count.and_then(|count| u64::try_from(count).ok()).unwrap_or_default(),
        exit_code: state.exit_code.filter(|_| status == ContainerStatus::Exited),
        out_of_memory: state.oom_killed.unwrap_or_default(),
        address,
        network: settings.sandbox_key.unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(json: &str) -> Details {
        Details(serde_json::from_str(json).expect("an answer"))
    }

    #[test]
    fn a_limit_is_the_least_of_what_was_asked_for() {
        let limits = |config: &str| found(&format!(r#"{{"HostConfig": {config}}}"#)).limits();
        let none = limits(r#"{"NanoCpus": 0, "CpuQuota": -1, "CpusetCpus": "", "Memory": 0}"#);
        assert_eq!(none, Limits::default());
        let both = limits(r#"{"NanoCpus": 1500000000, "CpusetCpus": "1", "Memory": 134217728}"#);
        assert_eq!(both, Limits { processors: Some(1.0), memory: Some(128 << 20) });
        let quota = limits(r#"{"CpuQuota": 50000, "CpusetCpus": "0-2,5"}"#);
        assert_eq!(quota.processors, Some(0.5));
        assert_eq!(limits(r#"{"CpusetCpus": "0-2,5"}"#).processors, Some(4.0));
        assert_eq!(limits(r#"{"CpuQuota": 30000, "CpuPeriod": 20000}"#).processors, Some(1.5));
    }

    #[test]
    fn the_number_on_ipv4_is_taken() {
        let both = found(
            r#"{"NetworkSettings": {"Ports": {"80/tcp": [{"HostIp": "::", "HostPort": "2"},
                {"HostIp": "0.0.0.0", "HostPort": "1"}], "81/tcp": null}}}"#,
        );
        assert_eq!(both.published(80), Some(1));
        assert_eq!(both.published(81), None);
        assert_eq!(both.published(82), None);
    }
}
