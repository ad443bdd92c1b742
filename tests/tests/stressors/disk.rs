//! The disk.

use std::fs;
use std::num::NonZeroU32;
use std::path::Path;

use chaos_test::model::{Fault, SyncFault};
use chaos_test::prelude::*;
use suite::{Stress, stress};

use crate::stub;

fn writers(workers: u32) -> Fault {
    Fault::DiskStress { workers: NonZeroU32::new(workers).expect("some"), sync: None }
}

async fn with_data_in(dir: &Path) -> Environment {
    let app = Process::cargo_bin("stub").args(["--port", "{port}"]).ready(Probe::http("/")).data_dir(dir);
    Environment::builder().process("app", app).start().await.expect("a stub")
}

/// How many bytes a process has sent to a disk, by the kernel's account.
fn written(pid: u32) -> u64 {
    let account = fs::read_to_string(format!("/proc/{pid}/io")).expect("it runs");
    let line = account.lines().find_map(|line| line.strip_prefix("write_bytes: "));
    line.and_then(|bytes| bytes.parse().ok()).expect("a number of bytes")
}

#[tokio::test]
async fn disk_stress_writes_on_and_on_where_the_data_is_and_leaves_nothing() {
    let dir = tempfile::tempdir_in(env!("CARGO_MANIFEST_DIR")).expect("a directory on a disk");
    let environment = with_data_in(dir.path()).await;
    let target = environment.service("app").unwrap().target();
    let stress = Stress::prepare(&writers(2), &target, None).await.expect("writers");
    assert_eq!(stress.prepared.mechanism, "writers");
    assert!(stress.prepared.detail.contains(&dir.path().display().to_string()), "{}", stress.prepared.detail);
    stress.inject().await;
    let took = stress.reaches(1.0, 5.seconds()).await.expect("both write");
    println!("both write after {took:?}");
    // More than its file may hold has gone to the disk, and the file is bounded all the same, and without a name.
    let workers = stress.workers();
    assert_eq!(workers.len(), 2);
    for worker in workers {
        let reached = tokio::time::timeout(60.seconds(), async {
            while written(worker) <= Fault::DISK_STRESS_FILE.bytes() {
                tokio::time::sleep(20.ms()).await;
            }
        });
        reached.await.expect("it goes on writing");
        let files = fs::read_dir(format!("/proc/{worker}/fd")).expect("it runs").flatten();
        let sizes = files.filter_map(|fd| fs::metadata(fd.path()).ok()).filter(fs::Metadata::is_file);
        let sizes: Vec<u64> = sizes.map(|meta| meta.len()).collect();
        assert_eq!(sizes.len(), 1, "one file: {sizes:?}");
        assert!(sizes[0] <= Fault::DISK_STRESS_FILE.bytes(), "{sizes:?}");
    }
    assert_eq!(fs::read_dir(dir.path()).expect("ours").count(), 0, "a name in the data of the service");
    stress.revert().await;
    assert!(stress.workers().is_empty());
    assert_eq!(stress.measured().await, Ok(0.0));
    assert_eq!(fs::read_dir(dir.path()).expect("ours").count(), 0, "something is left");
}

#[tokio::test]
async fn disk_stress_where_no_disk_is_is_refused() {
    let shm = Path::new("/dev/shm");
    let environment = with_data_in(shm).await;
    let refused = Stress::prepare(&writers(1), &environment.service("app").unwrap().target(), None).await;
    let refused = refused.err().expect("it is no disk");
    println!("{refused}");
    let missing = (!refused.contains("tmpfs")).then(|| "/dev/shm is no tmpfs".to_owned());
    if stress::has("tmpfs", missing) {
        assert!(refused.contains("a sync there does nothing"), "{refused}");
        assert!(refused.contains("Process::data_dir"), "{refused}");
    }
    let environment = with_data_in(Path::new("/nowhere/at/all")).await;
    let refused = Stress::prepare(&writers(1), &environment.service("app").unwrap().target(), None).await;
    let refused = refused.err().expect("there is no such directory");
    assert!(refused.contains("nothing can be written there"), "{refused}");
    let stub = suite::Stub::start(0).await.expect("a stub");
    let environment = Environment::builder().url("app", stub.url()).start().await.expect("it runs");
    let refused = Stress::prepare(&writers(1), &environment.service("app").unwrap().target(), None).await;
    assert!(refused.err().expect("not ours").contains("was not started by this run"));
}

#[tokio::test]
async fn disk_stress_says_which_rung_a_scenario_wants() {
    let environment = stub().await;
    let target = environment.service("app").unwrap().target();
    let refused =
        Stress::prepare(&writers(1), &target, Some("seccomp-notify")).await.err().expect("no syncs");
    assert!(refused.ends_with("writers: `mechanism: seccomp-notify` is asked for"), "{refused}");
    let late = Fault::DiskStress { workers: NonZeroU32::MIN, sync: Some(SyncFault::Delay(20.ms())) };
    let refused = Stress::prepare(&late, &target, Some("writers")).await.err().expect("no workers");
    assert!(
        refused.starts_with("disk_stress by `writers` is not possible here: seccomp-notify: "),
        "{refused}"
    );
}
