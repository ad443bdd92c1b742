use super::*;

fn target(host: &str, address: &str, port: u16) -> Destination {
    Destination {
        service: "shop".into(),
        started_here: false,
        host: Some(host.into()),
        address: Some(address.parse().unwrap()),
        port: Some(port),
    }
}

fn allows(entry: &str, target: &Destination) -> bool {
    BlastRadius::new(vec![entry.parse().unwrap()]).check(target).is_ok()
}

#[test]
fn what_this_run_started_and_loopback_are_always_inside() {
    let radius = BlastRadius::default();
    for address in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
        assert_eq!(radius.check(&target("anything.example", address, 80)), Ok(()), "{address}");
    }
    let started = Destination { started_here: true, ..target("far.example", "203.0.113.7", 80) };
    assert_eq!(radius.check(&started), Ok(()));
}

#[test]
fn a_loopback_name_that_leads_elsewhere_is_outside() {
    let radius = BlastRadius::default();
    for address in ["203.0.113.7", "10.0.0.1", "0.0.0.0", "::", "fe80::1", "::ffff:10.0.0.1"] {
        assert!(radius.check(&target("localhost", address, 80)).is_err(), "{address}");
    }
    let nowhere = Destination { address: None, host: None, ..target("", "127.0.0.1", 80) };
    assert!(radius.check(&nowhere).is_err(), "what is not known is not allowed");
}

#[test]
fn a_name_is_allowed_wherever_it_leads() {
    let db = target("DB.Staging.Example.", "198.51.100.9", 5432);
    for entry in
        ["db.staging.example", "db.staging.example:5432", "*.staging.example", "*.Staging.example.:5432"]
    {
        assert!(allows(entry, &db), "{entry}");
    }
    for entry in ["staging.example", "db.staging.example:80", "*.db.staging.example", "b.staging.example"] {
        assert!(!allows(entry, &db), "{entry}");
    }
    assert!(!allows("*.staging.example", &target("staging.example", "198.51.100.9", 80)));
    assert!(!allows("*.staging.example", &target("evilstaging.example", "198.51.100.9", 80)));
}

#[test]
fn an_address_is_compared_with_where_the_name_led() {
    let at = target("db.example", "10.1.2.3", 80);
    for entry in ["10.1.2.3", "10.1.2.3:80", "10.1.0.0/16", "10.1.2.3/32", "0.0.0.0/0", "10.1.0.0/16:80"] {
        assert!(allows(entry, &at), "{entry}");
    }
    for entry in ["10.1.2.4", "10.1.2.3:81", "10.2.0.0/16", "::/0", "10.1.2.2/32"] {
        assert!(!allows(entry, &at), "{entry}");
    }
    let six = target("[fd00::1]", "fd00::1", 8080);
    for entry in ["fd00::1", "[fd00::1]", "[fd00::1]:8080", "fd00::/8"] {
        assert!(allows(entry, &six), "{entry}");
    }
    assert!(allows("10.0.0.0/8", &target("x", "::ffff:10.9.9.9", 80)));
}

#[test]
fn nonsense_is_no_entry() {
    for text in [
        "",
        " ",
        "*",
        "*.",
        "*.com",
        "a.*.example",
        "http://db.example",
        "db.example/path",
        "db.example:",
        "db.example:0",
        "db.example:+80",
        "db.example:70000",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "256.1.1.1",
        "fd00::1]:80",
        "[db.example]:80",
        "a..b",
        "two words",
        "bücher.example",
        "-\n",
    ] {
        let error = text.parse::<AllowedTarget>().unwrap_err().to_string();
        assert!(error.contains(&format!("found `{text}`")), "{text}: {error}");
    }
}

#[test]
fn an_entry_reads_as_it_was_written() {
    for text in [
        "db.example",
        "db.example:80",
        "*.staging.example",
        "10.1.2.3:80",
        "10.1.0.0/16",
        "[fd00::1]:80",
        "fd00::/8",
    ] {
        assert_eq!(text.parse::<AllowedTarget>().unwrap().to_string(), text);
    }
}

#[test]
fn a_refusal_names_the_target_the_rule_and_both_ways_out() {
    let text =
        BlastRadius::default().check(&target("api.example", "203.0.113.7", 443)).unwrap_err().to_string();
    assert_eq!(
        text,
        "\"shop\" at api.example:443 (203.0.113.7) is outside the blast radius: this run did not start it, its \
         address is not this host's loopback, and it is not allowed by name; nothing was sent to it. If faults may be \
         aimed there, say so with CHAOS_TEST_ALLOW=api.example in the environment or with \
         `safety: {allowed_targets: [\"api.example\"]}` in the catalogue"
    );
}
