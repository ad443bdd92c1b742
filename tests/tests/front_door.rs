//! The front door: no byte lost or reordered, half-close and reset kept, faults at once on open connections.
#![allow(clippy::disallowed_methods, reason = "test code may use clocks")]

use std::time::{Duration, Instant};

use chaos_test::model::ConnectionFault;
use chaos_test::port::{Closed, PathShape};
use chaos_test::prelude::*;
use suite::{Door, echo};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const ONE_WAY: PathShape = delay(Duration::from_millis(100));

const fn delay(delay: Duration) -> PathShape {
    PathShape { delay, ..PathShape::NONE }
}

fn pattern(length: usize) -> Vec<u8> {
    let mut random = chaos_test::stats::SplitMix::new(7);
    (0..length).map(|_| random.bits() as u8).collect()
}

/// Sends and reads back while the shape changes under it.
async fn exchange(door: &Door, length: usize, changes: &[(Duration, PathShape)]) -> Vec<u8> {
    let (mut from, mut to) = door.connect().await.into_split();
    let sent = pattern(length);
    let writer = tokio::spawn(async move {
        for chunk in sent.chunks(10_007) {
            to.write_all(chunk).await.expect("the door takes it");
        }
        to.shutdown().await.expect("half a close");
    });
    let changing = async {
        for (after, shape) in changes {
            tokio::time::sleep(*after).await;
            door.shape(*shape);
        }
    };
    let mut got = Vec::new();
    let (read, ()) = tokio::join!(from.read_to_end(&mut got), changing);
    read.expect("the other half stays open until all is there");
    writer.await.expect("it does not panic");
    got
}

#[tokio::test]
async fn no_byte_is_lost_or_reordered_while_the_shape_changes() {
    let door = Door::to(echo().await).await;
    let jitter = PathShape { jitter: 20.ms(), ..delay(5.ms()) };
    let changes = [
        (5.ms(), ONE_WAY),
        (30.ms(), jitter),
        (50.ms(), PathShape::default()),
        (5.ms(), jitter),
        (80.ms(), delay(1.ms())),
        (20.ms(), PathShape { loss: 0.2, ..delay(1.ms()) }),
        (50.ms(), PathShape { closed: Some(Closed::BlackHole), ..PathShape::NONE }),
        (20.ms(), PathShape { bandwidth: Some(20_000_000), ..PathShape::NONE }),
        (50.ms(), PathShape { bandwidth: Some(50_000_000), loss: 0.01, jitter: 2.ms(), ..delay(1.ms()) }),
        (50.ms(), PathShape { connections: Some((0.0, ConnectionFault::Reset)), ..PathShape::NONE }),
        (10.ms(), PathShape::NONE),
    ];
    let length = 24 * 1024 * 1024;
    let got = exchange(&door, length, &changes).await;
    let mut expected = pattern(length);
    expected.extend_from_slice(b"bye");
    assert_eq!(got.len(), expected.len());
    assert!(got == expected, "every byte, in order, and the word after the half-close");
}

#[tokio::test]
async fn a_delay_applies_to_open_connections_at_once_and_goes_at_once() {
    let door = Door::to(echo().await).await;
    let mut stream = door.connect().await;
    let round = async |stream: &mut TcpStream| {
        let sent = Instant::now();
        stream.write_all(b"x").await.expect("open");
        stream.read_exact(&mut [0]).await.expect("open");
        sent.elapsed()
    };
    round(&mut stream).await;
    door.shape(ONE_WAY);
    let slow = round(&mut stream).await;
    assert!(slow >= Duration::from_millis(200), "a round trip is two ways: {slow:?}");
    // What is under way when the fault goes is delivered at once, not after its delay.
    door.shape(delay(30.seconds()));
    stream.write_all(b"y").await.expect("open");
    tokio::time::sleep(50.ms()).await;
    door.shape(PathShape::default());
    let back = tokio::time::timeout(5.seconds(), stream.read_exact(&mut [0])).await;
    assert!(back.is_ok(), "removing the delay set free what was waiting");
    let quick = round(&mut stream).await;
    assert!(quick < Duration::from_millis(200), "and nothing is delayed any more: {quick:?}");
}

