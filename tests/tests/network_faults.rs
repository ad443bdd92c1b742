//! What the front door can do to a path, one effect at a time: closed, black hole, loss, broken connections, bandwidth.
#![allow(clippy::disallowed_methods, reason = "test code may use clocks")]

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use chaos_test::inject::injector_for;
use chaos_test::model::{ConnectionFault, OutageMode, Pin};
use chaos_test::port::{Closed, PathShape, Tally, Target};
use chaos_test::prelude::*;
use chaos_test::units::ByteSize;
use suite::{Door, echo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const REFUSE: PathShape = PathShape { closed: Some(Closed::Refuse), ..PathShape::NONE };
const BLACK_HOLE: PathShape = PathShape { closed: Some(Closed::BlackHole), ..PathShape::NONE };

fn loss(loss: f64) -> PathShape {
    PathShape { loss, ..PathShape::NONE }
}

fn connections(share: f64, how: ConnectionFault) -> PathShape {
    PathShape { connections: Some((share, how)), ..PathShape::NONE }
}

async fn exchange(stream: &mut TcpStream, byte: u8) -> std::io::Result<Duration> {
    let sent = Instant::now();
    stream.write_all(&[byte]).await?;
    let mut got = [0];
    stream.read_exact(&mut got).await?;
    assert_eq!(got, [byte]);
    Ok(sent.elapsed())
}

/// Whether nothing comes for a while.
async fn hangs(stream: &mut TcpStream) -> bool {
    tokio::time::timeout(300.ms(), stream.read(&mut [0; 8])).await.is_err()
}

async fn until_refused(door: &Door) {
    let refused = async {
        while !matches!(TcpStream::connect(door.address()).await, Err(error) if error.kind() == ErrorKind::ConnectionRefused)
        {
            tokio::time::sleep(1.ms()).await;
        }
    };
    tokio::time::timeout(5.seconds(), refused).await.expect("new connections are refused");
}

#[tokio::test]
async fn a_door_that_refuses_resets_what_is_open_and_listens_no_more() {
    let door = Door::to(echo().await).await;
    let mut open = door.connect().await;
    exchange(&mut open, b'a').await.expect("it is open");
    for _ in 0..5 {
        door.shape(REFUSE);
        let reset = open.read(&mut [0]).await.expect_err("the service is gone");
        assert_eq!(reset.kind(), ErrorKind::ConnectionReset);
        until_refused(&door).await;
        let tally = door.path().trials(20, 200.ms()).await.expect("trials can be made");
        assert_eq!(tally, Tally { refused: 20, ..Tally::default() });
        door.shape(PathShape::NONE);
        open = tokio::time::timeout(5.seconds(), async {
            loop {
                match TcpStream::connect(door.address()).await {
                    Ok(stream) => return stream,
                    Err(_) => tokio::time::sleep(1.ms()).await,
                }
            }
        })
        .await
        .expect("the same port listens again");
        exchange(&mut open, b'b').await.expect("and works");
    }
}

#[tokio::test]
async fn into_a_black_hole_everything_goes_and_comes_out_of_it() {
    let door = Door::to(echo().await).await;
    let mut open = door.connect().await;
    exchange(&mut open, b'a').await.expect("it is open");
    door.shape(BLACK_HOLE);
    open.write_all(b"waiting").await.expect("the kernel takes it");
    let mut new = door.connect().await;
    new.write_all(b"as well").await.expect("the kernel takes it");
    let (old_hangs, new_hangs) = tokio::join!(hangs(&mut open), hangs(&mut new));
    assert!(old_hangs && new_hangs, "nothing answers");
    let tally = door.path().trials(20, 100.ms()).await.expect("trials can be made");
    assert_eq!(tally, Tally { unanswered: 20, ..Tally::default() });
    door.shape(PathShape::NONE);
    for (stream, expected) in [(&mut open, b"waiting"), (&mut new, b"as well")] {
        let mut got = [0; 7];
        let read = tokio::time::timeout(5.seconds(), stream.read_exact(&mut got)).await;
        read.expect("what waited goes on at once").expect("it is still open");
        assert_eq!(&got, expected);
    }
}

#[tokio::test]
async fn clients_that_give_up_on_a_black_hole_cost_nothing() {
    let door = Door::to(echo().await).await;
    let before = descriptors();
    door.shape(BLACK_HOLE);
    for _ in 0..200 {
        let mut stream = door.connect().await;
        stream.write_all(b"anybody?").await.expect("the kernel takes it");
    }
    let gone = async {
        while descriptors() > before + 20 {
            tokio::time::sleep(10.ms()).await;
        }
    };
    tokio::time::timeout(5.seconds(), gone).await.expect("their descriptors are given back");
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").expect("every process has it").count()
}

#[tokio::test]
async fn a_lost_segment_comes_after_a_timeout_and_at_once_when_the_loss_is_over() {
    let door = Door::to(echo().await).await;
    let mut stream = door.connect().await;
    exchange(&mut stream, b'a').await.expect("it is open");
    door.shape(loss(0.5));
    let mut slow = 0;
    for n in 0..20 {
        let took = exchange(&mut stream, n).await.expect("nothing is lost for good");
        slow += u32::from(took >= Duration::from_millis(200));
        if slow >= 2 {
            break;
        }
    }
    // Each is hit with probability 3/4.
    assert!(slow >= 2, "{slow} of 20 were hit");
    door.shape(loss(1.0));
    stream.write_all(b"z").await.expect("the kernel takes it");
    assert!(hangs(&mut stream).await, "all is lost");
    door.shape(PathShape::NONE);
    let read = tokio::time::timeout(5.seconds(), stream.read_exact(&mut [0])).await;
    read.expect("what was lost comes at once").expect("it is open");
}

#[tokio::test]
async fn opening_a_connection_is_lost_as_well() {
    let door = Door::to(echo().await).await;
    door.shape(loss(0.5));
    // Three of four handshakes fail at least once; each of these then waits a second before its first byte.
    let tries = (0..16).map(|_| async {
        let mut stream = door.connect().await;
        let sent = Instant::now();
        let answered = tokio::time::timeout(950.ms(), exchange(&mut stream, b'?')).await.is_ok();
        (answered, sent.elapsed())
    });
    let mut late = 0;
    for tried in tries {
        late += u32::from(!tried.await.0);
        if late >= 3 {
            break;
        }
    }
    assert!(late >= 3, "{late} of 16 took a second");
    let mut stream = door.connect().await;
    door.shape(PathShape::NONE);
    let took = tokio::time::timeout(5.seconds(), exchange(&mut stream, b'x')).await;
    took.expect("an opening that waits goes on at once").expect("it is open");
}

#[tokio::test]
async fn every_trial_that_meets_a_loss_is_seen() {
    let door = Door::to(echo().await).await;
    let tally = door.path().trials(200, 150.ms()).await.expect("trials can be made");
    assert_eq!(tally.count(), 200);
    assert!(tally.answered >= 190, "{tally:?}");
    door.shape(loss(0.3));
    let tally = door.path().trials(400, 150.ms()).await.expect("trials can be made");
    // 1 − 0.7⁴ = 0.76; five deviations are 0.107.
    let share = f64::from(tally.unanswered) / 400.0;
    assert!(share > 0.65, "{tally:?}");
}

#[tokio::test]
async fn a_share_of_connections_is_reset_open_and_new_ones() {
    let door = Door::to(echo().await).await;
    let mut open = Vec::new();
    for _ in 0..60 {
        let mut stream = door.connect().await;
        exchange(&mut stream, b'a').await.expect("it is open");
        open.push(stream);
    }
    door.shape(connections(0.5, ConnectionFault::Reset));
    let mut reset = 0;
    for stream in &mut open {
        match exchange(stream, b'b').await {
            Ok(_) => {}
            Err(error) => {
                assert!(
                    matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
                    "{error}"
                );
                reset += 1;
            }
        }
    }
    // 30 are expected; five deviations are 19.
    assert!((11..=49).contains(&reset), "{reset} of 60 open connections");
    let tally = door.path().trials(200, 1.seconds()).await.expect("trials can be made");
    assert!((64..=136).contains(&tally.reset), "{tally:?}");
    assert_eq!(tally.reset + tally.answered, 200, "{tally:?}");
    door.shape(PathShape::NONE);
    let tally = door.path().trials(100, 1.seconds()).await.expect("trials can be made");
    assert_eq!(tally, Tally { answered: 100, ..Tally::default() });
}

#[tokio::test]
async fn half_open_connections_hang_and_are_reset_in_the_end() {
    let door = Door::to(echo().await).await;
    let (mut old, mut hit) = (door.connect().await, Vec::new());
    exchange(&mut old, b'a').await.expect("it is open");
    door.shape(connections(1.0, ConnectionFault::HalfOpen));
    old.write_all(b"b").await.expect("the kernel takes it");
    hit.push(old);
    let mut new = door.connect().await;
    new.write_all(b"c").await.expect("the kernel takes it");
    hit.push(new);
    for stream in &mut hit {
        assert!(hangs(stream).await, "nobody is told");
    }
    let tally = door.path().trials(20, 100.ms()).await.expect("trials can be made");
    assert_eq!(tally, Tally { unanswered: 20, ..Tally::default() });
    door.shape(PathShape::NONE);
    for stream in &mut hit {
        let told =
            tokio::time::timeout(5.seconds(), stream.read(&mut [0])).await.expect("nothing hangs for good");
        assert_eq!(told.expect_err("the other end knows nothing of it").kind(), ErrorKind::ConnectionReset);
    }
}

#[tokio::test]
async fn a_limited_bandwidth_is_shared_and_goes_at_once() {
    let door = Door::to(echo().await).await;
    let rate = 1_000_000;
    door.shape(PathShape { bandwidth: Some(rate), ..PathShape::NONE });
    let start = Instant::now();
    // Twice 200 kB through one link of 1 MB/s: 400 ms, less what passes at once.
    let path = door.path();
    let (one, two) = tokio::join!(path.transfer(200_000), path.transfer(200_000));
    let (one, two, both) = (one.expect("open"), two.expect("open"), start.elapsed());
    assert!(both >= Duration::from_millis(380), "{one:?} and {two:?}");
    assert!(one.min(two) >= Duration::from_millis(280), "they take turns: {one:?} and {two:?}");
    assert!(both < Duration::from_secs(5), "and the link is not idle: {both:?}");
    let (waiting, ()) = tokio::join!(path.transfer(50_000_000), async {
        tokio::time::sleep(100.ms()).await;
        door.shape(PathShape::NONE);
    });
    let waiting = waiting.expect("open");
    assert!(waiting < Duration::from_secs(25), "50 s at that rate: {waiting:?}");
}

#[tokio::test]
async fn bytes_that_were_delayed_still_take_turns() {
    let door = Door::to(echo().await).await;
    door.shape(PathShape { delay: 50.ms(), bandwidth: Some(500_000), ..PathShape::NONE });
    // 60 ms at that rate, less what passes at once, and a round trip.
    let took = door.path().transfer(30_000).await.expect("open");
    assert!(took >= Duration::from_millis(140), "{took:?}");
}

#[tokio::test]
async fn a_bulk_transfer_over_a_lossy_path_is_no_row_of_timeouts() {
    let door = Door::to(echo().await).await;
    let mut stream = door.connect().await;
    // Opened before, so that the handshake is not in it.
    exchange(&mut stream, b'a').await.expect("it is open");
    door.shape(loss(0.05));
    let (mut from, mut to) = stream.into_split();
    let sent: Vec<u8> = (0..2_000_000_u32).map(|n| (n % 251) as u8).collect();
    let mut got = vec![0; sent.len()];
    let start = Instant::now();
    let (wrote, read) = tokio::join!(to.write_all(&sent), from.read_exact(&mut got));
    wrote.and(read.map(drop)).expect("nothing is lost for good");
    assert!(got == sent, "every byte, in order");
    // 1 381 segments each way, of which 138 are lost: 28 s of timeouts.
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_port_is_not_lost_to_another_listener_while_the_door_is_closed() {
    let door = Door::to(echo().await).await;
    door.shape(REFUSE);
    until_refused(&door).await;
    // What the kernel gives to everybody else: never this one.
    let mut others = Vec::new();
    for _ in 0..200 {
        let other = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        assert_ne!(other.local_addr().expect("bound"), door.address());
        others.push(other);
    }
}

/// The harness's own witness goes through the door, and would prove a fault that those callers never feel.
#[tokio::test]
async fn a_door_that_callers_go_past_is_no_place_for_a_fault() {
    let stub = Process::cargo_bin("stub").args(["--port", "{port}"]);
    let environment = Environment::builder().process("db", stub).start().await.expect("it starts");
    let mut target = environment.service("db").expect("it was added").target();
    let delay = |bandwidth| Fault::NetworkDelay {
        delay: 100.ms(),
        jitter: Duration::ZERO,
        bandwidth,
        interface: None,
    };
    let loss = |connections| Fault::NetworkLoss {
        loss: Percent::new(5.0).expect("a percentage"),
        connections,
        interface: None,
    };
    let down = |mode| Fault::DatabaseDown { database: None, mode, recovery_time_expected: None };
    let faults = [
        delay(None),
        delay(Some(ByteSize::new(500_000))),
        loss(None),
        loss(Some(ConnectionFault::Reset)),
        down(OutageMode::Refuse),
        down(OutageMode::Partition),
    ];
    let choose = |fault: &Fault, target: &Target| {
        let support = injector_for(fault).support(fault, target);
        support.choose(fault.kind(), &Pin::default()).map(|choice| choice.mechanism)
    };
    for fault in &faults {
        assert_eq!(choose(fault, &target), Ok("proxy"), "{fault}");
    }
    target.past_the_door = vec!["app".into()];
    for fault in &faults {
        let refused = choose(fault, &target).expect_err("nothing else can make it here");
        let sentence = "app would not feel it: db is reached there past its front door";
        assert!(refused.contains(sentence), "{fault}: {refused}");
    }
}
