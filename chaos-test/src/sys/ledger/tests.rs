use super::read::parse;
use super::*;
use crate::port::UndoStep;

fn owner() -> Owner {
    Owner { boot: "0badcafe".into(), pid_ns: 1, pid: 7, start_ticks: 9 }
}

fn opened() -> Entry {
    Entry::Opened { format: FORMAT, version: "0.1.0".into(), owner: owner(), at: 1.0, unix: 2.0 }
}

fn owed(id: &str, experiment: Option<u64>, at: f64) -> Entry {
    let record = RevertRecord {
        id: id.into(),
        injector: "cpu_exhaust".into(),
        service: "app".into(),
        payload: serde_json::Value::Null,
        undo: vec![UndoStep::EndProcesses { mark: id.into() }],
    };
    Entry::Owed { record, experiment, at }
}

fn settled(id: &str) -> Entry {
    Entry::Settled { id: id.into(), by: Payer::Test, at: 5.0 }
}

fn text(entries: &[Entry]) -> String {
    entries.iter().map(|entry| serde_json::to_string(entry).expect("plain data") + "\n").collect()
}

fn ids(account: &Account) -> Vec<&str> {
    account.owed.iter().map(|debt| debt.record.id.as_str()).collect()
}

#[test]
fn what_is_owed_is_what_was_not_settled() {
    let account = parse(
        text(&[opened(), owed("a", None, 1.0), owed("b", Some(1), 2.0), owed("c", None, 3.0), settled("a")])
            .as_bytes(),
    )
    .expect("a ledger");
    assert_eq!(ids(&account), ["b", "c"]);
    assert_eq!((account.total, account.owner.clone()), (3, owner()));
    assert!(!account.is_clear());
    assert_eq!(account.faults.len(), 1);
    assert_eq!((account.faults[0].experiment, account.faults[0].settled), (1, None));
}

#[test]
fn a_torn_last_line_is_no_entry_and_no_damage() {
    let whole = text(&[opened(), owed("a", None, 1.0)]);
    let next = text(&[owed("b", None, 2.0)]);
    for cut in 1..next.len() - 1 {
        let account = parse(format!("{whole}{}", &next[..cut]).as_bytes()).expect("a ledger");
        assert_eq!((ids(&account), &account.damaged), (vec!["a"], &vec![]), "cut after {cut}");
    }
    // Only its end is missing: it is an entry.
    let account = parse(format!("{whole}{}", next.trim_end()).as_bytes()).expect("a ledger");
    assert_eq!(ids(&account), ["a", "b"]);
}

#[test]
fn a_damaged_line_keeps_nothing_else_from_being_read() {
    let text =
        text(&[opened(), owed("a", None, 1.0)]) + "{\"entry\":\"ow\0\n" + &text(&[owed("b", None, 2.0)]);
    let account = parse(text.as_bytes()).expect("a ledger");
    assert_eq!((ids(&account), &account.damaged), (vec!["a", "b"], &vec![3]));
}

#[test]
fn what_another_version_writes_is_read_as_far_as_it_is_known() {
    let text = text(&[opened()])
        + "{\"entry\":\"renamed\",\"whatever\":[1,2]}\n"
        + "{\"entry\":\"owed\",\"record\":{\"id\":\"x\",\"injector\":\"new\",\"service\":\"app\",\"payload\":{\"a\":1},\
           \"undo\":[{\"step\":\"netlink\",\"message\":\"…\"}],\"more\":true},\"experiment\":null,\"at\":1.0}\n";
    let account = parse(text.as_bytes()).expect("a ledger");
    assert_eq!(account.owed[0].record.undo, [UndoStep::Unknown]);
    assert!(account.damaged.is_empty());
    let (done, failed) = crate::sys::undo::undo(&account.owed[0].record, &[], |_| None);
    assert!(done.is_empty() && failed[0].contains("does not know"), "{failed:?}");
}

#[test]
fn a_newer_format_is_refused_and_so_is_a_file_of_nobody() {
    let newer = text(&[opened()]).replace("\"format\":1", "\"format\":2");
    let refused = parse(newer.as_bytes()).expect_err("newer").to_string();
    assert!(refused.contains("format 2") && refused.contains("cargo-chaos"), "{refused}");
    for text in ["", "\n", "nonsense\n", &text(&[owed("a", None, 1.0)])] {
        assert!(matches!(parse(text.as_bytes()), Err(ReadError::NoOwner)), "{text:?}");
    }
}

#[test]
fn an_experiment_is_open_until_its_record_is_written() {
    let began =
        Entry::Began { experiment: 3, test: "t".into(), pending: "p".into(), record: "r".into(), at: 1.0 };
    let account = parse(text(&[opened(), began.clone()]).as_bytes()).expect("a ledger");
    assert_eq!((account.open.len(), account.is_clear()), (1, false));
    let ended = Entry::Ended { experiment: 3, at: 2.0 };
    assert!(parse(text(&[opened(), began, ended]).as_bytes()).expect("a ledger").is_clear());
}

#[test]
fn a_line_that_was_cut_short_gives_way_to_the_next() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("ledger.jsonl");
    let whole = text(&[opened(), owed("a", None, 1.0)]);
    let next = text(&[owed("b", None, 2.0)]);
    for (cut, expected) in [(9, vec![]), (next.len() - 1, vec!["b"]), (next.len(), vec!["b"])] {
        std::fs::write(&path, format!("{whole}{}", &next[..cut])).expect("written");
        append_to(&path, &settled("a")).expect("appended");
        let account = read(&path).expect("a ledger");
        assert_eq!((ids(&account), &account.damaged), (expected, &vec![]), "cut after {cut}");
    }
}

#[test]
fn a_ledger_that_nobody_finds_any_more_takes_no_entry() {
    let dir = tempfile::tempdir().expect("a directory");
    let path = dir.path().join("ledger.jsonl");
    let file = File::create(&path).expect("made");
    assert!(is_in_place(&file, &path).is_ok());
    std::fs::remove_file(&path).expect("removed");
    assert!(is_in_place(&file, &path).is_err());
    let _other = File::create(&path).expect("another of that name");
    assert!(is_in_place(&file, &path).is_err());
}