#[tokio::test]
async fn a_reset_stays_a_reset() {
    for shape in [PathShape::default(), ONE_WAY] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let door = Door::to(listener.local_addr().expect("it listens")).await;
        door.shape(shape);
        let mut client = door.connect().await;
        client.write_all(b"hello").await.expect("open");
        let (mut server, _) = listener.accept().await.expect("the door connects");
        server.read_exact(&mut [0; 5]).await.expect("the words arrive");
        server.set_zero_linger().expect("a TCP socket");
        drop(server);
        let read = client.read(&mut [0; 8]).await;
        let kind = read.expect_err("a reset is not a polite end").kind();
        assert_eq!(kind, std::io::ErrorKind::ConnectionReset);
    }
}

#[tokio::test]
async fn an_answer_that_comes_before_the_end_of_its_request_is_not_lost_in_a_delay() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let door = Door::to(listener.local_addr().expect("it listens")).await;
    door.shape(ONE_WAY);
    let (mut from, mut to) = door.connect().await.into_split();
    let uploading = tokio::spawn(async move {
        for _ in 0..100 {
            if to.write_all(&[b'x'; 4096]).await.is_err() {
                return;
            }
            tokio::time::sleep(10.ms()).await;
        }
    });
    let (mut server, _) = listener.accept().await.expect("the door connects");
    server.read_exact(&mut [0; 4096]).await.expect("the first of it arrives");
    server.write_all(b"413 too large").await.expect("open");
    // There is more of it that nobody has read: the end is a reset.
    drop(server);
    let mut answer = [0; 13];
    from.read_exact(&mut answer).await.expect("the answer was given before the reset");
    assert_eq!(&answer, b"413 too large");
    uploading.await.expect("it does not panic");
}

#[tokio::test]
async fn a_reset_in_the_middle_of_an_upload_stays_a_reset_under_a_delay() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let door = Door::to(listener.local_addr().expect("it listens")).await;
    door.shape(delay(20.ms()));
    let (mut from, mut to) = door.connect().await.into_split();
    // More than anybody's buffers hold, to a service that reads a part of it and is gone.
    let uploading = tokio::spawn(async move { while to.write_all(&[b'x'; 65_536]).await.is_ok() {} });
    let (mut server, _) = listener.accept().await.expect("the door connects");
    server.read_exact(&mut vec![0; 1 << 20]).await.expect("the first of it arrives");
    tokio::time::sleep(200.ms()).await;
    server.set_zero_linger().expect("a TCP socket");
    drop(server);
    let kind = from.read(&mut [0; 8]).await.expect_err("a reset is not a polite end").kind();
    assert_eq!(kind, std::io::ErrorKind::ConnectionReset);
    uploading.await.expect("it does not panic");
}

#[tokio::test]
async fn a_service_that_is_down_resets_its_clients() {
    // Bound and dropped: nobody listens there.
    let nobody = TcpListener::bind("127.0.0.1:0").await.expect("a free port").local_addr().expect("bound");
    let door = Door::to(nobody).await;
    // The reset may be quicker than the client, which then sees it while it connects.
    let seen = match TcpStream::connect(door.address()).await {
        Ok(mut client) => client.read(&mut [0; 8]).await,
        Err(error) => Err(error),
    };
    assert_eq!(seen.expect_err("not a polite end").kind(), std::io::ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn the_witness_measures_through_the_door() {
    let door = Door::to(echo().await).await;
    let path = door.path();
    let without = path.round_trip().await.expect("open");
    path.shape(ONE_WAY);
    let with = path.round_trip().await.expect("open");
    assert!(with >= Duration::from_millis(200), "{with:?}");
    assert!(without < with);
}
