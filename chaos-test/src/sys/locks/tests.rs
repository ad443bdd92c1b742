use super::*;

fn dir() -> (tempfile::TempDir, LockDir) {
    let root = tempfile::tempdir().unwrap();
    let dir = LockDir::at(root.path().join("locks")).unwrap();
    (root, dir)
}

fn take(dir: &LockDir, mode: Mode) -> Option<Lock> {
    dir.try_take("host.lock", mode).unwrap()
}

#[test]
fn many_may_share_and_one_may_have_it_alone() {
    let (_root, dir) = dir();
    let shared = [take(&dir, Mode::Shared).unwrap(), take(&dir, Mode::Shared).unwrap()];
    assert!(take(&dir, Mode::Exclusive).is_none());
    drop(shared);
    let alone = take(&dir, Mode::Exclusive).unwrap();
    assert!(take(&dir, Mode::Shared).is_none() && take(&dir, Mode::Exclusive).is_none());
    assert!(dir.try_take("other.lock", Mode::Exclusive).unwrap().is_some());
    drop(alone);
    assert!(take(&dir, Mode::Shared).is_some());
}

#[test]
fn every_user_may_take_every_lock() {
    let (root, dir) = dir();
    drop(take(&dir, Mode::Exclusive));
    let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o7777;
    assert_eq!(mode(&root.path().join("locks")), 0o1777);
    assert_eq!(mode(&root.path().join("locks/host.lock")), 0o666);
    LockDir::at(root.path().join("locks")).unwrap();
}

#[test]
fn a_duplicate_keeps_the_lock_only_until_it_is_given_up() {
    let (_root, dir) = dir();
    let lock = take(&dir, Mode::Exclusive).unwrap();
    let duplicate = lock.descriptor().unwrap();
    // What the kernel does when a process is killed: nothing is given up, its descriptors are closed.
    let (file, path) = (lock.file.try_clone().unwrap(), lock.path.clone());
    std::mem::forget(lock);
    drop(file);
    assert!(take(&dir, Mode::Shared).is_none());
    let lock = Lock { file: File::from(duplicate), path, note: None };
    let kept = lock.descriptor().unwrap();
    drop(lock);
    assert!(take(&dir, Mode::Shared).is_some(), "given up for all");
    drop(kept);
}

#[test]
fn links_and_what_is_no_file_are_refused() {
    let (root, dir) = dir();
    let victim = root.path().join("victim");
    fs::write(&victim, "precious").unwrap();
    std::os::unix::fs::symlink(&victim, root.path().join("locks/soft")).unwrap();
    fs::hard_link(&victim, root.path().join("locks/hard")).unwrap();
    nix::unistd::mkfifo(&root.path().join("locks/pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    for name in ["soft", "hard", "pipe"] {
        let error = dir.try_take(name, Mode::Exclusive).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("anybody may have put"), "{error}");
    }
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    std::os::unix::fs::symlink(root.path().join("locks"), root.path().join("linked")).unwrap();
    let error = LockDir::at(root.path().join("linked")).unwrap_err().to_string();
    assert!(error.contains("linked") && error.contains("CHAOS_TEST_LOCK_DIR"), "{error}");
}

#[test]
fn a_lock_whose_file_was_removed_is_not_the_lock() {
    let (root, dir) = dir();
    let path = root.path().join("locks/host.lock");
    let before = take(&dir, Mode::Exclusive).unwrap();
    fs::remove_file(&path).unwrap();
    let after = take(&dir, Mode::Exclusive).unwrap();
    assert!(path.exists() && after.file.metadata().unwrap().nlink() == 1);
    drop(before);
    assert!(take(&dir, Mode::Shared).is_none());
}

#[test]
fn holders_say_who_they_are() {
    let (root, dir) = dir();
    let mut lock = take(&dir, Mode::Shared).unwrap();
    let mut other = take(&dir, Mode::Shared).unwrap();
    lock.announce("checkout::slow\x1b[31m");
    other.announce("checkout::other");
    let holders = dir.holders("host.lock");
    assert_eq!(holders.len(), 2);
    assert_eq!(holders[0].name, "checkout::slow[31m", "what a terminal would obey is left out");
    assert!(holders.iter().all(|holder| holder.pid == std::process::id() && !holder.gone));
    // A process that is long gone: its note is told as such, and goes when the next one is written.
    let this = owner::new_mark();
    let dead = this.replacen(&format!("-{}-", std::process::id()), "-4194304-", 1);
    fs::write(root.path().join(format!("locks/host.lock.{dead}")), r#"{"name":"killed","since":5.0}"#)
        .unwrap();
    fs::write(root.path().join("locks/host.lock.garbage"), "x").unwrap();
    let last = dir.holders("host.lock").pop().unwrap();
    assert_eq!((last.name.as_str(), last.pid, last.gone), ("killed", 4_194_304, true));
    drop(lock);
    other.announce("again");
    assert!(dir.holders("host.lock").iter().all(|holder| !holder.gone));
}

#[test]
fn what_one_holder_leaves_the_next_one_reads() {
    let (_root, dir) = dir();
    let lock = take(&dir, Mode::Exclusive).unwrap();
    assert_eq!(lock.read::<Vec<u32>>(), None);
    lock.write(&[1_u32, 2, 3]).unwrap();
    lock.write(&[4_u32]).unwrap();
    drop(lock);
    assert_eq!(take(&dir, Mode::Exclusive).unwrap().read::<Vec<u32>>(), Some(vec![4]));
}

#[test]
fn locks_that_nobody_has_had_for_long_go() {
    let (root, dir) = dir();
    let held = dir.try_take("target-held.lock", Mode::Exclusive).unwrap().unwrap();
    for name in ["target-old.lock", "target-new.lock", "host.lock"] {
        drop(dir.try_take(name, Mode::Exclusive).unwrap());
    }
    let path = |name: &str| root.path().join("locks").join(name);
    for name in ["target-old.lock", "target-held.lock", "host.lock"] {
        let file = File::options().write(true).open(path(name)).unwrap();
        file.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(1_000_000_000)).unwrap();
    }
    dir.sweep("target-", Duration::from_secs(3600));
    let left = ["target-old.lock", "target-new.lock", "target-held.lock", "host.lock"]
        .map(|name| path(name).exists());
    assert_eq!(left, [false, true, true, true]);
    drop(held);
}
